"""Takes batches apart into examples."""

from __future__ import annotations

from typing import final

from penstock.chunk import END, Chunk, Columns
from penstock.stages.stage import Stage
from penstock.ticket import item_tickets

__all__ = ["Unbatch"]


@final
class Unbatch:
    """The rows of each batch, as examples; a batch is one item.

    Args:
      upstream: where the batches come from.
    """

    def __init__(self, upstream: Stage) -> None:
        self._upstream = upstream
        self._rest: Chunk | None = None

    def take(self, n: int) -> Chunk:
        """Gives rows of the batch at hand, and takes the next only if there is none."""
        chunk = self._rest
        while chunk is None or chunk.count == 0:
            if chunk is not None and chunk.error is not None:
                self._rest = None
                return chunk
            batch = self._upstream.take(1)
            if batch.count == 0:
                return batch
            chunk = self._opened(batch)
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

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()
