# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `rings.Rings`, over the tables of `_tables`."""

cimport cython
cimport numpy as cnp
from cpython.list cimport PyList_GET_ITEM, PyList_New, PyList_SET_ITEM
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from libc.stdint cimport int32_t, int64_t, uint64_t

from penstock.sampling._integers cimport counted, data, empty, fixed
from penstock.sampling._slots cimport (
    Ring, Slot, coin, evict, prefetch, push, set_bar, shuffle, use
)
from penstock.sampling._tables cimport Tables, grown

import numpy as np

import penstock.sampling.checks as checks
import penstock.sampling.counts as counting
import penstock.sampling.rings as rings
import penstock.sampling.slots as slots
import penstock.sampling.splitmix as splitmix
import penstock.sampling.tables as tables
from penstock.errors import mismatch

cnp.import_array()

cdef uint64_t LARGEST = splitmix.LARGEST
cdef uint64_t SHUFFLE = splitmix.SHUFFLE
cdef int64_t FIRST = slots.FIRST

cdef enum:
    MANY = 128  # classes, of which the nearest cache does not hold all
    AHEAD = 24  # classes


@cython.final
cdef class Rings(Tables):
    """As `rings.Rings`."""

    cdef readonly int64_t asked_at, ignored
    cdef readonly object uses, numbers
    cdef readonly list drawn
    cdef int64_t lacking, wanted, taken_room
    cdef uint64_t seed
    cdef cnp.ndarray which, often, taken_table
    cdef cnp.ndarray places  # of the classes that are still to be drawn from
    cdef int64_t* take  # of each that was drawn: slot and uses in one, and its number

    def __init__(self, repeats, seed):
        self.repeats, self.seed = checks.checked_repeats(repeats), seed & splitmix.LARGEST
        self.keeps_rows = True
        self.name = rings.Rings.name
        self._clear()

    cdef _clear(self):
        self._clear_tables()
        self.taken_table = np.zeros((0, 2), np.int64)
        self.asked_at = self.ignored = self.taken_room = self.lacking = self.wanted = 0
        self.drawn = []
        self.uses = self.numbers = self.which = self.often = self.places = empty(0)

    @property
    def full(self): return self._full()

    cdef inline bint _full(self) noexcept: return self.lacking == 0 and self.wanted > 0
    cdef bint _halted(self) noexcept: return self._full() or self.arrived >= self.until

    cdef int64_t _ahead(self) noexcept:
        cdef int64_t most = self.until - self.arrived
        if self.classes <= MANY:
            return 0
        return min(most, self.lacking) if self.wanted else most  # an arrival meets the need of one class at most

    cdef void _ask_for(self, int64_t of) noexcept:
        prefetch(&self.ring[of])

    cdef void _ask_for_more(self, int64_t of, int i) noexcept:
        cdef Ring* ring = &self.ring[of]
        cdef int64_t slot
        if i < self.free_count:
            slot = self.free[self.free_count - 1 - i]
            prefetch(&self.slot[slot])
            if self.shelf is not None:
                self.shelf.expect(slot)
        if ring.fresh:
            prefetch(&self.slot[ring.fresh_last])
        if ring.fresh + ring.used >= ring.limit:
            prefetch(&self.slot[ring.used_first if ring.used else ring.fresh_first])

    def ask(self, classes, counts):
        """As `rings.Rings.ask`; what nobody writes to, as what schedules give, is taken as it is."""
        if not (fixed(classes) and fixed(counts) and len(classes) == len(counts)):
            classes, counts = checks.checked_quota(classes, counts)
        self._ask(classes, counts)

    cdef _ask(self, cnp.ndarray which, cnp.ndarray often):
        cdef int64_t i, of, count
        cdef Ring* ring
        self._ask_nothing(cnp.PyArray_SIZE(self.which))
        self.which, self.often, self.asked_at = which, often, self.arrived
        for i in range(cnp.PyArray_SIZE(which)):
            of, count = data(which)[i], data(often)[i]
            if i + AHEAD < cnp.PyArray_SIZE(which):  # It reads nothing, so the class need not be there.
                prefetch(&self.ring[data(which)[i + AHEAD]])
                prefetch(&self.ring[data(which)[i + AHEAD]].used_first)  # which a draw needs, too
            ring = &self.ring[of]
            if not 0 <= of < self.classes or count < 0 or ring.need or count > max(ring.at_hand, ring.limit * self.repeats):
                self._ask_nothing(i)
                raise checks.not_askable(of, count)
            ring.need = count
            set_bar(ring)
            self.lacking += ring.at_hand < count
            self.wanted += count

    cdef _ask_nothing(self, int64_t m):
        """Takes back what the first m places ask for."""
        cdef int64_t i
        for i in range(m):
            self.ring[data(self.which)[i]].need = 0
            set_bar(&self.ring[data(self.which)[i]])
        self.which = self.often = empty(0)
        self.lacking = self.wanted = 0

    cdef int64_t _arrive(self, int64_t of) except -2:
        """Counts an arrival, and gives the slot that it is kept in, or -1."""
        cdef Ring* ring = &self.ring[of]
        cdef int64_t slot = -1
        if of < 0:
            self.arrived += 1
            self.ignored += 1
            return -1
        if ring.bar != LARGEST and coin(self.seed, self.arrived) > ring.bar:
            ring.thinned += 1
        else:
            slot = self._admit(of, self.arrived)
        self.ring[of].seen += 1
        self.arrived += 1
        return slot

    cdef inline int64_t _admit(self, int64_t of, int64_t number) except -2:
        """Takes an arrival in, and gives its slot."""
        cdef Ring* ring = &self.ring[of]
        cdef bint met = ring.at_hand >= ring.need
        cdef int64_t slot
        while ring.fresh + ring.used >= ring.limit:
            slot = evict(self.slot, ring, self.repeats)
            self._release(slot)
            self.rows[slot] = None  # This may run code of the row's own.
            ring = &self.ring[of]
        if self.log_size == self.log_room or (not self.free_count and self.top == self.capacity):
            self._make_room(self.top + 1)
        if self.free_count:
            self.free_count -= 1
            slot = self.free[self.free_count]
        else:
            slot = self.top
            self.top += 1
        self.slot[slot].uses, self.slot[slot].number = 0, number
        push(self.slot, ring, slot)
        self.held += 1
        ring.at_hand += self.repeats
        self.lacking += met - (ring.at_hand >= ring.need)
        set_bar(ring)
        if self.unloads:
            self.log[2 * self.log_size], self.log[2 * self.log_size + 1] = number, slot
            self.log_size += 1
        return slot

    cdef _keep(self, object example, int64_t kept):
        if self.shelf is not None and kept < self.shelf.room and self.shelf.put(example, kept):
            self.log_size -= 1  # There is nothing to unload.
        else:
            self.rows[kept] = example

    def draw(self, number):
        """As `rings.Rings.draw`."""
        cdef cnp.ndarray slots, uses, numbers
        cdef int64_t i, n = self.wanted
        self._draw(number & splitmix.LARGEST)
        slots, uses, numbers = empty(n), empty(n), empty(n)
        for i in range(n):
            data(slots)[i], data(uses)[i] = <int32_t> self.take[2 * i], self.take[2 * i] >> 32
            data(numbers)[i] = self.take[2 * i + 1]
        self.uses, self.numbers = uses, numbers
        if not self.unloads:
            self._hand_over(slots, uses)
        return slots

    cdef _draw(self, uint64_t number):
        """Takes what is asked for."""
        cdef int64_t i, j = 0, m = cnp.PyArray_SIZE(self.which), slot, count, turn, left, place, n = self.wanted
        cdef int64_t* places
        cdef int64_t repeats, arrived
        cdef Slot* table
        cdef int64_t* to
        cdef Ring* ring
        if self.lacking:
            raise checks.not_at_hand(self.lacking)
        while n > self.taken_room:
            self.taken_table = grown(self.taken_table, 2 * self.taken_room or FIRST)
            self.taken_room, self.take = len(self.taken_table), data(self.taken_table)
        to = self.take
        self.places = counted(self.places, m)
        places, turn, table, repeats, arrived = data(self.places), 0, self.slot, self.repeats, self.arrived
        while m:  # One of each class in turn, so that what is waited for from memory is waited for together.
            left, m = m, 0
            for i in range(left):
                place = places[i]
                ring, count = &self.ring[data(self.which)[place]], data(self.often)[place]
                if turn == 0 and i + AHEAD < left and self.classes > MANY:
                    prefetch(&table[self.ring[data(self.which)[i + AHEAD]].fresh_first])
                if turn == count:
                    ring.given += count
                    ring.at_hand -= count
                    self.lacking += ring.at_hand < count
                    set_bar(ring)
                    continue
                slot = use(table, ring, repeats)
                ring.waited += arrived - table[slot].number
                to[j] = slot | <int64_t> table[slot].uses << 32  # What is shuffled is one array.
                if not self.unloads:
                    prefetch(PyList_GET_ITEM(self.rows, slot))
                if table[slot].uses == repeats:
                    self._release(slot)
                j += 1
                places[m] = place
                m += 1
            turn += 1
        shuffle(coin(self.seed ^ SHUFFLE, number), n, to)
        for i in range(n - 1, -1, -1):  # It spreads out to make room for the numbers.
            to[2 * i + 1], to[2 * i] = self.slot[<int32_t> to[i]].number, to[i]

    def drawn_classes(self, number, classes, counts):
        """As `rings.Rings.drawn_classes`."""
        cdef cnp.ndarray drawn = counting.in_turn(classes, counts)
        shuffle(coin(self.seed ^ SHUFFLE, number & splitmix.LARGEST), cnp.PyArray_SIZE(drawn), data(drawn))
        return drawn

    cdef _hand_over(self, cnp.ndarray slots, cnp.ndarray uses):
        """Lists the examples of a draw, and lets go of those that had their last use."""
        cdef int64_t i, n = cnp.PyArray_SIZE(slots)
        cdef list rows = self.rows, drawn = PyList_New(n)
        cdef PyObject* row
        for i in range(n):
            row = PyList_GET_ITEM(rows, data(slots)[i])
            Py_INCREF(<object> row)  # The list takes this reference.
            PyList_SET_ITEM(drawn, i, <object> row)
        for i in range(n):
            if data(uses)[i] == self.repeats:
                rows[data(slots)[i]] = None
        self.drawn = drawn

    def state(self, *, arrays=False):
        """As `rings.Rings.state`."""
        table = self.ring_table[1:self.classes + 1]
        listed = (lambda values: np.array(values)) if arrays else (lambda values: values.tolist())
        return {
            "arrived": self.arrived,
            "ignored": self.ignored,
            "asked_at": self.asked_at,
            "until": self.until,
            "limits": listed(table["limit"].astype(np.int64)),
            "thresholds": listed(table["threshold"]),
            "asked": [self.which.tolist(), self.often.tolist()],
            "waiting": [listed(column) for column in self._read()[:3]],
            **{name: listed(table[name]) for name in counting.COUNTERS},
        }

    def restore(self, state, rows=None):
        """As `rings.Rings.restore`."""
        waiting = checks.checked_waiting(state, rows, repeats=self.repeats)
        self._clear()
        self.grow(state["limits"])
        self.admit(state["thresholds"])
        self.top = len(waiting)
        self._make_room(self.top)
        table = self.ring_table[1:self.classes + 1]
        tables.write(table, self.slot_table, waiting)
        for slot, (of, _, uses, row) in enumerate(waiting):
            self.ring[<int64_t> of].at_hand += self.repeats - uses
            self.rows[slot] = row
        self.held = len(waiting)
        for name in counting.COUNTERS:
            table[name] = state[name]
        self.arrived, self.ignored, self.until = state["arrived"], state["ignored"], state["until"]
        self._set_bars()
        self.ask(*state["asked"])
        self.asked_at = state["asked_at"]
