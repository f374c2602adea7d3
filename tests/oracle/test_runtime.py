"""What TensorFlow 1's coordinators, queue runners and shared names answered, asked of `penstock.tf1`."""

import json
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import pytest

from oracle.cases import HERE
from penstock import tf1 as tf

CASES = {case["id"]: case["answer"] for case in json.loads((HERE / "runtime.json").read_text())}
ANSWERS = json.loads((HERE / "answers_runtime.json").read_text())
OTHERWISE = {name: entry for entry in ANSWERS["cases"] for name in entry["ids"]}
PROGRAMS: dict[str, Callable[[], Any]] = {}


def program(name: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """The program of a recorded case."""

    def register(fn: Callable[[], Any]) -> Callable[[], Any]:
        PROGRAMS[name] = fn
        return fn

    return register


def told(fn: Callable[[], Any]) -> dict[str, Any]:
    """What a call gave, as it is recorded."""
    try:
        value = fn()
    except Exception as error:
        text = error.args[0] if isinstance(error, tf.errors.OpError) and error.args else str(error)
        return {"ok": False, "error": {"type": type(error).__name__, "message": text}}
    return {"ok": True, "value": value.item() if isinstance(value, np.generic) else value}


def kinds(recorded: Any) -> Any:
    """Without the wording of messages, which is not part of the contract."""
    if isinstance(recorded, dict):
        return {key: kinds(part) for key, part in recorded.items() if key != "message"}
    return [kinds(part) for part in recorded] if isinstance(recorded, list) else recorded


def reported(coord: tf.train.Coordinator, error: Exception) -> None:
    """Hands an error over from an `except` block."""
    try:
        raise error
    except Exception as caught:
        coord.request_stop(caught)


@program("coordinator/first_exception_wins")
def first_wins() -> Any:
    coord = tf.train.Coordinator()
    reported(coord, ValueError("first"))
    reported(coord, KeyError("second"))
    return told(coord.join)


@program("coordinator/cancelled_is_not_clean")
def cancelled() -> Any:
    coord = tf.train.Coordinator()
    reported(coord, tf.errors.CancelledError(None, None, "x"))
    return [coord.should_stop(), told(coord.join)]


@program("coordinator/clean_types_replace_default")
def replaced() -> Any:
    first = tf.train.Coordinator(clean_stop_exception_types=(ValueError,))
    reported(first, ValueError("x"))
    second = tf.train.Coordinator(clean_stop_exception_types=(ValueError,))
    reported(second, tf.errors.OutOfRangeError(None, None, "x"))
    return [told(first.join), told(second.join)]


@program("coordinator/exc_info")
def exc_info() -> Any:
    coord = tf.train.Coordinator()
    try:
        raise KeyError("k")
    except KeyError:
        coord.request_stop(sys.exc_info())
    return told(coord.join)


@program("coordinator/stop_on_exception")
def stop_on_exception() -> Any:
    coord = tf.train.Coordinator()
    with coord.stop_on_exception():
        raise ValueError("in body")
    return [coord.should_stop(), told(coord.join)]


@program("coordinator/wait_for_stop")
def wait_for_stop() -> Any:
    coord = tf.train.Coordinator()
    before = coord.wait_for_stop(0.01)
    coord.request_stop()
    return [before, coord.wait_for_stop(0.01)]


@program("coordinator/raise_requested_exception")
def raise_requested() -> Any:
    coord = tf.train.Coordinator()
    before = told(coord.raise_requested_exception)
    reported(coord, ValueError("x"))
    return [before, told(coord.raise_requested_exception)]


def filled(capacity: int = 10, count: int = 7, runners: int = 1, **args: Any) -> tuple[Any, Any]:
    """A queue and what fills it with so many numbers."""
    queue = tf.FIFOQueue(capacity, tf.int32, shapes=[[]], **args)
    fill = queue.enqueue(tf.train.range_input_producer(count, num_epochs=1, shuffle=False).dequeue())
    return queue, tf.train.QueueRunner(queue, [fill] * runners)


@program("queue_runner/create_threads")
def create_threads() -> Any:
    queue, runner = filled(runners=2)
    with tf.Session() as sess, tf.Session() as other:
        threads = runner.create_threads(sess)
        again = runner.create_threads(sess)
        coord = tf.train.Coordinator()
        others = runner.create_threads(other, coord=coord)
        for thread in (*threads, *others):
            thread.start()
        fillers = [thread for thread in others if "close_on_stop" not in thread.name]
        for thread in (*threads, *fillers):
            thread.join(20)
        given = sess.run(queue.dequeue_up_to(7))
        coord.request_stop()
        coord.join(others)
        return {
            "first": len(threads),
            "second_while_running": len(again),
            "other_session_with_coord": [len(others)],
            "names_start": threads[0].name.split("-")[0],
            "daemon_default": threads[0].daemon,
            "after_end": len(runner.create_threads(sess, coord=tf.train.Coordinator())) if len(given) == 7 else None,
            "exceptions": runner.exceptions_raised,
        }


@program("queue_runner/start_without_session")
def start_without_session() -> Any:
    return told(tf.train.start_queue_runners)


@program("queue_runner/session_close_while_waiting")
def close_while_waiting() -> Any:
    queue = tf.FIFOQueue(4, tf.int32, shapes=[[]])
    sess = tf.Session()
    sess.run(queue.size())
    answers: list[Any] = []
    waiter = threading.Thread(target=lambda: answers.append(told(lambda: sess.run(queue.dequeue()))))
    waiter.start()
    while not sess.states()[0].queue._line._takes:  # What the queue knows of who waits.
        pass
    sess.close()
    waiter.join(20)
    return answers[0]


def shared(capacity: int = 4, shapes: Any = ((),), name: str = "S") -> Any:
    return tf.FIFOQueue(capacity, tf.int32, shapes=list(shapes), shared_name=name)


@program("shared_name/server")
def on_one_server() -> Any:
    target = tf.train.Server.create_local_server().target
    one, other = shared(), shared()
    with tf.Session(target) as first, tf.Session(target) as second:
        first.run(one.enqueue_many([[1, 2, 3]]))
        return [told(partial(second.run, handle)) for handle in (other.size(), other.dequeue(), other.size())]


def differing(other: Any) -> Any:
    target = tf.train.Server.create_local_server().target
    one = shared()
    with tf.Session(target) as first, tf.Session(target) as second:
        first.run(one.enqueue_many([[1, 2, 3]]))
        answers = [told(partial(second.run, handle)) for handle in (other.size(), other.dequeue())]
        return [*answers, told(lambda: first.run(one.size()))]


@program("shared_name/server_capacity_differs")
def capacity_differs() -> Any:
    return differing(shared(capacity=5))


@program("shared_name/server_shape_differs")
def shape_differs() -> Any:
    return differing(shared(shapes=[[2]]))


@program("shared_name/one_graph")
def one_graph() -> Any:
    one, other = shared(), shared()
    with tf.Session() as sess:
        sess.run(one.enqueue_many([[5, 6]]))
        answer = [sess.run(other.size()), sess.run(other.dequeue()), sess.run(one.size())]
        return [number.item() for number in answer]


@pytest.mark.parametrize("name", [name for name in CASES if name not in OTHERWISE and name in PROGRAMS])
def test_a_case_is_answered_as_tf1_did(name: str):
    """The contract, case by case; of errors the types."""
    recorded = CASES[name].get("result", CASES[name].get("error"))

    assert kinds(PROGRAMS[name]()) == kinds(recorded)


def test_every_case_is_put_to_the_test():
    """By a program above, or by a test below that is named after it."""
    below = {f"test_{name.replace('/', '_')}" for name in CASES}
    tested = {name for name in CASES if name in PROGRAMS or f"test_{name.replace('/', '_')}" in globals()}

    assert set(CASES) - tested == set()
    assert {entry for entry in OTHERWISE if f"test_{entry.replace('/', '_')}" not in globals()} == set()
    assert len(below) == len(CASES)


def test_coordinator_exception_outside_handler():
    """An exception object is reported wherever it is handed over."""
    coord = tf.train.Coordinator()
    coord.request_stop(ValueError("x"))

    with pytest.raises(ValueError, match=r"^x$"):
        coord.join()


def test_queue_runner_bad_arguments():
    """As recorded, and the empty tuple is told as what it is."""
    queue = tf.FIFOQueue(4, tf.int32, shapes=[[]])
    fill = [queue.enqueue(1)]
    answers = [
        told(lambda: tf.train.QueueRunner(queue, [])),
        told(lambda: tf.train.QueueRunner(None, fill)),
        told(lambda: tf.train.QueueRunner(queue, fill, queue_closed_exception_types=tf.errors.OutOfRangeError)),
        told(lambda: tf.train.QueueRunner(queue, fill, queue_closed_exception_types=(ValueError,))),
        told(lambda: tf.train.QueueRunner(queue, fill, queue_closed_exception_types=())),
        told(lambda: type(tf.train.QueueRunner(queue, fill)).__name__),
    ]

    assert kinds(answers) == kinds(CASES["queue_runner/bad_arguments"]["result"])
    assert "must be a tuple of tf.error types, but saw: ()" in answers[4]["error"]["message"]


def test_queue_runner_never_started():
    """Whoever forgot `start_queue_runners` gets what was asked for."""
    with tf.Graph().as_default():
        queue, runner = filled()
        tf.train.add_queue_runner(runner)
        with tf.Session() as sess:
            assert [sess.run(queue.dequeue()) for _ in range(7)] == list(range(7))
            with pytest.raises(tf.errors.OutOfRangeError):
                sess.run(queue.dequeue())


def test_queue_runner_local_variables_not_initialised():
    """There is nothing to initialise."""
    x = tf.train.batch([tf.train.limit_epochs(tf.constant(7), 2)], 2)
    with tf.Session() as sess:
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess, coord)

        assert sess.run(x).tolist() == [7, 7]
        with pytest.raises(tf.errors.OutOfRangeError):
            sess.run(x)
        coord.request_stop()
        coord.join(threads)


def test_queue_runner_dequeue_after_stop():
    """What was read ahead is given, in order and whole, and then the end."""
    number = tf.train.range_input_producer(1000, num_epochs=1, shuffle=False).dequeue()
    x = tf.train.batch([number], 2, capacity=6)
    with tf.Session() as sess:
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess, coord)
        given = [sess.run(x).tolist()]
        coord.request_stop()
        coord.join(threads)

        with suppress(tf.errors.OutOfRangeError):
            while True:
                given.append(sess.run(x).tolist())
    assert given == [[2 * i, 2 * i + 1] for i in range(len(given))]
    assert len(given) < 100


def test_shared_name_server_other_name():
    """Under another name it is another queue."""
    target = tf.train.Server.create_local_server().target
    one, other = shared(), shared(name="T")
    with tf.Session(target) as first, tf.Session(target) as second:
        first.run(one.enqueue_many([[1, 2, 3]]))

        assert second.run(other.size()) == 0
        assert first.run(one.size()) == 3


def test_shared_name_batch():
    """Two sessions of one target take turns at one flow: no batch goes to both."""
    target = tf.train.Server.create_local_server().target
    x = tf.train.batch([tf.constant([1, 2, 3, 4])], 2, enqueue_many=True, shared_name="S")
    with tf.Session(target) as first, tf.Session(target) as second:
        assert [first.run(x).tolist(), second.run(x).tolist()] == [[1, 2], [3, 4]]
