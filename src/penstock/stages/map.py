"""Applies a user's function to each example, or to each batch."""

from __future__ import annotations

from typing import final

from penstock.chunk import END, WHOLE, Chunk
from penstock.stages.functions import Applied
from penstock.stages.stage import Stage

__all__ = ["Map"]


@final
class Map:
    """Each example replaced by what a function makes of it; order and tickets stay.

    Args:
      upstream: where the examples come from.
      applied: the function.
      items: whether a turn is a user's chunk, whose end must not be lost with its last rows where some are skipped.
    """

    def __init__(self, upstream: Stage, applied: Applied, *, items: bool = False) -> None:
        self._upstream = upstream
        self._applied = applied
        self._whole = items and applied.skips
        self._rest: Chunk | None = None
        self._over = False

    def take(self, n: int) -> Chunk:
        """Takes a chunk and maps it; ends at the first error of the function."""
        mapped, self._rest = self._rest, None
        while mapped is None:
            if self._over:
                return END
            chunk = self._upstream.take(WHOLE if self._whole else n)
            if chunk.is_end:
                return chunk
            worked, rows, error = self._applied.over(chunk)
            if error is not None:
                self._over = True
                return Chunk(rows, worked.tickets, error=error, item_end=False)
            if rows or chunk.error is not None:  # else all were skipped
                mapped = Chunk(rows, worked.tickets, error=chunk.error, item_end=chunk.item_end)
        if mapped.count > n:
            mapped, self._rest = mapped.cut(n)
        return mapped

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()
