"""Gives one rank its part of a stream, and every rank as many examples.

Guarantees
  The parts of all ranks are disjoint, and together the stream: but for its last round, where that is not full.
  Every rank gives the same number of examples, unless that is not asked for. Where ranks see the same stream, each knows by
  itself when it ends; where each opens its own files, their lengths tell.
  An example keeps its ticket, and so its random numbers; one that is given again, or as padding, counts as another use.
Assumes
  Every rank sees the same stream in the same order, or the files that it was told of.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import Any, final

import numpy as np

from penstock.chunk import END, Chunk, Columns
from penstock.errors import SourceError, SpecError, mismatch
from penstock.faults import SkipLog
from penstock.stages.dealers import Dealer
from penstock.stages.snapshot import Saved, Unsettled, Wanted, counted, drop, noted
from penstock.stages.stage import Stage
from penstock.stats import ShareStats
from penstock.ticket import Tickets, listed_tickets

__all__ = ["Fill", "Share"]


@final
class Fill:
    """How a part is filled up at the end.

    Args:
      whole: to a multiple of so many. [examples]
      again: opens the stream for the nth time again, whose first examples fill it; `None` pads with copies of the last.
      skips: gives the logs of what is skipped in that from then on.
      mask: the name under which it is told which examples are no padding; `None` where none are.
      beside: the names of what may stand beside an example, in a pair of it and a dict.
    """

    def __init__(
        self,
        whole: int,
        *,
        again: Callable[[int], Stage] | None = None,
        skips: Callable[[], list[SkipLog]] = list,
        mask: str | None = None,
        beside: Collection[str] = (),
    ) -> None:
        self.whole = whole
        self.again = again
        self.skips = skips
        self.mask = mask
        self.beside = frozenset(beside)

    def marked(self, chunk: Chunk, valid: bool) -> Chunk:
        """The examples, with what the mask says of them.

        Raises:
          SpecError: there is a component of that name.
        """
        if self.mask is None or not chunk.count:
            return chunk
        columns = chunk.columns
        if columns is not None:
            item = self._with(columns.structure.build(columns.arrays), np.full(chunk.count, valid))
            return Chunk(None, chunk.tickets, columns=Columns.of(item))
        return Chunk([self._with(row, valid) for row in chunk.as_rows()], chunk.tickets)

    def _with(self, item: Any, value: Any) -> Any:
        name, pair = self.mask, type(item) is tuple and len(item) == 2 and type(item[1]) is dict
        if isinstance(item, dict):
            if name in item:
                raise SpecError(mismatch("a new name for the mask", f"`{name}`, a component's", at="shard(mask)"))
            return {**item, name: value}
        if pair and item[1] and self.beside.issuperset(item[1]):
            return item[0], {**item[1], name: value}
        return item, {name: value}


@final
class Share:
    """One rank's part of a stream.

    Args:
      upstream: the stream.
      dealer: says which of its examples are the rank's own.
      fill: how its part is filled up at the end; `None` leaves a round out that is not full.
      even: whether every rank is to give as many; else nothing is left out nor filled up.
      lengths: how many examples each part has, where ranks do not see the same stream; asked when it is needed.
      told: the figures to begin with, which say who this is.
      wanted: whether a snapshot is wanted.
    """

    def __init__(
        self,
        upstream: Stage,
        dealer: Dealer,
        *,
        fill: Fill | None,
        lengths: Callable[[], Sequence[int]] | None,
        told: ShareStats,
        even: bool = True,
        wanted: Wanted | None = None,
    ) -> None:
        self._upstream = upstream
        self._dealer = dealer
        self._fill = fill
        self._lengths = lengths
        self._drops = fill is None and even
        self._told = told
        self._wanted = wanted if wanted is not None else Wanted()
        self._mark: Saved | None = None  # where it stood before its last chunk of which nothing was held back before
        self._since = self._drop = 0  # given since then; and still to be dropped
        self._until: int | None = None
        """So many examples are its part, once that is known."""
        self._put = 0
        """So many of them are ready or given."""
        self._again = self._padded = 0
        self._passes = 0
        self._of_pass = 0
        self._ready: deque[Chunk] = deque()
        self._last: Chunk | None = None
        self._over = self._halted = False
        self._error: BaseException | None = None
        self.discarded = 0
        """Examples of its own of a round that is not full. [examples]"""

    def take(self, n: int) -> Chunk:
        """Gives up to n examples of its own."""
        if self._drop:
            count, self._drop = self._drop, 0
            drop(self, count)
        if self._halted:
            return END
        while not self._ready:
            if self._over:
                error, self._error = self._error, None
                return END if error is None else Chunk([], END.tickets, error=error)
            try:
                self._more(n)
            except Exception as error:  # of a source that cannot be opened again, or counted; of a mask's name
                self._end(error)
        chunk = self._ready.popleft()
        if chunk.count > n:
            chunk, rest = chunk.cut(n)
            self._ready.appendleft(rest)
        self._since += chunk.count
        return chunk

    def _more(self, n: int) -> None:
        """Takes what comes next of the stream; or ends."""
        if self._fill is None and self._lengths is not None and self._until is None:
            lengths = self._lengths()
            self._until = min(lengths)
            self.discarded = lengths[self._told.rank] - self._until
        left = n if self._until is None else min(n, self._until - self._put)
        if not left:
            self._end(None)
            return
        settled = self._dealer.settled
        mark = self._place() if settled and self._wanted.on else None
        chunk = self._upstream.take(self._dealer.lacking(1 if self._wanted.on else left))
        if chunk.count:
            if settled:
                self._mark, self._since = mark, 0
            self._keep(chunk)
            for part in self._dealer.deal(chunk):
                self._add(part)
        if chunk.error is not None:
            for part in self._dealer.last(whole=self._drops)[0]:
                self._add(part)
            self._end(chunk.error)
        elif not chunk.count:
            self._ended()

    def _end(self, error: BaseException | None) -> None:
        self._over, self._error = True, error

    def _keep(self, chunk: Chunk) -> None:
        """Keeps the last example, if it may be wanted as padding."""
        if self._fill is not None and self._fill.again is None:
            self._last = chunk.cut(chunk.count - 1)[1] if chunk.count > 1 else chunk

    def _add(self, part: Chunk) -> None:
        """Has these ready, as far as they are wanted."""
        if self._until is not None and part.count > self._until - self._put:
            part = part.cut(self._until - self._put)[0]
        if not part.count:
            return
        if self._passes:
            table = part.tickets.table().copy()
            table[:, 4] += self._passes
            part = Chunk(part.rows, listed_tickets(table), columns=part.columns)
            self._again += part.count
        if self._fill is not None:
            part = self._fill.marked(part, valid=True)
        self._put += part.count
        self._ready.append(part)

    def _ended(self) -> None:
        """At the end of the stream: leaves out what is no whole round, or fills it up."""
        fill = self._fill
        parts, left_out = self._dealer.last(whole=self._drops)
        self.discarded += left_out
        if fill is not None and self._until is None:
            own = self._dealer.rounded() if self._lengths is None else max(self._lengths())
            until = -(-own // fill.whole) * fill.whole
        else:
            until = self._put + sum(part.count for part in parts) if self._until is None else self._until
        for part in parts:
            self._add(part)
        self._until = until
        missing = until - self._put
        if fill is None:
            if missing > 0:
                raise self._short(missing)
            self._end(None)
        elif missing <= 0:
            self._end(None)
        elif fill.again is None:
            self._pad(fill, missing)
            self._end(None)
        else:
            if self._dealer.seen == self._of_pass:
                raise self._empty()
            self._of_pass = self._dealer.seen
            self._passes += 1
            self._upstream.close()
            self._upstream = fill.again(self._passes)

    def _pad(self, fill: Fill, count: int) -> None:
        """Adds copies of the last example that came."""
        if self._last is None:
            raise self._empty()
        last = self._last
        table = np.repeat(last.tickets.table(), count, axis=0)
        table[:, 4] += np.arange(1, count + 1)
        tickets = listed_tickets(table)
        if last.columns is not None:
            padding = Chunk(None, tickets, columns=last.columns.select(np.zeros(count, np.int64)))
        else:
            padding = Chunk(last.as_rows() * count, tickets)
        self._padded += count
        self._put += count
        self._ready.append(fill.marked(padding, valid=False))

    def _empty(self) -> SpecError:
        got = f"none for rank {self._told.rank} of {self._told.world_size}"
        return SpecError(mismatch("an example to fill the last round with", got, at="shard(end)"))

    def _short(self, missing: int) -> SourceError:
        want = f"{self._put + missing:,} examples in the files of rank {self._told.rank}, as they were counted"
        return SourceError(mismatch(want, f"{self._put:,}", at="shard(by='files')"))

    def stats(self) -> ShareStats:
        """What was given so far; what lies ready counts."""
        told = self._told
        return told._replace(
            seen=told.seen + self._dealer.seen,
            own=told.own + self._put - self._again - self._padded,
            again=told.again + self._again,
            padded=told.padded + self._padded,
            dropped=told.dropped + self.discarded,
        )

    def snapshot(self) -> Saved:
        """Where it stood when nothing was held back, and how much it has given since."""
        if self._mark is not None and self._drop:
            return {**self._mark, "given": self._drop}
        if self._error is not None:
            raise Unsettled
        pads = self._fill is not None and self._fill.again is None  # what it pads with is to come again
        if not self._ready and (self._over or (self._dealer.settled and (not pads or self._last is None))):
            place = self._place()
            if place is not None:
                return place
        if self._mark is None:
            raise Unsettled
        return {**self._mark, "given": self._since}

    def _place(self) -> Saved | None:
        """Where it stands while nothing is held back, if that can be told."""
        of = noted(self._upstream)
        if of is None:
            return None
        names = ("until", "put", "again", "padded", "passes", "of_pass", "over")
        own = {name: getattr(self, f"_{name}") for name in names}
        skips = [] if self._fill is None or self._fill.again is None else self._fill.skips()
        return {"of": of, "seen": self._dealer.seen, "dropped": self.discarded, "given": 0, "skips": skips, **own}

    def halt(self) -> None:
        """Gives nothing more, as at an end, and leaves what it would have given to others; see `leave`."""
        if self._drop:
            count, self._drop = self._drop, 0
            drop(self, count)
        self._halted = True

    @property
    def seen(self) -> int:
        """So many examples of the stream have come. [examples]"""
        return self._dealer.seen

    @property
    def recalls_left(self) -> bool:
        """Whether what is left over can be had again by its tickets."""
        return self._upstream.recalls

    @property
    def ended(self) -> bool:
        """Whether the stream has."""
        return self._over or self._passes > 0

    def leave(self, seen: int) -> list[Chunk]:
        """What it was dealt and has not given, of so many examples of the stream, or of all that have come if that is more."""
        own = list(self._ready)
        self._ready.clear()
        while not self.ended and self._dealer.seen < seen:
            chunk = self._upstream.take(seen - self._dealer.seen)
            if chunk.error is not None:
                raise chunk.error
            own += self._dealer.deal(chunk)
            self._over = not chunk.count
        return own + self._dealer.last(whole=False)[0]

    def stand(self) -> tuple[Saved | None, list[Chunk]]:
        """Where the stream stands, `None` at its end, and what it was dealt until that could be told."""
        own: list[Chunk] = []
        place = noted(self._upstream)
        while place is None and not self.ended:
            own += self.leave(self._dealer.seen + 1)
            place = noted(self._upstream)
        return None if self._passes else place, own

    def begin(self, of: Saved) -> None:
        """Deals a stream anew, from where it stands on."""
        names = ("seen", "dropped", "given", "put", "again", "padded", "passes", "of_pass")
        self.restore({"of": of, "until": None, "over": False, **dict.fromkeys(names, 0)})

    def restore(self, saved: Saved) -> None:
        """Goes on from there; what was given since is dropped when something is first taken."""
        if "of_pass" not in saved:  # of one rank alone, whose part was everything
            self._upstream.restore(saved)
            return
        if saved["passes"] and self._fill is not None and self._fill.again is not None:
            self._upstream.close()
            self._upstream = self._fill.again(counted(saved, "passes"))
        self._upstream.restore(saved["of"])
        self._dealer.go_on(int(saved["seen"]))
        self._until = None if saved["until"] is None else int(saved["until"])
        self._put, self._again, self._padded = int(saved["put"]), int(saved["again"]), int(saved["padded"])
        self._passes, self._of_pass = int(saved["passes"]), int(saved["of_pass"])
        self._over, self.discarded = bool(saved["over"]), int(saved["dropped"])
        self._mark, self._since, self._drop = saved, 0, int(saved["given"])

    @property
    def recalls(self) -> bool:
        """As upstream; not where a round is filled up: who repeats examples does not tell which use of one it was."""
        return self._fill is None and self._upstream.recalls

    def recall(self, tickets: Tickets) -> list[Any]:
        """As upstream."""
        return self._upstream.recall(tickets)

    def close(self) -> None:
        """Closes upstream."""
        self._ready.clear()
        self._last = None
        self._dealer.forget()
        self._lengths = None if self._lengths is None else _closed  # these hold the whole chain, and so this
        if self._fill is not None and self._fill.again is not None:
            self._fill.again = _closed
        self._upstream.close()


def _closed(*_: int) -> Any:
    raise AssertionError("a stage is not pulled after it was closed")
