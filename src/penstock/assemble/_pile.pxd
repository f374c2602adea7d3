# cython: language_level=3
cimport numpy as cnp
from cpython.object cimport PyObject

from penstock.assemble._native cimport MOST_DIMS, Kind

cdef enum:
    MOST_BASES = 8  # long arrays that are held, for leaves that are slices of them
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

cdef struct Target:  # what is to be known of a batch
    int ndim
    Py_ssize_t item
    bint left
    bint even  # all bytes of the value are one
    char* value
    cnp.npy_intp* dims  # of the batch's rows
    Py_ssize_t nbytes[MOST_DIMS + 1]  # of what lies below each axis

cdef struct Job:  # leaves, and the batch that they are to be written to
    Target target
    Source* sources
    Py_ssize_t n
    char* to

cdef class Pile:
    cdef Kind kind
    cdef readonly Py_ssize_t most
    cdef list held  # leaves that are too long to be copied twice
    cdef Source* sources  # of each leaf
    cdef cnp.npy_intp* dims  # of each leaf
    cdef Block* block  # the newest, which others hang on
    cdef Py_ssize_t count, used
    cdef PyObject* bases[MOST_BASES]  # what leaves are slices of, held
    cdef int n_bases
    cdef Job job
    cdef cnp.ndarray out, value  # what it writes to, and beside them
    cdef bint put(self, leaf, Late* late) except -1
    cdef bint _keeps(self, PyObject* base) noexcept
    cdef Py_ssize_t _readied(self, cnp.ndarray out) except -1
    cdef char* _room(self, Py_ssize_t nbytes) except NULL
