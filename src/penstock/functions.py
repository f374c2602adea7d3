"""TF1's functions over the fluent form: their names, order and defaults, then what is ours, by keyword."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from penstock.errors import PipelineError, mismatch
from penstock.faults import OnError
from penstock.inputs import input_of
from penstock.later import later
from penstock.pipeline import Pipeline
from penstock.plan import Batch as BatchNode
from penstock.plan import Join, Node, Options, Order, Pad, PadRule, Read, positive
from penstock.sources import as_source

__all__ = ["batch", "batch_join", "maybe_batch", "maybe_batch_join"]


UNLIMITED = 1 << 40
"""What a negative capacity stands for, as in TF1. [examples]"""


def batch(
    tensors: Any,
    batch_size: int,
    num_threads: int = 1,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
    *,
    order: Order = "fixed",
    seed: int = 0,
    capacity_bytes: int | None = None,
    on_error: OnError = "raise",
) -> Pipeline:
    """Batches of the examples of one source, read ahead.

    The structure that goes in comes back: a tuple, dict, namedtuple or dataclass of components, or a bare array.
    An error of the source comes out as it is, after the whole batches before it.

    Args:
      tensors: a source: a pipeline, a tuple or dict of components, an array, a list of examples, an iterable, or a
        callable that opens one.
      batch_size: examples in a batch. [examples]
      num_threads: checked, and changes neither order nor result: one source has one order, which several threads would
        only lose, and a thread that waits for its turn reads nothing sooner.
      capacity: how many examples may wait, read ahead; as in TF1, a negative one sets no limit. [examples]
      enqueue_many: whether each item is a chunk of examples: arrays with a leading dimension.
      shapes: a shape for each component, a dict of them for dicts, or one flat list of ints; each example is held to
        it.
      dynamic_pad: whether dimensions that vary (all, or those that are `None` in `shapes`) are padded to the longest in
        the batch.
      allow_smaller_final_batch: whether the remainder is given as a smaller batch.
      shared_name: pipelines of one process that are opened under one name feed from one running flow, each batch going to
        exactly one of them, until the last is closed.
      name: of the flow, in threads and reports.
      order: as in `batch_join`.
      seed: of everything that is drawn.
      capacity_bytes: how many bytes may wait. [bytes]
      on_error: `"raise"`, `ps.Skip(...)`, `ps.Retry(...)` or both, of every source and of examples that do not fit.

    Returns:
      A pipeline of batches; iterate over it, or `open()` it.

    Raises:
      PipelineError: an argument that cannot be.

    Source: TF1 `tf.train.batch`.

    >>> list(batch([1, 2, 3, 4, 5], 2))
    [array([1, 2]), array([3, 4])]
    """
    positive(num_threads, "num_threads", at="batch(num_threads)")
    node = input_node(tensors, "tensors", enqueue_many, True)
    return batched(
        (node,),
        batch_size,
        capacity,
        shapes,
        dynamic_pad,
        allow_smaller_final_batch,
        shared_name,
        name,
        order,
        seed,
        capacity_bytes,
        on_error,
    )


def maybe_batch(
    tensors: Any,
    keep_input: Any,
    batch_size: int,
    num_threads: int = 1,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
    *,
    order: Order = "fixed",
    seed: int = 0,
    capacity_bytes: int | None = None,
    on_error: OnError = "raise",
) -> Pipeline:
    """Batches of those examples of one source whose flag is true.

    Args:
      tensors: a source, as in `batch`.
      keep_input: a bool (or 0, 1) for all; or a source of flags read in step with `tensors` (a callable opens it). With
        `enqueue_many` a flag is for a whole chunk, or an array of one for each row; a flat list of bools is one
        constant mask for every chunk. For a predicate use `.filter`.
      batch_size: examples in a batch. [examples]
      num_threads: as in `batch`.
      capacity: as in `batch`.
      enqueue_many: as in `batch`.
      shapes: as in `batch`.
      dynamic_pad: as in `batch`.
      allow_smaller_final_batch: as in `batch`.
      shared_name: as in `batch`.
      name: as in `batch`.
      order: as in `batch`.
      seed: as in `batch`.
      capacity_bytes: as in `batch`.
      on_error: as in `batch`.

    Raises:
      PipelineError: an argument that cannot be.

    Source: TF1 `tf.train.maybe_batch`.

    >>> list(maybe_batch([1, 2, 3, 4], [True, False, True, True], 2, allow_smaller_final_batch=True, capacity=8))
    Traceback (most recent call last):
    penstock.errors.PipelineError: expected a bool, or a source of flags, got a flat list of bools - at keep_input - ...
    >>> list(maybe_batch([1, 2, 3, 4], lambda: [True, False, True, True], 2))
    [array([1, 3])]
    """
    positive(num_threads, "num_threads", at="maybe_batch(num_threads)")
    node = input_node(tensors, "tensors", enqueue_many, keep_input)
    return batched(
        (node,),
        batch_size,
        capacity,
        shapes,
        dynamic_pad,
        allow_smaller_final_batch,
        shared_name,
        name,
        order,
        seed,
        capacity_bytes,
        on_error,
    )


def batch_join(
    tensors_list: Iterable[Any],
    batch_size: int,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
    *,
    order: Order = "fixed",
    seed: int = 0,
    capacity_bytes: int | None = None,
    on_error: OnError = "raise",
) -> Pipeline:
    """Batches of the examples of several sources, read ahead and joined in turn.

    One example of each source in turn (with `enqueue_many` a whole chunk), so that every run gives the same batches; a
    source that ends drops out of the turn. `order="arrival"` takes whoever is ready instead.

    Args:
      tensors_list: the sources, each as `tensors` of `batch`; they must agree in structure, dtypes and shapes.
      batch_size: examples in a batch. [examples]
      capacity: how many examples may wait in all, read ahead; each source has at least one place. [examples]
      enqueue_many: whether each item is a chunk of examples: arrays with a leading dimension.
      shapes: as in `batch`.
      dynamic_pad: as in `batch`.
      allow_smaller_final_batch: as in `batch`.
      shared_name: as in `batch`.
      name: as in `batch`.
      order: `"fixed"`, each in turn, or `"arrival"`, whoever is ready.
      seed: of everything that is drawn.
      capacity_bytes: how many bytes may wait in all. [bytes]
      on_error: `"raise"`, `ps.Skip(...)`, `ps.Retry(...)` or both, of every source and of examples that do not fit.

    Raises:
      PipelineError: no sources, or an argument that cannot be.

    Source: TF1 `tf.train.batch_join`.

    >>> list(batch_join([[1, 2, 3], [10, 20, 30]], batch_size=4))
    [array([ 1, 10,  2, 20])]
    """
    nodes = [
        input_node(tensors, f"source {i}", enqueue_many, True) for i, tensors in enumerate(sources_of(tensors_list))
    ]
    return batched(
        tuple(nodes),
        batch_size,
        capacity,
        shapes,
        dynamic_pad,
        allow_smaller_final_batch,
        shared_name,
        name,
        order,
        seed,
        capacity_bytes,
        on_error,
    )


def maybe_batch_join(
    tensors_list: Iterable[Any],
    keep_input: Any,
    batch_size: int,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
    *,
    order: Order = "fixed",
    seed: int = 0,
    capacity_bytes: int | None = None,
    on_error: OnError = "raise",
) -> Pipeline:
    """Batches of those examples of several sources whose flags are true.

    Args:
      tensors_list: the sources, as in `batch_join`.
      keep_input: a bool (or 0, 1) for all; with `enqueue_many` a flat list of bools is one mask for every chunk of all
        sources; otherwise a list of as many as there are sources, each as `keep_input` of `maybe_batch`.
      batch_size: examples in a batch. [examples]
      capacity: as in `batch_join`.
      enqueue_many: as in `batch_join`.
      shapes: as in `batch_join`.
      dynamic_pad: as in `batch_join`.
      allow_smaller_final_batch: as in `batch_join`.
      shared_name: as in `batch`.
      name: as in `batch_join`.
      order: as in `batch_join`.
      seed: as in `batch_join`.
      capacity_bytes: as in `batch_join`.
      on_error: as in `batch_join`.

    Raises:
      PipelineError: an argument that cannot be; flags that are not as many as the sources.

    Source: TF1 `tf.train.maybe_batch_join`, whose one flag for all sources read the first of them too often.

    >>> list(maybe_batch_join([[1, 2], [10, 20]], [True, lambda: [False, True]], batch_size=3))
    [array([ 1, 20,  2])]
    """
    sources = sources_of(tensors_list)
    keeps = keeps_of(keep_input, len(sources), enqueue_many)
    pairs = zip(sources, keeps, strict=True)
    nodes = [input_node(tensors, f"source {i}", enqueue_many, keep) for i, (tensors, keep) in enumerate(pairs)]
    return batched(
        tuple(nodes),
        batch_size,
        capacity,
        shapes,
        dynamic_pad,
        allow_smaller_final_batch,
        shared_name,
        name,
        order,
        seed,
        capacity_bytes,
        on_error,
    )


def batched(
    inputs: tuple[Node, ...],
    batch_size: int,
    capacity: int,
    shapes: Any,
    dynamic_pad: bool,
    smaller: bool,
    shared_name: str | None,
    name: str | None,
    order: Order,
    seed: int,
    capacity_bytes: int | None,
    on_error: OnError,
    between: Callable[[Node], Node] | None = None,
) -> Pipeline:
    """The pipeline that all functions of this kind are.

    Args:
      inputs: what is joined.
      batch_size: as in `batch`, and so on.
      capacity: of the lanes; a negative one sets no limit. [examples]
      shapes: of each component.
      dynamic_pad: whether dimensions that vary are padded.
      smaller: whether the remainder is given.
      shared_name: under which the flow is shared.
      name: of the flow.
      order: of the join.
      seed: of everything that is drawn.
      capacity_bytes: of the lanes. [bytes]
      on_error: what an error does.
      between: puts a word between the join and the batch.
    """
    options = Options(
        seed=seed,
        capacity=capacity_of(capacity),
        capacity_bytes=capacity_bytes,
        on_error=on_error,
        name=name,
        shared_name=shared_name,
    )
    joined: Node = Join(inputs, order)
    joined = joined if between is None else between(joined)
    pad = pad_of(joined, shapes, dynamic_pad)
    return Pipeline(BatchNode(pad if pad is not None else joined, batch_size, bool(smaller)), options)


def capacity_of(capacity: Any) -> int:
    """A positive capacity, or TF1's negative one: no limit."""
    unlimited = isinstance(capacity, (int, np.integer)) and capacity < 0
    return UNLIMITED if unlimited else positive(capacity, "capacity", at="capacity")


def pad_of(node: Node, shapes: Any, dynamic_pad: bool, *, beside: int | None = None) -> Pad | None:
    """What may be padded, by TF1's arguments.

    Args:
      node: what comes before.
      shapes: of each component; `None` goes by `dynamic_pad` alone.
      dynamic_pad: whether dimensions that vary are padded.
      beside: the place of a number that stands beside the components, in a pair with them; `None` if none does.
    """
    if shapes is None:
        return Pad(node, ((None, PadRule()),)) if dynamic_pad else None
    if isinstance(shapes, Mapping):
        within = () if beside is None else (1 - beside,)
        rules = tuple(((*within, key), _rule(shape, dynamic_pad, key)) for key, shape in shapes.items())
        return Pad(node, rules)
    if isinstance(shapes, (str, bytes)) or not isinstance(shapes, Sequence):
        raise PipelineError(mismatch("a shape for each component", f"`{shapes!r}`", at="shapes"))
    flat = all(size is None or isinstance(size, (int, np.integer)) for size in shapes)
    each = [shapes] if flat else list(shapes)
    if beside is not None:
        each.insert(beside * len(each), [])
    return Pad(node, tuple(((i,), _rule(shape, dynamic_pad, i)) for i, shape in enumerate(each)), in_order=True)


def _rule(shape: Any, dynamic_pad: bool, name: object) -> PadRule:
    if isinstance(shape, (str, bytes)) or not isinstance(shape, Sequence):
        raise PipelineError(mismatch("a shape: a sequence of sizes and `None`", f"`{shape!r}`", at=f"shapes[{name!r}]"))
    if not dynamic_pad and any(size is None for size in shape):
        raise PipelineError(
            mismatch(
                "fully given `shapes` without `dynamic_pad`",
                f"`{list(shape)}`",
                at=f"shapes[{name!r}]",
                do="with `dynamic_pad=True` dimensions that are `None` are padded",
            )
        )
    return PadRule(shape=tuple(shape), fixed=True)


def sources_of(tensors_list: Any) -> list[Any]:
    if isinstance(tensors_list, Mapping):
        raise PipelineError(
            mismatch(
                "a list of sources", "a dict", at="tensors_list", do="for named sources use `ps.join({name: source})`"
            )
        )
    if isinstance(tensors_list, (Pipeline, str, bytes, np.ndarray)) or not isinstance(tensors_list, Iterable):
        raise PipelineError(
            mismatch(
                "a list of sources",
                f"`{type(tensors_list).__name__}`",
                at="tensors_list",
                do="for one source use `ps.batch`",
            )
        )
    sources = list(tensors_list)
    if not sources:
        raise PipelineError(mismatch("at least one source", "none", at="tensors_list"))
    return sources


def _is_flag(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return True
    return isinstance(value, (int, np.integer)) and int(value) in (0, 1)


def _is_mask(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 1 and value.dtype == np.bool_
    return (
        isinstance(value, (list, tuple))
        and len(value) > 0
        and all(isinstance(flag, (bool, np.bool_)) for flag in value)
    )


def keeps_of(keep_input: Any, count: int, enqueue_many: bool) -> list[Any]:
    """The flags of each source."""
    if _is_flag(keep_input) or (enqueue_many and _is_mask(keep_input)):
        return [keep_input] * count
    if _is_mask(keep_input):
        _refuse_mask()
    if count == 1 and not isinstance(keep_input, (list, tuple)):
        return [keep_input]
    if not isinstance(keep_input, (list, tuple)) or len(keep_input) != count:
        got = f"{len(keep_input)}" if isinstance(keep_input, (list, tuple)) else f"`{type(keep_input).__name__}`"
        raise PipelineError(mismatch(f"a bool, or a list of flags for each of {count} sources", got, at="keep_input"))
    return list(keep_input)


def _refuse_mask() -> None:
    raise PipelineError(
        mismatch(
            "a bool, or a source of flags",
            "a flat list of bools",
            at="keep_input",
            do="a list of bools is a mask for chunks (`enqueue_many=True`); for a flag of each example pass a callable "
            "that opens them",
        )
    )


def input_node(tensors: Any, at: str, enqueue_many: bool, keep_input: Any) -> Node:
    """The node that reads a source, its flags beside it where they are not all true."""
    node = input_of(tensors, at)
    chunks = bool(enqueue_many) or node.batched
    if _is_mask(keep_input) and not chunks:
        _refuse_mask()
    if _is_flag(keep_input) and keep_input:
        if not chunks or node.batched:
            return node
        source = as_source(tensors, at=at)
        # What has rows at hand is read row by row: each is an item, and so a chunk.
        if source.blocks:
            source = later("sources.flagged").FlaggedSource(source, np.asarray(True), chunks=True)
        return Read(source, chunks=True)
    source, flagged = as_source(tensors, at=at), later("sources.flagged")
    if _is_flag(keep_input) or _is_mask(keep_input):
        return Read(flagged.FlaggedSource(source, np.asarray(keep_input, bool), chunks=chunks), chunks=chunks)
    _check_flags(keep_input)
    # As components of one source, so that what stands in both is read once.
    pairs = as_source(flagged.Flagged(tensors, keep_input), at=at)
    return Read(flagged.FlaggedSource(pairs, None, chunks=chunks, label=source.label), chunks=chunks)


def _check_flags(keep_input: Any) -> None:
    """Says if what is neither a flag nor a mask is no source of flags either."""
    what = None
    do = None
    if keep_input is None or isinstance(keep_input, (int, float, complex, str, bytes, np.generic)):
        what = f"`{keep_input!r}`"
    elif _takes_arguments(keep_input):
        what, do = "a function of an example", "for a predicate use `.filter`"
    if what is not None:
        raise PipelineError(mismatch("a bool, or a source of flags", what, at="keep_input", do=do))


def _takes_arguments(thing: Any) -> bool:
    if not callable(thing) or hasattr(type(thing), "__iter__"):
        return False
    try:
        inspect.signature(thing).bind()
    except TypeError:
        return True
    except ValueError:  # Some of C do not tell their arguments.
        return False
    return False
