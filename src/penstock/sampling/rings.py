"""The examples that wait to be drawn: a ring for each class.

What it guarantees
  Every arrival is counted once: `arrived` is always the sum of `distinct`, `thinned`, `evicted_fresh`, `fresh_held` (all
  over the classes) and `ignored`.
  No example is used more than `repeats` times, nor twice in a draw that asks no more of its class than are held.
  Between two uses of an example, every other of its class that was held then is drawn, or evicted.
  What is drawn depends on the arrivals and on the calls between them; never on how the arrivals were cut into calls.
What it assumes
  One thread. Functions that it calls (iterators, labels) may call `grow` and `admit`, and nothing else here.
How it is kept
  A waiting example has a *slot*, a number that is given again once it is free, the last freed first. A class has two
  queues of slots: `fresh` (never used, by arrival) and `used` (least recently used first). An arrival joins the fresh.
  A draw takes the first fresh, or else the first used, which goes to the end of the used until its last use. In a full
  ring a used one makes room, or else the first fresh: of the first and the last used the one that has fewer uses left, or
  the first. So each arrival and each example drawn is O(1).
  Only a ring that is nearly full thins: after a drought or a change it fills up as fast as it can.
Not "least used first": a newcomer then catches up at once, several times in one batch.
Why the last used may make room: where a class was long in coming, all that wait were used about alike, the last of them
once more than the first. To drop that one costs fewer uses, and in bursts these are what is short.

This is the definition. `_rings.pyx` is its fast twin, and gives the same answers to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from penstock.errors import mismatch
from penstock.sampling.checks import (
    checked_quota,
    checked_repeats,
    checked_sizes,
    checked_thresholds,
    checked_waiting,
    not_askable,
    not_at_hand,
)
from penstock.sampling.counts import COUNTERS, Counts, in_turn
from penstock.sampling.intake import Intake, Shelf
from penstock.sampling.slots import Queues, Slots
from penstock.sampling.splitmix import LARGEST, coin, swaps

__all__ = ["Rings"]

Integers = np.ndarray[Any, np.dtype[np.int64]]


class Rings(Intake, Counts):
    """The examples that wait to be drawn, in a ring for each class.

    Counters are arrays of shape `(classes,)` and int64 that go on counting. `grow` replaces them: look them up anew.

    Args:
      repeats: how often one example may be used.
      seed: of the coins that thin, and of the order within a draw.

    >>> rings = Rings(1, 0)
    >>> rings.grow([8, 8])
    >>> rings.labels("index", 1, {"cat": 0, "dog": 1}, lambda label: -1)
    >>> rings.ask([0, 1], [1, 1])
    >>> rings.add([(1, "cat"), (2, "cat"), (3, "bird"), (4, "dog"), (5, "dog")], 0)
    4
    >>> rings.full, rings.draw(0).tolist(), rings.drawn
    (True, [0, 2], [(1, 'cat'), (4, 'dog')])
    """

    name = "rings"
    _keeps_rows = True

    def __init__(self, repeats: int, seed: int) -> None:
        self._repeats = checked_repeats(repeats)
        self._seed = seed & LARGEST
        self._clear()

    def _clear(self) -> None:
        self._open()
        self.asked_at = 0
        """Arrivals when it was last said what the next draw takes. [examples]"""
        self.ignored = 0
        """Arrivals that have no class. [examples]"""
        self.held = 0
        """Examples that wait. [examples]"""
        self._clear_counts()
        self.drawn: list[Any] = []
        """The examples of the last draw, as long as they are kept here."""
        self.uses: Integers = np.zeros(0, np.int64)
        """Of each example of the last draw, which use this is: 1 for the first."""
        self.numbers: Integers = np.zeros(0, np.int64)
        """Of each example of the last draw, how many arrived before it."""
        self._limits: list[int] = []
        self._thresholds: list[int] = []
        self._need: list[int] = []
        self._at_hand: list[int] = []  # Legal uses: over the class's examples, the sum of repeats - uses.
        self._slots = Slots()
        links = self._slots.after, self._slots.before
        self._fresh, self._used = Queues(*links), Queues(*links)
        self._asked: list[tuple[int, int]] = []
        self._wanted = 0  # Examples asked for.
        self._lacking = 0  # Classes asked for whose need is not met.
        self._log: list[tuple[int, int]] = []
        self._unloads = False
        self._shelf: Shelf | None = None

    @property
    def _known(self) -> int:
        return len(self._limits)

    @property
    def rows(self) -> list[Any]:
        """The examples that wait, each at its slot, as long as they are kept here."""
        return self._slots.rows

    @property
    def capacity(self) -> int:
        """How many slots there are, taken or not: every slot's number is smaller. [slots]"""
        return self._slots.capacity

    @property
    def fresh_held(self) -> Integers:
        """Examples of each class that wait and were never used."""
        return self._fresh.count

    @property
    def full(self) -> bool:
        """Whether something is asked for, and every class has that many legal uses at hand."""
        return self._wanted > 0 and self._lacking == 0

    @property
    def halted(self) -> bool:
        """Whether adding stops here: all that is asked for is at hand, `until` is reached, or there was a misfit."""
        return self.full or self.arrived >= self.until or self.misfit is not None

    def at_hand(self, classes: Sequence[int] | Integers) -> Integers:
        """How many legal uses there are of each of some classes, int64[m].

        Args:
          classes: their numbers, of shape `(m,)`.
        """
        return np.array([self._at_hand[of] for of in np.asarray(classes).tolist()], np.int64)

    def live(self, of: int) -> int:
        """How many examples of a class wait."""
        if not 0 <= of < len(self._limits):
            raise IndexError(mismatch(f"a class below {len(self._limits)}", of, at="rings.live"))
        return int(self._fresh.count[of] + self._used.count[of])

    def grow(self, limits: Sequence[int] | Integers) -> None:
        """Sets the sizes of all rings; classes that are new start empty, and are admitted always.

        A ring that holds more than its new size keeps it until the next of its class is admitted.
        It takes time for every class, so make room for many at once.

        Args:
          limits: how many examples each ring holds at most, 1 or more; at least as many rings as before.
        """
        sizes = checked_sizes(limits, len(self._limits))
        more = len(sizes) - len(self._limits)
        self._limits = sizes.tolist()
        self._thresholds += [LARGEST] * more
        self._need += [0] * more
        self._at_hand += [0] * more
        self._fresh.grow(more)
        self._used.grow(more)
        self._grow_counts(more)

    def admit(self, thresholds: Sequence[int] | np.ndarray[Any, Any]) -> None:
        """Sets the thresholds of all classes: an arrival is admitted if its coin, of 64 bits, is not above it.

        What a class needs for the next draw is always admitted, and what comes while more than a sixteenth of its ring is
        not taken up by fresh examples.

        Args:
          thresholds: of shape `(classes,)` and uint64; 2**64 - 1 admits always.
        """
        self._thresholds = checked_thresholds(thresholds, len(self._limits)).tolist()

    def ask(self, classes: Sequence[int] | Integers, counts: Sequence[int] | Integers) -> None:
        """Says what the next draws take, in place of what was asked before.

        Args:
          classes: the numbers of the classes, of shape `(m,)`, each once.
          counts: how many of each, of shape `(m,)`.

        Raises:
          ValueError: a class is not there, or twice, or can never have that many legal uses. Nothing is asked then.
        """
        self._ask_nothing()
        which, often = checked_quota(classes, counts)
        self.asked_at = self.arrived
        for of, count in zip(which.tolist(), often.tolist(), strict=True):
            known = 0 <= of < len(self._limits) and self._need[of] == 0 <= count
            if not known or count > max(self._at_hand[of], self._limits[of] * self._repeats):
                self._ask_nothing()
                raise not_askable(of, count)
            self._need[of] = count
            self._lacking += self._at_hand[of] < count
            self._wanted += count
            self._asked.append((of, count))

    def _ask_nothing(self) -> None:
        for of, _ in self._asked:
            self._need[of] = 0
        self._asked = []
        self._wanted = self._lacking = 0

    def _arrive(self, of: int) -> int:
        """Counts an arrival, and gives the slot that it is kept in, or -1."""
        number = self.arrived
        self.arrived += 1
        if of < 0:
            self.ignored += 1
            return -1
        self.seen[of] += 1
        met, limit = self._at_hand[of] >= self._need[of], self._limits[of]
        thins = met and self._fresh.count[of] >= limit - limit // 16
        if thins and coin(self._seed, number) > self._thresholds[of]:
            self.thinned[of] += 1
            return -1
        while self._fresh.count[of] + self._used.count[of] >= limit:
            self._evict(of)
        slot = self._slots.take(of, number)
        self._fresh.push(of, slot)
        self.held += 1
        self._at_hand[of] += self._repeats
        self._lacking += met - (self._at_hand[of] >= self._need[of])
        if self._unloads:
            self._log.append((number, slot))
        return slot

    def _keep(self, example: Any, kept: int) -> None:
        if self._shelf is not None and kept < self._shelf.room and self._shelf.put(example, kept):
            self._log.pop()  # There is nothing to unload.
        else:
            self.rows[kept] = example

    def _evict(self, of: int) -> None:
        """Drops the example of a class that is of least use: of the used, else of the fresh."""
        if self._used.count[of]:
            first, last = self._used.ends(of)
            often = self._slots.uses[last] > self._slots.uses[first]
            slot = self._used.pop_last(of) if often else self._used.pop(of)
            self.evicted_used[of] += 1
        else:
            slot = self._fresh.pop(of)
            self.evicted_fresh[of] += 1
        self._at_hand[of] -= self._repeats - self._slots.uses[slot]
        self.held -= 1
        self._slots.release(slot)
        self.rows[slot] = None

    @property
    def loaded(self) -> int:
        """How many examples `unload` would hand over, and perhaps some that no longer wait. [examples]"""
        return len(self._log) if self._unloads else self.held

    def unload(self) -> tuple[Integers, list[Any]]:
        """Hands over the examples that are kept here and wait, and keeps them no more; from then on the caller does.

        To be called again before each draw, which tells of slots alone from then on.

        Returns:
          Their slots, int64[m], and the examples.
        """
        if self._unloads:
            waits = [slot for number, slot in self._log if self._slots.holds(slot, number)]
            slots, self._log = np.array(waits, np.int64), []
        else:
            slots = np.flatnonzero(np.array(self._slots.uses) >= 0)
            self._unloads = True
        rows = [self.rows[slot] for slot in slots.tolist()]
        for slot in slots.tolist():
            self.rows[slot] = None
        return slots, rows

    def shelve(self, shelf: Shelf | None) -> None:
        """Writes what is admitted from now on to a shelf at once, each example at its slot, as far as there is room and it fits.

        The others are unloaded as before.

        Args:
          shelf: where to; `None`: nowhere any more. Only after the first `unload`.
        """
        assert self._unloads or shelf is None, "what waits already is unloaded first"
        self._shelf = shelf

    @property
    def waiting(self) -> Integers:
        """Of each example that waits, how many arrived before it, ascending: int64[held]."""
        return np.array(self._slots.waiting(), np.int64)

    def draw(self, number: int) -> Integers:
        """Takes what is asked for, in an order that depends on the seed and `number` alone.

        It stays asked for. The slots of examples that had their last use are free when this returns, and given to the
        next that arrive. `drawn`, `uses` and `numbers` tell more of the same examples.

        Returns:
          Their slots, of shape `(b,)` and int64.

        Raises:
          ValueError: not all that is asked for is at hand.
        """
        taken = self._taken(number)
        slots, self.uses, self.numbers = np.array(taken, np.int64).reshape(-1, 3).T.copy()
        if not self._unloads:
            self.drawn = [self.rows[slot] for slot, _, _ in taken]
            for slot, uses, _ in taken:
                if uses == self._repeats:
                    self.rows[slot] = None
        return slots

    def _taken(self, number: int) -> list[tuple[int, int, int]]:
        """Takes what is asked for: of each example its slot, which of its uses this is, and its number."""
        if self._lacking:
            raise not_at_hand(self._lacking)
        taken = [self._use(of) for of in in_turn(*np.array(self._asked, np.int64).reshape(-1, 2).T).tolist()]
        self._lacking = sum(self._at_hand[of] < count for of, count in self._asked)
        for one, other in swaps(self._seed, number, len(taken)):
            taken[one], taken[other] = taken[other], taken[one]
        return taken

    def drawn_classes(self, number: int, classes: Integers, counts: Integers) -> Integers:
        """The class of each example of draw `number`, int64[b], where that was asked for: int64[m] twice."""
        drawn = in_turn(classes, counts)
        for one, other in swaps(self._seed, number, len(drawn)):
            drawn[one], drawn[other] = drawn[other], drawn[one]
        return drawn

    def _use(self, of: int) -> tuple[int, int, int]:
        """Takes an example of a class: its slot, which of its uses this is, and its number."""
        if self._fresh.count[of]:
            slot = self._fresh.pop(of)
            self.distinct[of] += 1
        else:
            slot = self._used.pop(of)
        uses, number = self._slots.uses[slot] + 1, self._slots.number[slot]
        self._slots.uses[slot] = uses
        self.given[of] += 1
        self.waited[of] += self.arrived - number
        self._at_hand[of] -= 1
        if uses < self._repeats:
            self._used.push(of, slot)
        else:
            self.held -= 1
            self._slots.release(slot)
        return slot, uses, number

    def state(self, *, arrays: bool = False) -> dict[str, Any]:
        """All that another object needs to go on from here, but for the arguments, `labels` and the rows, in plain lists.

        `waiting` holds class, number and uses of each example, class by class, each in the order of its queues. Slots are
        not in it: they are given anew.

        Args:
          arrays: whether what there is of each class and of each example is an array, in place of a list.
        """
        waiting = self._queued()
        values = (self._slots.of, self._slots.number, self._slots.uses)
        state: dict[str, Any] = {
            "arrived": self.arrived,
            "ignored": self.ignored,
            "asked_at": self.asked_at,
            "until": self.until,
            "limits": list(self._limits),
            "thresholds": list(self._thresholds),
            "asked": [[of for of, _ in self._asked], [count for _, count in self._asked]],
            "waiting": [[column[slot] for slot in waiting] for column in values],
            **{name: getattr(self, name).tolist() for name in COUNTERS},
        }
        if arrays:
            for name in ("limits", *COUNTERS):
                state[name] = np.array(state[name], np.int64)
            state["thresholds"] = np.array(state["thresholds"], np.uint64)
            state["waiting"] = [np.array(column, np.int64) for column in state["waiting"]]
        return state

    def _queued(self) -> list[int]:
        classes = range(len(self._limits))
        return [slot for of in classes for queue in (self._fresh, self._used) for slot in queue.slots(of)]

    @property
    def slots(self) -> Integers:
        """The slot of each example that waits, in the order in which `state` tells of them: int64[held]."""
        return np.array(self._queued(), np.int64)

    def restore(self, state: dict[str, Any], rows: list[Any] | None = None) -> None:
        """Goes on from a state, in place of what is here; the arguments and `labels` are those of this object.

        Args:
          state: as `state` gave it.
          rows: the examples that wait, in the order of `state["waiting"]`.

        Raises:
          ValueError: the state is not one of such rings.
        """
        waiting = checked_waiting(state, rows, repeats=self._repeats)
        self._clear()
        self.grow(state["limits"])
        self.admit(state["thresholds"])
        self._slots.restore(waiting)
        for slot, (of, _, uses, _) in enumerate(waiting):
            (self._used if uses else self._fresh).push(of, slot)
            self._at_hand[of] += self._repeats - uses
        self.held = len(waiting)
        for name in COUNTERS:
            getattr(self, name)[:] = state[name]
        self.arrived, self.ignored, self.until = state["arrived"], state["ignored"], state["until"]
        self.ask(*state["asked"])
        self.asked_at = state["asked_at"]
