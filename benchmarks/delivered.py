"""What a way to change class proportions delivered, and how far that is from what was asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.clock import seconds
from benchmarks.peers import pace
from benchmarks.rivals import drain
from benchmarks.samplers import Sampler
from benchmarks.stream import Stream
from benchmarks.workloads import CLASSES, Workload, demand, skewed

__all__ = [
    "Delivered",
    "arguments",
    "deliver",
    "delivered",
    "least_off",
    "least_read",
    "off_target",
    "time_over_draining",
]

WINDOWS = 10
"""The run is cut into as many pieces, the worst of which is shown."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """One pass over one stream."""

    counts: list[list[int]]
    """Of each batch, how many of each class. [examples]"""
    reads: list[int]
    """Examples read when each batch was given. [examples]"""
    most: int
    """How often one example was given, at most."""
    read: int
    """Examples read in all. [examples]"""
    decoded: int
    """Examples decoded in all. [examples]"""

    @property
    def examples(self) -> int:
        """Delivered. [examples]"""
        return int(np.sum(self.counts))

    @property
    def inputs_per_output(self) -> float:
        """Examples read for each that was delivered."""
        return self.read / self.examples

    @property
    def decodes_per_output(self) -> float:
        """Examples decoded for each that was delivered."""
        return self.decoded / self.examples

    @property
    def off(self) -> Any:
        """How far each batch is from equal shares, by total variation: float64[batches], from 0 to 1."""
        return off_target(self.counts)

    @property
    def off_in_worst_window(self) -> float:
        """The same of the worst tenth of the run, taken as a whole."""
        windows = np.array_split(np.array(self.counts), WINDOWS)
        return float(off_target([window.sum(0) for window in windows if len(window)]).max())


def off_target(counts: Any) -> Any:
    """Half the sum of what the shares differ from equal ones: float64[n] of int64[n, K]."""
    shares = np.asarray(counts) / np.sum(counts, axis=1, keepdims=True)
    return np.abs(shares - 1 / shares.shape[1]).sum(1) / 2


def least_off(batch: int) -> float:
    """How near a batch can be to equal shares at all, since examples are whole."""
    whole, rest = divmod(batch, CLASSES)
    return float(off_target([[whole + (label < rest) for label in range(CLASSES)]])[0])


def least_read(labels: Any, repeats: int) -> float:
    """Inputs per output that no method with equal shares can beat on this stream, however much it keeps."""
    return len(labels) / (repeats * CLASSES * int(np.bincount(labels, minlength=CLASSES).min()))


def deliver(module: str, setting: dict[str, Any], examples: int) -> dict[str, Any]:
    """What a way makes of W5 and of W5 with drift, as the fields of `Delivered` for each.

    Args:
      module: the way's file.
      setting: its arguments.
      examples: of each stream.
    """
    return {
        name: asdict(delivered(module, setting, skewed(examples, distinct=examples, drift=name == "drift")))
        for name in ("steady", "drift")
    }


def delivered(module: str, setting: dict[str, Any], workload: Workload) -> Delivered:
    """What a way makes of one stream.

    Raises:
      AssertionError: a batch is not what the stream holds, or there is none.
    """
    stream = Stream(workload)
    labels, times = workload.arrays[1], Counter[int]()
    counts, reads = [], []
    for batch in import_module(f"benchmarks.samplers.{module}").batches(stream, **setting):
        numbers = workload.match(workload, batch)
        demand(len(numbers) == workload.batch, f"a batch of {len(numbers)}")
        times.update(numbers.tolist())
        counts.append(np.bincount(labels[numbers], minlength=CLASSES).tolist())
        reads.append(stream.read)
    demand(counts, "no batch was delivered")
    return Delivered(counts, reads, max(times.values()), stream.read, stream.decoded)


def time_over_draining(module: str, setting: dict[str, Any], examples: int, limit_s: float, reps: int) -> list[float]:
    """Time for a delivered example over the time to drain one of W5, `reps` times, nothing counted or decoded."""
    workload = skewed(examples, distinct=examples)
    loader = import_module(f"benchmarks.samplers.{module}")
    drain(workload)
    found = []
    for _ in range(reps):
        alone = seconds(lambda: drain(workload)) / workload.examples
        given = loader.batches(Stream(workload, counted=False), **setting)
        found.append(pace(given, workload.batch, workload.examples, limit_s) / alone)
    return found


def arguments(sampler: Sampler) -> dict[str, Any]:
    """The arguments that name a way."""
    return {"module": sampler.module, "setting": sampler.setting}
