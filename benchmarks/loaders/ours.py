"""penstock, with read-ahead on and nothing set that a user would not set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import penstock as ps
from benchmarks.workloads import Workload

__all__ = ["batches", "feed"]


def feed(workload: Workload) -> ps.Pipeline:
    """The pipeline that reads a workload."""
    if workload.name == "w4":
        return ps.batch_join(
            workload.sources, workload.batch, capacity=16384, enqueue_many=True, allow_smaller_final_batch=True
        )
    joined = ps.join(workload.sources)
    return (joined.pad() if workload.name == "w3" else joined).batch(workload.batch, keep_last=True)


def batches(workload: Workload) -> Iterator[Any]:
    """Opens the pipeline."""
    return feed(workload).open()
