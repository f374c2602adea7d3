"""Which classes come in each batch when every batch holds P of them, m examples each, as metric learning asks for.

Guarantees
  A batch holds P different classes.
  While the classes stay the same K, each has come floor(k P / K) or ceil(k P / K) times after k batches:
  all come once, in an order drawn anew, before any comes again.
  A class that is added takes part from the next such pass on.
  The order is a function of the seed, and of when classes were added.
Costs
  O(P) for each batch: an order is drawn once in K / P batches.

Source: Pfair with equal weights (see `quota`); the order of a pass is that of SplitMix64's numbers.
"""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np

from penstock.sampling.shares import Int64s
from penstock.sampling.splitmix import LARGEST, coin

__all__ = ["PerClass"]

_STEP, _FIRST, _SECOND = (np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


@final
class PerClass:
    """P classes a batch, in turns that are drawn anew for each pass over the classes.

    Args:
      classes_per_batch: P, at least 1.
      per_class: m, examples of each, at least 1.
      seed: of the order, 64 bits.

    >>> turns = PerClass(2, 3, seed=0)
    >>> turns.grow(4)
    >>> [sorted(turns.take()[0].tolist() + turns.take()[0].tolist()) for _ in range(2)]
    [[0, 1, 2, 3], [0, 1, 2, 3]]
    """

    __slots__ = ("_counts", "_order", "_passes", "_place", "_seed", "known", "per_class", "position")

    def __init__(self, classes_per_batch: int, per_class: int, *, seed: int) -> None:
        assert classes_per_batch >= 1 and per_class >= 1, "a batch holds at least one example"
        self._counts = np.full(classes_per_batch, per_class, np.int64)
        self._counts.flags.writeable = False
        self.per_class = per_class
        """m, examples of each class in a batch."""
        self._seed = seed & LARGEST
        self.known = 0
        """How many classes there are."""
        self.position = 0
        """How many batches were given."""
        self._passes = 0
        self._order = np.empty(0, np.int64)
        self._place = 0

    @classmethod
    def restore(cls, classes_per_batch: int, per_class: int, state: dict[str, Any], *, seed: int) -> Self:
        """Turns as they stood when `state` was taken from those with the same arguments.

        >>> turns = PerClass(2, 1, seed=0)
        >>> turns.grow(5)
        >>> _ = turns.take(), turns.take()
        >>> PerClass.restore(2, 1, turns.state(), seed=0).take()[0].tolist() == turns.take()[0].tolist()
        True
        """
        turns = cls(classes_per_batch, per_class, seed=seed)
        turns.known, turns.position = state["known"], state["batches"]
        turns._passes, turns._place = state["passes"], state["place"]
        if turns._passes:
            turns._order = turns._drawn(turns._passes - 1, state["in_pass"])
            turns._order[: len(state["head"])] = state["head"]
        return turns

    def resumed(self, state: dict[str, Any]) -> PerClass:
        """Turns with the same arguments, as they stood when a state was taken."""
        return PerClass.restore(len(self._counts), self.per_class, state, seed=self._seed)

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as JSON can hold it. The order itself is drawn again, but for its first P places."""
        return {
            "batches": self.position,
            "known": self.known,
            "passes": self._passes,
            "in_pass": len(self._order),
            "place": self._place,
            "head": self._order[: len(self._counts)].tolist(),
        }

    @property
    def ready(self) -> bool:
        """Whether there are enough classes for a batch."""
        return self.known >= len(self._counts)

    def grow(self, known: int) -> None:
        """Says how many classes there are by now; no fewer than before."""
        assert known >= self.known, "classes do not go away"
        self.known = known

    def take(self) -> tuple[Int64s, Int64s]:
        """The next batch, once it is `ready`.

        Returns:
          P classes, ascending, int64[P]; m for each of them, int64[P], read-only.
        """
        assert self.ready, "a batch is of different classes"
        count = len(self._counts)
        classes = self._order[self._place : self._place + count]
        self._place += len(classes)
        if len(classes) < count:
            classes = np.concatenate((classes, self._from_next_pass(classes)))
        self.position += 1
        return np.sort(classes), self._counts

    def _from_next_pass(self, taken: Int64s) -> Int64s:
        """Begins a pass with what a batch lacks; the classes that it already holds stay for the batch after it."""
        count = len(self._counts)
        self._order = self._drawn(self._passes, self.known)
        self._passes += 1
        head = self._order[:count]
        fresh = ~np.isin(head, taken)
        chosen = np.flatnonzero(fresh)[: count - len(taken)]
        later = np.delete(np.arange(count), chosen)
        self._order[:count] = head[np.concatenate((chosen, later))]
        self._place = len(chosen)
        return self._order[: self._place].copy()

    def _drawn(self, number: int, count: int) -> Int64s:
        """The order of a pass over so many classes."""
        z = np.uint64(coin(self._seed, number)) + np.arange(1, count + 1, dtype=np.uint64) * _STEP
        z = (z ^ z >> np.uint64(30)) * _FIRST
        z = (z ^ z >> np.uint64(27)) * _SECOND
        return np.argsort(z ^ z >> np.uint64(31), kind="stable")
