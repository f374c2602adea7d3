"""Lets examples leave in random order.

Guarantees
  Every example leaves exactly once; the one that leaves at place p (from 0) came at place p + size - 1 at the latest.
  The order is a function of seed, epoch and the order in which examples came; not of chunks, nor of threads.
How
  `size` examples are held, at slots. One is drawn and leaves; the next that comes takes its slot. At the end the last
  slot fills the hole, until there is none.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np

from penstock.assemble import Pool
from penstock.chunk import END, Chunk
from penstock.draws import Draws, Places
from penstock.errors import StateError, mismatch
from penstock.stages.snapshot import Saved, Unsettled, packed_tickets, unpacked_tickets
from penstock.stages.stage import Stage
from penstock.stages.store import Store
from penstock.ticket import Table, Tickets, listed_tickets

__all__ = ["Shuffle"]

NONE = -1
"""No hole; or an example that did not come just now."""


@final
class Shuffle:
    """Examples in random order, of which `size` are held, so that there is a choice.

    A larger size mixes better, and starts later. Drawn without replacement. An error comes after all that came before it.

    Args:
      upstream: where the examples come from.
      size: how many are held. [examples]
      draws: says whose turn it is.
      pool: where memory comes from.

    Source: TF1 `tf.RandomShuffleQueue`, whose `min_after_dequeue` is `size - 1`.
    """

    def __init__(self, upstream: Stage, size: int, draws: Draws, pool: Pool) -> None:
        self._upstream = upstream
        self._size = size
        self._draws = draws
        self._store = Store(pool)
        self._tickets: Table = np.empty((0, 5), np.int64)
        self._held = 0
        self._hole = NONE
        self._ended = False
        self._error: BaseException | None = None
        self._again: Chunk | None = None  # what was held by a state, and is not yet here

    def take(self, n: int) -> Chunk:
        """Gives examples for which others came; without waiting for more once `size` are held."""
        if self._again is not None:
            self._refill(self._again)
        while not self._ended:
            full = self._held == self._size
            if full and self._hole == NONE:
                return self._leave()
            chunk = self._upstream.take(n if full else self._size - self._held)
            if chunk.error is not None or chunk.count == 0:
                self._ended, self._error = True, chunk.error
            if not chunk.count:
                break
            if chunk.columns is not None and chunk.columns.holds_objects:
                # Their rows are Python's objects, and what they are must not depend on who made rows of them where.
                chunk = Chunk(chunk.as_rows(), chunk.tickets)
            self._store.suit(chunk)
            if full:
                return self._exchange(chunk)
            self._fill(chunk)
        if self._held == 0 or (self._held == 1 and self._hole != NONE):
            self._held, self._hole = 0, NONE
            error, self._error = self._error, None
            return END if error is None else Chunk([], END.tickets, error=error)
        return self._drain(n)

    def _fill(self, chunk: Chunk) -> None:
        """Keeps what comes while there is room."""
        slots = np.arange(self._held, self._held + chunk.count)
        self._held += chunk.count
        self._keep(slots, chunk, np.arange(chunk.count))

    def _keep(self, slots: Places, chunk: Chunk, places: Places) -> None:
        if len(self._tickets) < self._held:
            more = min(self._size, max(2 * len(self._tickets), self._held))
            self._tickets = np.resize(self._tickets, (more, 5)) if len(self._tickets) else np.zeros((more, 5), np.int64)
        self._tickets[slots] = chunk.tickets.table()[places]
        self._store.keep(slots, chunk, places, len(self._tickets))

    def _exchange(self, chunk: Chunk) -> Chunk:
        """As many leave as have come: each that comes takes the slot of the one that left before."""
        m = chunk.count
        drawn = self._draws.many(np.full(m, self._size)).tolist()
        came: dict[int, int] = {}  # slot: place in the chunk
        places: list[int] = []
        hole = self._hole
        for place, slot in enumerate(drawn):
            came[hole] = place
            places.append(came.get(slot, NONE))
            hole = slot
        self._hole = hole
        slots, froms = np.array(drawn), np.array(places)
        table = self._tickets[slots]
        new = froms >= 0
        table[new] = chunk.tickets.table()[froms[new]]
        rows, columns = self._store.collect(slots, chunk, froms)
        came.pop(hole, None)
        if came:
            self._keep(np.array(list(came)), chunk, np.array(list(came.values())))
        return Chunk(rows, listed_tickets(table), columns=columns)

    def _leave(self) -> Chunk:
        """One leaves, for which none has come yet."""
        slots = self._draws.many(np.array([self._held]))
        self._hole = int(slots[0])
        return self._given(slots)

    def _given(self, slots: Places) -> Chunk:
        rows, columns = self._store.collect(slots)
        return Chunk(rows, listed_tickets(self._tickets[slots]), columns=columns)

    def _drain(self, n: int) -> Chunk:
        """Up to n of those that are left; the last slot fills each hole."""
        left = self._held - (self._hole != NONE)
        count = min(n, left)
        # Where the example of each slot lies: those that moved did so in thought only, until the end of this.
        lies: dict[int, int] = {}
        if self._hole != NONE:
            lies[self._hole] = left
        drawn = self._draws.many(np.arange(left, left - count, -1)).tolist()
        slots: list[int] = []
        for slot in drawn:
            left -= 1
            slots.append(lies.get(slot, slot))
            lies[slot] = lies.get(left, left)
        chunk = self._given(np.array(slots, np.int64))
        moved = [(slot, at) for slot, at in lies.items() if slot < left and at != slot]
        if moved:
            to, at = np.ascontiguousarray(np.array(moved, np.int64).T)
            kept = self._given(at)
            self._store.keep(to, kept, np.arange(len(to)), len(self._tickets))
            self._tickets[to] = kept.tickets.table()
        self._held, self._hole = left, NONE
        return chunk

    # Where it stands.

    def snapshot(self) -> Saved:
        """The tickets of what is held, slot by slot, the hole, and the number of the next draw.

        What upstream cannot recall is held by the snapshot itself.

        Raises:
          Unsettled: there is an error, which is still to come.
        """
        if self._error is not None:
            raise Unsettled
        again, slots = self._again, np.arange(self._held)
        tickets = again.tickets if again is not None else listed_tickets(self._tickets[: self._held].copy())
        rows = None
        if not self._upstream.recalls:
            rows = again.rows if again is not None else self._given(slots).as_rows() if self._held else []
        return {
            "of": self._upstream.snapshot(),
            "held": packed_tickets(tickets),
            "rows": rows,
            "hole": self._hole,
            "draw": self._draws.number,
            "ended": self._ended,
        }

    def restore(self, saved: Saved) -> None:
        """Goes on from there; what was held is recalled when something is first taken."""
        self._upstream.restore(saved["of"])
        self._again = Chunk(saved["rows"], unpacked_tickets(saved["held"]))
        self._hole, self._ended = int(saved["hole"]), bool(saved["ended"])
        held = len(self._again.tickets)
        if self._hole != NONE and not 0 <= self._hole < held:
            raise StateError(mismatch(f"a hole among the {held} that are held", f"{self._hole}", at="open(state)"))
        self._draws.number = int(saved["draw"])

    def _refill(self, again: Chunk) -> None:
        self._again = None
        if len(again.tickets):
            rows = again.rows if again.rows is not None else self._upstream.recall(again.tickets)
            chunk = Chunk(rows, again.tickets)
            self._store.suit(chunk)
            self._fill(chunk)

    @property
    def recalls(self) -> bool:
        """As upstream."""
        return self._upstream.recalls

    def recall(self, tickets: Tickets) -> list[Any]:
        """As upstream: what left once leaves again."""
        return self._upstream.recall(tickets)

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()
