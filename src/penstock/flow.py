"""The running thing: batches, one after the other, and what is known of how they come about."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from functools import cache, cached_property
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, final

from penstock.build import build
from penstock.deliver import converter
from penstock.engine import Coordinator, Delivery, Entry, Head, InlineHead, Shots, Watchdog, forks
from penstock.errors import Aborted, FlowClosed, PenstockWarning, PipelineError, Stalled, StateError, mismatch
from penstock.faults import Skipped
from penstock.later import later
from penstock.plan import Batch, Convert, Join, Node, Options, find, positive
from penstock.resumed import State, why_not
from penstock.spec import Spec
from penstock.stages.snapshot import noted
from penstock.structure import LEAF, Structure, path_text

if TYPE_CHECKING:
    from penstock.state import Writer
    from penstock.stats import FlowStats

__all__ = ["Flow"]

TOGETHER = 16
"""The most batches that are handed over at once. [batches]"""


@final
class Flow(Delivery):
    """A pipeline that is running: an iterator of batches, closed by `with`, at its end, or by `close()`.

    Made by `Pipeline.open`. Threads run from then on, until the flow ends, is closed, or is dropped.
    One thread at a time may call `next`.
    """

    def __init__(self, node: Node, options: Options, *, epoch: int, inline: bool, state: Any = None) -> None:
        self._name = options.name or "flow"
        self._node, self._options, self._inline = node, options, inline
        super().__init__(_conversion(node))
        self._joins = find(node, Join)
        batches = find(node, Batch)
        self._size = batches[0].size if node.batched and batches else 1
        self._why_not = why_not(node)
        start = State(epoch, 0, 0, None, {})
        self._run(start if state is None else self._read(state))

    def _run(self, state: State) -> None:
        """Starts, from the beginning or where a state says."""
        node, options = self._node, self._options
        self._begin(state.snapshot, state.since)
        self._told = self._ended = False
        self._error: BaseException | None = None
        self._epoch, self._before = state.epoch, state.delivered
        self._skips = 0  # batches to be passed over by `skip`, behind the others
        self._goes_on = state.snapshot is not None
        self._opened = perf_counter()
        self._ended_at: float | None = None
        self._head: Head | InlineHead
        # Batches that lie ready may be handed over several at once, but not where a function works on each.
        grain = TOGETHER if isinstance(node, Batch) or (isinstance(node, Convert) and isinstance(node.of, Batch)) else 1
        self._coordinator: Coordinator | None = None
        if self._inline:
            self._built = build(node, options, None, state)
            self._shots = self._made_shots()
            self._head = InlineHead(self._built.stage, name=self._name, grain=grain, shots=self._shots)
            self._finalizer = weakref.finalize(self, self._head.close)
            self._finalizer.atexit = False  # as a generator's own
            return
        self._coordinator = Coordinator(self._name, grace_s=options.grace_s)
        try:
            # Whoever drops the flow without closing it may be any thread, under any lock: only a word is put in a queue.
            self._finalizer = weakref.finalize(self, self._coordinator.stop)
            self._finalizer.atexit = False  # the coordinator sees to that
            self._built = build(node, options, self._coordinator, state)
            self._shots = self._made_shots()
            self._head = Head(
                self._built.stage,
                name=self._name,
                grain=grain,
                doing=self._built.doing,
                shots=self._shots,
                backlog=self._built.backlog,
                meter=self._built.last,
                watch=self._watch(options.watchdog_s, self._coordinator),
            )
            self._coordinator.start(self._head, "drive")
        except BaseException:
            self._coordinator.stop()
            raise

    def _watch(self, after_s: float | None, coordinator: Coordinator) -> Watchdog | None:
        if after_s is None:
            return None
        return Watchdog(after_s, moved=self._built.moved, doing=self._built.doing, coordinator=coordinator)

    def _made_shots(self) -> Shots:
        built = self._built
        take = built.stage.snapshot if self._why_not is None else None
        arrival = any(join.order == "arrival" for join in find(self._node, Join))
        skips = built.quarantine.skips
        if take is not None and (arrival or skips):
            # What is chosen, or skipped, is logged behind a snapshot: from the first on.
            self._place = noted(built.stage) or self._place
        for ledger in built.quarantine.ledgers.values():
            ledger.logs = take is not None
        logs = (lambda: [choices.log for choices in built.choices.values()]) if arrival else None
        return Shots(take, built.wanted, logs, (lambda: built.quarantine.count) if skips else None)

    def __iter__(self) -> Self:
        return self

    def _first(self) -> Entry:
        """The entry whose thing is next."""
        if self._closed or self._forks != forks.count:
            self._refuse()
        try:
            entry = self._head.first()
        except Aborted:  # closed by another thread meanwhile
            entry = None
        except Stalled as error:
            self._end(error)
        except Exception as error:
            told = self._told_of(error)
            if told is error:
                raise
            raise told from error
        if entry is None:
            self._refuse()
        if entry.given == len(entry.rows):
            self._end(self._told_of(entry.error))
        return entry

    def _told_of(self, error: BaseException | None) -> Any:
        return later("state").suited(error) if self._goes_on and error is not None else error

    def _pass_over(self) -> None:
        """Takes what was handed over before the state was taken, or is to be skipped, and drops it."""
        while self._again:
            try:
                entry = self._first()
            except StopIteration:
                if self._again <= self._skips:
                    raise
                got = f"the end {self._again - self._skips} before that"
                want = "as many batches as when the state was taken"
                raise StateError(mismatch(want, got, at="open(state)", do="is the data the same?")) from None
            given, rows = entry.given, entry.rows
            place = entry.place if given + 1 == len(rows) else None
            # As in `__next__`.
            rows[given] = None
            entry.given = given + 1
            self._again -= 1
            if place is None:
                self._since += 1
            else:
                self._place, self._since = place, 0
        self._skips = 0

    def skip(self, batches: int) -> None:
        """Leaves out the next batches: they are made and dropped, but not converted nor handed over.

        As for a run that is to jump over the data that a loss spike came from. What is left when the data ends before is
        nothing. It may return before they are made.

        Args:
          batches: how many. [batches]

        Raises:
          PipelineError: it is no integer, or below 0.

        >>> import penstock as ps
        >>> with ps.join([range(8)]).batch(2).open() as flow:
        ...     flow.skip(2)
        ...     next(flow), flow.state_dict()["delivered"]
        (array([4, 5]), 3)
        """
        count = positive(batches, "batches", at="skip(batches)", least=0)
        self._again += count
        self._skips += count
        self._before += count

    def state_dict(self) -> dict[str, Any]:
        """Where the flow is to go on, after the last batch that was handed over, whatever was read ahead.

        Plain data, which JSON can hold; small: positions and tickets, no examples. For `pipeline.open(state=...)`, in this
        process or another, as often as one likes.

        Raises:
          StateError: a source can be opened only once; or something that is to be kept cannot be written as plain data.

        >>> import penstock as ps
        >>> pipeline = ps.join([range(6)]).batch(2)
        >>> with pipeline.open() as flow:
        ...     _ = next(flow)
        ...     state = flow.state_dict()
        >>> list(pipeline.open(state=state))
        [array([2, 3]), array([4, 5])]
        """
        if self._why_not is not None:
            raise StateError(self._why_not)
        if self._options.max_scan is not None:
            self._check_scan(self._options.max_scan)
        more = {"skipped": self._built.quarantine.state()}
        delivered, since = self._before + self._delivered, self._since + self._again
        data: dict[str, Any] = self._writer.write(self._epoch, delivered, since, self._place, more)
        return data

    def _check_scan(self, most: int) -> None:
        """Sees to it that no source would have to be read from its start over more items than that."""
        for reader in self._built.readers.copy().values():
            if reader.scans and reader.given > most:
                do = "give the source `skip(n)` or `state_dict`, read it by index, or raise `max_scan`"
                got = f"{reader.given} of source {reader.label!r}, which can only be read from its start"
                raise StateError(mismatch(f"at most {most} items to be read again", got, at="state_dict()", do=do))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from a state: of this flow, or of any other of the same pipeline. What was read ahead is dropped.

        Args:
          state: as `state_dict` gave it.

        Raises:
          StateError: it is damaged, or of another pipeline, or the data is not what it was.
        """
        read = self._read(state)
        self.close()
        self._run(read)

    get_state = state_dict
    set_state = load_state_dict

    @cached_property
    def _writer(self) -> Writer:
        words: list[Any] = later("fingerprint").fingerprint(self._node)
        writer: Writer = later("state").Writer(words, self._options.seed)
        return writer

    def _read(self, state: Any) -> State:
        if self._why_not is not None:
            raise StateError(self._why_not)
        read: State = later("state").read_state(self._writer.words, self._options.seed, state)
        return read

    def _end(self, error: BaseException | None) -> NoReturn:
        self._error, self._ended = error, True
        self.close()
        self._refuse()

    def _refuse(self) -> NoReturn:
        if self._forks != forks.count:
            raise FlowClosed(
                mismatch("a flow of this process", "one that was opened before a fork", do="open it after the fork")
            )
        if self._error is not None:
            raise self._error
        if self._ended:
            raise StopIteration
        raise FlowClosed(mismatch("an open flow", "one that was closed", do="open the pipeline again"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stops the flow and joins its threads; may be called any number of times, at any moment.

        Returns within `grace_s` seconds or so: a thread that is inside the user's code by then is left behind as a daemon,
        with a warning that names the source and shows its stack.
        """
        if self._forks != forks.count:
            return
        self._closed = True
        if self._ended_at is None:
            self._ended_at = perf_counter()
        found: list[str] = []
        if self._coordinator is None:
            try:
                self._finalizer()
            except Exception as error:  # of a generator's `finally`
                found = [f"closing a source raised {error!r}"]
        else:
            self._coordinator.stop()
            self._coordinator.join()
            self._finalizer.detach()
            found = self._coordinator.stragglers + self._coordinator.errors
        if self._told:
            return
        # At the end, so that a close that Ctrl-C interrupts can be called again.
        self._told = True
        self._head.forget()
        for text in found:
            warnings.warn(f"penstock: {text}", PenstockWarning, stacklevel=2)

    def spec(self) -> Spec | None:
        """The spec of a batch, once the first has been made: shapes and dtypes, `None` for a free dimension."""
        return self._built.batcher.spec() if self._built.batcher is not None else None

    def stats(self) -> FlowStats:
        """What has been done since the flow was opened."""
        driver = self._head.stats()
        end = self._ended_at if self._ended_at is not None else perf_counter()
        # A copy, since the driver adds to them when it builds the first epoch.
        stages = tuple(meter.stats() for _, meter in sorted(self._built.meters.copy().items()))
        batcher = self._built.batcher
        stats: FlowStats = later("stats").FlowStats(
            name=self._name,
            delivered=self._delivered,
            examples=self._examples(),
            nbytes=batcher.nbytes if batcher is not None else 0,
            elapsed_s=end - self._opened,
            wait_s=driver.take_wait_s,
            driver=driver,
            mixes=tuple(mix for _, tally in sorted(self._built.tallies.copy().items()) for mix in tally.stats()),
            strata=tuple(self._built.strata_stats()),
            snapshots_s=self._shots.spent_s,
            state_nbytes=self._writer.nbytes if "_writer" in self.__dict__ else 0,
            shares=tuple(stage.stats() for _, stage in sorted(self._built.shares.copy().items())),
            sources=tuple(self._built.source_stats(stream) for stream in range(len(self._built.labels))),
            stages=stages,
            skips=self._built.quarantine.stats(),
        )
        return stats

    @property
    def quarantine(self) -> tuple[Skipped, ...]:
        """What was skipped under `on_error`: of each source and stage the first hundred and the last thousand.

        It may hold what belongs to batches that are made already and not delivered yet.

        >>> import penstock as ps
        >>> halves = ps.join([["2", "x", "6"]]).map(lambda text: int(text) / 2, on_error=ps.Skip())
        >>> with halves.open(inline=True) as flow:
        ...     list(flow), [str(skipped) for skipped in flow.quarantine]
        ([1.0, 3.0], ["0:0:1 of 'list' in map(<lambda>): ValueError: invalid literal for int() with base 10: 'x'"])
        """
        return self._built.quarantine.skipped()

    def _examples(self) -> int:
        """The examples in what was delivered; the last batch may be smaller."""
        batcher = self._built.batcher
        if batcher is not None and len(batcher.totals) > 1:  # of groups, which differ in size
            return dict(batcher.totals.copy()).get(self._delivered, batcher.examples)
        whole = self._delivered * self._size
        return whole if batcher is None or self._size == 1 else min(whole, batcher.examples)

    def set_target(self, target: Any) -> int:
        """Changes the target of `stratify` while the flow runs, from the first batch on that is not composed yet.

        Args:
          target: as in `Pipeline.stratify`, over the same classes.

        Returns:
          The number of that batch; those before it were read ahead already, and come as they are.

        Raises:
          PipelineError: the target is none, or there is not just one `stratify`.

        >>> import penstock as ps
        >>> pipeline = ps.join([lambda: iter([0, 1] * 50)]).stratify(lambda x: x, [0.5, 0.5]).batch(4)
        >>> with pipeline.open(inline=True) as flow:
        ...     before = sorted(next(flow).tolist())
        ...     first = flow.set_target([0.25, 0.75])
        ...     before, first, sorted(next(flow).tolist())
        ([0, 0, 1, 1], 1, [0, 1, 1, 1])
        """
        strata = list(self._built.strata.values())
        if len(strata) != 1:
            raise PipelineError(mismatch("one `stratify` in the pipeline", len(strata), at="set_target(target)"))
        return strata[0].set_target(target)

    def report(self) -> str:
        """Says in words what the flow has done and what its limit is.

        >>> import penstock as ps
        >>> with ps.join([[1, 2, 3]]).batch(2).open(inline=True) as flow:
        ...     _ = list(flow)
        >>> "1 delivered (2 examples" in flow.report()
        True
        """
        orders = {"weights" if join.weights is not None else join.order for join in self._joins}
        order = next((order for order in ("arrival", "weights") if order in orders), "fixed")
        text: str = later("report").report(self.stats(), order=order)
        return text

    def __repr__(self) -> str:
        return f"<Flow {self._name!r}: {self._delivered} delivered, {'closed' if self._closed else 'open'}>"


def _conversion(node: Node) -> Callable[[Any], Any] | None:
    """What a batch goes through on its way to the caller."""
    converts = [convert for convert in find(node, Convert) if convert.to != "numpy"]
    if not converts:
        return None
    leaf = converter(converts[0].to)

    @cache
    def names_of(structure: Structure) -> list[str]:
        return [path_text(path) for path in structure.paths()]

    def convert(thing: Any) -> Any:
        structure = Structure.of(thing)
        names = names_of(structure)
        if structure is LEAF:
            return leaf(thing, names[0])
        return structure.build([leaf(part, name) for part, name in zip(structure.leaves(thing), names, strict=True)])

    return convert
