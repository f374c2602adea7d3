# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twins of `reference`: the same functions, in C over NumPy's own structures.

A leaf is copied here where it is an array or scalar of the component's own dtype, of a fixed size and without objects.
Every other leaf, and every component of another kind, goes to the reference, which is the definition.
"""

cimport numpy as cnp
from cpython.dict cimport PyDict_Size
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE, PyList_New, PyList_SET_ITEM
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

import penstock.assemble.reference as reference
from penstock.assemble.misfit import Misfit
from penstock.structure import Form

cdef extern from "Python.h":
    PyObject* PyIter_Next(object) except? NULL
    PyObject* PyDict_GetItemWithError(object, object) except? NULL
    long long PyLong_AsLongLongAndOverflow(object, int*) except? -1
    bint PyLong_CheckExact(object)
    bint PyFloat_CheckExact(object)
    double PyFloat_AS_DOUBLE(object)

cdef extern from "numpy/arrayobject.h":
    bint PyArray_EquivTypes(cnp.dtype, cnp.dtype)
    bint PyArray_ISNOTSWAPPED(cnp.ndarray)
    cnp.PyArray_Descr* PyArray_DESCR(cnp.ndarray)

cnp.import_array()

cdef enum:
    LARGE = 1 << 20  # bytes of a component from which on the interpreter is let go while it is copied

cdef object LEAF = Form.LEAF
cdef object TUPLE = Form.TUPLE
cdef object LIST = Form.LIST
cdef object NAMED = Form.NAMED
cdef object DICT = Form.DICT


# Pulling.

def pull_turns(list iterators, Py_ssize_t first, Py_ssize_t n, list rows):
    """As `reference.pull_turns`."""
    cdef Py_ssize_t k = PyList_GET_SIZE(iterators), place = first
    cdef PyObject* item
    assert 0 <= first < k, "the first place is one of the iterators'"
    for _ in range(n):
        item = PyIter_Next(<object> PyList_GET_ITEM(iterators, place))
        if item is NULL:
            return
        rows.append(<object> item)
        Py_XDECREF(item)
        place += 1
        if place == k:
            place = 0


# Taking apart.

def gather(list rows, structure):
    """As `reference.gather`."""
    cdef Py_ssize_t n = PyList_GET_SIZE(rows), size, i, j
    cdef object kind, form = structure.form
    cdef tuple keys = structure.keys
    cdef list columns
    cdef PyObject* row
    if form is LEAF:
        return [rows]
    for child in structure.children:
        if child.form is not LEAF:
            return reference.gather(rows, structure)
    kind, size = structure.type, len(keys)
    columns = [PyList_New(n) for _ in range(size)]
    if form is TUPLE or form is NAMED:
        for i in range(n):
            row = <PyObject*> PyList_GET_ITEM(rows, i)
            if type(<object> row) is not kind or PyTuple_GET_SIZE(<object> row) != size:
                _blank(columns, i, n)
                raise Misfit(i)
            for j in range(size):
                _put(columns, j, i, <object> PyTuple_GET_ITEM(<object> row, j))
        return columns
    if form is DICT:
        return _gather_dicts(rows, kind, keys, columns)
    return reference.gather(rows, structure)


cdef list _gather_dicts(list rows, object kind, tuple keys, list columns):
    cdef Py_ssize_t n = PyList_GET_SIZE(rows), size = PyTuple_GET_SIZE(keys), i, j
    cdef object row
    cdef PyObject* leaf
    for i in range(n):
        row = <object> PyList_GET_ITEM(rows, i)
        if type(row) is not kind or PyDict_Size(row) != size:
            _blank(columns, i, n)
            raise Misfit(i)
        for j in range(size):
            leaf = PyDict_GetItemWithError(row, <object> PyTuple_GET_ITEM(keys, j))
            if leaf is NULL:
                _blank(columns, i, n)
                raise Misfit(i)
            _put(columns, j, i, <object> leaf)
    return columns


cdef inline void _put(list columns, Py_ssize_t column, Py_ssize_t place, object leaf):
    Py_INCREF(leaf)
    PyList_SET_ITEM(<object> PyList_GET_ITEM(columns, column), place, leaf)


cdef void _blank(list columns, Py_ssize_t start, Py_ssize_t n):
    """Fills what is not set yet, since a list may not be seen with holes in it."""
    cdef Py_ssize_t i, j
    for j in range(PyList_GET_SIZE(columns)):
        for i in range(start, n):
            # A leaf of the row at `start` may be set already; setting it again would leak it, so that is asked.
            if PyList_GET_ITEM(<object> PyList_GET_ITEM(columns, j), i) is NULL:
                _put(columns, j, i, None)


# Copying.

cdef class Kind:
    """What is asked of a leaf, as C sees it."""

    def __init__(self, component):
        cdef cnp.dtype dtype = component.dtype
        cdef int i
        self.component = component
        self.dtype = dtype
        self.num = dtype.type_num
        self.item = dtype.itemsize
        self.scalar = component.dtype.type
        self.plain = component.dtype.kind in "biufcmM" and component.text is None
        self.units = component.dtype.kind in "mM"
        self.ndim = len(component.shape)
        assert self.ndim <= MOST_DIMS, "NumPy has no more dimensions"
        for i in range(self.ndim):
            self.dims[i] = -1 if component.shape[i] is None else component.shape[i]

    cdef bint fits(self, cnp.ndarray array):
        """Whether an array can be copied as a piece of memory, and is of the shape that is asked for."""
        cdef int i
        cdef cnp.dtype its = <cnp.dtype> <PyObject*> PyArray_DESCR(array)
        if its is not self.dtype and not (its.type_num == self.num and not self.units and PyArray_ISNOTSWAPPED(array)):
            if not PyArray_ISNOTSWAPPED(array) or not PyArray_EquivTypes(its, self.dtype):
                return False
        if cnp.PyArray_NDIM(array) != self.ndim or not cnp.PyArray_IS_C_CONTIGUOUS(array):
            return False
        for i in range(self.ndim):
            if self.dims[i] >= 0 and cnp.PyArray_DIM(array, i) != self.dims[i]:
                return False
        return True

    cdef bint scalar_to(self, object leaf, char* to) except -1:
        """Writes a scalar, if it is one of the component's own dtype."""
        cdef int overflow = 0
        cdef int64_t whole
        cdef double real
        if self.ndim != 0 or self.units:
            return False
        if type(leaf) is self.scalar:
            cnp.PyArray_ScalarAsCtype(leaf, to)
            return True
        if self.num == cnp.NPY_INT64 and PyLong_CheckExact(leaf):
            whole = PyLong_AsLongLongAndOverflow(leaf, &overflow)
            if overflow:
                return False
            memcpy(to, &whole, sizeof(int64_t))
            return True
        if self.num == cnp.NPY_DOUBLE and PyFloat_CheckExact(leaf):
            real = PyFloat_AS_DOUBLE(leaf)
            memcpy(to, &real, sizeof(double))
            return True
        if self.num == cnp.NPY_BOOL and (leaf is True or leaf is False):
            to[0] = leaf is True
            return True
        return False


def prepared(component):
    """As `reference.prepared`."""
    return Kind(component)


def stack(list leaves, Kind kind, cnp.ndarray out):
    """As `reference.stack`."""
    cdef object component = kind.component
    cdef Py_ssize_t n = PyList_GET_SIZE(leaves), i, row
    cdef char* to = <char*> cnp.PyArray_DATA(out)
    cdef object leaf
    cdef char** later = NULL
    if not kind.plain or not cnp.PyArray_IS_C_CONTIGUOUS(out):
        reference.stack(leaves, component, out)
        return
    assert cnp.PyArray_DIM(out, 0) == n, "the batch has a row for each leaf"
    row = cnp.PyArray_NBYTES(out) // n if n else 0
    if cnp.PyArray_NBYTES(out) >= LARGE:
        later = <char**> malloc(n * sizeof(char*))
    try:
        for i in range(n):
            leaf = <object> PyList_GET_ITEM(leaves, i)
            if later is not NULL:
                later[i] = NULL
            if cnp.PyArray_Check(leaf) and kind.fits(<cnp.ndarray> leaf):
                if later is NULL:
                    memcpy(to + i * row, cnp.PyArray_DATA(<cnp.ndarray> leaf), row)
                else:
                    later[i] = <char*> cnp.PyArray_DATA(<cnp.ndarray> leaf)
            elif not kind.scalar_to(leaf, to + i * row):
                _one(reference.stack, leaf, component, out, i)
        if later is not NULL:
            with nogil:  # the list keeps the arrays, and nobody else has `out`
                for i in range(n):
                    if later[i] is not NULL:
                        memcpy(to + i * row, later[i], row)
    finally:
        free(later)


cdef int _one(object function, object leaf, object component, cnp.ndarray out, Py_ssize_t place) except -1:
    """Has the reference see to one leaf."""
    try:
        function([leaf], component, out[place:place + 1])
    except Misfit:
        raise Misfit(place) from None
    return 0


def extent(list leaves, Kind kind):
    """As `reference.extent`."""
    cdef object component = kind.component
    cdef Py_ssize_t n = PyList_GET_SIZE(leaves), i
    cdef int axis
    cdef object leaf
    cdef cnp.npy_intp most[MOST_DIMS]
    if not kind.plain:
        return reference.extent(leaves, component)
    for axis in range(kind.ndim):
        most[axis] = 0
    for i in range(n):
        leaf = <object> PyList_GET_ITEM(leaves, i)
        if cnp.PyArray_Check(leaf) and kind.fits(<cnp.ndarray> leaf):
            for axis in range(kind.ndim):
                most[axis] = max(most[axis], cnp.PyArray_DIM(<cnp.ndarray> leaf, axis))
            continue
        try:
            sizes = reference.extent([leaf], component)
        except Misfit:
            raise Misfit(i) from None
        for axis in range(kind.ndim):
            most[axis] = max(most[axis], <cnp.npy_intp> sizes[axis])
    return tuple([most[axis] for axis in range(kind.ndim)])


cdef struct _Row:
    char* data
    cnp.npy_intp* dims


cdef struct _Fill:
    int ndim
    Py_ssize_t item
    bint left
    bint zero
    char* value
    cnp.npy_intp* dims  # of the batch's rows
    Py_ssize_t* nbytes  # of a block below each axis


def fill(list leaves, Kind kind, cnp.ndarray out, value, bint left, bint truncate):
    """As `reference.fill`."""
    cdef object component = kind.component
    cdef Py_ssize_t n = PyList_GET_SIZE(leaves), i
    cdef int axis
    cdef object leaf
    cdef _Fill how
    cdef _Row* rows = NULL
    cdef char* to = <char*> cnp.PyArray_DATA(out)
    cdef cnp.npy_intp dims[MOST_DIMS]
    cdef Py_ssize_t nbytes[MOST_DIMS + 1]
    cdef cnp.ndarray pattern
    if not kind.plain or kind.ndim == 0 or not cnp.PyArray_IS_C_CONTIGUOUS(out):
        reference.fill(leaves, component, out, value, left, truncate)
        return
    assert cnp.PyArray_DIM(out, 0) == n, "the batch has a row for each leaf"
    if cnp.PyArray_Check(value) and <PyObject*> PyArray_DESCR(<cnp.ndarray> value) is <PyObject*> kind.dtype:
        pattern = value
    else:
        pattern = cnp.PyArray_FROM_O(value).astype(kind.dtype)
    how.ndim, how.item, how.left, how.value = kind.ndim, kind.item, left, <char*> cnp.PyArray_DATA(pattern)
    how.zero = True
    for i in range(kind.item):
        if how.value[i] != 0:
            how.zero = False
    how.dims, how.nbytes = dims, nbytes
    nbytes[kind.ndim] = kind.item
    for axis in range(kind.ndim - 1, -1, -1):
        dims[axis] = cnp.PyArray_DIM(out, axis + 1)
        nbytes[axis] = nbytes[axis + 1] * dims[axis]
    rows = <_Row*> malloc(n * sizeof(_Row) + 1)
    try:
        for i in range(n):
            leaf = <object> PyList_GET_ITEM(leaves, i)
            rows[i].data = NULL
            if cnp.PyArray_Check(leaf) and kind.fits(<cnp.ndarray> leaf) and (truncate or _within(<cnp.ndarray> leaf, dims)):
                rows[i].data = <char*> cnp.PyArray_DATA(<cnp.ndarray> leaf)
                rows[i].dims = cnp.PyArray_DIMS(<cnp.ndarray> leaf)
            else:
                reference.fill([leaf], component, out[i:i + 1], value, left, truncate)
        if cnp.PyArray_NBYTES(out) >= LARGE:
            with nogil:  # the list keeps the arrays, and nobody else has `out`
                for i in range(n):
                    if rows[i].data is not NULL:
                        _block(&how, rows[i].data, rows[i].dims, to + i * nbytes[0], 0)
        else:
            for i in range(n):
                if rows[i].data is not NULL:
                    _block(&how, rows[i].data, rows[i].dims, to + i * nbytes[0], 0)
    finally:
        free(rows)


cdef bint _within(cnp.ndarray leaf, cnp.npy_intp* dims):
    cdef int axis
    for axis in range(cnp.PyArray_NDIM(leaf)):
        if cnp.PyArray_DIM(leaf, axis) > dims[axis]:
            return False
    return True


cdef void _block(_Fill* how, char* data, cnp.npy_intp* dims, char* to, int axis) noexcept nogil:
    """Copies what of a leaf lies below an axis, with the padding beside it."""
    cdef cnp.npy_intp its = dims[axis], most = how.dims[axis], kept = min(dims[axis], how.dims[axis]), i
    cdef cnp.npy_intp skipped = its - kept if how.left else 0, before = most - kept if how.left else 0
    cdef Py_ssize_t below = how.nbytes[axis + 1], own = how.item
    if axis == how.ndim - 1:
        memcpy(to + before * below, data + skipped * below, kept * below)
    else:
        for i in range(axis + 1, how.ndim):
            own *= dims[i]
        for i in range(kept):
            _block(how, data + (skipped + i) * own, dims, to + (before + i) * below, axis + 1)
    if before:
        _pad(how, to, before * below)
    if most > before + kept:
        _pad(how, to + (before + kept) * below, (most - before - kept) * below)


cdef void _pad(_Fill* how, char* to, Py_ssize_t nbytes) noexcept nogil:
    cdef Py_ssize_t at = 0
    if how.zero:
        memset(to, 0, nbytes)
        return
    while at < nbytes:
        memcpy(to + at, how.value, how.item)
        at += how.item
