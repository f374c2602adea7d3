# cython: language_level=3
from libc.stdint cimport int64_t

cdef class Labels:
    cdef int64_t how, place
    cdef object key, unknown
    cdef dict classes
    cdef bint identity
    cdef object label_of(self, object example)
    cpdef int64_t class_of(self, object example, int64_t classes) except? -3
