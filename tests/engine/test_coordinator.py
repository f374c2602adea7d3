"""Starts the threads of a flow, and ends them in one way."""

import os
import signal
import sys
from threading import Event, Thread, current_thread
from time import monotonic
from typing import Any

import pytest

from penstock.engine import Bell, Coordinator
from penstock.testing import no_threads_left


class Driven:
    """Something that is pumped until it is told to end; or, if it is stubborn, until it is let go."""

    def __init__(self, *, stubborn: bool = False, close_error: BaseException | None = None) -> None:
        self.stuck = False
        self.close_error = close_error
        self.stubborn = stubborn
        self.pumping, self.told, self.ended, self.left = Event(), Event(), Event(), Event()
        self.threads: list[str] = []

    def pump(self) -> None:
        self.threads.append(current_thread().name)
        self.pumping.set()
        (self.ended if self.stubborn else self.told).wait(20)
        self.left.set()

    def abort(self) -> None:
        self.told.set()

    def doing(self) -> str:
        return "a test"


def running(*driven: Driven, grace_s: float = 5.0) -> Coordinator:
    coordinator = Coordinator("flow", grace_s=grace_s)
    for number, each in enumerate(driven):
        coordinator.start(each, f"read-{number}")
        assert each.pumping.wait(20)
    return coordinator


def test_threads_are_named_after_their_role_and_their_flow():
    """So that `top -H`, which shows fifteen letters, tells the story."""
    driven = Driven()
    with no_threads_left():
        coordinator = running(driven)
        coordinator.stop()
        coordinator.join()

    assert driven.threads == ["ps-read-0/flow"]


def test_stopping_and_joining_twice_is_stopping_once():
    """From any thread, in any order."""
    driven = Driven(stubborn=True)
    with no_threads_left():
        coordinator = running(driven, grace_s=60.0)
        for _ in range(3):
            coordinator.stop()
        joiners = [Thread(target=coordinator.join) for _ in range(3)]
        for joiner in joiners:
            joiner.start()
        while not all(waits(joiner) for joiner in joiners):
            pass
        driven.ended.set()
        coordinator.join()
        coordinator.join()
        for joiner in joiners:
            joiner.join(20)

        assert not any(joiner.is_alive() for joiner in joiners)
    assert coordinator.stragglers == []


def waits(thread: Thread) -> bool:
    """Whether a thread waits on a bell."""
    frame = sys._current_frames().get(thread.ident or 0)
    return frame is not None and frame.f_code is Bell.wait.__code__


def test_whoever_is_started_after_the_stop_is_stopped_at_once():
    """The driver may be building the next epoch while the flow is closed."""
    with no_threads_left():
        coordinator = running()
        coordinator.stop()
        coordinator.join()
        late = Driven()
        coordinator.start(late, "read-0")

        assert late.told.wait(20)


def test_a_thread_that_another_starts_while_it_is_awaited_is_awaited_too():
    """Or `close()` would come back before all is ended."""
    late = Driven(stubborn=True)

    class Starter(Driven):
        def pump(self) -> None:
            super().pump()
            coordinator.start(late, "read-1")

    coordinator = running(Starter(), grace_s=0.05)
    coordinator.stop()
    coordinator.join()
    late.ended.set()

    assert late.told.is_set()
    assert [text.splitlines()[0] for text in coordinator.stragglers] == [
        "thread 'ps-read-1/flow' is still inside the code of a test:"
    ]


def test_a_thread_that_does_not_come_back_is_named_with_its_stack():
    """After its time of grace; the others are ended."""
    stubborn, docile = Driven(stubborn=True), Driven()
    coordinator = running(stubborn, docile, grace_s=0.05)
    coordinator.stop()
    coordinator.join()
    stubborn.ended.set()

    (text,) = coordinator.stragglers
    assert text.startswith("thread 'ps-read-0/flow' is still inside the code of a test:\n")
    assert "self.ended if self.stubborn" in text
    assert (stubborn.stuck, docile.stuck) == (True, False)


@pytest.mark.alone
def test_all_stubborn_threads_share_one_time_of_grace():
    """Sixteen hung sources are not waited for sixteen times."""
    stubborn = [Driven(stubborn=True) for _ in range(16)]
    coordinator = running(*stubborn, grace_s=0.05)
    began = monotonic()
    coordinator.stop()
    coordinator.join()
    took = monotonic() - began
    for each in stubborn:
        each.ended.set()

    assert len(coordinator.stragglers) == 16
    assert took < 16 * 0.05


def test_a_source_is_cancelled_after_all_have_been_told():
    """What its call comes back to must know already that it is over; and once is enough, however many epochs there were."""
    driven, seen = Driven(stubborn=True), []

    class Source:
        def cancel(self) -> None:
            seen.append((driven.told.is_set(), current_thread().name))
            driven.ended.set()

    source, coordinator = Source(), running(driven)
    for _ in range(3):
        coordinator.on_stop(source.cancel)
    coordinator.stop()
    coordinator.join()

    assert seen == [(True, "ps-coord/flow")]
    assert coordinator.stragglers == []


def test_a_cancel_that_raises_stops_nothing_else():
    """Not even with a `SystemExit`, which would end the thread that closes."""

    def leave() -> None:
        raise SystemExit("not now")

    called, driven = [], Driven()
    coordinator = running(driven)
    coordinator.on_stop(leave)
    coordinator.on_stop(lambda: called.append(True))
    with no_threads_left():
        coordinator.stop()
        coordinator.join()

    assert called == [True]
    assert "SystemExit: not now" in coordinator.stragglers[0]


def test_what_closing_raised_is_told_once_for_all_epochs():
    """An endless repeat whose source will not close would fill the memory with one and the same error."""
    coordinator = running(*[Driven(close_error=OSError("gone")) for _ in range(3)], Driven())
    coordinator.stop()
    coordinator.join()

    assert coordinator.errors == ["closing a test raised OSError('gone'), 3 times"]


@pytest.mark.slow
def test_threads_that_have_ended_are_forgotten():
    """As are what they ran, and what that held; but not what it raised."""
    coordinator = running()
    for _ in range(500):
        driven = Driven(close_error=OSError("gone"))
        driven.told.set()
        coordinator.start(driven, "read-0")
        for thread in list(coordinator._running):
            thread.join(20)

    assert len(coordinator._running) < 100
    coordinator.stop()
    coordinator.join()
    assert coordinator.errors == ["closing a test raised OSError('gone'), 500 times"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers that strike")
def test_a_join_that_is_interrupted_can_be_called_again_and_waits():
    """The trap: before Python 3.13 `Thread.join` takes a thread for ended where a signal interrupts it."""

    class Struck(Exception):
        pass

    def strike(*about: Any) -> None:
        raise Struck

    before = signal.signal(signal.SIGALRM, strike)
    driven = Driven(stubborn=True)
    coordinator = running(driven, grace_s=20.0)
    try:
        coordinator.stop()
        for _ in range(3):
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            with pytest.raises(Struck):
                coordinator.join()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    still_there = not driven.left.is_set()
    driven.ended.set()
    coordinator.join()

    assert still_there
    assert driven.left.is_set()


def test_a_grace_that_is_longer_than_any_wait_can_be_is_the_longest_wait():
    """`grace_s=float("inf")` says what is meant: wait, however long it takes."""
    with no_threads_left():
        coordinator = running(Driven(), grace_s=float("inf"))
        coordinator.stop()
        coordinator.join()

    assert coordinator.stragglers == []


def test_in_another_process_it_does_nothing():
    """A forked child has none of the threads, and must not wait for them."""
    driven = Driven()
    coordinator = running(driven)
    coordinator.pid = os.getpid() + 1
    coordinator.stop()
    coordinator.join()
    coordinator.pid = os.getpid()

    assert not driven.told.is_set()
    coordinator.stop()
    coordinator.join()
    assert driven.told.is_set()
