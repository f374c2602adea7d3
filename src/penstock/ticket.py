"""Where an example came from, for one example or cheaply for a run of them.

Guarantees
  A ticket is `(stream, epoch, offset, row, use)`; no two examples that a flow gives share one.
  Tickets of a run cost nothing per example: they are kept as a rule, and written out only when somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

__all__ = [
    "NO_TICKETS",
    "Numbers",
    "Table",
    "Ticket",
    "Tickets",
    "item_tickets",
    "listed_tickets",
    "mixed_tickets",
    "turn_tickets",
]

Numbers = np.ndarray[Any, np.dtype[np.int64]]
Table = np.ndarray[Any, np.dtype[np.int64]]
"""int64[n, 5]: stream, epoch, offset, row, use."""


class Ticket(NamedTuple):
    """Where one example came from."""

    stream: int
    """The number of its source, counted over the pipeline."""
    epoch: int
    """Which pass over that source."""
    offset: int
    """How many items the source had given before, filtered ones included."""
    row: int = 0
    """Its place in the item, where an item is a user's chunk."""
    use: int = 0
    """How often the example was given before, where it may be used several times."""

    def __str__(self) -> str:
        """Short, as `penstock replay` reads it: stream, epoch, offset; row and use where they are not 0.

        >>> str(Ticket(2, 0, 118)), str(Ticket(2, 0, 118, 3))
        ('2:0:118', '2:0:118:3')
        """
        numbers = list(self)
        while len(numbers) > 3 and not numbers[-1]:
            numbers.pop()
        return ":".join(map(str, numbers))


class _Rule(Protocol):
    """A run of tickets that follow a rule."""

    count: int

    def cut(self, start: int, stop: int) -> _Rule: ...

    def table(self) -> Table: ...

    def whose(self) -> Numbers:
        """The stream of each."""


# A batch makes some of these, so they are plain classes: a frozen dataclass takes four times as long to make.


class _Turns:
    """One item of each of k streams in turn; `offsets` are those at turn 0, and the run begins at turn `first`."""

    __slots__ = ("count", "epoch", "first", "offsets", "streams")

    def __init__(
        self,
        streams: Sequence[int] | Numbers,
        epoch: int | Numbers,
        offsets: Sequence[int] | Numbers,
        first: int,
        count: int,
    ) -> None:
        self.streams = streams
        self.epoch = epoch
        self.offsets = offsets
        self.first = first
        self.count = count

    def cut(self, start: int, stop: int) -> _Turns:
        return _Turns(self.streams, self.epoch, self.offsets, self.first + start, stop - start)

    def at(self, index: int) -> list[int]:
        """One of them, for less than a table."""
        turn, lane = divmod(self.first + index, len(self.streams))
        epoch = self.epoch[lane] if isinstance(self.epoch, np.ndarray) else self.epoch
        return [int(self.streams[lane]), int(epoch), int(self.offsets[lane]) + turn, 0, 0]

    def table(self) -> Table:
        return self.picked(np.arange(self.count))

    def picked(self, places: Numbers) -> Table:
        """Those at some places, for less than a table of all between."""
        turn = places + self.first
        lane = turn % len(self.streams)
        out = np.zeros((len(places), 5), np.int64)
        out[:, 0] = np.asarray(self.streams)[lane]
        out[:, 1] = self.epoch[lane] if isinstance(self.epoch, np.ndarray) else self.epoch
        out[:, 2] = np.asarray(self.offsets)[lane] + turn // len(self.streams)
        return out

    def whose(self) -> Numbers:
        whose: Numbers = np.asarray(self.streams)[np.arange(self.first, self.first + self.count) % len(self.streams)]
        return whose


class _Item:
    """Rows of one item, a user's chunk."""

    __slots__ = ("count", "epoch", "first", "offset", "stream")

    def __init__(self, stream: int, epoch: int, offset: int, first: int, count: int) -> None:
        self.stream = stream
        self.epoch = epoch
        self.offset = offset
        self.first = first
        self.count = count

    def cut(self, start: int, stop: int) -> _Item:
        return _Item(self.stream, self.epoch, self.offset, self.first + start, stop - start)

    def at(self, index: int) -> list[int]:
        return [self.stream, self.epoch, self.offset, self.first + index, 0]

    def table(self) -> Table:
        out = np.empty((self.count, 5), np.int64)
        out[:] = (self.stream, self.epoch, self.offset, 0, 0)
        out[:, 3] = np.arange(self.first, self.first + self.count)
        return out

    def whose(self) -> Numbers:
        return np.full(self.count, self.stream)


class _Mixed:
    """Items of streams whose turns a schedule tells; `offsets` are those at its beginning, and the run begins at `first`."""

    __slots__ = ("count", "epochs", "first", "offsets", "streams", "turns")

    def __init__(
        self, streams: Numbers, epochs: Numbers, offsets: Numbers, turns: Numbers, first: int, count: int
    ) -> None:
        self.streams = streams
        self.epochs = epochs
        self.offsets = offsets
        self.turns = turns
        self.first = first
        self.count = count

    def cut(self, start: int, stop: int) -> _Mixed:
        return _Mixed(self.streams, self.epochs, self.offsets, self.turns, self.first + start, stop - start)

    def table(self) -> Table:
        k, lane = len(self.streams), self.turns[self.first : self.first + self.count]
        offsets = self.offsets + np.bincount(self.turns[: self.first], minlength=k)
        counts = np.bincount(lane, minlength=k)
        before = np.empty(self.count, np.int64)  # how many turns its stream had before in this run
        before[np.argsort(lane, kind="stable")] = np.arange(self.count) - np.repeat(np.cumsum(counts) - counts, counts)
        out = np.zeros((self.count, 5), np.int64)
        out[:, 0] = self.streams[lane]
        out[:, 1] = self.epochs[lane]
        out[:, 2] = offsets[lane] + before
        return out

    def whose(self) -> Numbers:
        whose: Numbers = self.streams[self.turns[self.first : self.first + self.count]]
        return whose


class _Woven:
    """Tickets of runs of any lengths, in turns of any order."""

    __slots__ = ("count", "first", "parts", "turns")

    def __init__(self, parts: Mapping[int, Tickets], turns: Numbers, first: int, count: int) -> None:
        self.parts = parts
        self.turns = turns
        self.first = first
        self.count = count

    def cut(self, start: int, stop: int) -> _Woven:
        return _Woven(self.parts, self.turns, self.first + start, stop - start)

    def table(self) -> Table:
        out = np.empty((len(self.turns), 5), np.int64)
        for number, part in self.parts.items():
            out[self.turns == number] = part.table()
        return out[self.first : self.first + self.count]

    def whose(self) -> Numbers:
        out = np.empty(len(self.turns), np.int64)
        for number, part in self.parts.items():
            out[self.turns == number] = part.streams()
        return out[self.first : self.first + self.count]


class _Listed:
    """Tickets written out."""

    __slots__ = ("count", "rows")

    def __init__(self, rows: Table) -> None:
        self.rows = rows
        self.count = len(rows)

    def cut(self, start: int, stop: int) -> _Listed:
        return _Listed(self.rows[start:stop])

    def table(self) -> Table:
        return self.rows

    def whose(self) -> Numbers:
        whose: Numbers = self.rows[:, 0]
        return whose


class _Every:
    """Each so-manieth of other tickets, from one on: those of batches, which go by their first example's."""

    __slots__ = ("count", "first", "of", "step")

    def __init__(self, of: Sequence[Tickets], first: int, step: int, count: int) -> None:
        self.of = of
        self.first = first
        self.step = step
        self.count = count

    def cut(self, start: int, stop: int) -> _Every:
        return _Every(self.of, self.first + start * self.step, self.step, stop - start)

    def at(self, index: int) -> list[int]:
        place = self.first + index * self.step
        for part in self.of:
            if place < part.count:
                return list(part[place])
            place -= part.count
        raise IndexError(f"ticket {index} past the end of {self.count}")

    def table(self) -> Table:
        last = self.first + (self.count - 1) * self.step
        return Tickets.joined(self.of).cut(self.first, last + 1).table()[:: self.step]

    def whose(self) -> Numbers:
        return Tickets.joined(self.of).streams()[self.first :: self.step][: self.count]


class Tickets:
    """The tickets of a run of examples."""

    __slots__ = ("_rules", "count")

    def __init__(self, rules: tuple[Any, ...], count: int) -> None:
        self._rules = rules
        self.count = count

    def __len__(self) -> int:
        return self.count

    def table(self) -> Table:
        """The tickets written out: int64[n, 5], columns stream, epoch, offset, row, use."""
        if len(self._rules) == 1:
            table: Table = self._rules[0].table()
            return table
        return np.concatenate([rule.table() for rule in self._rules]) if self._rules else np.empty((0, 5), np.int64)

    def streams(self) -> Numbers:
        """The stream of each: int64[n]; the first column of `table`, for less."""
        if len(self._rules) == 1:
            streams: Numbers = self._rules[0].whose()
            return streams
        return np.concatenate([rule.whose() for rule in self._rules]) if self._rules else np.empty(0, np.int64)

    def __iter__(self) -> Iterator[Ticket]:
        return (Ticket(*row) for row in self.table().tolist())

    def __getitem__(self, index: int) -> Ticket:
        for rule in self._rules:
            if index < rule.count:
                if isinstance(rule, (_Turns, _Item, _Every)):  # as nearly all are that are asked for one
                    return Ticket(*rule.at(index))
                return Ticket(*rule.cut(index, index + 1).table()[0].tolist())
            index -= rule.count
        raise IndexError(f"ticket {index} past the end of {self.count}")

    def cut(self, start: int, stop: int) -> Tickets:
        """The tickets of examples `start` to `stop`."""
        if start == 0 and stop == self.count:
            return self
        if len(self._rules) == 1:
            return Tickets((self._rules[0].cut(start, stop),), stop - start)
        kept, at = [], 0
        for rule in self._rules:
            low, high = max(start - at, 0), min(stop - at, rule.count)
            if low < high:
                kept.append(rule if high - low == rule.count else rule.cut(low, high))
            at += rule.count
        return Tickets(tuple(kept), stop - start)

    @staticmethod
    def every(of: Sequence[Tickets], first: int, step: int, count: int) -> Tickets:
        """Tickets of batches, which go by their first example's.

        Args:
          of: of the examples, in runs.
          first: the place of the first batch's first example.
          step: examples in a batch. [examples]
          count: how many batches.
        """
        return Tickets((_Every(of, first, step, count),), count)

    def picked(self, places: Numbers) -> Table:
        """The tickets at ascending places, written out: int64[n, 5]."""
        if len(self._rules) == 1 and type(self._rules[0]) is _Turns:
            return self._rules[0].picked(places)
        low, high = int(places[0]), int(places[-1]) + 1
        return self.cut(low, high).table()[places - low]

    def select(self, index: Any) -> Tickets:
        """The tickets at integer or boolean positions."""
        rows = self.table()[index]
        return Tickets((_Listed(rows),), len(rows))

    @staticmethod
    def joined(parts: Sequence[Tickets]) -> Tickets:
        """Tickets of runs, one after the other."""
        if len(parts) == 1:
            return parts[0]
        return Tickets(tuple(rule for part in parts for rule in part._rules), sum(part.count for part in parts))

    @staticmethod
    def woven(parts: Mapping[int, Tickets], turns: Numbers) -> Tickets:
        """Tickets of runs of any lengths.

        Args:
          parts: the runs, each under a number.
          turns: the number of the run that each ticket is taken from, int64[n].
        """
        return Tickets((_Woven(parts, turns, 0, len(turns)),), len(turns))

    @staticmethod
    def interleaved(parts: Sequence[Tickets]) -> Tickets:
        """Tickets of k runs of one length, one of each in turn."""
        k, m = len(parts), parts[0].count
        rules = [part._rules[0] for part in parts]
        if all(
            len(part._rules) == 1 and isinstance(r, _Turns) and len(r.streams) == 1 and isinstance(r.epoch, int)
            for part, r in zip(parts, rules, strict=True)
        ) and (len({rule.epoch for rule in rules}) == 1):
            streams = tuple(rule.streams[0] for rule in rules)
            offsets = tuple(rule.offsets[0] + rule.first for rule in rules)
            return Tickets((_Turns(streams, rules[0].epoch, offsets, 0, k * m),), k * m)
        out = np.empty((k * m, 5), np.int64)
        for i, part in enumerate(parts):
            out[i::k] = part.table()
        return Tickets((_Listed(out),), k * m)


NO_TICKETS = Tickets((), 0)


def turn_tickets(
    streams: Sequence[int] | Numbers,
    epoch: int | Numbers,
    offsets: Sequence[int] | Numbers,
    first: int,
    count: int,
) -> Tickets:
    """Tickets of `count` examples taken from streams in turn, one item each.

    Args:
      streams: the numbers of the streams, in the order of their turns.
      epoch: which pass; of each stream, where they differ.
      offsets: the offset of each stream at turn 0.
      first: the turn of the first example.
      count: how many. [examples]

    >>> list(turn_tickets((4, 7), 0, (10, 20), 1, 2))[1]
    Ticket(stream=4, epoch=0, offset=11, row=0, use=0)
    """
    return Tickets((_Turns(streams, epoch, offsets, first, count),), count)


def listed_tickets(table: Table) -> Tickets:
    """Tickets that follow no rule.

    Args:
      table: int64[n, 5], as `Tickets.table` gives it.
    """
    return Tickets((_Listed(table),), len(table))


def mixed_tickets(
    streams: Numbers, epochs: Numbers, offsets: Numbers, turns: Numbers, first: int, count: int
) -> Tickets:
    """Tickets of `count` examples taken from streams by a schedule.

    Args:
      streams: the number of each stream, int64[k].
      epochs: which pass it is in, int64[k].
      offsets: its offset at the beginning of `turns`, int64[k].
      turns: whose turn it is, as places in `streams`: int64[m].
      first: the turn of the first example.
      count: how many. [examples]

    >>> whose = np.array([0, 0, 1, 0])
    >>> [ticket[:3] for ticket in mixed_tickets(np.array([4, 7]), np.zeros(2, int), np.array([10, 20]), whose, 1, 3)]
    [(4, 0, 11), (7, 0, 20), (4, 0, 12)]
    """
    return Tickets((_Mixed(streams, epochs, offsets, turns, first, count),), count)


def item_tickets(stream: int, epoch: int, offset: int, first: int, count: int) -> Tickets:
    """Tickets of rows `first` to `first + count` of one item, a user's chunk."""
    return Tickets((_Item(stream, epoch, offset, first, count),), count)
