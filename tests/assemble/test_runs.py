"""Rows of runs, found by their numbers: native and twin give the same, and neither reads beyond an array."""

import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock.assemble.keeping as keeping
import penstock.assemble.kernels as kernels
import penstock.assemble.pool as pool
import penstock.assemble.runs as runs

KINDS = [(runs.Runs, pool.Pool), (keeping.Runs, kernels.Pool)]
either = pytest.mark.parametrize(("kind", "memory"), KINDS, ids=["twin", "native"])

SHAPES = [("f4", (16,)), ("i8", ()), ("u1", (3, 2)), ("S5", ()), ("f8", (0,))]
"""Dtypes and shapes of rows: of sizes that have a copy of their own, and of others."""


def rows_of(dtype: str, shape: tuple[int, ...], first: int, count: int, layout: str) -> Any:
    """Rows that differ by their numbers; `"apart"` in memory, or each in `"columns"` order."""
    numbers = np.arange(first, first + count).reshape(count, *[1] * len(shape))
    rows = np.broadcast_to(numbers, (count, *shape)).astype(dtype)
    if layout == "apart":
        return np.repeat(rows, 2, axis=0)[::2]
    return np.asfortranarray(rows) if layout == "columns" else np.ascontiguousarray(rows)


@either
@given(
    st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3), st.sampled_from(["packed", "apart", "columns"]))),
    st.lists(st.sampled_from(["keep", "forget", ""])),
    st.data(),
)
def test_each_row_is_found_by_its_number(
    kind: Any, memory: Any, shapes: list[Any], lengths: list[Any], steps: list[str], data: st.DataObject
):
    """In runs of any lengths with gaps between them, some let go of, some kept apart for a while."""
    one, first, there = kind(memory()), 5, list[int]()
    for place, (count, gap, layout) in enumerate(lengths):
        assert one.add(first, tuple(rows_of(*shape, first, count, layout) for shape in shapes))
        there += range(first, first + count)
        first += count + gap
        step = steps[place] if place < len(steps) else ""
        if step == "keep":
            there = sorted(data.draw(st.sets(st.sampled_from(there)))) if there else []
            numbers = np.array(there, np.int64)  # none perhaps
            one.keep(numbers, one.collect(numbers))
            assert (one.count, one.held) == (0, len(there))
        if step == "forget" and there:
            before = data.draw(st.sampled_from(there))
            one.forget(before)
            there = [number for number in there if number >= before]
            assert one.held >= len(there)
        wanted = data.draw(st.lists(st.sampled_from(there), max_size=20)) if there else []
        got = one.collect(np.array(wanted, np.int64))

        for (dtype, shape), array in zip(shapes, got, strict=True):
            assert (array.dtype, array.shape) == (np.dtype(dtype), (len(wanted), *shape))
            expected = [rows_of(dtype, shape, number, 1, "packed")[0] for number in wanted]
            np.testing.assert_array_equal(array, np.array(expected, dtype).reshape(array.shape))


@either
def test_a_run_of_other_rows_is_refused(kind: Any, memory: Any):
    """Another dtype, shape or number of components; and objects, whose references nobody would count."""
    one = kind(memory())
    assert one.add(0, (np.zeros((2, 3), "f4"), np.zeros(2)))
    others = [
        (np.zeros((2, 3), "f8"), np.zeros(2)),
        (np.zeros((2, 4), "f4"), np.zeros(2)),
        (np.zeros((2, 3, 1), "f4"), np.zeros(2)),
        (np.zeros((2, 3), "f4"),),
    ]

    assert [one.add(2, other) for other in others] == [False] * 4
    assert not kind(memory()).add(0, (np.zeros(2, object),))
    assert (one.held, one.count, one.row_nbytes) == (2, 1, 20)


@either
def test_a_row_that_is_not_there_is_refused(kind: Any, memory: Any):
    """The native part goes by addresses: what it does not check it would read."""
    one = kind(memory())
    one.add(10, (np.arange(10, 14),))
    one.add(20, (np.arange(20, 22),))
    for number in (-1, 9, 14, 19, 22, 2**62, -(2**62)):
        with pytest.raises(IndexError):
            one.collect(np.array([11, number]))
    one.keep(np.array([11, 21]), one.collect(np.array([11, 21])))
    for number in (10, 12, 20, 22):
        with pytest.raises(IndexError):
            one.collect(np.array([number]))

    assert one.collect(np.array([21, 11]))[0].tolist() == [21, 11]


@either
def test_what_is_forgotten_is_let_go_of(kind: Any, memory: Any):
    """A run is the user's memory; of one that is still needed nothing is."""
    one, arrays = kind(memory()), [np.arange(first, first + 4) for first in range(0, 12, 4)]
    gone = [weakref.ref(array) for array in arrays]
    for array in arrays:
        one.add(int(array[0]), (array,))
    del arrays, array
    one.forget(7)
    after = [ref() is None for ref in gone]
    one.forget(12)

    assert after == [True, False, False]
    assert [ref() is None for ref in gone] == [True, True, True]
    assert (one.held, one.count) == (0, 0)
