"""One rank's part of a stream: as it is asked for, and as it is settled when the pipeline is opened."""

from __future__ import annotations

from typing import Literal

from penstock.errors import PipelineError, mismatch
from penstock.plan.node import Node, Read, find, positive
from penstock.plan.source import Source
from penstock.plan.words import before_delivery

__all__ = ["Shard", "ShardEnd", "Share", "Way"]

ShardEnd = Literal["drop", "pad", "repeat"] | None
"""What becomes of a round that is not full, so that every rank gets the same number of batches; `None` does not see to that."""

Way = Literal["files", "turns", "classes"]
"""How a stream is parted: each rank opens its own files; takes its turns; or gets its part of each class."""


class Shard(Node):
    """Asks for one rank's part."""

    of: Node
    rank: int | None
    """Which part; `None` is found out when the pipeline is opened, and so is the world size."""
    world_size: int | None
    """How many parts there are."""
    end: ShardEnd = "drop"
    """What becomes of the last round."""
    by: Literal["files", "turns"] | None = None
    """How the stream is parted; `None` chooses."""
    mask: str = "valid"
    """The name under which it is told which examples are no padding, where `end` is `"pad"`."""

    def __post_init__(self) -> None:
        before_delivery(self.of, "shard")
        if self.world_size is not None or self.rank is not None:
            world_size = positive(self.world_size, "world_size", at="shard(world_size)")
            rank = positive(self.rank, "rank", at="shard(rank)", least=0)
            if rank >= world_size:
                raise PipelineError(mismatch(f"`rank` to be below {world_size}", f"`{rank}`", at="shard(rank)"))
            object.__setattr__(self, "world_size", world_size)
            object.__setattr__(self, "rank", rank)
        if self.end not in ("drop", "pad", "repeat", None):
            want = '`end` to be "drop", "pad", "repeat" or None'
            raise PipelineError(mismatch(want, f"`{self.end!r}`", at="shard(end)"))
        if self.by not in (None, "files", "turns"):
            raise PipelineError(mismatch('`by` to be "files" or "turns"', f"`{self.by!r}`", at="shard(by)"))
        if not isinstance(self.mask, str):
            raise PipelineError(mismatch("`mask` to be a name", f"`{self.mask!r}`", at="shard(mask)"))
        if find(self.of, Shard):
            raise PipelineError(mismatch("`shard` once", "`shard` after `shard`", at="shard()"))
        if self.end == "pad" and self.of.batched:
            do = "or `end` another: there is no batch that is padding"
            raise PipelineError(mismatch('`shard(end="pad")` before `batch`', "it after", at="shard(end)", do=do))
        if self.end == "repeat":
            for read in find(self.of, Read):
                if read.source.once is not None:
                    want = 'a source that can be opened again, for `end="repeat"`'
                    do = "pass a callable that opens it"
                    raise PipelineError(mismatch(want, f"the one-shot `{read.source.label}`", at="shard(end)", do=do))


class Share(Node):
    """One rank's part, settled."""

    of: Node
    rank: int
    """Which part."""
    world_size: int
    """How many parts there are."""
    end: ShardEnd
    """What becomes of the last round."""
    mask: str
    """The name under which it is told which examples are no padding, where `end` is `"pad"`."""
    way: Way
    """How the stream is parted."""
    run: int = 1
    """So many examples are a turn. [examples]"""
    whole: int = 1
    """Where a part is filled up, to a multiple of this. [examples]"""
    parts: tuple[tuple[Source, ...], ...] = ()
    """By files: what each rank reads, rank by rank."""
    passes: int | None = 1
    """By files: how often it is read; `None` never ends."""
    heirs: int = 0
    """From so many parts it goes on with what other ranks left over; 0 begins at the beginning."""

    @property
    def batched(self) -> bool:
        """Batches come out if they go in."""
        return self.of.batched

    @property
    def all(self) -> bool:
        """Whether it is everything, just as it is."""
        return self.world_size == 1 and self.end in ("drop", None) and not self.heirs

    def filled(self, own: int) -> int:
        """So many examples a part has after it is filled up to whole batches. [examples]"""
        return -(-own // self.whole) * self.whole
