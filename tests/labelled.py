"""Streams of labels of the kinds that there are, and what a `stratify` makes of them; shared by the tests of proportions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

import penstock as ps
from penstock.sampling import Classes, Schedule, Target
from penstock.stages import Stage
from penstock.stages.labelled import By
from penstock.stages.stratify import Stratify, Wishes
from penstock.stats import FlowStats, StrataStats

KINDS = ("iid", "drift", "bursts", "absent", "sorted")
"""How classes arrive."""
CUTS = ("rows", "columns", "chunks")
"""How examples arrive: one by one, as one run of arrays, or in chunks of 7."""


def long_tailed(count: int, exponent: float = 1.0) -> np.ndarray:
    """Zipf's shares: the n-th class has 1 / n**exponent of the first's. float64[count]"""
    shares = 1 / np.arange(1, count + 1) ** exponent
    return shares / shares.sum()


def stream(kind: str, shares: np.ndarray, n: int, seed: int) -> np.ndarray:
    """The labels of n examples, int64[n].

    Args:
      kind: `"iid"`; `"drift"`, where the shares are reversed from half on; `"bursts"`, where equal labels come in runs of
        about 50; `"absent"`, where the last class does not come in the middle third; or `"sorted"`.
      shares: of the classes, float64[K].
      n: how many.
      seed: of the draws.
    """
    random = np.random.default_rng(seed)
    count = len(shares)
    if kind == "drift":
        first = random.choice(count, n // 2, p=shares)
        return np.concatenate((first, random.choice(count, n - n // 2, p=shares[::-1])))
    if kind == "bursts":
        runs = random.geometric(1 / 50, n // 25 + 20)
        return np.repeat(random.choice(count, len(runs), p=shares), runs)[:n]
    labels = random.choice(count, n, p=shares)
    if kind == "absent":
        middle = labels[n // 3 : 2 * n // 3]
        middle[middle == count - 1] = 0
    return np.sort(labels) if kind == "sorted" else labels


def source(labels: Any, cut: str = "rows") -> ps.Pipeline:
    """Examples `(number, label)`, in one of the `CUTS`."""
    if cut == "columns":
        return ps.from_arrays((np.arange(len(labels)), np.asarray(labels)))
    pairs = ps.join([lambda: iter(enumerate(labels))])
    return ps.join([pairs.batch(7, keep_last=True)]) if cut == "chunks" else pairs


@dataclass(frozen=True)
class Run:
    """What came out of one flow, from its first batch to its end."""

    numbers: list[np.ndarray]
    """Of each batch, which examples it holds."""
    labels: list[np.ndarray]
    """Of each batch, their labels."""
    flow: FlowStats
    """The figures at the end."""

    @property
    def stats(self) -> StrataStats:
        """Of the `stratify`."""
        return self.flow.strata[0]

    @property
    def discarded(self) -> int:
        """What the stage says that it left out."""
        return sum(stage.discarded for stage in self.flow.stages if stage.name.startswith("stratify"))

    def counts(self, classes: int) -> np.ndarray:
        """How many of each class each batch holds, int64[batches, classes]."""
        if not self.labels:
            return np.zeros((0, classes), np.int64)
        return np.stack([np.bincount(labels, minlength=classes) for labels in self.labels])


def run(pipeline: ps.Pipeline, *, inline: bool = True) -> Run:
    """Runs a pipeline of batches of `(number, label)` to its end."""
    numbers, labels = [], []
    with pipeline.open(inline=inline) as flow:
        for number, label in flow:
            numbers.append(np.array(number))
            labels.append(np.array(label))
    return Run(numbers, labels, flow.stats())


def exactly(weights: list[int]) -> list[Fraction]:
    """Whole weights as shares that sum to one."""
    return [Fraction(weight, sum(weights)) for weight in weights]


def check_counts(counts: np.ndarray, weights: list[int], size: int) -> None:
    """Checks G2 and G3: each batch within floor and ceil of `size * q`, all up to each within those of `k * size * q`.

    In whole numbers, so that nothing is rounded but by the floor itself.

    Args:
      counts: int64[batches, K].
      weights: q as whole numbers, of which nothing is lost.
      size: examples in a batch.
    """
    wanted, total = np.array(weights, object), sum(weights)
    whole = np.array([size * weight // total for weight in weights])
    over = np.array([-(-size * weight // total) for weight in weights])
    assert ((counts >= whole) & (counts <= over)).all(), "a batch is off"
    for k, given in enumerate(np.cumsum(counts, axis=0), 1):
        exact = k * size * wanted
        within = (given >= exact // total) & (given <= -(-exact // total))
        assert within.all(), f"the first {k} batches are off"


def counting(labels: Any) -> tuple[Callable[[], Iterator[tuple[int, Any]]], list[int]]:
    """A source of `(number, label)`, and a list whose only entry says how many were read."""
    read = [0]

    def opened() -> Iterator[tuple[int, Any]]:
        for number, label in enumerate(labels):
            read[0] = number + 1
            yield number, label

    return opened, read


NEVER = 10**9
"""A patience that no stream here outlasts. [examples]"""
SIGMAS = 5
"""A test of chance may be this far off: one in 1.7 million of them would be, if the seed were not fixed."""

weights_of = st.integers(2, 8).flatmap(
    lambda count: st.lists(st.integers(0, 20), min_size=count, max_size=count).filter(any)
)
"""Targets as whole numbers; some are zero."""
seeds = st.integers(0, 2**32 - 1)


def zipf(weights: list[int]) -> np.ndarray:
    """Arriving shares of as many classes, the first the most frequent."""
    return long_tailed(len(weights))


def make_stage(upstream: Stage, weights: list[int], size: int, *, start: np.ndarray | None = None) -> Stratify:
    """The stage alone."""
    classes = Classes(range(len(weights)))
    schedule = Schedule(size, classes, Target(exactly(weights)))
    wishes = Wishes(patience=NEVER)
    by = By(1)
    return Stratify(
        upstream, by, classes, schedule, wishes, seed=7, start=start, labels=["s"], keep_last=False, exact=True
    )


def without(absent: int, n: int) -> np.ndarray:
    """Labels 0, 1, 2 in turn, n of them, but for one that stays away after 30."""
    labels = np.arange(n) % 3
    labels[30:][labels[30:] == absent] = (absent + 1) % 3
    return labels
