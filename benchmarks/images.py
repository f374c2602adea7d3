"""How near are images to one copy of their bytes, and does memory stay as it is?

W2: four sources of `uint8[224, 224, 3]`, batches of 64, the last three of which stay in use. The rival copies the same
bytes once, into as many warm buffers.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

from benchmarks.child import Run
from benchmarks.clock import in_turns
from benchmarks.line import Figure, Line, ratios
from benchmarks.loaders.ours import feed
from benchmarks.rivals import copier, resident_mb
from benchmarks.size import Size
from benchmarks.workloads import image

__all__ = ["LINES", "measure"]

SPEED = Line("images", "W2, three batches in use: speed", "`np.copyto` into four warm buffers in turn", "higher", 0.9)
STRICT = Line("images-one", "W2, three batches in use: speed", "`np.copyto` into one warm buffer", "higher", twin=False)
GROWTH = Line(
    "images-growth",
    "W2, 1,000 batches: growth of resident memory",
    "from the first half to the second",
    "lower",
    1.0,
    "MB",
    twin=False,
)
LINES = (SPEED, STRICT, GROWTH)

IN_USE = 3
BATCH = 64
WORK_S = 2e-3
"""What the loop takes for a batch, where memory is measured. [s]"""
EVEN = 512
"""Images that make whole rounds of the four sources."""


def times(examples: int, reps: int) -> dict[str, list[float]]:
    """The times of the feed and of the copies, in turns. [s]"""
    workload = image(examples)
    workload.check(feed(workload))

    def read() -> None:
        deque(feed(workload), maxlen=IN_USE)

    works = {"feed": read, "four": copier(workload, IN_USE + 1), "one": copier(workload, 1)}
    return in_turns(works, reps)


def growth(batches: int) -> float:
    """By how much the most resident memory in the last half of so many batches is more than that in the first. [MB]

    The loop works for a while on each batch, so that as much is read ahead as there ever is. Even so there is now and then a
    buffer less in use, which a median would take for growth; and what the end of the data takes is not looked at.
    """
    in_use: deque[object] = deque(maxlen=IN_USE)
    workload = image((200 + batches) * BATCH + EVEN)
    seen: list[float] = []
    with feed(workload).open() as flow:
        for _ in range(100 + batches):
            in_use.append(next(flow))
            time.sleep(WORK_S)
            seen.append(resident_mb())
    return max(seen[100 + batches // 2 :]) - max(seen[100 : 100 + batches // 2])


def measure(size: Size, run: Run) -> Iterator[Figure]:
    """The lines of this question."""
    took = run.pooled(size.processes, times, examples=size.of(24 * EVEN, EVEN), reps=size.reps)
    yield Figure(SPEED, ratios(took["four"], took["feed"]))
    yield Figure(STRICT, ratios(took["one"], took["feed"]))
    yield Figure(GROWTH, tuple(run(growth, batches=size.of(1000)) for _ in range(size.processes)))
