"""Measures what docs/why/proportions.md quotes, prints it, and draws the page's picture: python tools/proportions.py"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import penstock as ps
from penstock.sampling import Shares, offline_optimum, ring_limits

PAGE = Path(__file__).parents[1] / "docs" / "why" / "proportions.md"
PICTURE = PAGE.with_suffix(".png")

INPUTS = 100_000
SHARES = np.array([0.90, 0.07, 0.02, 0.01])
CLASSES = len(SHARES)
BATCH = 32
EACH = BATCH // CLASSES
HELD = int(ring_limits(np.full(CLASSES, 1 / CLASSES), BATCH)[0])  # Of each class: as many as the rings choose to hold.
RARE = 0.01  # The share whose absence from batches is told.
RUN = 50  # The mean length of a run of one class.

Integers = np.ndarray[Any, np.dtype[np.int64]]

SHADES = ("#e7f2b6", "#7fcdbb", "#2c7fb8", "#0c2c66")  # Of the classes, the rarest at first the darkest.
COLOURS = ("#222222", "#d55e00", "#8a6d00", "#0b3c66")  # Of what arrives, and of the ways.


@dataclass(frozen=True)
class Run:
    """What a way made of a stream: `counts` int64[batches, classes], complete when `read` int64[batches] had come."""

    counts: Integers
    read: Integers
    decoded: int

    @property
    def lag(self) -> Integers:
        """How many examples of each class were given beyond what was due, batch after batch."""
        return np.cumsum(self.counts - EACH, axis=0)


Way = Callable[[Integers, np.random.Generator, int], Run]
"""From labels, and how often each may be used, to batches of equal shares."""


# The streams: the labels of all that comes.


def steady(rng: np.random.Generator) -> Integers:
    return rng.choice(CLASSES, INPUTS, p=SHARES)


def reversed_half_way(rng: np.random.Generator) -> Integers:
    half = INPUTS // 2
    return np.concatenate([rng.choice(CLASSES, half, p=SHARES), rng.choice(CLASSES, INPUTS - half, p=SHARES[::-1])])


def in_runs(rng: np.random.Generator) -> Integers:
    runs = rng.geometric(1 / RUN, INPUTS // 10)
    labels = np.repeat(rng.choice(CLASSES, len(runs), p=SHARES), runs)
    assert len(labels) >= INPUTS
    return labels[:INPUTS]


STREAMS: dict[str, Callable[[np.random.Generator], Integers]] = {
    "as they come": steady,
    "their shares reversed half-way": reversed_half_way,
    f"in runs of {RUN} of one class": in_runs,
}


# The ways.


def rejection(labels: Integers, rng: np.random.Generator, repeats: int) -> Run:
    """TF1's: keeps class c with chance (q / p_c) / max(q / p), p from all counts so far and 10 for each class."""
    seen = 10 + np.cumsum(labels[:, None] == np.arange(CLASSES), axis=0)
    ratio = seen.min(axis=1) / seen[np.arange(len(labels)), labels]
    kept = np.flatnonzero(rng.random(len(labels)) < ratio)
    kept = kept[: len(kept) // BATCH * BATCH].reshape(-1, BATCH)
    return Run(_counted(labels[kept]), kept[:, -1] + 1, len(labels))


def queues(labels: Integers, rng: np.random.Generator, repeats: int) -> Run:
    """A queue for each class; the classes of a batch are drawn by their shares, and each is waited for."""
    even = np.full(CLASSES, 1 / CLASSES)
    held, need = [0] * CLASSES, rng.multinomial(BATCH, even).tolist()
    counts, read, short = [], [], sum(count > 0 for count in need)
    for arrival, label in enumerate(labels.tolist(), 1):
        if held[label] >= max(HELD, need[label]):
            continue
        held[label] += 1
        short -= held[label] == need[label]
        while not short:
            counts.append(need)
            read.append(arrival)
            held = [have - count for have, count in zip(held, need, strict=True)]
            need = rng.multinomial(BATCH, even).tolist()
            short = sum(have < count for have, count in zip(held, need, strict=True))
    return Run(np.array(counts), np.array(read), len(labels))


def ring(labels: Integers, rng: np.random.Generator, repeats: int) -> Run:
    """penstock's: decodes after `stratify`, and so only what goes into a batch."""
    decoded = 0

    def decode(example: tuple[int, int]) -> tuple[int, int]:
        nonlocal decoded
        decoded += 1
        return example

    source = ps.from_arrays((labels, np.arange(1, len(labels) + 1)))
    # As patient as can be, since what becomes of classes that stay away is not what is measured here.
    equal = source.stratify(0, "uniform", classes=range(CLASSES), repeats=repeats, patience=len(labels))
    batches = list(equal.map(decode).batch(BATCH).options(seed=int(rng.integers(2**31))))
    read = np.maximum.accumulate([arrivals.max() for _, arrivals in batches])
    return Run(_counted(np.array([given for given, _ in batches])), read, decoded)


WAYS: list[tuple[Way, int]] = [(rejection, 1), (queues, 1), (ring, 1), (ring, 4)]


def named(way: Way, repeats: int) -> str:
    return {rejection: "rejection", queues: "a queue for each class", ring: f"quota ring, repeats={repeats}"}[way]


def _counted(labels: Integers) -> Integers:
    """How many of each class there are in each row."""
    return (labels[:, :, None] == np.arange(CLASSES)).sum(axis=1)


# What is told.


@functools.cache
def labels_of(stream: str) -> Integers:
    return STREAMS[stream](np.random.default_rng(1))


@functools.cache
def run(stream: str, way: Way, repeats: int) -> Run:
    return way(labels_of(stream), np.random.default_rng(2), repeats)


def at_best(stream: str, repeats: int) -> float:
    """The fewest inputs for each example that any exact method needs that holds as many and knows what will come."""
    limits = np.full(CLASSES, HELD)
    batches = offline_optimum(labels_of(stream).tolist(), Shares.uniform(CLASSES), BATCH, repeats, limits)
    return INPUTS / (BATCH * batches)


def off(counts: Integers) -> float:
    """The part of a batch, or of many, that is of other classes than it has to be: total variation from equal shares."""
    shares = counts / counts.sum(axis=-1, keepdims=True)
    return float(0.5 * np.abs(shares - 1 / CLASSES).sum(axis=-1).mean())


def worst_tenth(counts: Integers) -> float:
    """The same of a tenth of all batches, one after the other, where it is worst."""
    tenth = max(1, len(counts) // 10)
    return max(off(counts[start : start + tenth].sum(axis=0)) for start in range(0, len(counts) - tenth + 1, tenth))


def told() -> Iterator[str]:
    """The lines that the page quotes."""
    shares = ", ".join(f"{share:.0%}" for share in SHARES)
    yield f"{INPUTS:,} inputs of {CLASSES} classes, {shares}; batches of {BATCH}, equal shares asked for;"
    yield f"up to {HELD} examples of each class held"
    for stream in STREAMS:
        yield ""
        yield f"{stream:34}  inputs/ at best  decoded/  off, each  off, worst  furthest"
        yield f"{'':34}  example           example      batch       tenth    behind"
        for way, repeats in WAYS:
            made, least = run(stream, way, repeats), at_best(stream, repeats)
            examples = made.counts.sum()
            yield (
                f"  {named(way, repeats):32}{INPUTS / examples:9.2f} {least:7.2f} {made.decoded / examples:9.2f}"
                f"{off(made.counts):11.1%} {worst_tenth(made.counts):11.1%} {-made.lag.min():9}"
            )
    yield ""
    yield f"Drawn at random, a class with a share of {RARE:.0%} is missing from {(1 - RARE) ** BATCH:.0%} of batches of {BATCH}."


# The picture.


def draw(path: Path) -> None:
    """What arrives while shares reverse, what each way makes of it, and how far each falls behind."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.5, 7.2), dpi=110)
    FigureCanvasAgg(figure)
    stream = "their shares reversed half-way"
    labels, width = labels_of(stream), 500
    arriving = (labels.reshape(-1, width, 1) == np.arange(CLASSES)).sum(axis=1)
    strips = [("what arrives", arriving, width * np.arange(1, len(arriving) + 1))]
    for way, repeats in WAYS[:3]:
        made = run(stream, way, repeats)
        strips.append((f"batches: {named(way, repeats)}", made.counts, made.read))
    for number, (title, counts, ends) in enumerate(strips):
        axes = figure.add_axes((0.055, 0.755 - 0.225 * number, 0.5, 0.155))
        edges = np.concatenate([[0], ends]) / 1000
        parts = np.concatenate([counts, counts[-1:]]) / counts.sum(axis=1).max()
        axes.stackplot(edges, parts.T, colors=SHADES, step="post", linewidth=0)
        axes.set(xlim=(0, INPUTS / 1000), ylim=(0, 1), yticks=(0, 0.5, 1))
        axes.yaxis.set_major_formatter("{x:.0%}")
        axes.set_title(title, fontsize=11, loc="left", color=COLOURS[number])
        if number < len(strips) - 1:
            axes.tick_params(labelbottom=False)
        _bare(axes)
    axes.set_xlabel("inputs read [thousands]", fontsize=9)
    figure.text(0.055, 0.962, "Equal shares, asked of a stream whose own reverse half-way", fontsize=13)

    axes = figure.add_axes((0.64, 0.53, 0.34, 0.38))
    for (way, repeats), colour in zip(WAYS[:3], COLOURS[1:], strict=True):
        axes.plot(run("as they come", way, repeats).lag[:, -1], color=colour, linewidth=1.4)
    axes.set_title("The rarest class in a steady stream", fontsize=11, loc="left")
    axes.set_ylabel("examples given beyond what was due", fontsize=9)
    axes.set_xlabel("batches", fontsize=9)
    axes.grid(axis="y", color="#ececec")
    _bare(axes)

    axes = figure.add_axes((0.755, 0.08, 0.225, 0.31))
    for row, (way, repeats) in enumerate(WAYS):
        made = run("as they come", way, repeats)
        colour = COLOURS[min(row + 1, 3)]
        for place, amount in (row - 0.17, INPUTS), (row + 0.17, made.decoded):
            axes.barh(place, amount / made.counts.sum(), 0.3, color=colour, alpha=1 if amount is INPUTS else 0.45)
            axes.text(
                amount / made.counts.sum() + 0.4, place, f"{amount / made.counts.sum():.2f}", fontsize=8.5, va="center"
            )
    axes.set_yticks(range(len(WAYS)), [named(*way) for way in WAYS], fontsize=9)
    axes.invert_yaxis()
    axes.set(xlim=(0, 30))
    axes.set_title("Inputs read, and decoded (pale), for an example", fontsize=11, loc="right")
    _bare(axes)
    figure.savefig(path)


def _bare(axes: Any) -> None:
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def main() -> None:
    print("\n".join(told()))
    draw(PICTURE)
    print(f"\n{PICTURE}")


if __name__ == "__main__":
    main()
