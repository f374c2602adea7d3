"""A meter counts what a stage gives, and its time without that of the stage before it."""

import pytest

import penstock.engine.meter as meter_module
from penstock.chunk import Chunk
from penstock.engine import Meter
from penstock.engine.breath import INTERVAL_S
from penstock.errors import Aborted
from penstock.stages import Stage
from penstock.ticket import turn_tickets


class Clock:
    def __init__(self) -> None:
        self.now = 1.0

    def __call__(self) -> float:
        return self.now


class Costly:
    """A stage that gives one example at each take, after what it takes upstream and its own work."""

    discarded = 2

    def __init__(self, clock: Clock, cost_s: float, upstream: Meter | None = None) -> None:
        self.clock, self.cost_s, self.upstream = clock, cost_s, upstream

    def take(self, n: int) -> Chunk:
        if self.upstream is not None:
            self.upstream.take(n)
        self.clock.now += self.cost_s
        return Chunk([0], turn_tickets((0,), 0, (0,), 0, 1))

    def close(self) -> None: ...


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(meter_module, "perf_counter", clock)
    return clock


def test_a_stage_is_charged_its_own_time_alone(clock: Clock):
    """Or the last stage would always be the slowest."""
    inner = Meter(Costly(clock, 1.0), "join", check=lambda: None)
    outer = Meter(Costly(clock, 0.25, inner), "map", inner, check=lambda: None)
    for _ in range(4):
        outer.take(1)

    assert (inner.stats().examples, inner.stats().busy_s) == (4, 4.0)
    assert (outer.stats().examples, outer.stats().busy_s) == (4, 1.0)


def test_a_meter_goes_on_from_that_of_an_earlier_epoch(clock: Clock):
    """`repeat` builds a stage anew for each epoch; its word is one, and so are its figures."""
    inner = outer = None
    for _ in range(3):
        inner = Meter(Costly(clock, 1.0), "join", check=lambda: None, earlier=inner)
        outer = Meter(Costly(clock, 0.25, inner), "map", inner, check=lambda: None, earlier=outer)
        outer.take(1)
        outer.take(1)

    assert inner is not None
    assert outer is not None
    assert (inner.stats().examples, inner.stats().busy_s, inner.stats().discarded) == (6, 6.0, 6)
    assert (outer.stats().examples, outer.stats().busy_s, outer.stats().discarded) == (6, 1.5, 6)


class Worker:
    """A stage that takes so long for each example that it looks at, and keeps one in so many."""

    def __init__(self, clock: Clock, upstream: Stage | None, cost_s: float, *, keeps: int = 1) -> None:
        self.clock, self.upstream, self.cost_s, self.keeps = clock, upstream, cost_s, keeps
        self.asked: list[int] = []

    def take(self, n: int) -> Chunk:
        self.asked.append(n)
        kept = 0
        while not kept:
            looked_at = n if self.upstream is None else self.upstream.take(n).count
            self.clock.now += self.cost_s * looked_at
            kept = max(looked_at // self.keeps, looked_at == 1 and self.keeps == 1)
            kept = kept or int(self.keeps <= len(self.asked))
        return Chunk([0] * kept, turn_tickets((0,), 0, (0,), 0, kept))

    def close(self) -> None: ...


@pytest.mark.parametrize(("cost_s", "least", "most"), [(1e-7, 256, 256), (1e-5, 11, 15), (1e-2, 1, 1)])
def test_a_slow_function_is_asked_for_as_much_as_fits_between_two_breaths(
    clock: Clock, cost_s: float, least: int, most: int
):
    """Its thread looks up after that: other threads get their turn, and the end of the flow is heard."""
    source = Meter(Worker(clock, None, 1.0), "join", check=lambda: None)
    worker = Worker(clock, source, cost_s)
    meter = Meter(worker, "map", source, check=lambda: None, paced=True)
    for _ in range(20):
        meter.take(256)

    assert worker.asked[0] == 1, "it might take an hour"
    assert all(least <= asked <= most for asked in worker.asked[1:])
    assert cost_s * worker.asked[-1] <= max(INTERVAL_S, cost_s)


def test_a_filter_that_keeps_little_is_as_quick_as_what_it_looks_at(clock: Clock):
    """Or it would be asked for one example at a time, since each that is kept takes long."""
    source = Meter(Worker(clock, None, 0.0), "join", check=lambda: None)
    worker = Worker(clock, source, 1e-7, keeps=100)
    meter = Meter(worker, "filter", source, check=lambda: None, paced=True)
    worker.asked = [1] * 100
    for _ in range(20):
        meter.take(256)

    assert worker.asked[101:] == [256] * 19


def test_a_stopped_flow_is_heard_of_at_the_next_take(clock: Clock):
    """Wherever the stages have got to, and however long they would have gone on."""

    def check() -> None:
        raise Aborted

    worker = Worker(clock, None, 1.0)
    with pytest.raises(Aborted):
        Meter(worker, "join", check=check).take(1)

    assert worker.asked == []
