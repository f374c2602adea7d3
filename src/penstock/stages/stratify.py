"""Gives batches in the class proportions asked for, exact in each, from a stream in whatever proportions.

Guarantees
  Batch k holds the counts that the schedule says, unless an event says otherwise (a class that stayed away too long).
  An example is used at most `repeats` times; what is not used is counted, by class and reason.
  The proportions never depend on the estimate of what arrives: it only decides how much is admitted.
  A batch is complete at the very arrival that completes it, and never waits for another.
Assumes
  A label is hashable, and reading it changes nothing.
How
  Single examples go straight into the rings, which stop at the arrival that completes a batch. A run of columns lies
  ready as a whole: the rings go through its class numbers, and compose all batches that it completes at once. The run is
  held for as long as many of its examples wait, so that each that is given is copied once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np

from penstock.assemble import Assembler, Pool
from penstock.chunk import END, WHOLE, Chunk
from penstock.errors import SpecError
from penstock.sampling import Classes, Dealt, NumberRings, Rings, Schedule, Target
from penstock.sampling.shares import Float64s, Int64s
from penstock.stages.absent import Absence, Asked
from penstock.stages.claims import Claims
from penstock.stages.kept import Given, Kept, KeptRows, KeptRuns, Quotas
from penstock.stages.labelled import By, How
from penstock.stages.learning import Learning
from penstock.stages.limits import Limits
from penstock.stages.reader import place_of_ticket
from penstock.stages.snapshot import Again, Saved, Unsettled, Wanted, drop, noted
from penstock.stages.stage import Pouring, Stage
from penstock.stages.told import left_out, told
from penstock.stages.weights import attached, check_name, weights_of
from penstock.stages.wishes import Wishes
from penstock.stats import StrataStats
from penstock.ticket import Tickets, listed_tickets

__all__ = ["Stratify", "Wishes"]

MOST = 32
"""So many batches are composed at once. [batches]"""


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
      wanted: whether a snapshot is wanted.
    """

    def __init__(
        self,
        upstream: Stage,
        by: By,
        classes: Classes,
        schedule: Schedule | Dealt,
        wishes: Wishes,
        *,
        seed: int,
        start: Float64s | None,
        labels: Sequence[str],
        keep_last: bool,
        exact: bool,
        wanted: Wanted | None = None,
    ) -> None:
        self._upstream = upstream
        self._wanted = wanted if wanted is not None else Wanted()
        self._again = Again(upstream, self._wanted)
        self._pourer = upstream if isinstance(upstream, Pouring) and upstream.may_pour else None
        self._by = by
        self._classes = classes
        self._schedule = schedule
        self._wishes = wishes
        self._seed = seed
        self._labels = labels
        self._keep_last = keep_last
        self._exact = exact
        size, repeats = schedule.size, wishes.repeats
        self._learning = Learning(len(classes), size, repeats, start)
        self._absence = Absence(wishes.missing, wishes.patience, size, classes, repeats=repeats, seed=seed)
        self._limits = Limits(size, repeats, wishes.rings)
        self._claims = Claims()
        self._kept: Kept | None = None  # None before the first example
        self._asked: Asked | None = None
        self._ahead: list[tuple[Int64s, Int64s]] = []
        self._over_classes = 0
        self._target: Float64s | None = None
        self._pool = Pool()
        self._drawn: Asked  # of the batch that was drawn last
        self._done = False
        self._out: Chunk | None = None
        self._before: Saved | None = None  # where it stood before `_out` was composed
        self._composed_last = self._drop = 0
        self._over = False
        self._error: BaseException | None = None

    # Giving.

    def take(self, n: int) -> Chunk:
        """Gives up to n examples of what is composed, and composes more only if there is none."""
        if self._drop:
            count, self._drop = self._drop, 0
            rest = drop(self, count)
            if rest is not None:
                return rest
        out = self._out
        if out is None:
            # Of whole batches nothing is left that the next take would go on with.
            self._before = noted(self) if self._wanted.on and n % self._schedule.size else None
            out = self._composed(n)
            self._composed_last = out.count
        if out.count > n:
            out, self._out = out.cut(n)
        else:
            self._out = None
        return out

    def assemble(self, assembler: Assembler) -> None:
        """Has what waits kept and given as it will stand in batches, where nothing is added to it, and none given again."""
        if self._kept is not None and not self._one_by_one:
            self._kept.assemble(assembler, self._pool)

    @property
    def _one_by_one(self) -> bool:
        """Whether there is something to do with each batch."""
        return self._absence.keeps or self._wishes.weights is not None

    def _composed(self, n: int) -> Chunk:
        """The next batch; of a run of columns several, if it completes as many and about n examples were asked for."""
        most = -(-n // self._schedule.size)
        while not self._done:
            target = self._claims.begin()
            if target is not None:
                self.begin_anew(target)
                continue
            given, batches = None, 0
            try:
                if self._kept is not None and (self._asked is None or self._kept.held or self._kept.rings.halted):
                    batches = self._step(self._kept, most)
                    given = self._finished(self._kept, batches) if batches else None
            finally:
                self._claims.end(batches)
            if given is not None:
                return given.as_chunk()
            if self._kept is None or not (self._kept.held or self._kept.rings.full):  # nothing at hand to go on with
                if self._over:
                    return self._last()
                self._feed()
        error, self._error = self._error, None
        return END if error is None else Chunk([], END.tickets, error=error)

    def _step(self, kept: Kept, most: int) -> int:
        """Goes through what is held until a batch is complete, or something is due; gives how many were drawn."""
        rings = kept.rings
        if self._asked is None:
            self._ask(rings)
        self._set_until(rings)
        kept.prepare()
        quotas = self._quotas(min(most, kept.most) - (not kept.stops or self._one_by_one))
        draws = kept.step(self._claims.number, quotas)
        self._learn(rings)
        if draws:
            assert self._asked is not None, "what was drawn was asked for"
            self._drawn, self._asked = self._asked, None
            if draws <= len(quotas):
                self._wait_for(rings, *quotas[draws - 1])
            del self._ahead[: min(draws, len(quotas))]
        refused = kept.refused
        if refused is not None:
            kept.refused = None
            example, error, tickets, place = refused
            self._end(self._by.explained(example, error, place_of_ticket(tickets[place], self._labels)))
        self._see_to_absent(rings)
        return draws

    def _finished(self, kept: Kept, batches: int) -> Given:
        """What was drawn, with what is added to it."""
        given = kept.given()
        name, kind = self._wishes.weights_as, self._wishes.weights
        if not self._one_by_one:
            return given
        asked, number = self._drawn, self._claims.number
        drawn = kept.rings.drawn_classes(number, asked.classes, asked.counts)
        rows, columns, tickets = given
        if self._absence.keeps:
            own = rows if rows is not None else columns.rows() if columns is not None else []
            rows, table, drawn = self._absence.with_again(asked, number, own, tickets.table(), drawn)
            columns, tickets = None, listed_tickets(table)
        if kind is not None:
            assert name is not None, "weights have a name"
            target = self._target if not self._schedule.metric else None
            arriving = self._learning.arriving(len(self._classes))
            weights = weights_of(kind, arriving, target, drawn, shifted=bool(asked.without))
            rows, columns = attached(rows, columns, weights, name)
        return Given(rows, columns, tickets)

    def _last(self) -> Chunk:
        """The largest smaller batch, if it is asked for; the error, once; then the end."""
        kept, asked, self._asked = self._kept, self._asked, None
        self._done = True
        if kept is not None and asked is not None and self._keep_last:
            asked.counts = np.minimum(asked.counts, kept.rings.at_hand(asked.classes))
            if asked.counts.any():
                kept.rings.ask(asked.classes, asked.counts)
                kept.step(self._claims.number, [])
                self._drawn = asked
                return self._finished(kept, 1).as_chunk()
        return self._composed(0)

    def _end(self, error: BaseException | None) -> None:
        """Takes nothing more; the error comes after what can be composed."""
        self._over, self._error = True, error

    def set_target(self, target: Any) -> int:
        """Another target, from the first batch on that is not composed yet; may be called by another thread.

        Returns:
          That batch's number.

        Raises:
          PipelineError: it is no target over the classes.
        """
        labels = None if self._classes.grows else self._classes.labels
        return self._claims.change(Target(target, labels=labels, at="set_target(target)"))

    def begin_anew(self, target: Target | None = None, number: int | None = None) -> None:
        """Asks anew for the next batch, for another target or of another size, and with another number."""
        self._claims.number = self._claims.number if number is None else number
        self._schedule.begin_anew(target)
        self._ahead.clear()
        self._asked = None
        if self._kept is not None:
            self._kept.rings.ask((), ())

    # Asking.

    def _ask(self, rings: Rings) -> None:
        """Asks the rings for the next batch, if enough is known of the classes."""
        if not self._known(rings):
            return
        if self._over_classes != len(self._classes):  # What was worked out before knows nothing of a new class.
            self._over_classes = len(self._classes)
            self._ahead.clear()
        if self._ahead:
            its, counts = self._ahead.pop(0)
        else:
            arriving = self._learning.arriving(len(self._classes)) if self._schedule.follows else None
            try:
                its, counts = self._schedule.take(self._claims.number, arriving)
            except Exception as error:  # of the user's function of the batch's number
                self._end(error)
                self._kept = None
                return
        if self._target is not self._schedule.shares:
            self._aim(rings, self._schedule.shares)
        if self._schedule.metric:
            self._learning.expect(int(counts[0]), len(self._classes))
        self._limits.hold(rings, its, counts)
        rings.ask(its, counts)
        self._wait_for(rings, its, counts)

    def _quotas(self, most: int) -> Quotas:
        """The quotas of the batches after the one that is asked for, where the target stays: so many at most."""
        if most <= 0 or self._asked is None or not self._schedule.steady or self._over_classes != len(self._classes):
            return []
        ahead = self._ahead
        while len(ahead) < most:
            ahead += self._schedule.several(most - len(ahead))
        return ahead[:most]

    def _aim(self, rings: Rings, target: Float64s) -> None:
        """Has rings be of sizes, and admit, as a target needs it."""
        changed = self._target is None or self._schedule.steady
        self._target = target
        if changed and not self._schedule.metric:
            self._limits.fit(rings, target)
            self._learning.apply(rings, target)

    def _wait_for(self, rings: Rings, classes: Int64s, counts: Int64s) -> None:
        patience = self._absence.patience(self._learning.expected)
        self._asked = Asked(classes, counts, rings.asked_at, patience)

    def _known(self, rings: Rings) -> bool:
        """Whether enough is known of the classes to begin; the first examples show which there are."""
        schedule, classes = self._schedule, self._classes
        if schedule.metric and schedule.waits_for_classes:
            schedule.enough(rings.fresh_held)
            return not schedule.waits_for_classes
        return not classes.grows or self._target is not None or rings.arrived >= schedule.size or self._over

    # Feeding.

    def _feed(self) -> None:
        """Takes what comes next: a chunk, or single examples straight into the rings."""
        kept = self._kept
        rest = self._again.settle()
        if rest is not None:
            self._end(rest.error)
            return
        pourer = self._pourer
        if isinstance(kept, KeptRows) and pourer is not None and pourer.pours and self._again.may_pour(pourer):
            poured = pourer.pour(kept.rings, max(1, kept.rings.until - kept.rings.arrived))
            kept.pulled(poured.tickets)
            if poured.error is not None and kept.refused is None:
                self._end(poured.error)
            return
        chunk = self._again.take(self._lacking())
        if chunk.error is not None or chunk.count == 0:
            self._end(chunk.error)
        if not chunk.count:
            return
        if kept is None:
            try:
                kept = self._kept = self._begun(chunk)
            except SpecError as error:
                self._end(error)
                return
        kept.hold(chunk)

    def _lacking(self) -> int:
        """At least so many examples must arrive before the batch is complete; of columns, which lie ready, a whole run."""
        kept, asked = self._kept, self._asked
        if isinstance(kept, KeptRuns):
            return WHOLE
        if kept is None or asked is None:
            return 1
        short = np.maximum(asked.counts - kept.rings.at_hand(asked.classes), 0)
        return max(1, int((-(-short // self._wishes.repeats)).sum()))

    def _begun(self, chunk: Chunk) -> Kept:
        """Makes the rings, as the first example shows what is to be kept."""
        columns = chunk.columns
        stored = columns is not None and not self._by.own and not columns.holds_objects
        first = columns.cut(0, 1).rows()[0] if columns is not None else chunk.as_rows()[0]
        if self._wishes.weights_as is not None:
            check_name(self._wishes.weights_as, first)
        self._limits.measure(first)
        kept, grow = self._made(None if stored else self._by.reading(first))
        grow()
        return kept

    def _made(self, reading: tuple[How, Any] | None) -> tuple[Kept, Callable[[], None]]:
        """Rings of rows whose labels are read so, or of runs of columns; and what makes room in them for new classes."""
        kind = NumberRings if reading is None else Rings
        rings = kind(self._wishes.repeats, self._seed)

        def grow() -> None:
            self._limits.make_room(rings, len(self._classes))

        if not isinstance(rings, NumberRings):
            assert reading is not None, "of rows it is known how labels are read"
            return KeptRows(rings, reading, self._classes, grow), grow
        most = 1 if self._one_by_one else MOST
        return KeptRuns(rings, self._by, self._classes, grow, self._pool, most=most), grow

    # Resuming.

    def snapshot(self) -> Saved:
        """What waits in the rings, what was learnt, and what is asked for next."""
        if self._out is not None:
            if self._before is None:
                raise Unsettled
            return {**self._before, "given": self._composed_last - self._out.count}
        kept, tickets = self._kept, self._upstream.recalls
        if self._error is not None or (kept is not None and kept.refused is not None):
            raise Unsettled
        return {
            "upstream": self._again.snapshot(kept.left if kept is not None else 0),
            "given": self._drop,
            "labels": list(self._classes.labels) if self._classes.grows else None,
            "schedule": self._schedule.state(),
            "learning": self._learning.snapshot(),
            "absence": self._absence.snapshot(tickets),
            "limits": self._limits.snapshot(),
            "claims": self._claims.snapshot(),
            "kept": None if kept is None else kept.snapshot(tickets),
            "asked": None if self._asked is None else self._asked.snapshot(),
            "ahead": [[its, counts] for its, counts in self._ahead],
            "over_classes": self._over_classes,
            "target": self._target,
            "steady": self._target is self._schedule.shares,
            "done": self._done,
            "over": self._over,
        }

    def restore(self, saved: Saved) -> None:
        """Goes on from there."""
        self._again.restore(saved["upstream"])
        if saved["labels"] is not None:
            self._classes.restore(saved["labels"])
        self._schedule.restore(saved["schedule"])
        self._learning.restore(saved["learning"], begun=saved["kept"] is not None, asked=saved["asked"] is not None)
        self._absence.restore(saved["absence"], self._recalled)
        self._limits.restore(saved["limits"])
        self._claims.restore(saved["claims"])
        kept = saved["kept"]
        if kept is not None:
            self._kept, _ = self._made(None if kept["how"] is None else self._by.read_as(kept["how"]))
            self._kept.restore(kept, self._recalled)
            self._learning.check(self._kept.rings.arrived)
        self._asked = None if saved["asked"] is None else Asked.restored(saved["asked"])
        self._ahead = [(np.array(its, np.int64), np.array(counts, np.int64)) for its, counts in saved["ahead"]]
        self._over_classes, self._drop = int(saved["over_classes"]), int(saved["given"])
        if saved["target"] is not None:
            self._target = self._schedule.shares if saved["steady"] else np.array(saved["target"], np.float64)
        self._done, self._over = bool(saved["done"]), bool(saved["over"])

    @property
    def recalls(self) -> bool:
        """Whether upstream does; weights it would not know."""
        return self._upstream.recalls and self._wishes.weights is None

    def recall(self, tickets: Tickets) -> list[Any]:
        """What upstream gives again."""
        return self._recalled(tickets)

    def _recalled(self, tickets: Tickets) -> list[Any]:
        """Examples again, by tickets that tell which use of them it is too."""
        table = tickets.table().copy()
        table[:, 4] = 0
        return self._upstream.recall(listed_tickets(table))

    # Looking up.

    def _set_until(self, rings: Rings) -> None:
        """Has the rings stop where something is due."""
        until, asked = self._learning.due, self._asked
        if asked is not None:
            until = min(until, asked.until)
        elif rings.arrived < self._schedule.size:
            until = min(until, self._schedule.size)
        elif self._schedule.metric:
            until = min(until, rings.arrived + 1 + rings.arrived // 16)
        rings.until = until

    def _learn(self, rings: Rings) -> None:
        """Learns what has arrived, if that is due."""
        if rings.arrived < self._learning.due:
            return
        self._learning.learn(rings, len(self._classes))
        if self._schedule.metric:
            self._schedule.enough(rings.fresh_held)
        elif self._target is not None and len(self._target) == len(self._classes):
            self._learning.apply(rings, self._target)
            enough, asked = self._learning.enough(self._target), self._asked
            if self._schedule.steady and enough is not None:  # Never less is held than is asked for.
                self._limits.spare(rings, self._target, enough)
                if asked is not None:
                    self._limits.hold(rings, asked.classes, asked.counts)
        self._set_until(rings)

    def _see_to_absent(self, rings: Rings) -> None:
        """Sees whether a class stays away."""
        asked = self._asked
        if asked is not None and not rings.full and rings.arrived >= asked.until and not self._over:
            target = self._target if self._target is not None else np.empty(0)
            error = self._absence.act(rings, asked, self._claims.number, target)
            if error is not None:
                self._end(error)
                self._asked = None
                return
            self._limits.hold(rings, asked.classes, asked.counts)
            rings.ask(asked.classes, asked.counts)

    # Telling.

    def stats(self) -> StrataStats:
        """What was done so far."""
        rings = self._kept.rings if self._kept is not None else None
        size, repeats = self._schedule.size, self._wishes.repeats
        learning, absence = self._learning, self._absence
        return told(
            self._classes, rings, learning, absence, self._target, size=size, repeats=repeats, exact=self._exact
        )

    @property
    def discarded(self) -> int:
        """Examples that were never given, and will not be. [examples]"""
        return left_out(self._kept.rings, over=self._done) if self._kept is not None else 0

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()
