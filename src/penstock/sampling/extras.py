"""Who gets the units of a batch that do not divide evenly: Pfair scheduling with PD2 priorities.

The members of a group share alike; each batch owes the group `whole` units and a fraction `part / total` of one.
The fractions of all groups sum to a whole number F, so each batch gives one extra unit to F of the groups:

  the (j+1)-th extra of a group with fraction f may come from batch floor(j / f) on, and must by batch ceil((j+1) / f) - 1;
  among those that may come, the earliest deadline goes first; of equal ones, that whose successor may come before this
  one's deadline; of those, the one whose chain of such windows ends later (the group deadline, for f >= 1/2);
  then the group that stands first.

Guarantees
  After k batches a group has had floor(k f) or ceil(k f) extras, for every k, and never two in one batch.
  This is the theorem that PD2 is optimal: with fractions that sum to F, all windows are met.
Why rounds within a group
  Units go to the members in turn. If a group of n has had floor(k n q) or ceil(k n q) units, each member has had
  floor(k q) or ceil(k q), since floor(floor(n x) / n) = floor(x) and likewise above. So 100,000 equal classes are one group.
Why no multiplication
  Windows are advanced as Bresenham's lines are: a whole step, and a remainder that carries. The native twin does that
  in 128 bits, which ordinary decimals need, without a type of that width.

Source: Baruah, Cohen, Plaxton and Varvel, "Proportionate progress", Algorithmica 15 (1996);
Anderson and Srinivasan, "Mixed Pfair/ERfair scheduling of asynchronous periodic tasks" (2004), for PD2.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import final

import numpy as np

from penstock.sampling.shares import Int64s

__all__ = ["FAR", "Extras", "Group", "Window", "chain"]

FAR = 1 << 60
"""A step of more batches than this is taken as this one: nobody sees its end."""


@final
class Group:
    """Members that share alike, and what each batch owes them together.

    Args:
      members: the classes, in the order of their turns.
      units: what each batch owes the group, times `total`.
      total: the denominator.
    """

    __slots__ = ("members", "part", "whole")

    def __init__(self, members: Sequence[int], units: int, total: int) -> None:
        self.members = members
        self.whole, self.part = divmod(units, total)


@final
class Window:
    """The windows of a fraction `part / total` one after the other: where the next one ends, exactly.

    The (j+1)-th ends at `(j+1) * total / part`, kept as a whole number and what is over, in units of 1/part.

    Args:
      part: more than 0, less than `total`.
      total: the denominator.
      given: j, how many windows are past.
    """

    __slots__ = ("end", "odd", "over", "part", "step")

    def __init__(self, part: int, total: int, given: int) -> None:
        self.part = part
        self.step, self.odd = divmod(total, part)
        if self.step >= FAR:
            self.step, self.odd = FAR, 0
        carried, self.over = divmod((given + 1) * self.odd, part)
        self.end = (given + 1) * self.step + carried

    def advance(self) -> None:
        """Goes on to the next window."""
        self.end += self.step
        self.over += self.odd
        if self.over >= self.part:
            self.over -= self.part
            self.end += 1


@final
class Extras:
    """Gives the units of each batch that are owed beyond what every batch gives each class.

    Args:
      groups: who shares; the first goes first where all else is equal. Their units sum to a multiple of `total`.
      total: the denominator of all of them; below 2**126 for the native twin.
      batch: how many batches were given before.
      given: how many extras (beyond `whole`) each group has had in those. int64[G]

    >>> extras = Extras([Group([0], 2, 3), Group([1], 1, 3)], 3, 0, [0, 0])
    >>> extras.give(4).ravel().tolist()
    [0, 0, 1, 0]
    """

    __slots__ = (
        "_batch",
        "_chains",
        "_groups",
        "_per_batch",
        "_ready",
        "_turns",
        "_waiting",
        "_wholes",
        "_windows",
        "given",
    )

    def __init__(self, groups: Sequence[Group], total: int, batch: int, given: Sequence[int]) -> None:
        self._groups = groups
        self._batch = batch
        self._per_batch = sum(group.part for group in groups) // total
        self._wholes = [(number, group.whole) for number, group in enumerate(groups) if group.whole]
        self.given = list(given)
        """How many extras each group has had."""
        self._turns = [
            (batch * group.whole + had) % len(group.members) for group, had in zip(groups, given, strict=True)
        ]
        self._windows = [Window(g.part, total, had) if g.part else None for g, had in zip(groups, given, strict=True)]
        self._chains = [chain(g.part, total, window) for g, window in zip(groups, self._windows, strict=True)]
        self._ready: list[tuple[int, int, int]] = []
        self._waiting: dict[int, list[int]] = {}
        for number, (group, had) in enumerate(zip(groups, given, strict=True)):
            if group.part:
                start = 0 if had == 0 else Window(group.part, total, had - 1).end
                self._waiting.setdefault(max(start, batch), []).append(number)

    def give(self, batches: int) -> Int64s:
        """The classes that get a unit, for so many batches.

        Args:
          batches: at least 1.

        Returns:
          int64[batches, units]: one class for each unit, in no particular order within a batch.
        """
        units: list[int] = []
        ready, waiting = self._ready, self._waiting
        for batch in range(self._batch, self._batch + batches):
            for number in waiting.pop(batch, ()):
                heappush(ready, self._priority(number))
            for number, whole in self._wholes:
                self._rotate(number, whole, units)
            for number in [heappop(ready)[2] for _ in range(self._per_batch)]:
                self._rotate(number, 1, units)
                window = self._windows[number]
                assert window is not None
                waiting.setdefault(max(window.end, batch + 1), []).append(number)
                window.advance()
                self.given[number] += 1
        self._batch += batches
        return np.array(units, np.int64).reshape(batches, -1)

    def _rotate(self, number: int, count: int, units: list[int]) -> None:
        """Gives a group's next members a unit each; a group is never given more units than it has members."""
        members, turn = self._groups[number].members, self._turns[number]
        units += members[turn : turn + count]
        turn += count
        if turn >= len(members):
            turn -= len(members)
            units += members[:turn]
        self._turns[number] = turn

    def _priority(self, number: int) -> tuple[int, int, int]:
        """What a group's window is sorted by; the least goes first."""
        window, chain = self._windows[number], self._chains[number]
        assert window is not None
        overlaps = window.over > 0
        end = window.end + overlaps
        if chain is None:
            return 2 * end + (not overlaps), 0, number
        while chain.end < end:
            chain.advance()
        return 2 * end + (not overlaps), -(chain.end + (chain.over > 0)), number


def chain(part: int, total: int, window: Window | None) -> Window | None:
    """The windows of what a group with f >= 1/2 does not get: the first that ends no sooner is where its chain ends."""
    if window is None or 2 * part < total:
        return None
    end = window.end + (window.over > 0)
    first = -(-end * (total - part) // total)  # The first x with x * total / (total - part) >= end.
    return Window(total - part, total, first - 1)
