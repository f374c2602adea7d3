"""Applies a user's function to each example, or to each batch."""

from __future__ import annotations

from typing import Any, final

from penstock.chunk import END, Chunk
from penstock.stages.functions import Applied
from penstock.stages.snapshot import Saved
from penstock.stages.stage import Stage
from penstock.ticket import Tickets

__all__ = ["Map"]


@final
class Map:
    """Each example replaced by what a function makes of it; order and tickets stay.

    Args:
      upstream: where the examples come from.
      applied: the function.
    """

    def __init__(self, upstream: Stage, applied: Applied) -> None:
        self._upstream = upstream
        self._applied = applied
        self._over = False

    def take(self, n: int) -> Chunk:
        """Takes a chunk and maps it; ends at the first error of the function."""
        if self._over:
            return END
        chunk = self._upstream.take(n)
        if chunk.is_end:
            return chunk
        rows, error = self._applied.over(chunk)
        if error is None:
            return Chunk(rows, chunk.tickets, error=chunk.error, item_end=chunk.item_end)
        self._over = True
        return Chunk(rows, chunk.tickets.cut(0, len(rows)), error=error, item_end=False)

    def snapshot(self) -> Saved:
        """Whether it has ended."""
        return {"of": self._upstream.snapshot(), "over": self._over}

    def restore(self, saved: Saved) -> None:
        """Goes on from there."""
        self._upstream.restore(saved["of"])
        self._over = bool(saved["over"])

    @property
    def recalls(self) -> bool:
        """As upstream."""
        return self._upstream.recalls

    def recall(self, tickets: Tickets) -> list[Any]:
        """What upstream gives again, mapped again."""
        rows, error = self._applied.over(Chunk(self._upstream.recall(tickets), tickets))
        if error is not None:
            raise error
        return rows

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()
