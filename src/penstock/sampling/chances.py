"""How likely to keep an arrival of each class, so that what is kept has the shares that are asked for."""

from __future__ import annotations

import numpy as np

from penstock.sampling.shares import Float64s

__all__ = ["ROOM", "chances", "leant"]

ROOM = 64
"""How far a class may be ahead of its share, beside four batches of it, until it is kept no more. [examples]"""


def chances(arriving: Float64s, target: Float64s) -> Float64s:
    """The chance of each class by which the shares p that arrive become the target q: in proportion to q / p, at most 1.

    Of what arrives, min p / q is kept, and with so little of each class no more can be.

    Args:
      arriving: p, float64[K].
      target: q, float64[K], on any scale; not all 0.

    Returns:
      float64[K], the largest 1. A class that is never to come, and comes, is kept if it has a target.

    Source: TF1 `tf.contrib.training.stratified_sample`.

    >>> chances(np.array([0.7, 0.2, 0.1]), np.array([0.2, 0.3, 0.5])).round(6).tolist()
    [0.057143, 0.3, 1.0]
    """
    ratio = np.zeros(len(target))
    known = arriving > 0
    np.divide(target, arriving, out=ratio, where=known)
    most = ratio.max(initial=0.0)
    kept: Float64s = ratio / most if most > 0 else ratio
    kept[~known & (target > 0)] = 1.0
    return kept


def leant(target: Float64s, lag: Float64s, size: int) -> Float64s:
    """A target that leans against what was given too much, in place of one that stays.

    The share of a class falls in a straight line with the examples that it is ahead, and is 0 from L = 64 + 4 b q on.
    So no class is ever further ahead than L and the b (1 - q) that one batch may add, whatever arrives and however wrong
    its estimate is. While the estimate is right, its lead is a random walk that is drawn back, of variance L / 2 or so:
    it does not grow with the number of examples, as that of plain rejection does.

    Args:
      target: q, float64[K] that sum to 1.
      lag: how many examples of each class were given beyond its share, float64[K] that sum to 0.
      size: b, the examples between two looks.

    Returns:
      float64[K], on a scale of its own; the target itself, where that changed and all that are left in it are far ahead.

    >>> leant(np.array([0.5, 0.5]), np.array([24.0, -24.0]), 16).tolist()
    [0.375, 0.625]
    """
    leaning: Float64s = target * np.maximum(0.0, 1 - lag / (ROOM + 4 * size * target))
    return leaning if leaning.any() else target
