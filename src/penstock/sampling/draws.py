"""Random places by their number: which of those that wait leaves next, as a function of seed and number alone."""

from __future__ import annotations

from typing import Any, final

import numpy as np

__all__ = ["BLOCK", "Draws", "permutation"]

BLOCK = 512
"""Numbers are made so many at once."""

Key = np.ndarray[Any, np.dtype[np.uint64]]


@final
class Draws:
    """Draws places among n; the k-th draw is the same whatever was drawn before it, so that `number` is all its state.

    Args:
      key: of whose draws these are, uint64[2].
      number: of the first draw.

    Source: Philox (Salmon et al. 2011), a counter-based generator. A place is the floor of a float64 of [0, 1) times n.

    >>> draws = Draws(np.array([7, 0], np.uint64))
    >>> first = [draws.below(10) for _ in range(4)]
    >>> later = Draws(np.array([7, 0], np.uint64), 3)
    >>> first[3] == later.below(10)
    True
    """

    __slots__ = ("_block", "_from", "_key", "number")

    def __init__(self, key: Key, number: int = 0) -> None:
        self._key = key
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

    def _fill(self) -> int:
        block = self.number // BLOCK
        counter = np.array([0, block & (2**64 - 1), 0, 0], np.uint64)
        self._block = np.random.Generator(np.random.Philox(key=self._key, counter=counter)).random(BLOCK).tolist()
        self._from = block * BLOCK
        return self.number - self._from


def permutation(key: Key, n: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """An order of n things, int64[n]: a function of the key alone.

    >>> sorted(permutation(np.array([7, 0], np.uint64), 5).tolist())
    [0, 1, 2, 3, 4]
    """
    order: np.ndarray[Any, np.dtype[np.int64]] = np.random.Generator(np.random.Philox(key=key)).permutation(n)
    return order
