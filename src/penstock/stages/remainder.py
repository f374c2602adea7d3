"""What several ranks have left over of a stream, as one stream: for other ranks, as many as there are, to share.

Guarantees
  First come the examples that were dealt to a rank and not delivered by it; then what no rank had taken yet.
  It is the same stream for whoever reads it.
Assumes
  All ranks that left something read the same stream; or each its own sources, of which it then takes one of each rank in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from penstock.chunk import END, Chunk
from penstock.stages.inlet import Straight
from penstock.stages.merge import Merge
from penstock.stages.snapshot import Saved, Wanted, numbers, packed_tickets, unpacked_tickets
from penstock.stages.stage import Stage
from penstock.ticket import NO_TICKETS, Tickets

__all__ = ["Remainder", "left_over"]


def left_over(left: Tickets, stands: Sequence[Saved | None]) -> Saved:
    """The snapshot of a remainder.

    Args:
      left: of the examples that come first.
      stands: where each part stands; `None` where it has ended.
    """
    live = [place for place, stand in enumerate(stands) if stand is not None]
    inlets = [{"of": stand, "given": 0} for stand in stands if stand is not None]
    of: Any = {"turn": 0, "live": list(range(len(live))), "inlets": inlets}
    if len(live) < 2:
        of = inlets[0]["of"] if live else None
    return {"left": packed_tickets(left), "live": live, "of": of}


@final
class Remainder:
    """What is left over.

    Args:
      parts: the streams that are gone on with: one, or one for each rank that read its own sources.
      first: the number of the first of these sources; those of a rank are so many apart as there are ranks.
      wanted: whether a snapshot is wanted.
    """

    def __init__(self, parts: Sequence[Stage], *, first: int, wanted: Wanted) -> None:
        self._parts = parts
        self._first = first
        self._wanted = wanted
        self._left = NO_TICKETS
        self._live: list[int] = []
        self._stream: Stage | None = None

    def take(self, n: int) -> Chunk:
        """Gives what comes first; then what comes in turn."""
        count = min(n, len(self._left))
        if count:
            places = np.arange(len(self._left))
            head, self._left = self._left.select(places[:count]), self._left.select(places[count:])
            return Chunk(self.recall(head), head)
        return self._stream.take(n) if self._stream is not None else END

    def snapshot(self) -> Saved:
        """What is still to come first, and where the parts stand."""
        of = self._stream.snapshot() if self._stream is not None else None
        return {"left": packed_tickets(self._left), "live": self._live, "of": of}

    def restore(self, saved: Saved) -> None:
        """Goes on from there."""
        self._left = unpacked_tickets(saved["left"])
        self._live = numbers(saved["live"], below=len(self._parts)).tolist()
        live = [self._parts[place] for place in self._live]
        self._stream = live[0] if live else None
        if len(live) > 1:
            self._stream = Merge(
                [Straight(part, items=False, wanted=self._wanted) for part in live], wanted=self._wanted
            )
        if self._stream is not None:
            self._stream.restore(saved["of"])

    @property
    def recalls(self) -> bool:
        """Whether all parts do."""
        return all(part.recalls for part in self._parts)

    def recall(self, tickets: Tickets) -> list[Any]:
        """What the parts give again, each of its own sources."""
        if len(self._parts) == 1:
            return self._parts[0].recall(tickets)
        whose = (tickets.streams() - self._first) % len(self._parts)
        out: list[Any] = [None] * len(tickets)
        for rank, part in enumerate(self._parts):
            which = np.flatnonzero(whose == rank)
            if len(which):
                for place, row in zip(which.tolist(), part.recall(tickets.select(which)), strict=True):
                    out[place] = row
        return out

    def close(self) -> None:
        """Closes all parts."""
        for part in self._parts:
            part.close()
