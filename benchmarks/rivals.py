"""What no loader can do without: reading the sources, and copying the bytes once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Any

import numpy as np
import psutil

from benchmarks.workloads import Workload, dense

__all__ = ["copier", "drain", "rejection", "resident_bare", "resident_mb"]


def drain(workload: Workload) -> None:
    """Reads every source to its end in one thread, at the speed of C, and keeps nothing."""
    for source in workload.sources:
        deque(source(), maxlen=0)


def copier(workload: Workload, buffers: int) -> Callable[[], None]:
    """A function that copies as many bytes as the workload delivers, batch by batch, into warm memory.

    Args:
      workload: whose arrays have an example a row.
      buffers: how many batches are written to in turn; as many as are in flight, and the one being filled.
    """
    size, arrays = workload.batch, workload.arrays
    warm = [[np.ones((size, *array.shape[1:]), array.dtype) for array in arrays] for _ in range(buffers)]
    starts = range(0, workload.distinct - size + 1, size)
    count = workload.examples // size

    def copy() -> None:
        into = cycle(warm)
        for start in islice(cycle(starts), count):
            for buffer, array in zip(next(into), arrays, strict=True):
                np.copyto(buffer, array[start : start + size])

    return copy


def rejection(workload: Workload, accepted: Any) -> Iterator[Any]:
    """Batches of W6 by rejection, written by hand with NumPy: a coin for each row of a chunk, and no Python for each.

    Args:
      workload: of one source.
      accepted: with which probability each class is kept, float64[K].
    """
    rng, size = np.random.default_rng(0), workload.batch
    xs: list[Any] = []
    ys: list[Any] = []
    held = 0
    for x, y in workload.sources[0]():
        kept = rng.random(len(y)) < accepted[y]
        xs.append(x[kept])
        ys.append(y[kept])
        held += len(ys[-1])
        if held >= size:
            x, y = np.concatenate(xs), np.concatenate(ys)
            whole = held // size * size
            for start in range(0, whole, size):
                yield x[start : start + size], y[start : start + size]
            xs, ys, held = [x[whole:]], [y[whole:]], held - whole


def resident_mb() -> float:
    """Resident memory of this process. [MB]"""
    return float(psutil.Process().memory_info().rss) / 1e6


def resident_bare(examples: int) -> float:
    """Resident memory of a process that has NumPy and has read half of W1. [MB]"""
    workload = dense(examples)
    for source in workload.sources:
        deque(islice(source(), examples // 8), maxlen=0)
    return resident_mb()
