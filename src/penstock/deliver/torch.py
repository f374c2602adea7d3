"""Batches as PyTorch tensors on the CPU.

| dtype | delivered as |
|---|---|
| bool, int8 … int64, uint8 … uint64, float16, float32, float64, complex64, complex128 | the same dtype, not copied |
| bfloat16 and float8 (of `ml_dtypes`), where PyTorch has the same name | the same dtype, not copied |
| text, bytes and Python objects | the NumPy array: PyTorch has none of these |
| datetime64, timedelta64, longdouble, structured, every other | `SpecError` |

Copied is what a tensor cannot express: a read-only array (a view of a chunk of the user's own), strides that are
negative or no multiple of an element, bytes in another machine's order.
A tensor holds its array, and the array its buffer: no later batch is written there while a tensor, or a view of it,
lives.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from penstock.deliver.leaf import is_number, is_text, lacking, native
from penstock.optional import load

__all__ = ["TorchConverter"]


@final
class TorchConverter:
    """Gives each component as a tensor over the same memory, where PyTorch allows it.

    Raises:
      MissingExtra: PyTorch is not installed.
    """

    def __init__(self) -> None:
        self._torch = load("torch", extra="torch")

    def __call__(self, array: NDArray[Any], name: str, /) -> Any:
        """Gives a `torch.Tensor`, or the array itself if it holds text or objects.

        Raises:
          SpecError: PyTorch lacks the dtype.
        """
        if is_text(array.dtype):
            return array
        torch = self._torch
        theirs = getattr(torch, array.dtype.name, None)
        if not isinstance(theirs, torch.dtype):
            raise lacking("PyTorch", array.dtype, name)
        usable = _expressible(native(array))
        if is_number(array.dtype):
            return torch.from_numpy(usable)
        # Of the dtypes that are not NumPy's own, those of 4 bits and less are stored in another way.
        if not theirs.is_floating_point or theirs.itemsize != array.dtype.itemsize:
            raise lacking("PyTorch", array.dtype, name)
        return torch.from_numpy(usable.view(np.dtype(f"u{array.dtype.itemsize}"))).view(theirs)


def _expressible(array: NDArray[Any]) -> NDArray[Any]:
    """The array itself if a tensor can lie over its memory, else a copy."""
    whole = all(stride >= 0 and stride % array.itemsize == 0 for stride in array.strides)
    return array if array.flags.writeable and array.flags.aligned and whole else array.copy()
