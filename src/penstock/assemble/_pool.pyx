# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `pool.Pool`: recycled memory for batches, lent out by an object that is no array.

A piece goes back to its shelf in the loan's `__dealloc__`, which touches no Python object, takes no lock and cannot fail;
the interpreter's own lock is held there, as it is where a piece is taken.
"""

cimport cython
cimport numpy as cnp
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF
from libc.stdint cimport uintptr_t

import numpy as np

from penstock.assemble.pool import ALIGNED, IDLE, LEAST, size_class

cdef extern from "numpy/arrayobject.h":
    object PyArray_NewFromDescr(
        PyTypeObject*, PyArray_Descr*, int, cnp.npy_intp*, cnp.npy_intp*, void*, int, PyObject*
    )
    int PyArray_SetBaseObject(cnp.ndarray, object) except -1
    bint PyDataType_REFCHK(PyArray_Descr*)
    ctypedef struct PyArray_Descr:
        pass

cnp.import_array()

cdef enum:
    MOST_IDLE = 16
    MOST_DIMS = 64

assert IDLE <= MOST_IDLE, "a shelf has a place for each idle piece"

cdef int idle_pieces = IDLE
cdef Py_ssize_t aligned = ALIGNED


cdef class _Shelf:
    """Idle pieces of one size."""

    cdef Py_ssize_t size
    cdef int count
    cdef char* pieces[MOST_IDLE]

    def __dealloc__(self):
        while self.count:
            self.count -= 1
            PyMem_RawFree(self.pieces[self.count])


@cython.no_gc  # a collector that cleared `shelf` first would leave `__dealloc__` without it; no cycle goes through here
cdef class _Loan:
    """One piece of memory, for as long as an array over it lives."""

    cdef _Shelf shelf
    cdef char* piece

    def __dealloc__(self):
        if self.shelf.count < idle_pieces:
            self.shelf.pieces[self.shelf.count] = self.piece
            self.shelf.count += 1
        else:
            PyMem_RawFree(self.piece)


cdef class Pool:
    """As `pool.Pool`."""

    cdef dict _shelves

    def __init__(self):
        self._shelves = {}

    def array(self, tuple shape, cnp.dtype dtype):
        """As `pool.Pool.array`."""
        cdef cnp.npy_intp dims[MOST_DIMS]
        cdef int ndim = len(shape), axis
        cdef Py_ssize_t nbytes = dtype.itemsize
        cdef _Loan loan
        cdef cnp.ndarray array
        cdef char* data
        assert ndim <= MOST_DIMS, "NumPy has no more dimensions"
        for axis in range(ndim):
            dims[axis] = shape[axis]
            nbytes *= dims[axis]
        if nbytes < LEAST or PyDataType_REFCHK(<PyArray_Descr*> <PyObject*> dtype):
            return np.empty(shape, dtype)
        loan = self._loan(nbytes)
        data = loan.piece + (-<uintptr_t> loan.piece) % <uintptr_t> aligned
        Py_INCREF(dtype)  # the array takes this reference for its own
        array = PyArray_NewFromDescr(
            <PyTypeObject*> np.ndarray, <PyArray_Descr*> <PyObject*> dtype, ndim, dims, NULL, data, cnp.NPY_ARRAY_CARRAY, NULL
        )
        Py_INCREF(loan)  # and this one
        PyArray_SetBaseObject(array, loan)
        return array

    cdef _Loan _loan(self, Py_ssize_t nbytes):
        cdef Py_ssize_t size = size_class(nbytes)
        cdef _Shelf shelf = self._shelves.get(size)
        cdef _Loan loan
        cdef char* piece
        if shelf is None:
            shelf = _Shelf.__new__(_Shelf)
            shelf.size = size
            self._shelves[size] = shelf
        if shelf.count:
            shelf.count -= 1
            piece = shelf.pieces[shelf.count]
        else:
            piece = <char*> PyMem_RawMalloc(size + aligned)
            if piece is NULL:
                raise MemoryError(f"no memory for a batch of {nbytes} bytes")
        loan = _Loan.__new__(_Loan)
        loan.shelf = shelf
        loan.piece = piece
        return loan
