"""TF1's bucketing functions over the fluent form: their names, order and defaults, then what is ours, by keyword.

What waits in a bucket is bounded by its batch size; `capacity` is how much is read ahead of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from penstock.bucketing import grouped, rooms, sizes_of
from penstock.errors import PipelineError, mismatch
from penstock.faults import OnError
from penstock.functions import capacity_of, input_node, pad_of
from penstock.pipeline import Pipeline
from penstock.plan import Join, Map, Node, Options, positive
from penstock.stages.bucket import Rooms

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
    *,
    capacity_bytes: int | None = None,
    on_error: OnError = "raise",
) -> Pipeline:
    """Batches of examples of one bucket each, as pairs of its number, int32[], and the batch.

    Within a bucket examples keep their order. Those of no bucket are left out, and counted in the report.

    Args:
      tensors: a source, as in `batch`.
      which_bucket: a source of numbers from 0 to `num_buckets - 1`, read in step with `tensors`.
      batch_size: examples in a batch; or a number for each bucket. [examples]
      num_buckets: how many buckets.
      num_threads: checked, and changes neither order nor result.
      capacity: how many examples may wait, read ahead of the buckets; a negative one sets no limit. [examples]
      bucket_capacities: as TF1 had it: a number for each bucket, checked and without effect; a bucket has room for its batch.
      shapes: as in `batch`.
      dynamic_pad: whether dimensions that vary are padded to the longest in the batch.
      allow_smaller_final_batch: whether what is left in the buckets is given as smaller batches, from bucket 0 on.
      keep_input: as in `maybe_batch`.
      shared_name: as in `batch`.
      name: of the flow, in threads and reports.
      capacity_bytes: how many bytes may wait, read ahead. [bytes]
      on_error: `"raise"`.

    Raises:
      PipelineError: an argument that cannot be.

    Source: TF1 `tf.contrib.training.bucket`.

    >>> for number, batch in bucket([10, 21, 30, 41], [0, 1, 0, 1], 2, 2):
    ...     print(number, batch)
    0 [10 30]
    1 [21 41]
    """
    count = positive(num_buckets, "num_buckets", at="bucket(num_buckets)")
    own = Rooms(None, count, sizes_of(batch_size, count, "bucket"))
    node = _bucketed(
        (tensors, which_bucket),
        1,
        own,
        num_threads,
        bucket_capacities,
        shapes,
        dynamic_pad,
        allow_smaller_final_batch,
        keep_input,
        at="bucket",
    )
    return Pipeline(Map(node, _numbered), _options(capacity, capacity_bytes, on_error, name, shared_name))


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
    *,
    capacity_bytes: int | None = None,
    on_error: OnError = "raise",
) -> Pipeline:
    """Batches of examples of like length, as pairs of their lengths and the batch.

    Args:
      input_length: a source of lengths, read in step with `tensors`.
      tensors: a source, as in `batch`.
      batch_size: examples in a batch; or a number for each of the k + 1 buckets. [examples]
      bucket_boundaries: k lengths that increase; a length that is equal to one goes into the bucket above.
      num_threads: as in `bucket`.
      capacity: as in `bucket`.
      bucket_capacities: as in `bucket`.
      shapes: as in `batch`, without the length.
      dynamic_pad: as in `bucket`.
      allow_smaller_final_batch: as in `bucket`.
      keep_input: as in `maybe_batch`.
      shared_name: as in `batch`.
      name: as in `bucket`.
      capacity_bytes: as in `bucket`.
      on_error: as in `bucket`.

    Raises:
      PipelineError: an argument that cannot be.

    Source: TF1 `tf.contrib.training.bucket_by_sequence_length`.

    >>> texts = [np.arange(n) for n in (1, 5, 2, 6)]
    >>> for lengths, batch in bucket_by_sequence_length([1, 5, 2, 6], texts, 2, [4], dynamic_pad=True):
    ...     print(lengths, batch.shape)
    [1 2] (2, 2)
    [5 6] (2, 6)
    """
    own = rooms(bucket_boundaries, batch_size, at="bucket_by_sequence_length")
    node = _bucketed(
        (input_length, tensors),
        0,
        own,
        num_threads,
        bucket_capacities,
        shapes,
        dynamic_pad,
        allow_smaller_final_batch,
        keep_input,
        at="bucket_by_sequence_length",
    )
    return Pipeline(node, _options(capacity, capacity_bytes, on_error, name, shared_name))


def _bucketed(
    pair: tuple[Any, Any],
    number: int,
    own: Rooms,
    num_threads: Any,
    bucket_capacities: Any,
    shapes: Any,
    dynamic_pad: bool,
    smaller: bool,
    keep_input: Any,
    *,
    at: str,
) -> Node:
    """The batches of pairs, of which one is the number that they go by."""
    positive(num_threads, "num_threads", at=f"{at}(num_threads)")
    if bucket_capacities is not None:
        where = f"{at}(bucket_capacities)"
        if len(bucket_capacities) != own.count:
            got = f"{len(bucket_capacities)}"
            raise PipelineError(mismatch(f"a capacity for each of {own.count} buckets", got, at=where))
        for capacity in bucket_capacities:
            positive(capacity, "capacity", at=where)
    joined = Join((input_node(pair, "tensors", False, keep_input),))
    pad = pad_of(joined, shapes, dynamic_pad, beside=number)
    return grouped(pad if pad is not None else joined, number, own, keep_last=bool(smaller))


def _options(
    capacity: Any, capacity_bytes: int | None, on_error: OnError, name: str | None, shared_name: str | None
) -> Options:
    return Options(
        capacity=capacity_of(capacity),
        capacity_bytes=capacity_bytes,
        on_error=on_error,
        name=name,
        shared_name=shared_name,
    )


def _numbered(pair: Any) -> Any:
    """The number of a batch's bucket, once, and the batch."""
    batch, numbers = pair
    return np.int32(numbers[0]), batch
