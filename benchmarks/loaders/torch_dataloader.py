"""`torch.utils.data.DataLoader` over an `IterableDataset`; each worker takes its share of the sources.

An own `collate_fn` with NumPy is several times quicker than the default one, and than `pad_sequence`. There is no
rebatching: chunks are cut to views by hand, and passed on as NumPy arrays, which is quickest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from benchmarks.loaders.turns import cut, in_turn, pad, stack
from benchmarks.workloads import Workload

AHEAD = {"w1": 1024, "w2": 256, "w3": 1024, "w4": 16384}
"""Examples read ahead by the workers together."""


class Joined(IterableDataset[Any]):
    """The sources in turn; of a worker, its share of them."""

    def __init__(self, workload: Workload) -> None:
        self.sources = workload.sources
        self.cut = workload.batch if workload.name == "w4" else 0

    def __iter__(self) -> Iterator[Any]:
        worker = get_worker_info()
        own = self.sources if worker is None else self.sources[worker.id :: worker.num_workers]
        return cut(in_turn(own), self.cut) if self.cut else in_turn(own)


def collate(examples: list[Any]) -> Any:
    return tuple(torch.from_numpy(part) for part in stack(examples))


def collate_ragged(examples: list[Any]) -> Any:
    return torch.from_numpy(pad(examples))


def as_it_is(batch: Any) -> Any:
    return batch


def batches(workload: Workload, *, workers: int) -> Iterator[Any]:
    """A loader's iterator; with workers it reads ahead."""
    torch.set_num_threads(1)
    whole = workload.name == "w4"
    return iter(
        DataLoader(
            Joined(workload),
            batch_size=None if whole else workload.batch,
            num_workers=workers,
            collate_fn=as_it_is if whole else collate_ragged if workload.name == "w3" else collate,
            prefetch_factor=max(2, AHEAD[workload.name] // workload.batch // workers) if workers else None,
        )
    )
