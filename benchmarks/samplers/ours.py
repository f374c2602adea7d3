"""penstock: `stratify`, and what decodes after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import penstock as ps
from benchmarks.stream import Stream


def batches(stream: Stream, *, repeats: int) -> Iterator[Any]:
    """Opens the pipeline; where it is counted, in the caller's thread, so that nothing is read ahead."""
    chosen = ps.join([stream.open]).stratify(1, stream.target, repeats=repeats)
    decoded = chosen.map(stream.decode) if stream.counted else chosen
    return decoded.batch(stream.batch).open(inline=stream.counted)
