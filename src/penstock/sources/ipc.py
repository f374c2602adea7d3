"""Arrow IPC files (`.arrow`, `.feather`) and streams, read record batch by record batch.

A file is mapped into memory, so that arrays are views of it, and a record batch may be larger than the memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

from penstock.errors import SourceError, mismatch
from penstock.optional import load
from penstock.plan import Source
from penstock.sources.files import Paths
from penstock.sources.tables import Choose, Table, table_sources

__all__ = ["arrow_sources"]

FILE = b"ARROW1"
STREAM = b"\xff\xff\xff\xff"
FEATHER_1 = b"FEA1"
FRAMES = (b"\x04\x22\x4d\x18", b"\x28\xb5\x2f\xfd")
"""How what is compressed by LZ4 or Zstandard begins."""


def arrow_sources(
    paths: Paths,
    *,
    columns: Sequence[str] | None = None,
    streams: int = 1,
    shuffle_files: bool = False,
    filter: Any = None,
    nulls: Any = "error",
) -> tuple[Source, ...]:
    """Gives a source of rows for each stream of some Arrow IPC files, in the file or the stream format.

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
        _Arrow(),
        word="read_arrow",
        columns=columns,
        streams=streams,
        shuffle_files=shuffle_files,
        filter=filter,
        nulls=nulls,
    )


@final
@dataclass(frozen=True, slots=True)
class _Arrow:
    kind = "an Arrow file"

    @contextmanager
    def open(
        self, path: str, choose: Choose, *, known: Mapping[str, Any], filter: Any, start: int = 0
    ) -> Iterator[Table]:
        with load("pyarrow", extra="arrow").memory_map(path) as file:
            reader = _opened(file, path)
            names = reader.schema.names
            needed = choose(names)
            # What is packed is worth leaving packed; of what is not, Arrow would make a copy, unless it is a stream.
            if len(needed) < len(names) and (not hasattr(reader, "get_batch") or _is_packed(file)):
                places = [place for place, name in enumerate(names) if name in needed]
                reader = _opened(file, path, included_fields=places)
            yield Table(reader.schema, _batches(reader, start), mapped=True)

    def count(self, path: str) -> int | None:
        with load("pyarrow", extra="arrow").memory_map(path) as file:
            if file.read(len(FILE)) != FILE:
                return None
            _opened(file, path)
        dataset = load("pyarrow.dataset", extra="arrow")
        return int(dataset.dataset(path, format="ipc").count_rows())


def _opened(file: Any, path: str, *, included_fields: list[int] | None = None) -> Any:
    """The reader of a file or a stream, told by their first bytes."""
    ipc = load("pyarrow.ipc", extra="arrow")
    how = ipc.IpcReadOptions(included_fields=included_fields, use_threads=False)
    file.seek(0)
    head = file.read(8)
    file.seek(max(0, file.size() - len(FILE)))
    tail = file.read(len(FILE))
    file.seek(0)
    if head.startswith(FEATHER_1):
        do = "rewrite it: `pyarrow.feather.write_feather(table, path)`"
        raise SourceError(mismatch("an Arrow IPC file or stream", "a file of Feather version 1", at=f"'{path}'", do=do))
    if head.startswith(FILE):
        if tail != FILE or file.size() < 2 * len(FILE):
            got = "one without its end: cut off, or still being written"
            raise SourceError(mismatch("an Arrow file that is whole", got, at=f"'{path}'"))
        return ipc.open_file(file, options=how)
    if head.startswith(STREAM):
        return ipc.open_stream(file, options=how)
    raise SourceError(mismatch("an Arrow IPC file or stream", "one of another format", at=f"'{path}'"))


def _is_packed(file: Any) -> bool:
    """Whether a file in the file format is compressed, told by its first record batch."""
    file.seek(8)
    for message in load("pyarrow.ipc", extra="arrow").MessageReader.open_stream(file):
        if message.type == "record batch":
            return message.body is not None and message.body.slice(8, 4).to_pybytes() in FRAMES
    return False


def _batches(reader: Any, first: int) -> Iterator[tuple[int, Any]]:
    row = 0
    count = getattr(reader, "num_record_batches", None)
    batches = iter(reader) if count is None else map(reader.get_batch, range(count))
    for batch in batches:
        if row + batch.num_rows > first:
            batch.validate()  # a damaged file must not lead out of its memory
            yield row, batch
        row += batch.num_rows
