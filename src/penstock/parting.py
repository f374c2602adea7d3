"""The stage that gives a rank its part, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from penstock.faults import SkipLog
from penstock.plan import Join, Share, find
from penstock.staged import Composed, Staged
from penstock.stages import Stage
from penstock.stages.dealers import All, ByClass, Dealer, Turns
from penstock.stages.share import Fill
from penstock.stages.share import Share as ShareStage
from penstock.stages.snapshot import Wanted
from penstock.stats import ShareStats

__all__ = ["share_stage"]


def share_stage(
    node: Share,
    upstream: Stage,
    *,
    below: Composed | None,
    again: Callable[[int], Stage],
    skips: Callable[[], list[SkipLog]],
    lengths: Callable[[], Sequence[int]],
    earlier: ShareStats | None,
    wanted: Wanted,
) -> ShareStage:
    """The stage of a `shard`.

    Args:
      node: the word, settled.
      upstream: the stage that it takes from.
      below: what the word before it composes, where that is a `stratify`.
      again: opens the stream for the nth time again.
      skips: gives the logs of what is skipped in it from then on.
      lengths: gives how many examples each rank's files have.
      earlier: the figures of the same word in earlier epochs.
      wanted: whether a snapshot is wanted.
    """
    fill = None
    if node.end in ("pad", "repeat"):
        tags = [join.tag for join in find(node.of, Join)] + [word.extra for word in find(node.of, Staged)]
        fill = Fill(
            node.whole,
            again=again if node.end == "repeat" else None,
            skips=skips,
            mask=node.mask if node.end == "pad" else None,
            beside=[tag for tag in tags if tag is not None],
        )
    opened, of = len(node.parts[node.rank]) if node.parts else 0, sum(map(len, node.parts))
    return ShareStage(
        upstream,
        _dealer(node, below),
        fill=fill,
        lengths=lengths if node.way == "files" and node.passes is not None and node.end is not None else None,
        even=node.end is not None,
        wanted=wanted,
        told=earlier or ShareStats(node.rank, node.world_size, node.way, (opened, of)),
    )


def _dealer(node: Share, below: Composed | None) -> Dealer:
    if node.way == "files":
        return All()
    if node.way == "classes":
        assert isinstance(node.of, Staged) and below is not None and below.size is not None, "it composes for all ranks"
        beside = node.of.extra is not None
        return ByClass(node.rank, node.world_size, below.size, *(node.of.deals or ()), beside=beside)
    return Turns(node.rank, node.world_size, node.run)
