"""`tf.train.Example` on the wire: read as protobuf reads it, and written as protobuf reads it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock as ps
from penstock.sources.wire import parse_example, serialized

INTS = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=6)
FLOATS = st.lists(st.floats(width=32, allow_nan=False), max_size=6)
TEXTS = st.lists(st.binary(max_size=12), max_size=4)
NAMES = st.text(max_size=8)
EXAMPLES = st.dictionaries(NAMES, st.one_of(INTS.map(np.int64), FLOATS.map(np.float32), TEXTS), max_size=5)


@pytest.fixture(scope="module")
def message() -> Any:
    """protobuf's own `Example`, made from the description of it."""
    pb2 = pytest.importorskip("google.protobuf.descriptor_pb2")
    from google.protobuf import descriptor_pool, message_factory

    file = pb2.FileDescriptorProto(name="example.proto", package="tensorflow", syntax="proto3")
    kinds = pb2.FieldDescriptorProto

    def add(name: str) -> Any:
        return file.message_type.add(name=name)

    for name, kind in (
        ("BytesList", kinds.TYPE_BYTES),
        ("FloatList", kinds.TYPE_FLOAT),
        ("Int64List", kinds.TYPE_INT64),
    ):
        add(name).field.add(name="value", number=1, type=kind, label=kinds.LABEL_REPEATED)
    feature = add("Feature")
    feature.oneof_decl.add(name="kind")
    for number, name in enumerate(("BytesList", "FloatList", "Int64List"), 1):
        feature.field.add(
            name=name.lower().replace("list", "_list"),
            number=number,
            type=kinds.TYPE_MESSAGE,
            type_name=f".tensorflow.{name}",
            label=kinds.LABEL_OPTIONAL,
            oneof_index=0,
        )
    features = add("Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL)
    entry.field.add(
        name="value",
        number=2,
        type=kinds.TYPE_MESSAGE,
        type_name=".tensorflow.Feature",
        label=kinds.LABEL_OPTIONAL,
    )
    features.field.add(
        name="feature",
        number=1,
        type=kinds.TYPE_MESSAGE,
        type_name=".tensorflow.Features.FeatureEntry",
        label=kinds.LABEL_REPEATED,
    )
    add("Example").field.add(
        name="features",
        number=1,
        type=kinds.TYPE_MESSAGE,
        type_name=".tensorflow.Features",
        label=kinds.LABEL_OPTIONAL,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))


def plain(lists: dict[str, tuple[str, Any]]) -> dict[str, tuple[str, list[Any]]]:
    return {name: (kind, list(values)) for name, (kind, values) in lists.items()}


def by_protobuf(example: Any) -> dict[str, tuple[str, list[Any]]]:
    told = {}
    for name, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        values = list(getattr(feature, kind).value) if kind else []
        told[name] = (kind.removesuffix("_list") if kind else "", values)
    return told


@given(features=EXAMPLES)
def test_what_is_written_is_read_again(features: dict[str, Any]):
    """An empty list of bytes has no kind, as a feature without a list."""
    read = parse_example(serialized(features))

    assert read.keys() == features.keys()
    for name, values in features.items():
        assert np.array_equal(read[name][1], values)


@given(features=EXAMPLES)
def test_protobuf_reads_what_is_written(message: Any, features: dict[str, Any]):
    """The files are for TensorFlow too."""
    example = message.FromString(serialized(features))

    assert by_protobuf(example) == plain(parse_example(serialized(features)))


@given(features=EXAMPLES)
def test_what_protobuf_writes_is_read(message: Any, features: dict[str, Any]):
    """Maps in its own order, lists packed."""
    example = message()
    for name, values in features.items():
        kind = "bytes_list" if isinstance(values, list) else "int64_list" if values.dtype.kind == "i" else "float_list"
        getattr(example.features.feature[name], kind).value.extend(
            values if isinstance(values, list) else values.tolist()
        )

    assert plain(parse_example(example.SerializeToString())) == by_protobuf(example)


@given(features=EXAMPLES, data=st.data())
def test_bytes_that_are_damaged_are_read_as_by_protobuf_or_refused(message: Any, features: Any, data: st.DataObject):
    """Cut off, or with bytes changed: never another answer than protobuf's, and never another error than `SpecError`."""
    whole = bytearray(serialized(features))
    del whole[data.draw(st.integers(0, len(whole))) :]
    for _ in range(data.draw(st.integers(0, 3)) if whole else 0):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))

    try:
        read = parse_example(bytes(whole))
    except ps.SpecError:
        return
    try:
        want = by_protobuf(message.FromString(bytes(whole)))
    except Exception:  # protobuf is stricter in what it passes over.
        return
    casts = {"float": np.float32, "int64": np.int64, "bytes": bytes, "": bytes}
    wanted = {name: (kind, [casts[kind](value) for value in values]) for name, (kind, values) in want.items()}
    told = {name: repr(values) for name, values in plain(read).items()}
    assert told == {name: repr(values) for name, values in wanted.items()}


def test_other_bytes_are_refused():
    """The message says what came."""
    with pytest.raises(ps.SpecError, match=r"expected a serialized `tf\.train\.Example`, got 3 other bytes"):
        parse_example(b"\x0a\x20\x00")
