"""The definition of assembly, in NumPy: what the native part does, one component at a time.

Each function stops at the first leaf that does not fit, and says which with `Misfit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice, repeat
from typing import Any

import numpy as np

from penstock.assemble.misfit import Misfit
from penstock.errors import SpecError
from penstock.spec import Component, as_leaf
from penstock.structure import Form, Structure

__all__ = ["extent", "fill", "gather", "prepared", "pull_turns", "stack"]

Array = np.ndarray[Any, np.dtype[Any]]


def prepared(component: Component) -> Component:
    """What `stack`, `extent` and `fill` are told of a component; the native part works it out once."""
    return component


def gather(rows: list[Any], structure: Structure) -> list[list[Any]]:
    """Takes examples apart: one list of leaves for each component.

    Args:
      rows: n examples.
      structure: what each is to be.

    Returns:
      A list for each leaf of the structure, each of n leaves.

    Raises:
      Misfit: a row is of another structure.
    """
    if structure.form is Form.LEAF:
        return [list(rows)]
    if structure.form is Form.TUPLE and all(child.is_leaf for child in structure.children):
        kind: Any = structure.type
        size = len(structure.keys)
        if all(type(row) is kind and len(row) == size for row in rows):
            return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(size)]
    columns: list[list[Any]] = [[] for _ in structure.paths()]
    for place, row in enumerate(rows):
        try:
            leaves = structure.leaves(row)
        except SpecError:
            raise Misfit(place) from None
        for column, leaf in zip(columns, leaves, strict=True):
            column.append(leaf)
    return columns


def stack(leaves: list[Any], component: Component, out: Array) -> None:
    """Checks leaves of one fixed shape and copies each to its row of `out`.

    Args:
      leaves: n arrays or scalars.
      component: the dtype and shape that each must have; no dimension is free.
      out: array of shape `(n, *component.shape)`.

    Raises:
      Misfit: a leaf has another dtype or shape.
    """
    for place, leaf in enumerate(leaves):
        out[place] = _checked(leaf, component, place)


def extent(leaves: list[Any], component: Component) -> tuple[int, ...]:
    """Checks leaves and gives the largest size of each dimension.

    Args:
      leaves: n arrays or scalars.
      component: the dtype and shape that each must have; `None` is free.

    Returns:
      One size for each dimension; 0 where there are no leaves.

    Raises:
      Misfit: a leaf has another dtype, rank, or fixed size.
    """
    largest = [0] * len(component.shape)
    for place, leaf in enumerate(leaves):
        for axis, size in enumerate(np.shape(_checked(leaf, component, place))):
            largest[axis] = max(largest[axis], size)
    return tuple(largest)


def fill(leaves: list[Any], component: Component, out: Array, value: Any, left: bool, truncate: bool) -> None:
    """Copies each leaf to its row of `out`, and writes `value` where it has nothing.

    Args:
      leaves: n arrays that `extent` has checked.
      component: their dtype.
      out: array of shape `(n, …)` with the trailing sizes of the batch.
      value: what is written beside a leaf.
      left: whether that is before it, rather than behind.
      truncate: whether a leaf that is larger than its row is cut on that side.
    """
    for place, leaf in enumerate(leaves):
        array = np.asarray(as_leaf(leaf))
        row = out[place]
        if truncate:
            array = array[tuple(_kept(size, most, left) for size, most in zip(array.shape, row.shape, strict=True))]
        inside = tuple(
            slice(most - size, most) if left else slice(0, size)
            for size, most in zip(array.shape, row.shape, strict=True)
        )
        if array.shape != row.shape:
            row[...] = value
        row[inside] = array


def _kept(size: int, most: int, left: bool) -> slice:
    return slice(max(0, size - most), size) if left else slice(0, min(size, most))


def _checked(leaf: Any, component: Component, place: int) -> Any:
    """The leaf as an array or scalar, if it fits."""
    try:
        fits = component.fits(Component.of(leaf))
    except Exception:  # no array-like, or one that refuses; `Assembler.explain` says why
        fits = False
    if not fits:
        raise Misfit(place)
    return as_leaf(leaf)


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
