"""The bounds, against what they were worked out for by hand and against plain search."""

from itertools import product
from math import ceil, floor, inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PipelineError
from penstock.sampling import (
    Quota,
    Shares,
    coverage,
    efficiency,
    feasible_target,
    inputs_for_batch,
    offline_optimum,
    ring_limits,
)

SKEWED = np.array([0.90, 0.07, 0.02, 0.01])
UNIFORM = np.full(4, 0.25)


def shares_of(count: int) -> st.SearchStrategy[np.ndarray]:
    """Shares of so many classes, none of them zero."""
    weights = st.lists(st.integers(1, 1000), min_size=count, max_size=count)
    return weights.map(lambda values: np.array(values) / sum(values))


def test_the_scarcest_class_sets_the_rate():
    """repeats * min p / q; a class without a target does not count."""
    assert efficiency(SKEWED, UNIFORM) == pytest.approx(0.04)
    assert efficiency(SKEWED, UNIFORM, 4) == pytest.approx(0.16)
    assert efficiency(SKEWED, np.array([0.5, 0.5, 0, 0])) == pytest.approx(0.14)
    assert efficiency(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == 0


def test_a_batch_needs_its_size_over_the_rate():
    """One in 10,000 at four uses each: a batch of 64, a quarter of it that class, needs 16 / 4 times 10,000."""
    arriving = np.array([0.9999, 0.0001])

    assert inputs_for_batch(arriving, np.array([0.75, 0.25]), 64, 4) == pytest.approx(40_000)
    assert inputs_for_batch(np.array([1.0, 0.0]), np.array([0.5, 0.5]), 64) == inf


@pytest.mark.parametrize(
    ("rate", "expected", "uses", "covered"),
    [
        (0.16, (0.25, 0.25, 0.25, 0.25), (0.04, 0.57, 2, 4), 0.11),
        (0.3, (0.30, 0.30, 0.27, 0.13), (0.1, 1.3, 4, 4), 0.19),
        (1.0, (0.60, 0.28, 0.08, 0.04), (0.67, 4, 4, 4), 0.70),
    ],
)
def test_a_target_that_cannot_be_met_is_met_as_nearly_as_can_be(
    rate: float, expected: tuple[float, ...], uses: tuple[float, ...], covered: float
):
    """p = (.90, .07, .02, .01) to uniform at four uses each, from the best rate to one out for one in; two digits."""
    nearest, weights = feasible_target(SKEWED, UNIFORM, rate, 4)

    assert nearest == pytest.approx(expected, abs=0.005)
    assert rate * nearest / SKEWED == pytest.approx(uses, rel=0.05, abs=0.005)
    assert coverage(SKEWED, nearest, rate) == pytest.approx(covered, abs=0.005)
    assert nearest * weights == pytest.approx(UNIFORM)


@given(
    st.integers(2, 8).flatmap(lambda n: st.tuples(shares_of(n), shares_of(n))), st.floats(0.05, 0.99), st.integers(1, 5)
)
def test_the_nearest_target_is_the_one_by_water_filling(both: tuple[np.ndarray, np.ndarray], part: float, repeats: int):
    """It sums to one, nobody is above repeats * p / rate, and all below it are raised by the same factor, the largest."""
    arriving, target = both
    rate = part * repeats
    nearest, _ = feasible_target(arriving, target, rate, repeats)
    most = repeats * arriving / rate
    raised = nearest / target

    assert nearest.sum() == pytest.approx(1)
    assert (nearest <= most * (1 + 1e-12)).all()
    assert (np.isclose(nearest, most) | np.isclose(raised, raised.max())).all()


def test_a_class_without_a_target_stays_without():
    """Also where others cannot be met."""
    nearest, weights = feasible_target(SKEWED, np.array([0.5, 0.25, 0.25, 0]), 0.5, 4)

    assert nearest[3] == weights[3] == 0
    assert nearest.sum() == pytest.approx(1)


def test_a_rate_beyond_all_that_arrives_is_refused():
    """Classes with a target make up a tenth of the stream: four uses of each give 0.4 for each that arrives."""
    with pytest.raises(PipelineError, match=r"a rate of at most 0\.4 examples for each that arrives, got 0\.5"):
        feasible_target(np.array([0.9, 0.1]), np.array([0.0, 1.0]), 0.5, 4)


def test_rings_are_as_large_as_the_measured_law_asks():
    """max(1, ceil(b q)) times ceil(0.8 ln K / slack): 16 * 56 for four classes at 2 %; 26 * 93 for ten."""
    assert ring_limits(UNIFORM, 64).tolist() == [896] * 4
    assert ring_limits(np.full(10, 0.1), 256).tolist() == [26 * 93] * 10
    assert ring_limits(np.array([1.0]), 64).tolist() == [64]
    assert ring_limits(np.array([0.99, 0.01, 0.0]), 8).tolist() == [8 * 28, 28, 28]


def test_rings_of_many_classes_stay_within_what_may_be_held():
    """But for two quotas each, without which the next one could not gather while one waits."""
    assert ring_limits(np.full(1000, 1e-3), 256, most=50_000).tolist() == [50] * 1000
    assert ring_limits(np.full(1000, 1e-3), 256, most=100).tolist() == [2] * 1000


def delivered(labels: list[int], quota: Quota, repeats: int, limits: list[int]) -> int:
    """What rings of these sizes deliver by one schedule, with the most uses that each could have left."""
    credit = [0] * len(limits)
    batches = 0
    classes, counts = quota.take()
    for label in labels:
        credit[label] = min(credit[label] + repeats, repeats * limits[label])
        while all(credit[number] >= count for number, count in zip(classes, counts, strict=True)):
            for number, count in zip(classes, counts, strict=True):
                credit[number] -= count
            batches += 1
            classes, counts = quota.take()
    return batches


@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=4).map(Shares.of),
    st.integers(1, 6),
    st.integers(1, 3),
    st.integers(0, 2**32),
)
def test_no_exact_schedule_delivers_more_than_the_optimum(target: Shares, size: int, repeats: int, seed: int):
    """The optimum is relaxed by one example for each class: at most that many batches more than the schedule here gets."""
    count = len(target)
    labels = np.random.default_rng(seed).integers(0, count, 300).tolist()
    limits = [4 * ceil(size * weight / target.total) for weight in target.weights]
    best = offline_optimum(labels, target, size, repeats, np.array(limits))

    assert delivered(labels, Quota(target, size), repeats, limits) <= best
    for number, weight in enumerate(target.weights):
        assert floor(best * size * weight / target.total) <= repeats * labels.count(number)


def test_the_optimum_is_no_less_than_any_choice_of_counts():
    """Every way to round each batch of two from shares 3 : 1, up to five batches, tried on every stream of nine."""
    target, limits = Shares.of([3, 1]), [2, 1]
    splits = [
        counts
        for counts in product((1, 2), repeat=5)
        if all(floor(1.5 * k) <= sum(counts[:k]) <= ceil(1.5 * k) for k in range(1, 6))
    ]
    for labels in product((0, 1), repeat=9):
        best = 0
        for counts in splits:
            credit, batches = [0, 0], 0
            for label in labels:
                credit[label] = min(credit[label] + 1, limits[label])
                if batches < 5 and credit[0] >= counts[batches] and credit[1] >= 2 - counts[batches]:
                    credit = [credit[0] - counts[batches], credit[1] - 2 + counts[batches]]
                    batches += 1
            best = max(best, batches)

        assert best <= offline_optimum(labels, target, 2, 1, np.array(limits))
