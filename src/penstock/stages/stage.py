"""What a stage is: one single-threaded step, pulled from downstream.

Laws, which `penstock.testing.check_stage` tests
  `take(n)` gives up to n examples, and at least one; no example and no error only at the end, and then for ever.
  Nothing depends on how the input was cut into chunks, nor on the n that were asked for.
  An error is data: it follows the last example of its chunk, once, and the end follows it.
  A stage holds no lock, starts no thread, and reads no clock.
  What follows a snapshot, or another that was restored to it, is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from penstock.assemble import Assembler
from penstock.chunk import Chunk
from penstock.stages.snapshot import Saved
from penstock.ticket import Tickets

if TYPE_CHECKING:
    from penstock.stats import StrataStats

__all__ = ["Assembling", "Intake", "Poured", "Pouring", "Stage", "Strata"]


class Stage(Protocol):
    """One step of a running pipeline."""

    def take(self, n: int) -> Chunk:
        """Gives up to n examples, at least one; an empty chunk only at the end."""

    def close(self) -> None:
        """Lets go of what the stage and those upstream of it hold open; may be called twice."""

    def snapshot(self) -> Saved:
        """Where this stage and those upstream of it stand, behind all that it has given.

        Raises:
          Unsettled: it cannot be told just now.
        """

    def restore(self, saved: Saved) -> None:
        """Goes on from a snapshot of such a stage; only before anything was taken."""

    @property
    def recalls(self) -> bool:
        """Whether it can give examples again by their tickets."""

    def recall(self, tickets: Tickets) -> list[Any]:
        """Examples that it gave before, made anew, in the order of their tickets; what it gives next stays as it is.

        Only where `recalls` is true.
        """


@runtime_checkable
class Assembling(Protocol):
    """A stage that may keep examples as they will stand in batches."""

    def assemble(self, assembler: Assembler) -> None:
        """Says what makes batches of all that is given here, and of nothing else, from now on."""


class Strata(Stage, Protocol):
    """A stage that sees to class proportions."""

    def stats(self) -> StrataStats:
        """What was done so far."""

    def set_target(self, target: Any) -> int:
        """Another target; gives the number of the first batch that it holds for."""


class Intake(Protocol):
    """What takes in examples straight from their sources: a batch, or the rings of the classes."""

    lasts: list[Any] | None
    """Where the last example that was pulled of each iterator goes, if somebody wants to know."""

    @property
    def misfit(self) -> tuple[Any] | None:
        """The example that was refused, if one was; nothing is taken after it."""

    @property
    def halted(self) -> bool:
        """Whether it takes no more for now."""

    def __len__(self) -> int:
        """How many it has taken. [examples]"""

    def pull(self, iterators: list[Iterator[Any]], first: int, n: int, /) -> None:
        """Pulls n examples as `pull_turns` does, unless it halts before."""


class Poured:
    """What was pulled straight from the sources.

    Args:
      tickets: of the examples that were pulled, the one that did not fit included.
      error: what stands after them.
    """

    __slots__ = ("error", "tickets")

    def __init__(self, tickets: Tickets, error: BaseException | None) -> None:
        self.tickets = tickets
        self.error = error


@runtime_checkable
class Pouring(Protocol):
    """A stage that can pull examples straight to where they are wanted, so that they need not wait for each other."""

    @property
    def may_pour(self) -> bool:
        """Whether it ever can."""

    @property
    def notes_lasts(self) -> bool:
        """Whether the readers know what was poured of them last, while a snapshot is wanted."""

    @property
    def pours(self) -> bool:
        """Whether it can for the next ones."""

    def pour(self, into: Intake, n: int) -> Poured:
        """Pulls up to n examples; only while `pours` is true."""
