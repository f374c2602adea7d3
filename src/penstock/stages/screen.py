"""Leaves out, before a stage that reads a label or length of each example, those of which it cannot be read.

Guarantees
  What comes behind it is read as if the others had never come: they are skipped in their order, once, and counted.
  It holds nothing, and a snapshot of it is one of its upstream: a run that raised goes on as one that skips.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

from penstock.chunk import END, Chunk
from penstock.errors import SpecError
from penstock.sampling import Classes
from penstock.stages.functions import Applied
from penstock.stages.labelled import By
from penstock.stages.snapshot import Saved
from penstock.stages.stage import Stage
from penstock.ticket import Tickets

__all__ = ["Screen", "reads_label"]


@final
class Screen:
    """The examples on which a function does not raise; there is something to be done about its errors.

    Args:
      upstream: where the examples come from.
      applied: the function; its results do not matter.
    """

    def __init__(self, upstream: Stage, applied: Applied) -> None:
        self._upstream = upstream
        self._applied = applied
        self._over = False

    def take(self, n: int) -> Chunk:
        """Takes chunks until one has an example left, or an error."""
        while not self._over:
            chunk = self._upstream.take(n)
            if not chunk.count:
                return chunk
            kept, _, error = self._applied.over(chunk)
            if error is not None:
                self._over = True
                kept.error, kept.item_end = error, False
            if kept.count or kept.error is not None:
                return kept
        return END

    def snapshot(self) -> Saved:
        """As upstream, and what is skipped here from now on."""
        return {**self._upstream.snapshot(), "screened": self._applied.mark()}

    def restore(self, saved: Saved) -> None:
        """As upstream."""
        self._upstream.restore(saved)

    @property
    def recalls(self) -> bool:
        """As upstream."""
        return self._upstream.recalls

    def recall(self, tickets: Tickets) -> list[Any]:
        """As upstream: what was kept once is kept."""
        return self._upstream.recall(tickets)

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()


def reads_label(by: By, classes: Classes) -> Callable[[Any], object]:
    """Reads the label of an example and looks up its class, which may raise; no class is added to those that there are."""
    own = Classes(grows=True) if classes.grows else classes

    def read(example: Any) -> object:
        how, key = by.reading(example)
        try:
            label = key(example) if how == "call" else example[key]
        except (KeyError, IndexError, AttributeError, TypeError):
            if by.own:
                raise
            raise SpecError(by.missing(example)) from None
        if not len(own):  # after a resume there are some
            own.restore(classes.labels)
        return own.number(label)

    return read
