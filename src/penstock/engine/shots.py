"""Notes where the stages of a flow stand, often enough that going on from there costs little, and seldom enough to cost little.

A snapshot is taken after so much work that it costs a small part of that, and at least once in ten seconds of work; or where
the log of a merge in arrival order, or of what was skipped, has become long. It is taken in two steps: first the stages hear
that one is wanted, and note as they take their next input what they may need for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import final

from penstock.stages.snapshot import Log, Saved, Unsettled, Wanted

__all__ = ["Shots"]

PART = 2000.0
"""As many times the cost of a snapshot, with that of a state, is worked before the next. [times]"""
STATE_S = 2e-4
"""To write a snapshot out, for the first state that follows it, costs about this. [s]"""
UNKNOWN_S = 5e-4
"""What the first will cost nobody knows; it is taken after as much work as if it were this. [s]"""
MOST_S = 10.0
"""Nor is more than this worked between two. [s]"""
MOST_CHOICES = 4096
"""Nor are more choices made in arrival order. [choices]"""
MOST_SKIPPED = 256
"""Nor are more examples skipped. [examples]"""


@final
class Shots:
    """Decides when, and takes them.

    Args:
      take: gives a snapshot of all stages; `None` where there is none to be had.
      wanted: tells the stages that one is wanted.
      logs: gives the logs of the merges in arrival order; `None` where there are no such merges.
      skipped: tells how many examples were skipped so far; `None` where none may be.
    """

    def __init__(
        self,
        take: Callable[[], Saved] | None,
        wanted: Wanted,
        logs: Callable[[], Sequence[Log]] | None = None,
        skipped: Callable[[], int] | None = None,
    ) -> None:
        self._take = take
        self.wanted = wanted
        """Whether one is wanted now."""
        self._logs = logs
        self._skipped = skipped
        self._skipped_before = 0
        self._worked_s, self._due_s = 0.0, PART * UNKNOWN_S
        self.spent_s = 0.0
        """Spent on snapshots so far. [s]"""

    def after(self, worked_s: float) -> Saved | None:
        """A snapshot, if it is time for one.

        Args:
          worked_s: how long the stages have worked since this was last called. [s]
        """
        if self._take is None:
            return None
        self._worked_s += worked_s
        if not self.wanted.on:
            self.wanted.on = self._worked_s >= self._due_s or self._are_long()
            return None
        started = perf_counter()
        try:
            saved = self._take()
        except Unsettled:
            self.spent_s += perf_counter() - started
            return None
        took = perf_counter() - started
        self.spent_s += took
        self.wanted.on = False
        self._worked_s, self._due_s = 0.0, min(MOST_S, PART * (took + STATE_S))
        if self._skipped is not None:
            self._skipped_before = self._skipped()
        return saved

    def _are_long(self) -> bool:
        if self._skipped is not None and self._skipped() - self._skipped_before > MOST_SKIPPED:
            return True
        return self._logs is not None and any(len(log.entries) > MOST_CHOICES for log in self._logs())
