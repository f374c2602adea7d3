"""Words that bring their own stage, so that who does not use them need not load it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

from penstock.plan import Batch, Convert, Map, Node, Pad, find

__all__ = ["Composed", "Site", "Staged", "check_composed", "composed_for"]


class Composed(NamedTuple):
    """What a stage composes for."""

    size: int | None
    """Of the `batch` that follows; `None` if none does. [examples]"""
    keep_last: bool
    """Whether its last, smaller one is given, and is the stage's own."""
    exact: bool
    """Whether the batches delivered are just those composed: whether nothing but `map` and `pad` stands between."""


class Site(NamedTuple):
    """Where a stage is built."""

    seed: int
    """The pipeline's."""
    number: int
    """Of the stage, among those that may draw random numbers."""
    labels: Sequence[str]
    """The sources' names by stream number, for messages."""
    composed: Composed
    """What it composes for."""


class Staged(Node):
    """A word that brings its own stage."""

    @abstractmethod
    def stage(self, upstream: Any, site: Site) -> Any:
        """The stage of this word, which sees to class proportions.

        Args:
          upstream: the stage that it takes from.
          site: where it is built.
        """

    @abstractmethod
    def check(self, composed: Composed) -> None:
        """Sees to it that it can compose for what follows.

        Raises:
          PipelineError: it cannot.
        """


def composed_for(last: Node) -> dict[int, Composed]:
    """What each of these words composes for, by the id of its node."""
    found: dict[int, Composed] = {}

    def walk(node: Node, composed: Composed) -> None:
        if isinstance(node, Batch):
            composed = Composed(node.size, node.keep_last, exact=True)
        elif isinstance(node, Staged):
            found[id(node)] = composed
        if isinstance(node, Staged) or not isinstance(node, Batch | Map | Pad | Convert):
            composed = Composed(composed.size, keep_last=False, exact=False)
        for upstream in node.upstream:
            walk(upstream, composed)

    walk(last, Composed(None, keep_last=False, exact=False))
    return found


def check_composed(last: Node) -> None:
    """Has each of these words check what it composes for."""
    words = find(last, Staged)
    if words:
        composed = composed_for(last)
        for node in words:
            node.check(composed[id(node)])
