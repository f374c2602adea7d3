"""What a merge takes from: inputs, what was taken of them ahead of their turn, and how settled readers are pulled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, final

from penstock.assemble import pull_turns
from penstock.chunk import WHOLE, Chunk
from penstock.stages.reader import RowReader
from penstock.stages.repeat import Repeat
from penstock.stages.stage import Intake, Stage

__all__ = ["MOST_ROWS", "Inlet", "Into", "Pull", "Rows", "Slot", "Straight", "close_all", "pull_plain", "rows_of"]


Rows = RowReader | Repeat
"""What reads single examples and nothing else, in one pass or several."""


def rows_of(stage: Stage) -> Rows | None:
    """The stage, if it is such a reader."""
    return stage if isinstance(stage, RowReader) or (isinstance(stage, Repeat) and stage.by_row) else None


class Inlet(Protocol):
    """One input of a merge."""

    items: bool
    """Whether a turn is a user's chunk."""
    rows: Rows | None
    """The reader of single examples, if nothing else stands behind the input."""

    def at_hand(self) -> int:
        """How many examples can be taken without waiting; 1 where the end or an error is next."""

    def wait(self) -> None:
        """Waits until something can be taken."""

    def take(self, n: int) -> Chunk:
        """Gives up to n examples, at least one; an error; or the end."""

    @property
    def direct(self) -> RowReader | None:
        """The reader, if it is to be pulled by the merge itself, one example at each turn."""

    def slow(self) -> None:
        """Says that a direct pull took long."""

    def close(self) -> None:
        """Lets go of what it holds."""


@final
class Straight:
    """A stage pulled by the merge itself, in its own thread."""

    def __init__(self, stage: Stage, *, items: bool) -> None:
        self.items = items
        self.take = stage.take
        self.close = stage.close
        self.rows = rows_of(stage)

    def at_hand(self) -> int:
        """Pulled on demand."""
        return WHOLE

    def wait(self) -> None:
        """Pulled on demand."""

    @property
    def direct(self) -> RowReader | None:
        """The stage, where it is a settled reader."""
        return self.rows.reader if self.rows is not None and self.rows.direct is not None else None

    def slow(self) -> None:
        """Nothing to change: there is no other thread."""


Into = list[Any] | Intake
"""Where pulled examples go: into a list, or straight to where they are wanted."""

Pull = Callable[[list[Iterator[Any]], int, int, Into], Sequence[int]]
"""Pulls n items from iterators in turn; see `pull_turns`. Gives the places of those that took long."""


def pull_plain(iterators: list[Iterator[Any]], first: int, n: int, into: Into) -> Sequence[int]:
    """Pulls as `pull_turns` does, and finds none of them slow."""
    if isinstance(into, list):
        pull_turns(iterators, first, n, into)
    else:
        into.pull(iterators, first, n)
    return ()


MOST_ROWS = 4096
"""Of inputs that are pulled here no more are held in a list at once: a batch that is larger can be poured. [examples]"""


@final
class Slot:
    """An input and what has been taken of it ahead of its turn."""

    __slots__ = ("chunk", "inlet")

    def __init__(self, inlet: Inlet) -> None:
        self.inlet = inlet
        self.chunk: Chunk | None = None

    def has(self) -> int:
        """Examples that can be given without waiting; 0 if there is none yet, or an error is next."""
        return self.inlet.at_hand() if self.chunk is None else self.chunk.count

    def fill(self, n: int) -> int:
        """Takes up to n of the input if nothing is held; gives how many are held, 0 at the end or before an error."""
        if self.chunk is None:
            self.chunk = self.inlet.take(n)
        return self.chunk.count

    def pop(self, n: int) -> Chunk:
        """The first n examples; an error behind them stays."""
        assert self.chunk is not None and self.chunk.count >= n, "as many are held as are popped"
        if self.chunk.count == n and self.chunk.error is None:
            head, self.chunk = self.chunk, None
        else:
            head, self.chunk = self.chunk.cut(n)
        return head


def close_all(inlets: Sequence[Inlet]) -> None:
    """Closes all; raises the first error after that."""
    errors: list[Exception] = []
    for inlet in inlets:
        try:
            inlet.close()
        except Exception as error:
            errors.append(error)
    if errors:
        raise errors[0]
