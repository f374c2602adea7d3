"""Parquet files, read row group by row group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

from penstock.errors import SourceError, mismatch
from penstock.optional import load
from penstock.plan import Source
from penstock.sources.decoder import rows_in
from penstock.sources.files import Paths
from penstock.sources.tables import Choose, Table, table_sources

__all__ = ["parquet_sources"]

MAGIC = b"PAR1"


def parquet_sources(
    paths: Paths,
    *,
    columns: Sequence[str] | None = None,
    streams: int = 1,
    shuffle_files: bool = False,
    filter: Any = None,
    nulls: Any = "error",
) -> tuple[Source, ...]:
    """Gives a source of rows for each stream of some Parquet files.

    Only the columns that are needed are read, and only those row groups that may have rows which pass the filter.

    Args:
      paths: a path, a glob, or several of them.
      columns: the columns, in the order of the example's keys; all if `None`.
      streams: how many sources the files are spread over.
      shuffle_files: whether their order is drawn for each epoch.
      filter: a `pyarrow.compute` expression that is true for the rows that are wanted.
      nulls: `"error"`, `"skip"`, a value, or a dict of values by column.

    Raises:
      PipelineError: an argument cannot be meant.
      SourceError: a file does not exist, or a glob matches none.
      MissingExtra: pyarrow is not installed.
    """
    return table_sources(
        paths,
        _Parquet(),
        word="read_parquet",
        columns=columns,
        streams=streams,
        shuffle_files=shuffle_files,
        filter=filter,
        nulls=nulls,
    )


@final
@dataclass(frozen=True, slots=True)
class _Parquet:
    kind = "a Parquet file"

    @contextmanager
    def open(
        self, path: str, choose: Choose, *, known: Mapping[str, Any], filter: Any, start: int = 0
    ) -> Iterator[Table]:
        with load("pyarrow", extra="arrow").OSFile(path) as file:
            parquet = _opened(file, path)
            schema = parquet.schema_arrow
            needed = choose(schema.names)
            yield Table(_part(schema, needed), _batches(parquet, file, needed, filter, start))

    def count(self, path: str) -> int | None:
        with load("pyarrow", extra="arrow").OSFile(path) as file:
            return int(_opened(file, path).metadata.num_rows)


def _opened(file: Any, path: str) -> Any:
    """The `pyarrow.parquet.ParquetFile`, if the file begins and ends like one."""
    head = file.read(4)
    file.seek(max(0, file.size() - 4))
    tail = file.read(4)
    if head != MAGIC:
        raise SourceError(mismatch("a Parquet file", "one of another format", at=f"'{path}'"))
    if tail != MAGIC or file.size() < 12:
        got = "one without its end: cut off, or still being written"
        raise SourceError(mismatch("a Parquet file that is whole", got, at=f"'{path}'"))
    return load("pyarrow.parquet", extra="arrow").ParquetFile(file)


def _part(schema: Any, names: Sequence[str]) -> Any:
    return load("pyarrow", extra="arrow").schema([schema.field(name) for name in names])


def _batches(parquet: Any, file: Any, needed: list[str], filter: Any, first: int) -> Iterator[tuple[int, Any]]:
    """The rows of the row groups that may have some which pass the filter, from that on which holds a row."""
    metadata = parquet.metadata
    groups = range(metadata.num_row_groups)
    wanted = set(groups) if filter is None else _kept(file, filter)
    row = 0
    for group in groups:
        about = metadata.row_group(group)
        if group in wanted and row + about.num_rows > first:
            start = row
            size = rows_in(about.total_byte_size, about.num_rows)
            for batch in parquet.iter_batches(size, row_groups=[group], columns=needed, use_threads=False):
                yield start, batch
                start += batch.num_rows
        row += about.num_rows


def _kept(file: Any, filter: Any) -> set[int]:
    """The row groups whose statistics do not rule out that a row passes."""
    fragment = load("pyarrow.dataset", extra="arrow").ParquetFileFormat().make_fragment(file)
    return {group.id for group in fragment.subset(filter).row_groups}
