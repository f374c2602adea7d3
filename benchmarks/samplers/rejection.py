"""Rejection as anybody would write it: each example is kept with a probability that its class has."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from benchmarks.loaders.turns import stack
from benchmarks.stream import Stream


def batches(stream: Stream) -> Iterator[Any]:
    """Whole batches; it decodes what it keeps."""
    chance, accepted = Random(0).random, stream.accepted.tolist()
    kept = []
    for example in stream.open():
        if chance() < accepted[example[1]]:
            kept.append(stream.decode(example) if stream.counted else example)
            if len(kept) == stream.batch:
                yield stack(kept)
                kept = []
