"""What TensorFlow 1 answered in `resample_at_rate` and `weighted_resample`, asked of penstock: every recorded case."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import penstock as ps

CASES = {case["id"]: case for case in json.loads((Path(__file__).parent / "resample.json").read_text())}
SIGMAS = 5


def of(function: str) -> list[str]:
    return [name for name, case in CASES.items() if case["function"] == function]


def within(got: Any, want: np.ndarray, sigma: np.ndarray) -> bool:
    """Whether every number lies within five sigma; recorded ones have five digits."""
    return bool((np.abs(np.asarray(got) - want) <= SIGMAS * sigma + 1e-5).all())


def mean_sigma(rates: np.ndarray, repeats: int) -> np.ndarray:
    """Of the mean of so many Poisson numbers, each of variance λ."""
    return np.sqrt(rates / repeats)


@pytest.mark.slow
@pytest.mark.parametrize("name", of("resample_at_rate"))
def test_copies_are_poisson_numbers_as_tf1s(name: str):
    """With n calls, for a row of rate λ the number of its copies has

    mean λ, with σ = √(λ/n); sample variance λ, with σ = √((λ + 2λ²)/n), since the fourth moment is λ + 3λ²; and is 0 in
    a share exp(-λ) of the calls, with σ = √(p(1-p)/n). Five sigma of each; TF1's own lie within the same.
    """
    case = CASES[name]
    rates, n, stats = np.array(case["rates"]), case["repeats"], case["answer"]["stats"]
    rng = np.random.default_rng(0)
    dtypes = [np.dtype(dtype) for dtype, _ in case["answer"]["static"]]
    inputs = [np.arange(len(rates)).astype(dtype) for dtype in dtypes]

    copies = []
    for _ in range(n):
        out = ps.resample_at_rate(inputs, rates, seed=rng)
        assert type(out) is list
        assert [part.dtype for part in out] == dtypes
        assert (np.diff(out[0]) >= 0).all()  # Copies adjacent, input order kept.
        np.testing.assert_array_equal(out[0], out[1])
        copies.append(np.bincount(out[0], minlength=len(rates)))

    own = np.array(copies)
    absent = np.exp(-rates)
    for mean, var, p0 in (
        (own.mean(0), own.var(0), (own == 0).mean(0)),
        (stats["mean_copies"], stats["var_copies"], stats["poisson_p0"]),
    ):
        assert within(mean, rates, mean_sigma(rates, n))
        assert within(var, rates, np.sqrt((rates + 2 * rates**2) / n))
        assert within(p0, absent, np.sqrt(absent * (1 - absent) / n))


@pytest.mark.slow
@pytest.mark.parametrize("name", of("weighted_resample"))
def test_weights_give_the_rates_of_the_formula(name: str):
    """The same weights at each call: their moving mean is their mean, so row i has the rate w_i·overall_rate / mean.

    The mean of n Poisson numbers lies within 5·√(λ/n) of λ; TF1's own lie within the same. TF1's rates, in float32, were
    off by up to 2e-5 at the first call; ours are exact.
    """
    case = CASES[name]
    (weights,), n, stats = case["weights"], case["repeats"], case["answer"]["stats"]
    formula = np.array(weights) * case["overall_rate"] / np.mean(weights)
    ((dtype, _),), _ = case["answer"]["static"]
    resample = ps.WeightedResample(case["overall_rate"], mean_decay=case["mean_decay"], seed=1)

    copies = np.zeros(len(weights))
    for call in range(n):
        out, rates = resample([np.arange(len(weights), dtype=dtype)], weights)
        assert type(out) is list
        assert out[0].dtype == dtype
        if call == 0:
            np.testing.assert_array_equal(rates, formula[out[0]])
        np.testing.assert_allclose(rates, formula[out[0]], rtol=1e-12)
        copies += np.bincount(out[0], minlength=len(weights))

    assert within(copies / n, formula, mean_sigma(formula, n))
    assert within(stats["mean_copies"], formula, mean_sigma(formula, n))
    np.testing.assert_allclose(stats["formula_rates"], formula)
    for tf1 in stats["rates_first_call"] + stats["rates_last_call"]:
        assert np.abs(formula - tf1).min() <= 2.5e-5


def test_the_recordings_are_all_here():
    """Lost cases would pass unnoticed."""
    assert {name: case["function"] for name, case in CASES.items()} == {
        "resample/at_rate_big": "resample_at_rate",
        "resample/weighted_const": "weighted_resample",
        "resample/weighted_rate_half": "weighted_resample",
    }
