# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twins of `reference.fill` and of `pile.Pile`: leaves written to the rows of a batch, with padding beside them.

An example that is pulled, copied and dropped costs less than one that waits for the longest of its batch: the memory of its
objects is used again at once. So leaves that are short are copied twice, and those that are long are held. Of one that is
a slice of a long array that others are slices of too, that array is held, and nothing else.
"""

cimport numpy as cnp
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from penstock.assemble._backlog cimport Backlog
from penstock.assemble._native cimport MOST_DIMS, Kind, copied

import numpy as np

import penstock.assemble.reference as reference
from penstock.assemble.misfit import Misfit

cdef extern from "numpy/arrayobject.h":
    PyObject* PyArray_BASE(cnp.ndarray) noexcept

cnp.import_array()

cdef enum:
    LARGE = 1 << 20  # bytes of a component from which on the interpreter is let go while it is copied
    SHORT = 1 << 12  # bytes up to which a leaf is copied twice
    WIDE = 1 << 20  # bytes of an array that is not refilled while a batch is gathered: a source may have two small ones for that


def fill(list leaves, Kind kind, cnp.ndarray out, value, bint left, bint truncate):
    """As `reference.fill`."""
    cdef Py_ssize_t n = PyList_GET_SIZE(leaves), i
    cdef object leaf
    cdef Source* sources
    if not kind.plain or not cnp.PyArray_IS_C_CONTIGUOUS(out):
        reference.fill(leaves, kind.component, out, value, left, truncate)
        return
    assert cnp.PyArray_DIM(out, 0) == n, "a row for each leaf"
    sources = <Source*> malloc(n * sizeof(Source) + 1)
    if sources is NULL:
        raise MemoryError
    try:
        for i in range(n):
            leaf = <object> PyList_GET_ITEM(leaves, i)
            # Its dtype was looked at by `extent`; what would write past a row's end is looked at again.
            assert (
                cnp.PyArray_Check(leaf)
                and cnp.PyArray_NDIM(<cnp.ndarray> leaf) == kind.ndim
                and cnp.PyArray_ITEMSIZE(<cnp.ndarray> leaf) == kind.item
                and cnp.PyArray_IS_C_CONTIGUOUS(<cnp.ndarray> leaf)
            ), "`extent` has seen the leaves"
            sources[i].data = <char*> cnp.PyArray_DATA(<cnp.ndarray> leaf)
            sources[i].dims = cnp.PyArray_DIMS(<cnp.ndarray> leaf)
        _spread(sources, n, kind, out, value, left, truncate)
    finally:
        free(sources)


cdef class Pile:
    """As `pile.Pile`."""

    def __cinit__(self, Kind kind, Py_ssize_t most):
        assert kind.plain and kind.ndim, "only what is a piece of memory, and has dimensions, is piled"
        self.kind, self.most = kind, most
        self.held = []
        self.sources = <Source*> malloc(most * sizeof(Source) + 1)
        self.dims = <cnp.npy_intp*> malloc(most * kind.ndim * sizeof(cnp.npy_intp) + 1)
        if self.sources is NULL or self.dims is NULL:
            raise MemoryError

    def __dealloc__(self):
        while self.n_bases:
            self.n_bases -= 1
            Py_DECREF(<object> self.bases[self.n_bases])
        free(self.sources)
        free(self.dims)
        cdef Block* block
        while self.block is not NULL:
            block, self.block = self.block, self.block.older
            free(block)

    def __len__(self):
        return self.count

    cdef bint put(self, leaf, Late* late) except -1:
        """Takes a leaf, if it fits; tells what is to be copied of it before it is let go."""
        cdef cnp.ndarray array
        cdef Py_ssize_t place = self.count
        cdef int axis
        assert place < self.most, "there is a place for each leaf"
        if not cnp.PyArray_Check(leaf) or not self.kind.fits(<cnp.ndarray> leaf):
            try:
                leaf = reference.plain(leaf, self.kind.component, place)
            except Misfit:
                return False
            assert self.kind.fits(<cnp.ndarray?> leaf), "the reference makes a piece of memory"
            self.held.append(leaf)
        array = <cnp.ndarray> leaf
        for axis in range(self.kind.ndim):
            self.dims[place * self.kind.ndim + axis] = cnp.PyArray_DIM(array, axis)
        late.data, late.nbytes = <char*> cnp.PyArray_DATA(array), cnp.PyArray_NBYTES(array)
        if late.nbytes > SHORT:
            self.held.append(array)
            self.sources[place].data, late.to, late.nbytes = late.data, late.data, 0
        elif self._keeps(PyArray_BASE(array)):
            self.sources[place].data, late.to, late.nbytes = late.data, late.data, 0
        else:
            late.to = self.sources[place].data = self._room(late.nbytes)
        self.count += 1
        return True

    cdef bint _keeps(self, PyObject* base) noexcept:
        """Whether what a leaf is a view of is kept until the leaves are written: a long array, and one of few."""
        cdef int i
        if base is NULL:
            return False
        for i in range(self.n_bases):
            if self.bases[i] is base:
                return True
        if self.n_bases == MOST_BASES or not cnp.PyArray_Check(<object> base):
            return False
        if cnp.PyArray_NBYTES(<cnp.ndarray> base) < WIDE:
            return False
        Py_INCREF(<object> base)
        self.bases[self.n_bases] = base
        self.n_bases += 1
        return True

    cdef char* _room(self, Py_ssize_t nbytes) except NULL:
        """Room for a short leaf."""
        cdef Block* block
        cdef char* room
        if self.block is NULL or self.used + nbytes > BLOCK:
            block = <Block*> malloc(sizeof(Block))
            if block is NULL:
                raise MemoryError
            block.older, self.block, self.used = self.block, block, 0
        room = self.block.data + self.used
        self.used += nbytes
        return room

    def add(self, list leaves):
        """As `pile.Pile.add`."""
        cdef Py_ssize_t i
        cdef Late late
        for i in range(PyList_GET_SIZE(leaves)):
            if not self.put(<object> PyList_GET_ITEM(leaves, i), &late):
                raise Misfit(i)
            memcpy(late.to, late.data, late.nbytes)

    def sizes(self, Py_ssize_t n):
        """As `pile.Pile.sizes`."""
        cdef cnp.ndarray sizes = np.empty((n, self.kind.ndim), np.int64)
        cdef int64_t* to = <int64_t*> cnp.PyArray_DATA(sizes)
        cdef Py_ssize_t i
        assert n <= self.count, "only what was put is told of"
        for i in range(n * self.kind.ndim):
            to[i] = self.dims[i]
        return sizes

    def largest(self, Py_ssize_t n):
        """As `pile.Pile.largest`."""
        cdef cnp.npy_intp most[MOST_DIMS]
        cdef Py_ssize_t i
        cdef int axis, ndim = self.kind.ndim
        assert n <= self.count, "only what was put is told of"
        for axis in range(ndim):
            most[axis] = 0
            for i in range(n):
                most[axis] = max(most[axis], self.dims[i * ndim + axis])
        return tuple([most[axis] for axis in range(ndim)])

    def fill(self, cnp.ndarray out, value, bint left, bint truncate):
        """As `pile.Pile.fill`."""
        _spread(self.sources, self._readied(out), self.kind, out, value, left, truncate)

    cdef Py_ssize_t _readied(self, cnp.ndarray out) except -1:
        """Readies the leaves that the rows of `out` are for, and gives how many they are."""
        cdef Py_ssize_t n = cnp.PyArray_DIM(out, 0), i
        assert n <= self.count and cnp.PyArray_IS_C_CONTIGUOUS(out), "only what was put is written"
        for i in range(n):
            self.sources[i].dims = self.dims + i * self.kind.ndim
        return n

    def fill_with(self, Backlog backlog, cnp.ndarray out, value, bint left, bint truncate):
        """As `fill`, now or before the backlog is finished; `out` and the value are kept until then."""
        cdef Py_ssize_t n
        if not backlog.takes(cnp.PyArray_NBYTES(out)):
            self.fill(out, value, left, truncate)
            return
        n = self._readied(out)
        _aim(&self.job.target, self.sources, n, self.kind, out, value, left, truncate)
        self.out, self.value = out, value
        self.job.sources, self.job.n, self.job.to = self.sources, n, <char*> cnp.PyArray_DATA(out)
        backlog.put_off(self, &self.job, _spread_out)


cdef void _spread_out(void* job) noexcept nogil:
    """Writes what a pile was aimed at."""
    cdef Job* its = <Job*> job
    _blocks(&its.target, its.sources, its.n, its.to)


cdef int _spread(
    Source* sources, Py_ssize_t n, Kind kind, cnp.ndarray out, cnp.ndarray pad, bint left, bint truncate
) except -1:
    """Writes leaves to the rows of `out`, which are as large as any of them, unless those that are larger are cut."""
    cdef Target target
    cdef char* to = <char*> cnp.PyArray_DATA(out)
    _aim(&target, sources, n, kind, out, pad, left, truncate)
    if cnp.PyArray_NBYTES(out) >= LARGE:
        with nogil:  # the caller keeps the leaves, and nobody else has `out`
            _blocks(&target, sources, n, to)
    else:
        _blocks(&target, sources, n, to)
    return 0


cdef int _aim(
    Target* target, Source* sources, Py_ssize_t n, Kind kind, cnp.ndarray out, cnp.ndarray pad, bint left, bint truncate
) except -1:
    """Readies what is to be known of `out` for writing the leaves to its rows."""
    cdef Py_ssize_t* nbytes = target.nbytes
    cdef Py_ssize_t i
    cdef int axis
    assert 0 < kind.ndim == cnp.PyArray_NDIM(out) - 1, "only what has dimensions is padded"
    assert cnp.PyArray_NBYTES(pad) == kind.item, "the value is one of the component's"
    target.ndim, target.item, target.left, target.value = kind.ndim, kind.item, left, <char*> cnp.PyArray_DATA(pad)
    target.even = True
    for i in range(kind.item):
        target.even = target.even and target.value[i] == target.value[0]
    target.dims = cnp.PyArray_DIMS(out) + 1
    nbytes[kind.ndim] = kind.item
    for axis in range(kind.ndim - 1, -1, -1):
        nbytes[axis] = nbytes[axis + 1] * target.dims[axis]
    for i in range(n):
        for axis in range(kind.ndim):
            assert truncate or sources[i].dims[axis] <= target.dims[axis], "a leaf is as large as its row at most, or cut"
    return 0


cdef void _blocks(Target* target, Source* sources, Py_ssize_t n, char* to) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        _block(target, sources[i].data, sources[i].dims, to + i * target.nbytes[0], 0)


cdef void _block(Target* target, char* data, cnp.npy_intp* dims, char* to, int axis) noexcept nogil:
    """Copies what of a leaf lies below an axis, with the padding beside it."""
    cdef cnp.npy_intp its = dims[axis], most = target.dims[axis], i
    cdef cnp.npy_intp kept = its if its < most else most
    cdef cnp.npy_intp skipped = its - kept if target.left else 0, before = most - kept if target.left else 0
    cdef Py_ssize_t below = target.nbytes[axis + 1], own = target.item
    _pad(target, to, before * below)
    if axis == target.ndim - 1:
        copied(to + before * below, data + skipped * own, kept * own)
    else:
        for i in range(axis + 1, target.ndim):
            own *= dims[i]
        for i in range(kept):
            _block(target, data + (skipped + i) * own, dims, to + (before + i) * below, axis + 1)
    _pad(target, to + (before + kept) * below, (most - before - kept) * below)


cdef void _pad(Target* target, char* to, Py_ssize_t nbytes) noexcept nogil:
    """Writes the value over and over: what is written already is copied behind itself."""
    cdef Py_ssize_t done = target.item
    if nbytes <= 0:
        return
    if target.even:
        memset(to, target.value[0], nbytes)
        return
    memcpy(to, target.value, done)
    while done < nbytes:
        memcpy(to + done, to, done if done < nbytes - done else nbytes - done)
        done *= 2
