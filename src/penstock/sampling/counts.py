"""What rings count of each class."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["COUNTERS", "Counts", "in_turn"]

Integers = np.ndarray[Any, np.dtype[np.int64]]

COUNTERS = ("seen", "thinned", "evicted_fresh", "evicted_used", "given", "distinct", "waited")
"""What is counted for each class."""


class Counts:
    """Counters of each class, int64[classes] each; they go on counting. Where classes are added they are other arrays."""

    seen: Integers
    """Arrivals of each class."""
    thinned: Integers
    """Arrivals of each class that were not admitted."""
    evicted_fresh: Integers
    """Examples of each class that had to make room and were never used."""
    evicted_used: Integers
    """Examples of each class that had to make room before their last use."""
    given: Integers
    """Uses of each class: how many of it were drawn."""
    distinct: Integers
    """Examples of each class that were drawn at least once."""
    waited: Integers
    """For how many arrivals the examples of each class had waited when they were drawn, all uses together."""

    def _clear_counts(self) -> None:
        for name in COUNTERS:
            setattr(self, name, np.zeros(0, np.int64))

    def _grow_counts(self, more: int) -> None:
        for name in COUNTERS:
            setattr(self, name, np.append(getattr(self, name), np.zeros(more, np.int64)))


def in_turn(classes: Integers, counts: Integers) -> Integers:
    """So many of each class, one of each in turn as long as there are any.

    >>> in_turn(np.array([4, 7]), np.array([1, 3])).tolist()
    [4, 7, 7, 7]
    """
    turns = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    every: Integers = np.repeat(classes, counts)[np.argsort(turns, kind="stable")]
    return every
