"""Counts by shares that change: what is owed is carried, and stays bounded."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penstock.sampling import Carry, Shares, shares
from penstock.sampling.carry import UNIT, fixed


def harmonic(count: int) -> float:
    """1 + 1/2 + ... + 1/count."""
    return sum(1 / number for number in range(1, count + 1))


@given(st.integers(1, 30), st.integers(0, 2**32), st.sampled_from(["random", "to the owed", "to few"]))
def test_g3_what_is_owed_stays_below_the_harmonic_number(count: int, seed: int, kind: str):
    """-1 < owed <= H(K) - 1 after every batch, for shares drawn anew, or set against the schedule; see the module."""
    random = np.random.default_rng(seed)
    carry = Carry(count)
    for _ in range(60):
        target = {
            "random": random.random(count) + 1e-6,
            "to the owed": np.maximum(carry.owed(), 0) + 1e-6,
            "to few": np.where(random.random(count) < 0.2, 1.0, 1e-6),
        }[kind]
        size = int(random.choice([1, 2, count, 256]))
        classes, counts = carry.take(target, size)

        assert counts.sum() == size
        assert (counts > 0).all()
        assert (np.diff(classes) > 0).all()
        assert carry.owed().min() > -1
        assert carry.owed().max() <= harmonic(count) - 1 + 1e-9


def test_the_bound_is_met_by_the_worst_of_targets():
    """Who wants the most owed to be owed more asks, one by one, for all but the class that was just served."""
    count = 64
    carry = Carry(count)
    asked = list(range(count))
    while len(asked) > 1:
        target = np.full(count, 1e-9)
        target[asked] = 1
        carry.take(target, 1)
        asked.remove(min(asked, key=lambda number: carry.owed()[number]))

    assert harmonic(count) - 1 - 1e-4 < carry.owed().max() <= harmonic(count) - 1


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30).filter(any), st.integers(1, 300))
def test_fixed_shares_are_met_as_near(weights: list[int], size: int):
    """The same bound, against the exact shares: they are rounded to 2**-40, and each of 40 batches adds that much."""
    target = Shares.of(weights)
    carry = Carry(len(weights))
    had = np.zeros(len(weights))
    for batch in range(1, 41):
        classes, counts = carry.take(target, size)
        had[classes] += counts
        lag = np.abs(had - batch * size * target.floats())

        assert lag.max() <= max(1.0, harmonic(len(weights)) - 1) + 40 * size * 2.0**-39


@given(st.lists(st.lists(st.integers(0, 3), min_size=8, max_size=8).filter(any), max_size=30), st.integers(1, 20))
def test_a_class_without_a_share_never_comes(targets: list[list[int]], size: int):
    """Also where it was owed something; that goes to the others, and nothing of it is lost."""
    carry = Carry(8)
    for weights in targets:
        classes, counts = carry.take(Shares.of(weights), size)

        assert counts.sum() == size
        assert all(weights[number] > 0 for number in classes.tolist())
        assert all(weights[number] > 0 for number in np.flatnonzero(carry.owed()).tolist())
        assert sum(carry.state()["owed"]) == 0


def test_classes_may_be_added():
    """A new one is owed nothing for the past."""
    carry = Carry(1)
    carry.take(Shares.uniform(1), 3)

    counts = [carry.take(Shares.uniform(3), 4)[1].tolist() for _ in range(3)]

    assert sorted(map(sum, zip(*counts, strict=True))) == [4, 4, 4]


@given(st.integers(0, 2**32))
def test_a_carry_goes_on_as_if_never_interrupted(seed: int):
    """Its state is JSON."""
    random = np.random.default_rng(seed)
    targets = random.random((10, 5))
    carry = Carry(5)
    for target in targets[:5]:
        carry.take(target, 7)
    again = Carry.restore(json.loads(json.dumps(carry.state())))

    for target in targets[5:]:
        assert [part.tolist() for part in again.take(target, 7)] == [part.tolist() for part in carry.take(target, 7)]


def test_what_is_carried_can_be_forgotten():
    """So that a changed target starts afresh."""
    carry = Carry(2)
    carry.take(Shares.of([1, 2]), 4)
    carry.clear()

    assert carry.owed().tolist() == [0, 0]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30).filter(any))
def test_fixed_shares_sum_to_one_exactly(values: list[float]):
    """Each within 2**-40 of the exact share, and as much as a float is off by; from floats as from fractions."""
    exact = shares(values, what="weights")
    for given_as in (exact, np.array(values)):
        parts = fixed(given_as)

        assert parts.sum() == UNIT
        assert (parts >= 0).all()
        assert np.abs(parts - exact.floats() * UNIT).max() <= 2
        assert (parts[np.array(values) == 0] == 0).all()
