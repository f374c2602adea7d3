"""What a target asks of a file, and what the file gives."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.forecast.labels import Label, Labels
from penstock.forecast.progress import Show, quiet
from penstock.forecast.replay import Replay, replay
from penstock.sampling.bounds import coverage, efficiency, feasible_target, inputs_for_batch, ring_limits
from penstock.sampling.shares import Float64s, Int64s, Shares

__all__ = ["Forecast", "Point", "forecast"]

ALWAYS_TRIED = 4
"""What is told of one number of repeats is told of all from 1 to this, too."""


@dataclass(frozen=True, slots=True)
class Point:
    """What is possible at one rate."""

    rate: float
    """Examples delivered for each in the file."""
    coverage: float
    """The share of the file's examples that is used at least once, from 0 to 1."""
    distance: float
    """Of the nearest shares that can be met from the target: half the sum of the differences, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a target asks of some files, and what they give."""

    files: tuple[str, ...]
    """The files, in the order in which they were read."""
    by: str
    """The component that holds the labels."""
    wanted: str
    """The target as it was written."""
    batch_size: int
    """Examples in a batch. [examples]"""
    repeats: int
    """How often one example may be used."""
    batches: int | None
    """How many batches are asked of one pass, if that was said."""
    classes: tuple[Label, ...]
    """The labels, in the order in which they first come."""
    counts: Int64s
    """How many examples each class has, int64[K], all above 0. [examples]"""
    gaps: Int64s
    """The longest run of examples without one of the class, int64[K]. [examples]"""
    arriving: Float64s
    """The share of each class in the file, float64[K]."""
    shares: Shares
    """The share of each class in what is delivered."""
    limits: Int64s
    """How many examples of each class wait at most, int64[K]; 0 for one without a target. [examples]"""
    replays: tuple[Replay, ...]
    """What the files give at `repeats`, and at fewer and a few more, by ascending number of repeats."""

    @property
    def target(self) -> Float64s:
        """The share of each class in what is delivered, float64[K]."""
        return self.shares.floats()

    @property
    def examples(self) -> int:
        """How many there are in the files. [examples]"""
        return int(self.counts.sum())

    @property
    def chosen(self) -> Replay:
        """What the files give at `repeats`."""
        return next(one for one in self.replays if one.repeats == self.repeats)

    @property
    def uses(self) -> Float64s:
        """How often an example of each class is used in the mean, those that never are counted too, float64[K]."""
        return self.chosen.given / self.counts

    @property
    def balanced(self) -> bool:
        """Whether all classes are equally scarce for what the target asks of them."""
        some = self.target > 0
        ratio = self.arriving[some] / self.target[some]
        return bool(ratio.max() <= ratio.min() * (1 + 1e-9))

    @property
    def critical(self) -> int:
        """The number of the class that is scarcest for what the target asks of it."""
        ratio = np.full(len(self.target), math.inf)
        np.divide(self.arriving, self.target, out=ratio, where=self.target > 0)
        return int(ratio.argmin())

    @property
    def uses_asked(self) -> Float64s:
        """How often an example of each class would be used if as many batches were given as `asked`, float64[K]."""
        return self.asked * self.batch_size * self.target / self.counts

    @property
    def asked(self) -> int:
        """How many batches are asked of one pass: as many as without proportions, where nothing was said."""
        return self.examples // self.batch_size if self.batches is None else self.batches

    @property
    def inputs_for_batch(self) -> float:
        """How many examples a batch costs in the long run, by the shares alone. [examples]"""
        return inputs_for_batch(self.arriving, self.target, self.batch_size, self.repeats)

    def most_batches(self, repeats: int) -> int:
        """How many batches the counts of the classes allow, in whatever order they come.

        After k batches of b a class of share q was given at least `floor(k b q)`, of which there are `repeats` uses each.
        """
        counts: list[int] = self.counts.tolist()
        wanted = [(have, weight) for have, weight in zip(counts, self.shares.weights, strict=True) if weight]
        by_class = (
            ((repeats * have + 1) * self.shares.total - 1) // (self.batch_size * weight) for have, weight in wanted
        )
        return min(*by_class, repeats * sum(have for have, _ in wanted) // self.batch_size)

    def efficiency(self, repeats: int) -> float:
        """The most examples that can be delivered for each in the file, by the shares alone."""
        return efficiency(self.arriving, self.target, repeats)

    def at_rate(self, rate: float, repeats: int) -> Point | None:
        """What is possible at a rate, with the nearest shares to the target where it cannot be met; `None` if nothing is.

        Args:
          rate: examples delivered for each in the file, above 0.
          repeats: how often one example may be used.
        """
        if rate > repeats * math.fsum(self.arriving[self.target > 0].tolist()) * (1 + 1e-9):
            return None
        met = rate <= self.efficiency(repeats)
        nearest = self.target if met else self.nearest(rate, repeats)
        distance = 0.0 if met else math.fsum(np.abs(nearest - self.target).tolist()) / 2
        return Point(rate, coverage(self.arriving, nearest, rate), distance)

    def nearest(self, rate: float, repeats: int) -> Float64s:
        """The shares nearest to the target that can be met at a rate, float64[K].

        Raises:
          PipelineError: there are none.
        """
        most = repeats * math.fsum(self.arriving[self.target > 0].tolist())
        return feasible_target(self.arriving, self.target, min(rate, most * (1 - 1e-12)), repeats)[0]

    def trade_off(self, repeats: int, points: int = 60) -> tuple[Point, ...]:
        """From few batches of the target's proportions to many that are as near to it as they can be.

        Args:
          repeats: how often one example may be used.
          points: how many rates, evenly spread over their logarithms.
        """
        least, best = self.efficiency(1) / 4, self.efficiency(repeats)
        most = min(max(1.0, 2 * best), repeats * math.fsum(self.arriving[self.target > 0].tolist()))
        rates = np.unique([*np.geomspace(least, max(most, best), points), best])
        return tuple(point for rate in rates.tolist() if (point := self.at_rate(rate, repeats)) is not None)

    def record(self) -> dict[str, Any]:
        """All of it as JSON can hold it, but for the sentences."""
        return {
            "files": list(self.files),
            "by": self.by,
            "target": self.wanted,
            "batch_size": self.batch_size,
            "repeats": self.repeats,
            "batches_asked": self.batches,
            "examples": self.examples,
            "critical_class": _plain(self.classes[self.critical]),
            "inputs_for_batch": self.inputs_for_batch,
            "classes": list(self._class_records()),
            "by_repeats": [self._replay_record(one) for one in self.replays],
            "trade_off": [
                {"outputs_per_input": point.rate, "coverage": point.coverage, "distance": point.distance}
                for point in self.trade_off(self.repeats)
            ],
        }

    def _class_records(self) -> Iterator[dict[str, Any]]:
        columns = {
            "examples": self.counts,
            "arriving": self.arriving,
            "target": self.target,
            "uses": self.uses,
            "used": self.chosen.distinct,
            "longest_gap": self.gaps,
            "held_at_most": self.limits,
        }
        for label, *values in zip(self.classes, *(column.tolist() for column in columns.values()), strict=True):
            yield {"label": _plain(label), **dict(zip(columns, values, strict=True))}

    def _replay_record(self, one: Replay) -> dict[str, Any]:
        return {
            "repeats": one.repeats,
            "batches": one.batches,
            "batches_by_counts": self.most_batches(one.repeats),
            "inputs_per_output": one.inputs_per_output,
            "inputs_per_output_bound": 1 / self.efficiency(one.repeats),
            "coverage": one.coverage,
            "mean_uses": one.mean_uses,
            "first_batch_after": one.first_after,
            "longest_wait": one.longest_wait,
            "crowded_out": one.crowded_out,
        }


def forecast(
    labels: Labels,
    shares: Shares,
    *,
    wanted: str,
    batch_size: int,
    repeats: int,
    batches: int | None = None,
    show: Show = quiet,
) -> Forecast:
    """Works out what a target asks of the files that labels were read from, and what they give.

    Args:
      labels: of the files.
      shares: the target, over the labels' classes.
      wanted: the target as it was written.
      batch_size: examples in a batch, at least 1. [examples]
      repeats: how often one example may be used, at least 1.
      batches: how many batches are asked of one pass, if that is known.
      show: shows how far it has got.

    >>> labels = Labels(("a.csv",), "label", ("x", "y"), np.array([0, 0, 1, 0] * 8))
    >>> seen = forecast(labels, Shares.uniform(2), wanted="uniform", batch_size=4, repeats=1)
    >>> seen.chosen.batches, seen.uses.round(2).tolist()
    (4, [0.33, 1.0])
    """
    counts, target = labels.counts(), shares.floats()
    limits = ring_limits(target, batch_size)
    limits[target == 0] = 1  # A ring has at least one place, though nothing is put in.
    replays = [replay(labels.order, shares, batch_size, times, limits, show=show) for times in sorted(_tried(repeats))]
    return Forecast(
        labels.files,
        labels.by,
        wanted,
        batch_size,
        repeats,
        batches,
        labels.classes,
        counts,
        labels.gaps(),
        counts / len(labels.order),
        shares,
        np.where(target > 0, np.minimum(limits, counts), 0),
        tuple(replays),
    )


def _tried(repeats: int) -> set[int]:
    """The numbers of repeats that are tried: a few small ones, powers of two, and the one that was asked for."""
    return {*range(1, ALWAYS_TRIED + 1), *(1 << power for power in range(repeats.bit_length())), repeats}


def _plain(label: Label) -> int | bool | str:
    return label.decode(errors="backslashreplace") if isinstance(label, bytes) else label
