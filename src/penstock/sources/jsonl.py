"""JSON Lines files, each line an object: read block by block, cut at the ends of lines, and parsed by Arrow.

Types are guessed from a file's first MiB: int64, float64, bool, `str`, and lists and objects of these. The files after a
stream's first are read with its types. A key that a line lacks is a null.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, final

from penstock.errors import SourceError, mismatch
from penstock.optional import load
from penstock.plan import Source
from penstock.sources.files import Paths, named, said
from penstock.sources.lines import opened, parts
from penstock.sources.tables import Choose, Table, table_sources
from penstock.sources.types import arrow_types

__all__ = ["jsonl_sources"]

BLOCK = 1 << 20
"""Parsed at once; a longer line is parsed alone. [bytes]"""


def jsonl_sources(
    paths: Paths,
    *,
    columns: Sequence[str] | None = None,
    streams: int = 1,
    filter: Any = None,
    nulls: Any = "error",
    types: Mapping[str, Any] | None = None,
) -> tuple[Source, ...]:
    """Gives a source of examples for each stream of some JSON Lines files.

    Args:
      paths: a path, a glob, or several of them; `.gz` is decompressed.
      columns: the keys, in the order of the example's; all if `None`.
      streams: how many sources the files are spread over.
      filter: a `pyarrow.compute` expression that is true for the examples that are wanted.
      nulls: `"error"`, `"skip"`, a value, or a dict of values by column.
      types: the types of some columns, in place of those guessed.

    Raises:
      PipelineError: an argument cannot be meant.
      SourceError: a file does not exist, or a glob matches none.
      MissingExtra: pyarrow is not installed.
    """
    format = _Jsonl(arrow_types(types, word="read_jsonl"), strict=columns is None)
    return table_sources(paths, format, word="read_jsonl", columns=columns, streams=streams, filter=filter, nulls=nulls)


@final
@dataclass(frozen=True, slots=True)
class _Jsonl:
    types: Mapping[str, Any]
    strict: bool
    """Whether a key that the first block did not have is an error."""

    kind = "JSON Lines"

    @contextmanager
    def open(self, path: str, choose: Choose, *, known: Mapping[str, Any], filter: Any) -> Iterator[Table]:
        with opened(path) as file:
            blocks = _blocks(parts(file, BLOCK))
            given = {**known, **self.types}
            ...

    def count(self, path: str) -> int | None:
        return None
