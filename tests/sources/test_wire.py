"""`tf.train.Example` on the wire: read as protobuf reads it, and written as protobuf reads it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock as ps
from penstock.sources.wire import parse_example, parse_sequence_example, serialized, serialized_sequence

INTS = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=6)
FLOATS = st.lists(st.floats(width=32, allow_nan=False), max_size=6)
TEXTS = st.lists(st.binary(max_size=12), max_size=4)
NAMES = st.text(max_size=8)
EXAMPLES = st.dictionaries(NAMES, st.one_of(INTS.map(np.int64), FLOATS.map(np.float32), TEXTS), max_size=5)


@pytest.fixture(scope="module")
def messages() -> Any:
    """protobuf's own `Example` and `SequenceExample`, made from the description of them."""
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

    def add_field(to: Any, name: str, number: int, of: str, label: Any = kinds.LABEL_OPTIONAL) -> None:
        to.field.add(name=name, number=number, type=kinds.TYPE_MESSAGE, type_name=f".tensorflow.{of}", label=label)

    def add_map(to: Any, name: str, entry_name: str, of: str) -> None:
        entry = to.nested_type.add(name=entry_name)
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL)
        add_field(entry, "value", 2, of)
        add_field(to, name, 1, f"{to.name}.{entry_name}", kinds.LABEL_REPEATED)

    add_map(features, "feature", "FeatureEntry", "Feature")
    add_field(add("Example"), "features", 1, "Features")
    add_field(add("FeatureList"), "feature", 1, "Feature", kinds.LABEL_REPEATED)
    add_map(add("FeatureLists"), "feature_list", "FeatureListEntry", "FeatureList")
    sequence = add("SequenceExample")
    add_field(sequence, "context", 1, "Features")
    add_field(sequence, "feature_lists", 2, "FeatureLists")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return [
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"tensorflow.{name}"))
        for name in ("Example", "SequenceExample")
    ]


@pytest.fixture(scope="module")
def message(messages: Any) -> Any:
    """protobuf's own `Example`."""
    return messages[0]


def plain(lists: dict[str, tuple[str, Any]]) -> dict[str, tuple[str, list[Any]]]:
    return {name: (kind, list(values)) for name, (kind, values) in lists.items()}


def by_protobuf(example: Any) -> dict[str, tuple[str, list[Any]]]:
    return {name: of_feature(feature) for name, feature in example.features.feature.items()}


def of_feature(feature: Any) -> tuple[str, list[Any]]:
    kind = feature.WhichOneof("kind")
    return kind.removesuffix("_list") if kind else "", list(getattr(feature, kind).value) if kind else []


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


SEQUENCES = st.dictionaries(NAMES, st.lists(st.one_of(INTS.map(np.int64), TEXTS), max_size=4), max_size=3)


@given(context=EXAMPLES, sequences=SEQUENCES)
def test_protobuf_reads_the_same_of_an_example_with_sequences(messages: Any, context: Any, sequences: Any):
    """As it is written here, and as protobuf writes it: a step without values is a step."""
    record = serialized_sequence(context, sequences)
    example = messages[1].FromString(record)

    for data in (record, example.SerializeToString()):
        own, lists = parse_sequence_example(data)
        assert plain(own) == {name: of_feature(feature) for name, feature in example.context.feature.items()}
        assert {name: [(kind, list(values)) for kind, values in steps] for name, steps in lists.items()} == {
            name: [of_feature(step) for step in each.feature]
            for name, each in example.feature_lists.feature_list.items()
        }
    assert {name: [list(values) for values in steps] for name, steps in sequences.items()} == {
        name: [list(values) for _, values in steps] for name, steps in lists.items()
    }


def test_other_bytes_are_refused():
    """The message says what came."""
    with pytest.raises(ps.SpecError, match=r"expected a serialized `tf\.train\.Example`, got 3 other bytes"):
        parse_example(b"\x0a\x20\x00")
    with pytest.raises(ps.SpecError, match=r"expected a serialized `tf\.train\.SequenceExample`, got 3 other bytes"):
        parse_sequence_example(b"\x12\x20\x00")
