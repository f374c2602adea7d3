"""What no method can beat, and how large to make what is held back.

p are the arriving shares, q the target, `repeats` how often one example may be used, and the efficiency is
examples delivered for each that arrives. Each class delivers efficiency * q of what arrives as p, each example of it
at most `repeats` times; all of the below follows from that balance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from penstock.errors import PipelineError, mismatch
from penstock.sampling import kernels
from penstock.sampling.shares import Float64s, Int64s, Shares

__all__ = [
    "coverage",
    "efficiency",
    "feasible_target",
    "inputs_for_batch",
    "offline_optimum",
    "ring_limits",
    "spare_limits",
]

MOST_HELD = 1 << 17
"""Rings together hold at most as many examples, unless told otherwise."""


def efficiency(arriving: Float64s, target: Float64s, repeats: int = 1) -> float:
    """The most examples that can be delivered for each that arrives: `repeats * min p / q`.

    Args:
      arriving: p, float64[K].
      target: q, float64[K].
      repeats: how often one example may be used.

    >>> efficiency(np.array([0.90, 0.07, 0.02, 0.01]), np.full(4, 0.25), repeats=4)
    0.16
    """
    some = target > 0
    return repeats * float((arriving[some] / target[some]).min())


def coverage(arriving: Float64s, target: Float64s, rate: float) -> float:
    """The share of what arrives that is used at least once, at a rate of examples delivered for each that arrives.

    Args:
      arriving: p, float64[K].
      target: q, float64[K].
      rate: at most `efficiency(...)`.

    >>> round(coverage(np.array([0.90, 0.07, 0.02, 0.01]), np.full(4, 0.25), 0.16), 6)
    0.11
    """
    return math.fsum(np.minimum(arriving, rate * target).tolist())


def inputs_for_batch(arriving: Float64s, target: Float64s, size: int, repeats: int = 1) -> float:
    """How many examples must arrive for each batch, in the long run; infinite if a class does not arrive.

    Args:
      arriving: p, float64[K].
      target: q, float64[K].
      size: examples in a batch.
      repeats: how often one example may be used.

    >>> inputs_for_batch(np.array([0.9999, 0.0001]), np.array([0.5, 0.5]), 64)
    320000.0
    """
    most = efficiency(arriving, target, repeats)
    return size / most if most else math.inf


def feasible_target(arriving: Float64s, target: Float64s, rate: float, repeats: int = 1) -> tuple[Float64s, Float64s]:
    """The target nearest to q that can be met at a given rate: no class above `repeats * p / rate`.

    The classes that can be met keep their proportions among each other, `q' = min(c q, repeats * p / rate)`, which is
    what least changes q in the sense of Kullback and Leibler.

    Args:
      arriving: p, float64[K], sums to one.
      target: q, float64[K], sums to one.
      rate: examples delivered for each that arrives.
      repeats: how often one example may be used.

    Returns:
      q', float64[K]; the weights q / q' that make up for the change, float64[K], 0 where a class cannot come at all.

    Raises:
      PipelineError: no target over the same classes can be met at that rate.

    Source: I-projection (Csiszár 1975); for uniform q it is UniMax, Chung et al., ICLR 2023.

    >>> feasible_target(np.array([0.90, 0.07, 0.02, 0.01]), np.full(4, 0.25), 0.3, repeats=4)[0].round(3).tolist()
    [0.3, 0.3, 0.267, 0.133]
    """
    most = np.where(target > 0, repeats * arriving / rate, 0)
    total = math.fsum(most.tolist())
    if total < 1:
        possible = f"a rate of at most {total * rate:.6g} examples for each that arrives"
        raise PipelineError(mismatch(possible, f"{rate:.6g}", do="raise repeats, or lower the rate"))
    some = np.flatnonzero(target)
    some = some[np.argsort(most[some] / target[some], kind="stable")]
    ratio = most[some] / target[some]
    # With the n scarcest classes at their most, the others share what is left: c = (1 - met) / (their q).
    met = np.concatenate(([0.0], np.cumsum(most[some])[:-1]))
    free = np.cumsum(target[some][::-1])[::-1]
    level = (1 - met) / free
    enough = level <= ratio
    enough[-1] = True  # Which `total` says; in the sum above it may be missed by a rounding.
    nearest = np.minimum(level[int(np.argmax(enough))] * target, most)
    return nearest, np.divide(target, nearest, out=np.zeros(len(target)), where=nearest > 0)


def ring_limits(target: Float64s, size: int, slack: float = 0.02, most: int = MOST_HELD) -> Int64s:
    """How many examples of each class to hold, so that full rings lose at most `slack` of what could be delivered.

    That is what a batch takes of the class, `max(1, ceil(size * q))`, times `ceil(0.8 ln K / slack)`, K being the classes
    with a target. The law was measured: with K classes all short at once, rings of B quotas lose about 0.78 ln K / B.
    Where that sums to more than `most`, the factor is lowered, to 2 at the least.

    Args:
      target: q, float64[K], sums to one.
      size: examples in a batch.
      slack: the loss aimed at, above 0.
      most: how many examples all rings may hold.

    Returns:
      int64[K], all at least 1.

    >>> ring_limits(np.full(4, 0.25), 64).tolist()
    [896, 896, 896, 896]
    """
    # Rounded before they are rounded up, since products and logarithms may miss a whole number in the last bits.
    quota = np.maximum(1, np.ceil(np.round(size * target, 9))).astype(np.int64)
    n_classes = max(1, int(np.count_nonzero(target)))
    factor = max(1, math.ceil(round(0.8 * math.log(n_classes) / slack, 6)))
    fits = most // int(quota.sum())
    return quota * (factor if factor <= fits else max(2, fits))


def spare_limits(
    arriving: Float64s, target: Float64s, size: int, repeats: int, *, window: float, scatter: float = 1.0
) -> Float64s:
    """How many examples of each class are enough, where it comes more often than it is needed.

    The class of the least p / q sets the pace; let `pace = repeats * min p / q`. What is held of another is a walk that
    gains `p - pace * q` with each arrival, of variance `v = p + (repeats * q / q')**2 * p'`, the dashed being those of the
    class that sets the pace. Held below B, it is short with probability `exp(-2 * gain * B / v)`. The gain is known to
    `sqrt(v / (2 * window))`; twice that is taken off.

    Args:
      arriving: p, float64[K], as estimated.
      target: q, float64[K].
      size: examples in a batch.
      repeats: how often one example may be used. Only fresh ones count here, so classes are large that are used again.
      window: how many arrivals the estimate rests on.
      scatter: how many times the variance of chance the counts have: what equal classes in runs make of it.

    Returns:
      float64[K]: what a batch takes, and B; 16 batches at least. Infinite for classes that are short, or may be.

    Source: the stationary law of a reflected walk; as in Asmussen, Applied Probability and Queues, chapter III.

    >>> spare_limits(np.array([0.60, 0.30, 0.10]), np.full(3, 1 / 3), 6, 1, window=4096).tolist()
    [32.0, 32.0, inf]
    """
    return kernels.spare(arriving, target, size, repeats, window, scatter)


def offline_optimum(labels: Iterable[int], shares: Shares, size: int, repeats: int, limits: Int64s) -> int:
    """The most batches that any method with rings of these sizes can deliver from a recorded stream.

    Relaxed, so that it is no less than the optimum: a class may always be one example behind, at
    `floor(k * size * q)` after k batches, and its ring holds one use more. Then credit is at least that of any exact
    method at any time, and delivering as soon as possible is best, since it only frees room.

    Args:
      labels: the classes in order of arrival.
      shares: the target.
      size: examples in a batch.
      repeats: how often one example may be used.
      limits: int64[K], examples of each class that may be held.

    >>> offline_optimum([0, 1, 0, 0, 0, 1], Shares.uniform(2), 2, 1, np.array([2, 2]))
    2
    """
    rate = [size * weight for weight in shares.weights]
    most = [repeats * int(limit) + 1 for limit in limits]
    credit = [0] * len(rate)
    given = [0] * len(rate)
    need = [size * weight // shares.total for weight in shares.weights]
    missing = sum(count > 0 for count in need)
    batches = 0
    for label in labels:
        had = credit[label]
        credit[label] = min(had + repeats, most[label])
        if had < need[label] <= credit[label]:
            missing -= 1
        while not missing:
            batches += 1
            for number, count in enumerate(need):
                credit[number] -= count
                given[number] += count
                need[number] = (batches + 1) * rate[number] // shares.total - given[number]
                missing += need[number] > credit[number]
    return batches
