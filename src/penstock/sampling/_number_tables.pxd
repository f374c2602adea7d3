# cython: language_level=3
cimport numpy as cnp
from libc.stdint cimport int64_t

from penstock.sampling._intake cimport Intake
from penstock.sampling._queues cimport Ring

cdef class NumberTables(Intake):
    cdef readonly int64_t held
    cdef int64_t repeats
    cdef cnp.ndarray ring_table
    cdef Ring* ring  # what the table holds; before the ring of class 0 stands one for those that have no class
    cdef _clear_tables(self)
    cdef void _free(self) noexcept
    cdef _column(self, name)
    cdef void _set_bars(self) noexcept
    cdef tuple _read(self)
