# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `sieve.Sieve`."""

cimport cython
cimport numpy as cnp
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF
from libc.stdint cimport int64_t, uint64_t

from penstock.sampling._labels cimport Labels
from penstock.sampling._slots cimport coin

import numpy as np

import penstock.sampling.checks as checks
import penstock.sampling.sieve as sieve
import penstock.sampling.splitmix as splitmix
from penstock.errors import mismatch

cdef extern from "Python.h":
    PyObject* PyIter_Next(object) except? NULL

cnp.import_array()

cdef enum:
    FIRST = 64  # places in the log of what is kept


cdef inline int64_t* data(cnp.ndarray array) noexcept: return <int64_t*> cnp.PyArray_DATA(array)


@cython.final
cdef class Sieve:
    """As `sieve.Sieve`."""

    cdef readonly int64_t arrived, ignored
    cdef public int64_t until, wanted
    cdef readonly tuple misfit
    cdef readonly object error, seen, given
    cdef uint64_t seed
    cdef int64_t classes, told, count, room
    cdef list rows
    cdef Labels how
    cdef cnp.ndarray limit_table, log_table
    cdef int64_t* limit  # what the tables hold, and the counters
    cdef int64_t* log
    cdef int64_t* came
    cdef int64_t* went

    def __init__(self, seed):
        self.seed = seed & splitmix.LARGEST
        self.limit_table, self.log_table = np.zeros(0, np.int64), np.zeros((0, 2), np.int64)
        self.seen = self.given = np.zeros(0, np.int64)
        self.rows = []
        self.arrived = self.ignored = self.classes = self.told = self.count = self.room = self.wanted = 0
        self.until = 0x7FFFFFFFFFFFFFFF
        self.misfit = self.error = None

    def __len__(self): return self.arrived

    @property
    def halted(self):
        """As `sieve.Sieve.halted`."""
        return self._halted() or self.misfit is not None

    cdef inline bint _halted(self) noexcept: return self.count >= self.wanted or self.arrived >= self.until

    def grow(self, int64_t classes):
        """As `sieve.Sieve.grow`."""
        more = classes - self.classes
        self.limit_table = np.append(self.limit_table, np.full(more, sieve.ALL, np.int64))
        self.seen = np.append(self.seen, np.zeros(more, np.int64))
        self.given = np.append(self.given, np.zeros(more, np.int64))
        self.limit, self.came, self.went = data(self.limit_table), data(self.seen), data(self.given)
        self.classes = classes

    def admit(self, chances):
        """As `sieve.Sieve.admit`."""
        self.limit_table = checks.checked_chances(chances, self.classes)
        self.limit = data(self.limit_table)

    def labels(self, how, key, classes, unknown, *, identity=False):
        """As `sieve.Sieve.labels`."""
        self.how = Labels(how, key, classes, unknown, identity=identity)

    def pull(self, list iterators, Py_ssize_t first, Py_ssize_t n):
        """As `sieve.Sieve.pull`."""
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
        """As `sieve.Sieve.add`."""
        cdef int64_t before = self.arrived
        cdef Py_ssize_t place = start
        assert start >= 0, "places are counted from the first"
        self._start()
        while place < PyList_GET_SIZE(rows) and not self._halted() and self._take(rows[place]):
            place += 1
        return self.arrived - before

    def add_classes(self, classes, Py_ssize_t start):
        """As `sieve.Sieve.add_classes`."""
        cdef cnp.ndarray array = checks.checked_classes(classes, False)
        cdef int64_t before = self.arrived, of, place, n = cnp.PyArray_SIZE(array)
        assert start >= 0, "places are counted from the first"
        self.misfit = self.error = None
        for place in range(start, n):
            if self._halted():
                break
            of = data(array)[place]
            if not -1 <= of < self.classes:
                raise ValueError(mismatch(f"a class below {self.classes}, or -1", of, at="sieve.add_classes"))
            self._arrive(of)
        return self.arrived - before

    cdef _start(self):
        if self.how is None:
            raise ValueError(mismatch("to know how labels are read", "no word of it", at="sieve", do="call `labels`"))
        self.misfit = self.error = None

    cdef inline bint _take(self, object example) except -1:
        """Judges an example, unless its label is refused."""
        cdef int64_t of
        try:
            of = self.how.class_of(example, self.classes)
            if not -1 <= of < self.classes:
                raise ValueError(mismatch(f"a class below {self.classes}, or -1", of, at="a label"))
        except BaseException as error:
            self.misfit, self.error = (example,), error
            return False
        if self._arrive(of):
            self.rows.append(example)
        return True

    cdef inline int _arrive(self, int64_t of) except -1:
        """Counts an arrival, and says whether it is kept."""
        cdef int64_t number = self.arrived
        if of < 0:
            self.arrived += 1
            self.ignored += 1
            return False
        if self.count == self.room:
            self._make_room()
        self.arrived += 1
        self.came[of] += 1
        if <int64_t> (coin(self.seed, number) >> 11) >= self.limit[of]:
            return False
        self.went[of] += 1
        self.log[2 * self.count], self.log[2 * self.count + 1] = number - self.told, of
        self.count += 1
        return True

    cdef int _make_room(self) except -1:
        """Sees to it that one more can be noted."""
        more = np.zeros((2 * self.room or FIRST, 2), np.int64)
        more[:self.room] = self.log_table
        self.log_table, self.room = more, len(more)
        self.log = data(self.log_table)
        return 0

    def kept(self):
        """As `sieve.Sieve.kept`."""
        log, rows = self.log_table[:self.count], self.rows
        self.rows, self.count, self.told = [], 0, self.arrived
        return rows, log[:, 0].copy(), log[:, 1].copy()

    def state(self):
        """As `sieve.Sieve.state`."""
        return {
            "arrived": self.arrived,
            "ignored": self.ignored,
            "until": self.until,
            "sides": self.limit_table.copy(),
            "seen": self.seen.copy(),
            "given": self.given.copy(),
        }

    def restore(self, state):
        """As `sieve.Sieve.restore`."""
        self.limit_table, self.seen, self.given = checks.checked_sieve(state)
        self.limit, self.came, self.went = data(self.limit_table), data(self.seen), data(self.given)
        self.classes = len(self.limit_table)
        self.arrived = self.told = int(state["arrived"])
        self.ignored, self.until = int(state["ignored"]), int(state["until"])
