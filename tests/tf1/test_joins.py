"""Joins of handles: sources that share a queue of names, flags, and the forms that are refused."""

from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from penstock import tf1 as tf


def numbers(start: int, n: int) -> tf.Handle:
    items = iter(range(start, start + n))
    return tf.py_func(lambda: next(items), [], tf.int64)


def all_of(handle: object) -> list[list[int]]:
    with tf.feed(handle) as feed:
        return [batch.tolist() for batch in feed]


def test_readers_over_one_queue_share_its_files_out_in_turn(tmp_path: Path):
    """TF1's way to read several files at once; the same on every run here."""
    for name in "abc":
        (tmp_path / name).write_text("".join(f"{name}{i}\n" for i in range(2)))

    def once() -> list[list[bytes]]:
        queue = tf.train.string_input_producer([str(tmp_path / n) for n in "abc"], num_epochs=1, shuffle=False)
        readers = [tf.TextLineReader() for _ in range(2)]
        return all_of(tf.train.batch_join([[reader.read(queue)[1]] for reader in readers], 6))

    assert once() == [[b"a0", b"b0", b"a1", b"b1", b"c0", b"c1"]]
    assert once() == once()


def test_sources_of_their_own_are_joined_in_turn():
    """One that ends drops out."""
    assert all_of(tf.train.batch_join([[numbers(0, 2)], [numbers(10, 4)]], 6)) == [[0, 10, 1, 11, 12, 13]]


def test_the_same_handles_twice_are_one_stream():
    """Nothing is doubled, and nothing lost."""
    x = numbers(0, 6)

    assert all_of(tf.train.batch_join([[x], [x]], 3)) == [[0, 1, 2], [3, 4, 5]]


def test_a_flag_is_read_in_the_same_step():
    """It may be computed from the example."""
    x = numbers(0, 8)

    assert all_of(tf.train.maybe_batch([x], tf.equal(x % 2, 0), 2)) == [[0, 2], [4, 6]]


def test_each_source_has_a_flag_of_its_own():
    """Also where the sources share an origin, and so are read in turn in one thread."""
    x, y = numbers(0, 4), numbers(10, 4)
    queue = tf.train.range_input_producer(8, num_epochs=1, shuffle=False)
    one, other = queue.dequeue(), queue.dequeue()

    apart = tf.train.maybe_batch_join([[x], [y]], [x < 2, y > 11], 4)
    together = tf.train.maybe_batch_join([[one], [other]], [one > 1, other > 4], 4, allow_smaller_final_batch=True)

    assert all_of(apart) == [[0, 12, 1, 13]]
    assert [sorted(batch) for batch in all_of(together)] == [[2, 4, 5, 6], [7]]


def test_one_flag_for_all_that_reads_one_source_is_refused():
    """TF1 threw an example of that source away for each flag of the other."""
    x, y = numbers(0, 4), numbers(10, 4)

    with pytest.raises(TypeError, match="give each source a flag of its own: a list of them"):
        tf.train.maybe_batch_join([[x], [y]], x < 2, 4)


@pytest.mark.parametrize(
    ("tensors_list", "says"),
    [
        ([], "at least one source"),
        ([numbers(0, 2)], "got a bare handle - at source 0"),
        (3, "a list of sources"),
        ([{"a": 1}, {"b": 1}], "expected the components `a`, as of source 0, got the components `b` - at source 1"),
        ([[1], [1, 2]], "expected 1 components, as of source 0, got 2 components"),
        ([[]], "at least one component"),
    ],
)
def test_sources_of_other_forms_are_refused(tensors_list: object, says: str):
    """A ValueError and a TypeError, as TF1 raised the one or the other."""
    with pytest.raises(tf.errors.FormError) as caught:
        tf.train.batch_join(tensors_list, 2)

    assert says in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_penstocks_own_sources_are_components_too():
    """An array is a constant, as in TF1; what can only be a source is one."""
    x, y = tf.train.batch([lambda: iter([1, 2]), [7, 8]], 2)

    with tf.feed([x, y]) as feed:
        assert [part.tolist() for part in next(feed)] == [[1, 2], [[7, 8], [7, 8]]]


def test_shuffled_batches_are_the_same_on_every_run():
    """With and without a seed; one reader's records, or several readers' over one queue."""

    def once(seed: int | None) -> list[list[int]]:
        queue = tf.train.range_input_producer(20, num_epochs=1, shuffle=False)
        x = tf.train.shuffle_batch_join([[queue.dequeue()], [queue.dequeue()]], 5, 12, 8, seed=seed)
        return all_of(x)

    assert once(None) == once(None)
    assert once(1) != once(2)
    assert sorted(chain.from_iterable(once(None))) == list(range(20))


def test_messages_name_what_is_read():
    """And not the machinery between."""
    items = iter([1])

    def read_clicks() -> int:
        for item in items:
            return item
        raise OSError("disk")

    x = tf.train.batch([tf.cast(tf.py_func(read_clicks, [], tf.int64), tf.float32)], 1)
    with tf.feed(x) as feed, pytest.raises(OSError, match="disk") as caught:
        list(feed)

    (note,) = caught.value.__notes__
    assert note == "penstock: while reading example 1 of source 0 ('py_func(read_clicks)')"


def test_many_of_a_producer_are_stacked():
    """Fewer at the end, where that is asked for."""
    producer = tf.train.input_producer(np.arange(5), num_epochs=1, shuffle=False)
    two, rest = producer.dequeue_many(2), producer.dequeue_up_to(4)
    names = tf.train.string_input_producer(["a", "b"], num_epochs=1, shuffle=False).dequeue_many(2)

    with tf.Session() as sess:
        assert sess.run(two).dtype == np.int64
        assert [sess.run(rest).tolist(), sess.run(names).tolist()] == [[2, 3, 4], [b"a", b"b"]]
        with pytest.raises(tf.errors.OutOfRangeError):
            sess.run(rest)


def test_one_shared_name_with_two_descriptions_is_an_error_of_tf1s():
    """As of queues, it is found at the first step; it names what differs."""
    row = tf.train.limit_epochs(tf.constant(1), 6)
    one = tf.train.batch([row], 2, shared_name="B")
    other = tf.train.batch([row], 2, capacity=5, shared_name="B")

    with tf.Session() as sess:
        sess.run(one)
        with pytest.raises(tf.errors.InvalidArgumentError, match="capacity=32, got capacity=5 - at shared_name"):
            sess.run(other)
