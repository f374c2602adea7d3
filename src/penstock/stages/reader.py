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

from penstock.chunk import END, Chunk, Columns
from penstock.errors import SourceError, SpecError, mismatch, placed
from penstock.plan import Source
from penstock.stages.mending import Mending
from penstock.structure import LEAF, Structure
from penstock.ticket import Ticket, item_tickets, turn_tickets

__all__ = ["RowReader", "RunReader", "place_of", "place_of_ticket"]

_ENDED = object()

CHECK_EVERY = 1024
"""Whoever reads again what was read before looks up each so many examples, to hear of a stop. [examples]"""


def place_of(offset: int, stream: int, label: str, what: str = "example") -> str:
    """Names an example in a message: `example 118 of source 2 ('read')`."""
    return f"{what} {offset} of source {stream} ({label!r})"


def place_of_ticket(ticket: Ticket, labels: Sequence[str]) -> str:
    """Names an example by its ticket: as `place_of`, or the row of the user's chunk that it came in."""
    what = f"row {ticket.row} of item" if ticket.row else "example"
    return place_of(ticket.offset, ticket.stream, labels[ticket.stream], what)


class _Opening:
    """Opens a source, copies its items if it refills them, and goes on behind an error where that is asked for.

    An error for which there is a policy stands at its place until somebody takes: what was pulled before it is given first.
    """

    def __init__(
        self,
        source: Source,
        stream: int,
        *,
        epoch: int,
        copy: bool | None = None,
        label: str | None = None,
        mending: Mending | None = None,
    ) -> None:
        self.source = source
        self._mending = mending
        self._fault: BaseException | None = None
        self._doubt: BaseException | None = None
        self._skipped = 0
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
        self.counted: Callable[[], int] | None = None
        """Counts the items while a merge pulls the iterator itself."""

    def opened(self) -> Iterator[Any]:
        """The iterator behind the stream, opened if it was not."""
        if self._iterator is None:
            lasting = (
                getattr(self.source, "lasting", None) if self._mending is not None and self._mending.skips else None
            )
            iterator = (self.source.open if lasting is None else lasting)(self.epoch)
            self._iterator = map(_copied, iterator) if self._copy else iterator
            self._raw = iterator
        return self._iterator

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
            self._iterator, self._copy = map(_copied, self.opened()), True
            return _copied(item)
        return item

    def failed(self, error: BaseException, offset: int, what: str = "example") -> BaseException | None:
        """The error with its place noted, after which nothing more is read; `None` where it is to be mended."""
        error = placed(error, f"reading {place_of(offset, self.stream, self.label, what)}")
        if self._mending is not None and isinstance(error, Exception):
            self._fault = error
            return None
        self._over = True
        return error

    # Errors that are to be mended.

    def _mended(self, offset: int) -> BaseException | None:
        """Deals with the error that stands here: reads on from an anew opened source, or behind the example.

        Gives `None`, or the error that nothing helps against.
        """
        mending, error = self._mending, self._fault
        assert mending is not None and error is not None, "an error stands only where there is a policy"
        self._fault = None
        ticket = Ticket(self.stream, self.epoch, offset)
        if self.source.once is not None and mending.retries:
            error.add_note(
                "penstock: it was not tried again, since the source can be opened only once: pass a callable"
            )
        while self.source.once is None and mending.begin_attempt(ticket):
            try:
                self._reopen(offset)
            except Exception as again:
                error = placed(again, f"opening source {self.stream} ({self.label!r}) again")
            else:
                return None
        # What cannot be opened, or not read up to here again, has no place behind the example to go on from.
        raised = mending.told(error) if self._iterator is None else mending.skipped(ticket, error)
        if raised is not None:
            self._over = True
            return raised
        self._skipped += 1
        lasts = getattr(self._raw, "lasts", getattr(self.source, "lasts", False))
        self._doubt = None if lasts else error
        return None

    def _reopen(self, offset: int) -> None:
        """Opens the source anew, and reads up to where it was."""
        raw, self._iterator, self._raw = self._raw, None, None
        self._doubt = None
        close = getattr(raw, "close", None)
        if close is not None:
            close()
        self.opened()
        try:
            self._catch_up(self._raw, offset)
        except BaseException:
            self._iterator = None
            raise

    def _catch_up(self, raw: Any, offset: int) -> None:
        """Reads again what was given, or skipped, before."""
        assert self._mending is not None, "only where there is a policy"
        at = 0
        while at < offset:
            if at % CHECK_EVERY == 0:
                self._mending.pauses.check()
            try:
                item = next(raw, _ENDED)
            except Exception:
                if not self._mending.ledger.has(Ticket(self.stream, self.epoch, at)):
                    raise
                at += 1
                continue
            if item is _ENDED:
                got = f"{at}, and its end"
                raise SourceError(
                    mismatch(f"the {offset} examples that it had given", got, at=f"source {self.label!r}")
                )
            at = self._passed(item, at, offset)

    def _passed(self, item: Any, at: int, offset: int) -> int:
        """Where the source is behind an item that was read again."""
        return at + 1

    def _ended(self, offset: int) -> BaseException | None:
        """What the end means: nothing, unless it comes right behind an error that was to be skipped."""
        self._over = True
        error, self._doubt = self._doubt, None
        if error is None or self._mending is None or self.source.length() == offset:
            return None
        self._mending.ledger.take_back()
        self._skipped -= 1
        error.add_note(
            "penstock: it was to be skipped, but the source ended there. A generator ends where it raises: skip the "
            "example within it, or pass an iterator class, or a data set that is read by index"
        )
        return error

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
      mending: what is done about errors; `None` raises them.
    """

    def take(self, n: int) -> Chunk:
        """Pulls n examples, or fewer at the end or before an error."""
        rows: list[Any] = []
        error = self._met() if self._fault is not None else None
        while not self._over:
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
        return Chunk(rows, tickets, error=error)

    def _met(self) -> BaseException | None:
        """Deals with the error that stands here."""
        before = self._skipped
        error = self._mended(self.offset)
        self.offset += self._skipped - before
        return error

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
        return (self.offset if counted is None else counted()) - self._skipped

    @property
    def direct(self) -> Iterator[Any] | None:
        """The iterator that gives the next examples, if nothing remains to be found out about it."""
        if self._seen < 2 or self._over or self._fault is not None or self._doubt is not None:
            return None
        return self._iterator


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
        self.given = 0
        """Examples read so far. [examples]"""
        if source.blocks:
            self._seen = 2

    def take(self, n: int) -> Chunk:
        """Gives rows of the run at hand, and reads the next run only if there is none."""
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
        self._doubt = None
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

    def _met(self) -> BaseException | None:
        """Deals with the error that stands here."""
        before = self._skipped
        error = self._mended(self.offset if self._items else self._row)
        if self._items:
            self.offset += self._skipped - before
        else:
            self._row += self._skipped - before
        return error

    def _passed(self, item: Any, at: int, offset: int) -> int:
        """Behind a user's chunk, or the rows of a run; what lies beyond the place is kept."""
        if self._items:
            return at + 1
        if at + len(item) > offset:
            self._run, self._at = item, offset - at
            self.given += at + len(item) - offset
        return at + len(item)

    def _next_run(self) -> Columns | list[Any] | None:
        while not self._over:
            iterator = self.opened()
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

    def _columns(self, item: Any) -> Columns:
        try:
            return Columns.of(item)
        except SpecError as error:
            raise SpecError(f"{error} of {place_of(self.offset, self.stream, self.label, 'item')}") from None


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
