"""Things are given one by one and counted, by the native part as by its twin."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock.engine.delivery as twin
import penstock.engine.kernels as kernels
from penstock.chunk import END, Chunk
from penstock.ticket import NO_TICKETS

KINDS = [twin] if kernels.Delivery is twin.Delivery else [twin, kernels]


def delivery(kind: Any, chunks: list[tuple[list[Any], bool]], convert: Callable[[Any], Any] | None, again: int) -> Any:
    """One that gives these; behind a chunk that is marked it is noted where the stages stand."""

    class Own(kind.Delivery):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(convert)
            self._begin({"at": "the beginning"}, again)
            self.passed = 0
            self.entries: Iterator[Any] = iter(
                [
                    kind.Entry(Chunk([*rows], NO_TICKETS), {"behind": n} if noted else None)
                    for n, (rows, noted) in enumerate(chunks)
                ]
            )

        def _first(self) -> Any:
            for entry in self.entries:
                return entry
            raise StopIteration

        def _pass_over(self) -> None:
            self.passed += self._again
            self._again = 0

    return Own()


def counts(its: Any) -> tuple[Any, ...]:
    return its._delivered, its._since, its._place, its._again, its.passed, its._entry.given, its._entry.rows


ROWS = st.lists(st.tuples(st.lists(st.integers(), min_size=1, max_size=4), st.booleans()), max_size=6)


@given(ROWS, st.sampled_from([None, str]), st.integers(0, 2))
def test_native_and_twin_give_and_count_alike(chunks: list[Any], convert: Any, again: int):
    """After each thing: what was given, what since the last that was noted, and what is still held."""
    seen = []
    for kind in KINDS:
        its = delivery(kind, chunks, convert, again)
        seen.append([(thing, counts(its)) for thing in iter(lambda its=its: next(its, "end"), "end")])

    assert [thing for thing, _ in seen[0]] == [(convert or int)(thing) for rows, _ in chunks for thing in rows]
    assert all(one == seen[0] for one in seen)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_not_converted_is_not_counted(kind: Any):
    """A conversion that was interrupted is done again."""
    fails = [True]

    def convert(thing: Any) -> Any:
        if fails:
            fails.pop()
            raise KeyboardInterrupt
        return thing

    its = delivery(kind, [([1, 2], True)], convert, 0)
    with pytest.raises(KeyboardInterrupt):
        next(its)
    assert its._delivered == 0
    assert [next(its), next(its)] == [1, 2]
    assert (its._delivered, its._since, its._place) == (2, 0, {"behind": 0})


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_kept_of_what_was_given(kind: Any):
    """Its memory is the caller's to let go of."""
    its = delivery(kind, [([object()], False)], None, 0)
    next(its)

    assert its._entry.rows == [None]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_closed_asks_each_time_what_there_is_to_say(kind: Any):
    """Also where things lie ready."""
    its = delivery(kind, [([1, 2], False), ([3], False)], None, 0)
    next(its)
    its._closed = True

    assert next(its) == 3
    with pytest.raises(StopIteration):
        next(its)


@pytest.mark.parametrize("kind", KINDS)
def test_the_base_knows_of_nothing_to_give(kind: Any):
    """A flow says where the next comes from."""
    with pytest.raises(AssertionError):
        next(kind.Delivery(None))
    assert kind.Entry(END).rows == []
