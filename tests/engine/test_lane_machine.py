"""A lane against a list, whatever its thread and its taker do in which order."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import penstock.engine.lane as lane_module
from lockstep import LockStep, StepBell
from penstock.chunk import END, Chunk
from penstock.engine import Lane
from penstock.errors import Aborted
from penstock.ticket import turn_tickets

WHOLE = 1 << 30


class Script:
    """A stage that gives numbers, as the machine says: how many at a time, how slowly, and how it ends."""

    def __init__(self, sizes: list[int], *, whole: bool) -> None:
        self.step: LockStep | None = None
        self.sizes = sizes
        self.whole = whole
        self.items: list[range] = []
        self.given = 0
        self.now = 0.0
        self.cost_s = 1.0
        self.ending: str | None = None
        self.error: BaseException | None = None
        self.closed = 0

    def take(self, n: int) -> Chunk:
        assert self.step is not None
        self.step.pause("a pull")
        self.now += self.cost_s
        error, self.error = self.error, None
        if self.ending == "raised" and error is not None:
            raise error
        if self.ending is not None and (error is None or self.ending == "alone"):
            return END if error is None else Chunk([], END.tickets, error=error)
        size = self.sizes[len(self.items) % len(self.sizes)]
        count = min(n, size)
        start, self.given = self.given, self.given + count
        self.items.append(range(start, self.given))
        tickets = turn_tickets((0,), 0, (start,), 0, count)
        return Chunk([float(i) for i in self.items[-1]], tickets, error=error)

    def close(self) -> None:
        self.closed += 1

    def clock(self) -> float:
        return self.now


class LaneMachine(RuleBasedStateMachine):
    """The model is a counter: what has been taken is 0, 1, 2, ... without a gap, up to what the script gave."""

    @initialize(
        room=st.integers(1, 6),
        room_bytes=st.sampled_from([None, 8, 24]),
        kind=st.sampled_from(["rows", "runs", "items"]),
        sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4),
        parks=st.booleans(),
        quick=st.booleans(),
    )
    def make(self, room: int, room_bytes: int | None, kind: str, sizes: list[int], parks: bool, quick: bool) -> None:
        self.script = Script([1] if kind == "rows" else sizes, whole=kind == "items")
        self.let_the_source_take_its_time(quick)
        filled, freed = StepBell(), StepBell()
        self.freed = freed
        self.lane: Any = Lane(
            self.script,
            name="numbers",
            room=room,
            room_bytes=room_bytes,
            grain=1 if kind == "rows" else WHOLE,
            items=kind == "items",
            parks=parks,
            bell=filled,
        )
        self.lane._freed = freed
        self.room, self.room_bytes = room, room_bytes
        self.largest = max(self.script.sizes)
        self.taken = 0
        self.ended = self.aborted = False
        self.error: BaseException | None = None
        self.kept = lane_module.perf_counter, lane_module.waited
        lane_module.perf_counter, lane_module.waited = self.script.clock, lambda: True
        self.step = LockStep(self.lane.pump)
        self.script.step = filled.step = freed.step = self.step

    def teardown(self) -> None:
        if hasattr(self, "step"):
            self.lane.close()
            self.step.finish()
            lane_module.perf_counter, lane_module.waited = self.kept
            assert self.script.closed == 1

    @rule(stops=st.integers(1, 12))
    def let_the_thread_go(self, stops: int) -> None:
        for _ in range(stops):
            self.step.go()

    @rule(quick=st.booleans())
    def let_the_source_take_its_time(self, quick: bool) -> None:
        self.script.cost_s = 1e-6 if quick else 1.0

    @precondition(lambda self: not self.aborted)
    @rule(n=st.integers(1, 12))
    def take(self, n: int) -> None:
        chunk = self.lane.take(n)

        assert chunk.count <= n
        assert chunk.as_rows() == [float(i) for i in range(self.taken, self.taken + chunk.count)]
        assert [ticket.offset for ticket in chunk.tickets] == list(range(self.taken, self.taken + chunk.count))
        self.taken += chunk.count
        if chunk.error is not None:
            assert chunk.error is self.error
            self.error = None
        elif chunk.count == 0:
            assert self.script.ending is not None, "an end that nobody told"
            assert self.error is None, "an error is told before the end"
            assert self.taken == self.script.given, "what was there before the end comes out"
            self.ended = True
        assert not (self.ended and chunk.count), "nothing comes after the end"

    @precondition(lambda self: not self.aborted)
    @rule()
    def what_is_at_hand_is_taken_without_the_thread(self) -> None:
        at = self.step.at
        if self.lane.at_hand() and not self.lane._parked:
            self.step.at = "elsewhere"
            self.take(1)

            assert self.step.at == "elsewhere"
            self.step.at = at

    @precondition(lambda self: self.script.ending is None and self.script.given > 10)
    @rule(
        ending=st.sampled_from(["alone", "with examples before it", "raised"]),
        error=st.sampled_from([None, ValueError("bad"), SystemExit(3)]),
    )
    def let_the_source_end(self, ending: str, error: BaseException | None) -> None:
        self.script.ending = ending
        self.script.error = self.error = error

    @precondition(lambda self: self.script.given > 20)
    @rule()
    def abort(self) -> None:
        self.lane.abort()
        self.aborted = True

        with pytest.raises(Aborted):
            self.lane.take(1)

    @invariant()
    def no_more_waits_than_there_is_room_for(self) -> None:
        if not hasattr(self, "lane"):
            return
        stats = self.lane.stats()
        waiting = range(self.taken, self.taken + stats.held)
        items = [item for item in self.script.items if item[0] < waiting.stop and item[-1] >= waiting.start]
        alone = len(items) == 1
        assert stats.held <= self.room or (alone and self.script.whole), f"{items} wait, for {self.room} there is room"
        if self.room_bytes is not None:
            assert 8 * stats.held <= self.room_bytes or alone, (
                f"{items} wait, for {self.room_bytes} bytes there is room"
            )
        assert stats.most_held <= max(self.room, self.largest if self.script.whole else 0)

    @invariant()
    def a_thread_that_waits_has_no_room(self) -> None:
        if not hasattr(self, "lane") or self.step.at != "a wait" or self.freed.rung or self.lane.stats().parked:
            return
        held, flying = self.lane.stats().held, self.script.given - self.taken - self.lane.stats().held
        # An item's bytes are given back with its last example.
        counted = sum(8 * len(item) for item in self.script.items if item[-1] >= self.taken)
        over = self.room_bytes is not None and counted > self.room_bytes
        assert held >= self.room or held + flying > self.room or over

    @invariant()
    def one_item_is_in_flight_and_no_more(self) -> None:
        if hasattr(self, "lane"):
            assert self.script.given - self.taken - self.lane.stats().held <= self.largest


@pytest.fixture(autouse=True)
def own_clock() -> Iterator[None]:
    """The machine has the lane's clock for itself, and gives it back."""
    kept = lane_module.perf_counter, lane_module.waited
    yield
    lane_module.perf_counter, lane_module.waited = kept


@pytest.mark.slow
def test_a_lane_gives_everything_once_and_in_order_whatever_happens_when():
    """Put, take, cut, park, end, error and abort in any order; each thread goes only when the machine says."""
    LaneMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
    LaneMachine.TestCase("runTest").runTest()
