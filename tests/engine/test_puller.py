"""The driver pulls quick sources itself, in runs, and finds the one that has become slow."""

from collections.abc import Iterator
from itertools import count

import pytest

import penstock.engine.puller as puller_module
from penstock.engine import Puller


class Clock:
    """The time, as the sources make it pass."""

    def __init__(self) -> None:
        self.now = 1.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(puller_module, "perf_counter", clock)
    monkeypatch.setattr(puller_module, "waited", lambda: True)
    return clock


def source(
    clock: Clock, name: int, *, slow_from: int = 1 << 30, slow_s: float = 0.01, ends_at: int = 1 << 30
) -> Iterator[int]:
    """Numbers that tell their source; each takes a microsecond, and from some on long."""
    for i in range(ends_at):
        clock.now += slow_s if i >= slow_from else 1e-6
        yield 1000 * name + i


@pytest.mark.parametrize("first", [0, 1, 2])
def test_items_are_pulled_in_turn_from_any_place_on(clock: Clock, first: int):
    """However long its runs are, and wherever the last one stopped."""
    puller, rows = Puller(lambda: None), []
    sources = [source(clock, name) for name in range(3)]

    slow = puller(sources, first, 200, rows)
    slow = puller(sources, (first + 200) % 3, 300, rows) or slow

    assert [row // 1000 for row in rows] == [(first + i) % 3 for i in range(500)]
    assert not slow


def test_the_one_that_has_become_slow_is_found(clock: Clock):
    """A long run only raises a suspicion; then each is timed by itself."""
    puller, rows = Puller(lambda: None), []
    sources = [source(clock, name, slow_from=50 if name == 2 else 1 << 30) for name in range(4)]
    slow: list[int] = []
    while not slow:
        slow = list(puller(sources, len(rows) % 4, 100, rows))

    assert slow == [2]
    assert len(rows) <= 800
    assert [row // 1000 for row in rows] == [i % 4 for i in range(len(rows))]


def test_one_long_pull_among_many_is_no_reason(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    """Nor is a time in which other threads had the interpreter."""
    monkeypatch.setattr(puller_module, "waited", lambda: False)
    puller, rows = Puller(lambda: None), []
    sources = [source(clock, name, slow_from=50) for name in range(2)]

    assert not any(puller(sources, 0, 100, rows) for _ in range(10))


def test_what_came_before_an_error_is_there(clock: Clock):
    """It is the first part of what was asked for; the place of the error follows from how much it is."""

    def broken() -> Iterator[int]:
        yield 0
        raise ValueError("bad")

    rows: list[int] = []
    with pytest.raises(ValueError, match="bad"):
        Puller(lambda: None)([count(10), broken()], 0, 100, rows)

    assert rows == [10, 0, 11]


def test_an_end_stops_it(clock: Clock):
    """Fewer than asked for, and the next place is that of the one that ended."""
    rows: list[int] = []
    slow = Puller(lambda: None)([source(clock, 0), source(clock, 1, ends_at=7)], 0, 100, rows)

    assert len(rows) == 15
    assert not slow


def test_the_one_that_is_being_pulled_is_known_from_outside(clock: Clock):
    """For the report of a flow that hangs: whose turn it is, and for how long it has been."""
    told: list[list[float]] = []
    puller, rows = Puller(lambda: None), []

    def hangs() -> Iterator[int]:
        yield 0
        clock.now += 60.0
        told.append([puller.awaited_s(each) for each in sources])
        yield 1

    sources = [source(clock, 0), hangs(), source(clock, 2)]
    puller(sources, 0, 6, rows)

    assert told[0][0] == told[0][2] == 0.0
    assert told[0][1] == pytest.approx(60.0, abs=1e-3)
    assert puller.awaited_s(sources[1]) == 0.0
