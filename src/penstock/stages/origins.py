"""Where examples that wait came from: the tickets of the runs that they arrived in, looked up by their numbers.

A run's tickets are a rule, and so is what is made of them here: a table is written out only when somebody looks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import final

import numpy as np

from penstock.sampling.shares import Int64s
from penstock.ticket import Tickets

__all__ = ["Origins"]

MOST = 1024
"""So many runs are kept before one looks which are still needed. [runs]"""


@final
class Origins:
    """The runs that examples arrived in.

    Args:
      waiting: tells the numbers of those that still wait, ascending, int64[m].
    """

    def __init__(self, waiting: Callable[[], Int64s]) -> None:
        self._waiting = waiting
        self._most = MOST
        self._runs = _Runs([], [])

    def add(self, first: int, tickets: Tickets) -> None:
        """Notes a run.

        Args:
          first: how many arrived before it.
          tickets: of its examples.
        """
        runs = self._runs
        if len(runs.firsts) >= self._most:
            runs = self._runs = runs.of(self._waiting())
            self._most = max(MOST, 2 * len(runs.firsts))
        runs.firsts.append(first)
        runs.tickets.append(tickets)

    def restore(self, numbers: Int64s, tickets: Tickets) -> None:
        """Knows examples that arrived before, in place of what it knew.

        Args:
          numbers: how many arrived before each, ascending, int64[n].
          tickets: theirs.
        """
        starts = np.flatnonzero(np.diff(numbers, prepend=-2) != 1).tolist()
        ends = [*starts[1:], len(numbers)][: len(starts)]
        self._runs = _Runs(
            numbers[starts].tolist(), [tickets.cut(start, end) for start, end in zip(starts, ends, strict=True)]
        )
        self._most = max(MOST, 2 * len(starts))

    def of(self, numbers: Int64s, uses: Int64s) -> Tickets:
        """The tickets of examples.

        Args:
          numbers: how many arrived before each, int64[n].
          uses: which use of it this is, int64[n], 1 for the first.
        """
        return Tickets((_Drawn(self._runs, numbers, uses),), len(numbers))


class _Runs:
    """Runs of arrivals; they are only ever added to."""

    __slots__ = ("firsts", "tickets")

    def __init__(self, firsts: list[int], tickets: list[Tickets]) -> None:
        self.firsts = firsts
        self.tickets = tickets

    def of(self, numbers: Int64s) -> _Runs:
        """Those in which some of these arrived."""
        places = np.unique(np.searchsorted(self.firsts, numbers, side="right") - 1).tolist()
        return _Runs([self.firsts[place] for place in places], [self.tickets[place] for place in places])


class _Drawn:
    """Tickets of examples by the numbers of their arrival."""

    __slots__ = ("count", "numbers", "runs", "uses")

    def __init__(self, runs: _Runs, numbers: Int64s, uses: Int64s) -> None:
        self.runs = runs
        self.numbers = numbers
        self.uses = uses
        self.count = len(numbers)

    def cut(self, start: int, stop: int) -> _Drawn:
        return _Drawn(self.runs, self.numbers[start:stop], self.uses[start:stop])

    def table(self) -> Int64s:
        out = np.empty((self.count, 5), np.int64)
        firsts, tickets = self.runs.firsts, self.runs.tickets
        order = np.argsort(self.numbers)
        done = 0
        while done < self.count:
            place = bisect_right(firsts, self.numbers[order[done]]) - 1
            end = self.count
            if place + 1 < len(firsts):
                end = int(np.searchsorted(self.numbers, firsts[place + 1], sorter=order))
            which = order[done:end]
            out[which] = tickets[place].picked(self.numbers[which] - firsts[place])
            done = end
        out[:, 4] = self.uses - 1
        return out
