"""The word `shuffle`: a buffer that examples leave in random order, or all of a source by index."""

from __future__ import annotations

from typing import Any

from penstock.assemble import Pool
from penstock.draws import Draws
from penstock.errors import PipelineError, mismatch
from penstock.plan import Join, Node, Read, before_delivery, integer, padding, positive
from penstock.staged import Composed, Site, Staged
from penstock.stages import Stage
from penstock.stages.functions import key_of
from penstock.stages.shuffle import Shuffle as ShuffleStage

__all__ = ["Shuffle", "shuffled"]


class Shuffle(Staged):
    """Examples in random order, of which some are held."""

    of: Node
    size: int
    """How many are held. [examples]"""
    seed: int | None = None
    """Of this word's random numbers, in place of the pipeline's."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", positive(self.size, "buffer_size", at="shuffle(buffer_size)"))
        before_delivery(self.of, "shuffle")
        if self.of.batched or padding(self.of):
            word = "batch" if self.of.batched else "pad"
            raise PipelineError(mismatch(f"`shuffle` before `{word}`", "it after", at="shuffle()"))

    @property
    def keeps_all(self) -> bool:
        """In another order."""
        return True

    def check(self, composed: Composed) -> None:
        """Any batch will do."""

    def stage(self, upstream: Stage, site: Site) -> Stage:
        """The stage of this word."""
        key = key_of(site.seed if self.seed is None else self.seed, site.number)
        return ShuffleStage(upstream, self.size, Draws(key, epoch=site.epoch), Pool())


def shuffled(node: Node, buffer_size: int | None, seed: Any) -> Node:
    """The word `shuffle`; see `Pipeline.shuffle`.

    Raises:
      PipelineError: something that cannot be.
    """
    own = None if seed is None else integer(seed, "seed", at="shuffle(seed)")
    if buffer_size is not None:
        return Shuffle(node, buffer_size, own)
    return _by_index(node, own)


def _by_index(node: Node, seed: int | None) -> Node:
    """The same sources, each read in an order that is drawn anew for each epoch."""
    if isinstance(node, Join):
        return node.changed(of=tuple([_by_index(below, seed) for below in node.of]))
    do = "give a `buffer_size`; without one `shuffle` stands right behind sources that are read by index"
    if not isinstance(node, Read):
        got = f"`{type(node).__name__.lower()}` before it"
        raise PipelineError(mismatch("`shuffle()` right behind its sources", got, at="shuffle()", do=do))
    if node.chunks or not getattr(node.source, "by_index", False):
        want = "sources that are read by index: arrays, lists, map-style data sets"
        raise PipelineError(mismatch(want, f"`{node.source.label}`", at="shuffle()", do=do))
    return node.changed(order=("index", seed))
