import numpy as np
import pytest

from examples import Point
from penstock.errors import PipelineError
from penstock.sources.arrays import ArraySource
from penstock.testing import check_source, same


def test_the_rows_of_arrays_are_the_examples_in_their_structure(examples):
    """Read in step; an array of more dimensions gives arrays."""
    x, y = np.arange(6).reshape(3, 2), np.array(["a", "b", "c"])

    assert same(examples(ArraySource(x)), list(x))
    assert same(examples(ArraySource((x, y))), [(x[i], y[i]) for i in range(3)])
    assert same(examples(ArraySource(Point(y, {"x": x}))), [Point(y[i], {"x": x[i]}) for i in range(3)])


def test_all_rows_come_as_one_run_without_a_copy():
    """So that batches are views of the user's arrays."""
    x = np.arange(6)

    (run,) = ArraySource({"x": x}).open(0)

    assert np.shares_memory(run.arrays[0], x)


def test_arrays_can_be_read_again_and_know_their_length():
    """They are in memory: nothing waits."""
    source = ArraySource(np.arange(5))

    assert (source.length(), source.waits, source.once, source.label) == (5, False, None, "arrays")
    assert check_source(lambda: np.arange(5)) == 5


def test_arrays_without_rows_have_no_examples(examples):
    """Which is no error: so may a shard be."""
    assert examples(ArraySource(np.zeros((0, 3)))) == []


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "expected at least one array, got none - at from_arrays()"),
        (np.array(5.0), "expected an array of rows, got a scalar `float64[]` - at component `example`"),
        ((np.arange(2), 7), "expected an array of rows, got a scalar `int64[]` - at component `[1]`"),
        (
            {"x": np.arange(2), "y": (np.arange(3),)},
            "expected as many rows as `x` has, 2, got 3 - at component `y[0]`",
        ),
    ],
)
def test_arrays_that_are_no_rows_in_step_are_refused_at_once(arrays: object, message: str):
    """Shapes are known before anything is read."""
    with pytest.raises(PipelineError) as caught:
        ArraySource(arrays)

    assert str(caught.value) == message
