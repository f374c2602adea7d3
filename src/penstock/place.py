"""Where the parts of a description stand, and what they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

from penstock.plan import Batch, Filter, Join, Map, Node, Read, Share, Skip, Source, Take, Unbatch, find
from penstock.sources import name_of
from penstock.staged import Staged
from penstock.stages.functions import key_of

__all__ = ["Place", "by_item", "cancels_of", "input_names", "labels_of", "opened_of", "ordered", "word_of"]

ORDERS = 1 << 31
"""Orders of sources draw from numbers of their own: no stage has such a number."""


class Place(NamedTuple):
    """How many sources and words come before a part of the description, which is how its own are numbered.

    What is added behind changes no number before it, so that random numbers stay what they were.
    """

    streams: int = 0
    words: int = 0
    drawing: int = 0
    """Words that may draw random numbers."""
    again: int = 0
    """How often what is built here has been begun again in its epoch, to fill up a part. [times]"""

    def after(self, node: Node) -> Place:
        """The place behind a part."""
        if isinstance(node, Read):  # as nearly every input of a join is
            return Place(self.streams + 1, self.words + 1, self.drawing, self.again)
        return Place(
            self.streams + len(find(node, Read)),
            self.words + len(find(node, Node)),
            self.drawing + len(find(node, Map)) + len(find(node, Filter)) + len(find(node, Staged)),
            self.again,
        )


def labels_of(node: Node) -> list[str]:
    """What the sources are called, by stream number: the name that a join gives them, else their own."""
    if isinstance(node, Read):
        return [node.source.label]
    if not isinstance(node, Join) or not node.names:
        return [label for upstream in node.upstream for label in labels_of(upstream)]
    named = []
    for name, upstream in zip(node.names, node.of, strict=True):
        own = labels_of(upstream)
        named += [name] if len(own) == 1 else [f"{name}/{label}" for label in own]
    return named


def input_names(node: Join) -> list[str]:
    """What the inputs of a join are called: by its names, or by their sources."""
    if node.names:
        return list(node.names)
    labels = [labels_of(below) for below in node.of]
    return [own[0] if len(own) == 1 else f"{own[0]} and {len(own) - 1} more" for own in labels]


def opened_of(node: Node) -> int:
    """How many sources are opened here: not those that other ranks read. [sources]"""
    parted = [join for join in find(node, Join) if join.opened is not None]
    return len(find(node, Read)) - sum(len(join.of) - len(join.opened) for join in parted)


def word_of(node: Node) -> str:
    """A stage's word, with what tells it from others."""
    if isinstance(node, Map | Filter):
        name = name_of(node.fn)
        return f"{'map' if isinstance(node, Map) else 'filter'}({name})"
    if isinstance(node, Batch):
        return f"batch({node.size})" if not node.grouped else "batch"
    if isinstance(node, Join):
        return f"join({len(node.of)} sources, {'by weights' if node.weights is not None else node.order})"
    if isinstance(node, Take | Skip):
        return f"{'take' if isinstance(node, Take) else 'skip'}({node.count})"
    if isinstance(node, Share):
        return f"shard({node.rank} of {node.world_size}, by {node.way})"
    return type(node).__name__.lower()


def by_item(node: Node) -> bool:
    """Whether a turn of this input is a user's chunk: its source's, or another pipeline's batch."""
    if node.batched:
        return True
    while not isinstance(node, Read):
        if isinstance(node, Unbatch | Staged | Share):
            return False
        if len(node.upstream) != 1:
            return False
        (node,) = node.upstream
    return node.chunks


def ordered(node: Read, stream: int, seed: int) -> Source:
    """The source of a read, in an order that is drawn for each epoch where one is asked for.

    Args:
      node: the read.
      stream: its number in the pipeline.
      seed: the pipeline's.
    """
    if node.order is None:
        return node.source
    what, own = node.order
    # Streams of files draw one order together, and each reads its part of it.
    number = ORDERS + (stream if what == "index" else 0)
    source: Source = cast(Any, node.source).shuffled(key_of(seed if own is None else own, number))
    return source


def cancels_of(source: Any) -> Iterator[Callable[[], object]]:
    """The `cancel` of a source, and of those that it is put together from."""
    cancel = getattr(source, "cancel", None)
    if cancel is not None:
        yield cancel
    for part in getattr(source, "parts", ()):
        yield from cancels_of(part)
