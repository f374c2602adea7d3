"""The shares of the classes as they arrive, learnt from what arrives.

Exact proportions never need this: a prior that is wrong costs inputs, not exactness.

Guarantees
  What is estimated is a function of the counts handed over, and of where they were cut: IEEE sums, products and
  quotients in a fixed order, nothing else, so the same on every machine.
How
  Counts decay: an example that came n arrivals ago counts `(1 - 1 / window) ** n`, so about the last `window` count.
  A share p is then known to within sqrt(p (1 - p) / (2 window)). The window is 4,096 arrivals, or 32 for each class if
  that is more: a class of average share is known to 1 part in 8, the slack that is admitted beyond need.
  After each eighth of a window, its counts are compared with what the older ones let expect, by chi-square; where they
  do not belong together (one false alarm in a million tests), the older ones are dropped.
  Streams in which equal classes come in runs scatter more than chance does. How much more is learnt from the tests
  themselves, and not taken for drift.

This is the definition. `_prior.pyx` is its fast twin, and gives the same answers to the bit.

Source: Gama et al., "A survey on concept drift adaptation", 2014, for the two windows; the bound on chi-square is
Lemma 1 of Laurent and Massart, Annals of Statistics 28 (2000).
"""

from __future__ import annotations

import math
from typing import Any, Self, final

import numpy as np

from penstock.errors import mismatch
from penstock.sampling import estimates
from penstock.sampling.shares import Float64s, Int64s

__all__ = ["Prior", "usual_window"]

UNSEEN = 0.5
"""What a class counts that was never seen, as an average over the classes: so no share is ever 0 by chance alone."""
DOUBT = 13.8
"""Minus the logarithm of the chance of a false alarm in one test."""


def usual_window(classes: int) -> int:
    """The window that is taken where none is given, in arrivals."""
    return max(4096, 32 * classes)


@final
class Prior:
    """Decayed counts of what arrives.

    Args:
      classes: how many there are at first; more may be added.
      window: after as many arrivals an example counts a third. [arrivals]
      start: the shares to begin with, float64[K] that sum to one; they count as an eighth of a window of arrivals.
        Without, all classes are taken to be equal, which counts as half an arrival of each.

    >>> prior = Prior(2)
    >>> prior.update(np.array([30, 10]), 40)
    >>> prior.shares.round(3).tolist()
    [0.744, 0.256]
    """

    __slots__ = ("_before", "_counts", "_recent", "_recent_n", "_start", "alarms", "scatter", "window")

    def __init__(self, classes: int, *, window: int | None = None, start: Float64s | None = None) -> None:
        self.window = usual_window(classes) if window is None else window
        assert self.window >= 16, "an eighth of it is worth testing"
        self.alarms = 0
        """How often the shares were found to have changed, and older counts were dropped."""
        self._start = np.full(classes, 1 / classes) if start is None else start.astype(np.float64)
        self._counts = np.zeros(classes) if start is None else self._start * (self.window // 8)
        self._before = self._counts
        self._recent = np.zeros(classes, np.int64)
        self._recent_n = 0
        self.scatter = 1.0
        """How many times the variance of chance the counts of a test have: more than 1 where equal classes come in runs."""

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """A prior as it stood when `state` was taken.

        >>> prior = Prior(2)
        >>> prior.update(np.array([30, 10]), 40)
        >>> Prior.restore(prior.state()).shares.tolist() == prior.shares.tolist()
        True
        """
        prior = cls(len(state["start"]), window=state["window"], start=np.array(state["start"], np.float64))
        prior.alarms, prior._recent_n, prior.scatter = state["alarms"], state["recent_n"], state["scatter"]
        prior._counts, prior._before = np.array(state["counts"], np.float64), np.array(state["before"], np.float64)
        prior._recent = np.array(state["recent"], np.int64)
        if any(array.shape != prior._start.shape for array in (prior._counts, prior._before, prior._recent)):
            raise ValueError(mismatch(f"counts of {len(prior._start)} classes", "others", at="Prior.restore(state)"))
        return prior

    def state(self, *, arrays: bool = False) -> dict[str, Any]:
        """What `restore` needs, as JSON can hold it; or with an array, in place of a list, of what there is of each class."""

        def listed(values: np.ndarray[Any, Any]) -> Any:
            return values.copy() if arrays else values.tolist()

        return {
            "window": self.window,
            "start": listed(self._start),
            "counts": listed(self._counts),
            "before": listed(self._before),
            "recent": listed(self._recent),
            "recent_n": self._recent_n,
            "scatter": self.scatter,
            "alarms": self.alarms,
        }

    @property
    def every(self) -> int:
        """How many arrivals to hand over at a time, at the least, so that their cost does not depend on the classes."""
        return max(64, self.window)

    @property
    def effective_window(self) -> float:
        """How many arrivals the estimate rests on. It grows up to `window`, and shrinks where shares change. [arrivals]"""
        return estimates.total(self._counts)

    @property
    def shares(self) -> Float64s:
        """The estimated share of each class, float64[K]; above 0, but for classes that `start` says never come."""
        return self._estimate(self._counts)

    def update(self, counts: Int64s, n: int) -> None:
        """Learns from a run of arrivals.

        To be cut at arrival numbers that do not depend on how the stream comes in: each n a multiple of `every`, say.

        Args:
          counts: how many of each class came, int64[K]; of at least as many classes as before.
          n: how many came; more than the sum of `counts` where some were of no class.
        """
        self._grow(len(counts))
        kept = _power(1 - 1 / self.window, n)
        # Those of the run came one after the other, and have decayed too: the first as much as what was before it.
        self._counts = estimates.decayed(self._counts, kept, counts, (1 - kept) * self.window / n)
        self._recent = self._recent + counts
        self._recent_n += n
        if self._recent_n >= self.window // 8:
            self._test()

    def _grow(self, classes: int) -> None:
        more = classes - len(self._counts)
        assert more >= 0, "classes do not go away"
        if not more:
            return
        self._start = np.concatenate((self._start * (len(self._start) / classes), np.full(more, 1 / classes)))
        self._counts = np.concatenate((self._counts, np.zeros(more)))
        self._before = np.concatenate((self._before, np.zeros(more)))
        self._recent = np.concatenate((self._recent, np.zeros(more, np.int64)))

    def _estimate(self, counts: Float64s) -> Float64s:
        return estimates.estimate(counts, self._start, UNSEEN * len(counts))

    def _test(self) -> None:
        """Compares the recent counts with those before; drops these where they disagree."""
        known, seen = estimates.total(self._before), int(self._recent.sum())
        if known >= self.window // 8 and seen:
            distance, freedom = estimates.distance(self._recent, self._estimate(self._before))
            distance /= 1 + seen / known
            limit = freedom + 2 * math.sqrt(freedom * DOUBT) + 2 * DOUBT
            if distance > self.scatter * limit:
                self.alarms += 1
                self._counts = self._recent.astype(np.float64)
            change = min(distance / freedom, 4 * self.scatter) - self.scatter
            self.scatter = max(1.0, self.scatter + (change / 4 if change > 0 else change / 32))
        self._before = self._counts
        self._recent = np.zeros(len(self._recent), np.int64)
        self._recent_n = 0


def _power(base: float, exponent: int) -> float:
    """A whole power by squaring, which rounds alike everywhere."""
    power = 1.0
    while exponent > 0:
        if exponent & 1:
            power *= base
        base *= base
        exponent >>= 1
    return power
