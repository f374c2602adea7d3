"""How long until the first batch, how long to close, how long to import?

W1, batches of 256. The rivals: the same by hand, in a thread that pulls 256 examples of the generators in turn, stacks
them, and is joined; and `import numpy`, without which nothing goes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from statistics import median

from benchmarks.child import Run
from benchmarks.line import Figure, Line, ratios, short
from benchmarks.loaders.ours import feed
from benchmarks.loaders.turns import in_turn, stack
from benchmarks.size import Size
from benchmarks.workloads import Workload, dense

__all__ = ["LINES", "measure"]

COLD = Line(
    "first-cold",
    "from `open()` to the first batch, the first flow of a process",
    "a thread that does it by hand",
    "lower",
    5.0,
    "ms",
)
FIRST = Line("first", "from `open()` to the first batch", "a thread that does it by hand", "lower", 5.0, "ms")
CLOSE = Line("close", "`close()` in the middle", "joining that thread", "lower", 20.0, "ms")
IMPORT = Line("import", "`import penstock`: time", "`import numpy`", "lower", 1.5)
LINES = (COLD, FIRST, CLOSE, IMPORT)

EXAMPLES = 65536
BEFORE_CLOSING = 64
"""Batches that are taken before a flow is closed."""

IMPORTING = "import time; started = time.perf_counter(); import {}; print(time.perf_counter() - started)"


def by_hand(workload: Workload) -> tuple[float, float]:
    """Times of a first batch from a thread of one's own, and of joining it. [s]"""
    made: list[object] = []
    ready = threading.Event()

    def work() -> None:
        examples = in_turn(workload.sources)
        made.append(stack([next(examples) for _ in range(workload.batch)]))
        ready.set()

    started = time.perf_counter()
    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    first = time.perf_counter()
    thread.join()
    return first - started, time.perf_counter() - first


def times(reps: int) -> dict[str, list[float]]:
    """Times to the first batch and to close, and the same by hand, in turns, from a process's first flow on. [s]"""
    workload = dense(EXAMPLES)
    found: dict[str, list[float]] = {key: [] for key in ("first", "close", "hand-first", "hand-close")}
    for _ in range(reps):
        hand_first, hand_close = by_hand(workload)
        pipeline = feed(workload)
        started = time.perf_counter()
        flow = pipeline.open()
        next(flow)
        first = time.perf_counter() - started
        for _ in range(BEFORE_CLOSING):
            next(flow)
        started = time.perf_counter()
        flow.close()
        close = time.perf_counter() - started
        for key, took in zip(found, (first, close, hand_first, hand_close), strict=True):
            found[key].append(took)
    workload.check(feed(workload))
    return found


def importing(module: str, run: Run) -> float:
    """How long an import takes in a fresh process. [s]"""
    return float(run.python("-c", IMPORTING.format(module)))


def measure(size: Size, run: Run) -> Iterator[Figure]:
    """The lines of this question."""
    processes = 2 + size.processes
    ran = [run(times, reps=size.of(30) + 1) for _ in range(processes)]

    def told(line: Line, key: str, part: slice) -> Figure:
        ours, hand = ([took * 1e3 for one in ran for took in one[name][part]] for name in (key, f"hand-{key}"))
        return Figure(line, tuple(ours), f"by hand {short(median(hand))} ms")

    yield told(COLD, "first", slice(1))
    yield told(FIRST, "first", slice(1, None))
    yield told(CLOSE, "close", slice(1, None))
    importing("penstock", run)  # writes its byte code
    pairs = [(importing("penstock", run), importing("numpy", run)) for _ in range(3 * processes)]
    ours, theirs = zip(*pairs, strict=True)
    yield Figure(IMPORT, ratios(ours, theirs), f"numpy {short(median(theirs) * 1e3)} ms")
