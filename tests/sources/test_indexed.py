from typing import Any

import pytest

from penstock.sources.indexed import IndexedSource
from penstock.testing import check_source


class DataSet:
    """A map-style data set, as torch has them; it tells what it was asked for."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.asked: list[int] = []

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> int:
        self.asked.append(index)
        return index * 10


def test_items_are_read_by_index_when_they_are_wanted():
    """An item may cost a file: none is asked for early, and none beyond the length."""
    items = DataSet(3)
    stream = IndexedSource(items).open(0)

    assert items.asked == []
    assert next(stream) == 0
    assert items.asked == [0]
    assert list(stream) == [10, 20]
    assert items.asked == [0, 1, 2]


@pytest.mark.parametrize(
    ("items", "waits"), [([1, 2], False), ((1, 2), False), (range(1, 3), False), (DataSet(2), None)]
)
def test_what_is_in_memory_waits_for_nothing(items: Any, waits: bool | None):
    """Of somebody's own class that is to be found out."""
    source = IndexedSource(items)

    assert (source.waits, source.once, source.length(), source.label) == (waits, None, 2, type(items).__name__)


def test_a_data_set_can_be_read_again():
    """From its first item, with the length that it says."""
    assert check_source(lambda: DataSet(4)) == 4
    assert check_source(lambda: []) == 0


def test_the_length_is_that_of_the_moment():
    """A data set may grow from one epoch to the next."""
    items = DataSet(1)
    source = IndexedSource(items)

    before = list(source.open(0))
    items.n = 2

    assert (before, list(source.open(1)), source.length()) == ([0], [0, 10], 2)
