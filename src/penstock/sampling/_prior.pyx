# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `prior.Prior`: the same sums in the same order, all of an update in one call."""

cimport cython
cimport numpy as cnp
from libc.math cimport sqrt
from libc.stdint cimport int64_t

import numpy as np

import penstock.sampling.prior as prior
from penstock.sampling._estimates import distance, estimate
from penstock.sampling._integers cimport data

cnp.import_array()

cdef double UNSEEN = prior.UNSEEN
cdef double DOUBT = prior.DOUBT


cdef inline double* floats(cnp.ndarray array) noexcept: return <double*> cnp.PyArray_DATA(array)


cdef double power(double base, int64_t exponent) noexcept:
    """As `prior._power`."""
    cdef double so_far = 1
    while exponent > 0:
        if exponent & 1:
            so_far *= base
        base *= base
        exponent >>= 1
    return so_far


cdef double total(cnp.ndarray values) noexcept:
    cdef double so_far = 0
    cdef int64_t i
    for i in range(cnp.PyArray_SIZE(values)):
        so_far += floats(values)[i]
    return so_far


@cython.final
cdef class Prior:
    """As `prior.Prior`."""

    cdef readonly int64_t window, alarms
    cdef readonly double scatter
    cdef cnp.ndarray start, counts, before, recent
    cdef int64_t recent_n

    def __init__(self, int64_t classes, *, window=None, start=None):
        self._set(prior.Prior(classes, window=window, start=start))

    @classmethod
    def restore(cls, state):
        """As `prior.Prior.restore`."""
        cdef Prior made = cls.__new__(cls)
        made._set(prior.Prior.restore(state))
        return made

    cdef _set(self, twin):
        """Takes over all that a twin has."""
        self.start, self.counts, self.before, self.recent = twin._start, twin._counts.copy(), twin._before, twin._recent
        self.window, self.alarms, self.scatter, self.recent_n = twin.window, twin.alarms, twin.scatter, twin._recent_n

    def state(self, *, arrays=False):
        """As `prior.Prior.state`."""
        listed = (lambda values: values.copy()) if arrays else (lambda values: values.tolist())
        return {
            "window": self.window,
            "start": listed(self.start),
            "counts": listed(self.counts),
            "before": listed(self.before),
            "recent": listed(self.recent),
            "recent_n": self.recent_n,
            "scatter": self.scatter,
            "alarms": self.alarms,
        }

    @property
    def every(self):
        """As `prior.Prior.every`."""
        return max(64, self.window)

    @property
    def effective_window(self):
        """As `prior.Prior.effective_window`."""
        return total(self.counts)

    @property
    def shares(self):
        """As `prior.Prior.shares`."""
        return self._estimate(self.counts)

    cdef cnp.ndarray _estimate(self, cnp.ndarray counts):
        return estimate(counts, self.start, UNSEEN * <double> cnp.PyArray_SIZE(counts))

    def update(self, cnp.ndarray counts, int64_t n):
        """As `prior.Prior.update`."""
        cdef int64_t i, classes = cnp.PyArray_SIZE(counts)
        cdef double kept = power(1 - 1 / <double> self.window, n), share = (1 - kept) * <double> self.window / <double> n
        assert cnp.PyArray_TYPE(counts) == cnp.NPY_INT64 and cnp.PyArray_IS_C_CONTIGUOUS(counts), "counts are int64"
        if classes != cnp.PyArray_SIZE(self.counts):
            self._grow(classes)
        for i in range(classes):
            floats(self.counts)[i] = floats(self.counts)[i] * kept + <double> data(counts)[i] * share
            data(self.recent)[i] += data(counts)[i]
        self.recent_n += n
        if self.recent_n >= self.window // 8:
            self._test()

    cdef _grow(self, int64_t classes):
        made = prior.Prior.restore(self.state())
        made._grow(classes)
        self._set(made)

    cdef _test(self):
        """Compares the recent counts with those before; drops these where they disagree."""
        cdef double known = total(self.before), apart, limit, change
        cdef int64_t i, seen = 0, freedom, classes = cnp.PyArray_SIZE(self.counts)
        for i in range(classes):
            seen += data(self.recent)[i]
        if known >= self.window // 8 and seen:
            apart, freedom = distance(self.recent, self._estimate(self.before))
            apart /= 1 + <double> seen / known
            limit = <double> freedom + 2 * sqrt(<double> freedom * DOUBT) + 2 * DOUBT
            if apart > self.scatter * limit:
                self.alarms += 1
                for i in range(classes):
                    floats(self.counts)[i] = <double> data(self.recent)[i]
            change = min(apart / <double> freedom, 4 * self.scatter) - self.scatter
            self.scatter = max(1.0, self.scatter + (change / 4 if change > 0 else change / 32))
        for i in range(classes):
            floats(self.before)[i], data(self.recent)[i] = floats(self.counts)[i], 0
        self.recent_n = 0
