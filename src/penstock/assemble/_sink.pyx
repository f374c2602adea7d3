# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `sink.Sink`: an example goes from the source into its row of the batch while it is still warm."""

cimport numpy as cnp
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.string cimport memcpy

from penstock.assemble._native cimport Kind

import penstock.assemble.reference as reference
from penstock.assemble.misfit import Misfit
from penstock.structure import Form

cdef extern from "Python.h":
    PyObject* PyIter_Next(object) except? NULL
    PyObject* PyDict_GetItemWithError(object, object) except? NULL
    Py_ssize_t PyDict_Size(object) except -1

cnp.import_array()

cdef enum:
    MOST = 16  # components


def pull_turns(list iterators, Py_ssize_t first, Py_ssize_t n, list rows):
    """As `sink.pull_turns`."""
    cdef Py_ssize_t k = PyList_GET_SIZE(iterators), place = first
    cdef PyObject* item
    assert 0 <= first < k, "the first place is one of the iterators'"
    for _ in range(n):
        item = PyIter_Next(<object> PyList_GET_ITEM(iterators, place))
        if item is NULL:
            return
        rows.append(<object> item)
        Py_XDECREF(item)
        place += 1
        if place == k:
            place = 0


cdef class Sink:
    """As `sink.Sink`."""

    cdef readonly list arrays
    cdef readonly Py_ssize_t filled
    cdef readonly object misfit
    cdef object type
    cdef tuple keys
    cdef list kinds
    cdef Py_ssize_t size, count
    cdef bint bare, is_dict
    cdef char* to[MOST]
    cdef Py_ssize_t row[MOST]

    def __init__(self, structure, list kinds, list arrays):
        cdef Py_ssize_t j
        assert 0 < len(arrays) <= MOST, "the assembler asks for no sink of more components"
        self.arrays, self.kinds = arrays, kinds
        self.type, self.keys = structure.type, structure.keys
        self.bare, self.is_dict = structure.is_leaf, structure.form is Form.DICT
        self.count, self.size = len(arrays), len(arrays[0])
        for j in range(self.count):
            self.to[j] = <char*> cnp.PyArray_DATA(<cnp.ndarray> arrays[j])
            self.row[j] = cnp.PyArray_NBYTES(<cnp.ndarray> arrays[j]) // self.size

    def __len__(self):
        return self.filled

    def pull(self, list iterators, Py_ssize_t first, Py_ssize_t n):
        """As `sink.Sink.pull`."""
        cdef Py_ssize_t k = PyList_GET_SIZE(iterators), place = first
        cdef PyObject* item
        cdef bint fits
        assert 0 <= first < k and self.filled + n <= self.size, "there is a row for each example"
        for _ in range(n):
            item = PyIter_Next(<object> PyList_GET_ITEM(iterators, place))
            if item is NULL:
                return
            try:
                fits = self._write(<object> item)
                if not fits:
                    self.misfit = (<object> item,)
                    return
            finally:
                Py_XDECREF(item)
            self.filled += 1
            place += 1
            if place == k:
                place = 0

    def add(self, list rows):
        """As `sink.Sink.add`."""
        for row in rows:
            if not self._write(row):
                self.misfit = (row,)
                return
            self.filled += 1

    cdef bint _write(self, object item) except -1:
        """Writes an example to the next row, if it fits."""
        cdef Py_ssize_t j
        cdef PyObject* leaf
        if self.bare:
            return self._leaf(0, item)
        if type(item) is not self.type:
            return False
        if self.is_dict:
            if PyDict_Size(item) != self.count:
                return False
            for j in range(self.count):
                leaf = PyDict_GetItemWithError(item, <object> PyTuple_GET_ITEM(self.keys, j))
                if leaf is NULL or not self._leaf(j, <object> leaf):
                    return False
            return True
        if PyTuple_GET_SIZE(item) != self.count:
            return False
        for j in range(self.count):
            if not self._leaf(j, <object> PyTuple_GET_ITEM(item, j)):
                return False
        return True

    cdef bint _leaf(self, Py_ssize_t j, object leaf) except -1:
        cdef Kind kind = <Kind> PyList_GET_ITEM(self.kinds, j)
        cdef char* to = self.to[j] + self.filled * self.row[j]
        if cnp.PyArray_Check(leaf):
            if kind.fits(<cnp.ndarray> leaf):
                memcpy(to, cnp.PyArray_DATA(<cnp.ndarray> leaf), self.row[j])
                return True
        elif kind.scalar_to(leaf, to):
            return True
        try:
            reference.stack([leaf], kind.component, self.arrays[j][self.filled:self.filled + 1])
        except Misfit:
            return False
        return True
