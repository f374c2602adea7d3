"""Batches as JAX arrays on JAX's default device.

| dtype | delivered as |
|---|---|
| bool, int8 … int32, uint8 … uint32, float16, float32, complex64, those of `ml_dtypes` that JAX has | the same dtype |
| int64, uint64, float64, complex128 with `jax_enable_x64` | the same dtype |
| int64, uint64 without it (JAX's default) | int32, uint32 if every value of the batch fits, else `SpecError` |
| float64, complex128 without it | float32, complex64: rounded, and infinite beyond their range, as JAX itself does |
| text, bytes and Python objects | the NumPy array: JAX has none of these |
| datetime64, timedelta64, longdouble, structured, every other | `SpecError` |

JAX itself would cut an int64 to its lower 32 bits without a word.
Whether 64 bits are enabled is asked for each batch, in the thread that takes it.

On a CPU nothing is copied where the array is contiguous and starts at a multiple of 64 bytes; a narrowed one is a copy.
JAX holds the memory for as long as an array, a view of it or a computation that is under way needs it,
and lets go at its next call after that; it never writes there, donated or not.
A read-only array (a view of a chunk of the user's own) is treated alike, since JAX's arrays are read-only too:
whoever changes that chunk in place changes the batch.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from penstock.deliver.leaf import is_text, lacking, native
from penstock.errors import SpecError, mismatch
from penstock.optional import load

__all__ = ["JaxConverter"]


@final
class JaxConverter:
    """Gives each component as a `jax.Array`, over the same memory where JAX allows it.

    Raises:
      MissingExtra: JAX is not installed.
    """

    def __init__(self) -> None:
        self._jax = load("jax", extra="jax")
        self._dtypes = load("jax.dtypes", extra="jax")

    def __call__(self, array: NDArray[Any], name: str, /) -> Any:
        """Gives a `jax.Array`, or the array itself if it holds text or objects.

        Raises:
          SpecError: JAX lacks the dtype, or a value does not fit the narrower one.
        """
        if is_text(array.dtype):
            return array
        array = native(array)
        try:
            theirs = self._dtypes.canonicalize_dtype(array.dtype)
            # Not `jax.numpy.asarray`, which copies.
            return self._jax.device_put(array if theirs == array.dtype else _narrowed(array, theirs, name))
        except TypeError as error:
            raise lacking("JAX", array.dtype, name) from error


def _narrowed(array: NDArray[Any], dtype: np.dtype[Any], name: str) -> NDArray[Any]:
    """The same numbers in half the bits: integers exactly or not at all, the others rounded."""
    if array.dtype.kind in "iu" and array.size:
        low, high, room = int(array.min()), int(array.max()), np.iinfo(dtype)
        if low < room.min or high > room.max:
            raise SpecError(
                mismatch(
                    f"values that fit `{dtype}`, as JAX holds `{array.dtype}`",
                    f"{high if high > room.max else low}",
                    at=f"component `{name}`",
                    do='let JAX have 64 bits: `jax.config.update("jax_enable_x64", True)`',
                )
            )
    with np.errstate(over="ignore", under="ignore"):
        return array.astype(dtype)
