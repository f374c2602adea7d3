"""What a join by weights has given of each source, against what was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from penstock.stages.mixed import Mixed
from penstock.stats import MixStats

__all__ = ["Tally"]


@final
class Tally:
    """Counts over all passes of one join.

    Args:
      join: the join's name, as its stage has it.
      names: what its inputs are called.
    """

    def __init__(self, join: str, names: Sequence[str]) -> None:
        self._join = join
        self._names = names
        self._given = np.zeros(len(names), np.int64)
        self._stage: Mixed | None = None
        self._numbers: Sequence[int] = ()

    def follow(self, stage: Mixed, numbers: Sequence[int]) -> None:
        """Counts on with the stage of the next pass.

        Args:
          stage: it.
          numbers: which of the join's inputs its own are; the others have no weight.
        """
        self._given = self._counts()
        self._stage, self._numbers = stage, numbers

    def _counts(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        counts = self._given.copy()
        if self._stage is not None:
            counts[list(self._numbers)] += self._stage.given()
        return counts

    def stats(self) -> tuple[MixStats, ...]:
        """A figure for each input."""
        counts = self._counts().tolist()
        weights, ended = [0.0] * len(counts), [False] * len(counts)
        if self._stage is not None:
            asked = self._stage.mixture.asked().tolist()
            for number, weight, over in zip(self._numbers, asked, self._stage.ended, strict=True):
                weights[number], ended[number] = weight, over
        total = max(sum(counts), 1)
        rows = zip(self._names, weights, counts, ended, strict=True)
        return tuple(
            [MixStats(self._join, name, weight, count / total, count, over) for name, weight, count, over in rows]
        )
