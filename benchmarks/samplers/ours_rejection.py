"""penstock's `stratified_sample(method="rejection")`: TF1's formula, on an estimate that forgets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import penstock as ps
from benchmarks.stream import Stream


def batches(stream: Stream) -> Iterator[Any]:
    """Opens the pipeline; where it is counted, in the caller's thread, so that nothing is read ahead."""
    kept = ps.stratified_sample(_decoded(stream), 1, stream.target, stream.batch, method="rejection")
    with kept.open(inline=stream.counted) as flow:
        for data, _ in flow:
            yield data


def _decoded(stream: Stream) -> Any:
    """The source: TF1's idiom hands over whole examples."""
    return (lambda: map(stream.decode, stream.open())) if stream.counted else stream.open
