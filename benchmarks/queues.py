"""Are queue objects as quick as Python's own, and how much quicker many at once?

The same numbers put in and taken out, by one thread, and by one that puts in beside one that takes out; capacity 1024.
The rival is `queue.Queue`, one by one: it cannot do otherwise.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import numpy as np

from benchmarks.child import Run
from benchmarks.clock import in_turns
from benchmarks.line import Figure, Line, ratios
from benchmarks.size import Size

__all__ = ["LINES", "measure"]

RIVAL = "`queue.Queue`'s"
ONE = Line("queues-one", "one by one, in one thread: elements a second", RIVAL, "higher", 1.0, twin=False)
PAIR = Line("queues-pair", "one by one, between two threads: elements a second", RIVAL, "higher", 1.0, twin=False)
MANY = Line("queues-many", "64 at once, in one thread: elements a second", RIVAL, "higher", 5.0, twin=False)
MANY_PAIR = Line(
    "queues-many-pair", "64 at once, between two threads: elements a second", RIVAL, "higher", 5.0, twin=False
)
SHUFFLED = Line(
    "queues-shuffled", "shuffled, one by one, in one thread: elements a second", RIVAL, "higher", twin=False
)
LINES = (ONE, PAIR, MANY, MANY_PAIR, SHUFFLED)

CAPACITY, AT_ONCE = 1024, 64


def times(elements: int, reps: int) -> dict[str, list[float]]:
    """The times of passing so many numbers through each, in turns. [s]"""
    import penstock as ps

    chunk = np.arange(AT_ONCE)

    def singly(put: Callable[[Any], object], take: Callable[[], Any]) -> None:
        for first in range(0, elements, CAPACITY):
            for number in range(first, first + CAPACITY):
                put(number)
            for _ in range(CAPACITY):
                take()

    def together(put: Callable[[Any], object], take: Callable[[], Any], steps: int, thing: Any) -> None:
        def fill() -> None:
            for _ in range(steps):
                put(thing)

        thread = Thread(target=fill)
        thread.start()
        for _ in range(steps):
            take()
        thread.join()

    def many() -> None:
        own = ps.FIFOQueue(CAPACITY)
        for _ in range(elements // CAPACITY):
            for _ in range(CAPACITY // AT_ONCE):
                own.enqueue_many(chunk)
            for _ in range(CAPACITY // AT_ONCE):
                own.dequeue_many(AT_ONCE)

    def one() -> None:
        own = ps.FIFOQueue(CAPACITY)
        singly(own.enqueue, own.dequeue)

    def shuffled() -> None:
        own = ps.RandomShuffleQueue(CAPACITY, 0)
        singly(own.enqueue, own.dequeue)

    def rival() -> None:
        other: queue.Queue[int] = queue.Queue(CAPACITY)
        singly(other.put, other.get)

    def pair() -> None:
        own = ps.FIFOQueue(CAPACITY)
        together(own.enqueue, own.dequeue, elements, 1)

    def rival_pair() -> None:
        other: queue.Queue[int] = queue.Queue(CAPACITY)
        together(other.put, other.get, elements, 1)

    def many_pair() -> None:
        own = ps.FIFOQueue(CAPACITY)
        together(own.enqueue_many, lambda: own.dequeue_many(AT_ONCE), elements // AT_ONCE, chunk)

    works = {
        "one": one,
        "shuffled": shuffled,
        "many": many,
        "rival": rival,
        "pair": pair,
        "many_pair": many_pair,
        "rival_pair": rival_pair,
    }
    return in_turns(works, reps)


def measure(size: Size, run: Run) -> Iterator[Figure]:
    """The lines of this question."""
    took = run.pooled(size.processes, times, elements=size.of(200 * CAPACITY, CAPACITY), reps=size.reps)
    yield Figure(ONE, ratios(took["rival"], took["one"]))
    yield Figure(PAIR, ratios(took["rival_pair"], took["pair"]))
    yield Figure(MANY, ratios(took["rival"], took["many"]))
    yield Figure(MANY_PAIR, ratios(took["rival_pair"], took["many_pair"]))
    yield Figure(SHUFFLED, ratios(took["rival"], took["shuffled"]))
