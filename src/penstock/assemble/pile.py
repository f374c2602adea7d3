"""Leaves that are to be padded, until it is known how long the longest of their batch is.

The definition; `_pile.pyx` packs those that are short, so that the examples need not be kept.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np

import penstock.assemble.reference as reference
from penstock.spec import Component

__all__ = ["Pile"]

Array = np.ndarray[Any, np.dtype[Any]]


@final
class Pile:
    """Leaves of one component.

    Args:
      kind: what is asked of each, as `prepared` gives it: numbers or times, of one dimension or more.
      most: how many there will be at most. [examples]

    >>> pile = Pile(Component(np.dtype(int), (None,)), 2)
    >>> pile.add([np.array([1]), np.array([2, 3])])
    >>> out = np.empty((2, *pile.largest(2)), int)
    >>> pile.fill(out, np.zeros((), int), False, False)
    >>> out
    array([[1, 0],
           [2, 3]])
    """

    def __init__(self, kind: Component, most: int) -> None:
        self._kind = kind
        self.most = most
        """How many there will be at most. [examples]"""
        self._leaves: list[Any] = []

    def __len__(self) -> int:
        return len(self._leaves)

    def add(self, leaves: list[Any]) -> None:
        """Puts leaves on top.

        Raises:
          Misfit: one has another dtype, rank, or fixed size.
        """
        reference.extent(leaves, self._kind)
        self._leaves += leaves

    def sizes(self, n: int) -> Array:
        """The sizes of the first n: int64[n, d]."""
        sizes = np.empty((n, len(self._kind.shape)), np.int64)
        reference.extent(self._leaves[:n], self._kind, sizes)
        return sizes

    def largest(self, n: int) -> tuple[int, ...]:
        """The largest size of the first n in each dimension."""
        return reference.extent(self._leaves[:n], self._kind)

    def fill_with(self, backlog: object, out: Array, value: Any, left: bool, truncate: bool) -> None:
        """As `fill`, now or before the backlog is finished; here at once, since the leaves belong to the user."""
        self.fill(out, value, left, truncate)

    def fill(self, out: Array, value: Any, left: bool, truncate: bool) -> None:
        """Writes the first n to the n rows of `out`; see `reference.fill`."""
        reference.fill(self._leaves[: len(out)], self._kind, out, value, left, truncate)
