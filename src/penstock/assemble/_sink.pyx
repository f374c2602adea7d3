# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `sink.Sink`: an example goes from the source into its row of the batch while it is still warm."""

cimport numpy as cnp
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_XDECREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.string cimport memcpy

from penstock.assemble._native cimport Kind
from penstock.assemble._pile cimport Late, Pile

import penstock.assemble.reference as reference
from penstock.assemble.misfit import Misfit
from penstock.structure import Form

cdef extern from "Python.h":
    PyObject* PyIter_Next(object) except? NULL
    PyObject* PyDict_GetItemWithError(object, object) except? NULL
    Py_ssize_t PyDict_Size(object) except -1

cnp.import_array()

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define penstock_prefetch(address) __builtin_prefetch(address)
    #else
    #define penstock_prefetch(address) ((void) (address))
    #endif
    """
    void penstock_prefetch(const void*) noexcept nogil

cdef enum:
    MANY = 16  # sources, from which on their bytes come from far: the cache follows fewer
    LINE = 64  # bytes of a cache's line
    MOST_LINES = 8  # of an array that are asked for ahead; the rest follows by itself
    NEXT = 3  # turns ahead of which an iterator is asked for
    ITS_LINES = 5  # of a generator, with its frame


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


cdef inline void _ask_for(PyObject* iterator) noexcept:
    """Has an iterator brought near, which is to be pulled soon."""
    cdef int line
    for line in range(ITS_LINES):
        penstock_prefetch(<char*> iterator + line * LINE)  # past its end it does nothing


cdef class Sink:
    """As `sink.Sink`."""

    def __init__(self, structure, list kinds, list places):
        cdef Py_ssize_t j
        assert 0 < len(places) <= MOST, "the assembler asks for no sink of more components"
        self.places, self.kinds = places, kinds
        self.type, self.keys = structure.type, structure.keys
        self.bare, self.is_dict = structure.is_leaf, structure.form is Form.DICT
        self.count = len(places)
        for j in range(self.count):
            self.to[j] = NULL
            if isinstance(places[j], Pile):
                self.room, self.piles = (<Pile> places[j]).most, True
            else:
                self.room = len(places[j])
                self.to[j] = <char*> cnp.PyArray_DATA(<cnp.ndarray?> places[j])
                self.row[j] = cnp.PyArray_NBYTES(<cnp.ndarray> places[j]) // self.room

    def __len__(self):
        return self.filled

    @property
    def halted(self):
        """As `sink.Sink.halted`."""
        return self.misfit is not None

    def pull(self, list iterators, Py_ssize_t first, Py_ssize_t n):
        """As `sink.Sink.pull`."""
        cdef Py_ssize_t k = PyList_GET_SIZE(iterators), place = first
        cdef PyObject* item
        cdef bint fits
        assert 0 <= first < k and self.filled + n <= self.room, "there is a row for each example"
        cdef bint far = k > MANY
        self.holds = far or self.piles
        try:
            for _ in range(n):
                if far:
                    _ask_for(PyList_GET_ITEM(iterators, place + NEXT if place + NEXT < k else place + NEXT - k))
                item = PyIter_Next(<object> PyList_GET_ITEM(iterators, place))
                if item is NULL:
                    return
                if self.lasts is not None:
                    self.lasts[place] = <object> item
                try:
                    fits = self.write(<object> item, self.filled)
                    if not fits:
                        self.misfit = (<object> item,)
                        return
                finally:
                    self._let_go(item)
                self.filled += 1
                place += 1
                if place == k:
                    place = 0
        finally:
            self.holds = False
            self._copy()

    cdef void _let_go(self, PyObject* item) noexcept:
        """Drops an example, or holds it until what is late of it has been copied."""
        if not self.n_late:
            Py_XDECREF(item)
            return
        self.held[self.n_held] = item
        self.n_held += 1
        if self.n_held == MOST_HELD:
            self._copy()

    cdef void _copy(self) noexcept:
        """Copies what is late, and drops the examples that it belongs to."""
        cdef int i
        for i in range(self.n_late):
            memcpy(self.late[i].to, self.late[i].data, self.late[i].nbytes)
        self.n_late = 0
        while self.n_held:
            self.n_held -= 1
            Py_DECREF(<object> self.held[self.n_held])

    def add(self, list rows):
        """As `sink.Sink.add`."""
        for row in rows:
            if not self.write(row, self.filled):
                self.misfit = (row,)
                return
            self.filled += 1

    cdef bint write(self, object item, Py_ssize_t row) except -1:
        """Writes an example to a row, if it fits."""
        cdef Py_ssize_t j
        cdef PyObject* leaf
        if self.bare:
            return self._leaf(0, item, row)
        if type(item) is not self.type:
            return False
        if self.is_dict:
            if PyDict_Size(item) != self.count:
                return False
            for j in range(self.count):
                leaf = PyDict_GetItemWithError(item, <object> PyTuple_GET_ITEM(self.keys, j))
                if leaf is NULL or not self._leaf(j, <object> leaf, row):
                    return False
            return True
        if PyTuple_GET_SIZE(item) != self.count:
            return False
        for j in range(self.count):
            if not self._leaf(j, <object> PyTuple_GET_ITEM(item, j), row):
                return False
        return True

    cdef bint _leaf(self, Py_ssize_t j, object leaf, Py_ssize_t row) except -1:
        cdef Kind kind = <Kind> PyList_GET_ITEM(self.kinds, j)
        cdef char* to
        cdef Late late
        if self.to[j] is NULL:
            if not (<Pile> PyList_GET_ITEM(self.places, j)).put(leaf, &late):
                return False
            if self.holds and late.nbytes:
                self._later(late)
            else:
                memcpy(late.to, late.data, late.nbytes)
            return True
        to = self.to[j] + row * self.row[j]
        if kind.ndim == 0 and kind.scalar_to(leaf, to):
            return True
        if cnp.PyArray_Check(leaf):
            if kind.fits(<cnp.ndarray> leaf):
                if self.holds:
                    self._later(Late(to, <char*> cnp.PyArray_DATA(<cnp.ndarray> leaf), self.row[j]))
                else:
                    memcpy(to, cnp.PyArray_DATA(<cnp.ndarray> leaf), self.row[j])
                return True
        try:
            reference.stack([leaf], kind.component, self.places[j][row:row + 1])
        except Misfit:
            return False
        return True

    cdef void _later(self, Late late) noexcept:
        """Notes what is to be copied, and has it brought near meanwhile."""
        cdef Py_ssize_t line, lines = (late.nbytes + LINE - 1) // LINE
        for line in range(lines if lines < MOST_LINES else MOST_LINES):
            penstock_prefetch(late.data + line * LINE)
        self.late[self.n_late] = late
        self.n_late += 1
