"""Flows opened and closed by the thousand leave no thread, no file and no memory behind."""

import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any

import pytest

import penstock as ps
from penstock.testing import no_threads_left
from scenario import run_script


@pytest.mark.slow
@pytest.mark.alone
def test_ten_thousand_flows_leave_no_thread_no_file_and_no_memory():
    """A service that opens a flow for each request runs for months.

    From the 2,000th to the 10,000th flow, less than one block of memory for every eighth flow: what is left belongs to the
    interpreter (before Python 3.14, the table of what is to be done at exit keeps a hole of 8 bytes for each flow).
    Half of the flows are never closed by anybody, but dropped: not taken from at all, or in the middle.
    """
    script = run_script(
        """
        def bad():
            yield 1
            raise ValueError

        def closed(pipeline):
            with pipeline.open() as flow:
                next(flow)

        def broken_off(pipeline):
            for batch in pipeline:
                break

        def dropped(pipeline):
            pipeline.open()

        def in_a_cycle(pipeline):
            holder = [pipeline.open()]
            holder.append(holder)
            next(holder[0])

        def run_out(pipeline):
            list(pipeline.take(3))

        def failed(pipeline):
            try:
                list(ps.join([pipeline.unbatch(), bad]).batch(2))
            except ValueError:
                pass

        def inline(pipeline):
            for batch in pipeline.open(inline=True):
                break

        ways = [closed, broken_off, dropped, in_a_cycle, run_out, broken_off, dropped, failed, inline, dropped]
        pipelines = [ps.join([list(range(100))]).batch(4), ps.join([numbers]).batch(4), ps.join([[1], numbers]).repeat().batch(4)]

        def settle():
            gc.collect()
            for thread in threading.enumerate():
                if thread.name.startswith("ps-"):
                    thread.join()
            gc.collect()
            with open("/proc/self/statm") as file:
                return sys.getallocatedblocks(), int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

        began = time.monotonic()
        for number in range(10_000):
            if number == 2000:
                blocks, nbytes = settle()
            ways[number % len(ways)](pipelines[number % 3])
        ending()
        later_blocks, later_nbytes = settle()
        print("blocks", later_blocks - blocks, flush=True)
        print("megabytes", (later_nbytes - nbytes) / 1e6, flush=True)
        print("seconds", time.monotonic() - began, flush=True)
        nothing_left()
        """,
        patience_s=120,
    )

    assert script.errors == ""
    assert script.lines[-1] == "left [] []"
    figures = {name: float(figure) for name, figure in (line.split() for line in script.lines[:-1])}
    assert figures["blocks"] < 1000
    assert figures["megabytes"] < 8
    assert figures["seconds"] < 40


def numbers() -> Iterator[int]:
    yield from count()


def bad() -> Iterator[int]:
    yield 1
    raise ValueError


PIPELINES: dict[str, Callable[[], ps.Pipeline]] = {
    "lanes": lambda: ps.join([numbers, numbers]).batch(4),
    "arrival": lambda: ps.join([numbers, numbers], order="arrival").batch(4),
    "many": lambda: ps.join([numbers] * 40).batch(4),
    "memory": lambda: ps.join([[1, 2, 3] * 100]).batch(4),
    "functions": lambda: ps.join([ps.join([numbers]).map(abs), ps.join([numbers]).filter(bool)]).map(abs).batch(4),
    "repeat": lambda: ps.join([[1, 2, 3], lambda: iter([1, 2])]).repeat().batch(4),
    "shard": lambda: ps.join([[1, 2, 3], [4, 5, 6]]).shard(0, 2, by="files", end="repeat").batch(4),
    "nested": lambda: ps.join([ps.join([numbers, numbers]).batch(3), ps.join([numbers])], order="arrival").batch(4),
}


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("make", PIPELINES.values(), ids=PIPELINES)
def test_a_flow_that_is_dropped_is_freed_without_a_collection(make: Callable[[], ps.Pipeline], inline: bool):
    """Batches are large: what waits for the collector, which counts objects and not bytes, fills the memory meanwhile."""
    gc.collect()
    gc.disable()
    try:
        with no_threads_left():
            for taken in (0, 1, 30):
                flow = make().open(inline=inline)
                list(islice(flow, taken))
                del flow
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()

        assert [thing for thing in gc.garbage if type(thing).__module__.startswith("penstock")] == []
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


class Example:
    """Something that can be watched."""

    shape = ()


def test_a_closed_flow_holds_no_example_any_more():
    """Its report is still wanted, and what was read ahead is not: it may be gigabytes."""
    alive: weakref.WeakSet[Any] = weakref.WeakSet()

    def read() -> Iterator[Any]:
        for _ in count():
            example = Example()
            alive.add(example)
            yield {"example": example}

    for order in ("fixed", "arrival"):
        for inline in (False, True):
            with ps.join([read, read], order=order).open(inline=inline) as flow:
                list(islice(flow, 10))
            gc.collect()

            assert "delivered" in flow.report()
            assert len(alive) == 0, (order, inline)


def test_an_endless_repeat_forgets_the_threads_of_its_epochs():
    """Each epoch has its own; a list of all that ever ran would grow for ever."""
    with ps.join([lambda: iter([1, 2]), lambda: iter([3])], order="arrival").repeat().batch(3).open() as flow:
        list(islice(flow, 300))

        assert flow._coordinator is not None
        assert len(flow._coordinator._running) < 200
        assert threading.active_count() < 100


def test_the_batches_of_a_flow_are_freed_as_the_loop_goes_on():
    """The flow holds a few batches that are ready, and none of those that it has given."""
    before = sys.getallocatedblocks()
    with ps.join([numbers]).open() as flow:
        for _ in islice(flow, 20_000):
            pass
        grown = sys.getallocatedblocks() - before

        assert grown < 5000
