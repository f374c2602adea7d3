"""`tf.train.SequenceExample`s: written as protobuf's messages are, and parsed."""

from typing import Any

import numpy as np
import pytest

from penstock import tf1 as tf

TOKENS = {"tokens": tf.FixedLenSequenceFeature([], tf.int64)}


def record(*tokens: int, frames: tuple[list[float], ...] = ()) -> bytes:
    """As the blogs of the time wrote it."""
    example = tf.train.SequenceExample()
    example.context.feature["length"].int64_list.value.append(len(tokens))
    for token in tokens:
        example.feature_lists.feature_list["tokens"].feature.add().int64_list.value.append(token)
    for frame in frames:
        example.feature_lists.feature_list["frames"].feature.add().float_list.value.extend(frame)
    return example.SerializeToString()


def parsed(data: bytes, sequences: dict[str, Any], context: dict[str, Any] | None = None) -> Any:
    return next(tf.feed(list(tf.parse_single_sequence_example(tf.constant(data), context, sequences))))


def test_a_sequence_is_an_array_of_a_row_for_each_step():
    """Beside the features of the whole."""
    context, sequences = parsed(
        record(5, 6, 7, frames=([1, 2], [3, 4])),
        TOKENS | {"frames": tf.FixedLenSequenceFeature([2], tf.float32)},
        {"length": tf.FixedLenFeature([], tf.int64)},
    )

    assert context == {"length": 3}
    assert sequences["tokens"].tolist() == [5, 6, 7]
    assert sequences["frames"].tolist() == [[1, 2], [3, 4]]
    assert sequences["frames"].dtype == np.float32


def test_steps_of_any_length_are_sparse():
    """Empty steps are rows without values."""
    frames = parsed(record(frames=([1], [], [2, 3])), {"frames": tf.VarLenFeature(tf.float32)})[1]["frames"]

    assert frames.values.tolist() == [1, 2, 3]
    assert frames.indices.tolist() == [[0, 0], [2, 0], [2, 1]]
    assert frames.dense_shape.tolist() == [3, 2]


def test_sequences_are_padded_to_the_longest_in_a_batch():
    """The idiom that they were made for."""
    records = iter([record(1, 2, 3), record(4)])
    context, sequences = tf.parse_single_sequence_example(
        tf.py_func(lambda: next(records), [], tf.string), {"length": tf.FixedLenFeature([], tf.int64)}, TOKENS
    )
    lengths, tokens = tf.train.batch([context["length"], sequences["tokens"]], 2, dynamic_pad=True)

    assert [part.tolist() for part in next(tf.feed([lengths, tokens]))] == [[3, 1], [[1, 2, 3], [4, 0, 0]]]


def test_what_is_missing_or_does_not_fit_is_named():
    """When it is written, or at the step."""
    empty = record()
    assert parsed(empty, {"tokens": tf.FixedLenSequenceFeature([2], tf.int64, allow_missing=True)})[1][
        "tokens"
    ].shape == (0, 2)

    with pytest.raises(tf.errors.InvalidArgumentError, match="got none - at sequence `tokens` - `allow_missing=True`"):
        parsed(empty, TOKENS)
    with pytest.raises(tf.errors.InvalidArgumentError, match="got a list of float - at feature `frames`"):
        parsed(record(frames=([1],)), {"frames": tf.FixedLenSequenceFeature([], tf.int64)})
    with pytest.raises(ValueError, match="a `FixedLenSequenceFeature` or `VarLenFeature`"):
        parsed(empty, {"tokens": tf.FixedLenFeature([], tf.int64)})
    with pytest.raises(ValueError, match="at least one feature"):
        tf.parse_single_sequence_example(tf.constant(empty))


def test_records_are_read_by_hand():
    """`ParseFromString`, and lists that are asked for by name, as of protobuf's messages."""
    example = tf.train.Example()
    example.features.feature["label"].int64_list.value.append(3)
    example.features.feature["name"].bytes_list.value.extend([b"a"])
    read = tf.train.Example()
    read.ParseFromString(example.SerializeToString())

    assert read.features.feature["label"].int64_list.value[0] == 3
    assert read.features.feature["label"].WhichOneof("kind") == "int64_list"
    assert read.features.feature["label"].float_list.value == []
    assert read.SerializeToString() == example.SerializeToString()
    again = tf.train.SequenceExample.FromString(record(1, 2))
    assert [step.int64_list.value for step in again.feature_lists.feature_list["tokens"].feature] == [[1], [2]]
    assert again.SerializeToString() == record(1, 2)
