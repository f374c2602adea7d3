"""Does the number of classes matter?

As many examples of W5's kind, equal shares in batches of 256: of 100,000 classes, each of which comes once in 100,000
examples, and of W5's 10.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.child import Run
from benchmarks.clock import in_turns
from benchmarks.line import Figure, Line, ratios
from benchmarks.proportions import check, feed, read
from benchmarks.size import Size
from benchmarks.workloads import MANY, many, skewed

__all__ = ["LINES", "measure"]

TIME = Line(
    "classes-many", "W5 with 100,000 classes: time for an input", "its own time with 10", "lower", 2.0, twin=False
)
LINES = (TIME,)

EVEN = 2 * MANY
"""Examples that make whole rounds of the classes."""


def times(examples: int, reps: int) -> dict[str, list[float]]:
    """The times of as many examples of 100,000 and of 10 classes, in turns. [s]"""
    few, plenty = skewed(examples), many(examples)
    for workload in (few, plenty):
        check(workload, feed(workload))
    works: dict[str, Callable[[], object]] = {
        "few": lambda: read(feed(few)),
        "many": lambda: read(feed(plenty)),
    }
    return in_turns(works, reps)


def measure(size: Size, run: Run) -> Iterator[Figure]:
    """The line of this question."""
    took = run.pooled(size.processes, times, examples=size.of(5 * EVEN, EVEN), reps=size.reps)
    yield Figure(TIME, ratios(took["many"], took["few"]))
