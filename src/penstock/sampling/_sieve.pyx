# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `sieve.Sieve`."""

cimport cython
cimport numpy as cnp
from libc.stdint cimport int64_t, uint64_t

from penstock.sampling._intake cimport Intake
from penstock.sampling._slots cimport coin

import numpy as np

import penstock.sampling.checks as checks
import penstock.sampling.sieve as sieve
import penstock.sampling.splitmix as splitmix

cnp.import_array()

cdef enum:
    FIRST = 64  # places in the log of what is kept


cdef inline int64_t* data(cnp.ndarray array) noexcept: return <int64_t*> cnp.PyArray_DATA(array)


@cython.final
cdef class Sieve(Intake):
    """As `sieve.Sieve`."""

    cdef readonly int64_t ignored
    cdef public int64_t wanted
    cdef readonly object seen, given
    cdef uint64_t seed
    cdef int64_t told, count, room
    cdef list rows
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
        self.ignored = self.classes = self.told = self.count = self.room = self.wanted = 0
        self.name = sieve.Sieve.name
        self._open()

    cdef bint _halted(self) noexcept: return self.count >= self.wanted or self.arrived >= self.until

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

    cdef int64_t _arrive(self, int64_t of) except -2:
        """Counts an arrival, and gives its class if it is kept, or -1."""
        cdef int64_t number = self.arrived
        if of < 0:
            self.arrived += 1
            self.ignored += 1
            return -1
        if self.count == self.room:
            self._make_room()
        self.arrived += 1
        self.came[of] += 1
        if <int64_t> (coin(self.seed, number) >> 11) >= self.limit[of]:
            return -1
        self.went[of] += 1
        self.log[2 * self.count], self.log[2 * self.count + 1] = number - self.told, of
        self.count += 1
        return of

    cdef _keep(self, object example, int64_t kept):
        self.rows.append(example)

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
