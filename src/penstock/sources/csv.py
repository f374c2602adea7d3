"""CSV files, read block by block by Arrow.

Types are guessed from a file's first MiB: int64, float64, bool, dates and times, else `str`.
The files after a stream's first are read with its types.

The quick path reads whole blocks.
Where Arrow finds a bad row, the file is read again without types, from its start up to that row: so the examples before
that row are given, and the error names it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, final

from penstock.errors import PipelineError, SourceError, mismatch
from penstock.optional import load
from penstock.plan import Source
from penstock.sources.files import Paths, named, said
from penstock.sources.halving import rows_before
from penstock.sources.tables import Choose, Table, table_sources
from penstock.sources.types import arrow_types

__all__ = ["csv_sources"]

NULLS = ("", "#N/A", "#NA", "N/A", "NA", "NULL", "n/a", "null")
"""What stands for a null in a column of numbers; in a column of text nothing does. (`nan` is a number.)"""


def csv_sources(
    paths: Paths,
    *,
    columns: Sequence[str] | None = None,
    streams: int = 1,
    shuffle_files: bool = False,
    filter: Any = None,
    nulls: Any = "error",
    delimiter: str = ",",
    types: Mapping[str, Any] | None = None,
) -> tuple[Source, ...]:
    """Gives a source of rows for each stream of some CSV files, each of which has its columns' names in its first line.

    Args:
      paths: a path, a glob, or several of them; `.gz`, `.bz2` and `.zst` are decompressed.
      columns: the columns, in the order of the example's keys; all if `None`.
      streams: how many sources the files are spread over.
      shuffle_files: whether their order is drawn for each epoch.
      filter: a `pyarrow.compute` expression that is true for the rows that are wanted.
      nulls: `"error"`, `"skip"`, a value, or a dict of values by column.
      delimiter: what stands between two values: one character.
      types: the types of some columns, in place of those guessed.

    Raises:
      PipelineError: an argument cannot be meant.
      SourceError: a file does not exist, or a glob matches none.
      MissingExtra: pyarrow is not installed.
    """
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '\r\n"':
        raise PipelineError(mismatch("`delimiter` to be one character", f"`{delimiter!r}`", at="read_csv(delimiter)"))
    known = arrow_types(types, word="read_csv")
    return table_sources(
        paths,
        _Csv(delimiter, known),
        word="read_csv",
        columns=columns,
        streams=streams,
        shuffle_files=shuffle_files,
        filter=filter,
        nulls=nulls,
    )


@final
@dataclass(frozen=True, slots=True)
class _Csv:
    delimiter: str
    types: Mapping[str, Any]

    kind = "a CSV file"

    @contextmanager
    def open(
        self, path: str, choose: Choose, *, known: Mapping[str, Any], filter: Any, start: int = 0
    ) -> Iterator[Table]:
        names = self._names(path)
        needed = choose(names)
        for name in self.types:
            if name not in names:
                expected = f"`types` for some of the columns {named(names)}"
                raise SourceError(mismatch(expected, f"`{name}`", at=f"'{path}'"))
        types = {name: kind for name, kind in {**known, **self.types}.items() if name in needed}
        with closing(self._batches(path, needed, types)) as batches:
            first = next(batches, None)
            yield Table(None, iter(())) if first is None else Table(first[1].schema, chain([first], batches))

    def count(self, path: str) -> int | None:
        return None

    def _names(self, path: str) -> list[str]:
        """The columns' names, in the first line that is not empty."""
        stream = load("pyarrow", extra="arrow").input_stream(path)
        with stream, io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="") as text:
            try:
                names = next((row for row in csv.reader(text, delimiter=self.delimiter) if row), [])
            except csv.Error as error:
                raise SourceError(mismatch("a CSV file", f"`{said(error)}`", at=f"'{path}'")) from error
        if any("\udc80" <= sign <= "\udcff" for name in names for sign in name):
            raise SourceError(mismatch("text in UTF-8", "other bytes", at=f"the first line of '{path}'"))
        return names

    def _batches(self, path: str, needed: list[str], types: dict[str, Any]) -> Generator[tuple[int, Any], None, None]:
        pa = load("pyarrow", extra="arrow")
        row = 0
        try:
            for batch in self._read(path, include_columns=needed, column_types=types, null_values=NULLS):
                given, types = types, {field.name: field.type for field in batch.schema}
                # Arrow takes a column for bytes where its text is not UTF-8.
                undecoded = [name for name in needed if name not in given and pa.types.is_binary(types[name])]
                if undecoded:
                    types |= dict.fromkeys(undecoded, pa.string())
                    raise pa.ArrowInvalid(f"text that is not UTF-8 in column {undecoded[0]}")
                yield row, batch
                row += batch.num_rows
        except pa.ArrowInvalid as error:
            if "Empty CSV file or block" in str(error):
                return  # nothing but the first line
            if "straddling" not in str(error):
                yield from self._up_to_bad_row(path, needed, types, row)
                raise
            at = f"row {row} or after of '{path}'"
            got = "a longer one (a quote that is not closed?)"
            raise SourceError(mismatch("rows of less than 1 MiB", got, at=at)) from error

    def _read(self, path: str, *, bad: list[Any] | None = None, **convert: Any) -> Iterator[Any]:
        """The rows of a file. With `bad`, those that have too few or too many values are left out, and listed there."""
        arrow_csv = load("pyarrow.csv", extra="arrow")

        def skip(row: Any) -> str:
            assert bad is not None, "asked for only with a list"
            bad.append(row)
            return "skip"

        with load("pyarrow", extra="arrow").input_stream(path) as stream:
            parse = arrow_csv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=None if bad is None else skip
            )
            read = arrow_csv.ReadOptions(use_threads=False)
            how = arrow_csv.ConvertOptions(**convert)
            with arrow_csv.open_csv(stream, read_options=read, parse_options=parse, convert_options=how) as reader:
                yield from reader

    def _up_to_bad_row(
        self, path: str, needed: list[str], types: dict[str, Any], done: int
    ) -> Iterator[tuple[int, Any]]:
        """The rows from `done` up to the first bad one, then an error that says what is wrong with it."""
        binary = load("pyarrow", extra="arrow").binary()
        bad: list[Any] = []
        row = 0
        for batch in self._read(path, bad=bad, include_columns=needed, column_types=dict.fromkeys(needed, binary)):
            # Arrow counts rows from 1, and the first is the header.
            stop = min(batch.num_rows, bad[0].number - 2 - row) if bad else batch.num_rows
            start = min(max(0, done - row), stop)
            rows = list(zip(*(batch.column(name).to_pylist() for name in needed), strict=True))[start:stop]
            good = self._good(rows, needed, types)
            if good:
                table = self._converted(rows[:good], needed, types)
                types = {field.name: field.type for field in table.schema}
                yield from ((row + start, part) for part in table.combine_chunks().to_batches())
            if good < len(rows):
                raise self._misfit(rows[good], needed, types, f"row {row + start + good} of '{path}'")
            row += stop
            if stop < batch.num_rows:
                break
        if bad:
            expected, got = f"{bad[0].expected_columns} values, as in the first line", str(bad[0].actual_columns)
            raise SourceError(mismatch(expected, got, at=f"row {bad[0].number - 2} of '{path}'"))

    def _good(self, rows: list[Any], needed: list[str], types: dict[str, Any]) -> int:
        return rows_before(len(rows), lambda count: self._converted(rows[:count], needed, types) is not None)

    def _misfit(self, values: tuple[bytes, ...], needed: list[str], types: dict[str, Any], at: str) -> SourceError:
        for name, value in zip(needed, values, strict=True):
            if self._converted([(value,)], [name], types) is None:
                try:
                    text = value.decode()
                except UnicodeDecodeError:
                    return SourceError(mismatch("text in UTF-8", "other bytes", at=f"column `{name}`, {at}"))
                do = f"`types={{'{name}': ...}}` says what a column is"
                return SourceError(mismatch(f"`{name}: {types[name]}`", f"{text!r}", at=at, do=do))
        raise AssertionError("a row that cannot be converted has a value that cannot")

    def _converted(self, rows: list[Any], needed: list[str], types: dict[str, Any]) -> Any:
        """The rows, converted by Arrow as those of the file are; `None` if that cannot be."""
        arrow_csv = load("pyarrow.csv", extra="arrow")
        if not rows:
            return load("pyarrow", extra="arrow").table({name: [] for name in needed})
        text = io.StringIO()
        # Bytes travel as the characters of the same numbers.
        csv.writer(text, quoting=csv.QUOTE_ALL).writerows([[str(v, "latin-1") for v in row] for row in rows])
        try:
            return arrow_csv.read_csv(
                io.BytesIO(text.getvalue().encode("latin-1")),
                read_options=arrow_csv.ReadOptions(column_names=needed, use_threads=False, block_size=1 << 30),
                parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(
                    column_types={name: types[name] for name in needed if name in types}, null_values=NULLS
                ),
            )
        except load("pyarrow", extra="arrow").ArrowInvalid:
            return None
