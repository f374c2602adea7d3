"""How likely each class is kept: TF1's formula, and the target that leans."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.sampling.chances import chances, leant
from penstock.sampling.shares import Float64s

PARTS = st.lists(st.floats(0.001, 1), min_size=1, max_size=8)


def shares(parts: list[float]) -> Float64s:
    array = np.array(parts)
    return array / array.sum()


@given(PARTS, st.randoms())
def test_what_is_kept_of_what_arrives_has_the_target_shares(parts: list[float], random: object):
    """p·a is in proportion to q, and the largest a is 1, so no more could be kept."""
    arriving = shares(parts)
    target = np.roll(arriving, 1)

    kept = arriving * chances(arriving, target)

    np.testing.assert_allclose(kept / kept.sum(), target, rtol=1e-12)
    assert chances(arriving, target).max() == 1
    assert kept.sum() == pytest.approx((arriving / target).min())


def test_a_class_without_a_target_is_never_kept_and_one_that_was_not_to_come_is():
    """0 / 0 counts as 0, as in TF1."""
    got = chances(np.array([0.5, 0.5, 0.0, 0.0]), np.array([0.5, 0.0, 0.5, 0.0]))

    assert got.tolist() == [1.0, 0.0, 1.0, 0.0]
    assert chances(np.array([0.0, 1.0]), np.array([1.0, 0.0])).tolist() == [1.0, 0.0]


@given(PARTS, st.integers(1, 512))
def test_who_is_ahead_gets_less_and_from_a_bound_on_nothing(parts: list[float], size: int):
    """The bound is 64 + 4 b q."""
    target = shares(parts)
    bound = 64 + 4 * size * target

    np.testing.assert_array_equal(leant(target, np.zeros(len(target)), size), target)
    assert (leant(target, bound / 2, size) < target).all()
    assert (leant(target, -bound, size) > target).all()
    behind = np.append(bound[:-1], -bound[:-1].sum())
    assert (leant(target, behind, size)[:-1] == 0).all()


def test_where_all_are_far_ahead_the_target_itself_counts():
    """A class that is owed much and has no share any more would stop the others for ever."""
    target = np.array([0.5, 0.5, 0.0])

    assert leant(target, np.array([500.0, 500.0, -1000.0]), 1) is target
