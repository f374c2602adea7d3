"""Batches cut from runs: native and twin give the same, and what lies in one run is never copied."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock.assemble.cutter as cutter
import penstock.assemble.kernels as kernels
import penstock.assemble.pool as pool
import penstock.assemble.reference as reference
from penstock.spec import Component

PARTS = [Component(np.dtype(np.float32), (3,)), Component(np.dtype(np.int64), ())]
CUTTERS = [(cutter.Cutter, pool.Pool, reference.prepared), (kernels.Cutter, kernels.Pool, kernels.prepared)]

either = pytest.mark.parametrize(("kind", "memory", "prepared"), CUTTERS, ids=["twin", "native"])


def runs_of(sizes: list[int], *, step: int = 1) -> list[tuple[Any, ...]]:
    """Runs of such sizes, numbered through; with a step, their rows lie apart in memory."""
    total = sum(sizes) * step
    x = np.arange(total * 3, dtype=np.float32).reshape(-1, 3)[::step]
    y = np.arange(total)[::step]
    stops = np.cumsum(sizes)
    return [(x[stop - size : stop], y[stop - size : stop]) for size, stop in zip(sizes, stops, strict=True)]


@either
@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=6),
    st.integers(0, 8),
    st.integers(1, 12),
    st.integers(0, 9),
    st.data(),
)
def test_batches_are_the_rows_in_order(kind, memory, prepared, sizes, at, size, most, data):
    """Wherever the runs are cut; as many whole batches as there are, or as many as are wanted."""
    runs = runs_of(sizes, step=data.draw(st.integers(1, 2)))
    at = min(at, sizes[0] - 1)
    batches = kind([prepared(part) for part in PARTS], memory()).cut(runs, at, size, most)

    rows = np.concatenate([run[1] for run in runs])[at:]
    x = np.concatenate([run[0] for run in runs])[at:]
    assert len(batches) == min(most, len(rows) // size)
    for number, (xs, ys) in enumerate(batches):
        span = slice(number * size, (number + 1) * size)
        np.testing.assert_array_equal(ys, rows[span])
        np.testing.assert_array_equal(xs, x[span])
        assert (xs.dtype, ys.dtype, xs.shape) == (np.float32, np.int64, (size, 3))


@either
def test_what_lies_in_one_run_is_a_view_that_nobody_can_write_to(kind, memory, prepared):
    """And what lies across two is the reader's own."""
    runs = runs_of([5, 5])
    first, across = kind([prepared(part) for part in PARTS], memory()).cut(runs, 1, 3, 2)

    assert all(
        np.shares_memory(array, run) and not array.flags.writeable for array, run in zip(first, runs[0], strict=True)
    )
    assert all(array.flags.writeable for array in across)
    assert not any(np.shares_memory(array, leaf) for array in across for run in runs for leaf in run)
    assert all(run.flags.writeable for run in runs[0])


@either
@pytest.mark.parametrize(
    ("x", "fits"),
    [
        (np.zeros((2, 3), np.float32), True),
        (np.zeros((3, 2), np.float32).T, True),
        (np.zeros((2, 3)), False),
        (np.zeros((2, 3), ">f4"), False),
        (np.zeros((2, 4), np.float32), False),
        (np.zeros((2, 3, 1), np.float32), False),
    ],
)
def test_a_run_fits_by_dtype_and_shape(kind, memory, prepared, x, fits):
    """However its rows lie in memory."""
    assert kind([prepared(part) for part in PARTS], memory()).fits((x, np.zeros(2, np.int64))) is fits
