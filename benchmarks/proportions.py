"""What do exact class proportions cost, and how exact are others?

W5: one generator of `(float32[16], int64)`, 10 classes that come as 1, 1/2, 1/3 … 1/10, to equal shares in batches of
256; W6: the same in chunks of 4,096. Each batch is checked to be within one example of the shares, and all batches up to
it together, before anything is timed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

import penstock as ps
from benchmarks.child import Run
from benchmarks.clock import in_turns
from benchmarks.delivered import least_read
from benchmarks.line import Figure, Line, ratios
from benchmarks.rivals import drain, rejection
from benchmarks.size import Size
from benchmarks.stream import Stream
from benchmarks.workloads import BLOCK, CLASSES, MANY, Workload, demand, skewed, skewed_chunk

__all__ = ["LINES", "check", "feed", "measure", "read"]

TIME = Line("proportions-time", "W5: time", "draining the generator", "lower", 2.2, aim=1.7)
INPUTS = Line("proportions-inputs", "W5: inputs per output", "the least with exact shares", "lower", 1.01, twin=False)
CHUNKS = Line(
    "proportions-chunks", "W6: speed", "rejection written by hand with NumPy, which is not exact", "higher", 1.0
)
LINES = (TIME, INPUTS, CHUNKS)


def feed(workload: Workload) -> ps.Pipeline:
    """The pipeline that gives equal shares; of W6 the batches have the labels beside them, as in TF1."""
    classes = MANY if workload.name == "many" else CLASSES
    (source,) = workload.sources
    shares = np.full(classes, 1 / classes)
    if workload.name == "w6":
        return ps.stratified_sample(source, 1, shares, workload.batch, enqueue_many=True, queue_capacity=4 * BLOCK)
    return ps.join([source]).stratify(1, shares).batch(workload.batch)


def check(workload: Workload, delivered: Iterable[Any]) -> int:
    """How many examples are delivered.

    Args:
      workload: what is read.
      delivered: its batches.

    Raises:
      AssertionError: a batch is not what the source yields, or not within one example of equal shares, or all batches
        so far together are not.
    """
    classes = MANY if workload.name == "many" else CLASSES
    part = workload.batch / classes
    sums = np.zeros(classes, np.int64)
    given = np.zeros(workload.distinct, np.int64)
    batches = 0
    for batch in delivered:
        if type(batch[0]) is tuple:  # with the labels beside it
            batch, beside = batch
            demand(np.array_equal(batch[1], beside), f"the labels beside batch {batches} are not its own")
        numbers = workload.match(workload, batch)
        counts = np.bincount(np.asarray(batch[1]), minlength=classes)
        sums += counts
        given += np.bincount(numbers, minlength=workload.distinct)
        batches += 1
        demand(np.abs(counts - part).max() < 1, f"batch {batches - 1} is not within one of its shares")
        demand(np.abs(sums - batches * part).max() < 1, f"{batches} batches are not within one of their shares")
    rounds = -(-workload.examples // workload.distinct)
    demand(batches, "no batch was delivered")
    demand(given.max() <= rounds, f"an example came {given.max()} times, not {rounds}")
    return batches * workload.batch


def read(batches: Iterable[Any]) -> None:
    """Reads to the end and keeps nothing."""
    for _ in batches:
        pass


def times(examples: int, chunked: int, reps: int) -> dict[str, list[float]]:
    """The times of W5, W6 and their rivals, in turns, and W5's inputs per output over the least. [s]"""
    single, chunks = skewed(examples), skewed_chunk(chunked)
    delivered = check(single, feed(single))
    check(chunks, feed(chunks))
    accepted = Stream(single).accepted
    works: dict[str, Callable[[], object]] = {
        "drain": lambda: drain(single),
        "w5": lambda: read(feed(single)),
        "w6": lambda: read(feed(chunks)),
        "rejection": lambda: read(rejection(chunks, accepted)),
    }
    labels = single.arrays[1]
    least = least_read(np.resize(labels, single.examples), 1)
    return {**in_turns(works, reps), "inputs": [single.examples / delivered / least]}


def measure(size: Size, run: Run) -> Iterator[Figure]:
    """The lines of this question."""
    examples, chunked = size.of(1 << 20, BLOCK), size.of(8 << 20, BLOCK)
    took = run.pooled(size.processes, times, examples=examples, chunked=chunked, reps=size.reps)
    yield Figure(TIME, ratios(took["w5"], took["drain"]))
    yield Figure(INPUTS, tuple(took["inputs"]))
    yield Figure(CHUNKS, ratios(took["rejection"], took["w6"]))
