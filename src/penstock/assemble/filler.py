"""What is written beside an example that is padded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from penstock.errors import PipelineError, mismatch
from penstock.spec import Component

__all__ = ["filler", "text_filler"]

Array = np.ndarray[Any, np.dtype[Any]]

_TEXT = {"U": str, "T": str, "S": bytes}


def filler(component: Component, value: Any, name: str) -> Array | None:
    """Gives a pad value in the component's dtype.

    Without a value it is what `np.zeros` has: 0, False, the empty text; for times give `value="NaT"`.
    A number may be rounded to a float's precision, but must be in its range; integers must be exact.

    Args:
      component: what is padded.
      value: the value, or `None`.
      name: the component's, for messages.

    Returns:
      An array of shape `()`; `None` where nothing is given for objects, since that depends on them (`text_filler`).

    Raises:
      PipelineError: the value does not fit the dtype.
    """
    dtype = component.dtype
    if value is None:
        if dtype.kind == "O":
            return None
        return np.zeros((), dtype)
    if dtype.kind == "O":
        held = np.empty((), object)
        held[()] = value
        return held
    if not _fits(value, dtype):
        want = f"a pad value that fits `{name}: {component}`"
        raise PipelineError(mismatch(want, f"`{value!r}`", at="pad(value)"))
    if dtype.kind in "US":
        return np.array(value)
    with np.errstate(all="ignore"):
        return np.asarray(value).astype(dtype) if isinstance(value, np.generic) else np.array(value, dtype)


def _fits(value: Any, dtype: np.dtype[Any]) -> bool:
    """Whether a value is one of the dtype's."""
    if dtype.kind in _TEXT:
        return isinstance(value, _TEXT[dtype.kind])
    number = np.asarray(value)
    if number.ndim != 0 and dtype.names is None:
        return False
    try:
        if dtype.kind in "biufc":
            return number.dtype.kind in "biufc" and _number_fits(number, dtype)
        made = np.array(value, dtype)
    except (TypeError, ValueError, OverflowError):
        return False
    if dtype.kind in "mM":  # not made of numbers, and not cut to a coarser unit
        same = number.dtype.kind == "U" or bool(made == number) or bool(np.isnat(number))
        return number.dtype.kind in (dtype.kind, "U") and same
    return made.ndim == 0


def _number_fits(number: Array, dtype: np.dtype[Any]) -> bool:
    if number.dtype.kind == "c" and dtype.kind != "c":
        return False
    with np.errstate(all="ignore"):
        made = number.astype(dtype)
    if dtype.kind in "biu":
        return bool(made == number)
    return bool(np.isfinite(made)) == bool(np.isfinite(number))


def text_filler(arrays: Iterable[Array]) -> Array:
    """What objects are padded with: `b""` or `""` where they are such texts, else `None`; the first object decides.

    Args:
      arrays: object arrays of any shape.
    """
    held = np.empty((), object)
    for array in arrays:
        if array.size:
            first = array[(0,) * array.ndim]
            held[()] = b"" if isinstance(first, bytes) else "" if isinstance(first, str) else None
            break
    return held
