"""Pulls sources in the driver's thread, gives way now and then, and notices a source that has become slow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import Any, final

from penstock.engine.breath import INTERVAL_S, LONG_S, Breath, waited
from penstock.engine.lane import QUICK_S
from penstock.stages import Into, pull_plain

__all__ = ["Puller"]


@final
class Puller:
    """Pulls iterators in turn, as `pull_turns` does, in runs of about the time between two breaths.

    Args:
      check: called between runs; raises `Aborted` when the flow is being stopped.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._breath = Breath()
        self._run = 64
        self._suspect = 0
        self._pulling: tuple[list[Iterator[Any]], int, Into, float] | None = None
        self.busy_s = 0.0
        """Time spent in the sources. [s]"""

    def __call__(self, iterators: list[Iterator[Any]], first: int, n: int, into: Into) -> Sequence[int]:
        """Pulls n items in turn; gives the places of those that took long."""
        k = len(iterators)
        before = len(into)
        goal = before + n
        slow: Sequence[int] = ()
        while (have := len(into)) < goal:
            place = (first + have - before) % k
            run = 1 if self._suspect else min(self._run, goal - have)
            started = perf_counter()
            self._pulling = iterators, place - have, into, started
            pull_plain(iterators, place, run, into)
            self._pulling = None
            spent = perf_counter() - started
            self.busy_s += spent
            if len(into) < have + run:
                break
            if self._suspect:
                self._suspect -= 1
                if spent > LONG_S and waited():
                    slow = sorted({*slow, place})
            elif spent > LONG_S and spent > run * QUICK_S:
                self._suspect = 4 * k
            else:
                self._run = max(1, min(4096, int(INTERVAL_S / (spent / run + 1e-9))))
            if len(into) < goal:  # else whoever called sees to it
                self._breath.take()
                self._check()
        return slow

    def moved(self) -> int:
        """How many examples are where they go by now, while it pulls; it is only compared. [examples]"""
        pulling = self._pulling
        return len(pulling[2]) if pulling is not None else 0

    def awaited_s(self, iterator: object) -> float:
        """How long this iterator has been pulled by now, about; 0 if it is another's turn. [s]"""
        pulling = self._pulling
        if pulling is None:
            return 0.0
        iterators, shift, into, started = pulling
        return perf_counter() - started if iterators[(shift + len(into)) % len(iterators)] is iterator else 0.0
