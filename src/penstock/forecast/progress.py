"""How far long work has got, shown on the standard error: a bar by rich, else a line now and then."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TextIO

from penstock.errors import MissingExtra
from penstock.optional import load

__all__ = ["Advance", "Show", "bar_or_lines", "lines", "quiet", "rich_is_there"]

Advance = Callable[[int], None]
"""Says that so many more examples are done."""
Show = Callable[[str, int | None], AbstractContextManager[Advance]]
"""Begins work of a name, over a number of examples if that is known."""

LINE_EVERY = 1_000_000  # [examples]


@contextmanager
def quiet(what: str, total: int | None) -> Iterator[Advance]:
    """Shows nothing."""
    yield lambda examples: None


def bar_or_lines(what: str, total: int | None) -> AbstractContextManager[Advance]:
    """Shows a bar that goes away at the end, where rich is installed and someone looks; else lines."""
    return _bar(what, total) if rich_is_there() and sys.stderr.isatty() else lines(what, total, sys.stderr)


@contextmanager
def lines(what: str, total: int | None, file: TextIO) -> Iterator[Advance]:
    """Writes a line for each million examples, so that quick work shows nothing.

    Args:
      what: what is being done.
      total: over how many examples, if that is known.
      file: where the lines go.
    """
    of = "" if total is None else f" of {total:,}"
    done = 0

    def advance(examples: int) -> None:
        nonlocal done
        before, done = done, done + examples
        if done // LINE_EVERY > before // LINE_EVERY:
            print(f"penstock: {what}: {done:,}{of} examples", file=file, flush=True)

    yield advance


@contextmanager
def _bar(what: str, total: int | None) -> Iterator[Advance]:
    parts: Any = load("rich.progress", extra="demo")
    console: Any = load("rich.console", extra="demo").Console(stderr=True)
    of = "" if total is None else " / {task.total:,}"
    columns = (
        parts.TextColumn("{task.description}"),
        parts.BarColumn(),
        parts.TextColumn("{task.completed:,}" + of + " examples"),
    )
    with parts.Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda examples: progress.update(task, advance=examples)


def rich_is_there() -> bool:
    """Whether rich is installed."""
    try:
        load("rich.console", extra="demo")
    except MissingExtra:
        return False
    return True
