"""Tells with each example which input of a join it came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from penstock.chunk import END, Chunk, Columns
from penstock.errors import PipelineError, mismatch
from penstock.stages.snapshot import Saved
from penstock.stages.stage import Stage
from penstock.structure import LEAF, Form, Structure
from penstock.ticket import Tickets

__all__ = ["Tag"]


@final
class Tag:
    """Adds to each example what its input is called.

    A dict gets one more key; of anything else comes a pair, of the example and a dict with that one key.

    Args:
      upstream: the join.
      name: the key.
      values: what the input of each stream is called, by stream number: all text, or all numbers.
    """

    def __init__(self, upstream: Stage, name: str, values: Sequence[str | int]) -> None:
        self._upstream = upstream
        self._name = name
        self._values = values
        self._array = np.array(values, np.int64 if isinstance(values[0], int) else object)
        self._ended = False

    def take(self, n: int) -> Chunk:
        """Takes up to n examples, each with its tag."""
        chunk = END if self._ended else self._upstream.take(n)
        if not chunk.count:
            return chunk
        streams = chunk.tickets.streams()
        columns = chunk.columns
        error, rows = chunk.error, None
        if columns is not None:
            taken = 0 if columns.structure.form is Form.DICT and self._name in columns.structure.keys else None
            if taken is None:
                columns = Columns(self._structure(columns.structure), (*columns.arrays, self._array[streams]))
        else:
            rows = chunk.as_rows()
            taken = self._first_taken(rows)
            rows = [self._tagged(row, stream) for row, stream in zip(rows[:taken], streams.tolist(), strict=False)]
        tickets = chunk.tickets
        if taken is not None:
            self._ended = True
            error = PipelineError(mismatch("a new name for the tag", f"`{self._name}`, a component's", at="join(tag)"))
            tickets, rows, columns = tickets.cut(0, taken), rows or [], None
        return Chunk(rows, tickets, columns=columns, error=error, item_end=chunk.item_end)

    def _first_taken(self, rows: Sequence[Any]) -> int | None:
        """The place of the first example that has such a key already."""
        name = self._name
        return next((at for at, row in enumerate(rows) if isinstance(row, dict) and name in row), None)

    def _tagged(self, row: Any, stream: int) -> Any:
        value = self._values[stream]
        return {**row, self._name: value} if isinstance(row, dict) else (row, {self._name: value})

    def _structure(self, structure: Structure) -> Structure:
        if structure.form is Form.DICT:
            return Structure(Form.DICT, dict, (*structure.keys, self._name), (*structure.children, LEAF))
        tag = Structure(Form.DICT, dict, (self._name,), (LEAF,))
        return Structure(Form.TUPLE, tuple, (0, 1), (structure, tag))

    def snapshot(self) -> Saved:
        """Whether it has ended."""
        return {"of": self._upstream.snapshot(), "ended": self._ended}

    def restore(self, saved: Saved) -> None:
        """Goes on from there."""
        self._upstream.restore(saved["of"])
        self._ended = bool(saved["ended"])

    @property
    def recalls(self) -> bool:
        """As upstream."""
        return self._upstream.recalls

    def recall(self, tickets: Tickets) -> list[Any]:
        """What upstream gives again, with its tags."""
        streams = tickets.streams().tolist()
        return [self._tagged(row, stream) for row, stream in zip(self._upstream.recall(tickets), streams, strict=True)]

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()
