"""`tf.data`: `from_generator` for each source, interleaved, batched, prefetched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import tensorflow as tf

from benchmarks.workloads import CHUNK, IMAGE, WIDTH, Workload

LABEL = tf.TensorSpec((), tf.int64)
SIGNATURES = {
    "w1": (tf.TensorSpec((WIDTH,), tf.float32), LABEL),
    "w2": (tf.TensorSpec(IMAGE, tf.uint8), LABEL),
    "w3": tf.TensorSpec((None,), tf.int32),
    "w4": (tf.TensorSpec((CHUNK, WIDTH), tf.float32), tf.TensorSpec((CHUNK,), tf.int64)),
}


def batches(workload: Workload, *, parallel: bool) -> Iterator[Any]:
    """The dataset's iterator of NumPy batches; `parallel` gives up the order."""
    sources = workload.sources

    def opened(i: Any) -> Any:
        return tf.data.Dataset.from_generator(
            lambda number: sources[number](), args=(i,), output_signature=SIGNATURES[workload.name]
        )

    setting = {"num_parallel_calls": tf.data.AUTOTUNE, "deterministic": False} if parallel else {}
    joined = tf.data.Dataset.range(len(sources)).interleave(
        opened, cycle_length=len(sources), block_length=1, **setting
    )
    if workload.name == "w3":
        batched = joined.padded_batch(workload.batch)
    elif workload.name == "w4":
        batched = joined.rebatch(workload.batch)
    else:
        batched = joined.batch(workload.batch)
    return iter(batched.prefetch(tf.data.AUTOTUNE))
