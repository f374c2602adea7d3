"""Which arrivals are kept, by a coin for each.

What it guarantees
  Whether an arrival is kept depends on its number, its class, and the chance of that class then; never on how the arrivals
  were cut into calls. A chance of 1 keeps all, one of 0 none.
What it assumes
  One thread. Functions that it calls (iterators, labels) may call `grow`, and nothing else here.

This is the definition. `_sieve.pyx` is its fast twin, and gives the same answers to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, final

import numpy as np

from penstock.errors import mismatch
from penstock.sampling.checks import checked_chances, checked_classes, checked_sieve
from penstock.sampling.labels import Labels
from penstock.sampling.shares import Float64s, Int64s
from penstock.sampling.splitmix import LARGEST, coin

__all__ = ["ALL", "Sieve"]

ALL = 1 << 53
"""A coin has so many sides, and a chance of 1 keeps them all; floats know each of its parts."""


@final
class Sieve:
    """Keeps each arrival with the chance of its class.

    `seen` and `given` are arrays of shape `(classes,)` and int64 that go on counting; `grow` replaces them.
    Its length is the number of arrivals.

    Args:
      seed: of the coins.

    >>> sieve = Sieve(0)
    >>> sieve.grow(2)
    >>> sieve.labels("index", 1, {"cat": 0, "dog": 1}, lambda label: -1)
    >>> sieve.admit(np.array([1.0, 0.0]))
    >>> sieve.wanted = 2
    >>> sieve.add([(1, "cat"), (2, "dog"), (3, "bird"), (4, "cat"), (5, "cat")], 0)
    4
    >>> sieve.kept()
    ([(1, 'cat'), (4, 'cat')], array([0, 3]), array([0, 0]))
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed & LARGEST
        self._labels: Labels | None = None
        self._limits: list[int] = []
        self._rows: list[Any] = []
        self._places: list[int] = []
        self._classes: list[int] = []
        self._told = 0  # Arrivals when `kept` was last called.
        self.arrived = 0
        """All that came."""
        self.ignored = 0
        """Those of no class."""
        self.until = 2**63 - 1
        """The arrival that adding stops before."""
        self.wanted = 0
        """So many are kept before adding stops."""
        self.seen = np.zeros(0, np.int64)
        """How many of each class came."""
        self.given = np.zeros(0, np.int64)
        """How many of each class were kept."""
        self.misfit: tuple[Any] | None = None
        """The example whose label was refused, if one was."""
        self.error: BaseException | None = None
        """Why."""

    def __len__(self) -> int:
        return self.arrived

    @property
    def halted(self) -> bool:
        """Whether adding stops here: as many are kept as are wanted, `until` is reached, or there was a misfit."""
        return len(self._places) >= self.wanted or self.arrived >= self.until or self.misfit is not None

    def grow(self, classes: int) -> None:
        """Makes room for more classes; those that are new are kept always."""
        more = classes - len(self._limits)
        self._limits += [ALL] * more
        self.seen = np.append(self.seen, np.zeros(more, np.int64))
        self.given = np.append(self.given, np.zeros(more, np.int64))

    def admit(self, chances: Float64s) -> None:
        """Sets how likely the arrivals of each class are kept: float64[classes], from 0 to 1."""
        self._limits = checked_chances(chances, len(self._limits)).tolist()

    def labels(
        self,
        how: Literal["index", "key", "call", "whole"],
        key: Any,
        classes: dict[Any, int],
        unknown: Callable[[Any], int],
        *,
        identity: bool = False,
    ) -> None:
        """Says how the class of an example is found; as `Rings.labels`."""
        self._labels = Labels(how, key, classes, unknown, identity=identity)

    def pull(self, iterators: list[Iterator[Any]], first: int, n: int) -> None:
        """Pulls `n` examples from iterators, one of each in turn from place `first` on, and judges each.

        Stops before it pulls another once adding is halted, and at the first iterator that ends or raises.
        """
        self._start()
        for turn in range(first, first + n):
            if self.halted:
                return
            try:
                example = next(iterators[turn % len(iterators)])
            except StopIteration:
                return
            if not self._take(example):
                return

    def add(self, rows: list[Any], start: int) -> int:
        """Judges examples from `rows[start]` on until adding is halted; gives how many were judged."""
        self._start()
        before = self.arrived
        for place in range(start, len(rows)):
            if self.halted or not self._take(rows[place]):
                break
        return self.arrived - before

    def add_classes(self, classes: Int64s, start: int) -> int:
        """As `add`, for examples that the caller keeps.

        Args:
          classes: the number of each example's class, -1 to ignore it, of shape `(n,)` and int64.
          start: the place of the first that is judged.

        Raises:
          ValueError: a class is not there. Those before it are judged.
        """
        array = checked_classes(classes, False)
        self.misfit = self.error = None
        before = self.arrived
        for of in array[start:].tolist():
            if self.halted:
                break
            if not -1 <= of < len(self._limits):
                raise ValueError(mismatch(f"a class below {len(self._limits)}, or -1", of, at="sieve.add_classes"))
            self._arrive(of)
        return self.arrived - before

    def _start(self) -> None:
        if self._labels is None:
            raise ValueError(mismatch("to know how labels are read", "no word of it", at="sieve", do="call `labels`"))
        self.misfit = self.error = None

    def _take(self, example: Any) -> bool:
        """Judges an example, unless its label is refused."""
        assert self._labels is not None, "`_start` saw to it"
        try:
            of = self._labels.class_of(example, len(self._limits))
            if not -1 <= of < len(self._limits):
                raise ValueError(mismatch(f"a class below {len(self._limits)}, or -1", of, at="a label"))
        except BaseException as error:
            self.misfit, self.error = (example,), error
            return False
        if self._arrive(of):
            self._rows.append(example)
        return True

    def _arrive(self, of: int) -> bool:
        """Counts an arrival, and says whether it is kept."""
        number = self.arrived
        self.arrived += 1
        if of < 0:
            self.ignored += 1
            return False
        self.seen[of] += 1
        if coin(self._seed, number) >> 11 >= self._limits[of]:
            return False
        self.given[of] += 1
        self._places.append(number - self._told)
        self._classes.append(of)
        return True

    def kept(self) -> tuple[list[Any], Int64s, Int64s]:
        """What was kept since this was last called, and is now forgotten.

        Returns:
          The examples, where they came by `add` or `pull`; how many arrived since then before each, int64[m]; and the
          class of each, int64[m].
        """
        rows, places, classes = self._rows, self._places, self._classes
        self._rows, self._places, self._classes, self._told = [], [], [], self.arrived
        return rows, np.array(places, np.int64), np.array(classes, np.int64)

    def state(self) -> dict[str, Any]:
        """All that another object needs to go on from here, after `kept`, but for the seed and `labels`."""
        return {
            "arrived": self.arrived,
            "ignored": self.ignored,
            "until": self.until,
            "sides": np.array(self._limits, np.int64),
            "seen": self.seen.copy(),
            "given": self.given.copy(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from a state, in place of what is here.

        Raises:
          ValueError: it is not one of such a sieve.
        """
        sides, self.seen, self.given = checked_sieve(state)
        self._limits = sides.tolist()
        self.arrived = self._told = int(state["arrived"])
        self.ignored, self.until = int(state["ignored"]), int(state["until"])
