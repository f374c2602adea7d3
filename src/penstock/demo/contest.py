"""The demo's second half: the digits made long-tailed, and what a model learns of them, batched in four ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from penstock.demo.screen import Screen
from penstock.demo.tail import DIGITS, RAREST, WAYS, LongTail
from penstock.demo.trial import WELL, Floats, Trial, attempt, rarest

__all__ = ["hold"]

BATCH = 32
PASSES = 8
MODELS = 5
SAME = "no different"


def hold(screen: Screen, *, seed: int) -> tuple[Trial, ...]:
    """Trains models on the same stream in each way, and shows what was measured.

    Args:
      screen: where to.
      seed: of the stream and of the first model; the others take the numbers after it.
    """
    tail = LongTail(PASSES, seed=seed)
    screen.say(
        f"The same digits made long-tailed: {', '.join(map(str, tail.counts))} of the digits 0 to 9, "
        f"{PASSES} times over: {tail.inputs:,} inputs,\nin batches of {BATCH} made in four ways"
    )
    trials = tuple(attempt(way, tail, batch_size=BATCH, seeds=range(seed, seed + MODELS)) for way in WAYS)
    _show(screen, trials)
    screen.say("\n".join(_remarks(trials)) + "\n")
    return trials


def _show(screen: Screen, trials: Sequence[Trial]) -> None:
    """What was in the batches, then what was learnt of them: a row for each way."""
    costs = ["batches", "inputs for each\nexample in them", "furthest of a digit\nfrom equal shares"]
    screen.table(
        ["the same inputs", *costs],
        [[trial.name, f"{len(trial.counts):,}", f"{trial.cost:.2f}", f"{trial.off:.1f} examples"] for trial in trials],
    )
    alike, rare = _alike(trials), f"{RAREST[0]} to {RAREST[-1]}"
    recalls = [f"{rare}, after\n{alike} batches", f"{rare},\nat the end", "all,\nat the end"]
    screen.table(
        ["recall [%]", f"inputs\nuntil {WELL:.0%}\nof {rare}", *recalls],
        [
            [
                trial.name,
                "never" if trial.learnt is None else f"{trial.learnt:,}",
                _spread(rarest(trial.after(alike))) if alike else "-",
                _spread(rarest(trial.end)),
                _spread(trial.end.mean(axis=1)),
            ]
            for trial in trials
        ],
    )


def _remarks(trials: Sequence[Trial]) -> Iterator[str]:
    """What to make of it, as it turned out."""
    plain, *others = trials
    models = len(plain.end)
    yield (
        f"Recall is the mean of {models} models that differ in their initial weights, "
        "with the lowest and highest in brackets;\neach digit counts alike, and the digits are held-out ones. "
        "TF1's rejection is told the true shares."
    )
    yield f"Beside the stream as it comes, where all {models} models of a way are on one side of all {models} of the other:"
    alike = _alike(trials)
    for trial in others:
        early = _verdict(rarest(trial.after(alike)), rarest(plain.after(alike))) if alike else "untested"
        rare = _verdict(rarest(trial.end), rarest(plain.end))
        everything = _verdict(trial.end.mean(axis=1), plain.end.mean(axis=1))
        single = [f"{digit} {_verdict(trial.end[:, digit], plain.end[:, digit])}" for digit in range(DIGITS)]
        told = ", ".join(one for one in single if not one.endswith(SAME)) or "none different"
        batches = f"{trial.delivered / plain.delivered:.2f} times the batches"
        yield (
            f"- {trial.name}: {RAREST[0]} to {RAREST[-1]} {early} after {alike} batches each;\n"
            f"  at the end, from {batches}, {RAREST[0]} to {RAREST[-1]} {rare}, all {everything}, single digits: {told}"
        )


def _verdict(ours: Floats, theirs: Floats) -> str:
    """Whether all models are better than all others, or worse; by chance alone that is rare."""
    if ours.min() > theirs.max():
        return "better"
    return "worse" if ours.max() < theirs.min() else SAME


def _alike(trials: Sequence[Trial]) -> int:
    """The last test that all ways came to, by batches trained on; 0 if there is none."""
    common = set.intersection(*(set(trial.tests.tolist()) for trial in trials))
    return max(common, default=0)


def _spread(shares: Any) -> str:
    return f"{100 * shares.mean():.1f} ({100 * shares.min():.0f}-{100 * shares.max():.0f})"


def _digits(some: Any) -> str:
    return " ".join(map(str, np.flatnonzero(some))) or "none"
