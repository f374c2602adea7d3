"""The definition of assembly, in NumPy: what the native part does, one component at a time.

Each function stops at the first leaf that does not fit, and says which with `Misfit`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from penstock.assemble.misfit import Misfit
from penstock.errors import SpecError
from penstock.spec import Component, as_leaf
from penstock.structure import Form, Structure

__all__ = ["extent", "fill", "gather", "plain", "plain_access", "prepared", "stack"]

Array = np.ndarray[Any, np.dtype[Any]]

_PYTHONS = {np.dtype(np.int64): int, np.dtype(np.float64): float, np.dtype(np.bool_): bool}
"""Python's scalars, by the dtype that they are read as."""
_TEXTS = {"str": str, "bytes": bytes}
"""Python's texts, by the name that a component has for them."""


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
        return [rows[:]]
    if structure.type is tuple and all(child.is_leaf for child in structure.children):
        size = len(structure.keys)
        if all(type(row) is tuple and len(row) == size for row in rows):
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


def plain_access(structure: Structure) -> bool:
    """Whether a container's items may be read without asking its class, which has no way of its own to give them."""
    kind = structure.type
    if kind is None or kind in (tuple, list, dict):
        return True
    if structure.form is Form.DATA:
        return False
    base: Any = dict if structure.form is Form.DICT else list if structure.form is Form.LIST else tuple
    ways = ["__len__", "__getitem__", "__contains__"]
    if structure.form is Form.NAMED:
        ways = ["__len__"]
        if any(type(getattr(kind, key, None)).__name__ != "_tuplegetter" for key in structure.keys):
            return False
    return all(getattr(kind, way) is getattr(base, way) for way in ways)


def stack(leaves: list[Any], component: Component, out: Array) -> None:
    """Checks leaves of one fixed shape and copies each to its row of `out`.

    Args:
      leaves: n arrays or scalars.
      component: the dtype and shape that each must have; no dimension is free.
      out: array of shape `(n, *component.shape)`.

    Raises:
      Misfit: a leaf has another dtype or shape.
    """
    if _uniform(leaves, component):
        try:
            out[...] = leaves
        except OverflowError:  # an `int` that is too large: which one is said below
            pass
        else:
            return
    for place, leaf in enumerate(leaves):
        fitting = _checked(leaf, component, place)
        # The element of an object array without dimensions, not the array.
        out[place] = fitting[()] if out.dtype == object and isinstance(fitting, np.ndarray) else fitting


def extent(leaves: list[Any], component: Component, sizes: Array | None = None) -> tuple[int, ...]:
    """Checks leaves and gives the largest size of each dimension.

    Args:
      leaves: n arrays or scalars; those that are no arrays are replaced by the arrays that they stand for.
      component: the dtype and shape that each must have; `None` is free.
      sizes: int64[n, d], where those of each leaf are written, if they are wanted.

    Returns:
      One size for each of d dimensions; 0 where there are no leaves.

    Raises:
      Misfit: a leaf has another dtype, rank, or fixed size.
    """
    largest = [0] * len(component.shape)
    for place, leaf in enumerate(leaves):
        array = leaves[place] = np.asarray(_checked(leaf, component, place))
        largest = [max(most, size) for most, size in zip(largest, array.shape, strict=True)]
        if sizes is not None:
            sizes[place] = array.shape
    return tuple(largest)


def fill(leaves: list[Any], component: Component, out: Array, value: Any, left: bool, truncate: bool) -> None:
    """Copies each leaf to its row of `out`, and writes `value` where it has nothing.

    Args:
      leaves: n arrays that `extent` has checked, of at least one dimension.
      component: their dtype.
      out: array of shape `(n, …)` with the sizes of the batch's rows.
      value: what is written beside a leaf, an array of shape `()`.
      left: whether that is before it, rather than behind.
      truncate: whether a leaf that is larger than its row is cut on that side.
    """
    for array, row in zip(leaves, out, strict=True):
        where: list[slice] = []
        kept: list[slice] = []
        for its, most in zip(array.shape, row.shape, strict=True):
            assert its <= most or truncate, "a leaf is as large as its row at most, or cut"
            size = min(its, most)
            if size < most:
                row[(*where, slice(most - size) if left else slice(size, most))] = value
            where.append(slice(most - size, most) if left else slice(size))
            kept.append(slice(its - size, its) if left else slice(size))
        row[tuple(where)] = array[tuple(kept)]


def _uniform(leaves: list[Any], component: Component) -> bool:
    """Whether all leaves are arrays or scalars of just the component's dtype and shape: NumPy takes those as a whole."""
    dtype, shape = component.dtype, component.shape
    if component.text is not None and leaves:
        return set(map(type, leaves)) == {_TEXTS[component.text]}
    if dtype.kind not in "biufc" or not leaves:
        return False
    if shape == ():
        kinds = set(map(type, leaves))
        return len(kinds) == 1 and kinds <= {dtype.type, _PYTHONS.get(dtype)}
    return all([type(leaf) is np.ndarray and leaf.dtype == dtype and leaf.shape == shape for leaf in leaves])


def plain(leaf: Any, component: Component, place: int) -> Array:
    """A leaf as one piece of memory, of just the component's dtype.

    Args:
      leaf: an array or scalar.
      component: the dtype and shape that it must have; `None` is free.
      place: its own, for the error.

    Raises:
      Misfit: it does not fit.
    """
    return np.asarray(_checked(leaf, component, place), component.dtype, order="C")


def _checked(leaf: Any, component: Component, place: int) -> Any:
    """The leaf as an array or scalar, if it fits."""
    try:
        fitting = as_leaf(leaf)
        fits = component.fits(Component.of(fitting))
    except Exception:  # What it is will be said by whoever explains the misfit.
        fits = False
    if not fits:
        raise Misfit(place)
    return fitting
