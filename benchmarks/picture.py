"""The picture of class proportions under drift: rejection beside the quota ring, and what each way reads.

Colours are told apart by lightness too, so that it reads in grey and to colour-blind eyes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.compared import Way
from benchmarks.delivered import Delivered
from benchmarks.line import short
from benchmarks.recorded import recorded
from benchmarks.samplers import OURS, REJECTION
from benchmarks.workloads import CLASSES

__all__ = ["draw"]

SIZE = (9.0, 7.9)  # [inches]
DPI = 150
# Blue, orange and grey of the palette of Okabe and Ito.
RING, REJECTED, OTHER, FAINT = "#0072b2", "#d55e00", "#8c8c8c", "#d9d9d9"
DARK, QUIET = "#222222", "#555555"
THOUSAND = 1000


def draw(path: Path, ways: list[Way], examples: int) -> None:
    """Draws what was compared into a file.

    Args:
      path: where the picture goes; its ending says in which format.
      ways: all of them, ours and TF1's among them.
      examples: of each stream.
    """
    by_key = {way.sampler.key: way for way in ways}
    ring, rejection = by_key[OURS.key].drift, by_key[REJECTION.key].drift
    figure = Figure(figsize=SIZE, dpi=DPI)
    FigureCanvasAgg(figure)
    figure.text(
        0.02, 0.962, "Ten equal shares asked of a stream that drifts", fontsize=16, fontweight="bold", color=DARK
    )
    said = "Class 0 comes ten times as often as class 9; half-way, the shares are reversed. Dotted: what is asked for."
    figure.text(0.02, 0.928, said, fontsize=10.5, color=QUIET)
    left, right = figure.add_axes((0.075, 0.52, 0.385, 0.335)), figure.add_axes((0.52, 0.52, 0.385, 0.335))
    _shares(left, rejection, examples, "Each batch from TF1's rejection", REJECTED)
    _shares(right, ring, examples, "Each batch from penstock's quota ring", RING)
    right.set_yticklabels([])
    _classes(right)
    _off(figure.add_axes((0.075, 0.075, 0.385, 0.33)), ring, rejection, examples)
    _inputs(figure.add_axes((0.735, 0.075, 0.205, 0.33)), ways)
    figure.savefig(path)


def _shares(axes: Any, given: Delivered, examples: int, title: str, colour: str) -> None:
    """The shares of each batch, one upon the other; where they are as wanted, the edges lie on the dotted lines."""
    counts = np.array(given.counts)
    shares = counts / counts.sum(1, keepdims=True)
    reads = np.array([0, *given.reads]) / THOUSAND
    edges = np.concatenate([np.zeros((len(shares), 1)), shares.cumsum(1)], axis=1)
    for label in range(CLASSES):
        axes.stairs(edges[:, label + 1], reads, baseline=edges[:, label], fill=True, **_plain(label))
    for part in range(1, CLASSES):
        axes.axhline(part / CLASSES, color="white", linewidth=0.9, linestyle=(0, (2, 2)))
    axes.axvline(examples / 2 / THOUSAND, color="black", linewidth=1.4)
    axes.set(xlim=(0, examples / THOUSAND), ylim=(0, 1))
    axes.set_yticks(np.arange(0, 1.01, 0.2), [f"{value} %" for value in range(0, 101, 20)])
    axes.set_title(title, fontsize=11, color=colour, fontweight="bold", loc="left", pad=6)
    _quiet(axes)
    axes.set_xlabel("thousand examples read", fontsize=9.5, color=QUIET)


def _classes(axes: Any) -> None:
    """The classes' names, at the height that they are to have."""
    for label in range(CLASSES):
        place = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": 9}
        axes.text(1.02, (label + 0.5) / CLASSES, "■", color=_colour(label), **place)
        axes.text(1.06, (label + 0.5) / CLASSES, f"class {label}", color=DARK, **place)


def _off(axes: Any, ring: Delivered, rejection: Delivered, examples: int) -> None:
    """How far each batch is from the shares that were asked for."""
    for given, colour, width in ((rejection, REJECTED, 1.3), (ring, RING, 1.8)):
        axes.plot(np.array(given.reads) / THOUSAND, given.off * 100, color=colour, linewidth=width)
    most = float(rejection.off.max()) * 100
    axes.axvline(examples / 2 / THOUSAND, color="black", linewidth=1.4)
    axes.set(xlim=(0, examples / THOUSAND), ylim=(0, most * 1.18))
    axes.text(examples / 2 / THOUSAND * 0.97, most * 1.06, "reversed here", ha="right", fontsize=9, color=DARK)
    before = rejection.off[np.array(rejection.reads) < examples / 2]
    bold: dict[str, Any] = {"fontsize": 10, "fontweight": "bold"}
    at = float(before.max()) * 100 + most * 0.05
    axes.text(examples / THOUSAND * 0.03, at, "TF1's rejection", color=REJECTED, **bold)
    said = f"quota ring: {100 * ring.off.mean():.1f} %,\nas near as whole\nexamples can be"
    axes.text(examples / THOUSAND * 0.53, most * 0.055, said, color=RING, linespacing=1.15, **bold)
    axes.set_yticks(range(0, int(most * 1.18), 10), [f"{value} %" for value in range(0, int(most * 1.18), 10)])
    axes.set_title("Part of each batch that has the wrong class", fontsize=11, color=DARK, loc="left", pad=6)
    _quiet(axes)
    axes.set_xlabel("thousand examples read", fontsize=9.5, color=QUIET)


def _inputs(axes: Any, ways: list[Way]) -> None:
    """What each way reads for each example that it gives, on the stream without drift."""
    bars = [(way.sampler.short, way.steady.inputs_per_output, way.sampler.key) for way in ways]
    bars += [("TF1 itself, recorded", run.read / run.examples, "") for run in recorded() if run.examples]
    rings = (OURS.key, "ring-4")
    colours = dict.fromkeys(rings, RING) | {REJECTION.key: REJECTED}
    for row, (name, value, key) in enumerate(bars):
        hatch = {} if key else {"hatch": "////", "edgecolor": "white", "linewidth": 0}
        axes.barh(row, value, height=0.62, color=colours.get(key, OTHER), **hatch)
        axes.text(value, row, f" {short(value)}", va="center", fontsize=9.5, color=DARK)
        axes.text(
            -0.03, row, name, transform=axes.get_yaxis_transform(), va="center", ha="right", fontsize=9.5,
            color=RING if key in rings else DARK, fontweight="bold" if key in rings else "normal",
        )  # fmt: skip
    axes.set(ylim=(len(bars) - 0.4, -0.6), xlim=(0, 1.18 * max(value for _, value, _ in bars)))
    axes.set_yticks([])
    axes.set_title("Read for each example given, no drift", fontsize=11, color=DARK, loc="left", x=-1.06, pad=6)
    _quiet(axes)
    if any(way.sampler.key == "weighted" for way in ways):
        axes.set_xlabel("* has all labels in memory, repeats examples", fontsize=9.5, color=QUIET, x=-0.05)
    axes.set_xticks([])


def _colour(label: int) -> Any:
    return colormaps["cividis"](0.08 + 0.9 * label / (CLASSES - 1))


def _plain(label: int) -> dict[str, Any]:
    """Without edges, which would show between two colours."""
    return {"color": _colour(label), "linewidth": 0, "antialiased": False}


def _quiet(axes: Any) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#bbbbbb")
    axes.tick_params(labelsize=9.5, colors=QUIET, length=3)
