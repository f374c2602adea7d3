"""How the demo's pictures look: their size, their colours, and no frames."""

from __future__ import annotations

from typing import Any

from penstock.optional import load

__all__ = ["DARK", "INK", "QUIET", "SIZE", "bare", "label", "sheet"]

SIZE = (14.0, 9.4)  # of a figure [inches]
# Light to dark by lightness alone, like ink on paper, so that it reads in grey and to colour-blind eyes.
INK = "YlGnBu"
DARK = "#222222"
QUIET = "#5c5c5c"


def sheet(title: str) -> Any:
    """A new figure with its title."""
    figure = load("matplotlib.figure", extra="demo").Figure(figsize=SIZE, dpi=110)
    load("matplotlib.backends.backend_agg", extra="demo").FigureCanvasAgg(figure)
    figure.text(0.03, 0.957, title, fontsize=17, fontweight="bold", color=DARK)
    return figure


def label(axes: Any, *, title: str, x: str, y: str = "") -> None:
    """Writes what axes show, and what stands along them."""
    axes.set_title(title, fontsize=12, color=DARK, loc="left")
    axes.set_xlabel(x, fontsize=9, color=QUIET)
    axes.set_ylabel(y, fontsize=9, color=QUIET)


def bare(axes: Any) -> None:
    """Takes the frame and the tick marks away; the labels stay."""
    axes.tick_params(length=0, colors=DARK)
    for spine in axes.spines.values():
        spine.set_visible(False)
