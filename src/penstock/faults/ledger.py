"""What was skipped, place by place: in order, countable, and plain enough for a state to hold.

Guarantees
  Each place (a source, a stage) has a ledger of its own, in the order of its stream, which no thread's timing changes.
  A ledger is bounded: it counts all, and keeps what its budget asks for, the first errors, the latest, and the tickets that
  a state may still need.
  A state is too: it has the counts, and the tickets that were skipped behind the snapshot that it goes on from.
Assumes
  One thread at a time writes a ledger; anybody may read it meanwhile.
  Snapshots of a stage hold the log of what is skipped there from then on, `Ledger.mark`, and nobody holds what came before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, final

from penstock.errors import OverBudget, StateError, mismatch
from penstock.faults.log import SkipLog
from penstock.faults.policy import Policy
from penstock.ticket import Ticket

__all__ = ["Ledger", "SkipStats", "Skipped", "skipped_of", "together"]

MOST_FIRST = 100
"""So many errors of each place are kept from its beginning on. [errors]"""
MOST_LATE = 1000
"""And so many of the latest. [errors]"""
MOST_TEXT = 500
"""Of a longer message only the beginning is kept. [characters]"""
MOST_PASSES = 16
"""A rate is reckoned in so many passes of a source at once, as a shuffle mixes one with the next. [passes]"""


class Skipped(NamedTuple):
    """An example that was skipped."""

    ticket: Ticket
    """Where it came from; of a batch, where its first example did."""
    stage: str
    """Where the error was: `"read 'train-3.jsonl'"`, `"map(decode)"`, `"batch(32)"`."""
    source: str
    """The name of its source."""
    kind: str
    """The type of the error: `"ValueError"`."""
    text: str
    """What the error said."""

    def __str__(self) -> str:
        of = "" if self.stage.startswith("read ") else f" of {self.source!r}"
        return f"{self.ticket}{of} in {self.stage}: {self.kind}: {self.text}"


class SkipStats(NamedTuple):
    """What one place has skipped, in all runs."""

    stage: str
    """`"read 'train-3.jsonl'"`, or a stage's word: `"map(decode)"`."""
    skipped: int
    """How many. [examples, or batches behind `.batch`]"""
    first: Skipped | None
    """The first; `None` if no state tells."""
    last: Skipped | None
    """The last."""


def _of_use(ticket: Ticket, again: int) -> Ticket:
    """The ticket of an example in a stream that has been begun again so often."""
    return ticket._replace(use=ticket.use + again) if again else ticket


@final
class Ledger:
    """What one place has skipped.

    Args:
      stage: what stands there: `"read 'train-3.jsonl'"`, `"map(decode)"`.
      policy: what is done about errors there.
      labels: the sources' names by stream number.
      word: the number of the place.
    """

    def __init__(self, stage: str, policy: Policy, labels: Sequence[str], word: int = 0) -> None:
        self.stage = stage
        self.policy = policy
        self.kept: list[Skipped] = []
        """The first, in words."""
        self.late: deque[Skipped] = deque(maxlen=MOST_LATE)
        """The latest after those."""
        self.last: Skipped | None = None
        """The last, in words."""
        self.count = 0
        """How many were skipped. [examples]"""
        self.logs = True
        """Whether anybody asks for marks."""
        self._begun = 0  # rises before anything changes, where `count` does so afterwards
        self._labels = labels
        self._log = SkipLog(word)
        self._known: dict[Ticket, int] = {}
        self._known_until: dict[tuple[int, int], int] = {}
        self._places: set[tuple[int, int, int]] = set()
        self._passes: dict[int, dict[tuple[int, int], int]] = {}  # by stream; by how often begun again, and epoch
        self._new = False  # whether the last was of a place that had not been skipped before
        self._pass = (0, 0)  # which pass the last was of
        self._state: tuple[int, dict[str, Any]] | None = None

    def __len__(self) -> int:
        return self.count

    def skip(self, ticket: Ticket, error: BaseException, again: int = 0) -> BaseException | None:
        """Notes that an example is skipped; gives what is to be raised instead, if that is too much.

        Args:
          ticket: where it came from.
          error: why.
          again: how often the stream has been begun again in this epoch. [times]
        """
        skip = self.policy.skip
        assert skip is not None, "only where skipping is allowed"
        if self.meets(ticket, again):
            return None
        self._begun += 1
        part = self._add(ticket, again)
        ticket = _of_use(ticket, again)
        text = str(error)
        shown = text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…"
        self.last = Skipped(ticket, self.stage, self._labels[ticket.stream], type(error).__name__, shown)
        (self.kept if len(self.kept) < MOST_FIRST and not self.late else self.late).append(self.last)
        count = self.count + 1 if skip.at_most is None else len(self._places)
        if skip.allows(count, part, ticket.offset + 1):
            if self.logs:
                self._log.entries.append((self.count + 1, *ticket))
            self.count += 1
            return None
        self._undo(ticket)  # a state of before goes on to here, and is to end here too
        first = self.kept[0] if self.kept else self.last
        over = OverBudget(
            f"expected no more to be skipped than `{self.policy.skip}` allows, got {count} "
            f"- at {self.stage} - the first: {first} - the last: {self.last}"
        )
        over.__cause__ = error
        return over

    def take_back(self) -> None:
        """Forgets the last: it was not skipped after all."""
        assert self.last is not None, "there is a last"
        if self._log.entries:
            self._log.entries.pop()
        (self.late or self.kept).pop()
        self.count -= 1
        self._undo(self.last.ticket)
        self.last = self.late[-1] if self.late else self.kept[-1] if self.kept else None
        self._state = None

    def is_known(self, ticket: Ticket, again: int = 0) -> bool:
        """Whether an example is to be skipped unread, since it was skipped before a state was taken."""
        return _of_use(ticket, again) in self._known

    def meets(self, ticket: Ticket, again: int = 0) -> bool:
        """As `is_known`; and that it is skipped now: it counts already."""
        if self._known.pop(_of_use(ticket, again), None) is None:
            return False
        if not self._known:
            self._known_until.clear()
        return True

    def knows_beyond(self, stream: int, epoch: int, offset: int) -> bool:
        """Whether such examples are still to come in a pass, from an offset on."""
        return offset <= self._known_until.get((stream, epoch), -1)

    @property
    def knows_any(self) -> bool:
        """Whether `is_known` is worth asking."""
        return bool(self._known)

    def mark(self) -> SkipLog:
        """The log of what is skipped from now on, for a snapshot of whoever skips it."""
        if self._log.entries:
            self._log.then = log = SkipLog(self._log.word)
            self._log = log
        if not self._known:
            return self._log
        return SkipLog(self._log.word, [(number, *ticket) for ticket, number in self._known.items()], self._log)

    def view(self) -> SkipLog:
        """The log of what is skipped from now on, for others than whoever skips it, in any thread."""
        known: list[tuple[int, ...]] = [(number, *ticket) for ticket, number in self._known.copy().items()]
        word = self._log.word
        return SkipLog(word, known, SkipLog(word, [], self._log, behind=self.count))

    def state(self) -> dict[str, Any]:
        """What was counted, the places that the budget is of, the first and the last: plain data."""
        while self._state is None or self._state[0] != self.count:
            count = self.count
            places, passes = self._places.copy(), {stream: own.copy() for stream, own in self._passes.copy().items()}
            first, last = self.kept[0] if self.kept else None, self.last
            if self._begun != count:  # its thread was just at it
                continue
            self._state = (
                count,
                {
                    "count": count,
                    "places": _listed(places),
                    "passes": [
                        [stream, *which, skipped]
                        for stream, own in sorted(passes.items())
                        for which, skipped in sorted(own.items())
                    ],
                    "first": None if first is None else [list(first.ticket), *first[1:]],
                    "last": None if last is None else [list(last.ticket), *last[1:]],
                },
            )
        return self._state[1]

    def load(self, saved: dict[str, Any] | None, logs: Iterable[SkipLog] = ()) -> None:
        """Takes in what was skipped before a state was taken: it counts, and what comes again is skipped again unread.

        Args:
          saved: what `state` gave.
          logs: of the snapshot that is gone on from.
        """
        if saved is not None:
            self.count = self._begun = _whole(saved["count"])
            skip = self.policy.skip
            if skip is not None and skip.at_most is not None:
                self._places = set(_places(saved["places"]))
            for stream, again, epoch, count in saved["passes"]:
                self._passes.setdefault(_whole(stream), {})[_whole(again), _whole(epoch)] = _whole(count)
            self.kept = [] if saved["first"] is None else [skipped_of(saved["first"])]
            self.last = None if saved["last"] is None else skipped_of(saved["last"])
            if self.last is not None and self.count > 1:
                self.late.append(self.last)
        for log in logs:
            # What was skipped after the counts were told, and before the log was, was read ahead, and is read again.
            log.entries[:] = [entry for entry in log.entries if entry[0] <= self.count]
            for number, *ticket in log.entries:
                self._know(Ticket(*ticket), number)
            log.then = self._log

    def _know(self, ticket: Ticket, number: int) -> None:
        self._known[ticket] = number
        where = ticket.stream, ticket.epoch
        self._known_until[where] = max(ticket.offset, self._known_until.get(where, -1))

    def _undo(self, ticket: Ticket) -> None:
        """What `_add` of the last one did."""
        if self._new:
            self._places.discard((ticket.stream, ticket.offset, ticket.row))
        passes = self._passes.get(ticket.stream, {})
        if self._pass in passes:
            passes[self._pass] -= 1
        self._begun -= 1

    def _add(self, ticket: Ticket, again: int) -> int:
        """Counts what the budget is of; gives how many that makes in the pass."""
        skip = self.policy.skip
        if skip is None:
            return 0
        if skip.at_most is not None:
            place = ticket.stream, ticket.offset, ticket.row
            self._new = place not in self._places
            self._places.add(place)
        if skip.rate is None:
            return 0
        self._pass = again, ticket.epoch
        passes = self._passes.setdefault(ticket.stream, {})
        part = passes[self._pass] = passes.get(self._pass, 0) + 1
        if len(passes) > MOST_PASSES:
            del passes[min(passes)]
        return part


def together(states: Iterable[dict[str, Any]], *, same: bool) -> dict[str, Any]:
    """What several flows have counted at one place, each as `Ledger.state` gave it.

    Args:
      states: of the flows.
      same: whether they have seen the same examples there; else each has seen others.
    """
    counted = list(states)
    add: Any = max if same else sum
    passes: dict[tuple[int, ...], list[int]] = {}
    for state in counted:
        for *which, count in state["passes"]:
            passes.setdefault(tuple(which), []).append(count)
    told = [one for state in counted for one in (state["first"], state["last"]) if one is not None]
    return {
        "count": add([state["count"] for state in counted]),
        "places": _listed({place for state in counted for place in _places(state["places"])}),
        "passes": [[*which, add(counts)] for which, counts in sorted(passes.items())],
        "first": min(told, key=_order, default=None),
        "last": max(told, key=_order, default=None),
    }


def _order(saved: list[Any]) -> list[int]:
    stream, epoch, offset, row, use = saved[0]
    return [epoch, offset, stream, row, use]


def _listed(places: Iterable[tuple[int, int, int]]) -> list[list[Any]]:
    """Places, each as far behind the one before as it is, by stream and row: few digits each."""
    found: list[list[Any]] = []
    before = 0
    for stream, row, offset in sorted([(stream, row, offset) for stream, offset, row in places]):
        if not found or found[-1][:2] != [stream, row]:
            found.append([stream, row, []])
            before = 0
        found[-1][2].append(offset - before)
        before = offset
    return found


def _places(listed: list[list[Any]]) -> Iterator[tuple[int, int, int]]:
    for stream, row, steps in listed:
        offset = 0
        for step in steps:
            offset += _whole(step)
            yield _whole(stream), offset, _whole(row)


def skipped_of(saved: list[Any]) -> Skipped:
    """What `Ledger.state` has written of one that was skipped."""
    ticket, stage, source, kind, text = saved
    if any(type(part) is not str for part in (stage, source, kind, text)):
        raise StateError(mismatch("what was skipped, in words", f"`{saved!r}`"[:80], at="open(state)"))
    return Skipped(Ticket(*map(_whole, ticket)), stage, source, kind, text)


def _whole(number: Any) -> int:
    if type(number) is not int or not 0 <= number < 1 << 62:
        raise StateError(mismatch("a number of what was skipped", f"`{number!r}`"[:80], at="open(state)"))
    return number
