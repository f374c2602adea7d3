"""Where the examples lie that a stage keeps for later, each at its slot."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from penstock.chunk import Columns
from penstock.sampling.shares import Int64s
from penstock.structure import Structure

__all__ = ["Store"]


@final
class Store:
    """Examples by slot: as columns while all that come are alike, else as rows."""

    def __init__(self) -> None:
        self._structure: Structure | None = None
        self._arrays: list[np.ndarray[Any, Any]] = []
        self._rows: list[Any] | None = None

    def put(self, slots: Int64s, run: Columns, places: Int64s, capacity: int) -> None:
        """Copies rows of a run to slots; of slots that stand there twice the later counts.

        Args:
          slots: int64[m].
          run: where the rows are.
          places: their places in it, int64[m].
          capacity: every slot's number is smaller.
        """
        if self._rows is None and not self._suits(run):
            self._as_rows()
        if self._rows is not None:
            self.put_rows(slots, run.select(places).rows(), np.arange(len(places)), capacity)
            return
        if capacity > self._size:
            self._arrays = [_grown(array, capacity) for array in self._arrays]
        for array, source in zip(self._arrays, run.arrays, strict=True):
            array[slots] = source[places]

    def put_rows(self, slots: Int64s, rows: list[Any], places: Int64s, capacity: int) -> None:
        """As `put`, of examples that come as rows."""
        self._as_rows()
        assert self._rows is not None, "they are rows now"
        self._rows += [None] * (capacity - len(self._rows))
        for slot, place in zip(slots.tolist(), places.tolist(), strict=True):
            self._rows[slot] = rows[place]

    def _as_rows(self) -> None:
        if self._rows is None:
            self._rows = self.rows(np.arange(self._size))
            self._arrays = []

    @property
    def _size(self) -> int:
        return len(self._arrays[0]) if self._arrays else 0

    def _suits(self, run: Columns) -> bool:
        if self._structure is None:
            self._structure = run.structure
            self._arrays = [np.empty((0, *array.shape[1:]), array.dtype) for array in run.arrays]
        return run.structure == self._structure and all(
            array.dtype == own.dtype and array.shape[1:] == own.shape[1:] and array.dtype.kind != "O"
            for array, own in zip(run.arrays, self._arrays, strict=True)
        )

    def columns(self, slots: Int64s) -> Columns | None:
        """Copies of what lies in slots, where it is kept as columns."""
        if self._rows is not None or self._structure is None:
            return None
        return Columns(self._structure, tuple([array[slots] for array in self._arrays]))

    def rows(self, slots: Int64s) -> list[Any]:
        """What lies in slots, one by one."""
        if self._rows is not None:
            return [self._rows[slot] for slot in slots.tolist()]
        columns = self.columns(slots)
        return columns.rows() if columns is not None and len(slots) else []


def _grown(array: np.ndarray[Any, Any], capacity: int) -> np.ndarray[Any, Any]:
    grown = np.empty((capacity, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown
