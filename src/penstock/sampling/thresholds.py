"""What is admitted, by the shares that arrive and those that are wanted."""

from __future__ import annotations

from penstock.sampling import kernels
from penstock.sampling.estimates import Uint64s
from penstock.sampling.shares import Float64s

__all__ = ["thresholds"]


def thresholds(arriving: Float64s, target: Float64s, repeats: int, slack: float = 0.125) -> Uint64s:
    """What a coin of 64 bits must not exceed for an example to be admitted.

    At the best rate, `repeats * min p / q` examples delivered for each that arrives, a class needs `rate * q / p` of what
    arrives of it; it is admitted with that probability, and somewhat more, lest chance and a prior that lags starve it.
    So each arrival of a class has the same chance.

    Args:
      arriving: p, float64[K].
      target: q, float64[K].
      repeats: how often one example may be used.
      slack: how much more than needed is admitted, as a part of it.

    Returns:
      uint64[K]: 0 for a class without a target; `ALWAYS` for one that is always admitted.

    >>> import numpy as np
    >>> from penstock.sampling.estimates import ALWAYS
    >>> thresholds(np.array([0.8, 0.2]), np.array([0.5, 0.5]), 1).tolist() == [int(0.28125 * 2**64), ALWAYS]
    True
    """
    return kernels.admission(arriving, target, repeats, slack)
