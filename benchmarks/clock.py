"""Times several things in turns, so that a slow moment of the machine meets them all."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from time import perf_counter

__all__ = ["in_turns", "seconds"]


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes. [s]"""
    gc.collect()
    started = perf_counter()
    work()
    return perf_counter() - started


def in_turns(works: Mapping[str, Callable[[], object]], reps: int) -> dict[str, list[float]]:
    """The times of each, `reps` times: A B, B A, A B, … after one call of each that is not counted. [s]"""
    names = list(works)
    times: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        works[name]()
    for rep in range(reps):
        for name in names if rep % 2 == 0 else reversed(names):
            times[name].append(seconds(works[name]))
    return times
