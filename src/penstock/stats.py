"""Figures of a running flow: frozen values, each with its unit and what to make of it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np

from penstock.faults import SkipStats

__all__ = [
    "NO_LANE",
    "ClassEvent",
    "ClassStats",
    "FlowStats",
    "LaneStats",
    "MixStats",
    "ShareStats",
    "StageStats",
    "StrataStats",
]


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
    awaited_s: float = 0.0
    """How long the taker has been waiting for it at this moment; 0 if it is not. [s]"""

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


class ClassEvent(NamedTuple):
    """A class that a batch needed stayed away."""

    batch: int
    """The number of the batch."""
    labels: tuple[Any, ...]
    """Of the classes."""
    policy: str
    """What was done: `"wait"`, `"repeat"` or `"redistribute"`."""
    waited: int
    """After so many inputs. [examples]"""


class ClassStats(NamedTuple):
    """What became of one class."""

    label: Any
    """Its label."""
    arrived: int
    """How many came. [examples]"""
    arriving: float
    """Its share of what arrives, as estimated now."""
    target: float
    """The share that is asked for."""
    delivered: int
    """How many were given, repeats counted. [examples]"""
    share: float
    """Its share of what was given."""
    used: int
    """How many were given at least once. [examples]"""
    repeated: int
    """How many were given once more. [examples]"""
    thinned: int
    """How many were not admitted, since more came than are needed. [examples]"""
    evicted: int
    """How many had to make room for newer ones, never given. [examples]"""
    held: int
    """How many wait that were never given. [examples]"""
    staleness: float
    """How many inputs came, on average, between an example and its being given. [examples]"""


MOST_EVENTS = 1000
"""Of all passes so many events are kept, the latest. [events]"""


class StrataStats(NamedTuple):
    """What a `stratify` has done, class by class."""

    labels: tuple[Hashable, ...]
    """Of the classes, by number."""
    counts: dict[str, np.ndarray[Any, Any]]
    """Figures of each class, arrays of one length; `of` and `each` read them."""
    inputs: int
    """Arrivals. [examples]"""
    delivered: int
    """Given to the next stage, repeats counted. [examples]"""
    bound: float
    """The most that could be given for each that arrives, at the arriving shares as estimated: r * min p / q."""
    window: float
    """How many arrivals the estimate rests on. [examples]"""
    repeats: int
    """How often one example may be used."""
    size: int
    """Examples in a batch. [examples]"""
    exact: bool
    """Whether the batches delivered are those composed here: only `map` and `pad` stand between, and none was skipped there."""
    ignored: int
    """Inputs of unknown classes that were left out. [examples]"""
    events: tuple[ClassEvent, ...]
    """What became of classes that stayed away."""
    skipped: int = 0
    """Left out behind it under `on_error`; each has moved up what follows, so that batches straddle those composed. [examples]"""

    @property
    def efficiency(self) -> float:
        """Examples given for each that arrived."""
        return self.delivered / self.inputs if self.inputs else 0.0

    def after(self, earlier: StrataStats | None) -> StrataStats:
        """These figures, of the pass at hand, and those of the passes before it, whose classes come first."""
        if earlier is None:
            return self
        numbers = {label: number for number, label in enumerate(dict.fromkeys((*earlier.labels, *self.labels)))}
        counts: dict[str, np.ndarray[Any, Any]] = {}
        for name, own in self.counts.items():
            counts[name] = np.zeros(len(numbers), own.dtype)
            counts[name][[numbers[label] for label in self.labels]] = own
            if name not in ("arriving", "target", "fresh_held"):  # which are of now
                counts[name][: len(earlier.labels)] += earlier.counts[name]
        # What still waited at the end of a pass was let go of.
        counts["evicted_fresh"][: len(earlier.labels)] += earlier.counts["fresh_held"]
        return self._replace(
            labels=tuple(numbers),
            counts=counts,
            inputs=self.inputs + earlier.inputs,
            delivered=self.delivered + earlier.delivered,
            ignored=self.ignored + earlier.ignored,
            events=(*earlier.events, *self.events)[-MOST_EVENTS:],
        )

    def of(self, label: Hashable) -> ClassStats:
        """The figures of one class.

        Raises:
          KeyError: there is no such class.
        """
        if label not in self.labels:
            raise KeyError(label)
        return self.at(self.labels.index(label))

    def each(self) -> list[ClassStats]:
        """The figures of all classes, by number."""
        return [self.at(number) for number in range(len(self.labels))]

    def at(self, number: int) -> ClassStats:
        """The figures of the class with a number, as in `labels`."""
        its = {name: array[number].item() for name, array in self.counts.items()}
        given, used = its["given"], its["distinct"]
        return ClassStats(
            label=self.labels[number],
            arrived=its["seen"],
            arriving=its["arriving"],
            target=its["target"],
            delivered=given,
            share=given / self.delivered if self.delivered else 0.0,
            used=used,
            repeated=given - used,
            thinned=its["thinned"],
            evicted=its["evicted_fresh"],
            held=its["fresh_held"],
            staleness=its["waited"] / given if given else 0.0,
        )


class MixStats(NamedTuple):
    """What a join by weights has given of one source since the flow was opened."""

    join: str
    """The name of the join's stage."""
    name: str
    """The source's name, or its label."""
    weight: float
    """The share of the join's examples that was asked for; where weights change, their average so far. [0 to 1]"""
    share: float
    """The share that it had. Off the weight once a source has ended. [0 to 1]"""
    examples: int
    """Given of it. [examples]"""
    ended: bool
    """Whether it has ended, so that the others share out what is missing."""


class ShareStats(NamedTuple):
    """What one rank has had of a stream since the flow was opened, or since its last `repeat`."""

    rank: int
    """Its number."""
    world_size: int
    """How many ranks there are."""
    way: str
    """How the stream is parted: by `"files"`, `"turns"` or `"classes"`."""
    sources: tuple[int, int]
    """How many sources it opens, of how many. [sources]"""
    seen: int = 0
    """Examples of the stream that it has seen, those of other ranks too where it goes by turns. [examples]"""
    own: int = 0
    """Those that are its own, and were given. [examples]"""
    again: int = 0
    """Given again, to fill the last round. [examples]"""
    padded: int = 0
    """Padding, to fill the last round. [examples]"""
    dropped: int = 0
    """Its own, and left out for a last round that is not full. [examples]"""


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
    mixes: tuple[MixStats, ...] = ()
    """Each source of each join by weights."""
    strata: tuple[StrataStats, ...] = ()
    """Each `stratify`."""
    snapshots_s: float = 0.0
    """What the driver has spent on snapshots, by which states can be given at any moment. [s]"""
    state_nbytes: int = 0
    """How large the last `state_dict()` was, written as JSON: bounded by what stages hold. 0 before the first. [bytes]"""
    shares: tuple[ShareStats, ...] = ()
    """Each `shard`."""
    skips: tuple[SkipStats, ...] = ()
    """Each source and stage that has skipped something under `on_error`."""
