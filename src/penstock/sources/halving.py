"""Finds the row that keeps a block of rows from being parsed as a whole."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["rows_before"]


def rows_before(count: int, fits: Callable[[int], bool]) -> int:
    """How many rows there are before the first bad one, found by halving; all of them if none is bad.

    Args:
      count: how many rows there are.
      fits: whether the first so many rows can be parsed; once false, false for all that are longer.

    >>> rows_before(8, lambda n: n <= 5)
    5
    """
    if fits(count):
        return count
    low, high = 0, count
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return low
