"""A target in proportion to a power of what arrives."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PipelineError
from penstock.sampling import Temperature

ARRIVING = np.array([0.64, 0.0, 0.32, 0.04])


@given(st.floats(0, 20), st.lists(st.floats(1e-9, 1), min_size=1, max_size=12))
def test_it_is_the_power(alpha: float, arriving: list[float]):
    """To 13 digits of Python's own; each of some 70 steps rounds by 2**-53."""
    p = np.array(arriving)
    expected = np.array([(value / max(arriving)) ** alpha for value in arriving])
    target = Temperature(alpha).shares(p)

    np.testing.assert_allclose(target, expected / expected.sum(), rtol=1e-13, atol=1e-300)


def test_one_leaves_the_shares_as_they_come():
    """The natural target."""
    np.testing.assert_allclose(Temperature(1).shares(ARRIVING), ARRIVING, rtol=1e-15)


def test_zero_makes_equal_what_arrives_at_all():
    """A class that never came cannot be asked for."""
    assert Temperature(0).shares(ARRIVING).tolist() == [1 / 3, 0, 1 / 3, 1 / 3]


def test_large_powers_leave_the_most_frequent():
    """Small ones underflow to nothing, and nobody divides by it."""
    for alpha in (1e300, 10**400):
        assert Temperature(alpha).shares(ARRIVING).tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("alpha", "got"),
    [
        (-0.5, "-0.5"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ("0.3", "`str`"),
        (True, "`bool`"),
        (None, "`NoneType`"),
    ],
)
def test_a_power_that_makes_no_sense_is_refused(alpha: Any, got: str):
    """When it is written, not when the first batch is composed."""
    with pytest.raises(PipelineError) as caught:
        Temperature(alpha)

    assert str(caught.value) == f"expected a finite alpha of at least 0, got {got} - at Temperature(alpha)"
