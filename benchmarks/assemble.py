"""What does it cost to put examples that are there already into a batch?

The assembler alone, without sources, stages and threads, on batches of W1, W2 (the last three stay in use) and W3.
The rival copies the bytes of the finished batches once, into as many warm buffers as are in use.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Any

import numpy as np

from benchmarks.child import Run
from benchmarks.clock import in_turns
from benchmarks.line import Figure, Line, ratios
from benchmarks.loaders.turns import in_turn
from benchmarks.size import Size
from benchmarks.workloads import Workload, make
from penstock.assemble import Assembler, Pool
from penstock.plan import PadRule
from penstock.spec import Spec

__all__ = ["LINES", "measure"]

RIVAL = "`np.copyto` of the finished batches"
ROWS = Line("assemble-rows", "W1, examples at hand: time of the assembler", RIVAL, "lower")
IMAGES = Line("assemble-images", "W2, examples at hand: speed of the assembler", RIVAL, "higher", aim=1.0)
RAGGED = Line("assemble-ragged", "W3, examples at hand: time of the assembler", RIVAL, "lower")
LINES = (ROWS, IMAGES, RAGGED)

IN_USE = 3
EXAMPLES = {"w1": 65536, "w2": 512, "w3": 16384}
ROUNDS = {"w1": 4, "w2": 12, "w3": 4}


def groups(workload: Workload) -> list[list[Any]]:
    """The examples of each whole batch, in turn from each source."""
    examples = in_turn(workload.sources)
    groups = []
    while len(group := list(islice(examples, workload.batch))) == workload.batch:
        groups.append(group)
    return groups


def works(workload: Workload, rounds: int) -> tuple[Callable[[], None], Callable[[], None]]:
    """Assembles all batches, and copies them: both `rounds` times."""
    rows = groups(workload)
    assembler = Assembler(Spec.of(rows[0][0]), {(): PadRule()}.get, Pool())
    workload.check(structured(workload, assembler.rows(group)[0]) for group in rows)
    made = [assembler.rows(group)[0] for group in rows]
    largest = [max((batch[place] for batch in made), key=np.size) for place in range(len(made[0]))]
    warm = [[np.ones_like(array) for array in largest] for _ in range(IN_USE + 1)]

    def assemble() -> None:
        in_use: deque[object] = deque(maxlen=IN_USE)
        for group in islice(cycle(rows), rounds * len(rows)):
            in_use.append(assembler.rows(group))

    def copy() -> None:
        into = cycle(warm)
        for batch in islice(cycle(made), rounds * len(made)):
            for buffer, array in zip(next(into), batch, strict=True):
                np.copyto(buffer.reshape(-1)[: array.size], array.reshape(-1))

    return assemble, copy


def structured(workload: Workload, arrays: list[Any]) -> Any:
    """A batch as the workload's examples are built."""
    return arrays[0] if workload.name == "w3" else tuple(arrays)


def times(share: float, reps: int) -> dict[str, list[float]]:
    """The times of the assembler and of the copies, in turns. [s]"""
    chosen: dict[str, Callable[[], None]] = {}
    for name, examples in EXAMPLES.items():
        rounds = max(1, round(share * ROUNDS[name]))
        chosen[name], chosen[f"copy-{name}"] = works(make(name, examples), rounds)
    return in_turns(chosen, reps)


def measure(size: Size, run: Run) -> Iterator[Figure]:
    """The lines of this question."""
    took = run.pooled(size.processes, times, share=size.share, reps=size.reps)
    yield Figure(ROWS, ratios(took["w1"], took["copy-w1"]))
    yield Figure(IMAGES, ratios(took["copy-w2"], took["w2"]))
    yield Figure(RAGGED, ratios(took["w3"], took["copy-w3"]))
