"""The schedule of counts: exact in each batch and in all of them, whatever the shares (guarantees G2 and G3)."""

import json
from math import gcd
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock.sampling.quota as quota_module
from penstock.sampling import Quota, Shares, shares

WIDE = st.one_of(st.integers(0, 9), st.integers(0, 1000), st.integers(0, 2**62), st.integers(0, 2**140))
"""Weights from small to beyond what the native part counts in."""


def weights(most: int = 40) -> st.SearchStrategy[Shares]:
    """Shares of 1 to `most` classes, some of them equal, some zero."""
    return st.lists(WIDE, min_size=1, max_size=most).filter(any).map(Shares.of)


def assert_exact(target: Shares, size: int, batches: int) -> None:
    """A count is the floor or the ceiling of what is due just where it is less than one away from it, in whole numbers."""
    quota = Quota(target, size)
    had = [0] * len(target)
    for number in range(1, batches + 1):
        classes, counts = quota.take()
        now = dict(zip(classes.tolist(), counts.tolist(), strict=True))

        assert list(now) == sorted(now)
        assert min(now.values()) > 0
        assert sum(now.values()) == size
        for place, weight in enumerate(target.weights):
            count = now.get(place, 0)
            had[place] += count
            assert abs(count * target.total - size * weight) < target.total
            assert abs(had[place] * target.total - number * size * weight) < target.total


def partitions(total: int, largest: int) -> list[list[int]]:
    """All ways to write a number as a sum, largest first."""
    if total == 0:
        return [[]]
    return [[first, *rest] for first in range(min(total, largest), 0, -1) for rest in partitions(total - first, first)]


@pytest.mark.slow
def test_g2_and_g3_hold_for_all_small_weights_and_sizes():
    """Each way to share up to 10 units among classes, each size, over its whole period and one batch more."""
    for total in range(1, 11):
        for parts in partitions(total, total):
            for size in range(1, total + 2):
                assert_exact(Shares.of(parts), size, total // gcd(size, total) + 1)


@given(weights(), st.integers(1, 300))
def test_g2_and_g3_hold_for_any_weights(target: Shares, size: int):
    """In each batch floor or ceil of b q, and within one of k b q in the first k, with denominators of any size."""
    assert_exact(target, size, 25)


@pytest.mark.slow
@settings(max_examples=10)
@given(st.integers(2, 2000), st.integers(1, 300), st.integers(0, 2**32), st.sampled_from(["floats", "zipf", "few"]))
def test_g2_and_g3_hold_for_thousands_of_classes(count: int, size: int, seed: int, kind: str):
    """Random floats, 1 / rank, and a few distinct weights that many classes have in common."""
    random = np.random.default_rng(seed)
    values = {"floats": random.random(count), "zipf": 1 / np.arange(1, count + 1), "few": random.integers(1, 5, count)}

    assert_exact(shares(values[kind], what="weights"), size, 12)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["floats", "uniform"])
def test_g2_and_g3_hold_for_a_hundred_thousand_classes(kind: str):
    """As above, each class checked in 12 batches of 256. Any class has 0 or 1 of a batch, and of all 12."""
    count = 100_000
    random = np.random.default_rng(3)
    target = shares(random.random(count), what="weights") if kind == "floats" else Shares.uniform(count)
    quota = Quota(target, 256)

    had = np.zeros(count, np.int64)
    for batch in range(1, 13):
        classes, counts = quota.take()
        had[classes] += counts
        exact = [batch * 256 * weight for weight in target.weights]

        assert counts.sum() == 256
        assert (counts <= -(-256 * max(target.weights) // target.total)).all()
        assert (had >= [number // target.total for number in exact]).all()
        assert (had <= [-(-number // target.total) for number in exact]).all()


def test_equal_classes_come_in_turn():
    """As the sources of a join do."""
    assert Quota(Shares.uniform(4), 1).pattern(10).tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]


def test_a_share_that_divides_evenly_is_the_same_in_each_batch():
    """100 * 0.29 is 29."""
    quota = Quota(shares([0.29, 0.71], what="weights"), 100)

    for _ in range(3):
        classes, counts = quota.take()
        assert (classes.tolist(), counts.tolist()) == ([0, 1], [29, 71])


def test_a_class_without_a_share_never_comes():
    """Zero is legal, and exact."""
    quota = Quota(Shares.of([0, 2, 0, 1]), 2)

    assert {number for _ in range(6) for number in quota.take()[0].tolist()} == {1, 3}


@given(weights(12), st.integers(1, 40), st.integers(0, 200), st.data())
def test_a_schedule_goes_on_as_if_never_interrupted(target: Shares, size: int, batches: int, data: st.DataObject):
    """A state is JSON, taken at any batch, also of a schedule that was itself restored."""
    quota = Quota(target, size)
    for _ in range(batches):
        quota.take()
    again = Quota.restore(target, size, json.loads(json.dumps(quota.state())))
    for _ in range(data.draw(st.integers(0, 20))):
        quota.take()
        again.take()
    thrice = Quota.restore(target, size, json.loads(json.dumps(again.state())))

    assert again.position == thrice.position == quota.position
    for _ in range(20):
        expected = [part.tolist() for part in quota.take()]
        assert [part.tolist() for part in again.take()] == expected
        assert [part.tolist() for part in thrice.take()] == expected


@given(weights(12), st.integers(1, 40))
def test_a_schedule_that_is_kept_is_the_one_that_is_worked_out(target: Shares, size: int):
    """Keeping a period is for speed alone."""
    worked_out = Quota(target, size)
    worked_out._kept = False
    kept = Quota(target, size)

    for _ in range(60):
        assert [part.tolist() for part in worked_out.take()] == [part.tolist() for part in kept.take()]


def test_the_twin_counts_where_numbers_are_too_large_for_the_native_part():
    """Weights of which one is 10**-50 of another: nobody refuses them."""
    target = shares([1e-50, 0.3, 0.7], what="weights")
    assert target.total >= quota_module.NATIVE_TOTAL

    assert_exact(target, 10, 50)


@given(weights(6), st.lists(st.integers(0, 50), max_size=8))
def test_a_pattern_is_the_schedule_of_batches_of_one(target: Shares, cuts: list[int]):
    """Cut anywhere, and mixed with single batches."""
    one_by_one, pattern = Quota(target, 1), Quota(target, 1)
    for cut in cuts:
        expected = [int(one_by_one.take()[0][0]) for _ in range(cut)]

        assert pattern.pattern(cut).tolist() == expected
    assert pattern.position == one_by_one.position
    assert pattern.take()[0].tolist() == one_by_one.take()[0].tolist()


def test_what_is_given_cannot_be_written_to():
    """Batches of a kept schedule are given again."""
    classes, counts = Quota(Shares.uniform(3), 4).take()

    for array in (classes, counts):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 9


def test_a_state_is_small():
    """A bit for each distinct share: 1,000 of them are 250 hexadecimal digits."""
    quota = Quota(shares(np.random.default_rng(0).random(1000), what="weights"), 256)
    for _ in range(40):
        quota.take()

    state: dict[str, Any] = quota.state()

    assert len(json.dumps(state)) < 320
    assert 0 < state["from"] <= state["batches"] == 40
