# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Batches that are made, but for the rows of what is padded: whoever waits for batches writes those while waiting.

To write a padded batch takes the driver long, since the memory of one that is far ahead of the loop is in no cache any more.
It needs nothing of Python's, and whoever waits has a processor and nothing to do (benchmarks/ragged.py).
The few rows of a batch that lies across two chunks are not worth it (benchmarks/chunks.py: 41 ms put off, 39 at once).

Guarantees
  It is a bell, as `engine.bell.Bell`: a ring is never missed, whoever waits hears it, and ringing waits for nobody.
  What was put off is written once, in that order, before `finish` returns.
  Whoever has waited takes the interpreter when it is lent, or `asks_s` later.
Assumes
  One waiter, who is the one that calls `finish`; one other, who puts off, and helps.
How
  Whoever writes holds `work`; what is counted is changed under `door`, which is held for a few instructions and never while
  anything is waited for. Owners are let go of by those who have the interpreter.
"""

from cpython.exc cimport PyErr_CheckSignals
from cpython.object cimport PyObject
from cpython.pythread cimport (
    NOWAIT_LOCK,
    WAIT_LOCK,
    PyThread_acquire_lock,
    PyThread_allocate_lock,
    PyThread_free_lock,
    PyThread_release_lock,
    PyThread_type_lock,
)
from cpython.ref cimport Py_DECREF, Py_INCREF

from penstock.assemble._turn cimport ask, give_back, lend, seen

cdef extern from "pythread.h":
    ctypedef long long PY_TIMEOUT_T
    ctypedef enum PyLockStatus:
        PY_LOCK_FAILURE
        PY_LOCK_ACQUIRED
        PY_LOCK_INTR
    PY_TIMEOUT_T PY_TIMEOUT_MAX
    PyLockStatus PyThread_acquire_lock_timed(PyThread_type_lock, PY_TIMEOUT_T, int) nogil

cdef enum:
    GROUP = 16  # jobs that are worth to be woken for
    LEAST = 1 << 14  # bytes from which on it is worth while to put the writing off
    MOST = 1 << 20  # bytes from which on it is done at once, without the interpreter


cdef class Backlog:
    """What is still to be written, and the bell that the loop waits for."""

    def __cinit__(self):
        self.door, self.work, self.bell = PyThread_allocate_lock(), PyThread_allocate_lock(), PyThread_allocate_lock()
        if self.door is NULL or self.work is NULL or self.bell is NULL:
            raise MemoryError
        PyThread_acquire_lock(self.bell, WAIT_LOCK)

    def __dealloc__(self):
        while self.n_dropped < self.n_put:
            self._drop_one()
        if self.door is not NULL:
            PyThread_free_lock(self.door)
        if self.work is not NULL:
            PyThread_free_lock(self.work)
        if self.bell is not NULL:
            PyThread_free_lock(self.bell)

    @property
    def put(self):
        """How many jobs were put off so far."""
        return self.n_put

    @property
    def written(self):
        """How many of them are written."""
        return self.n_done

    cdef bint takes(self, Py_ssize_t nbytes) noexcept:
        """Whether so many bytes can be put off, and it is worth while."""
        self._drop()
        return LEAST <= nbytes < MOST and self.n_put - self.n_dropped < PLACES

    cdef void put_off(self, owner, void* job, Write write) noexcept:
        """Has a job done before `finish` returns; its owner is held until then. Only where `takes` has said so."""
        cdef Py_ssize_t place = self.n_put % PLACES
        cdef bint wakes
        Py_INCREF(owner)
        self.owners[place], self.jobs[place], self.writes[place] = <PyObject*> owner, job, write
        PyThread_acquire_lock(self.door, WAIT_LOCK)
        self.n_put += 1
        wakes = self.waits and self.n_put - self.n_done >= GROUP
        self.waits = self.waits and not wakes
        PyThread_release_lock(self.door)
        if wakes:
            PyThread_release_lock(self.bell)

    def finish(self, Py_ssize_t number):
        """Sees to it that so many of those that were put off are written."""
        assert number <= self.n_put, "only what was put off can be awaited"
        if not PyThread_acquire_lock(self.work, NOWAIT_LOCK):
            with nogil:
                PyThread_acquire_lock(self.work, WAIT_LOCK)
        self._write(number)
        PyThread_release_lock(self.work)
        self._drop()

    def help(self):
        """Writes all that was put off, unless it is being written: for one who has nothing else to do."""
        cdef Py_ssize_t number
        cdef bint some = True
        with nogil:
            while some and PyThread_acquire_lock(self.work, NOWAIT_LOCK):
                # What was to be done before the lock was had may be done by now.
                PyThread_acquire_lock(self.door, WAIT_LOCK)
                some = self.n_done < self.n_put
                number = self.n_done + some
                PyThread_release_lock(self.door)
                self._write(number)
                PyThread_release_lock(self.work)

    cdef void _write(self, Py_ssize_t number) noexcept nogil:
        """Writes up to this; only with `work` held."""
        while self.n_done < number:
            self.writes[self.n_done % PLACES](self.jobs[self.n_done % PLACES])
            PyThread_acquire_lock(self.door, WAIT_LOCK)
            self.n_done += 1
            PyThread_release_lock(self.door)

    @property
    def asks_s(self):
        """So long whoever has waited looks whether the interpreter is lent, before it takes it. [s]"""
        return self.most_s

    @asks_s.setter
    def asks_s(self, double most_s):
        PyThread_acquire_lock(self.door, WAIT_LOCK)
        self.most_s = most_s
        PyThread_release_lock(self.door)

    @property
    def wanted(self):
        """Whether somebody looks whether the interpreter is lent."""
        return seen(&self.turn.wanted)

    def lend(self, double most_s):
        """Lends the interpreter until whoever waits has had it and waits again, or for so long. [s]"""
        with nogil:
            lend(&self.turn, <long long> (most_s * 1e9))

    cdef void _drop(self) noexcept:
        """Lets go of what owns the jobs that are done."""
        cdef Py_ssize_t done
        PyThread_acquire_lock(self.door, WAIT_LOCK)
        done = self.n_done
        PyThread_release_lock(self.door)
        while self.n_dropped < done:
            self._drop_one()

    cdef void _drop_one(self) noexcept:
        cdef PyObject* owner = self.owners[self.n_dropped % PLACES]
        self.n_dropped += 1
        Py_DECREF(<object> owner)  # which may run the code of whoever made what it holds

    def ring(self):
        """As `Bell.ring`."""
        cdef bint wakes
        PyThread_acquire_lock(self.door, WAIT_LOCK)
        self.rung, wakes, self.waits = True, self.waits, False
        PyThread_release_lock(self.door)
        if wakes:
            PyThread_release_lock(self.bell)

    def hush(self):
        """As `Bell.hush`."""
        PyThread_acquire_lock(self.door, WAIT_LOCK)
        self.rung = False
        PyThread_release_lock(self.door)

    def wait(self, double most_s=-1):
        """As `Bell.wait`, and writes meanwhile; `most_s` counts from the last time that something was written."""
        cdef PY_TIMEOUT_T most = -1 if most_s < 0 else <PY_TIMEOUT_T> (most_s * 1e6)
        cdef int status
        cdef Py_ssize_t number
        cdef bint rung
        if most > PY_TIMEOUT_MAX:
            most = PY_TIMEOUT_MAX
        while True:
            with nogil:
                give_back(&self.turn)
                while True:
                    status = self._wait(most)
                    PyThread_acquire_lock(self.door, WAIT_LOCK)
                    number, rung = self.n_put, self.rung
                    PyThread_release_lock(self.door)
                    if status == PY_LOCK_ACQUIRED:
                        PyThread_acquire_lock(self.work, WAIT_LOCK)
                        self._write(number)
                        PyThread_release_lock(self.work)
                    if rung or status != PY_LOCK_ACQUIRED:
                        break
                self._ask()
            if rung:  # Once is enough, however often it was rung meanwhile: whoever waited looks now.
                PyThread_acquire_lock(self.door, WAIT_LOCK)
                self.rung = False
                PyThread_release_lock(self.door)
                return True
            if status == PY_LOCK_FAILURE:
                return False
            PyErr_CheckSignals()

    cdef void _ask(self) noexcept nogil:
        cdef double most_s
        PyThread_acquire_lock(self.door, WAIT_LOCK)
        most_s = self.most_s
        PyThread_release_lock(self.door)
        if most_s > 0:
            ask(&self.turn, <long long> (most_s * 1e9))

    cdef int _wait(self, long long most) noexcept nogil:
        """Waits until it was rung, or there is enough to be written."""
        cdef int status = PY_LOCK_ACQUIRED
        cdef bint woken
        PyThread_acquire_lock(self.door, WAIT_LOCK)
        self.waits = not self.rung and self.n_put - self.n_done < GROUP
        woken = not self.waits
        PyThread_release_lock(self.door)
        if woken:
            return status
        status = PyThread_acquire_lock_timed(self.bell, most, 1)
        if status != PY_LOCK_ACQUIRED:
            PyThread_acquire_lock(self.door, WAIT_LOCK)
            woken, self.waits = not self.waits, False
            PyThread_release_lock(self.door)
            if woken:  # in this moment; the bell is to be used up
                PyThread_acquire_lock(self.bell, WAIT_LOCK)
        return status
