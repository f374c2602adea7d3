"""How much slower is a feed of tiny examples than merely reading its sources?

W1: Python generators of `(float32[16], int64)`, batches of 256, read ahead. The rival reads the same generators in one
thread and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.child import Run
from benchmarks.clock import in_turns
from benchmarks.line import Figure, Line, ratios
from benchmarks.loaders.ours import feed
from benchmarks.rivals import drain
from benchmarks.size import Size
from benchmarks.workloads import Workload, dense

__all__ = ["LINES", "measure"]

FEW = Line("drain-4", "W1, 4 sources: time", "draining the 4 generators", "lower", 2.0, aim=1.6)
MANY = Line("drain-256", "W1, 256 sources: time", "its own time with 4 sources", "lower", 1.3, twin=False)
MANY_DRAINED = Line("drain-256-drained", "W1, 256 sources: time over draining", "draining the 256 generators", "lower")
LINES = (FEW, MANY, MANY_DRAINED)

EVEN = 256 * 256
"""Examples that make whole batches of 256 sources."""


def times(examples: int, reps: int) -> dict[str, list[float]]:
    """The times of feeds and drains of 4 and of 256 sources, in turns. [s]"""
    few, many = dense(examples), dense(examples, 256)
    for workload in (few, many):
        workload.check(feed(workload))

    def read(workload: Workload) -> None:
        for _ in feed(workload):
            pass

    works = {
        "drain-4": lambda: drain(few),
        "feed-4": lambda: read(few),
        "drain-256": lambda: drain(many),
        "feed-256": lambda: read(many),
    }
    return in_turns(works, reps)


def measure(size: Size, run: Run) -> Iterator[Figure]:
    """The lines of this question."""
    took = run.pooled(size.processes, times, examples=size.of(6 * EVEN, EVEN), reps=size.reps)
    yield Figure(FEW, ratios(took["feed-4"], took["drain-4"]))
    yield Figure(MANY, ratios(took["feed-256"], took["feed-4"]))
    yield Figure(MANY_DRAINED, ratios(took["feed-256"], took["drain-256"]))
