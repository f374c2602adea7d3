"""Moves rows between arrays by their numbers: into a store that keeps some, and out of it into a batch.

The definition; `_mover.pyx` does the same with less work for each row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from penstock.assemble.pool import Pool

__all__ = ["collect", "keep"]

Array = np.ndarray[Any, np.dtype[Any]]
Int64s = np.ndarray[Any, np.dtype[np.int64]]


def keep(kept: tuple[Array, ...], slots: Int64s, run: tuple[Array, ...], places: Int64s) -> None:
    """Copies rows of a run into a store.

    Args:
      kept: an array for each component, as long as the store.
      slots: where each row goes, int64[m], all different.
      run: an array for each component, of the same dtypes and row shapes; none holds objects.
      places: where each row is in the run, int64[m].

    >>> store = np.zeros(3, int)
    >>> keep((store,), np.array([2, 0]), (np.array([7, 8, 9]),), np.array([0, 2]))
    >>> store
    array([9, 0, 7])
    """
    for to, of in zip(kept, run, strict=True):
        to[slots] = of[places]


def collect(
    kept: tuple[Array, ...], slots: Int64s, run: tuple[Array, ...], places: Int64s, least: int, pool: Pool
) -> tuple[Array, ...]:
    """Copies rows that lie in a run, or else in a store, into new arrays.

    Args:
      kept: as for `keep`.
      slots: where each row is in the store, int64[n].
      run: as for `keep`.
      places: where each row is in the run, int64[n]; one below `least` lies in the store.
      least: the first place of the run that counts.
      pool: where the new arrays' memory comes from.

    >>> collect((np.array([1, 2]),), np.array([1, 0]), (np.array([7, 8]),), np.array([-5, 1]), 0, Pool())
    (array([2, 8]),)
    """
    within = places >= least
    arrays = []
    for its, of in zip(kept, run, strict=True):
        out = pool.array((len(slots), *of.shape[1:]), of.dtype)
        out[within], out[~within] = of[places[within]], its[slots[~within]]
        arrays.append(out)
    return tuple(arrays)
