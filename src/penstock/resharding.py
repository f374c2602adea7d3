"""States of several ranks, made into states of another number of ranks: what is left of the data is dealt anew.

How
  Each rank's flow is opened where its state says, and let run empty: what comes out was dealt to it and not delivered.
  Where all read the same stream, those that are behind are brought to where the foremost stands, and what they are dealt
  on the way is left over too. The rest of the stream, and before it what is left over, is one stream again, which the
  others share in turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from penstock.build import build
from penstock.chunk import WHOLE, Chunk
from penstock.errors import PipelineError, StateError, mismatch
from penstock.faults import together
from penstock.fingerprint import fingerprint
from penstock.pipeline import Pipeline, node_of, options_of
from penstock.plain import from_plain, to_plain
from penstock.plan import Batch, Convert, Filter, Join, Map, Node, Options, Pad, Shard, Share, find, positive
from penstock.ranks import Rank
from penstock.resumed import State, why_not
from penstock.sampling import Target
from penstock.sharing import any_rank, heirs_of, settled, shares_in
from penstock.staged import Staged, check_composed, composed_for
from penstock.stages.remainder import left_over
from penstock.stages.snapshot import Saved, unpacked_tickets
from penstock.stages.stratify import Stratify as StratifyStage
from penstock.stages.waiting import fresh_of
from penstock.state import Writer, read_state
from penstock.strata import Stratify
from penstock.ticket import Tickets, listed_tickets

__all__ = ["reshard"]

AT = "reshard(states)"


def reshard(
    pipeline: Pipeline, states: Sequence[dict[str, Any]], world_size: int, batch_size: int | None = None
) -> list[dict[str, Any]]:
    """The states with which another number of ranks goes on where some ranks stopped.

    What none of the ranks has delivered is delivered by the others together, each example once, up to what `end=` says of
    the last round. With `stratify` no example is used more often than it says, none that was not read is lost, and shares
    stay exact in every batch of each rank and of all together.

    The pipeline is needed since the sources are read: each rank's flow is opened here, one process, up to its state. It
    takes as long as resuming each of them does.

    Args:
      pipeline: the pipeline that the states are of, with a `shard` of any rank.
      states: what `flow.state_dict()` gave on each rank, in any order.
      world_size: how many ranks go on.
      batch_size: of the `batch` behind `shard` with which they do, if it is another. With `shard` behind `stratify` and as
        many examples in all ranks' batches together, each step's are those of the unbroken run. [examples]

    Returns:
      Their states, rank by rank, for the same pipeline with `.shard(rank, world_size)`, or `.shard("auto")` on that rank.

    Raises:
      PipelineError: there is not one `shard`, or a word behind it does not allow it; says what to do.
      StateError: a rank is missing or there twice, the ranks stopped at different batches where that matters, or a state is
        damaged or of another pipeline.

    >>> import penstock as ps
    >>> pipeline = ps.join([range(12)])
    >>> states = []
    >>> for rank in range(2):
    ...     with pipeline.shard(rank, 2).batch(2).open() as flow:
    ...         print(next(flow))
    ...         states.append(flow.state_dict())
    [0 2]
    [1 3]
    >>> for rank, state in enumerate(ps.reshard(pipeline.shard("auto").batch(2), states, 4)):
    ...     print(list(pipeline.shard(rank, 4).batch(2).open(state=state)))
    [array([4, 8])]
    [array([5, 9])]
    [array([ 6, 10])]
    [array([ 7, 11])]
    """
    count = positive(world_size, "world_size", at="reshard(world_size)")
    node, options = any_rank(node_of(pipeline)), options_of(pipeline)
    reason = why_not(node)
    if reason is not None:
        raise StateError(reason)
    _check_words(node)
    after = node if batch_size is None else _resized(node, batch_size)
    parts = _in_order(states)
    heirs = heirs_of(states[0])
    nodes = [settled(node, _rank(rank, len(parts)), heirs, on_error=options.on_error) for rank in range(len(parts))]
    seed = options.seed
    read = [read_state(fingerprint(own), seed, state) for own, state in zip(nodes, parts, strict=True)]
    _check_together(node, read)
    with ExitStack() as stack:
        leavers = []
        for own, state in zip(nodes, read, strict=True):
            leaver = _Leaver(own, options, state)
            stack.callback(leaver.built.stage.close)
            leavers.append(leaver)
        same = _together(nodes[0]) == _together(
            settled(after, _rank(0, count), max(1, heirs), on_error=options.on_error)
        )
        of, heirs = _left(leavers, _share(nodes[0]), heirs, same=same)
        target = next(filter(None, (_changed(stage) for stage in leavers[0].strata)), None)
        more = {"skipped": _skipped(leavers, _share(nodes[0]))}
    delivered = max(state.delivered for state in read)
    new: list[dict[str, Any]] = []
    for rank in range(count):
        own = settled(after, _rank(rank, count), heirs, on_error=options.on_error)
        built = build(own, options, None, State(read[0].epoch, 0, 0, None, more), parts=True)
        try:
            (share,) = built.shares.values()
            share.begin(from_plain(to_plain(of)))
            for stage in _behind(own, built.strata.values()):
                stage.begin_anew(target, delivered)
            saved = built.stage.snapshot()
        finally:
            built.stage.close()
        words = fingerprint(own)
        new.append(Writer(words, seed).write(read[0].epoch, delivered, 0, saved, more))
    return new


def _rank(rank: int, world_size: int) -> Any:
    return lambda: Rank(rank, world_size)


def _resized(node: Node, size: int) -> Node:
    """The same words with batches of another size behind `shard`."""
    if isinstance(node, Shard):
        raise PipelineError(mismatch("a `batch` behind `shard`", "none", at="reshard(batch_size)", do="leave it out"))
    if isinstance(node, Batch) and not node.grouped:
        node = node.changed(size=positive(size, "batch_size", at="reshard(batch_size)"))
        check_composed(node)
        return node
    return node.changed(of=_resized(node.upstream[0], size))


def _together(node: Node) -> list[int | None]:
    """How many examples what stands before `shard` composes at once."""
    composed, words = composed_for(node), find(_share(node).of, Stratify)
    return [composed[id(word)].size for word in words]


def _share(node: Node) -> Share:
    share: Share
    (share,) = find(node, Share)
    return share


def _behind(node: Node, strata: Iterable[Any]) -> list[StratifyStage]:
    """The stages of `stratify` behind `shard`."""
    own = not find(_share(node).of, Stratify)
    return [stage for stage in strata if own and isinstance(stage, StratifyStage)]


def _changed(stage: StratifyStage) -> Target | None:
    """The target of a `stratify`, if it was changed while the flow ran."""
    schedule = stage.snapshot()["schedule"]
    parts = schedule.get("of", schedule)["changed"]
    return None if parts is None else Target(parts[0], labels=parts[1], at="set_target(target)")


def _check_words(node: Node) -> None:
    """Sees to it that there is one `shard`, and behind it only what can be run empty and begun anew."""
    if len(find(node, Shard)) != 1:
        want, got = "one `shard` in the pipeline", f"{len(find(node, Shard))}"
        raise PipelineError(mismatch(want, got, at="reshard(pipeline)", do="split it with `.shard(...)`"))
    at = node
    while not isinstance(at, Shard):
        allowed = isinstance(at, Map | Pad | Convert | Batch) or (
            not at.batched and (isinstance(at, Filter) or (isinstance(at, Staged) and at.resumes_empty))
        )
        if not allowed:
            want = "`map`, `filter`, `pad`, `shuffle`, `bucket`, `stratify` and `batch` alone behind `shard`"
            do = "put `shard` behind it"
            raise PipelineError(mismatch(want, f"`{type(at).__name__.lower()}`", at="reshard(pipeline)", do=do))
        (at,) = at.upstream


def _in_order(states: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The states, rank by rank.

    Raises:
      StateError: a rank is missing, or there twice.
    """
    told = [shares_in(state) for state in states]
    for number, shares in enumerate(told):
        if len(shares) != 1 or not {"rank", "world_size"} <= set(shares[0]):
            raise StateError(mismatch("states of a pipeline with `shard`", f"another as number {number}", at=AT))
    ranks = [shares[0]["rank"] for shares in told]
    sizes = sorted({str(shares[0]["world_size"]) for shares in told})
    if not states or sizes != [str(len(states))] or sorted(map(str, ranks)) != sorted(map(str, range(len(states)))):
        of = f" of {' and '.join(sizes)}" if sizes else ""
        want = f"the states of ranks 0 to {sizes[0] if sizes else 'W'} less one, each once"
        got = f"{len(states)}: ranks {', '.join(map(str, ranks))}{of}" if states else "none"
        raise StateError(mismatch(want, got, at=AT))
    return [states[ranks.index(rank)] for rank in range(len(states))]


def _check_together(node: Node, read: Sequence[State]) -> None:
    """Sees to it that the states are of one run, and of one moment where shares are kept together."""
    epochs = [state.epoch for state in read]
    if len(set(epochs)) > 1:
        raise StateError(mismatch("states of one run", f"first epochs {', '.join(map(str, epochs))}", at=AT))
    delivered = [state.delivered for state in read]
    if find(node, Stratify) and len(set(delivered)) > 1:
        want = "as many batches delivered by each rank, as shares are exact in those of all together"
        do = "take the states of one step"
        raise StateError(mismatch(want, ", ".join(map(str, delivered)), at=AT, do=do))


class _Leaver:
    """A rank that leaves: its flow where its state says, which then runs empty."""

    def __init__(self, node: Node, options: Options, state: State) -> None:
        self.built = build(_to_the_last(node), options, None, state, parts=True)
        self.built.wanted.on = True
        self._node = node
        (self.share,) = self.built.shares.values()
        self.strata = _behind(node, self.built.strata.values())
        self.above = [stage for stage in self.built.strata.values() if stage not in self.strata]
        self.delivered = state.delivered
        self._left: list[Tickets] = []
        for given in range(state.since):
            chunk = self.built.stage.take(1)
            if not chunk.count:
                want = f"{state.delivered} batches, as when the state was taken"
                got = f"the end {state.since - given} before that"
                raise chunk.error or StateError(mismatch(want, got, at=AT, do="is the data the same?"))

    def run_empty(self) -> None:
        """Takes what was dealt to it and not delivered, and lets it take no more."""
        below, behind = self.built.stage, _words_behind(self._node)
        if any(isinstance(word, Batch) for word in behind):
            assert self.built.batcher is not None, "it is the last one"
            below, waiting = self.built.batcher.let_go()
            self.keep(waiting)
        if any(isinstance(word, Filter | Staged) for word in behind):
            self.keep([below.take(1)])  # so that all stand where the state says
        self.share.halt()
        while True:
            chunk = below.take(WHOLE)
            self.keep([chunk])
            if not chunk.count:
                break
        kept = [stage.snapshot()["kept"] for stage in self.strata]
        self._left += [fresh_of(saved["rings"]) for saved in kept if saved is not None]

    def keep(self, chunks: Iterable[Chunk]) -> None:
        """Notes what these are.

        Raises:
          Exception: what stands behind them.
        """
        for chunk in chunks:
            if chunk.error is not None:
                raise chunk.error
            self._left.append(chunk.tickets)

    def left(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The tickets of what it leaves over: int64[n, 5]."""
        table = np.concatenate(
            [tickets.table() for tickets in self._left if len(tickets)] or [np.empty((0, 5), np.int64)]
        )
        # What fills a part up, and what `stratify` gives once more, was delivered before.
        stats = self.share.stats()
        return table[table[:, 4] == 0] if self.strata or stats.again or stats.padded else table


def _left(leavers: Sequence[_Leaver], share: Share, heirs: int, *, same: bool) -> tuple[Saved, int]:
    """The snapshot of what is left over, and how many parts it has."""
    for leaver in leavers:
        leaver.run_empty()
    if share.way == "files":
        stands = []
        for leaver in leavers:
            leaver.keep(leaver.share.leave(0))
            stand, own = leaver.share.stand()
            leaver.keep(own)
            stands.append(stand)
        heirs = len(leavers)
        first: Any = None
    else:
        stands, first = [_brought_together(leavers, same)], None
        if heirs and stands[0] is not None:
            first = stands[0]
        heirs = heirs or 1
    table = np.concatenate([leaver.left() for leaver in leavers])
    table = table[np.lexsort((table[:, 4], table[:, 3], table[:, 0], table[:, 2], table[:, 1]))]
    if len(table) and not all(leaver.share.recalls_left for leaver in leavers):
        want = "as many batches delivered by each rank, or examples that can be read again one by one"
        got = f"{', '.join(str(leaver.delivered) for leaver in leavers)}, with {len(table)} that cannot"
        raise StateError(
            mismatch(want, got, at=AT, do="take the states of one step, or put `shard` further to the front")
        )
    if first is not None:  # they had shared what others left over themselves
        table = np.concatenate([table, unpacked_tickets(first["left"]).table()])
    left = left_over(listed_tickets(table), stands)
    return ({**first, "left": left["left"]} if first is not None else left), heirs


def _brought_together(leavers: Sequence[_Leaver], same: bool) -> Saved | None:
    """Where the stream stands when all ranks are where the foremost is; `None` at its end."""
    ended = any(leaver.share.ended for leaver in leavers)
    foremost = max(leavers, key=lambda leaver: leaver.share.seen)
    seen = WHOLE if ended else foremost.share.seen
    foremost.keep(foremost.share.leave(seen))
    for stage in foremost.above:
        if not same and isinstance(stage, StratifyStage):
            stage.begin_anew()
    stand: Saved | None
    stand, own = foremost.share.stand()
    foremost.keep(own)
    for leaver in leavers:
        if leaver is not foremost:
            leaver.keep(leaver.share.leave(WHOLE if stand is None else foremost.share.seen))
    return stand


def _words_behind(node: Node) -> list[Node]:
    """The words behind `shard`."""
    words: list[Node] = []
    while not isinstance(node, Share):
        words.append(node)
        (node,) = node.upstream
    return words


def _to_the_last(node: Node) -> Node:
    """The same words, but that nothing is left out at an end."""
    if isinstance(node, Share | Join):
        return node
    below = _to_the_last(node.upstream[0])
    return node.changed(of=below, keep_last=True) if isinstance(node, Batch) else node.changed(of=below)


def _skipped(leavers: Sequence[_Leaver], share: Share) -> dict[str, Any]:
    """What the ranks have skipped together: before `shard` the same, but where each reads its own files."""
    found: dict[str, list[dict[str, Any]]] = {}
    for leaver in leavers:
        for word, counted in leaver.built.quarantine.state().items():
            found.setdefault(word, []).append(counted)
    (before,) = leavers[0].built.shares
    return {
        word: together(counted, same=share.way != "files" and int(word) < before) for word, counted in found.items()
    }
