"""Shares as whole numbers, so that nothing about proportions is ever rounded.

A float is read as the decimal that it prints as: 0.29 is 29/100, and 100 * 0.29 is 29, not 28.999999999999996.
So `[0.1, 0.2, 0.7]` sums to one, and `[1, 2, 7]`, `[0.1, 0.2, 0.7]` and `np.float32([0.1, 0.2, 0.7])` are the same shares.
All values are brought to one common denominator at once: adding 100,000 fractions one by one would reduce each sum anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import Any, Self, TypeGuard, final

import numpy as np

from penstock.errors import PipelineError, mismatch

__all__ = ["Float64s", "Int64s", "Shares", "probabilities", "shares"]

Int64s = np.ndarray[Any, np.dtype[np.int64]]
Float64s = np.ndarray[Any, np.dtype[np.float64]]

NEAR_ONE = 1_000_000
"""Probabilities may miss the sum of one by one part in this many."""


@final
@dataclass(frozen=True, slots=True)
class Shares:
    """The share of each class, as a whole number out of a common total.

    The weights have no common divisor, so equal shares compare equal however they were written.

    >>> Shares((1, 3), 4).floats()
    array([0.25, 0.75])
    """

    weights: tuple[int, ...]
    """What each class has of `total`; 0 is a class that gets nothing."""
    total: int
    """The sum of the weights."""

    @classmethod
    def of(cls, weights: Iterable[int]) -> Self:
        """Shares in proportion to whole numbers of at least 0, not all 0.

        >>> Shares.of([2, 0, 4])
        Shares(weights=(1, 0, 2), total=3)
        """
        whole = tuple(weights)
        divisor = math.gcd(*whole)
        assert divisor > 0, "at least one weight is above zero, none below"
        if divisor > 1:
            whole = tuple([weight // divisor for weight in whole])
        return cls(whole, sum(whole))

    @classmethod
    def uniform(cls, count: int) -> Self:
        """The same share for each of so many classes.

        >>> Shares.uniform(3)
        Shares(weights=(1, 1, 1), total=3)
        """
        return cls((1,) * count, count)

    def __len__(self) -> int:
        return len(self.weights)

    def floats(self) -> Float64s:
        """The shares as float64[K], each correctly rounded."""
        total = self.total
        if self.weights.count(self.weights[0]) == len(self.weights):
            return np.full(len(self.weights), self.weights[0] / total)
        return np.array([weight / total for weight in self.weights], np.float64)


def shares(values: object, *, what: str) -> Shares:
    """Reads weights on any positive scale.

    Args:
      values: numbers of at least 0, not all 0; one-dimensional: a list, tuple, NumPy array, or what NumPy can take
        as one (torch and JAX arrays among them). ints, floats of any width, `Fraction` and `Decimal` may stand together.
      what: the name that errors call them by.

    Raises:
      PipelineError: they are none, not one-dimensional, not numbers, NaN, infinite, negative, or all zero.

    >>> shares([0.5, 1, 0], what="weights")
    Shares(weights=(1, 2, 0), total=3)
    """
    whole, _ = _whole(values, what)
    return Shares.of(whole)


def probabilities(values: object, *, what: str) -> Shares:
    """Reads probabilities: as `shares` does, but their sum must be one within 1e-6; they are divided by it.

    Args:
      values: as for `shares`.
      what: the name that errors call them by.

    Raises:
      PipelineError: as for `shares`, or the sum is not one.

    >>> probabilities([0.29, 0.71], what="target_probs")
    Shares(weights=(29, 71), total=100)
    """
    whole, one = _whole(values, what)
    total = sum(whole)
    if abs(total - one) * NEAR_ONE > one:
        raise PipelineError(mismatch(f"{what} to sum to 1 within 1e-6", _ratio_text(total, one)))
    return Shares.of(whole)


def _whole(values: object, what: str) -> tuple[list[int], int]:
    """The values as whole numbers, and what 1 is in the same unit."""
    if _is_one_number(values):
        whole, one = _whole(values[:1], what)
        return whole * len(values), one
    parts = _parts(values, what)
    if not parts:
        raise PipelineError(mismatch(f"{what} of at least one class", "none"))
    least = min(exponent for _, exponent, _ in parts)
    common = math.lcm(*{denominator for _, _, denominator in parts})
    scale = {key: 10 ** (key[0] - least) * (common // key[1]) for key in {(part[1], part[2]) for part in parts}}
    whole = [number * scale[exponent, denominator] for number, exponent, denominator in parts]
    if min(whole) < 0:
        place = next(place for place, number in enumerate(whole) if number < 0)
        got = _text(list(values)[place])  # type: ignore[call-overload]  # it was gone through before
        raise PipelineError(mismatch(f"{what} of at least 0", got, at=f"position {place}"))
    if not any(whole):
        raise PipelineError(mismatch(f"{what} with at least one above 0", f"{len(whole)} zeros"))
    return whole, common * 10**-least


def _is_one_number(values: object) -> TypeGuard[Float64s]:
    """Whether it is an array of the same number above 0 over and over, as where there are very many classes."""
    if not isinstance(values, np.ndarray) or values.dtype not in (np.float64, np.int64) or values.ndim != 1:
        return False
    return len(values) > 1 and bool(values[0] > 0) and bool((values == values[0]).all())


Part = tuple[int, int, int]
"""A number times a power of ten (at most 0) over a denominator."""


def _parts(values: object, what: str) -> list[Part]:
    """Each value, exactly."""
    if isinstance(values, (list, tuple)):
        given: Iterable[Any] = values
    else:
        array = _array(values, what)
        given = array.tolist() if array.dtype in (np.float64, np.int64, object) else array
    parts: list[Part] = []
    floats: dict[float, Part] = {}  # Many are alike, in a target of many classes.
    for place, value in enumerate(given):
        known = floats.get(value) if type(value) is float else None
        if known is not None:
            parts.append(known)
            continue
        try:
            part = _part(value)
            parts.append(part)
            if type(value) is float:
                floats[value] = part
        except (TypeError, ValueError):
            got, at = _text(value), f"position {place}"
            if isinstance(value, (list, tuple)) or np.ndim(value):
                raise PipelineError(mismatch(f"{what} of one dimension", got, at=at)) from None
            raise PipelineError(mismatch(f"finite numbers in {what}", got, at=at)) from None
    return parts


def _array(values: object, what: str) -> np.ndarray[Any, Any]:
    """Values that are no list, as a NumPy array of one dimension."""
    detach = getattr(values, "detach", None)
    try:
        array = np.asarray(detach().cpu() if callable(detach) else values)
    except TypeError:  # A dtype that NumPy lacks, such as torch's bfloat16.
        tolist = getattr(values, "tolist", None)
        if not callable(tolist):
            raise
        array = np.asarray(tolist())
    if array.ndim != 1:
        got = f"shape {array.shape}" if array.dtype.kind in "biuf" else f"`{type(values).__name__}`"
        raise PipelineError(mismatch(f"{what} of one dimension", got))
    return array


def _part(value: Any) -> Part:
    """One number, exactly; a float as the decimal that it prints as.

    Raises:
      TypeError: it is no number.
      ValueError: it is not finite.
    """
    if type(value) is float:
        return _decimal(repr(value))
    if isinstance(value, Rational):  # Python's and NumPy's ints, and Fraction.
        return int(value.numerator), 0, int(value.denominator)
    if isinstance(value, (np.floating, Decimal)):
        return _decimal(str(value))
    if isinstance(value, (str, bytes, list, tuple)):
        raise TypeError
    array = np.asarray(value)  # A scalar of torch, of JAX, or of NumPy without dimensions.
    if array.ndim or array.dtype.kind not in "iuf":
        if array.dtype.kind == "V" and not array.ndim:  # bfloat16 and its like.
            return _decimal(repr(float(array)))
        raise TypeError
    return _part(array[()])


def _decimal(text: str) -> Part:
    """A decimal by its digits: "0.29", "1e-05", "-3E+2".

    Raises:
      ValueError: it has none: "nan", "inf".
    """
    digits, _, power = text.lower().partition("e")
    whole, _, behind = digits.partition(".")
    exponent = (int(power) if power else 0) - len(behind)
    number = int(whole + behind)
    if exponent > 0:
        return number * 10**exponent, 0, 1
    return number, exponent, 1


def _text(value: object) -> str:
    """A value, as an error shows it: a number as it prints, else its type."""
    if isinstance(value, (int, float, Fraction, Decimal)):
        return str(value)
    if isinstance(value, (np.number, np.ndarray)) and np.ndim(value) == 0:
        return str(value)
    return f"`{type(value).__name__}`"


def _ratio_text(total: int, one: int) -> str:
    """A sum as a decimal of up to nine digits."""
    return f"{float(Fraction(total, one)):.9g}"
