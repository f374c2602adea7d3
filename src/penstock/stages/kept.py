"""Examples on their way through the rings: as rows, which the rings keep themselves, or as runs of columns, held as they came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, final

import numpy as np

from penstock.assemble import Assembler, Misfit, Pool
from penstock.chunk import Chunk, Columns
from penstock.sampling import Classes, NumberRings, Rings
from penstock.sampling.shares import Int64s
from penstock.stages.held import Held
from penstock.stages.labelled import By, How, Numbering
from penstock.stages.origins import Origins
from penstock.stages.snapshot import Saved
from penstock.stages.store import Store
from penstock.stages.waiting import numbers_of, rings_of, saved_rings, tickets_of
from penstock.ticket import NO_TICKETS, Tickets

if TYPE_CHECKING:
    from penstock.assemble import Backlog

__all__ = ["Given", "Kept", "KeptRows", "KeptRuns", "Quotas", "Refused"]

Quotas = Sequence[tuple[Int64s, Int64s]]
"""Classes and counts of batches, one after the other."""

NONE = np.empty(0, np.int64)
AT_ONCE = 1 << 14
"""Of a run that is held, so many labels are looked at in a step, however long it is: they are checked each time. [examples]"""


class Given(NamedTuple):
    """What was drawn."""

    rows: list[Any] | None
    """The examples, or `None` where there are columns."""
    columns: Columns | None
    tickets: Tickets
    """Where they came from."""

    def as_chunk(self) -> Chunk:
        """The same, as it is handed on."""
        return Chunk(self.rows, self.tickets, columns=self.columns)


class Refused(NamedTuple):
    """An example whose label is none."""

    example: Any
    error: BaseException
    """What is wrong with the label."""
    tickets: Tickets
    place: int
    """Of the example's ticket among these."""


class Kept(Protocol):
    """A way to keep examples."""

    refused: Refused | None
    """The example at which it stopped for good."""
    most: int
    """So many batches can be drawn before they are given. [batches]"""
    stops: bool
    """Whether it draws no more than one at a step, so that it may ask for the next one at once."""

    @property
    def rings(self) -> Rings:
        """What decides."""

    @property
    def held(self) -> bool:
        """Whether there are examples that were not added yet."""

    def hold(self, chunk: Chunk) -> None:
        """Takes a chunk, to be added bit by bit; only if none is held."""

    @property
    def left(self) -> int:
        """How many of what is held were not added yet. [examples]"""

    def snapshot(self, tickets: bool) -> Saved:
        """What waits: by tickets, if examples can be had again by them; else as it is."""

    def restore(self, saved: Saved, recall: Callable[[Tickets], list[Any]]) -> None:
        """Goes on with what waited; `recall` gives examples again by their tickets."""

    def assemble(self, assembler: Assembler, pool: Pool) -> None:
        """Keeps examples, and gives them, as an assembler wants them from now on, where it can.

        Args:
          assembler: what makes batches of what is given here, and of nothing else.
          pool: where the memory of what is given comes from.
        """

    def prepare(self) -> None:
        """Sees what comes next: a new class is one from here on."""

    def step(self, number: int, quotas: Quotas) -> int:
        """Adds what is held, until something is due; draws what is complete, and asks for the next quota.

        Args:
          number: of the next batch.
          quotas: what is asked for after it, and so on; afterwards nothing is asked for.

        Returns:
          How many batches were drawn.
        """

    def given(self) -> Given:
        """What was drawn since this was last called."""


@final
class KeptRows:
    """Rows, in the rings themselves.

    Args:
      rings: which keep rows.
      reading: how labels are read.
      classes: the classes.
      grow: called when there is a new one.
    """

    def __init__(self, rings: Rings, reading: tuple[How, Any], classes: Classes, grow: Callable[[], None]) -> None:
        self.rings = rings
        self.refused: Refused | None = None
        self.most, self.stops = 1, True
        self._origins = Origins(lambda: rings.waiting)
        self._assembler: Assembler | None = None
        self._store: Store
        self._rows: list[Any] | None = None
        self._tickets: Tickets
        self._at = 0

        def unknown(label: object) -> int:
            number = classes.number(label)
            grow()
            return number

        self._how, key = reading
        rings.labels(self._how, key, classes.looked_up, unknown, identity=classes.counted)

    @property
    def held(self) -> bool:
        """Whether there are rows that were not added yet."""
        return self._rows is not None

    def hold(self, chunk: Chunk) -> None:
        """Takes rows."""
        self._rows, self._tickets, self._at = chunk.as_rows(), chunk.tickets, 0
        self._origins.add(self.rings.arrived, chunk.tickets)

    def assemble(self, assembler: Assembler, pool: Pool) -> None:
        """Keeps examples as the assembler makes them, while all fit it; nothing changes where they cannot be written one by one.

        Each is then copied while the processor has it at hand, and let go of; a Python object that lay in a ring for long
        would have to be fetched from memory, piece by piece, twice: to be copied, and to be freed.
        """
        if assembler.pours:
            self._assembler, self._store, self._shelved = assembler, Store(pool), 0

    def _unload(self, assembler: Assembler) -> None:
        """Has the store keep what the rings have kept, and the rings write to the store from now on."""
        slots, rows = self.rings.unload()
        if rows:
            self._keep(assembler, slots, rows)
        if self._store.room != self._shelved:
            self._shelved = self._store.room
            self.rings.shelve(assembler.shelf(self._store.arrays) if self._shelved else None)

    def _keep(self, assembler: Assembler, slots: Int64s, rows: list[Any]) -> None:
        run = Chunk(rows, NO_TICKETS)
        if not self._store.holds_rows:
            try:
                columns = Columns(assembler.spec.structure, tuple(assembler.rows(rows)[0]))
                run = Chunk(None, NO_TICKETS, columns=columns)
            except Misfit:  # What makes batches will tell of it, if it is ever drawn.
                pass
        self._store.suit(run)
        self._store.keep(slots, run, np.arange(len(slots)), self.rings.capacity)

    def pulled(self, tickets: Tickets) -> None:
        """Notes what was pulled straight into the rings."""
        rings = self.rings
        if rings.misfit is not None:
            assert rings.error is not None, "a misfit has an error"
            self.refused = Refused(rings.misfit[0], rings.error, tickets, len(tickets) - 1)
            tickets = tickets.cut(0, len(tickets) - 1)
        if len(tickets):
            self._origins.add(rings.arrived - len(tickets), tickets)

    def prepare(self) -> None:
        """A label is read as its row is added."""

    def step(self, number: int, quotas: Quotas) -> int:
        """Adds rows, or draws a batch."""
        rings = self.rings
        if self._assembler is not None and (rings.capacity > self._shelved or (rings.full and rings.loaded)):
            self._unload(self._assembler)
        if rings.full:
            self._slots = rings.draw(number)
            rings.ask(*quotas[0] if quotas else (NONE, NONE))
            return 1
        if self._rows is not None:
            self._at += rings.add(self._rows, self._at)
            if rings.misfit is not None:
                assert rings.error is not None, "a misfit has an error"
                self.refused = Refused(rings.misfit[0], rings.error, self._tickets, self._at)
            if rings.misfit is not None or self._at == len(self._rows):
                self._rows = None
        return 0

    @property
    def left(self) -> int:
        """How many of what is held were not added yet."""
        return len(self._rows) - self._at if self._rows is not None else 0

    def snapshot(self, tickets: bool) -> Saved:
        """What waits."""
        if self._assembler is not None:
            self._unload(self._assembler)
        saved = saved_rings(self.rings, self._origins)
        rows: list[Any] | None = None
        if not tickets:
            slots = self.rings.slots
            rows = (
                self._store.rows(slots) if self._assembler is not None else [self.rings.rows[i] for i in slots.tolist()]
            )
        return {"how": self._how, "rings": saved, "rows": rows}

    def restore(self, saved: Saved, recall: Callable[[Tickets], list[Any]]) -> None:
        """Goes on with what waited."""
        rows = recall(tickets_of(saved["rings"])) if saved["rows"] is None else saved["rows"]
        rings_of(self.rings, self._origins, saved["rings"], rows)

    def given(self) -> Given:
        """The batch that was drawn last."""
        rings = self.rings
        tickets = self._origins.of(rings.numbers, rings.uses)
        if self._assembler is None:
            return Given(rings.drawn, None, tickets)
        return Given(*self._store.collect(self._slots), tickets)


@final
class KeptRuns:
    """Runs of columns, which are held as they came while enough of their examples wait.

    Args:
      rings: which keep numbers alone.
      by: how labels are read.
      classes: the classes.
      grow: called when there is a new one.
      pool: where the memory of what is given comes from.
      most: so many batches are drawn before they are given. [batches]
    """

    def __init__(
        self, rings: NumberRings, by: By, classes: Classes, grow: Callable[[], None], pool: Pool, *, most: int
    ) -> None:
        self.rings = rings
        self.refused: Refused | None = None
        self.most, self.stops = most, False
        self._by = by
        self._classes = classes
        self._grow = grow
        self._held = Held(pool, rings)
        self._origins = Origins(lambda: rings.waiting)
        self._run: Chunk | None = None
        self._backlog: Backlog | None = None
        self._numbering: Numbering
        self._at = 0  # added of the run

    @property
    def held(self) -> bool:
        """Whether there are examples that were not added yet."""
        return self._run is not None

    def assemble(self, assembler: Assembler, pool: Pool) -> None:
        """Leaves copying to whoever waits for batches, where these are cut from what is given here."""
        self._backlog = assembler.put_off()

    def hold(self, chunk: Chunk) -> None:
        """Takes a run."""
        self._held.add(chunk)
        self._run, self._numbering, self._at = chunk, Numbering(chunk, self._by, self._classes), 0
        self._origins.add(self.rings.arrived, chunk.tickets)

    def _see_end(self, run: Chunk, numbering: Numbering) -> None:
        """Lets go of a run that is used up."""
        if self._at < numbering.ready or not numbering.over:
            return
        if numbering.error is not None:
            self.refused = Refused(run.as_rows()[self._at], numbering.error, run.tickets, self._at)
        self._run = None
        self._held.trim()

    def prepare(self) -> None:
        """Numbers more labels where all that were are added."""
        if self._run is None or self.rings.full:
            return
        numbering = self._numbering
        if self._at == numbering.ready and not numbering.over:
            numbering.more()
            self._grow()

    def step(self, number: int, quotas: Quotas) -> int:
        """Adds from the run and draws."""
        rings, run = self.rings, self._run
        if run is None:
            _, draws = rings.compose(NONE, 0, number, quotas)
        else:
            numbering = self._numbering
            ready = min(numbering.ready, self._at + AT_ONCE)
            added, draws = rings.compose(numbering.numbers[:ready], self._at, number, quotas)
            self._at += added
        if draws:
            numbers, uses = rings.composed()
            self._given = Given(*self._held.collect(numbers, self._backlog), self._origins.of(numbers, uses))
        if run is not None:
            self._see_end(run, self._numbering)
        return draws

    @property
    def left(self) -> int:
        """How many of what is held were not added yet."""
        return self._run.count - self._at if self._run is not None else 0

    def snapshot(self, tickets: bool) -> Saved:
        """What waits."""
        saved = saved_rings(self.rings, self._origins)
        rows = None if tickets else self._held.rows(numbers_of(saved))
        return {"how": None, "rings": saved, "rows": rows, "columns": self._held.columnar}

    def restore(self, saved: Saved, recall: Callable[[Tickets], list[Any]]) -> None:
        """Goes on with what waited."""
        rows = recall(tickets_of(saved["rings"])) if saved["rows"] is None else saved["rows"]
        rings_of(self.rings, self._origins, saved["rings"], None)
        self._held.restore(numbers_of(saved["rings"]), rows, columnar=bool(saved["columns"]))

    def given(self) -> Given:
        """The batches that were drawn in the last step."""
        return self._given
