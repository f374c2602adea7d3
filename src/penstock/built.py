"""The parts of one flow, as they were built, and what is known of them while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, final

from penstock.engine import Lane, Meter
from penstock.faults import Quarantine
from penstock.later import later
from penstock.stages import Batcher, Choices, RowReader, RunReader, Stage, Strata
from penstock.stages.snapshot import Wanted

if TYPE_CHECKING:
    from penstock.assemble import Backlog
    from penstock.stats import LaneStats, StrataStats
    from penstock.tally import Tally

__all__ = ["Built"]


@final
class Built:
    """The parts of one flow.

    Args:
      labels: the sources' names, by stream number.
    """

    stage: Stage
    """The last stage."""

    def __init__(self, labels: list[str]) -> None:
        self.labels = labels
        """The sources' names, by stream number."""
        self.lanes: dict[int, Lane] = {}
        """The newest lane of each source that has one, by stream number."""
        self.readers: dict[int, RowReader | RunReader] = {}
        """The newest reader of each source, by stream number."""
        self.earlier: dict[int, LaneStats] = {}
        """What the lanes and readers of earlier epochs have seen."""
        self.meters: dict[int, Meter] = {}
        """The stages' meters, by the number of their word; the first word has the lowest."""
        self.last: Meter | None = None
        """The meter of the last stage, where the head is to count what is taken of it."""
        self.strata: dict[int, Strata] = {}
        """The newest stage of each word that sees to class proportions, by the number of the word."""
        self.strata_before: dict[int, StrataStats] = {}
        """What those of earlier epochs have done."""
        self.shares: dict[int, Any] = {}
        """The stages that give a rank its part, by the number of their word."""
        self.tallies: dict[int, Tally] = {}
        """What the joins by weights have given, by the number of their word."""
        self.batcher: Batcher | None = None
        """The last batcher, if there is one."""
        self.backlog: Backlog | None = None
        """Writes what is padded, or stratified from chunks, beside the driver."""
        self.wanted = Wanted()
        """Whether a snapshot is wanted of the stages that the driver runs."""
        self.choices: dict[int, Choices] = {}
        """Of the merges in arrival order, by the number of their word."""
        self.quarantine = Quarantine(labels)
        """What was skipped."""
        self.moves: dict[int, Callable[[], float]] = {}
        """Tell what moves while stages are at work: pulls, by the number of the join, and waits before another attempt."""

    def source_stats(self, stream: int) -> LaneStats:
        """What a source has given since the flow was opened, in all epochs."""
        lane, reader, earlier = self.lanes.get(stream), self.readers.get(stream), self.earlier.get(stream)
        own: LaneStats = lane.stats() if lane is not None else later("stats").NO_LANE
        given = reader.given if reader is not None else 0
        return own.read(self.labels[stream], given).after(earlier)

    def strata_stats(self) -> Iterator[StrataStats]:
        """What the stages that see to class proportions have done; what was skipped behind one has moved its batches."""
        for word, stage in sorted(self.strata.copy().items()):
            stats = stage.stats().after(self.strata_before.get(word))
            behind = (
                sum(ledger.count for at, ledger in self.quarantine.ledgers.items() if at > word) if stats.exact else 0
            )
            yield stats._replace(exact=False, skipped=behind) if behind else stats

    def moved(self) -> tuple[float, ...]:
        """How far everything has come: different after anything has moved."""
        given = sum(reader.given for reader in self.readers.copy().values())
        taken = sum(lane.stats().examples for lane in self.lanes.copy().values())
        worked = sum(meter.stats().examples for meter in self.meters.copy().values())
        return given, taken, worked, self.quarantine.count, *[move() for move in self.moves.copy().values()]

    def doing(self) -> str:
        """Whose code the driver is in, as far as one can tell."""
        waits = [(lane.awaited_s(), stream) for stream, lane in self.lanes.copy().items()]
        wait_s, stream = max(waits, default=(0.0, 0))
        return f"source {self.labels[stream]!r}" if wait_s else "a function or source in memory"
