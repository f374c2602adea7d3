"""Takes batches apart into examples."""

from __future__ import annotations

from typing import Any, final

from penstock.chunk import END, Chunk, Columns
from penstock.stages.snapshot import Saved, Unsettled, Wanted, drop, noted
from penstock.stages.stage import Stage
from penstock.ticket import Tickets, item_tickets

__all__ = ["Unbatch"]


@final
class Unbatch:
    """The rows of each batch, as examples; a batch is one item.

    Args:
      upstream: where the batches come from.
      wanted: whether a snapshot is wanted.
    """

    def __init__(self, upstream: Stage, *, wanted: Wanted | None = None) -> None:
        self._upstream = upstream
        self._wanted = wanted if wanted is not None else Wanted()
        self._before: Saved | None = None
        self._rows = self._drop = 0  # of the batch at hand; and still to be dropped
        self._rest: Chunk | None = None

    def take(self, n: int) -> Chunk:
        """Gives rows of the batch at hand, and takes the next only if there is none."""
        if self._drop:
            count, self._drop = self._drop, 0
            rest = drop(self, count)
            if rest is not None:
                return rest
        chunk = self._rest
        while chunk is None or chunk.count == 0:
            if chunk is not None and chunk.error is not None:
                self._rest = None
                return chunk
            self._before = noted(self._upstream) if self._wanted.on else None
            batch = self._upstream.take(1)
            if batch.count == 0:
                return batch
            chunk = self._opened(batch)
            self._rows = chunk.count
        if chunk.count > n:
            chunk, self._rest = chunk.cut(n)
        else:
            self._rest = None
        return chunk

    def _opened(self, batch: Chunk) -> Chunk:
        first = batch.tickets[0]
        try:
            columns = Columns.of(batch.as_rows()[0])
        except Exception as error:  # a mapped batch that has no rows
            error.add_note("penstock: while taking a batch apart in unbatch()")
            return Chunk([], END.tickets, error=error)
        tickets = item_tickets(first.stream, first.epoch, first.offset, first.row, columns.count)
        return Chunk(None, tickets, columns=columns, error=batch.error)

    def snapshot(self) -> Saved:
        """In the middle of a batch what came before it, and how many of its rows were given."""
        if self._rest is None:
            return {"of": self._upstream.snapshot(), "given": self._drop}
        if self._before is None:
            raise Unsettled
        return {"of": self._before, "given": self._rows - self._rest.count}

    def restore(self, saved: Saved) -> None:
        """Goes on from there."""
        self._upstream.restore(saved["of"])
        self._drop = int(saved["given"])

    recalls = False
    """A row's ticket does not tell which examples its batch was made of."""

    def recall(self, tickets: Tickets) -> list[Any]:
        """Not to be asked for."""
        raise AssertionError("rows of batches are not recalled")

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()
