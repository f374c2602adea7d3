import functools
import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.errors import PipelineError
from penstock.sources.iterables import CallableSource, IterableSource, name_of
from penstock.testing import check_source


def numbers() -> Iterator[int]:
    yield from range(3)


class Reader:
    """Opens a stream when it is called."""

    def __call__(self) -> list[int]:
        return [1]


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        (numbers, "numbers"),
        (numbers(), "numbers"),
        (iter([1]), "list_iterator"),
        (Reader(), "Reader"),
        (functools.partial(numbers), "partial"),
        (Reader.__call__, "Reader.__call__"),
    ],
)
def test_a_source_is_called_by_its_function_or_its_type(thing: object, name: str):
    """What a user finds again in the code."""
    assert name_of(thing) == name


def test_an_iterable_is_read_once():
    """The second opening is an error that says what to pass."""
    iterable = numbers()
    source = IterableSource(iterable)

    assert source.once is iterable
    assert list(source.open(0)) == [0, 1, 2]
    with pytest.raises(PipelineError) as caught:
        source.open(1)
    assert str(caught.value) == (
        "expected a source that can be opened again, got the iterable `numbers`, which was opened before"
        " - pass a callable that makes it: `lambda: ...`"
    )


def test_the_length_of_an_iterable_is_known_if_it_has_one():
    """A set has; a generator has not."""
    assert IterableSource({1, 2}).length() == 2
    assert IterableSource(numbers()).length() is None


@pytest.mark.parametrize(
    ("iterable", "endless"),
    [
        (itertools.count(), True),
        (itertools.cycle([1]), True),
        (itertools.repeat(1), True),
        (itertools.repeat(1, 3), False),
        (numbers(), False),
        (iter([1]), False),
    ],
)
def test_what_is_known_never_to_end_is_known(iterable: Any, endless: bool):
    """So that a constant may stand beside a component that does end."""
    assert IterableSource(iterable).endless is endless


def test_a_callable_is_called_for_each_pass():
    """Not before."""
    calls: list[str] = []

    def make() -> list[int]:
        calls.append("called")
        return [1, 2]

    source = CallableSource(make)

    assert calls == []
    assert list(source.open(0)) == [1, 2]
    assert list(source.open(1)) == [1, 2]
    assert calls == ["called", "called"]
    assert (source.length(), source.once, source.waits, source.label) == (None, None, None, make.__name__)
    assert check_source(lambda: numbers) == 3


class Indexed:
    """An iterable of the old kind, by index."""

    def __getitem__(self, index: int) -> int:
        if index > 1:
            raise IndexError
        return index


def test_a_callable_may_give_whatever_can_be_iterated():
    """Also what is so by index only."""
    assert list(CallableSource(Indexed).open(0)) == [0, 1]


@pytest.mark.parametrize(("made", "name"), [(None, "NoneType"), (5, "int"), ("text", "str"), (b"bytes", "bytes")])
def test_a_callable_that_gives_no_iterable_is_an_error(made: object, name: str):
    """A text could be iterated, but nobody means its letters."""

    def make() -> Any:
        return made

    with pytest.raises(PipelineError) as caught:
        CallableSource(make).open(0)

    assert str(caught.value) == (f"expected a callable that gives an iterable, got `{name}` - at {make.__name__}")
