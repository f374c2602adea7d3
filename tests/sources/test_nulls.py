import math
from typing import Any

import numpy as np
import pytest

from penstock.chunk import Columns
from penstock.errors import PipelineError, SourceError
from penstock.sources.decoder import Decoder
from penstock.sources.lasting import Lasting
from penstock.sources.leaves import Plan
from penstock.sources.nulls import Nulls
from penstock.testing import same

pa = pytest.importorskip("pyarrow")


def read(rule: Any, values: list[Any], kind: Any = None) -> list[Any]:
    batch = pa.record_batch({"c": pa.array(values, kind)})
    plan = Plan(batch.schema, ["c"], where="'f'")
    decoder = Decoder(plan, Nulls(rule, at="read_csv(nulls)"), where="'f'", do="fill `{name}` in")
    rows: list[Any] = []
    for block in Lasting(decoder.blocks(batch, range(len(values)))):
        rows += block.rows() if isinstance(block, Columns) else block
    return [row["c"] for row in rows]


def test_a_value_takes_the_place_of_nulls_in_its_column():
    """In the dtype of the column."""
    found = read({"c": 7}, [1, None, 3], pa.int8())

    assert same(tuple(found), (np.int8(1), np.int8(7), np.int8(3)))


@pytest.mark.parametrize(
    ("fill", "values", "kind", "found"),
    [
        (-1.5, [None, 2.0], "float", [-1.5, 2.0]),
        (0, [None, 2.0], "double", [0.0, 2.0]),
        (math.inf, [None, 2.0], "double", [math.inf, 2.0]),
        (False, [None, True], "bool", [False, True]),
        ("", ["a", None], "string", ["a", ""]),
        (b"?", [b"a", None], "binary", [b"a", b"?"]),
        (np.datetime64("2020-01-01"), [None], "date32", [np.datetime64("2020-01-01")]),
        ("2020-01-01", [None], "timestamp[s]", [np.datetime64("2020-01-01", "s")]),
    ],
)
def test_a_value_of_every_kind_can_take_its_place(fill: Any, values: list[Any], kind: str, found: list[Any]):
    """Numbers, text, bytes and times."""
    assert read({"c": fill}, values, pa.type_for_alias(kind)) == found


def test_nan_takes_the_place_of_nulls_among_floats():
    """What NumPy users know a missing number by."""
    assert np.isnan(read({"c": math.nan}, [None], pa.float32())[0])
    assert np.isnan(read(math.nan, [None], pa.float32())[0])


def test_in_lists_a_number_takes_the_place_of_elements():
    """Those of fixed-size lists as well, also where a list is null as a whole."""
    ragged = read({"c": 0}, [[1, None], [], [None]])
    fixed = read({"c": 0}, [[1, None], None], pa.list_(pa.int64(), 2))

    assert [row.tolist() for row in ragged] == [[1, 0], [], [0]]
    assert [row.tolist() for row in fixed] == [[1, 0], [0, 0]]


def test_in_lists_a_list_takes_the_place_of_lists():
    """A null list is not one with a null in it."""
    assert [row.tolist() for row in read({"c": []}, [[1], None, [2, 3]])] == [[1], [], [2, 3]]
    assert [row.tolist() for row in read({"c": (8, 9)}, [None, [1]], pa.list_(pa.int16()))] == [[8, 9], [1]]
    assert [row.tolist() for row in read({"c": ["x"]}, [None, ["a"]])] == [["x"], ["a"]]
    assert [row.tolist() for row in read({"c": [[5, 6]]}, [None, [[1, 2]]], pa.list_(pa.list_(pa.int8(), 2)))] == [
        [[5, 6]],
        [[1, 2]],
    ]
    assert [row.tolist() for row in read({"c": []}, [[1], [2]])] == [[1], [2]]


def test_the_other_kind_of_null_in_a_list_stays_an_error():
    """A number says nothing about a list that is not there, nor an empty list about an element."""
    for fill, values in ((0, [[1, None], None]), ([], [None, [1, None]])):
        with pytest.raises(SourceError) as caught:
            read({"c": fill}, values)

        assert str(caught.value) == "expected a value, got a null - at column `c`, row 1 of 'f' - fill `c` in"


def test_the_fields_of_a_struct_have_values_of_their_own():
    """Or one for all; a struct that is null lacks all of them."""
    values = [{"x": 1, "y": "a"}, None, {"x": None, "y": None}]

    assert read({"c.x": 0, "c.y": ""}, values) == [{"x": 1, "y": "a"}, {"x": 0, "y": ""}, {"x": 0, "y": ""}]
    assert read({"c": 0}, [{"x": None}, {"x": 2}]) == [{"x": 0}, {"x": 2}]


def test_a_value_for_all_takes_its_place_where_it_fits():
    """The other columns' nulls stay errors."""
    assert read(0, [1, None]) == [1, 0]
    with pytest.raises(SourceError) as caught:
        read(0, ["a", None])

    assert str(caught.value) == "expected a value, got a null - at column `c`, row 1 of 'f' - fill `c` in"


def test_examples_with_nulls_can_be_left_out():
    """The others stay in their order, with everything they are made of."""
    assert read("skip", [1, None, 3]) == [1, 3]
    assert read("skip", [None, None], pa.int8()) == []
    assert [row.tolist() for row in read("skip", [[1], None, [2, None], [3, 4]])] == [[1], [3, 4]]


def test_the_first_null_is_an_error_behind_the_examples_before_it():
    """It names column and row."""
    batch = pa.record_batch({"a": [1, 2, 3], "b": [1, 2, None], "c": [1, None, 3]})
    plan = Plan(batch.schema, ["a", "b", "c"], where="'f'")
    blocks = Lasting(Decoder(plan, Nulls("error", at=""), where="'f'", do="").blocks(batch, range(10, 13)))

    first = next(blocks)
    with pytest.raises(SourceError) as caught:
        next(blocks)

    assert isinstance(first, Columns)
    assert first.rows() == [{"a": 1, "b": 1, "c": 1}]
    assert str(caught.value) == "expected a value, got a null - at column `c`, row 11 of 'f'"


@pytest.mark.parametrize("rule", ["drop", "", None, {"c": None}])
def test_a_rule_that_is_none_is_refused_at_once(rule: Any):
    """A lone text is a rule's name, never a value: it might be misspelt."""
    with pytest.raises(PipelineError) as caught:
        Nulls(rule, at="read_csv(nulls)")

    assert str(caught.value) == (
        'expected `nulls` to be "error", "skip", a value to put in their place, or a dict of such values by column, '
        f"got `{rule!r}` - at read_csv(nulls)"
    )


def test_a_value_for_a_column_that_is_not_there_is_an_error():
    """It names those that are."""
    with pytest.raises(SourceError) as caught:
        read({"d": 0}, [{"x": 1, "y": 2}])

    assert str(caught.value) == "expected `nulls` for one of `c.x`, `c.y`, got `d` - at 'f'"


@pytest.mark.parametrize(
    ("fill", "kind", "spec"),
    [
        (1.5, "int64", "int64[]"),
        (300, "uint8", "uint8[]"),
        (-1, "uint8", "uint8[]"),
        (math.nan, "int64", "int64[]"),
        ("x", "int64", "int64[]"),
        ("5", "int64", "int64[]"),
        (0, "string", "str[]"),
        (b"", "string", "str[]"),
        (2, "bool", "bool[]"),
        ([1], "int64", "int64[]"),
        ("never", "date32", "datetime64[D][]"),
        (object(), "int64", "int64[]"),
    ],
)
def test_a_value_that_does_not_fit_its_column_is_an_error(fill: Any, kind: str, spec: str):
    """It must be the same in the column's dtype; known before the first row."""
    with pytest.raises(SourceError) as caught:
        read({"c": fill}, [], pa.type_for_alias(kind))

    assert str(caught.value) == (
        f"expected a value in place of nulls that fits `{spec}`, got `{fill!r}` - at column `c` of 'f'"
    )


def test_a_list_of_another_shape_does_not_fit_either():
    """Its rows have one more dimension."""
    with pytest.raises(SourceError, match="got `\\[1, 2\\]` - at column `c`"):
        read({"c": [1, 2]}, [], pa.list_(pa.list_(pa.int8(), 2)))
    with pytest.raises(SourceError, match="got `\\['a', 1\\]` - at column `c`"):
        read({"c": ["a", 1]}, [], pa.list_(pa.string()))
