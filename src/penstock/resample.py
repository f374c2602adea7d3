"""TF1's resampling of a batch: rows are left out or repeated at random, so many times on average.

Guarantees
  Row i of a batch comes n_i times, n_i drawn from the Poisson distribution of its rate, each row apart from the others.
  Copies of a row stand together, and rows keep their order; all components get the same rows.
Assumes
  Whoever resamples a sequence of batches does it with one object, `WeightedResample`, from one thread at a time.
Why not words of a pipeline
  How many rows come out is left to chance, so a batch has no size any more; for exact shares there is `stratify`.
"""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import Any, final

import numpy as np

from penstock.chunk import Columns
from penstock.errors import PipelineError, SpecError, mismatch
from penstock.stages.functions import generator, key_of
from penstock.ticket import Ticket

__all__ = ["WeightedResample", "resample_at_rate", "weighted_resample"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Indices = np.ndarray[Any, np.dtype[np.int64]]
Key = np.ndarray[Any, np.dtype[np.uint64]]


def resample_at_rate(
    inputs: Any,
    rates: Any,
    scope: str | None = None,
    seed: int | np.random.Generator | None = None,
    back_prop: bool = False,
) -> Any:
    """The rows of a batch, each repeated a random number of times that is its rate on average.

    Row i comes n_i times, n_i drawn from the Poisson distribution of mean `rates[i]`, so not at all with probability
    exp(-rates[i]). Copies stand together, and rows keep their order. The result may be empty.

    Args:
      inputs: a batch: a list or tuple of arrays of shape `(n, …)`; or a dict, namedtuple or dataclass of them, or one
        array.
      rates: float[n], how often each row comes on average, >= 0. [copies]
      scope: taken as in TF1, and changes nothing.
      seed: an int, with which the same call gives the same rows again; a NumPy generator, such as the one that
        `.map(fn)` hands to `fn(batch, rng)`, so that every batch of a pipeline draws anew and every run the same; or
        `None`, which draws anew at every call.
      back_prop: only False: NumPy arrays carry no gradients.

    Returns:
      A list of arrays of shape `(sum of n_i, …)` for a list or tuple; else the structure of `inputs`.

    Raises:
      PipelineError: `seed` or `back_prop` cannot be.
      SpecError: the arrays have no rows, or differ in how many; a rate is negative, infinite or NaN, or there is not
        one for each row.

    Source: TF1 `tf.contrib.training.resample_at_rate`.

    >>> resample_at_rate([np.arange(4), np.array(["a", "b", "c", "d"])], [0, 1, 3, 0.5], seed=1)
    [array([1, 1, 2, 2, 2]), array(['b', 'b', 'c', 'c', 'c'], dtype='<U1')]
    """
    if back_prop:
        want = "`back_prop=False`; NumPy arrays carry no gradients"
        raise PipelineError(mismatch(want, f"`{back_prop!r}`", at="resample_at_rate(back_prop)"))
    batch = _columns(inputs)
    return _rows(batch, _drawn(_per_row(rates, len(batch), "rates"), key_of(_seed(seed), 0), 0))


def weighted_resample(
    inputs: Any,
    weights: Any,
    overall_rate: float,
    scope: str | None = None,
    mean_decay: float = 0.999,
    seed: int | np.random.Generator | None = None,
) -> tuple[Any, Floats]:
    """The rows of one batch, each repeated in proportion to its weight, and the rate of each row that comes out.

    As the first call of a `WeightedResample`, so weights are taken relative to their mean in this very batch. To compare
    the weights of many batches keep a `WeightedResample`, which is what TF1's graph was for this function.

    Args:
      inputs: a batch, as in `resample_at_rate`.
      weights: float[n], >= 0, on any scale, not all zero.
      overall_rate: rows out for each row in, on average.
      scope: taken as in TF1, and changes nothing.
      mean_decay: checked, and changes nothing in a single call.
      seed: as in `resample_at_rate`.

    Returns:
      The batch, as of `resample_at_rate`, and float64[m], the rate at which each of its m rows was drawn. [copies]

    Raises:
      PipelineError: `overall_rate`, `mean_decay` or `seed` cannot be.
      SpecError: as of `resample_at_rate`; or all weights are zero.

    Source: TF1 `tf.contrib.training.weighted_resample`, which with weights that were all zero never returned.

    >>> [x], rates = weighted_resample([np.arange(4)], [1, 2, 3, 2], overall_rate=1.0, seed=1)
    >>> x, rates
    (array([0, 0, 2, 2, 2]), array([0.5, 0.5, 1.5, 1.5, 1.5]))
    """
    return WeightedResample(overall_rate, mean_decay=mean_decay, seed=_seed(seed))(inputs, weights)


@final
class WeightedResample:
    """Resamples one batch after the other in proportion to weights, relative to the mean weight of those it has seen.

    Row i comes `weights[i] · overall_rate / mean` times on average, the mean being a moving one over the batches up to
    and including this one; each batch that follows counts for `mean_decay` of what it did. The estimate is free of bias
    from the start: the first call takes the mean of its own weights.
    What call k draws depends on the seed and on k, so a run is repeated by a new object with the same seed. The object
    holds what it has seen, so it is for one pass: make one for each flow, and copy or pickle it to keep its state.

    Args:
      overall_rate: rows out for each row in, on average.
      mean_decay: in [0, 1); how slowly batches are forgotten.
      seed: of what is drawn.

    Raises:
      PipelineError: an argument that cannot be.

    Source: TF1 `tf.contrib.training.weighted_resample`, its zero-debiased moving average.

    >>> import penstock as ps
    >>> resample = WeightedResample(2.0, seed=3)
    >>> examples = (np.arange(6), np.array([1.0, 0.0, 2.0, 3.0, 0.0, 0.0]))
    >>> for [x], rates in ps.from_arrays(examples).batch(3).map(lambda batch: resample([batch[0]], batch[1])):
    ...     print(x, rates)
    [0 2 2 2] [2. 4. 4. 4.]
    [3 3 3 3 3 3 3 3 3] [6. 6. 6. 6. 6. 6. 6. 6. 6.]
    >>> resample.mean, resample.calls
    (1.0, 2)
    """

    def __init__(self, overall_rate: float, *, mean_decay: float = 0.999, seed: int = 0) -> None:
        self.overall_rate = _setting(overall_rate, "overall_rate", "a number >= 0, and finite")
        self.mean_decay = _setting(mean_decay, "mean_decay", "a number in [0, 1)", below=1.0)
        self._key = key_of(_seed(seed), 0)
        self.mean = 0.0
        """The moving mean of the weights; 0 before the first call."""
        self.calls = 0
        """How many batches it has seen."""

    def __call__(self, inputs: Any, weights: Any) -> tuple[Any, Floats]:
        """Resamples one batch.

        Args:
          inputs: a batch, as in `resample_at_rate`.
          weights: float[n], >= 0, on any scale.

        Returns:
          The batch, as of `resample_at_rate`, and float64[m], the rate at which each of its m rows was drawn. [copies]

        Raises:
          SpecError: as of `resample_at_rate`; or no weight so far was above zero. The mean stays what it was.
        """
        batch = _columns(inputs)
        own = _per_row(weights, len(batch), "weights")
        # Averaged like this the first call takes its own mean to the last bit.
        share = (1 - self.mean_decay) / (1 - self.mean_decay ** (self.calls + 1))
        with np.errstate(over="ignore"):
            mean = self.mean + (float(own.mean()) - self.mean) * share if len(own) else self.mean
        if not 0 < mean < math.inf:
            want = "`weights` whose mean so far is above zero, and finite"
            raise SpecError(mismatch(want, f"`{mean}`", at="weighted_resample(weights)"))
        rates = _per_row(own / mean * self.overall_rate, len(own), "rates")
        rows = _drawn(rates, self._key, self.calls)
        self.mean, self.calls = mean, self.calls + 1
        return _rows(batch, rows), rates[rows]


def _columns(inputs: Any) -> Columns:
    """A batch as columns; a tuple of arrays becomes a list, as in TF1."""
    return Columns.of(list(inputs) if type(inputs) is tuple else inputs)


def _per_row(values: Any, count: int, what: str) -> Floats:
    """Checked weights or rates: one for each row, each a number >= 0."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf" and array.size:
        got = f"{array.dtype}{list(array.shape)}" if array.ndim else type(values).__name__
        raise SpecError(mismatch(f"`{what}` of numbers", f"`{got}`", at=what))
    if array.shape != (count,):
        raise SpecError(mismatch(f"`{what}` of shape `[{count}]`, one for each row", f"`{list(array.shape)}`", at=what))
    numbers = array.astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))
    if len(bad):
        raise SpecError(mismatch(f"`{what}` >= 0, and finite", f"`{numbers[bad[0]]}`", at=f"row {bad[0]}"))
    return numbers


def _drawn(rates: Floats, key: Key, call: int) -> Indices:
    """Which rows come out: int64[m], each as often as its Poisson number says."""
    copies = generator(key, Ticket(0, 0, call)).poisson(rates)
    return np.repeat(np.arange(len(rates)), copies)


def _rows(batch: Columns, rows: Indices) -> Any:
    picked = batch.select(rows)
    return picked.structure.build(picked.arrays)


def _seed(seed: Any) -> int:
    """An int that stands for a seed: itself, one drawn from a generator, or one of the machine's own randomness."""
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**63))
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    try:
        return operator.index(seed)
    except TypeError:
        want = "`seed` to be an integer, a NumPy generator or `None`"
        raise PipelineError(mismatch(want, f"`{seed!r}`", at="resample(seed)")) from None


def _setting(value: Any, name: str, want: str, *, below: float = math.inf) -> float:
    number = float(value) if isinstance(value, Real) else math.nan
    if not 0 <= number < below:
        raise PipelineError(mismatch(f"`{name}` to be {want}", f"`{value!r}`", at=f"weighted_resample({name})"))
    return number
