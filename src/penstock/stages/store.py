"""Where the examples lie that a stage keeps for later, each at its slot."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from penstock.assemble import Pool
from penstock.assemble.keeping import collect, keep
from penstock.chunk import Chunk, Columns
from penstock.sampling.shares import Int64s
from penstock.structure import Structure

__all__ = ["Store"]

Arrays = tuple[np.ndarray[Any, Any], ...]


@final
class Store:
    """Examples by slot: as columns while all that come are alike, else as rows.

    Args:
      pool: where the memory of what is collected comes from.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._structure: Structure | None = None
        self._arrays: Arrays = ()
        self._rows: list[Any] | None = None

    @property
    def arrays(self) -> Arrays:
        """The columns, each with a row for each slot; none where it keeps rows."""
        return self._arrays

    @property
    def room(self) -> int:
        """How many slots the columns have. [slots]"""
        return len(self._arrays[0]) if self._arrays else 0

    @property
    def holds_rows(self) -> bool:
        """Whether it keeps rows, since not all that came were alike."""
        return self._rows is not None

    def suit(self, run: Chunk) -> None:
        """Sees to it that what a run holds can be kept; before anything of it is kept or collected."""
        if self._rows is None and not self._suits(run.columns):
            structure, slots = self._structure, len(self._arrays[0]) if self._arrays else 0
            self._rows = Columns(structure, self._arrays).rows() if structure is not None and slots else []
            self._arrays = ()

    def _suits(self, columns: Columns | None) -> bool:
        if columns is None:
            return False
        if self._structure is None:
            self._structure = columns.structure
            self._arrays = tuple([np.empty((0, *array.shape[1:]), array.dtype) for array in columns.arrays])
        same = columns.structure is self._structure or columns.structure == self._structure
        return same and all(
            [
                array.dtype == own.dtype and array.shape[1:] == own.shape[1:] and not array.dtype.hasobject
                for array, own in zip(columns.arrays, self._arrays, strict=True)
            ]
        )

    def rows(self, slots: Int64s) -> list[Any]:
        """The examples at some slots, as they are: int64[m]."""
        if self._rows is not None:
            return [self._rows[slot] for slot in slots.tolist()]
        assert self._structure is not None or not len(slots), "what is kept has a structure"
        return Columns(self._structure, self._arrays).select(slots).rows() if self._structure is not None else []

    def keep(self, slots: Int64s, run: Chunk, places: Int64s, capacity: int) -> None:
        """Copies examples of a run to slots.

        Args:
          slots: int64[m], all different.
          run: that it suits.
          places: their places in it, int64[m].
          capacity: every slot's number is smaller.
        """
        if self._rows is not None:
            self._rows += [None] * (capacity - len(self._rows))
            rows = run.as_rows()
            for slot, place in zip(slots.tolist(), places.tolist(), strict=True):
                self._rows[slot] = rows[place]
            return
        assert run.columns is not None, "a run of rows would not have suited"
        if capacity > len(self._arrays[0]):
            self._arrays = tuple([_grown(array, capacity) for array in self._arrays])
        keep(self._arrays, slots, run.columns.arrays, places)

    def collect(
        self, slots: Int64s, run: Chunk | None = None, places: Int64s | None = None
    ) -> tuple[list[Any] | None, Columns | None]:
        """Copies of examples, each from its slot, or from the run that it has just arrived in.

        Args:
          slots: int64[n].
          run: that it suits; `None` if there is none.
          places: their places in it, int64[n]; where one is below 0 the slot counts.

        Returns:
          Rows or columns, of which the other is `None`.
        """
        kept = self._rows
        if kept is not None:
            if run is None or places is None:
                return self.rows(slots), None
            rows, both = run.as_rows(), zip(slots.tolist(), places.tolist(), strict=True)
            return [rows[place] if place >= 0 else kept[slot] for slot, place in both], None
        assert self._structure is not None, "what is collected was kept, or lies in a run"
        if run is None or places is None:
            arrays, places = self._arrays, slots
        else:
            assert run.columns is not None, "a run of rows would not have suited"
            arrays = run.columns.arrays
        return None, Columns(self._structure, collect(self._arrays, slots, arrays, places, 0, self._pool))


def _grown(array: np.ndarray[Any, Any], capacity: int) -> np.ndarray[Any, Any]:
    grown = np.empty((capacity, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown
