"""Arithmetic with handles: in TF1's dtypes, and with what chooses between them."""

from typing import Any

import numpy as np
import pytest

from penstock import tf1 as tf


def value(handle: Any) -> Any:
    return next(tf.feed(handle))


X = tf.constant([4, -9], tf.int32)


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (tf.add(X, 1), [5, -8]),
        (tf.multiply(2, X), [8, -18]),
        (tf.div(X, 2), [2, -5]),
        (tf.div(tf.constant(1.0), 2), 0.5),
        (tf.floordiv(X, 2), [2, -5]),
        (tf.mod(X, 5), [4, 1]),
        (tf.maximum(X, 0), [4, 0]),
        (tf.clip_by_value(X, -1, 1), [1, -1]),
        (tf.abs(X), [4, 9]),
        (abs(X), [4, 9]),
        (tf.square(X), [16, 81]),
        (tf.negative(X), [-4, 9]),
        (tf.sqrt(tf.constant([4.0])), [2.0]),
        (tf.zeros_like(X), [0, 0]),
        (tf.ones_like(X, tf.float32), [1.0, 1.0]),
        (tf.cumsum(X), [4, -5]),
        (tf.saturate_cast(X, tf.uint8), [4, 0]),
        (tf.reduce_prod(X), -36),
        (tf.reduce_sum(X, reduction_indices=[0], keep_dims=True), [-5]),
        (tf.boolean_mask(X, tf.greater(X, 0)), [4]),
        (tf.truediv(X, 2), [2.0, -4.5]),
        (tf.to_double(X), [4.0, -9.0]),
    ],
)
def test_what_comes_out_has_tf1s_dtype(made: tf.Handle, wanted: Any):
    """A Python number takes the dtype of the handle beside it."""
    got = value(made)

    assert np.asarray(got).tolist() == wanted
    assert made.dtype is None or np.asarray(got).dtype == made.dtype


def test_conditions():
    """As functions, and as operators."""
    yes, no = tf.constant([True, True]), tf.constant([True, False])

    for made, wanted in [
        (tf.logical_and(yes, no), [True, False]),
        (tf.logical_or(yes, no), [True, True]),
        (tf.logical_not(no), [False, True]),
        (tf.less(X, 0), [False, True]),
        (tf.greater_equal(X, 4), [True, False]),
        (tf.less_equal(0, X), [True, False]),
        (tf.is_nan(tf.constant([np.nan, 1.0])), [True, False]),
    ]:
        assert value(made).tolist() == wanted
        assert made.dtype == np.bool_
    assert value(tf.reduce_any(no))
    assert not value(tf.reduce_all(no))


def test_numbers_keep_their_dtype_through_operators():
    """A pixel stays uint8, also where NumPy would have made it more."""
    pixels = tf.decode_raw(tf.constant(b"\x01\x02"), tf.uint8)

    assert value(pixels * 2 + 1).dtype == np.uint8
    assert value(pixels[0] + 1) == np.uint8(2)
    assert (-tf.cast(pixels, tf.float32))[0].dtype == np.float32


def test_an_integer_and_a_fraction_are_refused_as_in_tf1():
    """What TF1 did not compute must not come out cut to an integer."""
    with pytest.raises(TypeError, match=r"expected `int32`, got `0.5` - at mul - `tf.cast\(x, tf.float32\)` first"):
        X * 0.5
    with pytest.raises(TypeError, match=r"expected `int32`, got `0\.5` - at add"):
        tf.add(0.5, X)


def test_texts():
    """Joined, and made of numbers."""
    assert value(tf.string_join(["a", tf.constant("b")], "/")) == b"a/b"
    assert value(tf.strings.join([tf.constant(["a", "b"]), ".png"])).tolist() == [b"a.png", b"b.png"]
    assert value(tf.as_string(X)).tolist() == [b"4", b"-9"]


def test_masks():
    """Of lengths: up to the longest, or to a width."""
    assert value(tf.sequence_mask([1, 3])).tolist() == [[True, False, False], [True, True, True]]
    assert value(tf.sequence_mask([1], 2, tf.float32)).tolist() == [[1.0, 0.0]]


def test_of_two_branches_one_is_read():
    """In a structure too, and by the old names of the functions."""
    flags = iter([True, False, True])
    left, right = iter([1, 2]), iter([10])
    made = tf.cond(
        tf.py_func(lambda: next(flags), [], tf.bool),
        lambda: [tf.py_func(lambda: next(left), [], tf.int64)],
        lambda: [tf.py_func(lambda: next(right), [], tf.int64)],
    )

    with tf.feed(made) as feed:
        assert [next(feed) for _ in range(3)] == [[1], [10], [2]]
    assert value(tf.cond(tf.constant(True), fn1=lambda: X, fn2=lambda: X)).tolist() == [4, -9]
    with pytest.raises(TypeError, match="two functions"):
        tf.cond(tf.constant(True))


def test_a_function_of_each_row():
    """What is around it is read once in a step, and not for each row."""
    offsets = iter([10, 20])
    offset = tf.py_func(lambda: next(offsets), [], tf.int64)
    rows = tf.constant(np.array([[1, 2], [3, 4]]))
    made = tf.map_fn(lambda row: (tf.reduce_sum(row[0]) + offset, row[1]), (rows, tf.constant(["a", "b"])))

    with tf.feed([made, offset]) as feed:
        (sums, texts), told = next(feed)
    assert sums.tolist() == [13, 17]
    assert texts.tolist() == [b"a", b"b"]
    assert told == 10


def test_what_is_to_run_before():
    """A check in `control_dependencies` is made, and what is looked at comes of the same step."""
    rows = iter([[1, 2], [1]])
    row = tf.py_func(lambda: np.array(next(rows)), [], tf.int64)
    with tf.name_scope("input"), tf.device("/cpu:0"), tf.variable_scope("x"), tf.op_scope([row], None, "y"):
        check = tf.Assert(tf.equal(tf.size(row), 2), [row])
        with tf.control_dependencies([check, tf.assert_equal(tf.rank(row), 1)]):
            checked = tf.identity(row)

    with tf.feed(checked) as feed:
        assert next(feed).tolist() == [1, 2]
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"assertion failed: \[\[1\]\]"):
            next(feed)
    with tf.control_dependencies([check]), tf.control_dependencies(None):
        assert value(tf.identity(X)).tolist() == [4, -9]
    assert value(tf.Print(X, [X])).tolist() == [4, -9]


@pytest.mark.parametrize(("name", "dtype"), [("float", np.float32), ("double", np.float64), (float, np.float32)])
def test_dtypes_by_name(name: Any, dtype: Any):
    """`float` is float32, as in TF1 and not as in NumPy."""
    assert value(tf.cast(X, name)).dtype == dtype
    assert value(tf.FIFOQueue(1, [name], shapes=[[]]).size()) == 0
    assert tf.placeholder(name).dtype == dtype


def test_numbers_within_two_deviations():
    """And of the same seed the same, drawn anew at each step."""
    made = tf.truncated_normal([1000], stddev=2.0, seed=1)
    with tf.feed(made) as feed:
        one, other = next(feed), next(feed)

    assert np.abs(one).max() <= 4
    assert (one != other).any()
    assert one.dtype == np.float32
