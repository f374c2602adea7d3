"""Applies a user's function to each example, or to each batch."""

from __future__ import annotations

from typing import Any, final

from penstock.chunk import END, WHOLE, Chunk
from penstock.stages.functions import Applied
from penstock.stages.snapshot import Saved, Unsettled
from penstock.stages.stage import Stage
from penstock.ticket import Tickets

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

    def snapshot(self) -> Saved:
        """Whether it has ended; not in the middle of a chunk that was mapped whole."""
        if self._rest is not None:
            raise Unsettled
        return {"of": self._upstream.snapshot(), "over": self._over, "skips": self._applied.mark()}

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
        _, rows, error = self._applied.over(Chunk(self._upstream.recall(tickets), tickets))
        if error is not None:
            raise error
        return rows

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()
