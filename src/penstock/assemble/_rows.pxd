# cython: language_level=3
"""Rows of arrays, as bytes that are copied. All of it is inline, so there is no module to import.

A row is read once, so it is asked for in the way that drives nothing out of the larger caches.
"""

cimport numpy as cnp
from libc.string cimport memcpy

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define penstock_prefetch(address) __builtin_prefetch(address, 0, 0)
    #else
    #define penstock_prefetch(address) ((void) (address))
    #endif
    """
    void prefetch "penstock_prefetch"(const void*) noexcept nogil

cdef enum:
    MOST_DIMS = 64  # NumPy's own bound
    AHEAD = 24  # rows that are asked for ahead
    LINE = 64  # bytes of a cache's line


cdef struct Rows:
    char* first
    Py_ssize_t step  # bytes from one row to the next


cdef inline void move(char* to, const char* of, Py_ssize_t row) noexcept nogil:
    # The sizes that most components have are known to the compiler, and so cost no call.
    if row == 8:
        memcpy(to, of, 8)
    elif row == LINE:
        memcpy(to, of, LINE)
    elif row == 4:
        memcpy(to, of, 4)
    else:
        memcpy(to, of, row)


cdef inline cnp.ndarray packed(cnp.ndarray array):
    # The array, or a copy whose rows are each one piece of memory.
    cdef Py_ssize_t size = cnp.PyArray_ITEMSIZE(array)
    cdef int axis
    assert not array.dtype.hasobject, "objects are not moved as bytes"
    for axis in range(cnp.PyArray_NDIM(array) - 1, 0, -1):
        if cnp.PyArray_STRIDE(array, axis) != size and cnp.PyArray_DIM(array, axis) > 1:
            return cnp.PyArray_GETCONTIGUOUS(array)
        size *= cnp.PyArray_DIM(array, axis)
    return array


cdef inline Py_ssize_t row_of(cnp.ndarray array) noexcept:
    # Bytes of a row.
    cdef Py_ssize_t size = cnp.PyArray_ITEMSIZE(array)
    cdef int axis
    for axis in range(1, cnp.PyArray_NDIM(array)):
        size *= cnp.PyArray_DIM(array, axis)
    return size


cdef inline Rows rows_of(cnp.ndarray array) noexcept:
    cdef Rows rows
    rows.first, rows.step = <char*> cnp.PyArray_DATA(array), cnp.PyArray_STRIDE(array, 0)
    return rows
