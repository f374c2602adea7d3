"""Several inputs, merged by a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from penstock.errors import PipelineError, mismatch
from penstock.plan.node import Node, Read
from penstock.plan.pad import padding
from penstock.plan.source import Source
from penstock.plan.words import before_delivery

__all__ = ["Join", "Order"]

Order = Literal["fixed", "arrival"]
"""The rule by which sources are merged: each in turn, or whoever is ready."""


class Join(Node):
    """Merges several inputs by a rule."""

    begins = True

    of: tuple[Node, ...]
    """The inputs: a read, or the end of another pipeline."""
    order: Order = "fixed"
    """The rule."""
    names: tuple[str, ...] = ()
    """What the inputs are called, if they have names."""
    weights: tuple[int, ...] | Callable[[int], tuple[int, ...]] | None = None
    """The weight of each input, or a function of the number of examples given before; `None` takes each in turn."""
    stops: frozenset[int] = frozenset()
    """The inputs, by place, whose end is the end of all; the others drop out of the turn."""
    tag: str | None = None
    """The name under which each example's input is delivered."""
    opened: frozenset[int] | None = None
    """The inputs, by place, that are opened here: other ranks read the others. `None` opens all."""

    def __post_init__(self) -> None:
        if not self.of:
            raise PipelineError(mismatch("at least one source", "none", at="join(sources)"))
        for node in self.of:
            before_delivery(node, "join")
            if padding(node):
                raise PipelineError(
                    mismatch(
                        "`pad` after `join`, where `batch` is",
                        "`pad` before `join`",
                        at="join(sources)",
                        do="a pipeline that is joined pads nothing unless it batches",
                    )
                )
        if self.order not in ("fixed", "arrival"):
            raise PipelineError(mismatch('`order` to be "fixed" or "arrival"', f"`{self.order!r}`", at="join(order)"))
        if self.order == "arrival" and self.weights is not None:
            got = '`order="arrival"`, where whoever is ready goes next, whatever the weights'
            raise PipelineError(mismatch('`order="fixed"` with weights', got, at="join(order)"))
        if not isinstance(self.tag, str | None):
            raise PipelineError(mismatch("`tag` to be a name", f"`{self.tag!r}`", at="join(tag)"))
        seen: dict[int, int] = {}
        for number, node in enumerate(_reads(self)):
            for once in _onces(node.source):
                if seen.setdefault(id(once), number) != number:
                    raise PipelineError(
                        mismatch(
                            "each one-shot iterator in one source only",
                            f"the same `{type(once).__name__}` in sources {seen[id(once)]} and {number}",
                            at="join(sources)",
                            do="pass a callable that opens it; the same callable twice is two streams",
                        )
                    )

    @property
    def batched(self) -> bool:
        """A join gives examples: the batches of a batched input are its chunks."""
        return False


def _onces(source: Source) -> Iterator[object]:
    """The one-shot objects behind a source, and behind those that it is made of."""
    parts: tuple[Source, ...] = getattr(source, "parts", ())
    for part in parts:
        yield from _onces(part)
    if not parts and source.once is not None:
        yield source.once


def _reads(node: Node) -> Iterator[Read]:
    if isinstance(node, Read):
        yield node
    for upstream in node.upstream:
        yield from _reads(upstream)
