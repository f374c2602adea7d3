"""Handles: what they give in a step, and what they say where they cannot be used."""

import contextvars
import subprocess
import sys

import numpy as np
import pytest

import penstock as ps
from penstock import tf1 as tf


def counter(n: int | None = None) -> tf.Handle:
    numbers = iter(range(n if n is not None else 1 << 40))
    return tf.py_func(lambda: next(numbers), [], tf.int64)


def values(handle: object) -> list[object]:
    with tf.feed(handle) as feed:
        return list(feed)


def test_an_origin_is_read_once_a_step():
    """However many handles come of it, and however often each is asked for."""
    x = counter(3)

    assert values({"x": [x, x + 1], "y": (x * 10, x)}) == [{"x": [i, i + 1], "y": (i * 10, i)} for i in range(3)]


def test_operators_and_functions_map_handles_to_handles():
    """As TF1's scripts prepare an example."""
    x = counter()
    row = tf.stack([x, x + 1, x + 2])
    pairs = {
        "slice": row[1:],
        "cast": tf.cast(row, tf.float32) / 2.0,
        "reshape": tf.reshape(row, [3, 1]),
        "transpose": tf.transpose(tf.expand_dims(row, 0)),
        "concat": tf.concat([row, [9, 9]], 0),
        "one_hot": tf.one_hot(x, 3),
        "less": x < 5,
        "equal": tf.equal(x, 0),
        "where": tf.where(row > 1, row, -row),
        "sum": tf.reduce_sum(row),
        "mean": tf.reduce_mean(tf.to_float(row)),
        "size": tf.size(row),
        "shape": tf.shape(row),
        "gather": tf.gather([10, 20, 30], x),
    }

    first = next(tf.feed(pairs))

    assert {name: np.asarray(value).tolist() for name, value in first.items()} == {
        "slice": [1, 2],
        "cast": [0.0, 0.5, 1.0],
        "reshape": [[0], [1], [2]],
        "transpose": [[0], [1], [2]],
        "concat": [0, 1, 2, 9, 9],
        "one_hot": [1.0, 0.0, 0.0],
        "less": True,
        "equal": True,
        "where": [0, -1, 2],
        "sum": 3,
        "mean": 1.0,
        "size": 3,
        "shape": [3],
        "gather": 10,
    }


@pytest.mark.parametrize(
    "use",
    [np.asarray, np.log, lambda x: np.ones(2) + np.asarray(x), bool, int, float, len, list, lambda x: [1, 2][x]],
    ids=["asarray", "log", "add", "bool", "int", "float", "len", "list", "index"],
)
def test_what_needs_a_value_says_that_a_handle_has_none(use):
    """A function of another library would otherwise go on with nonsense."""
    with pytest.raises(TypeError) as caught:
        use(counter())

    if use is not np.log:
        assert "which has one only in a step" in str(caught.value)
        assert "`tf1.py_func`" in str(caught.value)


def test_torch_says_that_a_handle_has_no_value():
    """As TensorFlow, JAX and torch would each ask in their own way."""
    torch = pytest.importorskip("torch")

    with pytest.raises((TypeError, RuntimeError)):
        torch.as_tensor(counter())
    with pytest.raises(tf.errors.FormError, match="a function of TensorFlow's own"):
        counter().__tf_tensor__()


def test_a_declared_shape_is_checked_at_each_step():
    """TF1 believed it."""
    x = tf.py_func(lambda: np.zeros(3), [], tf.float64)
    x.set_shape([None])
    assert x.get_shape().as_list() == [None]
    assert next(tf.feed(x)).shape == (3,)
    x.set_shape([2])

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"expected the shape `\[2\]` that was set, got `\[3\]`"):
        next(tf.feed(x))


def test_a_python_function_is_held_to_its_dtypes():
    """Another dtype, or another number of results, is the data's fault."""
    wrong = tf.py_func(lambda: np.float64(1), [], tf.float32)
    fewer = tf.py_func(lambda: [1], [], [tf.int64, tf.int64])

    with pytest.raises(tf.errors.InvalidArgumentError, match="expected `float32`, as `Tout` says, got `float64`"):
        next(tf.feed(wrong))
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected 2 results, got 1"):
        next(tf.feed(fewer))


def test_a_feed_ends_a_loop_and_raises_out_of_range_to_next():
    """Both idioms, and every time one asks again."""
    with tf.feed(counter(2)) as feed:
        assert list(feed) == [0, 1]
        for _ in range(2):
            with pytest.raises(tf.errors.OutOfRangeError):
                next(feed)


def test_a_session_raises_out_of_range_in_a_generator_too():
    """As a `StopIteration` it would turn into a RuntimeError there."""
    x = counter(2)

    def steps():
        with tf.Session() as sess:
            while True:
                try:
                    yield sess.run(x)
                except tf.errors.OutOfRangeError:
                    return

    assert list(steps()) == [0, 1]


def test_the_users_exception_stays_the_users():
    """After the whole batches before it, the same object, in the session and in the coordinator."""
    error = KeyError("label")
    numbers = iter([1, 2, 3])

    def read() -> int:
        number = next(numbers, None)
        if number is None:
            raise error
        return number

    x = tf.train.batch([tf.py_func(read, [], tf.int64)], 2)
    with tf.Session() as sess:
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess, coord)
        assert sess.run(x).tolist() == [1, 2]
        with pytest.raises(KeyError) as caught:
            sess.run(x)
        assert caught.value is error
        assert coord.should_stop()
        with pytest.raises(KeyError) as again:
            coord.join(threads)
        assert again.value is error


def test_a_bad_example_has_tf1s_name_with_its_place():
    """`SpecError` is `InvalidArgumentError` here, with the same words."""
    shapes = iter([2, 3])
    x = tf.train.batch([tf.py_func(lambda: np.zeros(next(shapes)), [], tf.float64)], 2)

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"float64\[2\]") as caught, tf.feed(x) as feed:
        next(feed)

    assert isinstance(caught.value.__cause__, ps.SpecError)


@pytest.mark.parametrize("wrong", [3, "images", None, [counter(), 1]])
def test_what_is_no_handle_cannot_be_run(wrong: object):
    """It says what came."""
    with tf.Session() as sess, pytest.raises(TypeError, match=r"expected handles of `penstock.tf1`"):
        sess.run(wrong)


def test_a_name_that_is_not_here_says_whose_it_is():
    """Models stay with TensorFlow."""
    with pytest.raises(AttributeError, match="models, variables and summaries stay with TensorFlow"):
        _ = tf.Variable


def test_every_name_is_there():
    """`__all__` is what one can reach."""
    assert [name for name in tf.__all__ if not hasattr(tf, name)] == []
    assert [name for name in tf.train.__all__ if not hasattr(tf.train, name)] == []


def test_placeholders_are_fed():
    """Of a step of its own, and an error that names it where it was forgotten."""
    x = tf.placeholder(tf.float32, name="scale")
    with tf.Session() as sess:
        assert sess.run(x * 2, feed_dict={x: 4}) == 8
        with pytest.raises(tf.errors.InvalidArgumentError, match="placeholder `scale`"):
            sess.run(x)


def test_two_sessions_share_nothing():
    """Each has its own place in the data."""
    x = tf.train.range_input_producer(3, num_epochs=1, shuffle=False).dequeue()
    with tf.Session() as first, tf.Session() as second:
        assert [first.run(x), first.run(x), second.run(x)] == [0, 1, 0]


def test_random_numbers_are_the_same_on_every_run():
    """And drawn anew at each step."""
    with tf.Graph().as_default():
        tf.set_random_seed(3)
        x = tf.random_uniform([2])
        runs = [[value.tolist() for value, _ in zip(tf.feed(x), range(3), strict=False)] for _ in range(2)]

    assert runs[0] == runs[1]
    assert runs[0][0] != runs[0][1]


def test_a_closed_session_runs_nothing():
    """Closing it twice is fine."""
    sess = tf.Session()
    sess.close()
    sess.close()

    with pytest.raises(tf.errors.CancelledError):
        sess.run(counter())


def test_a_feed_that_is_dropped_stops_what_runs_behind_it():
    """`next(tf.feed(...))` leaves no thread; also where one batch is read by another, and flags beside it."""
    x = counter()
    inner = tf.train.maybe_batch([x], x > 3, 2)
    outer = tf.train.shuffle_batch_join([[inner], [inner]], 3, 10, 4)

    assert next(tf.feed(outer)).shape == (3, 2)


def test_a_running_feed_is_stopped_by_closing_its_session():
    """The threads of an endless source end with it."""
    x = tf.train.batch([counter()], 2)
    y = tf.train.batch([x], 3)
    with tf.Session() as sess:
        assert sess.run(y).shape == (3, 2)


def test_what_is_known_of_a_shape_is_told_before_anything_runs():
    """Old code asks for it; a dimension that is padded, or the last batch's, is free."""
    x = tf.reshape(tf.cast(counter(), tf.float32), [1, 1])

    known = tf.train.batch([x], 4)
    free = tf.train.batch([x], 4, dynamic_pad=True, allow_smaller_final_batch=True)
    rows = tf.train.batch([x], 4, enqueue_many=True)

    assert [handle.get_shape().as_list() for handle in (x, known, free, rows)] == [
        [1, 1],
        [4, 1, 1],
        [None, None, None],
        [4, 1],
    ]
    with pytest.raises(ValueError, match="unknown shape"):
        counter().get_shape().as_list()


def test_settings_of_a_session_are_taken_and_change_nothing():
    """As nearly every old script passes them."""
    config = tf.ConfigProto(allow_soft_placement=True)
    config.gpu_options.allow_growth = True

    with tf.Session(config=config) as sess:
        assert sess.run(tf.constant(1)) == 1


def test_an_interactive_session_is_the_default_one():
    """`eval` runs in it; without any it says what to do."""
    x = counter()
    with pytest.raises(ValueError, match="no default session"):
        x.eval()

    context = contextvars.copy_context()
    sess = context.run(tf.InteractiveSession)

    assert [context.run(x.eval), context.run(x.eval)] == [0, 1]
    assert context.run(tf.get_default_session) is sess
    with tf.Session() as other:
        assert tf.get_default_session() is other
        assert x.eval() == 2
    sess.close()


LEFT_OPEN = """
import itertools
from penstock import tf1 as tf

numbers = itertools.count()
x = tf.train.batch([tf.py_func(numbers.__next__, [], tf.int64)], 4)
queue = tf.FIFOQueue(4, tf.int64, shapes=[[4]])
tf.train.add_queue_runner(tf.train.QueueRunner(queue, [queue.enqueue(x)]))
sess = tf.Session()
print(sess.run(queue.dequeue()))
"""


@pytest.mark.slow
def test_a_script_that_closes_nothing_ends_in_peace():
    """As many old ones did: the threads do not hold it up, and nothing is printed."""
    command = [sys.executable, "-W", "error", "-c", LEFT_OPEN]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (run.returncode, run.stdout, run.stderr) == (0, "[0 1 2 3]\n", "")


def test_a_producer_tells_its_size_and_is_closed_like_a_queue():
    """Old scripts print the one and run the other."""
    names = tf.train.string_input_producer(["a", "b", "c"], shuffle=False)
    name = names.dequeue()
    with tf.Session() as sess:
        assert sess.run([name, names.size()]) == [b"a", 0]
        sess.run(names.close())
        with pytest.raises(tf.errors.OutOfRangeError):
            sess.run(name)


def test_what_is_known_of_a_one_hot_shape():
    """Models ask for it."""
    assert tf.one_hot(tf.constant([1, 2]), 3).get_shape().as_list() == [2, 3]
    assert next(tf.feed(tf.one_hot(tf.constant(1), 3))).tolist() == [0, 1, 0]


def test_a_provider_tells_how_many_examples_one_pass_has():
    """Also where it repeats them for ever, as slim's did."""
    provider = tf.data_provider({"image": np.zeros((4, 2)), "label": [1, 2, 3, 4]}, num_epochs=None)

    assert provider.num_samples() == 4
    assert provider.list_items() == ["image", "label"]
    label = provider.get(["label"])
    assert [part.tolist() for part in next(tf.feed(tf.train.batch(label + label, 6)))] == [[1, 2, 3, 4, 1, 2]] * 2


def test_a_placeholder_may_have_a_default():
    """Of another handle, or a constant."""
    size = tf.placeholder_with_default(3, [])
    queue = tf.FIFOQueue(10, tf.int32, shapes=[[]])
    numbers = queue.dequeue_many(size)
    with tf.Session() as sess:
        sess.run(queue.enqueue_many([[0, 1, 2, 3, 4]]))
        assert sess.run(numbers).tolist() == [0, 1, 2]
        assert sess.run(numbers, {size: 2}).tolist() == [3, 4]


def test_a_constant_may_say_how_large_a_batch_is():
    """TF1 took a tensor too; one that is known only when it runs is refused when it is written."""
    row = tf.train.limit_epochs(tf.constant(7), 4)

    assert [batch.tolist() for batch in tf.feed(tf.train.batch([row], tf.constant(2)))] == [[7, 7], [7, 7]]
    with pytest.raises(ValueError, match="expected `batch_size` to be an integer >= 1, got `<Handle"):
        tf.train.batch([row], tf.placeholder(tf.int32, []))


def test_names_that_are_no_texts_are_a_type_error():
    """As in TF1."""
    with pytest.raises(TypeError, match=r"expected texts, got `int32` - at string_input_producer"):
        tf.train.string_input_producer([1, 2])
