"""What a batch is made of, against a definition in fifteen lines."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import DTYPES, FORMS, Point, filled
from penstock.assemble import Assembler, Misfit, Pool
from penstock.chunk import Columns
from penstock.errors import PipelineError, SpecError
from penstock.plan import PadRule
from penstock.spec import Spec, native_dtype
from penstock.structure import Structure

KINDS = [dtype for dtype in DTYPES if dtype.kind not in "O"]


def assembler(example: Any, rule: PadRule | None = None, **rules: PadRule) -> Assembler:
    """For examples like this one; `rule` for every component, or one by the name of each."""
    return Assembler(Spec.of(example), lambda path: rules.get(str(path[-1]) if path else "", rule), Pool())


def defined(leaves: list[np.ndarray], rule: PadRule) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The batch, the lengths and the mask of one component, as they are defined."""
    left, n, rank = rule.side == "left", len(leaves), leaves[0].ndim
    wanted = rule.shape or (None,) * rank
    grown = [-(-max(leaf.shape[axis] for leaf in leaves) // rule.multiple) * rule.multiple for axis in range(rank)]
    target = [most if size is None else size for size, most in zip(wanted, grown, strict=True)]
    value = (
        rule.value if rule.value is not None else "" if leaves[0].dtype.kind in "US" else np.zeros((), leaves[0].dtype)
    )
    batch = np.full((n, *target), value, np.result_type(*leaves))
    mask = np.zeros((n, *target), bool)
    lengths = np.zeros((n, rank), np.int64)
    for i, leaf in enumerate(leaves):
        kept = [min(its, most) for its, most in zip(leaf.shape, target, strict=True)]
        of = tuple(slice(its - k if left else 0, its if left else k) for its, k in zip(leaf.shape, kept, strict=True))
        to = tuple(slice(most - k if left else 0, most if left else k) for most, k in zip(target, kept, strict=True))
        batch[i][to], mask[i][to], lengths[i] = leaf[of], True, kept
    return batch, lengths, mask


@st.composite
def ragged(draw: st.DrawFn) -> tuple[list[np.ndarray], PadRule]:
    """Leaves of any dtype and rank, and a rule under which they all fit."""
    dtype = draw(st.sampled_from(KINDS))
    rank = draw(st.integers(1, 3))
    sizes = draw(st.lists(st.tuples(*[st.integers(0, 4)] * rank), min_size=1, max_size=5))
    truncate = draw(st.booleans())
    shape = draw(st.none() | st.tuples(*[st.none() | st.integers(0 if truncate else 4, 6)] * rank))
    leaves = [filled(dtype, size, seed) for seed, size in enumerate(sizes)]
    value = draw(st.none() | st.just(filled(native_dtype(dtype), (4,), 3)[3])) if dtype.kind not in "USV" else None
    return leaves, PadRule(
        shape=shape,
        value=value,
        side=draw(st.sampled_from(["left", "right"])),
        multiple=draw(st.integers(1, 3)),
        truncate=truncate,
        lengths="n",
        mask="m",
    )


@given(ragged())
def test_padded_rows_are_as_defined(case: tuple[list[np.ndarray], PadRule]):
    """Value, side, multiple, given sizes and truncation, with lengths and mask, for every dtype and rank."""
    leaves, rule = case
    batch, lengths, mask = defined(leaves, rule)

    (got,), extras = assembler(leaves[0], rule).rows(list(leaves))

    assert got.dtype == native_dtype(batch.dtype)
    assert got.tolist() == batch.tolist()
    assert extras["n"].tolist() == (lengths[:, 0] if leaves[0].ndim == 1 else lengths).tolist()
    assert extras["m"].tolist() == mask.tolist()


@given(ragged())
def test_runs_of_columns_are_padded_as_their_rows_are(case: tuple[list[np.ndarray], PadRule]):
    """A run is rows of one size; several of them, of different sizes, lie in one batch."""
    leaves, rule = case
    pieces = [np.stack([leaf] * (1 + i % 2)) for i, leaf in enumerate(leaves)]
    rows = [row for piece in pieces for row in piece]
    making = assembler(leaves[0], rule)

    (got,), extras = making.columns([Columns.of(piece) for piece in pieces])
    (want,), expected = making.rows(rows)

    assert got.dtype == want.dtype
    assert got.tolist() == want.tolist()
    assert {name: extra.tolist() for name, extra in extras.items()} == {
        name: extra.tolist() for name, extra in expected.items()
    }


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_rows_of_one_shape_are_stacked_in_every_structure_and_dtype(form: str, dtype: np.dtype):
    """The arrays come in the order of the leaves, in the machine's order of bytes."""
    examples = [FORMS[form](filled(dtype, (2, 3), seed), seed) for seed in range(4)]
    structure = Structure.of(examples[0])
    want = [np.stack(leaves) for leaves in zip(*map(structure.leaves, examples), strict=True)]

    got, extras = assembler(examples[0]).rows(examples)

    assert extras == {}
    assert [array.dtype for array in got] == [native_dtype(array.dtype) for array in want]
    assert [array.tolist() for array in got] == [array.tolist() for array in want]


def bad_rows(example: Any) -> list[Any]:
    """What does not fit `(float64[2], int)`, in every way."""
    array, label = example
    return [
        (array.astype(np.float32), label),
        (array[:1], label),
        (array[None], label),
        (array, float(label)),
        (array, 2**70),
        (array, True),
        (array, None),
        (array, label, label),
        (array,),
        [array, label],
        Point(array, label),
        {0: array, 1: label},
        array,
        None,
    ]


@given(st.integers(1, 7), st.data())
def test_the_first_row_that_does_not_fit_is_named(n: int, data: st.DataObject):
    """Whatever misfits, in whichever component, and whatever else misfits behind it."""
    rows: list[Any] = [(np.full(2, float(i)), i) for i in range(n)]
    making = assembler(rows[0])
    places = data.draw(st.sets(st.integers(0, n - 1), min_size=1))
    for place in places:
        rows[place] = data.draw(st.sampled_from(bad_rows(rows[place])))

    with pytest.raises(Misfit) as caught:
        making.rows(rows)

    assert caught.value.row == min(places)
    assert isinstance(making.explain(rows[caught.value.row], "example 5"), SpecError)


@pytest.mark.parametrize(
    ("example", "bad", "rule", "message"),
    [
        (np.zeros(2), np.zeros(3), None, "expected `example: float64[2]`, got `float64[3]` - at here - pad it"),
        (np.zeros(2), np.zeros((2, 1)), None, "expected `example: float64[2]`, got `float64[2, 1]` - at here"),
        ((1, 2), (1, 2.0), None, "expected `[1]: int64[]`, got `float64[]` - at here"),
        ((1, 2), [1, 2], None, "expected `(*, *)`, got `list` - at here"),
        ({"a": 1}, {"b": 1}, None, "expected `{a: *}`, got `{b}` - at here"),
        ({"a": 1}, {"a": object()}, None, "expected an array-like or scalar, got `object` - at component `a` of here"),
        (np.zeros(2), np.zeros(9), PadRule((4,)), "expected `example: float64[<= 4]`, got `float64[9]` - at here"),
        (np.zeros((2, 1)), np.zeros((1, 9)), PadRule((None, 4)), "expected `example: float64[?, <= 4]`, got"),
        (np.zeros(2), np.zeros(2, np.int8), PadRule(), "expected `example: float64[?]`, got `int8[2]` - at here"),
    ],
)
def test_a_misfit_is_explained(example: Any, bad: Any, rule: PadRule | None, message: str):
    """Expected, got, and where; with what to do about it, where that is obvious."""
    making = assembler(example, rule)
    with pytest.raises(Misfit) as caught:
        making.rows([example, bad, example])

    assert caught.value.row == 1
    assert str(making.explain(bad, "here")).startswith(message)


class Refuses:
    """An array-like that cannot be read, like a tensor on another device."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise RuntimeError("not here")


@pytest.mark.parametrize("rule", [None, PadRule()])
def test_what_a_component_raises_as_it_is_read_stays_what_it_is(rule: PadRule | None):
    """It is the user's own, so it is not made a `SpecError`; the note says where."""
    making = assembler(np.zeros(2), rule)
    with pytest.raises(Misfit) as caught:
        making.rows([np.zeros(2), Refuses()])

    error = making.explain(Refuses(), "example 1")

    assert caught.value.row == 1
    assert isinstance(error, RuntimeError)
    assert error.__notes__ == ["penstock: while reading example 1"]


class OnlyDlpack:
    """An array that NumPy sees through DLPack alone."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __dlpack__(self, **asked: Any) -> Any:
        return self._array.__dlpack__(**asked)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()


def test_every_array_like_has_a_length():
    """Also one of which NumPy alone would make an object."""
    making = assembler(np.zeros(2), PadRule(lengths="n"))

    (got,), extras = making.rows([OnlyDlpack(np.ones(3)), memoryview(np.ones(1)), Refuses.__new__(Wrapped)])

    assert got.tolist() == [[1, 1, 1], [1, 0, 0], [1, 1, 0]]
    assert extras["n"].tolist() == [3, 1, 2]


class Wrapped:
    """An array that NumPy sees through `__array__`."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.ones(2)


@pytest.mark.parametrize(
    ("leaves", "dtype"),
    [
        ([np.array("ab"), "abcdef"], "U6"),
        ([np.array(b"ab"), b"abcdef"], "S6"),
        ([np.str_("ab"), "abcdef"], "O"),
        (["ab", np.str_("abcdef")], "O"),
    ],
)
def test_no_text_is_cut(leaves: list[Any], dtype: str):
    """Of texts the widest decides, whether it is Python's or NumPy's."""
    ((got,), _) = assembler(leaves[0]).rows(list(leaves))

    assert got.dtype == np.dtype(dtype)
    assert got.tolist() == [np.asarray(leaf).item() for leaf in leaves]


@pytest.mark.parametrize("width", [1, 7])
def test_texts_are_as_wide_as_the_widest_in_the_batch(width: int):
    """In rows and in runs, padded or not."""
    narrow, wide = np.array(["a", "b"]), np.array(["x" * width, "y"])
    stacked, padded = assembler(narrow), assembler(narrow, PadRule())

    assert stacked.rows([narrow, wide])[0][0].tolist() == [narrow.tolist(), wide.tolist()]
    assert padded.rows([narrow[:1], wide])[0][0].tolist() == [["a", ""], wide.tolist()]
    assert padded.columns([Columns.of(narrow[None, :1]), Columns.of(wide[None])])[0][0].tolist() == [
        ["a", ""],
        wide.tolist(),
    ]
    assert stacked.rows([narrow, wide])[0][0].dtype == np.dtype(f"U{width}")


def test_one_run_is_handed_over_as_a_read_only_view():
    """Nothing is copied, and nobody writes into the user's chunk by way of the batch."""
    x, y = np.arange(12.0).reshape(6, 2), np.arange(6)
    making = assembler((x[0], y[0]))

    arrays, extras = making.columns([Columns.of((x, y)).cut(1, 4)])

    assert extras == {}
    assert all(np.shares_memory(got, of) and not got.flags.writeable for got, of in zip(arrays, (x, y), strict=True))
    assert arrays[0].tolist() == x[1:4].tolist()
    assert x.flags.writeable, "the user's own array stays as it was"


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.astype(">f8"),
        lambda x: [x[:3], x[3:]],
    ],
    ids=["foreign bytes", "two runs"],
)
def test_where_there_is_work_to_do_a_run_is_copied(change: Callable[[np.ndarray], Any]):
    """The copy is the batch's own: writable, in the machine's order of bytes."""
    x = np.arange(12.0).reshape(6, 2)
    changed = change(x)
    pieces = [Columns.of(piece) for piece in (changed if isinstance(changed, list) else [changed])]

    ((got,), _) = assembler(x[0]).columns(pieces)

    assert got.dtype == np.float64
    assert got.flags.writeable
    assert not np.shares_memory(got, x)
    assert got.tolist() == x.tolist()


def test_the_run_that_does_not_fit_is_named_by_its_first_row():
    """In structure, dtype, rank or size; the pieces before it are fine."""
    making = assembler((np.zeros(2), 1))
    good = Columns.of((np.zeros((3, 2)), np.arange(3)))
    bad = [
        (np.zeros((3, 2), np.float32), np.arange(3)),
        (np.zeros((3, 2, 1)), np.arange(3)),
        (np.zeros((3, 3)), np.arange(3)),
        (np.zeros((3, 2)), np.arange(3.0)),
        (np.zeros((3, 2)),),
        [np.zeros((3, 2)), np.arange(3)],
    ]
    for piece in bad:
        with pytest.raises(Misfit) as caught:
            making.columns([good, good, Columns.of(piece), good])
        assert caught.value.row == 6


def test_keys_may_come_in_another_order():
    """A dict is what its keys say; the batch has the order of the first example."""
    making = assembler({"a": 1, "b": 2.0})

    assert [array.tolist() for array in making.rows([{"b": 3.0, "a": 4}])[0]] == [[4], [3.0]]
    runs = [Columns.of({"b": np.array([3.0]), "a": np.array([4])})] * 2
    assert [array.tolist() for array in making.columns(runs)[0]] == [[4, 4], [3.0, 3.0]]


@pytest.mark.parametrize(
    ("example", "rule", "pours"),
    [
        ((np.zeros(16, np.float32), 1), None, True),
        ({"a": 1.0, "b": np.int8(1)}, None, True),
        (1, None, True),
        (Point(1, 2), None, True),
        (np.zeros(2), PadRule(), True),
        (np.zeros(2), PadRule(lengths="n", mask="m"), True),
        (np.zeros(2), PadRule((1,), truncate=True), True),
        (np.zeros(2), PadRule((3,)), False),
        ((1, (2, 3)), None, False),
        ([1, 2], None, False),
        ("text", None, False),
        (np.zeros((64, 64)), None, False),
        (tuple(range(17)), None, False),
        (np.array("text"), None, False),
    ],
)
def test_only_small_flat_numbers_are_poured(example: Any, rule: PadRule | None, pours: bool):
    """Of anything else the examples are gathered first; of what may be too long too, since then it is to be shown."""
    making = assembler(example, rule)

    assert making.pours is pours
    if pours:
        filling = making.sink(3)
        filling.add([example, example])
        for given, wanted in zip(making.poured(filling), making.rows([example, example]), strict=True):
            np.testing.assert_equal(given, wanted)


def test_the_spec_tells_what_varies():
    """From example to example, and from batch to batch."""
    making = assembler({"a": np.zeros((2, 3)), "b": 1}, a=PadRule((4, None)))

    assert str(making.spec) == "{a: float64[?, ?], b: int64[]}"
    assert str(making.batch_spec) == "{a: float64[4, ?], b: int64[]}"


@pytest.mark.parametrize(
    ("example", "rule", "error"),
    [
        (np.zeros(2), PadRule((1, 2)), SpecError),
        (np.zeros(2), PadRule((3,), fixed=True), SpecError),
        (np.zeros(2, np.int8), PadRule(value=300), PipelineError),
        (np.zeros(2, np.int8), PadRule(value=1.5), PipelineError),
        (np.zeros(2, np.int8), PadRule(value=np.nan), PipelineError),
        (np.zeros(2), PadRule(value="x"), PipelineError),
        (np.zeros(2), PadRule(value=[1, 2]), PipelineError),
    ],
)
def test_a_rule_that_does_not_suit_is_an_error_before_any_batch(example: Any, rule: PadRule, error: type[Exception]):
    """A value that the dtype cannot hold exactly would pad with something else."""
    with pytest.raises(error):
        assembler(example, rule)
