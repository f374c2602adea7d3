"""The checks that penstock offers for a user's own sources and stages: each meets something broken, and says so."""

from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest

from penstock.chunk import END, Chunk
from penstock.stages import Stage
from penstock.stages.take import Take
from penstock.testing import Recut, check_source, check_stage, no_threads_left, same
from penstock.ticket import turn_tickets


def said(check: Callable[[], Any]) -> str:
    """What a check says of something broken."""
    with pytest.raises(AssertionError) as caught:
        check()
    return str(caught.value)


# Sources.


@pytest.mark.parametrize(
    "make",
    [
        lambda: [1, 2, 3],
        lambda: np.arange(3),
        lambda: iter([1, 2, 3]),
        lambda: lambda: iter([np.zeros(1), np.zeros(2), np.zeros(0)]),
        lambda: {"a": [1, 2, 3], "b": ["x", "y", "z"]},
    ],
    ids=["list", "array", "iterator", "ragged", "components"],
)
def test_a_good_source_is_counted(make: Callable[[], Any]):
    """Sizes may differ from example to example; they are free where they are padded."""
    assert check_source(make) == 3


def test_a_source_without_examples_is_a_good_one():
    """It just has none."""
    assert check_source(list) == 0


def test_a_source_that_differs_from_opening_to_opening_is_found():
    """An unseeded shuffle, say."""
    openings = iter([[1, 2, 3], [1, 3, 2]])

    assert said(lambda: check_source(lambda: next(openings))) == (
        "expected the same examples at each opening, got 2 and 3 - at example 1"
    )


def test_a_source_that_is_used_up_is_found():
    """The second pass over one and the same iterator has nothing."""
    once = iter([1, 2])

    assert said(lambda: check_source(lambda: once)) == (
        "expected the same examples at each opening, got 2 and 0 of them"
    )


def test_a_source_that_raises_is_found_with_its_error():
    """The user's own error is the cause."""

    def broken() -> Iterator[int]:
        yield 1
        raise KeyError("row 2")

    with pytest.raises(AssertionError, match="expected a source that does not raise, got KeyError") as caught:
        check_source(lambda: broken)
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_source_that_changes_what_it_gave_later_is_found():
    """Not at once, so that no reader could have seen it in time."""

    def late() -> Iterator[np.ndarray]:
        arrays = [np.zeros(2) for _ in range(3)]
        for i in range(6):
            arrays[i % 3][:] = i
            yield arrays[i % 3]

    assert "examples that stay as they were yielded" in said(lambda: check_source(lambda: late))


def test_a_source_that_refills_one_array_is_none_to_be_blamed():
    """The reader sees that, and copies."""

    def refilled() -> Iterator[np.ndarray]:
        array = np.zeros(2)
        for i in range(6):
            array[:] = i
            yield array

    assert check_source(lambda: refilled) == 6


def test_a_source_that_is_no_good_is_found_out_in_both_kinds():
    """Another dtype or structure in the middle."""
    for examples in ([1, 2.5], [(1, 2), 1], [np.zeros(2), np.zeros((2, 2))]):
        with pytest.raises(ValueError, match="at example 1"):
            check_source(lambda some=examples: some)


class Wrong:
    """Three examples, by index, whatever it says that it has."""

    def __init__(self, says: int) -> None:
        self._says = says

    def __len__(self) -> int:
        return self._says

    def __iter__(self) -> Iterator[int]:
        return iter([1, 2, 3])


def test_a_length_that_is_not_true_is_found():
    """`len(pipeline)` would be wrong, and the end of a progress bar."""
    assert said(lambda: check_source(lambda: Wrong(5))) == "expected as many examples as the source says, 5, got 3"
    assert check_source(lambda: Wrong(3)) == 3


def test_an_endless_source_is_looked_at_for_a_while():
    """And may be checked all the same."""

    def endless() -> Iterator[int]:
        yield from range(10**9)

    assert check_source(lambda: endless, most=100) == 100


# Stages.


class Broken:
    """A stage that breaks one law."""

    def __init__(self, upstream: Stage, law: str) -> None:
        self._upstream = upstream
        self._law = law
        self._ends = 0

    def take(self, n: int) -> Chunk:
        chunk = self._upstream.take(n + 1 if self._law == "asks" else n)
        if self._law == "tickets" and chunk.count:
            chunk.tickets = chunk.tickets.cut(0, chunk.count - 1)
        if self._law == "own tickets" and chunk.count:
            chunk.tickets = turn_tickets((0,), 0, (0,), 0, chunk.count)
        if self._law == "chunks" and chunk.count and chunk.rows is not None:
            chunk = Chunk([sum(chunk.rows), *chunk.rows[1:]], chunk.tickets, error=chunk.error)
        if self._law == "ending" and chunk.error is not None and chunk.count:
            chunk.error = ValueError("another")
        if self._law == "end" and chunk.is_end:
            self._ends += 1
            return Chunk([7], turn_tickets((0,), 0, (0,), 0, 1)) if self._ends == 2 else END
        return chunk

    def snapshot(self) -> dict[str, Any]:
        return {"of": self._upstream.snapshot(), "ends": self._ends}

    def restore(self, saved: dict[str, Any]) -> None:
        self._upstream.restore(saved["of"])
        self._ends = saved["ends"]
        if self._law == "resuming":
            self._upstream.take(1)

    recalls = False

    def recall(self, tickets: Any) -> list[Any]:
        raise AssertionError("nobody asks for it")

    def close(self) -> None:
        self._upstream.close()


@pytest.mark.parametrize(
    ("law", "message"),
    [
        ("asks", "expected at most"),
        ("tickets", "expected a ticket for each of"),
        ("own tickets", "expected the same tickets however the input is cut"),
        ("chunks", "expected the same examples however the input is cut"),
        ("ending", "expected the same ending however the input is cut, ValueError('another'), got KeyError"),
        ("end", "expected an end for good, got something after it"),
        ("resuming", "expected the same examples however the input is cut"),
    ],
)
def test_a_stage_that_breaks_a_law_is_found(law: str, message: str):
    """Each of the laws that a stage has."""
    error = KeyError("last") if law == "ending" else None

    assert said(lambda: check_stage(lambda up: Broken(up, law), list(range(40)), error=error)).startswith(message)


def test_a_stage_that_breaks_none_is_not():
    """What it gives is given back."""
    assert check_stage(lambda up: Broken(up, "none"), list(range(40))) == list(range(40))
    assert check_stage(lambda up: Take(up, 3), list(range(40)), error=KeyError()) == [0, 1, 2]


def test_the_input_is_cut_in_many_ways_and_always_the_same():
    """By the seed; columns and items too; no chunk crosses the end of an item."""
    for columns in (False, True):
        seen = set()
        for seed in range(20):
            stage = Recut(list(range(20)), columns=columns, item=7, largest=5, seed=seed)
            sizes, given = [], []
            while (chunk := stage.take(6)).count:
                assert (chunk.columns is not None) is columns
                given += [int(row) for row in chunk.as_rows()]
                sizes.append(chunk.count)
                assert chunk.item_end == (len(given) % 7 == 0 or len(given) == 20)
            assert given == list(range(20))
            seen.add(tuple(sizes))
        assert len(seen) > 10


def test_an_error_of_the_input_comes_with_its_last_examples_or_after_them():
    """Both happen, since both are allowed."""
    ways = set()
    for seed in range(20):
        stage = Recut([1, 2], error=KeyError(), largest=2, seed=seed)
        while (chunk := stage.take(2)).error is None:
            assert chunk.count
        ways.add(chunk.count > 0)
        assert stage.take(1).is_end

    assert ways == {True, False}


# Threads.


def test_a_thread_that_is_left_is_named():
    """Only penstock's own count."""
    leave = Event()
    threads = [Thread(target=leave.wait, name=name, daemon=True) for name in ("ps-lane 3", "somebody else's")]

    def block() -> None:
        with no_threads_left(within_s=0.05):
            for thread in threads:
                thread.start()

    try:
        assert said(block) == "expected no thread of penstock's, got 'ps-lane 3' - close the flow"
    finally:
        leave.set()
        for thread in threads:
            thread.join()


def test_a_thread_that_was_there_before_or_is_ending_is_none():
    """It is waited for."""
    leave, ended = Event(), Event()
    before = Thread(target=leave.wait, name="ps-before", daemon=True)
    before.start()
    try:
        with no_threads_left():
            Thread(target=ended.wait, name="ps-ending", daemon=True).start()
            ended.set()
    finally:
        leave.set()
        before.join()


# Equality.


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (1, 1, True),
        (1, 1.0, False),
        (np.nan, np.nan, True),
        (np.array([1, 2]), np.array([1, 2]), True),
        (np.array([1, 2]), np.array([[1, 2]]), False),
        (np.zeros(2), np.zeros(2, np.float32), False),
        ((1, 2), [1, 2], False),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"b": 1}, False),
        ("a", "a", True),
        (np.datetime64("NaT"), np.datetime64("NaT"), True),
    ],
)
def test_examples_are_the_same_in_structure_dtype_shape_and_values(one: Any, other: Any, alike: bool):
    """NaN equals NaN."""
    assert same(one, other) is alike
