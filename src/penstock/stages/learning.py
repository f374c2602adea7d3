"""What is learnt of the arriving shares while examples arrive, and what follows: admission, and what a batch takes."""

from __future__ import annotations

import math
from typing import final

import numpy as np

from penstock.errors import StateError, mismatch
from penstock.sampling import Prior, Rings, kernels, spare_limits, thresholds
from penstock.sampling.estimates import ALWAYS
from penstock.sampling.shares import Float64s
from penstock.stages.snapshot import Saved

__all__ = ["Learning"]

FIRST = 64
"""After so many arrivals, or a quarter of the number of classes if that is more, something is learnt. [examples]"""
LOOKS = 16
"""Once in so many windows one looks how much is enough to hold. [windows]"""
NEVER = 2.0**62
"""More inputs than ever come. [examples]"""


@final
class Learning:
    """Learns at arrival numbers that depend on the arrivals alone: often at first, then once in a window.

    Args:
      classes: how many there are at first.
      size: examples in a batch.
      repeats: how often one example may be used.
      start: the arriving shares to begin with, float64[K], if they are known.
    """

    def __init__(self, classes: int, size: int, repeats: int, start: Float64s | None) -> None:
        self._size = size
        self._repeats = repeats
        self._prior = Prior(max(1, classes), start=start)
        self._known = start is not None
        self._seen = np.zeros(0, np.int64)
        self._at = 0
        self.due = max(FIRST, classes // 4)
        """The number of arrivals at which to learn next."""
        self.expected = float(size)
        """How many inputs a batch takes, as things are. [examples]"""

    @property
    def window(self) -> float:
        """How many arrivals the estimate rests on. [examples]"""
        return self._prior.effective_window

    def arriving(self, classes: int) -> Float64s:
        """The arriving shares of so many classes, as estimated; alike for all where there are new ones among them."""
        shares = self._prior.shares
        return shares if len(shares) == classes else np.full(classes, 1 / max(1, classes))

    def learn(self, rings: Rings, classes: int) -> None:
        """Learns what has arrived since it last did."""
        seen = rings.seen[:classes].copy()
        if len(self._seen) != classes:
            self._seen = np.append(self._seen, np.zeros(classes - len(self._seen), np.int64))
        self._prior.update(seen - self._seen, rings.arrived - self._at)
        self._seen, self._at = seen, rings.arrived
        self.due = rings.arrived + min(self._prior.every, max(FIRST, classes // 4, rings.arrived))

    def snapshot(self) -> Saved:
        """What was learnt."""
        return {
            "prior": self._prior.state(arrays=True),
            "seen": self._seen.copy(),
            "at": self._at,
            "due": self.due,
            "expected": self.expected,
        }

    def restore(self, saved: Saved, *, begun: bool, asked: bool) -> None:
        """Goes on from there.

        Args:
          saved: the snapshot.
          begun: whether there is something that waits.
          asked: whether it was asked for.
        """
        self._prior = Prior.restore(saved["prior"])
        self._seen, self._at = np.array(saved["seen"], np.int64), int(saved["at"])
        self.due, self.expected = int(saved["due"]), float(saved["expected"])
        if (self._at or asked) and not begun:
            raise StateError(mismatch("what waits, where examples have come", "None", at="open(state)"))

    def check(self, arrived: int) -> None:
        """Sees to it that what was restored is of so many arrivals.

        Raises:
          StateError: it is of more, or of fewer than none.
        """
        if not 0 <= self._at <= arrived or self.due <= self._at:
            got = f"of {self._at}, to be learnt from at {self.due}"
            raise StateError(mismatch(f"what was learnt of at most {arrived} arrivals", got, at="open(state)"))

    def enough(self, target: Float64s) -> Float64s | None:
        """How many examples of each class are enough to hold, float64[K]; `None` where it is not time to look.

        Args:
          target: q, float64[K].
        """
        prior = self._prior
        if prior.effective_window < prior.window / 2:  # Too little is known, or it has just changed.
            return np.full(len(target), math.inf)
        if self._at // prior.every % LOOKS:
            return None
        arriving, window = self.arriving(len(target)), prior.effective_window
        return spare_limits(arriving, target, self._size, self._repeats, window=window, scatter=prior.scatter)

    def expect(self, count: int, classes: int) -> None:
        """Works out what a batch takes that holds so many examples of some classes of all.

        Args:
          count: of each class that it holds.
          classes: how many there are.
        """
        inputs = count / (self._repeats * float(self.arriving(classes).min()))
        self.expected = min(NEVER, max(float(self._size), inputs))

    def apply(self, rings: Rings, target: Float64s) -> None:
        """Has rings admit by what is known, and works out what a batch takes.

        Args:
          rings: of at least as many classes as the target's.
          target: q, float64[K].
        """
        arriving = self.arriving(len(target))
        inputs = kernels.most_inputs(arriving, target, self._size, self._repeats, NEVER)
        self.expected = min(NEVER, max(float(self._size), inputs))
        if self._at:
            admitted = thresholds(arriving, target, self._repeats)
            more = len(rings.seen) - len(admitted)
            rings.admit(admitted if not more else np.append(admitted, np.full(more, ALWAYS, np.uint64)))
