"""A thread that works gives way now and then, and not more often."""

import sys

import pytest

import penstock.engine.breath as breath_module
from penstock.engine import Breath


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When the thread gave way; the clock is its last entry plus what the test adds."""
    now, gave_way = [100.0], []
    monkeypatch.setattr(breath_module, "perf_counter", lambda: now[0])
    monkeypatch.setattr(breath_module, "give_way", lambda: gave_way.append(now[0]))
    breath = Breath()
    for _ in range(100):
        now[0] += 0.3 * breath_module.INTERVAL_S
        breath.take()
    return gave_way


def test_a_working_thread_gives_way_once_an_interval(times: list[float]):
    """Of steps of 0.3 the fourth is the first beyond a whole."""
    assert len(times) == 25


def test_the_interval_of_the_interpreter_is_never_touched():
    """It is the user's, and the same for all of his threads."""
    import penstock as ps

    before = sys.getswitchinterval()
    list(ps.join([iter(range(100))]).batch(10))

    assert sys.getswitchinterval() == before


@pytest.mark.parametrize(("regained_after_s", "waited"), [(0.0, True), (0.01, False)])
def test_a_long_pull_that_waited_is_told_from_one_that_had_no_turn(
    monkeypatch: pytest.MonkeyPatch, regained_after_s: float, waited: bool
):
    """Where other threads keep the interpreter busy, taking it again is slow, and so was every pull."""
    now = [100.0]
    monkeypatch.setattr(breath_module, "perf_counter", lambda: now[0])
    monkeypatch.setattr(breath_module, "give_way", lambda: now.__setitem__(0, now[0] + regained_after_s))

    assert breath_module.waited() is waited
