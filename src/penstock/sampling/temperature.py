"""One knob between the shares as they come and equal shares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import final

import numpy as np

from penstock.errors import PipelineError, mismatch
from penstock.sampling.shares import Float64s

__all__ = ["Temperature"]


@final
@dataclass(frozen=True, slots=True)
class Temperature:
    """A target that follows the arriving shares p: in proportion to `p ** alpha`.

    At `alpha=1` the shares stay as they come, at 0 they are equal, and above 1 frequent classes gain.
    Low values repeat the tail more often; 0.3 is what multilingual models settled on.

    Args:
      alpha: finite and at least 0; what some papers call 1 / T.

    Raises:
      PipelineError: `alpha` is negative, infinite, NaN, or no number.

    Source: Conneau et al., "Unsupervised Cross-lingual Representation Learning at Scale" (XLM-R), ACL 2020, alpha = 0.3;
    Xue et al., "mT5", NAACL 2021, alpha = 0.3; Arivazhagan et al., 2019, T = 5.

    >>> Temperature(0.5).shares(np.array([0.64, 0.16, 0.04])).round(6).tolist()
    [0.571429, 0.285714, 0.142857]
    """

    alpha: float
    """The power that arriving shares are raised to."""

    def __post_init__(self) -> None:
        alpha: object = self.alpha
        number = isinstance(alpha, Real) and not isinstance(alpha, bool)
        if not number or not 0 <= self.alpha < math.inf:
            got = str(self.alpha) if number else f"`{type(self.alpha).__name__}`"
            raise PipelineError(mismatch("a finite alpha of at least 0", got, at="Temperature(alpha)"))

    def shares(self, arriving: Float64s) -> Float64s:
        """The target for shares as they arrive; a class that does not arrive gets nothing.

        Only multiplied, divided and rooted, each of which rounds alike everywhere; powers of other libraries differ in
        the last bit from machine to machine, and batches with them.

        Args:
          arriving: float64[K], at least 0, not all 0, on any scale.

        Returns:
          float64[K] that sum to one, up to rounding.
        """
        some = arriving > 0
        root = np.where(some, arriving / arriving.max(), 1)
        whole = int(self.alpha)
        powers = np.ones(len(arriving))
        square = root
        for bit in reversed(bin(whole)[2:]):
            if bit == "1":
                powers = powers * square
            square = square * square
        part = self.alpha - whole
        for _ in range(64):  # Bits behind the point: a square root each.
            if not part:
                break
            root = np.sqrt(root)
            part *= 2
            if part >= 1:
                powers = powers * root
                part -= 1
        target: Float64s = np.where(some, powers, 0)
        target /= np.cumsum(target)[-1]
        return target
