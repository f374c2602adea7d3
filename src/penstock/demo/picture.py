"""The demo's picture: a padded batch, where its examples came from, and what was learnt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from penstock.demo.diary import Diary
from penstock.demo.model import LEVELS
from penstock.demo.style import DARK, INK, QUIET, SIZE, bare, label, sheet
from penstock.errors import PipelineError, mismatch
from penstock.optional import load

__all__ = ["check_path", "draw"]

SHOWN = 10  # rows of the first batch
SIDE = 8  # pixels of a digit, each way
PITCH = 10  # pixels from one digit to the next
PADDING = {"facecolor": "#f1f1f1", "edgecolor": "#c4c4c4", "hatch": "////", "linewidth": 0.0}
# A hue for each format, blue and orange as in the palette of Okabe and Ito; shades tell files of one format apart.
FORMATS = {".parquet": ("#0b3c66", "#a9cfea"), ".jsonl": ("#8a3b00", "#ffcf99")}
LINE = "#0b3c66"


def check_path(path: Path) -> None:
    """Raises unless a picture can be written there, so that nobody waits for one in vain.

    Raises:
      PipelineError: the folder does not exist, or the ending is none of a picture that matplotlib writes.
    """
    kinds = load("matplotlib.backend_bases", extra="demo").FigureCanvasBase.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in kinds:
        raise PipelineError(mismatch("a picture's ending, such as `.png` or `.svg`", f"`{path.name}`", at="--out"))
    if not path.resolve().parent.is_dir():
        raise PipelineError(mismatch("a folder that exists", f"`{path.parent}`", at="--out"))
    if path.is_dir():
        raise PipelineError(mismatch("a file to write", f"the folder `{path}`", at="--out"))


def draw(path: Path, diary: Diary, *, accuracy: float, held_out: int) -> None:
    """Draws what a training run saw, into a file.

    Args:
      path: where the picture goes; its ending says in which format.
      diary: what went by.
      accuracy: of the trained model on held-out examples, from 0 to 1.
      held_out: how many those were. [examples]
    """
    count = f"{diary.examples:,} handwritten digits from {len(diary.names)} files"
    figure = sheet(f"{count}, joined into {len(diary.losses)} batches")
    _batch(figure, diary)
    _origins(figure.add_axes((0.055, 0.075, 0.29, 0.31)), diary)
    _classes(figure.add_axes((0.475, 0.075, 0.235, 0.31)), diary)
    _losses(figure.add_axes((0.78, 0.075, 0.195, 0.31)), diary, accuracy, held_out)
    figure.savefig(path)


def _batch(figure: Any, diary: Diary) -> None:
    """The first rows of the first batch: each digit, and beside it its ink tokens with their padding."""
    batch, rows = diary.first, len(diary.first["digit"])
    shown, longest = min(SHOWN, rows), batch["mask"].shape[1]
    left, bottom, height = 0.135, 0.5, 0.4
    # As wide as makes its pixels square.
    width = height * SIZE[1] / SIZE[0] * SIDE / (SHOWN * PITCH)
    digits = figure.add_axes((left, bottom, width, height))
    column = np.zeros((SHOWN * PITCH, SIDE))
    for row, image in enumerate(batch["image"][:shown]):
        column[row * PITCH + 1 : row * PITCH + 1 + SIDE] = image.reshape(SIDE, SIDE)
    digits.imshow(column, cmap=_paper(), vmin=0, vmax=LEVELS - 1, aspect="auto", interpolation="nearest")
    labels = [f"{diary.names[batch['source'][row]]}      {batch['digit'][row]}" for row in range(shown)]
    digits.set_yticks([(row + 0.5) * PITCH - 0.5 for row in range(shown)], labels, fontsize=9)
    digits.set_xticks([])
    bare(digits)

    tokens = figure.add_axes((left + width + 0.012, bottom, 0.76, height))
    tokens.set(xlim=(0, longest), ylim=(SHOWN, 0), yticks=[])
    level = np.where(batch["mask"][:shown], batch["ink"][:shown] % LEVELS, np.nan)
    shades = tokens.pcolormesh(level, cmap=INK, vmin=0, vmax=LEVELS - 1, edgecolors="white", linewidth=1.5)
    for row, length in enumerate(batch["mask"][:shown].sum(axis=1).tolist()):
        if length < longest:
            tokens.barh(row + 0.5, longest - length - 0.2, left=length + 0.1, height=0.86, **PADDING)
    tokens.set_xlabel("place in the padded sequence of ink tokens", fontsize=9, color=QUIET)
    bare(tokens)
    figure.text(0.03, 0.916, f"The first batch: {shown} of its {rows} examples", fontsize=12, color=DARK)
    figure.text(
        0.03 + 0.945, 0.916,
        f"hatched: padding to the longest in the batch, {1 - diary.tokens / diary.places:.0%} of all places in the run",
        fontsize=10, color=QUIET, ha="right",
    )  # fmt: skip
    bar = figure.colorbar(shades, cax=figure.add_axes((0.945, bottom, 0.008, height)), ticks=(0, 4, 8, 12, 16))
    bar.ax.set_ylabel("ink of the pixel, 0 to 16", fontsize=9, color=QUIET)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=9)


def _origins(axes: Any, diary: Diary) -> None:
    """How many examples of each batch came from each source, the first source on top."""
    counts = diary.by_batch
    steps = np.concatenate([counts, counts[-1:]])[:, ::-1].T  # a step ends where the next begins, also the last
    edges = np.arange(len(counts) + 1) - 0.5
    axes.stackplot(edges, steps, colors=_colours(diary.names)[::-1], step="post", linewidth=0)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, counts.sum(axis=1).max()))
    label(axes, title="Each file in its turn, until it ends", x="batch", y="examples from each file")
    bare(axes)


def _classes(axes: Any, diary: Diary) -> None:
    """How many examples of each class came from each source; its labels are the legend of the colours, too."""
    counts = diary.by_class
    axes.imshow(counts, cmap="Greys", aspect="auto", vmin=0, vmax=max(1, counts.max()) * 1.4)
    for row, column in np.ndindex(counts.shape):
        dark = counts[row, column] > 0.8 * counts.max()
        colour = "white" if dark else DARK
        axes.text(column, row, counts[row, column], ha="center", va="center", fontsize=8.5, color=colour)
    totals = counts.sum(axis=1).tolist()
    labels = [f"{name}   {total}" for name, total in zip(diary.names, totals, strict=True)]
    axes.set_yticks(range(len(labels)), labels, fontsize=9)
    axes.tick_params(axis="y", pad=26)
    for row, colour in enumerate(_colours(diary.names)):
        axes.plot(-0.95, row, marker="s", markersize=11, color=colour, clip_on=False)
    axes.set_xticks(range(counts.shape[1]))
    axes.set_xlim(-0.5, counts.shape[1] - 0.5)
    label(axes, title="Examples by file and digit", x="digit")
    bare(axes)


def _losses(axes: Any, diary: Diary, accuracy: float, held_out: int) -> None:
    """The loss of each batch, and the accuracy at the end."""
    few = len(diary.losses) <= 100
    axes.plot(diary.losses, color=LINE, linewidth=1.5 if few else 0.8, marker="o" if few else None, markersize=3)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylim(0, 1.08 * max(diary.losses))
    label(axes, title="Loss of each batch", x="batch", y="cross-entropy [nats]")
    axes.text(0.98, 0.96, f"{accuracy:.1%}", transform=axes.transAxes, ha="right", va="top", fontsize=20, color=LINE)
    axes.text(
        0.98, 0.83, f"of {held_out} held-out\ndigits are read right",
        transform=axes.transAxes, ha="right", va="top", fontsize=9.5, color=QUIET,
    )  # fmt: skip
    bare(axes)


def _paper() -> Any:
    """The colours of ink, with white where there is none."""
    scale = load("matplotlib", extra="demo").colormaps[INK].copy()
    shades = scale(np.linspace(0, 1, LEVELS))
    shades[0] = 1.0
    return load("matplotlib.colors", extra="demo").ListedColormap(shades)


def _colours(names: tuple[str, ...]) -> list[Any]:
    """A colour for each source: its hue tells the file's format, its shade which file."""
    ramp = load("matplotlib.colors", extra="demo").LinearSegmentedColormap.from_list
    colours: list[Any] = [QUIET] * len(names)
    for ending, ends in FORMATS.items():
        of_format = [number for number, name in enumerate(names) if name.endswith(ending)]
        for place, number in enumerate(of_format):
            colours[number] = ramp(ending, ends)(place / max(len(of_format) - 1, 1))
    return colours
