"""The table: line by line on the screen, and as a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmarks.line import Figure

__all__ = ["HEAD", "Grid", "Section", "page", "row"]

HEAD = ("what", "beside", "wanted", "median", "lowest–highest", "holds")


class Grid(NamedTuple):
    """Several things by several figures each, where a line for each figure would be too many."""

    said: str
    """What it shows, in sentences."""
    head: tuple[str, ...]
    """What stands in each column."""
    rows: tuple[tuple[str, ...], ...]
    """One for each thing."""

    @property
    def lines(self) -> list[str]:
        """As Markdown."""
        return [self.said, "", cells(self.head), cells(["---"] * len(self.head)), *map(cells, self.rows)]


class Section(NamedTuple):
    """One question and its answer."""

    name: str
    question: str
    figures: Sequence[Figure]
    grid: Grid | None = None


def row(figure: Figure) -> str:
    """A figure as a line of text."""
    line = figure.line
    mark = {None: " ", True: "+", False: "!"}[figure.holds]
    note = f"  ({figure.note})" if figure.note else ""
    wanted = "" if line.wanted == "–" else f"  wanted {line.wanted}"
    return f"{mark} {figure.measured:>10}  {figure.spread:<13} {line.what} / {line.rival}{wanted}{note}"


def page(sections: Iterable[Section], facts: Sequence[str], asides: Sequence[str] = ()) -> str:
    """The whole as Markdown.

    Args:
      sections: one a question.
      facts: about the machine.
      asides: what was left out.
    """
    lines = [
        "# What penstock costs",
        "",
        "Written by `make bench`. Each figure is a ratio to a named rival that took turns with it in the same run, or",
        "a time or an amount of memory beside one; the median of all repetitions, with the lowest and the highest.",
        "What was delivered is checked, example by example, before anything is timed.",
        "",
        *(f"- {fact}" for fact in facts),
        *(f"- {aside}" for aside in asides),
    ]
    for section in sections:
        lines += ["", f"## {section.name}", "", section.question, "", cells(HEAD), cells(["---"] * len(HEAD))]
        lines += [cells(fields(figure)) for figure in section.figures]
        lines += ["", *section.grid.lines] if section.grid else []
    return "\n".join(lines) + "\n"


def fields(figure: Figure) -> Sequence[str]:
    """A figure by the columns of the head."""
    line = figure.line
    measured = f"{figure.measured} ({figure.note})" if figure.note else figure.measured
    return line.what, line.rival, line.wanted, measured, figure.spread, figure.verdict


def cells(texts: Sequence[str]) -> str:
    """One row of a Markdown table."""
    return f"| {' | '.join(texts)} |"
