"""Which examples of a stream are a rank's own.

Guarantees
  Every example is one rank's own, and nobody else's; each rank finds out by itself, by what it sees of the same stream.
  After so many whole rounds every rank has had as many. What is a rank's own is known when its round is full.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, final

import numpy as np

from penstock.chunk import END, WHOLE, Chunk
from penstock.sampling import Classes
from penstock.sampling.shares import Int64s
from penstock.stages.gathered import Gathered
from penstock.stages.labelled import By, Numbering
from penstock.ticket import Tickets

__all__ = ["All", "ByClass", "Dealer", "Turns"]


class Dealer(Protocol):
    """Says which examples are a rank's own."""

    seen: int
    """So many examples of the stream have come. [examples]"""

    @property
    def settled(self) -> bool:
        """Whether nothing is held back, so that what it has seen says all."""

    def lacking(self, n: int) -> int:
        """How many more of the stream are to come for n own ones."""

    def deal(self, chunk: Chunk) -> list[Chunk]:
        """What is known to be its own now, after these examples too."""

    def last(self, *, whole: bool) -> tuple[list[Chunk], int]:
        """At the end, its own of the round that is not full: of whole turns of all ranks only, or all; and what is left out.

        The next example begins where the stream would have gone on.
        """

    def rounded(self) -> int:
        """How many examples each rank has if the last round is filled up. [examples]"""

    def go_on(self, seen: int) -> None:
        """Goes on where another was settled that had seen so many."""

    def forget(self) -> None:
        """Lets go of what is held back."""


@final
class All:
    """Every example is its own: a rank that opens its own files."""

    settled = True

    def __init__(self) -> None:
        self.seen = 0

    def lacking(self, n: int) -> int:
        """As many."""
        return n

    def deal(self, chunk: Chunk) -> list[Chunk]:
        """All of them."""
        self.seen += chunk.count
        return [Chunk(chunk.rows, chunk.tickets, columns=chunk.columns)]

    def last(self, *, whole: bool) -> tuple[list[Chunk], int]:
        """Nothing was held back."""
        return [], 0

    def rounded(self) -> int:
        """What it has."""
        return self.seen

    def go_on(self, seen: int) -> None:
        """With those that follow."""
        self.seen = seen

    def forget(self) -> None:
        """There is nothing."""


@final
class Turns:
    """Every `world_size`-th example, or run of examples.

    Args:
      rank: which part.
      world_size: how many parts there are.
      run: so many examples are a turn. [examples]
    """

    def __init__(self, rank: int, world_size: int, run: int = 1) -> None:
        self._rank = rank
        self._world_size = world_size
        self._run = run
        self.seen = 0
        self._held: list[Chunk] = []

    @property
    def settled(self) -> bool:
        """Whether it holds none of its own; of a round of which it has had its own, it knows by the number."""
        return not self._held

    @property
    def _round(self) -> int:
        return self._run * self._world_size

    def lacking(self, n: int) -> int:
        """What completes as many rounds as hold n of a rank's."""
        return min(WHOLE, -(-n // self._run) * self._round - self.seen % self._round)

    def deal(self, chunk: Chunk) -> list[Chunk]:
        """Its own of the rounds that are full by now; what is its own of another is held back."""
        before, self.seen = self.seen, self.seen + chunk.count
        full = self.seen // self._round * self._round - before
        if full <= 0:
            self._hold(chunk, before, 0)
            return []
        ready, self._held = self._held, []
        head = chunk if full == chunk.count else chunk.cut(full)[0]
        ready += self._own(head, before)
        if full < chunk.count:
            self._hold(chunk, before, full)
        return ready

    def _hold(self, chunk: Chunk, before: int, start: int) -> None:
        self._held += self._own(chunk.cut(start)[1] if start else chunk, before + start)

    def _own(self, chunk: Chunk, at: int) -> list[Chunk]:
        """What is its own of a chunk that begins at a place of the stream."""
        if self._run > 1:
            turns = np.arange(at, at + chunk.count) // self._run % self._world_size
            keep = np.flatnonzero(turns == self._rank)
            return [_chosen(chunk, keep)] if len(keep) else []
        first = (self._rank - at) % self._world_size
        count = len(range(first, chunk.count, self._world_size))
        if not count:
            return []
        tickets = Tickets.every([chunk.tickets], first, self._world_size, count)
        if chunk.columns is not None:
            columns = chunk.columns.select(np.arange(first, chunk.count, self._world_size))
            return [Chunk(None, tickets, columns=columns)]
        return [Chunk(chunk.as_rows()[first :: self._world_size], tickets)]

    def last(self, *, whole: bool) -> tuple[list[Chunk], int]:
        """What was held back, or how much that is."""
        held, self._held = self._held, []
        return ([], sum(part.count for part in held)) if whole else (held, 0)

    def rounded(self) -> int:
        """A turn in each round, the last one too."""
        return -(-self.seen // self._round) * self._run

    def go_on(self, seen: int) -> None:
        """In the middle of a round too."""
        self.seen = seen

    def forget(self) -> None:
        """Of rounds that were not full."""
        self._held = []


@final
class ByClass:
    """Its part of each class of each global batch; see `sampling.dealt`.

    Args:
      rank: which part.
      world_size: how many parts there are.
      size: examples in a global batch. [examples]
      by: reads the label of an example.
      classes: those that the labels are of; they may grow.
      beside: whether something stands beside each example that is no dict, in a pair.
    """

    def __init__(
        self, rank: int, world_size: int, size: int, by: By, classes: Classes, *, beside: bool = False
    ) -> None:
        self._rank = rank
        self._world_size = world_size
        self._size = size
        self._by = by
        self._classes = classes
        self._beside = beside
        self._gathered = Gathered()
        self.seen = 0
        self._number = 0  # of the next global batch

    @property
    def settled(self) -> bool:
        """Whether there is nothing of a global batch yet."""
        return not self._gathered.count

    def lacking(self, n: int) -> int:
        """What completes as many global batches as hold n of a rank's."""
        return min(WHOLE, -(-n * self._world_size // self._size) * self._size - self._gathered.count)

    def deal(self, chunk: Chunk) -> list[Chunk]:
        """Its own of the global batches that are whole by now."""
        self.seen += chunk.count
        own: list[Chunk] = []
        many = chunk.count // self._size
        if many > 1 and chunk.columns is not None and not self._gathered.count:
            head, chunk = chunk.cut(many * self._size) if chunk.count % self._size else (chunk, END)
            own.append(self._groups(head, many))
        if chunk.count:
            self._gathered.add(chunk)
        while self._gathered.count >= self._size:
            own += self._group(self._gathered.take(self._size), self._size)
        return own

    def last(self, *, whole: bool) -> tuple[list[Chunk], int]:
        """Its own of a smaller last batch."""
        count = self._gathered.count
        if not count:
            return [], 0
        parts = self._gathered.take(count)
        dealt = count - count % self._world_size if whole else count
        # Who gets what was dealt last has nothing to do with who is counted for what is left out.
        mine = dealt + (self._rank - self._number) % self._world_size
        return self._group(parts, dealt), int(whole and mine < count)

    def rounded(self) -> int:
        """As many as the rank has that has most."""
        return -(-self.seen // self._world_size)

    def go_on(self, seen: int) -> None:
        """With the next global batch; of a smaller one, nothing follows but what fills it."""
        self.seen, self._number = seen, -(-seen // self._size)

    def forget(self) -> None:
        """Of a global batch that was not whole."""
        self._gathered.clear()

    def _group(self, parts: Sequence[Chunk], dealt: int) -> list[Chunk]:
        """Its own of a global batch, of which so many slots are dealt, in the order that they came in."""
        numbers = np.concatenate([self._numbers(part) for part in parts])
        _, first, classes = np.unique(numbers, return_index=True, return_inverse=True)
        slots = np.argsort(first[classes], kind="stable")  # by class, the class first whose example comes first
        start = (self._rank - self._number) % self._world_size
        own = np.sort(slots[:dealt][start :: self._world_size])
        self._number += 1
        chosen, at = [], 0
        for part in parts:
            keep = own[np.searchsorted(own, at) : np.searchsorted(own, at + part.count)] - at
            at += part.count
            if len(keep):
                chosen.append(_chosen(part, keep))
        return chosen

    def _groups(self, chunk: Chunk, many: int) -> Chunk:
        """As `_group`, of so many global batches at once."""
        numbers = self._numbers(chunk).reshape(many, self._size)
        order = np.argsort(numbers, axis=1, kind="stable")
        of = np.take_along_axis(numbers, order, axis=1)
        begins = np.ones(of.shape, bool)
        np.not_equal(of[:, 1:], of[:, :-1], out=begins[:, 1:])
        places = np.maximum.accumulate(np.where(begins, np.arange(self._size), 0), axis=1)
        first = np.empty_like(order)
        np.put_along_axis(first, order, np.take_along_axis(order, places, axis=1), axis=1)
        slots = np.argsort(first, axis=1, kind="stable")
        turns = (np.arange(self._size) + (self._number + np.arange(many))[:, None]) % self._world_size
        self._number += many
        return _chosen(chunk, np.sort((slots + self._size * np.arange(many)[:, None])[turns == self._rank]))

    def _numbers(self, chunk: Chunk) -> Int64s:
        """A number for each label."""
        numbering = Numbering(self._labelled(chunk), self._by, self._classes)
        while not numbering.over:
            numbering.more()
        if numbering.error is not None:
            raise numbering.error
        return numbering.numbers

    def _labelled(self, chunk: Chunk) -> Chunk:
        """The examples, without what `stratify` has put beside them."""
        if not self._beside:
            return chunk
        rows = chunk.as_rows()
        return chunk if isinstance(rows[0], dict) else Chunk([row[0] for row in rows], chunk.tickets)


def _chosen(chunk: Chunk, keep: Int64s) -> Chunk:
    """Some examples of a chunk, without what stands behind it."""
    if len(keep) == chunk.count:
        return Chunk(chunk.rows, chunk.tickets, columns=chunk.columns)
    chosen = chunk.select(keep.tolist())
    chosen.error = None
    return chosen
