"""How many examples of each class the rings may hold."""

from __future__ import annotations

from typing import final

import numpy as np

from penstock.sampling import Rings, ring_limits
from penstock.sampling.shares import Float64s, Int64s
from penstock.stages.snapshot import Saved
from penstock.structure import Structure

__all__ = ["Limits"]

MOST_BYTES = 1 << 28
"""Rings hold about as many bytes, where nobody says how many examples. [bytes]"""
MOST_EXAMPLES = 1 << 17
"""And never more examples. [examples]"""
SLACK = 0.02
"""As much may be lost to full rings where all classes are short at once."""
ROOM = 64
"""Rings are made for so many classes at least, before they are known."""


@final
class Limits:
    """Sizes rings: as was asked for, or by what a batch takes and what arrives, and never too small for a batch.

    Args:
      size: examples in a batch.
      repeats: how often one example may be used.
      rings: how many examples of each class are kept; `None` chooses. [examples]
    """

    def __init__(self, size: int, repeats: int, rings: int | None) -> None:
        self._size = size
        self._repeats = repeats
        self._rings = rings
        self._most = MOST_EXAMPLES
        self._limits = np.zeros(0, np.int64)
        self._last: tuple[Float64s, int, Int64s] | None = None  # what sizes were chosen for last, and these

    def measure(self, example: object) -> None:
        """Sees how large an example is."""
        leaves = Structure.of(example).leaves(example)
        nbytes = 64 + sum([_nbytes(leaf) for leaf in leaves])
        self._most = min(MOST_EXAMPLES, max(2 * self._size, MOST_BYTES // nbytes))

    def make_room(self, rings: Rings, classes: int) -> None:
        """Sees to it that there are rings for so many classes; where there are not, for twice as many as before."""
        before = len(self._limits)
        if classes <= before and before:
            return
        limits = np.empty(max(classes, 2 * before, ROOM if not classes else 1), np.int64)
        limits[:before] = self._limits
        limits[before:] = self._chosen(np.full(max(1, classes), 1 / max(1, classes)))[0]
        self._limits = limits
        rings.grow(limits)

    def snapshot(self) -> Saved:
        """The sizes."""
        return {"most": self._most, "limits": self._limits.copy()}

    def restore(self, saved: Saved) -> None:
        """Goes on from there; rings are of these sizes already."""
        self._most, self._limits = int(saved["most"]), np.array(saved["limits"], np.int64)

    def _chosen(self, target: Float64s) -> Int64s:
        if self._rings is not None:
            return np.full(len(target), self._rings)
        last = self._last
        if last is None or last[0] is not target or last[1] != self._most:
            last = self._last = target, self._most, ring_limits(target, self._size, SLACK, most=self._most)
        return last[2]

    def fit(self, rings: Rings, target: Float64s) -> None:
        """Makes rings as large as a target needs, of those that there are; none smaller.

        Args:
          rings: of all its classes at least.
          target: q, float64[K].
        """
        batch = np.ceil(np.round(self._size * target, 9)).astype(np.int64)
        self._raise(rings, np.arange(len(target)), np.maximum(self._chosen(target), -(-batch // self._repeats)))

    def spare(self, rings: Rings, target: Float64s, enough: Float64s) -> None:
        """Has rings hold less of classes that come more often than needed, and is not in haste: it halves them at most.

        What is held for long is no longer in the cache; and more of it was never of use.

        Args:
          rings: of all its classes at least.
          target: q, float64[K].
          enough: how many examples of each class are enough, float64[K]; infinite where all are wanted that there may be.
        """
        if self._rings is not None:
            return
        limits, before = self._chosen(target), self._limits[: len(target)]
        limits = np.minimum(limits, np.maximum(enough, before // 2)).astype(np.int64)
        if (limits != before).any():
            self._limits[: len(target)] = limits
            rings.grow(self._limits)

    def hold(self, rings: Rings, classes: Int64s, counts: Int64s) -> None:
        """Makes rings large enough for so many of some classes, int64[m] twice."""
        least = -(-counts // self._repeats)
        if (self._limits[classes] < least).any():
            self._raise(rings, classes, 2 * least)

    def _raise(self, rings: Rings, classes: Int64s, least: Int64s) -> None:
        before = self._limits[classes]
        if (before < least).any():
            self._limits[classes] = np.maximum(before, least)
            rings.grow(self._limits)


def _nbytes(leaf: object) -> int:
    """About how many bytes a component takes."""
    if isinstance(leaf, (str, bytes)):
        return len(leaf)
    return int(getattr(leaf, "nbytes", 16))
