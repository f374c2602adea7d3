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
from penstock.sampling._slots cimport Ring, Slot, coin, evict, prefetch, push, set_bar, shuffle, use

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
    BLOCK = 32  # arrivals
    MANY = 128  # classes, of which the nearest cache does not hold all

assert slots.SLOT.itemsize == sizeof(Slot) and slots.RING.itemsize == sizeof(Ring), "NumPy sees the same fields"


cdef inline int64_t* data(cnp.ndarray array) noexcept: return <int64_t*> cnp.PyArray_DATA(array)


cdef cnp.ndarray empty(cnp.npy_intp n): return cnp.PyArray_SimpleNew(1, &n, cnp.NPY_INT64)


cdef bint plain(values):
    """Whether they are integers as they are kept here."""
    return (
        isinstance(values, cnp.ndarray) and cnp.PyArray_TYPE(values) == cnp.NPY_INT64 and cnp.PyArray_NDIM(values) == 1
        and cnp.PyArray_IS_C_CONTIGUOUS(values)
    )


cdef grown(array, int64_t n):
    """The array with more rows at its end, which are zero."""
    more = np.zeros((n, *array.shape[1:]), array.dtype)
    more[:len(array)] = array
    return more


@cython.final
cdef class Rings:
    """As `rings.Rings`."""

    cdef readonly int64_t arrived, asked_at, ignored, held, capacity
    cdef public int64_t until
    cdef readonly tuple misfit
    cdef readonly object error, seen, thinned, evicted_fresh, evicted_used, given, distinct, waited, fresh_held, uses, numbers
    cdef readonly list rows, drawn
    cdef bint keeps_rows
    cdef int64_t repeats, lacking, wanted, free_first, top, classes, logged, log_size, log_room, taken, taken_room
    cdef uint64_t seed
    cdef Labels how
    cdef cnp.ndarray which, often, ring_table, slot_table, log_table, taken_table
    cdef Ring* ring  # what the tables hold; before the ring of class 0 stands one for those that have no class
    cdef Slot* slot
    cdef int64_t* log  # number and slot of each that was admitted
    cdef int64_t* take  # of each that was drawn: slot and uses in one, and its number

    def __init__(self, repeats, seed, *, keeps_rows):
        self.repeats, self.seed = checks.checked_repeats(repeats), seed & splitmix.LARGEST
        self.keeps_rows = keeps_rows
        self._clear()

    cdef _clear(self):
        self.ring_table, self.slot_table = np.zeros(1, slots.RING), np.zeros(0, slots.SLOT)
        self.ring_table["threshold"][0] = splitmix.LARGEST
        self.log_table = self.taken_table = np.zeros((0, 2), np.int64)
        self.rows, self.drawn = [], []
        self.arrived = self.asked_at = self.ignored = self.held = self.capacity = self.classes = 0
        self.top = self.logged = self.log_size = self.log_room = self.taken = self.taken_room = 0
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
        return self._full()

    @property
    def halted(self):
        """As `rings.Rings.halted`."""
        return self._halted() or self.misfit is not None

    cdef inline bint _full(self) noexcept: return self.lacking == 0 and self.wanted > 0

    cdef inline bint _halted(self) noexcept: return self._full() or self.arrived >= self.until

    def at_hand(self, classes):
        """As `rings.Rings.at_hand`."""
        return self.ring_table["at_hand"][1:self.classes + 1][np.asarray(classes, np.int64)]

    def live(self, int64_t of):
        """As `rings.Rings.live`."""
        if not 0 <= of < self.classes:
            raise IndexError(mismatch(f"a class below {self.classes}", of, at="rings.live"))
        return self.ring[of].fresh + self.ring[of].used

    def grow(self, limits):
        """As `rings.Rings.grow`."""
        sizes = checks.checked_sizes(limits, self.classes)
        before, self.classes = self.classes, len(sizes)
        if self.classes >= len(self.ring_table):  # It doubles, so that classes may come one by one.
            self.ring_table = grown(self.ring_table, max(self.classes + 1, 2 * len(self.ring_table)))
        self.ring = <Ring*> cnp.PyArray_DATA(self.ring_table) + 1
        table = self.ring_table[1:self.classes + 1]
        table["limit"] = sizes
        table["threshold"][before:] = splitmix.LARGEST
        self._set_bars()
        self.seen, self.thinned, self.given, self.distinct = (table[n] for n in ("seen", "thinned", "given", "distinct"))
        self.evicted_fresh, self.evicted_used = table["evicted_fresh"], table["evicted_used"]
        self.fresh_held, self.waited = table["fresh"], table["waited"]

    def admit(self, thresholds):
        """As `rings.Rings.admit`."""
        self.ring_table["threshold"][1:self.classes + 1] = checks.checked_thresholds(thresholds, self.classes)
        self._set_bars()

    cdef void _set_bars(self) noexcept:
        cdef int64_t of
        for of in range(-1, self.classes):  # Of the one without a class the threshold is never set.
            set_bar(&self.ring[of])

    def ask(self, classes, counts):
        """As `rings.Rings.ask`."""
        which, often = checks.checked_quota(classes, counts)
        self._ask(which, often)

    cdef _ask(self, cnp.ndarray which, cnp.ndarray often):
        cdef int64_t i, of, count
        cdef Ring* ring
        self._ask_nothing(cnp.PyArray_SIZE(self.which))
        self.which, self.often, self.asked_at = which, often, self.arrived
        for i in range(cnp.PyArray_SIZE(which)):
            of, count = data(which)[i], data(often)[i]
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
        cdef cnp.ndarray array = self._checked(classes, start)
        return self._add_classes(array, start, self._good(array, start)) - start

    cdef cnp.ndarray _checked(self, classes, Py_ssize_t start):
        assert start >= 0, "places are counted from the first"
        self.misfit = self.error = None
        return checks.checked_classes(classes, self.keeps_rows)

    cdef int64_t _good(self, cnp.ndarray classes, int64_t place) noexcept:
        """The place of the first class from a place on that is not there, or the end."""
        while place < cnp.PyArray_SIZE(classes) and -1 <= data(classes)[place] < self.classes:
            place += 1
        return place

    cdef int64_t _add_classes(self, cnp.ndarray array, int64_t place, int64_t good) except -1:
        """Adds from a place on, and gives the place of the first that was not added.

        Coins are thrown for a block of arrivals without a branch: a processor cannot guess who is admitted, and a wrong
        guess costs more than all the rest. Bars only fall while nothing is drawn, so those at or below their bar at the
        beginning of the block are all that can be admitted; they are looked at again one by one.
        """
        cdef int64_t* classes = data(array)
        cdef uint64_t thrown[BLOCK]
        cdef int low[BLOCK + 1]
        cdef int i, j, k, m, done
        cdef int64_t number
        cdef uint64_t seed = self.seed
        cdef bint is_low
        cdef Ring* rings = self.ring
        cdef Ring* ring
        while place < good and not self._halted():
            k, m, number = min(BLOCK, good - place, self.until - self.arrived), 0, self.arrived
            for i in range(k):
                ring = &rings[classes[place + i]]
                thrown[i] = coin(seed, number + i)
                is_low = thrown[i] <= ring.bar
                ring.seen += 1
                ring.thinned += 1 - is_low
                low[m] = i
                m += is_low
            self._expect(classes + place, low, m, min(k, good - place - BLOCK))
            done = k
            for j in range(m):
                i = low[j]
                if classes[place + i] < 0:
                    self.ignored += 1
                elif thrown[i] > rings[classes[place + i]].bar:
                    rings[classes[place + i]].thinned += 1
                else:
                    self._admit(classes[place + i], number + i)
                    if self._full():
                        done = i + 1
                        break
            for i in range(done, k):  # These have not arrived yet.
                ring = &rings[classes[place + i]]
                ring.seen -= 1
                ring.thinned -= 1
            if done < k:
                for j in range(j + 1, m):
                    rings[classes[place + low[j]]].thinned += 1
            self.arrived += done
            place += done
        if place < cnp.PyArray_SIZE(array) and place == good and not self._halted():
            raise ValueError(mismatch(f"a class below {self.classes}, or -1", classes[place], at="rings.add_classes"))
        return place

    cdef inline void _expect(self, int64_t* classes, int* low, int m, int later) noexcept:
        """Brings into the cache what arrivals will need: of some the slots at the ends of their rings, of later ones these."""
        cdef int j
        cdef Ring* ring
        for j in range(m):
            ring = &self.ring[classes[low[j]]]
            if ring.fresh:
                prefetch(&self.slot[ring.fresh_first])
                prefetch(&self.slot[ring.fresh_last])
        if self.classes > MANY:
            for j in range(later):
                prefetch(&self.ring[classes[BLOCK + j]])
                prefetch(<char*> &self.ring[classes[BLOCK + j]] + 64)

    def compose(self, classes, Py_ssize_t start, number, quotas):
        """As `rings.Rings.compose`."""
        cdef cnp.ndarray array = self._checked(classes, start)
        cdef int64_t place = start, draws = 0, more = len(quotas), good = self._good(array, start)
        cdef uint64_t first = number & splitmix.LARGEST
        while True:
            if self._full():
                self._draw(first + draws)
                draws += 1
                if draws > more:
                    self._ask_nothing(cnp.PyArray_SIZE(self.which))
                    break
                which, often = quotas[draws - 1]
                if plain(which) and plain(often) and len(which) == len(often):
                    self._ask(which, often)
                else:
                    self.ask(which, often)
            else:
                place = self._add_classes(array, place, good)
                if not self._full():
                    break
        return place - start, draws

    def composed(self):
        """As `rings.Rings.composed`."""
        n, self.taken = self.taken, 0
        return self._told(0, n)

    cdef tuple _told(self, int64_t start, int64_t n):
        """Slots, uses and numbers of n that were drawn."""
        cdef cnp.ndarray slots = empty(n), uses = empty(n), numbers = empty(n)
        cdef int64_t* take = self.take + 2 * start
        cdef int64_t i
        for i in range(n):
            data(slots)[i], data(uses)[i], data(numbers)[i] = <int32_t> take[2 * i], take[2 * i] >> 32, take[2 * i + 1]
        return slots, uses, numbers

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
            if self.keeps_rows:
                self.rows[slot] = None  # This may run code of the row's own.
                ring = &self.ring[of]
        slot = self.free_first
        if self.log_size == self.log_room or (slot < 0 and self.top == self.capacity):
            self._make_room(self.top + 1)
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
        set_bar(ring)
        if not self.keeps_rows:
            self.log[2 * self.log_size], self.log[2 * self.log_size + 1] = number, slot
            self.log_size += 1
        return slot

    cdef inline void _release(self, int64_t slot) noexcept:
        self.slot[slot].after, self.slot[slot].uses = self.free_first, -1
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
        cdef int64_t i, number, slot, m = 0
        for i in range(self.log_size):
            number, slot = self.log[2 * i], self.log[2 * i + 1]
            if self.slot[slot].number == number and self.slot[slot].uses >= 0:
                self.log[2 * m], self.log[2 * m + 1] = number, slot
                m += 1
        cdef cnp.ndarray places = empty(m), slots = empty(m)
        for i in range(m):
            data(places)[i], data(slots)[i] = self.log[2 * i] - self.logged, self.log[2 * i + 1]
        self.log_size, self.logged = 0, self.arrived
        return places, slots

    @property
    def waiting(self):
        """As `rings.Rings.waiting`."""
        table = self.slot_table[:self.top]
        return np.sort(table["number"][table["uses"] >= 0])

    def draw(self, number):
        """As `rings.Rings.draw`."""
        cdef int64_t start = self.taken
        self._draw(number & splitmix.LARGEST)
        slots, self.uses, self.numbers = self._told(start, self.taken - start)
        self.taken = start
        if self.keeps_rows:
            self._hand_over(slots, self.uses)
        return slots

    cdef _draw(self, uint64_t number):
        """Takes what is asked for."""
        cdef int64_t i, j = 0, m = cnp.PyArray_SIZE(self.which), slot, count, turn, left, place, n = self.wanted
        cdef cnp.ndarray places
        cdef int64_t repeats, arrived
        cdef bint keeps_rows
        cdef Slot* table
        cdef int64_t* to
        cdef Ring* ring
        if self.lacking:
            raise checks.not_at_hand(self.lacking)
        while self.taken + n > self.taken_room:
            self.taken_table = grown(self.taken_table, 2 * self.taken_room or FIRST)
            self.taken_room, self.take = len(self.taken_table), data(self.taken_table)
        to = self.take + 2 * self.taken
        places, turn, table, repeats, arrived, keeps_rows = np.arange(m), 0, self.slot, self.repeats, self.arrived, self.keeps_rows
        while m:  # One of each class in turn, so that what is waited for from memory is waited for together.
            left, m = m, 0
            for i in range(left):
                place = data(places)[i]
                ring, count = &self.ring[data(self.which)[place]], data(self.often)[place]
                if turn == count:
                    ring.given += count
                    ring.at_hand -= count
                    self.lacking += ring.at_hand < count
                    set_bar(ring)
                    continue
                slot = use(table, ring, repeats)
                ring.waited += arrived - table[slot].number
                to[j] = slot | <int64_t> table[slot].uses << 32  # What is shuffled is one array.
                if keeps_rows:
                    prefetch(PyList_GET_ITEM(self.rows, slot))
                if table[slot].uses == repeats:
                    self._release(slot)
                j += 1
                data(places)[m] = place
                m += 1
            turn += 1
        shuffle(coin(self.seed ^ SHUFFLE, number), n, to)
        for i in range(n - 1, -1, -1):  # It spreads out to make room for the numbers.
            to[2 * i + 1], to[2 * i] = self.slot[<int32_t> to[i]].number, to[i]
        self.taken += n

    def drawn_classes(self, number, classes, counts):
        """As `rings.Rings.drawn_classes`."""
        cdef cnp.ndarray drawn = rings.in_turn(classes, counts)
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

    def state(self):
        """As `rings.Rings.state`."""
        cdef int64_t of
        cdef list waiting = []
        for of in range(self.classes):
            waiting += self._linked(self.ring[of].fresh_first, self.ring[of].fresh)
            waiting += self._linked(self.ring[of].used_first, self.ring[of].used)
        free = self._linked(self.free_first, self.top - self.held)
        table, held = self.ring_table[1:self.classes + 1], self.slot_table[waiting]
        each = np.arange(self.classes).repeat(table["fresh"] + table["used"])
        return {
            "arrived": self.arrived,
            "ignored": self.ignored,
            "asked_at": self.asked_at,
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
            self.ring_table[name][1:self.classes + 1] = state[name]
        self.arrived, self.ignored, self.until = state["arrived"], state["ignored"], state["until"]
        self.logged = self.arrived
        self.ask(*state["asked"])
        self.asked_at = state["asked_at"]
