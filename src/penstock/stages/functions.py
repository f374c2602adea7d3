"""A user's function of an example, called with the example's own random numbers if it asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np

from penstock.chunk import Chunk
from penstock.errors import placed
from penstock.plan import takes_rng
from penstock.stages.reader import place_of_ticket
from penstock.ticket import Ticket

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
    """

    def __init__(self, fn: Callable[..., Any], doing: str, *, seed: int, stage: int, labels: Sequence[str]) -> None:
        self._fn = fn
        self._doing = doing
        self._rng = takes_rng(fn)
        self._key = key_of(seed, stage)
        self._labels = labels

    def over(self, chunk: Chunk) -> tuple[list[Any], BaseException | None]:
        """The results in order, up to the first error, and that error with its place noted."""
        out: list[Any] = []
        rows = chunk.as_rows()
        fn = self._fn
        try:
            # Not `map`, which would take a StopIteration of the function for the end.
            if self._rng is None:
                for row in rows:
                    out.append(fn(row))
            else:
                for row, ticket in zip(rows, chunk.tickets, strict=True):
                    rng = generator(self._key, ticket)
                    out.append(fn(row, rng) if self._rng == "second" else fn(row, rng=rng))
        except BaseException as error:
            return out, placed(error, f"{self._doing} {place_of_ticket(chunk.tickets[len(out)], self._labels)}")
        return out, None
