"""TF1's `batch_join` as TensorFlow 2 still has it: a `py_func` and a queue runner for each source, one `Session.run` a batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import logging

import tensorflow.compat.v1 as tf

from benchmarks.workloads import CHUNK, IMAGE, WIDTH, Workload

logging.getLogger("tensorflow").setLevel(logging.ERROR)  # It says of each call that it is old.

COMPONENTS: dict[str, tuple[list[Any], list[tuple[int | None, ...]]]] = {
    "w1": ([tf.float32, tf.int64], [(WIDTH,), ()]),
    "w2": ([tf.uint8, tf.int64], [IMAGE, ()]),
    "w3": ([tf.int32], [(None,)]),
    "w4": ([tf.float32, tf.int64], [(CHUNK, WIDTH), (CHUNK,)]),
}
AHEAD = 2
"""Batches that the queue has room for, beyond the one that is taken out."""


def batches(workload: Workload) -> Iterator[Any]:
    """What `Session.run` gives, until `OutOfRangeError`."""
    dtypes, shapes = COMPONENTS[workload.name]
    chunked = workload.name == "w4"
    with tf.Graph().as_default() as graph:
        tensors = []
        for source in workload.sources:
            parts = tf.py_func(pull(source()), [], dtypes, stateful=True)
            for part, shape in zip(parts, shapes, strict=True):
                part.set_shape(shape)
            tensors.append(parts)
        joined = tf.train.batch_join(
            tensors,
            workload.batch,
            capacity=(1 + AHEAD) * workload.batch + (CHUNK * len(tensors) if chunked else 0),
            enqueue_many=chunked,
            dynamic_pad=workload.name == "w3",
            allow_smaller_final_batch=True,
        )
        if isinstance(joined, list) and len(joined) == 1:
            (joined,) = joined
        session = tf.Session(graph=graph, config=tf.ConfigProto(inter_op_parallelism_threads=len(tensors) + 1))
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        step = session.make_callable(joined)
    try:
        with suppress(tf.errors.OutOfRangeError):
            while True:
                yield step()
    finally:
        coordinator.request_stop()
        session.close()
        coordinator.join(threads, stop_grace_period_secs=5, ignore_live_threads=True)  # Raises where a source failed.


def pull(items: Iterator[Any]) -> Callable[[], Any]:
    """A function that gives the next example; its StopIteration is TensorFlow's end."""
    return lambda: next(items)
