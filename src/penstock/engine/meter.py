"""Counts what a stage gives and how long it takes; the stages themselves read no clock.

It is also where a thread that works for the stages looks up: it hears of a stop, and where a user's function is slow it is
asked for so few examples at once that it hears soon, and lets other threads of Python run meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any, final

from penstock.assemble import Assembler
from penstock.chunk import Chunk
from penstock.engine.breath import INTERVAL_S, Breath
from penstock.later import later
from penstock.stages import Intake, Poured, Pouring, Stage
from penstock.stages.snapshot import Saved
from penstock.stages.stage import Assembling
from penstock.ticket import Tickets

if TYPE_CHECKING:
    from penstock.stats import StageStats

__all__ = ["Meter"]

MOST = 4096
"""A paced stage is asked for no more than this at once, however quick it is. [examples]"""


@final
class Meter:
    """A stage, metered.

    Args:
      stage: what is metered.
      name: the stage's word: `"map(decode)"`.
      inner: the meter of the stage that it takes from, whose time is not its own.
      earlier: the meter of the same word in an earlier epoch, which this one goes on from.
      check: called before each take; raises `Aborted` when the flow is being stopped.
      paced: whether the stage runs a user's code, so that it is asked for little at once where that is slow.
    """

    def __init__(
        self,
        stage: Stage,
        name: str,
        inner: Meter | None = None,
        *,
        check: Callable[[], None],
        earlier: Meter | None = None,
        paced: bool = False,
    ) -> None:
        self.name = name
        self.close = stage.close
        self._stage = stage
        self._take = stage.take
        self._inner = inner
        self._check = check
        self._breath = Breath() if paced else None
        self._most = 1
        self._merge = stage if isinstance(stage, Pouring) else None
        self.may_pour = self._merge is not None and self._merge.may_pour
        """As the stage's own, where it has one."""
        self.notes_lasts = self._merge is not None and self._merge.notes_lasts
        """As the stage's own, where it has one."""
        self._before = before = earlier.stats() if earlier is not None else None
        self._examples = before.examples if before is not None else 0
        self._all_s = self._before_s = before.busy_s if before is not None else 0.0

    def take(self, n: int) -> Chunk:
        """As the stage's own, of no more examples than can be worked on between two breaths."""
        self._check()
        if self._breath is not None:
            return self._paced(n, self._breath)
        started = perf_counter()
        chunk = self._take(n)
        self._all_s += perf_counter() - started
        self._examples += chunk.count
        return chunk

    def add(self, spent_s: float, examples: int) -> None:
        """Counts what somebody else has taken of the stage, and how long that took."""
        self._all_s += spent_s
        self._examples += examples

    def _paced(self, n: int, breath: Breath) -> Chunk:
        breath.take()
        inner = self._inner
        before_s, before = (inner._all_s, inner._examples) if inner is not None else (0.0, 0)
        started = perf_counter()
        chunk = self._take(min(n, self._most))
        took_s = perf_counter() - started
        self._all_s += took_s
        self._examples += chunk.count
        worked_on = chunk.count
        if inner is not None:
            # Of a filter it is those that were looked at which took the time, not those that were kept.
            took_s, worked_on = took_s - inner._all_s + before_s, inner._examples - before
        if worked_on:
            self._most = max(1, min(MOST, int(INTERVAL_S * worked_on / max(took_s, 1e-9))))
        return chunk

    @property
    def pours(self) -> bool:
        """As the stage's own, where it has one."""
        return self._merge is not None and self._merge.pours

    def pour(self, into: Intake, n: int) -> Poured:
        """As the stage's own."""
        assert self._merge is not None, "only a merge pours"
        self._check()
        started = perf_counter()
        poured = self._merge.pour(into, n)
        self._all_s += perf_counter() - started
        self._examples += poured.tickets.count
        return poured

    def assemble(self, assembler: Assembler) -> None:
        """As the stage's own, where it has one."""
        if isinstance(self._stage, Assembling):
            self._stage.assemble(assembler)

    def snapshot(self) -> Saved:
        """As the stage's own."""
        return self._stage.snapshot()

    def restore(self, saved: Saved) -> None:
        """As the stage's own."""
        self._stage.restore(saved)

    @property
    def recalls(self) -> bool:
        """As the stage's own."""
        return self._stage.recalls

    def recall(self, tickets: Tickets) -> list[Any]:
        """As the stage's own."""
        return self._stage.recall(tickets)

    def stats(self) -> StageStats:
        """What the stage has given since the flow was opened."""
        busy_s = self._all_s - (self._inner._all_s - self._inner._before_s if self._inner is not None else 0.0)
        discarded, nbytes = getattr(self._stage, "discarded", 0), getattr(self._stage, "nbytes", 0)
        if self._before is not None:
            discarded, nbytes = discarded + self._before.discarded, nbytes + self._before.nbytes
        given = self._examples - getattr(self._stage, "returned", 0)
        stats: StageStats = later("stats").StageStats(self.name, given, max(0.0, busy_s), discarded, nbytes)
        return stats
