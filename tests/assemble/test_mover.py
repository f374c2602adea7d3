"""Rows moved by their numbers, into a store and out of it: native and twin give the same, and neither reads beyond an array."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock.assemble.keeping as keeping
import penstock.assemble.kernels as kernels
import penstock.assemble.mover as mover
import penstock.assemble.pool as pool

MOVERS = [(mover.keep, mover.collect, pool.Pool), (keeping.keep, keeping.collect, kernels.Pool)]
either = pytest.mark.parametrize(("keep", "collect", "memory"), MOVERS, ids=["twin", "native"])
needs_native = pytest.mark.skipif(not kernels.NATIVE, reason="NumPy refuses by itself, in its own words")

KINDS = [("f4", (16,)), ("i8", ()), ("f4", ()), ("u1", (3, 2)), ("M8[s]", (2,)), ("S5", ()), ("f8", (0,))]
"""Dtypes and shapes of rows: of sizes that have a copy of their own, and of others."""


def rows_of(kind: tuple[str, tuple[int, ...]], count: int, layout: str) -> Any:
    """So many rows that differ; `"apart"` in memory, or each in `"columns"` order."""
    dtype, shape = kind
    numbers = np.arange(count * max(1, int(np.prod(shape)))).astype("i8")[: count * int(np.prod(shape))]
    rows = numbers.reshape(count, *shape).astype("u1" if dtype == "u1" else "i8").astype(dtype)
    if layout == "apart":
        return np.repeat(rows, 2, axis=0)[::2]
    return np.asfortranarray(rows) if layout == "columns" else rows


@either
@given(
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=3),
    st.sampled_from(["packed", "apart", "columns"]),
    st.integers(1, 30),
    st.integers(1, 30),
    st.data(),
)
def test_rows_go_where_they_are_said_to_and_come_from_where_they_are(
    keep: Any, collect: Any, memory: Any, kinds: list[Any], layout: str, room: int, count: int, data: st.DataObject
):
    """Against what NumPy says of one row after the other; the rest of the store stays as it was."""
    store = tuple(np.zeros((room, *shape), dtype) for dtype, shape in kinds)
    run = tuple(rows_of(kind, count, layout) for kind in kinds)
    slots = np.array(data.draw(st.lists(st.integers(0, room - 1), max_size=room, unique=True)), np.int64)
    places = np.array([data.draw(st.integers(0, count - 1)) for _ in slots], np.int64)
    expected = [part.copy() for part in store]
    for part, of in zip(expected, run, strict=True):
        for slot, place in zip(slots, places, strict=True):
            part[slot] = of[place]
    keep(store, slots, run, places)

    for part, its in zip(expected, store, strict=True):
        np.testing.assert_array_equal(its, part)

    least = data.draw(st.integers(0, count))
    wanted = np.array(data.draw(st.lists(st.integers(-3, count - 1), max_size=40)), np.int64)
    lying = np.array([data.draw(st.integers(0, room - 1)) for _ in wanted], np.int64)
    out = collect(store, lying, run, wanted, least, memory())
    for its, of, got in zip(store, run, out, strict=True):
        rows = [of[place] if place >= least else its[slot] for slot, place in zip(lying, wanted, strict=True)]
        assert got.dtype == of.dtype
        assert got.shape == (len(wanted), *of.shape[1:])
        np.testing.assert_array_equal(got, np.array(rows, of.dtype).reshape(got.shape))


@needs_native
@pytest.mark.parametrize(("slots", "places"), [([3], [0]), ([-1], [0]), ([0], [5]), ([0], [-1])])
def test_a_row_that_is_not_there_is_refused_before_anything_is_copied(slots: list[int], places: list[int]):
    """The native part goes by addresses: what it does not check it would read, or overwrite."""
    store, run = (np.zeros(3),), (np.ones(5),)
    with pytest.raises(IndexError, match="expected numbers below"):
        keeping.keep(store, np.array([1, *slots]), run, np.array([1, *places]))

    assert store[0].tolist() == [0, 0, 0]


@needs_native
def test_a_batch_of_rows_that_are_not_there_is_refused():
    """A place beyond the run, or a slot beyond the store where the place is not in the run."""
    store, run = (np.zeros(3),), (np.ones(5),)
    for slots, places in (([0], [5]), ([3], [-1]), ([-1], [-1])):
        with pytest.raises(IndexError, match="expected places below 5 or slots below 3"):
            keeping.collect(store, np.array(slots), run, np.array(places), 0, kernels.Pool())


@needs_native
def test_objects_and_rows_of_another_size_are_not_moved_as_bytes():
    """A copied address would be a reference that nobody counted."""
    one = np.array([0])
    with pytest.raises(AssertionError, match="objects are not moved"):
        keeping.keep((np.zeros(1, object),), one, (np.zeros(1, object),), one)
    with pytest.raises(AssertionError, match="as they come"):
        keeping.keep((np.zeros(1, "i4"),), one, (np.zeros(1, "i8"),), one)
    with pytest.raises(AssertionError, match="int64"):
        keeping.keep((np.zeros(1),), one.astype("i4"), (np.zeros(1),), one)
