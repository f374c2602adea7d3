"""Cuts batches from runs of columns: what lies within one run is handed over as it is, what lies across several is copied.

The definition; `_cutter.pyx` does the same with less work for each batch.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np

from penstock.assemble.pool import Pool
from penstock.spec import Component

__all__ = ["Cutter"]

Array = np.ndarray[Any, np.dtype[Any]]


@final
class Cutter:
    """Cuts batches of one spec.

    Args:
      components: of an example; each of fixed shape.
      pool: where the memory of copies comes from.

    >>> cutter = Cutter([Component.of(1)], Pool())
    >>> cutter.cut([(np.arange(5),), (np.arange(5, 8),)], 1, 3, 9)
    [[array([1, 2, 3])], [array([4, 5, 6])]]
    """

    def __init__(self, components: list[Component], pool: Pool) -> None:
        self._components = components
        self._pool = pool

    def fits(self, run: tuple[Array, ...]) -> bool:
        """Whether a run's arrays are such as they are to be delivered.

        Args:
          run: an array for each component, with a leading dimension.
        """
        return all(
            array.dtype == component.dtype and array.shape[1:] == component.shape
            for array, component in zip(run, self._components, strict=True)
        )

    def cut(self, runs: list[tuple[Array, ...]], at: int, size: int, most: int) -> list[list[Array]]:
        """Cuts as many whole batches as there are.

        Args:
          runs: that fit, one behind the other.
          at: where the first batch begins, a place of the first run.
          size: examples in a batch.
          most: how many batches at most.

        Returns:
          The arrays of each: read-only views of a run, or new arrays.
        """
        batches: list[list[Array]] = []
        place, before, total = 0, 0, sum(len(run[0]) for run in runs)
        for start in range(at, min(at + most * size, total - size + 1), size):
            while start >= before + len(runs[place][0]):
                before += len(runs[place][0])
                place += 1
            first, stop = start - before, start - before + size
            if stop <= len(runs[place][0]):
                batches.append([_sealed(array[first:stop]) for array in runs[place]])
            else:
                batches.append(self._copied(runs[place:], first, size))
        return batches

    def _copied(self, runs: list[tuple[Array, ...]], at: int, size: int) -> list[Array]:
        batch: list[Array] = []
        for j, component in enumerate(self._components):
            batch.append(self._pool.array((size, *map(int, runs[0][j].shape[1:])), component.dtype))
            start, done = at, 0
            for run in runs:
                piece = run[j][start : start + size - done]
                batch[j][done : done + len(piece)] = piece
                start, done = 0, done + len(piece)
        return batch


def _sealed(view: Array) -> Array:
    view.flags.writeable = False
    return view
