# cython: language_level=3
from cpython.object cimport PyObject
from cpython.pythread cimport PyThread_type_lock

from penstock.assemble._turn cimport Turn

cdef enum:
    PLACES = 256  # jobs that may be put off at once

ctypedef void (*Write)(void*) noexcept nogil  # does a job; it needs nothing of Python's

cdef class Backlog:
    cdef PyObject* owners[PLACES]
    cdef void* jobs[PLACES]
    cdef Write writes[PLACES]
    cdef Py_ssize_t n_put, n_done, n_dropped  # jobs so far
    cdef bint rung, waits
    cdef double most_s  # that it is asked for
    cdef Turn turn  # with the interpreter
    cdef PyThread_type_lock door, work, bell
    cdef bint takes(self, Py_ssize_t nbytes) noexcept
    cdef void put_off(self, owner, void* job, Write write) noexcept
    cdef void _write(self, Py_ssize_t number) noexcept nogil
    cdef void _drop(self) noexcept
    cdef void _drop_one(self) noexcept
    cdef void _ask(self) noexcept nogil
    cdef int _wait(self, long long most) noexcept nogil
