"""`bucket` and `bucket_by_sequence_length` of `tf.contrib.training`, with handles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import penstock as ps
from penstock.errors import mismatch
from penstock.pipeline import Pipeline
from penstock.tf1.batching import Form, component, form_of, settled
from penstock.tf1.errors import FormError
from penstock.tf1.feeds import FeedNode, StepSource
from penstock.tf1.handles import Handle
from penstock.tf1.session import Session

__all__ = ["bucket", "bucket_by_sequence_length"]


def bucket(
    tensors: Any,
    which_bucket: Any,
    batch_size: int | Sequence[int],
    num_buckets: int,
    num_threads: int = 1,
    capacity: int = 32,
    bucket_capacities: Sequence[int] | None = None,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    keep_input: Any = True,
    shared_name: str | None = None,
    name: str | None = None,
) -> tuple[Handle, Any]:
    """Handles of the number of a bucket, and of a batch of examples of it: `penstock.bucket`, in TF1's forms.

    Args:
      tensors: a list, tuple or dict of components: handles, sources, or constants.
      which_bucket: a handle of the number of an example's bucket, read in the same step.
      batch_size: examples in a batch; or a number for each bucket. [examples]
      num_buckets: how many there are.
      num_threads: checked, and changes neither order nor result.
      capacity: as in `penstock.bucket`.
      bucket_capacities: as in `penstock.bucket`.
      shapes: a shape for each component.
      dynamic_pad: whether free dimensions are padded to the longest in the batch.
      allow_smaller_final_batch: whether each bucket's remainder is given.
      keep_input: a handle of a flag, or a bool.
      shared_name: as in `penstock.batch`.
      name: of the flow, in threads and reports.

    Returns:
      The handle of the number, int32, and the batch: a dict for a dict, a list, or of a list of one the bare handle.

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.contrib.training.bucket`.
    """
    form = form_of(tensors, "tensors")
    number = component(which_bucket, "which_bucket")
    arguments = {
        "batch_size": settled(batch_size),
        "num_buckets": num_buckets,
        "num_threads": num_threads,
        "capacity": capacity,
        "bucket_capacities": bucket_capacities,
        "shapes": shapes,
        "dynamic_pad": dynamic_pad,
        "allow_smaller_final_batch": allow_smaller_final_batch,
        "shared_name": shared_name,
        "name": name,
    }
    node = FeedNode(
        name or "bucket",
        _description(
            lambda examples, numbers, **given: ps.bucket(examples, numbers, **given),
            form,
            number,
            keep_input,
            arguments,
        ),
        lambda pair: [pair[0], *form.parts(pair[1])],
    )
    handles = [Handle(node, 1 + i, dtype=handle.dtype) for i, handle in enumerate(form.handles)]
    return Handle(node, 0, dtype=np.dtype(np.int32), shape=()), form.returned(handles)


def bucket_by_sequence_length(
    input_length: Any,
    tensors: Any,
    batch_size: int | Sequence[int],
    bucket_boundaries: Sequence[int],
    num_threads: int = 1,
    capacity: int = 32,
    bucket_capacities: Sequence[int] | None = None,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    keep_input: Any = True,
    shared_name: str | None = None,
    name: str | None = None,
) -> tuple[Handle, Any]:
    """Handles of the lengths in a batch of examples of like length, and of that batch.

    Args:
      input_length: a handle of the length of an example, read in the same step.
      tensors: a list or dict of components: handles, sources, or constants.
      batch_size: examples in a batch; or a number for each of the k + 1 buckets. [examples]
      bucket_boundaries: k lengths that increase.
      num_threads: as in `bucket`.
      capacity: as in `bucket`.
      bucket_capacities: as in `bucket`.
      shapes: as in `bucket`.
      dynamic_pad: as in `bucket`.
      allow_smaller_final_batch: as in `bucket`.
      keep_input: as in `bucket`.
      shared_name: as in `bucket`.
      name: as in `bucket`.

    Returns:
      The handle of the lengths, and the batch: a dict for a dict, else a list, also of one.

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.contrib.training.bucket_by_sequence_length`.
    """
    if isinstance(tensors, tuple):
        raise FormError(mismatch("a list or dict of components", "`tuple`", at="bucket_by_sequence_length(tensors)"))
    form = form_of(tensors, "tensors")
    length = component(input_length, "input_length")
    arguments = {
        "batch_size": settled(batch_size),
        "bucket_boundaries": bucket_boundaries,
        "num_threads": num_threads,
        "capacity": capacity,
        "bucket_capacities": bucket_capacities,
        "shapes": shapes,
        "dynamic_pad": dynamic_pad,
        "allow_smaller_final_batch": allow_smaller_final_batch,
        "shared_name": shared_name,
        "name": name,
    }

    def called(examples: Any, lengths: Any, **given: Any) -> Pipeline:
        return ps.bucket_by_sequence_length(lengths, examples, **given)

    node = FeedNode(
        name or "bucket_by_sequence_length",
        _description(called, form, length, keep_input, arguments),
        lambda pair: [pair[0].astype(np.int32, copy=False), *form.parts(pair[1])],
    )
    handles = [Handle(node, 1 + i, dtype=handle.dtype) for i, handle in enumerate(form.handles)]
    whole = form.unpacked(handles)
    batch: Any = whole if form.keys is None else dict(zip(form.keys, whole, strict=True))
    return Handle(node, 0, dtype=np.dtype(np.int32)), batch


def _description(
    function: Callable[..., Pipeline], form: Form, number: Handle, keep_input: Any, arguments: dict[str, Any]
) -> Callable[[Session | None], Pipeline]:
    """What gives the pipeline of a session, which reads example, number and flag in one step."""
    sides = [number, keep_input] if isinstance(keep_input, Handle) else [number]

    def describe(session: Session | None) -> Pipeline:
        source = StepSource(session, form.handles, form.build, sides)
        keep = source.side(1) if isinstance(keep_input, Handle) else keep_input
        given = dict(arguments)
        if session is not None and given["shared_name"] is not None:
            given["shared_name"] = session.shared(given["shared_name"])
        return function(source.examples, source.side(0), keep_input=keep, **given)

    return describe
