"""Examples that wait for their batch to be complete."""

from __future__ import annotations

from typing import Any, final

from penstock.assemble import Assembler
from penstock.chunk import Chunk
from penstock.ticket import Tickets

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

    def batches(
        self, assembler: Assembler, size: int, most: int
    ) -> tuple[list[list[Any]], list[tuple[Tickets, int, int]]]:
        """Takes off batches that need no work on each example, because they lie in runs of columns.

        Args:
          assembler: says which runs are as they are to be delivered, and copies a batch that lies in several.
          size: of a batch. [examples]
          most: how many are wanted. [batches]

        Returns:
          The arrays of each batch, and where their first examples are, for `Tickets.every`; nothing where other work is needed.
        """
        batches: list[list[Any]] = []
        begins: list[tuple[Tickets, int, int]] = []
        parts = self._parts
        while len(batches) < most and self.count >= size:
            part, at = parts[0], self._at
            views = assembler.views(part.columns) if part.columns is not None else None
            if views is None:
                break
            whole = min(most - len(batches), (part.count - at) // size)
            if whole:
                end = at + whole * size
                batches += [[view[start : start + size] for view in views] for start in range(at, end, size)]
            else:
                pieces, taken = self._pieces(assembler, views, size)
                if not pieces:
                    break
                batches.append(assembler.copied(pieces, size))
                whole, end = 1, taken
            begins.append((part.tickets, at, whole))
            self.count -= whole * size
            while parts and end >= parts[0].count:
                end -= parts[0].count
                del parts[0]
            self._at = end
        return batches, begins

    def _pieces(self, assembler: Assembler, views: list[Any], size: int) -> tuple[list[list[Any]], int]:
        """The runs that one batch lies in, and how far it reaches, counted from the beginning of the first chunk."""
        pieces = [[view[self._at :] for view in views]]
        have = self._parts[0].count - self._at
        reach = self._parts[0].count
        for part in self._parts[1:]:
            more = assembler.views(part.columns) if part.columns is not None else None
            if more is None:
                return [], 0
            count = min(part.count, size - have)
            pieces.append([view[:count] for view in more])
            have, reach = have + count, reach + count
            if have == size:
                return pieces, reach
        return [], 0
