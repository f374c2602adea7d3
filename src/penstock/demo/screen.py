"""What the demo shows in the terminal while it runs, and at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, final

from penstock.optional import load
from penstock.stats import FlowStats

__all__ = ["Screen"]


@final
class Screen:
    """Writes to the terminal by rich; without a terminal, as plain text."""

    def __init__(self) -> None:
        self._console: Any = load("rich.console", extra="demo").Console(highlight=False)

    def say(self, text: str) -> None:
        """Writes a line, or several."""
        self._console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[int, float], None]]:
        """Shows a bar, and gives the function that moves it: `advance(examples, loss)`.

        Args:
          total: how many there will be. [examples]
        """
        parts: Any = load("rich.progress", extra="demo")
        columns = (
            parts.TextColumn("training"),
            parts.BarColumn(bar_width=None),
            parts.TextColumn("{task.completed:>5,} / {task.total:,} examples   {task.fields[loss]}"),
        )
        with parts.Progress(*columns, console=self._console) as progress:
            task = progress.add_task("training", total=total, loss="")

            def advance(examples: int, loss: float) -> None:
                progress.update(task, advance=examples, loss=f"loss {loss:.3f}")

            yield advance

    def sources(self, stats: FlowStats) -> None:
        """Shows a table with a row for each source."""
        rows = []
        for lane in stats.sources:
            times = [f"{1000 * wait:.1f}" for wait in (lane.busy_s, lane.put_wait_s, lane.take_wait_s)]
            rows.append([lane.name, f"{lane.examples:,}", *times, "the driver" if lane.parked else "its thread"])
        waits = ["ms spent\nreading", "ms waited\nfor room", "ms others\nwaited"]
        self.table(["source", "examples\nread", *waits, "run by"], rows)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Shows a table: columns of words begin on the left, those of numbers end on the right."""
        rows = list(rows)
        box = load("rich.box", extra="demo").SIMPLE_HEAD
        table: Any = load("rich.table", extra="demo").Table(box=box, padding=(0, 0, 0, 1))
        for heading, *cells in zip(headings, *rows, strict=True):
            words = all(cell[:1].isalpha() for cell in cells)
            table.add_column(heading, justify="left" if words else "right", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        self._console.print(table)
