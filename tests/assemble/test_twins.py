"""The native kernels and their definition in NumPy give the same bytes, and find the same row that does not fit."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock.assemble.pile as pile
import penstock.assemble.pool as pool
import penstock.assemble.reference as reference
import penstock.assemble.sink as sink
from examples import DTYPES, FORMS, filled
from penstock.assemble.misfit import Misfit
from penstock.errors import SpecError
from penstock.spec import Component, Spec, native_dtype
from penstock.structure import Structure

native = pytest.importorskip("penstock.assemble._native", reason="the native part is not built")
native_sink = pytest.importorskip("penstock.assemble._sink", reason="the native part is not built")
native_pile = pytest.importorskip("penstock.assemble._pile", reason="the native part is not built")
native_pool = pytest.importorskip("penstock.assemble._pool", reason="the native part is not built")

ALL = [*DTYPES, np.dtype([("a", "i4"), ("b", "f8")]), np.dtypes.StringDType(), np.dtype("longlong"), np.dtype(">c8")]
NUMBERS = [dtype for dtype in ALL if dtype.kind in "biufcmM"]
UNREADABLE = [None, object(), iter(()), 2**70, {"a": 1}]


class Wrapped:
    """An array that NumPy sees through `__array__` alone."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.array


class Refuses:
    """An array-like that cannot be read."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise RuntimeError("not on this device")


def values(dtype: np.dtype, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Values of any dtype; numbers have signs, and floats that are not numbers too."""
    if dtype.kind == "T":
        return filled(np.dtype("U9"), shape, seed).astype(dtype)
    array = filled(dtype, shape, seed)
    if dtype.kind in "fc" and array.size:
        array.reshape(-1)[seed % array.size] = (-0.0, np.nan, -np.inf)[seed % 3]
    return array


def laid_out(array: np.ndarray, how: str) -> Any:
    """The same values in another layout."""
    if how == "strided":
        wide = np.repeat(array, 2, axis=-1) if array.ndim else array
        return wide[..., ::2] if array.ndim else wide
    if how == "turned":
        return np.asfortranarray(array)
    if how == "swapped":
        return array.astype(array.dtype.newbyteorder()) if array.dtype.kind in "iufcmM" else array
    if how == "scalar":
        return array[()]
    if how == "python":
        return array.item() if array.ndim == 0 and array.dtype.kind in "biufcO" else array
    if how == "wrapped":
        return Wrapped(array)
    if how == "other name" and array.dtype.kind == "i":
        return array.astype(np.longlong if array.dtype.itemsize == 8 else array.dtype)
    return array


LAYOUTS = ["plain", "strided", "turned", "swapped", "scalar", "python", "wrapped", "other name"]


@st.composite
def leaves(draw: st.DrawFn, dtypes: list[np.dtype], *, least: int = 0) -> tuple[list[Any], Component]:
    """Leaves of one component, in every layout, of which some may not fit it; every free dimension may vary."""
    dtype = draw(st.sampled_from(dtypes))
    shape = tuple(draw(st.lists(st.integers(0, 4), min_size=least, max_size=3)))
    free = [draw(st.booleans()) for _ in shape]
    component = Component.of(values(dtype, shape, 0))
    component = component.with_shape(tuple(None if f else size for f, size in zip(free, shape, strict=True)))
    drawn: list[Any] = []
    for seed in range(draw(st.integers(0, 6))):
        its = tuple(draw(st.integers(0, 4)) if f else size for f, size in zip(free, shape, strict=True))
        what = draw(st.sampled_from(["fits"] * 12 + ["dtype", "rank", "size", "unreadable", "width"]))
        width = "9" if what == "width" else "2"
        of = np.dtype(dtype.kind + width) if dtype.kind in "SU" and what == "width" else dtype
        of = draw(st.sampled_from(ALL)) if what == "dtype" else of
        its = (*its, 2) if what == "rank" else tuple(size + 1 for size in its) if what == "size" else its
        leaf = laid_out(values(of, its, seed), draw(st.sampled_from(LAYOUTS)))
        drawn.append(draw(st.sampled_from([*UNREADABLE, Refuses()])) if what == "unreadable" else leaf)
    return drawn, component


def bits(array: np.ndarray) -> Any:
    """What can be compared to the bit; of a long double the value, since some of its bytes are never written."""
    if array.dtype.hasobject or array.dtype.kind == "T":
        return [(type(value), value) for value in array.ravel().tolist()]
    if array.dtype.char in "gG":
        return [str(value) for value in array.ravel()]
    return array.tobytes()


def outcome(function: Callable[[], Any]) -> Any:
    """What a kernel gives, or the row that it finds."""
    try:
        given = function()
    except Misfit as misfit:
        return "misfit", misfit.row
    return (given.dtype, given.shape, bits(given)) if isinstance(given, np.ndarray) else given


def stacked(kernels: Any, drawn: list[Any], component: Component, width: int) -> np.ndarray:
    sizes = tuple(3 if size is None else size for size in component.shape)
    dtype = np.dtype(f"{component.dtype.kind}{width}") if component.dtype.kind in "US" else component.dtype
    out = np.zeros((len(drawn), *sizes), dtype)
    kernels.stack(list(drawn), kernels.prepared(component), out)
    return out


@given(leaves(ALL), st.sampled_from([1, 9]))
def test_stack_gives_the_same_bytes_or_the_same_row(case: tuple[list[Any], Component], width: int):
    """Of every dtype and layout; texts are cut by a batch that is too narrow in the same way."""
    drawn, component = case
    fixed = component.with_shape(tuple(3 if size is None else size for size in component.shape))

    assert outcome(lambda: stacked(native, drawn, fixed, width)) == outcome(
        lambda: stacked(reference, drawn, fixed, width)
    )


@given(leaves(ALL), st.booleans())
def test_extent_gives_the_same_sizes_or_the_same_row(case: tuple[list[Any], Component], each: bool):
    """Those of each leaf too, where they are wanted; leaves that are no arrays are arrays afterwards."""
    drawn, component = case

    def measured(kernels: Any) -> Any:
        sizes = np.full((len(drawn), len(component.shape)), -1) if each else None
        seen = list(drawn)
        largest = kernels.extent(seen, kernels.prepared(component), sizes)
        return (
            largest,
            None if sizes is None else sizes.tolist(),
            [(leaf.shape, bits(leaf.astype(native_dtype(leaf.dtype)))) for leaf in seen],
        )

    assert outcome(lambda: measured(native)) == outcome(lambda: measured(reference))


def spread(
    kernels: Any, drawn: list[Any], component: Component, sizes: tuple[int, ...], value: Any, left: bool, truncate: bool
) -> np.ndarray:
    dtype = np.dtype(f"{component.dtype.kind}9") if component.dtype.kind in "US" else component.dtype
    out = np.zeros((len(drawn), *sizes), dtype)
    if dtype.kind not in "OT":
        out.view(np.uint8).fill(85) if out.size else None
    seen = list(drawn)
    kernels.extent(seen, kernels.prepared(component))
    (native_pile if kernels is native else kernels).fill(seen, kernels.prepared(component), out, value, left, truncate)
    return out


@given(leaves(ALL, least=1), st.data())
def test_fill_gives_the_same_bytes(case: tuple[list[Any], Component], data: st.DataObject):
    """Of the leaves that fit, padded on either side, with any value, cut or not; not a byte of the batch stays as it was."""
    drawn, component = case
    fitting = [
        leaf for leaf in drawn if outcome(lambda leaf=leaf: reference.extent([leaf], component))[:1] != ("misfit",)
    ]
    largest = reference.extent(list(fitting), component)
    truncate = data.draw(st.booleans())
    more = data.draw(st.lists(st.integers(-2 if truncate else 0, 2), min_size=len(largest), max_size=len(largest)))
    sizes = tuple(max(0, most + extra) for most, extra in zip(largest, more, strict=True))
    left, zero = data.draw(st.booleans()), data.draw(st.booleans())
    value: Any = "" if component.dtype.kind in "UT" else b"" if component.dtype.kind in "SO" else None
    if value is None:
        value = (
            np.zeros((), component.dtype) if zero else values(native_dtype(component.dtype), (3,), 1)[2:].reshape(())
        )

    assert outcome(lambda: spread(native, fitting, component, sizes, value, left, truncate)) == outcome(
        lambda: spread(reference, fitting, component, sizes, value, left, truncate)
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_copied_without_the_interpreter_is_the_same(layout: str):
    """Above a size the native part lets the interpreter go; among the leaves may be some that need it."""
    random = np.random.default_rng(0)
    drawn = [random.random((300, 299)) for _ in range(4)]
    drawn[2] = laid_out(drawn[2], layout)
    component = Component.of(drawn[0])
    free = component.with_shape((None, None))

    assert outcome(lambda: stacked(native, drawn, component, 1)) == outcome(
        lambda: stacked(reference, drawn, component, 1)
    )
    for left in (True, False):
        padded = [
            spread(kernels, drawn, free, (310, 305), np.array(7.5), left, False) for kernels in (native, reference)
        ]
        assert bits(padded[0]) == bits(padded[1])


@pytest.mark.parametrize("size", [(1 << 21), (1 << 21) + 1, (1 << 21) + 77, 4095])
@pytest.mark.parametrize("shift", [0, 1, 40])
def test_a_batch_too_large_for_the_caches_is_the_same(size: int, shift: int):
    """It is written past them, in whole lines, wherever its rows begin and end."""
    pieces = np.random.default_rng(0).integers(0, 256, (4, size + 64), np.uint8)
    drawn = [piece[shift : shift + size] for piece in pieces] * max(1, (1 << 21) // size)
    whole = np.full(len(drawn) * size + 2 * 64, 99, np.uint8)
    out = whole[64:-64].reshape(len(drawn), size)

    native.stack(drawn, native.prepared(Component.of(drawn[0])), out)

    assert np.array_equal(out, np.stack(drawn))
    assert whole[:64].tolist() == whole[-64:].tolist() == [99] * 64


@pytest.mark.parametrize("kind", [kind for kind in "?bhilqpBHILQPefdgFDG"])
def test_a_scalar_of_any_kind_holds_its_value_where_it_is_read(kind: str):
    """Each of NumPy's own has a layout of its own."""
    dtype = np.dtype(kind)
    drawn = [dtype.type(value) for value in (0, 1, 3, 100)]
    component = Component(dtype, ())

    assert outcome(lambda: stacked(native, drawn, component, 1)) == outcome(
        lambda: stacked(reference, drawn, component, 1)
    )


def mixed(row: Any) -> list[Any]:
    """Rows that are like another and yet not."""
    other: list[Any] = [(row,), [row], {"a": row}, 7]
    if isinstance(row, tuple):
        other += [row[:-1], (*row, 1), list(row)]
    if isinstance(row, dict):
        other += [{**row, "more": 1}, dict(list(row.items())[1:]), dict(reversed(row.items())), tuple(row.values())]
        other += [{f"{key}'": value for key, value in row.items()}]
    return other


@given(st.sampled_from(sorted(FORMS)), st.data())
def test_gather_takes_examples_apart_in_the_same_way(form: str, data: st.DataObject):
    """Every structure; a row of another one is found at the same place; a dict in another order is the same."""
    rows: list[Any] = [FORMS[form](np.arange(i), i) for i in range(data.draw(st.integers(1, 6)))]
    structure = Structure.of(rows[0])
    if data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(rows) - 1))
        rows[place] = data.draw(st.sampled_from(mixed(rows[place])))

    def taken(kernels: Any) -> Any:
        return [[id(leaf) for leaf in column] for column in kernels.gather(list(rows), structure)]

    assert outcome(lambda: taken(native)) == outcome(lambda: taken(reference))


def endless(source: int) -> Iterator[tuple[int, int]]:
    return ((source, i) for i in range(1_000_000))


def failing(source: int, after: int) -> Iterator[tuple[int, int]]:
    yield from ((source, i) for i in range(after))
    raise KeyError(source)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=5), st.integers(0, 20), st.data())
def test_pull_turns_stops_at_the_same_item(sources: list[tuple[bool, int]], n: int, data: st.DataObject):
    """At the first source that ends or raises; what came before stays."""
    first = data.draw(st.integers(0, len(sources) - 1))

    def pulled(module: Any) -> Any:
        rows: list[Any] = ["before"]
        made = [failing(i, k) if fails else iter([(i, j) for j in range(k)]) for i, (fails, k) in enumerate(sources)]
        try:
            module.pull_turns(made, first, n, rows)
        except KeyError as error:
            return rows, error.args
        return rows, None

    assert pulled(native_sink) == pulled(sink)


def poured(module: Any, kernels: Any, spec: Spec, sources: list[list[Any]], n: int, more: list[Any]) -> Any:
    piles, size = native_pile if module is native_sink else pile, n + len(more)
    kinds = [kernels.prepared(part) for part in spec.components]
    places = [
        piles.Pile(kind, size) if None in part.shape else np.zeros((size, *part.shape), part.dtype)
        for kind, part in zip(kinds, spec.components, strict=True)
    ]
    filling = module.Sink(spec.structure, kinds, places)
    filling.pull([iter(rows) for rows in sources], 0, n)
    if filling.misfit is None:
        filling.add(more)
    misfit = None if filling.misfit is None else id(filling.misfit[0])
    made = [
        unpiled(place, len(filling), part) if None in part.shape else bits(place[: len(filling)])
        for place, part in zip(filling.places, spec.components, strict=True)
    ]
    return len(filling), filling.filled, misfit, made


def unpiled(of: Any, n: int, component: Component, *, left: bool = False, least: int = 64) -> Any:
    """All that a pile has to say of its first n leaves; rows that are shorter than `least` hold them whole."""
    largest = of.largest(n)
    out = np.zeros((n, *[min(most, least) for most in largest]), component.dtype)
    of.fill(out, values(native_dtype(component.dtype), (3,), 1)[2:].reshape(()), left, True)
    return largest, of.sizes(n).tolist(), bits(out)


@given(st.lists(st.integers(0, 3000), max_size=12), st.booleans(), st.booleans(), st.data())
def test_a_pile_gives_the_same_bytes(lengths: list[int], deep: bool, left: bool, data: st.DataObject):
    """Of short leaves, which are packed, and of long ones, which are held; up to any of them."""
    leaves = [values(np.dtype(float), (length, 2) if deep else (length,), length) for length in lengths]
    component = Component(np.dtype(float), (None, 2) if deep else (None,))
    n, least = data.draw(st.integers(0, len(leaves))), data.draw(st.sampled_from([1, 500, 3000]))

    def piled(module: Any, kernels: Any) -> Any:
        made = module.Pile(kernels.prepared(component), len(leaves))
        made.add(list(leaves))
        return len(made), unpiled(made, n, component, left=left, least=least)

    assert piled(native_pile, native) == piled(pile, reference)


@given(st.sampled_from(["bare", "tuple", "tuple of one", "dict", "dict of one", "namedtuple"]), st.data())
def test_a_sink_is_filled_with_the_same_rows_up_to_the_same_misfit(form: str, data: st.DataObject):
    """From several sources in turn, and with examples that are there already, some of them to be padded."""
    dtype = data.draw(st.sampled_from(NUMBERS))
    shape = tuple(data.draw(st.lists(st.integers(1, 3), max_size=2)))
    padded = bool(shape) and data.draw(st.booleans())

    def row(seed: int) -> Any:
        if data.draw(st.integers(0, 9)) == 0:
            return data.draw(st.sampled_from([*mixed(FORMS[form](1, 2)), *map(FORMS[form], UNREADABLE, UNREADABLE)]))
        its = tuple(data.draw(st.integers(0, 3)) for _ in shape) if padded else shape
        leaf = laid_out(values(dtype, its, seed), data.draw(st.sampled_from(LAYOUTS)))
        return FORMS[form](leaf, data.draw(st.sampled_from([seed, np.int64(seed), np.array(seed)])))

    spec = Spec.of(FORMS[form](values(dtype, shape, 0), 0))
    if padded:
        spec = spec.reshaped(lambda path, component: (None,) * len(component.shape))
    sources = [
        [row(10 * i + j) for j in range(data.draw(st.integers(0, 4)))] for i in range(data.draw(st.integers(1, 3)))
    ]
    more = [row(90 + i) for i in range(data.draw(st.integers(0, 2)))]
    n = data.draw(st.integers(1, 8))

    assert poured(native_sink, native, spec, sources, n, more) == poured(sink, reference, spec, sources, n, more)


def test_a_sink_keeps_what_came_before_a_source_that_raises():
    """And nothing of what came after."""
    spec = Spec.of((1, 2))
    results = []
    for module, kernels in ((native_sink, native), (sink, reference)):
        arrays = [np.zeros(8, np.int64), np.zeros(8, np.int64)]
        filling = module.Sink(spec.structure, [kernels.prepared(part) for part in spec.components], arrays)
        with pytest.raises(KeyError):
            filling.pull([endless(0), failing(1, 2)], 1, 8)
        results.append((len(filling), [array[: len(filling)].tolist() for array in arrays]))

    assert results == [(4, [[1, 0, 1, 0], [0, 0, 1, 1]])] * 2


@pytest.mark.parametrize("dtype", ALL, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (5,), (400, 3), (2000,)])
def test_the_pools_arrays_are_alike(dtype: np.dtype, shape: tuple[int, ...]):
    """Whatever they hold: the frameworks ask an array for all of this."""
    one, two = native_pool.Pool().array(shape, dtype), pool.Pool().array(shape, dtype)

    for array in (one, two):
        assert (array.dtype, array.shape, array.strides) == (dtype, shape, np.empty(shape, dtype).strides)
        assert array.flags.carray
        array[...] = values(dtype, shape, 3)
    assert bits(one) == bits(two)


def test_a_leaf_that_cannot_be_read_is_a_misfit_of_both():
    """A tensor on another device, say: what it raises is for the one who explains the misfit."""
    component = Component.of(np.zeros(2))
    with pytest.raises(RuntimeError):
        Component.of(Refuses())
    with pytest.raises(SpecError):
        Component.of(object())

    assert outcome(lambda: stacked(native, [np.zeros(2), Refuses()], component, 1)) == ("misfit", 1)
    assert outcome(lambda: stacked(reference, [np.zeros(2), Refuses()], component, 1)) == ("misfit", 1)
