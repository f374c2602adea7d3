"""Gives way to the other threads of Python, often enough that a training step does not wait for its turn.

A thread that runs Python without a pause holds the interpreter for five milliseconds at a time, and a training loop that
lets it go for each matrix product would wait that long after each.
The interval of the interpreter itself is never touched: it is the user's.

`sched_yield` lets go of the interpreter for a microsecond; `sleep(0)` would do as well where nobody waits for it, but on
Linux it sleeps for about 70. Who waits for it is woken then, and has lost if it needs longer than that microsecond to come:
the interpreter is taken again, and the waiter sleeps on. That somebody was woken shows in how long it took, and that he did
not come in that this thread was busy all the while; only then it sleeps too, for as short as it can (benchmarks/step.py: 1.6
times a step alone, where it was 2.1 to 3.6). To wake somebody takes from 5 microseconds to 50, as the machine is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from time import perf_counter, sleep, thread_time
from typing import final

__all__ = ["INTERVAL_S", "LONG_S", "Breath", "waited"]

INTERVAL_S = 1.5e-4
"""How long a thread works before it gives way. [s]"""
WOKEN_S = 3e-6
"""Giving way takes longer than this where it wakes another thread. [s]"""
CAME_S = 1e-5
"""This thread has been idle for longer than this where that thread came in time, and had its turn. [s]"""

give_way: Callable[[], None] = getattr(os, "sched_yield", partial(sleep, 0))
"""Lets other threads of Python run."""

LONG_S = 1e-3
"""A pull that takes longer than this waits for something. [s]"""


def waited() -> bool:
    """Whether a long pull, just over, waited for something else than the interpreter: taking that again now is quick."""
    started = perf_counter()
    give_way()
    return perf_counter() - started < LONG_S / 2


@final
class Breath:
    """When this thread last gave way; one for each thread."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = perf_counter()

    def take(self) -> None:
        """Gives way if it is time to."""
        if perf_counter() - self._last > INTERVAL_S:
            busy, started = thread_time(), perf_counter()
            give_way()
            took = perf_counter() - started
            if took > WOKEN_S and took - (thread_time() - busy) < CAME_S:
                sleep(1e-6)
            self._last = perf_counter()
