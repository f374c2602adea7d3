# cython: language_level=3
from libc.stdint cimport int64_t

from penstock.sampling._labels cimport Labels

cdef class Shelf:
    """What examples that wait are written to, each at its place."""

    cdef Py_ssize_t room
    cpdef bint put(self, object example, Py_ssize_t place) except -1
    cdef void expect(self, Py_ssize_t place) noexcept

cdef class Intake:
    cdef readonly int64_t arrived
    cdef public int64_t until
    cdef readonly tuple misfit
    cdef readonly object error
    cdef public list lasts
    cdef int64_t classes
    cdef bint keeps_rows
    cdef Labels how
    cdef str name
    cdef _open(self)
    cdef bint _halted(self) noexcept
    cdef int64_t _ahead(self) noexcept
    cdef void _ask_for(self, int64_t of) noexcept
    cdef void _ask_for_more(self, int64_t of, int i) noexcept
    cdef Py_ssize_t _pull_some(self, list iterators, Py_ssize_t first, Py_ssize_t n, bint* over) except -1
    cdef int64_t _class_of(self, object example) except -2
    cdef int64_t _arrive(self, int64_t of) except -2
    cdef _keep(self, object example, int64_t kept)
    cdef _start(self)
    cdef bint _take(self, object example) except -1
