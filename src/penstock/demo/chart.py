"""The picture of the demo's second half: what was in the batches of each way, and what the model learnt of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from penstock.demo.style import DARK, INK, QUIET, bare, label, sheet
from penstock.demo.tail import DIGITS, RAREST
from penstock.demo.trial import Trial, rarest
from penstock.optional import load

__all__ = ["draw"]

# Grey, orange, and two blues for the two rings, as in the palette of Okabe and Ito; each with a mark of its own.
COLOURS = ("#6e6e6e", "#d55e00", "#56b4e9", "#0b3c66")
MARKS = ("s", "D", "o", "o")
MOST_SHOWN = 48  # Batches in a band.


def draw(path: Path, trials: Sequence[Trial]) -> None:
    """Draws the ways beside each other, into a file.

    Args:
      path: where the picture goes; its ending says in which format.
      trials: what came of each way, of the same stream.
    """
    figure = sheet(f"Digits made long-tailed, {trials[0].inputs:,} inputs, batched in {len(trials)} ways")
    shown = min(MOST_SHOWN, *(len(trial.counts) for trial in trials))
    figure.text(0.03, 0.916, f"What is in the first {shown} batches of each", fontsize=12, color=DARK)
    width = 0.865 / len(trials)
    for number, trial in enumerate(trials):
        axes = figure.add_axes((0.055 + number * (width + 0.012), 0.545, width, 0.31))
        _bands(axes, trial, shown, COLOURS[number])
        if number:
            axes.set_yticks([])
    _key(figure)

    _by_digit(figure.add_axes((0.055, 0.075, 0.31, 0.35)), trials)
    reads = figure.add_axes((0.43, 0.075, 0.26, 0.35))
    for number, trial in enumerate(trials):
        _curve(reads, trial, trial.read, number)
    label(reads, title=f"Recall of the digits {RAREST[0]} to {RAREST[-1]}, by inputs read", x="inputs read")
    steps = figure.add_axes((0.725, 0.075, 0.25, 0.35), sharey=reads)
    for number, trial in enumerate(trials):
        _curve(steps, trial, trial.tests, number)
    label(steps, title="… and by batches trained on", x="batches trained on")
    steps.tick_params(labelleft=False)
    for axes in (reads, steps):
        axes.set_ylim(0, 1)
        axes.set_xlim(0, None)
        axes.yaxis.set_major_formatter("{x:.0%}")
        axes.grid(axis="y", color="#ececec")
        bare(axes)
    steps.legend(loc="lower right", frameon=False, fontsize=9, labelcolor=DARK)
    figure.savefig(path)


def _bands(axes: Any, trial: Trial, shown: int, colour: str) -> None:
    """How many examples of each digit the first batches hold, the commonest at the bottom."""
    counts = trial.counts[:shown]
    steps = np.concatenate([counts, counts[-1:]]).T  # a step ends where the next begins, also the last
    edges = np.arange(len(counts) + 1) + 0.5
    axes.stackplot(edges, steps, colors=_shades(), step="post", linewidth=0.4, edgecolor="white")
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, counts.sum(axis=1).max()))
    axes.xaxis.get_major_locator().set_params(integer=True)
    label(axes, title="", x="batch", y="" if axes.get_position().x0 > 0.1 else "examples of each digit")
    axes.set_title(trial.name, fontsize=11, color=colour, loc="left", fontweight="bold", pad=16)
    cost = f"{trial.cost:.2f} inputs an example; up to {trial.off:.1f} from equal shares"
    axes.text(0, 1.02, cost, transform=axes.transAxes, fontsize=8, color=QUIET, va="bottom")
    bare(axes)


def _key(figure: Any) -> None:
    """Which colour is which digit."""
    for digit, shade in enumerate(_shades()):
        bottom = 0.545 + 0.31 * digit / DIGITS
        figure.add_artist(_patch(0.968, bottom, 0.008, 0.31 / DIGITS, shade))
        figure.text(0.98, bottom + 0.155 / DIGITS, str(digit), fontsize=9, color=DARK, va="center")


def _patch(left: float, bottom: float, width: float, height: float, colour: Any) -> Any:
    return load("matplotlib.patches", extra="demo").Rectangle((left, bottom), width, height, color=colour, linewidth=0)


def _by_digit(axes: Any, trials: Sequence[Trial]) -> None:
    """The recall of each digit at the end of the stream, for each way: the mean, and from the lowest to the highest."""
    for number, trial in enumerate(trials):
        place = np.arange(DIGITS) + 0.17 * (number - (len(trials) - 1) / 2)
        axes.vlines(place, trial.end.min(axis=0), trial.end.max(axis=0), color=COLOURS[number], alpha=0.35, linewidth=3)
        axes.plot(place, trial.end.mean(axis=0), MARKS[number], color=COLOURS[number], markersize=4.5)
    axes.set_xticks(range(DIGITS))
    lowest = min(float(trial.end.min()) for trial in trials)
    axes.set_ylim(max(0.0, np.floor(10 * lowest - 0.5) / 10), 1.004)
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.grid(axis="y", color="#ececec")
    axes.set_axisbelow(True)
    models = f"{len(trials[0].end)} models: mean, lowest, highest"
    label(axes, title="Recall of each digit at the end", x=f"digit, from the commonest to the rarest ({models})")
    bare(axes)


def _curve(axes: Any, trial: Trial, along: Any, number: int) -> None:
    """The recall of the rare digits as training goes on: the mean of the seeds, and from the lowest to the highest."""
    recalls = rarest(trial.along)
    axes.fill_between(along, recalls.min(axis=0), recalls.max(axis=0), color=COLOURS[number], alpha=0.13, linewidth=0)
    axes.plot(along, recalls.mean(axis=0), color=COLOURS[number], linewidth=1.8, label=trial.name)


def _shades() -> list[Any]:
    """A shade for each digit: the rarer, the darker."""
    scale = load("matplotlib", extra="demo").colormaps[INK]
    return [scale(0.1 + 0.9 * digit / (DIGITS - 1)) for digit in range(DIGITS)]
