# cython: language_level=3

cdef class Entry:
    cdef readonly object error
    cdef public object place
    cdef public Py_ssize_t late, given
    cdef readonly list rows

cdef class Delivery:
    cdef public object _convert, _place
    cdef public Py_ssize_t _forks, _delivered, _since, _again
    cdef public bint _closed
    cdef public Entry _entry
