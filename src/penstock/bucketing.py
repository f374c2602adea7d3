"""The word `bucket`: batches of examples of like length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import isnan
from typing import Any

import numpy as np

from penstock.errors import PipelineError, mismatch
from penstock.plan import Batch, Node, before_delivery, padding, positive
from penstock.staged import Composed, Site, Staged
from penstock.stages import Applied, Stage
from penstock.stages.bucket import Bucket as BucketStage
from penstock.stages.bucket import Rooms
from penstock.stages.lengths import Lengths
from penstock.stages.screen import Screen

__all__ = ["Bucket", "bucketed", "rooms"]


class Bucket(Staged):
    """Examples of like length together, a batch at a time."""

    of: Node
    by: Any
    """A key, index, attribute, path or function."""
    rooms: Rooms
    """The buckets."""
    keep_last: bool
    """Whether what is left in the buckets at the end is given."""

    def __post_init__(self) -> None:
        before_delivery(self.of, "bucket")
        if self.of.batched:
            do = "`bucket` is itself what batches"
            raise PipelineError(mismatch("`bucket` in place of `batch`", "`bucket` after it", at="bucket()", do=do))

    def check(self, composed: Composed) -> None:
        """It is what composes."""

    def reads(self, labels: Sequence[str]) -> Callable[[Any], object]:
        """Reads the length, for which there is to be room."""
        lengths = Lengths(self.by, labels)

        def read(example: Any) -> None:
            self.rooms.check(lengths.length(example))

        return read

    def stage(self, upstream: Stage, site: Site) -> Stage:
        """The stage of this word."""
        if site.mending is not None:
            read, doing = self.reads(site.labels), "reading the length of"
            upstream = Screen(upstream, Applied(read, doing, seed=0, stage=0, labels=site.labels, mending=site.mending))
        return BucketStage(
            upstream,
            Lengths(self.by, site.labels),
            self.rooms,
            keep_last=self.keep_last,
            labels=site.labels,
            wanted=site.wanted,
        )


def bucketed(
    node: Node,
    by: Any,
    boundaries: Any,
    batch_size: Any,
    *,
    max_tokens: Any,
    pad_to_boundaries: bool,
    keep_last: bool,
) -> Batch:
    """The word `bucket`; see `Pipeline.bucket`.

    Raises:
      PipelineError: something that cannot be.
    """
    _check_by(by)
    own = rooms(boundaries, batch_size, max_tokens=max_tokens, widths=pad_to_boundaries, at="bucket")
    if pad_to_boundaries and padding(node) is None:
        do = "`.pad()` before `.bucket(...)` says what may be padded"
        raise PipelineError(mismatch("`pad` where widths are the boundaries", "none", at="bucket(...)", do=do))
    return grouped(node, by, own, keep_last=keep_last)


def grouped(node: Node, by: Any, own: Rooms, *, keep_last: bool) -> Batch:
    """The batches of such buckets."""
    most = max(own.sizes) if own.sizes is not None else own.max_tokens or 1
    return Batch(Bucket(node, by, own, bool(keep_last)), most, bool(keep_last), grouped=True)


def rooms(boundaries: Any, batch_size: Any, *, max_tokens: Any = None, widths: bool = False, at: str) -> Rooms:
    """The buckets between boundaries, checked.

    Raises:
      PipelineError: boundaries that are none, or do not increase; sizes that are not one for each; both, or neither, of a
        size and a budget.
    """
    limits = _boundaries(boundaries, f"{at}(boundaries)")
    count = len(limits) + 1
    if (batch_size is None) == (max_tokens is None):
        got = "neither" if batch_size is None else "both"
        raise PipelineError(mismatch("`batch_size` or `max_tokens`", got, at=f"{at}()"))
    if max_tokens is None:
        return Rooms(limits, count, sizes_of(batch_size, count, at), widths=bool(widths))
    budget = positive(max_tokens, "max_tokens", at=f"{at}(max_tokens)")
    if widths and budget < limits[-1]:
        want = f"`max_tokens` of at least the last boundary, {limits[-1]:g}, to which examples are padded"
        raise PipelineError(mismatch(want, f"{budget}", at=f"{at}(max_tokens)"))
    return Rooms(limits, count, None, budget, bool(widths))


def sizes_of(batch_size: Any, count: int, at: str) -> tuple[int, ...]:
    """A size for each bucket.

    Raises:
      PipelineError: there are not as many, or one is no positive integer.
    """
    where = f"{at}(batch_size)"
    if not isinstance(batch_size, (list, tuple, np.ndarray)):
        return (positive(batch_size, "batch_size", at=where),) * count
    if len(batch_size) != count:
        raise PipelineError(mismatch(f"a batch size for each of {count} buckets", f"{len(batch_size)}", at=where))
    return tuple([positive(size, "batch_size", at=where) for size in batch_size])


def _boundaries(boundaries: Any, at: str) -> tuple[float, ...]:
    if not isinstance(boundaries, (Sequence, np.ndarray)) or isinstance(boundaries, (str, bytes)):
        raise PipelineError(mismatch("a list of boundaries", f"`{boundaries!r}`", at=at))
    limits = (
        boundaries.tolist()
        if isinstance(boundaries, np.ndarray)
        else [one.item() if isinstance(one, np.generic) else one for one in boundaries]
    )
    if not limits:
        raise PipelineError(mismatch("at least one boundary", "none", at=at))
    for one in limits:
        if isinstance(one, bool) or not isinstance(one, (int, float)) or isnan(one):
            raise PipelineError(mismatch("boundaries that are numbers", f"`{one!r}`", at=at))
    for one, other in pairwise(limits):
        if one >= other:
            raise PipelineError(mismatch("boundaries that increase", f"{one} before {other}", at=at))
    return tuple(limits)


def _check_by(by: Any) -> None:
    if callable(by) or (isinstance(by, (str, int)) and not isinstance(by, bool)):
        return
    if isinstance(by, tuple) and all(isinstance(step, (str, int)) for step in by):
        return
    want = "a key, an index, a path (a tuple of them) or a function of the example"
    raise PipelineError(mismatch(want, f"`{by!r}`", at="bucket(by)"))
