"""TF1's `stratified_sample`: batches in the class proportions asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from penstock.errors import PipelineError, mismatch
from penstock.functions import UNLIMITED, input_node
from penstock.pipeline import Pipeline, node_of
from penstock.plan import Batch, Join, Map, Node, Options, Pad, PadRule, positive
from penstock.sampling import Shares, probabilities
from penstock.stages.labelled import By
from penstock.strata import stratified

__all__ = ["stratified_sample"]


def stratified_sample(
    tensors: Any,
    labels: Any,
    target_probs: Any,
    batch_size: int,
    init_probs: Any = None,
    enqueue_many: bool = False,
    queue_capacity: int = 16,
    threads_per_queue: int = 1,
    name: str | None = None,
    *,
    seed: int = 0,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    method: Literal["quota", "rejection"] = "quota",
    repeats: int = 1,
    rings: int | None = None,
    patience: int | None = None,
    missing: Literal["wait", "repeat", "redistribute", "error"] = "wait",
    exact: Literal["batch", "average"] = "batch",
    unknown: Literal["error", "ignore"] = "error",
    weights: Literal["target", "natural", "prior"] | None = None,
    weights_as: str | None = None,
) -> Pipeline:
    """Batches `(data_batch, label_batch)` in the class proportions asked for, from a stream in whatever proportions.

    Each batch of b examples holds floor(b q) or ceil(b q) of a class with share q, and all batches so far together are
    within one example of it. What is not needed is left out on its label alone, and counted by class in the report.
    With `method="rejection"` it is TF1's way: each example is kept by a coin, in order and at most once, and the shares
    hold on average only.

    Args:
      tensors: a list of components, each a source, read in step; or one source: a pipeline, a dict, tuple or namedtuple of
        components, an array, an iterable, or a callable that opens one.
      labels: with a list, a source of labels that is read in step with it. With one source the label's key, index,
        attribute or path (a tuple of these), or a function of the example; or a source that is read in step: an array, an
        iterable, or a callable without arguments that opens one.
        A label is an integer from 0 to the number of classes.
      target_probs: the share of each class, in the order of their numbers: a list, NumPy array, torch tensor or JAX array
        that sums to 1 within 1e-6.
      batch_size: examples in a batch. [examples]
      init_probs: the shares that arrive, if they are known. They are where the estimate begins; with
        `method="rejection"` they take its place, as in TF1.
      enqueue_many: whether each item is a chunk of examples: arrays with a leading dimension, of the labels too.
      queue_capacity: how many examples may wait, read ahead, before they are looked at; a negative one sets no limit.
        What waits in the rings of the classes is bounded by `rings`. [examples]
      threads_per_queue: checked, and changes neither order nor result: one source has one order, which several threads
        would only lose, and looking at a label takes less time than handing it to another thread.
      name: of the flow, in threads and reports.
      seed: of all that is drawn.
      dynamic_pad: whether every dimension may vary, and is padded to the longest in the batch.
      allow_smaller_final_batch: whether the end of the stream gives a smaller batch, the largest within the proportions;
        with `method="rejection"` the remainder.
      method: `"quota"`, exact in every batch; or `"rejection"`, which keeps no examples.
      repeats: as in `Pipeline.stratify`, like all that follow.
      rings: how many examples of each class are kept. [examples]
      patience: for how many inputs a class that is needed is waited for before `missing` is acted on. [examples]
      missing: what happens then: `"wait"`, with a warning; `"repeat"`, `"redistribute"` or `"error"`.
      exact: `"batch"`, or `"average"`, which keeps no examples and leans against what was given too much.
      unknown: what becomes of an example of another class: `"error"`, or `"ignore"`, which counts it.
      weights: what is delivered for each example: `"target"`, `"natural"` or `"prior"`.
      weights_as: the name it is delivered under: a new key of the dict that `data_batch` is, else the batch becomes
        `((data_batch, label_batch), {name: weights})`.

    Returns:
      A pipeline of pairs. `data_batch` is a list of arrays where `tensors` is a list; else it has the structure of an
      example, the label in it if it is part of that. `label_batch` is an array of the labels, in the dtype they came in.

    Raises:
      PipelineError: an argument that cannot be: `tensors` or `labels` that nothing can be read from, labels without or
        with the wrong batch dimension, or of another number; probabilities that do not sum to 1, are negative, of
        another number, or ask for a class whose initial probability is 0.
      SpecError: while it runs: a label that is no integer or none of the classes (it says which, its position and its
        source); a chunk with other numbers of labels than of rows.

    Source: TF1 `tf.contrib.training.stratified_sample`, by quotas in place of coins.

    >>> images, labels = np.arange(0.5, 6), [0, 0, 0, 1, 0, 1]
    >>> for [image_batch], label_batch in stratified_sample([images], labels, [0.5, 0.5], batch_size=2):
    ...     print(sorted(image_batch.tolist()), sorted(label_batch.tolist()))
    [0.5, 3.5] [0, 1]
    [1.5, 5.5] [0, 1]
    """
    positive(threads_per_queue, "threads_per_queue", at="stratified_sample(threads_per_queue)")
    if method not in ("quota", "rejection"):
        want = '`method` to be one of "quota", "rejection"'
        raise PipelineError(mismatch(want, f"`{method!r}`", at="stratified_sample(method)"))
    start = _checked(probabilities(target_probs, what="target_probs"), init_probs)
    options = Options(seed=seed, capacity=_capacity(queue_capacity), name=name)
    listed = type(tensors) is list
    by = None if listed else _by(labels)
    if by is None:
        node, at = _in_step(tensors, labels, bool(enqueue_many), listed)
    else:
        node, at = input_node(tensors, "tensors", enqueue_many, True), by
    node = stratified(
        Join((node,)),
        at,
        target_probs,
        classes=None,
        repeats=repeats,
        rings=rings,
        patience=patience,
        missing=missing,
        exact=exact,
        unknown=unknown,
        weights=weights,
        weights_as=weights_as,
        classes_per_batch=None,
        per_class=None,
        seed=None,
        start=start,
        rejects=method == "rejection",
        at="stratified_sample",
    )
    wished = node.wishes.weights_as
    if callable(by):
        node = Map(node, Named(by, wished))
    if dynamic_pad:
        node = Pad(node, ((None, PadRule()),))
    form = Parted(listed, wished) if by is None else None if callable(by) else Beside(by, wished)
    return Pipeline(Batch(node, batch_size, bool(allow_smaller_final_batch), form=form), options)


@dataclass(frozen=True, slots=True)
class Parted:
    """Takes a batch `(…, labels)` apart into data and labels."""

    listed: bool
    """Whether the data are a list of components, or one source's."""
    weights_as: str | None
    """The name of the weights, which stand beside the batch."""

    def __call__(self, batch: Any) -> Any:
        """The pair, and the weights beside it."""
        (*data, labels), extras = batch if self.weights_as is not None else (batch, None)
        pair = (data if self.listed else data[0], labels)
        return pair if extras is None else (pair, extras)


@dataclass(frozen=True)
class Beside:
    """Puts the labels beside the batch that they are part of."""

    by: Any
    """Where they are: a key, an index, an attribute, or a path."""
    weights_as: str | None
    """The name of the weights; a key of a batch that is a dict, or else beside it."""

    @cached_property
    def _read(self) -> By:
        return By(self.by)

    def __call__(self, batch: Any) -> Any:
        """The pair, and the weights beside it."""
        data, extras = batch if self.weights_as is not None and type(batch) is not dict else (batch, None)
        how, key = self._read.reading(data)
        pair = (data, key(data) if how == "call" else data[key])
        return pair if extras is None else (pair, extras)


@dataclass(frozen=True, slots=True)
class Named:
    """Puts its label beside an example."""

    by: Callable[[Any], Any]
    """Gives it."""
    weights_as: str | None
    """The name of the weights; a key of an example that is a dict, or else beside it."""

    def __call__(self, example: Any) -> Any:
        """The pair, and the weight beside it."""
        data, extras = example if self.weights_as is not None and type(example) is not dict else (example, None)
        pair = (data, self.by(data))
        return pair if extras is None else (pair, extras)


def _by(labels: Any) -> Any:
    """How labels are read off the examples of one source; `None` where they are a source beside it."""
    if isinstance(labels, (str, int, np.integer)):
        return labels if isinstance(labels, (str, bool)) else int(labels)
    path = isinstance(labels, tuple) and labels and all(isinstance(step, (str, int)) for step in labels)
    return labels if path or (callable(labels) and not isinstance(labels, Iterable) and _takes_one(labels)) else None


def _takes_one(labels: Callable[..., Any]) -> bool:
    """Whether this can be a function of an example, and not what opens a source."""
    try:
        inspect.signature(labels).bind(None)
    except TypeError:
        return False
    except ValueError:  # Some of C do not tell their arguments.
        return True
    return True


def _in_step(tensors: Any, labels: Any, many: bool, listed: bool) -> tuple[Node, int]:
    """What reads data and labels in step, and the place of the labels in it."""
    parts = tensors if listed else [tensors]
    if not parts:
        raise PipelineError(mismatch("at least one component", "an empty list", at="tensors"))
    if not listed and (tensors is None or isinstance(tensors, (int, float, complex, np.generic))):
        want = "a list of components, or a source of examples"
        raise PipelineError(mismatch(want, f"`{type(tensors).__name__}`", at="tensors"))
    many = many or (isinstance(tensors, Pipeline) and node_of(tensors).batched)
    _check_labels(labels, many)
    return input_node((*parts, labels), "tensors and labels", many, True), len(parts)


def _check_labels(labels: Any, many: bool) -> None:
    """Says what can be known of labels before they are read."""
    if labels is None or isinstance(labels, (str, bytes, int, float, complex, dict, tuple, np.generic)):
        got = type(labels).__name__ if isinstance(labels, (dict, tuple)) else repr(labels)
        do = "a key, index, path or function of the label goes with one source, not with a list"
        raise PipelineError(mismatch("a source of labels, read in step with `tensors`", f"`{got}`", at="labels", do=do))
    shape, dtype = getattr(labels, "shape", None), getattr(labels, "dtype", None)
    if not isinstance(shape, tuple):
        return
    wanted = 1 + many
    if len(shape) != wanted:
        one = (
            "a chunk of labels for each item, of shape `[n, m]`"
            if many
            else "one label for each example, of shape `[n]`"
        )
        hot = "pass its argmax" if len(shape) == wanted + 1 else None
        raise PipelineError(mismatch(one, f"`{dtype}{list(shape)}`", at="labels", do=hot))
    if isinstance(dtype, np.dtype) and dtype.kind not in "iubO":
        raise PipelineError(mismatch("labels that are integers", f"`{dtype}{list(shape)}`", at="labels"))


def _checked(target: Shares, init_probs: Any) -> Shares | None:
    """The initial probabilities, if they are given, and suit the target."""
    if init_probs is None:
        return None
    start = probabilities(init_probs, what="init_probs")
    if len(start) != len(target):
        want = f"`init_probs` of as many classes as `target_probs`, {len(target)}"
        raise PipelineError(mismatch(want, len(start), at="stratified_sample(init_probs)"))
    for label, (wanted, first) in enumerate(zip(target.weights, start.weights, strict=True)):
        if wanted and not first:
            want = f"an initial probability above 0 for class {label}, whose target is {wanted / target.total:g}"
            raise PipelineError(mismatch(want, "0", at="stratified_sample(init_probs)", do="it could never be drawn"))
    return start


def _capacity(queue_capacity: Any) -> int:
    """A positive capacity, or TF1's negative one: no limit."""
    if isinstance(queue_capacity, (int, np.integer)) and queue_capacity < 0:
        return UNLIMITED
    return positive(queue_capacity, "queue_capacity", at="stratified_sample(queue_capacity)")
