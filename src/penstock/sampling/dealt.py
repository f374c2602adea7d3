"""How many of each class one rank's batch holds, where all ranks' batches together are one global batch.

Guarantees, for W ranks with batches of b, and for every class with share q
  The global batch, of b W, holds what the schedule of batches of that size says.
  Of n of a class in it, a rank gets floor(n / W) or ceil(n / W), and b in all: so floor(b q) or ceil(b q), as on its own.
  It is a function of the batch's number, the rank and W: nobody asks anybody.
How
  The slots of the global batch are sorted by class and dealt round robin. Who gets the first moves on with each batch.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np

from penstock.sampling.classes import Classes
from penstock.sampling.schedule import Schedule
from penstock.sampling.shares import Float64s, Int64s
from penstock.sampling.target import Target

__all__ = ["Dealt", "dealt"]


def dealt(counts: Int64s, number: int, rank: int, world_size: int) -> Int64s:
    """How many of each class of a global batch go to a rank.

    Args:
      counts: how many of each there are, int64[m].
      number: of the batch.
      rank: which rank.
      world_size: how many ranks there are.

    Returns:
      int64[m], zeros among them.

    >>> [dealt(np.array([3, 5]), 0, rank, 2).tolist() for rank in range(2)]
    [[2, 2], [1, 3]]
    """
    ends = np.cumsum(counts)
    first = (rank - number) % world_size  # the first slot that the rank is dealt
    before = np.maximum(ends - first + world_size - 1, 0) // world_size
    return np.diff(before, prepend=0)


@final
class Dealt:
    """A rank's part of a schedule of global batches; to be asked as that itself.

    Args:
      schedule: of batches of `world_size` times a rank's size.
      classes: the classes, which it knows too.
      rank: which rank.
      world_size: how many there are.

    >>> classes = Classes(["a", "b"])
    >>> [Dealt(Schedule(6, classes, Target([0.5, 0.5])), classes, rank, 2).take(0, None) for rank in range(2)]
    [(array([0, 1]), array([2, 1])), (array([0, 1]), array([1, 2]))]
    """

    metric = False
    waits_for_classes = False

    def __init__(self, schedule: Schedule, classes: Classes, rank: int, world_size: int) -> None:
        assert schedule.size % world_size == 0, "each rank gets as many"
        self._schedule = schedule
        self._classes = classes
        self._rank = rank
        self._world_size = world_size
        self._over = 0
        self._number = 0
        self.size = schedule.size // world_size
        """Examples in a rank's batch. [examples]"""

    @property
    def shares(self) -> Float64s:
        """The target of the batch that was asked about last, float64[K]."""
        return self._schedule.shares

    @property
    def follows(self) -> bool:
        """Whether the target may be another with each batch."""
        return self._schedule.follows

    @property
    def steady(self) -> bool:
        """Whether batches can be asked about ahead, as long as no class is added."""
        return self._schedule.steady

    def change(self, target: Target) -> None:
        """Another target from the next batch on, which is dealt as the first."""
        self._schedule.change(target)
        self._number = 0

    def begin_anew(self, target: Target | None = None) -> None:
        """The next batch is dealt as the first; for another target, if one is given."""
        self._schedule.begin_anew(target)
        self._number = 0

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as plain data."""
        return {"of": self._schedule.state(), "over": self._over, "number": self._number}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from there; the classes are those of then already."""
        self._schedule.restore(state["of"])
        self._over, self._number = int(state["over"]), int(state["number"])

    def enough(self, held: Int64s) -> None:
        """Nothing: only P classes and m of each look at what is held."""

    def several(self, most: int) -> list[tuple[Int64s, Int64s]]:
        """As `Schedule.several`."""
        return [self.take(0, None)]

    def take(self, number: int, arriving: Float64s | None) -> tuple[Int64s, Int64s]:
        """The classes of the rank's next batch, ascending, and how many of each: int64[m] twice. As `Schedule.take`."""
        classes, counts = self._schedule.take(number, arriving)
        if self._over != len(self._classes):  # The schedule has begun anew, and so does this.
            self._over, self._number = len(self._classes), 0
        own = dealt(counts, self._number, self._rank, self._world_size)
        self._number += 1
        some = own > 0
        return classes[some], own[some]
