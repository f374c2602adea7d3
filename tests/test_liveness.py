"""What is finished comes out, whatever else hangs; and what hangs is named."""

from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest

import penstock as ps
from penstock.testing import no_threads_left

PATIENCE_S = 20.0
"""A batch that has not come by then is not coming. [s]"""


class Stalling:
    """A source that gives numbers, then waits until it is let go; then it ends."""

    def __init__(self, first: int, count: int) -> None:
        self.examples = range(first, first + count)
        self.stalls = Event()
        self.go = Event()

    def __call__(self) -> Iterator[int]:
        yield from self.examples
        self.stalls.set()
        self.go.wait(PATIENCE_S)

    def cancel(self) -> None:
        self.go.set()


def within_patience(function: Callable[[], Any]) -> Any:
    """The result of a call that must not hang."""
    results: list[Any] = []
    thread = Thread(target=lambda: results.append(function()), daemon=True)
    thread.start()
    thread.join(PATIENCE_S / 2)
    assert results, "it waits for what does not come"
    return results[0]


def taken(flow: Any, count: int) -> list[Any]:
    """The next few things of a flow, as lists."""
    return within_patience(lambda: [next(flow).tolist() for _ in range(count)])


@pytest.mark.parametrize("order", ["fixed", "arrival"])
def test_a_full_batch_comes_out_though_its_source_stalls_right_behind_it(order):
    """Eight examples are two batches of four; that there is no ninth for an hour is the ninth's trouble."""
    source = Stalling(0, 8)

    with ps.join([source], order=order).batch(4).open() as flow:
        batches = taken(flow, 2)
        source.go.set()

        assert batches == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_every_finished_example_comes_out_of_a_flow_without_batches():
    """Whoever takes examples one by one gets each as soon as it is its turn."""
    source, other = Stalling(0, 3), Stalling(10, 2)

    with ps.join([source, other]).open() as flow:
        examples = within_patience(lambda: [next(flow) for _ in range(5)])
        source.go.set()
        other.go.set()

        assert examples == [0, 10, 1, 11, 2]


def test_what_comes_before_a_source_that_stalls_is_delivered():
    """In the fixed order nothing can come after its turn, but all that comes before it does."""
    quick, stalls = Stalling(100, 50), Stalling(0, 3)

    with ps.join([quick, stalls]).batch(2).open() as flow:
        batches = taken(flow, 3)
        stalls.go.set()
        quick.go.set()

        assert batches == [[100, 0], [101, 1], [102, 2]]


@pytest.mark.parametrize("function", ["map", "filter"])
def test_a_function_before_the_join_holds_nothing_back(function):
    """The lane stands behind the function: what it has made of an example is not kept until the next one comes."""
    source = Stalling(0, 4)
    pipeline = ps.join([source])
    changed = pipeline.map(lambda x: x) if function == "map" else pipeline.filter(lambda x: True)

    with ps.join([changed, [10, 11, 12, 13]]).batch(8).open() as flow:
        batches = taken(flow, 1)
        source.go.set()

        assert batches == [[0, 10, 1, 11, 2, 12, 3, 13]]


def test_arrival_order_goes_on_when_one_source_stalls_for_ever():
    """That is what it is for: whoever is ready is next."""
    dead, live = Stalling(-1, 1), Stalling(0, 1000)

    with ps.join([dead, live], order="arrival").batch(10).open() as flow:
        batches = taken(flow, 100)
        dead.go.set()
        live.go.set()

        assert sorted(x for batch in batches for x in batch)[-998:] == list(range(1, 999))


def test_arrival_order_goes_on_when_a_source_deep_inside_stalls():
    """A join among the sources is one of those that may stall, and then the others go on all the same."""
    dead, mate, live = Stalling(-5, 1), Stalling(-10, 5), Stalling(0, 1000)
    inner = ps.join([dead, mate])

    with ps.join([inner, live], order="arrival").batch(10).open() as flow:
        batches = taken(flow, 99)
        dead.go.set()
        mate.go.set()
        live.go.set()

        delivered = [x for batch in batches for x in batch]
        assert [x for x in delivered if x >= 0] == list(range(len([x for x in delivered if x >= 0])))
        assert [x for x in delivered if x < 0] == [-5, -10][: len([x for x in delivered if x < 0])]


def test_a_batched_pipeline_that_stalls_does_not_hold_up_arrival_order():
    """Its batch is one item; the others do not wait for it to be full."""
    dead, live = Stalling(-4, 2), Stalling(0, 40)

    with ps.join([ps.join([dead]).batch(4), live], order="arrival").batch(10).open() as flow:
        batches = taken(flow, 4)
        dead.go.set()
        live.go.set()

        assert [x for batch in batches for x in batch] == list(range(40))


def test_the_report_names_the_source_that_hangs():
    """Nothing waits for ever without saying so: before the source has given anything, and after."""
    for given in (0, 8):
        hangs, works = Stalling(0, given), Stalling(100, 1000)
        with ps.join({"works": works, "hangs": hangs}).batch(4).open() as flow:
            batches = taken(flow, given // 2)
            assert hangs.stalls.wait(PATIENCE_S)
            waiter = Thread(target=lambda flow=flow: list(flow), daemon=True)
            waiter.start()
            report = text_of(flow, lambda text: "'hangs'" in text)
            hangs.go.set()
            works.go.set()
            waiter.join(PATIENCE_S)

            assert len(batches) == given // 2
            assert "1 ('hangs')" in report.splitlines()[1]
            assert "works" not in report.splitlines()[1]


def text_of(flow: Any, done: Callable[[str], bool]) -> str:
    """The report, once it says so; the waits that it tells grow with time, and need not be long."""
    for _ in range(2_000_000):
        text = str(flow.report())
        if done(text):
            break
    return text


def test_the_report_names_a_source_that_hangs_after_it_was_taken_for_quick():
    """The driver itself is stuck in it then, and has no time to say so; the report does."""
    hangs = Stalling(0, 4000)
    with ps.join({"hangs": hangs}).batch(1000).open() as flow:
        taken(flow, 4)
        assert hangs.stalls.wait(PATIENCE_S)
        waiter = Thread(target=lambda: list(flow), daemon=True)
        waiter.start()
        report = text_of(flow, lambda text: "'hangs'" in text)
        hangs.go.set()
        waiter.join(PATIENCE_S)

        assert "0 ('hangs')" in report.splitlines()[1]


def test_the_report_names_the_last_source_in_arrival_order():
    """The others have ended, so it alone is waited for."""
    hangs = Stalling(0, 2)
    with ps.join({"short": [7, 8], "hangs": hangs}, order="arrival").batch(2).open() as flow:
        taken(flow, 2)
        waiter = Thread(target=lambda: list(flow), daemon=True)
        waiter.start()
        report = text_of(flow, lambda text: "'hangs'" in text)
        hangs.go.set()
        waiter.join(PATIENCE_S)

        assert "1 ('hangs')" in report.splitlines()[1]


def test_an_epoch_without_an_example_ends_an_endless_repeat():
    """Without an error it would turn for ever."""
    with no_threads_left(), pytest.raises(ps.SpecError, match="at least one example in each epoch"):
        next(ps.join([[]]).repeat().batch(1).open())


@pytest.mark.parametrize("sources", [1, 2])
def test_batches_of_chunks_that_have_come_are_given_while_the_next_is_waited_for(sources: int):
    """However quick the source was before: to pull several chunks together would keep back those that are there."""
    goes_on = Event()

    def stalling() -> Iterator[np.ndarray]:
        for number in range(40):
            yield np.full(8, number)
        goes_on.wait()

    pipeline = ps.batch_join([stalling] * sources, 4, enqueue_many=True).options(watchdog_s=20)
    with pipeline.open() as flow:
        given = [int(next(flow)[0]) for _ in range(2 * 40 * sources)]
        goes_on.set()

    assert given == [number for number in range(40) for _ in range(2 * sources)]
