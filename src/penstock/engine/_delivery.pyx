# cython: language_level=3, boundscheck=False, wraparound=False
"""The fast twin of `delivery`: while a loop takes a batch nobody else has the interpreter, so that all wait for it."""

from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE

from penstock.chunk import END
from penstock.engine.forks import forks


cdef class Entry:
    """As `delivery.Entry`."""

    def __cinit__(self, chunk, place=None):
        self.error, self.place = chunk.error, place
        self.rows = chunk.as_rows()


cdef class Delivery:
    """As `delivery.Delivery`."""

    def __init__(self, convert):
        self._convert = convert
        self._forks = forks.count
        self._begin(None, 0)

    def _begin(self, place, Py_ssize_t again):
        """As `delivery.Delivery._begin`."""
        self._closed = False
        self._entry = Entry(END)
        self._delivered = self._since = 0
        self._place, self._again = place, again

    def __next__(self):
        """Gives the next batch.

        Raises:
          StopIteration: the end of the data.
          FlowClosed: the flow was closed, or belongs to another process.
          Stalled: nothing has moved for `watchdog_s` seconds.
          Exception: what a source or function raised, after everything that came before it.
        """
        cdef Entry entry
        cdef Py_ssize_t given
        cdef object thing
        if self._again:
            self._pass_over()
        entry = self._entry
        if entry.given == PyList_GET_SIZE(entry.rows) or self._closed or self._forks != forks.count:
            entry = self._entry = self._first()
        given = entry.given
        thing = <object> PyList_GET_ITEM(entry.rows, given)
        if self._convert is not None:
            thing = self._convert(thing)
        # From here on nothing runs that is not here.
        entry.rows[given] = None
        entry.given = given + 1
        self._delivered += 1
        if entry.given < PyList_GET_SIZE(entry.rows) or entry.place is None:
            self._since += 1
        else:
            self._place, self._since = entry.place, 0
        return thing

    def _first(self):
        """As `delivery.Delivery._first`."""
        raise AssertionError("whoever delivers says what")

    def _pass_over(self):
        """As `delivery.Delivery._pass_over`."""
        raise AssertionError("whoever delivers says what")
