"""One pass of a file's labels through the rings."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.forecast import replay as module
from penstock.forecast.replay import replay
from penstock.sampling import Shares, offline_optimum, ring_limits


@given(st.data())
def test_no_more_batches_than_any_method_can_give_and_no_use_too_many(data: st.DataObject):
    """For any labels, target, batch size, repeats and rings; what is given is within one example of the target."""
    classes = data.draw(st.integers(1, 5))
    order = data.draw(st.lists(st.integers(0, classes - 1), min_size=1, max_size=80))
    weights = data.draw(st.lists(st.integers(0, 4), min_size=classes, max_size=classes).filter(any))
    shares, size, repeats = Shares.of(weights), data.draw(st.integers(1, 6)), data.draw(st.integers(1, 3))
    limits = np.array([size] * classes) * data.draw(st.integers(1, 3))

    seen = replay(np.array(order), shares, size, repeats, limits)

    counts = np.bincount(order, minlength=classes)
    assert seen.batches <= offline_optimum(order, shares, size, repeats, limits)
    assert seen.given.sum() == seen.batches * size
    assert (seen.distinct <= np.minimum(counts, seen.given)).all()
    assert (seen.given <= repeats * counts).all()
    assert seen.crowded_out <= (counts - seen.distinct).sum()
    for given_, weight in zip(seen.given.tolist(), shares.weights, strict=True):
        assert abs(given_ - Fraction(seen.batches * size * weight, shares.total)) < 1


@pytest.mark.parametrize("repeats", [1, 4])
def test_a_shuffled_file_gives_nearly_all_that_any_method_could(repeats: int):
    """Rings are sized to lose at most 2 %, which the optimum with the same rings loses too: 3 % leave room for chance."""
    shares = Shares.uniform(6)
    order = np.random.default_rng(3).choice(6, 30_000, p=[0.5, 0.2, 0.1, 0.1, 0.05, 0.05])
    limits = ring_limits(shares.floats(), 32)

    best = offline_optimum(order.tolist(), shares, 32, repeats, limits)

    assert 0.97 * best <= replay(order, shares, 32, repeats, limits).batches <= best


def test_parts_of_a_file_make_no_difference(monkeypatch: pytest.MonkeyPatch):
    """Labels are handed over some at a time."""
    order = np.random.default_rng(0).choice(3, 500, p=[0.6, 0.3, 0.1])
    shares, limits = Shares.uniform(3), np.array([8, 8, 8])

    whole = replay(order, shares, 7, 2, limits)
    monkeypatch.setattr(module, "AT_ONCE", 3)
    parts = replay(order, shares, 7, 2, limits)

    assert parts.given.tolist() == whole.given.tolist()
    assert (parts.batches, parts.first_after, parts.longest_wait, parts.waits_for, parts.crowded_out) == (
        whole.batches,
        whole.first_after,
        whole.longest_wait,
        whole.waits_for,
        whole.crowded_out,
    )


def test_what_is_waited_for_is_told():
    """The second batch has to wait for the last example, which is of class 1."""
    order = np.array([0, 1, 0, 0, 0, 0, 1])

    seen = replay(order, Shares.uniform(2), 2, 1, np.array([2, 2]))

    assert (seen.batches, seen.first_after) == (2, 2)
    assert (seen.longest_wait, seen.waits_for) == (5, 1)
    assert seen.crowded_out == 2
    assert (seen.inputs_per_output, seen.coverage, seen.mean_uses) == (7 / 4, 4 / 7, 1.0)


def test_without_a_batch_there_is_nothing_to_divide_by():
    """A file too short for the first."""
    seen = replay(np.array([0, 0, 0]), Shares.uniform(2), 2, 5, np.array([2, 2]))

    assert (seen.batches, seen.first_after, seen.waits_for) == (0, None, None)
    assert (seen.inputs_per_output, seen.coverage, seen.mean_uses) == (None, 0.0, None)


def test_classes_without_a_target_are_passed_over():
    """They take no room, and are no use."""
    seen = replay(np.array([2, 0, 2, 1]), Shares((1, 1, 0), 2), 2, 1, np.array([2, 2, 2]))

    assert seen.given.tolist() == [1, 1, 0]
    assert seen.crowded_out == 0
