"""A stage run ahead by a thread of its own, and what it has ready.

Guarantees
  Every example that the stage gave is taken exactly once, in order, or the flow has been aborted.
  An example that is ready can be taken at once, however long the next one takes.
  No more than `room` examples wait (an item that is larger waits alone), and no more than `room_bytes` bytes.
  After `abort()`, every call that waits ends at once.
Assumes
  One taker. The stage is touched by one thread at a time: the lane's own, or the taker while the lane is parked.
Parking
  A source that computes in Python is slower in a thread of its own than in the taker's, which would wait for the same
  interpreter. So a lane whose stage proves quick parks its thread, between two examples, and the taker pulls the stage
  itself; when a pull then takes long, the thread gets the stage back.
Why no lock
  One thread appends, one takes: each counts for itself, and a deque is safe for both. What a thread waits on is a `Bell`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, final

from penstock.chunk import END, WHOLE, Chunk
from penstock.engine.bell import Bell
from penstock.engine.breath import LONG_S, Breath, waited
from penstock.errors import Aborted
from penstock.faults import SkipLog
from penstock.later import later
from penstock.stages.inlet import NO_STREAMS, rows_of
from penstock.stages.reader import RowReader
from penstock.stages.snapshot import Saved, Trail, Wanted, noted
from penstock.stages.stage import Stage
from penstock.structure import Structure
from penstock.ticket import Tickets

if TYPE_CHECKING:
    from penstock.stats import LaneStats

__all__ = ["Lane", "Wave"]

QUICK_S = 5e-5
"""A stage that takes less than this for an example, on the clock, is quick. [s]"""
PROBES = 2
"""So many examples tell whether it is. [examples]"""
LONG_OPENING_S = 5e-3
"""An opening that takes longer than this waits for something. [s]"""
NOTING = 100.0
"""Where its stage stands is noted after so many times the time that noting it takes."""
STRIKES = 2
"""A stage that was slow so often after it had been taken for quick keeps its thread. [times]"""


@final
class Wave:
    """Lanes that have no thread yet: so many sources that the first of them are to show what the others are like.

    The taker pulls them itself. When one proves slow it gets a thread, and so do all that have not been read yet: they may
    well be slow too, and then they are to be so at the same time.
    """

    def __init__(self) -> None:
        self.starts: dict[Lane, Callable[[], object]] = {}
        """What starts the thread of each lane that has none yet."""

    def slow(self, lane: Lane) -> None:
        """Starts a lane's thread, and those of the unread."""
        for other in [other for other in self.starts if other is lane or other.unread]:
            start = self.starts.pop(other)
            other.leave_wave()
            start()


@final
class Lane:
    """Runs a stage ahead.

    Args:
      stage: what is run ahead.
      name: what it is called in reports: the source's label.
      room: how many examples may wait. [examples]
      room_bytes: how many bytes may wait; `None` sets no limit. [bytes]
      grain: how many examples the stage is asked for at once; 1 where it might stall between two. [examples]
      items: whether a turn is a user's chunk.
      parks: whether a quick stage may be handed to the taker.
      bell: what rings when something is ready; the lanes of one merge in arrival order share one.
      wave: where a lane waits for its thread until it proves to need one; `None` has a thread from the start.
      pulled_s: tells how long the merge, which pulls the parked source's iterator itself, has been at that. [s]
      streams: the streams that are read by the stage, by number.
      wanted: whether a snapshot is wanted; `None` keeps no track of where the stage stands.
      skips: what is skipped by the stage from its beginning on.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        name: str,
        room: int,
        room_bytes: int | None = None,
        grain: int = 1,
        items: bool = False,
        parks: bool = False,
        bell: Bell | None = None,
        wave: Wave | None = None,
        pulled_s: Callable[[object], float] | None = None,
        streams: range = NO_STREAMS,
        wanted: Wanted | None = None,
        skips: Sequence[SkipLog] = (),
    ) -> None:
        self.name = name
        self.streams = streams
        self.items = items
        self.stuck = False
        """Whether its thread did not come back from the user's code in time."""
        self.close_error: BaseException | None = None
        """What closing the stage raised."""
        self._stage = stage
        self.rows = rows_of(stage)
        self._room = room
        self._room_bytes = room_bytes
        self._grain = grain
        self._parks = parks
        self._entries: deque[Chunk] = deque()
        self._sizes: deque[int] = deque()
        self._places: deque[Saved | None] = deque()
        """Where the stage stood before each of the entries, as far as that was noted."""
        self._wanted = wanted
        self._trail = Trail(stage, skips)
        self._filled = bell if bell is not None else Bell()
        self._freed = Bell()
        self._to_close = [stage]
        self._aborted = False
        self._wave = wave
        self._pulled_s = pulled_s
        self._parked = wave is not None
        self._shut = False  # for good, before anything was taken
        self._left = False
        self._probes = PROBES
        self._strikes = 0
        # Written by the lane's thread alone:
        self._put = self._put_bytes = self._most = self._most_bytes = 0
        self._put_wait_s = self._busy_s = 0.0
        self._noted_s = -1.0  # what `_busy_s` is to exceed before the next place is noted
        # Written by the taker alone:
        self._taken = self._taken_bytes = 0
        self._take_wait_s = self._waiting_since = 0.0
        self._share = 1.0

    # The lane's thread.

    def pump(self) -> None:
        """Runs the stage until its end, an error, or an abort; the target of the lane's thread."""
        breath = Breath()
        try:
            self._run(breath)
        except Aborted:
            pass  # a lane inside this one's chain was aborted with it
        except BaseException as error:  # a SystemExit in a source's thread, say: it ends the stream, in its turn
            self._append(Chunk([], END.tickets, error=error), 0)
            self._append(END, 0)
        finally:
            # While it is parked the taker has the stage, and closes it, unless the taker was done before.
            if not self._shut and (not self._parked or self._left):
                self._close_stage()
            if self._left:
                self._entries.clear()

    def _run(self, breath: Breath) -> None:
        seen, spent = -1, 0.0  # the first pull opens the source, and tells nothing
        rest = self._trail.settle()
        while True:
            self._await_room()
            place = self._place()
            started = perf_counter()
            most = self._grain if self.items else min(self._grain, self._room - self._put + self._taken)
            chunk = rest if rest is not None else self._stage.take(most)
            took = perf_counter() - started
            self._busy_s += took
            if not chunk.is_end:
                self._append(chunk, self._admitted(chunk), place)
            if chunk.error is not None or chunk.count == 0:
                self._close_stage()  # before its end is told: what comes next may open the same file
                self._append(END, 0)
                return
            seen, spent = (seen + chunk.count, spent + took) if seen >= 0 else (0, 0.0)
            if self._parks and seen >= self._probes:
                if spent < QUICK_S * seen and (self.rows is None or self.rows.direct is not None):
                    self._park()
                seen, spent = 0, 0.0
            breath.take()

    def _await_room(self) -> None:
        waiting = False
        started = 0.0
        while not self._aborted and self._put - self._taken >= self._room:
            if not waiting:
                waiting, started = True, perf_counter()
            self._freed.wait()
        if waiting:
            self._put_wait_s += perf_counter() - started
        if self._aborted:
            raise Aborted

    def _admitted(self, chunk: Chunk) -> int:
        """Waits until there is room for a chunk, or nothing else waits; gives its bytes where they are counted."""
        nbytes = 0 if self._room_bytes is None else _nbytes(chunk)
        most_bytes = self._room_bytes or 0
        started = perf_counter()
        while (held := self._put - self._taken) and (
            held + chunk.count > self._room or (nbytes and self._put_bytes - self._taken_bytes + nbytes > most_bytes)
        ):
            if self._aborted:
                raise Aborted
            self._freed.wait()
        self._put_wait_s += perf_counter() - started
        return nbytes

    def _place(self) -> Saved | None:
        """Where the stage stands, if so much was done since that was last noted that noting it costs little."""
        if self._wanted is None or self._busy_s < self._noted_s:
            return None
        started = perf_counter()
        place = noted(self._stage)
        self._noted_s = self._busy_s + NOTING * (perf_counter() - started)
        return place

    def _append(self, chunk: Chunk, nbytes: int, place: Saved | None = None) -> None:
        self._sizes.append(nbytes)
        self._places.append(place)
        self._put += chunk.count
        self._put_bytes += nbytes
        self._most = max(self._most, self._put - self._taken)
        self._most_bytes = max(self._most_bytes, self._put_bytes - self._taken_bytes)
        self._entries.append(chunk)
        self._filled.ring()

    def _park(self) -> None:
        self._parked = True
        self._filled.ring()
        while self._parked and not self._aborted:
            self._freed.wait()
        if self._aborted:
            raise Aborted

    def _close_stage(self) -> None:
        """Closes the stage, once; called by whichever thread has it."""
        try:
            stage = self._to_close.pop()
        except IndexError:
            return
        try:
            stage.close()
        except BaseException as error:  # what a generator's `finally` raised; told when the flow is closed
            self.close_error = error

    # The taker.

    def at_hand(self) -> int:
        """How many examples can be taken without waiting; 1 where the end or an error is next."""
        if self._entries:
            return max(1, self._put - self._taken)
        return WHOLE if self._parked else 0

    def wait(self) -> None:
        """Waits until something can be taken.

        Raises:
          Aborted: the flow is being stopped.
        """
        if self._entries or self._parked:
            return
        self.begin_wait()
        try:
            while not self._entries and not self._parked:
                if self._aborted:
                    raise Aborted
                self._filled.wait()
        finally:
            self.end_wait()

    def take(self, n: int) -> Chunk:
        """Gives up to n examples; an error; or the end, again and again."""
        if not self._entries:
            if not self._parked:
                self.wait()
            if self._aborted:
                raise Aborted
            if not self._entries:
                return self._pulled(n)
        elif self._aborted:
            raise Aborted
        chunk = self._entries[0]
        if chunk.is_end:
            return chunk
        place = self._places[0]
        if place is not None:
            self._trail.set(place)
            self._places[0] = None
        if chunk.count > n:
            chunk, self._entries[0] = chunk.cut(n)
        else:
            self._drop()
            if chunk.count < n and self._grain == 1 and not self.items and chunk.error is None:
                chunk = self._gathered(chunk, n)
        self._taken += chunk.count
        self._trail.since += chunk.count
        self._freed.ring()
        return chunk

    def _pulled(self, n: int) -> Chunk:
        """Pulls the parked stage in the taker's thread."""
        started = self._waiting_since = perf_counter()
        try:
            rest = self._trail.settle() if self._trail.due else None
            if self._wanted is not None and self._wanted.on:
                self._trail.mark()
            chunk = rest if rest is not None else self._stage.take(n)
        except Aborted:
            raise
        except BaseException as error:
            chunk = Chunk([], END.tickets, error=error)
        took, count = perf_counter() - started, chunk.count
        self._waiting_since = 0.0
        self._put += count
        self._taken += count
        self._trail.since += count
        if took > LONG_S and took > QUICK_S * count and (self._put > count or took > LONG_OPENING_S) and waited():
            self.slow()
        if chunk.error is not None:
            self._entries.append(END)
        elif count == 0:
            self._entries.append(chunk)
        return chunk

    def _drop(self) -> None:
        self._entries.popleft()
        self._places.popleft()
        self._taken_bytes += self._sizes.popleft()

    def _gathered(self, first: Chunk, n: int) -> Chunk:
        """The first example and those that are ready behind it, as one chunk."""
        rows, tickets = list(first.as_rows()), [first.tickets]
        while len(rows) < n and self._entries:
            chunk = self._entries[0]
            if chunk.count != 1 or chunk.error is not None or chunk.columns is not None:
                break
            self._drop()
            rows += chunk.as_rows()
            tickets.append(chunk.tickets)
        return Chunk(rows, Tickets.joined(tickets))

    @property
    def direct(self) -> RowReader | None:
        """The reader, while the lane is parked and all that it had ready is taken."""
        rows = self.rows
        return (
            rows.reader if self._parked and not self._entries and rows is not None and rows.direct is not None else None
        )

    def slow(self) -> None:
        """Gives the thread its stage back: a pull took long."""
        if self._wave is not None:
            self._wave.slow(self)
            return
        self._strikes += 1
        self._probes *= 16
        self._parks = self._strikes < STRIKES
        self._parked = False
        self._freed.ring()

    def mark(self) -> None:
        """Notes where the stage stands, which is parked, after it was pulled directly."""
        self._trail.mark()

    def snapshot(self, held: int) -> Saved:
        """Where the stage stood before what waits here and the last `held` examples that were taken."""
        return self._trail.snapshot(held)

    def restore(self, saved: Saved) -> None:
        """Goes on from there; only before its thread is started."""
        self._trail.restore(saved)

    @property
    def recalls(self) -> bool:
        """As the stage."""
        return self._stage.recalls

    def recall(self, tickets: Tickets) -> list[Any]:
        """As the stage; only before its thread is started."""
        return self._stage.recall(tickets)

    @property
    def unread(self) -> bool:
        """Whether nothing has been asked of it yet."""
        return self._put == 0

    def leave_wave(self) -> None:
        """Makes ready for a thread of its own, which the caller starts."""
        self._wave = None
        self._parked = False

    def shut(self) -> None:
        """Sees to it that its thread takes nothing; only before that is started."""
        self._shut = True
        self.abort()

    def close(self) -> None:
        """Stops the lane; closes the stage if the taker has it. Called by the taker's thread."""
        self._left = True
        self.abort()
        if self._parked or self._shut:
            self._close_stage()
        self._entries.clear()
        if self._wave is not None:  # they hold each other
            self._wave.starts.pop(self, None)
            self._wave = None

    def begin_wait(self, share: float = 1.0) -> None:
        """Counts the time from now on as waiting for it, or a share of that where the taker waits for others too."""
        self._share, self._waiting_since = share, perf_counter()

    def end_wait(self) -> None:
        """Ends that."""
        self._take_wait_s += self._share * (perf_counter() - self._waiting_since)
        self._waiting_since = 0.0

    # Anybody.

    def doing(self) -> str:
        """Whose code its thread runs."""
        return f"source {self.name!r}"

    def awaited_s(self) -> float:
        """How long the taker has been waiting for it by now, or pulling it; 0 if it is not. [s]"""
        since = self._waiting_since
        if since:
            return self._share * (perf_counter() - since)
        if not self._parked or self.rows is None or self._pulled_s is None:
            return 0.0
        return self._pulled_s(self.rows.direct)

    @property
    def aborted(self) -> bool:
        """Whether the flow is being stopped."""
        return self._aborted and not self.left

    @property
    def left(self) -> bool:
        """Whether the taker is done with it, and has closed it."""
        return self._left or self._shut

    def abort(self) -> None:
        """Wakes everyone who waits on this lane, for good. Takes no lock."""
        self._aborted = True
        self._freed.ring()
        self._filled.ring()

    def stats(self) -> LaneStats:
        """What the lane has seen since the flow was opened."""
        stats: LaneStats = later("stats").LaneStats(
            name=self.name,
            examples=self._taken,
            held=self._put - self._taken,
            most_held=self._most,
            most_bytes=self._most_bytes,
            room=self._room,
            put_wait_s=self._put_wait_s,
            take_wait_s=self._take_wait_s + self.awaited_s(),
            busy_s=self._busy_s,
            parked=self._parked,
            awaited_s=self.awaited_s(),
        )
        return stats


def _nbytes(chunk: Chunk) -> int:
    """The bytes of a chunk's arrays and texts; a Python number counts 8."""
    if chunk.columns is not None:
        return sum(int(array.nbytes) for array in chunk.columns.arrays)
    return sum(_size(leaf) for row in chunk.as_rows() for leaf in Structure.of(row).leaves(row))


def _size(leaf: object) -> int:
    nbytes = getattr(leaf, "nbytes", None)
    if isinstance(nbytes, int):
        return nbytes
    return len(leaf) if isinstance(leaf, (str, bytes, bytearray)) else 8
