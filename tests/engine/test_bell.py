"""A bell that stays rung until the one who waits has heard it."""

from threading import Condition, Lock, Thread

import pytest

from penstock.engine import Bell


def test_a_ring_before_the_wait_is_heard():
    """Whoever looks, finds nothing and then waits, would sleep through a ring in between."""
    bell = Bell()
    bell.ring()
    bell.wait()
    bell.wait(0.0)


def test_many_rings_are_one():
    """It tells that something has changed, not how often."""
    bell = Bell()
    for _ in range(5):
        bell.ring()

    bell.wait()
    assert bell._lock.locked(), "the one ring is used up"


def test_ringing_needs_no_lock_that_somebody_may_hold():
    """The trap: to notify a condition one takes its lock, which the interrupted code below may be holding."""
    condition = Condition(Lock())
    with condition:
        assert not condition.acquire(blocking=False), "a finalizer that runs here would wait for ever"

    bell = Bell()
    waiting = Thread(target=bell.wait)
    waiting.start()
    bell.ring()
    waiting.join(20)
    assert not waiting.is_alive()


@pytest.mark.slow
def test_rings_of_many_threads_at_once_are_harmless():
    """Two may find it unrung at the same time; the second then rings a bell that is rung."""
    bell, heard = Bell(), []
    ringers = [Thread(target=lambda: [bell.ring() for _ in range(20_000)]) for _ in range(4)]

    def hear() -> None:
        while len(heard) < 100:
            bell.wait()
            heard.append(True)

    waiter = Thread(target=hear)
    for thread in [waiter, *ringers]:
        thread.start()
    for ringer in ringers:
        ringer.join(20)
    while waiter.is_alive():
        bell.ring()

    assert len(heard) == 100
