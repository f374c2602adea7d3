"""Where a stage stands, as plain data, so that another run can go on from there.

A snapshot is a dict of numbers, texts, lists, dicts and arrays that nobody changes any more; it holds those of the stages
upstream. What a stage has taken and not given yet it does not hold as examples, but as one of these:
  what came before its last chunk, and how much of the chunk it has given: `Again`;
  the tickets of examples that it gives in another order, which upstream can `recall`.
What came before a chunk is noted only while a snapshot is wanted, since it costs something.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, final

import numpy as np

from penstock.chunk import END, Chunk
from penstock.errors import StateError, mismatch
from penstock.faults import SkipLog
from penstock.ticket import Numbers, Table, Ticket, Tickets, listed_tickets

__all__ = [
    "Again",
    "Log",
    "Saved",
    "Trail",
    "Unsettled",
    "Wanted",
    "counted",
    "drop",
    "figures",
    "noted",
    "numbers",
    "packed",
    "packed_tickets",
    "unpacked",
    "unpacked_tickets",
]

Saved = dict[str, Any]
"""A snapshot."""

LARGE = 1 << 14
"""What came before a chunk as large as this is always noted, which costs little beside it. [examples]"""


class Unsettled(Exception):
    """Where a stage stands cannot be told at this moment; it can after a few more takes."""


@final
class Wanted:
    """Whether a snapshot is wanted soon; one for all stages of a flow."""

    __slots__ = ("on",)

    def __init__(self, *, on: bool = False) -> None:
        self.on = on


@final
class Log:
    """What was decided between one snapshot and the next, and after that, and does not follow from the snapshot.

    One thread writes it; it may be read by another.
    """

    __slots__ = ("_next", "entries")

    def __init__(self) -> None:
        self.entries: list[tuple[Any, ...]] = []
        """What was decided up to the next snapshot, so far."""
        self._next: Log | None = None

    def follow(self) -> Log:
        """The log of what follows."""
        self._next = Log()
        return self._next

    def __len__(self) -> int:
        """How many entries there are from here on."""
        return sum([len(log.entries) for log in self._followed()])

    def plainly(self) -> list[list[Any]]:
        """All entries from here on, as plain data holds them."""
        return [list(entry) for log in self._followed() for entry in log.entries]

    def _followed(self) -> Iterator[Log]:
        log: Log | None = self
        while log is not None:
            yield log
            log = log._next


@final
class Again:
    """An upstream whose last chunk can be taken again, to go on in its middle.

    Args:
      upstream: where the chunks come from.
      wanted: whether a snapshot is wanted.
    """

    __slots__ = ("_before", "_large", "_last", "_upstream", "_wanted", "due")

    def __init__(self, upstream: Any, wanted: Wanted) -> None:
        self._upstream = upstream
        self._wanted = wanted
        self._before: Saved | None = None
        self._last = 0
        self._large = True  # whether the last that might have been was
        self.due = 0
        """Examples that are to be dropped before anything is given: `settle` does that. [examples]"""

    def may_pour(self, pourer: Any) -> bool:
        """Whether examples may come another way than this: past it nothing is noted for a snapshot that is wanted."""
        return not self._wanted.on or bool(pourer.notes_lasts)

    @property
    def wanted(self) -> bool:
        """Whether a snapshot is wanted."""
        return self._wanted.on

    def take(self, n: int, *, all_used: bool = False) -> Chunk:
        """As upstream's own; `all_used` says that nothing will be left of it whenever a snapshot is taken."""
        if self.due:
            rest = self.settle()
            if rest is not None:
                return rest
        # A run of columns may be all that there is: when a snapshot is wanted it has been taken long since.
        wanted = self._wanted.on or (n >= LARGE and self._large)
        self._before = noted(self._upstream) if wanted and not all_used else None
        chunk: Chunk = self._upstream.take(n)
        self._last = chunk.count
        if n >= LARGE:
            self._large = chunk.count >= LARGE
        return chunk

    def settle(self) -> Chunk | None:
        """Drops what was given before the state was taken, if that was not done yet; gives an error behind it."""
        if not self.due:
            return None
        count, self.due = self.due, 0
        return drop(self._upstream, count)

    def snapshot(self, left: int) -> Saved:
        """Where upstream stood when so many examples of its last chunk, all at its end, were not given yet."""
        if self.due:
            return {"of": self._upstream.snapshot(), "given": self.due}
        if not left:
            return {"of": self._upstream.snapshot(), "given": 0}
        if self._before is None or left > self._last:
            raise Unsettled
        return {"of": self._before, "given": self._last - left}

    def restore(self, saved: Saved) -> None:
        """Goes on from there; what was given is dropped when something is first taken."""
        self._upstream.restore(saved["of"])
        self.due = int(saved["given"])


@final
class Trail:
    """A stage, where it stood once, and how much it has given since.

    Args:
      stage: the stage.
      skips: what is skipped there from its beginning on.
    """

    __slots__ = ("_place", "_skips", "_stage", "due", "since")

    def __init__(self, stage: Any, skips: Sequence[SkipLog] = ()) -> None:
        self._stage = stage
        self._skips = skips
        self._place: Saved | None = None
        self.due = 0
        """Examples that are to be dropped before anything is given: `settle` does that. [examples]"""
        self.since = 0
        """Given since the last mark. [examples]"""

    def mark(self) -> None:
        """Notes where the stage stands now, if that can be told."""
        place = noted(self._stage)
        if place is not None:
            self.set(place)

    def set(self, place: Saved) -> None:
        """Notes where it stood just now."""
        self._place, self.since, self._skips = place, 0, ()

    def snapshot(self, held: int) -> Saved:
        """The place that was noted last, and how many were given since, but for the last `held`."""
        place = {"of": self._place, "given": self.since - held}
        return {**place, "skips": list(self._skips)} if self._skips and self._place is None else place

    def restore(self, saved: Saved) -> None:
        """Goes on from there; what was given since is dropped when something is first taken."""
        self._place, self.since = saved["of"], int(saved["given"])
        if self._place is not None:
            self._stage.restore(self._place)
        self.due = self.since

    def settle(self) -> Chunk | None:
        """Drops what was given before, if that was not done yet; gives an error behind it."""
        if not self.due:
            return None
        count, self.due = self.due, 0
        return drop(self._stage, count)


def noted(stage: Any) -> Saved | None:
    """Where a stage stands, if that can be told now."""
    try:
        saved: Saved = stage.snapshot()
    except Unsettled:
        return None
    return saved


def drop(stage: Any, count: int) -> Chunk | None:
    """Takes examples and drops them; gives the error behind them, if they came with it, or that there are not so many."""
    left = count
    while left > 0:
        chunk: Chunk = stage.take(left)
        left -= chunk.count
        if left and (chunk.count == 0 or chunk.error is not None):
            if isinstance(chunk.error, StateError):  # of the source, which knows more
                return Chunk([], END.tickets, error=chunk.error)
            error = StateError(mismatch(f"{count} examples again, as when the state was taken", f"{count - left}"))
            error.__cause__ = chunk.error
            return Chunk([], END.tickets, error=error)
        if chunk.error is not None:
            return chunk.cut(chunk.count)[1]
    return None


def packed_tickets(tickets: Tickets) -> Saved:
    """Tickets as a snapshot holds them: each number of theirs once where it is the same for all, else as an array."""
    table = tickets.table()
    return {"n": len(table), "columns": [packed(column) for column in table.T]}


def packed(numbers: Any) -> Any:
    """Whole numbers as a snapshot holds them: one, where all are the same; else as narrow an array as will do."""
    column = np.asarray(numbers, np.int64)
    if not len(column):
        return 0
    low, high = int(column.min()), int(column.max())
    if low == high:
        return low
    span = high - low
    width = "u1" if span < 1 << 8 else "u2" if span < 1 << 16 else "u4" if span < 1 << 32 else "u8"
    return {"from": low, "more": (column - low).astype(width)}


def unpacked(saved: Any, count: int) -> Numbers:
    """Whole numbers that were packed: int64[count].

    Raises:
      StateError: there are not as many.
    """
    if not isinstance(saved, dict):
        return np.full(count, int(saved), np.int64)
    if len(saved["more"]) != count:
        raise StateError(mismatch(f"{count} numbers", f"{len(saved['more'])}", at="open(state)"))
    numbers: Numbers = np.asarray(saved["more"]).astype(np.int64) + int(saved["from"])
    return numbers


def numbers(values: Any, *, count: int | None = None, below: int | None = None) -> Numbers:
    """Whole numbers of at least 0, as a snapshot holds them in plain: int64[n].

    Raises:
      StateError: they are none, not `count`, or not all smaller than `below`.
    """
    array = np.array(values)
    whole = array.ndim == 1 and (array.dtype.kind in "iub" or not len(array))
    if not whole or (count is not None and len(array) != count):
        raise StateError(
            mismatch(f"{'' if count is None else f'{count} '}whole numbers", f"`{values!r}`"[:80], at="open(state)")
        )
    if len(array) and (array.min() < 0 or (below is not None and array.max() >= below)):
        raise StateError(mismatch(f"numbers of 0 to {below}", f"{array.min()} to {array.max()}", at="open(state)"))
    return array.astype(np.int64)


def counted(saved: Saved, name: str) -> int:
    """A number of things that a snapshot holds.

    Raises:
      StateError: it is below 0, or there are no so many things.
    """
    count = int(saved[name])
    if not 0 <= count < 1 << 62:
        raise StateError(mismatch(f"`{name}` to be at least 0, and no such number", f"{count}", at="open(state)"))
    return count


def figures(values: Any, *, like: Any = None) -> Any:
    """Numbers in an array of one dimension, as a snapshot holds them in plain.

    Args:
      values: the numbers.
      like: an array of as many; `None` where any number will do.

    Raises:
      StateError: they are none, or not as many.
    """
    array = np.array(values)
    if array.ndim != 1 or (len(array) and array.dtype.kind not in "biuf"):
        raise StateError(mismatch("a list of numbers", f"`{values!r}`"[:80], at="open(state)"))
    if like is not None and len(array) != len(like):
        raise StateError(mismatch(f"{len(like)} numbers", f"{len(array)}", at="open(state)"))
    return array


def unpacked_tickets(saved: Saved) -> Tickets:
    """Tickets that were packed.

    Raises:
      StateError: they are none.
    """
    count, columns = int(saved["n"]), saved["columns"]
    if len(columns) != len(Ticket._fields):
        raise StateError(mismatch(f"tickets of {len(Ticket._fields)} numbers", f"{len(columns)}", at="open(state)"))
    # Before memory is taken for the columns that are alike, of which any count would do.
    counts = {len(column["more"]) for column in columns if isinstance(column, dict)}
    if count > 1 and counts != {count}:
        raise StateError(mismatch(f"tickets that differ, {count}", f"{sorted(counts)}", at="open(state)"))
    table: Table = np.column_stack([unpacked(column, count) for column in columns])
    return listed_tickets(table)
