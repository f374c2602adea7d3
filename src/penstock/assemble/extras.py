"""Lengths and masks: what tells data from padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from penstock.plan import PadRule

__all__ = ["Extras"]

Array = np.ndarray[Any, np.dtype[Any]]


@final
class Extras:
    """The lengths and the mask of one padded component, under the names that its rule gives them.

    Args:
      rule: how the component is padded.
      axes: which of its dimensions are, k of them.
    """

    def __init__(self, rule: PadRule, axes: Sequence[int]) -> None:
        self._axes = list(axes)
        self._left = rule.side == "left"
        self._lengths = rule.lengths
        self._mask = rule.mask
        self.names = [name for name in (rule.lengths, rule.mask) if name is not None]
        """The names that were asked for."""

    def arrays(self, sizes: Array, target: Sequence[int]) -> dict[str, Array]:
        """Gives what was asked for.

        Args:
          sizes: int64[n, d], of each example before padding, in all d dimensions.
          target: those of the batch's rows.

        Returns:
          Lengths, after truncation: int64[n], or int64[n, k] where k is not 1.
          Mask: bool[n, target of the k axes], True where there is data.
        """
        found: dict[str, Array] = {}
        lengths = np.minimum(sizes, np.array(target, np.int64))[:, self._axes]
        if self._lengths is not None:
            found[self._lengths] = lengths[:, 0].copy() if len(self._axes) == 1 else lengths
        if self._mask is not None:
            mask = np.ones((len(sizes), *[1] * len(self._axes)), bool)
            for place, axis in enumerate(self._axes):
                size = target[axis]
                own = lengths[:, place, None]
                inside = np.arange(size) >= size - own if self._left else np.arange(size) < own
                mask = mask & inside.reshape([len(sizes), *[size if i == place else 1 for i in range(len(self._axes))]])
            found[self._mask] = mask
        return found
