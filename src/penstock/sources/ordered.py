"""Sources in an order that is drawn for each epoch: by index, without holding examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, final

import numpy as np

from penstock.draws import Key, Places, permutation

__all__ = ["Shuffled"]

RUN = 1024
"""Of arrays so many rows are copied at once. [examples]"""


@final
class Shuffled:
    """The items of a source that is read by index, each once in an epoch, in an order of that epoch.

    Args:
      label: what the source is called.
      length: how many items it has.
      key: of the orders, uint64[2].
      item: gives the item at a place; `None` where there is `run`.
      run: gives the items at several places at once; `None` where there is `item`.
      fetch: gives a list of the items at several places.
      identity: what tells the source from others.
      waits: as the source's own.
      cancel: as the source's own.
    """

    by_index = True
    once: object | None = None

    def __init__(
        self,
        label: str,
        length: Callable[[], int],
        key: Key,
        *,
        item: Callable[[int], Any] | None,
        run: Callable[[Places], Any] | None,
        fetch: Callable[[int, Sequence[int]], list[Any]],
        identity: Callable[[], list[Any]],
        waits: bool | None,
        cancel: Callable[[], object] | None,
    ) -> None:
        self.label = label
        self.waits = waits
        self.cancel = cancel
        self.blocks = run is not None
        self.lasts = run is None
        self.length = length
        self._key = key
        self._item = item
        self._run = run
        self._fetch = fetch
        self._identity = identity

    def open(self, epoch: int) -> Iterator[Any]:
        """Starts at the first of the epoch's order."""
        return self.open_at(epoch, 0)

    def open_at(self, epoch: int, n: int) -> Iterator[Any]:
        """Starts behind its first n items, or runs of arrays."""
        order, run, item = self._order(epoch), self._run, self._item
        if run is not None:
            return (run(order[at : at + RUN]) for at in range(n * RUN, len(order), RUN))
        assert item is not None, "what has no runs has items"
        # A part of the order at a time, since Python's integers take four times the room; and no generator over the items,
        # which would end where one of them raises.
        return map(
            item, chain.from_iterable(order[first : first + RUN].tolist() for first in range(n, len(order), RUN))
        )

    def fetch(self, epoch: int, places: Sequence[int]) -> list[Any]:
        """The items at some places of the epoch's order."""
        return self._fetch(epoch, self._order(epoch)[np.asarray(places, np.int64)].tolist())

    def identity(self) -> list[Any]:
        """What tells it from others: as the source's own, and the key."""
        return [*self._identity(), "shuffled", *self._key.tolist()]

    def _order(self, epoch: int) -> Places:
        return permutation(self._key, epoch, self.length())
