# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""What the native rings know of classes and slots: a few integers of each, each kind in one array.

The numbers of a class stand together, so that an arrival is thinned or admitted within a line or two of the cache.
"""

cimport numpy as cnp
from libc.stdint cimport int64_t, uint64_t

from penstock.sampling._intake cimport Intake
from penstock.sampling._integers cimport data, empty
from penstock.sampling._slots cimport Ring, Slot, set_bar

import numpy as np

import penstock.sampling.checks as checks
import penstock.sampling.slots as slots
import penstock.sampling.splitmix as splitmix
from penstock.errors import mismatch

cnp.import_array()

cdef int64_t FIRST = slots.FIRST

assert slots.SLOT.itemsize == sizeof(Slot) and slots.RING.itemsize == sizeof(Ring), "NumPy sees the same fields"


cdef grown(array, int64_t n):
    """The array with more rows at its end, which are zero."""
    more = np.zeros((n, *array.shape[1:]), array.dtype)
    more[:len(array)] = array
    return more


cdef class Tables(Intake):
    """The part of `rings.Rings` that is kept in tables."""

    cdef _clear_tables(self):
        self.ring_table, self.slot_table = np.zeros(1, slots.RING), np.zeros(0, slots.SLOT)
        self.ring_table["threshold"][0] = splitmix.LARGEST
        self.log_table, self.free_table = np.zeros((0, 2), np.int64), empty(0)
        self.rows = []
        self._open()
        self.held = self.capacity = self.classes = 0
        self.unloads, self.shelf = False, None
        self.top = self.log_size = self.log_room = self.free_count = 0
        self.grow(())

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
        cdef cnp.ndarray array = checks.checked_thresholds(thresholds, self.classes)
        cdef int64_t of
        for of in range(self.classes):
            self.ring[of].threshold = (<uint64_t*> cnp.PyArray_DATA(array))[of]
            set_bar(&self.ring[of])

    cdef void _set_bars(self) noexcept:
        cdef int64_t of
        for of in range(-1, self.classes):  # Of the one without a class the threshold is never set.
            set_bar(&self.ring[of])

    cdef int _make_room(self, int64_t top) except -1:
        """Sees to it that there are so many slots, and room in the log for one more."""
        if self.log_size == self.log_room:
            self.log_table = grown(self.log_table, 2 * self.log_room or FIRST)
            self.log_room, self.log = len(self.log_table), data(self.log_table)
        while self.capacity < top:
            self.slot_table = grown(self.slot_table, 2 * self.capacity or FIRST)
            self.rows += [None] * (len(self.slot_table) - self.capacity)
            self.capacity, self.slot = len(self.slot_table), <Slot*> cnp.PyArray_DATA(self.slot_table)
            self.free_table = grown(self.free_table, self.capacity)
            self.free = data(self.free_table)
        return 0

    cdef cnp.ndarray _admitted(self):
        """The slots of what was admitted since this was last called and still waits."""
        cdef int64_t i, number, slot, m = 0
        for i in range(self.log_size):
            number, slot = self.log[2 * i], self.log[2 * i + 1]
            if self.slot[slot].number == number and self.slot[slot].uses >= 0:
                self.log[m] = slot
                m += 1
        cdef cnp.ndarray slots = empty(m)
        for i in range(m):
            data(slots)[i] = self.log[i]
        self.log_size = 0
        return slots

    cdef list _read(self):
        """What waits, as `rings.Rings.state` tells it: class, number and uses of each example, class by class; and its slot."""
        cdef cnp.ndarray classes = empty(self.held), numbers = empty(self.held), uses = empty(self.held)
        cdef cnp.ndarray slots = empty(self.held)
        cdef int64_t of, turn, slot, i = 0
        for of in range(self.classes):
            for turn in range(self.ring[of].fresh + self.ring[of].used):
                if turn == 0 or turn == self.ring[of].fresh:
                    slot = self.ring[of].fresh_first if turn < self.ring[of].fresh else self.ring[of].used_first
                data(classes)[i], data(slots)[i] = of, slot
                data(numbers)[i], data(uses)[i] = self.slot[slot].number, self.slot[slot].uses
                slot = self.slot[slot].after
                i += 1
        return [classes, numbers, uses, slots]

    def shelve(self, Shelf shelf):
        """As `rings.Rings.shelve`."""
        assert self.unloads or shelf is None, "what waits already is unloaded first"
        self.shelf = shelf

    @property
    def slots(self):
        """As `rings.Rings.slots`."""
        return self._read()[3]

    @property
    def loaded(self):
        """As `rings.Rings.loaded`."""
        return self.log_size if self.unloads else self.held

    def unload(self):
        """As `rings.Rings.unload`."""
        cdef cnp.ndarray slots
        cdef int64_t i, m
        cdef list rows = self.rows, unloaded = []
        if self.unloads:
            slots = self._admitted()
        else:
            slots = np.flatnonzero(self.slot_table["uses"][:self.top] >= 0)
            self.unloads = True
        for i in range(cnp.PyArray_SIZE(slots)):
            unloaded.append(rows[data(slots)[i]])
        for i in range(cnp.PyArray_SIZE(slots)):
            rows[data(slots)[i]] = None
        return slots, unloaded

    @property
    def waiting(self):
        """As `rings.Rings.waiting`."""
        table = self.slot_table[:self.top]
        return np.sort(table["number"][table["uses"] >= 0])
