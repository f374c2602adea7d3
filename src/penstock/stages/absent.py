"""What is done about classes that a batch needs and that do not come."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from penstock.errors import PenstockWarning, SpecError, mismatch
from penstock.sampling import Classes, Rings
from penstock.sampling.shares import Float64s, Int64s
from penstock.sampling.splitmix import swaps
from penstock.stages.snapshot import Saved, packed_tickets, unpacked_tickets
from penstock.stages.vigil import PATIENCE, listed
from penstock.stages.wishes import Missing
from penstock.stats import ClassEvent
from penstock.ticket import Tickets, listed_tickets

__all__ = ["Absence", "Asked"]


@dataclass(slots=True)
class Asked:
    """What the batch that is being waited for is to hold."""

    classes: Int64s
    counts: Int64s
    since: int
    """Arrivals when it was asked for. [examples]"""
    patience: int
    """How many more it is waited for in silence. [examples]"""
    again: dict[int, int] = field(default_factory=dict)
    """How many are given once more, beyond their repeats, of classes that stay away."""
    without: set[int] = field(default_factory=set)
    """Classes whose share was given to others."""
    told: bool = False

    def snapshot(self) -> Saved:
        """All of it."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "again": dict(self.again),
            "without": sorted(self.without),
        }

    @classmethod
    def restored(cls, saved: Saved) -> Asked:
        """From a snapshot."""
        again = {int(number): int(count) for number, count in saved["again"].items()}
        return cls(
            np.array(saved["classes"], np.int64),
            np.array(saved["counts"], np.int64),
            int(saved["since"]),
            int(saved["patience"]),
            again,
            {int(number) for number in saved["without"]},
            bool(saved["told"]),
        )

    @property
    def until(self) -> int:
        """Arrivals at which the wait is over. [examples]"""
        return self.since + self.patience + 1


@final
class Absence:
    """Acts where a class stays away, as was asked for.

    Args:
      policy: what is done.
      patience: how many inputs a class is waited for; `None` goes by what a batch takes. [examples]
      size: examples in a batch.
      classes: the classes, by number.
      repeats: how often one example may be used without that.
      seed: of the order in a batch that some were given once more in.
    """

    def __init__(
        self, policy: Missing, patience: int | None, size: int, classes: Classes, *, repeats: int, seed: int
    ) -> None:
        self._policy = policy
        self._patience = patience
        self._size = size
        self._classes = classes
        self._repeats = repeats
        self._seed = seed ^ 1
        self._given: dict[int, dict[tuple[int, ...], tuple[Any, Int64s]]] = {}
        self.events: list[ClassEvent] = []
        """What became of classes that stayed away."""
        self.repeated: Counter[int] = Counter()
        """Of each class, how many were given once more than asked for, since nothing else came. [examples]"""

    @property
    def keeps(self) -> bool:
        """Whether it keeps what was given, to give it once more."""
        return self._policy == "repeat"

    def patience(self, expected: float) -> int:
        """How many inputs a batch is waited for in silence, if it takes so many by expectation."""
        return math.ceil(PATIENCE * expected) if self._patience is None else self._patience

    def act(self, rings: Rings, asked: Asked, number: int, target: Float64s) -> SpecError | None:
        """Does what is to be done; gives the error, where that is one.

        Args:
          rings: which lack something.
          asked: of the batch; it is changed.
          number: of the batch.
          target: q, float64[K].

        Returns:
          The error of policy `"error"`.
        """
        held = rings.at_hand(asked.classes)
        absent = [n for n in asked.classes[held < asked.counts].tolist() if n not in asked.without]
        waited = rings.arrived - asked.since
        names = tuple([self._classes.labels[n] for n in absent])
        if self._policy == "error":
            want, do = (
                f"class {listed(names)} within {waited} inputs",
                'raise `patience`, or say missing="redistribute"',
            )
            return SpecError(mismatch(want, "none", at=f"batch {number}", do=do))
        acted = self._policy
        if (acted == "repeat" and not self._once_more(asked, absent, held)) or (
            acted == "redistribute" and not _redistributed(asked, absent, held, target)
        ):
            acted = "wait"
        asked.patience = waited + (waited if acted == "wait" else 0) + self._size
        if not asked.told:
            asked.told = True
            self.events.append(ClassEvent(number, names, acted, waited))
            if acted == "wait":
                one = len(names) == 1
                what, it = ("class", "it") if one else ("classes", "them")
                text = (
                    f"penstock: {what} {listed(names)} {'has' if one else 'have'} not come within {waited} inputs; batch "
                    f'{number} waits for {it}. `missing="redistribute"` or "repeat" would go on without'
                )
                warnings.warn(text, PenstockWarning, stacklevel=2)
        return None

    def _once_more(self, asked: Asked, absent: Sequence[int], held: Int64s) -> bool:
        """Has what absent classes lack given once more, if anything of each was given before."""
        if not absent or not all(number in self._given for number in absent):
            return False
        for number in absent:
            place = int(np.searchsorted(asked.classes, number))
            asked.again[number] = asked.again.get(number, 0) + int(asked.counts[place] - held[place])
        asked.counts = np.minimum(asked.counts, held)
        return True

    def with_again(
        self, asked: Asked, number: int, rows: list[Any], table: Int64s, drawn: Int64s
    ) -> tuple[list[Any], Int64s, Int64s]:
        """A batch with what is given once more; what it holds is kept, in case its classes stay away later.

        Args:
          asked: of the batch.
          number: of the batch.
          rows: what was drawn, n examples.
          table: their tickets, int64[n, 5].
          drawn: their classes, int64[n].

        Returns:
          The same, of all examples of the batch.
        """
        given = list(zip(drawn.tolist(), rows, table, strict=True))
        for of, row, ticket in given:
            self._remember(of, row, ticket)
        for of, count in asked.again.items():
            kept = self._given[of]
            for _ in range(count):
                row, ticket = kept[next(iter(kept))]  # That which was given longest ago.
                again = ticket.copy()
                again[4] = max(self._repeats, ticket[4] + 1)
                self._remember(of, row, again)
                given.append((of, row, again))
        counts = Counter(of for of, _, _ in given)
        for of, most in counts.items():  # As many of each class as a batch holds of it.
            kept = self._given[of]
            while len(kept) > most:
                del kept[next(iter(kept))]
        if asked.again:
            self.repeated.update(asked.again)
            for one, other in swaps(self._seed, number, len(given)):
                given[one], given[other] = given[other], given[one]
        tickets = np.array([ticket for _, _, ticket in given], np.int64)
        return [row for _, row, _ in given], tickets, np.array([of for of, _, _ in given], np.int64)

    def snapshot(self, tickets: bool) -> Saved:
        """What was given and may be given once more, by its tickets or as it is; and what became of absent classes.

        Args:
          tickets: whether examples can be had again by their tickets.
        """
        given = [(of, row, ticket) for of, kept in self._given.items() for row, ticket in kept.values()]
        table = np.array([ticket for _, _, ticket in given], np.int64).reshape(-1, 5)
        return {
            "of": [of for of, _, _ in given],
            "tickets": packed_tickets(listed_tickets(table)),
            "rows": None if tickets else [row for _, row, _ in given],
            "events": [list(event) for event in self.events],
            "repeated": dict(self.repeated),
        }

    def restore(self, saved: Saved, recall: Callable[[Tickets], list[Any]]) -> None:
        """Goes on from there.

        Args:
          saved: the snapshot.
          recall: gives examples again by their tickets.
        """
        tickets = unpacked_tickets(saved["tickets"])
        rows = recall(tickets) if saved["rows"] is None else saved["rows"]
        for of, row, ticket in zip(saved["of"], rows, tickets.table(), strict=True):
            self._remember(int(of), row, ticket)
        self.events = [
            ClassEvent(int(batch), tuple(labels), policy, int(waited))
            for batch, labels, policy, waited in saved["events"]
        ]
        self.repeated = Counter({int(of): int(count) for of, count in saved["repeated"].items()})

    def _remember(self, of: int, row: Any, ticket: Int64s) -> None:
        kept, place = self._given.setdefault(of, {}), tuple(ticket[:4].tolist())
        kept.pop(place, None)
        kept[place] = row, ticket


def _redistributed(asked: Asked, absent: Sequence[int], held: Int64s, target: Float64s) -> bool:
    """Gives what absent classes lack to the others, by their shares; not if there are no others."""
    without = asked.without.union(absent)
    shares = target.copy()
    shares[list(without)] = 0
    if not shares.any():
        return False
    counts = np.zeros(len(target), np.int64)
    counts[asked.classes] = asked.counts
    present = np.zeros(len(target), np.int64)
    present[asked.classes] = held
    lacking = counts[absent] - present[absent]
    counts[absent] = present[absent]
    left = int(lacking.sum())
    parts = shares / np.cumsum(shares)[-1] * left
    more = np.floor(parts).astype(np.int64)
    rest = np.argsort(-(parts - more), kind="stable")
    more[rest[: left - int(more.sum())]] += 1
    counts += more
    asked.without = without
    asked.classes = np.flatnonzero(counts)
    asked.counts = counts[asked.classes]
    return True
