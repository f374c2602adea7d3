"""How much does padding cost?

W3: ragged int32 of median length 64, batches of 128, padded to the longest. The rival is our own W1, which has nothing
to pad and a quarter of the bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.child import Run
from benchmarks.clock import in_turns
from benchmarks.line import Figure, Line, ratios
from benchmarks.loaders.ours import feed
from benchmarks.rivals import drain
from benchmarks.size import Size
from benchmarks.workloads import Workload, dense, ragged

__all__ = ["LINES", "measure"]

PADDED = Line("ragged", "W3: examples a second", "W1's examples a second", "higher", 0.7, twin=False)
DRAINED = Line("ragged-drained", "W3: time", "draining its 4 generators", "lower")
LINES = (PADDED, DRAINED)

EVEN = 1024


def times(examples: int, reps: int) -> dict[str, list[float]]:
    """The times of W3, W1, and of draining W3's generators, with as many examples, in turns. [s]"""
    padded, plain = ragged(examples), dense(examples)
    for workload in (padded, plain):
        workload.check(feed(workload))

    def read(workload: Workload) -> None:
        for _ in feed(workload):
            pass

    works = {"w3": lambda: read(padded), "w1": lambda: read(plain), "drain": lambda: drain(padded)}
    return in_turns(works, reps)


def measure(size: Size, run: Run) -> Iterator[Figure]:
    """The lines of this question."""
    took = run.pooled(size.processes, times, examples=size.of(192 * EVEN, EVEN), reps=size.reps)
    yield Figure(PADDED, ratios(took["w1"], took["w3"]))
    yield Figure(DRAINED, ratios(took["w3"], took["drain"]))
