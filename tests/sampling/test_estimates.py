"""The sums behind what is learnt: the native ones are those of the twin, to the bit; how much is enough to hold."""

from __future__ import annotations

from math import ceil, inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.sampling import estimates, kernels, spare_limits

shares = st.lists(st.floats(1e-12, 1) | st.just(0.0), min_size=1, max_size=12)
counts = st.integers(0, 10**6)


@given(shares, st.data())
def test_the_native_sums_are_those_of_the_twin_to_the_bit(values: list[float], data: st.DataObject):
    """What is learnt decides what is admitted, so a last bit that differs would be another batch."""
    several = st.lists(counts, min_size=len(values), max_size=len(values))
    held, new = np.array(data.draw(several), float) / 3, np.array(data.draw(several), np.int64)
    start, target = np.array(values), np.array(data.draw(st.permutations(values)))
    repeats = data.draw(st.integers(1, 9))
    for name, given_ in {
        "estimate": (held, start, 0.5),
        "distance": (new, start),
        "admission": (start, target, repeats, 0.125),
        "most_inputs": (start, target, 64, repeats, 2.0**62),
        "spare": (start, target, 64, repeats, data.draw(st.floats(1, 1e6)), data.draw(st.floats(1, 9))),
    }.items():
        native, twin = getattr(kernels, name)(*given_), getattr(estimates, name)(*given_)

        assert np.asarray(native).tobytes() == np.asarray(twin).tobytes(), name


@pytest.mark.skipif(not kernels.NATIVE, reason="the twin trusts its callers")
def test_the_native_sums_refuse_what_they_would_read_wrongly():
    """They go by the memory, so an array of another kind must not get that far."""
    with pytest.raises(AssertionError, match="counts are int64"):
        kernels.estimate(np.zeros(2, np.float32), np.zeros(2), 0.5)
    with pytest.raises(AssertionError, match="counts are int64"):
        kernels.Prior(2).update(np.zeros(2), 64)
    with pytest.raises(AssertionError, match="one number"):
        kernels.estimate(np.zeros(2), np.zeros(3), 0.5)


def test_rings_of_what_is_to_spare_are_as_small_as_the_law_lets_them_be():
    """The walk of a class that comes twice as often as it is needed: 6.9 v / (2 gain), with 2 sigmas taken off the gain."""
    arriving, target = np.array([0.4, 0.4, 0.2]), np.array([0.3, 0.4, 0.3])
    variance = 0.4 + 0.3 / 0.3 * 0.2
    gain = 0.4 - 0.2 - 2 * (variance / 8192) ** 0.5
    enough = spare_limits(arriving, target, 1, 1, window=4096)

    assert enough[2] == inf, "the class that sets the pace"
    assert enough[0] == max(16, ceil(1 + 6.9 * variance / (2 * gain)))
    assert (spare_limits(arriving, target, 1, 1, window=4096, scatter=40) >= enough).all()
    assert spare_limits(arriving, target, 1, 1, window=10).tolist() == [inf] * 3, "too little is known"
    assert spare_limits(arriving, target, 1, 2, window=4096).tolist() == [inf] * 3, "each is used more than once"


def test_a_class_that_never_came_or_has_no_target_is_not_to_spare():
    """Nothing is known of it, and nothing is to be gained by small rings."""
    enough = spare_limits(np.array([0.0, 0.8, 0.2]), np.array([0.5, 0.0, 0.5]), 8, 1, window=4096)

    assert enough.tolist() == [inf] * 3
    assert spare_limits(np.zeros(2), np.full(2, 0.5), 8, 1, window=4096).tolist() == [inf] * 2
