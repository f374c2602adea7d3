"""The row that does not fit: how the assembler tells the batcher, which knows where the row came from."""

from __future__ import annotations

from typing import final

__all__ = ["Misfit"]


@final
class Misfit(Exception):
    """An example does not fit the spec; no row before it misfits."""

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row
        """The place of the first such row among those that were to be assembled."""
