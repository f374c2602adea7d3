"""What arrives, estimated: near enough where it stays, quick where it changes; and what is admitted by it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock.sampling.prior as twin
from penstock.sampling import Prior, thresholds
from penstock.sampling.estimates import ALWAYS
from penstock.sampling.prior import usual_window

SKEWED = np.array([0.90, 0.07, 0.02, 0.01])


def fed(prior: Prior, labels: np.ndarray) -> list[int]:
    """The arrival numbers at which the prior found that shares have changed."""
    found = []
    for start in range(0, len(labels) - prior.every + 1, prior.every):
        alarms = prior.alarms
        prior.update(np.bincount(labels[start : start + prior.every], minlength=len(prior.shares)), prior.every)
        if prior.alarms > alarms:
            found.append(start + prior.every)
    return found


def test_shares_that_stay_are_learnt():
    """Decayed counts have the variance p (1 - p) (1 - g) / (1 + g), about p (1 - p) / (2 window); five sigma."""
    prior = Prior(4)
    fed(prior, np.random.default_rng(0).choice(4, 40_000, p=SKEWED))

    assert prior.window == 4096 == usual_window(4)
    assert 0.99 * 4096 < prior.effective_window < 1.02 * 4096
    assert (np.abs(prior.shares - SKEWED) < 5 * np.sqrt(SKEWED * (1 - SKEWED) / 8192) + 2 / 4096).all()


def test_where_nothing_changes_there_is_no_alarm():
    """At most one in a million tests by the bound; these are 2,000, with rare classes and with equal ones."""
    random = np.random.default_rng(1)
    zipf = 1 / np.arange(1, 301)

    assert fed(Prior(300), random.choice(300, 300_000, p=zipf / zipf.sum())) == []
    assert fed(Prior(10), random.integers(0, 10, 1_000_000)) == []


def test_g8_a_jump_is_found_within_a_quarter_of_a_window():
    """Two tests of an eighth each, since one may straddle the jump; after a window, the new shares are known as above."""
    random = np.random.default_rng(2)
    labels = np.concatenate((random.choice(4, 20_000, p=SKEWED), random.choice(4, 8_000, p=SKEWED[::-1])))
    prior = Prior(4)
    found = fed(prior, labels)

    assert found
    assert 20_000 < found[0] <= 20_000 + 1024
    assert (np.abs(prior.shares - SKEWED[::-1]) < 0.02).all()


def test_runs_of_one_class_are_not_taken_for_drift_for_long():
    """Runs of 50 scatter about a hundredfold: the first few tests are alarmed and learn it, of the last 300 none is."""
    random = np.random.default_rng(3)
    labels = np.repeat(random.choice(4, 8_000, p=SKEWED), random.geometric(1 / 50, 8_000))[:300_000]
    found = fed(Prior(4), labels)

    assert len(found) <= 12
    assert all(number < 150_000 for number in found)


def test_shares_to_begin_with_are_outweighed_by_what_comes():
    """They count as an eighth of a window; a class that they exclude stays without a share until it comes."""
    prior = Prior(3, window=800, start=np.array([0.5, 0.5, 0.0]))
    assert prior.shares.tolist() == [0.5, 0.5, 0]
    assert prior.effective_window == 100

    for _ in range(40):
        prior.update(np.array([0, 90, 10]), 100)

    np.testing.assert_allclose(prior.shares, [0, 0.9, 0.1], atol=0.01)


def test_classes_may_be_added():
    """A new one has the share of one never seen."""
    prior = Prior(2)
    prior.update(np.array([600, 400]), 1000)
    prior.update(np.array([0, 0, 0]), 1)

    rest = 4096 * (1 - (1 - 1 / 4096) ** 1001)  # what 1,001 arrivals count, the first of them least
    assert prior.shares[2] == pytest.approx(0.5 / (rest + 1.5), rel=0.01)
    assert prior.shares.sum() == pytest.approx(1, abs=1e-12)


def test_arrivals_of_no_class_age_what_is_known():
    """They are counted in n alone."""
    prior = Prior(1, window=1024)
    prior.update(np.array([100]), 100)
    before = prior.effective_window
    prior.update(np.array([0]), 100)

    assert prior.effective_window == pytest.approx(before * (1 - 1 / 1024) ** 100, rel=1e-12)


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 900), min_size=1, max_size=8), st.integers(0, 99)), max_size=60),
    st.none() | st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(any),
    st.none() | st.integers(16, 3000),
)
def test_native_and_twin_are_alike_to_the_bit(
    runs: list[tuple[list[int], int]], start: list[float] | None, window: int | None
):
    """What is learnt decides what is admitted; runs that scatter set off alarms, and classes are added meanwhile."""
    begun = None if start is None else np.array(start) / np.cumsum(start)[-1]
    one, two = (kind(3, window=window, start=begun) for kind in (twin.Prior, Prior))
    classes = 3
    for counts, more in runs:
        classes = max(classes, len(counts))
        came = np.zeros(classes, np.int64)
        came[: len(counts)] = counts
        for prior in (one, two):
            prior.update(came, int(came.sum()) + more or 1)

        assert two.state() == one.state()
        assert two.shares.tobytes() == one.shares.tobytes()
        assert (two.effective_window, two.every, two.alarms) == (one.effective_window, one.every, one.alarms)
    for prior in (one, two):
        assert Prior.restore(prior.state()).state() == Prior.restore(prior.state(arrays=True)).state() == one.state()


@given(st.integers(0, 2**32), st.integers(0, 60))
def test_a_prior_goes_on_as_if_never_interrupted(seed: int, blocks: int):
    """Its state is JSON, floats to the last bit."""
    random = np.random.default_rng(seed)
    counts = random.multinomial(64, SKEWED, blocks + 40)
    prior = Prior(4, window=1024)
    for block in counts[:blocks]:
        prior.update(block, 64)
    again = Prior.restore(json.loads(json.dumps(prior.state())))

    for block in counts[blocks:]:
        prior.update(block, 64)
        again.update(block, 64)
        assert again.shares.tolist() == prior.shares.tolist()
    assert again.state() == prior.state()


def test_what_is_admitted_is_what_is_needed_and_somewhat_more():
    """At the best rate 4 * 0.04 = 0.16 a class needs 0.16 * 0.25 / p of what arrives of it."""
    admitted = thresholds(SKEWED, np.full(4, 0.25), 4, slack=0.25)
    chances = [0.16 * 0.25 / p * 1.25 for p in SKEWED[:2]]

    assert [float(threshold) / 2.0**64 for threshold in admitted[:2]] == pytest.approx(chances, rel=1e-12)
    assert admitted[2:].tolist() == [ALWAYS, ALWAYS]


def test_classes_without_a_target_or_without_arrivals_are_told_apart():
    """Without a target none is admitted. What is never seen is admitted when it comes, and does not starve the others."""
    admitted = thresholds(np.array([0.75, 0.25, 0.0]), np.array([0.5, 0.0, 0.5]), 1)

    assert admitted.dtype == np.uint64
    assert admitted.tolist() == [ALWAYS, 0, ALWAYS]


@given(st.lists(st.floats(1e-12, 1), min_size=1, max_size=10), st.integers(1, 8), st.floats(0, 2))
def test_the_scarcest_class_is_always_admitted(shares: list[float], repeats: int, slack: float):
    """Its need at the best rate is all of it, `repeats` times."""
    arriving = np.array(shares)
    admitted = thresholds(arriving, np.full(len(shares), 1 / len(shares)), repeats, slack)

    assert admitted[int(arriving.argmin())] == ALWAYS
    assert (admitted > 0).all()
