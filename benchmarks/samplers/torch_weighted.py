"""`torch.utils.data.WeightedRandomSampler`, for data that has a length and can be asked for by index.

It is given a weight for each example, so all labels are read before the first batch. It draws with replacement, as many
as there are, which is how it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, WeightedRandomSampler

from benchmarks.loaders.turns import stack
from benchmarks.stream import Stream


class Indexed:
    """The examples by index, decoded as they are asked for."""

    def __init__(self, stream: Stream) -> None:
        self._arrays = stream.workload.arrays
        self._decode = stream.decode if stream.counted else None

    def __len__(self) -> int:
        return len(self._arrays[1])

    def __getitem__(self, index: int) -> Any:
        x, y = self._arrays
        example = x[index], y[index]
        return self._decode(example) if self._decode else example


def batches(stream: Stream) -> Iterator[Any]:
    """A loader's iterator, without workers; an own `collate_fn` is quicker than the default one."""
    torch.set_num_threads(1)
    labels = np.fromiter((label for _, label in stream.open()), np.int64)
    weights = (stream.target / np.bincount(labels, minlength=len(stream.target)))[labels]
    drawn = WeightedRandomSampler(
        torch.from_numpy(weights), len(labels), replacement=True, generator=torch.Generator().manual_seed(0)
    )
    return iter(DataLoader(Indexed(stream), stream.batch, sampler=drawn, drop_last=True, collate_fn=stack))
