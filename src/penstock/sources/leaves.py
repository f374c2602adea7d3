"""What Arrow columns become: the components of an example, as NumPy arrays over Arrow's own buffers.

| Arrow | example |
|---|---|
| numbers, bool | a scalar of the same dtype |
| timestamp, date, duration, time of day | `datetime64` (in UTC, if it has a time zone) or `timedelta64` |
| string, binary, fixed-size binary | `str`, `bytes` |
| fixed-size list, nested too, and fixed-shape tensor | an array, the same shape in each row |
| list of any of these | an array whose first dimension differs from row to row |
| struct | a dict |
| dictionary, run-end encoded, extension type | what it stands for |

Guarantees
  Numbers and times, also within lists, are read-only views of Arrow's memory, which lives as long as they do.
  (Exceptions: bool is unpacked, date32 and time32 are widened, and what is filled in for nulls needs a copy.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from penstock.chunk import Columns
from penstock.errors import SourceError, mismatch
from penstock.optional import load
from penstock.sources.values import Array, Values, sealed
from penstock.spec import Component
from penstock.structure import LEAF, Path, Structure, path_text

__all__ = ["Leaf", "Plan"]

_OBJECT = np.dtype(object)
_FLOATS = {"halffloat": "float16", "float": "float32", "double": "float64"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One component, and where in the columns it is found."""

    path: Path
    """The column, then the fields of structs."""
    component: Component
    """Its dtype and shape; a dimension that differs from row to row is free."""

    @property
    def name(self) -> str:
        """Its path as text: `age`, `pos.x`."""
        return path_text(self.path)

    @property
    def ragged(self) -> bool:
        """Whether it is a list."""
        return bool(self.component.shape) and self.component.shape[0] is None

    def read(self, batch: Any) -> Values:
        """Takes the component out of a `pyarrow.RecordBatch`.

        Raises:
          UnicodeDecodeError: text is not UTF-8.
        """
        pa = load("pyarrow", extra="arrow")
        array = _plain(pa, batch.column(batch.schema.get_field_index(self.path[0])))
        missing = None
        for field in self.path[1:]:
            missing = _either(missing, _nulls(array))
            array = _plain(pa, array.field(array.type.get_field_index(field)))
        if not self.ragged:
            values, null = _flat(pa, array)
            if missing is not None:
                null = _either(null, _spread(missing, values))
            return Values(sealed(values), null)
        offsets = array.offsets.to_numpy()
        start, stop = (int(offsets[0]), int(offsets[-1])) if len(offsets) else (0, 0)
        values, null = _flat(pa, array.values.slice(start, stop - start))
        return Values(sealed(values), null, offsets - start, _either(missing, _nulls(array)))


@final
class Plan:
    """How the columns of a table become examples.

    Args:
      schema: a `pyarrow.Schema`.
      names: the columns that are read, in the order of the example's keys.
      where: the file or object, for messages.
      bare: whether the one column is the example, and not a dict of it.

    Raises:
      SourceError: a column is of a type that has no place in an example.
    """

    def __init__(self, schema: Any, names: Sequence[str], *, where: str, bare: bool = False) -> None:
        pa = load("pyarrow", extra="arrow")
        shell: dict[str, Any] = {}
        leaves: list[Leaf] = []
        for name in names:
            try:
                found = list(_leaves(pa, schema.field(name).type, (name,)))
            except _NoPlace as problem:
                at = f"column `{path_text(problem.path)}` of {where}"
                expected = "numbers, text, times, or lists or structs of them"
                raise SourceError(mismatch(expected, f"`{problem.kind}`", at=at, do=problem.do)) from None
            leaves += found
            shell[name] = _shell([leaf.path[1:] for leaf in found])
        self.leaves = tuple(leaves)
        self.structure = LEAF if bare else Structure.of(shell)
        self._dense = not any(leaf.ragged or leaf.component.dtype == _OBJECT for leaf in leaves)
        self._flat = bare or all(len(leaf.path) == 1 for leaf in leaves)

    def block(self, values: Sequence[Values]) -> Columns | list[Any]:
        """Puts components together: as columns where all have one shape and none is text, else as examples."""
        if self._dense:
            return Columns(self.structure, tuple(value.array for value in values))
        columns = [value.rows() for value in values]
        if self.structure.is_leaf:
            return columns[0]
        if self._flat:
            keys = self.structure.keys
            # Of equal length by construction, and a keyword would cost a third of the time.
            return [dict(zip(keys, row)) for row in zip(*columns, strict=True)]  # noqa: B905
        return [self.structure.build(row) for row in zip(*columns, strict=True)]


class _NoPlace(Exception):
    """A type that has no place in an example; never leaves this module."""

    def __init__(self, path: Path, kind: Any, do: str) -> None:
        super().__init__(do)
        self.path, self.kind, self.do = path, kind, do


def _shell(paths: list[Path]) -> Any:
    """A nested dict with a leaf at each path, whose structure is read off."""
    if paths == [()]:
        return 0
    keys = dict.fromkeys(path[0] for path in paths)
    return {key: _shell([path[1:] for path in paths if path[0] == key]) for key in keys}


def _leaves(pa: Any, kind: Any, path: Path) -> Iterator[Leaf]:
    kind = _plain_type(pa, kind)
    if pa.types.is_struct(kind):
        fields = [kind.field(place) for place in range(kind.num_fields)]
        if not fields or len({field.name for field in fields}) < len(fields):
            raise _NoPlace(path, kind, "a struct needs fields, each of another name")
        for field in fields:
            yield from _leaves(pa, field.type, (*path, field.name))
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        dtype, shape, text = _component(pa, kind.value_type, path, kind)
        yield Leaf(path, Component(dtype, (None, *shape), text))
    else:
        yield Leaf(path, Component(*_component(pa, kind, path, kind)))


def _component(pa: Any, kind: Any, path: Path, whole: Any) -> tuple[np.dtype[Any], tuple[int, ...], str | None]:
    """dtype, shape, and kind of text of a type that has the same shape in each row."""
    types = pa.types
    kind = _plain_type(pa, kind)
    if isinstance(kind, pa.FixedShapeTensorType):
        dtype, shape, text = _component(pa, kind.value_type, path, whole)
        return dtype, (*_logical(kind), *shape), text
    if types.is_fixed_size_list(kind):
        dtype, shape, text = _component(pa, kind.value_type, path, whole)
        return dtype, (kind.list_size, *shape), text
    if _is_text(types, kind):
        return _OBJECT, (), "str"
    if _is_bytes(types, kind):
        return _OBJECT, (), "bytes"
    if types.is_temporal(kind) and not types.is_interval(kind):
        return _time_dtype(types, kind), (), None
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind):
        return _number_dtype(kind), (), None
    raise _NoPlace(path, whole, _advice(types, kind))


def _advice(types: Any, kind: Any) -> str:
    if types.is_decimal(kind):
        return "write it as float64 or as an integer number of its smallest unit, or leave it out"
    if types.is_list(kind) or types.is_large_list(kind):
        return "write lists of lists as fixed-size lists, or flat with a second list of their lengths"
    if types.is_struct(kind):
        return "write a list of structs as a struct of lists"
    if types.is_null(kind):
        return "it has no value to tell its type: give it one, or leave it out"
    return "write it as another type, or leave it out"


def _is_text(types: Any, kind: Any) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _is_bytes(types: Any, kind: Any) -> bool:
    plain = types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    return bool(plain or types.is_fixed_size_binary(kind))


def _number_dtype(kind: Any) -> np.dtype[Any]:
    # `to_pandas_dtype` would do, but in some releases it asks for pandas.
    return np.dtype(_FLOATS.get(str(kind), str(kind)))


def _time_dtype(types: Any, kind: Any) -> np.dtype[Any]:
    if types.is_date(kind):
        return np.dtype("datetime64[D]" if types.is_date32(kind) else "datetime64[ms]")
    return np.dtype(f"{'datetime64' if types.is_timestamp(kind) else 'timedelta64'}[{kind.unit}]")


def _plain_type(pa: Any, kind: Any) -> Any:
    """The type that a dictionary, a run-end encoding or an extension stands for."""
    while True:
        if isinstance(kind, pa.BaseExtensionType) and not isinstance(kind, pa.FixedShapeTensorType):
            kind = kind.storage_type
        elif pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
            kind = kind.value_type
        else:
            return kind


def _plain(pa: Any, array: Any) -> Any:
    """The array that a dictionary, a run-end encoding or an extension stands for."""
    while True:
        kind = array.type
        if isinstance(kind, pa.BaseExtensionType) and not isinstance(kind, pa.FixedShapeTensorType):
            array = array.storage
        elif pa.types.is_dictionary(kind):
            array = _decoded(pa, array)
        elif pa.types.is_run_end_encoded(kind):
            array = load("pyarrow.compute", extra="arrow").run_end_decode(array)
        else:
            return array


def _decoded(pa: Any, array: Any) -> Any:
    words = array.dictionary
    if pa.types.is_string_view(words.type) or pa.types.is_binary_view(words.type):  # which Arrow does not decode
        kind = pa.large_string() if pa.types.is_string_view(words.type) else pa.large_binary()
        array = pa.DictionaryArray.from_arrays(array.indices, words.cast(kind))
    return array.dictionary_decode()


def _logical(kind: Any) -> tuple[int, ...]:
    """The shape of a tensor as its user sees it."""
    shape = tuple(kind.shape)
    return shape if kind.permutation is None else tuple(shape[axis] for axis in kind.permutation)


def _flat(pa: Any, array: Any) -> tuple[Array, Array | None]:
    """The values `[n, …]` of an array that has the same shape in each row, and where they are null."""
    array = _plain(pa, array)
    kind, n = array.type, len(array)
    if isinstance(kind, pa.FixedShapeTensorType):
        values, null = _flat(pa, array.storage)
        axes = [0, *(axis + 1 for axis in kind.permutation or range(len(kind.shape)))]
        values, null = values.reshape(n, *kind.shape), None if null is None else null.reshape(n, *kind.shape)
        return values.transpose(axes), None if null is None else null.transpose(axes)
    if pa.types.is_fixed_size_list(kind):
        k = kind.list_size
        values, null = _flat(pa, array.values.slice(array.offset * k, n * k))
        values = values.reshape(n, k, *values.shape[1:])
        null = None if null is None else null.reshape(values.shape)
        missing = _nulls(array)
        return values, null if missing is None else _either(null, _spread(missing, values))
    return _scalars(pa, array), _nulls(array)


def _scalars(pa: Any, array: Any) -> Array:
    types, kind, n = pa.types, array.type, len(array)
    if _is_text(types, kind):
        return _texts(pa, array)
    if _is_bytes(types, kind):
        return np.asarray(array.to_numpy(zero_copy_only=False))
    if types.is_boolean(kind):
        return np.asarray((array.fill_null(False) if array.null_count else array).to_numpy(zero_copy_only=False))
    if types.is_temporal(kind):
        stored = np.dtype(np.int32 if kind.bit_width == 32 else np.int64)
        return _view(array, stored, n).astype(np.int64, copy=False).view(_time_dtype(types, kind))
    return _view(array, _number_dtype(kind), n)


def _texts(pa: Any, array: Any) -> Array:
    try:
        return np.asarray(array.to_numpy(zero_copy_only=False))
    except pa.ArrowException:
        for text in array.cast(pa.large_binary()).to_pylist():
            if text is not None:
                text.decode()  # says what is wrong with it
        raise


def _view(array: Any, dtype: np.dtype[Any], n: int) -> Array:
    """The values of a primitive array, in Arrow's own memory."""
    buffer = array.buffers()[1]
    if buffer is None or n == 0:
        return np.empty(n, dtype)
    return np.frombuffer(buffer, dtype, n, array.offset * dtype.itemsize)


def _nulls(array: Any) -> Array | None:
    return np.asarray(array.is_null().to_numpy(zero_copy_only=False)) if array.null_count else None


def _either(one: Array | None, other: Array | None) -> Array | None:
    return other if one is None else one if other is None else one | other


def _spread(mask: Array, values: Array) -> Array:
    """A mask of rows in the shape of the rows' values."""
    return np.broadcast_to(mask.reshape(len(mask), *[1] * (values.ndim - 1)), values.shape)
