"""Which classes are waited for, and for how long in silence; for a stage that goes on without them."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from penstock.sampling.shares import Float64s, Int64s
from penstock.stages.snapshot import Saved, figures

__all__ = ["PATIENCE", "Vigil", "listed"]

PATIENCE = 100
"""So many times the inputs that a batch needs of a class by expectation, it is waited for in silence."""


_ARRAYS = ("_seen", "_patience", "_told", "_came", "last")


@final
class Vigil:
    """Notices classes that stay away.

    Args:
      size: examples in a batch.
      patience: how many inputs a class is waited for; `None` is 100 times what a batch needs of it. [examples]

    >>> vigil = Vigil(4, patience=10)
    >>> vigil.expect(np.array([0.5, 0.5]), np.array([0.5, 0.5]), anew=True)
    >>> vigil.look(8, np.array([5, 3])), vigil.look(20, np.array([17, 3])), vigil.look(40, np.array([37, 3]))
    (array([], dtype=int64), array([1]), array([], dtype=int64))
    """

    def __init__(self, size: int, *, patience: int | None) -> None:
        self._size = size
        self._asked = patience
        self._seen = np.zeros(0, np.int64)
        self._patience = np.zeros(0)
        self._told = self._came = np.zeros(0, bool)
        self.last = np.zeros(0, np.int64)
        """By which arrival each class was last seen to have come."""

    def grow(self, classes: int, arrived: int) -> None:
        """Makes room for classes that have just come."""
        more = classes - len(self.last)
        self._seen = np.append(self._seen, np.zeros(more, np.int64))
        self._patience = np.append(self._patience, np.full(more, np.inf))
        self._told = np.append(self._told, np.zeros(more, bool))
        self.last = np.append(self.last, np.full(more, arrived))

    def expect(self, shares: Float64s, arriving: Float64s, *, anew: bool) -> None:
        """Reckons how long classes are waited for.

        Args:
          shares: what is asked for, float64[K]; a class without a share is not waited for.
          arriving: what arrives, as estimated, float64[K].
          anew: whether also for those for which it was reckoned before.
        """
        self.grow(max(len(shares), len(self.last)), 0)
        self._reckon(shares, arriving, np.ones(len(shares), bool) if anew else np.isinf(self._patience[: len(shares)]))
        self._patience[: len(shares)][shares == 0] = np.inf

    def again(self, shares: Float64s, arriving: Float64s) -> None:
        """Reckons anew how long those are waited for that came by the last look: how they come is better known now."""
        self._reckon(shares, arriving, self._came[: len(shares)])

    def _reckon(self, shares: Float64s, arriving: Float64s, which: Any) -> None:
        some = np.flatnonzero(which & (shares > 0))
        own = PATIENCE * np.maximum(1, self._size * shares[some])
        needed = np.divide(own, arriving[some], out=np.full(len(own), np.inf), where=arriving[some] > 0)
        self._patience[some] = needed if self._asked is None else self._asked

    def look(self, arrived: int, seen: Int64s) -> Int64s:
        """The classes that have now stayed away too long, and were not told of before, int64[m].

        Args:
          arrived: how many have come.
          seen: of each class, int64[K].
        """
        self.grow(len(seen), arrived)
        self._came = seen > self._seen
        self._seen = seen.copy()
        self.last[self._came], self._told[self._came] = arrived, False
        absent = np.flatnonzero(~self._told & (arrived - self.last > self._patience))
        self._told[absent] = True
        return absent

    def snapshot(self) -> Saved:
        """What is waited for."""
        return {name.lstrip("_"): getattr(self, name).copy() for name in _ARRAYS}

    def restore(self, saved: Saved) -> None:
        """Goes on from there."""
        for name in _ARRAYS:
            like = None if name == "_came" else saved["last"]  # which is empty before the first look
            setattr(self, name, figures(saved[name.lstrip("_")], like=like))

    @property
    def next(self) -> float:
        """The arrival at which to look again."""
        return float(np.where(self._told, np.inf, self.last + self._patience).min(initial=np.inf)) + 1


def listed(names: Any) -> str:
    """Classes, as a message names them."""
    shown = ", ".join(f"`{name!r}`" for name in names[:5])
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")
