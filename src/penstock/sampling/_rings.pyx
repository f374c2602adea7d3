# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `rings.Rings`: a few integers for each class and for each slot, each kind in one array.

The numbers of a class stand together, so that an arrival is thinned or admitted within a line or two of the cache.
"""

cimport cython
cimport numpy as cnp
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE, PyList_New, PyList_SET_ITEM
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from libc.stdint cimport int32_t, int64_t, uint64_t

from penstock.sampling._labels cimport Labels
from penstock.sampling._slots cimport Ring, Slot, coin, evict, prefetch, push, shuffle, use

import numpy as np

import penstock.sampling.checks as checks
import penstock.sampling.rings as rings
import penstock.sampling.slots as slots
import penstock.sampling.splitmix as splitmix
from penstock.errors import mismatch

cdef extern from "Python.h":
    PyObject* PyIter_Next(object) except? NULL

cnp.import_array()

cdef uint64_t LARGEST = splitmix.LARGEST
cdef uint64_t SHUFFLE = splitmix.SHUFFLE
cdef int64_t FIRST = slots.FIRST

cdef enum:
    AHEAD = 8  # arrivals

assert slots.SLOT.itemsize == sizeof(Slot) and slots.RING.itemsize == sizeof(Ring), "NumPy sees the same fields"


cdef inline int64_t* data(cnp.ndarray array) noexcept: return <int64_t*> cnp.PyArray_DATA(array)


cdef cnp.ndarray empty(cnp.npy_intp n): return cnp.PyArray_SimpleNew(1, &n, cnp.NPY_INT64)


cdef grown(array, int64_t n):
    """The array with more rows at its end, which are zero."""
    more = np.zeros((n, *array.shape[1:]), array.dtype)
    more[:len(array)] = array
    return more


@cython.final
cdef class Rings:
    """As `rings.Rings`."""

    cdef readonly int64_t arrived, ignored, held, capacity
    cdef public int64_t until
    cdef readonly tuple misfit
    cdef readonly object error, seen, thinned, evicted_fresh, evicted_used, given, distinct, waited, fresh_held, uses, numbers
    cdef readonly list rows, drawn
    cdef bint keeps_rows
    cdef int64_t repeats, lacking, wanted, free_first, top, classes, logged, log_size, log_room
    cdef uint64_t seed
    cdef Labels how
    cdef cnp.ndarray which, often, ring_table, slot_table, log_table
    cdef Ring* ring  # what the tables hold
    cdef Slot* slot
    cdef int64_t* log

    def __init__(self, repeats, seed, *, keeps_rows):
        self.repeats, self.seed = checks.checked_repeats(repeats), seed & splitmix.LARGEST
        self.keeps_rows = keeps_rows
        self._clear()

    cdef _clear(self):
        self.ring_table, self.slot_table = np.zeros(0, slots.RING), np.zeros(0, slots.SLOT)
        self.log_table = np.zeros((0, 2), np.int64)
        self.rows, self.drawn = [], []
        self.arrived = self.ignored = self.held = self.capacity = self.classes = 0
        self.top = self.logged = self.log_size = self.log_room = 0
        self.free_first = -1
        self.until = 0x7FFFFFFFFFFFFFFF
        self.misfit = self.error = None
        self.uses = self.numbers = self.which = self.often = empty(0)
        self.lacking = self.wanted = 0
        self.grow(())

    def __len__(self): return self.arrived

    @property
    def full(self):
        """As `rings.Rings.full`."""
        return self.lacking == 0

    @property
    def halted(self):
        """As `rings.Rings.halted`."""
        return self._halted() or self.misfit is not None

    cdef inline bint _halted(self) noexcept: return self.lacking == 0 or self.arrived >= self.until

    def at_hand(self, classes):
        """As `rings.Rings.at_hand`."""
        return self.ring_table["at_hand"][:self.classes][np.asarray(classes, np.int64)]

    def live(self, int64_t of):
        """As `rings.Rings.live`."""
        if not 0 <= of < self.classes:
            raise IndexError(mismatch(f"a class below {self.classes}", of, at="rings.live"))
        return self.ring[of].fresh + self.ring[of].used

    def grow(self, limits):
        """As `rings.Rings.grow`."""
        sizes = checks.checked_sizes(limits, self.classes)
        before, self.classes = self.classes, len(sizes)
        if self.classes > len(self.ring_table):  # It doubles, so that classes may come one by one.
            self.ring_table = grown(self.ring_table, max(self.classes, 2 * len(self.ring_table)))
            self.ring = <Ring*> cnp.PyArray_DATA(self.ring_table)
        table = self.ring_table[:self.classes]
        table["limit"] = sizes
        table["threshold"][before:] = splitmix.LARGEST
        self.seen, self.thinned, self.given, self.distinct = (table[n] for n in ("seen", "thinned", "given", "distinct"))
        self.evicted_fresh, self.evicted_used = table["evicted_fresh"], table["evicted_used"]
        self.fresh_held, self.waited = table["fresh"], table["waited"]

    def admit(self, thresholds):
        """As `rings.Rings.admit`."""
        self.ring_table["threshold"][:self.classes] = checks.checked_thresholds(thresholds, self.classes)

    def ask(self, classes, counts):
        """As `rings.Rings.ask`."""
        cdef int64_t i, of, count
        cdef Ring* ring
        self._ask_nothing(cnp.PyArray_SIZE(self.which))
        self.which, self.often = checks.checked_quota(classes, counts)
        for i in range(cnp.PyArray_SIZE(self.which)):
            of, count = data(self.which)[i], data(self.often)[i]
            ring = &self.ring[of]
            if not 0 <= of < self.classes or count < 0 or ring.need or count > max(ring.at_hand, ring.limit * self.repeats):
                self._ask_nothing(i)
                raise checks.not_askable(of, count)
            ring.need = count
            self.lacking += ring.at_hand < count
            self.wanted += count

    cdef _ask_nothing(self, int64_t m):
        """Takes back what the first m places ask for."""
        cdef int64_t i
        for i in range(m):
            self.ring[data(self.which)[i]].need = 0
        self.which = self.often = empty(0)
        self.lacking = self.wanted = 0

    def labels(self, how, key, classes, unknown, *, identity=False):
        """As `rings.Rings.labels`."""
        self.how = Labels(how, key, classes, unknown, identity=identity)

    def pull(self, list iterators, Py_ssize_t first, Py_ssize_t n):
        """As `rings.Rings.pull`."""
        cdef Py_ssize_t k = PyList_GET_SIZE(iterators), place = first
        cdef PyObject* item
        assert 0 <= first < k, "the first place is one of the iterators'"
        self._start()
        for _ in range(n):
            if self._halted():
                return
            item = PyIter_Next(<object> PyList_GET_ITEM(iterators, place))
            if item is NULL:
                return
            try:
                if not self._take(<object> item):
                    return
            finally:
                Py_XDECREF(item)
            place += 1
            if place == k:
                place = 0

    def add(self, list rows, Py_ssize_t start):
        """As `rings.Rings.add`."""
        cdef int64_t before = self.arrived
        cdef Py_ssize_t place = start
        assert start >= 0, "places are counted from the first"
        self._start()
        while place < PyList_GET_SIZE(rows) and not self._halted() and self._take(rows[place]):
            place += 1
        return self.arrived - before

    def add_classes(self, classes, Py_ssize_t start):
        """As `rings.Rings.add_classes`."""
        cdef cnp.ndarray array = checks.checked_classes(classes, self.keeps_rows)
        cdef int64_t before = self.arrived, of, place, n = cnp.PyArray_SIZE(array)
        assert start >= 0, "places are counted from the first"
        self.misfit = self.error = None
        for place in range(start, n):
            if self._halted():
                break
            if place + 2 * AHEAD < n:
                self._expect(data(array)[place + AHEAD], data(array)[place + 2 * AHEAD])
            of = data(array)[place]
            if not -1 <= of < self.classes:
                raise ValueError(mismatch(f"a class below {self.classes}, or -1", of, at="rings.add_classes"))
            self._arrive(of)
        return self.arrived - before

    cdef inline void _expect(self, int64_t soon, int64_t later) noexcept:
        """Brings what arrivals will need into the cache: of one the numbers of its class, of one sooner its slots."""
        prefetch(&self.ring[later])
        prefetch(<char*> &self.ring[later] + 64)
        if 0 <= soon < self.classes:
            prefetch(&self.slot[self.ring[soon].fresh_first])
            prefetch(&self.slot[self.ring[soon].fresh_last])

    cdef _start(self):
        if self.how is None:
            raise ValueError(mismatch("to know how labels are read", "no word of it", at="rings", do="call `labels`"))
        self.misfit = self.error = None

    cdef inline bint _take(self, object example) except -1:
        """Adds an example, unless its label is refused."""
        cdef int64_t of, slot
        try:
            of = self.how.class_of(example, self.classes)
            if not -1 <= of < self.classes:
                raise ValueError(mismatch(f"a class below {self.classes}, or -1", of, at="a label"))
        except BaseException as error:
            self.misfit, self.error = (example,), error
            return False
        slot = self._arrive(of)
        if slot >= 0 and self.keeps_rows:
            self.rows[slot] = example
        return True

    cdef inline int64_t _arrive(self, int64_t of) except -2:
        """Counts an arrival, and gives the slot that it is kept in, or -1."""
        cdef int64_t number = self.arrived, slot
        cdef Ring* ring = &self.ring[of]
        cdef bint met
        if of < 0:
            self.arrived += 1
            self.ignored += 1
            return -1
        met = ring.at_hand >= ring.need
        if met and ring.threshold != LARGEST and coin(self.seed, number) > ring.threshold:
            self.arrived += 1
            ring.seen += 1
            ring.thinned += 1
            return -1
        while ring.fresh + ring.used >= ring.limit:
            slot = evict(self.slot, ring, self.repeats)
            self._release(slot)
            if self.keeps_rows:
                self.rows[slot] = None  # This may run code of the row's own.
                ring = &self.ring[of]
        if self.log_size == self.log_room or (self.free_first < 0 and self.top == self.capacity):
            self._make_room(self.top + 1)
            ring = &self.ring[of]
        self.arrived += 1
        ring.seen += 1
        slot = self.free_first
        if slot >= 0:
            self.free_first = self.slot[slot].after
        else:
            slot = self.top
            self.top += 1
        self.slot[slot].uses, self.slot[slot].number = 0, number
        push(self.slot, ring, slot)
        self.held += 1
        ring.at_hand += self.repeats
        self.lacking += met - (ring.at_hand >= ring.need)
        self.log[2 * self.log_size], self.log[2 * self.log_size + 1] = number - self.logged, slot
        self.log_size += 1
        return slot

    cdef inline void _release(self, int64_t slot) noexcept:
        self.slot[slot].after = self.free_first
        self.free_first = slot
        self.held -= 1

    cdef int _make_room(self, int64_t top) except -1:
        """Sees to it that there are so many slots, and room in the log for one more."""
        if self.log_size == self.log_room:
            self.log_table = grown(self.log_table, 2 * self.log_room or FIRST)
            self.log_room, self.log = len(self.log_table), data(self.log_table)
        while self.capacity < top:
            self.slot_table = grown(self.slot_table, 2 * self.capacity or FIRST)
            if self.keeps_rows:
                self.rows += [None] * (len(self.slot_table) - self.capacity)
            self.capacity, self.slot = len(self.slot_table), <Slot*> cnp.PyArray_DATA(self.slot_table)
        return 0

    def admitted(self):
        """As `rings.Rings.admitted`."""
        log = self.log_table[:self.log_size]
        self.log_size, self.logged = 0, self.arrived
        return log[:, 0].copy(), log[:, 1].copy()

    def draw(self, number):
        """As `rings.Rings.draw`."""
        cdef cnp.ndarray slots, uses, numbers
        cdef int64_t i, j = 0, slot, count, n = self.wanted
        cdef Ring* ring
        if self.lacking:
            raise checks.not_at_hand(self.lacking)
        slots, uses, numbers = empty(n), empty(n), empty(n)
        for i in range(cnp.PyArray_SIZE(self.which)):
            ring, count = &self.ring[data(self.which)[i]], data(self.often)[i]
            for _ in range(count):
                slot = use(self.slot, ring, self.repeats)
                ring.waited += self.arrived - self.slot[slot].number
                data(slots)[j] = slot | <int64_t> self.slot[slot].uses << 32  # What is shuffled is one array.
                if self.keeps_rows:
                    prefetch(PyList_GET_ITEM(self.rows, slot))
                if self.slot[slot].uses == self.repeats:
                    self._release(slot)
                j += 1
            ring.given += count
            ring.at_hand -= count
            self.lacking += ring.at_hand < count
        shuffle(coin(self.seed ^ SHUFFLE, number & splitmix.LARGEST), n, data(slots))
        for i in range(n):
            slot, data(uses)[i] = <int32_t> data(slots)[i], data(slots)[i] >> 32
            data(slots)[i], data(numbers)[i] = slot, self.slot[slot].number
        self.uses, self.numbers = uses, numbers
        if self.keeps_rows:
            self._hand_over(slots, uses)
        return slots

    def drawn_classes(self, number):
        """As `rings.Rings.drawn_classes`."""
        cdef cnp.ndarray classes = self.which.repeat(self.often)
        shuffle(coin(self.seed ^ SHUFFLE, number & splitmix.LARGEST), cnp.PyArray_SIZE(classes), data(classes))
        return classes

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

    def state(self):
        """As `rings.Rings.state`."""
        cdef int64_t of
        cdef list waiting = []
        for of in range(self.classes):
            waiting += self._linked(self.ring[of].fresh_first, self.ring[of].fresh)
            waiting += self._linked(self.ring[of].used_first, self.ring[of].used)
        free = self._linked(self.free_first, self.top - self.held)
        table, held = self.ring_table[:self.classes], self.slot_table[waiting]
        each = np.arange(self.classes).repeat(table["fresh"] + table["used"])
        return {
            "arrived": self.arrived,
            "ignored": self.ignored,
            "until": self.until,
            "limits": table["limit"].tolist(),
            "thresholds": table["threshold"].tolist(),
            "asked": [self.which.tolist(), self.often.tolist()],
            "waiting": [each.tolist(), held["number"].tolist(), held["uses"].tolist(), waiting],
            "free": free[::-1],
            **{name: table[name].tolist() for name in rings.COUNTERS},
        }

    cdef list _linked(self, int64_t slot, int64_t n):
        """The n slots that follow each other from one on."""
        found = [slot] * n
        for i in range(1, n):
            found[i] = slot = self.slot[slot].after
        return found

    def restore(self, state, rows=None):
        """As `rings.Rings.restore`."""
        cdef int64_t of, number, uses, slot
        waiting = checks.checked_waiting(state, rows, repeats=self.repeats, keeps_rows=self.keeps_rows)
        self._clear()
        self.grow(state["limits"])
        self.admit(state["thresholds"])
        self.top = len(waiting) + len(state["free"])
        self._make_room(self.top)
        for slot in state["free"]:
            self._release(slot)
        for of, number, uses, slot, row in waiting:
            self.slot[slot].number, self.slot[slot].uses = number, uses
            push(self.slot, &self.ring[of], slot)
            self.ring[of].at_hand += self.repeats - uses
            if self.keeps_rows:
                self.rows[slot] = row
        self.held = len(waiting)
        for name in rings.COUNTERS:
            self.ring_table[name][:self.classes] = state[name]
        self.arrived, self.ignored, self.until = state["arrived"], state["ignored"], state["until"]
        self.logged = self.arrived
        self.ask(*state["asked"])
