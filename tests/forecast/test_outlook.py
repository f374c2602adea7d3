"""What a target asks of a file, and what the file gives."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.files import foretold, labels_of

COUNTS = (900, 70, 20, 10)


def test_the_bounds_are_those_of_the_counts():
    """p = (.90, .07, .02, .01), q uniform: the last class allows r * .01 / .25 examples for each that arrives."""
    seen = foretold(labels_of(COUNTS), batch_size=8)

    assert [seen.efficiency(repeats) for repeats in (1, 4)] == pytest.approx([0.04, 0.16])
    assert seen.inputs_for_batch == pytest.approx(50)
    assert (seen.critical, seen.balanced) == (3, False)
    assert [seen.most_batches(repeats) for repeats in (1, 4)] == [5, 20]


def test_uses_and_coverage_are_as_the_balance_says():
    """At the best rate .16 each class is used q * .16 / p times, and p or q * .16 of it at least once, whichever is less."""
    seen = foretold(labels_of(np.multiply(COUNTS, 20)), batch_size=8)

    assert seen.chosen.batches == 400
    assert seen.uses == pytest.approx([0.04 / 0.9, 0.04 / 0.07, 2, 4])
    assert seen.chosen.coverage == pytest.approx(0.04 + 0.04 + 0.02 + 0.01, abs=0.001)
    assert seen.chosen.inputs_per_output == pytest.approx(1 / 0.16)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=5), st.integers(1, 9), st.integers(1, 5), st.integers(0, 99))
def test_no_order_gives_more_batches_than_the_counts_allow(counts: list[int], size: int, repeats: int, seed: int):
    """For any number of repeats that is tried."""
    seen = foretold(labels_of(counts, seed=seed), batch_size=size, repeats=repeats)

    assert all(one.batches <= seen.most_batches(one.repeats) for one in seen.replays)


@pytest.mark.parametrize(
    ("repeats", "tried"), [(1, [1, 2, 3, 4]), (4, [1, 2, 3, 4]), (6, [1, 2, 3, 4, 6]), (20, [1, 2, 3, 4, 8, 16, 20])]
)
def test_other_numbers_of_repeats_are_tried_too(repeats: int, tried: list[int]):
    """A few small ones always, since that is what one wants to know; of many, powers of two."""
    seen = foretold(labels_of(COUNTS), repeats=repeats)

    assert [one.repeats for one in seen.replays] == tried
    assert seen.chosen.repeats == repeats


def test_beyond_the_best_rate_the_shares_move_as_little_as_they_can():
    """The example of water-filling that `feasible_target` shows: at a rate of .3, q' = (.3, .3, .267, .133)."""
    seen = foretold(labels_of(COUNTS))

    assert seen.nearest(0.3, 4).round(3).tolist() == [0.3, 0.3, 0.267, 0.133]
    assert seen.at_rate(0.3, 4).distance == pytest.approx(0.05 + 0.2 / 3)
    assert seen.at_rate(0.3, 4).coverage == pytest.approx(0.09 + 0.07 + 0.02 + 0.01)
    assert seen.at_rate(0.16, 4).distance == 0
    assert seen.at_rate(4.0, 4).distance == pytest.approx(0.65)
    assert seen.at_rate(4.1, 4) is None


@pytest.mark.parametrize("target", ["uniform", "natural", "0:0.7,1:0.3", "3:1"])
@pytest.mark.parametrize("repeats", [1, 4])
def test_more_batches_cost_the_target_and_never_coverage(target: str, repeats: int):
    """Along the trade-off, coverage and distance rise together, and no distance comes before the best rate."""
    seen = foretold(labels_of(COUNTS), target, repeats=repeats)

    points = seen.trade_off(repeats)

    assert all(np.diff([point.rate for point in points]) > 0)
    assert all(np.diff([point.coverage for point in points]) > -1e-12)
    assert all(np.diff([point.distance for point in points]) > -1e-12)
    assert {point.distance for point in points if point.rate <= seen.efficiency(repeats)} == {0}
    assert seen.efficiency(repeats) in [point.rate for point in points]


def test_the_natural_target_takes_all_as_it_comes():
    """Every class is as scarce as any other."""
    seen = foretold(labels_of(COUNTS), "natural", repeats=1, batch_size=10)

    assert seen.balanced
    assert seen.most_batches(1) == 100
    assert seen.chosen.batches >= 98
    assert seen.inputs_for_batch == pytest.approx(10)


def test_what_waits_is_bounded_by_what_there_is():
    """A ring of 896 never holds more than the 10 examples of its class; one without a target holds none."""
    seen = foretold(labels_of(COUNTS), "0:0.5,3:0.5")

    assert seen.limits.tolist() == [896, 0, 0, 10]
    assert seen.uses[1:3].tolist() == [0, 0]


@pytest.mark.slow
def test_a_hundred_thousand_classes_are_no_burden():
    """Work does not go by classes times batches."""
    seen = foretold(labels_of([1] * 100_000), batch_size=256, repeats=1)

    assert seen.chosen.batches > 0
    assert len(seen.record()["classes"]) == 100_000


def test_the_record_is_json_and_says_what_the_object_says():
    """For other programs; nothing in it is infinite, and bytes are text."""
    seen = foretold(labels_of([50, 3], [b"a", b"\xff"]), repeats=2)

    record = json.loads(json.dumps(seen.record(), allow_nan=False))

    assert [one["label"] for one in record["classes"]] == ["a", "\\xff"]
    assert [one["examples"] for one in record["classes"]] == [50, 3]
    assert [one["batches"] for one in record["by_repeats"]] == [one.batches for one in seen.replays]
    assert record["by_repeats"][0]["inputs_per_output"] is None
    assert record["critical_class"] == "\\xff"
