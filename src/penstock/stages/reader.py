"""Pulls a source: the first stage of every chain.

Guarantees
  Each item gets its ticket, counted as the source yielded it.
Assumes
  One puller at a time. The source is opened by whoever pulls first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, final

import numpy as np

from penstock.checksum import checksum
from penstock.chunk import END, Chunk, Columns
from penstock.errors import SpecError, StateError
from penstock.plan import Source
from penstock.sources.position import opened_at, too_short
from penstock.stages.mending import Mending
from penstock.stages.opening import ENDED, NOTHING, Opening, place_of, place_of_ticket
from penstock.stages.snapshot import Saved, counted
from penstock.ticket import Numbers, Ticket, Tickets, item_tickets, turn_tickets

__all__ = ["NOTHING", "RowReader", "RunReader", "place_of", "place_of_ticket"]


@final
class RowReader(Opening):
    """Reads the examples of a source one by one.

    Args:
      source: what is read; it yields examples.
      stream: its number in the pipeline.
      epoch: which pass.
      copy: whether to copy each example; `None` finds out.
      label: what the source is called in messages, if not by its own label.
      mending: what is done about errors; `None` raises them.
    """

    def take(self, n: int) -> Chunk:
        """Pulls n examples, or fewer at the end or before an error."""
        rows: list[Any] = []
        error = self._met() if self._fault is not None else None
        while not self._over:
            most = self._before_known(n) if self._knows_beyond else n
            try:
                iterator = self.opened()
                while self._seen < 2 and len(rows) < most:
                    item = self.watched()
                    if item is ENDED:
                        break
                    rows.append(item)
                else:
                    iterator = self.opened()
                if len(rows) < most:
                    rows.extend(islice(iterator, most - len(rows)))
            except BaseException as raised:
                error = self.failed(raised, self.offset + len(rows))
            if rows or self._fault is None:
                break
            error = self._met()
        if rows:
            self._doubt = None
        elif error is None:
            error = self._ended(self.offset)
            if error is None:
                return END
        tickets = turn_tickets((self.stream,), self.epoch, (self.offset,), 0, len(rows))
        self.offset += len(rows)
        self.last = rows[-1] if rows else NOTHING
        return Chunk(rows, tickets, error=error)

    @property
    def _knows_beyond(self) -> bool:
        its = self._mending
        return its is not None and its.ledger.knows_beyond(self.stream, self.epoch, self.offset)

    def _before_known(self, n: int) -> int:
        """Passes those that are to be skipped unread and stand here; gives how many can be pulled before the next."""
        assert self._mending is not None, "only where there is a policy"
        self._pass_known(self._mending)
        known = self._mending.is_known
        ahead = (at for at in range(n) if known(Ticket(self.stream, self.epoch, self.offset + at)))
        return next(ahead, n) or n

    def _met(self) -> BaseException | None:
        """Deals with the error that stands here."""
        before = self._skipped
        error = self._mended(self.offset)
        self.offset += self._skipped - before
        return error

    def snapshot(self) -> Saved:
        """How much it has read, and where its source says that it stands."""
        last = self._known if self.last is NOTHING else checksum(self.last)
        position, state = self.position, self._state()
        if state is not None and self._marks.wants(position):
            self._marks.add(position, state)
        return {
            "epoch": self.epoch,
            "offset": position,
            "skipped": self._skipped,
            "over": self._over,
            "source": state,
            "last": last if self._raw is None or self.last is not NOTHING else None,
            **({} if state is None else {"marks": self._marks.state()}),
            "skips": self._mending.mark() if self._mending is not None else None,
        }

    def restore(self, saved: Saved) -> None:
        """Goes on behind as many examples."""
        self.epoch, self.offset, self._from = counted(saved, "epoch"), counted(saved, "offset"), saved["source"]
        self._over, self._known, self._skipped = bool(saved["over"]), saved["last"], counted(saved, "skipped")
        if "marks" in saved:
            self._marks.restore(saved["marks"])

    def recall(self, tickets: Tickets) -> list[Any]:
        """Reads examples again: by index, from a place that the source told of itself, or from the start of their pass."""
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
    def position(self) -> int:
        """Items pulled so far, those that were skipped included. [items]"""
        counted = self.counted
        return self.offset if counted is None else counted()

    @property
    def given(self) -> int:
        """Examples read so far. [examples]"""
        return self.position - self._skipped

    @property
    def direct(self) -> Iterator[Any] | None:
        """The iterator that gives the next examples, if nothing remains to be found out about it."""
        if self._seen < 2 or self._over or self._fault is not None or self._doubt is not None or self._knows_beyond:
            return None
        return self._iterator


@final
class RunReader(Opening):
    """Reads runs of examples: the blocks of an array or file, or a user's chunks.

    A turn of a user's chunk is the whole chunk, and its end is marked; of a block it is a row.

    Args:
      source: what is read.
      stream: its number in the pipeline.
      epoch: which pass.
      items: whether each item is a user's chunk (`enqueue_many`).
      copy: whether to copy each item; `None` finds out.
      label: what the source is called in messages, if not by its own label.
      mending: what is done about errors; `None` raises them.
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
        mending: Mending | None = None,
    ) -> None:
        super().__init__(source, stream, epoch=epoch, copy=copy, label=label, mending=mending)
        self._items = items
        self._run: Columns | list[Any] | None = None
        self._at = 0
        self._row = 0
        self._skip = 0
        self._known_row: int | None = None
        self._before: Any = None
        self._settled: Iterator[Any] | None = None
        """The iterator of the user's chunks, once nothing is to be found out of it, and nothing to be noted."""
        self.given = 0
        """Examples read so far. [examples]"""
        if source.blocks:
            self._seen = 2

    def take(self, n: int) -> Chunk:
        """Gives rows of the run at hand, and reads the next run only if there is none."""
        run = self._run
        if run is None and self._settled is not None:
            whole = self._whole(self._settled, n)
            if whole is not None:
                return whole
            run = self._run
        while run is None:
            error = self._met() if self._fault is not None else None
            if error is None:
                try:
                    run = self._run or self._next_run()
                except BaseException as raised:
                    offset, what = (self.offset, "item") if self._items else (self._row, "example")
                    error = self.failed(raised, offset, what)
                    if error is None:
                        continue
                else:
                    error = self._ended(self.offset if self._items else self._row) if run is None else None
                    if run is None and error is None:
                        return END
            if error is not None:
                return Chunk([], END.tickets, error=error)
            if self._skip and run is not None:
                self._at, self._skip = self._skip, 0
                known, self._known_row = self._known_row, None
                try:
                    if self._at > len(run):
                        raise too_short(self.label, self._at)
                    if known is not None:
                        self.check_same(_row(run, self._at - 1), known, self.offset)
                except StateError as raised:
                    self._over = True
                    return Chunk([], END.tickets, error=raised)
                self._row += 0 if self._items else self._at
        self._doubt = None
        start, stop, count = self._at, self._at + n, run.count if isinstance(run, Columns) else len(run)
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

    def _whole(self, settled: Iterator[Any], n: int) -> Chunk | None:
        """The next of the user's chunks, the end, or the error there; `None` if the chunk is not to be given at once."""
        try:
            item = next(settled, ENDED)
            run = self._columns(item) if item is not ENDED else None
        except BaseException as raised:
            return Chunk([], END.tickets, error=self.failed(raised, self.offset, "item"))
        if run is None:
            self._over = True
            return END
        count, offset = run.count, self.offset
        self.offset = offset + 1
        self.given += count
        if 0 < count <= n:
            return Chunk(None, item_tickets(self.stream, self.epoch, offset, 0, count), columns=run)
        self._run = run if count else None
        return None

    def _met(self) -> BaseException | None:
        """Deals with the error that stands here."""
        before = self._skipped
        error = self._mended(self.offset if self._items else self._row)
        if self._items:
            self.offset += self._skipped - before
        else:
            self._row += self._skipped - before
        return error

    def _place(self) -> int:
        if self._items:
            return self.offset
        # All rows that were given, those of a run that was begun too: the next time it may be cut otherwise.
        self._row, self.given = self._row + self._skip, self.given + self._skip
        self.offset, self._skip, self._known_row = 0, 0, None
        return self._row

    def _passed(self, item: Any, at: int, place: int) -> int:
        """Behind a user's chunk, or the rows of a run; what lies beyond the place is kept."""
        if self._items:
            return at + 1
        self.offset += 1
        if at + len(item) > place:
            self._run, self._at = item, place - at
            self.given += at + len(item) - place
        return at + len(item)

    def _next_run(self) -> Columns | list[Any] | None:
        while not self._over:
            if self._items and self._mending is not None and self._mending.ledger.knows_any:
                self._pass_known(self._mending)
            iterator = self.opened()
            if self._run is not None:  # reading again has come into the middle of one
                return self._run
            self._before = self._state()
            place = self.offset if self._items else self._row
            if self._before is not None and self._marks.wants(place):
                self._marks.add(place, self._before)
            item: Any = self.watched() if self._seen < 2 else next(iterator, ENDED)
            if item is ENDED:
                return None
            if self._items and self._seen >= 2 and self._mending is None and not hasattr(self._raw, "state_dict"):
                self._settled = self._iterator
            run: Columns | list[Any] = self._columns(item) if self._items else item
            count = run.count if isinstance(run, Columns) else len(run)
            self.offset += 1
            self.given += count
            if count:
                return run
        return None

    def close(self) -> None:
        """Closes a generator or file that is open."""
        self._settled = None
        super().close()

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
            "skips": self._mending.mark() if self._mending is not None else None,
        }

    def restore(self, saved: Saved) -> None:
        """Goes on in the middle of as manieth a run."""
        self.epoch, self.offset, self._from = counted(saved, "epoch"), counted(saved, "offset"), saved["source"]
        self._row, self._over, self.given = counted(saved, "row"), bool(saved["over"]), counted(saved, "given")
        self._marks.restore(saved["marks"])
        self._skip, self._known_row = counted(saved, "at"), saved["last"]

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
