"""Random places by their number: which of those that wait leaves next, as a function of seed and number alone."""

from __future__ import annotations

from typing import Any, final

import numpy as np

__all__ = ["BLOCK", "Draws", "permutation"]

BLOCK = 512
"""Numbers are made so many at once."""

_MASK = 2**64 - 1

Key = np.ndarray[Any, np.dtype[np.uint64]]
Places = np.ndarray[Any, np.dtype[np.int64]]


@final
class Draws:
    """Draws places among n; the k-th draw is the same whatever was drawn before it, so that `number` is all its state.

    Args:
      key: of whose draws these are, uint64[2].
      epoch: which pass they are for.
      number: of the first draw.

    Source: Philox (Salmon et al. 2011), a counter-based generator. A place is the floor of a float64 of [0, 1) times n.

    >>> draws = Draws(np.array([7, 0], np.uint64))
    >>> first = [draws.below(10) for _ in range(4)]
    >>> later = Draws(np.array([7, 0], np.uint64), number=3)
    >>> first[3] == later.below(10)
    True
    """

    __slots__ = ("_block", "_epoch", "_from", "_key", "number")

    def __init__(self, key: Key, *, epoch: int = 0, number: int = 0) -> None:
        self._key = key
        self._epoch = epoch
        self._block: list[float] = []
        self._from = 0
        self.number = number
        """Of the next draw."""

    def below(self, n: int) -> int:
        """The next place among n."""
        at = self.number - self._from
        if not 0 <= at < len(self._block):
            at = self._fill()
        self.number += 1
        return int(self._block[at] * n)

    def several(self) -> list[float]:
        """Some of the next numbers in [0, 1), as they are drawn: all that are made at once."""
        at = self.number - self._from
        if not 0 <= at < len(self._block):
            at = self._fill()
        self.number = self._from + len(self._block)
        return self._block[at:]

    def many(self, sizes: Places) -> Places:
        """The next places, among so many each: int64[m]."""
        parts: list[list[float]] = []
        left = len(sizes)
        while left:
            at = self.number - self._from
            if not 0 <= at < len(self._block):
                at = self._fill()
            parts.append(self._block[at : at + left])
            left -= len(parts[-1])
            self.number += len(parts[-1])
        drawn = np.array([one for part in parts for one in part])
        places: Places = (drawn * sizes).astype(np.int64)
        return places

    def _fill(self) -> int:
        block = self.number // BLOCK
        self._block = _generator(self._key, self._epoch, block + 1).random(BLOCK).tolist()
        self._from = block * BLOCK
        return self.number - self._from


def permutation(key: Key, epoch: int, n: int) -> Places:
    """An order of n things, int64[n]: a function of the key and the epoch alone.

    >>> sorted(permutation(np.array([7, 0], np.uint64), 0, 5).tolist())
    [0, 1, 2, 3, 4]
    """
    order: Places = _generator(key, epoch, 0).permutation(n)
    return order


def _generator(key: Key, epoch: int, block: int) -> np.random.Generator:
    counter = np.array([0, block & _MASK, epoch & _MASK, 0], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))
