"""TF1's rejection sampling: each example is kept with a probability of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.errors import SpecError, mismatch
from penstock.functions import UNLIMITED, input_node
from penstock.pipeline import Pipeline
from penstock.plan import Batch, Filter, Join, Map, Node, Options, Pad, PadRule, function, positive

__all__ = ["rejection_sample"]


def rejection_sample(
    tensors: Any,
    accept_prob_fn: Callable[[Any], Any],
    batch_size: int,
    queue_threads: int = 1,
    enqueue_many: bool = False,
    prebatch_capacity: int = 16,
    prebatch_threads: int = 1,
    runtime_checks: bool = False,
    name: str | None = None,
    *,
    seed: int = 0,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
) -> Pipeline:
    """Batches of the examples that are kept, each with the probability that a function of it gives.

    An example is kept if a number drawn evenly from [0, 1) is below its probability: always at 1 and above, never at 0
    and below. What is kept stays in order and comes once; what is not is counted in the report.
    The number depends on the seed, the epoch and the example's place in its source (with `enqueue_many` on its chunk and
    its row there), so that every run keeps the same examples, however many threads there are and however far they read
    ahead.
    If nothing is ever kept, an endless source is read for ever.

    Args:
      tensors: a list or tuple of components, each a source, read in step; or one source: a pipeline, a dict or namedtuple
        of components, an array, an iterable, or a callable that opens one.
      accept_prob_fn: gives the probability of one example, as a number. It is called with the list of the example's
        components where `tensors` is a list or tuple, else with the example as the source gives it.
      batch_size: examples in a batch. [examples]
      queue_threads: checked, and changes neither order nor result: `accept_prob_fn` is called in the order of the source,
        ahead of the training loop.
      enqueue_many: whether each item is a chunk of examples: arrays with a leading dimension. `accept_prob_fn` sees its
        rows one by one.
      prebatch_capacity: how many examples may wait, read ahead, before they are judged; a negative one sets no limit.
        [examples]
      prebatch_threads: checked, and changes neither order nor result: one source has one order.
      runtime_checks: whether a probability outside [0, 1] is an error.
      name: of the flow, in threads and reports.
      seed: of the numbers that are drawn.
      dynamic_pad: whether every dimension may vary, and is padded to the longest in the batch.
      allow_smaller_final_batch: whether the remainder is given as a smaller batch.

    Returns:
      A pipeline of batches: a list of arrays, one for each component, where `tensors` is a list or tuple; else batches in
      the structure of an example.

    Raises:
      PipelineError: an argument that cannot be.
      SpecError: while it runs: `accept_prob_fn` gives no number, or, with `runtime_checks`, one outside [0, 1]; a note
        names the example.

    Source: TF1 `tf.contrib.training.rejection_sample`.

    >>> list(rejection_sample([range(6), list("abcdef")], lambda example: example[0] % 2, batch_size=3))
    [[array([1, 3, 5]), array(['b', 'd', 'f'], dtype=object)]]
    """
    for count, what in (queue_threads, "queue_threads"), (prebatch_threads, "prebatch_threads"):
        positive(count, what, at=f"rejection_sample({what})")
    function(accept_prob_fn, at="rejection_sample(accept_prob_fn)")
    options = Options(seed=seed, capacity=_capacity(prebatch_capacity), name=name)
    listed = type(tensors) in (list, tuple)
    node: Node = Join((input_node(tuple(tensors) if listed else tensors, "tensors", enqueue_many, True),))
    if listed:
        node = Map(node, list)
    node = Filter(node, Accepted(accept_prob_fn, checked=bool(runtime_checks)))
    if dynamic_pad:
        node = Pad(node, ((None, PadRule()),))
    return Pipeline(Batch(node, batch_size, bool(allow_smaller_final_batch)), options)


@dataclass(frozen=True, slots=True)
class Accepted:
    """Whether an example is kept, by a number of its own and its probability."""

    accept_prob_fn: Callable[[Any], Any]
    """Gives an example's probability."""
    checked: bool
    """Whether a probability outside [0, 1] is an error."""

    def __call__(self, example: Any, rng: np.random.Generator) -> bool:
        """Draws the example's number and compares."""
        given = self.accept_prob_fn(example)
        probability = given if type(given) is float else _number(given)
        if not 0 <= probability <= 1 and (self.checked or probability != probability):
            want = "a probability in [0, 1]" if self.checked else "a probability"
            raise SpecError(mismatch(want, f"`{probability}`", at="accept_prob_fn"))
        return bool(rng.random() < probability)


def _number(given: Any) -> float:
    """The one number that was given: Python's, NumPy's, or a framework's scalar."""
    shape = tuple(getattr(given, "shape", ()))
    if shape or isinstance(given, (str, bytes, bytearray, complex)):
        got = f"an array of shape `{list(shape)}`" if shape else f"`{type(given).__name__}`"
        raise SpecError(mismatch("one number, the probability of the example", got, at="accept_prob_fn"))
    try:
        return float(given)
    except (TypeError, ValueError) as error:
        got = f"`{type(given).__name__}`"
        raise SpecError(mismatch("one number, the probability of the example", got, at="accept_prob_fn")) from error


def _capacity(prebatch_capacity: Any) -> int:
    """A positive capacity, or TF1's negative one: no limit."""
    if isinstance(prebatch_capacity, (int, np.integer)) and prebatch_capacity < 0:
        return UNLIMITED
    return positive(prebatch_capacity, "prebatch_capacity", at="rejection_sample(prebatch_capacity)")
