"""A meter counts what a stage gives, and its time without that of the stage before it."""

import pytest

import penstock.engine.meter as meter_module
from penstock.chunk import Chunk
from penstock.engine import Meter
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
