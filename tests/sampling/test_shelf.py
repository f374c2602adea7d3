"""What is admitted is written at once to where it will be copied from, as far as it fits there; the rest is unloaded."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import penstock.assemble.kernels as kernels
import penstock.sampling.rings as twin
from penstock.assemble import NATIVE, Sink
from penstock.sampling import Rings
from penstock.spec import Spec

ROOM = 6
Arrays = list[np.ndarray]


class Plain:
    """A shelf in Python, for the twin."""

    room = ROOM

    def __init__(self, arrays: Arrays) -> None:
        self.x, self.y = arrays

    def put(self, example: tuple[np.ndarray, np.int64], place: int) -> bool:
        if example[0].dtype != self.x.dtype:
            return False
        self.x[place], self.y[place] = example
        return True


def native(arrays: Arrays) -> Any:
    spec = Spec.of((arrays[0][0], arrays[1][0]))
    kinds = [kernels.prepared(component) for component in spec.components]
    return kernels.shelf(Sink(spec.structure, kinds, arrays))


KINDS: list[tuple[Any, Any]] = [(twin.Rings, Plain), (Rings, native)][: 1 + NATIVE]
either = pytest.mark.parametrize(("kind", "shelf"), KINDS, ids=["twin", "native"][: len(KINDS)])


def made(kind: Callable[..., Any], shelf: Callable[..., Any]) -> tuple[Any, Arrays]:
    """Rings of two classes that write pairs of float32[2] and label to arrays of so many rows, and the arrays."""
    rings = kind(1, 0)
    rings.labels("index", 1, {0: 0, 1: 1}, lambda label: -1, identity=True)
    rings.grow([8, 8])
    rings.unload()
    arrays = [np.full((ROOM, 2), -1, np.float32), np.full(ROOM, -1, np.int64)]
    rings.shelve(shelf(arrays))
    return rings, arrays


def example(number: int, label: int, dtype: Any = np.float32) -> tuple[np.ndarray, np.int64]:
    return np.full(2, number, dtype), np.int64(label)


@either
def test_what_fits_lies_at_its_slot_and_is_not_unloaded(kind: Any, shelf: Any):
    """Also what takes the slot of another that was drawn."""
    rings, (x, y) = made(kind, shelf)
    rings.ask([0, 1], [1, 1])
    rings.add([example(10, 0), example(11, 0), example(12, 1)], 0)
    first = rings.draw(0)
    drawn = sorted(x[first, 0].tolist())
    rings.add([example(13, 1)], 0)

    assert drawn == [10, 12]
    assert sorted(x[:, 0].tolist()) == [-1, -1, -1, 10, 11, 13]
    assert sorted(y.tolist()) == [-1, -1, -1, 0, 0, 1]
    assert rings.unload()[1] == []
    assert not any(rings.rows)


@either
def test_what_does_not_fit_or_has_no_room_is_unloaded(kind: Any, shelf: Any):
    """Of another dtype, or at a slot beyond the last row; what comes between is written all the same."""
    rings, (x, _) = made(kind, shelf)
    rings.add([example(20, 0), example(21, 0, np.float64), example(22, 0)], 0)
    slots, rows = rings.unload()
    rings.add([example(number, 1) for number in range(30, 36)], 0)
    beyond, more = rings.unload()

    assert [row[0].tolist() for row in rows] == [[21, 21]]
    assert x[:, 0].tolist() == [20, -1, 22, 30, 31, 32]
    assert slots.tolist() == [1]
    assert [row[0][0] for row in more] == [33, 34, 35]
    assert beyond.tolist() == [6, 7, 8]


@either
def test_without_a_shelf_all_is_unloaded_again(kind: Any, shelf: Any):
    """As where the examples turn out not to be alike."""
    rings, (x, _) = made(kind, shelf)
    rings.shelve(None)
    rings.add([example(40, 0)], 0)

    assert [row[0][0] for row in rings.unload()[1]] == [40]
    assert (x == -1).all()
