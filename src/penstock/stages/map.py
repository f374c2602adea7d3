"""Applies a user's function to each example, or to each batch."""

from __future__ import annotations

from typing import final

from penstock.chunk import END, Chunk
from penstock.stages.functions import Applied
from penstock.stages.stage import Stage

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

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()
