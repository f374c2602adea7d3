"""Are chunks handed over without a copy where they can be, and what does it cost where they cannot?

W4: chunks of 1,024 rows of `(float32[16], int64)`. Batches of 256 lie within a chunk, and are views of it; batches of
300 do not, and are put together anew. The rival copies the same bytes once, batch by batch, into a warm buffer.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from benchmarks.child import Run
from benchmarks.clock import in_turns
from benchmarks.line import Figure, Line, ratios
from benchmarks.loaders.ours import feed
from benchmarks.rivals import copier
from benchmarks.size import Size
from benchmarks.workloads import CHUNK, CHUNKS, Workload, chunk

__all__ = ["LINES", "measure"]

VIEWS = Line(
    "chunks-views", "W4, batches of 256: share that are views", "all after the first chunks", "higher", 1.0, twin=False
)
VIEW_SPEED = Line("chunks-view-speed", "W4, batches of 256: speed", "`np.copyto` into a warm buffer", "higher", aim=2.6)
REBATCHED = Line("chunks-rebatched", "W4, batches of 300: speed", "`np.copyto` into a warm buffer", "higher", 0.7)
LINES = (VIEWS, VIEW_SPEED, REBATCHED)

EVEN = 4 * CHUNKS * CHUNK
"""Rows that make whole rounds of the four sources."""


def share_of_views(examples: int) -> float:
    """The share of the batches whose every part lies in its source's memory.

    The first chunk of each source may be a copy, by which a source that refills one array is found out.
    """
    workload = chunk(examples)
    views = [
        all(np.shares_memory(part, array) for part, array in zip(batch, workload.arrays, strict=True))
        for batch in islice(feed(workload), len(workload.sources) * CHUNK // workload.batch, None)
    ]
    return sum(views) / len(views)


def times(examples: int, reps: int) -> dict[str, list[float]]:
    """The times of feeds and copies in batches of 256 and of 300, in turns. [s]"""
    within, across = chunk(examples, batch=256), chunk(examples, batch=300)
    for workload in (within, across):
        workload.check(feed(workload))

    def read(workload: Workload) -> None:
        for _ in feed(workload):
            pass

    works = {
        "feed-256": lambda: read(within),
        "copy-256": copier(within, 1),
        "feed-300": lambda: read(across),
        "copy-300": copier(across, 1),
    }
    return in_turns(works, reps)


def measure(size: Size, run: Run) -> Iterator[Figure]:
    """The lines of this question."""
    yield Figure(VIEWS, (run(share_of_views, examples=EVEN),))
    took = run.pooled(size.processes, times, examples=size.of(16 * EVEN, EVEN), reps=size.reps)
    yield Figure(VIEW_SPEED, ratios(took["copy-256"], took["feed-256"]))
    yield Figure(REBATCHED, ratios(took["copy-300"], took["feed-300"]))
