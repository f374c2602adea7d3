"""TF1's shuffling functions over the fluent form: their names, order and defaults, then what is ours, by keyword.

`min_after_dequeue` is how many stay behind, so that there is a choice: one more is held, and one of them leaves at random.
What `capacity` leaves beyond that is read ahead.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from penstock.errors import PipelineError, mismatch
from penstock.faults import OnError
from penstock.functions import batched, input_node, keeps_of, sources_of
from penstock.pipeline import Pipeline
from penstock.plan import Node, Order, integer, positive
from penstock.shuffling import Shuffle

__all__ = ["maybe_shuffle_batch", "maybe_shuffle_batch_join", "shuffle_batch", "shuffle_batch_join"]


def shuffle_batch(
    tensors: Any,
    batch_size: int,
    capacity: int,
    min_after_dequeue: int,
    num_threads: int = 1,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
    *,
    dynamic_pad: bool = False,
    order: Order = "fixed",
    capacity_bytes: int | None = None,
    on_error: OnError = "raise",
) -> Pipeline:
    """Batches of the examples of one source, in random order.

    The order is the same on every run, for any number of threads: a function of the seed, the epoch and the source.
    An example leaves at place p only if it came at place p + min_after_dequeue at the latest. At the end all leave.

    Args:
      tensors: a source, as in `batch`.
      batch_size: examples in a batch. [examples]
      capacity: how many examples may wait, those that stay behind among them. [examples]
      min_after_dequeue: how many stay behind after each example that leaves; more mix better, and begin later. [examples]
      num_threads: checked, and changes neither order nor result.
      seed: of the order; `None` is 0.
      enqueue_many: whether each item is a chunk of examples; it is single examples that are put into random order.
      shapes: as in `batch`.
      allow_smaller_final_batch: whether the remainder is given as a smaller batch.
      shared_name: as in `batch`.
      name: of the flow, in threads and reports.
      dynamic_pad: as in `batch`.
      order: as in `batch_join`.
      capacity_bytes: how many bytes may wait before they are put into random order. [bytes]
      on_error: `"raise"`: the source's own error, after all whole batches of what it gave before.

    Raises:
      PipelineError: an argument that cannot be; no more capacity than stays behind.

    Source: TF1 `tf.train.shuffle_batch`, which had no `dynamic_pad`, and no order that a seed repeats.

    >>> batches = list(shuffle_batch(range(8), 4, capacity=8, min_after_dequeue=4))
    >>> sorted(number for batch in batches for number in batch.tolist())
    [0, 1, 2, 3, 4, 5, 6, 7]
    """
    positive(num_threads, "num_threads", at="shuffle_batch(num_threads)")
    nodes = [input_node(tensors, "tensors", enqueue_many, True)]
    return _shuffled(
        nodes,
        batch_size,
        capacity,
        min_after_dequeue,
        seed,
        shapes,
        allow_smaller_final_batch,
        shared_name,
        name,
        dynamic_pad,
        order,
        capacity_bytes,
        on_error,
        at="shuffle_batch",
    )


def maybe_shuffle_batch(
    tensors: Any,
    batch_size: int,
    capacity: int,
    min_after_dequeue: int,
    keep_input: Any,
    num_threads: int = 1,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
    *,
    dynamic_pad: bool = False,
    order: Order = "fixed",
    capacity_bytes: int | None = None,
    on_error: OnError = "raise",
) -> Pipeline:
    """Batches of those examples of one source whose flag is true, in random order.

    Args:
      tensors: a source, as in `batch`.
      batch_size: as in `shuffle_batch`.
      capacity: as in `shuffle_batch`.
      min_after_dequeue: as in `shuffle_batch`.
      keep_input: as in `maybe_batch`.
      num_threads: as in `shuffle_batch`.
      seed: as in `shuffle_batch`.
      enqueue_many: as in `shuffle_batch`.
      shapes: as in `shuffle_batch`.
      allow_smaller_final_batch: as in `shuffle_batch`.
      shared_name: as in `shuffle_batch`.
      name: as in `shuffle_batch`.
      dynamic_pad: as in `shuffle_batch`.
      order: as in `batch_join`.
      capacity_bytes: as in `shuffle_batch`.
      on_error: as in `shuffle_batch`.

    Raises:
      PipelineError: as in `shuffle_batch`, and as in `maybe_batch`.

    Source: TF1 `tf.train.maybe_shuffle_batch`.

    >>> kept = maybe_shuffle_batch(range(4), 2, 4, 2, lambda: [True, False, True, False])
    >>> sorted(next(iter(kept)).tolist())
    [0, 2]
    """
    positive(num_threads, "num_threads", at="maybe_shuffle_batch(num_threads)")
    nodes = [input_node(tensors, "tensors", enqueue_many, keep_input)]
    return _shuffled(
        nodes,
        batch_size,
        capacity,
        min_after_dequeue,
        seed,
        shapes,
        allow_smaller_final_batch,
        shared_name,
        name,
        dynamic_pad,
        order,
        capacity_bytes,
        on_error,
        at="maybe_shuffle_batch",
    )


def shuffle_batch_join(
    tensors_list: Iterable[Any],
    batch_size: int,
    capacity: int,
    min_after_dequeue: int,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
    *,
    dynamic_pad: bool = False,
    order: Order = "fixed",
    capacity_bytes: int | None = None,
    on_error: OnError = "raise",
) -> Pipeline:
    """Batches of the examples of several sources, joined in turn and then put into random order.

    Args:
      tensors_list: the sources, as in `batch_join`.
      batch_size: as in `shuffle_batch`.
      capacity: as in `shuffle_batch`.
      min_after_dequeue: as in `shuffle_batch`.
      seed: as in `shuffle_batch`.
      enqueue_many: as in `shuffle_batch`.
      shapes: as in `shuffle_batch`.
      allow_smaller_final_batch: as in `shuffle_batch`.
      shared_name: as in `shuffle_batch`.
      name: as in `shuffle_batch`.
      dynamic_pad: as in `shuffle_batch`.
      order: as in `batch_join`.
      capacity_bytes: as in `shuffle_batch`.
      on_error: as in `shuffle_batch`.

    Raises:
      PipelineError: as in `shuffle_batch`, and as in `batch_join`.

    Source: TF1 `tf.train.shuffle_batch_join`.

    >>> list(shuffle_batch_join([range(3), range(3)], 2, capacity=1, min_after_dequeue=0))
    [array([0, 0]), array([1, 1]), array([2, 2])]
    """
    sources = sources_of(tensors_list)
    nodes = [input_node(tensors, f"source {i}", enqueue_many, True) for i, tensors in enumerate(sources)]
    return _shuffled(
        nodes,
        batch_size,
        capacity,
        min_after_dequeue,
        seed,
        shapes,
        allow_smaller_final_batch,
        shared_name,
        name,
        dynamic_pad,
        order,
        capacity_bytes,
        on_error,
        at="shuffle_batch_join",
    )


def maybe_shuffle_batch_join(
    tensors_list: Iterable[Any],
    batch_size: int,
    capacity: int,
    min_after_dequeue: int,
    keep_input: Any,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
    *,
    dynamic_pad: bool = False,
    order: Order = "fixed",
    capacity_bytes: int | None = None,
    on_error: OnError = "raise",
) -> Pipeline:
    """Batches of those examples of several sources whose flags are true, joined in turn and put into random order.

    Args:
      tensors_list: the sources, as in `batch_join`.
      batch_size: as in `shuffle_batch`.
      capacity: as in `shuffle_batch`.
      min_after_dequeue: as in `shuffle_batch`.
      keep_input: as in `maybe_batch_join`.
      seed: as in `shuffle_batch`.
      enqueue_many: as in `shuffle_batch`.
      shapes: as in `shuffle_batch`.
      allow_smaller_final_batch: as in `shuffle_batch`.
      shared_name: as in `shuffle_batch`.
      name: as in `shuffle_batch`.
      dynamic_pad: as in `shuffle_batch`.
      order: as in `batch_join`.
      capacity_bytes: as in `shuffle_batch`.
      on_error: as in `shuffle_batch`.

    Raises:
      PipelineError: as in `shuffle_batch`, and as in `maybe_batch_join`.

    Source: TF1 `tf.train.maybe_shuffle_batch_join`.
    """
    sources = sources_of(tensors_list)
    keeps = keeps_of(keep_input, len(sources), enqueue_many)
    pairs = enumerate(zip(sources, keeps, strict=True))
    nodes = [input_node(tensors, f"source {i}", enqueue_many, keep) for i, (tensors, keep) in pairs]
    return _shuffled(
        nodes,
        batch_size,
        capacity,
        min_after_dequeue,
        seed,
        shapes,
        allow_smaller_final_batch,
        shared_name,
        name,
        dynamic_pad,
        order,
        capacity_bytes,
        on_error,
        at="maybe_shuffle_batch_join",
    )


def _shuffled(
    nodes: list[Node],
    batch_size: int,
    capacity: Any,
    min_after_dequeue: Any,
    seed: Any,
    shapes: Any,
    smaller: bool,
    shared_name: str | None,
    name: str | None,
    dynamic_pad: bool,
    order: Order,
    capacity_bytes: int | None,
    on_error: OnError,
    *,
    at: str,
) -> Pipeline:
    keep = positive(min_after_dequeue, "min_after_dequeue", at=f"{at}(min_after_dequeue)", least=0)
    most = integer(capacity, "capacity", at=f"{at}(capacity)")
    if most <= keep:
        raise PipelineError(mismatch(f"`capacity` above `min_after_dequeue`, {keep}", f"{most}", at=f"{at}(capacity)"))
    return batched(
        tuple(nodes),
        batch_size,
        max(1, most - keep - 1),
        shapes,
        dynamic_pad,
        smaller,
        shared_name,
        name,
        order,
        0 if seed is None else integer(seed, "seed", at=f"{at}(seed)"),
        capacity_bytes,
        on_error,
        lambda joined: Shuffle(joined, keep + 1),
    )
