"""Where the loop takes its batches: nothing is gone before it has been given."""

from threading import Event, Semaphore, Thread
from typing import Any

import pytest

from penstock.chunk import END, Chunk
from penstock.engine import Head, InlineHead
from penstock.engine import head as heads
from penstock.engine.bell import Bell
from penstock.engine.head import LEAST, MOST
from penstock.errors import Aborted, FlowClosed
from penstock.ticket import turn_tickets


class Batches:
    """A stage that gives so many numbers, as chunks of a size, then an error or the end; it may be held up."""

    def __init__(self, total: int, *, size: int = 1, error: BaseException | None = None, holds_at: int = -1) -> None:
        self.total, self.size, self.error, self.holds_at = total, size, error, holds_at
        self.given = self.closed = 0
        self.held, self.go = Event(), Event()

    def take(self, n: int) -> Chunk:
        if self.given == self.holds_at:
            self.held.set()
            self.go.wait(20)
        if self.given >= self.total:
            error, self.error = self.error, None
            return END if error is None else Chunk([], END.tickets, error=error)
        start, self.given = self.given, min(self.total, self.given + self.size)
        return Chunk(list(range(start, self.given)), turn_tickets((0,), 0, (start,), 0, self.given - start))

    def close(self) -> None:
        self.closed += 1


def pumped(stage: Batches, backlog: Any = None) -> tuple[Head, Thread]:
    head = Head(stage, name="flow", grain=1, doing=lambda: "a test", backlog=backlog)
    thread = Thread(target=head.pump, name="ps-drive-test", daemon=True)
    thread.start()
    return head, thread


def given(head: Head | InlineHead) -> Any:
    """What `Flow.__next__` does."""
    entry = head.first()
    if entry.given == len(entry.rows):
        return entry.error
    thing = entry.rows[entry.given]
    entry.rows[entry.given] = None
    entry.given += 1
    return thing


@pytest.mark.parametrize("size", [1, 3])
def test_what_is_looked_at_and_not_given_is_there_the_next_time(size: int):
    """A signal may strike anywhere between the two, and as often as it likes."""
    head, thread = pumped(Batches(30, size=size))
    out = []
    for _ in range(30):
        for _ in range(3):
            head.first()
        out.append(given(head))

    assert out == list(range(30))
    assert given(head) is None
    assert given(head) is None
    thread.join(20)


def test_an_error_comes_after_everything_before_it():
    """And again and again."""
    error = ValueError("bad")
    head, thread = pumped(Batches(5, size=2, error=error))

    assert [given(head) for _ in range(7)] == [0, 1, 2, 3, 4, error, error]
    thread.join(20)


def test_a_stage_that_raises_by_itself_is_heard_of():
    """Nothing that happens in the driver's thread leaves the loop waiting."""
    error = SystemExit("whatever it is")

    class Raises(Batches):
        def take(self, n: int) -> Chunk:
            if self.given == 2:
                raise error
            return super().take(n)

    stage = Raises(9)
    head, thread = pumped(stage)

    assert [given(head) for _ in range(3)] == [0, 1, error]
    thread.join(20)
    assert stage.closed == 1


def test_the_driver_works_no_further_ahead_than_it_may():
    """It stops at its room, and goes on when half of that is taken."""
    stage = Batches(100_000)
    head, thread = pumped(stage)
    for _ in range(1000):
        given(head)

        assert len(head._entries) <= MOST + 1
    assert LEAST <= head.stats().room <= MOST
    head.abort()
    thread.join(20)
    assert stage.given <= 1000 + MOST + 1


def test_of_slow_batches_there_is_always_one_ahead(monkeypatch: pytest.MonkeyPatch):
    """While the loop is busy with one, the driver makes the next, whenever it was that the loop had taken it."""
    monkeypatch.setattr(heads, "SLOW_S", -1.0)

    class Counted(Batches):
        def take(self, n: int) -> Chunk:
            made.release()
            return super().take(n)

    made = Semaphore(0)
    head, thread = pumped(Counted(100_000))
    assert made.acquire(timeout=20)
    for _ in range(50):
        given(head)

        assert made.acquire(timeout=20)
    head.abort()
    thread.join(20)


class Lends(Bell):
    """A backlog with nothing in it, whose loop always wants the interpreter."""

    def __init__(self) -> None:
        super().__init__()
        self.put = self.written = self.lent = 0
        self.asks_s, self.asked = -1.0, set[float]()
        self.wanted = True

    def help(self) -> None:
        self.asked.add(self.asks_s)

    def lend(self, most_s: float) -> None:
        self.asked.add(self.asks_s)
        self.lent += 1


@pytest.mark.parametrize("spare", [True, False])
def test_the_interpreter_is_lent_to_a_loop_that_wants_it(spare: bool, monkeypatch: pytest.MonkeyPatch):
    """Between two batches, where there is a processor to look with; at the end nobody is to wait for it."""
    monkeypatch.setattr(heads, "SPARE", spare)
    monkeypatch.setattr(heads, "SOON_S", 10.0)
    backlog = Lends()
    head, thread = pumped(Batches(200), backlog)

    assert [given(head) for _ in range(200)] == list(range(200))
    thread.join(20)
    assert backlog.lent > 0
    assert max(backlog.asked) == (10.0 if spare else 0.0)
    assert backlog.asks_s == 0.0


def test_an_aborted_driver_makes_no_further_batch():
    """The one it is at is its last: each may take long."""
    stage = Batches(100, holds_at=1)
    head, thread = pumped(stage)
    assert stage.held.wait(20)
    head.abort()
    stage.go.set()
    thread.join(20)

    assert stage.given == 2
    assert stage.closed == 1


def test_an_abort_wakes_a_loop_that_waits():
    """From whatever thread."""
    stage = Batches(100, holds_at=0)
    head, thread = pumped(stage)
    assert stage.held.wait(20)
    raised: list[BaseException] = []

    def take() -> None:
        try:
            head.first()
        except Aborted as error:
            raised.append(error)

    loop = Thread(target=take)
    loop.start()
    head.abort()
    loop.join(20)
    stage.go.set()
    thread.join(20)

    assert len(raised) == 1


def test_the_loops_wait_is_told_while_it_lasts():
    """A flow that hangs is asked for its report by another thread, while the loop waits."""
    stage = Batches(1, holds_at=0)
    head, thread = pumped(stage)
    assert stage.held.wait(20)
    loop = Thread(target=lambda: given(head))
    loop.start()
    while head.stats().take_wait_s == 0.0:
        pass
    first = head.stats().take_wait_s
    while head.stats().take_wait_s == first:
        pass
    stage.go.set()
    loop.join(20)
    thread.join(20)

    assert head.stats().take_wait_s > first


def test_a_head_without_threads_gives_the_same():
    """The same entries, nothing ahead."""
    error, stage = ValueError("bad"), Batches(5, size=2)
    stage.error = error
    head = InlineHead(stage, name="flow", grain=1)

    assert [given(head) for _ in range(7)] == [0, 1, 2, 3, 4, error, error]
    head.close()
    assert stage.closed == 1


def test_a_head_without_threads_that_was_interrupted_says_so_for_good():
    """What its stages were doing is lost, and to go on would leave it out without a word."""

    class Interrupted(Batches):
        def take(self, n: int) -> Chunk:
            if self.given == 2:
                self.given += 1
                raise KeyboardInterrupt
            return super().take(n)

    head = InlineHead(Interrupted(9), name="flow", grain=1)

    assert [given(head), given(head)] == [0, 1]
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            given(head)


def test_a_second_interruption_before_the_first_is_noted_changes_nothing():
    """Two signals may come at once; the flow is broken all the same."""
    head: Any = InlineHead(Batches(9), name="flow", grain=1)
    given(head)
    head._pulling = True

    with pytest.raises(FlowClosed, match="a flow that was not interrupted"):
        given(head)
