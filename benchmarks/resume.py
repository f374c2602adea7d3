"""What does it cost that a flow can be stopped anywhere, and to go on?

W1 and W5 are read for so long that most states follow a snapshot, with a state asked for at every hundredth batch; what goes
into states is what the driver spends on snapshots, and the loop on `state_dict`. A shuffle of 10,000 examples over a source
read by index is stopped at its first state with a snapshot, and goes on in a flow of its own: beside the time to the first
batch of one that begins, which fills it too, and beside that of one that begins and reads as many batches as came since the
snapshot of the state, which are read again.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.child import Run
from benchmarks.line import Figure, Line
from benchmarks.loaders.ours import feed
from benchmarks.proportions import feed as stratified
from benchmarks.size import Size
from benchmarks.workloads import dense, skewed

__all__ = ["LINES", "measure"]

W1 = Line("resume-w1", "W1, a state at every 100th batch: part that goes into states", "the whole", "lower", 1.0, "%")
W5 = Line("resume-w5", "W5, a state at every 100th batch: part that goes into states", "the whole", "lower", 1.0, "%")
STATE = Line("resume-state", "`state_dict()` of a shuffle of 10,000", "–", "lower", 1.0, "ms")
SIZE = Line("resume-size", "that state, as JSON", "–", "lower", None, "kB")
GO_ON = Line("resume-go-on", "to go on with that shuffle, to the first batch: time", "to begin it", "lower")
AGAIN = Line(
    "resume-again", "to go on with that shuffle: time", "to fill it and to read what came since its snapshot", "lower"
)
LINES = (W1, W5, STATE, SIZE, GO_ON, AGAIN)

EVERY = 100
HELD = 10_000


def part(pipeline: Any) -> float:
    """Which part of the time of reading everything goes into states."""
    spent = 0.0
    with pipeline.open() as flow:
        flow.state_dict()  # the first loads what it takes
        started = perf_counter()
        for number, _ in enumerate(flow, 1):
            if number % EVERY == 0:
                before = perf_counter()
                flow.state_dict()
                spent += perf_counter() - before
        whole = perf_counter() - started
        return (spent + flow.stats().snapshots_s) / whole


def parts(examples: int, reps: int) -> dict[str, list[float]]:
    """That of W1 and of W5, several times."""
    plain, skew = dense(48 * examples, distinct=examples), skewed(32 * examples)
    return {
        "w1": [part(feed(plain)) for _ in range(reps)],
        "w5": [part(stratified(skew)) for _ in range(reps)],
    }


class Numbers:
    """Examples read by index."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        return np.full(16, index, np.float32), index


def shuffled(reps: int) -> dict[str, list[float]]:
    """The times to begin and to go on, to write a state, all in seconds, and its size in bytes."""
    import penstock as ps

    pipeline = ps.join([Numbers(1 << 30)]).shuffle(HELD).batch(256)
    found: dict[str, list[float]] = {"begin": [], "go on": [], "again": [], "state": [], "size": []}
    with pipeline.open() as flow:
        next(flow)
        while (state := flow.state_dict())["snapshot"] is None:
            flow.skip(HELD // 256)
            next(flow)
        found["size"].append(float(flow.stats().state_nbytes))
    for _ in range(reps):
        for name, how, batches in (("begin", None, 0), ("go on", state, 0), ("again", None, state["since"])):
            before = perf_counter()
            with pipeline.open(state=how) as flow:
                flow.skip(batches)
                next(flow)
                found[name].append(perf_counter() - before)
                if how is not None:
                    before = perf_counter()
                    flow.state_dict()  # the first behind its snapshot: others write that no more
                    found["state"].append(perf_counter() - before)
    return found


def measure(size: Size, run: Run) -> Iterator[Figure]:
    """The lines of this question."""
    found = run.pooled(size.processes, parts, examples=size.of(256 * 1024, 256 * EVERY), reps=min(3, size.reps))
    yield Figure(W1, tuple(100 * one for one in found["w1"]))
    yield Figure(W5, tuple(100 * one for one in found["w5"]))
    took = run.pooled(size.processes, shuffled, reps=min(3, size.reps))
    yield Figure(STATE, tuple(1e3 * one for one in took["state"]))
    yield Figure(SIZE, tuple(one / 1e3 for one in took["size"]))
    yield Figure(GO_ON, tuple(on / begin for on, begin in zip(took["go on"], took["begin"], strict=True)))
    yield Figure(AGAIN, tuple(on / again for on, again in zip(took["go on"], took["again"], strict=True)))
