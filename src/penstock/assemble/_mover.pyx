# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `mover`: a copy for each row, of memory that is asked for some rows ahead."""

cimport numpy as cnp
from libc.stdint cimport int64_t

from penstock.assemble._pool cimport Pool
from penstock.assemble._rows cimport AHEAD, MOST_DIMS, Rows, move, packed, prefetch, row_of, rows_of

cnp.import_array()


def keep(tuple kept, cnp.ndarray slots, tuple run, cnp.ndarray places):
    """As `mover.keep`."""
    cdef Py_ssize_t m = checked(slots, places), i, row
    cdef int64_t* to = <int64_t*> cnp.PyArray_DATA(slots)
    cdef int64_t* of = <int64_t*> cnp.PyArray_DATA(places)
    cdef Rows store, source
    for its, its_run in zip(kept, run, strict=True):
        array = packed(its_run)
        row = row_of(array)
        assert row_of(its) == row, "a store keeps rows as they come"
        inside(to, 0, m, cnp.PyArray_DIM(its, 0))
        inside(of, 0, m, cnp.PyArray_DIM(array, 0))
        store, source = rows_of(its), rows_of(array)
        for i in range(m):
            if i + AHEAD < m:
                prefetch(source.first + of[i + AHEAD] * source.step)
            move(store.first + to[i] * store.step, source.first + of[i] * source.step, row)


def collect(tuple kept, cnp.ndarray slots, tuple run, cnp.ndarray places, int64_t least, Pool pool):
    """As `mover.collect`."""
    cdef Py_ssize_t n = checked(slots, places), i, row
    cdef int64_t* slot = <int64_t*> cnp.PyArray_DATA(slots)
    cdef int64_t* place = <int64_t*> cnp.PyArray_DATA(places)
    cdef cnp.npy_intp dims[MOST_DIMS]
    cdef int axis
    cdef cnp.ndarray out
    cdef list arrays = []
    cdef char* to
    cdef Rows store, source
    for its, its_run in zip(kept, run, strict=True):
        array = packed(its_run)
        row = row_of(array)
        assert row_of(its) == row, "a store keeps rows as they come"
        check_either(slot, place, n, least, cnp.PyArray_DIM(its, 0), cnp.PyArray_DIM(array, 0))
        store, source = rows_of(its), rows_of(array)
        dims[0] = n
        for axis in range(1, cnp.PyArray_NDIM(array)):
            dims[axis] = cnp.PyArray_DIM(array, axis)
        out = pool.lend(cnp.PyArray_NDIM(array), dims, array.dtype)
        to = <char*> cnp.PyArray_DATA(out)
        for i in range(n):
            if i + AHEAD < n:
                if place[i + AHEAD] >= least:
                    prefetch(source.first + place[i + AHEAD] * source.step)
                else:
                    prefetch(store.first + slot[i + AHEAD] * store.step)
            if place[i] >= least:
                move(to, source.first + place[i] * source.step, row)
            else:
                move(to, store.first + slot[i] * store.step, row)
            to += row
        arrays.append(out)
    return tuple(arrays)


cdef Py_ssize_t checked(cnp.ndarray one, cnp.ndarray two) except -1:
    """How many numbers there are in each."""
    for array in (one, two):
        assert cnp.PyArray_TYPE(array) == cnp.NPY_INT64 and cnp.PyArray_IS_C_CONTIGUOUS(array), "rows go by int64"
    assert cnp.PyArray_SIZE(one) == cnp.PyArray_SIZE(two), "each row has a slot and a place"
    return cnp.PyArray_SIZE(one)


cdef int inside(int64_t* numbers, int64_t least, Py_ssize_t n, int64_t end) except -1:
    cdef Py_ssize_t i
    cdef bint good = True
    for i in range(n):
        good &= (least <= numbers[i]) & (numbers[i] < end)
    if not good:
        raise IndexError(f"expected numbers below {end}, got one beyond")
    return 0


cdef int check_either(int64_t* slot, int64_t* place, Py_ssize_t n, int64_t least, int64_t room, int64_t end) except -1:
    cdef Py_ssize_t i
    cdef bint good = least >= 0
    for i in range(n):
        good &= (place[i] < end) if place[i] >= least else ((0 <= slot[i]) & (slot[i] < room))
    if not good:
        raise IndexError(f"expected places below {end} or slots below {room}, got others")
    return 0
