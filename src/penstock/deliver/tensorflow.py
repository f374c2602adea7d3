"""Batches as TensorFlow tensors on the CPU; an operation moves them to where it runs.

| dtype | delivered as |
|---|---|
| bool, int8 … int64, uint8 … uint64, float16, float32, float64, complex64, complex128 | the same dtype |
| those of `ml_dtypes` that TensorFlow has | the same dtype, copied |
| `str` and `bytes`, in object arrays or in NumPy's own text dtypes | `tf.string`; `str` as UTF-8 |
| other Python objects, datetime64, timedelta64, longdouble, structured, every other | `SpecError` |

Nothing is copied where the array may be written, is contiguous and starts at a multiple of 64 bytes,
which TensorFlow takes for granted of all memory: it ends the process where it finds less.
A tensor holds the memory that it lies over: no later batch is written there while it lives.
"""

from __future__ import annotations

from typing import Any, final

from numpy.typing import NDArray

from penstock.deliver.leaf import is_number, is_text, lacking, native
from penstock.errors import SpecError, mismatch
from penstock.optional import load

__all__ = ["TensorflowConverter"]

_ALIGNED = 64
"""What TensorFlow asks of a tensor's address, on machines with the widest registers. [bytes]"""


@final
class TensorflowConverter:
    """Gives each component as a `tf.Tensor`, over the same memory where TensorFlow allows it.

    Raises:
      MissingExtra: TensorFlow is not installed.
    """

    def __init__(self) -> None:
        self._tf = load("tensorflow", extra="tf")

    def __call__(self, array: NDArray[Any], name: str, /) -> Any:
        """Gives a `tf.Tensor`.

        Raises:
          SpecError: TensorFlow lacks the dtype, or a Python object is no text.
        """
        tf = self._tf
        if is_text(array.dtype):
            return self._strings(array, name)
        try:
            tf.as_dtype(array.dtype.name)
        except TypeError:
            raise lacking("TensorFlow", array.dtype, name) from None
        array = native(array)
        if is_number(array.dtype) and _shareable(array):
            return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
        return self._copied(array)

    def _copied(self, array: NDArray[Any]) -> Any:
        with self._tf.device("CPU:0"):
            return self._tf.convert_to_tensor(array)

    def _strings(self, array: NDArray[Any], name: str) -> Any:
        objects = array.astype(object) if array.dtype.kind == "T" else array
        try:
            return self._copied(objects)
        except (TypeError, ValueError) as error:
            others = [type(value).__name__ for value in objects.flat if not isinstance(value, (str, bytes))]
            got = f"`{others[0]}`" if others else "a `str` that UTF-8 cannot write"
            raise SpecError(
                mismatch(
                    "`str` or `bytes`, which TensorFlow has as `tf.string`",
                    got,
                    at=f"component `{name}`",
                    do="make it an array, or text, in a `.map` before",
                )
            ) from error


def _shareable(array: NDArray[Any]) -> bool:
    """Whether a tensor can lie over the array's memory."""
    flags = array.flags
    return flags.writeable and flags.c_contiguous and array.ctypes.data % _ALIGNED == 0
