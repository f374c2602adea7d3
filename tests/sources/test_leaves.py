import datetime
import decimal
import gc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.chunk import Columns
from penstock.errors import SourceError
from penstock.sources.leaves import Plan
from penstock.testing import same

pa = pytest.importorskip("pyarrow")


def plan_of(batch: Any, **how: Any) -> Plan:
    return Plan(batch.schema, batch.schema.names, where="'f'", **how)


def rows_of(column: Any) -> list[Any]:
    """The values of a column, through a plan."""
    batch = pa.record_batch({"c": column})
    plan = plan_of(batch)
    block = plan.block([leaf.read(batch) for leaf in plan.leaves])
    return [row["c"] for row in (block.rows() if isinstance(block, Columns) else block)]


def spec_of(kind: Any) -> dict[str, str]:
    plan = Plan(pa.schema([("c", kind)]), ["c"], where="'f'")
    return {leaf.name: str(leaf.component) for leaf in plan.leaves}


def tensors(permutation: list[int] | None = None) -> Any:
    kind = pa.fixed_shape_tensor(pa.int32(), [2, 3], permutation=permutation)
    return pa.ExtensionArray.from_storage(kind, pa.array([list(range(6)), list(range(6, 12))], kind.storage_type))


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("int8", "int8[]"),
        ("uint64", "uint64[]"),
        ("halffloat", "float16[]"),
        ("float", "float32[]"),
        ("bool", "bool[]"),
        ("string", "str[]"),
        ("large_string", "str[]"),
        ("string_view", "str[]"),
        ("binary", "bytes[]"),
        ("large_binary", "bytes[]"),
        ("binary_view", "bytes[]"),
        ("date32", "datetime64[D][]"),
        ("date64", "datetime64[ms][]"),
        ("time32[s]", "timedelta64[s][]"),
        ("time64[ns]", "timedelta64[ns][]"),
        ("timestamp[us]", "datetime64[us][]"),
        ("duration[ms]", "timedelta64[ms][]"),
    ],
)
def test_each_type_has_its_place(kind: str, spec: str):
    """The dtype is the one that the file has, never a wider one."""
    assert spec_of(pa.type_for_alias(kind)) == {"c": spec}


def test_types_that_are_made_of_others_have_theirs():
    """A list is ragged, a fixed-size list dense, and a struct is a dict."""
    two = pa.list_(pa.int8(), 2)

    assert spec_of(pa.binary(4)) == {"c": "bytes[]"}
    assert spec_of(pa.list_(pa.float32())) == {"c": "float32[?]"}
    assert spec_of(pa.large_list(pa.string())) == {"c": "str[?]"}
    assert spec_of(pa.list_(two, 3)) == {"c": "int8[3, 2]"}
    assert spec_of(pa.list_(two)) == {"c": "int8[?, 2]"}
    assert spec_of(pa.dictionary(pa.int8(), pa.string())) == {"c": "str[]"}
    assert spec_of(pa.run_end_encoded(pa.int32(), pa.float64())) == {"c": "float64[]"}
    assert spec_of(pa.struct([("x", pa.int8()), ("y", pa.struct([("z", two)]))])) == {
        "c.x": "int8[]",
        "c.y.z": "int8[2]",
    }
    assert spec_of(pa.fixed_shape_tensor(pa.int32(), [2, 3])) == {"c": "int32[2, 3]"}
    assert spec_of(pa.fixed_shape_tensor(pa.int32(), [2, 3], permutation=[1, 0])) == {"c": "int32[3, 2]"}


_OF_THEM = "expected numbers, text, times, or lists or structs of them, got"


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            [decimal.Decimal("1.5")],
            f"{_OF_THEM} `decimal128(2, 1)` - at column `c` of 'f'"
            " - write it as float64 or as an integer number of its smallest unit, or leave it out",
        ),
        (
            [[[1]]],
            f"{_OF_THEM} `list<item: list<item: int64>>` - at column `c` of 'f'"
            " - write lists of lists as fixed-size lists, or flat with a second list of their lengths",
        ),
        (
            [{"x": [{"y": 1}]}],
            f"{_OF_THEM} `list<item: struct<y: int64>>` - at column `c.x` of 'f'"
            " - write a list of structs as a struct of lists",
        ),
        (
            [None],
            f"{_OF_THEM} `null` - at column `c` of 'f'"
            " - it has no value to tell its type: give it one, or leave it out",
        ),
        (
            [[]],
            f"{_OF_THEM} `list<item: null>` - at column `c` of 'f'"
            " - it has no value to tell its type: give it one, or leave it out",
        ),
        ([{}], f"{_OF_THEM} `struct<>` - at column `c` of 'f' - a struct needs fields, each of another name"),
    ],
)
def test_a_type_without_a_place_is_named_with_a_way_out(column: list[Any], message: str):
    """It is known from the schema, before a row is read."""
    batch = pa.record_batch({"c": pa.array(column)})

    with pytest.raises(SourceError) as caught:
        plan_of(batch)

    assert str(caught.value) == message


def test_a_type_that_nobody_foresaw_is_named_too():
    """Arrow has more types than examples have."""
    with pytest.raises(SourceError) as caught:
        spec_of(pa.map_(pa.string(), pa.int64()))

    assert str(caught.value) == (
        f"{_OF_THEM} `map<string, int64>` - at column `c` of 'f' - write it as another type, or leave it out"
    )


SCALARS = st.sampled_from(
    [
        (st.integers(-128, 127), "int8"),
        (st.floats(width=32, allow_nan=False), "float"),
        (st.booleans(), "bool"),
        (st.text(max_size=20), "string"),
        (st.text(max_size=20), "string_view"),
        (st.binary(max_size=5), "binary"),
        (st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1)), "date32"),
        (st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1)), "timestamp[us]"),
    ]
)


@st.composite
def columns(draw: st.DrawFn) -> tuple[list[Any], Any]:
    """The values and the Arrow type of a column, without nulls, of any nesting that has a place."""
    values, name = draw(SCALARS)
    kind = pa.type_for_alias(name)
    for _ in range(draw(st.integers(0, 2))):
        size = draw(st.integers(1, 3))
        kind, values = pa.list_(kind, size), st.lists(values, min_size=size, max_size=size)
    if draw(st.booleans()):
        kind, values = draw(st.sampled_from([pa.list_, pa.large_list]))(kind), st.lists(values, max_size=4)
    if draw(st.booleans()):
        kind = pa.struct([("x", kind), ("y", pa.int8())])
        values = st.fixed_dictionaries({"x": values, "y": st.integers(0, 9)})
    return draw(st.lists(values, min_size=1, max_size=8)), kind


def plain(value: Any) -> Any:
    """A value in Python's own types."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return value


@given(columns(), st.data())
def test_rows_are_what_arrow_says_they_are(column: tuple[list[Any], Any], data: st.DataObject):
    """For any type, and for any part of a column: Arrow's slices share buffers and carry an offset."""
    values, kind = column
    array = pa.array(values, kind)
    start = data.draw(st.integers(0, len(values)))
    length = data.draw(st.integers(0, len(values) - start))

    rows = rows_of(array.slice(start, length))

    assert [plain(row) for row in rows] == values[start : start + length]


def test_times_come_as_numpys_with_the_unit_of_the_file():
    """A time zone is left behind: the time is that of UTC, as Arrow keeps it."""
    noon = datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))

    assert rows_of(pa.array([noon], pa.timestamp("s", "Europe/Paris"))) == [np.datetime64("2020-01-01T10:00:00", "s")]
    assert rows_of(pa.array([datetime.time(1, 2, 3)], pa.time32("s"))) == [np.timedelta64(3723, "s")]
    assert rows_of(pa.array([5], pa.duration("ns"))) == [np.timedelta64(5, "ns")]


def test_what_is_encoded_comes_as_what_it_stands_for():
    """Dictionaries and run ends are how a column is kept, not what it is; an extension is its storage."""
    words = pa.array(["a", "b", "a"])

    assert rows_of(words.dictionary_encode()) == ["a", "b", "a"]
    assert rows_of(words.cast(pa.large_string()).dictionary_encode()) == ["a", "b", "a"]
    views = pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.int8()), pa.array(["a", "b"], pa.string_view()))
    assert rows_of(views) == ["b", "a"]
    views = pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.int8()), pa.array([b"a", b"b"], pa.binary_view()))
    assert rows_of(views) == [b"b", b"a"]
    assert rows_of(pa.RunEndEncodedArray.from_arrays([2, 3], pa.array([1.5, 2.5]))) == [1.5, 1.5, 2.5]
    assert rows_of(pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16], pa.binary(16)))) == [b"0" * 16]


def test_tensors_come_in_the_shape_that_their_user_sees():
    """Also where Arrow keeps their dimensions in another order."""
    first, second = rows_of(tensors())
    turned = rows_of(tensors([1, 0]))

    assert second.tolist() == [[6, 7, 8], [9, 10, 11]]
    assert [one.tolist() for one in turned] == [first.T.tolist(), second.T.tolist()]


def test_dense_columns_stay_columns_and_others_become_rows():
    """Columns are handed on without an object for each example."""
    dense = pa.record_batch({"x": [1, 2], "y": pa.array([[1, 2], [3, 4]], pa.list_(pa.int8(), 2))})
    mixed = pa.record_batch({"x": [1, 2], "y": [[1], [2, 3]]})
    blocks = [plan_of(b).block([leaf.read(b) for leaf in plan_of(b).leaves]) for b in (dense, mixed)]

    assert isinstance(blocks[0], Columns)
    assert isinstance(blocks[1], list)
    assert same(blocks[0].rows()[1], {"x": np.int64(2), "y": np.array([3, 4], np.int8)})
    assert same(blocks[1][1], {"x": np.int64(2), "y": np.array([2, 3])})


def test_a_bare_column_is_the_example_itself():
    """For a series, whose name says nothing."""
    for values in ([1, 2], ["a", "b"]):
        batch = pa.record_batch({"c": values})
        plan = plan_of(batch, bare=True)
        block = plan.block([leaf.read(batch) for leaf in plan.leaves])

        assert (block.rows() if isinstance(block, Columns) else block) == values


@pytest.mark.parametrize(
    "kind", ["int16", "double", "halffloat", "timestamp[us]", "duration[s]", "time64[us]", "date64"]
)
def test_numbers_and_times_are_views_of_arrows_memory(kind: str):
    """No byte is copied between the file and the batch; also within lists, fixed or not, and for parts of a column."""
    values = pa.array(range(8)).cast(pa.float16() if kind == "halffloat" else pa.int64())
    values = values.cast(pa.type_for_alias(kind)) if kind != "date64" else values.view(pa.date64())
    memory = np.frombuffer(values.buffers()[1], np.uint8)
    lists = pa.ListArray.from_arrays(pa.array([0, 3, 8], pa.int32()), values)
    fixed = pa.FixedSizeListArray.from_arrays(values, 4)

    for column in (values, values.slice(2), lists, fixed):
        batch = pa.record_batch({"c": column})
        (leaf,) = plan_of(batch).leaves

        array = leaf.read(batch).array

        assert np.shares_memory(array, memory)
        assert not array.flags.writeable
        assert not any(row.flags.writeable for row in leaf.read(batch).rows() if isinstance(row, np.ndarray))


def test_a_view_keeps_arrows_memory_alive():
    """Long after the batch is gone."""
    batch = pa.record_batch({"c": pa.array(range(100_000))})
    (leaf,) = plan_of(batch).leaves
    rows = [leaf.read(batch).array[5:7]]

    del batch, leaf
    gc.collect()
    held = pa.total_allocated_bytes()
    last = rows.pop()

    assert last.tolist() == [5, 6]
    del last
    assert held - pa.total_allocated_bytes() >= 800_000


def test_text_that_is_not_utf_8_is_an_error_of_decoding():
    """Arrow does not look at what it reads."""
    column = pa.Array.from_buffers(pa.string(), 3, pa.array([b"a", None, b"\xff"]).buffers())
    batch = pa.record_batch({"c": column})
    (leaf,) = plan_of(batch).leaves

    with pytest.raises(UnicodeDecodeError):
        leaf.read(batch)


def nulls_of(values: list[Any], kind: Any = None) -> list[bool]:
    batch = pa.record_batch({"c": pa.array(values, kind)})
    plan = plan_of(batch)
    found = [leaf.read(batch).null_rows() for leaf in plan.leaves]
    return np.logical_or.reduce([np.zeros(len(values), bool), *[null for null in found if null is not None]]).tolist()


def test_a_null_is_found_wherever_it_is():
    """In the row itself, or anywhere in what it is made of."""
    assert nulls_of([1, None, 3]) == [False, True, False]
    assert nulls_of([[1], None, [], [2, None], [3]]) == [False, True, False, True, False]
    assert nulls_of([[1, 2], None, [3, None]], pa.list_(pa.int8(), 2)) == [False, True, True]
    assert nulls_of([[[1], [2]], [[3], None], [[4], [None]]], pa.list_(pa.list_(pa.int8(), 1))) == [False, True, True]
    assert nulls_of([{"x": 1, "y": [1]}, None, {"x": None, "y": [1]}, {"x": 1, "y": [None]}]) == [
        False,
        True,
        True,
        True,
    ]
    assert nulls_of(["a", None]) == [False, True]
    assert nulls_of([1, 2]) == [False, False]


def test_a_null_in_a_part_that_is_not_read_is_not_found():
    """Slices share their buffers with the whole, and also what a null list stands before is nobody's."""
    whole = pa.array([[None], [1], [2], [None]])
    batch = pa.record_batch({"c": whole.slice(1, 2)})
    (leaf,) = plan_of(batch).leaves

    assert leaf.read(batch).null_rows() is None
