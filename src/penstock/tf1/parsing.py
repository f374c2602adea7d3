"""`tf.parse_single_example` and its kin: the features of serialized `tf.train.Example`s, as handles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.errors import PipelineError, SpecError, mismatch
from penstock.sources.features import Decoding, Feature
from penstock.sources.wire import parse_sequence_example
from penstock.tf1.errors import translated
from penstock.tf1.handles import Apply, Handle, as_handle, dtype_of
from penstock.tf1.sparse import Parts, joined, sparse_of

__all__ = [
    "FixedLenFeature",
    "FixedLenSequenceFeature",
    "VarLenFeature",
    "parse_example",
    "parse_single_example",
    "parse_single_sequence_example",
]

TF1_DTYPES = ("float32", "int64", "object")


@dataclass(frozen=True)
class FixedLenFeature:
    """A feature of one shape in every example."""

    shape: Sequence[int]
    """Its sizes; `[]` of a single value."""
    dtype: Any
    """`tf.float32`, `tf.int64` or `tf.string`."""
    default_value: Any = None
    """Stands in where an example lacks it; `None` makes that an error."""


@dataclass(frozen=True)
class VarLenFeature:
    """A feature that is a list, as long as it may be: a `SparseTensor`, which `tf.sparse_tensor_to_dense` makes an array."""

    dtype: Any
    """`tf.float32`, `tf.int64` or `tf.string`."""


@dataclass(frozen=True)
class FixedLenSequenceFeature:
    """A feature that is a list of values of one shape, as long as it may be."""

    shape: Sequence[int]
    """The sizes of one value; `[]` of a single one."""
    dtype: Any
    """`tf.float32`, `tf.int64` or `tf.string`."""
    allow_missing: bool = False
    """Whether an example may lack it; TF1 demanded True."""
    default_value: Any = None
    """What the shorter ones are padded with in `parse_example`; 0 or empty if `None`."""


def _feature(name: str, asked: Any) -> Feature:
    at = f"features[{name!r}]"
    if not isinstance(asked, (FixedLenFeature, VarLenFeature, FixedLenSequenceFeature)):
        want = "a `FixedLenFeature`, `VarLenFeature` or `FixedLenSequenceFeature`"
        raise PipelineError(mismatch(want, f"`{type(asked).__name__}`", at=at))
    dtype = dtype_of(asked.dtype)
    if dtype.name not in TF1_DTYPES:
        raise PipelineError(mismatch("float32, int64 or string, which files hold", f"`{dtype}`", at=at))
    if isinstance(asked, VarLenFeature):
        return Feature.of(dtype, (None,), at=at)
    if isinstance(asked, FixedLenSequenceFeature):
        return Feature.of(dtype, (None, *asked.shape), at=at)
    return Feature.of(dtype, tuple(asked.shape), asked.default_value, at=at)


def _decoding(features: Mapping[str, Any], at: str) -> Decoding:
    if not features:
        raise PipelineError(mismatch("at least one feature", "none", at=at))
    return Decoding({name: _feature(name, features[name]) for name in sorted(features)})


def parse_single_example(
    serialized: Any, features: Mapping[str, Any], name: str | None = None, example_names: object = None
) -> dict[str, Handle]:
    """Handles of the features of one serialized `tf.train.Example`.

    Args:
      serialized: a handle of its bytes.
      features: of each feature what it is to be.
      name: for messages.
      example_names: taken as in TF1, and changes nothing.

    Returns:
      A dict of handles, and of a `SparseTensor` for each `VarLenFeature`.

    Raises:
      ValueError: a feature that cannot be.
      InvalidArgumentError: at a step, the bytes are none, or lack a feature, or have one of another kind or number.

    Source: TF1 `tf.parse_single_example`.

    >>> from penstock import tf1 as tf
    >>> record = tf.train.Example(features=tf.train.Features(feature={
    ...     "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[3]))})).SerializeToString()
    >>> next(tf.feed(tf.parse_single_example(tf.constant(record), {"label": tf.FixedLenFeature([], tf.int64)})))
    {'label': np.int64(3)}
    """
    decode = _decoding(features, "parse_single_example(features)")

    def values(record: bytes) -> list[Any]:
        return list(_decoded(decode, record).values())

    node = Apply(name or "parse_single_example", values, [as_handle(serialized)], len(decode.features))
    handles = {
        key: Handle(node, i, dtype=feature.dtype, shape=feature.shape)
        for i, (key, feature) in enumerate(decode.features.items())
    }
    return {key: _sparse(handle, features[key], many=False) for key, handle in handles.items()}


def parse_single_sequence_example(
    serialized: Any,
    context_features: Mapping[str, Any] | None = None,
    sequence_features: Mapping[str, Any] | None = None,
    example_name: object = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Handles of the features of one serialized `tf.train.SequenceExample`, and of its sequences.

    Args:
      serialized: a handle of its bytes.
      context_features: of each feature what it is to be, as in `parse_single_example`.
      sequence_features: of each sequence what it is to be: a `FixedLenSequenceFeature` gives an array of a row for each
        step, a `VarLenFeature` a `SparseTensor` of a row for each step.
      example_name: taken as in TF1, and changes nothing.
      name: for messages.

    Returns:
      Two dicts, of the features and of the sequences.

    Raises:
      ValueError: a feature that cannot be.
      InvalidArgumentError: at a step, the bytes are none, or lack a feature, or have one of another kind or number.

    Source: TF1 `tf.parse_single_sequence_example`.

    >>> from penstock import tf1 as tf
    >>> record = tf.train.SequenceExample()
    >>> for word in (4, 2):
    ...     record.feature_lists.feature_list["words"].feature.add().int64_list.value.append(word)
    >>> _, sequences = tf.parse_single_sequence_example(
    ...     tf.constant(record.SerializeToString()),
    ...     sequence_features={"words": tf.FixedLenSequenceFeature([], tf.int64)},
    ... )
    >>> next(tf.feed(sequences))
    {'words': array([4, 2])}
    """
    at = "parse_single_sequence_example"
    whole, steps = dict(context_features or {}), dict(sequence_features or {})
    if not whole and not steps:
        raise PipelineError(mismatch("at least one feature", "none", at=at))
    decode = Decoding({key: _feature(key, whole[key]) for key in sorted(whole)})
    sequences = {key: _sequence(key, steps[key]) for key in sorted(steps)}

    def values(record: bytes) -> list[Any]:
        try:
            context, lists = parse_sequence_example(record)
            own = [feature.value(key, context.get(key)) for key, feature in decode.features.items()]
            return own + [_steps(key, steps[key], sequences[key], lists.get(key)) for key in sequences]
        except SpecError as error:
            raise translated(error) from None

    node = Apply(name or at, values, [as_handle(serialized)], len(whole) + len(steps))
    found = {
        key: _sparse(Handle(node, i, dtype=feature.dtype, shape=feature.shape), whole[key], many=False)
        for i, (key, feature) in enumerate(decode.features.items())
    }
    of_steps = {
        key: _sparse(Handle(node, i, dtype=feature.dtype, shape=(None, *feature.shape)), steps[key], many=True)
        for i, (key, feature) in enumerate(sequences.items(), len(whole))
    }
    return found, of_steps


def _sequence(name: str, asked: Any) -> Feature:
    """What one step of a sequence is to be."""
    if isinstance(asked, FixedLenSequenceFeature):
        return _feature(name, FixedLenFeature(asked.shape, asked.dtype))
    if isinstance(asked, VarLenFeature):
        return _feature(name, asked)
    want = "a `FixedLenSequenceFeature` or `VarLenFeature`"
    raise PipelineError(mismatch(want, f"`{type(asked).__name__}`", at=f"sequence_features[{name!r}]"))


def _steps(name: str, asked: Any, feature: Feature, steps: Sequence[Any] | None) -> Any:
    """The values of a sequence: an array, or a list of arrays where the steps are of any length."""
    if isinstance(asked, VarLenFeature):
        return [feature.value(name, step) for step in steps or []]
    if steps is None and not asked.allow_missing:
        do = "`allow_missing=True`, if it may be missing"
        raise SpecError(mismatch(f"`{feature}` at each step", "none", at=f"sequence `{name}`", do=do))
    return _stacked([feature.value(name, step) for step in steps or []], feature, None)


def parse_example(
    serialized: Any, features: Mapping[str, Any], name: str | None = None, example_names: object = None
) -> dict[str, Handle]:
    """Handles of the features of a batch of serialized `tf.train.Example`s.

    Args:
      serialized: a handle of an array of their bytes.
      features: as in `parse_single_example`; sequences are padded to the longest of the batch.
      name: for messages.
      example_names: taken as in TF1, and changes nothing.

    Returns:
      A dict of handles of arrays `[n, …]`, and of a `SparseTensor` of n rows for each `VarLenFeature`.

    Raises:
      ValueError: a feature that cannot be.
      InvalidArgumentError: as in `parse_single_example`.

    Source: TF1 `tf.parse_example`.
    """
    decode = _decoding(features, "parse_example(features)")
    fills = {key: getattr(asked, "default_value", None) for key, asked in features.items()}

    def values(records: Any) -> list[Any]:
        rows = [_decoded(decode, record) for record in np.asarray(records, object).ravel()]
        columns = {key: [row[key] for row in rows] for key in decode.features}
        return [
            columns[key]
            if isinstance(features[key], VarLenFeature)
            else _stacked(columns[key], feature, fills[key] if feature.default is None else None)
            for key, feature in decode.features.items()
        ]

    node = Apply(name or "parse_example", values, [as_handle(serialized)], len(decode.features))
    handles = {
        key: Handle(node, i, dtype=feature.dtype, shape=(None, *feature.shape))
        for i, (key, feature) in enumerate(decode.features.items())
    }
    return {key: _sparse(handle, features[key], many=True) for key, handle in handles.items()}


def _sparse(handle: Handle, asked: Any, *, many: bool) -> Any:
    """A list, or many, as TF1 gave it, a `SparseTensor`; any other feature as it is."""
    if not isinstance(asked, VarLenFeature):
        return handle

    def row(values: Any) -> Parts:
        return np.arange(len(values), dtype=np.int64)[:, None], values, np.array([len(values)], np.int64)

    def rows(lists: Sequence[Any]) -> Parts:
        nothing = np.empty((0, 2), np.int64), np.empty(0, handle.dtype), np.zeros(2, np.int64)
        return joined([row(values) for values in lists]) if lists else nothing

    return sparse_of("sparse", rows if many else row, handle, dtype=handle.dtype)


def _decoded(decode: Decoding, record: bytes) -> dict[str, Any]:
    try:
        return decode(record)
    except SpecError as error:
        raise translated(error) from None


def _stacked(parts: Sequence[Any], feature: Feature, fill: Any) -> Any:
    longest = max((len(part) for part in parts), default=0) if feature.shape[:1] == (None,) else None
    shape = [size if size is not None else longest or 0 for size in feature.shape]
    empty: Any = b"" if feature.kind == "bytes" else 0
    out = np.full((len(parts), *shape), empty if fill is None else fill, feature.dtype)
    for at, part in enumerate(parts):
        if longest is None:
            out[at] = part
        else:
            out[at, : len(part)] = part
    return out
