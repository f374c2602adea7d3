"""`tf.data.Dataset.rejection_resample`, told the shares that the stream begins with; without them it reads far more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow as tf

from benchmarks.stream import Stream
from benchmarks.workloads import SHARES, WIDTH

SIGNATURE = (tf.TensorSpec((WIDTH,), tf.float32), tf.TensorSpec((), tf.int64))


def batches(stream: Stream) -> Iterator[Any]:
    """Whole batches, decoded after they are chosen; where it is counted, nothing is read ahead."""
    dataset = tf.data.Dataset.from_generator(stream.open, output_signature=SIGNATURE)
    chosen = dataset.rejection_resample(
        lambda x, y: tf.cast(y, tf.int32),
        target_dist=stream.target.astype(np.float32),
        initial_dist=SHARES.astype(np.float32),
        seed=1,
    ).map(lambda label, example: example)
    batched = chosen.batch(stream.batch, drop_remainder=True)
    if not stream.counted:
        batched = batched.prefetch(tf.data.AUTOTUNE)
    for x, y in batched.as_numpy_iterator():
        stream.decoded += len(y)
        yield x, y
