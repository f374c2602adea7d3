"""Memory for batches that goes back when the user drops the batch.

Guarantees
  Memory is used again only when no array, view or tensor over it is left.
  Idle memory is bounded: by a number of pieces and by bytes (one piece may be larger). The oldest is freed first, and also
  when nobody has wanted it for long: what one slow moment took is not kept for ever.
  When the pool itself has gone, memory is freed as it comes back.
Assumes
  Nothing about threads: the last view of a batch may end in any of them, under any lock.
How
  The memory is exposed by an object that is not an array, the base of every array over it. NumPy hands that base on
  to all views, so its end is theirs; a finalizer on the array itself would fire while slices of it live.
Why not leave it to the allocator
  A large piece that is freed goes back to the system, and each page of a fresh one costs more than the copy into it.
  For the same reason a flow that has many batches ahead asks for the memory of several at once, which comes in large pages:
  14 MB in 1.4 ms where it takes 7.5, which was a tenth of the time that benchmarks/ragged.py takes.
"""

from __future__ import annotations

import weakref
from collections import deque
from math import prod
from typing import Any, final

import numpy as np

__all__ = ["ALIGNED", "LEAST", "LIMIT_BYTES", "MOST_IDLE", "MOST_TAKES", "SLAB", "Pool", "Slabs", "size_class"]

Array = np.ndarray[Any, np.dtype[Any]]

ALIGNED = 64
"""Batches begin at a multiple of this, which frameworks ask for to take them over without a copy. [bytes]"""
LEAST = 1 << 10
"""Less than this is not worth keeping. [bytes]"""
LIMIT_BYTES = 1 << 28
"""What all idle pieces together may have. [bytes]"""
MOST_IDLE = 64
"""How many pieces may be idle. [pieces]"""
MOST_TAKES = 256
"""A piece is freed that was not wanted for so long: more than are ever lent at once. [pieces taken]"""
SLAB = 1 << 23
"""Pieces of middling size are cut from one of this size. [bytes]"""
_SLABS = 4
"""No more are made, since each is kept as long as any batch in it. [slabs]"""
_ALONE = 8
"""A flow that needs no more pieces than this is asked to pay for no slab. [pieces]"""
_MIDDLING = range(1 << 16, 1 << 20)
"""Smaller pieces are no trouble, and larger ones have large pages of their own, nearly. [bytes]"""


@final
class Slabs:
    """Makes new pieces; in any threads, and without a lock, since what is left of a slab is nobody's or just one's."""

    def __init__(self) -> None:
        self._alone, self._left = _ALONE, _SLABS
        self._rests: deque[Array] = deque()

    def piece(self, nbytes: int) -> Array:
        """A piece of so many bytes.

        Args:
          nbytes: its size, a multiple of `ALIGNED`.
        """
        if nbytes not in _MIDDLING:
            return np.empty(nbytes, np.uint8)
        try:
            rest = self._rests.pop()
        except IndexError:
            rest = np.empty(0, np.uint8)
        if len(rest) < nbytes:
            if self._alone or not self._left:
                self._alone = max(0, self._alone - 1)
                return np.empty(nbytes, np.uint8)
            self._left -= 1
            rest = np.empty(SLAB, np.uint8)
        self._rests.append(rest[nbytes:])
        return rest[:nbytes]


@final
class _Loan:
    """Exposes one piece of memory; gives it back at its end."""

    __slots__ = ("__array_interface__", "_piece", "_pool")

    def __init__(self, piece: Array, pool: Pool, nbytes: int) -> None:
        self._piece = piece
        self._pool = weakref.ref(pool)
        self.__array_interface__ = {"data": (start(piece), False), "shape": (nbytes,), "typestr": "|u1", "version": 3}

    def __del__(self) -> None:
        pool = self._pool()
        if pool is not None:
            pool.give(self._piece)


@final
class Pool:
    """Recycled memory for arrays.

    Args:
      limit_bytes: what all idle pieces together may have; one piece may be larger. [bytes]
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        # The newest is on the right. What is beyond the end falls out on the left.
        self._idle: deque[tuple[Array, int]] = deque(maxlen=MOST_IDLE)
        self._takes = 0
        self._slabs = Slabs()

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """An uninitialised, writable, C-contiguous array whose memory comes back when the last view of it is gone.

        Args:
          shape: its sizes.
          dtype: its dtype; arrays that hold objects are not recycled.
        """
        nbytes = prod(shape) * dtype.itemsize
        if nbytes < LEAST or dtype.hasobject:
            return np.empty(shape, dtype)
        loan = _Loan(self._taken(nbytes), self, nbytes)
        return np.asarray(loan).view(dtype).reshape(shape)

    def _taken(self, nbytes: int) -> Array:
        """The newest idle piece that is large enough and not much larger, or a new one."""
        size = size_class(nbytes)
        passed: list[tuple[Array, int]] = []
        self._takes += 1
        self._drop_unwanted()
        try:
            while True:
                piece, since = self._idle.pop()
                if size <= piece.nbytes - ALIGNED <= size + size // 4:
                    return piece
                passed.append((piece, since))
        except IndexError:
            self._trim(passed)
            return self._slabs.piece(size + ALIGNED)
        finally:
            self._idle.extendleft(passed)

    def _trim(self, pieces: list[tuple[Array, int]]) -> None:
        """Drops the oldest of the pieces, which are given with the newest first, down to the limit."""
        held = sum(piece.nbytes for piece, _ in pieces)
        while held > self._limit_bytes and len(pieces) > 1:
            held -= pieces.pop()[0].nbytes

    def _drop_unwanted(self) -> None:
        """Drops the oldest piece if it was not wanted for long."""
        try:
            oldest = self._idle.popleft()
        except IndexError:
            return
        if self._takes - oldest[1] <= MOST_TAKES:
            self._idle.appendleft(oldest)

    def give(self, piece: Array) -> None:
        """Takes a piece back. It may be called in any thread, under any lock, so it takes none: it is one append."""
        self._idle.append((piece, self._takes))

    @property
    def idle(self) -> int:
        """Pieces that wait to be used again. [pieces]"""
        return len(self._idle)


def size_class(nbytes: int) -> int:
    """The size of the piece for so many bytes: at most an eighth more, so that slightly different widths share it."""
    step = max(ALIGNED, 1 << max(0, nbytes.bit_length() - 4))
    return -(-nbytes // step) * step


def start(piece: Array) -> int:
    """The first address in a piece that is aligned."""
    address: int = piece.ctypes.data
    return address + -address % ALIGNED
