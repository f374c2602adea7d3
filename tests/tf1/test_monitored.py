"""`tf.train.Supervisor`: the loop that came before monitored sessions."""

from collections.abc import Iterator

import pytest

from penstock import tf1 as tf


@pytest.fixture(autouse=True)
def own_graph() -> Iterator[None]:
    """Queue runners of one test are no other's."""
    with tf.Graph().as_default():
        yield


def numbers(count: int) -> tf.Handle:
    """Through a queue that a runner fills."""
    rows = iter(range(count))
    queue = tf.FIFOQueue(2, [tf.int64], shapes=[[]])
    enqueue = queue.enqueue([tf.py_func(lambda: next(rows), [], tf.int64)])
    tf.train.add_queue_runner(tf.train.QueueRunner(queue, [enqueue]))
    return queue.dequeue()


def test_the_end_of_the_data_ends_the_block():
    """Quietly, and its threads with it."""
    number = numbers(3)
    supervisor = tf.train.Supervisor(logdir="unused", save_model_secs=600)
    with supervisor.managed_session(config=tf.ConfigProto()) as sess:
        seen = []
        while not supervisor.should_stop():
            seen.append(sess.run(number))

    assert seen == [0, 1, 2]
    assert supervisor.should_stop()


def test_an_error_comes_out_of_the_block():
    """That of the loop, and that of a thread."""
    with pytest.raises(KeyError, match="label"), tf.train.Supervisor().managed_session():
        raise KeyError("label")

    def bad() -> None:
        raise KeyError("label")

    supervisor = tf.train.Supervisor()
    supervisor.loop(None, bad)
    with pytest.raises(KeyError, match="label"), supervisor.managed_session():
        supervisor.wait_for_stop()


def test_the_parts_of_a_block_by_hand():
    """As scripts had it that owned their session."""
    number = numbers(3)
    supervisor = tf.train.Supervisor()
    sess = supervisor.prepare_or_wait_for_session("")
    assert sess.run(number) == 0
    assert supervisor.start_queue_runners(sess) == []  # They run.
    with supervisor.stop_on_exception():
        supervisor.request_stop()
    supervisor.stop()
    sess.close()
