"""Sources read by index: lists, and any object with a length and items (a torch `Dataset` too)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, final

from penstock.draws import Key
from penstock.sources.iterables import cancel_of, name_of
from penstock.sources.ordered import Shuffled

__all__ = ["IndexedSource"]


@final
class IndexedSource:
    """The items of an object with `__len__` and `__getitem__`, by index."""

    blocks = False
    by_index = True
    once: object | None = None
    lasts = True
    """An index that raises is followed by the next."""

    def __init__(self, items: Sequence[Any]) -> None:
        self._items = items
        self.label = name_of(items)
        self.cancel = cancel_of(items)
        # A list is in memory; somebody's data set may well read a file at each index.
        self.waits: bool | None = False if isinstance(items, (list, tuple, range)) else None

    def open(self, epoch: int) -> Iterator[Any]:
        """Starts at index 0."""
        if isinstance(self._items, (list, tuple, range)):
            return iter(self._items)
        return map(self._items.__getitem__, range(len(self._items)))

    def open_at(self, epoch: int, n: int) -> Iterator[Any]:
        """Starts at index n."""
        if isinstance(self._items, (list, tuple, range)):
            return islice(self._items, n, None) if isinstance(self._items, list) else iter(self._items[n:])
        return map(self._items.__getitem__, range(n, len(self._items)))

    def fetch(self, epoch: int, places: Sequence[int]) -> list[Any]:
        """The items at some places."""
        return [self._items[place] for place in places]

    def shuffled(self, key: Key) -> Shuffled:
        """The same items in an order of each epoch."""
        return Shuffled(
            self.label,
            self._items.__len__,
            key,
            item=self._items.__getitem__,
            run=None,
            fetch=self.fetch,
            identity=self.identity,
            waits=self.waits,
            cancel=self.cancel,
        )

    def identity(self) -> list[Any]:
        """What tells it from another: its length."""
        return [len(self._items)]

    def length(self) -> int | None:
        """The length of the object."""
        return len(self._items)
