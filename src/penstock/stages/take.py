"""The first examples of a stream, or batches."""

from __future__ import annotations

from typing import Any, final

from penstock.chunk import END, Chunk
from penstock.stages.snapshot import Saved
from penstock.stages.stage import Stage
from penstock.ticket import Tickets

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

    def snapshot(self) -> Saved:
        """How many are left."""
        return {"of": self._upstream.snapshot(), "left": self._left}

    def restore(self, saved: Saved) -> None:
        """Goes on from there."""
        self._upstream.restore(saved["of"])
        self._left = int(saved["left"])

    @property
    def recalls(self) -> bool:
        """As upstream."""
        return self._upstream.recalls

    def recall(self, tickets: Tickets) -> list[Any]:
        """As upstream."""
        return self._upstream.recall(tickets)

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()
