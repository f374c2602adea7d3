# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `estimates`: the same sums in the same order, without an array for each step."""

cimport numpy as cnp
from libc.math cimport INFINITY, ceil, rint, sqrt
from libc.stdint cimport int64_t, uint64_t

import numpy as np

import penstock.sampling.estimates as estimates

cnp.import_array()

cdef double LEAST_EXPECTED = estimates.LEAST_EXPECTED
cdef double SHORT = estimates.SHORT
cdef double BATCHES = estimates.BATCHES
cdef uint64_t ALWAYS = estimates.ALWAYS
cdef double SIDES = 18446744073709551616.0  # 2**64


cdef inline double* floats(cnp.ndarray array) noexcept: return <double*> cnp.PyArray_DATA(array)


cdef inline cnp.ndarray new(cnp.npy_intp n, int kind): return cnp.PyArray_SimpleNew(1, &n, kind)


cdef Py_ssize_t checked(cnp.ndarray first, int kind, cnp.ndarray second, int other) except -1:
    """How many classes two arrays are of."""
    assert cnp.PyArray_TYPE(first) == kind and cnp.PyArray_TYPE(second) == other, "counts are int64, all else float64"
    assert cnp.PyArray_IS_C_CONTIGUOUS(first) and cnp.PyArray_IS_C_CONTIGUOUS(second), "each is in a row"
    assert cnp.PyArray_SIZE(first) == cnp.PyArray_SIZE(second), "of each class there is one number"
    return cnp.PyArray_SIZE(first)


cdef double summed(double* values, Py_ssize_t n) noexcept:
    cdef double so_far = 0
    cdef Py_ssize_t i
    for i in range(n):
        so_far += values[i]
    return so_far


def estimate(cnp.ndarray counts, cnp.ndarray start, double unseen):
    """As `estimates.estimate`."""
    cdef Py_ssize_t i, n = checked(counts, cnp.NPY_FLOAT64, start, cnp.NPY_FLOAT64)
    cdef cnp.ndarray out = new(n, cnp.NPY_FLOAT64)
    cdef double all_of_them = summed(floats(counts), n) + unseen
    for i in range(n):
        floats(out)[i] = (floats(counts)[i] + unseen * floats(start)[i]) / all_of_them
    return out


def distance(cnp.ndarray recent, cnp.ndarray shares):
    """As `estimates.distance`."""
    cdef Py_ssize_t i, n = checked(recent, cnp.NPY_INT64, shares, cnp.NPY_FLOAT64)
    cdef int64_t* came = <int64_t*> cnp.PyArray_DATA(recent)
    cdef int64_t seen = 0, others = 0, alone = 0
    cdef double expected, apart = 0, rest = 0, off
    for i in range(n):
        seen += came[i]
    for i in range(n):
        expected = <double> seen * floats(shares)[i]
        if expected >= LEAST_EXPECTED:
            off = <double> came[i] - expected
            apart += off * off / expected
            alone += 1
        else:
            rest += expected
            others += came[i]
    off = <double> others - rest
    return apart + off * off / max(rest, LEAST_EXPECTED), max(1, alone + (rest > 0) - 1)


def admission(cnp.ndarray arriving, cnp.ndarray target, repeats, double slack):
    """As `estimates.admission`."""
    cdef Py_ssize_t i, n = checked(arriving, cnp.NPY_FLOAT64, target, cnp.NPY_FLOAT64)
    cdef cnp.ndarray out = new(n, cnp.NPY_UINT64)
    cdef double* p = floats(arriving)
    cdef double* q = floats(target)
    cdef uint64_t* bars = <uint64_t*> cnp.PyArray_DATA(out)
    cdef double chance, most = 0, factor = (1 + slack) * <double> repeats
    for i in range(n):
        if p[i] > 0 and q[i] > 0:
            most = max(most, q[i] / p[i])
    for i in range(n):
        chance = 1 if q[i] > 0 else 0
        if p[i] > 0 and q[i] > 0:
            chance = factor * (q[i] / p[i]) / most
        bars[i] = <uint64_t> (chance * SIDES) if chance < 1 else ALWAYS
    return out


def most_inputs(cnp.ndarray arriving, cnp.ndarray target, double size, double repeats, double never):
    """As `estimates.most_inputs`."""
    cdef Py_ssize_t i, n = checked(arriving, cnp.NPY_FLOAT64, target, cnp.NPY_FLOAT64)
    cdef double uses, most = 0, needed
    for i in range(n):
        if floats(target)[i] > 0:
            needed = max(1.0, size * floats(target)[i])
            uses = repeats * floats(arriving)[i]
            most = max(most, needed / uses if uses > 0 else never)
    return most


def spare(cnp.ndarray arriving, cnp.ndarray target, double size, double repeats, double window, double scatter):
    """As `estimates.spare`."""
    cdef Py_ssize_t i, n = checked(arriving, cnp.NPY_FLOAT64, target, cnp.NPY_FLOAT64), least = -1
    cdef cnp.ndarray out = new(n, cnp.NPY_FLOAT64)
    cdef double* p = floats(arriving)
    cdef double* q = floats(target)
    cdef double ratio, variance, gain, batch, held, times
    for i in range(n):
        if q[i] > 0 and p[i] > 0 and (least < 0 or p[i] / q[i] < p[least] / q[least]):
            least = i
    for i in range(n):
        floats(out)[i] = INFINITY
        if not (q[i] > 0 and p[i] > 0):
            continue
        times = repeats * q[i] / q[least]
        variance = scatter * (p[i] + times * times * p[least])
        ratio = p[least] / q[least]
        gain = p[i] - repeats * ratio * q[i] - 2 * sqrt(variance / (2 * window))
        batch = ceil(rint(size * q[i] * 1e9) / 1e9)
        held = SHORT * variance / (2 * gain) if gain > 0 else INFINITY
        floats(out)[i] = ceil(max(BATCHES * batch, batch + held))
    return out
