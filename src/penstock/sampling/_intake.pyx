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

cdef enum:
    TOGETHER = 16  # examples whose classes come from far: they are asked for before the first of them is added


cdef class Shelf:
    """As `intake.Shelf`."""

    cpdef bint put(self, object example, Py_ssize_t place) except -1:
        """As `intake.Shelf.put`."""
        return False

    cdef void expect(self, Py_ssize_t place) noexcept:
        """Has a place brought near, which is soon to be written to."""


cdef class Intake:
    """As `intake.Intake`."""

    cdef _open(self):
        self.arrived = 0
        self.until = 0x7FFFFFFFFFFFFFFF
        self.misfit = self.error = self.lasts = None

    def __len__(self): return self.arrived

    @property
    def halted(self):
        """As `intake.Intake.halted`."""
        return self._halted() or self.misfit is not None

    cdef bint _halted(self) noexcept:
        return True

    cdef int64_t _ahead(self) noexcept:
        """How many can surely be added before it may halt, where it is worth to pull them first and then add them; else 0."""
        return 0

    cdef void _ask_for(self, int64_t of) noexcept:
        """Has what is known of a class brought near."""

    cdef void _ask_for_more(self, int64_t of, int i) noexcept:
        """Has that brought near which only shows once what was asked for is there, and what the i-th to be kept takes."""

    cdef int64_t _arrive(self, int64_t of) except -2:
        """Counts an arrival, and gives where it is kept, or -1. Each kind has its own: Cython knows no abstract methods."""
        raise NotImplementedError

    cdef _keep(self, object example, int64_t kept):
        """Keeps an example there. Each kind that is given examples has its own."""
        raise NotImplementedError

    def labels(self, how, key, classes, unknown, *, identity=False):
        """As `intake.Intake.labels`."""
        self.how = Labels(how, key, classes, unknown, identity=identity)

    def pull(self, list iterators, Py_ssize_t first, Py_ssize_t n):
        """As `intake.Intake.pull`."""
        cdef Py_ssize_t k = PyList_GET_SIZE(iterators), place = first, some
        cdef PyObject* item
        cdef bint over = False
        assert 0 <= first < k, "the first place is one of the iterators'"
        self._start()
        while n > 0 and not self._halted():
            some = min(TOGETHER, n, self._ahead())
            if some > 1:
                some = self._pull_some(iterators, place, some, &over)
                if over:
                    return
                n, place = n - some, (place + some) % k
                continue
            n -= 1
            item = PyIter_Next(<object> PyList_GET_ITEM(iterators, place))
            if item is NULL:
                return
            if self.lasts is not None:
                self.lasts[place] = <object> item
            try:
                if not self._take(<object> item):
                    return
            finally:
                Py_XDECREF(item)
            place += 1
            if place == k:
                place = 0

    cdef Py_ssize_t _pull_some(self, list iterators, Py_ssize_t first, Py_ssize_t n, bint* over) except -1:
        """Pulls a few examples, which cannot make it halt, and adds them; says how many, and whether one of them was the last."""
        cdef Py_ssize_t k = PyList_GET_SIZE(iterators), place = first, m = 0, i
        cdef PyObject* items[TOGETHER]
        cdef int64_t of[TOGETHER]
        cdef int64_t kept
        try:
            while m < n:
                items[m] = PyIter_Next(<object> PyList_GET_ITEM(iterators, place))
                if items[m] is NULL:
                    over[0] = True
                    break
                m += 1
                if self.lasts is not None:
                    self.lasts[place] = <object> items[m - 1]
                of[m - 1] = self._class_of(<object> items[m - 1])
                if self.misfit is not None:
                    over[0] = True
                    break
                self._ask_for(of[m - 1])
                place += 1
                if place == k:
                    place = 0
        finally:  # Those before one that raises have arrived all the same.
            for i in range(m):
                self._ask_for_more(of[i], i)
            for i in range(m):
                if i < m - 1 or self.misfit is None:
                    kept = self._arrive(of[i])
                    if kept >= 0:
                        self._keep(<object> items[i], kept)
                Py_XDECREF(items[i])
        return m

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
        cdef int64_t of = self._class_of(example), kept
        if self.misfit is not None:
            return False
        kept = self._arrive(of)
        if kept >= 0:
            self._keep(example, kept)
        return True

    cdef int64_t _class_of(self, object example) except -2:
        """The class of an example, which is the misfit if its label is refused."""
        cdef int64_t of
        try:
            of = self.how.class_of(example, self.classes)
            if not -1 <= of < self.classes:
                raise ValueError(mismatch(f"a class below {self.classes}, or -1", of, at="a label"))
        except BaseException as error:
            self.misfit, self.error = (example,), error
            return -1
        return of
