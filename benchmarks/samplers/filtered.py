"""The stream filtered to one class, once for each, and a weighted mix of these.

It is all that loaders offer which mix streams and know no classes (torchdata's `MultiNodeWeightedSampler`, WebDataset's
`RandomMix`, tf.data's `sample_from_datasets`).
Each class reads the whole stream for itself. It ends with the first of them, so that no example is given twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.loaders.turns import stack
from benchmarks.stream import Stream


def only(stream: Stream, label: int) -> Iterator[Any]:
    """The examples of one class."""
    return (example for example in stream.open() if example[1] == label)


def batches(stream: Stream) -> Iterator[Any]:
    """Whole batches; it decodes what it gives."""
    rng = np.random.default_rng(0)
    streams = [only(stream, label) for label in range(len(stream.target))]
    while True:
        drawn = rng.choice(len(streams), stream.batch, p=stream.target).tolist()
        given = [example for label in drawn if (example := next(streams[label], None)) is not None]
        if len(given) < stream.batch:
            return
        yield stack([stream.decode(example) for example in given] if stream.counted else given)
