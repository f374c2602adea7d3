"""Rings of numbers, for examples that somebody else keeps: what arrives is told of by its class alone.

An example is known by its number, which says how many arrived before it. What is drawn, thinned and evicted is just what
`Rings` would; there are no slots.

This is the definition. `_number_rings.pyx` is its fast twin, and gives the same answers to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from penstock.sampling.checks import checked_classes, checked_numbers
from penstock.sampling.rings import Integers, Rings

__all__ = ["NumberRings"]


@final
class NumberRings(Rings):
    """The numbers of the examples that wait to be drawn, in a ring for each class.

    Args:
      repeats: how often one example may be used.
      seed: of the coins that thin, and of the order within a draw.

    >>> rings = NumberRings(1, 0)
    >>> rings.grow([8, 8])
    >>> rings.ask([0, 1], [1, 1])
    >>> rings.compose(np.array([0, 0, -1, 1, 1]), 0, 0, [])
    (4, 1)
    >>> numbers, uses = rings.composed()
    >>> numbers.tolist(), uses.tolist()
    ([0, 3], [1, 1])
    """

    _keeps_rows = False

    def _clear(self) -> None:
        super()._clear()
        self._composed: list[tuple[int, int, int]] = []

    def _keep(self, example: Any, kept: int) -> None:
        """Somebody else does."""

    @property
    def oldest(self) -> int:
        """Of those that wait, how many arrived before the first; `arrived` where none waits. [examples]"""
        return int(self.waiting[0]) if self.held else self.arrived

    def draw(self, number: int) -> Integers:
        """As that of `Rings`; gives the numbers, int64[b]."""
        super().draw(number)
        return self.numbers

    def compose(
        self, classes: Integers, start: int, number: int, quotas: Sequence[tuple[Integers, Integers]]
    ) -> tuple[int, int]:
        """As `add_classes`, and draws whenever what is asked for is at hand; then it asks for the next quota.

        Stops where `add_classes` does for want of arrivals, and when the last quota was drawn; then nothing is asked for.

        Args:
          classes: as for `add_classes`.
          start: the place of the first that is added.
          number: of the first draw.
          quotas: what is asked for after the first draw, the second, and so on: classes and counts, as for `ask`.

        Returns:
          How many were added, and how many draws there were; `composed` tells of them.
        """
        classes = checked_classes(classes, False)
        at, draws = start, 0
        while draws <= len(quotas):
            at += self.add_classes(classes, at)
            if not self.full:
                break
            self._composed += self._taken(number + draws)
            self.ask(*quotas[draws] if draws < len(quotas) else ((), ()))
            draws += 1
        return at - start, draws

    def composed(self) -> tuple[Integers, Integers]:
        """Of all that `compose` drew since this was last called: numbers and uses, int64[n] each, as of a draw."""
        (_, uses, numbers), self._composed = np.array(self._composed, np.int64).reshape(-1, 3).T.copy(), []
        return numbers, uses

    def restore(self, state: dict[str, Any], rows: list[Any] | None = None) -> None:
        """Goes on from a state, in place of what is here; there are no rows.

        Raises:
          ValueError: the state is not one of such rings.
        """
        waiting = checked_numbers(state, rows, repeats=self._repeats)
        super().restore(state, [None] * len(waiting))
