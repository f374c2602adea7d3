"""How much memory does a feed take, and does it keep to `capacity_bytes`?

W1 half-way through, beside a process that has only NumPy and has read as much. And sources that wait, of items of
64 KiB, with a loop that takes a batch now and then: what the sources have yielded and no batch holds is counted from
outside, each time that all have come to a halt.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from statistics import median

import numpy as np

import penstock as ps
from benchmarks.child import Run
from benchmarks.line import Figure, Line, short
from benchmarks.loaders.ours import feed
from benchmarks.rivals import resident_mb
from benchmarks.size import Size
from benchmarks.workloads import dense

__all__ = ["LINES", "measure"]

RESIDENT = Line(
    "resident", "W1 half-way: resident memory above", "bare NumPy with the same sources", "lower", 20.0, "MB"
)
CAPACITY = Line(
    "capacity-bytes",
    "most bytes that waited above `capacity_bytes`",
    "one item a source, which is in flight",
    "lower",
    1.0,
    "items a source",
    twin=False,
)
LINES = (RESIDENT, CAPACITY)

SOURCES = 4
ITEM = 65536
"""Bytes of an item."""
LIMIT = 1_000_000
"""`capacity_bytes`; no multiple of an item."""


def resident(examples: int) -> float:
    """Resident memory of a process half-way through W1. [MB]"""
    workload = dense(examples)
    with feed(workload).open() as flow:
        for _ in islice(flow, examples // workload.batch // 2):
            pass
        return resident_mb()


def waiting(halts: int) -> list[float]:
    """Bytes that waited at each halt, yielded by a source and in no batch yet. [bytes]"""
    yielded = [0] * SOURCES

    def items(place: int) -> Iterator[np.ndarray]:
        while True:
            time.sleep(1e-4)  # a source that waits keeps its thread
            yielded[place] += ITEM
            yield np.full(ITEM, place, np.uint8)

    sources = [lambda place=place: items(place) for place in range(SOURCES)]
    pipeline = ps.join(sources).options(capacity=1 << 20, capacity_bytes=LIMIT).batch(SOURCES)
    found = []
    with pipeline.open() as flow:
        for _ in range(halts):
            batch = next(flow)
            assert (batch == np.arange(SOURCES)[:, None]).all(), "each source in turn"
            seen, before = -1, 0
            while seen != before:  # until nothing moves for a while
                before = sum(yielded) - flow.stats().nbytes
                time.sleep(0.02)
                seen = sum(yielded) - flow.stats().nbytes
            found.append(float(seen))
    return found


def measure(size: Size, run: Run) -> Iterator[Figure]:
    """The lines of this question."""
    examples = size.of(6 * 65536, 65536)
    pairs = [
        (run(resident, examples=examples), run.named("benchmarks.rivals:resident_bare", examples=examples))
        for _ in range(2 + size.processes)
    ]
    bare = median(other for _, other in pairs)
    yield Figure(RESIDENT, tuple(own - other for own, other in pairs), f"bare {short(bare)} MB")
    most = [max(run(waiting, halts=size.of(40))) for _ in range(size.processes)]
    above = tuple(max(0.0, (nbytes - LIMIT) / ITEM / SOURCES) for nbytes in most)
    yield Figure(CAPACITY, above, f"{short(max(most) / 1e6)} MB waited, {short(LIMIT / 1e6)} MB allowed")
