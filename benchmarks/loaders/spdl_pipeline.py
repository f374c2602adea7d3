"""SPDL: its `MergeIterator` over the sources, grouped before the pipeline (a hop for each example is far slower)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from spdl.pipeline import PipelineBuilder
from spdl.source.utils import MergeIterator

from benchmarks.loaders.turns import cut, pad, stack
from benchmarks.workloads import Workload

AHEAD = {"w1": 1024, "w2": 256, "w3": 1024, "w4": 16384}


class Opened:
    """A source as an iterable."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __iter__(self) -> Iterator[Any]:
        return self._source()


class Groups:
    """Lists of as many examples as a batch has, or the views of chunks."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload

    def __iter__(self) -> Iterator[Any]:
        size = self._workload.batch
        merged = iter(MergeIterator([Opened(source) for source in self._workload.sources]))
        if self._workload.name == "w4":
            yield from cut(merged, size)
            return
        group = []
        for example in merged:
            group.append(example)
            if len(group) == size:
                yield group
                group = []
        if group:
            yield group


def batches(workload: Workload, *, thread: bool) -> Iterator[Any]:
    """The pipeline's items; `thread` hands them over by a queue of threads."""
    builder = PipelineBuilder().add_source(Groups(workload))
    if workload.name != "w4":
        builder = builder.pipe(pad if workload.name == "w3" else stack)
    builder = builder.add_sink(max(2, AHEAD[workload.name] // workload.batch))
    pipeline = builder.build(num_threads=2, use_thread_output_queue=thread)
    with pipeline.auto_stop():
        yield from pipeline.get_iterator()
