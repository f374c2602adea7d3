"""Pulls a source: the first stage of every chain.

Guarantees
  Each item gets its ticket, counted as the source yielded it.
  An array that the source refills and yields again is copied before the next pull: a stream's first item is always a copy,
  and where the second shares memory with the first, every item is copied.
Assumes
  One puller at a time. The source is opened by whoever pulls first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, final

import numpy as np

from penstock.checksum import checksum
from penstock.chunk import END, Chunk, Columns
from penstock.errors import SpecError, StateError, mismatch, placed
from penstock.plan import Source
from penstock.sources.position import Marks, opened_at, scans, state_of, too_short
from penstock.stages.snapshot import Saved
from penstock.structure import LEAF, Structure
from penstock.ticket import Numbers, Ticket, Tickets, item_tickets, turn_tickets

__all__ = ["NOTHING", "RowReader", "RunReader", "place_of", "place_of_ticket"]

_ENDED = object()
NOTHING = object()
"""Stands for an item that is not known."""


def place_of(offset: int, stream: int, label: str, what: str = "example") -> str:
    """Names an example in a message: `example 118 of source 2 ('read')`."""
    return f"{what} {offset} of source {stream} ({label!r})"


def place_of_ticket(ticket: Ticket, labels: Sequence[str]) -> str:
    """Names an example by its ticket: as `place_of`, or the row of the user's chunk that it came in."""
    what = f"row {ticket.row} of item" if ticket.row else "example"
    return place_of(ticket.offset, ticket.stream, labels[ticket.stream], what)


class _Opening:
    """Opens a source, and copies its items if it refills them."""

    def __init__(
        self, source: Source, stream: int, *, epoch: int, copy: bool | None = None, label: str | None = None
    ) -> None:
        self.source = source
        self.stream = stream
        self.label = source.label if label is None else label
        self.epoch = epoch
        self.offset = 0
        """Items pulled so far. [items]"""
        self._iterator: Iterator[Any] | None = None
        self._raw: Iterator[Any] | None = None
        self._first: list[Any] | None = None
        self._seen = 2 if copy is not None or source.waits is False else 0
        self._copy = copy
        self._over = False
        self._from: Any = None
        self.last: Any = NOTHING
        """The item that was pulled last, where that is known."""
        self._known: int | None = None  # its checksum, after a restore
        self.counted: Callable[[], int] | None = None
        """Counts the items while a merge pulls the iterator itself."""

    def opened(self) -> Iterator[Any]:
        """The iterator behind the stream, opened if it was not."""
        if self._iterator is None:
            iterator = self._opened()
            self._iterator = map(_copied, iterator) if self._copy else iterator
            self._raw = iterator
        return self._iterator

    def _opened(self) -> Iterator[Any]:
        """Opens the source where it is to go on, after a look at the item before that."""
        known, self._known = self._known, None
        if known is None or self._from is not None or not self.offset:
            return opened_at(self.source, self.epoch, self.offset, self._from)
        iterator = opened_at(self.source, self.epoch, self.offset - 1)
        item = next(iterator, NOTHING)
        if item is NOTHING:
            raise too_short(self.label, self.offset)
        self.check_same(item, known, self.offset - 1)
        return iterator

    def check_same(self, item: Any, known: int, offset: int) -> None:
        """Sees to it that an item is what it was.

        Raises:
          StateError: it is another.
        """
        if checksum(item) != known:
            at = place_of(offset, self.stream, self.label)
            do = "resuming asks for a source that gives the same examples each time"
            raise StateError(mismatch("the example that it gave when the state was taken", "another", at=at, do=do))

    def watched(self) -> Any:
        """One of the first two items, copied if the source may refill it; `_ENDED` at the end."""
        item = next(self.opened(), _ENDED)
        if item is _ENDED:
            return item
        self._seen += 1
        if self._first is None:
            self._first = _arrays(item)
            return _copied(item)
        refilled = any(_shared(one, two) for one, two in zip(self._first, _arrays(item), strict=False))
        self._first = None
        if refilled:
            self._iterator = map(_copied, self.opened())
            return _copied(item)
        return item

    def failed(self, error: BaseException, offset: int, what: str = "example") -> BaseException:
        """The error with its place noted; nothing more is read."""
        self._over = True
        return placed(error, f"reading {place_of(offset, self.stream, self.label, what)}")

    @property
    def scans(self) -> bool:
        """Whether its source is read from its start to get to a place."""
        told = self._raw is not None and hasattr(self._raw, "load_state_dict")
        return not told and scans(self.source, self._from) and not hasattr(self._raw, "skip")

    def _state(self) -> Any:
        """Where the source stands by its own word, if it has one."""
        return self._from if self._raw is None else state_of(self._raw)

    def _recalled(self, epoch: int, places: Numbers) -> list[Any]:
        """The items at ascending places of a pass, copied, since a source may refill them."""
        fetch = getattr(self.source, "fetch", None)
        if fetch is not None:
            items: list[Any] = fetch(epoch, places.tolist())
            return items
        iterator = self.source.open(epoch)
        try:
            found, at = [], 0
            for place in places.tolist():
                item = next(islice(iterator, place - at, None), _ENDED)
                if item is _ENDED:
                    raise too_short(self.label, place + 1)
                found.append(_copied(item))
                at = place + 1
            return found
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    @property
    def recalls(self) -> bool:
        """Whether it can give examples again by their tickets."""
        return True

    def close(self) -> None:
        """Closes a generator or file that is open."""
        self._over = True
        raw, self._iterator, self._raw = self._raw, iter(()), None
        close = getattr(raw, "close", None)
        if close is not None:
            close()


@final
class RowReader(_Opening):
    """Reads the examples of a source one by one.

    Args:
      source: what is read; it yields examples.
      stream: its number in the pipeline.
      epoch: which pass.
      copy: whether to copy each example; `None` finds out.
      label: what the source is called in messages, if not by its own label.
    """

    def take(self, n: int) -> Chunk:
        """Pulls n examples, or fewer at the end or before an error."""
        rows: list[Any] = []
        error = None
        if not self._over:
            try:
                iterator = self.opened()
                while self._seen < 2 and len(rows) < n:
                    item = self.watched()
                    if item is _ENDED:
                        break
                    rows.append(item)
                else:
                    iterator = self.opened()
                if len(rows) < n:
                    rows.extend(islice(iterator, n - len(rows)))
            except BaseException as raised:
                error = self.failed(raised, self.offset + len(rows))
        if not rows and error is None:
            self._over = True
            return END
        tickets = turn_tickets((self.stream,), self.epoch, (self.offset,), 0, len(rows))
        self.offset += len(rows)
        self.last = rows[-1] if rows else NOTHING
        return Chunk(rows, tickets, error=error)

    def snapshot(self) -> Saved:
        """How much it has read, and where its source says that it stands."""
        last = self._known if self.last is NOTHING else checksum(self.last)
        return {
            "epoch": self.epoch,
            "offset": self.given,
            "over": self._over,
            "source": self._state(),
            "last": last if self._raw is None or self.last is not NOTHING else None,
        }

    def restore(self, saved: Saved) -> None:
        """Goes on behind as many examples."""
        self.epoch, self.offset, self._from = int(saved["epoch"]), int(saved["offset"]), saved["source"]
        self._over, self._known = bool(saved["over"]), saved["last"]

    def recall(self, tickets: Tickets) -> list[Any]:
        """Reads examples again, by index where that goes, else from the start of their pass."""
        return by_epoch(tickets, 2, self._recalled)

    again = False
    """Whether another pass follows its end: of `repeat` alone."""

    @property
    def reader(self) -> RowReader | None:
        """What is read now: itself."""
        return self

    def end(self) -> None:
        """Hears that its iterator, which somebody else pulled, has ended."""
        self._over = True

    @property
    def given(self) -> int:
        """Examples read so far. [examples]"""
        counted = self.counted
        return self.offset if counted is None else counted()

    @property
    def direct(self) -> Iterator[Any] | None:
        """The iterator that gives the next examples, if nothing remains to be found out about it."""
        return self._iterator if self._seen >= 2 and not self._over else None


@final
class RunReader(_Opening):
    """Reads runs of examples: the blocks of an array or file, or a user's chunks.

    A turn of a user's chunk is the whole chunk, and its end is marked; of a block it is a row.

    Args:
      source: what is read.
      stream: its number in the pipeline.
      epoch: which pass.
      items: whether each item is a user's chunk (`enqueue_many`).
      copy: whether to copy each item; `None` finds out.
      label: what the source is called in messages, if not by its own label.
    """

    def __init__(
        self,
        source: Source,
        stream: int,
        *,
        epoch: int,
        items: bool,
        copy: bool | None = None,
        label: str | None = None,
    ) -> None:
        super().__init__(source, stream, epoch=epoch, copy=copy, label=label)
        self._items = items
        self._run: Columns | list[Any] | None = None
        self._at = 0
        self._row = 0
        self._skip = 0
        self._known_row: int | None = None
        self._before: Any = None
        self._marks = Marks()
        self.given = 0
        """Examples read so far. [examples]"""
        if source.blocks:
            self._seen = 2

    def take(self, n: int) -> Chunk:
        """Gives rows of the run at hand, and reads the next run only if there is none."""
        run = self._run
        if run is None:
            try:
                run = self._next_run()
            except BaseException as raised:
                offset, what = (self.offset, "item") if self._items else (self._row, "example")
                return Chunk([], END.tickets, error=self.failed(raised, offset, what))
            if run is None:
                self._over = True
                return END
            if self._skip:
                self._at, self._skip = self._skip, 0
                if self._at > len(run):
                    raise too_short(self.label, self._at)
                known, self._known_row = self._known_row, None
                if known is not None:
                    self.check_same(_row(run, self._at - 1), known, self.offset)
                self._row += 0 if self._items else self._at
        start, stop, count = self._at, self._at + n, len(run)
        last = stop >= count
        if last:
            stop = count
        if self._items:
            tickets = item_tickets(self.stream, self.epoch, self.offset - 1, start, stop - start)
        else:
            tickets = turn_tickets((self.stream,), self.epoch, (self._row,), 0, stop - start)
            self._row += stop - start
        self._run, self._at = (None, 0) if last else (run, stop)
        end = last or not self._items
        if isinstance(run, Columns):
            return Chunk(None, tickets, columns=run if last and start == 0 else run.cut(start, stop), item_end=end)
        return Chunk(run[start:stop], tickets, item_end=end)

    def _next_run(self) -> Columns | list[Any] | None:
        while not self._over:
            iterator = self.opened()
            self._before = self._state()
            if self._before is not None and self._marks.wants(self._row):
                self._marks.add(self._row, self._before)
            item: Any = self.watched() if self._seen < 2 else next(iterator, _ENDED)
            if item is _ENDED:
                return None
            run: Columns | list[Any] = self._columns(item) if self._items else item
            count = len(run)
            self.offset += 1
            self.given += count
            if count:
                return run
        return None

    def snapshot(self) -> Saved:
        """How many runs it has read, and how much of the last it has given."""
        run = self._run
        within = run is not None
        return {
            "epoch": self.epoch,
            "offset": self.offset - within,
            "at": self._at if within else self._skip,
            "row": self._row - (self._at if within and not self._items else 0),
            "given": self.given - (len(run) if run is not None else 0),
            "over": self._over,
            "source": self._before if within else self._state(),
            "marks": self._marks.state(),
            "last": checksum(_row(run, self._at - 1)) if run is not None and self._at else self._known_row,
        }

    def restore(self, saved: Saved) -> None:
        """Goes on in the middle of as manieth a run."""
        self.epoch, self.offset, self._from = int(saved["epoch"]), int(saved["offset"]), saved["source"]
        self._row, self._over, self.given = int(saved["row"]), bool(saved["over"]), int(saved["given"])
        self._marks.restore(saved["marks"])
        self._skip, self._known_row = int(saved["at"]), saved["last"]

    def recall(self, tickets: Tickets) -> list[Any]:
        """Reads rows again: of a user's chunks by chunk and row, of blocks by the number of the row."""
        if not self._items:
            return by_epoch(tickets, 2, self._rows_recalled)
        table = tickets.table()
        chunks, which = np.unique(table[:, 1:3], axis=0, return_inverse=True)
        runs: list[list[Any]] = []
        for epoch in np.unique(chunks[:, 0]).tolist():
            places = chunks[chunks[:, 0] == epoch, 1]
            runs += [self._columns(item).rows() for item in self._recalled(epoch, places)]
        return [runs[run][row] for run, row in zip(which.reshape(-1).tolist(), table[:, 3].tolist(), strict=True)]

    def _rows_recalled(self, epoch: int, places: Numbers) -> list[Any]:
        """The examples at ascending places of a pass over blocks."""
        fetch = getattr(self.source, "fetch", None)
        if fetch is not None:
            rows: list[Any] = fetch(epoch, places.tolist())
            return rows
        first, state = self._marks.before(int(places[0])) if epoch == self.epoch else (0, None)
        blocks = opened_at(self.source, epoch, 0, state)
        found: list[Any] = []
        try:
            for block in blocks:
                inside = places[len(found) : np.searchsorted(places, first + len(block))] - first
                if len(inside):
                    rows = block.select(inside).rows() if isinstance(block, Columns) else [block[i] for i in inside]
                    found += rows
                first += len(block)
                if len(found) == len(places):
                    return found
        finally:
            close = getattr(blocks, "close", None)
            if close is not None:
                close()
        raise too_short(self.label, int(places[-1]) + 1)

    def _columns(self, item: Any) -> Columns:
        try:
            return Columns.of(item)
        except SpecError as error:
            raise SpecError(f"{error} of {place_of(self.offset, self.stream, self.label, 'item')}") from None


def by_epoch(tickets: Tickets, column: int, read: Callable[[int, Numbers], list[Any]]) -> list[Any]:
    """Reads examples epoch by epoch, each once and in the order of a stream, and gives them in that of the tickets.

    Args:
      tickets: of one stream.
      column: of the ticket's table, which tells the place in an epoch.
      read: gives the examples at ascending places of an epoch.
    """
    table = tickets.table()
    out: list[Any] = [None] * len(table)
    for epoch in np.unique(table[:, 1]).tolist():
        which = np.flatnonzero(table[:, 1] == epoch)
        places, inverse = np.unique(table[which, column], return_inverse=True)
        rows = read(epoch, places)
        for where, place in zip(which.tolist(), inverse.tolist(), strict=True):
            out[where] = rows[place]
    return out


def _row(run: Columns | list[Any], place: int) -> Any:
    """An example of a run."""
    return run.cut(place, place + 1).rows()[0] if isinstance(run, Columns) else run[place]


def _arrays(item: Any) -> list[Any]:
    if type(item) is tuple and all([isinstance(part, (np.ndarray, np.generic, int, float)) for part in item]):
        return [part for part in item if isinstance(part, np.ndarray)]
    return [
        leaf for leaf in Structure.of(item).leaves(item) if isinstance(leaf, np.ndarray) or hasattr(leaf, "data_ptr")
    ]


def _shared(one: Any, two: Any) -> bool:
    if isinstance(one, np.ndarray) and isinstance(two, np.ndarray):
        return np.may_share_memory(one, two)
    if hasattr(one, "data_ptr") and hasattr(two, "data_ptr"):
        return bool(one.data_ptr() == two.data_ptr())
    return False


def _copied(item: Any) -> Any:
    """The item with its arrays copied."""
    kind = type(item)
    if kind is tuple:
        return tuple([_copied(part) for part in item])
    if kind is dict:
        return {key: _copied(part) for key, part in item.items()}
    structure = Structure.of(item)
    return (
        _copied_leaf(item)
        if structure is LEAF
        else structure.build([_copied_leaf(leaf) for leaf in structure.leaves(item)])
    )


def _copied_leaf(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray):
        return leaf.copy()
    return leaf.clone() if hasattr(leaf, "data_ptr") and hasattr(leaf, "clone") else leaf
