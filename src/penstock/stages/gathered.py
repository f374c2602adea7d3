"""Examples that wait for their batch to be complete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from penstock.assemble import Assembler
from penstock.chunk import Chunk
from penstock.ticket import NO_TICKETS, Tickets

__all__ = ["Gathered"]


@final
class Gathered:
    """Chunks in order, taken off again by the number.

    What is left of the first chunk is not cut anew for each batch: only its beginning moves.
    """

    def __init__(self) -> None:
        self.count = 0
        """Examples that wait. [examples]"""
        self._parts: list[Chunk] = []
        self._at = 0

    @property
    def first(self) -> Chunk:
        """The first chunk; there is one while `count` is not zero."""
        return self._parts[0]

    def add(self, chunk: Chunk) -> None:
        """Puts a chunk behind the others."""
        self._parts.append(chunk)
        self.count += chunk.count

    def clear(self) -> None:
        """Lets go of all."""
        self._parts, self._at, self.count = [], 0, 0

    def take(self, count: int) -> list[Chunk]:
        """Takes off exactly so many examples."""
        self.count -= count
        parts = self._parts
        if self._at:
            parts[0], self._at = parts[0].cut(self._at)[1], 0
        if self.count == 0:
            self._parts = []
            return parts
        taken: list[Chunk] = []
        while count:
            part = parts[0]
            if part.count > count:
                part, parts[0] = part.cut(count)
            else:
                del parts[0]
            taken.append(part)
            count -= part.count
        return taken

    def put_back(self, parts: Sequence[Chunk], without: int) -> None:
        """Puts chunks that were taken off back before the others, without one of their examples.

        Args:
          parts: the chunks.
          without: the place of that example in all of them.
        """
        kept: list[Chunk] = []
        first = 0
        for part in parts:
            place, first = without - first, first + part.count
            if 0 <= place < part.count:
                part = part.select([other for other in range(part.count) if other != place])
            if part.count:
                kept.append(part)
        assert not self._at, "taking off has cut the first"
        self._parts = kept + self._parts
        self.count += sum(part.count for part in kept)

    def batches(self, assembler: Assembler, size: int, most: int, *, ticketed: bool) -> tuple[list[list[Any]], Tickets]:
        """Takes off batches that need no work on each example, because they lie in runs of columns.

        Args:
          assembler: says which runs are as they are to be delivered, and cuts them.
          size: of a batch. [examples]
          most: how many are wanted. [batches]
          ticketed: whether their tickets are wanted.

        Returns:
          The arrays of each batch, and their tickets, if wanted; nothing where other work is needed.
        """
        parts, at = self._parts, self._at
        runs: list[tuple[Any, ...]] = []
        have = -at
        wanted = most * size
        for part in parts:
            columns = part.columns
            run = (columns.run or assembler.run(columns)) if columns is not None else None
            if run is None or have >= wanted:
                break
            runs.append(run)
            have += part.count
        if have < size:
            return [], NO_TICKETS
        batches = assembler.cut(runs, at, size, most)
        tickets = NO_TICKETS
        if ticketed:
            tickets = Tickets.every([part.tickets for part in parts[: len(runs)]], at, size, len(batches))
        taken = len(batches) * size
        self.count -= taken
        self._at += taken
        while parts and self._at >= parts[0].count:
            self._at -= parts[0].count
            del parts[0]
        return batches, tickets
