"""Runs of rows as examples, with the rule for nulls applied."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any, final

import numpy as np

from penstock.chunk import Columns
from penstock.errors import SourceError, mismatch
from penstock.optional import load
from penstock.sources.lasting import Bad
from penstock.sources.leaves import Plan
from penstock.sources.nulls import Nulls
from penstock.sources.values import Values

__all__ = ["BLOCK_BYTES", "BLOCK_ROWS", "Decoder", "pieces", "rows_in"]

BLOCK_ROWS = 4096
"""Rows that are made into examples at once, at most. [examples]"""
BLOCK_BYTES = 1 << 22
"""Bytes that are made into examples at once, roughly at most. [bytes]"""


def rows_in(nbytes: int, count: int) -> int:
    """How many rows are handled at once, where `count` have `nbytes`; a power of two, as most batches. [examples]"""
    most = max(1, min(BLOCK_ROWS, BLOCK_BYTES * count // max(nbytes, 1)))
    return 1 << (most.bit_length() - 1)


def pieces(batch: Any) -> Iterator[tuple[int, Any]]:
    """Cuts a `pyarrow.RecordBatch` into views of a size to be handled at once, each with its place in the batch."""
    size = rows_in(batch.nbytes, batch.num_rows)
    return ((start, batch.slice(start, size)) for start in range(0, batch.num_rows, size))


@final
class Decoder:
    """Makes the columns of a table into examples.

    Args:
      plan: how columns become examples.
      nulls: what a missing value means.
      where: the file or object, for messages.
      do: what can be done about a null.
      mapped: whether numbers may lie in a part of a file that is only mapped into memory, and not read yet.
    """

    def __init__(self, plan: Plan, nulls: Nulls, *, where: str, do: str, mapped: bool = False) -> None:
        self._pa = load("pyarrow", extra="arrow")
        self._plan = plan
        self._skips = nulls.skips
        self._fills = nulls.fills(plan.leaves, where=where)
        self._where = where
        self._do = do
        self._mapped = mapped

    def blocks(
        self, batch: Any, rows: Sequence[int] | np.ndarray[Any, Any]
    ) -> Generator[Columns | list[Any] | Bad, None, None]:
        """Gives a batch of rows as runs of examples; a row of which a value is missing, or is not UTF-8, as bad.

        Args:
          batch: a `pyarrow.RecordBatch`.
          rows: the number of each row, for messages.
        """
        at = 0
        while at < batch.num_rows:
            rest = batch.slice(at) if at else batch
            try:
                values = self._values(rest)
            except UnicodeDecodeError:
                good, bad = self._bad_text(rest, rows[at:])
                yield from self.blocks(rest.slice(0, good), rows[at : at + good])
                yield bad
                at += good + 1
                continue
            nulls = [value.null_rows() for value in values]
            found = [null for null in nulls if null is not None]
            if not found:
                yield self._plan.block(values)
                return
            missing = np.logical_or.reduce(found)
            if self._skips:
                yield from self.blocks(rest.filter(self._pa.array(~missing)), np.asarray(rows[at:])[~missing])
                return
            row = int(missing.argmax())
            yield from self.blocks(rest.slice(0, row), rows[at : at + row])
            name = next(
                leaf.name for leaf, null in zip(self._plan.leaves, nulls, strict=True) if null is not None and null[row]
            )
            where = f"column `{name}`, row {rows[at + row]} of {self._where}"
            yield Bad(SourceError(mismatch("a value", "a null", at=where, do=self._do.format(name=name))))
            at += row + 1

    def _values(self, batch: Any) -> list[Values]:
        values = [leaf.read(batch) for leaf in self._plan.leaves]
        for value in values if self._mapped else ():
            _touch(value.array)
        pairs = zip(values, self._fills, strict=True)
        return [value if fill is None else value.filled(fill) for value, fill in pairs]

    def _bad_text(self, batch: Any, rows: Any) -> tuple[int, Bad]:
        """The first row whose text is not UTF-8, and its error."""
        for row in range(batch.num_rows):
            one = batch.slice(row, 1)
            for leaf in self._plan.leaves:
                try:
                    leaf.read(one)
                except UnicodeDecodeError as error:
                    at = f"column `{leaf.name}`, row {rows[row]} of {self._where}"
                    bad = SourceError(mismatch("text in UTF-8", "other bytes", at=at))
                    bad.__cause__ = error
                    return row, Bad(bad)
        raise AssertionError("what cannot be read at once cannot be read row by row")


def _touch(array: np.ndarray[Any, Any]) -> None:
    """Reads a byte of each page, so that it is the reader's thread that waits for the disk, and holds nobody up."""
    if array.nbytes and array.dtype != np.object_ and array.flags.c_contiguous:
        # From 500 elements on NumPy lets the interpreter go.
        array.reshape(-1).view(np.uint8)[:: max(1, min(4096, array.nbytes // 512))].max()
