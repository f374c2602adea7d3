# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twins of `reference`: the same functions, in C over NumPy's own structures.

Leaves are copied here where their dtype has a fixed size and holds no objects and no text.
A leaf that is not just such a piece of memory (an array-like, strides, another order of bytes) is made one by the reference.
Components of other dtypes go to the reference as a whole; it is the definition.
"""

cimport numpy as cnp
from cpython.dict cimport PyDict_Size
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE, PyList_New, PyList_SET_ITEM
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

import penstock.assemble.reference as reference
from penstock.assemble.misfit import Misfit
from penstock.structure import Form

cdef extern from "Python.h":
    PyObject* PyDict_GetItemWithError(object, object) except? NULL
    long long PyLong_AsLongLongAndOverflow(object, int*) except? -1
    bint PyLong_CheckExact(object)
    bint PyFloat_CheckExact(object)
    double PyFloat_AS_DOUBLE(object)
    Py_ssize_t PySequence_Fast_GET_SIZE(object)
    PyObject* PySequence_Fast_GET_ITEM(object, Py_ssize_t)

cdef extern from "numpy/arrayobject.h":
    bint PyArray_EquivTypes(cnp.dtype, cnp.dtype)
    bint PyArray_ISNOTSWAPPED(cnp.ndarray)
    cnp.PyArray_Descr* PyArray_DESCR(cnp.ndarray)

cdef extern from *:
    """
    #include <stddef.h>
    #include "numpy/arrayscalars.h"

    #define PENSTOCK_VALUE_AT(NUM, KIND) case NPY_##NUM: return offsetof(Py##KIND##ScalarObject, obval)

    /* Where a scalar of NumPy's holds its value; 0 if it is of another kind. */
    static Py_ssize_t penstock_value_at(int num) {
        switch (num) {
            PENSTOCK_VALUE_AT(BOOL, Bool);
            PENSTOCK_VALUE_AT(BYTE, Byte);
            PENSTOCK_VALUE_AT(UBYTE, UByte);
            PENSTOCK_VALUE_AT(SHORT, Short);
            PENSTOCK_VALUE_AT(USHORT, UShort);
            PENSTOCK_VALUE_AT(INT, Int);
            PENSTOCK_VALUE_AT(UINT, UInt);
            PENSTOCK_VALUE_AT(LONG, Long);
            PENSTOCK_VALUE_AT(ULONG, ULong);
            PENSTOCK_VALUE_AT(LONGLONG, LongLong);
            PENSTOCK_VALUE_AT(ULONGLONG, ULongLong);
            PENSTOCK_VALUE_AT(HALF, Half);
            PENSTOCK_VALUE_AT(FLOAT, Float);
            PENSTOCK_VALUE_AT(DOUBLE, Double);
            PENSTOCK_VALUE_AT(LONGDOUBLE, LongDouble);
            PENSTOCK_VALUE_AT(CFLOAT, CFloat);
            PENSTOCK_VALUE_AT(CDOUBLE, CDouble);
            PENSTOCK_VALUE_AT(CLONGDOUBLE, CLongDouble);
        }
        return 0;
    }

    #if defined(__SSE2__)
    #include <emmintrin.h>

    /* Writes lines of 64 bytes past the caches, to an address that is a multiple of 16. */
    static void penstock_stream(char* to, const char* data, Py_ssize_t lines) {
        const __m128i* from = (const __m128i*) data;
        __m128i* line = (__m128i*) to;
        for (; lines > 0; lines--, from += 4, line += 4) {
            __builtin_prefetch((const char*) from + 4096);
            __m128i a = _mm_loadu_si128(from), b = _mm_loadu_si128(from + 1);
            __m128i c = _mm_loadu_si128(from + 2), d = _mm_loadu_si128(from + 3);
            _mm_stream_si128(line, a);
            _mm_stream_si128(line + 1, b);
            _mm_stream_si128(line + 2, c);
            _mm_stream_si128(line + 3, d);
        }
        _mm_sfence();
    }
    #define PENSTOCK_STREAMS 1
    #else
    #define penstock_stream(to, data, lines) ((void) 0)
    #define PENSTOCK_STREAMS 0
    #endif

    #if defined(__GNUC__)
    #define penstock_prefetch(address) __builtin_prefetch(address)
    #define penstock_prefetch_to(address) __builtin_prefetch(address, 1)
    #else
    #define penstock_prefetch(address) ((void) (address))
    #define penstock_prefetch_to(address) ((void) (address))
    #endif
    """
    Py_ssize_t value_at "penstock_value_at"(int)
    bint STREAMS "PENSTOCK_STREAMS"
    void stream "penstock_stream"(char*, const char*, Py_ssize_t) noexcept nogil
    void prefetch "penstock_prefetch"(const void*) noexcept nogil
    void prefetch_to "penstock_prefetch_to"(const void*) noexcept nogil

cnp.import_array()

cdef enum:
    LARGE = 1 << 20  # bytes of a component from which on the interpreter is let go while it is copied
    FAR = 6 << 20  # bytes of a component from which on it is out of the caches before anybody reads it
    LINE = 64  # bytes of a cache's line
    LONG = 1 << 12  # bytes from which on it matters how they come through the caches
    AHEAD = 1 << 12  # bytes that are asked for ahead: a page, so that its address is looked up meanwhile

cdef object LEAF = Form.LEAF, DICT = Form.DICT, DATA = Form.DATA

cdef enum Access:
    """How a container's items are read."""
    BY_PLACE
    BY_KEY
    BY_ATTRIBUTE
    BY_REFERENCE


def gather(list rows, structure):
    """As `reference.gather`."""
    cdef list columns = []
    cdef Py_ssize_t n = PyList_GET_SIZE(rows)
    cdef Py_ssize_t good = _gather(rows, structure, n, columns)
    if good < n:
        raise Misfit(good)
    return columns


cdef Py_ssize_t _gather(list nodes, structure, Py_ssize_t n, list columns) except -1:
    """Adds a list for each leaf below a node; gives how many of the first n rows fit."""
    cdef list parts
    cdef Py_ssize_t place
    cdef Access access
    if structure.form is LEAF:
        columns.append(nodes[:n])
        return n
    access = _access(structure)
    if access == BY_REFERENCE:
        try:
            columns += reference.gather(nodes[:n], structure)
        except Misfit as misfit:
            n = misfit.row
            columns += reference.gather(nodes[:n], structure)
        return n
    parts = [PyList_New(n) for _ in structure.keys]
    n = _split(nodes, structure.type, structure.keys, access, n, parts)
    for place, child in enumerate(structure.children):
        if child.form is LEAF and len(parts[place]) == n:
            columns.append(parts[place])
        else:
            n = _gather(parts[place], child, n, columns)
    return n


cdef Access _access(structure):
    """The quick way to a container's items, where its class has no way of its own."""
    if structure.form is DATA:
        return BY_ATTRIBUTE
    if not reference.plain_access(structure):
        return BY_REFERENCE
    return BY_KEY if structure.form is DICT else BY_PLACE


cdef Py_ssize_t _split(list nodes, kind, tuple keys, Access access, Py_ssize_t n, list parts) except -1:
    """Puts the items of n containers into a list for each key; stops at the first container that differs, and says where."""
    cdef Py_ssize_t size = PyTuple_GET_SIZE(keys), done = 0, i, j
    cdef object node, value
    cdef PyObject* found
    try:
        for i in range(n):
            node = <object> PyList_GET_ITEM(nodes, i)
            if type(node) is not kind:
                break
            if access == BY_PLACE:
                if PySequence_Fast_GET_SIZE(node) != size:
                    break
                for j in range(size):
                    _put(parts, j, i, <object> PySequence_Fast_GET_ITEM(node, j))
            elif access == BY_KEY:
                if PyDict_Size(node) != size:
                    break
                for j in range(size):
                    found = PyDict_GetItemWithError(node, <object> PyTuple_GET_ITEM(keys, j))
                    if found is NULL:
                        return done
                    _put(parts, j, i, <object> found)
            else:
                for j in range(size):
                    value = getattr(node, <object> PyTuple_GET_ITEM(keys, j))
                    _put(parts, j, i, value)
            done = i + 1
        return done
    finally:
        # A list may not be seen with holes in it. What is set of the row that differs goes too.
        if done < n:
            for j in range(size):
                del (<list> PyList_GET_ITEM(parts, j))[done:]


cdef inline void _put(list parts, Py_ssize_t part, Py_ssize_t place, object value):
    Py_INCREF(value)
    PyList_SET_ITEM(<object> PyList_GET_ITEM(parts, part), place, value)


cdef class Kind:
    """What is asked of a leaf, as C sees it."""

    def __init__(self, component):
        cdef cnp.dtype dtype = component.dtype
        cdef int axis
        kind = component.dtype.kind
        self.component = component
        self.dtype = dtype
        self.num = dtype.type_num
        self.item = dtype.itemsize
        self.exact = kind in "biufc"
        self.scalar = component.dtype.type if self.exact else None
        self.value_at = value_at(self.num)
        assert self.value_at or not self.exact, "it is known where NumPy's own numbers hold their values"
        # Besides NumPy's own numbers and times those that others register: bfloat16 and its kin.
        self.plain = kind in "biufcmM" or (component.dtype.isbuiltin == 2 and not component.dtype.hasobject)
        self.ndim = len(component.shape)
        assert self.ndim <= MOST_DIMS, "NumPy has no more dimensions"
        for axis in range(self.ndim):
            self.dims[axis] = -1 if component.shape[axis] is None else component.shape[axis]

    cdef bint fits(self, cnp.ndarray array):
        """Whether an array can be copied as a piece of memory, and is of the shape that is asked for."""
        cdef int axis
        cdef cnp.dtype its = <cnp.dtype> <PyObject*> PyArray_DESCR(array)
        if cnp.PyArray_NDIM(array) != self.ndim or not cnp.PyArray_IS_C_CONTIGUOUS(array):
            return False
        if its is not self.dtype:
            if not PyArray_ISNOTSWAPPED(array):
                return False
            if not (self.exact and its.type_num == self.num) and not PyArray_EquivTypes(its, self.dtype):
                return False
        for axis in range(self.ndim):
            if self.dims[axis] >= 0 and cnp.PyArray_DIM(array, axis) != self.dims[axis]:
                return False
        return True

    cdef bint scalar_to(self, object leaf, char* to) except -1:
        """Writes a scalar, if it is one of the component's own dtype, which has no dimensions."""
        cdef int overflow = 0
        cdef int64_t whole
        cdef double real
        if not self.exact:
            return False
        if type(leaf) is self.scalar:
            # `PyArray_ScalarAsCtype` would look up what kind it is of, which takes as long as all the rest.
            memcpy(to, <char*> <PyObject*> leaf + self.value_at, self.item)
            return True
        if self.num == cnp.NPY_INT64 and PyLong_CheckExact(leaf):
            whole = PyLong_AsLongLongAndOverflow(leaf, &overflow)
            memcpy(to, &whole, sizeof(int64_t))
            return overflow == 0
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
    cdef Py_ssize_t n = PyList_GET_SIZE(leaves), i, row
    cdef char* to = <char*> cnp.PyArray_DATA(out)
    cdef object leaf
    cdef list made = []  # keeps the arrays that were made of leaves
    cdef char** later = NULL
    if not kind.plain or not cnp.PyArray_IS_C_CONTIGUOUS(out):
        reference.stack(leaves, kind.component, out)
        return
    assert cnp.PyArray_DIM(out, 0) == n and cnp.PyArray_NDIM(out) == kind.ndim + 1, "a row for each leaf"
    row = cnp.PyArray_NBYTES(out) // n if n else 0
    if cnp.PyArray_NBYTES(out) >= LARGE and kind.ndim:
        later = <char**> malloc(n * sizeof(char*))
    try:
        for i in range(n):
            leaf = <object> PyList_GET_ITEM(leaves, i)
            if kind.ndim == 0 and kind.scalar_to(leaf, to + i * row):
                continue
            if not cnp.PyArray_Check(leaf) or not kind.fits(<cnp.ndarray> leaf):
                leaf = reference.plain(leaf, kind.component, i)
                assert kind.fits(<cnp.ndarray?> leaf), "the reference makes a piece of memory"
                made.append(leaf)
            if later is NULL:
                memcpy(to + i * row, cnp.PyArray_DATA(<cnp.ndarray> leaf), row)
            else:
                later[i] = <char*> cnp.PyArray_DATA(<cnp.ndarray> leaf)
        if later is not NULL:
            with nogil:  # the lists keep the arrays, and nobody else has `out`
                for i in range(n):
                    if n * row >= FAR:
                        streamed(to + i * row, later[i], row)
                    else:
                        copied(to + i * row, later[i], row)
    finally:
        free(later)


def extent(list leaves, Kind kind, sizes=None):
    """As `reference.extent`."""
    cdef Py_ssize_t n = PyList_GET_SIZE(leaves), i
    cdef int axis
    cdef object leaf
    cdef cnp.npy_intp size
    cdef cnp.npy_intp most[MOST_DIMS]
    cdef int64_t* seen = NULL
    if not kind.plain:
        return reference.extent(leaves, kind.component, sizes)
    if sizes is not None:
        assert sizes.shape == (n, kind.ndim) and sizes.dtype == "int64" and sizes.flags.carray, "a row for each leaf"
        seen = <int64_t*> cnp.PyArray_DATA(<cnp.ndarray?> sizes)
    for axis in range(kind.ndim):
        most[axis] = 0
    for i in range(n):
        leaf = <object> PyList_GET_ITEM(leaves, i)
        if not cnp.PyArray_Check(leaf) or not kind.fits(<cnp.ndarray> leaf):
            leaf = leaves[i] = reference.plain(leaf, kind.component, i)
        for axis in range(kind.ndim):
            size = cnp.PyArray_DIM(<cnp.ndarray> leaf, axis)
            if size > most[axis]:
                most[axis] = size
            if seen is not NULL:
                seen[i * kind.ndim + axis] = size
    return tuple([most[axis] for axis in range(kind.ndim)])


cdef void copied(char* to, char* data, Py_ssize_t nbytes) noexcept nogil:
    """As memcpy, which waits for each page's address and, where the two lie differently in the lines, for each line."""
    cdef Py_ssize_t done = 0
    if nbytes >= LONG:
        while done + LINE <= nbytes:
            prefetch(data + done + AHEAD)  # past the end it does nothing
            prefetch_to(to + done + AHEAD)
            memcpy(to + done, data + done, LINE)  # of a constant size: a few plain instructions
            done += LINE
    memcpy(to + done, data + done, nbytes - done)


cdef void streamed(char* to, char* data, Py_ssize_t nbytes) noexcept nogil:
    """As memcpy, past the caches: what is written is not read before it is written.

    Of a batch that is small whoever reads it next would pay more than that saves.
    """
    cdef Py_ssize_t first = (-<Py_ssize_t> to) & (LINE - 1), lines
    if not STREAMS or nbytes < LONG:
        copied(to, data, nbytes)
        return
    lines = (nbytes - first) // LINE
    memcpy(to, data, first)
    stream(to + first, data + first, lines)
    first += lines * LINE
    memcpy(to + first, data + first, nbytes - first)
