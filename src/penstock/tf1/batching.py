"""TF1's batching functions with handles: each a description over the function of the same name in penstock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import penstock as ps
from penstock.errors import mismatch
from penstock.pipeline import Pipeline
from penstock.tf1.errors import FormError
from penstock.tf1.feeds import FeedNode, Opener, Source, Split, StepSource, origins
from penstock.tf1.handles import Constant, Handle, SparseTensor, Step, as_handle
from penstock.tf1.session import Session
from penstock.tf1.sparse import batch_of_sparse, packed

__all__ = ["Form", "batched", "component", "form_of", "settled"]


@dataclass(frozen=True)
class Form:
    """How one source's components are handed over, and so how a batch comes back."""

    keys: tuple[str, ...] | None
    """The keys of a dict, in TF1's order; `None` for a list or tuple."""
    handles: tuple[Handle, ...]
    """The components in that order."""
    sparse: Mapping[int, Any] = field(default_factory=dict)
    """Which of them are packed `SparseTensor`s, each with the dtype of its values."""

    def build(self, values: Sequence[Any]) -> Any:
        """An example of penstock's: a dict, or a tuple."""
        return tuple(values) if self.keys is None else dict(zip(self.keys, values, strict=True))

    def parts(self, batch: Any) -> Sequence[Any]:
        """A batch of such examples taken apart."""
        return batch if self.keys is None else [batch[key] for key in self.keys]

    def returned(self, handles: Sequence[Handle]) -> Any:
        """TF1's forms: a dict comes back as one; else a list, and a list of one bare."""
        whole = self.unpacked(handles)
        if self.keys is not None:
            return dict(zip(self.keys, whole, strict=True))
        return whole[0] if len(whole) == 1 else whole

    def unpacked(self, handles: Sequence[Handle]) -> list[Any]:
        """The components of a batch: a `SparseTensor` where one went in."""
        return [
            batch_of_sparse(handle, self.sparse[i]) if i in self.sparse else handle for i, handle in enumerate(handles)
        ]


def form_of(tensors: Any, at: str, *, many: bool = False) -> Form:
    """The components of one source: a list, tuple or dict of handles, `SparseTensor`s, sources, and constants.

    Args:
      tensors: the components.
      at: for messages.
      many: whether each step gives a chunk of examples.

    Raises:
      FormError: it is none of these, or empty.
    """
    if isinstance(tensors, Mapping):
        keys: tuple[str, ...] | None = tuple(sorted(tensors, key=str))
        parts = [tensors[key] for key in keys or ()]
    elif isinstance(tensors, (list, tuple)) and not isinstance(tensors, SparseTensor):
        keys, parts = None, list(tensors)
    else:
        got = "a bare handle" if isinstance(tensors, (Handle, SparseTensor)) else f"`{type(tensors).__name__}`"
        raise FormError(mismatch("a list, tuple or dict of components", got, at=at, do="a lone one: `[x]`"))
    if not parts:
        raise FormError(mismatch("at least one component", "none", at=at))
    sparse = {i: part.dtype for i, part in enumerate(parts) if isinstance(part, SparseTensor)}
    whole = [packed(part, many=many) if isinstance(part, SparseTensor) else part for part in parts]
    return Form(keys, tuple(component(part, f"{at}[{i}]") for i, part in enumerate(whole)), sparse)


def component(thing: Any, at: str) -> Handle:
    """A handle as it is; a source, an example of it at each step; anything else as TF1 did, a constant."""
    if isinstance(thing, Handle):
        return thing
    iterable = isinstance(thing, Iterable) and not isinstance(
        thing, (str, bytes, list, tuple, Mapping, np.ndarray, np.generic)
    )
    if isinstance(thing, Pipeline) or callable(thing) or (iterable and not hasattr(thing, "__array__")):
        pipeline = ps.join([thing])
        return Handle(Source(at, lambda: pipeline.open(inline=True)))
    return as_handle(thing)


def batched(
    function: Callable[..., Pipeline],
    forms: Sequence[Form],
    arguments: Mapping[str, Any],
    *,
    joined: bool,
    keep: Sequence[Any] | None = None,
    name: str | None = None,
) -> Any:
    """The handles of a batch that one of penstock's functions makes of steps.

    Args:
      function: `ps.batch`, `ps.batch_join`, …
      forms: of each source.
      arguments: what else it is called with.
      joined: whether it takes a list of sources.
      keep: of each source a flag that is a handle, or a constant; `None` where there are no flags.
      name: for messages.
    """
    arguments = {**arguments, "batch_size": settled(arguments["batch_size"])}
    shared = joined and _overlapping(forms)
    flagged = keep is not None and any(isinstance(flag, Handle) for flag in keep)

    def describe(session: Session | None) -> Pipeline:
        flags = [[as_handle(flag)] for flag in keep] if keep is not None and flagged else [[]] * len(forms)
        pairs = zip(forms, flags, strict=True)
        sources = [StepSource(session, form.handles, form.build, flag) for form, flag in pairs]
        examples: list[Any] = [source.examples for source in sources]
        kept: Any = [source.side(0) for source in sources] if flagged else keep
        if shared:
            # They move on what they share in turn, in one thread, so that who gets what is no matter of timing.
            turns = Split(lambda: ps.join([source.rows for source in sources]).open(inline=True), 1 + flagged)
            examples = [
                Opener(lambda: turns.part(0), " and ".join(dict.fromkeys(one.__qualname__ for one in examples)))
            ]
            kept = [lambda: turns.part(1)] if flagged else kept
        given = dict(arguments)
        if session is not None and given.get("shared_name") is not None:
            given["shared_name"] = session.shared(given["shared_name"])
        if keep is not None:
            given["keep_input"] = kept if joined and flagged else kept[0]
        return function(examples if joined else examples[0], **given)

    form = forms[0]
    node = FeedNode(name or function.__name__, describe, form.parts)
    handles = [
        Handle(node, i, dtype=handle.dtype, shape=_static(handle, arguments)) for i, handle in enumerate(form.handles)
    ]
    return form.returned(handles)


def settled(number: Any) -> Any:
    """A number; that of a constant, which TF1 took in its place."""
    constant = isinstance(number, Handle) and isinstance(number.node, Constant)
    return number.node.outputs(Step(None))[0] if constant else number


def _static(handle: Handle, arguments: Mapping[str, Any]) -> tuple[int | None, ...] | None:
    """What is known of the shape of a component's batches."""
    sizes = handle.shape.sizes
    if sizes is None or (arguments.get("enqueue_many") and not sizes):
        return None
    rest = sizes[1:] if arguments.get("enqueue_many") else sizes
    if arguments.get("dynamic_pad"):
        rest = (None,) * len(rest)
    return (None if arguments.get("allow_smaller_final_batch") else arguments["batch_size"], *rest)


def _overlapping(forms: Sequence[Form]) -> bool:
    """Whether two sources move on the same origin, such as one queue of file names."""
    seen: set[Any] = set()
    for form in forms:
        own = origins(form.handles)
        if seen & own:
            return True
        seen |= own
    return False
