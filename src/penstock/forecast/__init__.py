"""What class proportions would give of a file, before anyone trains.

labels     of files, in the order in which they come
target     as it is written on a command line
replay     one pass of the labels through the rings
outlook    what the target asks, what the file gives, what the bounds are
remarks    what will surprise, in plain sentences
table, picture, progress    as one sees it
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from penstock.errors import PipelineError, mismatch
from penstock.forecast import picture, remarks, table
from penstock.forecast.labels import Labels, read_labels
from penstock.forecast.outlook import Forecast, forecast
from penstock.forecast.progress import bar_or_lines, rich_is_there
from penstock.forecast.target import as_text, parse, shares_over
from penstock.optional import load

__all__ = ["Forecast", "Labels", "forecast", "read_labels", "run"]

MOST = 1 << 20
"""The largest batch, and the largest number of repeats, that is foretold."""


def run(
    files: Sequence[str],
    *,
    by: str,
    target: str = "uniform",
    batch_size: int = 64,
    repeats: int = 1,
    batches: int | None = None,
    nulls: str = "error",
    png: Path | None = None,
    as_json: bool = False,
) -> None:
    """Reads the labels of files, and prints what a target would make of them.

    Args:
      files: paths and globs, read one after the other.
      by: the component that holds the labels.
      target: as `penstock.forecast.target.parse` takes it.
      batch_size: examples in a batch. [examples]
      repeats: how often one example may be used.
      batches: how many batches are asked of one pass; as many as without proportions if `None`.
      nulls: what a missing label means: `"error"`, or `"skip"`.
      png: where a picture goes, if one is wanted.
      as_json: whether JSON is printed in place of tables.

    Raises:
      PipelineError: the target, an ending or a path cannot be meant.
      SourceError: a file cannot be read.
      SpecError: the files do not fit together, or have no example.
      MissingExtra: pyarrow is not installed, or matplotlib where a picture is wanted.
    """
    for name, value in (("--batch", batch_size), ("--repeats", repeats)):
        if value > MOST:
            raise PipelineError(mismatch(f"at most {MOST:,}", f"{value:,}", at=name))
    wanted = parse(target)
    if png is not None:
        picture.check_path(png)
    labels = read_labels(files, by, nulls=nulls, show=bar_or_lines)
    seen = forecast(
        labels,
        shares_over(wanted, labels.classes, labels.counts()),
        wanted=as_text(wanted),
        batch_size=batch_size,
        repeats=repeats,
        batches=batches,
        show=bar_or_lines,
    )
    if png is not None:
        picture.draw(png, seen)
    _print(seen, png, as_json=as_json)


def _print(seen: Forecast, png: Path | None, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**seen.record(), "remarks": remarks.remarks(seen)}, indent=2))
        return
    found = [*table.parts(seen), *([] if png is None else [f"picture: {png}"])]
    console = load("rich.console", extra="demo").Console(highlight=False) if rich_is_there() else None
    if console is not None and console.is_terminal:
        table.show(found, console)
    else:
        print("\n".join(table.plain(found)))
