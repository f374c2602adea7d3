"""TF1's producers as sources of other pipelines, and what they refuse."""

import json
from collections.abc import Callable
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import penstock as ps

pytestmark = pytest.mark.usefixtures("often")


def test_a_producer_feeds_a_batch_as_in_tf1():
    """Rows stay together; each epoch is another order, the same on every run."""
    rows = ps.slice_input_producer([np.arange(6), np.arange(6) * 10], num_epochs=2)

    pairs = list(ps.batch(rows, 6))

    assert all((two == 10 * one).all() for one, two in pairs)
    orders = [one.tolist() for one, _ in pairs]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(6))
    assert orders[0] != orders[1]
    assert [one.tolist() for one, _ in ps.batch(rows, 6)] == orders


def test_a_seed_is_an_order():
    """`seed=None` is 0."""
    orders = [list(ps.range_input_producer(20, num_epochs=1, seed=seed)) for seed in (None, 0, 1)]

    assert orders[0] == orders[1] != orders[2]


def test_a_producer_goes_on_where_it_stood():
    """A state holds the epoch and the place."""
    producer = ps.range_input_producer(5, num_epochs=3)
    whole = list(producer)
    with producer.open() as flow:
        got = list(islice(flow, 7))
        state = json.loads(json.dumps(flow.state_dict()))

    assert got + list(producer.open(state=state)) == whole


def test_limit_epochs_counts_evaluations_of_a_stream_too():
    """In TF1 it limited whatever it was put around."""
    assert list(ps.limit_epochs(count(), 3)) == [0, 1, 2]
    assert list(ps.limit_epochs(lambda: range(9), 2)) == [0, 1]
    assert list(ps.limit_epochs(ps.join([[5, 6, 7]]), 2)) == [5, 6]
    assert [one.tolist() for one in ps.limit_epochs([1, 2], 2)] == [[1, 2], [1, 2]]
    assert list(islice(ps.limit_epochs("x"), 3)) == ["x"] * 3


def test_file_names_are_matched_once_and_in_order(tmp_path: Path):
    """And none is an error: TF1 found out when nothing came."""
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.txt").write_text(name)

    names = ps.match_filenames_once(str(tmp_path / "*.txt"))

    assert [Path(name).name for name in names] == ["a.txt", "b.txt", "c.txt"]
    assert sorted(ps.string_input_producer(names, num_epochs=1)) == names
    with pytest.raises(ps.SourceError, match="expected a glob that matches a file, got one that matches none"):
        ps.match_filenames_once(str(tmp_path / "*.png"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ps.string_input_producer([]), "expected at least one text, got none - at string_input_producer("),
        (lambda: ps.string_input_producer("a.txt"), "expected a list of texts, got `str` - at string_input_producer("),
        (lambda: ps.string_input_producer([1]), "expected texts, got `int` - at string_input_producer(string_tensor)"),
        (lambda: ps.string_input_producer(5), "expected a list of texts, got `int`"),
        (
            lambda: ps.range_input_producer(0),
            "expected at least one row to produce, got none - at range_input_producer(",
        ),
        (lambda: ps.range_input_producer(-1), "expected `limit` to be an integer >= 0, got `-1`"),
        (lambda: ps.range_input_producer(2.5), "expected `limit` to be an integer >= 0, got `2.5`"),
        (lambda: ps.range_input_producer(2**40), f"expected `limit` to fit int32, got {2**40}"),
        (
            lambda: ps.input_producer(np.zeros((0, 3))),
            "expected at least one row to produce, got none - at input_producer(",
        ),
        (lambda: ps.input_producer(3), "expected an array of rows, got a scalar `int64[]` - at input_producer("),
        (lambda: ps.input_producer([[1, 2]], [3]), "expected rows of shape `[3]`, got `[2]` - at input_producer("),
        (lambda: ps.slice_input_producer([]), "expected a list of at least one array, got none"),
        (lambda: ps.slice_input_producer(np.arange(3)), "expected a list of at least one array, got `ndarray`"),
        (lambda: ps.slice_input_producer([[1, 2], [1]]), "expected as many rows as `[0]` has, 2, got 1"),
        (lambda: ps.slice_input_producer([[1], 2]), "expected an array of rows, got a scalar `int64[]`"),
        (lambda: ps.range_input_producer(3, num_epochs=0), "expected `num_epochs` to be an integer >= 1, got `0`"),
        (lambda: ps.range_input_producer(3, capacity=0), "expected `capacity` to be an integer >= 1, got `0`"),
        (lambda: ps.range_input_producer(3, seed="a"), "expected `seed` to be an integer, got `'a'`"),
        (lambda: ps.string_input_producer(["a"], cancel_op=print), "expected `cancel_op=None`"),
        (lambda: ps.limit_epochs(7, 0), "expected `num_epochs` to be an integer >= 1, got `0` - at limit_epochs("),
        (lambda: ps.limit_epochs(7, 1.5), "expected `num_epochs` to be an integer >= 1, got `1.5`"),
    ],
)
def test_what_cannot_be_is_said_as_it_is_written(make: Callable[[], Any], message: str):
    """A producer with nothing to produce would turn for ever, or wait."""
    with pytest.raises(ps.PipelineError) as caught:
        make()

    assert message in str(caught.value)
