"""Whose turn it is when sources are mixed by weights: one place for each example, place after place.

Guarantees, for weights that stay as they are
  Of the first k places each source has k times its share, to within one example, for every k.
  When a source has ended its places fall out; the others keep theirs, and so their proportions among each other.
Guarantees, for weights that change
  They are asked for before each run of `RUN` places, and hold for it.
  Of the first k places each source has what its shares sum to, less than 2 more and less than H(K) fewer, for every k,
  where H(K) = 1 + 1/2 + ... + 1/K, while no weight falls to 0: less than 1 more and at most H(K) - 1 fewer at the end of a
  run, which is carried into the next (`Carry`); and less than 1 within it, where its examples are spread evenly (`Quota`).
The places are a function of the weights, and of who ended when; they are counted in whole numbers, the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

import numpy as np

from penstock.errors import PipelineError, mismatch, placed
from penstock.sampling.carry import Carry
from penstock.sampling.quota import Quota
from penstock.sampling.shares import Float64s, Int64s, Shares, shares

__all__ = ["RUN", "Changing", "Steady", "Weights", "read_weights"]

RUN = 256
"""Weights that change are asked for before every so many places. [examples]"""
AT_ONCE = 1024
"""So many places are worked out at a time."""
SPARSE = 64
"""Where fewer places than one in so many belong to sources that are left, the schedule starts anew with these."""

Live = np.ndarray[Any, np.dtype[np.bool_]]
"""bool[K]: which sources are left."""


@final
class Steady:
    """Places by weights that stay as they are.

    Args:
      weights: of each source, at least 0, not all 0.

    >>> mixture = Steady([3, 1])
    >>> mixture.places(np.array([True, True]), 0)[:8].tolist()
    [0, 0, 0, 1, 0, 0, 0, 1]
    """

    def __init__(self, weights: Sequence[int]) -> None:
        self._weights = Shares.of(weights)
        self._scheduled = self._weights
        self._quota = Quota(self._weights, 1)

    def asked(self) -> Float64s:
        """The share that each source is to have. float64[K]"""
        return self._weights.floats()

    def places(self, live: Live, given: int) -> Int64s:
        """Whose the next places are: int64[m], at least one; none if no source is left that has a weight.

        Args:
          live: which sources are left.
          given: how many examples all of them have given by now; it makes no difference here.
        """
        left = [weight if alive else 0 for weight, alive in zip(self._weights.weights, live.tolist(), strict=True)]
        if not any(left):
            return np.empty(0, np.int64)
        if sum(left) * SPARSE < sum(self._scheduled.weights):
            self._scheduled = Shares.of(left)
            self._quota = Quota(self._scheduled, 1)
        while True:
            places = self._quota.pattern(AT_ONCE)
            places = places[live[places]]
            if len(places):
                return places

    def rounds(self, ahead: list[int], live: Live) -> list[int]:
        """Passes over places that all who are left can do without at once: whole rounds of the schedule.

        Args:
          ahead: how many of its next places each source can do without.
          live: which sources are left.

        Returns:
          The same, less the places that were passed over.
        """
        weights = [weight if alive else 0 for weight, alive in zip(self._scheduled.weights, live.tolist(), strict=True)]
        count = min([places // weight for places, weight in zip(ahead, weights, strict=True) if weight], default=0)
        return [places - count * weight for places, weight in zip(ahead, weights, strict=True)] if count else ahead

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as JSON can hold it."""
        return {"scheduled": list(self._scheduled.weights), "quota": self._quota.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from a state of places by the same weights."""
        self._scheduled = Shares.of([int(weight) for weight in state["scheduled"]])
        self._quota = Quota.restore(self._scheduled, 1, state["quota"])


@final
class Changing:
    """Places by weights that are asked for anew before each run.

    Args:
      weights: gives the weights of each source; its argument is the number of examples given before.
      count: how many sources there are.

    >>> mixture = Changing(lambda given: [1, 1] if given < 256 else [0, 1], 2)
    >>> all_live = np.array([True, True])
    >>> np.bincount(mixture.places(all_live, 0)).tolist(), np.bincount(mixture.places(all_live, 256)).tolist()
    ([128, 128], [0, 256])
    """

    def __init__(self, weights: Callable[[int], Sequence[int]], count: int) -> None:
        self._weights = weights
        self._carry = Carry(count)
        self._asked = np.zeros(count)
        self._runs = 0

    def asked(self) -> Float64s:
        """The share that each source is to have, on the average of the runs so far. float64[K]"""
        return self._asked / max(self._runs, 1)

    def places(self, live: Live, given: int) -> Int64s:
        """Whose the places of the next run are: int64[m]; none if no source is left that has a weight.

        Args:
          live: which sources are left.
          given: how many examples all of them have given by now.

        Raises:
          PipelineError: what the function gives are no weights.
          Exception: what it raises.
        """
        weights = self._weights(given)
        self._asked = self._asked + Shares.of(weights).floats()
        self._runs += 1
        left = [weight if alive else 0 for weight, alive in zip(weights, live.tolist(), strict=True)]
        if not any(left):
            return np.empty(0, np.int64)
        sources, counts = self._carry.take(Shares.of(left), RUN)
        return sources[_spread(tuple(counts.tolist()))]

    def rounds(self, ahead: list[int], live: Live) -> list[int]:
        """Passes over nothing: the weights of later runs are not known."""
        return ahead

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as JSON can hold it."""
        return {"carry": self._carry.state(), "asked": self._asked.tolist(), "runs": self._runs}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from a state of places by such weights."""
        self._carry = Carry.restore(state["carry"])
        self._asked, self._runs = np.array(state["asked"], np.float64), int(state["runs"])


@lru_cache(maxsize=64)
def _spread(counts: tuple[int, ...]) -> Int64s:
    """So many of each, spread evenly: the order of their places."""
    return Quota(Shares.of(counts), 1).pattern(sum(counts))


@final
@dataclass(frozen=True, slots=True)
class Weights:
    """A user's function that gives weights, read and checked each time."""

    fn: Callable[[int], Any]
    """`fn(given)`, where `given` counts the examples so far."""
    names: tuple[Any, ...] | None
    """What the sources are called, if they have names."""
    count: int
    """How many sources there are."""

    def __call__(self, given: int) -> tuple[int, ...]:
        """The weights, as whole numbers.

        Raises:
          PipelineError: they are none.
          Exception: what the function raises, with a note.
        """
        at = f"join(weights) at example {given}"
        try:
            weights = self.fn(given)
        except Exception as raised:
            error = placed(raised, f"asking for the weights of a join at example {given}")
            if error is raised:
                raise
            raise error from raised
        return read_weights(weights, self.names, self.count, at=at)


def read_weights(weights: Any, names: Sequence[Any] | None, count: int, *, at: str) -> tuple[int, ...]:
    """Reads weights on any positive scale, for sources in their order.

    Args:
      weights: a number of at least 0 for each source, not all 0: in order, or by name.
      names: what the sources are called, if they have names.
      count: how many sources there are.
      at: the place, for messages.

    Returns:
      Whole numbers in the same proportion.

    Raises:
      PipelineError: a number too many or too few, an unknown or missing name, or a number that is no weight.

    >>> read_weights({"a": 0.5, "b": 1.5}, ["a", "b"], 2, at="join(weights)")
    (1, 3)
    """
    if isinstance(weights, Mapping):
        if names is None:
            do = "pass a dict of sources, or a sequence of weights"
            raise PipelineError(mismatch("weights in the order of sources without names", "a mapping", at=at, do=do))
        unknown = [name for name in weights if name not in names]
        missing = [name for name in names if name not in weights]
        if unknown or missing:
            got = f"one for `{unknown[0]}`, which is none" if unknown else f"none for `{missing[0]}`"
            raise PipelineError(mismatch(f"a weight for each of the {count} sources", got, at=at))
        weights = [weights[name] for name in names]
    try:
        found = -1 if isinstance(weights, (str, bytes)) else len(weights)
    except TypeError:  # none, or an array without dimensions
        found = -1
    if found < 0:
        want = "a sequence of weights, a mapping, or a function that gives one"
        raise PipelineError(mismatch(want, f"`{type(weights).__name__}`", at=at))
    if found != count:
        raise PipelineError(mismatch(f"a weight for each of the {count} sources", f"{found} weights", at=at))
    try:
        return shares(weights, what="weights").weights
    except PipelineError as error:
        text = str(error)
        raise PipelineError(f"{text}{' of' if ' - at ' in text else ' - at'} {at}") from None
