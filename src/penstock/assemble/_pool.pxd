# cython: language_level=3
cimport cython
cimport numpy as cnp
from cpython.object cimport PyObject

cdef enum:
    MOST_IDLE = 64

cdef class _Shelf:
    cdef int count
    cdef bint closed
    cdef Py_ssize_t takes
    cdef PyObject* pieces[MOST_IDLE]
    cdef Py_ssize_t since[MOST_IDLE]  # how many had been taken when each came
    cdef void put(self, PyObject* piece) noexcept
    cdef cnp.ndarray take(self, int place)
    cdef void drop_oldest(self) noexcept
    cdef void _close_up(self, int place) noexcept

cdef class Pool:
    cdef _Shelf _shelf
    cdef Py_ssize_t _limit_bytes
    cdef object _slabs
    cdef cnp.ndarray lend(self, int ndim, cnp.npy_intp* dims, cnp.dtype dtype)
    cdef cnp.ndarray _taken(self, Py_ssize_t nbytes)
