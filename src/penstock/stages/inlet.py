"""What a merge takes from: inputs, what was taken of them ahead of their turn, and how settled readers are pulled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, final

import numpy as np

from penstock.assemble import pull_turns
from penstock.chunk import WHOLE, Chunk
from penstock.errors import StateError, mismatch
from penstock.faults import SkipLog
from penstock.stages.reader import RowReader
from penstock.stages.repeat import Repeat
from penstock.stages.snapshot import Saved, Trail, Unsettled, Wanted
from penstock.stages.stage import Intake, Stage
from penstock.ticket import Tickets

__all__ = [
    "MOST_ROWS",
    "Inlet",
    "Into",
    "Pull",
    "Rows",
    "Slot",
    "Straight",
    "close_all",
    "pull_plain",
    "recalled",
    "rows_of",
]


NO_STREAMS = range(0)
"""Of an input whose streams nobody asks for."""

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

    def mark(self) -> None:
        """Notes where the input stands now, after it was pulled directly."""

    def snapshot(self, held: int) -> Saved:
        """Where the input stood when the last `held` examples that were taken had not been."""

    def restore(self, saved: Saved) -> None:
        """Goes on from there; only before anything was taken."""

    streams: range
    """The streams that are read by it, by number."""

    @property
    def recalls(self) -> bool:
        """As the stage."""

    def recall(self, tickets: Tickets) -> list[Any]:
        """As the stage."""

    def shut(self) -> None:
        """Sees to it that it reads nothing, as it had ended when the state was taken; it may still be asked to recall."""

    def close(self) -> None:
        """Lets go of what it holds."""


@final
class Straight:
    """A stage pulled by the merge itself, in its own thread."""

    def __init__(
        self,
        stage: Stage,
        *,
        items: bool,
        streams: range = NO_STREAMS,
        wanted: Wanted | None = None,
        skips: Sequence[SkipLog] = (),
    ) -> None:
        self.items = items
        self.close = stage.close
        self.recall = stage.recall
        self.rows = rows_of(stage)
        self.streams = streams
        self._stage = stage
        self._wanted = wanted if wanted is not None else Wanted()
        self._trail = Trail(stage, skips)

    def take(self, n: int) -> Chunk:
        """Pulls the stage."""
        trail = self._trail
        if trail.due:
            rest = trail.settle()
            if rest is not None:
                return rest
        if self._wanted.on:
            trail.mark()
        chunk = self._stage.take(n)
        trail.since += chunk.count
        return chunk

    def mark(self) -> None:
        """Notes where the stage stands."""
        self._trail.mark()

    def snapshot(self, held: int) -> Saved:
        """What was noted last, and how many were taken since."""
        return self._trail.snapshot(held)

    def restore(self, saved: Saved) -> None:
        """Goes on from there."""
        self._trail.restore(saved)

    @property
    def recalls(self) -> bool:
        """As the stage."""
        return self._stage.recalls

    def shut(self) -> None:
        """Nothing to do: it reads only when it is pulled."""

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

    def snapshot(self) -> Saved:
        """Where the input stands, less what is held of it."""
        chunk = self.chunk
        if chunk is not None and (chunk.error is not None or not chunk.count):
            raise Unsettled  # its error, or its end, is about to be told
        return self.inlet.snapshot(chunk.count if chunk is not None else 0)


def recalled(inlets: Sequence[Inlet], tickets: Tickets) -> list[Any]:
    """Examples again, each from the input that reads its stream."""
    streams = tickets.streams()
    out: list[Any] = [None] * len(tickets)
    known = 0
    for inlet in inlets:
        which = np.flatnonzero((streams >= inlet.streams.start) & (streams < inlet.streams.stop))
        known += len(which)
        if len(which):
            for place, row in zip(which.tolist(), inlet.recall(tickets.select(which)), strict=True):
                out[place] = row
    if known < len(tickets):
        got = sorted({*streams.tolist()} - {stream for inlet in inlets for stream in inlet.streams})
        raise StateError(mismatch("tickets of the sources that are read here", f"of {got}", at="open(state)"))
    return out


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
