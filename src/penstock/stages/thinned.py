"""Gives each example at once or leaves it out, so that the classes have the shares asked for on average.

Nothing is kept back, so it needs no memory; and nothing is exact: chance decides what a batch holds.

Guarantees
  Examples come in their order, each at most once; those that are left out are counted, by class.
  Which are kept depends on the seed, on how many came before them, and on their labels; not on how they were cut.
  Where the shares are held by what was given (`steered`), no class is ever further ahead than `leant` says. Else they are
  as right as the arriving shares that they are reckoned from are, as in TF1.
How
  Each arrival is kept by a coin, with TF1's chance for its class. What arrives is estimated anew at arrivals that do not
  depend on the cutting: 64, 128, 256, and so on.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, final

import numpy as np

from penstock.chunk import END, WHOLE, Chunk
from penstock.errors import PenstockWarning, SpecError, StateError, mismatch
from penstock.sampling import Classes, Prior, Shares, Sieve, Target, chances, efficiency, leant
from penstock.sampling.shares import Float64s, Int64s
from penstock.stages.claims import Claims
from penstock.stages.labelled import By, How, Numbering
from penstock.stages.reader import place_of_ticket
from penstock.stages.snapshot import Again, Saved, Unsettled, Wanted, counted, figures
from penstock.stages.stage import Pouring, Stage
from penstock.stages.vigil import Vigil, listed
from penstock.stages.weights import attached, check_name, weights_of
from penstock.stages.wishes import Wishes
from penstock.stats import ClassEvent, StrataStats
from penstock.ticket import Tickets

__all__ = ["Thinned"]


_NUMBERS = ("_number", "_left", "_begun", "_learnt_at", "_due", "_columnar", "_ended", "_over")
_ARRAYS = ("_shares", "_estimate", "_lag", "_given", "_learnt")
"""What of the stage's own is kept in a snapshot."""


@final
class Thinned:
    """Keeps an example of each class with a chance of its own.

    Args:
      upstream: where the examples come from.
      by: how the label is read.
      classes: the classes.
      target: the shares asked for.
      wishes: the rest; of which `patience`, `missing` (`"wait"` or `"error"`) and `weights` mean something here.
      size: examples in a batch. [examples]
      steered: whether the chances lean against what was given too much.
      seed: of the coins. [64 bits]
      start: the arriving shares, float64[K], if they are known; where nothing is steered, they are what counts.
      labels: the sources' names by stream number, for messages.
      wanted: whether a snapshot is wanted.
    """

    def __init__(
        self,
        upstream: Stage,
        by: By,
        classes: Classes,
        target: Target,
        wishes: Wishes,
        *,
        size: int,
        steered: bool,
        seed: int,
        start: Float64s | None,
        labels: Sequence[str],
        wanted: Wanted | None = None,
    ) -> None:
        self._upstream = upstream
        self._again = Again(upstream, wanted if wanted is not None else Wanted())
        self._pourer = upstream if isinstance(upstream, Pouring) and upstream.may_pour else None
        self._by = by
        self._classes = classes
        self._target = target
        self._wishes = wishes
        self._size = self._left = size
        self._steered = steered
        self._known = start if not steered else None
        self._labels = labels
        self._sieve = Sieve(seed)
        self._prior = Prior(max(len(classes), 1), start=start)
        self._shares: Float64s = np.empty(0)
        self._estimate: Float64s = np.empty(0)
        self._number = 0
        self._begun = self._changed = False
        self._how: How = "whole"
        self._claims = Claims()
        self._lag = np.zeros(0)
        self._given = self._learnt = np.zeros(0, np.int64)
        self._learnt_at, self._due = 0, 64
        self._vigil = Vigil(size, patience=wishes.patience)
        self._events: list[ClassEvent] = []
        self._reads = False
        self._columnar = False
        self._held: Chunk | None = None
        self._numbering: Numbering | None = None
        self._at = 0
        self._ended = self._over = False
        self._error: BaseException | None = None
        self._make_room()

    # Giving.

    def take(self, n: int) -> Chunk:
        """Judges what comes until an example is kept, and no more than n; then the error, once; then the end."""
        while True:
            if self._held is None and self._ended:
                error, self._error = self._error, None
                return END if error is None else Chunk([], END.tickets, error=error)
            if not self._begun:
                self._begin()
                continue
            self._sieve.wanted = min(n, self._left)
            kept = self._sifted()
            if kept is not None and kept.count:
                return kept

    def _sifted(self) -> Chunk | None:
        """Takes more if nothing is at hand; else judges it, and gives what is kept."""
        sieve, chunk = self._sieve, self._held
        rest = self._again.settle()
        if rest is not None:
            self._end(rest.error)
            return None
        if chunk is None:
            if not self._reads or self._pourer is None or not self._pourer.pours:
                self._fetch()
                return None
            poured = self._pourer.pour(sieve, max(1, sieve.until - sieve.arrived))
            kept = self._kept(None, poured.tickets, 0)
            if sieve.misfit is not None:
                self._refuse(sieve.misfit[0], sieve.error, poured.tickets, len(poured.tickets) - 1)
            elif poured.error is not None:
                self._end(poured.error)
            return kept
        start, numbering = self._at, self._numbering
        if numbering is not None:
            if start == numbering.ready and not numbering.over:
                numbering.more()  # Not before the batch has begun, which a class that is new now is new in.
                self._make_room()
            self._at += sieve.add_classes(numbering.numbers[: numbering.ready], start)
        else:
            self._at += sieve.add(chunk.as_rows(), start)
        kept = self._kept(chunk, chunk.tickets.cut(start, self._at), start)
        if numbering is not None and numbering.error is not None and self._at == numbering.ready:
            self._refuse(chunk.as_rows()[self._at], numbering.error, chunk.tickets, self._at)
        elif sieve.misfit is not None:
            self._refuse(sieve.misfit[0], sieve.error, chunk.tickets, self._at)
        elif self._at == chunk.count:
            if chunk.error is not None:
                self._end(chunk.error)
            self._held = None
        return kept

    def _kept(self, chunk: Chunk | None, tickets: Tickets, start: int) -> Chunk:
        """What the sieve kept of a chunk from a place on, or of what was poured; sees to what is due then.

        Args:
          chunk: where the examples are, if they did not pour.
          tickets: of all that were judged.
          start: the place of the first of those in the chunk.
        """
        rows, places, classes = self._sieve.kept()
        kept = END
        if len(places):
            where = tickets.select(places)
            if chunk is not None and chunk.columns is not None:
                kept = Chunk(None, where, columns=chunk.columns.select(places + start))
            else:
                kept = Chunk(rows, where)
            if self._wishes.weights is not None:
                kept = self._weighted(kept, classes)
        self._left -= len(places)
        if not self._left:
            self._lag = self._lags()
            self._given = self._sieve.given.copy()
            self._number, self._left, self._begun = self._number + 1, self._size, False
        if self._sieve.arrived >= self._sieve.until:
            self._look()
        return kept

    def _end(self, error: BaseException | None) -> None:
        """Ends with an error, unless there is one that stands before it."""
        if not self._over:
            self._over, self._error = True, error
            self._ended, self._held = True, None

    # Taking.

    def _fetch(self) -> None:
        """Takes a chunk: of rows no more than may all be kept, of columns, which lie ready, a whole run."""
        chunk = self._again.take(WHOLE if self._columnar else self._sieve.wanted)
        if not chunk.count:
            self._end(chunk.error)
            return
        self._ended = chunk.error is not None
        self._columnar = chunk.columns is not None
        self._held, self._at, self._numbering = chunk, 0, None
        if self._columnar:
            self._numbering = Numbering(chunk, self._by, self._classes)
            self._make_room()
        elif not self._reads:
            self._read_labels(chunk.as_rows()[0])

    def _read_labels(self, example: object) -> None:
        self._label_by(*self._by.reading(example))

    def _label_by(self, how: How, key: Any) -> None:
        self._how = how
        self._sieve.labels(how, key, self._classes.looked_up, self._class_of, identity=self._classes.counted)
        self._reads = True

    def _class_of(self, label: object) -> int:
        number = self._classes.number(label)
        self._make_room()
        return number

    def _make_room(self) -> None:
        """Sees to it that each class is counted; those that are new are kept until the next batch begins."""
        more = len(self._classes) - len(self._sieve.seen)
        if more:
            self._sieve.grow(len(self._classes))
            self._vigil.grow(len(self._classes), self._sieve.arrived)
            self._lag = np.append(self._lag, np.zeros(more))
            self._given = np.append(self._given, np.zeros(more, np.int64))
            self._learnt = np.append(self._learnt, np.zeros(more, np.int64))

    def _refuse(self, example: object, error: BaseException | None, tickets: Tickets, place: int) -> None:
        assert error is not None, "a misfit has an error"
        self._end(self._by.explained(example, error, place_of_ticket(tickets[place], self._labels)))

    # Deciding.

    def _begin(self) -> None:
        """Begins a batch: with the target that it is to have, and the chances that lead to it."""
        known, changed = len(self._classes), False
        while (change := self._claims.begin()) is not None:
            self._target, self._lag, changed = change, np.zeros(known), True
            self._changed = True
        self._claims.end(1)
        self._begun = True
        if known and (changed or len(self._shares) != known or not self._target.fixed):
            try:
                shares = self._target.shares(self._number, self._classes, self._arriving())
            except Exception as error:  # of the user's function
                self._end(error)
                return
            self._shares = shares.floats() if isinstance(shares, Shares) else shares / np.cumsum(shares)[-1]
            self._vigil.expect(self._shares, self._arriving(), anew=changed)
            self._admit()
        elif self._steered:
            self._admit()
        self._wake()

    def _arriving(self) -> Float64s:
        """The arriving shares of all classes, as estimated."""
        if len(self._estimate) != len(self._classes):
            shares = self._prior.shares[: len(self._classes)]
            self._estimate = _longer(shares, len(self._classes), 1 / max(1, len(self._classes)))
        return self._estimate

    def _lags(self) -> Float64s:
        """How many examples of each class were given beyond its share, float64[K]."""
        since = self._sieve.given - self._given
        if not len(self._shares):  # What is given before the classes are known is in nobody's share.
            return np.zeros(len(since))
        lags: Float64s = self._lag + (since - int(since.sum()) * _longer(self._shares, len(since), 0.0))
        return lags

    def _admit(self) -> None:
        """Sets the chances anew."""
        known = len(self._shares)
        arriving = self._known if self._known is not None else self._arriving()[:known]
        target = leant(self._shares, self._lags()[:known], self._size) if self._steered else self._shares
        self._sieve.admit(_longer(chances(arriving, target), len(self._classes), 1.0))

    # Looking up.

    def _look(self) -> None:
        """Sees which classes stay away, and learns what arrives where that is due."""
        sieve = self._sieve
        absent = self._vigil.look(sieve.arrived, sieve.seen)
        if sieve.arrived == self._due:
            self._prior.update(sieve.seen - self._learnt, sieve.arrived - self._learnt_at)
            self._learnt, self._learnt_at = sieve.seen.copy(), sieve.arrived
            self._estimate = np.empty(0)  # It is read anew.
            every = self._prior.every
            self._due = min(1 << sieve.arrived.bit_length(), (sieve.arrived // every + 1) * every)
            if len(self._shares):
                self._admit()
        if len(absent):
            self._tell(absent)
        self._vigil.again(self._shares, self._arriving()[: len(self._shares)])
        self._wake()

    def _wake(self) -> None:
        """Sets the arrival at which there is something to see to."""
        self._sieve.until = max(int(min(self._due, self._vigil.next)), self._sieve.arrived + 1)

    def _tell(self, absent: Int64s) -> None:
        """Says that classes stay away."""
        names = tuple(self._classes.labels[number] for number in absent.tolist())
        waited = self._sieve.arrived - int(self._vigil.last[absent].max())
        if self._wishes.missing == "error":
            want = f"class {listed(names)} within {waited} inputs"
            self._end(SpecError(mismatch(want, "none", at=f"batch {self._number}", do="raise `patience`")))
            return
        self._events.append(ClassEvent(self._number, names, "wait", waited))
        what = "the shares wait for it" if self._steered else "what is given has too little of it"
        text = f"penstock: class {listed(names)} has not come within {waited} inputs, at batch {self._number}; {what}"
        warnings.warn(text, PenstockWarning, stacklevel=2)

    # Resuming.

    def snapshot(self) -> Saved:
        """What has come and was given, and what was learnt."""
        if self._error is not None:
            raise Unsettled
        held = self._held
        return {
            "upstream": self._again.snapshot(held.count - self._at if held is not None else 0),
            "labels": list(self._classes.labels) if self._classes.grows else None,
            "sieve": self._sieve.state(),
            "prior": self._prior.state(),
            "vigil": self._vigil.snapshot(),
            "claims": self._claims.snapshot(),
            "target": list(self._target.parts) if self._changed else None,
            "how": self._how if self._reads else None,
            "events": [list(event) for event in self._events],
            **{name.lstrip("_"): getattr(self, name) for name in _NUMBERS},
            "ended": self._ended and held is None,  # the error behind what is held comes with it again
            **{name.lstrip("_"): getattr(self, name).copy() for name in _ARRAYS},
        }

    def restore(self, saved: Saved) -> None:
        """Goes on from there."""
        self._again.restore(saved["upstream"])
        if saved["labels"] is not None:
            self._classes.restore(saved["labels"])
        counted(saved["sieve"], "arrived")
        self._sieve.restore(saved["sieve"])
        self._prior = Prior.restore(saved["prior"])
        self._vigil.restore(saved["vigil"])
        self._claims.restore(saved["claims"])
        if saved["target"] is not None:
            wanted, labels = saved["target"]
            self._target, self._changed = Target(wanted, labels=labels, at="set_target(target)"), True
        if saved["how"] is not None:
            self._label_by(*self._by.read_as(saved["how"]))
        self._events = [
            ClassEvent(batch, tuple(names), policy, waited) for batch, names, policy, waited in saved["events"]
        ]
        for name in _NUMBERS:
            setattr(self, name, type(getattr(self, name))(saved[name.lstrip("_")]))
        for name in _ARRAYS:
            setattr(self, name, figures(saved[name.lstrip("_")]))
        if self._over and not self._ended:
            raise StateError(mismatch("a stream that is over at its end", "one over before that", at="open(state)"))

    @property
    def recalls(self) -> bool:
        """Whether upstream does; weights it would not know."""
        return self._upstream.recalls and self._wishes.weights is None

    def recall(self, tickets: Tickets) -> list[Any]:
        """What upstream gives again."""
        return self._upstream.recall(tickets)

    # Telling.

    def set_target(self, target: Any) -> int:
        """Another target, from the first batch on that has not begun; may be called by another thread.

        Returns:
          That batch's number.
        """
        names = None if self._classes.grows else self._classes.labels
        return self._claims.change(Target(target, labels=names, at="set_target(target)"))

    def _weighted(self, kept: Chunk, numbers: Int64s) -> Chunk:
        """Adds the weights to the examples, under their name."""
        wishes, rows = self._wishes, kept.rows
        assert wishes.weights is not None and wishes.weights_as is not None, "which was looked at"
        try:
            first = kept.columns.cut(0, 1).rows()[0] if kept.columns is not None else kept.as_rows()[0]
            check_name(wishes.weights_as, first)
        except SpecError as error:
            self._end(error)
            return END
        arriving = self._arriving()
        target = _longer(self._shares, len(arriving), 0.0)
        values = weights_of(wishes.weights, arriving, target, numbers, shifted=False)
        rows, columns = attached(rows, kept.columns, values, wishes.weights_as)
        return Chunk(rows, kept.tickets, columns=columns)

    def stats(self) -> StrataStats:
        """What was done so far."""
        sieve, known = self._sieve, len(self._classes)
        seen, given = sieve.seen[:known].copy(), sieve.given[:known].copy()
        nothing = np.zeros(known, np.int64)
        target = _longer(self._shares, known, 0.0)
        arriving = self._arriving() if known else np.empty(0)
        return StrataStats(
            labels=tuple(self._classes.labels[:known]),
            counts={
                "seen": seen,
                "thinned": seen - given,
                "evicted_fresh": nothing,
                "given": given,
                "distinct": given,
                "waited": nothing,
                "fresh_held": nothing,
                "arriving": arriving,
                "target": target,
            },
            inputs=sieve.arrived,
            delivered=int(given.sum()),
            bound=efficiency(arriving, target, 1) if (target > 0).any() else 0.0,
            window=self._prior.effective_window,
            repeats=1,
            size=self._size,
            exact=False,
            ignored=sieve.ignored,
            events=tuple(self._events),
        )

    @property
    def discarded(self) -> int:
        """Examples that were left out. [examples]"""
        return int(self._sieve.seen.sum() - self._sieve.given.sum()) + self._sieve.ignored

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()


def _longer(array: Float64s, size: int, value: float) -> Float64s:
    """An array with room for classes that came since."""
    more = size - len(array)
    return np.append(array, np.full(more, value)) if more > 0 else array
