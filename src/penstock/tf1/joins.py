"""TF1's batching functions: its names, order and defaults, over the functions of the same name in penstock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import penstock as ps
from penstock.errors import mismatch
from penstock.tf1.batching import Form, batched, form_of
from penstock.tf1.errors import FormError
from penstock.tf1.feeds import origins
from penstock.tf1.handles import Handle, as_value

__all__ = ["batch", "batch_join", "maybe_batch", "maybe_batch_join"]


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
) -> Any:
    """Handles of batches of what `tensors` gives step after step: `penstock.batch`, in TF1's forms.

    Args:
      tensors: a list, tuple or dict of components: handles, sources, or constants.
      batch_size: examples in a batch. [examples]
      num_threads: checked, and changes neither order nor result.
      capacity: how many examples may wait, read ahead. [examples]
      enqueue_many: whether each step gives a chunk of examples.
      shapes: a shape for each component.
      dynamic_pad: whether free dimensions are padded to the longest in the batch.
      allow_smaller_final_batch: whether the remainder is given as a smaller batch.
      shared_name: as in `penstock.batch`.
      name: of the flow, in threads and reports.

    Returns:
      A dict for a dict; else a list of handles, and of a list of one the bare handle, as TF1 did.

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.train.batch`.

    >>> from penstock import tf1 as tf
    >>> number, double = tf.train.batch([x := tf.train.range_input_producer(6, 1, False).dequeue(), x * 2], 3)
    >>> with tf.Session() as sess:
    ...     print(*sess.run([number, double]))
    [0 1 2] [0 2 4]
    """
    arguments = _given(batch_size, capacity, enqueue_many, shapes, dynamic_pad, allow_smaller_final_batch, shared_name)
    arguments |= {"num_threads": num_threads, "name": name}
    return batched(ps.batch, [form_of(tensors, "tensors", many=enqueue_many)], arguments, joined=False, name=name)


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
) -> Any:
    """Handles of batches of those examples whose flag is true; the flag is read in the same step.

    Args:
      tensors: as in `batch`.
      keep_input: a handle of a flag, or with `enqueue_many` of one for each row; or a bool.
      batch_size: examples in a batch. [examples]
      num_threads: as in `batch`.
      capacity: as in `batch`.
      enqueue_many: as in `batch`.
      shapes: as in `batch`.
      dynamic_pad: as in `batch`.
      allow_smaller_final_batch: as in `batch`.
      shared_name: as in `batch`.
      name: as in `batch`.

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.train.maybe_batch`.
    """
    arguments = _given(batch_size, capacity, enqueue_many, shapes, dynamic_pad, allow_smaller_final_batch, shared_name)
    arguments |= {"num_threads": num_threads, "name": name}
    form = form_of(tensors, "tensors", many=enqueue_many)
    return batched(ps.maybe_batch, [form], arguments, joined=False, keep=[keep_input], name=name)


def batch_join(
    tensors_list: Any,
    batch_size: int,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
    *,
    order: Any = "fixed",
) -> Any:
    """Handles of batches of several sources, joined in turn: `penstock.batch_join`, in TF1's forms.

    Sources that share an origin, such as one queue of file names, are read in turn in one thread.

    Args:
      tensors_list: the sources, each as `tensors` of `batch`.
      batch_size: examples in a batch. [examples]
      capacity: how many examples may wait in all, read ahead. [examples]
      enqueue_many: as in `batch`.
      shapes: as in `batch`.
      dynamic_pad: as in `batch`.
      allow_smaller_final_batch: as in `batch`.
      shared_name: as in `batch`.
      name: as in `batch`.
      order: `"fixed"`, each in turn; or `"arrival"`, whoever is ready, as TF1.

    Raises:
      ValueError: no sources, sources of other keys or numbers, or an argument that cannot be.

    Source: TF1 `tf.train.batch_join`.
    """
    arguments = _given(batch_size, capacity, enqueue_many, shapes, dynamic_pad, allow_smaller_final_batch, shared_name)
    arguments |= {"name": name, "order": order}
    return batched(ps.batch_join, forms_of(tensors_list, enqueue_many), arguments, joined=True, name=name)


def maybe_batch_join(
    tensors_list: Any,
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
    order: Any = "fixed",
) -> Any:
    """Handles of batches of those examples of several sources whose flags are true.

    Args:
      tensors_list: as in `batch_join`.
      keep_input: a bool, or a handle of a flag, for all sources; or a list with one for each. A handle that moves on one
        of the sources is for that one only: TF1 threw away an example of it for each flag of another.
      batch_size: examples in a batch. [examples]
      capacity: as in `batch_join`.
      enqueue_many: as in `batch_join`.
      shapes: as in `batch_join`.
      dynamic_pad: as in `batch_join`.
      allow_smaller_final_batch: as in `batch_join`.
      shared_name: as in `batch_join`.
      name: as in `batch_join`.
      order: as in `batch_join`.

    Raises:
      ValueError: an argument that cannot be; one flag for all that moves on only some of the sources.

    Source: TF1 `tf.train.maybe_batch_join`.
    """
    arguments = _given(batch_size, capacity, enqueue_many, shapes, dynamic_pad, allow_smaller_final_batch, shared_name)
    arguments |= {"name": name, "order": order}
    forms = forms_of(tensors_list, enqueue_many)
    flags = flags_of(keep_input, forms)
    return batched(ps.maybe_batch_join, forms, arguments, joined=True, keep=flags, name=name)


def forms_of(tensors_list: Any, many: bool) -> list[Form]:
    """The components of each of several sources.

    Raises:
      FormError: there are none, or they differ in their keys or number.
    """
    if isinstance(tensors_list, (Handle, Mapping, str, bytes)) or not isinstance(tensors_list, Iterable):
        got = f"`{type(tensors_list).__name__}`"
        raise FormError(mismatch("a list of sources, each a list, tuple or dict of components", got, at="tensors_list"))
    forms = [form_of(tensors, f"source {i}", many=many) for i, tensors in enumerate(tensors_list)]
    if not forms:
        raise FormError(mismatch("at least one source", "none", at="tensors_list"))
    for i, form in enumerate(forms):
        if form.keys != forms[0].keys or len(form.handles) != len(forms[0].handles):
            raise FormError(mismatch(f"{_said(forms[0])}, as of source 0", _said(form), at=f"source {i}"))
        if form.sparse.keys() != forms[0].sparse.keys():
            want, got = (f"`SparseTensor`s at {sorted(each.sparse)}" for each in (forms[0], form))
            raise FormError(mismatch(f"{want}, as of source 0", got, at=f"source {i}"))
    return forms


def _said(form: Form) -> str:
    return f"{len(form.handles)} components" if form.keys is None else f"the components `{', '.join(form.keys)}`"


def flags_of(keep_input: Any, forms: Sequence[Form]) -> list[Any]:
    """The flag of each source, a handle or a constant.

    Raises:
      FormError: one for all that moves on only some of the sources.
    """
    if isinstance(keep_input, (list, tuple)) and any(isinstance(flag, Handle) for flag in keep_input):
        if len(keep_input) != len(forms):
            want = f"a flag for each of {len(forms)} sources"
            raise FormError(mismatch(want, len(keep_input), at="keep_input"))
        return list(keep_input)
    if isinstance(keep_input, Handle):
        moved = origins([keep_input])
        touched = [bool(moved & origins(form.handles)) for form in forms]
        if any(touched) and not all(touched):
            raise FormError(
                mismatch(
                    "a flag that moves on all sources or none",
                    f"one that moves on source {touched.index(True)} alone",
                    at="keep_input",
                    do="give each source a flag of its own: a list of them",
                )
            )
        return [keep_input] * len(forms)
    return [as_value(keep_input) if isinstance(keep_input, list) else keep_input] * len(forms)


def _given(
    batch_size: Any,
    capacity: int,
    enqueue_many: bool,
    shapes: Any,
    dynamic_pad: bool,
    allow_smaller_final_batch: bool,
    shared_name: str | None,
) -> dict[str, Any]:
    return {
        "batch_size": batch_size,
        "capacity": capacity,
        "enqueue_many": enqueue_many,
        "shapes": shapes,
        "dynamic_pad": dynamic_pad,
        "allow_smaller_final_batch": allow_smaller_final_batch,
        "shared_name": shared_name,
    }
