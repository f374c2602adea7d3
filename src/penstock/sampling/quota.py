"""How many examples of each class a batch holds, when the shares stay as they are.

Guarantees, for every class with share q, for batches of b, and for every k
  Batch k holds floor(b q) or ceil(b q) of it; the first k batches together hold floor(k b q) or ceil(k b q).
  Each batch holds b in all. No schedule of whole examples can promise less deviation.
  The schedule is a function of shares, size and batch number alone: exact whole numbers, the same on every machine.
Costs
  In each batch, what it takes to write down the classes that are in it, and log G for each example that does not divide
  evenly, where G counts the distinct shares. Not the number of classes.
How
  `floor(b q)` of each class come in each batch; `Extras` says who gets the rest.
  A few batches are worked out at a time. Where the schedule comes round soon, they are kept and given again.

Source: Pfair, by Baruah et al., "Proportionate progress", Algorithmica 15 (1996).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self, final

import numpy as np

from penstock.errors import StateError, mismatch
from penstock.sampling import extras, kernels
from penstock.sampling.extras import Group
from penstock.sampling.shares import Int64s, Shares

__all__ = ["Quota"]

AT_ONCE = 8192
"""About as many entries are worked out at a time."""
KEPT = 65_536
"""A schedule of at most as many entries is kept whole."""
NATIVE_TOTAL = 1 << 126
"""The native part counts in units of less than this."""


@final
class Quota:
    """The counts of each batch, one batch after the other.

    Args:
      shares: of each class.
      size: examples in a batch, at least 1.

    >>> quota = Quota(Shares.of([5, 3, 2]), 3)
    >>> for _ in range(4):
    ...     classes, counts = quota.take()
    ...     print(dict(zip(classes.tolist(), counts.tolist())))
    {0: 1, 1: 1, 2: 1}
    {0: 2, 1: 1}
    {0: 1, 1: 1, 2: 1}
    {0: 2, 1: 1}
    """

    def __init__(self, shares: Shares, size: int) -> None:
        assert size >= 1, "a batch holds at least one example"
        self._size = size
        self._total = shares.total
        self._period = shares.total // math.gcd(size, shares.total)
        self._each = np.zeros(len(shares), np.int64)
        owed: dict[int, list[int]] = {}
        for weight, members in _by_weight(shares.weights).items():
            count, units = divmod(size * weight, shares.total)
            if count:
                self._each[members] = count
            if units:
                owed.setdefault(units, []).extend(members)
        self._always = np.flatnonzero(self._each)
        self._groups = _groups(owed, shares.total)
        self._most = len(self._always) + sum(units * len(members) for units, members in owed.items()) // shares.total
        self._kept = self._period * self._most <= KEPT
        self._at_once = 1
        self._most_at_once = max(1, AT_ONCE // self._most)
        self.position = 0
        """How many batches were given."""
        self._start_from(0, bytes(-(-len(self._groups) // 8)).hex())

    @classmethod
    def restore(cls, shares: Shares, size: int, state: dict[str, Any]) -> Self:
        """A schedule as it stood when `state` was taken from one with the same shares and size.

        >>> quota = Quota(Shares.of([5, 3, 2]), 1)
        >>> _ = quota.pattern(7)
        >>> Quota.restore(Shares.of([5, 3, 2]), 1, quota.state()).pattern(5).tolist() == quota.pattern(5).tolist()
        True
        """
        quota = cls(shares, size)
        quota.position, start = int(state["batches"]), int(state["from"])
        if not 0 <= start <= (0 if quota._kept else quota.position) or quota.position < 0:
            want = f"a schedule that began at 0{'' if quota._kept else f' to {quota.position}'}"
            raise StateError(mismatch(want, f"{start} of {quota.position}", at="open(state)"))
        quota._start_from(start, state["ahead"])
        return quota

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as JSON can hold it: a bit for each distinct share at most."""
        batch, given = self._mark
        floors = [batch * group.part // self._total for group in self._groups]
        ahead = np.array([had > floor for had, floor in zip(given, floors, strict=True)], bool)
        return {"batches": self.position, "from": batch, "ahead": np.packbits(ahead).tobytes().hex()}

    def take(self) -> tuple[Int64s, Int64s]:
        """The next batch.

        Returns:
          The classes that are in it, ascending, int64[m]; how many of each, int64[m], all above 0. Both read-only.
        """
        return self.several(1)[0]

    def several(self, most: int) -> list[tuple[Int64s, Int64s]]:
        """The next batches, as `take` would give one after the other: at least one of them, and `most` at most."""
        place = self._place()
        if place >= len(self._batches):
            self._cut()
        batches = self._batches[place : place + most]
        self.position += len(batches)
        return batches

    def pattern(self, n: int) -> Int64s:
        """The classes of the next n batches of one: who comes when sources or classes are mixed one by one.

        Args:
          n: how many, at least 0.

        Returns:
          int64[n].

        >>> Quota(Shares.of([3, 1]), 1).pattern(8).tolist()
        [0, 0, 0, 1, 0, 0, 0, 1]
        """
        assert self._size == 1, "a pattern is of batches of one"
        self._at_once = max(self._at_once, min(n, self._most_at_once))
        parts = [np.empty(0, np.int64)]
        while n > 0:
            place = self._place()
            part = self._wheel[place : place + n]
            parts.append(part)
            self.position += len(part)
            n -= len(part)
        return np.concatenate(parts)

    def _start_from(self, batch: int, ahead: str) -> None:
        """Sets the schedule to a batch, where some groups are ahead of their share by what rounding up gives them."""
        bits = np.unpackbits(np.frombuffer(bytes.fromhex(ahead), np.uint8))[: len(self._groups)].tolist()
        given = [batch * group.part // self._total + bit for group, bit in zip(self._groups, bits, strict=True)]
        self._mark = batch, given
        kind = kernels.Extras if self._total < NATIVE_TOTAL else extras.Extras
        self._extras = kind(self._groups, self._total, batch, given)
        self._start = batch
        self._forget()

    def _forget(self) -> None:
        """Has no batches at hand."""
        self._batches: list[tuple[Int64s, Int64s]] = []
        self._classes, self._counts, self._wheel = (np.empty(0, np.int64),) * 3
        self._ends = np.zeros(1, np.int64)

    def _place(self) -> int:
        """Where the next batch stands among those at hand, after working out what is missing."""
        number = self.position % self._period if self._kept else self.position
        while number >= self._start + len(self._ends) - 1:
            count = self._at_once
            if self._kept:
                count = min(count, self._period - len(self._ends) + 1)
            else:
                self._let_go()
            self._at_once = min(2 * count, self._most_at_once)
            self._work_out(count)
        return number - self._start

    def _let_go(self) -> None:
        """Forgets the batches at hand; a state can say no less than where they began, or somewhat before."""
        self._start += len(self._ends) - 1
        self._forget()
        if (self._start - self._mark[0]) * self._most >= len(self._groups):  # As long as that, copying costs nothing.
            self._mark = self._start, list(self._extras.given)

    def _work_out(self, count: int) -> None:
        """Appends so many batches to those at hand."""
        units = self._extras.give(count)
        if not len(self._always):  # each that is in a batch is there once
            classes = np.sort(units, axis=1).ravel()
            self._keep(classes, np.ones(len(classes), np.int64), units.shape[1] * np.arange(1, count + 1))
            return
        # A class is an even number where it always comes, and the odd one above where it gets one more.
        keys = np.empty((count, len(self._always) + units.shape[1]), np.int64)
        keys[:, : len(self._always)] = 2 * self._always
        keys[:, len(self._always) :] = 2 * units + 1
        keys.sort(axis=1)
        more = (keys & 1).astype(bool)
        again = np.zeros(keys.shape, bool)  # The one more of a class that always comes: counted with the entry before.
        np.equal(keys[:, 1:], keys[:, :-1] + 1, out=again[:, 1:])
        again &= more
        more[:, :-1] |= again[:, 1:]
        first = ~again
        classes = keys[first] >> 1
        self._keep(classes, self._each[classes] + more[first], np.cumsum(first.sum(axis=1)))

    def _keep(self, classes: Int64s, counts: Int64s, ends: Int64s) -> None:
        """Has these entries at hand too; of each batch's, `ends` is where they end."""
        self._counts = np.concatenate((self._counts, counts))
        self._classes = self._wheel = np.concatenate((self._classes, classes))
        self._ends = np.concatenate((self._ends, self._ends[-1] + ends))
        for array in (self._classes, self._counts):
            array.flags.writeable = False
        if self._size == 1 and self._kept and len(self._classes) == self._period:
            self._wheel = np.tile(self._classes, 1 + AT_ONCE // self._period)  # So that a pattern is a slice of it.

    def _cut(self) -> None:
        """Cuts what is at hand into batches."""
        ends = self._ends[len(self._batches) :].tolist()
        self._batches += [(self._classes[start:end], self._counts[start:end]) for start, end in pairwise(ends)]


def _by_weight(weights: Sequence[int]) -> dict[int, list[int]]:
    """The numbers of the classes that have each weight."""
    if len(set(weights)) == 1:  # as where there are very many of them
        return {weights[0]: list(range(len(weights)))}
    members: dict[int, list[int]] = {}
    for number, weight in enumerate(weights):
        members.setdefault(weight, []).append(number)
    return members


def _groups(owed: dict[int, list[int]], total: int) -> list[Group]:
    """Classes by what they are owed beyond whole examples; the largest part of one first, then the first class."""
    groups = [Group(sorted(classes), units * len(classes), total) for units, classes in owed.items()]
    return sorted(groups, key=lambda group: (-group.part, group.members[0]))
