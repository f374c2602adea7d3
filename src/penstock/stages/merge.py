"""Takes examples from several inputs by a rule.

Guarantees
  `order="fixed"`: one item of each input in turn; an input that ends drops out of the turn. A function of the data alone.
  By weights instead of in turn: `stages/mixed.py`.
  `order="arrival"`: whoever is ready, fairly; within an input the order is kept.
  An input's item is never cut by another's: a user's chunk is taken to its end.
  The end of all inputs is the end, or that of one whose end is to be everybody's; an error ends the merge at its turn.
Assumes
  An inlet's `ready()` waits for its first example; nothing else here waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Any, final

import numpy as np

from penstock.chunk import END, Chunk
from penstock.errors import Aborted, StateError, mismatch
from penstock.stages.inlet import MOST_ROWS, Inlet, Into, Pull, Slot, close_all, pull_plain, recalled
from penstock.stages.reader import NOTHING, RowReader
from penstock.stages.snapshot import Log, Saved, Wanted, numbers
from penstock.stages.stage import Intake, Poured
from penstock.stages.weave import interleaved
from penstock.ticket import Tickets, turn_tickets

__all__ = ["ArrivalMerge", "Choices", "Merge"]

Offsets = np.ndarray[Any, np.dtype[np.int64]]


@final
class Merge:
    """One item of each input in turn.

    Args:
      inlets: the inputs, in the order of their turns.
      stops: the places of the inputs whose end is the end of all.
      pull: how settled readers are pulled.
      wanted: whether a snapshot is wanted.
    """

    notes_lasts = True
    """Whether the readers know what was poured of them last, while a snapshot is wanted."""

    def __init__(
        self,
        inlets: Sequence[Inlet],
        *,
        stops: Collection[int] = (),
        pull: Pull = pull_plain,
        wanted: Wanted | None = None,
    ) -> None:
        self._all = tuple(inlets)
        self._slots = tuple([Slot(inlet) for inlet in inlets])
        self._live = list(self._slots)
        self._stops = [self._live[place] for place in stops]
        self._turn = 0
        self._pull = pull
        self._wanted = wanted if wanted is not None else Wanted()
        self._by_item = any(inlet.items for inlet in inlets)
        self.may_pour = not self._by_item and all(inlet.rows is not None for inlet in inlets)
        """Whether its inputs are such that `pours` may become true."""
        self._readers: list[RowReader] = []
        self._iterators: list[Iterator[Any]] = []
        self._since = 0
        self._lasts = False  # whether the readers know what was pulled of them last

    def take(self, n: int) -> Chunk:
        """Takes up to n examples in turn."""
        while self._live:
            if self._by_item:
                chunk = self._take_item(n)
            elif self.may_pour and self._is_direct():
                chunk = self._take_direct(n)
            else:
                chunk = self._take_rounds(n)
            if chunk is not None:
                if chunk.error is not None:
                    self._live.clear()
                return chunk
        return END

    def _ended(self, place: int) -> None:
        slot = self._live.pop(place)
        slot.inlet.close()
        if slot in self._stops:
            self._live.clear()
        self._turn = place % len(self._live) if self._live else 0

    # Items: a turn is a whole chunk, or a row where the input has rows.

    def _take_item(self, n: int) -> Chunk | None:
        slot = self._live[self._turn]
        inlet, chunk = slot.inlet, slot.chunk
        if chunk is None:
            chunk = inlet.take(n if inlet.items or len(self._live) == 1 else 1)
        else:
            slot.chunk = None
        if not chunk.count:
            if chunk.error is None:
                self._ended(self._turn)
                return None
        elif chunk.item_end or not inlet.items:
            if chunk.error is not None:  # it stands at the next turn of this input
                chunk, slot.chunk = chunk.cut(chunk.count)
                chunk.item_end = True
            self._turn = (self._turn + 1) % len(self._live)
        return chunk

    # Direct: all inputs are plain iterators that the merge pulls itself, in one C loop.

    def _is_direct(self) -> bool:
        if self._readers:
            return True
        found: list[RowReader] = []
        for slot in self._live:
            reader = slot.inlet.direct if slot.chunk is None else None
            if reader is None:
                return False
            found.append(reader)
        self._readers = found
        self._iterators = [reader.opened() for reader in found]
        self._streams = np.array([reader.stream for reader in found])
        self._epochs = np.array([reader.epoch for reader in found])
        self._offsets = np.array([reader.offset for reader in found])
        self._offsets[: self._turn] -= 1  # at turn 0, which was at the first place
        self._since = self._turn
        for reader in found:
            reader.last = NOTHING
            reader.counted = partial(self._count_of, reader)
        return True

    def _counts(self) -> Offsets:
        """The items that each reader has given by now."""
        k = len(self._offsets)
        counts: Offsets = self._offsets + (self._since - np.arange(k) + k - 1) // k
        return counts

    def _count_of(self, reader: RowReader) -> int:
        try:
            return int(self._counts()[self._readers.index(reader)])
        except (IndexError, ValueError):  # asked by another thread while an input ends
            return reader.offset

    @property
    def pours(self) -> bool:
        """Whether `pour` can be used for the next examples."""
        return bool(self._readers) or (self.may_pour and bool(self._live) and self._is_direct())

    def pour(self, into: Intake, n: int) -> Poured:
        """Pulls up to n examples straight into a batch; only while `pours` is true."""
        if self._wanted.on:
            poured = self._pour_and_note(into, n)
        else:
            if self._lasts:
                self._lasts = False
                for reader in self._readers:
                    reader.last = NOTHING
            poured = self._pull_direct(n, into)
        if poured.error is not None:
            self._live.clear()
        return poured

    def _pour_and_note(self, into: Intake, n: int) -> Poured:
        """Pours, and tells the readers what was pulled of them last."""
        readers, before, self._lasts = list(self._readers), [reader.last for reader in self._readers], True
        into.lasts = lasts = [NOTHING] * len(readers)
        for reader in readers:  # Where they stand may be noted meanwhile.
            reader.last = NOTHING
        try:
            return self._pull_direct(n, into)
        finally:
            into.lasts = None
            if self._readers:  # Else others may pull them by now.
                for reader, last, old in zip(readers, lasts, before, strict=True):
                    reader.last = old if last is NOTHING else last

    def _take_direct(self, n: int) -> Chunk | None:
        rows: list[Any] = []
        poured = self._pull_direct(min(n, MOST_ROWS), rows)
        return Chunk(rows, poured.tickets, error=poured.error) if rows or poured.error is not None else None

    def _pull_direct(self, n: int, into: Into) -> Poured:
        k = len(self._iterators)
        before = len(into)
        error: BaseException | None = None
        slow: Sequence[int] = ()
        try:
            slow = self._pull(self._iterators, self._since % k, n, into)
        except Aborted:
            raise
        except BaseException as raised:
            error = raised
        count = len(into) - before
        if isinstance(into, list):  # Before the readers are left to others, and it is noted where they stand.
            self._lasts = True
            for place in range(max(before, len(into) - k), len(into)):
                self._readers[(self._since + place - before) % k].last = into[place]
        elif into.halted:
            if into.misfit is not None:
                count, error = count + 1, None  # what a source raised behind it does not matter any more
            n = count
        tickets = turn_tickets(self._streams, self._epochs, self._offsets, self._since, count)
        self._since += count
        if error is not None:
            reader = self._readers[self._since % k]
            self._leave_direct()
            return Poured(tickets, reader.failed(error, reader.offset))
        if count < n:
            self._end_direct(self._since % k)
        elif slow:
            inlets = [self._live[place].inlet for place in slow]
            self._leave_direct()
            for inlet in inlets:
                inlet.slow()
        return Poured(tickets, None)

    def _end_direct(self, place: int) -> None:
        """Takes an input that has ended out of the turn; the others go on, unless its end is theirs."""
        slot, reader = self._live[place], self._readers[place]
        if slot in self._stops or (slot.inlet.rows is not None and slot.inlet.rows.again):
            self._leave_direct()
            reader.end()
            return
        reader, rounds = self._readers.pop(place), self._since // len(self._iterators)
        reader.offset, reader.counted = int(self._offsets[place]) + rounds, None
        del self._iterators[place]
        self._streams = _without(self._streams, place)
        self._epochs = _without(self._epochs, place)
        self._ended(place)
        # As at the beginning of a round: those before this place have given one more than those behind it.
        self._offsets = _without(self._offsets, place)
        self._offsets += rounds
        self._since = place

    def _leave_direct(self) -> None:
        """Gives the readers their offsets, and leaves the direct way."""
        for reader, count in zip(self._readers, self._counts().tolist(), strict=True):
            reader.offset, reader.counted = count, None
        self._turn = self._since % len(self._readers)
        self._readers, self._iterators = [], []
        for slot in self._live:
            slot.inlet.mark()

    # Rounds: as many full rounds as all inputs have at hand, one chunk of each, interleaved.

    def _take_rounds(self, n: int) -> Chunk | None:
        k = len(self._live)
        span = [self._live[(self._turn + i) % k] for i in range(min(k, n))]
        if span[0].chunk is None:
            span[0].inlet.wait()
        have = [slot.has() for slot in span]
        # After the first, nobody is waited for: what comes before whoever has nothing yet is given at once.
        reach = have.index(0) if 0 in have else len(span)
        rounds = min(n // k, *have) if reach == k > 1 else min(n, have[0]) if k == 1 else 1
        got = [slot.fill(rounds) for slot in span[:reach]]
        if 0 in got:
            reach = got.index(0)
        if reach == 0:
            return self._see(span[0])
        rounds = min(rounds, min(got)) if reach == k else 1
        parts = [slot.pop(rounds) for slot in span[:reach]]
        if reach < k:
            self._turn = (self._turn + reach) % k
        return interleaved(parts)

    def _see(self, slot: Slot) -> Chunk | None:
        """Takes the end or the error of the input whose turn it is."""
        slot.fill(1)
        chunk, slot.chunk = slot.chunk, None
        assert chunk is not None, "a slot that was filled holds a chunk"
        if chunk.error is not None:
            return chunk
        self._ended(self._turn)
        return None

    def snapshot(self) -> Saved:
        """Whose turn it is, and where each input that has not ended stands."""
        live = [self._slots.index(slot) for slot in self._live]
        if self._readers:
            for slot in self._live:
                slot.inlet.mark()
        turn = self._since % len(self._readers) if self._readers else self._turn
        return {"turn": turn, "live": live, "inlets": [slot.snapshot() for slot in self._live]}

    def restore(self, saved: Saved) -> None:
        """Goes on from there; inputs that had ended are closed."""
        live = [self._slots[place] for place in numbers(saved["live"], below=len(self._slots)).tolist()]
        for slot in self._slots:
            if slot not in live:
                slot.inlet.shut()
        for slot, its in zip(live, saved["inlets"], strict=True):
            slot.inlet.restore(its)
        self._live, self._turn = live, int(numbers([saved["turn"]], below=max(1, len(live)))[0])

    @property
    def recalls(self) -> bool:
        """Whether all inputs do."""
        return all(inlet.recalls for inlet in self._all)

    def recall(self, tickets: Tickets) -> list[Any]:
        """What the inputs give again."""
        return recalled(self._all, tickets)

    def close(self) -> None:
        """Closes all inputs, whatever one of them raises."""
        self._live.clear()
        if self._readers:
            self._leave_direct()  # the readers and the merge hold each other
        close_all(self._all)


def _without(numbers: Offsets, place: int) -> Offsets:
    """All but one; `np.delete` takes ten times as long."""
    return np.concatenate((numbers[:place], numbers[place + 1 :]))


@final
class Choices:
    """What a merge in arrival order has chosen, in all its passes."""

    def __init__(self) -> None:
        self.log = Log()
        """Since the last snapshot."""
        self.told: deque[tuple[int, int]] = deque()
        """Those of an earlier run, which are made again."""

    def follow(self) -> Log:
        """The log of what follows, for a snapshot."""
        self.log = self.log.follow()
        return self.log


@final
class ArrivalMerge:
    """Whoever is ready, looked at in turn so that none is passed over.

    Args:
      inlets: the inputs; they share one doorbell.
      wait: waits until one of them may have become ready.
      stops: the places of the inputs whose end is the end of all.
      choices: made and to be made, which the next pass goes on with.
    """

    def __init__(
        self,
        inlets: Sequence[Inlet],
        *,
        wait: Callable[[], None],
        stops: Collection[int] = (),
        choices: Choices | None = None,
    ) -> None:
        self._all = tuple(inlets)
        self._live = list(inlets)
        self._stops = [inlets[place] for place in stops]
        self._turn = 0
        self._wait = wait
        self._inside = False
        self._choices = choices if choices is not None else Choices()
        self._told = self._choices.told

    def take(self, n: int) -> Chunk:
        """Takes up to n examples of the next input that has some."""
        while self._live:
            if self._told:
                number, most = self._told[0]
                if self._all[number] not in self._live:
                    self._live.clear()
                    got = "the end of it"
                    error = StateError(mismatch(f"input {number} to go on, as when the state was taken", got))
                    return Chunk([], END.tickets, error=error)
                place = self._live.index(self._all[number])
                self._all[number].wait()
            else:
                ready = self._next_ready()
                if ready is None:
                    self._wait()
                    continue
                place, most = ready, n
            inlet = self._live[place]
            chunk = inlet.take(min(n, most or 1))
            if self._told:  # What is told is in the state already.
                self._tell(chunk.count)
            else:
                self._note(self._all.index(inlet), chunk.count)
            if chunk.error is not None:
                self._live.clear()
                return chunk
            if chunk.count == 0:
                del self._live[place]
                if inlet in self._stops:
                    self._live.clear()
                self._turn, self._inside = place, False
                continue
            self._inside = inlet.items and not chunk.item_end
            self._turn = place if self._inside else place + 1
            return chunk
        return END

    def _note(self, number: int, count: int) -> None:
        """Logs that so many examples were taken of an input; together with what was taken of it just before."""
        entries = self._choices.log.entries
        if entries and entries[-1][0] == number and count and entries[-1][1]:
            entries[-1] = number, entries[-1][1] + count
        else:
            entries.append((number, count))

    def _tell(self, count: int) -> None:
        """Counts off what was taken of the choice that is made again."""
        number, most = self._told.popleft()
        if count < most:
            self._told.appendleft((number, most - count))

    def snapshot(self) -> Saved:
        """Whose turn it is, where each input stands; and a log, which goes on being written."""
        live = [self._all.index(inlet) for inlet in self._live]
        inlets = [inlet.snapshot(0) for inlet in self._live]
        told = [list(choice) for choice in self._told]
        return {
            "turn": self._turn,
            "inside": self._inside,
            "live": live,
            "inlets": inlets,
            "told": told,
            "log": self._choices.follow(),
        }

    def restore(self, saved: Saved) -> None:
        """Goes on from there, and makes the same choices as long as the log tells them."""
        self._live = [self._all[place] for place in numbers(saved["live"], below=len(self._all)).tolist()]
        for inlet in self._all:
            if inlet not in self._live:
                inlet.shut()
        for inlet, its in zip(self._live, saved["inlets"], strict=True):
            inlet.restore(its)
        self._turn = int(numbers([saved["turn"]], below=len(self._live) + 1)[0])
        self._inside = bool(saved["inside"])
        choices = [(int(number), int(count)) for number, count in [*saved["told"], *saved["log"]]]
        self._told.extend(choices)

    @property
    def recalls(self) -> bool:
        """Whether all inputs do."""
        return all(inlet.recalls for inlet in self._all)

    def recall(self, tickets: Tickets) -> list[Any]:
        """What the inputs give again."""
        return recalled(self._all, tickets)

    def _next_ready(self) -> int | None:
        if self._inside:
            return self._turn if self._live[self._turn].at_hand() else None
        k = len(self._live)
        for i in range(k):
            place = (self._turn + i) % k
            if self._live[place].at_hand():
                return place
        return None

    def close(self) -> None:
        """Closes all inputs, whatever one of them raises."""
        self._live.clear()
        close_all(self._all)
