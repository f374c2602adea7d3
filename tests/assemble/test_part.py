"""Components of every dtype, layout and structure, drawn at random, against what their examples hold."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import penstock.assemble.reference as reference
from penstock.assemble import Assembler, Misfit, Pool
from penstock.chunk import Columns
from penstock.errors import SpecError
from penstock.plan import PadRule
from penstock.spec import Component, Spec, as_leaf
from penstock.structure import Structure
from strategies import DTYPES, Own, alike, examples, leaves, specs


def padding(spec: Spec) -> Any:
    """Rules that free what is free in the spec, and demand the rest."""
    rules = {
        path: PadRule(shape=component.shape, fixed=True)
        for path, component in zip(spec.paths, spec.components, strict=True)
    }
    return rules.get


def element(component: Component, leaf: Any) -> Any:
    """A leaf as an array of the component's dtype."""
    if component.text is not None:
        held = np.empty((), object)
        held[()] = leaf
        return held
    array = np.asarray(as_leaf(leaf))
    return array if array.dtype.kind in "USOT" else array.astype(component.dtype)


@st.composite
def specs_with_examples(draw: st.DrawFn) -> tuple[Spec, list[Any]]:
    """A spec and a few examples that fit it."""
    spec = draw(specs())
    return spec, draw(st.lists(examples(spec), min_size=1, max_size=4))


@given(specs_with_examples())
def test_each_row_of_a_batch_is_its_example(case: tuple[Spec, list[Any]]):
    """Every dtype, layout and structure: the data to the bit, and what is beside it is the padding."""
    spec, rows = case

    arrays, extras = Assembler(spec, padding(spec), Pool()).rows(rows)

    assert extras == {}
    for component, array, column in zip(
        spec.components, arrays, zip(*map(spec.structure.leaves, rows), strict=True), strict=True
    ):
        held = [element(component, leaf) for leaf in column]
        largest = tuple(max(sizes) for sizes in zip(*[leaf.shape for leaf in held], strict=True))
        assert array.shape == (len(rows), *largest)
        assert array.dtype.isnative
        for row, leaf in enumerate(held):
            inside = array[(row, *map(slice, leaf.shape), ...)]
            assert alike(inside.astype(leaf.dtype) if leaf.dtype.kind in "US" else inside, leaf)
            outside = np.ones(largest, bool)
            outside[tuple(map(slice, leaf.shape))] = False
            if largest and array.dtype.kind in "biufc":
                assert not array[row][outside].any()


@given(specs_with_examples(), st.data())
def test_a_batch_is_made_again_of_its_own_rows(case: tuple[Spec, list[Any]], data: st.DataObject):
    """As rows and as columns, in one piece and in two: `unbatch` and `batch` give the same bytes."""
    spec, rows = case
    assembler = Assembler(spec, padding(spec), Pool())
    arrays, _ = assembler.rows(rows)
    assume(all(component.text is None and component.dtype.kind not in "OT" for component in spec.components))
    whole = Columns(spec.structure, tuple(arrays))
    at = data.draw(st.integers(1, len(rows)))
    pieces = [whole] if at == len(rows) else [whole.cut(0, at), whole.cut(at, len(rows))]

    again, _ = assembler.columns(pieces)
    as_rows, _ = assembler.rows(
        [spec.structure.build([array[row, ...] for array in arrays]) for row in range(len(rows))]
        if spec.structure == Structure.of(spec.structure.build(arrays))
        else rows
    )

    assert all(map(alike, again, arrays))
    assert all(map(alike, as_rows, arrays))


@given(specs_with_examples(), st.data())
def test_an_example_of_another_spec_is_named_and_explained(case: tuple[Spec, list[Any]], data: st.DataObject):
    """Whatever is wrong with it; and one that would do after all is no misfit."""
    spec, rows = case
    other = data.draw(specs().flatmap(examples))
    place = data.draw(st.integers(0, len(rows)))
    assembler = Assembler(spec, padding(spec), Pool())
    try:
        assembler.rows([other])
    except Misfit:
        fits = False
    else:
        fits = True
    rows.insert(place, other)

    if fits:
        assembler.spec.check(other)
        return
    with pytest.raises(Misfit) as caught:
        assembler.rows(rows)
    assert caught.value.row == place
    error = assembler.explain(other, "example 7 of source 2 ('x')")
    assert isinstance(error, SpecError)
    assert "expected " in str(error)
    assert ", got " in str(error)
    assert "example 7 of source 2 ('x')" in str(error)


@given(st.sampled_from(DTYPES), st.data())
def test_a_columns_rows_fit_the_spec_that_was_read_off_the_columns(dtype: np.dtype, data: st.DataObject):
    """Of text columns the rows are `str` and `bytes`: a source of each kind may feed one batch."""
    array = np.zeros((3, 2), dtype) if dtype.kind != "O" else np.array([["a", "b"]] * 3, object)
    for column in (array, array[:, 0]):
        spec = Spec(Structure.of(0), (Component(dtype, column.shape[1:]),))
        assembler = Assembler(spec, lambda path: None, Pool())

        (of_rows,), _ = assembler.rows(list(column))

        assert of_rows.tolist() == column.tolist()


def test_text_rows_are_as_wide_as_the_widest():
    """In a batch of a text column, and of its rows."""
    spec = Spec(Structure.of(0), (Component(np.dtype("U2"), ()),))
    assembler = Assembler(spec, lambda path: None, Pool())

    assert assembler.rows(["a", "abcd", np.str_("ab")])[0][0].tolist() == ["a", "abcd", "ab"]
    pieces = [Columns(spec.structure, (np.array(words),)) for words in (["a"], ["abcdef"])]
    assert assembler.columns(pieces)[0][0].tolist() == ["a", "abcdef"]


def test_columns_of_text_fill_a_component_that_was_text():
    """And objects that are no text do not."""
    spec = Spec.of("a")
    assembler = Assembler(spec, lambda path: None, Pool())

    def of(array: Any) -> Columns:
        return Columns(spec.structure, (array,))

    batch = assembler.columns([of(np.array(["b", "cd"])), of(np.array(["e"], object))])[0][0]
    assert batch.dtype == object
    assert [type(word) for word in batch] == [str] * 3
    with pytest.raises(Misfit) as caught:
        assembler.columns([of(np.array(["b", "cd"])), of(np.array([None], object))])
    assert caught.value.row == 2


def test_the_padding_of_text_may_be_wider_than_the_text():
    """It is not cut."""
    rows = [np.array(["a"]), np.array(["b", "c"])]
    assembler = Assembler(Spec.of(rows[0]), lambda path: PadRule(value="<pad>"), Pool())

    assert assembler.rows(rows)[0][0].tolist() == [["a", "<pad>"], ["b", "c"]]
    assert assembler.columns([Columns(assembler.spec.structure, (row[None],)) for row in rows])[0][0].tolist() == [
        ["a", "<pad>"],
        ["b", "c"],
    ]


def test_an_array_like_is_read_once():
    """What gives another array each time it is asked would be checked as one and copied as another."""

    class Fickle:
        asked = 0

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            self.asked += 1
            return np.full(self.asked, 1.0)

    fickle = Fickle()
    assembler = Assembler(Spec.of(np.zeros(2)), lambda path: PadRule(lengths="n"), Pool())

    (batch,), extras = assembler.rows([np.zeros(2), fickle])

    assert fickle.asked == 1
    assert batch.tolist() == [[0, 0], [1, 0]]
    assert extras["n"].tolist() == [2, 1]


def test_a_class_with_its_own_way_to_give_items_is_asked():
    """A dict that makes its values when asked holds something else."""

    class Lazy(dict[str, int]):
        def __getitem__(self, key: str) -> int:
            return super().__getitem__(key) * 10

    rows = [Lazy(a=1, b=2), Lazy(b=4, a=3)]
    assembler = Assembler(Spec.of(rows[0]), lambda path: None, Pool())

    assert [array.tolist() for array in assembler.rows(rows)[0]] == [[10, 30], [20, 40]]
    assert not assembler.pours
    assert not reference.plain_access(Structure.of(Own(a=1)))


@given(leaves(Component(np.dtype("f4"), (None, None))), st.booleans(), st.booleans())
def test_only_what_is_beside_a_leaf_is_padded(leaf: Any, left: bool, columns: bool):
    """On the side that was asked for, in every dimension."""
    array = np.asarray(as_leaf(leaf)).astype("f4")
    rule = PadRule(shape=(5, 6), value=-7.5, side="left" if left else "right")
    assembler = Assembler(Spec.of(np.zeros((1, 1), "f4")), lambda path: rule, Pool())

    if columns:
        batch = assembler.columns([Columns(assembler.spec.structure, (array[None],))])[0][0][0]
    else:
        batch = assembler.rows([leaf])[0][0][0]

    where = tuple(
        slice(most - its if left else 0, most if left else its) for its, most in zip(array.shape, (5, 6), strict=True)
    )
    assert alike(batch[where], array)
    batch[where] = -7.5
    assert (batch == -7.5).all()
