"""Flows beside and inside each other, and in whatever thread they are opened, taken from and asked."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from threading import Event, Thread
from typing import Any

import pytest

import penstock as ps
from penstock.testing import no_threads_left


def upto(stop: int, start: int = 0) -> Any:
    return lambda: iter(range(start, stop))


def batches_of(flow: Any) -> list[Any]:
    return [batch.tolist() for batch in flow]


def test_flows_of_one_pipeline_do_not_know_of_each_other():
    """Each opens the sources for itself; that one is closed does not end the other."""
    pipeline = ps.join([upto(50), upto(150, 100)]).batch(4, keep_last=True)
    alone = batches_of(pipeline)

    with no_threads_left(), pipeline.open() as one, pipeline.open() as two, pipeline.open(inline=True) as three:
        taken = [batches_of(islice(flow, 3)) for flow in (one, two, three)]
        one.close()
        taken[1] += batches_of(two)
        taken[2] += batches_of(three)

    assert taken == [alone[:3], alone, alone]


def test_many_flows_run_side_by_side_in_many_threads():
    """Whose thread opens it, takes from it or closes it does not matter."""
    pipeline = ps.join([upto(300), upto(1300, 1000), upto(50)]).batch(7, keep_last=True)
    alone = batches_of(pipeline)

    with no_threads_left(), ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: batches_of(pipeline), range(24)))

    assert results == [alone] * 24


def test_a_flow_is_passed_from_thread_to_thread():
    """One at a time may take from it; none of them is special."""
    with no_threads_left(), ps.join([upto(40)]).batch(4).open() as flow:
        taken: list[Any] = []
        for _ in range(10):
            taker = Thread(target=lambda: taken.append(next(flow).tolist()))
            taker.start()
            taker.join(20)

    assert taken == [list(range(start, start + 4)) for start in range(0, 40, 4)]


@pytest.mark.parametrize("inline", [False, True])
def test_a_generator_may_read_from_a_flow(inline: bool):
    """A source is anything that is iterated; a flow inside has threads of its own, and ends with the generator."""

    def pairs() -> Iterator[int]:
        with ps.join([upto(1000), count(5000)]).batch(2).open(inline=inline) as flow:
            for batch in flow:
                yield int(batch.sum())

    with no_threads_left(), ps.join([pairs, pairs]).batch(4).open() as flow:
        taken = batches_of(islice(flow, 3))

    assert taken == [[5000, 5000, 5002, 5002], [5004, 5004, 5006, 5006], [5008, 5008, 5010, 5010]]


@pytest.mark.parametrize("order", ["fixed", "arrival"])
def test_joins_within_joins_give_the_same_with_and_without_threads(order: str):
    """However deep; with functions, parts that are batched, epochs and cuts in between."""
    inner = ps.join([upto(20), ps.join([upto(130, 100), upto(205, 200)]).map(lambda x: x + 1)])
    batched = ps.join([upto(330, 300)]).batch(3)
    pipeline = ps.join([inner.take(30).repeat(2), batched, inner.filter(lambda x: x % 2)], order=order).batch(
        5, keep_last=True
    )

    with no_threads_left():
        threaded = batches_of(pipeline)
    inline = batches_of(pipeline.open(inline=True))

    if order == "fixed":
        assert threaded == inline
    assert sorted(x for batch in threaded for x in batch) == sorted(x for batch in inline for x in batch)
    assert [x for batch in threaded for x in batch if 300 <= x < 330] == list(range(300, 330))


@pytest.mark.slow
@pytest.mark.parametrize("order", ["fixed", "arrival"])
@pytest.mark.parametrize("cut", [1, 3, 1000])
def test_an_endless_repeat_of_lanes_goes_on_for_hundreds_of_epochs(order: str, cut: int):
    """Each epoch has lanes and threads of its own; those before it have ended."""
    pipeline = ps.join([upto(3), upto(13, 10)], order=order).take(cut).repeat().batch(6)

    with no_threads_left(), pipeline.open() as flow:
        taken = [x for batch in islice(flow, 200) for x in batch.tolist()]

    if order == "fixed":
        epoch = [0, 10, 1, 11, 2, 12][:cut]
        assert taken == (epoch * 1200)[:1200]
    else:
        assert set(taken) <= {0, 1, 2, 10, 11, 12}


def test_the_figures_of_an_endless_repeat_are_those_of_all_epochs():
    """Of the sources, whether they are read again inside their lanes or with all the others."""
    one = ps.join([ps.join([upto(3)]).repeat(5), upto(15)]).batch(2)
    other = ps.join([upto(3), upto(3)]).repeat(5).batch(2)

    for pipeline in (one, other):
        with pipeline.open() as flow:
            list(flow)
            stats = flow.stats()

        assert [source.examples for source in stats.sources] == [15, 15]
        assert stats.stages[-1].examples == 15
        assert stats.examples == 30


@pytest.mark.slow
def test_a_flow_can_be_asked_at_any_moment_by_any_thread():
    """A web page shows its figures while the driver changes what they are of: inputs that end, epochs that begin."""
    stop, errors = Event(), []
    flow = ps.join([upto(3), upto(200, 100), lambda: iter([7]), upto(30)]).repeat().batch(4).open()

    def ask() -> None:
        try:
            while not stop.is_set():
                stats = flow.stats()
                assert all(source.examples >= 0 for source in stats.sources)
                flow.report()
                repr(flow)
        except BaseException as error:
            errors.append(error)

    asking = [Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    for _ in islice(flow, 1000):
        pass
    stop.set()
    for thread in asking:
        thread.join(20)
    flow.close()

    assert errors == []


def test_a_flow_that_is_never_taken_from_reads_ahead_all_the_same():
    """The first batch is ready when the loop comes for it, after the model has been built."""
    ready = Event()

    def read() -> Iterator[int]:
        for i in count():
            if i == 4:
                ready.set()
            yield i

    with no_threads_left(), ps.join([read]).batch(4).open():
        assert ready.wait(20)


def test_a_closed_flow_says_so():
    """And not that it has ended."""
    flow = ps.join([upto(10)]).batch(2).open()
    next(flow)
    flow.close()

    with pytest.raises(
        ps.FlowClosed, match=r"^expected an open flow, got one that was closed - open the pipeline again$"
    ):
        next(flow)
    assert "closed" in repr(flow)


@pytest.mark.parametrize("inline", [False, True])
def test_a_one_shot_source_is_used_up_by_its_first_flow(inline: bool):
    """The second says so, in its turn, and what to do."""
    pipeline = ps.join([iter(range(4))]).batch(2)
    first = batches_of(pipeline.open(inline=inline))

    with pytest.raises(ps.PipelineError, match="pass a callable that makes it"):
        next(pipeline.open(inline=inline))
    assert first == [[0, 1], [2, 3]]


def test_a_source_that_comes_back_late_finds_its_flow_closed():
    """It was left behind with a warning; its thread ends as soon as it can, and closes the source."""
    go, stalls, closed = Event(), Event(), Event()

    def read() -> Iterator[int]:
        try:
            yield 1
            stalls.set()
            go.wait(20)
            yield 2
        finally:
            closed.set()

    with no_threads_left():
        flow = ps.join([read]).batch(1).options(grace_s=0.5).open()  # time for the driver, which is not stuck, to end
        next(flow)
        assert stalls.wait(20)
        with pytest.warns(ps.PenstockWarning, match="is still inside the code of source"):
            flow.close()
        still_open = not closed.is_set()
        go.set()

        assert closed.wait(20)
    assert still_open
