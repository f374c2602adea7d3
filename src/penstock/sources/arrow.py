"""Tables and frames in memory: anything with `__arrow_c_stream__`."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from typing import Any, final

from penstock.errors import PipelineError, SourceError, mismatch
from penstock.optional import load
from penstock.sources.decoder import Decoder, pieces
from penstock.sources.lasting import Lasting
from penstock.sources.leaves import Plan
from penstock.sources.nulls import Nulls

__all__ = ["ArrowSource"]

_BARE = "value"
_NULLS = "fill it in, or drop such rows, before it is passed"


@final
class ArrowSource:
    """The rows of a table or frame (pyarrow, polars, pandas, duckdb, ...) as dicts, or the values of a single column.

    What is itself a stream, such as a `RecordBatchReader`, is read once; anything else as often as one likes.
    A pandas frame's NaN stays NaN, and its index is left out where it has no name.

    Args:
      thing: an object with `__arrow_c_stream__`.

    Raises:
      MissingExtra: pyarrow is not installed.
    """

    blocks = True

    def __init__(self, thing: Any) -> None:
        pa = load("pyarrow", extra="arrow")
        self._thing = thing
        self._opened = False
        kind = type(thing)
        self.label = kind.__name__
        self.waits: bool | None = False if isinstance(thing, (pa.Table, pa.RecordBatch, pa.ChunkedArray)) else None
        self.once: object | None = thing if hasattr(kind, "__next__") or hasattr(kind, "read_next_batch") else None
        # pandas has no other way to say NaN; Arrow takes it for a null.
        pandas = kind.__module__.partition(".")[0] == "pandas"
        self._nulls = Nulls(math.nan if pandas else "error", at=self.label)
        self._index = "__index_level_" if pandas else None
        schema = getattr(thing, "schema", None)
        if isinstance(schema, pa.Schema):
            self._plan(schema)

    def open(self, epoch: int) -> Iterator[Any]:
        """Starts at the first row.

        Raises:
          PipelineError: it is a stream, and was opened before.
        """
        if self.once is not None and self._opened:
            raise PipelineError(
                mismatch(
                    "a source that can be opened again",
                    f"the stream `{self.label}`, which was opened before",
                    do="pass a callable that makes it: `lambda: ...`",
                )
            )
        self._opened = True
        return Lasting(self._examples())

    def _examples(self) -> Generator[Any, None, None]:
        pa = load("pyarrow", extra="arrow")
        column = None
        if isinstance(self._thing, pa.ChunkedArray) or type(self._thing).__name__ == "Series":
            column = pa.chunked_array(self._thing)
        bare = column is not None and not pa.types.is_struct(column.type)
        thing = pa.table({_BARE: column}) if bare else self._thing
        reader = pa.RecordBatchReader.from_stream(thing)
        with reader:
            decoder = Decoder(self._plan(reader.schema, bare=bare), self._nulls, where=f"the `{self.label}`", do=_NULLS)
            row = 0
            for batch in reader:
                for place, piece in pieces(batch):
                    start = row + place
                    yield from decoder.blocks(piece, range(start, start + piece.num_rows))
                row += batch.num_rows

    def _plan(self, schema: Any, *, bare: bool = False) -> Plan:
        where = f"the `{self.label}`"
        names = [name for name in schema.names if self._index is None or not name.startswith(self._index)]
        twice = [name for number, name in enumerate(names) if name in names[:number]]
        if twice or not names:
            raise SourceError(
                mismatch("columns of different names", f"`{twice[0]}` twice" if twice else "no column", at=where)
            )
        return Plan(schema, names, where=where, bare=bare)

    def length(self) -> int | None:
        """The number of rows, where the object knows it."""
        rows = getattr(self._thing, "num_rows", None)
        if rows is None and hasattr(type(self._thing), "shape"):
            rows = self._thing.shape[0]
        if rows is None and isinstance(self._thing, load("pyarrow", extra="arrow").ChunkedArray):
            rows = len(self._thing)
        return rows if isinstance(rows, int) else None
