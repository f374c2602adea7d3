"""Puts examples of like length together: each group that it gives is to be one batch.

Guarantees
  Within a bucket examples keep their order; a group is given with the example that completes it.
  Which examples are together is a function of the order in which they came, not of chunks.
  Whoever has no room is ready: k buckets of at most n hold at most k(n - 1) examples beside the group that is given.
  An error comes after the groups that were complete before it, and the remainders where smaller ones are given.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import lcm
from typing import Any, final

import numpy as np

from penstock.chunk import END, Chunk, Columns
from penstock.errors import SpecError, StateError, mismatch
from penstock.plan import PadRule
from penstock.spec import Component
from penstock.stages.lengths import Lengths
from penstock.stages.reader import place_of_ticket
from penstock.stages.snapshot import Again, Saved, Unsettled, Wanted, numbers, packed_tickets, unpacked_tickets
from penstock.stages.stage import Stage
from penstock.ticket import Tickets

__all__ = ["Bucket", "Rooms"]


@dataclass(frozen=True, slots=True)
class Rooms:
    """The buckets, and how much goes into each."""

    boundaries: tuple[float, ...] | None
    """Bucket i takes lengths below boundary i and not below the one before it; `None`: the length is the number."""
    count: int
    """How many buckets. [buckets]"""
    sizes: tuple[int, ...] | None
    """Of the groups of each; `None` where there is a budget. [examples]"""
    max_tokens: int | None = None
    """The most that a group may hold, with its padding: examples times the longest of them. [tokens]"""
    widths: bool = False
    """Whether all are padded to the boundary, and the last bucket's to a multiple of the last."""

    def number(self, length: float) -> int:
        """The bucket of a length; out of range, none."""
        if self.boundaries is not None:
            return bisect_right(self.boundaries, length)
        return int(length) if 0 <= length < self.count and length == int(length) else -1

    def width(self, number: int, longest: float) -> float:
        """What the longest of a bucket is padded to."""
        if not self.widths or not self.boundaries:
            return longest
        if number < len(self.boundaries):
            return self.boundaries[number]
        return -(-longest // self.boundaries[-1]) * self.boundaries[-1]

    def check(self, length: float) -> None:
        """Sees to it that there is room for an example of such a length alone.

        Raises:
          SpecError: the budget is too small for it.
        """
        number = self.number(length)
        if self.max_tokens is not None and self.width(number, max(0.0, length)) > self.max_tokens:
            raise SpecError(self.too_long(number, length))

    def too_long(self, number: int, length: float, where: str | None = None) -> str:
        """What is said of an example that the budget has no room for."""
        want = f"an example of at most {self.max_tokens} tokens with its padding"
        do = "raise `max_tokens`, or leave it out by `filter`"
        return mismatch(want, f"{self.width(number, length):g}", at=where, do=do)

    def rule(self, number: int, rule: PadRule | None, component: Component) -> PadRule | None:
        """How a component is padded in a bucket: its first dimension to the boundary, if it may be and that is asked for."""
        if not self.widths or not self.boundaries or rule is None or not component.shape:
            return rule
        rest = (None,) * (len(component.shape) - 1) if rule.shape is None else rule.shape[1:]
        if rule.shape is not None and rule.shape[0] is not None:
            return rule
        if number < len(self.boundaries):
            return replace(rule, shape=(int(self.boundaries[number]), *rest))
        return replace(rule, multiple=lcm(rule.multiple, int(self.boundaries[-1])))


@final
class Bucket:
    """Groups of examples of like length, each an item.

    Args:
      upstream: where the examples come from.
      lengths: reads them.
      rooms: the buckets.
      keep_last: whether what is left at the end is given, bucket by bucket.
      labels: the sources' names by stream number, for messages.
      wanted: whether a snapshot is wanted.
    """

    def __init__(
        self,
        upstream: Stage,
        lengths: Lengths,
        rooms: Rooms,
        *,
        keep_last: bool,
        labels: Sequence[str],
        wanted: Wanted | None = None,
    ) -> None:
        self._upstream = upstream
        self._again = Again(upstream, wanted if wanted is not None else Wanted())
        self._lengths = lengths
        self._rooms = rooms
        self.rule = rooms.rule
        self._keep_last = keep_last
        self._labels = labels
        self._parts: list[list[Chunk]] = [[] for _ in range(rooms.count)]
        self._held = [0] * rooms.count
        self._longest = [0.0] * rooms.count
        self._chunk = END  # what came and is not in a bucket yet
        self._of_chunk: list[float] = []
        self._group: Chunk | None = None
        self._partly = False
        self._ended = False
        self._error: BaseException | None = None
        self._recalled: list[Chunk] | None = None
        self.number = 0
        """The bucket of the last group."""
        self.returned = 0
        """Of those that were given, so many were taken back. [examples]"""
        self.discarded = 0
        """Examples of no bucket, and those that were left at the end. [examples]"""

    def take(self, n: int) -> Chunk:
        """Gives the group at hand, or what n takes of it; its end is the end of an item."""
        rest = self._again.settle()
        if rest is not None:
            self._ended, self._error = True, rest.error
        if self._recalled is not None:
            self._refill(self._recalled)
        group = self._group if self._group is not None else self._next()
        if group is None:
            error, self._error = self._error, None
            return END if error is None else Chunk([], END.tickets, error=error)
        if group.count > n:
            group, self._group = group.cut(n)
            self._partly = True
        else:
            self._group, self._partly = None, False
        return group

    def _next(self) -> Chunk | None:
        """The next group; `None` if there is no more."""
        while True:
            number = self._sort()
            if number is not None:
                return self._emptied(number)
            if self._ended:
                return self._left()
            # Not more than completes a group in any case: what comes after that might keep it waiting.
            chunk = self._again.take(1 if self._rooms.sizes is None else self._least())
            if chunk.error is not None or chunk.count == 0:
                self._ended, self._error = True, chunk.error
                chunk = Chunk(chunk.rows, chunk.tickets, columns=chunk.columns)
            if chunk.columns is not None and chunk.columns.holds_objects:
                # Their rows are Python's objects, and what they are must not depend on who made rows of them where.
                chunk = Chunk(chunk.as_rows(), chunk.tickets)
            self._of_chunk, error = self._lengths.of(chunk)
            if error is not None:
                self._ended, self._error = True, error
                chunk = chunk.cut(len(self._of_chunk))[0]
            self._chunk = chunk

    def _least(self) -> int:
        """So many more complete a group at the soonest."""
        assert self._rooms.sizes is not None, "a budget tells no number"
        return min([size - held for size, held in zip(self._rooms.sizes, self._held, strict=True)])

    def _sort(self) -> int | None:
        """Puts what has come into its buckets, up to the example that completes a group; gives that bucket."""
        rooms = self._rooms
        places: dict[int, list[int]] = {}
        full: int | None = None
        taken = 0
        for place, length in enumerate(self._of_chunk):
            number = rooms.number(length)
            if not 0 <= number < rooms.count:
                self.discarded += 1
                taken = place + 1
                continue
            if rooms.max_tokens is not None and not self._fits(number, length):
                if not self._held[number]:
                    self._too_long(place, number, length)
                    break
                full = number
                break
            places.setdefault(number, []).append(place)
            taken = place + 1
            self._held[number] += 1
            self._longest[number] = max(self._longest[number], length)
            if self._is_full(number):
                full = number
                break
        for number, own in places.items():
            whole = len(own) == self._chunk.count  # as it is where one comes at a time
            self._parts[number].append(self._chunk if whole else self._chunk.select(own))
        self._chunk = self._chunk.cut(taken)[1] if taken < self._chunk.count else END
        self._of_chunk = self._of_chunk[taken:]
        return full

    def _fits(self, number: int, length: float) -> bool:
        """Whether one more of a length keeps a group within the budget."""
        width = self._rooms.width(number, max(self._longest[number], length))
        return (self._held[number] + 1) * width <= (self._rooms.max_tokens or 0)

    def _is_full(self, number: int) -> bool:
        if self._rooms.sizes is not None:
            return self._held[number] >= self._rooms.sizes[number]
        return not self._fits(number, self._longest[number])

    def _too_long(self, place: int, number: int, length: float) -> None:
        """An example that the budget has no room for even alone."""
        where = place_of_ticket(self._chunk.tickets[place], self._labels)
        self._ended, self._error = True, SpecError(self._rooms.too_long(number, length, where))
        self._chunk, self._of_chunk = self._chunk.cut(place)[0], self._of_chunk[:place]

    def _emptied(self, number: int) -> Chunk:
        """What a bucket holds, as one item."""
        parts, self._parts[number] = self._parts[number], []
        self._held[number], self._longest[number] = 0, 0.0
        self.number = number
        if len(parts) == 1:
            parts[0].item_end = True
            return parts[0]
        tickets = Tickets.joined([part.tickets for part in parts])
        columns = [part.columns for part in parts if part.columns is not None]
        if len(columns) == len(parts) and all(_alike(columns[0], other) for other in columns[1:]):
            arrays = zip(*[one.arrays for one in columns], strict=True)
            joined = tuple([np.concatenate(pieces) for pieces in arrays])
            return Chunk(None, tickets, columns=Columns(columns[0].structure, joined))
        return Chunk([row for part in parts for row in part.as_rows()], tickets)

    def put_back(self, parts: Sequence[Chunk]) -> None:
        """Takes back what is left of the group that was given last, of which an example was skipped: it is filled up again."""
        number, held = self.number, sum(part.count for part in parts)
        self._parts[number], self._held[number] = list(parts), held
        self.returned += held
        self._longest[number] = max(max(self._lengths.of(part)[0]) for part in parts)

    def _left(self) -> Chunk | None:
        """At the end, the next remainder, from the first bucket on; or none, and they are counted."""
        for number, held in enumerate(self._held):
            if held and self._keep_last:
                return self._emptied(number)
            self.discarded += held
            self._held[number] = 0
        return None

    # Where it stands.

    def snapshot(self) -> Saved:
        """The tickets of what is in each bucket; what upstream cannot recall it holds itself.

        Raises:
          Unsettled: a group is given in part, or there is an error.
        """
        if self._partly or self._error is not None:
            raise Unsettled
        if self._recalled is not None:
            tickets, rows = self._recalled[0].tickets, self._recalled[0].rows
        else:
            held = [part for parts in self._parts for part in parts]
            tickets = Tickets.joined([part.tickets for part in held])
            rows = None if self._upstream.recalls else [row for part in held for row in part.as_rows()]
        return {
            "of": self._again.snapshot(self._chunk.count),
            "held": packed_tickets(tickets),
            "rows": rows,
            "counts": list(self._held),
            "longest": list(self._longest),
            "ended": self._ended and not self._chunk.count,
        }

    def restore(self, saved: Saved) -> None:
        """Goes on from there; what was held is recalled when something is first taken."""
        self._again.restore(saved["of"])
        count, tickets = self._rooms.count, unpacked_tickets(saved["held"])
        self._recalled = [Chunk(saved["rows"], tickets)]
        self._held = numbers(saved["counts"], count=count).tolist()
        self._longest = [float(length) for length in saved["longest"]]
        if len(self._longest) != count or sum(self._held) > len(tickets):
            want = f"{len(tickets)} examples in {count} buckets"
            raise StateError(mismatch(want, f"{sum(self._held)} in {len(self._longest)}", at="open(state)"))
        self._ended = bool(saved["ended"])

    def _refill(self, recalled: list[Chunk]) -> None:
        (again,) = recalled
        self._recalled = None
        if not len(again.tickets):
            return
        rows = again.rows if again.rows is not None else self._upstream.recall(again.tickets)
        rest = Chunk(rows, again.tickets)
        for number, held in enumerate(self._held):
            if held:
                part, rest = rest.cut(held)
                self._parts[number] = [part]

    recalls = False
    """Nobody keeps examples behind it: a batch follows."""

    def recall(self, tickets: Tickets) -> list[Any]:
        """Not to be asked for."""
        raise AssertionError("groups are not recalled")

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()


def _alike(one: Columns, other: Columns) -> bool:
    """Whether runs of columns can be put together without a change of dtype or structure."""
    return one.structure == other.structure and all(
        [a.dtype == b.dtype and a.shape[1:] == b.shape[1:] for a, b in zip(one.arrays, other.arrays, strict=True)]
    )
