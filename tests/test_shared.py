"""`shared_name`: several pipelines of one process feed from one flow."""

from threading import Thread
from typing import Any

import numpy as np
import pytest

import penstock as ps
from penstock.testing import no_threads_left

pytestmark = pytest.mark.usefixtures("often")


def numbers(n: int = 24, capacity: int = 8, size: int = 2, name: str = "numbers") -> ps.Pipeline:
    return ps.batch(range(n), size, capacity=capacity, shared_name=name)


def flat(batches: list[Any]) -> list[int]:
    return [int(one) for batch in batches for one in batch]


def test_each_batch_goes_to_exactly_one_consumer():
    """Two consumers in turn take what one would have taken."""
    with no_threads_left(), numbers().open() as one, numbers().open() as other:
        batches = [next(one), next(other), next(other), next(one)]

    assert flat(batches) == list(range(8))


def test_consumers_in_threads_lose_and_double_nothing():
    """Four threads, each of which opens the name for itself and takes until the end."""
    got: list[list[Any]] = [[] for _ in range(4)]
    holder = numbers(400).open()

    def consume(number: int) -> None:
        with numbers(400).open() as flow:
            got[number].extend(flow)

    threads = [Thread(target=consume, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    holder.close()

    assert sorted(flat([batch for each in got for batch in each])) == list(range(400))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: numbers(capacity=16), "expected what `numbers` was opened with, capacity=8, got capacity=16"),
        (lambda: numbers(size=3), "spec=batches of [2], padded not, got spec=batches of [3], padded not"),
        (
            lambda: ps.shuffle_batch(range(24), 2, 16, 8, shared_name="numbers"),
            "kind=read join batch, got kind=read join shuffle batch",
        ),
    ],
    ids=["capacity", "spec", "kind"],
)
def test_another_description_under_the_name_is_an_error_that_names_both(other: Any, message: str):
    """Whoever would get other batches than described is told so."""
    with numbers().open(), pytest.raises(ps.PipelineError) as caught:
        other().open()

    assert message in str(caught.value)
    assert str(caught.value).endswith("everyone who shares a name describes the same; or take another name")


def test_the_flow_ends_with_its_last_consumer_and_the_name_is_free_then():
    """A name is no registry: nothing is kept that nobody uses."""
    with no_threads_left():
        one, other = numbers().open(), numbers().open()
        next(one)
        one.close()
        one.close()
        assert flat([next(other)]) == [2, 3]
        other.close()
        with pytest.raises(ps.FlowClosed):
            next(other)

        assert flat(list(numbers(size=4, n=8))) == list(range(8))


def test_a_consumer_that_is_dropped_does_not_hold_the_name():
    """As a flow that is dropped ends."""
    with no_threads_left():
        flow = numbers().open()
        next(flow)
        del flow

        assert flat([next(iter(numbers(size=3)))]) == [0, 1, 2]


def test_an_error_reaches_every_consumer():
    """Nobody waits for what will not come."""

    def broken() -> Any:
        yield from range(2)
        raise RuntimeError("broken")

    pipeline = ps.batch(broken, 2, shared_name="broken")
    with pipeline.open() as one, pipeline.open() as other:
        assert next(one).tolist() == [0, 1]
        for flow in (other, one):
            with pytest.raises(RuntimeError, match="broken"):
                next(flow)


def test_a_state_is_the_shared_flows():
    """It holds what all consumers took; they open it together, and another state is another description."""
    with numbers().open() as one, numbers().open() as other:
        next(one), next(other)
        state = other.state_dict()

    with numbers().open(state=state) as one, numbers().open(state=state) as other:
        assert flat([next(other), next(one)]) == [4, 5, 6, 7]
        with pytest.raises(ps.PipelineError, match=r"state=#.*, got state=none"):
            numbers().open()


def test_what_a_consumer_is_asked_is_the_flows():
    """Its spec, figures and report."""
    with numbers().open() as one, numbers().open() as other:
        next(one), next(other)

        assert str(one.spec()) == "int64[2]"
        assert one.stats().delivered == other.stats().delivered == 2
        assert "2 delivered" in other.report()


def test_a_spec_is_asked_of_a_flow_of_its_own():
    """To look at an example takes it from nobody."""
    with numbers().open() as flow:
        assert str(numbers(capacity=99).spec()) == "int64[2]"

        assert next(flow).tolist() == [0, 1]


def test_queues_share_by_name_too():
    """TF1's queues of one name were one queue."""
    one, other = ps.FIFOQueue(4, "int64", shared_name="rows"), ps.FIFOQueue(4, "int64", shared_name="rows")
    one.enqueue_many(np.arange(3))

    assert other.dequeue() == 0
    with pytest.raises(ps.PipelineError, match=r"kind=FIFOQueue, got kind=PaddingFIFOQueue"):
        ps.PaddingFIFOQueue(4, "int64", [()], shared_name="rows")
    with pytest.raises(ps.PipelineError, match=r"capacity=4, got capacity=5"):
        ps.FIFOQueue(5, "int64", shared_name="rows")
    with pytest.raises(ps.PipelineError, match=r"spec=int64\[…\], got spec=float32\[…\]"):
        ps.FIFOQueue(4, "float32", shared_name="rows")
    del one, other
    assert ps.FIFOQueue(5, "float32", shared_name="rows").size() == 0
