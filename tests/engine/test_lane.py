"""What a lane does, one thing at a time; all of it together is tested in `test_lane_machine`."""

from collections.abc import Callable, Iterator
from itertools import count
from threading import Thread
from typing import Any

import numpy as np
import pytest

import penstock as ps
import penstock.engine.lane as lane_module
from lockstep import LockStep, StepBell
from penstock.chunk import END, Chunk
from penstock.engine import Lane, Wave
from penstock.engine.head import MOST
from penstock.errors import Aborted
from penstock.sources import as_source
from penstock.stages import RowReader
from penstock.ticket import turn_tickets

QUICK_S, SLOW_S = 1e-6, 1.0


class Numbers:
    """A stage of which the test says how long each pull takes, and how it ends."""

    def __init__(self, clock: "Clock", *, ends_at: int = 1 << 30, error: BaseException | None = None) -> None:
        self.clock = clock
        self.ends_at = ends_at
        self.error = error
        self.given = 0
        self.closed = 0
        self.step: LockStep | None = None

    def take(self, n: int) -> Chunk:
        if self.step is not None:
            self.step.pause("a pull")
        self.clock.now += self.clock.pull_s
        start, stop = self.given, min(self.given + n, self.ends_at)
        self.given = stop
        error = None
        if stop == self.ends_at:
            error, self.error = self.error, None
        if start == stop and error is None:
            return END
        return Chunk(list(range(start, stop)), turn_tickets((0,), 0, (start,), 0, stop - start), error=error)

    def close(self) -> None:
        self.closed += 1


class Clock:
    """The time, as the test has it."""

    def __init__(self) -> None:
        self.now = 1.0
        self.pull_s = QUICK_S

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(lane_module, "perf_counter", clock)
    monkeypatch.setattr(lane_module, "waited", lambda: True)
    return clock


Stepped = tuple[Lane, LockStep]


@pytest.fixture
def stepped() -> Iterator[Callable[..., Stepped]]:
    """Gives a lane whose thread goes only when told; ends it."""
    made: list[Stepped] = []

    def make(stage: Any, **options: Any) -> Stepped:
        filled, freed = StepBell(), StepBell()
        lane: Any = Lane(stage, name="numbers", bell=filled, **options)
        lane._freed = freed
        step = LockStep(lane.pump)
        stage.step = filled.step = freed.step = step
        made.append((lane, step))
        return lane, step

    yield make
    for lane, step in made:
        lane.close()
        step.finish()


def go_to(step: LockStep, stop: str) -> None:
    for _ in range(200):
        if step.go() == stop:
            return
    raise AssertionError(f"the thread did not come to {stop}, but to {step.at}")


def parked(lane: Lane, step: LockStep) -> Lane:
    """Takes from a quick lane until the stage is handed over."""
    while not lane.stats().parked:
        lane.take(1)
        go_to(step, "a ring")
    lane.take(1)
    return lane


@pytest.mark.usefixtures("clock")
def test_a_full_lane_pulls_no_further(stepped, clock):
    """Room is for what waits; one more is in the source's hands at most, and here not even that."""
    stage = Numbers(clock)
    lane, step = stepped(stage, room=3)

    go_to(step, "a wait")

    assert stage.given == 3
    assert lane.stats().held == lane.stats().most_held == 3


def test_an_item_larger_than_the_room_enters_alone(stepped, clock):
    """Otherwise it could never enter, and the flow would stand still."""
    stage = Numbers(clock, ends_at=20)
    lane, step = stepped(stage, room=4, grain=10, items=True)

    go_to(step, "a ring")
    assert lane.stats().held == 10
    go_to(step, "a wait")
    assert stage.given == 10
    assert lane.take(9).count == 9
    go_to(step, "a pull")
    go_to(step, "a wait")

    assert stage.given == 20
    assert lane.stats().held == 1, "the second is in flight, and waits for the room of the first"
    assert [lane.take(100).count, lane.take(100).count] == [1, 10]


def test_bytes_are_counted_where_they_are_limited(stepped, clock):
    """A float is 8 bytes; three fit into 24, and the fourth waits though there is room for it."""
    lane, step = stepped(Numbers(clock), room=100, room_bytes=24)

    go_to(step, "a wait")

    assert lane.stats().held == 3
    assert lane.stats().most_bytes == 24


def test_an_example_is_there_as_soon_as_it_is_pulled(stepped, clock):
    """The thread is inside the next pull, for an hour if need be; what it pulled before is taken."""
    lane, step = stepped(Numbers(clock), room=8)

    go_to(step, "a pull")
    go_to(step, "a pull")
    at = step.at
    chunk = lane.take(8)

    assert chunk.as_rows() == [0]
    assert step.at == at, "the taker did not need the thread"


def test_examples_that_are_ready_are_taken_together_and_an_error_stays_behind_them(stepped, clock):
    """One hand-over for all of them; the error is not lost with the last."""
    error = ValueError("bad")
    lane, step = stepped(Numbers(clock, ends_at=3, error=error), room=8)
    clock.pull_s = SLOW_S
    go_to(step, "the end")

    first, second, third = lane.take(8), lane.take(8), lane.take(8)

    assert (first.as_rows(), first.error) == ([0, 1], None)
    assert (second.as_rows(), second.error) == ([2], error)
    assert third.is_end
    assert lane.take(8).is_end


def test_the_stage_is_closed_before_its_end_is_told(stepped, clock):
    """Whoever hears of the end may open the same file again, as `repeat` does."""
    stage = Numbers(clock, ends_at=1)
    lane, _ = stepped(stage, room=8)
    clock.pull_s = SLOW_S

    assert lane.take(1).count == 1
    assert lane.take(1).is_end
    assert stage.closed == 1


def test_a_quick_stage_is_handed_to_the_taker(stepped, clock):
    """Two threads that compute wait for the same interpreter; one thread does not wait at all."""
    stage = Numbers(clock)
    lane, step = stepped(stage, room=8, parks=True)

    parked(lane, step)
    at, given = step.at, stage.given
    rows = lane.take(5).as_rows()

    assert rows == list(range(given, given + 5))
    assert step.at == at, "the lane's thread had no part in it"
    assert lane.at_hand() > 1_000_000


def test_a_stage_that_turns_slow_gets_its_thread_back_and_at_the_second_time_for_good(stepped, clock):
    """To be wrong once is cheap; to change to and fro for ever is not."""
    stage = Numbers(clock)
    lane, step = stepped(stage, room=8, parks=True)
    taken = []

    for strike in (1, 2):
        while not lane.stats().parked:
            taken += lane.take(1).as_rows()
            go_to(step, "a ring")
        taken += lane.take(3).as_rows()
        clock.pull_s = SLOW_S
        while lane.stats().parked:
            taken += lane.take(1).as_rows()
        clock.pull_s = QUICK_S
        taken += lane.take(1).as_rows()
        assert step.at != "the start", strike
    for _ in range(1100):
        taken += lane.take(1).as_rows()

    assert not lane.stats().parked
    assert taken == list(range(len(taken)))


@pytest.mark.parametrize("parks", [False, True])
def test_a_stage_is_closed_once_and_by_whoever_has_it(stepped, clock, parks: bool):
    """Its own thread, or the taker while the lane is parked; never both, never neither."""
    stage = Numbers(clock)
    lane, step = stepped(stage, room=8, parks=parks)
    if parks:
        parked(lane, step)
    else:
        go_to(step, "a pull")

    lane.close()
    closed_by_the_taker = stage.closed
    step.finish()
    lane.close()

    assert closed_by_the_taker == parks
    assert stage.closed == 1


def test_a_lane_that_is_closed_while_it_is_about_to_park_closes_its_stage(stepped, clock):
    """The taker has gone and does not come back for it."""
    stage = Numbers(clock)
    lane, step = stepped(stage, room=50, parks=True)
    for _ in range(lane_module.PROBES):
        go_to(step, "a ring")
    go_to(step, "a pull")

    lane.close()
    step.finish()

    assert lane.stats().parked
    assert stage.closed == 1


@pytest.mark.parametrize("stop", ["a pull", "a wait"])
def test_an_aborted_lane_ends_its_thread_and_its_taker(stepped, clock, stop: str):
    """Wherever they are, and whatever is ready."""
    stage = Numbers(clock)
    lane, step = stepped(stage, room=2)
    go_to(step, stop)

    lane.abort()
    step.finish()

    with pytest.raises(Aborted):
        lane.take(1)
    with pytest.raises(Aborted):
        lane.take(1)
    assert stage.closed == 1


def test_an_abort_wakes_a_taker_that_waits():
    """A real thread, blocked in `take` of a lane that gives nothing."""
    lane = Lane(Numbers(Clock()), name="numbers", room=1)
    raised: list[type[BaseException]] = []

    def take() -> None:
        try:
            lane.take(1)
        except Aborted as error:
            raised.append(type(error))

    taker = Thread(target=take)
    taker.start()
    lane.abort()
    taker.join(20)

    assert raised == [Aborted]


@pytest.mark.parametrize("parks", [False, True])
def test_what_a_stage_raises_itself_is_the_ending_of_its_lane(stepped, clock, parks: bool):
    """A stage gives errors as data; one that raises all the same does not leave the taker waiting."""
    error = SystemExit(3)

    class Broken(Numbers):
        def take(self, n: int) -> Chunk:
            if self.given == 9:
                raise error
            return super().take(min(n, 9 - self.given))

    lane, _ = stepped(Broken(clock), room=20, parks=parks)
    taken = []
    while (chunk := lane.take(4)).error is None:
        taken += chunk.as_rows()

    assert taken == list(range(9))
    assert chunk.error is error
    assert lane.take(4).is_end


def test_what_closing_a_stage_raises_is_kept(stepped, clock):
    """Told when the flow is closed; a `SystemExit` too, which would end the thread without a word."""

    class Unclosable(Numbers):
        def close(self) -> None:
            raise SystemExit("no")

    lane, step = stepped(Unclosable(clock), room=1)
    lane.close()
    step.finish()

    assert type(lane.close_error) is SystemExit


def test_a_wait_is_told_while_it_lasts(stepped, clock):
    """What hangs shows in the figures before it is over, which it may never be."""
    lane, _ = stepped(Numbers(clock), room=1)
    lane.begin_wait()
    clock.now += 5.0
    during = lane.stats().take_wait_s
    clock.now += 2.0
    lane.end_wait()
    clock.now += 100.0

    assert during == 5.0
    assert lane.stats().take_wait_s == 7.0


def test_lanes_of_a_wave_get_their_threads_when_one_of_them_proves_slow(clock):
    """The unread ones at the same time, since they may be as slow; those that were quick stay as they are."""
    wave, started = Wave(), []
    stages = [Numbers(clock) for _ in range(4)]
    lanes = [Lane(stage, name="numbers", room=4, parks=True, wave=wave) for stage in stages]
    for number, lane in enumerate(lanes):
        wave.starts[lane] = lambda number=number: started.append(number)

    assert lanes[0].take(2).as_rows() == [0, 1]
    clock.pull_s = SLOW_S
    assert lanes[1].take(1).as_rows() == [0]

    assert started == [1, 2, 3]
    assert [lane.stats().parked for lane in lanes] == [True, False, False, False]
    assert list(wave.starts) == [lanes[0]]


def test_a_refilled_array_is_copied_also_by_a_lane_without_a_thread(clock):
    """Whether a source refills one array is found out from its first two examples, whoever pulls them."""

    def read() -> Iterator[Any]:
        array = np.zeros(1, np.int64)
        for i in range(4):
            array[0] = i
            yield array

    wave = Wave()
    lane = Lane(RowReader(as_source(read), 0, epoch=0, copy=None), name="read", room=4, parks=True, wave=wave)

    assert lane.direct is None
    rows = lane.take(1).as_rows() + lane.take(1).as_rows()
    assert lane.direct is not None
    assert [int(row[0]) for row in rows + lane.take(2).as_rows()] == [0, 1, 2, 3]


# Whole flows: the bounds of law L4.


class Counted:
    """A source that counts what has been asked of it."""

    def __init__(self, make: Callable[[int], Any] = int) -> None:
        self.make = make
        self.given = 0

    def __call__(self) -> Iterator[Any]:
        for i in count():
            self.given += 1
            yield self.make(i)


@pytest.mark.parametrize("order", ["fixed", "arrival"])
@pytest.mark.parametrize(("n_sources", "capacity"), [(1, 1), (1, 32), (4, 32), (5, 32), (40, 32), (256, 32), (3, 1)])
def test_the_lanes_hold_no_more_than_the_capacity_or_one_each(order: str, n_sources: int, capacity: int):
    """Each lane owns one place; what is left is shared. Nobody gets more because he is quick."""
    sources = [Counted() for _ in range(n_sources)]
    with ps.batch_join(sources, 8, capacity=capacity, order=order).open() as flow:
        for _ in range(20):
            next(flow)
        stats = flow.stats()

    rooms = [max(1, source.room) for source in stats.sources]
    assert sum(rooms) <= max(capacity, n_sources)
    assert all(source.most_held <= room for source, room in zip(stats.sources, rooms, strict=True))
    assert all(source.given >= 1 for source in sources) or order == "arrival"


@pytest.mark.parametrize("order", ["fixed", "arrival"])
def test_what_is_read_ahead_is_bounded_by_the_capacity_and_a_few_batches(order: str):
    """At whatever moment one looks: the lanes, one example in each source's hands, and what the driver has ready."""
    sources = [Counted() for _ in range(4)]
    with ps.batch_join(sources, 8, capacity=32, order=order).open() as flow:
        for delivered in range(1, 20):
            next(flow)
            for _ in range(50):
                read = sum(source.given for source in sources)

                assert read <= 8 * (delivered + MOST + 2) + 32 + 4


@pytest.mark.parametrize("order", ["fixed", "arrival"])
def test_the_lanes_hold_no_more_bytes_than_they_may_and_one_example_each(order: str):
    """An array of 1,000 bytes, and 10,000 for four sources: two each, and whatever is in flight beside them."""
    sources = [Counted(lambda i: np.zeros(1000, np.uint8)) for _ in range(4)]
    with ps.batch_join(sources, 8, capacity=1000, capacity_bytes=10_000, order=order).open() as flow:
        for _ in range(50):
            next(flow)
        stats = flow.stats()

    assert sum(source.most_bytes for source in stats.sources) <= 10_000
    assert all(source.most_bytes <= 2500 for source in stats.sources)


def test_an_example_of_more_bytes_than_there_is_room_for_comes_through():
    """It enters alone."""
    sources = [Counted(lambda i: np.full(1000, i % 7, np.uint8)) for _ in range(2)]
    with ps.batch_join(sources, 4, capacity=100, capacity_bytes=10, order="arrival").open() as flow:
        batches = [next(flow) for _ in range(5)]
        stats = flow.stats()

    assert [batch.shape for batch in batches] == [(4, 1000)] * 5
    assert all(source.most_held == 1 for source in stats.sources)
    assert all(source.most_bytes == 1000 for source in stats.sources)


def test_a_chunk_larger_than_the_capacity_comes_through():
    """A user's chunk is never cut by the lane; it waits alone."""
    chunks = [np.arange(start, start + 50) for start in (0, 50, 100)]

    batches = list(ps.batch(lambda: iter(chunks), 10, capacity=4, enqueue_many=True))

    assert np.concatenate(batches).tolist() == list(range(150))
