"""Queues as objects: what goes in, what comes out, and how they end. Who is served when is tested in `engine/test_line`."""

from collections.abc import Callable
from threading import Thread
from time import sleep
from typing import Any

import numpy as np
import pytest

import penstock as ps
from penstock.testing import no_threads_left, same


def test_without_a_declaration_an_element_is_what_was_put_in():
    """The very object, in any structure; many together are a batch in that structure."""
    queue = ps.FIFOQueue(8)
    first = {"x": np.arange(3), "y": 1}
    queue.enqueue(first)
    queue.enqueue_many({"x": np.arange(6).reshape(2, 3), "y": np.array([2, 3])})

    assert queue.dequeue() is first
    assert same(queue.dequeue_many(2), {"x": np.arange(6).reshape(2, 3), "y": np.array([2, 3])})


def test_a_list_is_elements_where_nothing_is_declared():
    """As a list is examples elsewhere."""
    queue = ps.FIFOQueue(8)
    queue.enqueue_many([(1, "a"), (2, "b")])

    numbers, texts = queue.dequeue_many(2)

    assert (numbers.tolist(), texts.tolist()) == ([1, 2], ["a", "b"])


@pytest.mark.parametrize(
    ("dtype", "value", "held"),
    [
        ("int32", 7, np.int32(7)),
        ("float32", 1, np.float32(1)),
        ("float32", 1.5, np.float32(1.5)),
        ("bool", True, np.True_),
        ("complex64", 2, np.complex64(2)),
        ("int8", [1, 2], np.array([1, 2], np.int8)),
        ("int64", np.int64(3), np.int64(3)),
        ("float32", [], np.zeros(0, np.float32)),
        (np.uint8, np.arange(3, dtype=np.uint8), np.arange(3, dtype=np.uint8)),
    ],
)
def test_a_declared_component_is_converted_as_tf1_did(dtype: Any, value: Any, held: Any):
    """Python's numbers take the dtype; arrays have it already."""
    queue = ps.FIFOQueue(4, [dtype])
    queue.enqueue([value])

    got = queue.dequeue()

    assert same(got, held)
    assert type(got) is type(held)


@pytest.mark.parametrize("texts", [["a", "bc"], [b"a", b"\xff"]])
def test_text_stays_what_it_is(texts: list[Any]):
    """`str` or `bytes`, one by one and many at once."""
    queue = ps.FIFOQueue(4, "string", [()])
    queue.enqueue_many([np.array(texts, object)])
    queue.enqueue(texts[0])

    assert queue.dequeue() == texts[0]
    assert queue.dequeue_many(2).tolist() == [texts[1], texts[0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda q: q.enqueue([1.5, "a"]),
            "expected `int32`, got `float64` - at component `0` of FIFOQueue 'fifo_queue'",
        ),
        (lambda q: q.enqueue([np.int64(1), "a"]), "expected `int32`, got `int64` - at component `0`"),
        (lambda q: q.enqueue([2**40, "a"]), "expected `int32`, got `int`: Python int"),
        (lambda q: q.enqueue([[1, 2], "a"]), "expected `int32[]`, got `int32[2]` - at component `0`"),
        (lambda q: q.enqueue([1]), "expected 2 components, got 1"),
        (lambda q: q.enqueue(1), "expected 2 components, got a `int`"),
        (
            lambda q: q.enqueue_many([[1, 2], ["a"]]),
            "expected as many rows as in `[0]`, 2, in each component of a chunk, got 1",
        ),
        (lambda q: q.enqueue_many([1, ["a"]]), "expected an array of rows, got a scalar `int32[]`"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_of_it_goes_in(call: Callable[[Any], Any], message: str):
    """`SpecError`, a `ValueError`, to who enqueues."""
    queue = ps.FIFOQueue(4, ["int32", "string"], [[], []])

    with pytest.raises(ps.SpecError) as caught:
        call(queue)

    assert message in str(caught.value)
    assert queue.size() == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ps.FIFOQueue(0),
            "expected `capacity` to be an integer, and not 0, got `0` - at FIFOQueue - nothing would",
        ),
        (lambda: ps.FIFOQueue(1.5), "expected `capacity` to be an integer, and not 0, got `1.5`"),
        (lambda: ps.FIFOQueue(1, "int33"), "expected a dtype, got `'int33'`"),
        (lambda: ps.FIFOQueue(1, [None]), "expected a dtype, got `None`"),
        (lambda: ps.FIFOQueue(1, ["int32"], [[], []]), "expected a shape for each of 1 components, got 2"),
        (lambda: ps.FIFOQueue(1, "int32", 3), "expected a shape for each component, got `3`"),
        (lambda: ps.FIFOQueue(1, "int32", [[-1]]), "expected a shape: a sequence of sizes and `None`, got `[-1]`"),
        (lambda: ps.FIFOQueue(1, "int32", [[None]]), "`PaddingFIFOQueue` pads dimensions that are `None`"),
        (
            lambda: ps.FIFOQueue(1, "int32", names=["a", "b"]),
            "expected a name for each of 1 components, got `['a', 'b']`",
        ),
        (lambda: ps.FIFOQueue(1, names=["a"]), "expected `dtypes` where there are `names`, got `names` alone"),
        (lambda: ps.FIFOQueue(1, name=3), "expected a name, got `3`"),
        (lambda: ps.PaddingFIFOQueue(1, "int32", None), "expected `shapes`, with `None` for what is padded, got none"),
        (lambda: ps.PaddingFIFOQueue(1, None, [[]]), "expected `dtypes`, got none"),
        (lambda: ps.RandomShuffleQueue(5, 5), "expected `capacity` above `min_after_dequeue`, 5, got 5"),
        (lambda: ps.RandomShuffleQueue(5, -1), "expected `min_after_dequeue` to be an integer >= 0, got `-1`"),
        (lambda: ps.RandomShuffleQueue(5, 1, seed="a"), "expected `seed` to be an integer, got `'a'`"),
    ],
)
def test_a_queue_that_cannot_be_is_refused_when_it_is_made(make: Callable[[], Any], message: str):
    """`PipelineError`, a `ValueError`."""
    with pytest.raises(ps.PipelineError) as caught:
        make()

    assert message in str(caught.value)


def test_elements_that_do_not_fit_together_stay():
    """They can still be taken out one by one."""
    queue = ps.FIFOQueue(4)
    queue.enqueue(np.arange(2))
    queue.enqueue(np.arange(3))

    with pytest.raises(ps.SpecError, match=r"element 1 of 2 taken out of FIFOQueue 'fifo_queue'"):
        queue.dequeue_many(2)

    assert queue.dequeue().tolist() == [0, 1]
    assert queue.dequeue_many(1).tolist() == [[0, 1, 2]]


def test_a_negative_number_is_refused():
    """TF1 said so when the graph was made."""
    with pytest.raises(
        ps.PipelineError, match="expected `n` to be an integer >= 0, got `-1` - at FIFOQueue 'fifo_queue'"
    ):
        ps.FIFOQueue(1).dequeue_many(-1)


def test_a_batch_of_none_needs_a_declaration():
    """Its dtypes and shapes; a dimension that is free is of size 0."""
    assert same(ps.PaddingFIFOQueue(1, "int32", [[None, 2]]).dequeue_many(0), np.zeros((0, 0, 2), np.int32))
    with pytest.raises(ps.SpecError, match="give `dtypes` and `shapes`"):
        ps.FIFOQueue(1).dequeue_many(0)


def test_names_make_dicts():
    """In and out."""
    queue = ps.FIFOQueue(4, ["int64", "float32"], [[], [2]], names=["n", "x"])
    queue.enqueue({"n": 1, "x": [1, 2]})
    queue.enqueue_many({"n": [2, 3], "x": np.ones((2, 2), np.float32)})

    assert queue.dequeue()["n"] == 1
    assert {name: part.shape for name, part in queue.dequeue_many(2).items()} == {"n": (2,), "x": (2, 2)}
    with pytest.raises(ps.SpecError, match=r"expected a dict of `n`, `x`, got `\{n\}`"):
        queue.enqueue({"n": 1})


def test_padding_is_to_the_longest_of_those_taken_out():
    """Any rank, each component by itself; fixed dimensions are held to."""
    queue = ps.PaddingFIFOQueue(4, ["int64", "float64"], [[None], [None, 2]])
    queue.enqueue([[1, 2, 3], np.ones((1, 2))])
    queue.enqueue([[], np.ones((2, 2))])

    first, second = queue.dequeue_many(2)

    assert first.tolist() == [[1, 2, 3], [0, 0, 0]]
    assert second[:, :, 0].tolist() == [[1, 0], [1, 1]]
    with pytest.raises(ps.SpecError, match=r"expected `float64\[\?, 2\]`, got `float64\[1, 3\]`"):
        queue.enqueue([[1], np.ones((1, 3))])


def test_the_same_seed_is_the_same_order():
    """For the same elements and calls; another seed is another."""

    def out(seed: int | None) -> list[int]:
        queue = ps.RandomShuffleQueue(64, 8, seed=seed)
        queue.enqueue_many(list(range(50)))
        first = [queue.dequeue() for _ in range(20)]
        queue.close()
        return first + queue.dequeue_up_to(64).tolist()

    assert out(None) == out(0) != out(1)
    assert sorted(out(3)) == list(range(50))


@pytest.mark.parametrize(
    "element",
    [("a", 1), 5, (), (2**63, "a")],
    ids=["text", "bare", "nothing", "too large"],
)
def test_a_priority_is_an_integer_of_64_bits(element: Any):
    """Otherwise it would be said much later, by whatever compares it."""
    queue = ps.PriorityQueue(4)

    with pytest.raises(ps.SpecError, match="expected a tuple that begins with its priority, an integer of 64 bits"):
        queue.enqueue(element)

    assert queue.size() == 0


def test_a_queue_is_a_source_and_its_flow_cancels_it():
    """What threads of one's own put in comes out as batches; who still puts in when the flow is closed is woken."""
    with no_threads_left():
        queue = ps.FIFOQueue(4)
        refused: list[BaseException] = []

        def produce() -> None:
            try:
                for number in range(1000):
                    queue.enqueue((number, number % 2))
            except ps.QueueClosed as error:
                refused.append(error)

        thread = Thread(target=produce)
        thread.start()
        with ps.batch(queue, 3).open() as flow:
            numbers, _ = next(flow)
        thread.join()

        assert numbers.tolist() == [0, 1, 2]
        assert len(refused) == 1


def test_a_queue_that_is_closed_ends_its_flow():
    """After what is in it."""
    queue = ps.FIFOQueue(8)
    queue.enqueue_many([1, 2, 3])
    queue.close()

    assert [batch.tolist() for batch in ps.batch(queue, 2, allow_smaller_final_batch=True)] == [[1, 2], [3]]


def test_time_outs_are_told():
    """`TimeoutError`, with what was there; nothing is lost."""
    queue = ps.FIFOQueue(1)
    queue.enqueue(1)

    with pytest.raises(
        TimeoutError, match=r"expected room for 1 within 0\.001 s, got room for 0 - at FIFOQueue 'fifo_queue'"
    ):
        queue.enqueue(2, timeout_s=0.001)
    with pytest.raises(TimeoutError, match="expected 2 elements within 0 s, got 1"):
        queue.dequeue_up_to(2, timeout_s=0)

    assert queue.dequeue(timeout_s=0) == 1


def test_closing_refuses_those_who_wait_if_that_is_asked_for():
    """`cancel_pending_enqueues`; what had gone in stays."""
    queue = ps.FIFOQueue(2)
    refused: list[BaseException] = []

    def produce() -> None:
        try:
            queue.enqueue_many([1, 2, 3, 4])
        except ps.QueueClosed as error:
            refused.append(error)

    thread = Thread(target=produce)
    thread.start()
    while queue.size() < 2:
        sleep(0)
    queue.close(cancel_pending_enqueues=True)
    thread.join()

    assert str(refused[0]) == "expected to wait for room, got a wait that was cancelled - at FIFOQueue 'fifo_queue'"
    assert list(queue) == [1, 2]
    assert "closed" in repr(queue)


def test_a_padding_queue_wants_to_know_the_rank():
    """As TF1's: `[None]` is a shape of which nothing is known, and not one free dimension."""
    for shapes in ([None], [None, None]):
        with pytest.raises(
            ps.PipelineError, match=r"a shape of a known rank .* - one free dimension is `\[\[None\]\]`"
        ):
            ps.PaddingFIFOQueue(10, ["int32"] * len(shapes), shapes)
