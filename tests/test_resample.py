"""`resample_at_rate` and `weighted_resample`: rows left out or repeated at random, so many times on average."""

import copy
import pickle
from collections import namedtuple
from math import inf, nan, sqrt
from typing import Any

import numpy as np
import pytest

import penstock as ps
from penstock.testing import same

Pair = namedtuple("Pair", "a b")
FOUR = np.arange(4)


def rows(weights: Any, resample: ps.WeightedResample) -> list[int]:
    """The rows that a call gives."""
    [out], _ = resample([np.arange(len(weights))], weights)
    return out.tolist()


@pytest.mark.parametrize(
    "inputs",
    [
        [FOUR, FOUR * 0.5],
        (FOUR, FOUR * 0.5),
        [FOUR],
        {"x": FOUR, "y": FOUR.reshape(4, 1)},
        Pair(FOUR, FOUR),
        FOUR,
        [FOUR.astype("U1"), {"deep": FOUR.astype(object)}],
    ],
)
def test_all_components_get_the_same_rows_in_the_structure_that_went_in(inputs: Any):
    """A tuple as a list, as in TF1; dtypes and the other dimensions stay."""
    index = ps.resample_at_rate(FOUR, [2.0, 0.5, 1.0, 3.0], seed=4)
    want: Any = {
        list: lambda: [{"deep": part["deep"][index]} if isinstance(part, dict) else part[index] for part in inputs],
        tuple: lambda: [part[index] for part in inputs],
        dict: lambda: {name: part[index] for name, part in inputs.items()},
        Pair: lambda: Pair(*(part[index] for part in inputs)),
        np.ndarray: lambda: inputs[index],
    }[type(inputs)]()

    got = ps.resample_at_rate(inputs, [2.0, 0.5, 1.0, 3.0], seed=4)

    assert len(index) > 0
    assert type(got) is type(want)
    assert same(got, want)


def test_copies_stand_together_and_rows_keep_their_order():
    """As in TF1."""
    index = ps.resample_at_rate(np.arange(1000), np.full(1000, 1.5), seed=0)

    assert (np.diff(index) >= 0).all()


def test_a_row_comes_as_often_as_its_rate_on_average():
    """The copies of 4000 rows of rate λ are a Poisson number of mean 4000·λ: five sigma are 5·√(4000·λ)."""
    for rate in (0.25, 1.0, 7.0):
        total = len(ps.resample_at_rate(np.arange(4000), np.full(4000, rate), seed=2))

        assert abs(total - 4000 * rate) <= 5 * sqrt(4000 * rate)


def test_a_rate_of_zero_gives_nothing():
    """Not even an error: an empty batch, with its dtype and shape."""
    assert same(ps.resample_at_rate([np.ones((3, 2), np.float32)], [0, 0, 0]), [np.empty((0, 2), np.float32)])
    assert same(ps.resample_at_rate([np.empty(0)], []), [np.empty(0)])


def test_a_seed_repeats_a_call_and_none_does_not():
    """Of 64 rows at rate 1 two calls agree by chance with (Σ p²)^64 = 0.31^64, or 1e-33."""
    many, ones = np.arange(64), np.ones(64)

    def drawn(seed: Any) -> list[int]:
        return ps.resample_at_rate(many, ones, seed=seed).tolist()

    assert drawn(5) == drawn(5) != drawn(6)
    assert drawn(-5) != drawn(5)
    assert drawn(None) != drawn(None)
    rng, again = np.random.default_rng(1), np.random.default_rng(1)
    first, second = drawn(rng), drawn(rng)
    assert [first, second] == [drawn(again), drawn(again)]
    assert first != second


def test_the_global_generators_are_never_touched():
    """Neither read nor advanced."""
    np.random.seed(5)
    before = np.random.get_state()[1].tolist()

    ps.resample_at_rate(FOUR, np.ones(4))
    ps.weighted_resample([FOUR], np.ones(4), 1.0)

    assert np.random.get_state()[1].tolist() == before


def test_in_a_map_every_batch_draws_by_its_own_numbers():
    """The same at every run, inline or ahead, and no two batches alike."""
    ones = np.ones(32)
    pipeline = ps.from_arrays(np.tile(np.arange(32), 5)).batch(32)
    resampled = pipeline.map(lambda batch, rng: ps.resample_at_rate(batch, ones, seed=rng))

    batches = list(resampled)

    with resampled.open(inline=True) as flow:
        assert same(list(flow), batches)
    assert len({tuple(batch.tolist()) for batch in batches}) == 5


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ([1, -1.0, 1, 1], "expected `rates` >= 0, and finite, got `-1.0` - at row 1"),
        ([1, 1, nan, -1], "expected `rates` >= 0, and finite, got `nan` - at row 2"),
        ([inf, 1, 1, 1], "expected `rates` >= 0, and finite, got `inf` - at row 0"),
        ([1, 1, 1], "expected `rates` of shape `[4]`, one for each row, got `[3]` - at rates"),
        (2.0, "expected `rates` of shape `[4]`, one for each row, got `[]` - at rates"),
        (np.ones((4, 1)), "expected `rates` of shape `[4]`, one for each row, got `[4, 1]` - at rates"),
        (["a"] * 4, "expected `rates` of numbers, got `<U1[4]` - at rates"),
        (None, "expected `rates` of numbers, got `NoneType` - at rates"),
    ],
)
def test_rates_that_cannot_be_are_said(rates: Any, message: str):
    """With the row; in TF1 a NaN never came back."""
    with pytest.raises(ps.SpecError) as caught:
        ps.resample_at_rate([FOUR], rates)

    assert str(caught.value) == message


@pytest.mark.parametrize("inputs", [[], [3.0], [FOUR, np.arange(3)], "text", None])
def test_inputs_without_common_rows_are_an_error(inputs: Any):
    """Each component has one row for each rate."""
    with pytest.raises(ps.SpecError, match="expected"):
        ps.resample_at_rate(inputs, [1, 1, 1, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ps.resample_at_rate([FOUR], np.ones(4), back_prop=True),
            "expected `back_prop=False`; NumPy arrays carry no gradients, got `True` - at resample_at_rate(back_prop)",
        ),
        (
            lambda: ps.resample_at_rate([FOUR], np.ones(4), seed=1.5),
            "expected `seed` to be an integer, a NumPy generator or `None`, got `1.5` - at resample(seed)",
        ),
        (
            lambda: ps.WeightedResample(-1.0),
            "expected `overall_rate` to be a number >= 0, and finite, got `-1.0` - at weighted_resample(overall_rate)",
        ),
        (
            lambda: ps.WeightedResample(nan),
            "expected `overall_rate` to be a number >= 0, and finite, got `nan` - at weighted_resample(overall_rate)",
        ),
        (
            lambda: ps.weighted_resample([FOUR], np.ones(4), None),
            "expected `overall_rate` to be a number >= 0, and finite, got `None` - at weighted_resample(overall_rate)",
        ),
        (
            lambda: ps.weighted_resample([FOUR], np.ones(4), 1.0, mean_decay=1.0),
            "expected `mean_decay` to be a number in [0, 1), got `1.0` - at weighted_resample(mean_decay)",
        ),
    ],
)
def test_an_argument_that_cannot_be_is_said(call: Any, message: str):
    """As a ValueError."""
    with pytest.raises(ps.PipelineError) as caught:
        call()

    assert str(caught.value) == message


def test_rates_are_weights_relative_to_the_mean_and_come_with_the_rows():
    """The mean weight is 2, so at an overall rate of 3 a weight of 1 has the rate 1.5."""
    weights = np.array([1.0, 2.0, 3.0, 2.0])

    [out], rates = ps.weighted_resample([FOUR], weights, 3.0, seed=0)

    assert rates.dtype == np.float64
    assert same(rates, (weights * 1.5)[out])
    assert {0, 1, 2, 3} == {*out.tolist()}
    as_ints = ps.weighted_resample([FOUR], [1, 2, 3, 2], 3, seed=0)
    assert same(as_ints, ([out], rates))


def test_the_scale_of_the_weights_does_not_matter():
    """Only their proportions do; a power of two leaves the same bits."""
    weights = np.array([1.0, 2.0, 3.0, 2.0])

    assert same(
        ps.weighted_resample([FOUR], weights, 1.0, seed=0), ps.weighted_resample([FOUR], weights * 2**20, 1.0, seed=0)
    )


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_the_moving_mean_is_tf1s_without_its_bias(decay: float):
    """m_t = d·m + (1 - d)·w, z_t = d·z + (1 - d), mean = m / z, this batch included; computed here as TF1 did."""
    resample = ps.WeightedResample(1.0, mean_decay=decay)
    m = z = 0.0

    for call, weights in enumerate(([4.0, 2.0], [1.0, 1.0], [0.0, 0.5], [10.0, 0.0]), 1):
        m, z = decay * m + (1 - decay) * np.mean(weights), decay * z + (1 - decay)
        [out], rates = resample([np.arange(2)], weights)
        assert resample.mean == pytest.approx(m / z)
        assert rates == pytest.approx(np.array(weights)[out] / (m / z))
        assert resample.calls == call


def test_the_first_call_takes_its_own_mean_to_the_bit():
    """And so the function is the first call of an object."""
    weights = np.array([0.1, 0.7, 0.3])
    resample = ps.WeightedResample(1.0, seed=9)

    first = resample([np.arange(3)], weights)

    assert resample.mean == weights.mean()
    assert same(first, ps.weighted_resample([np.arange(3)], weights, 1.0, seed=9))
    assert same(first, ps.weighted_resample([np.arange(3)], weights, 1.0, "scope", 0.5, 9))


def test_each_call_draws_anew_and_each_run_the_same():
    """Two calls agree by chance with 0.31^64, or 1e-33."""
    weights = np.ones(64)
    one, other = ps.WeightedResample(1.0, seed=1), ps.WeightedResample(1.0, seed=1)

    runs = [[rows(weights, resample) for _ in range(3)] for resample in (one, other)]

    assert runs[0] == runs[1]
    assert len({tuple(call) for call in runs[0]}) == 3
    assert rows(weights, ps.WeightedResample(1.0, seed=2)) != runs[0][0]


@pytest.mark.parametrize("kept", [copy.copy, lambda resample: pickle.loads(pickle.dumps(resample))])
def test_a_copy_goes_on_where_the_object_is(kept: Any):
    """So its state can be kept."""
    resample = ps.WeightedResample(2.0, mean_decay=0.5, seed=1)
    for weights in ([1.0, 2.0], [3.0, 4.0]):
        rows(weights, resample)

    other = kept(resample)

    assert same([other([FOUR], FOUR) for _ in range(3)], [resample([FOUR], FOUR) for _ in range(3)])
    assert other.mean == resample.mean


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            [0, 0],
            "expected `weights` whose mean so far is above zero, and finite, got `0.0` - at weighted_resample(weights)",
        ),
        (
            [],
            "expected `weights` whose mean so far is above zero, and finite, got `0.0` - at weighted_resample(weights)",
        ),
        (
            [1e308, 1e308],
            "expected `weights` whose mean so far is above zero, and finite, got `inf` - at weighted_resample(weights)",
        ),
        ([1, -1], "expected `weights` >= 0, and finite, got `-1.0` - at row 1"),
        ([nan, 1], "expected `weights` >= 0, and finite, got `nan` - at row 0"),
        ([1, inf], "expected `weights` >= 0, and finite, got `inf` - at row 1"),
    ],
)
def test_weights_that_cannot_be_are_said_and_change_nothing(weights: list[float], message: str):
    """With weights that were all zero TF1 never came back."""
    resample = ps.WeightedResample(1.0, seed=1)

    with pytest.raises(ps.SpecError) as caught:
        resample([np.arange(len(weights))], weights)

    assert str(caught.value) == message
    assert (resample.mean, resample.calls) == (0.0, 0)
    assert rows(np.ones(9), resample) == rows(np.ones(9), ps.WeightedResample(1.0, seed=1))


def test_a_batch_of_zero_weights_among_others_gives_nothing():
    """Its rates are 0, not 0/0: the mean holds those before it."""
    resample = ps.WeightedResample(1.0)
    rows([1.0, 1.0], resample)

    assert rows([0.0, 0.0], resample) == []
    assert resample.calls == 2


def test_handed_to_map_by_itself_it_says_what_is_missing():
    """`map` would hand it a generator for the weights."""
    pipeline = ps.from_arrays(FOUR).batch(2).map(ps.WeightedResample(1.0))

    with pytest.raises(ps.SpecError) as caught:
        list(pipeline)

    assert str(caught.value) == "expected `weights` of numbers, got `Generator` - at weights"
