# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""What the native rings of numbers know of each class, in one table, and the queues that it points to."""

cimport cython
cimport numpy as cnp
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free

from penstock.sampling._integers cimport data, empty
from penstock.sampling._intake cimport Intake
from penstock.sampling._queues cimport Ring, count, set_bar

import numpy as np

import penstock.sampling.checks as checks
import penstock.sampling.splitmix as splitmix
from penstock.errors import mismatch

cnp.import_array()

QUEUE = [("items", "i8"), ("mask", "i8"), ("head", "i8"), ("tail", "i8")]
RING = np.dtype(
    [("bar", "u8"), ("seen", "i8"), ("need", "i8"), ("at_hand", "i8"), ("fresh", QUEUE), ("limit", "i8"), ("threshold", "u8")]
    + [(name, "i8") for name in ("evicted_fresh", "evicted_used", "given", "waited")]
    + [("used", QUEUE), ("uses", QUEUE)]
)
assert RING.itemsize == sizeof(Ring), "NumPy sees the same fields"


cdef blank(int64_t n):
    """Rings of so many classes that hold nothing, and admit all."""
    table = np.zeros(n, RING)
    table["threshold"] = table["bar"] = splitmix.LARGEST
    for queue in ("fresh", "used", "uses"):
        table[queue]["mask"] = -1
    return table


@cython.no_gc_clear  # Its end frees what the table points to, so nothing may take the table away before.
cdef class NumberTables(Intake):
    """The part of `number_rings.NumberRings` that is kept in a table."""

    cdef _clear_tables(self):
        self._free()
        self.ring_table = blank(1)
        self.ring = <Ring*> cnp.PyArray_DATA(self.ring_table) + 1
        self._open()
        self.classes = self.held = 0

    cdef void _free(self) noexcept:
        cdef int64_t of
        if self.ring is not NULL:
            for of in range(self.classes):
                free(self.ring[of].fresh.items)
                free(self.ring[of].used.items)
                free(self.ring[of].uses.items)
            self.ring = NULL

    def __dealloc__(self):
        self._free()

    cdef _column(self, name):
        return self.ring_table[name][1:self.classes + 1]

    @property
    def seen(self): return self._column("seen")
    @property
    def given(self): return self._column("given")
    @property
    def waited(self): return self._column("waited")
    @property
    def evicted_fresh(self): return self._column("evicted_fresh")
    @property
    def evicted_used(self): return self._column("evicted_used")
    @property
    def thinned(self): return self._column("seen") - self._column("fresh")["tail"]  # All others were admitted.
    @property
    def distinct(self): return self._column("fresh")["head"] - self._column("evicted_fresh")
    @property
    def fresh_held(self): return self._column("fresh")["tail"] - self._column("fresh")["head"]

    def at_hand(self, classes):
        """As `rings.Rings.at_hand`."""
        return self._column("at_hand")[np.asarray(classes, np.int64)]

    def live(self, int64_t of):
        """As `rings.Rings.live`."""
        if not 0 <= of < self.classes:
            raise IndexError(mismatch(f"a class below {self.classes}", of, at="rings.live"))
        return count(&self.ring[of].fresh) + count(&self.ring[of].used)

    def grow(self, limits):
        """As `rings.Rings.grow`."""
        sizes = checks.checked_sizes(limits, self.classes)
        cdef int64_t before = self.classes
        if len(sizes) >= len(self.ring_table):  # It doubles, so that classes may come one by one.
            table = blank(max(len(sizes) + 1, 2 * len(self.ring_table)))
            table[:before + 1] = self.ring_table[:before + 1]
            self.ring_table = table
            self.ring = <Ring*> cnp.PyArray_DATA(self.ring_table) + 1
        self.classes = len(sizes)
        self._column("limit")[:] = sizes
        self._set_bars()

    def admit(self, thresholds):
        """As `rings.Rings.admit`."""
        cdef cnp.ndarray array = checks.checked_thresholds(thresholds, self.classes)
        cdef int64_t of
        for of in range(self.classes):
            self.ring[of].threshold = (<uint64_t*> cnp.PyArray_DATA(array))[of]
            set_bar(&self.ring[of])

    cdef void _set_bars(self) noexcept:
        cdef int64_t of
        for of in range(self.classes):
            set_bar(&self.ring[of])

    @property
    def waiting(self):
        """As `rings.Rings.waiting`."""
        _, numbers, _ = self._read()
        numbers.sort()
        return numbers

    @property
    def oldest(self):
        """As `number_rings.NumberRings.oldest`."""
        cdef int64_t of, turn, number = self.arrived
        cdef Ring* ring
        for of in range(self.classes):
            ring = &self.ring[of]
            if count(&ring.fresh):
                number = min(number, ring.fresh.items[ring.fresh.head & ring.fresh.mask])
            for turn in range(ring.used.head, ring.used.tail):  # by their use, not by their numbers
                number = min(number, ring.used.items[turn & ring.used.mask])
        return number

    cdef tuple _read(self):
        """Class, number and uses of each example that waits, class by class."""
        cdef cnp.ndarray classes = empty(self.held), numbers = empty(self.held), uses = empty(self.held)
        cdef int64_t of, turn, i = 0
        cdef Ring* ring
        for of in range(self.classes):
            ring = &self.ring[of]
            for turn in range(ring.fresh.head, ring.fresh.tail):
                data(classes)[i], data(numbers)[i], data(uses)[i] = of, ring.fresh.items[turn & ring.fresh.mask], 0
                i += 1
            for turn in range(ring.used.head, ring.used.tail):
                data(classes)[i], data(numbers)[i] = of, ring.used.items[turn & ring.used.mask]
                data(uses)[i] = ring.uses.items[turn & ring.uses.mask]
                i += 1
        return classes, numbers, uses
