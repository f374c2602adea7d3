"""The demo's digits made long-tailed, and the ways to make batches of them that are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np

import penstock as ps
from penstock.demo import feed

__all__ = ["DIGITS", "RAREST", "WAYS", "LongTail", "Way"]

DIGITS = 10
RAREST = range(DIGITS // 2, DIGITS)
"""The digits that are told apart as rare."""

Example = dict[str, Any]
Counts = np.ndarray[Any, np.dtype[np.int64]]


@final
class LongTail:
    """A stream in which digit d comes 1 / (d + 1) times as often as digit 0: Zipf's law.

    The rare ones are few, and not only thin: each pass has the same examples again, in a new order that chance decides.

    Args:
      passes: how often the examples come, one pass after the other.
      seed: of the orders.
    """

    def __init__(self, passes: int, *, seed: int = 0) -> None:
        kept, counts = [], np.zeros(DIGITS, np.int64)
        examples = list(_examples())
        most = max(np.bincount([example["digit"] for example in examples]))
        room = np.rint(most / np.arange(1, DIGITS + 1)).astype(np.int64)
        for example in examples:
            digit = example["digit"]
            if counts[digit] < room[digit]:
                counts[digit] += 1
                kept.append(example)
        self.counts: Counts = counts
        """How many examples of each digit a pass has: int64[10]. [examples]"""
        self.passes = passes
        """How often they come."""
        self._kept = kept
        self._seed = seed

    @property
    def inputs(self) -> int:
        """How many examples the stream has, all passes together. [examples]"""
        return self.passes * len(self._kept)

    def __call__(self) -> Iterator[Example]:
        """Opens the stream: `ink` int16[?], `digit`, and `arrival`, which numbers what comes."""
        rng = np.random.default_rng(self._seed)
        order = np.concatenate([rng.permutation(len(self._kept)) for _ in range(self.passes)])
        for arrival, number in enumerate(order.tolist()):
            yield {**self._kept[number], "arrival": arrival}


@dataclass(frozen=True, slots=True)
class Way:
    """A way to make batches of a long-tailed stream."""

    name: str
    """What it is called in the table and the picture."""
    batches: Callable[[LongTail, int, int], ps.Pipeline]
    """Describes its batches, from the stream, their size and a seed: `ink` int16[n, longest], `mask` bool[n, longest],
    `digit` and `arrival` int64[n]."""


def _as_it_comes(tail: LongTail, size: int, seed: int) -> ps.Pipeline:
    return ps.join([tail]).pad(ink=(None,), mask="mask").batch(size).options(seed=seed)


def _rejected(tail: LongTail, size: int, seed: int) -> ps.Pipeline:
    """TF1's: keeps an example of class c with the probability `(q / p_c) / max(q / p)`; it is told the shares p."""
    equal, arriving = np.full(DIGITS, 1 / DIGITS), tail.counts / tail.counts.sum()
    return ps.stratified_sample(
        tail, "digit", equal, size, init_probs=arriving, method="rejection", dynamic_pad=True, seed=seed
    ).map(_masked)


def _stratified(repeats: int) -> Callable[[LongTail, int, int], ps.Pipeline]:
    def batches(tail: LongTail, size: int, seed: int) -> ps.Pipeline:
        equal = ps.join([tail]).stratify("digit", "uniform", classes=range(DIGITS), repeats=repeats)
        return equal.pad(ink=(None,), mask="mask").batch(size).options(seed=seed)

    return batches


WAYS = (
    Way("as it comes", _as_it_comes),
    Way("TF1's rejection", _rejected),
    Way("quota ring, repeats=1", _stratified(1)),
    Way("quota ring, repeats=4", _stratified(4)),
)
"""The stream as it is, and three ways to equal shares."""


def _masked(batch: tuple[Example, Counts]) -> Example:
    """TF1's functions have no mask; but padding is 0, and a token of ink never is."""
    data, _ = batch
    return {**data, "mask": data["ink"] > 0}


def _examples() -> Iterator[Example]:
    """The training examples one by one, in the order of the demo's first half, without what the model does not need."""
    for batch in feed.training(batch_size=64):
        for ink, mask, digit in zip(batch["ink"], batch["mask"], batch["digit"].tolist(), strict=True):
            yield {"ink": ink[mask], "digit": digit}
