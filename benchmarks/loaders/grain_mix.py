"""Google's grain: each source an `IterDataset`, mixed, batched; a thread that prefetches if asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grain
from grain import experimental

from benchmarks.loaders.turns import pad
from benchmarks.workloads import Source, Workload


class Reading(grain.DatasetIterator):
    """One pass over a source."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._iterator = source()
        self._given = 0

    def __next__(self) -> Any:
        self._given += 1
        return next(self._iterator)

    def get_state(self) -> dict[str, int]:
        return {"given": self._given}

    def set_state(self, state: dict[str, int]) -> None:
        self._given = state["given"]


class Stream(grain.IterDataset):
    """A source as grain wants it."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def __iter__(self) -> Reading:
        return Reading(self._source)


def batches(workload: Workload, *, ahead: int) -> Iterator[Any]:
    """The dataset's iterator; `ahead` batches are prefetched by a thread."""
    streams = [Stream(source) for source in workload.sources]
    joined = grain.IterDataset.mix(streams, weights=[1.0] * len(streams))
    if workload.name == "w4":
        batched = experimental.RebatchIterDataset(joined, workload.batch)
    elif workload.name == "w3":
        batched = joined.batch(workload.batch, batch_fn=pad)
    else:
        batched = joined.batch(workload.batch)
    if ahead:
        batched = experimental.ThreadPrefetchIterDataset(batched, prefetch_buffer_size=ahead)
    return iter(batched)
