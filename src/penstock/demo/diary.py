"""What the demo's training loop saw go by, batch after batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np

__all__ = ["Diary"]

Counts = np.ndarray[Any, np.dtype[np.int64]]


@final
class Diary:
    """Counts the examples of each batch by source and class, and keeps the losses and the first batch.

    Args:
      names: what the sources are called, in the order of their numbers.
      classes: how many classes there are.
    """

    def __init__(self, names: Sequence[str], *, classes: int = 10) -> None:
        self.names = tuple(names)
        """What the sources are called."""
        self.losses: list[float] = []
        """The loss of each batch. [nats]"""
        self.first: dict[str, Any] = {}
        """The first batch."""
        self.tokens = 0
        """Ink tokens in the batches. [tokens]"""
        self.places = 0
        """Places for ink tokens in the batches, padded ones included. [tokens]"""
        self._counts: list[Counts] = []
        self._shape = (len(self.names), classes)

    def note(self, batch: dict[str, Any], loss: float) -> None:
        """Adds a batch: `ink` int[n, longest], `mask` bool[n, longest], `digit` and `source` int[n]."""
        self.first = self.first or batch
        self.losses.append(loss)
        self.tokens += int(batch["mask"].sum())
        self.places += batch["mask"].size
        counts = np.zeros(self._shape, np.int64)
        np.add.at(counts, (batch["source"], batch["digit"]), 1)
        self._counts.append(counts)

    @property
    def examples(self) -> int:
        """How many examples went by. [examples]"""
        return int(self.by_class.sum())

    @property
    def by_batch(self) -> Counts:
        """How many examples of each batch came from each source: int64[batches, sources]. [examples]"""
        return np.array([counts.sum(axis=1) for counts in self._counts]).reshape(-1, self._shape[0])

    @property
    def by_class(self) -> Counts:
        """How many examples of each class came from each source: int64[sources, classes]. [examples]"""
        return np.sum(self._counts, axis=0, dtype=np.int64) if self._counts else np.zeros(self._shape, np.int64)
