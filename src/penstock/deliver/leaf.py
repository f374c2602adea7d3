"""One component of a batch on its way into a framework: what a converter is, and what all of them share."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SpecError, mismatch

__all__ = ["Converter", "is_number", "is_text", "lacking", "native"]


class Converter(Protocol):
    """Turns one component of a batch into a framework's array."""

    def __call__(self, array: NDArray[Any], name: str, /) -> Any:
        """Converts one component.

        Args:
          array: the component, `(n, …)`. What is given back holds its memory, or is a copy.
          name: what the component is called in messages: `pair[0]`.

        Raises:
          SpecError: the framework lacks the dtype, or cannot hold a value.
        """


def is_text(dtype: np.dtype[Any]) -> bool:
    """Whether a dtype holds text or Python objects."""
    return dtype.kind in "OSTU"


def is_number(dtype: np.dtype[Any]) -> bool:
    """Whether a dtype is one of NumPy's own numbers; `float8_e5m2` and its like are of the same kinds, and are not."""
    return dtype.kind in "biufc" and dtype.isbuiltin != 2


def native(array: NDArray[Any]) -> NDArray[Any]:
    """Gives the same numbers in the machine's order of bytes, under the one name that frameworks know.

    NumPy has two dtypes for one integer (`uint64` and `ulonglong`), and PyTorch knows but one of them.
    Nothing is copied, but where bytes must be swapped.

    >>> native(np.array([1, 2], ">i2")).dtype
    dtype('int16')
    """
    if not is_number(array.dtype):
        return array
    usual = np.dtype(array.dtype.newbyteorder("=").str)
    if array.dtype.isnative:
        return array if array.dtype.num == usual.num else array.view(usual)
    return array.astype(usual)


def lacking(framework: str, dtype: np.dtype[Any], name: str) -> SpecError:
    """Writes the error for a dtype that a framework does not have, with the way around it.

    Args:
      framework: what it calls itself, `"PyTorch"`.
      dtype: of the component.
      name: of the component.
    """
    if dtype.kind in "mM":
        do = 'make it numbers in a `.map` before: `.astype("int64")`'
    elif dtype.names is not None:
        do = "take it apart in a `.map` before: a component for each field"
    elif is_number(dtype) and dtype.kind in "fc":
        do = f'narrow it in a `.map` before: `.astype("{"float64" if dtype.kind == "f" else "complex128"}")`'
    else:
        do = f"make it a dtype that {framework} has in a `.map` before"
    return SpecError(mismatch(f"a dtype that {framework} has", f"`{dtype}`", at=f"component `{name}`", do=do))
