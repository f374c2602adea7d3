"""A forecast as text: tables and sentences, by rich on a terminal, else plain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.forecast.labels import label_text
from penstock.forecast.outlook import Forecast
from penstock.forecast.remarks import count, number_text, percent, remarks
from penstock.optional import load

__all__ = ["MOST_CLASSES", "Table", "ends", "parts", "plain", "show"]

MOST_CLASSES = 20
"""As many classes are shown one by one."""


@dataclass(frozen=True, slots=True)
class Table:
    """Some cells of text, the first column to the left and the others to the right."""

    headings: tuple[str, ...]
    """One for each column."""
    rows: tuple[tuple[str, ...], ...]
    """The cells of each row."""


def parts(of: Forecast) -> list[str | Table]:
    """What is shown: lines of text, and tables."""
    named = of.files[0] if len(of.files) == 1 else f"{of.files[0]} and {len(of.files) - 1} more"
    kinds = count(len(of.classes), "class", "classes")
    found: list[str | Table] = [
        f"{named}: {count(of.examples, 'example')}, {kinds} by `{of.by}`",
        f"target {of.wanted}, batches of {of.batch_size:,}, repeats={of.repeats}",
        _classes(of),
        _repeats(of),
    ]
    if of.chosen.first_after is not None:
        found.append(f"The first batch comes after {count(of.chosen.first_after, 'input')}.")
    waiting = count(int(of.limits.sum()), "example")
    found.append(f"Up to {waiting} wait at a time.")
    if not of.balanced:
        found.append(f"The class that is scarcest for what is asked of it: {label_text(of.classes[of.critical])}.")
    found += [f"- {sentence}" for sentence in remarks(of)]
    return found


def ends(of: Forecast, most: int = MOST_CLASSES) -> tuple[list[int], list[int], list[int]]:
    """The classes by falling number of examples: the first, the many between that are not shown, and the last."""
    ranked = np.argsort(-of.counts, kind="stable").tolist()
    if len(ranked) <= most:
        return ranked, [], []
    return ranked[: most // 2], ranked[most // 2 : -(most // 2)], ranked[-(most // 2) :]


def _classes(of: Forecast) -> Table:
    first, between, last = ends(of)
    uses = of.uses

    def row(number: int) -> tuple[str, ...]:
        return (
            label_text(of.classes[number]),
            f"{of.counts[number]:,}",
            percent(of.arriving[number]),
            percent(of.target[number]),
            number_text(uses[number]),
            f"{of.gaps[number]:,}",
            f"{of.limits[number]:,}",
        )

    rest = []
    if between:
        given, counts = int(of.chosen.given[between].sum()), int(of.counts[between].sum())
        rest.append(
            (
                f"({len(between):,} more)",
                f"{counts:,}",
                percent(float(of.arriving[between].sum())),
                percent(float(of.target[between].sum())),
                number_text(given / counts),
                f"{of.gaps[between].max():,}",
                f"{of.limits[between].sum():,}",
            )
        )
    headings = ("class", "examples", "arriving", "target", "uses", "longest gap", "held")
    return Table(headings, (*map(row, first), *rest, *map(row, last)))


def _repeats(of: Forecast) -> Table:
    rows = [
        (
            str(one.repeats),
            f"{one.batches:,}",
            f"{of.most_batches(one.repeats):,}",
            "-" if one.inputs_per_output is None else number_text(one.inputs_per_output),
            number_text(1 / of.efficiency(one.repeats)),
            percent(one.coverage),
            "-" if one.mean_uses is None else number_text(one.mean_uses),
        )
        for one in of.replays
    ]
    headings = ("repeats", "batches", "by counts", "in/out", "bound", "coverage", "uses if used")
    return Table(headings, tuple(rows))


def plain(found: list[str | Table]) -> list[str]:
    """Lines of text, with an empty one around each table."""
    lines: list[str] = []
    for part in found:
        if isinstance(part, str):
            lines.append(part)
            continue
        grid = [part.headings, *part.rows]
        widths = [max(len(row[place]) for row in grid) for place in range(len(part.headings))]
        if lines[-1]:
            lines.append("")
        lines += ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in grid]
        lines.append("")
    return lines


def show(found: list[str | Table], console: Any) -> None:
    """Writes it to a `rich.console.Console`."""
    table: Any = load("rich.table", extra="demo").Table
    text: Any = load("rich.text", extra="demo").Text
    box: Any = load("rich.box", extra="demo").SIMPLE_HEAD
    for part in found:
        if isinstance(part, str):
            console.print(part, markup=False, soft_wrap=True)
            continue
        grid = table(box=box)
        for place, heading in enumerate(part.headings):
            grid.add_column(heading, justify="right" if place else "left", no_wrap=place > 0, overflow="fold")
        for row in part.rows:
            grid.add_row(*map(text, row))
        console.print(grid)
