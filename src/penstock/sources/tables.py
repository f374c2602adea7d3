"""Files that are tables: their rows as examples, file after file.

Guarantees
  Examples come in the order of the rows. Those before a bad row are given before its error is raised.
  Every error names the file, and the row where it is known; rows count from 0 over the file, those left out too.
  All files of a stream have the columns of its first, with the same types.
  What is held is a few MiB, or one row group or record batch of the file where that is more.
Assumes
  A format gives whole rows in order, and raises what Arrow raises, or a `SourceError` where it can say more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, final

import numpy as np

from penstock.errors import SourceError, mismatch
from penstock.optional import load
from penstock.plan import Source
from penstock.sources.choice import Choice
from penstock.sources.decoder import Decoder, pieces
from penstock.sources.files import Paths, Reading, file_sources, label_of, named, said, sizes_of
from penstock.sources.lasting import Bad
from penstock.sources.leaves import Plan
from penstock.sources.nulls import Nulls
from penstock.sources.passing import Pass, Place

__all__ = ["Choose", "Format", "Table", "TableSource", "table_sources"]

Choose = Callable[[Sequence[str]], list[str]]
"""Gives those of a file's columns that are needed, or says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file that is open."""

    schema: Any
    """The `pyarrow.Schema` of at least the needed columns; `None` if there is no good row to tell it."""
    batches: Iterator[tuple[int, Any]]
    """`pyarrow.RecordBatch`es of at least the needed columns, each with the number of its first row; or bad rows."""
    mapped: bool = False
    """Whether arrays may lie in a part of the file that is only mapped into memory, and not read yet."""


class Format(Protocol):
    """How one kind of file is read."""

    @property
    def kind(self) -> str:
        """What it is called in messages: `"a Parquet file"`."""

    def open(
        self, path: str, choose: Choose, *, known: Mapping[str, Any], filter: Any, start: int = 0
    ) -> AbstractContextManager[Table]:
        """Opens a file.

        Args:
          path: the file.
          choose: tells which columns are needed.
          known: the Arrow types of the columns of the stream's first file, for formats that have to guess.
          filter: an expression; rows for which it is known to be false need not be given. `None` if all are wanted.
          start: rows before this one need not be given.
        """

    def count(self, path: str) -> int | None:
        """How many rows a file has, where that is known without reading them. [examples]"""


@final
class TableSource:
    """The rows of some files, read one after the other.

    Args:
      files: the files.
      format: how they are read.
      choice: which columns and rows are wanted.
      nulls: what a missing value means.
    """

    blocks = True
    waits: bool | None = True
    once: object | None = None

    def __init__(self, files: tuple[str, ...], format: Format, choice: Choice, nulls: Nulls) -> None:
        self.files = files
        self._format = format
        self._choice = choice
        self._nulls = nulls
        self.label = label_of(files)

    def open(self, epoch: int) -> Iterator[Any]:
        """Starts at the first row of the first file."""
        return Pass(self.blocks_from)

    def identity(self) -> list[Any]:
        """What tells it from others: the names and sizes of its files."""
        return sizes_of(self.files)

    def length(self) -> int | None:
        """The number of rows, where the format tells it and none may be left out.

        Raises:
          SourceError: a file cannot be opened.
        """
        if self._choice.filter is not None or self._nulls.skips:
            return None
        total = 0
        for path in self.files:
            with self._reading(path):
                count = self._format.count(path)
            if count is None:
                return None
            total += count
        return total

    def of(self, files: tuple[str, ...]) -> TableSource:
        """The same of other files."""
        return TableSource(files, self._format, self._choice, self._nulls)

    def _reading(self, path: str) -> Reading:
        return Reading(self._format.kind, path, errors=(load("pyarrow", extra="arrow").ArrowException,))

    def blocks_from(self, at: Place) -> Iterator[tuple[Place, Any]]:
        """Runs of examples from a place on, each with the place behind it."""
        first: _First | None = None
        for number, path in enumerate(self.files):
            if number < at.file and first is not None:
                continue  # the first with a row is looked at in any case: the others are read with its types
            where = f"'{path}'"
            choose = partial(self._choice.needed, where=where)
            known = {} if first is None else first.types
            filter = self._choice.filter
            with (
                self._reading(path) as reading,
                self._format.open(path, choose, known=known, filter=filter, start=at.start(number)) as table,
            ):
                if table.schema is None:
                    for start, bad in table.batches:
                        yield from at.behind_bad(number, start, bad)
                    continue
                names = self._choice.columns or tuple(table.schema.names)
                if first is None:
                    plan = Plan(table.schema, names, where=where)
                    first = _First(where, plan, {field.name: field.type for field in table.schema})
                else:
                    first.check(Plan(table.schema, names, where=where), where)
                if number < at.file:
                    continue
                if filter is not None:
                    _check_filter(table.schema, filter, where)
                decoder = Decoder(first.plan, self._nulls, where=where, do=_NULLS, mapped=table.mapped)
                reading.row = 0
                for start, batch in table.batches:
                    if isinstance(batch, Bad):
                        yield from at.behind_bad(number, start, batch)
                        continue
                    for place, piece in pieces(batch):
                        row = reading.row = start + place
                        if row < at.start(number):
                            continue
                        rows: Any = range(row, row + piece.num_rows)
                        if filter is not None:
                            piece, rows = _filtered(piece, row, filter)
                        given = 0
                        for block in at.behind(number, row, decoder.blocks(piece, rows)):
                            given += len(block)
                            yield Place(number, row, drop=at.drop_at(number, row) + given), block
                    reading.row = start + batch.num_rows


_NULLS = "say what takes its place, or leave such rows out: `nulls={{'{name}': ...}}` or `nulls=\"skip\"`"


@dataclass(frozen=True, slots=True)
class _First:
    """The first file of a stream, which the others must be like."""

    where: str
    plan: Plan
    types: dict[str, Any]

    def check(self, plan: Plan, where: str) -> None:
        """Says in which column another file differs, if it does."""
        its = {leaf.name: str(leaf.component) for leaf in plan.leaves}
        for leaf in self.plan.leaves:
            got = its.pop(leaf.name, None)
            if got != str(leaf.component):
                as_first = f"`{leaf.name}: {leaf.component}` as in {self.where}"
                raise SourceError(mismatch(as_first, "no such column" if got is None else f"`{got}`", at=where))
        if its:
            expected = f"the columns {named(leaf.name for leaf in self.plan.leaves)} of {self.where}"
            do = "name those to read: `columns=[...]`"
            raise SourceError(mismatch(expected, f"another, `{next(iter(its))}`", at=where, do=do))


def _check_filter(schema: Any, filter: Any, where: str) -> None:
    pa = load("pyarrow", extra="arrow")
    try:
        schema.empty_table().filter(filter)
    except (pa.ArrowException, TypeError) as error:
        raise SourceError(
            mismatch("a `filter` that fits the columns", f"`{filter}`, of which Arrow says: {said(error)}", at=where)
        ) from error


def _filtered(batch: Any, row: int, filter: Any) -> tuple[Any, Any]:
    """The rows of a batch for which an expression is true, and their numbers."""
    pa = load("pyarrow", extra="arrow")
    number = "row" + "_" * max(map(len, batch.schema.names))  # longer than any other name
    rows = pa.array(np.arange(row, row + batch.num_rows))
    table = pa.Table.from_arrays([*batch.columns, rows], [*batch.schema.names, number]).filter(filter)
    if table.num_rows == 0:
        return batch.slice(0, 0), ()
    (kept,) = table.combine_chunks().to_batches()
    return kept, kept.column(number).to_numpy()


def table_sources(
    paths: Paths,
    format: Format,
    *,
    word: str,
    columns: Any,
    streams: int,
    shuffle_files: bool = False,
    filter: Any,
    nulls: Any,
) -> tuple[Source, ...]:
    """Gives a source for each stream of some files; every `read_` word of a table comes here.

    Raises:
      PipelineError: an argument cannot be meant.
      SourceError: a file does not exist, or a glob matches none.
      MissingExtra: pyarrow is not installed.
    """
    load("pyarrow", extra="arrow")
    choice, rule = Choice.of(columns, filter, word=word), Nulls(nulls, at=f"{word}(nulls)")
    return file_sources(
        paths,
        lambda files: TableSource(files, format, choice, rule),
        streams=streams,
        shuffle_files=shuffle_files,
        word=word,
    )
