"""Opens a source, and goes on behind its errors: what the readers of single examples and of runs have in common.

Guarantees
  An array that the source refills and yields again is copied before the next pull: a stream's first item is always a copy,
  and where the second shares memory with the first, every item is copied.
  An error for which there is a policy stands at its place until somebody takes: what was pulled before it is given first.
  A source that is opened anew goes on behind what it had given: by its own word, by index, or read again up to there.
  The end right behind an error that was to be skipped is that error, unless the source is known to go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from penstock.checksum import checksum
from penstock.errors import SourceError, StateError, mismatch, placed
from penstock.plan import Source
from penstock.sources.position import Marks, opened_at, scans, state_of, too_short
from penstock.stages.mending import Mending
from penstock.structure import LEAF, Structure, leaves_of
from penstock.ticket import Numbers, Ticket

__all__ = ["ENDED", "NOTHING", "Opening", "place_of", "place_of_ticket"]

ENDED = object()
"""Stands for the end."""
NOTHING = object()
"""Stands for an item that is not known."""
CHECK_EVERY = 1024
"""Whoever reads again what was read before looks up each so many examples, to hear of a stop. [examples]"""


def place_of(offset: int, stream: int, label: str, what: str = "example") -> str:
    """Names an example in a message: `example 118 of source 2 ('read')`."""
    return f"{what} {offset} of source {stream} ({label!r})"


def place_of_ticket(ticket: Ticket, labels: Sequence[str]) -> str:
    """Names an example by its ticket: as `place_of`, or the row of the user's chunk that it came in."""
    what = f"row {ticket.row} of item" if ticket.row else "example"
    return place_of(ticket.offset, ticket.stream, labels[ticket.stream], what)


class Opening:
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
        self._from: Any = None
        self.last: Any = NOTHING
        """The item that was pulled last, where that is known."""
        self._known: int | None = None  # its checksum, after a restore
        self._marks = Marks()
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
        mending = self._mending
        if mending is not None and self._from is None:
            lasting = getattr(self.source, "lasting", None) if mending.skips else None
            if lasting is not None or not hasattr(self.source, "open_at"):
                place, begun = self._place(), 0
                if lasting is not None and place and getattr(self.source, "by_index", False):
                    begun = place if known is None else place - 1
                    iterator: Iterator[Any] = lasting(self.epoch, begun)
                else:
                    iterator = (self.source.open if lasting is None else lasting)(self.epoch)
                self._catch_up(iterator, begun, place, known, mending)
                return iterator
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
        """One of the first two items, copied if the source may refill it; `ENDED` at the end."""
        item = next(self.opened(), ENDED)
        if item is ENDED:
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
        known = mending.is_known(ticket)  # nor is what was skipped before a state was taken tried again
        while self.source.once is None and not known and mending.begin_attempt(ticket):
            try:
                self._reopen()
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

    def _reopen(self) -> None:
        """Opens the source anew, where it was."""
        raw, self._iterator, self._raw, self._doubt = self._raw, None, None, None
        if raw is not None:
            self._from = state_of(raw)
            _close(raw)
        self.opened()

    def _pass_known(self, mending: Mending) -> None:
        """Goes past the items that stand here and were skipped before a state was taken: unread, where the source can."""
        if not mending.is_known(Ticket(self.stream, self.epoch, self.offset)):
            return
        try:
            raw: Any = self.opened() and self._raw
        except Exception:  # it cannot be opened: that is an error of its own, and comes again
            return
        count = 0
        while mending.meets(Ticket(self.stream, self.epoch, self.offset + count)):
            count += 1
        if callable(getattr(raw, "skip", None)):
            raw.skip(count)
        elif getattr(self.source, "by_index", False):
            _close(raw)
            source: Any = self.source
            self._raw = getattr(source, "lasting", source.open_at)(self.epoch, self.offset + count)
            self._iterator = map(_copied, self._raw) if self._copy else self._raw
        else:
            for _ in range(count):
                try:
                    next(raw, ENDED)
                except Exception:  # as it did before
                    continue
        self.offset, self._skipped = self.offset + count, self._skipped + count

    def _place(self) -> int:
        """How many items come before where it is to go on; of blocks, how many rows."""
        return self.offset

    def _catch_up(self, raw: Iterator[Any], at: int, place: int, known: int | None, mending: Mending) -> None:
        """Reads again, or skips, what was given or skipped before, from where the iterator begins.

        An error stands for an example here too, where that may be skipped: whichever they were, they are not given again.
        """
        item: Any = ENDED
        error: Exception | None = None
        skip = getattr(raw, "skip", None)
        try:
            if callable(skip) and place:
                at = place if known is None else place - 1
                skip(at)
            while at < place:
                if at % CHECK_EVERY == 0:
                    mending.pauses.check()
                try:
                    item = next(raw, ENDED)
                except Exception as raised:
                    if not mending.skips:
                        raise
                    error, at, item = raised, at + 1, NOTHING
                    continue
                if item is ENDED and error is not None:  # where it raised: a generator does not go on
                    raise error
                error = None
                if item is ENDED:
                    want, got = f"the {place} examples that it had given", f"{at}, and its end"
                    raise SourceError(mismatch(want, got, at=f"source {self.label!r}"))
                at = self._passed(item, at, place)
            if known is not None and item is not NOTHING and item is not ENDED:
                self.check_same(item, known, place - 1)
        except BaseException:
            _close(raw)
            raise

    def _passed(self, item: Any, at: int, place: int) -> int:
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
        lasting = getattr(self.source, "lasting", None) if self._mending is not None and self._mending.skips else None
        at, state = self._marks.before(int(places[0])) if epoch == self.epoch else (0, None)
        if state is not None:
            iterator = opened_at(self.source, epoch, at, state)
        else:
            iterator = (self.source.open if lasting is None else lasting)(epoch)
        try:
            found = []
            skip = getattr(iterator, "skip", None)
            for place in places.tolist():
                if callable(skip) and at < place:
                    skip(place - at)
                    at = place
                while self._mending is not None and at < place:
                    self._step_over(iterator, self._mending)
                    at += 1
                item = next(islice(iterator, place - at, None), ENDED)
                if item is ENDED:
                    raise too_short(self.label, place + 1)
                found.append(_copied(item))
                at = place + 1
            return found
        finally:
            _close(iterator)

    @staticmethod
    def _step_over(iterator: Iterator[Any], mending: Mending) -> None:
        """Reads an item again, or the error that was skipped there."""
        try:
            next(iterator, ENDED)
        except Exception:
            if not mending.skips:
                raise

    @property
    def recalls(self) -> bool:
        """Whether it can give examples again by their tickets."""
        return True

    def close(self) -> None:
        """Closes a generator or file that is open."""
        self._over, self.last = True, NOTHING
        raw, self._iterator, self._raw = self._raw, iter(()), None
        _close(raw)


def _close(raw: Any) -> None:
    """Closes a generator or file, if it is one."""
    close = getattr(raw, "close", None)
    if close is not None:
        close()


def _arrays(item: Any) -> list[Any]:
    return [leaf for leaf in leaves_of(item) if isinstance(leaf, np.ndarray) or hasattr(leaf, "data_ptr")]


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
