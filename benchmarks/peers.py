"""How do other loaders do on the same workloads?

Each loader with each of its settings, in a process of its own, where it takes turns with the workload's rival;
penstock is one of them. The rate is that after the first batches, so that nobody's start-up counts. What is not
installed is left out, and said.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from importlib import import_module

from benchmarks.child import Run
from benchmarks.clock import seconds
from benchmarks.line import Figure, Line
from benchmarks.loaders import LOADERS, OURS, Loader
from benchmarks.rivals import copier, drain
from benchmarks.size import Size
from benchmarks.workloads import make

__all__ = ["LINES", "measure", "missing"]

FULL = {"w1": 6 * 65536, "w2": 24 * 512, "w3": 192 * 1024, "w4": 16 * 262144}
CHECKED = {"w1": 4096, "w2": 512, "w3": 4096, "w4": 262144}
WORDS = {
    "w1": ("time", "draining the 4 generators"),
    "w2": ("speed", "`np.copyto` into four warm buffers in turn"),
    "w3": ("time", "draining the 4 generators"),
    "w4": ("speed", "`np.copyto` into a warm buffer"),
}
IN_USE = 3
"""Batches that stay in use."""
WARM = 0.05
"""The share of the examples, or of the time, that is not counted."""


def line_of(loader: Loader, workload: str) -> Line:
    """The line of one loader on one workload."""
    word, rival = WORDS[workload]
    how = "" if loader.ahead else ", reads nothing ahead"
    what = f"{workload.upper()}, {loader.name}{how}: {word}"
    key = f"peer-{workload}-{loader.name.replace(' ', '-').replace(',', '')}"
    return Line(key, what, rival, "lower" if word == "time" else "higher", twin=False)


AHEAD = Line("peers-ahead", "W1: speed", "the quickest loader that reads ahead", "higher", 1.0, twin=False)
ANY = Line("peers-any", "W1: speed", "the quickest loader of all", "higher", 1.0, twin=False)
LINES = (
    *(line_of(loader, workload) for workload in FULL for loader in LOADERS if workload in loader.workloads),
    AHEAD,
    ANY,
)


def missing() -> list[str]:
    """The loaders that are not installed, by name."""
    return [loader.name for loader in LOADERS if loader.version() is None]


def rate(
    module: str, workload: str, setting: dict[str, object], examples: int, limit_s: float, reps: int
) -> list[float]:
    """A loader's time over its rival's, for one example, `reps` times.

    Args:
      module: the loader's file.
      workload: which.
      setting: of the loader.
      examples: of the workload; a slow loader is stopped earlier.
      limit_s: when. [s]
      reps: how often.
    """
    loader = import_module(f"benchmarks.loaders.{module}")
    small = make(workload, CHECKED[workload])
    small.check(loader.batches(small, **setting), whole=False)
    whole = make(workload, examples)
    buffers = IN_USE + 1 if workload == "w2" else 1
    rival = copier(whole, buffers) if WORDS[workload][0] == "speed" else lambda: drain(whole)
    rival()
    found = []
    for _ in range(reps):
        alone = seconds(rival) / whole.examples
        found.append(pace(loader.batches(whole, **setting), whole.batch, whole.examples, limit_s) / alone)
    return found


def pace(batches: Iterator[object], size: int, examples: int, limit_s: float) -> float:
    """Seconds for an example, from when it is warm until the end or the limit; the last batches stay in use."""
    in_use: deque[object] = deque(maxlen=IN_USE)
    taken = 0
    warm: tuple[int, float] | None = None
    next(batches)
    first = now = time.perf_counter()
    for batch in batches:
        in_use.append(batch)
        taken += size
        now = time.perf_counter()
        if warm is None:
            if taken >= WARM * examples or now - first > WARM * limit_s:
                warm = (taken, now)
        elif now - first > limit_s:
            break
    begun, since = warm or (0, first)
    close = getattr(batches, "close", None)
    if close is not None:
        close()
    return (now - since) / (taken - begun) if taken > begun else (now - first) / taken


def measure(size: Size, run: Run) -> Iterator[Figure]:
    """The lines of this question; a loader that is not installed has none."""
    installed = [loader for loader in LOADERS if loader.version() is not None]
    for workload, count in FULL.items():
        took: dict[Loader, list[float]] = {}
        examples = size.of(count, CHECKED[workload])
        for turn in range(size.processes):
            for loader in installed if turn % 2 == 0 else reversed(installed):
                if workload not in loader.workloads:
                    continue
                arguments = {
                    "setting": loader.setting,
                    "examples": examples,
                    "limit_s": size.limit_s,
                    "reps": min(2, size.reps),
                }
                values = run.named("benchmarks.peers:rate", module=loader.module, workload=workload, **arguments)
                took.setdefault(loader, []).extend(values)
        for loader in installed:
            values = took[loader]
            line = line_of(loader, workload)
            yield Figure(line, tuple(values if line.better == "lower" else (1 / value for value in values)))
        if workload == "w1":
            yield from best(took)


def best(took: dict[Loader, list[float]]) -> Iterator[Figure]:
    """Our speed over that of the quickest others."""
    for line, others in ((AHEAD, [one for one in took if one.ahead]), (ANY, list(took))):
        figures = [Figure(line, tuple(took[one]), one.name) for one in others if one is not OURS]
        if figures:
            quickest = min(figures, key=lambda figure: figure.median)
            values = tuple(theirs / own for theirs, own in zip(quickest.values, took[OURS], strict=True))
            yield Figure(line, values, quickest.note)
