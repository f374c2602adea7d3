"""Words that bring their own stage, so that who does not use them need not load it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from penstock.plan import Batch, Convert, Map, Node, Pad, Shard, Share, find

__all__ = ["ALONE", "Composed", "Site", "Staged", "check_composed", "composed_for"]

ALONE = 64
"""Examples that are composed together where no `batch` follows. [examples]"""


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
    wanted: Any = None
    """Whether a snapshot is wanted."""
    rank: int = 0
    """Which part of the stream comes here."""
    world_size: int = 1
    """How many parts there are."""
    epoch: int = 0
    """Which pass."""
    mending: Any = None
    """What is done about examples that it cannot read; `None` where none is skipped."""


class Staged(Node):
    """A word that brings its own stage."""

    @abstractmethod
    def stage(self, upstream: Any, site: Site) -> Any:
        """The stage of this word.

        Args:
          upstream: the stage that it takes from.
          site: where it is built.
        """

    @property
    def keeps_all(self) -> bool:
        """Whether all that comes is given, so that as many come out as go in."""
        return False

    @property
    def resumes_empty(self) -> bool:
        """Whether it may begin anew in the middle of a run, with what it held and did not give coming to it again."""
        return True

    @property
    def run(self) -> int:
        """So many examples of what it gives stay together where they are dealt to ranks. [examples]"""
        return 1

    @property
    def extra(self) -> str | None:
        """The name of what it puts beside each example."""
        return None

    def reads(self, labels: Sequence[str]) -> Callable[[Any], object] | None:
        """What reads a label or length of an example, and raises where it cannot; `None` where none is read.

        Args:
          labels: the sources' names by stream number, for messages.
        """
        return None

    @property
    def deals(self) -> Any | None:
        """What `stages.dealers.ByClass` deals its batches to ranks by; `None` where each example is dealt by itself."""
        return None

    @abstractmethod
    def check(self, composed: Composed) -> None:
        """Sees to it that it can compose for what follows.

        Raises:
          PipelineError: it cannot.
        """


def composed_for(last: Node) -> dict[int, Composed]:
    """What each of these words composes for, by the id of its node."""
    found: dict[int, Composed] = {}
    _note(last, Composed(None, keep_last=False, exact=False), found)
    return found


def _note(node: Node, composed: Composed, found: dict[int, Composed]) -> None:
    """Notes what words compose for, from the end on."""
    if isinstance(node, Batch):
        composed = Composed(node.size, node.keep_last, exact=True)
    elif isinstance(node, Staged):
        found[id(node)] = composed
    if isinstance(node, Shard | Share):
        composed = _for_all(node, composed)
    elif not isinstance(node, Batch | Map | Pad | Convert):
        composed = Composed(composed.size, keep_last=False, exact=False)
    for upstream in node.upstream:
        _note(upstream, composed, found)


def _for_all(node: Shard | Share, composed: Composed) -> Composed:
    """What is composed for all ranks together, of which each has its part."""
    if isinstance(node.of, Staged) and node.of.run > 1:  # in whole batches
        return composed
    size = (composed.size or ALONE) * (node.world_size or 1)
    if isinstance(node, Share) and node.way == "classes":
        return Composed(size, composed.keep_last, composed.exact)
    return Composed(size, keep_last=False, exact=False)


def check_composed(last: Node) -> None:
    """Has each of these words check what it composes for."""
    words = find(last, Staged)
    if words:
        composed = composed_for(last)
        for node in words:
            node.check(composed[id(node)])
