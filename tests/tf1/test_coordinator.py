"""The coordinator and the looper: stop, join, grace, stragglers."""

import threading

import pytest

from penstock import tf1 as tf


def waiting(event: threading.Event) -> threading.Thread:
    thread = threading.Thread(target=event.wait, args=(20,), name="straggler", daemon=True)
    thread.start()
    return thread


def test_threads_that_do_not_end_in_time_are_an_error():
    """It names them."""
    coord, event = tf.train.Coordinator(), threading.Event()
    thread = waiting(event)
    coord.request_stop()

    with pytest.raises(RuntimeError, match="Coordinator stopped with threads still running: straggler"):
        coord.join([thread], stop_grace_period_secs=0.01)
    event.set()
    thread.join()


def test_an_error_goes_before_stragglers():
    """What went wrong is more than what is slow."""
    coord, event = tf.train.Coordinator(), threading.Event()
    thread = waiting(event)
    coord.request_stop(KeyError("k"))

    with pytest.raises(KeyError):
        coord.join([thread], stop_grace_period_secs=0.01)
    event.set()
    thread.join()


def test_stragglers_may_be_left(caplog: pytest.LogCaptureFixture):
    """Then only the log names them."""
    coord, event = tf.train.Coordinator(), threading.Event()
    thread = waiting(event)
    coord.request_stop()

    coord.join([thread], stop_grace_period_secs=0.01, ignore_live_threads=True)

    assert "still running: straggler" in caplog.text
    event.set()
    thread.join()


def test_join_ends_when_all_threads_have_ended():
    """Without a stop, of those given and those registered."""
    coord, event = tf.train.Coordinator(), threading.Event()
    given, registered = waiting(event), waiting(event)
    coord.register_thread(registered)
    threading.Timer(0.01, event.set).start()

    coord.join([given])

    assert not coord.should_stop()
    assert not registered.is_alive()


def test_an_error_after_join_is_raised_to_who_reports_it():
    """Nobody else would hear of it; after `clear_stop` all begins anew."""
    coord = tf.train.Coordinator()
    coord.request_stop()
    coord.join()

    with pytest.raises(ValueError, match="late"):
        coord.request_stop(ValueError("late"))
    coord.clear_stop()
    assert not coord.should_stop()
    assert not coord.joined


def test_an_error_after_a_plain_stop_is_dropped():
    """Threads that are told to stop may fail in it."""
    coord = tf.train.Coordinator()
    coord.request_stop()
    coord.request_stop(ValueError("late"))

    coord.join()


def test_a_looper_calls_until_the_stop():
    """With a pause or without; its own loop methods are called."""
    coord, calls = tf.train.Coordinator(), []

    def call(what: str) -> None:
        calls.append(what)
        if len(calls) == 3:
            coord.request_stop()

    looper = tf.train.LooperThread.loop(coord, None, target=call, args=("tick",))
    coord.join()

    assert calls == ["tick"] * 3
    assert not looper.is_alive()
    with pytest.raises(ValueError, match="must be a Coordinator"):
        tf.train.LooperThread(None, None)


def test_an_error_in_a_looper_stops_the_others():
    """And comes out of `join`."""
    coord = tf.train.Coordinator()

    def fail() -> None:
        raise OSError("disk")

    tf.train.LooperThread.loop(coord, 0.001, target=fail)

    with pytest.raises(OSError, match="disk"):
        coord.join()


def test_a_failing_queue_runner_stops_all():
    """The error comes out of `join`, and the consumer is woken."""
    queue = tf.FIFOQueue(4, tf.int64, shapes=[[]])

    def fail() -> int:
        raise OSError("disk")

    runner = tf.train.QueueRunner(queue, [queue.enqueue(tf.py_func(fail, [], tf.int64))])
    with tf.Session() as sess:
        coord = tf.train.Coordinator()
        threads = runner.create_threads(sess, coord=coord, start=True)
        with pytest.raises(tf.errors.OpError):
            sess.run(queue.dequeue())
        with pytest.raises(OSError, match="disk"):
            coord.join(threads)


def test_without_a_coordinator_an_error_is_kept_and_the_queue_closed():
    """TF1's consumer waited for ever."""
    queue = tf.FIFOQueue(4, tf.int64, shapes=[[]])
    numbers = iter([1])

    def read() -> int:
        for number in numbers:
            return number
        raise OSError("disk")

    runner = tf.train.QueueRunner(queue, [queue.enqueue(tf.py_func(read, [], tf.int64))])
    with tf.Session() as sess:
        (thread,) = runner.create_threads(sess, start=True)
        assert sess.run(queue.dequeue()) == 1
        with pytest.raises(tf.errors.OutOfRangeError):
            sess.run(queue.dequeue())
        thread.join()
    assert [type(error) for error in runner.exceptions_raised] == [OSError]


def test_what_a_user_gets_wrong_in_a_step_stops_nobody():
    """Only what is read and fails is told to the coordinator, as by TF1's threads."""
    scale = tf.placeholder(tf.float32)
    with tf.Session() as sess:
        coord = tf.train.Coordinator()
        tf.train.start_queue_runners(sess, coord)
        with pytest.raises(tf.errors.InvalidArgumentError):
            sess.run(scale)

        assert not coord.should_stop()


def test_a_clean_type_of_ones_own_is_no_error():
    """`bucket` took `CancelledError` for the end."""
    queue = tf.FIFOQueue(4, tf.int64, shapes=[[]])

    def fail() -> int:
        raise tf.errors.CancelledError("closed")

    fill = [queue.enqueue(tf.py_func(fail, [], tf.int64))]
    kinds = (tf.errors.OutOfRangeError, tf.errors.CancelledError)
    runner = tf.train.QueueRunner(queue, fill, queue_closed_exception_types=kinds)
    with tf.Session() as sess:
        coord = tf.train.Coordinator()
        tf.train.start_queue_runners(sess, coord)
        threads = runner.create_threads(sess, coord=coord, start=True)
        with pytest.raises(tf.errors.OutOfRangeError):
            sess.run(queue.dequeue())
        assert not coord.should_stop()
        coord.request_stop()
        coord.join(threads)
