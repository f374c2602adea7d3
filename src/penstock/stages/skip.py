"""A stream without its first examples, or batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

from penstock.chunk import Chunk
from penstock.stages.snapshot import Saved
from penstock.stages.stage import Stage
from penstock.ticket import Tickets

__all__ = ["Skip"]


@final
class Skip:
    """What follows the first `count` examples; those are read, discarded and counted.

    Args:
      upstream: where the examples come from.
      count: how many. [examples, or batches]
      weigh: how many examples there are in what is left out.
    """

    def __init__(self, upstream: Stage, count: int, *, weigh: Callable[[Sequence[Any]], int] = len) -> None:
        self._upstream = upstream
        self._weigh = weigh
        self._left = count
        self.discarded = 0
        """Examples left out so far. [examples]"""

    def take(self, n: int) -> Chunk:
        """Leaves out what is to be left out, then passes chunks on."""
        while self._left:
            chunk = self._upstream.take(min(self._left, max(n, 256)))
            self._left -= chunk.count
            self.discarded += self._weigh(chunk.as_rows()) if self._weigh is not len else chunk.count
            if chunk.count == 0 or chunk.error is not None:
                return chunk.cut(chunk.count)[1] if chunk.count else chunk
        return self._upstream.take(n)

    def snapshot(self) -> Saved:
        """How many are left to be left out."""
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
