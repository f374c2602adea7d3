"""What was skipped, place by place: in order, countable, and plain enough for a state to hold.

Guarantees
  Each place (a source, a stage) has a ledger of its own, in the order of its stream, which no thread's timing changes.
  What a ledger holds of tickets is all; of errors, the first few and the last.
Assumes
  One thread at a time writes a ledger; anybody may read it meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple, final

from penstock.errors import OverBudget
from penstock.faults.policy import Policy
from penstock.ticket import Ticket

__all__ = ["Ledger", "Quarantine", "SkipStats", "Skipped"]

MOST_KEPT = 100
"""So many errors of each place are kept in words. [errors]"""
MOST_TEXT = 500
"""Of a longer message only the beginning is kept. [characters]"""


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
    """What one place has skipped since the flow was opened."""

    stage: str
    """`"read 'train-3.jsonl'"`, or a stage's word: `"map(decode)"`."""
    skipped: int
    """How many. [examples, or batches behind `.batch`]"""
    first: Skipped | None
    """The first; `None` if all were skipped before the state that the flow was opened with."""
    last: Skipped | None
    """The last."""


@final
class Ledger:
    """What one place has skipped.

    Args:
      stage: what stands there: `"read 'train-3.jsonl'"`, `"map(decode)"`.
      policy: what is done about errors there.
      labels: the sources' names by stream number.
    """

    def __init__(self, stage: str, policy: Policy, labels: Sequence[str]) -> None:
        self.stage = stage
        self.policy = policy
        self.tickets: list[Ticket] = []
        """Of all that was skipped, in order."""
        self.kept: list[Skipped] = []
        """The first of them, in words."""
        self.last: Skipped | None = None
        """The last of them, in words."""
        self._labels = labels
        self._skipped: set[Ticket] = set()
        self._known: set[Ticket] = set()
        self._known_until: dict[tuple[int, int], int] = {}
        self._places: Counter[tuple[int, int, int]] = Counter()
        self._passes: Counter[tuple[int, int]] = Counter()

    def __len__(self) -> int:
        return len(self.tickets)

    def skip(self, ticket: Ticket, error: BaseException) -> BaseException | None:
        """Notes that an example is skipped; gives what is to be raised instead, if that is too much.

        Args:
          ticket: where it came from.
          error: why.
        """
        assert self.policy.skip is not None, "only where skipping is allowed"
        if ticket in self._known:  # it counts already
            return None
        self._add(ticket)
        text = str(error)
        shown = text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…"
        self.last = Skipped(ticket, self.stage, self._labels[ticket.stream], type(error).__name__, shown)
        if len(self.kept) < MOST_KEPT:
            self.kept.append(self.last)
        part = self._passes[ticket.stream, ticket.epoch]
        if self.policy.skip.allows(len(self._places), part, ticket.offset + 1):
            return None
        first = self.kept[0] if self.kept else self.last
        over = OverBudget(
            f"expected no more to be skipped than `{self.policy.skip}` allows, got {len(self._places)} "
            f"- at {self.stage} - the first: {first} - the last: {self.last}"
        )
        over.__cause__ = error
        return over

    def take_back(self) -> None:
        """Forgets the last: it was not skipped after all."""
        ticket = self.tickets.pop()
        self._skipped.discard(ticket)
        self._passes[ticket.stream, ticket.epoch] -= 1
        place = ticket.stream, ticket.offset, ticket.row
        self._places[place] -= 1
        if not self._places[place]:
            del self._places[place]
        if self.kept and self.kept[-1].ticket == ticket:
            self.kept.pop()
        self.last = self.kept[-1] if self.kept else None

    def has(self, ticket: Ticket) -> bool:
        """Whether an example was skipped here."""
        return ticket in self._skipped

    def is_known(self, ticket: Ticket) -> bool:
        """Whether an example is to be skipped unread, since it was skipped before a state was taken."""
        return ticket in self._known

    def knows_beyond(self, stream: int, epoch: int, offset: int) -> bool:
        """Whether such examples are still to come in a pass, from an offset on."""
        return offset <= self._known_until.get((stream, epoch), -1)

    @property
    def knows_any(self) -> bool:
        """Whether `is_known` is worth asking."""
        return bool(self._known)

    def load(self, tickets: Iterable[Sequence[int]]) -> None:
        """Takes in what was skipped before a state was taken: it is skipped again unread, and counts."""
        for row in tickets:
            ticket = Ticket(*row)
            self._known.add(ticket)
            where = ticket.stream, ticket.epoch
            self._known_until[where] = max(ticket.offset, self._known_until.get(where, -1))
            self._add(ticket)

    def _add(self, ticket: Ticket) -> None:
        self.tickets.append(ticket)
        self._skipped.add(ticket)
        self._places[ticket.stream, ticket.offset, ticket.row] += 1
        self._passes[ticket.stream, ticket.epoch] += 1


@final
class Quarantine:
    """The ledgers of a flow.

    Args:
      labels: the sources' names by stream number.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.ledgers: dict[int, Ledger] = {}
        """Of each place, by the number of its word."""
        self._labels = labels
        self._loaded: dict[int, list[list[int]]] = {}

    def ledger(self, word: int, stage: str, policy: Policy) -> Ledger:
        """The ledger of a place, the same in each epoch.

        Args:
          word: the number of its word.
          stage: what stands there.
          policy: what is done about errors there.
        """
        if word not in self.ledgers:
            self.ledgers[word] = Ledger(stage, policy, self._labels)
            self.ledgers[word].load(self._loaded.pop(word, []))
        return self.ledgers[word]

    def skipped(self) -> tuple[Skipped, ...]:
        """What was skipped, from the sources to the batches; of each place the first few, and the last."""
        found: list[Skipped] = []
        for ledger in self._in_order():
            kept, last = tuple(ledger.kept), ledger.last
            found += kept
            if last is not None and len(ledger) > len(kept):
                found.append(last)
        return tuple(found)

    def stats(self) -> tuple[SkipStats, ...]:
        """How much each place has skipped, for those that have."""
        return tuple(
            SkipStats(ledger.stage, len(ledger), ledger.kept[0] if ledger.kept else None, ledger.last)
            for ledger in self._in_order()
            if len(ledger)
        )

    def state(self) -> dict[str, list[list[int]]]:
        """All tickets that were skipped, in order, by the number of the place: plain data."""
        return {str(word): [list(ticket) for ticket in self.ledgers[word].tickets] for word in sorted(self.ledgers)}

    def load(self, state: dict[str, list[list[int]]]) -> None:
        """Takes in what `state` gave, before the stages are built, whose ledgers then begin with it."""
        self._loaded = {int(word): [list(Ticket(*map(int, row))) for row in rows] for word, rows in state.items()}

    def _in_order(self) -> list[Ledger]:
        return [ledger for _, ledger in sorted(self.ledgers.copy().items())]
