# cython: language_level=3
"""A sink as what waiting examples are written to; apart, since only who keeps examples by class needs `sampling` for it."""

cimport cython

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define penstock_prefetch_to(address) __builtin_prefetch(address, 1)
    #else
    #define penstock_prefetch_to(address) ((void) (address))
    #endif
    """
    void prefetch_to "penstock_prefetch_to"(const void*) noexcept nogil

from penstock.assemble._sink cimport Sink
from penstock.sampling cimport _intake


@cython.final
cdef class Shelf(_intake.Shelf):
    """Writes examples to the rows of a sink's arrays, each to the one that is said.

    Args:
      sink: of which nothing is padded.
    """

    cdef Sink sink

    def __init__(self, Sink sink not None):
        assert not sink.piles, "what is padded is piled up, and has no rows"
        self.sink, self.room = sink, sink.room

    cpdef bint put(self, object example, Py_ssize_t place) except -1:
        """Writes an example to a row, if it fits."""
        return 0 <= place < self.room and self.sink.write(example, place)

    cdef void expect(self, Py_ssize_t place) noexcept:
        """Has a row brought near, which is soon to be written to."""
        cdef Py_ssize_t j
        if place < self.room:
            for j in range(self.sink.count):
                prefetch_to(self.sink.to[j] + place * self.sink.row[j])
                prefetch_to(self.sink.to[j] + (place + 1) * self.sink.row[j] - 1)
