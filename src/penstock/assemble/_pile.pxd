# cython: language_level=3
cimport numpy as cnp

from penstock.assemble._native cimport Kind

cdef enum:
    BLOCK = 1 << 15  # bytes that are asked for at once for what is packed

cdef struct Source:
    char* data
    cnp.npy_intp* dims

cdef struct Late:
    char* to
    char* data
    Py_ssize_t nbytes

cdef struct Block:
    Block* older
    char data[BLOCK]

cdef class Pile:
    cdef Kind kind
    cdef readonly Py_ssize_t most
    cdef list held  # leaves that are too long to be copied twice
    cdef Source* sources  # of each leaf
    cdef cnp.npy_intp* dims  # of each leaf
    cdef Block* block  # the newest, which others hang on
    cdef Py_ssize_t count, used
    cdef bint put(self, leaf, Late* late) except -1
    cdef char* _room(self, Py_ssize_t nbytes) except NULL
