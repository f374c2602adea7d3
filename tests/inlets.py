"""Inputs of a merge whose readiness a test decides, and what comes out of a merge."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from penstock.chunk import Chunk
from penstock.sources import as_source
from penstock.stages import RowReader, RunReader, Stage, Straight
from penstock.ticket import Ticket


class Scripted:
    """An input that says itself how much of it is there at which moment."""

    direct = None
    rows = None

    def __init__(self, stage: Stage, *, items: bool = False, ready: Sequence[int] = ()) -> None:
        self.items = items
        self.closed = 0
        self.waited = 0
        self._stage = stage
        self._ready = list(ready)
        self._now = self._ready.pop(0) if self._ready else 1 << 30

    def shut(self) -> None:
        self.close()

    def at_hand(self) -> int:
        return self._now

    def wait(self) -> None:
        if not self._now:
            self.waited += 1
            self.arrive()

    def arrive(self) -> None:
        """The next of what it was told happens; at least one example."""
        self._now = max(1, self._ready.pop(0)) if self._ready else 1 << 30

    def take(self, n: int) -> Chunk:
        chunk = self._stage.take(min(n, max(1, self._now)))
        self._now = self._ready.pop(0) if self._ready else self._now
        return chunk

    def slow(self) -> None:
        """Never pulled directly."""

    def close(self) -> None:
        self.closed += 1


def drained(stage: Stage, sizes: Iterator[int]) -> tuple[list[Any], list[Ticket], BaseException | None]:
    rows: list[Any] = []
    tickets: list[Ticket] = []
    while True:
        n = next(sizes)
        chunk = stage.take(n)
        assert chunk.count <= n
        rows += chunk.as_rows()
        tickets += list(chunk.tickets)
        if chunk.error is not None or chunk.count == 0:
            assert stage.take(n).is_end
            return rows, tickets, chunk.error


def numbers(rows: Sequence[Any]) -> list[int]:
    return [int(row if np.ndim(row) == 0 else row[0]) for row in rows]


def source(place: int, given: Sequence[int], error: Exception | None) -> Iterator[int]:
    yield from given
    if error is not None:
        raise error


def inlet(kind: str, place: int, values: list[int], error: Exception | None, ready: list[int]) -> Any:
    """An input of any kind, stream number `place`."""
    if kind == "direct":
        return Straight(RowReader(as_source(lambda: source(place, values, error)), place, epoch=0), items=False)
    if kind == "array":
        return Straight(RunReader(as_source(np.array(values, int)), place, epoch=0, items=False), items=False)
    reader = RowReader(as_source(lambda: source(place, values, error)), place, epoch=0)
    return Scripted(reader, ready=ready)
