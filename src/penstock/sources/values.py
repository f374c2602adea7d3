"""One component of a run of examples, as it is taken out of an Arrow column: its values, and where it has none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["Array", "Values", "sealed"]

Array = np.ndarray[Any, Any]


def sealed(array: Array) -> Array:
    """A view that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, slots=True)
class Values:
    """One component of a run of examples."""

    array: Array
    """`[n, …]`, or if ragged the elements of all rows, one row behind the other."""
    null: Array | None = None
    """bool, of the array's shape: where it has no value; `None` if it has one everywhere."""
    offsets: Array | None = None
    """int[n + 1], if ragged: row i is `array[offsets[i]:offsets[i + 1]]`."""
    missing: Array | None = None
    """bool[n], if ragged: the rows that are null as a whole; `None` if there are none."""

    def null_rows(self) -> Array | None:
        """bool[n]: the rows with a null anywhere; `None` if there are none."""
        found = None
        if self.null is not None:
            found = np.asarray(self.null.any(axis=tuple(range(1, self.null.ndim))))
            if self.offsets is not None:
                rows = np.searchsorted(self.offsets, np.flatnonzero(found), "right") - 1
                found = np.zeros(len(self.offsets) - 1, np.bool_)
                found[rows] = True
        if self.missing is not None:
            found = self.missing if found is None else found | self.missing
        return found if found is not None and found.any() else None

    def filled(self, fill: Any) -> Values:
        """A copy with a value in place of nulls: an array for lists that are null, a scalar for everything else."""
        if self.offsets is not None and isinstance(fill, np.ndarray) and fill.ndim:
            return self if self.missing is None else self._with_lists(fill)
        if self.null is None:
            return self
        array = self.array.copy()
        array[self.null] = fill
        return replace(self, array=sealed(array), null=None)

    def _with_lists(self, fill: Array) -> Values:
        rows = self.rows()
        assert self.missing is not None, "lists are filled in where some are missing"
        nulls = None if self.null is None else replace(self, array=self.null, null=None).rows()
        for row in np.flatnonzero(self.missing):
            rows[row] = fill
            if nulls is not None:
                nulls[row] = np.zeros(fill.shape, np.bool_)
        offsets = np.cumsum([0, *map(len, rows)])
        return Values(sealed(np.concatenate(rows)), None if nulls is None else np.concatenate(nulls), offsets)

    def rows(self) -> list[Any]:
        """The component of each example; arrays are views."""
        if self.offsets is not None:
            ends = self.offsets.tolist()
            array = self.array
            return [array[start:stop] for start, stop in pairwise(ends)]
        return self.array.tolist() if self.array.dtype == np.object_ and self.array.ndim == 1 else list(self.array)
