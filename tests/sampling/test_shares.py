"""Shares are read exactly, from whatever holds numbers, and what cannot be shares is named."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PipelineError
from penstock.sampling import Shares, probabilities, shares

DECIMALS = [0.29, 0.71]
READABLE = {
    "list": DECIMALS,
    "tuple": tuple(DECIMALS),
    "float64": np.array(DECIMALS),
    "float32": np.float32(DECIMALS),
    "float16": np.float16(DECIMALS),
    "longdouble": np.array(["0.29", "0.71"], np.longdouble),
    "float32 scalars": list(np.float32(DECIMALS)),
    "arrays without dimensions": [np.array(value) for value in DECIMALS],
    "widths mixed": [np.float32(0.29), 0.71],
    "Fraction": [Fraction(29, 100), Fraction(71, 100)],
    "Decimal": [Decimal("0.29"), Decimal("71E-2")],
    "kinds mixed": [Decimal("0.29"), Fraction(71, 100)],
    "objects": np.array([Fraction(29, 100), 0.71], object),
    "backwards": np.array([0.71, 0.29])[::-1],
}


@pytest.mark.parametrize("values", READABLE.values(), ids=READABLE)
def test_a_float_is_the_decimal_that_it_prints_as(values: Any):
    """So that 100 * 0.29 is 29: as a binary fraction it is a little less, and a class would lose an example."""
    assert probabilities(values, what="target_probs") == Shares((29, 71), 100)
    assert shares(values, what="weights") == Shares((29, 71), 100)


def test_arrays_of_torch_are_read_by_their_own_width():
    """Its float32 prints as NumPy's does; what needs a gradient, or has a dtype that NumPy lacks, is read as well."""
    torch = pytest.importorskip("torch")

    for values in (
        torch.tensor(DECIMALS),
        torch.tensor(DECIMALS, requires_grad=True),
        torch.tensor(DECIMALS, dtype=torch.float64),
        [torch.tensor(0.29), 0.71],
    ):
        assert probabilities(values, what="target_probs") == Shares((29, 71), 100)
    assert shares(torch.tensor([0.25, 0.75], dtype=torch.bfloat16), what="weights") == Shares((1, 3), 4)


def test_arrays_of_jax_are_read_by_their_own_width():
    """Its arrays are float32 unless asked for more."""
    numpy = pytest.importorskip("jax.numpy")

    assert probabilities(numpy.array(DECIMALS), what="target_probs") == Shares((29, 71), 100)
    assert probabilities([numpy.float32(0.29), 0.71], what="target_probs") == Shares((29, 71), 100)
    assert shares(numpy.array([0.25, 0.75], dtype="bfloat16"), what="weights") == Shares((1, 3), 4)


@given(st.lists(st.integers(0, 2**70), min_size=1, max_size=20).filter(any), st.integers(-30, 30))
def test_scale_does_not_matter(weights: list[int], power: int):
    """Weights are on any positive scale; what is common to all is divided out."""
    expected = Shares.of(weights)

    assert shares([Decimal(weight).scaleb(power) for weight in weights], what="weights") == expected
    assert shares([Fraction(weight, 7) for weight in weights], what="weights") == expected
    assert sum(expected.weights) == expected.total


@given(st.lists(st.floats(0, 1e300), min_size=1, max_size=20).filter(any))
def test_floats_of_any_size_keep_their_ratio_exactly(values: list[float]):
    """From the smallest to the largest that a float holds; the definition is a sum of fractions."""
    exact = [Fraction(repr(value)) for value in values]
    read = shares(values, what="weights")

    assert [Fraction(weight, read.total) for weight in read.weights] == [value / sum(exact) for value in exact]


def test_floats_are_correctly_rounded():
    """Weights may be far too large for a float, their ratio is not."""
    read = Shares((10**400, 2 * 10**400), 3 * 10**400)

    assert read.floats().tolist() == [1 / 3, 2 / 3]


@pytest.mark.parametrize("miss", ["0.000001", "-0.000001"])
def test_a_sum_within_a_millionth_of_one_is_divided_by(miss: str):
    """What computed probabilities miss is divided out, exactly; the millionth itself still passes."""
    read = probabilities([Decimal("0.5"), Decimal("0.5") + Decimal(miss)], what="target_probs")

    assert Fraction(read.weights[0], read.total) == Fraction(1, 2) / (1 + Fraction(miss))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "expected target_probs of at least one class, got none"),
        (np.empty(0), "expected target_probs of at least one class, got none"),
        (0.5, "expected target_probs of one dimension, got shape ()"),
        ([[0.5, 0.5]], "expected target_probs of one dimension, got `list` - at position 0"),
        ([0.5, [0.5, [1]]], "expected target_probs of one dimension, got `list` - at position 1"),
        ([0.5, np.ones(1)], "expected target_probs of one dimension, got `ndarray` - at position 1"),
        (np.ones((2, 2)) / 4, "expected target_probs of one dimension, got shape (2, 2)"),
        ({0: 1.0}, "expected target_probs of one dimension, got `dict`"),
        ("0.5", "expected target_probs of one dimension, got `str`"),
        (iter([0.5, 0.5]), "expected target_probs of one dimension, got `list_iterator`"),
        ([0.5, float("nan")], "expected finite numbers in target_probs, got nan - at position 1"),
        (np.array([0.5, np.nan]), "expected finite numbers in target_probs, got nan - at position 1"),
        (np.float32([np.inf, 0]), "expected finite numbers in target_probs, got inf - at position 0"),
        ([Decimal("-Infinity")], "expected finite numbers in target_probs, got -Infinity - at position 0"),
        (["0.5", 0.5], "expected finite numbers in target_probs, got `str` - at position 0"),
        ([0.5, None], "expected finite numbers in target_probs, got `NoneType` - at position 1"),
        ([0.5j, 1], "expected finite numbers in target_probs, got `complex` - at position 0"),
        (np.array(["a"]), "expected finite numbers in target_probs, got `str_` - at position 0"),
        ([1.5, -0.5], "expected target_probs of at least 0, got -0.5 - at position 1"),
        (np.float32([1.1, -0.1]), "expected target_probs of at least 0, got -0.1 - at position 1"),
        ([0, 0.0], "expected target_probs with at least one above 0, got 2 zeros"),
    ],
)
def test_what_cannot_be_shares_is_refused(values: Any, message: str):
    """In both ways of reading them, with the position of what is wrong, as the ValueError that TF1 promised."""
    for read in (shares, probabilities):
        again = iter([0.5, 0.5]) if hasattr(values, "__next__") else values
        with pytest.raises(PipelineError) as caught:
            read(again, what="target_probs")

        assert str(caught.value) == message
        assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(("values", "total"), [([0.5, 0.4], "0.9"), ([0.5, 0.5000011], "1.0000011"), ([1, 1], "2")])
def test_a_sum_that_is_not_one_is_said(values: list[float], total: str):
    """Only of probabilities; weights are on any scale."""
    with pytest.raises(PipelineError) as caught:
        probabilities(values, what="target_probs")

    assert str(caught.value) == f"expected target_probs to sum to 1 within 1e-6, got {total}"
    assert shares(values, what="weights").total > 0
