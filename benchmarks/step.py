"""How much slower is a training step beside a feed that runs as fast as it can?

The step is ten products of 200×200 matrices, which let the interpreter go, on one BLAS thread. Another thread takes the
batches of an endless W1 as fast as they come. Beside it, a thread that reads the same generators without a feed shows
what a busy thread does to the step.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np

from benchmarks.child import Run
from benchmarks.line import Figure, Line
from benchmarks.loaders.ours import feed
from benchmarks.size import Size
from benchmarks.workloads import dense

__all__ = ["LINES", "measure"]

BESIDE = Line("step", "a training step beside W1 at full speed: time", "the step alone", "lower", 2.0)
NAIVE = Line(
    "step-naive",
    "a training step beside a thread that drains W1's generators: time",
    "the step alone",
    "lower",
    twin=False,
)
PACE = Line(
    "step-pace", "W1 beside the training step: examples a second", "W1 beside an idle main thread", "higher", twin=False
)
LINES = (BESIDE, NAIVE, PACE)

DISTINCT = 65536
FOREVER = 1 << 40


class Busy:
    """A thread that takes from an iterator until it is told to stop."""

    def __init__(self, iterator: Iterator[object], each: int) -> None:
        self.taken = 0
        """Examples taken so far."""
        self._stop = False
        self._thread = threading.Thread(target=self._take, args=(iterator, each), daemon=True)
        self._thread.start()

    def _take(self, iterator: Iterator[object], each: int) -> None:
        for _ in iterator:
            self.taken += each
            if self._stop:
                return

    def pace(self, work: Callable[[], object]) -> float:
        """Examples a second that were taken while `work` ran."""
        before, started = self.taken, time.perf_counter()
        work()
        return (self.taken - before) / (time.perf_counter() - started)

    def stop(self) -> None:
        self._stop = True
        self._thread.join()


def times(steps: int, reps: int) -> dict[str, list[float]]:
    """The median step alone, beside a feed, beside a drain [s], the feed's pace [1/s], once a repetition."""
    small = dense(DISTINCT)
    small.check(feed(small))
    endless = dense(FOREVER, distinct=DISTINCT)
    a = np.random.default_rng(0).standard_normal((200, 200))
    spent: list[float] = []

    def train(count: int = steps) -> None:
        spent.clear()
        for _ in range(count):
            started = time.perf_counter()
            for _ in range(10):
                a @ a
            spent.append(time.perf_counter() - started)

    found: dict[str, list[float]] = {key: [] for key in ("alone", "beside", "naive", "pace", "pace-idle")}
    train()
    for _ in range(reps):
        train()
        found["alone"].append(median(spent))
        with feed(endless).open() as flow:
            next(flow)
            busy = Busy(flow, endless.batch)
            found["pace-idle"].append(busy.pace(lambda: time.sleep(steps * found["alone"][-1])))
            found["pace"].append(busy.pace(train))
            found["beside"].append(median(spent))
            busy.stop()
        reader = Busy(endless.sources[0](), 1)
        train(max(3, steps // 10))
        found["naive"].append(median(spent))
        reader.stop()
    return found


def measure(size: Size, run: Run) -> Iterator[Figure]:
    """The lines of this question."""
    found = run.pooled(size.processes, times, steps=size.of(120), reps=size.reps)
    alone = found["alone"]
    yield Figure(BESIDE, tuple(one / other for one, other in zip(found["beside"], alone, strict=True)))
    yield Figure(NAIVE, tuple(one / other for one, other in zip(found["naive"], alone, strict=True)))
    yield Figure(PACE, tuple(one / other for one, other in zip(found["pace"], found["pace-idle"], strict=True)))
