"""Pipelines that read files: one stream, or several that are joined in turn, a row at each turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.faults import OnError
from penstock.pipeline import Pipeline
from penstock.plan import Join, Options, Read, Source, integer
from penstock.sources.csv import csv_sources
from penstock.sources.files import Paths
from penstock.sources.ipc import arrow_sources
from penstock.sources.jsonl import jsonl_sources
from penstock.sources.parquet import parquet_sources
from penstock.sources.text import text_sources
from penstock.sources.tfrecord import tfrecord_sources

__all__ = ["read_arrow", "read_csv", "read_jsonl", "read_parquet", "read_text", "read_tfrecord"]


def read_parquet(
    paths: Paths,
    *,
    columns: Sequence[str] | None = None,
    streams: int = 1,
    shuffle_files: bool = False,
    seed: int | None = None,
    filter: Any = None,
    nulls: Any = "error",
    on_error: OnError | None = None,
) -> Pipeline:
    """The rows of Parquet files, as dicts of their columns.

    List columns come out ragged, fixed-size lists dense, text as `str`. The files are opened when the pipeline is.

    Args:
      paths: a path, a glob, or several of them; the files of a glob are read in the order of their names.
      columns: the columns, in the order of the example's keys; all if `None`.
      streams: how many streams the files are spread over, file i to stream i % streams, and joined in turn.
      shuffle_files: whether the files are read in another order in each epoch; it is dealt to the streams.
      seed: of that order, in place of the pipeline\'s.
      filter: a `pyarrow.compute` expression that is true for the rows that are wanted.
      nulls: `"error"`, which names file and row; `"skip"` drops such rows; a value, or a dict of values by column, fills in.
      on_error: what is done where a file cannot be opened or read on, in place of what `.options` say: `"raise"`,
        `ps.Retry(...)`, or, of JSON Lines and text, also `ps.Skip(...)`, which leaves out bad lines.

    Raises:
      PipelineError: an argument that cannot be.
      SourceError: a file does not exist, or a glob matches none.
      MissingExtra: pyarrow is not installed.

    Source: pyarrow's Parquet reader.
    """
    return _joined(
        parquet_sources(
            paths, columns=columns, streams=streams, shuffle_files=shuffle_files, filter=filter, nulls=nulls
        ),
        shuffle_files,
        seed,
        on_error,
    )


def read_arrow(
    paths: Paths,
    *,
    columns: Sequence[str] | None = None,
    streams: int = 1,
    shuffle_files: bool = False,
    seed: int | None = None,
    filter: Any = None,
    nulls: Any = "error",
    on_error: OnError | None = None,
) -> Pipeline:
    """The rows of Arrow IPC files, in the file (Feather) or the stream format, as dicts of their columns.

    Args:
      paths: as in `read_parquet`.
      columns: as in `read_parquet`.
      streams: as in `read_parquet`.
      shuffle_files: as in `read_parquet`.
      seed: as in `read_parquet`.
      filter: as in `read_parquet`.
      nulls: as in `read_parquet`.
      on_error: as in `read_parquet`.

    Raises:
      PipelineError: an argument that cannot be.
      SourceError: a file does not exist, or a glob matches none.
      MissingExtra: pyarrow is not installed.

    Source: pyarrow's IPC readers.
    """
    return _joined(
        arrow_sources(paths, columns=columns, streams=streams, shuffle_files=shuffle_files, filter=filter, nulls=nulls),
        shuffle_files,
        seed,
        on_error,
    )


def read_csv(
    paths: Paths,
    *,
    columns: Sequence[str] | None = None,
    streams: int = 1,
    shuffle_files: bool = False,
    seed: int | None = None,
    filter: Any = None,
    nulls: Any = "error",
    delimiter: str = ",",
    types: Mapping[str, Any] | None = None,
    on_error: OnError | None = None,
) -> Pipeline:
    """The rows of CSV files, whose first line names the columns, as dicts of them.

    Args:
      paths: as in `read_parquet`.
      columns: as in `read_parquet`.
      streams: as in `read_parquet`.
      shuffle_files: as in `read_parquet`.
      seed: as in `read_parquet`.
      filter: as in `read_parquet`.
      nulls: as in `read_parquet`.
      delimiter: what stands between two values.
      types: types of columns by name, where they are not to be found out: `{"zip": "str"}`.
      on_error: as in `read_parquet`.

    Raises:
      PipelineError: an argument that cannot be.
      SourceError: a file does not exist, or a glob matches none.
      MissingExtra: pyarrow is not installed.

    Source: pyarrow's CSV reader.
    """
    return _joined(
        csv_sources(
            paths,
            columns=columns,
            streams=streams,
            shuffle_files=shuffle_files,
            filter=filter,
            nulls=nulls,
            delimiter=delimiter,
            types=types,
        ),
        shuffle_files,
        seed,
        on_error,
    )


def read_jsonl(
    paths: Paths,
    *,
    columns: Sequence[str] | None = None,
    streams: int = 1,
    shuffle_files: bool = False,
    seed: int | None = None,
    filter: Any = None,
    nulls: Any = "error",
    types: Mapping[str, Any] | None = None,
    on_error: OnError | None = None,
) -> Pipeline:
    """The objects of JSON Lines files, one a line, as dicts; lists of numbers come out ragged.

    Args:
      paths: as in `read_parquet`; `.gz` is decompressed.
      columns: as in `read_parquet`.
      streams: as in `read_parquet`.
      shuffle_files: as in `read_parquet`.
      seed: as in `read_parquet`.
      filter: as in `read_parquet`.
      nulls: as in `read_parquet`.
      types: types of columns by name, where they are not to be found out.
      on_error: as in `read_parquet`.

    Raises:
      PipelineError: an argument that cannot be.
      SourceError: a file does not exist, or a glob matches none.
      MissingExtra: pyarrow is not installed.

    Source: pyarrow's JSON reader.
    """
    return _joined(
        jsonl_sources(
            paths,
            columns=columns,
            streams=streams,
            shuffle_files=shuffle_files,
            filter=filter,
            nulls=nulls,
            types=types,
        ),
        shuffle_files,
        seed,
        on_error,
    )


def read_text(
    paths: Paths,
    *,
    streams: int = 1,
    shuffle_files: bool = False,
    seed: int | None = None,
    encoding: str = "utf-8",
    on_error: OnError | None = None,
) -> Pipeline:
    """The lines of text files, as `str` without the line's end.

    Args:
      paths: as in `read_parquet`; `.gz` is decompressed.
      streams: as in `read_parquet`.
      shuffle_files: as in `read_parquet`.
      seed: as in `read_parquet`.
      encoding: of the text.
      on_error: as in `read_parquet`.

    Raises:
      PipelineError: an argument that cannot be.
      SourceError: a file does not exist, or a glob matches none.
    """
    return _joined(
        text_sources(paths, streams=streams, shuffle_files=shuffle_files, encoding=encoding),
        shuffle_files,
        seed,
        on_error,
    )


def read_tfrecord(
    paths: Paths,
    *,
    features: Mapping[str, Any] | None = None,
    streams: int = 1,
    shuffle_files: bool = False,
    seed: int | None = None,
    on_error: OnError | None = None,
) -> Pipeline:
    """The records of TFRecord files: as bytes, or as dicts of the features of the `tf.train.Example` that each is.

    Both checksums of each record are checked; a record that is damaged or cut off is named by file and byte offset.

    Args:
      paths: as in `read_parquet`; `.gz` is decompressed.
      features: which features, and what they are to be: `{"label": "int64", "image": "bytes", "tokens": ("int64",
        (None,)), "box": ("float32", (4,))}`, a dtype for a single value, and a pair of dtype and shape for a list, whose
        first size may be `None`. Without it the examples are the records.
      streams: as in `read_parquet`.
      shuffle_files: as in `read_parquet`.
      seed: as in `read_parquet`.
      on_error: as in `read_parquet`; a record whose own checksum is broken, or whose features do not fit, is one bad
        example.

    Raises:
      PipelineError: an argument that cannot be.
      SourceError: a file does not exist, or a glob matches none; later, a file that is broken.
      SpecError: later, a record that is no `tf.train.Example`, or lacks a feature, or has one of another kind.

    Source: TF1 `tf.TFRecordReader` with `tf.parse_single_example`.
    """
    sources = tfrecord_sources(paths, features=features, streams=streams, shuffle_files=shuffle_files)
    return _joined(sources, shuffle_files, seed, on_error)


def _joined(sources: tuple[Source, ...], shuffle_files: bool, seed: int | None, on_error: OnError | None) -> Pipeline:
    own = None if seed is None else integer(seed, "seed", at="seed")
    order: Any = ("files", own) if shuffle_files else None
    return Pipeline(Join(tuple(Read(source, order=order, on_error=on_error) for source in sources)), Options())
