"""Gathers examples and has them assembled into batches.

Guarantees
  A batch is `size` examples in the order of the stream; the last, smaller one is given if asked for, else counted.
  An error stands after the whole batches before it, and after the remainder where smaller batches are given.
  The first batch waits for as many examples as the spec is to be read off: one of each source, in the fixed order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Protocol, final

from penstock.assemble import Assembler, Misfit, Pool
from penstock.chunk import END, WHOLE, Chunk, Columns
from penstock.errors import PipelineError, SpecError, mismatch, placed
from penstock.plan import Pad, PadRule
from penstock.spec import Component, Spec, native_dtype
from penstock.stages.gathered import Gathered
from penstock.stages.mending import Mending
from penstock.stages.reader import place_of_ticket
from penstock.stages.snapshot import Again, Saved, Unsettled, Wanted
from penstock.stages.stage import Assembling, Pouring, Stage
from penstock.structure import Form, Structure
from penstock.ticket import NO_TICKETS, Ticket, Tickets

if TYPE_CHECKING:
    from penstock.assemble import Backlog

__all__ = ["Batcher", "Groups", "spec_of"]

LATEST = 4096
"""More batches than are ever made ahead of those that are handed over. [batches]"""


class Groups(Protocol):
    """What puts examples together that are to be one batch."""

    number: int
    """The bucket of the last group."""

    def rule(self, number: int, rule: PadRule | None, component: Component, /) -> PadRule | None:
        """How a component is padded in a bucket."""

    def put_back(self, parts: Sequence[Chunk], /) -> None:
        """Takes back what is left of the last group, to fill it up again."""


def spec_of(chunk: Chunk) -> Spec:
    """The spec of a chunk's first example."""
    columns = chunk.columns
    if columns is None:
        return Spec.of(chunk.as_rows()[0])
    parts = [Component(native_dtype(array.dtype), array.shape[1:]) for array in columns.arrays]
    return Spec(columns.structure, tuple(parts))


@final
class Batcher:
    """Batches of `size` examples, one to a chunk.

    Args:
      upstream: where the examples come from.
      size: examples in a batch. [examples]
      keep_last: whether the last, smaller batch is given.
      pad: what may be padded.
      pool: where the batches' memory comes from and goes back to.
      firsts: how many examples are awaited before the first batch. [examples]
      labels: the sources' names by stream number, for messages.
      tags: the names under which joins put what stands beside an example that is no dict.
      wanted: whether a snapshot is wanted.
      groups: what puts examples together: each item that comes is a batch, whatever its size, padded as its bucket is.
      mending: what is done about an example that does not fit; `None` raises its error.
      form: what a batch is handed over as; `None` as it is.
      together: whether other ranks are to give as many batches, so that no example can be skipped here.
      ticketed: whether a batch has a ticket, that of its first example: not where nobody would look at it.
      backlog: writes what is padded, before a batch is handed over; `None` has it written at once.
    """

    def __init__(
        self,
        upstream: Stage,
        size: int,
        *,
        keep_last: bool,
        pad: Pad | None,
        pool: Pool,
        firsts: int,
        labels: Sequence[str],
        tags: Collection[str] = (),
        wanted: Wanted | None = None,
        groups: Groups | None = None,
        mending: Mending | None = None,
        form: Callable[[Any], Any] | None = None,
        together: bool = False,
        backlog: Backlog | None = None,
        ticketed: bool = True,
    ) -> None:
        self._upstream = upstream
        self._again = Again(upstream, wanted if wanted is not None else Wanted())
        skips = mending is not None and mending.skips
        self._mending = mending if skips and not together else None
        self._unskipped = skips and together
        # What is poured cannot be taken out again, so that where examples may be skipped they are gathered.
        pourer = upstream if isinstance(upstream, Pouring) and upstream.may_pour else None
        self._pourer = pourer if self._mending is None else None
        self._size = size
        self._keep_last = keep_last
        self._groups = groups
        self._assemblers: dict[int, Assembler] = {}
        self.totals: deque[tuple[int, int]] = deque([(0, 0)], maxlen=LATEST)
        """Of the latest groups: how many there were by then, and the examples in them."""
        self._pad = pad
        self._pool = pool
        self._handed_over = form
        self._backlog = backlog
        self._ticketed = ticketed
        self._firsts = firsts
        self._labels = labels
        self._tags = tags
        self._gathered = Gathered()
        self._error: BaseException | None = None
        self._ended = False
        self._columnar = False
        self._pours = False
        self._assembler: Assembler | None = None
        self._spec: Spec | None = None
        self.discarded = 0
        """Examples of an incomplete last batch. [examples]"""
        self.nbytes = 0
        """Bytes of the batches so far. [bytes]"""
        self.examples = 0
        """Examples in the batches so far. [examples]"""
        self._extras: dict[str, Component] = {}

    def take(self, n: int) -> Chunk:
        """Gives the next batch; more than one only where they lie ready in one run of columns."""
        if self._again.due:
            rest = self._again.settle()
            if rest is not None:
                self._ended, self._error = True, rest.error
        if self._groups is not None:
            return self._grouped(self._groups)
        if self._assembler is None and not self._ended:
            self._begin()
        while True:
            while self._gathered.count < self._size and not self._ended:
                pourer = self._pourer
                if pourer is not None and self._pours and pourer.pours and self._again.may_pour(pourer):
                    return self._poured(pourer)
                self._gather(self._size, n)
            if self._gathered.count >= self._size:
                made = self._give_ready(n) if self._columnar else None
                if made is None:
                    made = self._give(self._size)
            elif self._gathered.count:
                made = self._give(self._gathered.count)
            else:
                made = self._last()
            if made is not None:
                return made

    def _begin(self) -> None:
        """Reads the spec off the first example, once one of each source is there, and readies what depends on it."""
        # What can be poured later is left for that, where a flow that is closed can be stopped on the way.
        most = self._firsts if self._pourer is not None else max(self._firsts, self._size)
        while self._gathered.count < self._firsts and not self._ended:
            self._gather(most, 1)
        while self._gathered.count and self._assembler is None:
            self._read_spec()
            while not self._gathered.count and not self._ended:  # the first was skipped
                self._gather(most, 1)

    def _read_spec(self) -> None:
        first = self._gathered.first
        at = first.tickets[0]
        if self._mending is not None and self._mending.meets(at):
            self._gathered.put_back(self._gathered.take(1), 0)
            return
        try:
            self._ready(spec_of(first))
        except SpecError as error:  # an example of which no spec can be read, or that the padding does not suit
            self._lose(self._gathered.take(1), 0, SpecError(f"{error} - at {self._place(at)}"))
        except PipelineError as error:  # padding for what there is not
            self._fail(error)
        except Exception as error:  # a component raises when it is read
            self._lose(self._gathered.take(1), 0, placed(error, f"reading {self._place(at)}"))

    def _ready(self, spec: Spec) -> None:
        """Readies what depends on the spec of the first example."""
        self._spec = spec
        rules = self._pad.resolved(spec.paths) if self._pad is not None else {}
        self._assembler = Assembler(spec, rules.get, self._pool, self._backlog)
        self._base = self._assembler.spec
        self._form = self._base.structure
        self._build = self._form.builder()
        self._pours = self._assembler.pours
        if isinstance(self._upstream, Assembling):
            self._upstream.assemble(self._assembler)

    def _grouped(self, groups: Groups) -> Chunk:
        """The next item as a batch; where one of its examples is skipped, the others go back to be more again."""
        while True:
            whole = False
            while not whole and not self._ended:
                chunk = self._again.take(WHOLE)
                if chunk.error is not None or chunk.count == 0:
                    self._ended, self._error = True, chunk.error
                if chunk.count:
                    self._gathered.add(chunk)
                    whole = chunk.item_end
            count = self._gathered.count
            if not count:
                return self._last()
            if self._spec is None:
                self._read_spec()
            if self._gathered.count == count:
                self._turn_to(groups)
            if self._gathered.count == count:
                self._size = count
                batch = self._give(count)
                if batch is not None:
                    if batch.count:
                        self.totals.append((self.totals[-1][0] + 1, self.examples))
                    return batch
            if self._gathered.count:
                groups.put_back(self._gathered.take(self._gathered.count))

    def _loses_known(self, parts: Sequence[Chunk]) -> bool:
        """Whether one of these was skipped before a state was taken; it is skipped again then, and the others put back."""
        if self._mending is None or not self._mending.ledger.knows_any:
            return False
        meets = self._mending.meets
        row = next(
            (row for row, ticket in enumerate(Tickets.joined([part.tickets for part in parts])) if meets(ticket)), None
        )
        if row is None:
            return False
        self._gathered.put_back(parts, row)
        return True

    def _turn_to(self, groups: Groups) -> None:
        """Readies what pads as the bucket at hand is padded."""
        number = groups.number
        if number in self._assemblers:
            self._assembler = self._assemblers[number]
            return
        first = self._gathered.first
        try:
            base = self._base
            base.check(first.as_rows()[0], at=self._place(first.tickets[0]))
            spec = spec_of(first)
            rules = self._pad.resolved(spec.paths) if self._pad is not None else {}
            components = dict(zip(spec.paths, spec.components, strict=True))
            self._assemblers[number] = self._assembler = Assembler(
                spec, lambda path: groups.rule(number, rules.get(path), components[path]), self._pool
            )
        except SpecError as error:
            self._lose(self._gathered.take(self._gathered.count), 0, error)
        except Exception as error:  # a component raises when it is read
            where = f"reading {self._place(first.tickets[0])}"
            self._lose(self._gathered.take(self._gathered.count), 0, placed(error, where))

    def _gather(self, most: int, n: int) -> None:
        """Takes one more chunk, of which not more than `most` examples are gathered then; of columns, n batches."""
        # Of a run of columns, which is there as a whole, more than is needed; of anything else no more, since the
        # next example might keep a batch waiting that is complete. Nor where a snapshot is wanted, which is simple then.
        n_wanted = max(most, n * self._size) if self._columnar and not self._again.wanted else most
        chunk = self._again.take(n_wanted - self._gathered.count, all_used=n_wanted <= self._size)
        ended = chunk.count == 0
        if chunk.count:
            columns = chunk.columns
            if columns is not None and not columns.run and not self._cuts(columns) and columns.holds_objects:
                # Their rows are Python's objects, and what they are must not depend on who made rows of them where.
                chunk = Chunk(chunk.as_rows(), chunk.tickets, error=chunk.error)
            self._gathered.add(chunk)
            self._columnar = columns is not None
        if chunk.error is not None or ended:
            self._ended, self._error = True, chunk.error

    def _cuts(self, columns: Columns) -> bool:
        return self._assembler is not None and self._assembler.run(columns) is not None

    def _poured(self, upstream: Pouring) -> Chunk:
        """The next batch, filled straight from the sources as far as they can be."""
        assert self._assembler is not None, "it is known what an example is before one is poured"
        sink = self._assembler.sink(self._size)
        tickets: list[Tickets] = []
        for part in self._gathered.take(self._gathered.count):
            tickets.append(part.tickets)
            sink.add(part.as_rows())
        while len(sink) < self._size and sink.misfit is None and not self._ended:
            if upstream.pours:
                poured = upstream.pour(sink, self._size - len(sink))
                tickets.append(poured.tickets)
                self._ended, self._error = poured.error is not None, poured.error
                continue
            chunk = self._upstream.take(self._size - len(sink))
            tickets.append(chunk.tickets)
            sink.add(chunk.as_rows())
            if chunk.error is not None or chunk.count == 0:
                self._ended, self._error = True, chunk.error
        places = Tickets.joined(tickets)
        if sink.misfit is not None:
            self._ended = True
            self._error = self._assembler.explain(sink.misfit[0], self._place(places[sink.filled]))
        if len(sink) < self._size and (not self._keep_last or not len(sink)):
            self.discarded += len(sink)
            return self._last()
        try:
            return self._made(*self._assembler.poured(sink), places)
        except PipelineError as error:  # as in `_give`
            self._fail(error)
            return self._last()

    def _last(self) -> Chunk:
        """The error, once; then the end."""
        self._ended = True
        self._gathered.clear()
        error, self._error = self._error, None
        return END if error is None else Chunk([], END.tickets, error=error)

    def _give_ready(self, n: int) -> Chunk | None:
        """Several batches that lie in runs of columns, if there are any."""
        assert self._assembler is not None, "the spec is known before batches are given"
        if self._mending is not None and self._mending.ledger.knows_any:
            return None
        batches, tickets = self._gathered.batches(self._assembler, self._size, n, ticketed=self._ticketed)
        if not batches:
            return None
        examples = len(batches) * self._size
        self.examples += examples
        self.nbytes += examples * self._assembler.row_nbytes
        made = map(self._build, batches)
        return Chunk([*(made if self._handed_over is None else map(self._handed_over, made))], tickets)

    def _give(self, count: int) -> Chunk | None:
        """The next batch; `None` if one of its examples had to be skipped, so that it is to be gathered anew."""
        assert self._assembler is not None, "the spec is known before a batch is given"
        self._assembler.settle()
        parts = self._gathered.take(count)
        if self._loses_known(parts):
            return None
        try:
            arrays, extras = self._assembled(self._assembler, parts)
            if count < self._size and not self._keep_last:  # assembled all the same: its examples are checked by that
                self.discarded += count
                return self._last()
            return self._made(arrays, extras, parts[0].tickets)
        except Misfit as misfit:
            return self._misfit(parts, misfit.row)
        except PipelineError as error:  # a name for lengths or a mask that the example has itself
            self._fail(error)
            return self._last()

    def _assembled(self, assembler: Assembler, parts: Sequence[Chunk]) -> tuple[list[Any], dict[str, Any]]:
        columns = [part.columns for part in parts if part.columns is not None]
        if len(columns) == len(parts):
            return assembler.columns(columns)
        return assembler.rows(
            parts[0].as_rows() if len(parts) == 1 else [row for part in parts for row in part.as_rows()]
        )

    def _made(self, arrays: list[Any], extras: dict[str, Any], tickets: Tickets) -> Chunk:
        """A chunk of the one batch that these arrays are."""
        for array in arrays:
            self.nbytes += array.nbytes
        self.examples += len(arrays[0])
        batch = self._build(arrays)
        if extras:
            batch = self._with_extras(batch, extras)
        if self._handed_over is not None:
            batch = self._handed_over(batch)
        return Chunk([batch], tickets.cut(0, 1) if self._ticketed else NO_TICKETS)

    def _with_extras(self, batch: Any, extras: dict[str, Any]) -> Any:
        self._extras = {name: Component(extra.dtype, extra.shape[1:]) for name, extra in extras.items()}
        beside = batch if self._form.form is Form.DICT else batch[1] if self._is_tagged(self._form) else {}
        for name in extras:
            if name in beside:
                raise PipelineError(
                    mismatch("a new name for the lengths or mask", f"`{name}`, a component's", at="pad()")
                )
        return self._beside(batch, extras)

    def _beside(self, batch: Any, extras: dict[str, Any]) -> Any:
        """The batch with its extras: more keys of a dict, or a pair with a dict, which may be there already."""
        if self._form.form is Form.DICT:
            return {**batch, **extras}
        return (batch[0], {**batch[1], **extras}) if self._is_tagged(self._form) else (batch, extras)

    def _is_tagged(self, form: Structure) -> bool:
        """Whether an example is a pair of what a source gave, and its tags."""
        if form.form is not Form.TUPLE or len(form.children) != 2 or form.children[1].form is not Form.DICT:
            return False
        keys = form.children[1].keys
        return bool(keys) and set(keys) <= set(self._tags)

    def _misfit(self, parts: Sequence[Chunk], row: int) -> Chunk | None:
        """The error of an example that does not fit, after the remainder before it where that is given."""
        assert self._assembler is not None, "only an assembler finds a misfit"
        example = [row for part in parts for row in part.as_rows()][row]
        ticket = Tickets.joined([part.tickets for part in parts])[row]
        if self._lose(parts, row, self._assembler.explain(example, self._place(ticket))):
            return None
        if not row or not self._keep_last:
            self.discarded += row
            return self._last()
        for part in parts:
            self._gathered.add(part)
        kept = self._gathered.take(row)
        self._gathered.clear()
        return self._made(*self._assembled(self._assembler, kept), kept[0].tickets)

    def _lose(self, parts: Sequence[Chunk], row: int, error: BaseException) -> bool:
        """Skips one of these examples, which were taken off, and puts the others back, if it may be; else fails."""
        if self._mending is not None:
            ticket = Tickets.joined([part.tickets for part in parts])[row]
            raised = self._mending.skipped(ticket, error)
            if raised is None:
                self._gathered.put_back(parts, row)
                return True
            error = raised
        if self._unskipped:
            error.add_note(
                "penstock: it was not skipped, since this rank would end before the others: `shard(end=None)` allows that; "
                "or leave it out before `shard`"
            )
        self._fail(error)
        return False

    def _place(self, ticket: Ticket) -> str:
        return place_of_ticket(ticket, self._labels)

    def _fail(self, error: BaseException) -> None:
        self._ended, self._error = True, error
        self._gathered.clear()

    def snapshot(self) -> Saved:
        """What the first example was like, and how much of the last chunk waits for its batch to be complete."""
        if self._error is not None:
            raise Unsettled
        return {
            **self._again.snapshot(self._gathered.count),
            "spec": self._spec,
            "ended": self._ended,
            "columnar": self._columnar,
            "skips": self._mending.mark() if self._mending is not None else None,
        }

    def let_go(self) -> tuple[Stage, Sequence[Chunk]]:
        """Where more examples would come from, and those that wait for their batch to be complete; it makes no more."""
        rest = self._again.settle()
        if rest is not None and rest.error is not None:
            raise rest.error
        return self._upstream, self._gathered.take(self._gathered.count) if self._gathered.count else ()

    def restore(self, saved: Saved) -> None:
        """Goes on from there."""
        self._again.restore(saved)
        if saved["spec"] is not None:
            self._ready(saved["spec"])
        self._ended, self._columnar = bool(saved["ended"]), bool(saved["columnar"])

    recalls = False
    """A batch's ticket does not tell which examples it was made of."""

    def recall(self, tickets: Tickets) -> list[Any]:
        """Not to be asked for."""
        raise AssertionError("batches are not recalled")

    def spec(self) -> Spec | None:
        """The spec of a batch, once the first examples have come: free dimensions are `None`."""
        if self._assembler is None:
            return None
        size = None if self._keep_last or self._groups is not None else self._size
        own = self._assembler.batch_spec if self._groups is None else self._base
        spec = own.reshaped(lambda path, component: (size, *component.shape))
        if not self._extras:
            return spec
        # Lengths have one number for each dimension that is padded; a mask is as large as those.
        extras = [
            part.with_shape((size, *((None,) * len(part.shape) if part.dtype.kind == "b" else part.shape)))
            for part in self._extras.values()
        ]
        plain = spec.structure.build([0] * len(spec.components))
        names = dict.fromkeys(self._extras, 0)
        return Spec(Structure.of(self._beside(plain, names)), (*spec.components, *extras))

    def close(self) -> None:
        """Closes upstream."""
        self._upstream.close()
