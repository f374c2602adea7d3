"""Turns a description into stages, lanes and a head: the only module that knows all parts.

Where a lane stands: behind each chain that reads one source, up to the merge it feeds, so that functions before the merge
run in the reader's thread; and behind the last stage, the driver. A source in memory needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from penstock.assemble import Pool, backlog
from penstock.built import Built
from penstock.chunk import WHOLE, examples_in
from penstock.engine import Bell, Coordinator, Lane, Meter, Pauses, Puller, Wave
from penstock.errors import Aborted, PipelineError
from penstock.faults import SkipLog, policy_of
from penstock.later import later
from penstock.mended import begin_ledgers, ledger_of, marks, views
from penstock.place import Place, by_item, cancels_of, input_names, labels_of, opened_of, ordered, word_of
from penstock.plan import (
    Batch,
    Convert,
    Filter,
    Join,
    Map,
    Node,
    Options,
    Pad,
    Read,
    Repeat,
    Share,
    Skip,
    Take,
    Unbatch,
    find,
    padding,
)
from penstock.resumed import State
from penstock.staged import Composed, Site, Staged, composed_for
from penstock.stages import (
    Applied,
    ArrivalMerge,
    Batcher,
    Choices,
    Inlet,
    Mending,
    Merge,
    RowReader,
    RunReader,
    Stage,
    Straight,
    Strata,
    Tag,
    pull_plain,
)
from penstock.stages import Repeat as RepeatStage
from penstock.stages.batcher import Groups
from penstock.stages.snapshot import Wanted

if TYPE_CHECKING:
    from penstock.stages.mixed import Mixed
    from penstock.stats import LaneStats

__all__ = ["build"]

FIRST_WAVE = 4
"""So many sources get a thread at once; of more, the others only if they prove slow. [sources]"""


def build(node: Node, options: Options, coordinator: Coordinator | None, state: State, *, parts: bool = False) -> Built:
    """Builds the stages of a description.

    Args:
      node: the end of the description.
      options: what holds for the whole.
      coordinator: starts the lanes' threads; `None` builds for the caller's own thread.
      state: where the stages begin, or go on.
      parts: whether `shard` has a stage also where the part is everything.
    """
    labels = labels_of(node)
    opened = opened_of(node)
    builder = _Builder(
        options, coordinator, labels, opened, _capacity(node, options, opened), composed_for(node), parts
    )
    built = builder.built
    builder.last = last = node.of if isinstance(node, Convert) else node
    if coordinator is not None and isinstance(last, Batch) and (padding(last.of) or isinstance(last.of, Staged)):
        built.backlog = backlog()
    if state.more:
        logs = later("state").skips_in(state.snapshot)
        later("state").restored(partial(built.quarantine.load, logs=logs), state.more)
    begin_ledgers(node, Place(), built.quarantine, options.on_error)
    built.stage = builder.chain(node, state.epoch, Place(), built.wanted, lanes=coordinator is not None)
    if state.snapshot is not None:
        try:
            later("state").restored(built.stage.restore, state.snapshot)
        except BaseException:
            for reader in built.readers.values():  # no thread has them yet
                reader.close()
            raise
    builder.start()
    return built


def _capacity(node: Node, options: Options, n_reads: int) -> int:
    """The examples that may wait in the lanes together."""
    if options.capacity is not None:
        return max(options.capacity, n_reads)
    sizes = [batch.size for batch in find(node, Batch)]
    return max(2 * max(sizes, default=0), 8 * n_reads, 64)


class _Builder:
    """Builds one flow, and in `repeat` parts of it again for each epoch."""

    def __init__(
        self,
        options: Options,
        coordinator: Coordinator | None,
        labels: list[str],
        opened: int,
        capacity: int,
        composed: Mapping[int, Composed],
        parts: bool,
    ) -> None:
        self._part = parts
        self._options = options
        self._coordinator = coordinator
        self._opened = opened
        self._capacity = capacity
        self._pool = Pool()
        self._composed = composed
        self._pauses = Pauses(coordinator.check if coordinator is not None else None)
        if coordinator is not None:
            coordinator.on_stop(self._pauses.abort)
        self._lengths: dict[int, list[int]] = {}
        self._staged: dict[int, Stage] = {}
        self._waiting: list[Callable[[], object]] | None = []
        """What starts the threads; they wait until all is built, and set to a state."""
        self.built = Built(labels=labels)
        self.last: Node | None = None
        """The last word: behind it are no more stages."""
        self.built.moves[-1] = self._pauses.moved

    def start(self) -> None:
        """Starts what waits to be started; what is built from now on is started at once."""
        starts, self._waiting = self._waiting or [], None
        for start in starts:
            start()

    def chain(self, node: Node, epoch: int, place: Place, wanted: Wanted, *, lanes: bool) -> Stage:
        """The stage of a node, with everything upstream of it.

        Args:
          node: the node.
          epoch: which pass.
          place: what comes before it and all that is upstream of it.
          wanted: whether a snapshot is wanted of whoever pulls it.
          lanes: whether its sources get lanes.
        """
        if isinstance(node, Read):
            return self._reader(node, epoch, place)
        if isinstance(node, Join):
            merge = self._merge(node, epoch, place, wanted, lanes=lanes)
            return self._metered(merge if node.tag is None else self._tagged(merge, node, node.tag, place), node, place)
        if isinstance(node, Repeat):
            return self._repeat(node, epoch, place, wanted, lanes=lanes)
        (below,) = node.upstream
        if isinstance(node, Share) and node.heirs:
            parts = [self.chain(part, epoch, place, wanted, lanes=lanes) for part in later("sharing").heirs(node)]
            upstream = cast(Stage, later("stages.remainder").Remainder(parts, first=place.streams, wanted=wanted))
        else:
            upstream = self.chain(below, epoch, place, wanted, lanes=lanes)
        if isinstance(node, Convert | Pad) or (isinstance(node, Share) and node.all and not self._part):
            return upstream
        if isinstance(node, Share):
            chain = partial(self.chain, below, epoch, wanted=wanted, lanes=lanes)
            return self._metered(self._share(node, upstream, chain, place, wanted), node, place, upstream)
        if isinstance(node, Filter) and self._coordinator is not None and not isinstance(upstream, Meter):
            # Behind a `repeat`: how quick a filter is shows in how many it has looked at.
            upstream = Meter(upstream, "repeat", check=self._coordinator.check)
        return self._metered(self._step(node, upstream, place, epoch, wanted), node, place, upstream)

    def _step(self, node: Node, upstream: Stage, place: Place, epoch: int, wanted: Wanted) -> Stage:
        if isinstance(node, Map):
            its = self._applied(node, "mapping", place)
            return cast(Stage, later("stages.map").Map(upstream, its, items=by_item(node)))
        if isinstance(node, Filter):
            its, how = self._applied(node, "filtering", place), {"items": by_item(node), "weigh": _weigher(node)}
            return cast(Stage, later("stages.filter").Filter(upstream, its, **how, wanted=wanted))
        if isinstance(node, Take):
            return cast(Stage, later("stages.take").Take(upstream, node.count))
        if isinstance(node, Skip):
            return cast(Stage, later("stages.skip").Skip(upstream, node.count, weigh=_weigher(node)))
        if isinstance(node, Unbatch):
            return cast(Stage, later("stages.unbatch").Unbatch(upstream, wanted=wanted))
        if isinstance(node, Staged):
            number = place.after(node).drawing
            composed = self._composed[id(node)]
            mending = self._mending(node, place)
            site = Site(self._options.seed, number, self.built.labels, composed, wanted, epoch=epoch)
            site = site._replace(mending=mending if mending is not None and mending.skips else None)
            for share in find(node.upstream[0], Share):
                site = site._replace(rank=share.rank, world_size=share.world_size)
            stage: Stage = node.stage(upstream, site)
            self._staged[id(node)] = stage
            if hasattr(stage, "set_target"):
                word, built = place.after(node).words, self.built
                if word in built.strata:
                    built.strata_before[word] = built.strata[word].stats().after(built.strata_before.get(word))
                built.strata[word] = cast(Strata, stage)
            return stage
        if isinstance(node, Batch):
            self.built.batcher = self._batcher(node, upstream, wanted, place)
            return self.built.batcher
        raise PipelineError(f"expected a known word, got `{type(node).__name__}`")

    def _share(self, node: Share, upstream: Stage, chain: Callable[..., Stage], place: Place, wanted: Wanted) -> Stage:
        word = place.after(node).words
        earlier = self.built.shares.get(word)
        stage: Stage = later("parting").share_stage(
            node,
            upstream,
            below=self._composed.get(id(node.of)),
            again=lambda times: chain(place=place._replace(again=times)),
            skips=partial(views, self.built.quarantine, place, place.after(node)),
            lengths=partial(self._lengths_of, node),
            earlier=earlier.stats() if earlier is not None else None,
            wanted=wanted,
        )
        self.built.shares[word] = stage
        return stage

    def _lengths_of(self, node: Share) -> list[int]:
        """How many examples each rank's files have; those of files that do not tell are counted once."""
        if id(node) not in self._lengths:
            check = self._coordinator.check if self._coordinator is not None else None
            self._lengths[id(node)] = later("sharing").counted(node, check, self._options.on_error)
        return self._lengths[id(node)]

    def _applied(self, node: Map | Filter, doing: str, place: Place) -> Applied:
        seed = self._options.seed if node.seed is None else node.seed
        return Applied(
            node.fn,
            doing,
            seed=seed,
            stage=place.after(node).drawing,
            labels=self.built.labels,
            judges=isinstance(node, Filter),
            mending=self._mending(node, place),
        )

    def _metered(self, stage: Stage, node: Node, place: Place, upstream: Stage | None = None) -> Stage:
        if self._coordinator is None:
            return stage
        inner = upstream if isinstance(upstream, Meter) else None
        word = place.after(node).words
        paced = isinstance(node, Map | Filter)
        meter = Meter(
            stage,
            word_of(node),
            inner,
            check=self._coordinator.check,
            earlier=self.built.meters.get(word),
            paced=paced,
        )
        self.built.meters[word] = meter
        if node is self.last and not paced:  # what the driver takes of it, the head counts
            self.built.last = meter
            return stage
        return meter

    def _batcher(self, node: Batch, upstream: Stage, wanted: Wanted, place: Place) -> Batcher:
        joins = find(node, Join)
        fixed = all(join.order == "fixed" for join in joins)
        return Batcher(
            upstream,
            node.size,
            keep_last=node.keep_last,
            pad=padding(node.of),
            pool=self._pool,
            firsts=opened_of(node) if fixed else 1,
            labels=self.built.labels,
            tags=[join.tag for join in joins if join.tag is not None]
            + [share.mask for share in find(node, Share) if share.end == "pad"],
            wanted=wanted,
            groups=cast(Groups, self._staged[id(node.of)]) if node.grouped else None,
            mending=self._mending(node, place),
            form=node.form,
            together=bool(find(node, Share)) and later("sharing").ends_together(node),
            backlog=self.built.backlog if node is self.last else None,
            ticketed=node is not self.last,
        )

    def _repeat(self, node: Repeat, epoch: int, place: Place, wanted: Wanted, *, lanes: bool) -> Stage:
        def make(at: int) -> Stage:
            return self.chain(node.of, at, place, wanted, lanes=lanes)

        by_row = isinstance(node.of, Read) and not node.of.chunks and not node.of.source.blocks
        skips = partial(views, self.built.quarantine, place, place.after(node.of))
        return RepeatStage(make, node.epochs, epoch=epoch * (node.epochs or 1), by_row=by_row, skips=skips)

    def _mending(self, node: Node, place: Place) -> Mending | None:
        """What is done about errors of a node."""
        ledger = ledger_of(node, place, self.built.quarantine, self._options.on_error)
        return None if ledger is None else Mending(ledger, self._pauses, again=place.again)

    def _reader(self, node: Read, epoch: int, place: Place) -> Stage:
        stream = place.streams
        source = ordered(node, stream, self._options.seed)
        label, mending = self.built.labels[stream], self._mending(node, place)
        reader: RowReader | RunReader
        if node.chunks or source.blocks:
            reader = RunReader(
                source, stream, epoch=epoch, items=node.chunks, copy=node.copy, label=label, mending=mending
            )
        else:
            reader = RowReader(source, stream, epoch=epoch, copy=node.copy, label=label, mending=mending)
        earlier = self.built.readers.get(stream)
        if earlier is not None:
            self._add_earlier(stream, later("stats").NO_LANE.read(label, earlier.given))
        self.built.readers[stream] = reader
        if self._coordinator is not None:
            for cancel in cancels_of(source):
                self._coordinator.on_stop(cancel)
        return reader

    def _add_earlier(self, stream: int, stats: LaneStats) -> None:
        """Keeps what a reader or lane has seen whose place another takes."""
        self.built.earlier[stream] = stats.after(self.built.earlier.get(stream))

    def _merge(self, node: Join, epoch: int, place: Place, wanted: Wanted, *, lanes: bool) -> Stage:
        word = place.after(node).words
        bell = Bell() if node.order == "arrival" else None
        wave = Wave()
        puller = Puller(self._coordinator.check) if self._coordinator is not None else None
        most = self._options.capacity_bytes
        if puller is not None and self._options.watchdog_s is not None:
            self.built.moves[word] = puller.moved
        rooms, nbytes = self._parts(node, self._capacity), None if most is None else self._parts(node, most)
        inlets: dict[int, Inlet] = {}
        for number, below in enumerate(node.of):
            closed = node.opened is not None and number not in node.opened
            if closed or (isinstance(node.weights, tuple) and not node.weights[number]):
                place = place.after(below)
                continue
            alone = len(find(below, Read)) == 1
            # A join among the inputs has lanes of its own; it gets one where it must not hold up the others.
            apart = lanes and (alone or bell is not None)
            # What runs ahead of the merge cannot know when a snapshot is taken.
            own_wanted = Wanted(on=True) if apart else wanted
            stage = self.chain(below, epoch, place, own_wanted, lanes=lanes and not alone)
            items = by_item(below)
            if below.batched:
                stage = cast(Stage, later("stages.unbatch").Unbatch(stage, wanted=own_wanted))
            lane = None
            behind = place.after(below)
            skips = marks(self.built.quarantine, place, behind)
            streams = range(place.streams, behind.streams)
            if apart:
                held = rooms[number], None if nbytes is None else nbytes[number]
                lane = self._lane(node, below, stage, streams, items, *held, bell, wave, puller, wanted, skips)
            inlets[number] = (
                lane if lane is not None else Straight(stage, items=items, streams=streams, wanted=wanted, skips=skips)
            )
            place = behind
        own = list(inlets.values())
        stops = [at for at, number in enumerate(inlets) if number in node.stops]
        if bell is not None:
            waiting = _Waiting(bell, [inlet for inlet in own if isinstance(inlet, Lane)])
            choices = self.built.choices.setdefault(word, Choices())
            return ArrivalMerge(own, wait=waiting, stops=stops, choices=choices)
        if node.weights is None:
            return Merge(own, stops=stops, pull=puller or pull_plain, wanted=wanted)
        mixture = later("mixing").mixture_of(node, list(inlets))
        mixed: Mixed = later("stages.mixed").Mixed(own, mixture, stops=stops, pull=puller or pull_plain)
        tally = self.built.tallies.setdefault(word, later("tally").Tally(word_of(node), input_names(node)))
        tally.follow(mixed, list(inlets))
        return mixed

    def _tagged(self, merge: Stage, node: Join, tag: str, place: Place) -> Stage:
        """Behind a join, its tag: the name of each stream's input, or its number."""
        values: list[str | int] = [node.names[0] if node.names else 0] * len(self.built.labels)
        stream = place.streams
        for number, below in enumerate(node.of):
            last = stream + len(find(below, Read))
            values[stream:last] = [node.names[number] if node.names else number] * (last - stream)
            stream = last
        return Tag(merge, tag, values)

    def _parts(self, join: Join, total: int) -> list[int]:
        """What each input's lane may hold of a total: an equal part, or one by its weight; and one place at least."""
        n_lanes = self._opened
        if not isinstance(join.weights, tuple):
            return [max(1, total // n_lanes)] * len(join.of)
        weights = [w if len(find(below, Read)) == 1 else 0 for below, w in zip(join.of, join.weights, strict=True)]
        alone = sum(weight > 0 for weight in weights)
        spare = max(0, total * alone // n_lanes - alone)
        return [1 + spare * weight // max(1, sum(weights)) for weight in weights]

    def _lane(
        self,
        join: Join,
        below: Node,
        stage: Stage,
        streams: range,
        items: bool,
        room: int,
        room_bytes: int | None,
        bell: Bell | None,
        wave: Wave,
        puller: Puller | None,
        wanted: Wanted,
        skips: Sequence[SkipLog],
    ) -> Lane | None:
        stream = streams.start
        read, *others = find(below, Read)
        if others:
            # One item waits here, beside what waits in the lanes of its sources.
            name = f"join from {self.built.labels[stream]!r} on"
            grain = WHOLE if items else 1
            how: Any = {"grain": grain, "items": items, "bell": bell, "streams": streams, "wanted": wanted}
            lane = Lane(stage, name=name, room=1, skips=skips, **how)
            self._start(lane, "join", stream)
            return lane
        worked = bool(find(below, Map) or find(below, Filter))
        if read.source.waits is False and not worked:
            return None
        runs = (read.chunks or read.source.blocks) and not worked
        # Who tries again waits in between, and nobody is to wait with it.
        again = policy_of(self._options.on_error if read.on_error is None else read.on_error, at="on_error").retry
        parks = join.order == "fixed" and read.source.waits is not True and again is None
        waits = parks and len(self.built.lanes) >= FIRST_WAVE
        lane = Lane(
            stage,
            name=self.built.labels[stream],
            room=room,
            room_bytes=room_bytes,
            grain=WHOLE if runs or items else 1,
            items=items,
            parks=parks,
            bell=bell,
            wave=wave if waits else None,
            pulled_s=puller.awaited_s if puller is not None else None,
            streams=streams,
            wanted=wanted,
            skips=skips,
        )
        old = self.built.lanes.get(stream)
        if old is not None:
            self._add_earlier(stream, old.stats().read(old.name, 0))
        self.built.lanes[stream] = lane
        start = partial(self._start, lane, "read", stream)
        if waits:
            wave.starts[lane] = start
        else:
            start()
        return lane

    def _start(self, lane: Lane, role: str, stream: int) -> None:
        assert self._coordinator is not None, "lanes are for flows with threads"
        start = partial(self._coordinator.start, lane, f"{role}-{stream}")
        if self._waiting is None:
            start()
        else:
            self._waiting.append(start)


class _Waiting:
    """Waits for any of the lanes that share a bell."""

    def __init__(self, bell: Bell, lanes: Sequence[Lane]) -> None:
        self._bell = bell
        self._lanes = lanes

    def __call__(self) -> None:
        waited = [lane for lane in self._lanes if not lane.left and not lane.at_hand()]
        for lane in waited:
            lane.begin_wait(1 / len(waited))
        self._bell.wait()
        for lane in waited:
            lane.end_wait()
        if any(lane.aborted for lane in self._lanes):
            raise Aborted


def _weigher(node: Node) -> Callable[[Sequence[Any]], int]:
    """How a stage counts what it leaves out: in examples, also where it is batches."""
    return examples_in if node.batched else len
