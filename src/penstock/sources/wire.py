"""`tf.train.Example` in protobuf's wire format, read and written: named lists of bytes, floats or integers.

    Example  { Features features = 1; }
    Features { map<string, Feature> feature = 1; }
    Feature  { oneof { BytesList = 1; FloatList = 2; Int64List = 3; } }      each a `repeated value = 1`

and `tf.train.SequenceExample`, an example with lists of features beside it:

    SequenceExample { Features context = 1; FeatureLists feature_lists = 2; }
    FeatureLists    { map<string, FeatureList> feature_list = 1; }
    FeatureList     { repeated Feature feature = 1; }

Guarantees
  It reads what protobuf reads: numbers packed or not, fields in any order, again and unknown, the last `oneof` winning
  and one that comes again being merged.
Why not the protobuf package
  The format of one message is a hundred lines; a package would be a dependency, and is not quicker.

Source: protobuf's encoding; TensorFlow's `example.proto` and `feature.proto`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from penstock.errors import SpecError, mismatch

__all__ = [
    "Kind",
    "Lists",
    "Sequences",
    "parse_example",
    "parse_sequence_example",
    "serialized",
    "serialized_sequence",
]

Kind = str
"""`"bytes"`, `"float"`, `"int64"`, or `""` of a feature without a list."""
Lists = dict[str, tuple[Kind, Any]]
"""Of each feature its kind and its values: a list of bytes, or an array of float32 or int64."""

Sequences = dict[str, list[tuple[Kind, Any]]]
"""Of each list of features the kind and the values of each step."""

KINDS: dict[int, Kind] = {1: "bytes", 2: "float", 3: "int64"}
VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5
MOST_SHIFT = 63


def parse_example(data: bytes) -> Lists:
    """The features of a serialized `tf.train.Example`.

    Raises:
      SpecError: the bytes are none.

    >>> parse_example(serialized({"label": [3], "name": [b"cat"]}))
    {'label': ('int64', array([3])), 'name': ('bytes', [b'cat'])}
    """
    try:
        return _features(data)
    except (ValueError, struct.error, IndexError) as error:
        got = f"{len(data):,} other bytes ({error})"
        raise SpecError(mismatch("a serialized `tf.train.Example`", got)) from None


def _features(data: bytes) -> Lists:
    """The features in field 1."""
    found: Lists = {}
    for _, part in _delimited(data, 1):
        for _, pair in _delimited(part, 1):
            name, feature = _pair(pair)
            found[name] = _feature(feature)
    return found


def parse_sequence_example(data: bytes) -> tuple[Lists, Sequences]:
    """The features of a serialized `tf.train.SequenceExample`, and its lists of features.

    Raises:
      SpecError: the bytes are none.

    >>> parse_sequence_example(serialized_sequence({"n": [2]}, {"words": [[b"a"], [b"b"]]}))
    ({'n': ('int64', array([2]))}, {'words': [('bytes', [b'a']), ('bytes', [b'b'])]})
    """
    sequences: Sequences = {}
    try:
        for _, part in _delimited(data, 2):
            for _, pair in _delimited(part, 1):
                name, steps = _pair(pair)
                sequences[name] = [_feature(step) for _, step in _delimited(steps, 1)]
        return _features(data), sequences
    except (ValueError, struct.error, IndexError) as error:
        got = f"{len(data):,} other bytes ({error})"
        raise SpecError(mismatch("a serialized `tf.train.SequenceExample`", got)) from None


def _pair(data: bytes) -> tuple[str, bytes]:
    """Key and value of a map's entry; the last of each counts, but messages are merged."""
    name, values = b"", []
    for number, kind, value in _fields(data):
        if number == 1 and kind == DELIMITED:
            name = value
        elif number == 2 and kind == DELIMITED:
            values.append(value)
    return name.decode(), b"".join(values)


def _feature(data: bytes) -> tuple[Kind, Any]:
    kind: Kind = ""
    lists: list[bytes] = []
    for number, wire, value in _fields(data):
        if wire == DELIMITED and number in KINDS:
            lists = [*lists, value] if kind == KINDS[number] else [value]
            kind = KINDS[number]
    if not kind:
        return "", []
    merged = b"".join(lists)
    if kind == "bytes":
        return kind, [value for _, value in _delimited(merged, 1)]
    return kind, _floats(merged) if kind == "float" else _integers(merged)


def _floats(data: bytes) -> Any:
    parts = []
    for number, wire, value in _fields(data):
        if number == 1 and wire in (DELIMITED, FIXED32):
            if len(value) % 4:
                raise ValueError("a list of floats that is cut off")
            parts.append(value)
    return np.frombuffer(b"".join(parts), "<f4").astype(np.float32)


def _integers(data: bytes) -> Any:
    numbers: list[int] = []
    for number, wire, value in _fields(data):
        if number != 1:
            continue
        if wire == VARINT:
            numbers.append(value)
        elif wire == DELIMITED:
            at = 0
            while at < len(value):
                if value[at] < 128:  # The usual case: a small number.
                    numbers.append(value[at])
                    at += 1
                else:
                    one, at = _varint(value, at)
                    numbers.append(one)
    return np.array(numbers, np.uint64).view(np.int64)


def _delimited(data: bytes, wanted: int) -> Iterator[tuple[int, bytes]]:
    """The fields of one number that are messages or bytes; others are passed over, as protobuf does."""
    for number, wire, value in _fields(data):
        if number == wanted and wire == DELIMITED:
            yield number, value


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and value of each field: an int of a varint, else bytes."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise ValueError("a field without a number")
        value: Any
        if wire == VARINT:
            value, at = _varint(data, at)
        else:
            if wire == DELIMITED:
                size, at = _varint(data, at)
            elif wire in (FIXED32, FIXED64):
                size = 4 if wire == FIXED32 else 8
            else:
                raise ValueError(f"a field of wire type {wire}")
            if end - at < size:
                raise ValueError("a field that is cut off")
            value, at = data[at : at + size], at + size
        yield number, wire, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    shift = value = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
        if shift > MOST_SHIFT:
            raise ValueError("a number of more than ten bytes")


def serialized(features: Mapping[str, Sequence[Any] | Any]) -> bytes:
    """A serialized `tf.train.Example`: bytes and text as bytes, integers and bools as int64, other numbers as float.

    Args:
      features: of each feature its values, a sequence or an array of one dimension.

    Raises:
      SpecError: values of no such kind.
    """
    return _field(1, b"".join(_entry(name, _written(name, features[name])) for name in sorted(features)))


def serialized_sequence(context: Mapping[str, Any], sequences: Mapping[str, Sequence[Any]]) -> bytes:
    """A serialized `tf.train.SequenceExample`.

    Args:
      context: features, as of an example.
      sequences: of each list of features the values of each step.

    Raises:
      SpecError: values of no such kind.
    """
    lists = [
        _entry(name, b"".join(_field(1, _written(name, step)) for step in sequences[name]))
        for name in sorted(sequences)
    ]
    return serialized(context) + _field(2, b"".join(lists))


def _entry(name: str, value: bytes) -> bytes:
    """An entry of a map."""
    return _field(1, _field(1, name.encode()) + _field(2, value))


def _written(name: str, values: Any) -> bytes:
    if all(isinstance(value, (bytes, str)) for value in values):
        texts = [value.encode() if isinstance(value, str) else value for value in values]
        return _field(1, b"".join(_field(1, text) for text in texts)) if texts else b""
    array = np.asarray(values)
    if array.ndim == 1 and array.dtype.kind in "iub":
        packed = b"".join(_number(int(value) & 0xFFFFFFFFFFFFFFFF) for value in array)
        return _field(3, _field(1, packed))
    if array.ndim == 1 and array.dtype.kind == "f":
        return _field(2, _field(1, array.astype("<f4").tobytes()))
    got = f"{array.dtype}{list(array.shape)}"
    raise SpecError(mismatch("a list of bytes, integers or floats", f"`{got}`", at=f"feature `{name}`"))


def _field(number: int, value: bytes) -> bytes:
    return _number(number << 3 | DELIMITED) + _number(len(value)) + value


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
