"""The table: line by line on the screen, and as a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.line import Figure

__all__ = ["HEAD", "page", "row"]

HEAD = ("what", "beside", "wanted", "median", "lowest–highest", "holds")


def row(figure: Figure) -> str:
    """A figure as a line of text."""
    line = figure.line
    mark = {None: " ", True: "+", False: "!"}[figure.holds]
    note = f"  ({figure.note})" if figure.note else ""
    wanted = "" if line.wanted == "–" else f"  wanted {line.wanted}"
    return f"{mark} {figure.measured:>10}  {figure.spread:<13} {line.what} / {line.rival}{wanted}{note}"


def page(
    sections: Iterable[tuple[str, str, Sequence[Figure]]], facts: Sequence[str], asides: Sequence[str] = ()
) -> str:
    """The whole as Markdown.

    Args:
      sections: name, question and figures of each.
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
    for name, question, figures in sections:
        lines += ["", f"## {name}", "", question, "", cells(HEAD), cells(["---"] * len(HEAD))]
        lines += [cells(fields(figure)) for figure in figures]
    return "\n".join(lines) + "\n"


def fields(figure: Figure) -> Sequence[str]:
    """A figure by the columns of the head."""
    line = figure.line
    measured = f"{figure.measured} ({figure.note})" if figure.note else figure.measured
    return line.what, line.rival, line.wanted, measured, figure.spread, figure.verdict


def cells(texts: Sequence[str]) -> str:
    """One row of a Markdown table."""
    return f"| {' | '.join(texts)} |"
