"""Shuffles, buckets, producers and queues in TF1's own spelling: as `penstock` answers, in TF1's forms and with its errors."""

from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from time import sleep
from typing import Any

import numpy as np
import pytest

import penstock as ps
from oracle import test_bucket, test_producers, test_queues, test_resample, test_shuffle, test_stratified
from oracle.cases import told, value
from oracle.test_handles import asked, handles, parts
from penstock import tf1 as tf
from penstock.testing import same

SHUFFLES = {name: case for name, case in test_shuffle.CASES.items() if name not in test_shuffle.NONE}
BUCKETS = {name: case for name, case in test_bucket.CASES.items() if name not in test_bucket.NONE}
PATIENCE_S = 20.0
PROGRAMS = {
    name: case
    for name, case in test_queues.CASES.items()
    if "steps" in case["answer"] and test_queues.OTHERWISE.get(name, {}).get("does") != "PipelineError"
}
# Where TF1 answered so, and penstock's own spelling otherwise, it is as TF1 here.
CLOSED_TWICE = "queue/fifo_close_twice"
# As TF1, where penstock's own spelling answers otherwise.
AS_TF1 = {"limit_epochs/float"}


def all_of(made: Any) -> tuple[list[Any], Exception | None]:
    """What handles give, and the error that ended them, if it is another than the end."""
    given: list[Any] = []
    try:
        with tf.Session() as sess:
            while True:
                given.append(sess.run(made))
    except tf.errors.OutOfRangeError:
        return given, None
    except Exception as error:
        return given, error


def flat(batch: Any) -> list[Any]:
    """The components of a batch of either spelling."""
    if isinstance(batch, (dict, list)):
        return parts(batch)
    return list(batch) if isinstance(batch, tuple) else [batch]


@pytest.mark.parametrize("name", SHUFFLES)
def test_a_shuffle_is_that_of_penstock(name: str):
    """The same examples in the same order, in the forms that TF1 gave."""
    case = SHUFFLES[name]
    if test_shuffle.OTHERWISE.get(name, {}).get("does") == "PipelineError":
        with pytest.raises(ValueError, match="expected"):
            asked(case, told(case))
        return

    batches, error = all_of(asked(case, told(case)))

    wanted, _ = test_shuffle.run(case)
    assert error is None
    assert len(batches) == len(wanted)
    for one, other in zip(batches, wanted, strict=True):
        assert all(same(mine, theirs) for mine, theirs in zip(flat(one), test_shuffle.components(other), strict=True))
        assert isinstance(one, {"list": list, "dict": dict}.get(case["answer"]["returns"], np.ndarray))


@pytest.mark.parametrize("name", BUCKETS)
def test_buckets_are_those_of_penstock(name: str):
    """The same batches, numbers and lengths in the same order; what TF1 refused is refused."""
    case = BUCKETS[name]
    (source,) = told(case)
    args = {key: tuple(arg["tuple"]) if isinstance(arg, dict) else arg for key, arg in case["args"].items()}
    tensors, number = handles(source, case["key_component"])

    def made() -> Any:
        if case["function"] == "bucket":
            return tf.contrib.training.bucket(tensors, number, **args)
        return tf.contrib.training.bucket_by_sequence_length(number, tensors, **args)

    if "refused" in case["answer"]:
        with pytest.raises(ValueError, match="expected"):
            made()
        return
    batches, error = all_of(made())

    wanted, ending = test_bucket.run(case, inline=True)
    assert type(error) is type(ending)
    assert len(batches) == len(wanted)
    for (first, batch), (other, theirs) in zip(batches, wanted, strict=True):
        assert np.array_equal(first, other)
        assert np.asarray(first).dtype == np.int32
        pairs = zip(flat(batch), test_bucket.components(theirs), strict=True)
        assert all(same(mine, yours) for mine, yours in pairs)


@pytest.mark.parametrize("name", [name for name in test_producers.CASES if name not in test_producers.NONE])
def test_a_producer_answers_as_tf1s_did(name: str):
    """Values as they were recorded, or as penstock's; text as bytes, as in TF1."""
    case = test_producers.CASES[name]
    entry = {} if name in AS_TF1 else test_producers.OTHERWISE.get(name, {})

    def made() -> Any:
        given = case["input"]
        thing = (
            value(given)
            if isinstance(given, list)
            else [value(one) for one in given["list"]]
            if "list" in given
            else given["python"]
        )
        produced = getattr(tf.train, case["function"])(thing, **case["args"])
        return produced.dequeue() if hasattr(produced, "dequeue") else produced

    if "refused" in case["answer"] or entry.get("does") == "PipelineError":
        with pytest.raises(ValueError, match=r"expected|num_epochs must be > 0"):
            made()
        return
    handle = made()
    values: list[Any] = []
    with tf.Session() as sess:
        for turn in range(2 if case.get("reinit") else 1):
            if turn:
                sess.run(tf.local_variables_initializer())
            try:
                while len(values) < case.get("max_steps", 1000):
                    values.append(sess.run(handle))
            except tf.errors.OutOfRangeError:
                for _ in range(case.get("extra_after_end", 1)):
                    with pytest.raises(tf.errors.OutOfRangeError):
                        sess.run(handle)
    if case["compare"] == "facts":
        pipeline = [test_producers.key(one) for one in test_producers.asked(case)]
        assert [test_producers.key(as_text(one)) for one in values] == pipeline
        return
    wanted = entry.get("values", case["answer"]["values"])
    assert len(values) == len(wanted)
    assert all(alike(one, other) for one, other in zip(values, wanted, strict=True))


def as_text(produced: Any) -> Any:
    """Bytes as the `str` that penstock's own producers give."""
    if isinstance(produced, list):
        return [as_text(part) for part in produced]
    return produced.decode() if isinstance(produced, bytes) else produced


def alike(got: Any, recorded: list[Any]) -> bool:
    """Whether a value, or a list of them, is what was recorded."""
    if isinstance(recorded[0], list):
        return isinstance(got, list) and all(map(alike, got, recorded))
    want = value(recorded)
    if isinstance(want, bytes):
        return bool(got == want)
    return np.array_equal(got, want) and np.asarray(got).dtype == np.asarray(want).dtype


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_queue_answers_in_a_session_as_tf1s_did(name: str):
    """Step by step through `sess.run`, errors by their names in TF1; what waited for ever there runs into a limit."""
    case = PROGRAMS[name]
    described = case["queue"]
    entry = {} if name == CLOSED_TWICE else test_queues.OTHERWISE.get(name, {})
    answers = entry.get("steps", case["answer"]["steps"])
    more = {key: described[key] for key in ("names", "seed", "min_after_dequeue") if described.get(key) is not None}
    declared = "types" if described["kind"] == "PriorityQueue" else "dtypes"
    queue = getattr(tf, described["kind"])(
        capacity=described["capacity"], **{declared: described["dtypes"]}, shapes=described["shapes"], **more
    )
    others: dict[str, Future[Any]] = {}
    with ThreadPoolExecutor() as pool, tf.Session() as sess:
        for number, (step, answer) in enumerate(zip(case["program"], answers, strict=True)):
            method, *arguments = step
            if method == "bg":
                name, (called, *given) = arguments
                others[name] = waiting(pool, sess, queue, getattr(queue, called)(*given))
                continue
            if method == "pending":
                assert (not others[arguments[0]].done()) == answer["value"]
                continue
            if method == "wait":
                ask = partial(others[arguments[0]].result, PATIENCE_S)
            else:
                ask = partial(sess.run, getattr(queue, method)(*arguments))
            if "blocked" in answer:
                with pytest.raises(tf.errors.DeadlineExceededError, match="expected less than 1 ms"):
                    ask(options=tf.RunOptions(timeout_in_ms=1))
                continue
            if "error" in answer:
                with pytest.raises(getattr(tf.errors, answer["error"], ValueError)):
                    ask()
                continue
            got = ask()
            if "value" in answer and case["compare"] == "exact":
                assert test_queues.same_values(as_texts(got), answer["value"]), (number, step, got)


@pytest.mark.parametrize("name", [name for name in test_queues.CASES if name not in PROGRAMS])
def test_a_queue_that_cannot_be_is_refused(name: str):
    """When it is written, also what TF1 found out at the first use."""
    described = test_queues.CASES[name]["queue"]
    more = {key: described[key] for key in ("names", "min_after_dequeue") if described.get(key) is not None}
    declared = "types" if described["kind"] == "PriorityQueue" else "dtypes"

    with pytest.raises(ValueError, match="expected"):
        getattr(tf, described["kind"])(
            capacity=described["capacity"], **{declared: described["dtypes"]}, shapes=described["shapes"], **more
        )


def waiting(pool: ThreadPoolExecutor, sess: Any, queue: Any, asked_for: Any) -> Future[Any]:
    """A step in the background, which has its place in line, or is done."""
    line = queue.running(sess)._line
    before = line.waiting
    other = pool.submit(sess.run, asked_for)
    while not other.done() and line.waiting == before:
        sleep(0)
    return other


def as_texts(got: Any) -> Any:
    """Bytes as text, in arrays too."""
    if isinstance(got, list):
        return [as_texts(part) for part in got]
    if isinstance(got, dict):
        return {key: as_texts(part) for key, part in got.items()}
    if isinstance(got, np.ndarray) and got.dtype == object:
        return np.array([as_text(part) for part in got.ravel()], object).reshape(got.shape)
    return as_text(got)


def test_to_close_a_closed_queue_is_an_error_as_in_tf1():
    """In penstock's own spelling it is closed, which is what was wanted."""
    queue = tf.FIFOQueue(2, tf.int32, shapes=[[]])
    with tf.Session() as sess:
        sess.run(queue.close())
        with pytest.raises(tf.errors.CancelledError):
            sess.run(queue.close())
        sess.run(queue.close(cancel_pending_enqueues=True))


STEPS = 400


@pytest.mark.parametrize("name", test_resample.of("resample_at_rate"))
def test_each_step_draws_copies_anew_at_the_recorded_rates(name: str):
    """The mean of n Poisson numbers lies within 5·√(λ/n) of λ, and the forms are those that TF1 gave."""
    case = test_resample.CASES[name]
    rates = np.array(case["rates"])
    rows = [tf.constant(np.arange(len(rates), dtype=dtype)) for dtype, _ in case["answer"]["static"]]
    made = tf.contrib.training.resample_at_rate(rows, tf.constant(rates), seed=0)
    with tf.Session() as sess:
        outs = [sess.run(made) for _ in range(STEPS)]

    assert type(made) is list
    assert [part.dtype.name for part in outs[0]] == [dtype for dtype, _ in case["answer"]["static"]]
    copies = np.array([np.bincount(out[0], minlength=len(rates)) for out in outs])
    assert test_resample.within(copies.mean(0), rates, test_resample.mean_sigma(rates, STEPS))
    assert (copies.std(0) > 0).all()


@pytest.mark.parametrize("name", test_resample.of("weighted_resample"))
def test_weights_are_resampled_as_by_penstock(name: str):
    """Row for row, with what is remembered from step to step; the rates are float32, as TF1's."""
    case = test_resample.CASES[name]
    (weights,), ((dtype, _),) = case["weights"], case["answer"]["static"][0]
    rows = np.arange(len(weights), dtype=dtype)
    rate = case["overall_rate"]
    made = tf.contrib.training.weighted_resample(
        [tf.constant(rows)], tf.constant(weights), rate, mean_decay=case["mean_decay"], seed=1
    )
    own = ps.WeightedResample(rate, mean_decay=case["mean_decay"], seed=1)
    with tf.Session() as sess:
        for _ in range(STEPS):
            (got,), rates = sess.run(made)
            (want,), formula = own([rows], weights)
            np.testing.assert_array_equal(got, want)
            assert (got.dtype, rates.dtype) == (np.dtype(dtype), np.float32)
            np.testing.assert_allclose(rates, formula, rtol=1e-6)


STREAMS = {
    name: case
    for cases in test_stratified.RECORDED
    for case in cases
    if (name := case["id"]) and case["compare"] == "statistics" and case["stream"]["n"]
}


@pytest.mark.parametrize("name", STREAMS)
def test_samples_of_a_recorded_stream_are_those_of_penstock(name: str):
    """Which the other tests compare with TF1's; of each stream the beginning, by example or by chunk."""
    case = STREAMS[name]
    labels = test_stratified.drawn(case, min(case["stream"]["n"], 5000))
    ids = np.arange(len(labels))
    step = case["stream"]["chunk"] if case["args"].get("enqueue_many") else None
    parts = range(0, len(ids), step) if step else range(len(ids))
    items = [(labels[at : at + step], ids[at : at + step]) if step else (labels[at], ids[at]) for at in parts]
    rows = iter(items)
    label, number = tf.py_func(lambda: next(rows), [], [tf.int32, tf.int64])
    opens = [lambda at=at: (item[at] for item in items) for at in (1, 0)]
    args = case["args"]
    if case["function"] == "rejection_sample":
        table = case["accept_prob_by_label"]
        made = tf.contrib.training.rejection_sample(
            [label, number], lambda example: tf.gather(table, example[0]), **args
        )
        rounded = np.float32(table)  # as handles have numbers
        wanted: Any = ps.rejection_sample(lambda: iter(items), lambda example: float(rounded[int(example[0])]), **args)
    else:
        [numbers], out = tf.contrib.training.stratified_sample([number], label, **args)
        made = [[numbers], out]
        wanted = ps.stratified_sample([opens[0]], opens[1], **args)

    batches, error = all_of(made)

    assert error is None
    expected = [list(batch) for batch in wanted]
    assert len(batches) == len(expected)
    for one, other in zip(batches, expected, strict=True):
        mine, theirs = (np.concatenate([np.ravel(part) for part in leaves(batch)]) for batch in (one, other))
        assert np.array_equal(mine, theirs)


def leaves(batch: Any) -> list[Any]:
    """The arrays of a batch, however it is nested."""
    return [leaf for part in batch for leaf in leaves(part)] if isinstance(batch, (list, tuple)) else [batch]
