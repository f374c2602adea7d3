"""Examples of every kind, for Hypothesis: dtypes, arrays as NumPy may hold them, specs, and examples that fit them."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from penstock.spec import Component, Spec
from penstock.structure import Structure

Array = np.ndarray[Any, np.dtype[Any]]

NUMBERS = [
    np.dtype(code)
    for code in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "longlong"),
        *("float16", "float32", "float64", "longdouble", "complex64", "complex128", "clongdouble"),
        *("M8[D]", "M8[ns]", "M8[25us]", "m8[s]", "m8"),
    )
]
TEXT = [np.dtype("U4"), np.dtype("S4"), np.dtypes.StringDType()]
OTHERS = [np.dtype([("a", "<i4"), ("b", "U2")]), np.dtype("V3"), np.dtype(object)]
DTYPES = [*NUMBERS, *TEXT, *OTHERS]
"""Every kind of dtype that NumPy has."""


class Pair(NamedTuple):
    """A namedtuple of two components."""

    left: Any
    right: Any


@dataclass(frozen=True)
class Record:
    """A dataclass of two components."""

    image: Any
    label: Any


class Own(dict[Any, Any]):
    """A dict with a way of its own to give an item."""

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(key)


def sizes(most: int = 4) -> st.SearchStrategy[int]:
    """Sizes of a dimension; none is among them."""
    return st.integers(0, most)


def shapes(most_dims: int = 3) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of no dimension and more."""
    return st.lists(sizes(), max_size=most_dims).map(tuple)


def contents(dtype: np.dtype[Any], shape: tuple[int, ...], seed: int) -> Array:
    """An array of a dtype whose bytes are drawn, NaNs and their payloads among them.

    Args:
      dtype: any.
      shape: of the array.
      seed: of what is in it.
    """
    rng = np.random.default_rng(seed)
    count = int(np.prod(shape, dtype=int))
    words = [f"{number:x}"[:3] for number in rng.integers(0, 4096, count)]
    if dtype.kind == "O":
        held = np.empty(count, object)
        held[:] = [word.encode() if rng.random() < 0.3 else word for word in words]
        return held.reshape(shape)
    if dtype.kind in "UST":
        return np.array(words, "U4").astype(dtype).reshape(shape)
    if dtype.names is not None:
        return np.array([(len(word), word) for word in words], dtype).reshape(shape)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if dtype in (np.dtype("longdouble"), np.dtype("clongdouble")):
        return rng.standard_normal(shape).astype(dtype)  # Not any bytes are one.
    return np.frombuffer(rng.bytes(count * dtype.itemsize), dtype).reshape(shape)


LAYOUTS = ("plain", "fortran", "strided", "reversed", "swapped", "unaligned", "subclass", "exported")


class Exported:
    """What is no array, but gives one."""

    def __init__(self, array: Array) -> None:
        self._array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        return self._array


class Subclass(np.ndarray):  # type: ignore[type-arg]
    """An array of another class."""


def laid_out(array: Array, layout: str) -> Any:
    """The same values, as another piece of memory holds them; some layouts leave some dtypes as they are."""
    if layout == "fortran":
        return np.asfortranarray(array) if array.ndim else array
    if layout == "strided" and array.ndim:
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if layout == "reversed" and array.ndim:
        return np.ascontiguousarray(array[::-1])[::-1]
    if layout == "swapped" and array.dtype.kind not in "OTV":
        return array.astype(array.dtype.newbyteorder("S"))
    if layout == "unaligned" and array.size and array.dtype.kind not in "OT":
        raw = np.empty(array.nbytes + 1, np.uint8)
        inside = raw[1:].view(array.dtype).reshape(array.shape)
        inside[...] = array
        return inside
    if layout == "subclass":
        return array.view(Subclass)
    if layout == "exported":
        return Exported(array)
    return array


def leaves(component: Component, layouts: tuple[str, ...] = LAYOUTS) -> st.SearchStrategy[Any]:
    """Arrays and scalars that fit a component.

    Args:
      component: its `None` are drawn.
      layouts: how the arrays may be held.
    """
    if component.text is not None:
        texts = st.text(max_size=5)
        return texts if component.text == "str" else texts.map(str.encode)

    def made(drawn: tuple[tuple[int, ...], int, str, bool]) -> Any:
        shape, seed, layout, scalar = drawn
        array = contents(component.dtype, shape, seed)
        if scalar and not shape and component.dtype.kind in "biufcmM":
            whole = array[()]
            kinds = {"bool": bool, "int64": int, "float64": float, "complex128": complex}
            python = kinds.get(component.dtype.name) if component.dtype.char not in "qg" else None
            return python(whole) if python is not None and seed % 2 else whole
        return laid_out(array, layout)

    shape = st.tuples(*[sizes() if size is None else st.just(size) for size in component.shape])
    return st.tuples(shape, st.integers(0, 99), st.sampled_from(layouts), st.booleans()).map(made)


@st.composite
def components(draw: st.DrawFn, dtypes: list[np.dtype[Any]] = DTYPES, most_dims: int = 3) -> Component:
    """Components with fixed and free dimensions, and texts."""
    if draw(st.integers(0, 9)) == 0 and np.dtype(object) in dtypes:
        return Component(np.dtype(object), (), draw(st.sampled_from(["str", "bytes"])))
    free = st.one_of(st.none(), sizes())
    return Component(draw(st.sampled_from(dtypes)), tuple(draw(st.lists(free, max_size=most_dims))))


LEAVES = st.just(0)
STRUCTURES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(tuple),
        st.lists(inner, min_size=1, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", 3]), inner, min_size=1, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b"]), inner, min_size=1, max_size=2).map(Own),
        st.tuples(inner, inner).map(lambda two: Pair(*two)),
        st.tuples(inner, inner).map(lambda two: Record(*two)),
    ),
    max_leaves=5,
).map(Structure.of)
"""Nested containers of every form."""


@st.composite
def specs(draw: st.DrawFn, dtypes: list[np.dtype[Any]] = DTYPES) -> Spec:
    """Specs of examples of every form."""
    structure = draw(STRUCTURES)
    return Spec(structure, tuple(draw(components(dtypes)) for _ in structure.paths()))


def examples(spec: Spec, layouts: tuple[str, ...] = LAYOUTS) -> st.SearchStrategy[Any]:
    """Examples that fit a spec."""
    drawn = st.tuples(*[leaves(component, layouts) for component in spec.components])
    return drawn.map(lambda parts: built(spec.structure, parts))


def built(structure: Structure, parts: Any) -> Any:
    """An example of the structure's own classes, its dicts in any order of their keys."""
    example = structure.build(list(parts))
    return owned(structure, example)


def owned(structure: Structure, node: Any) -> Any:
    """The same with dicts of the structure's own class: a batch's are plain."""
    if structure.is_leaf:
        return node
    kind: Any = structure.type
    get = getattr if structure.form.value in ("namedtuple", "dataclass") else lambda held, key: held[key]
    inner = {key: owned(child, get(node, key)) for key, child in zip(structure.keys, structure.children, strict=True)}
    if structure.form.value == "dict":
        return kind(dict(reversed(inner.items())))
    if structure.form.value in ("namedtuple", "dataclass"):
        return kind(*inner.values())
    return kind(inner.values())


def alike(one: Any, other: Any) -> bool:
    """Whether two arrays are the same to the bit, but for the bits of a longdouble that mean nothing."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.dtype.kind in "OT":
        pairs = zip(one.ravel().tolist(), other.ravel().tolist(), strict=True)
        return all(type(a) is type(b) and a == b for a, b in pairs)
    if one.dtype.char in "gG":
        return bool(np.array_equal(one, other))
    return bool(one.tobytes() == other.tobytes())
