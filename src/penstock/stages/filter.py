"""Keeps the examples, or batches, for which a user's function is true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

from penstock.chunk import END, WHOLE, Chunk
from penstock.faults import SkipLog
from penstock.stages.functions import Applied
from penstock.stages.snapshot import Saved, Unsettled, Wanted, drop, noted
from penstock.stages.stage import Stage
from penstock.ticket import Tickets

__all__ = ["Filter"]


@final
class Filter:
    """The examples for which a function is true; the others are discarded and counted.

    Args:
      upstream: where the examples come from.
      applied: the predicate.
      items: whether a turn is a user's chunk, whose end must not be lost with its last rows.
      weigh: how many examples there are in what is left out.
      wanted: whether a snapshot is wanted.
    """

    def __init__(
        self,
        upstream: Stage,
        applied: Applied,
        *,
        items: bool = False,
        weigh: Callable[[Sequence[Any]], int] = len,
        wanted: Wanted | None = None,
    ) -> None:
        self._upstream = upstream
        self._weigh = weigh
        self._applied = applied
        self._items = items
        self._rest: Chunk | None = None
        self._over = False
        self._wanted = wanted if wanted is not None else Wanted()
        self._before: tuple[Saved, SkipLog | None] | None = None
        self._kept_of_last = 0
        self._drop = 0
        self.discarded = 0
        """Examples for which the function was false. [examples]"""

    def take(self, n: int) -> Chunk:
        """Takes chunks until an example is kept, an error is met, or the end."""
        if self._drop:
            count, self._drop = self._drop, 0
            rest = drop(self, count)
            if rest is not None:
                return rest
        kept, self._rest = self._rest, None
        while kept is None:
            if self._over:
                return END
            before = noted(self._upstream) if self._items and self._wanted.on else None
            self._before = None if before is None else (before, self._applied.mark())
            chunk = self._upstream.take(WHOLE if self._items else n)
            if chunk.is_end:
                return chunk
            kept = self._kept(chunk)
            self._kept_of_last = kept.count
            if kept.is_end:
                kept = None
        if kept.count > n:
            kept, self._rest = kept.cut(n)
        return kept

    def _kept(self, chunk: Chunk) -> Chunk:
        chunk, flags, error = self._applied.over(chunk)
        keep = [place for place, flag in enumerate(flags) if flag]
        self.discarded += self._dropped(chunk, len(flags), keep)
        kept = chunk if len(keep) == chunk.count else chunk.select(keep)
        if error is not None:
            self._over = True
            kept.error, kept.item_end = error, False
        return kept

    def _dropped(self, chunk: Chunk, judged: int, keep: Sequence[int]) -> int:
        if self._weigh is len or judged == len(keep):
            return judged - len(keep)
        kept = set(keep)
        return self._weigh([row for i, row in enumerate(chunk.as_rows()[:judged]) if i not in kept])

    def snapshot(self) -> Saved:
        """How much was left out; and in the middle of an item what came before it, and how much of it was given."""
        if self._rest is None:
            of, skips = self._upstream.snapshot(), self._applied.mark()
            return {"of": of, "given": self._drop, "over": self._over, "skips": skips}
        if self._before is None:
            raise Unsettled
        of, skips = self._before
        return {"of": of, "given": self._kept_of_last - self._rest.count, "over": False, "skips": skips}

    def restore(self, saved: Saved) -> None:
        """Goes on from there."""
        self._upstream.restore(saved["of"])
        self._drop, self._over = int(saved["given"]), bool(saved["over"])

    @property
    def recalls(self) -> bool:
        """As upstream."""
        return self._upstream.recalls

    def recall(self, tickets: Tickets) -> list[Any]:
        """As upstream: what was kept once is kept."""
        return self._upstream.recall(tickets)

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()
