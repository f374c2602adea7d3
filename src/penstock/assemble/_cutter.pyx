# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `cutter.Cutter`."""

cimport numpy as cnp
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.string cimport memcpy

import numpy as np

from penstock.assemble._native cimport Kind
from penstock.assemble._pool cimport Pool

cdef extern from "numpy/arrayobject.h":
    object PyArray_NewFromDescr(
        PyTypeObject*, PyArray_Descr*, int, cnp.npy_intp*, cnp.npy_intp*, void*, int, PyObject*
    )
    int PyArray_SetBaseObject(cnp.ndarray, object) except -1
    bint PyArray_EquivTypes(cnp.dtype, cnp.dtype)
    PyArray_Descr* PyArray_DESCR(cnp.ndarray)
    ctypedef struct PyArray_Descr:
        pass

cnp.import_array()

cdef enum:
    MOST_DIMS = 64  # NumPy's own bound


cdef class Cutter:
    """As `cutter.Cutter`; the components as `prepared` gives them."""

    cdef list kinds
    cdef Pool pool

    def __init__(self, list kinds, Pool pool):
        self.kinds, self.pool = kinds, pool

    def fits(self, tuple run):
        """As `cutter.Cutter.fits`."""
        cdef Py_ssize_t j
        for j in range(PyTuple_GET_SIZE(run)):
            if not _fits(<cnp.ndarray> PyTuple_GET_ITEM(run, j), <Kind> PyList_GET_ITEM(self.kinds, j)):
                return False
        return True

    def cut(self, list runs, Py_ssize_t at, Py_ssize_t size, Py_ssize_t most):
        """As `cutter.Cutter.cut`."""
        cdef list batches = [], batch
        cdef tuple run
        cdef Py_ssize_t place = 0, rows, n = PyList_GET_SIZE(runs), have = -at, j
        for run in runs:
            have += _rows(run)
        while have >= size and PyList_GET_SIZE(batches) < most:
            run = <tuple> PyList_GET_ITEM(runs, place)
            rows = _rows(run)
            if at >= rows:
                at -= rows
                place += 1
                continue
            batch = []
            for j in range(PyTuple_GET_SIZE(run)):
                if at + size <= rows:
                    batch.append(_view(<cnp.ndarray> PyTuple_GET_ITEM(run, j), at, size))
                else:
                    batch.append(self._copied(runs, place, j, at, size))
            batches.append(batch)
            at += size
            have -= size
        return batches

    cdef cnp.ndarray _copied(self, list runs, Py_ssize_t place, Py_ssize_t j, Py_ssize_t at, Py_ssize_t size):
        """One component of a batch that lies in several runs."""
        cdef Kind kind = <Kind> PyList_GET_ITEM(self.kinds, j)
        cdef cnp.ndarray piece = <cnp.ndarray> PyTuple_GET_ITEM(<tuple> PyList_GET_ITEM(runs, place), j), out
        cdef cnp.npy_intp dims[MOST_DIMS]
        cdef int axis
        cdef Py_ssize_t count, done = 0, row
        for axis in range(1, cnp.PyArray_NDIM(piece)):
            dims[axis] = cnp.PyArray_DIM(piece, axis)
        dims[0] = size
        out = self.pool.lend(cnp.PyArray_NDIM(piece), dims, kind.dtype)
        row = cnp.PyArray_NBYTES(out) // size
        while done < size:
            piece = <cnp.ndarray> PyTuple_GET_ITEM(<tuple> PyList_GET_ITEM(runs, place), j)
            count = min(cnp.PyArray_DIM(piece, 0) - at, size - done)
            if kind.plain and cnp.PyArray_IS_C_CONTIGUOUS(piece):
                memcpy(cnp.PyArray_BYTES(out) + done * row, cnp.PyArray_BYTES(piece) + at * row, count * row)
            else:
                out[done : done + count] = piece[at : at + count]
            done += count
            place += 1
            at = 0
        return out


cdef inline Py_ssize_t _rows(tuple run):
    return cnp.PyArray_DIM(<cnp.ndarray> PyTuple_GET_ITEM(run, 0), 0)


cdef bint _fits(cnp.ndarray array, Kind kind):
    """Whether an array is a run of just the leaves that are asked for."""
    cdef int axis
    cdef cnp.dtype its = <cnp.dtype> <PyObject*> PyArray_DESCR(array)
    if cnp.PyArray_NDIM(array) != kind.ndim + 1 or not (its is kind.dtype or PyArray_EquivTypes(its, kind.dtype)):
        return False
    for axis in range(kind.ndim):
        if kind.dims[axis] != cnp.PyArray_DIM(array, axis + 1):
            return False
    return True


cdef cnp.ndarray _view(cnp.ndarray array, Py_ssize_t start, Py_ssize_t count):
    """A read-only view of rows."""
    cdef cnp.npy_intp dims[MOST_DIMS]
    cdef int axis, flags
    cdef cnp.ndarray view
    cdef PyArray_Descr* descr = PyArray_DESCR(array)
    if type(array) is not np.ndarray:
        view = array[start : start + count]
        view.flags.writeable = False
        return view
    for axis in range(cnp.PyArray_NDIM(array)):
        dims[axis] = cnp.PyArray_DIM(array, axis)
    dims[0] = count
    Py_INCREF(<object> <PyObject*> descr)  # the view takes this reference for its own
    flags = cnp.PyArray_FLAGS(array) & cnp.NPY_ARRAY_ALIGNED
    view = PyArray_NewFromDescr(
        <PyTypeObject*> np.ndarray,
        descr,
        cnp.PyArray_NDIM(array),
        dims,
        cnp.PyArray_STRIDES(array),
        cnp.PyArray_BYTES(array) + start * cnp.PyArray_STRIDE(array, 0),
        flags,
        NULL,
    )
    Py_INCREF(array)  # and this one
    PyArray_SetBaseObject(view, array)
    return view
