# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `pool.Pool`: recycled memory for batches, lent out by an object that is no array.

A piece goes back in the loan's `__dealloc__`, which calls no Python code, takes no lock and cannot fail;
the interpreter's own lock is held there, as it is where a piece is taken.
"""

cimport cython
cimport numpy as cnp
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport uintptr_t
from libc.string cimport memmove

import numpy as np

import penstock.assemble.pool as pool

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
    MOST_DIMS = 64

assert MOST_IDLE == pool.MOST_IDLE, "both twins keep as many pieces"

cdef Py_ssize_t aligned = pool.ALIGNED, least = pool.LEAST, most_takes = pool.MOST_TAKES


@cython.final
cdef class _Shelf:
    """Idle pieces, the newest last. Each is a NumPy array of bytes, since NumPy asks the system for large pages."""

    cdef void put(self, PyObject* piece) noexcept:
        """Takes over a reference to a piece."""
        if self.count == MOST_IDLE:
            self.drop_oldest()
        self.pieces[self.count] = piece
        self.since[self.count] = self.takes
        self.count += 1

    cdef cnp.ndarray take(self, int place):
        cdef cnp.ndarray piece = <cnp.ndarray> self.pieces[place]
        self._close_up(place)
        Py_DECREF(piece)
        return piece

    cdef void drop_oldest(self) noexcept:
        cdef PyObject* piece = self.pieces[0]
        self._close_up(0)
        Py_DECREF(<object> piece)

    cdef void _close_up(self, int place) noexcept:
        self.count -= 1
        memmove(&self.pieces[place], &self.pieces[place + 1], (self.count - place) * sizeof(PyObject*))
        memmove(&self.since[place], &self.since[place + 1], (self.count - place) * sizeof(Py_ssize_t))

    def __dealloc__(self):
        while self.count:
            self.drop_oldest()


@cython.final
@cython.no_gc  # A loan is in no cycle; so nothing takes its attributes away before its end.
cdef class _Loan:
    """One piece of memory, for as long as an array over it lives."""

    cdef _Shelf shelf
    cdef cnp.ndarray piece

    def __dealloc__(self):
        if not self.shelf.closed:
            Py_INCREF(self.piece)  # the shelf's own
            self.shelf.put(<PyObject*> self.piece)


@cython.final
cdef class Pool:
    """As `pool.Pool`."""

    def __cinit__(self, Py_ssize_t limit_bytes = pool.LIMIT_BYTES):
        self._shelf = _Shelf.__new__(_Shelf)
        self._limit_bytes = limit_bytes
        self._slabs = pool.Slabs()

    def __dealloc__(self):
        self._shelf.closed = True
        while self._shelf.count:
            self._shelf.drop_oldest()

    def array(self, tuple shape, cnp.dtype dtype):
        """As `pool.Pool.array`."""
        cdef cnp.npy_intp dims[MOST_DIMS]
        cdef int ndim = len(shape), axis
        assert ndim <= MOST_DIMS, "NumPy has no more dimensions"
        for axis in range(ndim):
            dims[axis] = shape[axis]
        return self.lend(ndim, dims, dtype)

    cdef cnp.ndarray lend(self, int ndim, cnp.npy_intp* dims, cnp.dtype dtype):
        cdef Py_ssize_t nbytes = dtype.itemsize
        cdef int axis
        cdef _Loan loan
        cdef cnp.ndarray array
        cdef char* data
        for axis in range(ndim):
            nbytes *= dims[axis]
        if nbytes < least or PyDataType_REFCHK(<PyArray_Descr*> <PyObject*> dtype):
            return np.empty([dims[axis] for axis in range(ndim)], dtype)
        loan = _Loan.__new__(_Loan)
        loan.shelf = self._shelf
        loan.piece = self._taken(nbytes)
        data = <char*> cnp.PyArray_DATA(loan.piece)
        data += (-<uintptr_t> data) % <uintptr_t> aligned
        Py_INCREF(dtype)  # the array takes this reference for its own
        array = PyArray_NewFromDescr(
            <PyTypeObject*> np.ndarray, <PyArray_Descr*> <PyObject*> dtype, ndim, dims, NULL, data, cnp.NPY_ARRAY_CARRAY, NULL
        )
        Py_INCREF(loan)  # and this one
        PyArray_SetBaseObject(array, loan)
        return array

    cdef cnp.ndarray _taken(self, Py_ssize_t nbytes):
        """As `pool.Pool._taken`."""
        cdef Py_ssize_t size = size_class(nbytes), held = 0, room
        cdef int place
        self._shelf.takes += 1
        if self._shelf.count and self._shelf.takes - self._shelf.since[0] > most_takes:
            self._shelf.drop_oldest()
        for place in range(self._shelf.count - 1, -1, -1):
            room = cnp.PyArray_NBYTES(<cnp.ndarray> self._shelf.pieces[place])
            if size <= room - aligned <= size + size // 4:
                return self._shelf.take(place)
            held += room
        while held > self._limit_bytes and self._shelf.count > 1:
            held -= cnp.PyArray_NBYTES(<cnp.ndarray> self._shelf.pieces[0])
            self._shelf.drop_oldest()
        return self._slabs.piece(size + aligned)

    @property
    def idle(self):
        """As `pool.Pool.idle`."""
        return self._shelf.count


cpdef Py_ssize_t size_class(Py_ssize_t nbytes) noexcept:
    """As `pool.size_class`."""
    cdef Py_ssize_t step = 1
    while nbytes // step >= 16:
        step *= 2
    if step < aligned:
        step = aligned
    return (nbytes + step - 1) // step * step
