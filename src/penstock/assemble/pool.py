"""Memory for batches that goes back when the user drops the batch.

Guarantees
  Memory is used again only when no array, view or tensor over it is left.
  Idle memory is bounded: what would exceed the bound is freed.
How
  The memory is exposed by an object that is not an array, the base of every array over it. NumPy hands that base on to all
  views, so its end is theirs; a finalizer on the array itself would fire while slices of it live.
"""

from __future__ import annotations

from collections import deque
from math import prod
from typing import Any, final

import numpy as np

__all__ = ["ALIGNED", "IDLE", "LEAST", "Pool", "size_class"]

Array = np.ndarray[Any, np.dtype[Any]]

ALIGNED = 64
"""Batches begin at a multiple of this, which frameworks ask for to take them over without a copy. [bytes]"""
LEAST = 1 << 10
"""The smallest piece of memory that is kept. [bytes]"""
IDLE = 6
"""Idle pieces kept of one size. [pieces]"""


@final
class _Loan:
    """Exposes one piece of memory; gives it back at its end."""

    __slots__ = ("__array_interface__", "_block", "_idle")

    def __init__(self, block: Array, idle: deque[Array], interface: dict[str, Any]) -> None:
        self._block = block
        self._idle = idle
        self.__array_interface__ = interface

    def __del__(self) -> None:
        # May run in any thread, under any lock: one append, which takes none. The oldest falls out at the other end.
        self._idle.append(self._block)


@final
class Pool:
    """Recycled memory for arrays."""

    def __init__(self) -> None:
        self._idle: dict[int, deque[Array]] = {}

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """An uninitialised, writable, C-contiguous array whose memory comes back when the last view of it is gone.

        Args:
          shape: its sizes.
          dtype: its dtype; arrays that hold objects are not recycled.
        """
        nbytes = prod(shape) * dtype.itemsize
        if nbytes < LEAST or dtype.hasobject:
            return np.empty(shape, dtype)
        size = size_class(nbytes)
        idle = self._idle.get(size)
        if idle is None:
            idle = self._idle.setdefault(size, deque(maxlen=IDLE))
        try:
            block = idle.pop()
        except IndexError:
            block = _aligned(size)
        interface = {"data": (block.ctypes.data, False), "shape": (nbytes,), "typestr": "|u1", "version": 3}
        return np.asarray(_Loan(block, idle, interface)).view(dtype).reshape(shape)


def size_class(nbytes: int) -> int:
    """The size of the piece for so many bytes: at most an eighth more, so that padded widths that differ a little share."""
    step = max(LEAST, 1 << max(0, nbytes.bit_length() - 4))
    return -(-nbytes // step) * step


def _aligned(size: int) -> Array:
    raw = np.empty(size + ALIGNED, np.uint8)
    start = -raw.ctypes.data % ALIGNED
    return raw[start : start + size]
