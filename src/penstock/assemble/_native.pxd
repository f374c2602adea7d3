# cython: language_level=3
cimport numpy as cnp

cdef enum:
    MOST_DIMS = 64  # NumPy's own bound

cdef class Kind:
    cdef readonly object component
    cdef cnp.dtype dtype
    cdef object scalar
    cdef int num
    cdef int ndim
    cdef Py_ssize_t item
    cdef Py_ssize_t value_at  # bytes of a scalar before its value
    cdef cnp.npy_intp dims[MOST_DIMS]  # -1 is free
    cdef readonly bint plain  # pieces of memory
    cdef bint exact  # its dtype is known by its number
    cdef bint fits(self, cnp.ndarray array)
    cdef bint scalar_to(self, object leaf, char* to) except -1

cdef void copied(char* to, char* data, Py_ssize_t nbytes) noexcept nogil
