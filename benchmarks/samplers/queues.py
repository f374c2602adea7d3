"""A bounded queue for each class, and batches whose counts are drawn at random.

TF1's `stratified_sample_unknown_dist` did so; but this leaves out what a full queue has no room for, where that blocked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.loaders.turns import stack
from benchmarks.stream import Stream

ROOM = 256
"""Of each queue. [examples]"""


def batches(stream: Stream) -> Iterator[Any]:
    """Whole batches; it decodes what it gives."""
    rng = np.random.default_rng(0)
    queues: list[deque[Any]] = [deque() for _ in stream.target]
    counts = rng.multinomial(stream.batch, stream.target).tolist()
    for example in stream.open():
        queue = queues[example[1]]
        if len(queue) == ROOM:
            continue
        queue.append(example)
        while all(len(queue) >= count for queue, count in zip(queues, counts, strict=True)):
            given = [queue.popleft() for queue, count in zip(queues, counts, strict=True) for _ in range(count)]
            yield stack([stream.decode(example) for example in given] if stream.counted else given)
            counts = rng.multinomial(stream.batch, stream.target).tolist()
