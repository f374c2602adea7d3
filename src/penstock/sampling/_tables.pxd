# cython: language_level=3
cimport numpy as cnp
from libc.stdint cimport int64_t

from penstock.sampling._intake cimport Intake, Shelf
from penstock.sampling._slots cimport Ring, Slot

cdef grown(array, int64_t n)

cdef class Tables(Intake):
    cdef readonly int64_t held, capacity
    cdef readonly object seen, thinned, evicted_fresh, evicted_used, given, distinct, waited, fresh_held
    cdef readonly list rows
    cdef Shelf shelf
    cdef bint unloads
    cdef int64_t repeats, free_count, top, log_size, log_room
    cdef cnp.ndarray ring_table, slot_table, log_table, free_table
    cdef Ring* ring  # what the tables hold; before the ring of class 0 stands one for those that have no class
    cdef Slot* slot
    cdef int64_t* free  # the slots that are free again, in the order in which they were freed
    cdef int64_t* log  # number and slot of each that was admitted
    cdef _clear_tables(self)
    cdef void _set_bars(self) noexcept
    cdef cnp.ndarray _admitted(self)
    cdef list _read(self)
    cdef int _make_room(self, int64_t top) except -1

    cdef inline void _release(self, int64_t slot) noexcept:
        self.slot[slot].uses = -1
        self.free[self.free_count] = slot
        self.free_count += 1
        self.held -= 1
