"""Settles which part of a stream is this rank's, as a pipeline is opened: by files where there are enough, else by turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from penstock.errors import PipelineError, mismatch
from penstock.faults import OnError, policy_of
from penstock.plan import (
    Batch,
    Convert,
    FileSource,
    Filter,
    Join,
    Map,
    Node,
    Pad,
    Read,
    Repeat,
    Shard,
    Share,
    Source,
    Way,
    find,
)
from penstock.ranks import Rank, auto_rank
from penstock.staged import Staged

__all__ = [
    "any_rank",
    "check_ends",
    "count_of",
    "counted",
    "ends_together",
    "heirs",
    "heirs_of",
    "settled",
    "shares_in",
    "surprises",
    "way_of",
]


def settled(last: Node, rank: Callable[[], Rank] = auto_rank, heirs: int = 0, *, on_error: OnError = "raise") -> Node:
    """The description with each `shard` settled; the same where there is none.

    Args:
      last: the end of the description.
      rank: tells the rank where a `shard` is to find it out.
      heirs: from so many parts it goes on with what other ranks left over, as a state says; see `heirs_of`.
      on_error: what is done about errors where a word says nothing of it.

    Raises:
      PipelineError: nothing tells the rank, or the stream cannot be parted.
    """
    if not find(last, Shard):
        return last
    node = _rebuilt(last, cache(rank), None, heirs, on_error)
    sizes = {share.world_size for share in find(node, Share)}
    if len(sizes) > 1:
        got = " and ".join(map(str, sorted(sizes)))
        raise PipelineError(mismatch("one `world_size` in a pipeline", got, at="shard(world_size)"))
    return node


def heirs_of(state: Any) -> int:
    """From how many parts a state goes on with what other ranks left over; 0 where it does not, or is none."""
    return max([given["heirs"] for given in shares_in(state) if type(given.get("heirs")) is int], default=0)


def shares_in(state: Any) -> list[dict[str, Any]]:
    """What a state says of the parts that it is of, wherever they stand in its pipeline."""
    found: list[dict[str, Any]] = []
    words = [state.get("pipeline")] if isinstance(state, dict) else []
    while words:
        word = words.pop()
        if isinstance(word, list) and len(word) == 3 and isinstance(word[1], dict) and isinstance(word[2], list):
            found += [word[1]] if word[0] == "share" else []
            words += word[2]
    return found


def any_rank(last: Node) -> Node:
    """The description with each `shard` to be settled for whatever rank is told then."""
    if isinstance(last, Shard):
        return last.changed(rank=None, world_size=None)
    if isinstance(last, Read) or not find(last, Shard):
        return last
    if isinstance(last, Join):
        return last.changed(of=tuple([any_rank(below) for below in last.of]))
    return last.changed(of=any_rank(last.upstream[0]))


def heirs(share: Share) -> list[Node]:
    """What the ranks that left something over read, each its own sources; one where all read the same."""
    if share.heirs == 1:
        return [share.of]
    reading = _reading(Shard(share.of, None, None))
    if reading is None:
        raise PipelineError(mismatch("sources joined in turn, and nothing but `map` behind", "others", at=_BY))
    join = reading[0]
    ranks = range(share.heirs)
    own = [frozenset(range(rank, len(join.of), share.heirs)) for rank in ranks]
    return [_onto(share.of, join.changed(opened=own[rank])) for rank in ranks]


def _rebuilt(node: Node, rank: Callable[[], Rank], batch: Batch | None, heirs: int, on_error: OnError) -> Node:
    """The words up to one, each `shard` settled.

    Args:
      node: the last of them.
      rank: tells the rank.
      batch: the `batch` behind it, where just as many examples come there.
      heirs: from so many parts a `shard` goes on with what others left over.
      on_error: as in `settled`.
    """
    if isinstance(node, Shard):
        own = rank() if node.rank is None else Rank(node.rank, node.world_size or 1)
        return _share(node, own, batch.size if batch is not None and not batch.keep_last else 1, heirs, on_error)
    if isinstance(node, Read) or not find(node, Shard):
        return node
    if isinstance(node, Join):
        return node.changed(of=tuple([_rebuilt(below, rank, None, heirs, on_error) for below in node.of]))
    if isinstance(node, Batch):
        batch = None if node.grouped else node
    elif not (isinstance(node, Map | Pad | Convert) or (isinstance(node, Staged) and node.keeps_all)):
        batch = None
    return node.changed(of=_rebuilt(node.upstream[0], rank, batch, heirs, on_error))


def way_of(node: Shard, world_size: int, on_error: OnError = "raise") -> Way:
    """How a stream is parted.

    Args:
      node: the word.
      world_size: how many ranks there are.
      on_error: as in `settled`.

    Raises:
      PipelineError: it cannot be parted, or not as it was asked for.
    """
    files = _reading(node, on_error) if node.by != "turns" and world_size > 1 else None
    if files is not None:
        join, passes = files
        if node.by == "files":
            _check_files(join, passes, world_size, even=node.end is not None)
            return "files"
        if len(_files(join)) >= world_size:
            return "files"
    if node.by == "files" and world_size > 1:
        do = 'put `shard` right behind what reads them, or say `by="turns"`'
        raise PipelineError(mismatch("sources joined in turn, and nothing but `map` behind", "others", at=_BY, do=do))
    if world_size > 1 and any(join.order == "arrival" for join in find(node.of, Join)):
        want = "the same order on every rank, to take turns in"
        do = 'say `order="fixed"`; or by files'
        raise PipelineError(mismatch(want, '`order="arrival"`', at="shard()", do=do))
    return "classes" if isinstance(node.of, Staged) and node.of.deals is not None and world_size > 1 else "turns"


_BY = 'shard(by="files")'
ENDED: Any = object()
"""Stands for the end of a source."""


def _share(node: Shard, rank: Rank, whole: int, heirs: int, on_error: OnError) -> Share:
    way = way_of(node.changed(by="turns") if heirs else node, rank.world_size, on_error)
    run = node.of.run if isinstance(node.of, Staged) else 1
    share = Share(node.of, *rank, node.end, node.mask, way, run=run, whole=whole, heirs=heirs)
    read = _reading(node) if heirs > 1 else None
    if read is not None:  # what was parted by files is read in the streams that it was parted in
        return share.changed(of=_onto(node.of, _spread(read[0], heirs)))
    if way != "files":
        return share
    reading = _reading(node)
    assert reading is not None, "which is how the way was found"
    join, passes = _spread(reading[0], rank.world_size), reading[1]
    sources = [find(below, Read)[0].source for below in join.of]
    own = range(rank.rank, len(sources), rank.world_size)
    return share.changed(
        of=_onto(node.of, join.changed(opened=frozenset(own))),
        parts=tuple(tuple(sources[part :: rank.world_size]) for part in range(rank.world_size)),
        passes=passes,
    )


def _reading(node: Shard, on_error: OnError = "raise") -> tuple[Join, int | None] | None:
    """The join of sources that a shard stands behind, and how often it is read; `None` where something else is between.

    So is a `map` that may skip: no length tells what it leaves out.
    """
    passes: int | None = 1
    at = node.of
    while not isinstance(at, Join):
        if isinstance(at, Repeat):
            passes = None if passes is None or at.epochs is None else passes * at.epochs
        elif not isinstance(at, Map | Pad) or _skips(at, on_error):
            return None
        (at,) = at.upstream
    if at.weights is not None or at.stops or not all(_reads_one(below, on_error) for below in at.of):
        return None
    return at, passes


def _skips(node: Node, on_error: OnError) -> bool:
    """Whether a function, or a source, may leave out examples on which it raises."""
    if not isinstance(node, Map | Filter | Read):
        return False
    return policy_of(on_error if node.on_error is None else node.on_error, at="on_error").skip is not None


def _reads_one(node: Node, on_error: OnError) -> bool:
    while isinstance(node, Map) and not _skips(node, on_error):
        node = node.of
    return isinstance(node, Read) and not node.chunks


def _files(join: Join) -> tuple[str, ...]:
    """The files that a `read_` word reads, in their order; nothing where it is another join."""
    sources = [below.source for below in join.of if isinstance(below, Read)]
    files = [source.files for source in sources if isinstance(source, FileSource)]
    if len(files) < len(join.of):
        return ()
    return tuple(own[turn] for turn in range(len(files[0])) for own in files if turn < len(own))


def _spread(join: Join, world_size: int) -> Join:
    """The join with as many streams for each rank, where it can be."""
    files = _files(join)
    count = max(1, len(join.of) // world_size) * world_size
    if count == len(join.of) or len(files) < count:
        return join
    (first, *_) = find(join, Read)
    source = first.source
    return join.changed(of=tuple([first.changed(source=source.of(files[at::count])) for at in range(count)]))


def _check_files(join: Join, passes: int | None, world_size: int, *, even: bool) -> None:
    count = max(len(join.of), len(_files(join)))
    if count < world_size:
        want = f"at least {world_size} files or sources, one for each rank"
        raise PipelineError(mismatch(want, f"{count}", at=_BY, do='say `by="turns"`'))
    if passes is None or _files(join) or not even:
        return
    for read in find(join, Read):
        if read.source.length() is None:
            want = "sources whose lengths are known, so that all ranks end together"
            do = 'say `by="turns"` or `end=None`, or put an endless `repeat()` before it'
            raise PipelineError(mismatch(want, f"`{read.source.label}`", at=_BY, do=do))


def _onto(node: Node, join: Join) -> Node:
    """The words from a join on, upon another."""
    return join if isinstance(node, Join) else node.changed(of=_onto(node.upstream[0], join))


def count_of(source: Source, check: Callable[[], None] | None, *, skips: bool = False) -> int:
    """How many examples a source gives: as it says, or counted by reading it once.

    Args:
      source: any; of files that do not tell, all are read through.
      check: called now and then; raises where the flow is being stopped. `None` where nobody can stop it.
      skips: whether those that cannot be read are left out, so that no length tells.
    """
    known = None if skips else source.length()
    if known is not None:
        return known
    total = 0
    items = (getattr(source, "lasting", source.open) if skips else source.open)(0)
    while True:
        try:
            item = next(items, ENDED)
        except Exception:
            if not skips or not getattr(items, "lasts", getattr(source, "lasts", False)):
                raise
            continue
        if item is ENDED:
            return total
        if check is not None:
            check()
        total += len(item) if source.blocks else 1


def counted(share: Share, check: Callable[[], None] | None, on_error: OnError = "raise") -> list[int]:
    """How many examples each rank's files have, by `count_of`; they are read once, or so many times."""
    assert share.passes is not None, "what has no end has no length"
    skips = any(_skips(read, on_error) for read in find(share.of, Read))
    return [sum(count_of(source, check, skips=skips) for source in part) * share.passes for part in share.parts]


def surprises(last: Node, here: Rank | None) -> Iterator[str]:
    """What is to be said of a pipeline as it is opened.

    Args:
      last: the end of its description, settled.
      here: the rank of this process, where anything tells it.
    """
    shares = find(last, Share)
    if here is not None and here.world_size > 1:
        if not shares:
            yield (
                f"this is rank {here.rank} of {here.world_size}, and there is no `shard` in the pipeline: every rank reads "
                'the same data - add `.shard("auto")`, or `.shard(0, 1)` if that is meant'
            )
        others = [share.rank for share in shares if share.world_size == here.world_size and share.rank != here.rank]
        if others:
            yield (
                f"this is rank {here.rank} of {here.world_size}, and the pipeline takes the part of rank {others[0]}, which "
                'may be read twice - say `.shard("auto")`, or pass the rank of this process'
            )


def ends_together(last: Node) -> bool:
    """Whether ranks are to end at the same batch, of what a settled description gives."""
    if any(repeat.epochs is None for repeat in find(last, Repeat)):
        return False
    return any(share.world_size > 1 and share.end is not None for share in find(last, Share))


def check_ends(last: Node, on_error: OnError = "raise") -> None:
    """Sees to it that nothing behind a `shard` makes ranks end at different batches.

    Args:
      last: the end of a settled description.
      on_error: as in `settled`.

    Raises:
      PipelineError: something may; says what to do.
    """
    word = _leaving_out(last, None, on_error) if ends_together(last) else None
    if word is not None:
        raise PipelineError(
            mismatch(
                "every rank to end at the same batch",
                f"`{word}` behind `shard`, which may leave more out on one rank than on another",
                at="shard(end)",
                do="put `shard` behind it, or an endless `repeat()` before it; or say `end=None`",
            )
        )


def _leaving_out(node: Node, word: str | None, on_error: OnError) -> str | None:
    if isinstance(node, Share):
        return word if node.world_size > 1 and node.end is not None else None
    if isinstance(node, Filter) or (isinstance(node, Staged) and not node.keeps_all):
        word = type(node).__name__.lower()
    elif isinstance(node, Map) and _skips(node, on_error):
        word = "map(on_error)"
    return next(filter(None, (_leaving_out(upstream, word, on_error) for upstream in node.upstream)), None)
