"""Rows of runs of columns that somebody still wants, found by their numbers.

Guarantees
  A row is copied once, from the run that it came in to the batch that it goes to; and once more for each time that the
  runs are let go of while it is still wanted.
Assumes
  The arrays of a run are not written to any more.

The definition; `_runs.pyx` does the same with less work for each row.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Any, final

import numpy as np

from penstock.assemble.pool import Pool

__all__ = ["Runs"]

Array = np.ndarray[Any, np.dtype[Any]]
Int64s = np.ndarray[Any, np.dtype[np.int64]]
Arrays = tuple[Array, ...]


@final
class Runs:
    """Runs of rows, which are numbered one after the other.

    Args:
      pool: where the memory of what is collected comes from.

    >>> runs = Runs(Pool())
    >>> runs.add(10, (np.array([1.5, 2.5]),)), runs.add(12, (np.array([3.5]),))
    (True, True)
    >>> runs.collect(np.array([12, 10]))
    (array([3.5, 1.5]),)
    >>> runs.keep(np.array([11]), runs.collect(np.array([11])))
    >>> runs.collect(np.array([11])), runs.held
    ((array([2.5]),), 1)
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._like: Arrays | None = None
        self._clear()

    def _clear(self) -> None:
        self.held = 0
        """How many rows there are. [examples]"""
        self.count = 0
        """Runs since rows were last kept apart. [runs]"""
        self._numbers = np.empty(0, np.int64)
        self._firsts: list[int] = []
        self._runs: list[Arrays] = []

    @property
    def row_nbytes(self) -> int:
        """Bytes of a row, all components together; 0 before the first. [bytes]"""
        return sum([math.prod(array.shape[1:]) * array.itemsize for array in self._like or ()])

    def _know(self, arrays: Arrays) -> None:
        """Notes what rows are like, without keeping any."""
        self._like = tuple([np.empty((0, *array.shape[1:]), array.dtype) for array in arrays])

    def add(self, first: int, arrays: Arrays) -> bool:
        """Adds a run, unless its rows are of another kind than those before, or hold objects.

        Args:
          first: the number of its first row; above all there are.
          arrays: one for each component.
        """
        if any([array.dtype.hasobject for array in arrays]):
            return False
        if self._like is None:
            self._know(arrays)
        kinds = [(array.dtype, array.shape[1:]) for array in arrays]
        if kinds != [(like.dtype, like.shape[1:]) for like in self._like or ()]:
            return False
        self._firsts.append(first)
        self._runs.append(arrays)
        self.held += len(arrays[0])
        self.count += 1
        return True

    def collect(self, numbers: Int64s, backlog: object = None) -> Arrays:
        """Copies of rows, in their order.

        Args:
          numbers: int64[n], of rows that there are.
          backlog: may have them copied later, before anybody looks at them; here it is done at once.
        """
        assert self._like is not None, "what is collected was added"
        out = tuple([self._pool.array((len(numbers), *like.shape[1:]), like.dtype) for like in self._like])
        whose = np.array([bisect_right(self._firsts, number) - 1 for number in numbers.tolist()], np.int64)
        if (whose < 0).any() and not np.isin(numbers[whose < 0], self._numbers).all():
            raise IndexError("expected numbers of rows that are held, got others")
        for run in np.unique(whose).tolist():
            which = np.flatnonzero(whose == run)
            if run < 0:
                places, arrays = np.searchsorted(self._numbers, numbers[which]), self._apart
            else:
                places, arrays = numbers[which] - self._firsts[run], self._runs[run]
            for to, of in zip(out, arrays, strict=True):
                to[which] = of[places]
        return out

    def forget(self, before: int) -> None:
        """Lets go of runs of which all numbers are smaller."""
        if len(self._numbers) and before > self._numbers[-1]:
            self.held -= len(self._numbers)
            self._numbers, self._apart = self._numbers[:0], ()
        while self._runs and self._firsts[0] + len(self._runs[0][0]) <= before:
            self.held -= len(self._runs[0][0])
            self.count -= 1
            del self._firsts[0], self._runs[0]

    def keep(self, numbers: Int64s, arrays: Arrays) -> None:
        """Holds just these rows, in place of all that there are.

        Args:
          numbers: of the rows, ascending, int64[n].
          arrays: the rows, one array for each component.
        """
        self._clear()
        if self._like is None:
            self._know(arrays)
        self._numbers, self._apart, self.held = numbers, arrays, len(numbers)

    _apart: Arrays = ()
