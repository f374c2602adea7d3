# cython: language_level=3
"""NumPy arrays of int64, as C sees them. All of it is inline, so there is no module to import."""

cimport numpy as cnp
from libc.stdint cimport int64_t


cdef inline int64_t* data(cnp.ndarray array) noexcept: return <int64_t*> cnp.PyArray_DATA(array)


cdef inline cnp.ndarray empty(cnp.npy_intp n): return cnp.PyArray_SimpleNew(1, &n, cnp.NPY_INT64)


cdef inline bint plain(values):
    # Whether they are integers in a row already.
    return (
        isinstance(values, cnp.ndarray) and cnp.PyArray_TYPE(values) == cnp.NPY_INT64 and cnp.PyArray_NDIM(values) == 1
        and cnp.PyArray_IS_C_CONTIGUOUS(values)
    )


cdef inline bint fixed(values):
    # Whether they are integers in a row that are not written to.
    return plain(values) and not cnp.PyArray_ISWRITEABLE(values)


cdef inline cnp.ndarray counted(cnp.ndarray held, int64_t n):
    # The numbers below n, at the beginning of an array that is there already, where it is long enough.
    cdef int64_t i
    if n > cnp.PyArray_SIZE(held):
        held = empty(2 * n)
    for i in range(n):
        data(held)[i] = i
    return held
