"""`tf.contrib.training` with handles: TF1's forms, what is read in one step, and the idiom of the old pages."""

import numpy as np
import pytest

from penstock import tf1 as tf

training = tf.contrib.training


def numbers(n: int, start: int = 0) -> tf.Handle:
    items = iter(range(start, start + n))
    return tf.py_func(lambda: next(items), [], tf.int64)


def all_of(handles: object) -> list:
    with tf.feed(handles) as feed:
        return list(feed)


def test_a_batch_holds_the_shares_asked_for():
    """Data and labels of one step stay together, and the data come as a list."""
    x = numbers(200)
    label = tf.cast(tf.equal(x % 10, 0), tf.int32)

    [batch], labels = training.stratified_sample([x], label, [0.5, 0.5], batch_size=4)

    for data, classes in all_of([batch, labels]):
        assert sorted(classes) == [0, 0, 1, 1]
        assert ((data % 10 == 0) == classes).all()


def test_the_old_pages_example_runs_once_it_has_a_batch_size():
    """`stratified_sample`'s own page left it out; the error says so."""
    provider = tf.data_provider({"data": np.arange(40.0), "label": np.arange(40) % 4}, num_epochs=None)
    data, label = provider.Get(["data", "label"])
    with pytest.raises(TypeError, match="the example on TF1's own page left it out, and never ran"):
        training.stratified_sample([data], label, [0.25] * 4)

    [data_batch], labels = training.stratified_sample([data], label, [0.25] * 4, batch_size=4)

    with tf.feed([data_batch, labels]) as feed:
        assert [sorted(next(feed)[1]) for _ in range(30)] == [[0, 1, 2, 3]] * 30
    with pytest.raises(ValueError, match="expected one of `data`, `label`, got `lable`"):
        provider.get(["lable"])
    with pytest.raises(ValueError, match="a list of names"):
        provider.get("label")


@pytest.mark.parametrize("wrong", [3, None, {"x": 1}, numbers(3)])
def test_tensors_have_to_be_a_list(wrong: object):
    """As in TF1, a TypeError; and as its page promised, a ValueError."""
    for make in (
        lambda: training.stratified_sample(wrong, 1, [1.0], 2),
        lambda: training.rejection_sample(wrong, lambda x: 1.0, 2),
    ):
        with pytest.raises(tf.errors.FormError, match="expected a list of components"):
            make()


def test_a_probability_is_computed_from_handles():
    """`accept_prob_fn` is called once, with handles, and gives one."""
    calls = []

    def accept(example: list[tf.Handle]) -> tf.Handle:
        calls.append(example)
        return tf.to_float(tf.gather([0.0, 1.0], example[0] % 2))

    batches = training.rejection_sample([numbers(8), numbers(8, 100)], accept, batch_size=2)

    assert [[part.tolist() for part in batch] for batch in all_of(batches)] == [
        [[1, 3], [101, 103]],
        [[5, 7], [105, 107]],
    ]
    assert len(calls) == 1


def test_a_probability_may_be_a_number():
    """Which keeps all or nothing, at 1 and 0."""
    assert [batch.tolist() for (batch,) in all_of(training.rejection_sample([numbers(4)], lambda _: 1.0, 2))] == [
        [0, 1],
        [2, 3],
    ]
    assert all_of(training.rejection_sample([numbers(4)], lambda _: 0.0, 2)) == []


def test_what_a_probability_is_computed_from_has_a_value_only_there():
    """Whoever reads it in a step of their own is told that nothing was fed."""
    kept: list[tf.Handle] = []

    def accept(example: list[tf.Handle]) -> float:
        kept.extend(example)
        return 1.0

    training.rejection_sample([numbers(4)], accept, 2)
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError, match=r"`example\[0\]` in `feed_dict`"):
        session.run(kept[0])


def test_rows_are_resampled_together():
    """Each step draws anew, and the same on every run."""
    x = numbers(8)
    batch = tf.train.batch([x, x * 10], 4)

    one, ten = training.resample_at_rate(batch, tf.constant([0.0, 1.0, 2.0, 3.0]), seed=1)
    steps = all_of([one, ten])

    assert all((a * 10 == b).all() for a, b in steps)
    assert all(0 not in a and 4 not in a for a, _ in steps)


def test_weights_are_relative_to_what_was_seen():
    """The rate of each row that comes out, beside the rows."""
    batch = tf.train.batch([numbers(8)], 4)

    [rows], rates = training.weighted_resample([batch], tf.constant([1.0, 2.0, 3.0, 2.0]), 1.0)
    (first, second), (_, other) = all_of([rows, rates])

    assert first.shape == second.shape
    assert set(second) <= {0.5, 1.0, 1.5}
    assert set(other) <= {0.5, 1.0, 1.5}


def test_examples_of_one_bucket_make_a_batch():
    """Its number is one int32, and the form is that of `batch`."""
    x = numbers(8)
    which = tf.cast(x % 2, tf.int32)

    number, both = training.bucket([x, x * 10], which, 2, 2)
    other, only = training.bucket({"x": numbers(4)}, 0, 2, 1)

    assert [(n, a.tolist(), b.tolist()) for n, (a, b) in all_of([number, both])] == [
        (0, [0, 2], [0, 20]),
        (1, [1, 3], [10, 30]),
        (0, [4, 6], [40, 60]),
        (1, [5, 7], [50, 70]),
    ]
    assert [batch["x"].tolist() for _, batch in all_of([other, only])] == [[0, 1], [2, 3]]


def test_examples_of_like_length_make_a_batch():
    """Padded to the longest among them; a list of one stays one here, as in TF1."""
    lengths = iter([1, 5, 2, 6, 3])
    text = tf.py_func(lambda: np.ones(next(lengths), np.int64), [], tf.int64)

    length, [texts] = training.bucket_by_sequence_length(
        tf.size(text), [text], 2, [4], dynamic_pad=True, allow_smaller_final_batch=True
    )

    assert [(n.tolist(), batch.shape) for n, batch in all_of([length, texts])] == [
        ([1, 2], (2, 2)),
        ([5, 6], (2, 6)),
        ([3], (1, 3)),
    ]
    with pytest.raises(TypeError, match="expected a list or dict of components, got `tuple`"):
        training.bucket_by_sequence_length(1, (1,), 2, [4])


def test_a_flag_keeps_examples_out_of_the_buckets():
    """Read in the same step as the example."""
    x = numbers(8)

    _, batch = training.bucket([x], 0, 2, 1, keep_input=x > 3)

    assert [part.tolist() for part in all_of(batch)] == [[4, 5], [6, 7]]


def test_an_array_of_labels_is_a_constant_and_no_label():
    """The message says how its rows come one by one."""
    with pytest.raises(ValueError, match=r"`tf\.train\.slice_input_producer`"):
        training.stratified_sample([numbers(4)], np.array([0, 1, 0, 1]), [0.5, 0.5], batch_size=2)

    x, label = tf.train.slice_input_producer([np.arange(8), np.arange(8) % 2], num_epochs=1, shuffle=False)
    [_], labels = training.stratified_sample([x], label, [0.5, 0.5], batch_size=2)

    assert [sorted(batch) for batch in all_of(labels)] == [[0, 1]] * 4
