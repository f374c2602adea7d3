"""Whose turn it is: places by weights, within one example of the shares, whoever ends, and weights that change."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PipelineError
from penstock.sampling import Changing, Quota, Shares, Steady, Weights, read_weights
from penstock.sampling.mixture import RUN, SPARSE

weights_of = st.lists(st.integers(0, 40), min_size=1, max_size=8).filter(any)


def all_of(count: int) -> Any:
    return np.ones(count, bool)


@given(weights_of)
def test_every_prefix_is_within_one_example_of_the_shares(weights: list[int]):
    """Of the first k places each source has k w to within one, for every k."""
    mixture = Steady(weights)
    places = np.concatenate([mixture.places(all_of(len(weights)), 0) for _ in range(2)])
    k = np.arange(1, len(places) + 1)

    for number, weight in enumerate(weights):
        had = np.cumsum(places == number)
        assert (np.abs(had * sum(weights) - k * weight) < sum(weights)).all()


@given(weights_of, st.data())
def test_who_has_ended_falls_out_and_the_others_keep_their_places(weights: list[int], data: st.DataObject):
    """Their order among each other is as if nobody had ended."""
    live = np.array(data.draw(st.lists(st.booleans(), min_size=len(weights), max_size=len(weights))))
    left = sum(weight for weight, alive in zip(weights, live, strict=True) if alive)
    mixture = Steady(weights)
    places = mixture.places(live, 0)

    if not left:
        assert not len(places)
    elif left * SPARSE >= sum(weights):
        whole = Quota(Shares.of(weights), 1).pattern(1024 * SPARSE)
        assert places.tolist() == whole[live[whole]][: len(places)].tolist()


def test_what_is_left_of_a_schedule_is_not_looked_for_for_ever():
    """The one source that had next to all the weight ends; the two that are left share the places from then on."""
    mixture = Steady([10**15, 1, 3])
    places = mixture.places(np.array([False, True, True]), 0)

    assert places[:8].tolist() == [2, 2, 2, 1, 2, 2, 2, 1]


def test_a_source_without_weight_has_no_places():
    """And when only such are left there are none."""
    mixture = Steady([0, 2, 1])

    assert set(mixture.places(all_of(3), 0).tolist()) == {1, 2}
    assert not len(mixture.places(np.array([True, False, False]), 0))


@given(weights_of, st.lists(st.integers(0, 500), min_size=8, max_size=8))
def test_whole_rounds_are_passed_over_as_if_one_by_one(weights: list[int], ahead: list[int]):
    """Who is ahead of its places does without its next ones; the order of who is not is the same."""
    ahead = ahead[: len(weights)]
    live = all_of(len(weights))

    def following(ahead: list[int], count: int) -> list[int]:
        mixture, left, order = Steady(weights), list(ahead), []
        while len(order) < count:
            for number in mixture.places(live, 0).tolist():
                if left[number]:
                    left[number] -= 1
                else:
                    order.append(number)
        return order[:count]

    passed = Steady(weights).rounds(ahead, live)

    assert min([left // weight for left, weight in zip(passed, weights, strict=True) if weight]) == 0
    assert following(passed, 50) == following(ahead, 50)


@given(st.integers(1, 6), st.integers(0, 2**32))
def test_weights_that_change_are_met_within_the_harmonic_number(count: int, seed: int):
    """Less than 2 more, less than H(K) fewer than the shares so far sum to, for every k; see the module."""
    random = np.random.default_rng(seed)
    drawn = [random.integers(1, 1000, count).tolist() for _ in range(12)]
    mixture = Changing(lambda given: drawn[given // RUN], count)
    harmonic = sum(1 / number for number in range(1, count + 1))
    wanted, had = np.zeros(count), np.zeros(count)
    for run, weights in enumerate(drawn):
        places = mixture.places(all_of(count), run * RUN)
        assert len(places) == RUN
        shares = np.array(weights) / sum(weights)
        owed = np.arange(1, RUN + 1)[:, None] * shares - np.cumsum(places[:, None] == np.arange(count), axis=0)
        owed += wanted - had
        assert owed.min() > -2 - 1e-9
        assert owed.max() < harmonic + 1e-9
        wanted, had = wanted + RUN * shares, had + np.bincount(places, minlength=count)

    shares = np.mean([np.array(weights) / sum(weights) for weights in drawn], axis=0)
    assert mixture.asked() == pytest.approx(shares)


def test_a_function_that_leaves_only_ended_sources_ends_it():
    """It would be asked again for ever with the same number."""
    mixture = Changing(lambda given: [1, 0], 2)

    assert not len(mixture.places(np.array([False, True]), 7))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1], "expected a weight for each of the 2 sources, got 1 weights - at join(weights)"),
        ([1, 2, 3], "expected a weight for each of the 2 sources, got 3 weights - at join(weights)"),
        ([], "expected a weight for each of the 2 sources, got 0 weights - at join(weights)"),
        ([0, 0], "expected weights with at least one above 0, got 2 zeros - at join(weights)"),
        ([1, -1], "expected weights of at least 0, got -1 - at position 1 of join(weights)"),
        ([float("nan"), 1], "expected finite numbers in weights, got nan - at position 0 of join(weights)"),
        ([1, float("inf")], "expected finite numbers in weights, got inf - at position 1 of join(weights)"),
        (["1", 2], "expected finite numbers in weights, got `str` - at position 0 of join(weights)"),
        ([[1], [2]], "expected weights of one dimension, got `list` - at position 0 of join(weights)"),
        ({"a": 1}, "expected a weight for each of the 2 sources, got none for `b` - at join(weights)"),
        (
            {"a": 1, "b": 1, "c": 1},
            "expected a weight for each of the 2 sources, got one for `c`, which is none - at join(weights)",
        ),
        (3, "expected a sequence of weights, a mapping, or a function that gives one, got `int` - at join(weights)"),
        (
            np.float64(3),
            "expected a sequence of weights, a mapping, or a function that gives one, got `float64` - at join(weights)",
        ),
        ("ab", "expected a sequence of weights, a mapping, or a function that gives one, got `str` - at join(weights)"),
    ],
)
def test_what_is_no_weights_is_refused(weights: Any, message: str):
    """With what is wrong and where."""
    with pytest.raises(PipelineError) as raised:
        read_weights(weights, ["a", "b"], 2, at="join(weights)")
    assert str(raised.value) == message


def test_weights_by_name_need_names():
    """Of sources in a list."""
    with pytest.raises(PipelineError) as raised:
        read_weights({"a": 1, "b": 2}, None, 2, at="join(weights)")
    assert str(raised.value) == (
        "expected weights in the order of sources without names, got a mapping - at join(weights) - "
        "pass a dict of sources, or a sequence of weights"
    )


@pytest.mark.parametrize(
    "weights", [[1, 3], (0.25, 0.75), np.array([0.5, 1.5], np.float32), {"b": 30, "a": 10}, [Fraction(1, 3), 1]]
)
def test_weights_of_any_scale_are_the_same(weights: Any):
    """In whole numbers, exactly."""
    assert read_weights(weights, ["a", "b"], 2, at="join(weights)") == (1, 3)


def test_a_function_of_weights_is_read_each_time():
    """What it gives is checked like weights that stay; what it raises stays its own, with a note."""
    weights = Weights(lambda given: {"a": 1, "b": given}, ("a", "b"), 2)
    assert weights(7) == (1, 7)

    def broken(given: int) -> Any:
        raise ZeroDivisionError(given)

    with pytest.raises(ZeroDivisionError) as raised:
        Weights(broken, None, 2)(512)
    assert raised.value.__notes__ == ["penstock: while asking for the weights of a join at example 512"]

    with pytest.raises(PipelineError) as refused:
        Weights(lambda given: [1, -given], None, 2)(5)
    assert str(refused.value) == (
        "expected weights of at least 0, got -5 - at position 1 of join(weights) at example 5"
    )
