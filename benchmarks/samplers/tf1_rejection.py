"""TF1's `stratified_sample`, by its formula: each class kept in the proportion of target to what has come so far.

Its tensors were there, decoded, before they were judged. What it read and threw away to estimate the shares is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from benchmarks.loaders.turns import stack
from benchmarks.stream import Stream

BEGIN = 10
"""What TF1 counted of each class before the first example."""


def batches(stream: Stream) -> Iterator[Any]:
    """Whole batches."""
    chance, target = Random(0).random, stream.target.tolist()
    counts = [BEGIN] * len(target)
    kept = []
    for example in map(stream.decode, stream.open()) if stream.counted else stream.open():
        label = example[1]
        counts[label] += 1
        wanted = [share / count for share, count in zip(target, counts, strict=True)]
        if chance() < wanted[label] / max(wanted):
            kept.append(example)
            if len(kept) == stream.batch:
                yield stack(kept)
                kept = []
