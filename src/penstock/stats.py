"""Figures of a running flow: frozen values, each with its unit and what to make of it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["NO_LANE", "FlowStats", "LaneStats", "StageStats"]


class LaneStats(NamedTuple):
    """What one lane has seen since the flow was opened."""

    name: str
    """The source's label, or the flow's name for the driver."""
    examples: int
    """Read so far from the source; of the driver, batches made. [examples]"""
    held: int
    """Ready and not yet taken. [examples]"""
    most_held: int
    """The most that were ever held at once: never above `room`, but for an item that is larger. [examples]"""
    most_bytes: int
    """The most bytes that were ever held at once; counted only where `capacity_bytes` is set. [bytes]"""
    room: int
    """How many may be held. [examples]"""
    put_wait_s: float
    """Time its thread waited for room. High: the taker is the limit, which is what you want of a source. [s]"""
    take_wait_s: float
    """Time the taker waited for it. High: this lane holds up the others. [s]"""
    busy_s: float
    """Time its thread spent in the stage, which may well have been waiting too. [s]"""
    parked: bool
    """Whether the source is so quick that the driver pulls it itself."""

    def read(self, name: str, examples: int) -> LaneStats:
        """The same for a source that has been read so far."""
        return self._replace(name=name, examples=examples)

    def after(self, earlier: LaneStats | None) -> LaneStats:
        """The same with what was seen in earlier epochs."""
        if earlier is None:
            return self
        return self._replace(
            examples=self.examples + earlier.examples,
            most_held=max(self.most_held, earlier.most_held),
            most_bytes=max(self.most_bytes, earlier.most_bytes),
            put_wait_s=self.put_wait_s + earlier.put_wait_s,
            take_wait_s=self.take_wait_s + earlier.take_wait_s,
            busy_s=self.busy_s + earlier.busy_s,
        )


NO_LANE = LaneStats(
    name="",
    examples=0,
    held=0,
    most_held=0,
    most_bytes=0,
    room=0,
    put_wait_s=0.0,
    take_wait_s=0.0,
    busy_s=0.0,
    parked=True,
)
"""Of a source in memory, which the driver reads itself."""


class StageStats(NamedTuple):
    """What one stage has given since the flow was opened."""

    name: str
    """The stage's word, with its function or size."""
    examples: int
    """Given so far; of a batcher and what follows it, batches. [examples]"""
    busy_s: float
    """Time spent in this stage alone. [s]"""
    discarded: int
    """Left out by it, for the reason that its word says. [examples]"""
    nbytes: int
    """Bytes it has written; only a batcher counts them. [bytes]"""


class FlowStats(NamedTuple):
    """What a flow has done since it was opened."""

    name: str
    """Of the flow."""
    delivered: int
    """Batches handed to the caller, or examples where there is no `.batch`. [batches]"""
    examples: int
    """Examples in them. [examples]"""
    nbytes: int
    """Bytes of the batches assembled so far. [bytes]"""
    elapsed_s: float
    """Since it was opened. [s]"""
    wait_s: float
    """Time the caller waited in `next`. Near `elapsed_s`: the flow is the limit; near 0: the training loop is. [s]"""
    driver: LaneStats
    """The driver, which runs ahead of the caller."""
    sources: tuple[LaneStats, ...]
    """Each source, by number."""
    stages: tuple[StageStats, ...]
    """Each stage, from the sources to the batches."""
