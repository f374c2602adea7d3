"""TF1's shuffling functions with handles, over the functions of the same name in penstock."""

from __future__ import annotations

from typing import Any

import penstock as ps
from penstock.tf1.batching import batched, form_of
from penstock.tf1.joins import flags_of, forms_of

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
) -> Any:
    """Handles of batches in random order, the same on every run: `penstock.shuffle_batch`, in TF1's forms.

    Args:
      tensors: a list, tuple or dict of components: handles, sources, or constants.
      batch_size: examples in a batch. [examples]
      capacity: how many examples may wait, those that stay behind among them. [examples]
      min_after_dequeue: how many stay behind after each example that leaves. [examples]
      num_threads: checked, and changes neither order nor result.
      seed: of the order.
      enqueue_many: whether each step gives a chunk of examples.
      shapes: a shape for each component.
      allow_smaller_final_batch: whether the remainder is given as a smaller batch.
      shared_name: as in `penstock.batch`.
      name: of the flow, in threads and reports.
      dynamic_pad: whether free dimensions are padded to the longest in the batch, which TF1 could not.

    Returns:
      As of `batch`.

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.train.shuffle_batch`.

    >>> from penstock import tf1 as tf
    >>> x = tf.train.shuffle_batch([tf.train.range_input_producer(6, 1, False).dequeue()], 6, 10, 5)
    >>> with tf.Session() as sess:
    ...     print(sorted(sess.run(x).tolist()))
    [0, 1, 2, 3, 4, 5]
    """
    arguments = _given(batch_size, capacity, min_after_dequeue, seed, enqueue_many, shapes, allow_smaller_final_batch)
    arguments |= {"num_threads": num_threads, "shared_name": shared_name, "name": name, "dynamic_pad": dynamic_pad}
    return batched(
        ps.shuffle_batch, [form_of(tensors, "tensors", many=enqueue_many)], arguments, joined=False, name=name
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
) -> Any:
    """Handles of batches, in random order, of those examples whose flag is true.

    Args:
      tensors: as in `shuffle_batch`.
      batch_size: examples in a batch. [examples]
      capacity: as in `shuffle_batch`.
      min_after_dequeue: as in `shuffle_batch`.
      keep_input: as in `maybe_batch`, and the fifth argument here, as it was in TF1.
      num_threads: as in `shuffle_batch`.
      seed: as in `shuffle_batch`.
      enqueue_many: as in `shuffle_batch`.
      shapes: as in `shuffle_batch`.
      allow_smaller_final_batch: as in `shuffle_batch`.
      shared_name: as in `shuffle_batch`.
      name: as in `shuffle_batch`.
      dynamic_pad: as in `shuffle_batch`.

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.train.maybe_shuffle_batch`.
    """
    arguments = _given(batch_size, capacity, min_after_dequeue, seed, enqueue_many, shapes, allow_smaller_final_batch)
    arguments |= {"num_threads": num_threads, "shared_name": shared_name, "name": name, "dynamic_pad": dynamic_pad}
    form = form_of(tensors, "tensors", many=enqueue_many)
    return batched(ps.maybe_shuffle_batch, [form], arguments, joined=False, keep=[keep_input], name=name)


def shuffle_batch_join(
    tensors_list: Any,
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
) -> Any:
    """Handles of batches of several sources, joined in turn, in random order.

    Args:
      tensors_list: as in `batch_join`.
      batch_size: examples in a batch. [examples]
      capacity: as in `shuffle_batch`.
      min_after_dequeue: as in `shuffle_batch`.
      seed: as in `shuffle_batch`.
      enqueue_many: as in `shuffle_batch`.
      shapes: as in `shuffle_batch`.
      allow_smaller_final_batch: as in `shuffle_batch`.
      shared_name: as in `shuffle_batch`.
      name: as in `shuffle_batch`.
      dynamic_pad: as in `shuffle_batch`.

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.train.shuffle_batch_join`.
    """
    arguments = _given(batch_size, capacity, min_after_dequeue, seed, enqueue_many, shapes, allow_smaller_final_batch)
    arguments |= {"shared_name": shared_name, "name": name, "dynamic_pad": dynamic_pad}
    return batched(ps.shuffle_batch_join, forms_of(tensors_list, enqueue_many), arguments, joined=True, name=name)


def maybe_shuffle_batch_join(
    tensors_list: Any,
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
) -> Any:
    """Handles of batches, in random order, of those examples of several sources whose flags are true.

    Args:
      tensors_list: as in `batch_join`.
      batch_size: examples in a batch. [examples]
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

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.train.maybe_shuffle_batch_join`.
    """
    arguments = _given(batch_size, capacity, min_after_dequeue, seed, enqueue_many, shapes, allow_smaller_final_batch)
    arguments |= {"shared_name": shared_name, "name": name, "dynamic_pad": dynamic_pad}
    forms = forms_of(tensors_list, enqueue_many)
    flags = flags_of(keep_input, forms)
    return batched(ps.maybe_shuffle_batch_join, forms, arguments, joined=True, keep=flags, name=name)


def _given(
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    seed: int | None,
    enqueue_many: bool,
    shapes: Any,
    allow_smaller_final_batch: bool,
) -> dict[str, Any]:
    return {
        "batch_size": batch_size,
        "capacity": capacity,
        "min_after_dequeue": min_after_dequeue,
        "seed": seed,
        "enqueue_many": enqueue_many,
        "shapes": shapes,
        "allow_smaller_final_batch": allow_smaller_final_batch,
    }
