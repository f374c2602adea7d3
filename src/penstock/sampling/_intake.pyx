# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `intake.Intake`."""

cimport numpy as cnp
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF
from libc.stdint cimport int64_t

from penstock.sampling._integers cimport data
from penstock.sampling._labels cimport Labels

import penstock.sampling.checks as checks
from penstock.errors import mismatch

cdef extern from "Python.h":
    PyObject* PyIter_Next(object) except? NULL

cnp.import_array()


cdef class Shelf:
    """As `intake.Shelf`."""

    cpdef bint put(self, object example, Py_ssize_t place) except -1:
        """As `intake.Shelf.put`."""
        return False


cdef class Intake:
    """As `intake.Intake`."""

    cdef _open(self):
        self.arrived = 0
        self.until = 0x7FFFFFFFFFFFFFFF
        self.misfit = self.error = None

    def __len__(self): return self.arrived

    @property
    def halted(self):
        """As `intake.Intake.halted`."""
        return self._halted() or self.misfit is not None

    cdef bint _halted(self) noexcept:
        return True

    cdef int64_t _arrive(self, int64_t of) except -2:
        raise NotImplementedError

    cdef _keep(self, object example, int64_t kept):
        raise NotImplementedError

    def labels(self, how, key, classes, unknown, *, identity=False):
        """As `intake.Intake.labels`."""
        self.how = Labels(how, key, classes, unknown, identity=identity)

    def pull(self, list iterators, Py_ssize_t first, Py_ssize_t n):
        """As `intake.Intake.pull`."""
        cdef Py_ssize_t k = PyList_GET_SIZE(iterators), place = first
        cdef PyObject* item
        assert 0 <= first < k, "the first place is one of the iterators'"
        self._start()
        for _ in range(n):
            if self._halted():
                return
            item = PyIter_Next(<object> PyList_GET_ITEM(iterators, place))
            if item is NULL:
                return
            try:
                if not self._take(<object> item):
                    return
            finally:
                Py_XDECREF(item)
            place += 1
            if place == k:
                place = 0

    def add(self, list rows, Py_ssize_t start):
        """As `intake.Intake.add`."""
        cdef int64_t before = self.arrived
        cdef Py_ssize_t place = start
        assert start >= 0, "places are counted from the first"
        self._start()
        while place < PyList_GET_SIZE(rows) and not self._halted() and self._take(rows[place]):
            place += 1
        return self.arrived - before

    def add_classes(self, classes, Py_ssize_t start):
        """As `intake.Intake.add_classes`."""
        cdef cnp.ndarray array = checks.checked_classes(classes, self.keeps_rows)
        cdef int64_t before = self.arrived, of, place
        assert start >= 0, "places are counted from the first"
        self.misfit = self.error = None
        for place in range(start, cnp.PyArray_SIZE(array)):
            if self._halted():
                break
            of = data(array)[place]
            if not -1 <= of < self.classes:
                raise ValueError(mismatch(f"a class below {self.classes}, or -1", of, at=f"{self.name}.add_classes"))
            self._arrive(of)
        return self.arrived - before

    cdef _start(self):
        if self.how is None:
            expected = "to know how labels are read"
            raise ValueError(mismatch(expected, "no word of it", at=self.name, do="call `labels`"))
        self.misfit = self.error = None

    cdef bint _take(self, object example) except -1:
        """Adds an example, unless its label is refused."""
        cdef int64_t of, kept
        try:
            of = self.how.class_of(example, self.classes)
            if not -1 <= of < self.classes:
                raise ValueError(mismatch(f"a class below {self.classes}, or -1", of, at="a label"))
        except BaseException as error:
            self.misfit, self.error = (example,), error
            return False
        kept = self._arrive(of)
        if kept >= 0:
            self._keep(example, kept)
        return True
