"""Where the training loop takes batches: the driver's lane seen by its one taker, who may be interrupted anywhere.

Guarantees
  Taking a batch and counting it is one step that no signal splits.
  A batch that was taken and not given to the caller comes out of the next call.
How
  Nothing is removed when it is looked at: an entry stays at the head until what it holds has been given, and giving is
  a few plain stores after the last call that a signal could interrupt. Everything before is done again if it was cut off.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import ceil
from time import perf_counter
from typing import TYPE_CHECKING, final

from penstock.chunk import END, Chunk
from penstock.engine.bell import Bell, Waited
from penstock.engine.breath import INTERVAL_S, Breath
from penstock.engine.cores import usable_cores
from penstock.engine.kernels import Entry
from penstock.engine.meter import Meter
from penstock.engine.shots import Shots
from penstock.errors import Aborted, FlowClosed, mismatch
from penstock.later import later
from penstock.stages.snapshot import Wanted
from penstock.stages.stage import Stage

if TYPE_CHECKING:
    from penstock.assemble import Backlog
    from penstock.stats import LaneStats

__all__ = ["Head", "InlineHead"]

AHEAD_S = 4e-3
"""The driver works this long ahead of a loop that takes at once, so that handing over costs little. [s]"""
NAP_S = 2e-3
"""A loop that finds nothing sleeps this long before it wants to be told of the next quick batch. [s]"""
SLOW_S = 7.5e-4
"""A batch that takes longer is told of at once. [s]"""
BEHIND = 4
"""So many that are still to be written, the loop does not write while it has the interpreter. [components of batches]"""
SOON_S = 3e-4
"""Where a batch takes less, a loop that was woken waits so long for the driver to lend it the interpreter. [s]"""
LEND_S = 1.5e-4
"""The driver lends it for so long at most. [s]"""
SPARE = usable_cores() > 1
"""Whether there is a processor for a thread that only looks, while another works."""
LEAST, MOST = 2, 64
"""So many it works ahead, at least and at most; where it has waited, it goes on when half of them are taken. [batches]

Of slow ones it makes two together, so that there are as many buffers in use each time: at the first the loop may not have
let go of its last yet, at the second it has (benchmarks/images.py).
"""


@final
class Head:
    """Runs the last stage ahead, in the driver's thread.

    Args:
      stage: the last stage of the pipeline.
      name: of the flow.
      grain: how many batches the stage is asked for at once; 1 where it might work long on each. [batches]
      doing: tells whose code is being run, for the case that it does not come back.
      shots: notes where the stages stand, now and then; nothing is noted without.
      watch: waits in place of the head for a batch, and raises `Stalled` where nothing moves; `None` waits for ever.
      backlog: what the stage puts off to write; `None` where it puts nothing off.
      meter: of the stage, if it does not count itself what is taken of it.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        name: str,
        grain: int,
        doing: Callable[[], str],
        shots: Shots | None = None,
        watch: Callable[[Waited], None] | None = None,
        backlog: Backlog | None = None,
        meter: Meter | None = None,
    ) -> None:
        self.name = name
        self._watch = watch
        self._backlog = backlog
        self._meter = meter
        self.doing = doing
        self.stuck = False
        self.close_error: BaseException | None = None
        self._stage = stage
        self._grain = grain
        self._shots = shots if shots is not None else Shots(None, Wanted())
        self._entries: deque[Entry] = deque()
        # Whoever waits for batches writes those that are put off meanwhile.
        self._filled: Waited = Bell() if backlog is None else backlog
        self._freed = Bell()
        self._aborted = False
        self._room = LEAST
        self._pace = self._took = AHEAD_S
        self._quick = self._begun = False
        self._eager = True
        self._full = False  # whether the driver waits for room
        self._busy_s = self._put_wait_s = self._take_wait_s = self._waiting_since = 0.0
        self._most = self._put = 0

    def pump(self) -> None:
        """Runs the stage until its end, an error or an abort; the target of the driver's thread."""
        breath, take, grain, entries = Breath(), self._stage.take, self._grain, self._entries
        wanted, backlog = self._shots.wanted, self._backlog
        try:
            started, made, before = perf_counter(), 0, 0
            while not self._aborted:
                chunk = take(grain)
                made += 1
                entry, last = Entry(chunk), chunk.count == 0 or chunk.error is not None
                worked = perf_counter() - started
                # Quick batches are put there as they come; what else is to be done then is done for some of them together.
                due = worked > INTERVAL_S or wanted.on or self._eager or last
                if backlog is not None:
                    entry.late = backlog.put
                    due = due or backlog.wanted
                if due and not last:
                    entry.place = self._shots.after(worked)
                entries.append(entry)
                self._put += chunk.count
                # The entry at the head may be given already; it is dropped when the next is asked for.
                if not due and len(entries) <= self._room:
                    continue
                self._busy_s += worked
                if self._meter is not None:
                    self._meter.add(worked, self._put - before)
                self._set_pace(worked / made)
                self._tell(last)
                if last:
                    return
                if backlog is not None and backlog.wanted:
                    backlog.lend(LEND_S)
                else:
                    breath.take()
                if len(entries) > self._room:
                    self._await_room()
                started, made, before = perf_counter(), 0, self._put
        except Aborted:
            return
        except BaseException as error:  # nothing of the user's gets here as such; whatever it is, the loop hears of it
            entries.append(Entry(Chunk([], END.tickets, error=error)))
            self._tell(last=True)
        finally:
            try:
                self._stage.close()
            except BaseException as error:  # what a generator's `finally` raised; told when the flow is closed
                self.close_error = error

    def _set_pace(self, took: float) -> None:
        """Sets how far to work ahead; slow batches count at once, a quick one little by little, and one held up not at all."""
        own, self._took = min(took, self._took), took
        pace = self._pace = own if own > self._pace else 0.5 * (self._pace + own)
        # Whoever opens the flow wants the interpreter, until he has his first batch.
        # Of slow batches few are ahead: each is memory, and handing one over costs next to nothing beside making it.
        self._quick = pace <= SLOW_S
        if not self._begun or not self._quick:
            self._room = LEAST
        else:
            self._room = MOST if pace <= AHEAD_S / MOST else ceil(AHEAD_S / pace)

    def _tell(self, last: bool) -> None:
        """Wakes the loop for what was put, if it is worth that, or if it is the last."""
        ready = len(self._entries)
        if ready > self._most:
            self._most = ready
        if self._backlog is not None:
            # The driver looks up between two batches, until its last.
            self._backlog.asks_s = SOON_S if SPARE and self._pace < SOON_S and not last else 0.0
        # To wake the loop costs as much as a quick batch does; it looks by itself after a nap, once. Of a slow one it hears
        # at once: what it lets go of then is memory that is warm.
        if self._eager or not self._quick or 2 * ready > self._room or last:
            self._filled.ring()

    def _await_room(self) -> None:
        started = perf_counter()
        if self._backlog is not None:
            self._backlog.help()
        self._full = True
        while not self._aborted and len(self._entries) > (self._room + 1) // 2:
            self._freed.wait()
        self._full = False
        self._put_wait_s += perf_counter() - started
        if self._aborted:
            raise Aborted

    def first(self) -> Entry:
        """The entry whose thing is to be given next; waits for it.

        Raises:
          Aborted: the flow is being stopped.
          Stalled: nothing has moved for as long as the user has said.
        """
        entries, backlog, rested = self._entries, self._backlog, False
        while True:
            there = bool(entries)
            if there:
                entry = entries[0]
                if entry.given >= len(entry.rows) > 0 and entry.error is None:
                    entries.popleft()
                    self._begun = True
                    # Who waits for room hears of it when there is enough.
                    if self._full and len(entries) <= (self._room + 1) // 2:
                        self._freed.ring()
                    continue
                if not entry.late or backlog is None:
                    return entry
                if rested or not self._is_behind(backlog):
                    backlog.finish(entry.late)
                    entry.late = 0
                    return entry
            # Whoever may wait rings first: a ring that a signal cost is rung here again.
            self._freed.ring()
            self._filled.hush()  # an old ring would end the nap, and what it told of is taken
            if entries and not there:
                continue
            if self._aborted:
                raise Aborted
            self._waiting_since = perf_counter()
            try:
                self._eager = self._put == 0  # the first batch is told of at once
                told = self._filled.wait(NAP_S)
                self._eager = True
                if not told and backlog is not None:
                    backlog.help()
                if not entries and not self._aborted:
                    if self._watch is None:
                        self._filled.wait()
                    else:
                        self._watch(self._filled)
            finally:
                self._take_wait_s += self._waited_s()
                self._waiting_since = 0.0
                rested = True

    def _is_behind(self, backlog: Backlog) -> bool:
        """Whether several batches are there and not written: that is done while waiting, without the interpreter."""
        if not self._quick or self._aborted:
            return False
        written = backlog.written
        return written < self._entries[0].late and backlog.put - written >= BEHIND

    def _waited_s(self) -> float:
        """How long the loop has been waiting by now; 0 if it is not. [s]"""
        since = self._waiting_since
        return perf_counter() - since if since else 0.0

    def forget(self) -> None:
        """Lets go of what was never taken, once the threads have ended."""
        self._entries = deque()

    def abort(self) -> None:
        """Wakes everyone who waits, for good. Takes no lock."""
        self._aborted = True
        self._freed.ring()
        self._filled.ring()

    def stats(self) -> LaneStats:
        """What the driver has seen since the flow was opened."""
        stats: LaneStats = later("stats").LaneStats(
            name=self.name,
            examples=self._put,
            held=len(self._entries),
            most_held=self._most,
            most_bytes=0,
            room=self._room,
            put_wait_s=self._put_wait_s,
            take_wait_s=self._take_wait_s + self._waited_s(),
            busy_s=self._busy_s,
            parked=False,
        )
        return stats


@final
class InlineHead:
    """Pulls the last stage in the caller's own thread; the same entries, nothing ahead."""

    def __init__(self, stage: Stage, *, name: str, grain: int, shots: Shots | None = None) -> None:
        self.name = name
        self._stage = stage
        self._grain = grain
        self._shots = shots if shots is not None else Shots(None, Wanted())
        self._entry: Entry | None = None
        self._pulling = False
        self._broken: BaseException | None = None
        self._busy_s = 0.0
        self._put = 0

    def first(self) -> Entry:
        """The entry whose thing is to be given next.

        Raises:
          BaseException: what interrupted an earlier call, a Ctrl-C say: what it was doing is lost, so there is no going on.
        """
        if self._pulling:
            raise self._broken or FlowClosed(mismatch("a flow that was not interrupted", "one that was, twice at once"))
        entry = self._entry
        if entry is None or (entry.given >= len(entry.rows) > 0 and entry.error is None):
            self._pulling = True
            started = perf_counter()
            try:
                chunk = self._stage.take(self._grain)
                took = perf_counter() - started
                self._busy_s += took
                entry = Entry(chunk, self._shots.after(took) if chunk.count and chunk.error is None else None)
            except BaseException as error:
                self._broken = error
                raise
            # No call from here on, so that no signal comes between.
            self._put += chunk.count
            self._entry, self._pulling = entry, False
        return entry

    def close(self) -> None:
        """Closes the stages."""
        self._stage.close()

    def forget(self) -> None:
        """Lets go of what was never taken."""
        self._entry = None

    def stats(self) -> LaneStats:
        """What has been pulled since the flow was opened."""
        stats: LaneStats = later("stats").LaneStats(
            name=self.name,
            examples=self._put,
            held=0,
            most_held=0,
            most_bytes=0,
            room=0,
            put_wait_s=0.0,
            take_wait_s=self._busy_s,
            busy_s=self._busy_s,
            parked=False,
        )
        return stats
