"""A batch that is filled straight from its sources, for examples that are small.

A batch of small examples that is gathered first, and copied then, costs more for the gathering than for the copy:
the examples leave the cache while they wait for each other (benchmarks/twin.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice, repeat
from typing import Any, final

import numpy as np

import penstock.assemble.reference as reference
from penstock.assemble.misfit import Misfit
from penstock.assemble.pile import Pile
from penstock.spec import Component
from penstock.structure import Structure

__all__ = ["MOST_BYTES", "MOST_COMPONENTS", "Sink", "pull_turns"]

MOST_BYTES = 1 << 12
"""Examples that are larger are gathered, and copied all together without the interpreter. [bytes]"""
MOST_COMPONENTS = 16
"""Examples of more components are gathered. [components]"""


@final
class Sink:
    """The arrays of a batch, and how many of their rows are filled.

    Args:
      structure: of an example: one component, or a flat tuple, namedtuple or dict of them.
      kinds: what is asked of each component, as `prepared` gives it.
      places: for each component an array of shape `(size, …)`, or a pile where it is padded.
    """

    def __init__(self, structure: Structure, kinds: list[Component], places: list[np.ndarray[Any, Any] | Pile]) -> None:
        self.places = places
        """Where the leaves of each component went."""
        self.filled = 0
        """How many rows are filled. [examples]"""
        self.misfit: tuple[Any] | None = None
        """The example that did not fit, if one did; nothing is written after it."""
        self.lasts: list[Any] | None = None
        """Where the last example that was pulled of each iterator goes, if somebody wants to know."""
        self._structure = structure
        self._kinds = kinds
        self._pulled: list[Any] = []

    def __len__(self) -> int:
        return self.filled + len(self._pulled)

    @property
    def halted(self) -> bool:
        """Whether nothing more is written, after an example that did not fit."""
        return self.misfit is not None

    def pull(self, iterators: list[Iterator[Any]], first: int, n: int) -> None:
        """Pulls `n` examples as `pull_turns` does, each into the next row; stops also after one that does not fit."""
        before = self.filled
        try:
            pull_turns(iterators, first, n, self._pulled)
        finally:
            rows, self._pulled = self._pulled, []
            self.add(rows)
            if self.lasts is not None:
                seen = len(rows) if self.misfit is None else self.filled - before + 1
                for turn in range(max(0, seen - len(iterators)), seen):
                    self.lasts[(first + turn) % len(iterators)] = rows[turn]

    def add(self, rows: list[Any]) -> None:
        """Writes examples to the next rows; stops at one that does not fit."""
        count = len(rows)
        while True:
            try:
                columns = reference.gather(rows[:count], self._structure)
                for leaves, kind, place in zip(columns, self._kinds, self.places, strict=True):
                    if isinstance(place, Pile):
                        reference.extent(leaves, kind)
                    else:
                        reference.stack(leaves, kind, place[self.filled : self.filled + count])
                break
            except Misfit as misfit:
                self.misfit, count = (rows[misfit.row],), misfit.row
        for leaves, place in zip(columns, self.places, strict=True):
            if isinstance(place, Pile):
                place.add(leaves)
        self.filled += count


def pull_turns(iterators: Sequence[Iterator[Any]], first: int, n: int, rows: list[Any]) -> None:
    """Pulls `n` items from iterators, one of each in turn from place `first` on, to the end of `rows`.

    Stops at the first iterator that ends or raises; what came before it is in `rows`.

    Args:
      iterators: k iterators.
      first: the place of the one that is pulled first.
      n: how many items.
      rows: where they go.
    """
    if len(iterators) == 1:
        rows.extend(islice(iterators[0], n))
    else:
        # One C loop: `next` of each in turn. Its StopIteration ends the loop as if the turns had ended.
        turns = islice(chain.from_iterable(repeat(iterators)), first, first + n)
        rows.extend(map(next, turns))
