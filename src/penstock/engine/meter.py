"""Counts what a stage gives and how long it takes; the stages themselves read no clock."""

from __future__ import annotations

from time import perf_counter
from typing import final

from penstock.assemble import Sink
from penstock.chunk import Chunk
from penstock.stages import Merge, Poured, Stage
from penstock.stats import StageStats

__all__ = ["Meter"]


@final
class Meter:
    """A stage, metered.

    Args:
      stage: what is metered.
      name: the stage's word: `"map(decode)"`.
      inner: the meter of the stage that it takes from, whose time is not its own.
      earlier: the meter of the same word in an earlier epoch, which this one goes on from.
    """

    def __init__(self, stage: Stage, name: str, inner: Meter | None = None, *, earlier: Meter | None = None) -> None:
        self.name = name
        self.close = stage.close
        self._stage = stage
        self._take = stage.take
        self._inner = inner
        self._merge = stage if isinstance(stage, Merge) else None
        before = earlier.stats() if earlier is not None else StageStats(name, 0, 0.0, 0, 0)
        self._before = before
        self._examples = before.examples
        self._all_s = before.busy_s

    def take(self, n: int) -> Chunk:
        """As the stage's own."""
        started = perf_counter()
        chunk = self._take(n)
        self._all_s += perf_counter() - started
        self._examples += chunk.count
        return chunk

    @property
    def pours(self) -> bool:
        """As the stage's own, where it has one."""
        return self._merge is not None and self._merge.pours

    def pour(self, sink: Sink, n: int) -> Poured:
        """As the stage's own."""
        assert self._merge is not None, "only a merge pours"
        started = perf_counter()
        poured = self._merge.pour(sink, n)
        self._all_s += perf_counter() - started
        self._examples += len(poured.tickets)
        return poured

    def stats(self) -> StageStats:
        """What the stage has given since the flow was opened."""
        busy_s = self._all_s - (self._inner._all_s - self._inner._before.busy_s if self._inner is not None else 0.0)
        discarded = self._before.discarded + getattr(self._stage, "discarded", 0)
        nbytes = self._before.nbytes + getattr(self._stage, "nbytes", 0)
        return StageStats(self.name, self._examples, max(0.0, busy_s), discarded, nbytes)
