"""What a stage is: one single-threaded step, pulled from downstream.

Laws, which `penstock.testing.check_stage` tests
  `take(n)` gives up to n examples, and at least one; no example and no error only at the end, and then for ever.
  Nothing depends on how the input was cut into chunks, nor on the n that were asked for.
  An error is data: it follows the last example of its chunk, once, and the end follows it.
  A stage holds no lock, starts no thread, and reads no clock.
"""

from __future__ import annotations

from typing import Protocol

from penstock.chunk import Chunk

__all__ = ["Stage"]


class Stage(Protocol):
    """One step of a running pipeline."""

    def take(self, n: int) -> Chunk:
        """Gives up to n examples, at least one; an empty chunk only at the end."""

    def close(self) -> None:
        """Lets go of what the stage and those upstream of it hold open; may be called twice."""
