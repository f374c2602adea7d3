"""What rings are told is checked in one place, for the native ones and for their twin."""

from __future__ import annotations

from typing import Any

import numpy as np

from penstock.errors import mismatch

__all__ = [
    "MOST",
    "checked_chances",
    "checked_classes",
    "checked_numbers",
    "checked_quota",
    "checked_repeats",
    "checked_sieve",
    "checked_sizes",
    "checked_thresholds",
    "checked_waiting",
    "line",
    "not_askable",
    "not_at_hand",
]

MOST = 2**31 - 1
"""The most uses of an example, and the largest ring."""


def line(values: Any, dtype: type[np.generic]) -> np.ndarray[Any, Any]:
    """A new array of shape `(n,)` that holds the values.

    Raises:
      ValueError: they have another shape.
    """
    return _one_dimensional(np.array(values, dtype))


def checked_chances(chances: Any, classes: int) -> np.ndarray[Any, Any]:
    """How many sides of a coin of 2**53 each class is kept for: int64[classes].

    Raises:
      ValueError: there are not as many as classes, or one is not between 0 and 1.
    """
    values = line(chances, np.float64)
    if len(values) != classes:
        raise ValueError(mismatch(f"a chance for each of {classes} classes", len(values), at="sieve.admit"))
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(mismatch("chances of 0 to 1", f"{values.min()} to {values.max()}", at="sieve.admit"))
    return np.ceil(values * 2.0**53).astype(np.int64)


def checked_repeats(repeats: int) -> int:
    """How often an example may be used, if it may.

    Raises:
      ValueError: it is below 1, or more than `MOST`.
    """
    if not 1 <= repeats <= MOST:
        raise ValueError(mismatch(f"`repeats` of 1 to {MOST}", repeats, at="rings"))
    return repeats


def checked_sieve(state: dict[str, Any]) -> list[np.ndarray[Any, Any]]:
    """Of a state of a sieve the sides of each class's coin that keep it, and the counters: int64[K] thrice.

    Raises:
      ValueError: it is not one.
    """
    arrays = [line(state[name], np.int64) for name in ("sides", "seen", "given")]
    if len({len(array) for array in arrays}) > 1:
        raise ValueError(mismatch("numbers for each class", "of other classes", at="sieve.restore"))
    return arrays


def checked_sizes(limits: Any, before: int) -> np.ndarray[Any, Any]:
    """The sizes of rings as an array of int64.

    Raises:
      ValueError: there are fewer than before, or one is below 1 or more than `MOST`.
    """
    sizes = line(limits, np.int64)
    if len(sizes) < before:
        raise ValueError(mismatch(f"the sizes of {before} rings or more", len(sizes), at="rings.grow"))
    if len(sizes) and not 1 <= sizes.min() <= sizes.max() <= MOST:
        raise ValueError(mismatch(f"sizes of 1 to {MOST}", f"{sizes.min()} to {sizes.max()}", at="rings.grow"))
    return sizes


def checked_thresholds(thresholds: Any, classes: int) -> np.ndarray[Any, Any]:
    """The thresholds of so many classes as an array of uint64.

    Raises:
      ValueError: they are of another number of classes.
    """
    array = line(thresholds, np.uint64)
    if len(array) != classes:
        raise ValueError(mismatch(f"thresholds of {classes} classes", len(array), at="rings.admit"))
    return array


def checked_classes(classes: Any, keeps_rows: bool) -> np.ndarray[Any, Any]:
    """The classes of arrivals as an array of int64; the same one, where it is one.

    Raises:
      ValueError: it has another shape than `(n,)`, or the examples themselves are to be kept.
    """
    if keeps_rows:
        raise ValueError(mismatch("the examples", "their classes", at="rings.add_classes", do="use `add`"))
    return _one_dimensional(np.asarray(classes, np.int64, order="C"))


def checked_quota(classes: Any, counts: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The classes and counts that are asked for, as arrays of int64.

    Raises:
      ValueError: they are of different lengths.
    """
    which, often = line(classes, np.int64), line(counts, np.int64)
    if len(which) != len(often):
        raise ValueError(mismatch(f"counts of {len(which)} classes", len(often), at="rings.ask"))
    return which, often


def not_askable(of: int, count: int) -> ValueError:
    """The error of asking for a class that is not there, or twice for one, or for more than its ring can give."""
    expected = "classes that are there, each once, and no more of each than its ring can give"
    return ValueError(mismatch(expected, f"{count} of class {of}", at="rings.ask"))


def not_at_hand(lacking: int) -> ValueError:
    """The error of drawing while some classes lack examples."""
    expected = "all that is asked for to be at hand"
    return ValueError(mismatch(expected, f"{lacking} classes short", at="rings.draw", do="add more, or ask for less"))


def checked_waiting(state: dict[str, Any], rows: list[Any] | None, *, repeats: int) -> list[tuple[int, int, int, Any]]:
    """The examples that wait in a state of rings: class, number and uses of each, and its row.

    Raises:
      ValueError: the state is not one of such rings.
    """
    waiting = checked_numbers(state, None, repeats=repeats)
    if rows is None or len(waiting) != len(rows):
        raise ValueError(mismatch(f"{len(waiting)} rows", "none" if rows is None else len(rows), at="rings.restore"))
    return [(*numbers, row) for numbers, row in zip(waiting, rows, strict=True)]


def checked_numbers(state: dict[str, Any], rows: list[Any] | None, *, repeats: int) -> list[tuple[int, int, int]]:
    """The examples that wait in a state of rings that keep none: class, number and uses of each.

    Raises:
      ValueError: the state is not one of such rings.
    """
    classes, (of, numbers, uses) = len(state["limits"]), state["waiting"]
    if rows is not None:
        raise ValueError(mismatch("no rows", len(rows), at="rings.restore"))
    if not all(0 <= number < classes for number in of):
        raise ValueError(mismatch(f"classes below {classes}", "others", at="rings.restore"))
    if not all(0 <= count < repeats for count in uses):
        raise ValueError(mismatch(f"fewer than {repeats} uses of an example", "more", at="rings.restore"))
    return list(zip(of, numbers, uses, strict=True))


def _one_dimensional(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if array.ndim != 1:
        raise ValueError(mismatch("an array of shape `(n,)`", f"one of shape `{array.shape}`", at="rings"))
    return array
