"""`SparseTensor`: lists of any length as TF1 gave them, through batches, and made arrays."""

from collections.abc import Iterator

import pytest

from penstock import tf1 as tf


def lists() -> Iterator[bytes]:
    """Serialized examples of 1, 3, 0 and 2 tokens."""
    for n in (1, 3, 0, 2):
        tokens = tf.train.Feature(int64_list=tf.train.Int64List(value=range(10, 10 + n)))
        yield tf.train.Example(features=tf.train.Features(feature={"tokens": tokens})).SerializeToString()


def parsed() -> tf.SparseTensor:
    records = lists()
    one = tf.py_func(lambda: next(records), [], tf.string)
    return tf.parse_single_example(one, {"tokens": tf.VarLenFeature(tf.int64)})["tokens"]


def test_a_list_of_any_length_is_sparse():
    """Its values are the list, its shape the length; `sess.run` gives the three arrays, to be unpacked as in TF1."""
    with tf.feed(parsed()) as feed:
        next(feed)
        indices, values, dense_shape = next(feed)

    assert indices.tolist() == [[0], [1], [2]]
    assert values.tolist() == [10, 11, 12]
    assert dense_shape.tolist() == [3]


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_batch_of_lists_needs_no_padding(shuffled: bool):
    """Rows of any length, those without a value too; the array that they make is as wide as the longest."""
    tokens = parsed()
    batch = (
        tf.train.shuffle_batch([tokens], 2, capacity=4, min_after_dequeue=1)
        if shuffled
        else tf.train.batch([tokens], 2)
    )
    with tf.feed([batch, tf.sparse.to_dense(batch, default_value=-1)]) as feed:
        steps = list(feed)

    rows = [[token for token in row if token >= 0] for _, dense in steps for row in dense.tolist()]
    assert sorted(rows) == [[], [10], [10, 11], [10, 11, 12]]
    assert all(sparse.dense_shape.tolist() == list(dense.shape) for sparse, dense in steps)
    if not shuffled:
        assert [dense.tolist() for _, dense in steps] == [[[10, -1, -1], [10, 11, 12]], [[-1, -1], [10, 11]]]


def test_buckets_take_lists_of_any_length():
    """By their length, which their shape tells."""
    tokens = parsed()
    _, [batch] = tf.contrib.training.bucket_by_sequence_length(tokens.dense_shape[0], [tokens], 2, [3])

    with tf.feed(batch) as feed:
        assert [sparse.values.tolist() for sparse in feed] == [[10]]


def test_classes_too():
    """Beside the labels, which are arrays."""
    tokens = parsed()
    [batch], labels = tf.contrib.training.stratified_sample([tokens], tokens.dense_shape[0] % 2, [0.5, 0.5], 2)

    with tf.feed([batch, labels]) as feed:
        sparse, odd = next(feed)
    assert sorted(odd) == [0, 1]
    assert sparse.dense_shape[0] == 2


def test_a_function_of_arrays_refuses_a_sparse_tensor():
    """And says what makes one of it, as soon as it is written; a lone one stands in a list, as in TF1."""
    with pytest.raises(TypeError, match=r"expected a handle of an array, got a `SparseTensor` - at shape - .*to_dense"):
        tf.shape(parsed())
    with pytest.raises(TypeError, match=r"got a `SparseTensor` - at tensors\[0\]"):
        tf.contrib.training.rejection_sample([parsed()], lambda _: 1.0, 2)
    with pytest.raises(TypeError, match="got a bare handle"):
        tf.train.batch(parsed(), 2)
    with pytest.raises(
        TypeError, match=r"expected `SparseTensor`s at \[0\], as of source 0, got .* at \[\] - at source 1"
    ):
        tf.train.batch_join([[parsed()], [tf.constant(1)]], 2)


def test_words_of_several_texts():
    """One after the other; their places tell which is whose."""
    words = tf.string_split(["a b  c", "", "d"])

    assert next(tf.feed(words.values)).tolist() == [b"a", b"b", b"c", b"d"]
    assert next(tf.feed(words.indices)).tolist() == [[0, 0], [0, 1], [0, 2], [2, 0]]
    assert next(tf.feed(tf.sparse_tensor_to_dense(words, default_value=""))).tolist() == [
        [b"a", b"b", b"c"],
        [b"", b"", b""],
        [b"d", b"", b""],
    ]
    assert next(tf.feed(tf.string_split(["a,,b"], ",", skip_empty=False).values)).tolist() == [b"a", b"", b"b"]
