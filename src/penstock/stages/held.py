"""The examples that came in runs of columns, found by their numbers until they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np

from penstock.assemble import Pool
from penstock.assemble.keeping import Runs
from penstock.chunk import Chunk, Columns
from penstock.sampling import NumberRings
from penstock.sampling.shares import Int64s
from penstock.structure import Structure

if TYPE_CHECKING:
    from penstock.assemble import Backlog

__all__ = ["Held"]

MOST_BYTES = 1 << 22
"""As many bytes are held of examples that wait no more as of those that do, and so many. [bytes]"""
MOST_ROWS = 1 << 12
"""The same, where each is an object. [examples]"""
MOST_RUNS = 1 << 10
"""And no more runs. [runs]"""


@final
class Held:
    """The runs that examples arrived in: as columns while all that come are alike, else as rows.

    Most examples wait no longer than for a few runs, so each is copied once, from its run to its batch. What waits longer
    is copied out of its run when that is let go of.

    Args:
      pool: where the memory of what is collected comes from.
      rings: which know what waits.
    """

    def __init__(self, pool: Pool, rings: NumberRings) -> None:
        self._rings = rings
        self._runs = Runs(pool)
        self._structure: Structure | None = None
        self._rows: dict[int, Any] | None = None

    @property
    def columnar(self) -> bool:
        """Whether they lie as columns."""
        return self._rows is None

    def add(self, run: Chunk) -> None:
        """Holds a run that is about to arrive."""
        first, columns = self._rings.arrived, run.columns
        if self._rows is None:
            if columns is not None and self._adds(first, columns):
                return
            waiting = self._rings.waiting
            self._rows = dict(zip(waiting.tolist(), self.rows(waiting), strict=True))
            self._runs.forget(first)
        self._rows.update(enumerate(run.as_rows(), first))

    def _adds(self, first: int, columns: Columns) -> bool:
        """Holds a run of columns, if it is like those before."""
        if self._structure is None:
            self._structure = columns.structure
        alike = columns.structure is self._structure or columns.structure == self._structure
        return alike and self._runs.add(first, columns.arrays)

    def trim(self) -> None:
        """Lets go of what waits no more, once that is much; between two runs."""
        rows, runs = self._rows, self._runs
        if rows is not None:
            if len(rows) > 2 * self._rings.held + MOST_ROWS:
                self._rows = {number: rows[number] for number in self._rings.waiting.tolist()}
        elif self._is_much:
            runs.forget(self._rings.oldest)
            if self._is_much:
                numbers = self._rings.waiting
                runs.keep(numbers, runs.collect(numbers))

    @property
    def _is_much(self) -> bool:
        runs = self._runs
        return runs.count >= MOST_RUNS or (runs.held - 2 * self._rings.held) * runs.row_nbytes > MOST_BYTES

    def collect(self, numbers: Int64s, backlog: Backlog | None = None) -> tuple[list[Any] | None, Columns | None]:
        """Examples by their numbers, int64[n]: as rows, or as copies in columns; the other is `None`.

        Args:
          numbers: of the examples.
          backlog: copies them, before anybody sees them; `None` has them copied at once.
        """
        if self._rows is not None:
            return [self._rows[number] for number in numbers.tolist()], None
        assert self._structure is not None, "what is collected was added"
        return None, Columns(self._structure, self._runs.collect(numbers, backlog))

    def rows(self, numbers: Int64s) -> list[Any]:
        """The same as rows, as they are."""
        if not len(numbers):
            return []
        rows, columns = self.collect(numbers)
        return columns.rows() if columns is not None else rows if rows is not None else []

    def restore(self, numbers: Int64s, rows: list[Any], *, columnar: bool) -> None:
        """Holds examples by their numbers, int64[n], in place of all that there is."""
        if not columnar:
            self._rows = dict(zip(numbers.tolist(), rows, strict=True))
        elif rows:
            order = np.argsort(numbers)
            columns = Columns.stacked(rows).select(order)
            self._structure = columns.structure
            self._runs.keep(numbers[order], columns.arrays)
