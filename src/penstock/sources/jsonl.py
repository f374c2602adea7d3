"""JSON Lines files, each line an object: read block by block, cut at the ends of lines, and parsed by Arrow.

Types are guessed from a file's first MiB: int64, float64, bool, `str`, and lists and objects of these.
The files after a stream's first are read with its types.
A key that a line lacks is a null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, final

from penstock.errors import SourceError, mismatch
from penstock.optional import load
from penstock.plan import Source
from penstock.sources.files import Paths, named, said
from penstock.sources.halving import rows_before
from penstock.sources.lasting import Bad
from penstock.sources.lines import opened, parts
from penstock.sources.tables import Choose, Table, table_sources
from penstock.sources.types import arrow_types
from penstock.structure import Path

__all__ = ["jsonl_sources"]

MOST_TEXT = 60
BLOCK = 1 << 20
"""Parsed at once; a longer line is parsed alone. [bytes]"""


def jsonl_sources(
    paths: Paths,
    *,
    columns: Sequence[str] | None = None,
    streams: int = 1,
    shuffle_files: bool = False,
    filter: Any = None,
    nulls: Any = "error",
    types: Mapping[str, Any] | None = None,
) -> tuple[Source, ...]:
    """Gives a source of examples for each stream of some JSON Lines files.

    Args:
      paths: a path, a glob, or several of them; `.gz` is decompressed.
      columns: the keys, in the order of the example's; all if `None`.
      streams: how many sources the files are spread over.
      shuffle_files: whether their order is drawn for each epoch.
      filter: a `pyarrow.compute` expression that is true for the examples that are wanted.
      nulls: `"error"`, `"skip"`, a value, or a dict of values by column.
      types: the types of some columns, in place of those guessed.

    Raises:
      PipelineError: an argument cannot be meant.
      SourceError: a file does not exist, or a glob matches none.
      MissingExtra: pyarrow is not installed.
    """
    format = _Jsonl(arrow_types(types, word="read_jsonl"), strict=columns is None)
    return table_sources(
        paths,
        format,
        word="read_jsonl",
        columns=columns,
        streams=streams,
        shuffle_files=shuffle_files,
        filter=filter,
        nulls=nulls,
    )


@final
@dataclass(frozen=True, slots=True)
class _Jsonl:
    types: Mapping[str, Any]
    strict: bool
    """Whether a key that the first block did not have is an error."""

    kind = "a JSON Lines file"

    @contextmanager
    def open(
        self, path: str, choose: Choose, *, known: Mapping[str, Any], filter: Any, start: int = 0
    ) -> Iterator[Table]:
        with opened(path) as file:
            tables = self._tables(_blocks(parts(file, BLOCK)), path, choose, {**known, **self.types})
            with closing(tables):
                begun: list[tuple[int, Any]] = []
                schema = None
                for row, table in tables:
                    begun.append((row, table))
                    if not isinstance(table, Bad):
                        schema = table.schema
                        break
                yield Table(schema, _batches(chain(begun, tables)))

    def count(self, path: str) -> int | None:
        return None

    def _tables(
        self, blocks: Iterator[bytes], path: str, choose: Choose, given: dict[str, Any]
    ) -> Generator[tuple[int, Any], None, None]:
        """The rows of each block, with the number of the first; the needed columns, in the types of the first block."""
        parse = _guessing(given)
        row = 0
        schema: Any = None
        for whole_block in blocks:
            block = whole_block
            while block.strip():
                try:
                    table = parse(block)
                    whole = table.num_rows == block.count(b"\n") or table.num_rows == len(_lines(block))
                except load("pyarrow", extra="arrow").ArrowInvalid:
                    whole = False
                if not whole:
                    lines = _lines(block)
                    good = rows_before(len(lines), partial(_fits, lines, parse))
                    table = parse(b"\n".join(lines[:good])) if good else _nothing(schema)
                if schema is None and table.num_rows:
                    _check_numbers(table, block, given, f"of '{path}'")
                    schema = _part(table.schema, choose(table.schema.names))
                    parse = partial(_parsed, schema=schema, others="error" if self.strict else "ignore")
                if table.num_rows:
                    yield row, table.select(schema.names)
                row += table.num_rows
                if whole:
                    break
                at = f"row {row} of '{path}'"
                yield row, Bad(_misfit(lines[: good + 1], parse, table.schema, at, self.strict))
                row += 1
                block = b"\n".join(lines[good + 1 :])


def _blocks(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The parts of a file, cut at the ends of lines."""
    begun: list[bytes] = []
    for part in parts:
        end = part.rfind(b"\n") + 1
        begun.append(part[:end] if end else part)
        if end:
            yield b"".join(begun)
            begun = [part[end:]]
    yield b"".join(begun)


def _lines(block: bytes) -> list[bytes]:
    return [line for line in block.split(b"\n") if line.strip()]


def _parsed(block: bytes, *, schema: Any, others: str) -> Any:
    """A `pyarrow.Table`; `others` says what is done about keys that are not in the schema."""
    arrow_json = load("pyarrow.json", extra="arrow")
    return arrow_json.read_json(
        load("pyarrow", extra="arrow").BufferReader(block),
        read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(block) + 1),
        parse_options=arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior=others),
    )


def _guessing(given: dict[str, Any]) -> Callable[[bytes], Any]:
    """Parses with the types that are given, else those that Arrow finds; a text that looks like a time stays a text."""
    pa = load("pyarrow", extra="arrow")

    def parse(block: bytes) -> Any:
        table = _parsed(block, schema=pa.schema(list(given.items())), others="infer")
        plain = {field.name: given.get(field.name) or _without_times(pa, field.type) for field in table.schema}
        schema = pa.schema(list(plain.items()))
        return table if schema == table.schema else _parsed(block, schema=schema, others="infer")

    return parse


def _without_times(pa: Any, kind: Any) -> Any:
    if pa.types.is_timestamp(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(_without_times(pa, kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _without_times(pa, field.type)) for field in kind])
    return kind


def _part(schema: Any, names: list[str]) -> Any:
    return load("pyarrow", extra="arrow").schema([schema.field(name) for name in names])


def _batches(tables: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    for row, table in tables:
        if isinstance(table, Bad):
            yield row, table
        else:
            yield from ((row, batch) for batch in table.combine_chunks().to_batches())


def _fits(lines: list[bytes], parse: Callable[[bytes], Any], count: int) -> bool:
    try:
        return bool(parse(b"\n".join(lines[:count])).num_rows == count)
    except load("pyarrow", extra="arrow").ArrowInvalid:
        return False


def _nothing(schema: Any) -> Any:
    return (schema or load("pyarrow", extra="arrow").schema([])).empty_table()


def _misfit(lines: list[bytes], parse: Callable[[bytes], Any], schema: Any, at: str, strict: bool) -> SourceError:
    """Says what is wrong with the last of some lines; `schema` is that of those before it."""
    try:
        value = json.loads(lines[-1])
    except ValueError as error:
        return SourceError(mismatch("a JSON object on each line", f"`{said(error)}`", at=at))
    if not isinstance(value, dict):
        return SourceError(mismatch("a JSON object on each line", f"`{type(value).__name__}`", at=at))
    try:
        parse(b"\n".join(lines))
    except load("pyarrow", extra="arrow").ArrowInvalid as error:
        told = re.sub(r"^JSON parse error: | in row \d+$", "", said(error))
    else:
        return SourceError(mismatch("a JSON object on each line", "a part of one, or several", at=at))
    if "unexpected field" in told and strict:
        others = [key for key in value if key not in schema.names]
        got = f"another, `{others[0]}`" if others else "another in one of them"
        do = "name those to read: `columns=[...]`"
        return SourceError(mismatch(f"the columns {named(schema.names)}", got, at=at, do=do))
    name = _to_blame(told, value, schema)
    if name is None:
        return SourceError(mismatch("a JSON object on each line", f"`{told}`", at=at))
    kind, text = schema.field(name).type, json.dumps(value[name])
    got = f"`{text if len(text) <= MOST_TEXT else text[:MOST_TEXT] + '…'}`"
    return SourceError(mismatch(f"`{name}: {kind}`", got, at=at, do=f"`types={{'{name}': ...}}` says what a column is"))


def _to_blame(told: str, value: dict[str, Any], schema: Any) -> str | None:
    """The column because of which a line does not fit those before it."""
    pa = load("pyarrow", extra="arrow")
    found = re.search(r"Column\(/([^/)]*)", told)
    for name in schema.names:
        if (found is not None and found[1] != name) or name not in value:
            continue
        try:
            _parsed(json.dumps({name: value[name]}).encode(), schema=pa.schema([schema.field(name)]), others="ignore")
        except pa.ArrowInvalid:
            return str(name)
    return None


def _check_numbers(table: Any, block: bytes, given: dict[str, Any], of: str) -> None:
    """Says where a column of integers was taken for one of floats, since one of them is too large for int64.

    Raises:
      SourceError: names the row.
    """
    names = [field.name for field in table.schema if field.name not in given]
    if not any(_exceeds(column) for name in names for column in table.column(name).chunks):
        return
    floats: set[Path] = set()
    large: dict[Path, tuple[int, int]] = {}
    for row, line in enumerate(_lines(block)[: table.num_rows]):
        example = json.loads(line)
        for path, number in _numbers({name: example.get(name) for name in names}, ()):
            if isinstance(number, float):
                floats.add(path)
            elif not -(2**63) <= number < 2**63:
                large.setdefault(path, (row, number))
    for path, (row, number) in large.items():
        if path not in floats:
            at, do = f"column `{path[0]}`, row {row} {of}", f"`types={{'{path[0]}': 'uint64'}}` or `'float64'`"
            raise SourceError(mismatch("integers that fit int64", f"one of {number.bit_length()} bits", at=at, do=do))


def _exceeds(array: Any) -> bool:
    """Whether there is a float of 2**63 or more in an array, or in what it is made of."""
    types = load("pyarrow", extra="arrow").types
    if types.is_list(array.type):
        return _exceeds(array.flatten())
    if types.is_struct(array.type):
        return any(_exceeds(part) for part in array.flatten())
    if not types.is_float64(array.type):
        return False
    ends = load("pyarrow.compute", extra="arrow").min_max(array)
    return any(end.as_py() is not None and abs(end.as_py()) >= 2**63 for end in ends.values())


def _numbers(value: Any, path: Path) -> Iterator[tuple[Path, int | float]]:
    """The numbers in a value, each with the keys that lead to it; the places in a list count as one."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _numbers(part, (*path, key))
    elif isinstance(value, list):
        for part in value:
            yield from _numbers(part, (*path, 0))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, value
