"""A small model trained on batches made in one way, several times over, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.demo import feed
from penstock.demo.model import InkModel
from penstock.demo.tail import DIGITS, RAREST, LongTail, Way

__all__ = ["WELL", "Floats", "Trial", "attempt", "rarest"]

BETWEEN = 128  # Examples trained on between two tests.
WELL = 0.8
"""The recall from which on a digit counts as learnt."""

Counts = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What came of one way to make batches, with a model from new initial weights for each seed."""

    name: str
    """The way's name."""
    counts: Counts
    """Examples of each digit in each batch that the first seed gave: int64[batches, 10]. [examples]"""
    arrivals: Counts
    """How many inputs had come when each of these batches was complete: int64[batches]. [examples]"""
    inputs: int
    """How many inputs the stream had. [examples]"""
    delivered: float
    """Examples in batches, a mean of the seeds. [examples]"""
    tests: Counts
    """After which batches all models were tested: int64[tests]. [batches]"""
    read: Floats
    """Inputs read until each test, a mean of the seeds: float64[tests]. [examples]"""
    along: Floats
    """Recall of each digit at each test: float64[seeds, tests, 10]. [0 to 1]"""
    end: Floats
    """Recall of each digit at the end of the stream: float64[seeds, 10]. [0 to 1]"""

    @property
    def cost(self) -> float:
        """Inputs read for each example in a batch."""
        return self.inputs / self.delivered

    @property
    def off(self) -> float:
        """The furthest that a digit's count in a batch was from equal shares. [examples]"""
        return float(np.abs(self.counts - self.counts.sum(axis=1, keepdims=True) / DIGITS).max())

    @property
    def learnt(self) -> int | None:
        """How many inputs were read when the models first read the rare digits well, on average. [examples]"""
        well = np.flatnonzero(rarest(self.along).mean(axis=0) >= WELL)
        return round(self.read[well[0]]) if len(well) else None

    def after(self, batches: int) -> Floats:
        """Recall of each digit at the test after so many batches: float64[seeds, 10]. [0 to 1]"""
        return self.along[:, self.tests.tolist().index(batches)]


def rarest(recalls: Floats) -> Floats:
    """The mean recall of the rare digits, whatever stands before them: float64[..., 10] to float64[...]. [0 to 1]"""
    return np.asarray(recalls[..., RAREST].mean(axis=-1))


def attempt(way: Way, tail: LongTail, *, batch_size: int, seeds: Sequence[int]) -> Trial:
    """Trains a model for each seed on all that a way makes of the stream, and tests it as it goes.

    Args:
      way: how batches are made.
      tail: of what.
      batch_size: examples in a batch. [examples]
      seeds: of the initial weights and of what the way draws.
    """
    (test,) = feed.held_out(batch_size=10**6)
    every = max(1, BETWEEN // batch_size)
    counts: list[Counts] = []
    arrivals: list[int] = []
    delivered, reads, along, end = 0, [], [], []
    for seed in seeds:
        model, read, recalls = InkModel(seed=seed), [], []
        newest, number = 0, 0
        for number, batch in enumerate(way.batches(tail, batch_size, seed), 1):
            model.train(batch["ink"], batch["mask"], batch["digit"])
            newest = max(newest, int(batch["arrival"].max()) + 1)
            if number % every == 0:
                read.append(newest)
                recalls.append(_recalls(model, test))
            if seed == seeds[0]:
                counts.append(np.bincount(batch["digit"], minlength=DIGITS))
                arrivals.append(newest)
        delivered += number * batch_size
        reads.append(read)
        along.append(recalls)
        end.append(_recalls(model, test))
    shortest = min(map(len, reads))  # Chance decides, with rejection, how many batches there are.
    return Trial(
        name=way.name,
        counts=np.array(counts).reshape(-1, DIGITS),
        arrivals=np.array(arrivals, np.int64),
        inputs=tail.inputs,
        delivered=delivered / len(seeds),
        tests=every * np.arange(1, shortest + 1),
        read=np.mean([read[:shortest] for read in reads], axis=0),
        along=np.array([recalls[:shortest] for recalls in along]).reshape(len(seeds), shortest, DIGITS),
        end=np.array(end),
    )


def _recalls(model: InkModel, test: dict[str, Any]) -> Floats:
    """Of the examples of each digit, the share that the model reads right: float64[10]. [0 to 1]"""
    right = model.predict(test["ink"], test["mask"]) == test["digit"]
    recalls: Floats = np.bincount(test["digit"], right, DIGITS) / np.bincount(test["digit"], minlength=DIGITS)
    return recalls
