"""What the frameworks' tests share: memory of which one can tell whether somebody still holds it."""

import weakref
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import pytest

Lend = Callable[..., tuple[np.ndarray, Callable[[], Any]]]


class Buffer:
    """Lent memory, which NumPy sees through this object; it is no array, as a pool's is not."""

    def __init__(self, memory: np.ndarray) -> None:
        self.memory = memory
        self.__array_interface__ = memory.__array_interface__


def aligned(nbytes: int) -> np.ndarray:
    """Zeros from a multiple of 64 bytes on."""
    room = np.zeros(nbytes + 64, np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + nbytes]


@pytest.fixture
def lend() -> Lend:
    """Lends an array of zeros, and a question whether anybody still holds its memory: `None` if not."""

    def lend(shape: tuple[int, ...] | int, dtype: Any) -> tuple[np.ndarray, Callable[[], Any]]:
        wanted = np.dtype(dtype)
        buffer = Buffer(aligned(prod(shape if isinstance(shape, tuple) else (shape,)) * wanted.itemsize))
        return np.asarray(buffer).view(wanted).reshape(shape), weakref.ref(buffer)

    return lend


class Pool:
    """Lends bytes, and lends them again as soon as nobody holds them."""

    def __init__(self) -> None:
        self.free: list[np.ndarray] = []
        self.made = 0

    def lend(self, nbytes: int) -> np.ndarray:
        if not self.free:
            self.free.append(aligned(nbytes))
            self.made += 1
        memory = self.free.pop()
        buffer = Buffer(memory)
        weakref.finalize(buffer, self.free.append, memory)
        return np.asarray(buffer)


@pytest.fixture
def pool() -> Pool:
    return Pool()
