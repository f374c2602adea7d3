"""The first examples of a stream, or batches."""

from __future__ import annotations

from typing import final

from penstock.chunk import END, Chunk
from penstock.stages.stage import Stage

__all__ = ["Take"]


@final
class Take:
    """The first `count` examples, then the end; nothing is pulled beyond them.

    Args:
      upstream: where the examples come from.
      count: how many. [examples, or batches]
    """

    def __init__(self, upstream: Stage, count: int) -> None:
        self._upstream = upstream
        self._left = count

    def take(self, n: int) -> Chunk:
        """Takes no more than are left."""
        if self._left == 0:
            return END
        chunk = self._upstream.take(min(n, self._left))
        self._left -= chunk.count
        if self._left == 0 and chunk.error is not None:
            chunk.error = None  # it stands after the last that was asked for
        return chunk

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()
