"""How many of each class the next batch holds: by quota where the target stays, by what is owed where it moves."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from penstock.sampling.carry import Carry
from penstock.sampling.classes import Classes
from penstock.sampling.metric import PerClass
from penstock.sampling.quota import Quota
from penstock.sampling.shares import Float64s, Int64s, Shares
from penstock.sampling.target import Target

__all__ = ["Schedule"]


@final
class Schedule:
    """Decides batch after batch.

    Args:
      size: examples in a batch.
      classes: the classes; they may grow meanwhile.
      target: what was asked for.
      per_class: P classes a batch and m of each, in place of a target.

    >>> schedule = Schedule(4, Classes(["a", "b"]), Target([0.5, 0.5]))
    >>> schedule.take(0, None)
    (array([0, 1]), array([2, 2]))
    """

    def __init__(
        self, size: int, classes: Classes, target: Target | None = None, *, per_class: PerClass | None = None
    ) -> None:
        self.size = size
        self._classes = classes
        self._target = target
        self._per_class = per_class
        self._quota: Quota | None = None
        self._changed = False
        self._carry = Carry(0)
        self._over = 0
        self._ready: list[int] = []
        self._shown: set[int] = set()
        self.shares: Float64s = np.empty(0)
        """The target of the batch that was asked about last, float64[K]."""

    @property
    def metric(self) -> bool:
        """Whether it is P classes a batch and m of each."""
        return self._per_class is not None

    @property
    def follows(self) -> bool:
        """Whether the target may be another with each batch."""
        return self._per_class is None and self._target is not None and not self._target.fixed

    @property
    def steady(self) -> bool:
        """Whether batches can be asked about ahead, as long as no class is added."""
        return self._per_class is None and not self.follows

    def change(self, target: Target) -> None:
        """Another target from the next batch on; nothing is carried over into it."""
        self._target, self._per_class, self._quota, self._changed = target, None, None, True
        self._carry.clear()

    def begin_anew(self, target: Target | None = None) -> None:
        """Asks for the next batch as for the first; for another target, if one is given."""
        if target is not None:
            self.change(target)
        self._quota = None
        self._carry.clear()

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as plain data; of the target only where it was changed."""
        return {
            "changed": list(self._target.parts) if self._changed and self._target is not None else None,
            "quota": None if self._quota is None else self._quota.state(),
            "over": self._over,
            "carry": self._carry.state(),
            "shares": self.shares,
            "ready": list(self._ready),
            "per_class": None if self._per_class is None else self._per_class.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from there; the classes are those of then already."""
        if state["changed"] is not None:
            wanted, labels = state["changed"]
            self.change(Target(wanted, labels=labels, at="set_target(target)"))
        self._carry, self._over = Carry.restore(state["carry"]), int(state["over"])
        self.shares = np.array(state["shares"], np.float64)
        self._ready = [int(number) for number in state["ready"]]
        self._shown = set(self._ready)
        if self._per_class is not None:
            self._per_class = self._per_class.resumed(state["per_class"])
        if state["quota"] is not None:
            assert self._target is not None, "a quota is of a target"
            shares = self._target.shares(0, self._classes.first(self._over), None)
            assert isinstance(shares, Shares), "a target that stays is exact"
            self._quota = Quota.restore(shares, self.size, state["quota"])

    @property
    def waits_for_classes(self) -> bool:
        """Whether too few classes have shown that they have enough examples."""
        return self._per_class is not None and not self._per_class.ready

    def enough(self, held: Int64s) -> None:
        """Of P classes and m of each: says how many examples each class holds; those with m take part from now on.

        Args:
          held: int64[K].
        """
        if self._per_class is not None:
            late = np.flatnonzero(held[: len(self._classes)] >= self._per_class.per_class)
            self._ready += [number for number in late.tolist() if number not in self._shown]
            self._shown.update(self._ready[len(self._shown) :])
            self._per_class.grow(len(self._ready))

    def several(self, most: int) -> list[tuple[Int64s, Int64s]]:
        """The next batches, as `take` would tell them, where it is steady: at least one of them, and `most` at most."""
        if self._quota is None or self._over != len(self._classes):
            return [self.take(0, None)]
        return self._quota.several(most)

    def take(self, number: int, arriving: Float64s | None) -> tuple[Int64s, Int64s]:
        """The classes of the next batch, ascending, and how many of each: int64[m] twice.

        Args:
          number: of the batch.
          arriving: the arriving shares, float64[K], where the target follows them.
        """
        if self._per_class is not None:
            turns, counts = self._per_class.take()
            return np.sort(np.array([self._ready[turn] for turn in turns.tolist()], np.int64)), counts
        assert self._target is not None, "there is a target, or P classes and m of each"
        if not self._target.fixed:
            shares = self._target.shares(number, self._classes, arriving)
            self.shares = shares.floats() if isinstance(shares, Shares) else shares / np.cumsum(shares)[-1]
            return self._carry.take(shares, self.size)
        if self._quota is None or self._over != len(self._classes):
            shares = self._target.shares(number, self._classes, arriving)
            assert isinstance(shares, Shares), "a target that stays is exact"
            self._quota, self._over = Quota(shares, self.size), len(self._classes)
            self.shares = shares.floats()
        return self._quota.take()
