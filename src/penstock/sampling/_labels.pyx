# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `labels.Labels`."""

cimport cython
cimport numpy as cnp
from cpython.bytes cimport PyBytes_CheckExact
from cpython.dict cimport PyDict_CheckExact
from cpython.list cimport PyList_CheckExact, PyList_GET_ITEM, PyList_GET_SIZE
from cpython.long cimport PyLong_CheckExact
from cpython.number cimport PyNumber_Index
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_CheckExact, PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_CheckExact
from libc.stdint cimport int64_t

import numpy as np

import penstock.sampling.labels as labels
from penstock.errors import mismatch

cnp.import_array()

cdef extern from "Python.h":
    PyObject* PyDict_GetItemWithError(object, object) except? NULL
    long long PyLong_AsLongLongAndOverflow(object, int*) except? -1

cdef extern from *:
    """
    #include "numpy/arrayobject.h"
    #include "numpy/arrayscalars.h"
    """
    ctypedef struct PyLongScalarObject:
        long obval

cdef enum:
    INDEX, KEY, CALL, WHOLE  # as in labels.HOW
    NO_PLACE = 1 << 30

cdef object INT64 = np.int64
cdef object INT32 = np.int32
cdef object LONG = np.long  # of which there is none that is no INT64 on most systems


cdef inline int64_t whole(label) except? -3:
    """The number that a label is which is just an `np.int64` or `np.int32`; mostly it stands there to be read."""
    if type(label) is LONG:
        return (<PyLongScalarObject*> <PyObject*> label).obval
    return label


@cython.final
cdef class Labels:
    """As `labels.Labels`."""

    def __init__(self, how, key, dict classes not None, unknown, *, identity):
        labels.Labels(how, key, classes, unknown, identity=identity)  # It says what is wrong with them.
        self.how = labels.HOW.index(how)
        self.place = key if type(key) is int and abs(key) < NO_PLACE else NO_PLACE
        self.key, self.classes, self.unknown, self.identity = key, classes, unknown, identity

    cdef object label_of(self, object example):
        """What `labels.Labels` reads; what is not found at once is looked for in Python's way, which says what is wrong."""
        cdef int64_t place = self.place
        cdef PyObject* found
        if self.how == INDEX:
            if PyTuple_CheckExact(example):
                place += PyTuple_GET_SIZE(example) if place < 0 else 0
                if 0 <= place < PyTuple_GET_SIZE(example):
                    return <object> PyTuple_GET_ITEM(example, place)
            elif PyList_CheckExact(example):
                place += PyList_GET_SIZE(example) if place < 0 else 0
                if 0 <= place < PyList_GET_SIZE(example):
                    return <object> PyList_GET_ITEM(example, place)
        elif self.how == KEY and PyDict_CheckExact(example):
            found = PyDict_GetItemWithError(example, self.key)
            if found is not NULL:
                return <object> found
        elif self.how == CALL:
            return self.key(example)
        elif self.how == WHOLE:
            return example
        return example[self.key]

    cpdef int64_t class_of(self, object example, int64_t classes) except? -3:
        """As `labels.Labels.class_of`; what is no int64 is refused at once."""
        cdef object label = self.label_of(example)
        cdef PyObject* found = NULL
        cdef int overflow = 0
        cdef int64_t of
        if PyLong_CheckExact(label):
            if self.identity:
                of = PyLong_AsLongLongAndOverflow(label, &overflow)
                if 0 <= of < classes and not overflow:
                    return of
            else:
                found = PyDict_GetItemWithError(self.classes, label)
        elif type(label) is INT64 or type(label) is INT32:
            if self.identity:
                of = whole(label)
                if 0 <= of < classes:
                    return of
            else:
                found = PyDict_GetItemWithError(self.classes, PyNumber_Index(label))
        elif not self.identity and (PyUnicode_CheckExact(label) or PyBytes_CheckExact(label)):
            found = PyDict_GetItemWithError(self.classes, label)
        answer = PyNumber_Index(self.unknown(label) if found is NULL else <object> found)
        of = PyLong_AsLongLongAndOverflow(answer, &overflow)
        if overflow:
            raise ValueError(mismatch(f"a class below {classes}, or -1", answer, at="a label"))
        return of


def all_below(cnp.ndarray numbers, int64_t end):
    """As `labels.all_below`."""
    cdef int64_t* its = <int64_t*> cnp.PyArray_DATA(numbers)
    cdef Py_ssize_t i
    cdef int64_t wrong = 0
    if cnp.PyArray_TYPE(numbers) != cnp.NPY_INT64 or not cnp.PyArray_ISCARRAY_RO(numbers):
        return labels.all_below(numbers, end)
    for i in range(cnp.PyArray_SIZE(numbers)):  # Without a branch, since nearly always all are.
        wrong |= its[i] | (end - 1 - its[i])
    return wrong >= 0
