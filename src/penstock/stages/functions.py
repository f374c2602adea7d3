"""A user's function of an example, called with the example's own random numbers if it asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, final

import numpy as np

from penstock.chunk import Chunk
from penstock.errors import placed
from penstock.faults import SkipLog
from penstock.plan import takes_rng
from penstock.stages.mending import Mending
from penstock.stages.reader import place_of_ticket
from penstock.ticket import Ticket, Tickets

__all__ = ["Applied", "generator", "key_of"]

_MASK = 2**64 - 1

Key = np.ndarray[Any, np.dtype[np.uint64]]


def key_of(seed: int, stage: int) -> Key:
    """What tells the random numbers of a stage from those of others: uint64[2].

    Args:
      seed: any integer; a negative one is a seed of its own too.
      stage: the number of the stage.

    Source: NumPy's `SeedSequence`, which mixes all the bits of both.
    """
    entropy = 2 * abs(seed) + (seed < 0)
    return np.random.SeedSequence(entropy, spawn_key=(stage,)).generate_state(2, np.uint64).astype(np.uint64)


def generator(key: Key, ticket: Ticket) -> np.random.Generator:
    """The random numbers of one example in one stage: a function of seed, stage and ticket, never of a thread.

    Args:
      key: of the seed and the stage, by `key_of`.
      ticket: where the example came from.

    Source: Philox (Salmon et al. 2011), a counter-based generator: the key is seed and stage, the counter the ticket.
    """
    stream_epoch = ((ticket.stream << 32) | ticket.epoch) & _MASK
    row_use = (ticket.row | (ticket.use << 48)) & _MASK
    counter = np.array([0, ticket.offset & _MASK, row_use, stream_epoch], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


@final
class Applied:
    """Calls a user's function on the examples of a chunk.

    Args:
      fn: `fn(example)` or `fn(example, rng)`.
      doing: what the note on an error says: `"mapping"`.
      seed: of the random numbers.
      stage: the number of the stage.
      labels: the sources' names by stream number, for notes.
      judges: whether its answers are taken for true or false; one that is neither is an error of its own example.
      mending: what is done about errors; `None` raises them.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        doing: str,
        *,
        seed: int,
        stage: int,
        labels: Sequence[str],
        judges: bool = False,
        mending: Mending | None = None,
    ) -> None:
        self._fn = fn
        self._doing = doing
        self._rng = takes_rng(fn)
        self._key = key_of(seed, stage)
        self._labels = labels
        self._judges = judges
        self._mending = mending

    @property
    def skips(self) -> bool:
        """Whether examples on which it raises may be left out."""
        return self._mending is not None and self._mending.skips

    def mark(self) -> SkipLog | None:
        """The log of what is skipped from now on, for a snapshot; `None` where nothing is."""
        return self._mending.mark() if self._mending is not None else None

    def over(self, chunk: Chunk) -> tuple[Chunk, list[Any], BaseException | None]:
        """Calls the function on each example, up to the first error.

        Returns:
          The examples that were worked on: all, but for those that were skipped and those from an error on; the results;
          and the error, with its place noted.
        """
        mending = self._mending
        if mending is not None and mending.ledger.knows_any:
            unknown = [at for at, ticket in enumerate(chunk.tickets) if not mending.meets(ticket)]
            chunk = chunk if len(unknown) == chunk.count else chunk.select(unknown)
        rows, tickets = chunk.as_rows(), chunk.tickets
        out: list[Any] = []
        lost: list[int] = []
        while (error := self._run(rows, tickets, len(out) + len(lost), out)) is not None:
            at = len(out) + len(lost)
            ticket = tickets[at]
            if mending is not None and isinstance(error, Exception):
                result, error = mending.called(partial(self._once, rows[at], ticket), ticket, error)
                if error is None:
                    out.append(result)
                    continue
            error = placed(error, f"{self._doing} {place_of_ticket(ticket, self._labels)}")
            raised = error if mending is None else mending.skipped(ticket, error)
            if raised is not None:
                return self._worked(chunk, at, lost), out, raised
            lost.append(at)
        return self._worked(chunk, chunk.count, lost), out, None

    def _run(self, rows: list[Any], tickets: Tickets, at: int, out: list[Any]) -> BaseException | None:
        """Puts results to `out`, from the example at a place on, up to the first error; gives that."""
        fn = self._fn
        rest = rows[at:] if at else rows
        try:
            # Not `map`, which would take a StopIteration of the function for the end.
            if self._rng is None and not self._judges:
                for row in rest:
                    out.append(fn(row))
            elif self._rng is None:
                for row in rest:
                    out.append(bool(fn(row)))
            else:
                for row, ticket in zip(rest, tickets.cut(at, len(rows)), strict=True):
                    out.append(self._once(row, ticket))
        except BaseException as error:
            return error
        return None

    def _once(self, row: Any, ticket: Ticket) -> Any:
        if self._rng is None:
            result = self._fn(row)
        else:
            rng = generator(self._key, ticket)
            result = self._fn(row, rng) if self._rng == "second" else self._fn(row, rng=rng)
        return bool(result) if self._judges else result

    @staticmethod
    def _worked(chunk: Chunk, count: int, lost: Sequence[int]) -> Chunk:
        """The first `count` examples of a chunk without those that were lost."""
        if not lost:
            return chunk if count == chunk.count else chunk.cut(count)[0]
        gone = set(lost)
        return chunk.select([at for at in range(count) if at not in gone])
