"""Which arrivals are kept, by a coin for each.

What it guarantees
  Whether an arrival is kept depends on its number, its class, and the chance of that class then; never on how the arrivals
  were cut into calls. A chance of 1 keeps all, one of 0 none.
What it assumes
  One thread. Functions that it calls (iterators, labels) may call `grow`, and nothing else here.

This is the definition. `_sieve.pyx` is its fast twin, and gives the same answers to the bit.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np

from penstock.sampling.checks import checked_chances, checked_sieve
from penstock.sampling.intake import Intake
from penstock.sampling.shares import Float64s, Int64s
from penstock.sampling.splitmix import LARGEST, coin

__all__ = ["ALL", "Sieve"]

ALL = 1 << 53
"""A coin has so many sides, and a chance of 1 keeps them all; floats know each of its parts."""


@final
class Sieve(Intake):
    """Keeps each arrival with the chance of its class.

    `seen` and `given` are arrays of shape `(classes,)` and int64 that go on counting; `grow` replaces them.

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

    name = "sieve"

    def __init__(self, seed: int) -> None:
        self._seed = seed & LARGEST
        self._open()
        self._limits: list[int] = []
        self._rows: list[Any] = []
        self._places: list[int] = []
        self._classes: list[int] = []
        self._told = 0  # Arrivals when `kept` was last called.
        self.ignored = 0
        """Those of no class."""
        self.wanted = 0
        """So many are kept before adding stops."""
        self.seen = np.zeros(0, np.int64)
        """How many of each class came."""
        self.given = np.zeros(0, np.int64)
        """How many of each class were kept."""

    @property
    def _known(self) -> int:
        return len(self._limits)

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

    def _arrive(self, of: int) -> int:
        """Counts an arrival, and gives its class if it is kept, or -1."""
        number = self.arrived
        self.arrived += 1
        if of < 0:
            self.ignored += 1
            return -1
        self.seen[of] += 1
        if coin(self._seed, number) >> 11 >= self._limits[of]:
            return -1
        self.given[of] += 1
        self._places.append(number - self._told)
        self._classes.append(of)
        return of

    def _keep(self, example: Any, kept: int) -> None:
        self._rows.append(example)

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
