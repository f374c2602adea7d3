"""`tf.contrib.training`: batches by class and by length, with TF1's names, order and defaults, over penstock's functions."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import penstock as ps
from penstock.errors import PipelineError, mismatch
from penstock.pipeline import Pipeline
from penstock.tf1.batching import Form, component, form_of, settled
from penstock.tf1.contrib.buckets import bucket, bucket_by_sequence_length
from penstock.tf1.errors import FormError
from penstock.tf1.feeds import FeedNode, StepSource
from penstock.tf1.handles import Apply, Constant, Handle, Node, Step, as_handle, as_value
from penstock.tf1.ops import Placeholder
from penstock.tf1.randomness import drawn
from penstock.tf1.session import Session

__all__ = [
    "bucket",
    "bucket_by_sequence_length",
    "rejection_sample",
    "resample_at_rate",
    "stratified_sample",
    "weighted_resample",
]

MISSING: Any = object()


def stratified_sample(
    tensors: Any,
    labels: Any,
    target_probs: Any,
    batch_size: int = MISSING,
    init_probs: Any = None,
    enqueue_many: bool = False,
    queue_capacity: int = 16,
    threads_per_queue: int = 1,
    name: str | None = None,
    **ours: Any,
) -> tuple[list[Any], Handle]:
    """Handles `(data_batches, label_batch)` of batches in the class proportions asked for, exact in each.

    Args:
      tensors: a list of components: handles, sources, or constants.
      labels: a handle, or a source, of an integer for each example, read in the same step.
      target_probs: the share of each class.
      batch_size: examples in a batch. [examples]
      init_probs: the shares that arrive, if they are known.
      enqueue_many: whether each step gives a chunk of examples, and their labels.
      queue_capacity: how many examples may wait before they are looked at. [examples]
      threads_per_queue: checked, and changes neither order nor result.
      name: of the flow, in threads and reports.
      **ours: what `penstock.stratified_sample` takes besides: `seed`, `method="rejection"`, `repeats`, `missing`, …

    Returns:
      A list of handles, one for each of `tensors`, also for one; and the handle of the labels.

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.contrib.training.stratified_sample`, by quotas in place of coins.
    """
    if batch_size is MISSING:
        do = "the example on TF1's own page left it out, and never ran"
        raise FormError(mismatch("`batch_size`", "none", at="stratified_sample(batch_size)", do=do))
    if ours.get("weights") is not None:
        do = "use `penstock.stratified_sample`, which delivers them"
        raise FormError(mismatch("no `weights` with handles", f"`{ours['weights']!r}`", at="stratified_sample", do=do))
    form = _listed(tensors, "tensors", many=enqueue_many)
    label = component(labels, "labels")
    if label.static is not None and len(label.static) != enqueue_many:
        want = "a vector of labels" if enqueue_many else "one label, an integer, at each step"
        do = "an array is a constant, as in TF1; its rows one by one gives `tf.train.slice_input_producer`"
        raise PipelineError(mismatch(want, f"the shape `{list(label.static)}`", at="stratified_sample(labels)", do=do))
    place = len(form.handles)
    arguments = {
        "batch_size": settled(batch_size),
        "enqueue_many": enqueue_many,
        "queue_capacity": queue_capacity,
        "threads_per_queue": threads_per_queue,
        "name": name,
        **ours,
    }

    def describe(session: Session | None) -> Pipeline:
        source = StepSource(session, [*form.handles, label], tuple)
        given = {"target_probs": target_probs, "init_probs": init_probs}
        probabilities = {key: _now(value, session) for key, value in given.items()}
        if probabilities["target_probs"] is None:
            return ps.join([source.examples]).batch(1)  # Shares that are known only when it runs.
        return ps.stratified_sample(source.examples, labels=place, **probabilities, **arguments)

    def taken(batch: Any) -> list[Any]:
        data, label_batch = batch
        return [*data[:place], label_batch]

    node = FeedNode(name or "stratified_sample", describe, taken)
    handles = [Handle(node, i, dtype=handle.dtype) for i, handle in enumerate([*form.handles, label])]
    return form.unpacked(handles[:-1]), handles[-1]


def rejection_sample(
    tensors: Any,
    accept_prob_fn: Callable[[list[Handle]], Any],
    batch_size: int,
    queue_threads: int = 1,
    enqueue_many: bool = False,
    prebatch_capacity: int = 16,
    prebatch_threads: int = 1,
    runtime_checks: bool = False,
    name: str | None = None,
    **ours: Any,
) -> list[Handle]:
    """Handles of batches of the examples that are kept, each with the probability that a function gives.

    Args:
      tensors: a list of components: handles, sources, or constants.
      accept_prob_fn: gives a handle of the probability for the list of handles of one example; it is called once.
      batch_size: examples in a batch. [examples]
      queue_threads: checked, and changes neither order nor result.
      enqueue_many: whether each step gives a chunk of examples.
      prebatch_capacity: how many examples may wait before they are judged. [examples]
      prebatch_threads: checked, and changes neither order nor result.
      runtime_checks: whether a probability outside [0, 1] is an error.
      name: of the flow, in threads and reports.
      **ours: what `penstock.rejection_sample` takes besides: `seed`, `dynamic_pad`, `allow_smaller_final_batch`.

    Returns:
      A list of handles, one for each of `tensors`.

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.contrib.training.rejection_sample`.
    """
    form = _dense(_listed(tensors, "tensors"), "tensors")
    places = [Handle(Placeholder(f"example[{i}]"), dtype=handle.dtype) for i, handle in enumerate(form.handles)]
    accepted = accept_prob_fn(places)

    def describe(session: Session | None) -> Pipeline:
        held = None if session is None else weakref.ref(session)  # Threads that judge must not keep it alive.

        def probability(example: Sequence[Any]) -> Any:
            if not isinstance(accepted, Handle):
                return accepted
            assert held is not None, "what runs has a session"
            return Step(held(), dict(zip(places, example, strict=True))).value(accepted)

        source = StepSource(session, form.handles, tuple)
        return ps.rejection_sample(
            source.examples,
            probability,
            settled(batch_size),
            queue_threads,
            enqueue_many,
            prebatch_capacity,
            prebatch_threads,
            runtime_checks,
            name,
            **ours,
        )

    node = FeedNode(name or "rejection_sample", describe, list)
    return [Handle(node, i, dtype=handle.dtype) for i, handle in enumerate(form.handles)]


def resample_at_rate(
    inputs: Sequence[Any], rates: Any, scope: str | None = None, seed: int | None = None, back_prop: bool = False
) -> list[Handle]:
    """Handles of the rows of a batch, each repeated a random number of times that is its rate on average.

    Args:
      inputs: a list of handles of one batch.
      rates: a handle of float[n], how often each row comes on average. [copies]
      scope: taken as in TF1, and changes nothing.
      seed: of what is drawn; each step draws anew.
      back_prop: only False.

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.contrib.training.resample_at_rate`.
    """
    if back_prop:
        raise PipelineError(mismatch("`back_prop=False`", f"`{back_prop!r}`", at="resample_at_rate(back_prop)"))
    form = _dense(_listed(inputs, "inputs"), "inputs")

    def resample(generator: np.random.Generator, rates: Any, *batch: Any) -> Any:
        return ps.resample_at_rate(list(batch), rates, seed=generator)

    return _unpacked(drawn("resample_at_rate", resample, rates, *form.handles, seed=seed), form)


def weighted_resample(
    inputs: Sequence[Any],
    weights: Any,
    overall_rate: Any,
    scope: str | None = None,
    mean_decay: float = 0.999,
    seed: int | None = None,
) -> tuple[list[Handle], Handle]:
    """Handles of the rows of a batch, each repeated in proportion to its weight, and of the rate of each row.

    Weights are relative to their moving mean over the steps of a session.

    Args:
      inputs: a list of handles of one batch.
      weights: a handle of float[n], on any scale.
      overall_rate: rows out for each row in, on average.
      scope: taken as in TF1, and changes nothing.
      mean_decay: how slowly batches are forgotten.
      seed: of what is drawn.

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.contrib.training.weighted_resample`.
    """
    form = _dense(_listed(inputs, "inputs"), "inputs")
    node = Weighted(as_handle(weights), form.handles, float(overall_rate), float(mean_decay), seed or 0)
    both = Handle(node)
    rates = Handle(Apply("rates", lambda pair: pair[1], [both]), dtype=np.dtype(np.float32))
    return _unpacked(Handle(Apply("rows", lambda pair: pair[0], [both])), form), rates


class Weighted(Node):
    """A resampling that remembers the weights of the steps before."""

    def __init__(
        self, weights: Handle, inputs: Sequence[Handle], overall_rate: float, mean_decay: float, seed: int
    ) -> None:
        super().__init__("weighted_resample", [weights, *inputs])
        self._settings = (overall_rate, mean_decay, seed)
        self.made()

    def made(self) -> ps.WeightedResample:
        """What remembers, for one session."""
        overall_rate, mean_decay, seed = self._settings
        return ps.WeightedResample(overall_rate, mean_decay=mean_decay, seed=seed)

    @property
    def origin(self) -> object:
        """What remembers."""
        return self

    def outputs(self, step: Step) -> Sequence[Any]:
        """The pair of rows and rates."""
        weights, *batch = [step.value(handle) for handle in self.inputs]
        state: Remembered = step.session.state(self, lambda: Remembered(self.made()))
        rows, rates = state.resample(batch, weights)
        return ((rows, rates.astype(np.float32)),)


class Remembered:
    """A `WeightedResample` in a session."""

    def __init__(self, resample: ps.WeightedResample) -> None:
        self.resample = resample

    def close(self) -> None:
        """Has nothing to stop."""


def _unpacked(rows: Handle, form: Form) -> list[Handle]:
    node = Apply("resampled", lambda parts: parts, [rows], len(form.handles))
    return [Handle(node, i, dtype=handle.dtype) for i, handle in enumerate(form.handles)]


def _dense(form: Form, at: str) -> Form:
    """The components, none of which is a `SparseTensor`.

    Raises:
      FormError: one is.
    """
    for i in form.sparse:
        do = "`tf.sparse_tensor_to_dense(x)`"
        raise FormError(mismatch("a handle of an array", "a `SparseTensor`", at=f"{at}[{i}]", do=do))
    return form


def _listed(tensors: Any, at: str, *, many: bool = False) -> Form:
    """The components, which here are a list or tuple.

    Raises:
      FormError: they are not.
    """
    if not isinstance(tensors, (list, tuple)):
        got = "a bare handle" if isinstance(tensors, Handle) else f"`{type(tensors).__name__}`"
        raise FormError(mismatch("a list of components", got, at=at, do="a lone one: `[x]`"))
    return form_of(tensors, at, many=many)


def _now(value: Any, session: Session | None) -> Any:
    """A value, or that of a handle once there is a session."""
    if not isinstance(value, Handle):
        return value
    if isinstance(value.node, Constant):
        return as_value(value.node.outputs(Step(None))[0])
    return None if session is None else Step(session).value(value)
