"""A forecast's picture: what arrives and what is wanted of each class, how often examples are used, what can be traded."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from penstock.errors import PipelineError, mismatch
from penstock.forecast.labels import label_text
from penstock.forecast.outlook import Forecast, Point
from penstock.forecast.remarks import count, number_text, percent
from penstock.forecast.table import ends
from penstock.optional import load
from penstock.sampling.bounds import coverage

__all__ = ["check_path", "draw", "figure_of"]

ROW = 0.27  # of a class [inches]
WIDTH, LEAST_HEIGHT, AROUND = 14.0, 5.8, 2.2  # of the figure, and of what is above and below the panels [inches]
LEAST_ROWS = 7  # as much room as these take is there, lest the bars of two classes be walls
# Blue and orange as in the palette of Okabe and Ito, dark enough for text.
ARRIVING, TARGET = "#0072b2", "#d55e00"
DARK, QUIET, FAINT = "#222222", "#5c5c5c", "#dddddd"
AT = "--png"


def check_path(path: Path) -> None:
    """Raises unless a picture can be written there, so that nobody waits for one in vain.

    Raises:
      PipelineError: the folder does not exist, or the ending is none of a picture that matplotlib writes.
      MissingExtra: matplotlib is not installed.
    """
    kinds = load("matplotlib.backend_bases", extra="plot").FigureCanvasBase.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in kinds:
        raise PipelineError(mismatch("a picture's ending, such as `.png` or `.svg`", f"`{path.name}`", at=AT))
    if not path.resolve().parent.is_dir():
        raise PipelineError(mismatch("a folder that exists", f"`{path.parent}`", at=AT))
    if path.is_dir():
        raise PipelineError(mismatch("a file to write", f"the folder `{path}`", at=AT))


def draw(path: Path, of: Forecast) -> None:
    """Draws a forecast into a file.

    Args:
      path: where the picture goes; its ending says in which format.
      of: what is drawn.

    Raises:
      MissingExtra: matplotlib is not installed.
    """
    figure_of(of).savefig(path)


def figure_of(of: Forecast) -> Any:
    """Draws a forecast, as a `matplotlib.figure.Figure`.

    Raises:
      MissingExtra: matplotlib is not installed.
    """
    first, between, last = ends(of)
    rows: list[int | None] = [*first, *([None] if between else []), *last]
    height = max(LEAST_HEIGHT, AROUND + ROW * len(rows))
    figure = load("matplotlib.figure", extra="plot").Figure(figsize=(WIDTH, height), dpi=110)
    load("matplotlib.backends.backend_agg", extra="plot").FigureCanvasAgg(figure)
    inch = 1 / height
    asked = f"{_short(of.wanted)}, batches of {of.batch_size:,}, repeats={of.repeats}"
    headline: dict[str, Any] = {"fontsize": 15, "fontweight": "bold", "color": DARK, "parse_math": False}
    figure.text(0.02, 1 - 0.42 * inch, f"{count(of.examples, 'example')}, {asked}", **headline)
    figure.text(0.02, 1 - 0.72 * inch, _gist(of), fontsize=10.5, color=QUIET)
    bottom, top = 0.75 * inch, 1 - 1.4 * inch
    shares = figure.add_axes((0.165, bottom, 0.235, top - bottom))
    uses = figure.add_axes((0.45, bottom, 0.15, top - bottom))
    trade = figure.add_axes((0.685, bottom, 0.295, top - bottom))
    _shares(shares, of, rows, between)
    _uses(uses, of, rows, between)
    _trade_off(trade, of)
    return figure


def _gist(of: Forecast) -> str:
    """What comes of it, in a line."""
    chosen = of.chosen
    if chosen.inputs_per_output is None:
        return "Not one batch comes together."
    inputs = f"{number_text(chosen.inputs_per_output)} examples read for each that is delivered"
    used = f"{percent(chosen.coverage)} of the examples are used at least once"
    return f"One pass gives {count(chosen.batches, 'batch', 'batches')}: {inputs}; {used}."


def _shares(axes: Any, of: Forecast, rows: list[int | None], between: list[int]) -> None:
    """Two dots a class, arriving and target, and what lies between them; by factors, so that a rare class can be seen."""
    for row, number in enumerate(rows):
        if number is None:
            sums = [percent(float(share[between].sum())) for share in (of.arriving, of.target)]
            said = f"{len(between):,} more arrive as {sums[0]}, target {sums[1]}"
            axes.text(0.5, row, said, transform=axes.get_yaxis_transform(), **_among())
            continue
        comes, wanted = float(of.arriving[number]), float(of.target[number])
        if wanted:
            axes.plot((comes, wanted), (row, row), color=FAINT, linewidth=3, zorder=1, solid_capstyle="round")
            axes.plot(wanted, row, marker="D", color=TARGET, markersize=6, linestyle="", zorder=3)
        axes.plot(comes, row, marker="o", color=ARRIVING, markersize=6.5, linestyle="", zorder=2)
    named = [number for number in rows if number is not None]
    shown = np.concatenate([of.arriving[named], of.target[named]])
    _factors(axes, shown[shown > 0].min() / 1.6, shown.max() * 1.6, _percent_tick)
    _class_rows(axes, rows)
    labels = ["" if number is None else label_text(of.classes[number]) for number in rows]
    counts = ["" if number is None else f"{of.counts[number]:,}" for number in rows]
    axes.set_yticks(range(len(rows)), [""] * len(rows))
    for row, (label, examples) in enumerate(zip(labels, counts, strict=True)):
        place = {"transform": axes.get_yaxis_transform(), "va": "center", "color": DARK, "parse_math": False}
        _fit(axes.text(-0.28, row, label, ha="right", fontsize=9.5, **place))
        axes.text(-0.03, row, examples, ha="right", fontsize=8.5, **{**place, "color": QUIET})
    axes.set_xlabel("share of the examples", fontsize=9, color=QUIET)
    _title(axes, "Shares")
    _legend(axes, 0.235, "●", "as they arrive", ARRIVING)
    _legend(axes, 0.68, "◆", "target", TARGET)


def _fit(text: Any) -> None:
    """Leaves out the end of a text that begins outside of the figure."""
    renderer = text.get_figure().canvas.get_renderer()
    whole = text.get_text()
    for length in range(len(whole), 0, -1):
        if text.get_window_extent(renderer).x0 >= 0.02 * text.get_figure().bbox.width:
            return
        text.set_text(f"{whole[: length - 1]}…")


def _uses(axes: Any, of: Forecast, rows: list[int | None], between: list[int]) -> None:
    """How often an example of each class is used: to the left of 1 some never are, to the right they are repeated."""
    uses = of.uses
    shown = [float(uses[number]) for number in rows if number is not None and uses[number] > 0]
    low, high = min([*shown, 1.0]), max([*shown, 1.0, float(of.repeats)])
    _factors(axes, low / 6, high * 6, _plain_tick, most=4)  # Room for the numbers beside the bars.
    axes.axvline(1, color=QUIET, linewidth=1, zorder=1)
    if of.repeats > 1:
        axes.axvline(of.repeats, color=TARGET, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    for row, number in enumerate(rows):
        if number is None:
            given = int(of.chosen.given[between].sum()) / int(of.counts[between].sum())
            axes.text(0.5, row, f"{number_text(given)} in the mean", transform=axes.get_yaxis_transform(), **_among())
            continue
        use = float(uses[number])
        if use > 0:
            axes.barh(row, use - 1, left=1, height=0.6, color=TARGET if use > 1 else ARRIVING, zorder=2)
        right = use >= 1
        axes.annotate(
            number_text(use),
            (use if use > 0 else 1, row),
            xytext=(4 if right else -4, 0),
            textcoords="offset points",
            ha="left" if right else "right",
            va="center",
            fontsize=8.5,
            color=DARK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )
    _class_rows(axes, rows)
    axes.set_yticks([])
    axes.set_xlabel("mean uses of an example", fontsize=9, color=QUIET)
    _title(axes, f"Uses, {of.repeats} at most")


def _trade_off(axes: Any, of: Forecast) -> None:
    """What more batches cost: coverage over efficiency, with the target met, and beyond that as near as can be."""
    best = of.efficiency(of.repeats)
    points = of.trade_off(of.repeats)
    met = [point for point in points if point.rate <= best * (1 + 1e-12)]
    beyond = [point for point in points if point.rate >= best * (1 - 1e-12)]
    for line, style in ((met, {"color": DARK}), (beyond, {"color": TARGET, "linestyle": (0, (4, 2))})):
        axes.plot([p.rate for p in line], [p.coverage for p in line], linewidth=1.8, zorder=3, **style)
    low, high = points[0].rate, max(points[-1].rate, 1.0)
    high *= (high / low) ** 0.17  # Room for what is written beside the last point.
    _factors(axes, low, high, _plain_tick)
    axes.set_ylim(-0.07, 1.08)
    axes.set_yticks(np.linspace(0, 1, 6), [f"{share:.0%}" for share in np.linspace(0, 1, 6)])
    for repeats in _marked(of.repeats):
        _repeats_mark(axes, of, repeats)
    for point in _milestones(beyond, low, high):
        axes.plot(point.rate, point.coverage, marker="o", color="white", markeredgecolor=TARGET, markersize=6, zorder=4)
        where = (point.rate, point.coverage)
        axes.annotate(f"{point.distance:.0%} off", where, xytext=(7, -7), **_beside("left"), color=TARGET)
    axes.grid(axis="y", color=FAINT, linewidth=0.7)
    axes.tick_params(labelsize=9)
    axes.set_xlabel("efficiency: examples delivered for each that arrives", fontsize=9, color=QUIET)
    axes.set_ylabel("coverage: share of examples used at least once", fontsize=9, color=QUIET)
    _title(axes, "Trade-off")
    _legend(axes, 0.24, "●", "target met, by repeats", DARK)
    if len(beyond) > 1:
        _legend(axes, 0.7, "○", "off the target", TARGET)
    _bare(axes)


def _marked(repeats: int) -> list[int]:
    """The numbers of repeats that have a mark: the chosen one and a few powers of two, with room between for the words.

    >>> _marked(1), _marked(6), _marked(1000)
    ([1], [1, 2, 6], [1, 4, 16, 64, 256, 1000])
    """
    step = -(-repeats.bit_length() // 5)
    return [*(1 << power for power in range(0, (repeats // 2).bit_length(), step)), repeats]


def _repeats_mark(axes: Any, of: Forecast, repeats: int) -> None:
    """Where a number of repeats gets with the target met."""
    rate = of.efficiency(repeats)
    share = coverage(of.arriving, of.target, rate)
    chosen = repeats == of.repeats
    axes.plot(rate, share, marker="o", color=DARK, markersize=8 if chosen else 5, zorder=5)
    weight = "bold" if chosen else "normal"
    axes.annotate(str(repeats), (rate, share), xytext=(-4, 9), **_beside("right"), fontweight=weight, color=DARK)


def _milestones(beyond: list[Point], low: float, high: float) -> list[Point]:
    """The first points that are so far from the target, and the last, as long as there is room to write beside each."""
    found: list[Point] = []
    before = beyond[0]
    tenths = [[point for point in beyond if point.distance >= tenth / 10][:1] for tenth in range(1, 10)]
    for point in chain(*tenths, beyond[-1:]):
        across = np.log(point.rate / before.rate) / np.log(high / low)
        if across > 0.15 or point.coverage - before.coverage > 0.06:
            found.append(point)
            before = point
    return found


def _beside(side: str) -> dict[str, Any]:
    """How a few words beside a point are set."""
    return {"textcoords": "offset points", "ha": side, "va": "center", "fontsize": 8.5}


def _factors(axes: Any, low: float, high: float, tick: Any, most: int = 6) -> None:
    """A logarithmic axis with a few ticks."""
    ticker = load("matplotlib.ticker", extra="plot")
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    decades = np.log10(high / low)
    axes.xaxis.set_major_locator(
        ticker.LogLocator(base=10, subs=(1.0, 3.0) if decades < 2.5 else (1.0,), numticks=most)
    )
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.xaxis.set_major_formatter(tick)


def _percent_tick(value: float, _: Any) -> str:
    return f"{100 * value:g}%"


def _plain_tick(value: float, _: Any) -> str:
    return f"{value:g}"


def _class_rows(axes: Any, rows: list[int | None]) -> None:
    middle, half = (len(rows) - 1) / 2, max(len(rows), LEAST_ROWS) / 2 + 0.1
    axes.set_ylim(middle + half, middle - half)
    axes.tick_params(axis="x", labelsize=9)
    axes.grid(axis="x", color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    _bare(axes)


def _among() -> dict[str, Any]:
    """How the row of the classes between is written."""
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    return {"ha": "center", "va": "center", "fontsize": 8.5, "color": QUIET, "style": "italic", "bbox": paper}


def _legend(axes: Any, place: float, mark: str, text: str, color: str) -> None:
    """Says behind the title what a mark stands for."""
    above = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": 10, "color": color}
    axes.annotate(mark, (place, 1), xytext=(0, 10), **above)
    axes.annotate(text, (place, 1), xytext=(12, 10), **above)


def _title(axes: Any, text: str) -> None:
    where = {"xycoords": "axes fraction", "xytext": (0, 10), "textcoords": "offset points"}
    axes.annotate(text, (0, 1), fontsize=12, color=DARK, **where)


def _short(text: str, width: int = 36) -> str:
    return f"target {text}" if len(text) <= width else f"target {text[: width - 1]}…"


def _bare(axes: Any) -> None:
    """Takes the frame and the tick marks away; the labels stay."""
    axes.tick_params(length=0, colors=DARK)
    for spine in axes.spines.values():
        spine.set_visible(False)
