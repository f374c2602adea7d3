"""Gives batches in the class proportions asked for, exact in each, from a stream in whatever proportions.

Guarantees
  Batch k holds the counts that the schedule says, unless an event says otherwise (a class that stayed away too long).
  An example is used at most `repeats` times; what is not used is counted, by class and reason.
  The proportions never depend on the estimate of what arrives: it only decides how much is admitted.
  A batch is given at the very arrival that completes it.
Assumes
  A label is hashable, and reading it changes nothing.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, final

import numpy as np

from penstock.chunk import END, WHOLE, Chunk, Columns
from penstock.errors import PenstockWarning, SpecError, mismatch, placed
from penstock.sampling import (
    Classes,
    Prior,
    Rings,
    Schedule,
    Target,
    efficiency,
    inputs_for_batch,
    ring_limits,
    thresholds,
)
from penstock.sampling.shares import Float64s, Int64s
from penstock.sampling.splitmix import swaps
from penstock.stages.labelled import By, numbered
from penstock.stages.reader import place_of_ticket
from penstock.stages.stage import Pouring, Stage
from penstock.stages.store import Store
from penstock.stats import ClassEvent, StrataStats
from penstock.structure import Structure
from penstock.ticket import Tickets, listed_tickets

__all__ = ["Missing", "Stratify", "Weights", "Wishes"]

Missing = Literal["wait", "repeat", "redistribute", "error"]
"""What happens when a class that a batch needs stays away."""
Weights = Literal["target", "natural", "prior"]
"""Which weights are delivered with each example."""

PATIENCE = 100
"""So many times the inputs that a batch needs by expectation, an absent class is waited for in silence."""
MOST_BYTES = 1 << 28
"""Rings hold about as many bytes, where nobody says how many examples. [bytes]"""
MOST_EXAMPLES = 1 << 17
"""And never more examples. [examples]"""
MOST_CLASSES = 1000
"""Of more classes no vector of them is delivered with each example."""
ROOM = 64
"""Rings are made for so many classes at least, before they are known."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked of the stage, beyond the target."""

    repeats: int = 1
    """How often one example may be used."""
    rings: int | None = None
    """How many examples of each class are kept; `None` chooses. [examples]"""
    patience: int | None = None
    """How many inputs an absent class is waited for; `None` is 100 times what a batch needs. [examples]"""
    missing: Missing = "wait"
    weights: Weights | None = None
    weights_as: str | None = None
    """The name that weights are delivered under."""


@dataclass(slots=True)
class _Batch:
    """What the batch that is being waited for is to hold."""

    classes: Int64s
    counts: Int64s
    asked_at: int
    """Arrivals when it was asked for."""
    patience: float
    """How many more are waited for in silence."""
    again: dict[int, int] = field(default_factory=dict)
    """Examples that are given once more, beyond their repeats, for classes that stay away."""
    without: set[int] = field(default_factory=set)
    """Classes whose share was given to others."""
    told: bool = False


@final
class Stratify:
    """Composes batches of `schedule.size` examples.

    Args:
      upstream: where the examples come from.
      by: how the label is read.
      classes: the classes, which `schedule` knows too.
      schedule: how many of each class a batch holds.
      wishes: the rest.
      seed: of the coins that thin, and of the order within a batch. [64 bits]
      start: the arriving shares to begin with, float64[K], if they are known.
      labels: the sources' names by stream number, for messages.
      keep_last: whether the largest smaller batch within the quota is given at the end.
      exact: whether the batches that are delivered are just those composed here.
    """

    def __init__(
        self,
        upstream: Stage,
        by: By,
        classes: Classes,
        schedule: Schedule,
        wishes: Wishes,
        *,
        seed: int,
        start: Float64s | None,
        labels: Sequence[str],
        keep_last: bool,
        exact: bool,
    ) -> None:
        self._upstream = upstream
        self._keep_last = keep_last
        self.exact = exact
        """Whether the batches that are delivered are just those composed here."""
        self._pourer = upstream if isinstance(upstream, Pouring) and upstream.may_pour else None
        self._by = by
        self.classes = classes
        """The classes, by number."""
        self.schedule = schedule
        """What decides the counts."""
        self.wishes = wishes
        """How it was asked."""
        self.prior = Prior(max(len(classes), 1), start=start)
        """What arrives, as estimated."""
        self.rings: Rings | None = None
        """What waits; `None` before the first example."""
        self.events: list[ClassEvent] = []
        """What became of classes that stayed away."""
        self.repeated = 0
        """Examples that were given once more than asked for, since nothing else came. [examples]"""
        self._seed = seed
        self._labels = labels
        self._number = 0
        self._batch: _Batch | None = None
        self._claims: dict[int, Target | None] = {}
        self._store: Store | None = None
        self._tickets = np.zeros((0, 5), np.int64)
        self._reserve: dict[int, list[tuple[Any, Int64s]]] = {}
        self._held: Chunk | None = None
        self._held_classes: Int64s | None = None
        self._at = 0
        self._out: Chunk | None = None
        self._error: BaseException | None = None
        self._late_error: BaseException | None = None
        self._ended = False
        self._seen = np.zeros(0, np.int64)
        self._due = self._learnt = 0
        self._room = 0
        self._nbytes = 0
        self._expected = math.inf

    # Giving.

    def take(self, n: int) -> Chunk:
        """Gives up to n examples of the batch at hand, and composes the next only if there is none."""
        out = self._out if self._out is not None else self._composed()
        if out.count > n:
            out, self._out = out.cut(n)
        else:
            self._out = None
        return out

    def _composed(self) -> Chunk:
        while True:
            if self._batch is None and not self._ended:
                self._ask()
            if not self._ended or self._held is not None:
                change = self._claims.get(self._number)
                if change is not None:
                    self._change(change)
                    continue
            rings = self.rings
            if rings is not None and self._batch is not None and rings.full:
                if self._claims.setdefault(self._number, None) is not None:
                    continue
                return self._drawn(self._batch)
            if self._ended and self._held is None:
                return self._last()
            self._feed()
            self._look()

    def _last(self) -> Chunk:
        """The largest smaller batch, if it is asked for; the error, once; then the end."""
        batch, self._batch = self._batch, None
        if batch is not None and self.rings is not None and self._keep_last:
            held = self.rings.at_hand(batch.classes)
            counts = np.minimum(batch.counts, held)
            if counts.any():
                self.rings.ask(batch.classes, counts)
                batch.counts = counts
                return self._drawn(batch)
        error, self._error = self._error, None
        return END if error is None else Chunk([], END.tickets, error=error)

    def _drawn(self, batch: _Batch) -> Chunk:
        rings = self.rings
        assert rings is not None, "what is drawn has arrived"
        slots = rings.draw(self._number)
        table = self._tickets[slots]
        table[:, 4] = rings.uses - 1
        columns = self._store.columns(slots) if self._store is not None else None
        rows = None if columns is not None else rings.drawn if self._store is None else self._store.rows(slots)
        numbers = (
            rings.drawn_classes(self._number)
            if self.wishes.weights is not None or self.wishes.missing == "repeat"
            else None
        )
        if self.wishes.missing == "repeat":
            rows = rows if rows is not None else columns.rows() if columns is not None else []
            columns = None
            assert numbers is not None, "they were asked for above"
            rows, table, numbers = self._with_again(batch, rows, table, numbers)
        if self.wishes.weights is not None:
            assert numbers is not None, "they were asked for above"
            rows, columns = self._weighted(rows, columns, numbers)
        self._claims.pop(self._number, None)
        self._number += 1
        self._batch = None
        return Chunk(rows, listed_tickets(table), columns=columns)

    @property
    def position(self) -> int:
        """The number of the first batch that is not composed yet."""
        return self._number

    @property
    def given_labels(self) -> list[Hashable] | None:
        """The classes, where they were given beforehand."""
        return None if self.classes.grows else self.classes.labels

    def set_target(self, target: Target) -> int:
        """Another target, from the first batch on that is not composed yet; may be called by another thread.

        Returns:
          That batch's number.
        """
        while True:
            number = self._number
            # Whoever is first to claim a batch has it; this is one step that no other thread can split.
            if self._claims.setdefault(number, target) is target:
                return number

    def _change(self, target: Target) -> None:
        self.schedule.change(target)
        self._claims.pop(self._number, None)
        self._batch = None

    # Asking.

    def _ask(self) -> None:
        """Decides the next batch, and asks the rings for it."""
        rings = self.rings
        if rings is None:
            return
        if self.schedule.metric:
            self.schedule.enough(rings.fresh_held)
        if not self._known(rings):
            return
        follows = self.schedule.follows
        classes, counts = self.schedule.take(self._number, self._arriving() if follows else None)
        patience = self.wishes.patience
        if not follows and self._expected == math.inf and not self.schedule.metric:
            self._expect()
        elif follows:
            self._expect()
        waits = PATIENCE * self._expected if patience is None else patience
        self._batch = _Batch(classes, counts, rings.arrived, waits)
        self._request(rings, classes, counts)

    def _known(self, rings: Rings) -> bool:
        """Whether enough is known of the classes to begin; the first examples show which there are."""
        if self.schedule.waits_for_classes:
            known = self._ended
        else:
            known = not self.classes.grows or self._number > 0 or rings.arrived >= self.schedule.size or self._ended
        if known and not self.schedule.waits_for_classes and len(self.classes):
            return True
        if not self._ended:  # A class that never comes is asked for, so that they go on to arrive.
            rings.ask([self._room - 1], [1])
            rings.until = min(rings.until, max(self.schedule.size, rings.arrived + 1))
        return False

    def _request(self, rings: Rings, classes: Int64s, counts: Int64s) -> None:
        """Asks the rings, and makes them large enough."""
        least = -(-counts // self.wishes.repeats)
        if (self._limits[classes] < least).any():
            self._limits[classes] = np.maximum(self._limits[classes], 2 * least)
            rings.grow(self._limits)
        rings.ask(classes, counts)

    def _arriving(self) -> Float64s:
        """The arriving shares of the classes that are known."""
        shares = self.prior.shares[: len(self.classes)]
        return shares if len(shares) == len(self.classes) else np.full(len(self.classes), 1 / len(self.classes))

    def _expect(self) -> None:
        shares = self.schedule.shares
        arriving = self._arriving()
        if len(shares) != len(arriving):
            self._expected = float(self.schedule.size * max(1, len(arriving)))
            return
        self._expected = max(
            float(self.schedule.size), inputs_for_batch(arriving, shares, self.schedule.size, self.wishes.repeats)
        )

    # Feeding.

    def _feed(self) -> None:
        """Takes examples, until a batch is complete, estimates are due, or what is at hand is used up."""
        if self._held is None and not self._ended:
            if self._pourer is not None and self._store is None and self.rings is not None and self._pourer.pours:
                self._pour(self._pourer, self.rings)
                return
            chunk = self._upstream.take(self._missing())
            if chunk.error is not None or chunk.count == 0:
                self._ended, self._late_error = True, chunk.error
            if chunk.count:
                self._hold(chunk)
        if self._held is not None:
            self._add(self._held)
        if self._held is None and self._late_error is not None:
            self._error, self._late_error = self._late_error, None

    def _missing(self) -> int:
        """At least so many examples must arrive before the batch is complete; of columns, which lie ready, a whole run."""
        if self._store is not None:
            return WHOLE
        if self.rings is None or self._batch is None:
            return 1
        short = np.maximum(self._batch.counts - self.rings.at_hand(self._batch.classes), 0)
        return max(1, int((-(-short // self.wishes.repeats)).sum()))

    def _pour(self, upstream: Pouring, rings: Rings) -> None:
        poured = upstream.pour(rings, max(1, rings.until - rings.arrived))
        self._keep(poured.tickets)
        if rings.misfit is not None:
            self._refuse(rings.misfit[0], rings.error, poured.tickets, len(poured.tickets) - 1)
        elif poured.error is not None:
            self._ended, self._error = True, poured.error

    def _hold(self, chunk: Chunk) -> None:
        """Readies a chunk to be added bit by bit."""
        columns = chunk.columns
        if self.rings is None:
            self._begin(chunk)
        if columns is not None and columns.holds_objects and self._store is None:
            chunk = Chunk(chunk.as_rows(), chunk.tickets)
            columns = None
        self._held, self._at, self._held_classes = chunk, 0, None
        if self._store is not None:
            self._number_all(chunk, columns)

    def _number_all(self, chunk: Chunk, columns: Columns | None) -> None:
        """The class numbers of a chunk, whose examples are kept by the store."""
        error: Exception | None
        try:
            labels = self._by.column(columns) if columns is not None else None
        except SpecError as raised:
            numbers, error = np.empty(0, np.int64), raised
        else:
            if labels is None:
                rows = chunk.as_rows()
                how, key = self._by.reading(rows[0])
                labels = np.empty(chunk.count, object)
                read: Callable[[Any], Any] = key if how == "call" else lambda row: row[key]
                error = None
                for place, row in enumerate(rows):
                    try:
                        labels[place] = read(row)
                    except Exception as raised:
                        labels, error = labels[:place], raised
                        break
                numbers, wrong = numbered(labels, self.classes)
                error = wrong or error
            else:
                numbers, error = numbered(labels, self.classes)
        self._make_room()
        self._held_classes = numbers
        if error is not None:
            place = len(numbers)
            self._ended = True
            self._late_error = self._explained(chunk.as_rows()[place], error, chunk.tickets, place)
            if not place:
                self._held = None

    def _begin(self, chunk: Chunk) -> None:
        """Makes the rings, as the first example shows what is to be kept."""
        columns = chunk.columns
        stored = columns is not None and not self._by.own and not columns.holds_objects
        first = columns.cut(0, 1).rows()[0] if columns is not None else chunk.as_rows()[0]
        self._nbytes = _nbytes(first)
        self.rings = Rings(self.wishes.repeats, self._seed, keeps_rows=not stored)
        self._store = Store() if stored else None
        self._limits = np.zeros(0, np.int64)
        self._make_room()
        if not stored:
            how, key = self._by.reading(first)
            self.rings.labels(how, key, self.classes.numbers, self._unknown, identity=self.classes.counted)
        self._ask_until()

    def _unknown(self, label: object) -> int:
        number = self.classes.number(label)
        if number >= self._room - self.classes.grows:
            self._make_room()
        return number

    def _make_room(self) -> None:
        """Sees to it that there is a ring for each class, and one to spare where they grow."""
        rings = self.rings
        assert rings is not None, "they are made before"
        need = len(self.classes) + self.classes.grows
        if need > self._room:
            self._room = max(2 * self._room, need, ROOM if self.classes.grows else 1)
            self._set_limits(rings)

    def _set_limits(self, rings: Rings) -> None:
        """How many examples each ring may hold, as far as one can say before the target is known."""
        size = self.schedule.size
        limits = np.full(self._room, 1, np.int64)
        if self.wishes.rings is not None:
            limits[:] = self.wishes.rings
        else:
            known = max(1, len(self.classes))
            shares = self.schedule.shares
            target = shares if len(shares) == known else np.full(known, 1 / known)
            most = min(MOST_EXAMPLES, max(2 * size, MOST_BYTES // max(1, self._nbytes)))
            its = ring_limits(target, size, most=most)
            limits[:] = its.max()
            limits[:known] = its
        limits[: len(self._limits)] = np.maximum(limits[: len(self._limits)], self._limits)
        self._limits = limits
        rings.grow(limits)

    def _add(self, chunk: Chunk) -> None:
        rings = self.rings
        assert rings is not None, "a chunk that is held has made them"
        if self._held_classes is not None:
            done = rings.add_classes(self._held_classes, self._at)
            count = len(self._held_classes)
        else:
            done = rings.add(chunk.as_rows(), self._at)
            count = chunk.count
        places = self._keep(chunk.tickets if not self._at else chunk.tickets.cut(self._at, chunk.count))
        if self._store is not None and len(places[0]):
            columns = chunk.columns
            if columns is None:
                self._store.put_rows(places[1], chunk.as_rows(), places[0] + self._at, rings.capacity)
            else:
                self._store.put(places[1], columns, places[0] + self._at, rings.capacity)
        self._at += done
        if rings.misfit is not None:
            self._refuse(rings.misfit[0], rings.error, chunk.tickets, self._at)
            self._held = None
        elif self._at >= count:
            self._held = None

    def _keep(self, tickets: Tickets) -> tuple[Int64s, Int64s]:
        """Notes the tickets of what was admitted."""
        rings = self.rings
        assert rings is not None, "something was admitted to them"
        places, slots = rings.admitted()
        if rings.capacity > len(self._tickets):
            grown = np.zeros((rings.capacity, 5), np.int64)
            grown[: len(self._tickets)] = self._tickets
            self._tickets = grown
        if len(slots):
            self._tickets[slots] = tickets.table()[places]
        return places, slots

    def _refuse(self, example: object, error: BaseException | None, tickets: Tickets, place: int) -> None:
        assert error is not None, "a misfit has an error"
        self._ended, self._error = True, self._explained(example, error, tickets, place)

    def _explained(self, example: object, error: BaseException, tickets: Tickets, place: int) -> BaseException:
        """What is told of an example whose label is none."""
        where = place_of_ticket(tickets[place], self._labels)
        if isinstance(error, SpecError):
            text = str(error)
            return SpecError(
                text if " - at " in text and "stratify(by)" not in text else f"{text} - at the label of {where}"
            )
        if not self._by.own and isinstance(error, (KeyError, IndexError, AttributeError, TypeError)):
            return SpecError(f"{self._by.missing(example)} - {where}")
        return placed(error, f"reading the label of {where}")

    # Looking up.

    def _ask_until(self) -> None:
        """Sets the arrival at which estimates are made anew: often at first, then twice in a window."""
        assert self.rings is not None, "the rings are made"
        arrived, most = self.rings.arrived, self.prior.every
        self.rings.until = self._due = min(1 << max(6, arrived.bit_length()), (arrived // most + 1) * most)

    def _look(self) -> None:
        """Learns what arrives, and sees whether a class stays away."""
        rings = self.rings
        if rings is None:
            return
        if rings.arrived == self._due:
            self._learn(rings)
        if rings.arrived >= rings.until:
            self._ask_until()
            if self.schedule.metric:
                self.schedule.enough(rings.fresh_held)
        batch = self._batch
        if batch is not None and not rings.full and rings.arrived - batch.asked_at > batch.patience:
            self._give_up(rings, batch)

    def _learn(self, rings: Rings) -> None:
        known = len(self.classes)
        seen = rings.seen[:known].copy()
        before = np.zeros(known, np.int64)
        before[: len(self._seen)] = self._seen
        self.prior.update(seen - before, rings.arrived - self._learnt)
        self._seen, self._learnt = seen, rings.arrived
        shares = self.schedule.shares
        if len(shares) == known and not self.schedule.metric:
            admitted = np.full(self._room, 2**64 - 1, np.uint64)
            admitted[:known] = thresholds(self.prior.shares[:known], shares, self.wishes.repeats)
            rings.admit(admitted)
            self._expect()

    def _give_up(self, rings: Rings, batch: _Batch) -> None:
        """Does what was asked for where a class stays away."""
        held = rings.at_hand(batch.classes)
        short = np.flatnonzero(held < batch.counts)
        absent = [number for number in batch.classes[short].tolist() if number not in batch.without]
        policy = self.wishes.missing
        batch.patience = (
            batch.patience * 2 + self.schedule.size if policy == "wait" else batch.patience + self.schedule.size
        )
        names = [self.classes.labels[number] for number in absent]
        waited = rings.arrived - batch.asked_at
        if policy == "error":
            self._ended = True
            want = f"class {_listed(names)} within {waited} inputs"
            do = 'raise `patience`, or say missing="redistribute"'
            self._error = SpecError(mismatch(want, "none", at=f"batch {self._number}", do=do))
            self._held, self._batch = None, None
            return
        acted = policy
        if policy == "repeat":
            again = {
                n: int(batch.counts[i] - held[i])
                for n, i in zip(absent, short.tolist(), strict=True)
                if n in self._reserve
            }
            if len(again) == len(absent) and again:
                batch.again = again
                counts = np.minimum(batch.counts, held)
                for n in absent:
                    place = int(np.searchsorted(batch.classes, n))
                    batch.counts[place] = counts[place]
                rings.ask(batch.classes, batch.counts)
            else:
                acted = "wait"
        elif policy == "redistribute" and not self._redistribute(rings, batch, absent, held):
            acted = "wait"
        if not batch.told:
            batch.told = True
            self.events.append(ClassEvent(self._number, tuple(names), acted, waited))
            if acted == "wait":
                text = (
                    f"penstock: class {_listed(names)} has not come within {waited} inputs; batch {self._number} waits "
                    f'for it. `missing="redistribute"` or "repeat" would go on without'
                )
                warnings.warn(text, PenstockWarning, stacklevel=2)

    def _redistribute(self, rings: Rings, batch: _Batch, absent: Sequence[int], held: Int64s) -> bool:
        """Gives what absent classes lack to the others, by their shares."""
        counts = batch.counts.copy()
        left = 0
        for number in absent:
            place = int(np.searchsorted(batch.classes, number))
            left += int(counts[place] - held[place])
            counts[place] = held[place]
        batch.without.update(absent)
        others = np.array([n for n in range(len(self.schedule.shares)) if n not in batch.without], np.int64)
        shares = self.schedule.shares[others] if len(others) else np.empty(0)
        if not len(others) or not shares.any():
            return False
        whole = np.floor(shares / np.cumsum(shares)[-1] * left).astype(np.int64)
        rest = left - int(whole.sum())
        order = np.argsort(-(shares / np.cumsum(shares)[-1] * left - whole), kind="stable")
        whole[order[:rest]] += 1
        every = dict(zip(batch.classes.tolist(), counts.tolist(), strict=True))
        for number, more in zip(others.tolist(), whole.tolist(), strict=True):
            every[number] = every.get(number, 0) + more
        kept = sorted((number, count) for number, count in every.items() if count)
        batch.classes = np.array([number for number, _ in kept], np.int64)
        batch.counts = np.array([count for _, count in kept], np.int64)
        self._request(rings, batch.classes, batch.counts)
        return True

    def _with_again(
        self, batch: _Batch, rows: list[Any], table: Int64s, numbers: Int64s
    ) -> tuple[list[Any], Int64s, Int64s]:
        """Adds examples of absent classes once more, and keeps the newest of each class for that."""
        rows = list(rows)
        given = [(row, ticket) for row, ticket in zip(rows, table, strict=True)]
        for number, pair in zip(numbers.tolist(), given, strict=True):
            kept = self._reserve.setdefault(number, [])
            kept.append(pair)
            del kept[: -self.schedule.size]
        if not batch.again:
            return rows, table, numbers
        more: list[tuple[Any, Int64s]] = []
        its: list[int] = []
        for number, count in batch.again.items():
            kept = self._reserve[number]
            for _ in range(count):
                row, ticket = kept.pop(0)
                used = ticket.copy()
                used[4] += 1
                kept.append((row, used))
                more.append((row, used))
                its.append(number)
        self.repeated += len(more)
        given += more
        order = list(range(len(given)))
        for one, other in swaps(self._seed ^ 1, self._number, len(order)):
            order[one], order[other] = order[other], order[one]
        every = np.concatenate((numbers, np.array(its, np.int64)))
        return [given[i][0] for i in order], np.array([given[i][1] for i in order], np.int64), every[order]

    # Weights.

    def _weighted(
        self, rows: list[Any] | None, columns: Columns | None, numbers: Int64s
    ) -> tuple[list[Any] | None, Columns | None]:
        """Adds the weights to the examples, under their name."""
        values = self._weights(numbers)
        name = self.wishes.weights_as
        assert name is not None, "weights have a name"
        if columns is not None:
            rows = columns.rows()
        assert rows is not None, "a batch has rows or columns"
        if rows and isinstance(rows[0], dict):
            if name in rows[0]:
                self._error = SpecError(
                    mismatch("a new name for the weights", f"`{name}`, a component's", at="stratify(weights_as)")
                )
                self._ended, self._held, self._batch = True, None, None
                return [], None
            return [{**row, name: value} for row, value in zip(rows, values, strict=True)], None
        return [(row, {name: value}) for row, value in zip(rows, values, strict=True)], None

    def _weights(self, numbers: Int64s) -> Any:
        arriving = self._arriving()
        if self.wishes.weights == "prior":
            log = np.log(arriving).astype(np.float32)
            return [log] * len(numbers)
        got = np.bincount(numbers, minlength=len(self.classes)) / len(numbers)
        shares = self.schedule.shares if len(self.schedule.shares) == len(self.classes) else got
        if self.wishes.weights == "natural":
            wanted, own = arriving, shares if not self._redistributed else got
        else:
            wanted, own = shares, got if self._redistributed else shares
        return (wanted / np.where(own > 0, own, 1))[numbers].astype(np.float32)

    @property
    def _redistributed(self) -> bool:
        return self._batch is not None and bool(self._batch.without)

    def stats(self) -> StrataStats:
        """What was done so far."""
        rings, known = self.rings, len(self.classes)
        names = ("seen", "thinned", "evicted_fresh", "given", "distinct", "waited", "fresh_held")
        counts = {name: np.zeros(known, np.int64) for name in names}
        if rings is not None:
            counts = {name: np.array(getattr(rings, name)[:known]) for name in names}
        arriving = self._arriving() if known else np.empty(0)
        shares = self.schedule.shares
        target = shares if len(shares) == known else np.full(known, 1 / max(1, known))
        bound = efficiency(arriving, target, self.wishes.repeats) if (target > 0).any() else 0.0
        return StrataStats(
            labels=tuple(self.classes.labels[:known]),
            counts={**counts, "arriving": arriving, "target": target},
            inputs=rings.arrived if rings is not None else 0,
            delivered=int(counts["given"].sum()) + self.repeated,
            bound=bound,
            window=self.prior.effective_window,
            repeats=self.wishes.repeats,
            size=self.schedule.size,
            exact=self.exact,
            ignored=rings.ignored if rings is not None else 0,
            events=tuple(self.events),
        )

    @property
    def discarded(self) -> int:
        """Examples that were never given, and will not be. [examples]"""
        rings = self.rings
        if rings is None:
            return 0
        lost = int(rings.thinned.sum() + rings.evicted_fresh.sum()) + rings.ignored
        over = self._ended and self._held is None and self._batch is None
        return lost + (int(rings.fresh_held.sum()) if over else 0)

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()


def _listed(names: Sequence[Any]) -> str:
    shown = ", ".join(f"`{name!r}`" for name in names[:5])
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _nbytes(example: object) -> int:
    """About how many bytes an example takes."""
    leaves = Structure.of(example).leaves(example)
    return (
        sum(int(getattr(leaf, "nbytes", 0)) or len(leaf) if isinstance(leaf, (str, bytes)) else 16 for leaf in leaves)
        + 64
    )
