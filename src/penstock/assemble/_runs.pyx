# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `runs.Runs`: a row is found without a branch, and its memory is asked for some rows ahead.

To find rows and to copy them are two steps: the second needs nothing of Python's, and waits for memory most of the time, so
that whoever waits for batches may do it (benchmarks/proportions.py).
"""

cimport cython
cimport numpy as cnp
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free, malloc, realloc

from penstock.assemble._backlog cimport Backlog
from penstock.assemble._pool cimport Pool
from penstock.assemble._rows cimport AHEAD, LINE, MOST_DIMS, Rows, move, packed, prefetch, row_of, rows_of

import numpy as np

cnp.import_array()


cdef struct Run:
    int64_t first  # the number of its first row
    int64_t count


cdef struct Job:  # the rows of one component that are to be copied
    char** of
    char* to
    int64_t n
    Py_ssize_t row


cdef struct Jobs:
    Job* first
    int64_t n


@cython.final
cdef class _Copies:
    """What is to be copied, with all that is needed for it."""

    cdef Jobs jobs
    cdef tuple out
    cdef list arrays

    def __cinit__(self, tuple out, list arrays, int64_t n):
        cdef int64_t place
        self.out, self.arrays = out, arrays
        self.jobs.n = len(out)
        self.jobs.first = <Job*> malloc(self.jobs.n * sizeof(Job) + 1)
        if self.jobs.first is NULL:
            raise MemoryError
        for place in range(self.jobs.n):
            self.jobs.first[place].of = NULL
        for place in range(self.jobs.n):
            self.jobs.first[place].of = <char**> malloc(n * sizeof(char*) + 1)
            if self.jobs.first[place].of is NULL:
                raise MemoryError
            self.jobs.first[place].n, self.jobs.first[place].row = n, row_of(<cnp.ndarray> out[place])
            self.jobs.first[place].to = <char*> cnp.PyArray_DATA(<cnp.ndarray> out[place])

    def __dealloc__(self):
        cdef int64_t place
        if self.jobs.first is not NULL:
            for place in range(self.jobs.n):
                free(self.jobs.first[place].of)
        free(self.jobs.first)


@cython.final
cdef class Runs:
    """As `runs.Runs`."""

    cdef readonly int64_t held, count
    cdef Pool pool
    cdef tuple like
    cdef list arrays  # of each run, which it must not outlive
    cdef cnp.ndarray numbers, found  # of the rows that are kept apart; run and place of those that are collected
    cdef int64_t room, width
    cdef Run* run  # the first is of the rows that are kept apart
    cdef Rows* rows  # of each run, and of each of its components

    def __init__(self, Pool pool not None):
        self.pool, self.arrays, self.found = pool, [], np.empty((0, 2), np.int64)

    def __dealloc__(self):
        free(self.run)
        free(self.rows)

    @property
    def row_nbytes(self):
        """As `runs.Runs.row_nbytes`."""
        return sum([row_of(array) for array in self.like or ()])

    def add(self, int64_t first, tuple arrays not None):
        """As `runs.Runs.add`."""
        if any([array.dtype.hasobject for array in arrays]):
            return False
        if self.like is None:
            self._know(arrays)
            self._begin(np.empty(0, np.int64), self.like)
        if not self._suits(arrays):
            return False
        self._put(first, arrays)
        self.count += 1
        return True

    cdef _know(self, tuple arrays):
        """Notes what rows are like, without keeping any."""
        self.like, self.width = tuple([np.empty((0, *array.shape[1:]), array.dtype) for array in arrays]), len(arrays)

    cdef bint _suits(self, tuple arrays) except -1:
        cdef cnp.ndarray array, like
        cdef int axis
        if len(arrays) != self.width:
            return False
        for array, like in zip(arrays, self.like):
            if cnp.PyArray_NDIM(array) != cnp.PyArray_NDIM(like) or array.dtype != like.dtype:
                return False
            for axis in range(1, cnp.PyArray_NDIM(array)):
                if cnp.PyArray_DIM(array, axis) != cnp.PyArray_DIM(like, axis):
                    return False
        return True

    cdef _begin(self, cnp.ndarray numbers, tuple apart):
        """Holds these rows apart, and no runs."""
        self.numbers, self.arrays, self.held, self.count = numbers, [], 0, 0
        self._put(-0x7FFFFFFFFFFFFFFF, apart)

    cdef _put(self, int64_t first, tuple arrays):
        cdef int64_t n = len(self.arrays), count = len(arrays[0]), place
        cdef list whole = [packed(array) for array in arrays]
        if n >= self.room:
            self._make_room(max(64, 2 * self.room))
        for place in range(self.width):
            self.rows[n * self.width + place] = rows_of(whole[place])
        self.run[n].first, self.run[n].count = first, count
        self.arrays.append(whole)
        self.held += count

    cdef int _make_room(self, int64_t room) except -1:
        run = <Run*> realloc(self.run, room * sizeof(Run))
        if run is NULL:
            raise MemoryError
        self.run = run
        rows = <Rows*> realloc(self.rows, room * self.width * sizeof(Rows))
        if rows is NULL:
            raise MemoryError
        self.rows, self.room = rows, room
        return 0

    def collect(self, cnp.ndarray numbers, Backlog backlog=None):
        """As `runs.Runs.collect`; copied now, or before the backlog is finished."""
        cdef int64_t n = cnp.PyArray_SIZE(numbers), place, i
        cdef int64_t* found
        cdef _Copies copies
        cdef tuple out
        assert self.like is not None, "what is collected was added"
        assert cnp.PyArray_TYPE(numbers) == cnp.NPY_INT64 and cnp.PyArray_IS_C_CONTIGUOUS(numbers), "rows go by int64"
        if len(self.found) < n:
            self.found = np.empty((2 * n, 2), np.int64)
        found = <int64_t*> cnp.PyArray_DATA(self.found)
        self._find(<int64_t*> cnp.PyArray_DATA(numbers), n, found)
        out = tuple([self._room_for(place, n) for place in range(self.width)])
        copies = _Copies(out, self.arrays.copy(), n)  # a run may be let go of before it is copied from
        for place in range(self.width):
            for i in range(n):
                copies.jobs.first[place].of[i] = address(self.rows + place, found + 2 * i, self.width)
        if backlog is not None and backlog.takes(n * self.row_nbytes):
            backlog.put_off(copies, &copies.jobs, copy_all)
        else:
            copy_all(&copies.jobs)
        return out

    cdef int _find(self, int64_t* numbers, int64_t n, int64_t* found) except -1:
        """Writes down the run of each row, and its place in it."""
        cdef int64_t i, at, runs = len(self.arrays), first = 0, apart = 0
        cdef uint64_t place
        cdef double each = 0  # run for each number, where all runs are as long as the first of them, as they often are
        cdef bint good = True
        if runs > 1:
            first, each = self.run[1].first, 1.0 / max(1, self.run[1].count)
        for i in range(n):
            at = 1 + <int64_t> (<double> (numbers[i] - first) * each)
            if at < 1 or at >= runs or <uint64_t> (numbers[i] - self.run[at].first) >= <uint64_t> self.run[at].count:
                at = self._run_of(numbers[i], runs)
            place = numbers[i] - self.run[at].first
            apart += at == 0
            good &= (place < <uint64_t> self.run[at].count) | (at == 0)
            found[2 * i], found[2 * i + 1] = at, place
        if apart:
            good &= self._find_apart(numbers, n, found)
        if not good:
            raise IndexError("expected numbers of rows that are held, got others")
        return 0

    cdef int64_t _run_of(self, int64_t number, int64_t runs) noexcept:
        """The last run that begins with no larger number."""
        cdef int64_t at = 0, half
        while runs > 1:
            half = runs // 2
            at += (self.run[at + half].first <= number) * half
            runs -= half
        return at

    cdef bint _find_apart(self, int64_t* numbers, int64_t n, int64_t* found) noexcept:
        """Writes down the places of those that are kept apart; says whether all are there."""
        cdef int64_t* own = <int64_t*> cnp.PyArray_DATA(self.numbers)
        cdef int64_t i, at, left, half, count = self.run[0].count
        if count == 0:
            return False
        for i in range(n):
            if found[2 * i] == 0:
                at, left = 0, count
                while left > 1:
                    half = left // 2
                    at += (own[at + half] <= numbers[i]) * half
                    left -= half
                if own[at] != numbers[i]:
                    return False
                found[2 * i + 1] = at
        return True

    cdef cnp.ndarray _room_for(self, int64_t component, int64_t n):
        """Room for so many rows of a component."""
        cdef cnp.ndarray like = self.like[component]
        cdef cnp.npy_intp dims[MOST_DIMS]
        cdef int axis
        dims[0] = n
        for axis in range(1, cnp.PyArray_NDIM(like)):
            dims[axis] = cnp.PyArray_DIM(like, axis)
        return self.pool.lend(cnp.PyArray_NDIM(like), dims, like.dtype)

    def forget(self, int64_t before):
        """As `runs.Runs.forget`."""
        cdef int64_t n = len(self.arrays), gone = 0, i
        if self.run[0].count and before > self.numbers[self.run[0].count - 1]:
            self.held -= self.run[0].count
            self.run[0].count, self.arrays[0] = 0, None
        while gone + 1 < n and self.run[gone + 1].first + self.run[gone + 1].count <= before:
            gone += 1
            self.held -= self.run[gone].count
        if gone:
            del self.arrays[1:gone + 1]
            for i in range(1, n - gone):
                self.run[i] = self.run[i + gone]
            for i in range(self.width, (n - gone) * self.width):
                self.rows[i] = self.rows[i + gone * self.width]
            self.count -= gone

    def keep(self, cnp.ndarray numbers, tuple arrays not None):
        """As `runs.Runs.keep`."""
        assert cnp.PyArray_TYPE(numbers) == cnp.NPY_INT64 and cnp.PyArray_IS_C_CONTIGUOUS(numbers), "rows go by int64"
        assert self.like is None or self._suits(arrays), "rows are kept as they came"
        assert all([len(array) == len(numbers) for array in arrays]), "each row has a number"
        if self.like is None:
            self._know(arrays)
        self._begin(numbers, arrays)


cdef void copy_all(void* jobs) noexcept nogil:
    """Copies what was found."""
    cdef int64_t place
    for place in range((<Jobs*> jobs).n):
        copy_rows((<Jobs*> jobs).first + place)


cdef void copy_rows(Job* job) noexcept nogil:
    cdef Py_ssize_t row = job.row, last = min(row, LINE) - 1
    cdef char* to = job.to
    cdef char* ahead
    cdef int64_t i
    for i in range(job.n):
        if i + AHEAD < job.n:
            ahead = job.of[i + AHEAD]
            prefetch(ahead)
            prefetch(ahead + last)  # as a rule a row begins within a line
        move(to, job.of[i], row)
        to += row


cdef inline char* address(Rows* rows, int64_t* found, int64_t width) noexcept:
    # Where a row begins, of which run and place were found.
    return rows[found[0] * width].first + found[1] * rows[found[0] * width].step
