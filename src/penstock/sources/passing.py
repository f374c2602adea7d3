"""One pass over some files: runs of examples, and where it stands, so that another pass can go on from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, final

from penstock.chunk import Columns
from penstock.errors import StateError, mismatch
from penstock.sources.lasting import Bad

__all__ = ["START", "Pass", "Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """A place between two runs of examples."""

    file: int
    """The number of the file."""
    row: int
    """How many of its rows come before where one begins to read. [examples]"""
    byte: int = 0
    """Where that is, in files that are read by the byte. [bytes]"""
    drop: int = 0
    """How many examples behind it come before too. [examples]"""

    def start(self, file: int) -> int:
        """The first row of a file that is read, from this place on."""
        return self.row if file == self.file else 0

    def drop_at(self, file: int, row: int) -> int:
        """How many examples are left out of what begins with a row. [examples]"""
        return self.drop if (file, row) == (self.file, self.row) else 0

    def behind(self, file: int, row: int, blocks: Iterator[Any]) -> Iterator[Any]:
        """What of the runs that begin with a row comes behind this place."""
        drop = self.drop_at(file, row)
        for block in blocks:
            if drop < len(block):
                yield block if not drop else block.cut(drop, len(block)) if isinstance(block, Columns) else block[drop:]
            drop = max(0, drop - len(block))

    def behind_bad(self, file: int, row: int, bad: Bad) -> Iterator[tuple[Place, Bad]]:
        """A row that cannot be read, with the place behind it, if it comes behind this place."""
        if row >= self.start(file) and not self.drop_at(file, row):
            yield Place(file, row, drop=1), bad


START = Place(0, 0)


@final
class Pass(Iterator[Any]):
    """Runs of examples, file after file; raises in the place of a row that cannot be read, and goes on behind it.

    Args:
      blocks_from: gives the runs from a place on, each with the place behind it.
    """

    def __init__(self, blocks_from: Callable[[Place], Iterator[tuple[Place, Any]]]) -> None:
        self._blocks_from = blocks_from
        self._at = START
        self._blocks: Any = None
        self.lasts = True
        """Whether it goes on after what it has raised."""

    def __next__(self) -> Any:
        if self._blocks is None:
            self._blocks = self._blocks_from(self._at)
        try:
            at, block = next(self._blocks)
        except StopIteration:
            raise
        except BaseException:
            self.lasts = False
            raise
        self._at = at
        if type(block) is Bad:
            raise block.error
        return block

    def state_dict(self) -> dict[str, int]:
        """Where it stands."""
        return {name: getattr(self._at, name) for name in Place.__slots__}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Goes on from there; only before the first run was asked for.

        Raises:
          StateError: it is no such state.
        """
        try:
            place = Place(**{name: int(value) for name, value in state.items()})
        except (TypeError, ValueError, AttributeError):
            raise StateError(mismatch("the place of a file's row", f"`{state!r}`", at="open(state)")) from None
        self._at = place

    def close(self) -> None:
        """Closes the file that is open."""
        if self._blocks is not None:
            self._blocks.close()
