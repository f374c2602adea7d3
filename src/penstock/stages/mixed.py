"""Takes examples from several inputs by weights.

Guarantees
  Each example takes up one place of the schedule (`sampling/mixture.py`), so that weights count examples, not items.
  A user's chunk is taken to its end when a place of its input comes: it takes up that place, and as many of the input's
  later ones as it has more examples. So an input is never behind its places, and ahead by less than one of its chunks.
  An input that ends falls out, and the others keep their places; or its end is the end of all. An error stands in its turn.
  The order is a function of weights and data alone: not of what is ready when, nor of how much is asked for at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Any, Protocol, final

import numpy as np

from penstock.chunk import END, Chunk
from penstock.errors import Aborted
from penstock.stages.inlet import Inlet, Into, Pull, Slot, close_all, pull_plain, recalled
from penstock.stages.reader import NOTHING as UNKNOWN
from penstock.stages.reader import RowReader
from penstock.stages.snapshot import Saved, numbers
from penstock.stages.stage import Intake, Poured
from penstock.stages.weave import woven
from penstock.ticket import NO_TICKETS, Tickets, mixed_tickets

__all__ = ["Mixed", "Mixture"]

LEAST = 64
"""So many places are looked at, whether they can be filled, where few could be the last time."""

NOTHING: Iterator[Any] = iter(())
"""Stands where an input's iterator is not pulled here."""

Numbers = np.ndarray[Any, np.dtype[np.int64]]
Live = np.ndarray[Any, np.dtype[np.bool_]]
"""bool[K]: which inputs are left."""


class Mixture(Protocol):
    """Tells whose turn it is; see `sampling/mixture.py`."""

    def asked(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The share that each input is to have. float64[K]"""

    def places(self, live: Live, given: int, /) -> Numbers:
        """Whose the next places are: int64[m]; none if no input is left that has a weight."""

    def rounds(self, ahead: list[int], live: Live, /) -> list[int]:
        """Passes over places that all who are left can do without; gives what each can do without then."""

    def state(self) -> Saved:
        """Where it stands, as plain data."""

    def restore(self, state: Saved, /) -> None:
        """Goes on from there."""


@final
class Mixed:
    """One example of the input whose turn it is, by weights.

    Args:
      inlets: the inputs.
      mixture: tells whose turn it is.
      stops: the places of the inputs whose end is the end of all.
      pull: how settled readers are pulled.
    """

    def __init__(
        self, inlets: Sequence[Inlet], mixture: Mixture, *, stops: Collection[int] = (), pull: Pull = pull_plain
    ) -> None:
        self._slots = tuple([Slot(inlet) for inlet in inlets])
        self._mixture = mixture
        self._stops = stops
        self._pull = pull
        self._over = False
        self._live = np.ones(len(inlets), np.bool_)
        self._by_item = any(inlet.items for inlet in inlets)
        self.may_pour = not self._by_item and all(inlet.rows is not None for inlet in inlets)
        """Whether its inputs are such that `pours` may become true."""
        self.notes_lasts = False
        """It does not look who gave what."""
        # The places that are known: whose they are, where the next one is, and what each input had given before them.
        self._turns = np.empty(0, np.int64)
        self._whose: list[int] | None = []
        self._at = 0
        self._before = np.zeros(len(inlets), np.int64)
        self._hope = LEAST
        # By item: who is within one, and how many later places each has used up.
        self._within: int | None = None
        self._ahead = [0] * len(inlets)
        # Direct: the readers and their iterators, by input; `shift` is what a reader's offset is beyond what it gave here.
        self._readers: dict[int, RowReader] = {}
        self._iterators = np.full(len(inlets), NOTHING, object)
        self._unrolled: list[Iterator[Any]] | None = None
        self._streams = self._epochs = self._shift = np.zeros(len(inlets), np.int64)

    def take(self, n: int) -> Chunk:
        """Takes up to n examples by weights."""
        while not self._over:
            end = self._look_ahead()
            if end is not None:
                return end
            if self._by_item:
                chunk = self._take_item(n)
            elif self.may_pour and self._is_direct():
                chunk = self._take_direct(n)
            else:
                chunk = self._take_ready(n)
            if chunk is not None:
                self._over = self._over or chunk.error is not None
                return chunk
        return END

    def given(self) -> Numbers:
        """How many examples each input has given: int64[K]. [examples]"""
        if self._by_item:
            return self._before
        counts: Numbers = self._before + np.bincount(self._turns[: self._at], minlength=len(self._before))
        return counts

    @property
    def mixture(self) -> Mixture:
        """Tells whose turn it is."""
        return self._mixture

    @property
    def ended(self) -> Sequence[bool]:
        """Which inputs have ended."""
        ended: list[bool] = (~self._live).tolist()
        return ended

    # The places.

    def _look_ahead(self) -> Chunk | None:
        """Works out the next places where they are not known; gives the end or an error if there are none."""
        if self._at < len(self._turns) or self._within is not None:
            return None
        before = self.given()
        if self._by_item:
            self._ahead = self._mixture.rounds(self._ahead, self._live)
        try:
            turns = self._mixture.places(self._live, int(before.sum()))
        except BaseException as error:  # of the user's function, or of what it gave
            self._over = True
            return Chunk([], NO_TICKETS, error=error)
        self._go_on(turns, before)
        self._over = not len(turns)
        return END if self._over else None

    def _go_on(self, turns: Numbers, before: Numbers) -> None:
        """Goes on with these places."""
        self._before, self._turns, self._at = before, turns, 0
        self._whose = self._unrolled = None

    def _ended(self, number: int) -> None:
        """Lets an input that has ended fall out of the places."""
        self._live[number] = False
        self._slots[number].inlet.close()
        self._over = number in self._stops
        turns = self._turns[self._at :]
        self._go_on(turns[turns != number], self.given())

    # Items: a turn is a whole chunk, or a row where the input has rows.

    def _take_item(self, n: int) -> Chunk | None:
        number = self._within if self._within is not None else self._next_place()
        if number is None:
            return None
        slot = self._slots[number]
        chunk, slot.chunk = slot.chunk, None
        if chunk is None:
            chunk = slot.inlet.take(n if slot.inlet.items else 1)
        if chunk.is_end:
            self._within = None
            self._ended(number)
            return None
        self._before[number] += chunk.count
        self._ahead[number] += chunk.count - (self._within is None)  # the first example has taken up its place already
        self._within = number
        if (chunk.item_end or not slot.inlet.items) and chunk.count:
            self._within = None
            if chunk.error is not None:  # it stands at the next turn of this input
                chunk, slot.chunk = chunk.cut(chunk.count)
                chunk.item_end = True
        return chunk

    def _next_place(self) -> int | None:
        """Whose place is next, after those that were used up before; `None` if that is not known yet."""
        ahead = self._ahead
        if self._whose is None:
            self._whose = self._turns.tolist()
        whose = self._whose
        for at in range(self._at, len(whose)):
            number = whose[at]
            if not ahead[number]:
                self._at = at + 1
                return number
            ahead[number] -= 1
        self._at = len(whose)
        return None

    # Direct: all inputs are plain iterators that are pulled here, in one C loop.

    def _is_direct(self) -> bool:
        if self._readers:
            return True
        found: dict[int, RowReader] = {}
        for number in np.flatnonzero(self._live).tolist():
            slot = self._slots[number]
            reader = slot.inlet.direct if slot.chunk is None else None
            if reader is None:
                return False
            found[number] = reader
        self._readers = found
        for number, reader in found.items():
            self._iterators[number] = reader.opened()
        self._unrolled = None
        self._streams, self._epochs = self._listed("stream"), self._listed("epoch")
        self._shift = self._listed("offset") - self.given()
        for number, reader in found.items():
            reader.last = UNKNOWN
            reader.counted = partial(self._count_of, number)
        return True

    def _listed(self, name: str) -> Numbers:
        """A number of each reader, by input."""
        numbers = np.zeros(len(self._slots), np.int64)
        for number, reader in self._readers.items():
            numbers[number] = getattr(reader, name)
        return numbers

    def _count_of(self, number: int) -> int:
        return int(self._shift[number] + self.given()[number])

    @property
    def pours(self) -> bool:
        """Whether `pour` can be used for the next examples."""
        return self.may_pour and not self._over and self._is_direct()

    def pour(self, into: Intake, n: int) -> Poured:
        """Pulls up to n examples straight to where they are wanted; only while `pours` is true."""
        for reader in self._readers.values():
            reader.last = UNKNOWN
        end = self._look_ahead()
        poured = self._pull_direct(n, into) if end is None else Poured(NO_TICKETS, end.error)
        self._over = self._over or poured.error is not None
        return poured

    def _take_direct(self, n: int) -> Chunk | None:
        rows: list[Any] = []
        poured = self._pull_direct(n, rows)
        return Chunk(rows, poured.tickets, error=poured.error) if rows or poured.error is not None else None

    def _pull_direct(self, n: int, into: Into) -> Poured:
        first, before = self._at, len(into)
        if self._unrolled is None:
            self._unrolled = self._iterators[self._turns].tolist()
        iterators = self._unrolled[first : first + n]
        error: BaseException | None = None
        slow: Sequence[int] = ()
        try:
            slow = self._pull(iterators, 0, len(iterators), into)
        except Aborted:
            raise
        except BaseException as raised:
            error = raised
        count = len(into) - before
        halted = False
        if isinstance(into, list):  # Before the readers are left to others, and it is noted where they stand.
            for number, row in zip(self._turns[first : first + count].tolist(), into[before:], strict=True):
                self._readers[number].last = row
        elif into.halted:
            halted = True
            if into.misfit is not None:
                count, error = count + 1, None  # what a source raised behind it does not matter any more
        offsets = self._shift + self._before
        tickets = mixed_tickets(self._streams, self._epochs, offsets, self._turns, first, count)
        self._at += count
        if error is not None:
            reader = self._readers[int(self._turns[self._at])]
            self._leave_direct()
            return Poured(tickets, reader.failed(error, reader.offset))
        if count < len(iterators) and not halted:
            self._end_direct(int(self._turns[self._at]))
        elif slow:
            inlets = [self._slots[number].inlet for number in np.unique(self._turns[first:][slow]).tolist()]
            self._leave_direct()
            for inlet in inlets:
                inlet.slow()
        return Poured(tickets, None)

    def _end_direct(self, number: int) -> None:
        """Lets an input that has ended fall out; the others go on, unless its end is theirs, or it begins again."""
        rows = self._slots[number].inlet.rows
        if number in self._stops or (rows is not None and rows.again):
            reader = self._readers[number]
            self._leave_direct()
            reader.end()
            return
        reader = self._readers.pop(number)
        reader.offset, reader.counted = self._count_of(number), None
        self._ended(number)

    def _leave_direct(self) -> None:
        """Gives the readers their offsets, and leaves the direct way."""
        for number, reader in self._readers.items():
            reader.offset, reader.counted = self._count_of(number), None
        left, self._readers, self._unrolled = self._readers, {}, None
        self._iterators.fill(NOTHING)
        for number in left:
            self._slots[number].inlet.mark()

    # Ready: as many places as can be filled without waiting, one chunk of each input, put in their order.

    def _take_ready(self, n: int) -> Chunk | None:
        number = int(self._turns[self._at])
        if self._slots[number].chunk is None:
            self._slots[number].inlet.wait()
        # After the first, nobody is waited for: what comes before whoever has nothing yet is given at once.
        reach = self._reach(min(n, self._hope), lambda one: self._slots[one].has())
        have = {one: self._slots[one].fill(count) for one, count in self._counts(reach).items()}
        reach = self._reach(reach, have.__getitem__)
        self._hope = max(LEAST, 2 * reach)
        if not reach:
            return self._see(number)
        parts = {one: self._slots[one].pop(count) for one, count in self._counts(reach).items()}
        first, self._at = self._at, self._at + reach
        return woven(parts, self._turns[first : self._at])

    def _counts(self, n: int) -> dict[int, int]:
        """How many of the next n places each input has, of those that have any."""
        counts = np.bincount(self._turns[self._at : self._at + n], minlength=1)
        numbers = np.flatnonzero(counts)
        return dict(zip(numbers.tolist(), counts[numbers].tolist(), strict=True))

    def _reach(self, n: int, has: Callable[[int], int]) -> int:
        """How many of the next n places can be filled, up to the first that cannot.

        Args:
          n: how many places.
          has: gives how many examples an input has.
        """
        turns = self._turns[self._at : self._at + n]
        for number, count in self._counts(n).items():
            had = has(number)
            if had < count:
                own = np.flatnonzero(turns == number)
                if had < len(own):
                    turns = turns[: own[had]]
        return len(turns)

    def _see(self, number: int) -> Chunk | None:
        """Takes the end or the error of the input whose turn it is."""
        slot = self._slots[number]
        slot.fill(1)
        chunk, slot.chunk = slot.chunk, None
        assert chunk is not None, "a slot that was filled holds a chunk"
        if chunk.error is not None:
            return chunk
        self._ended(number)
        return None

    def snapshot(self) -> Saved:
        """Whose the next places are, what each input has given, and where each that has not ended stands."""
        for number in self._readers:
            self._slots[number].inlet.mark()
        left = self._turns[self._at :]
        return {
            "over": self._over,
            "live": [bool(live) for live in self._live],
            "inlets": [
                slot.snapshot() if live else None for slot, live in zip(self._slots, self._live.tolist(), strict=True)
            ],
            "turns": left.astype(np.min_scalar_type(len(self._slots))),
            "given": self.given().copy(),
            "within": self._within,
            "ahead": list(self._ahead),
            "mixture": self._mixture.state(),
        }

    def restore(self, saved: Saved) -> None:
        """Goes on from there; inputs that had ended are closed."""
        count = len(self._slots)
        self._over, self._live = bool(saved["over"]), numbers(saved["live"], count=count, below=2).astype(np.bool_)
        for slot, its in zip(self._slots, saved["inlets"], strict=True):
            if its is None:
                slot.inlet.shut()
            else:
                slot.inlet.restore(its)
        self._go_on(numbers(saved["turns"], below=count), numbers(saved["given"], count=count))
        self._within = None if saved["within"] is None else int(numbers([saved["within"]], below=count)[0])
        self._ahead = [int(places) for places in saved["ahead"]]
        self._mixture.restore(saved["mixture"])

    @property
    def recalls(self) -> bool:
        """Whether all inputs do."""
        return all(slot.inlet.recalls for slot in self._slots)

    def recall(self, tickets: Tickets) -> list[Any]:
        """What the inputs give again."""
        return recalled([slot.inlet for slot in self._slots], tickets)

    def close(self) -> None:
        """Closes all inputs, whatever one of them raises."""
        self._over = True
        self._leave_direct()  # the readers and this stage hold each other
        close_all([slot.inlet for slot in self._slots])
