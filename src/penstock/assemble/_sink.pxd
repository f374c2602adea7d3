# cython: language_level=3
from cpython.object cimport PyObject

from penstock.assemble._pile cimport Late

cdef enum:
    MOST = 16  # components
    MOST_HELD = 8  # examples whose bytes are waited for together

cdef class Sink:
    cdef readonly list places
    cdef readonly Py_ssize_t filled
    cdef Py_ssize_t room  # rows
    cdef readonly object misfit
    cdef public list lasts
    cdef object type
    cdef tuple keys
    cdef list kinds
    cdef Py_ssize_t count
    cdef bint bare, is_dict, piles
    cdef char* to[MOST]
    cdef Py_ssize_t row[MOST]
    cdef bint holds  # whether arrays are copied later, several examples' at once
    cdef int n_held, n_late
    cdef PyObject* held[MOST_HELD]
    cdef Late late[MOST_HELD * MOST]
    cdef void _let_go(self, PyObject* item) noexcept
    cdef void _copy(self) noexcept
    cdef bint write(self, object item, Py_ssize_t row) except -1
    cdef bint _leaf(self, Py_ssize_t j, object leaf, Py_ssize_t row) except -1
    cdef void _later(self, Late late) noexcept
