"""The sums behind what is learnt of the arriving shares.

IEEE sums, products, quotients and roots in a fixed order, nothing else: the same bits on every machine. A sum over classes goes
from the first to the last. This is the definition; `_estimates.pyx` is its fast twin.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from penstock.sampling.shares import Float64s, Int64s

__all__ = ["ALWAYS", "LEAST_EXPECTED", "admission", "decayed", "distance", "estimate", "most_inputs", "spare", "total"]

Uint64s = np.ndarray[Any, np.dtype[np.uint64]]

ALWAYS = 2**64 - 1
"""The threshold of a class that is always admitted."""
LEAST_EXPECTED = 5.0
"""Classes of which a test expects fewer are tested together."""
SHORT = 6.9
"""Minus the logarithm of the chance, 1 in 1,000, that a class which comes more often than needed is short."""
BATCHES = 16
"""So many batches each ring holds at least, so that what one takes lies within the sixteenth of it that is thinned."""


def decayed(counts: Float64s, kept: float, new: Int64s, share: float) -> Float64s:
    """Counts of which so much is kept, and new ones of which so much counts: float64[K]."""
    after: Float64s = counts * kept + new * share
    return after


def estimate(counts: Float64s, start: Float64s, unseen: float) -> Float64s:
    """The shares that counts tell, and as many counts more that are spread as `start` says: float64[K]."""
    shares: Float64s = (counts + unseen * start) / (total(counts) + unseen)
    return shares


def distance(recent: Int64s, shares: Float64s) -> tuple[float, int]:
    """How far counts are from what shares let expect, by chi-square, and its degrees of freedom.

    >>> distance(np.array([30, 10]), np.array([0.5, 0.5]))
    (10.0, 1)
    """
    seen = int(recent.sum())
    expected = seen * shares
    alone = expected >= LEAST_EXPECTED
    apart = (recent[alone] - expected[alone]) ** 2 / expected[alone]
    rest = total(np.where(alone, 0, expected))
    off = int(recent[~alone].sum()) - rest
    return total(apart) + off * off / max(rest, LEAST_EXPECTED), max(1, int(alone.sum()) + (rest > 0) - 1)


def admission(arriving: Float64s, target: Float64s, repeats: int, slack: float) -> Uint64s:
    """See `thresholds.thresholds`."""
    both = (arriving > 0) & (target > 0)
    chance = np.where(target > 0, 1.0, 0.0)
    if both.any():
        need = target[both] / arriving[both]
        chance[both] = (1 + slack) * repeats * need / need.max()
    admitted = np.full(len(chance), ALWAYS, np.uint64)
    some = chance < 1
    admitted[some] = (chance[some] * 2.0**64).astype(np.uint64)
    return admitted


def most_inputs(arriving: Float64s, target: Float64s, size: int, repeats: int, never: float) -> float:
    """How many inputs a batch takes of the class that is waited for the longest; `never` where that one does not come."""
    some = target > 0
    counts = np.maximum(1, size * target[some])  # A batch that holds a class at all holds one of it.
    uses = repeats * arriving[some]
    return float(np.divide(counts, uses, out=np.full(len(uses), never), where=uses > 0).max(initial=0))


def total(values: Float64s) -> float:
    """The sum of values, from the first to the last."""
    return float(np.cumsum(values)[-1]) if len(values) else 0.0


def spare(arriving: Float64s, target: Float64s, size: int, repeats: int, window: float, scatter: float) -> Float64s:
    """See `bounds.spare_limits`."""
    enough = np.full(len(target), math.inf)
    both = np.flatnonzero((target > 0) & (arriving > 0))
    if not len(both):
        return enough
    p, q = arriving[both], target[both]
    least = int(np.argmin(p / q))
    variance = scatter * (p + (repeats * q / q[least]) ** 2 * p[least])
    gain = p - repeats * (p[least] / q[least]) * q - 2 * np.sqrt(variance / (2 * window))
    batch = np.ceil(np.round(size * q, 9))
    held = np.divide(SHORT * variance, 2 * gain, out=np.full(len(q), math.inf), where=gain > 0)
    enough[both] = np.ceil(np.maximum(BATCHES * batch, batch + held))
    return enough
