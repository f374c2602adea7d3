from typing import Any

import numpy as np
import pytest

from penstock.errors import PipelineError, SourceError
from penstock.sources.arrow import ArrowSource
from penstock.sources.detect import as_source
from penstock.testing import check_source, same

pa = pytest.importorskip("pyarrow")


class Exporting:
    """Anything that exports itself as a stream, as frames do."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


class Frame(Exporting):
    """A frame as pandas makes them, told by its module; NaN comes as null, and an index as a column."""

    @property
    def shape(self) -> tuple[int, int]:
        return self.table.shape


class Series(Exporting):
    """A single column, as polars and pandas have them."""

    @property
    def shape(self) -> tuple[int]:
        return (len(self.table),)


Frame.__module__ = "pandas.core.frame"

TABLE = pa.table({"x": [1, 2, 3], "t": [[1], [], [2, 3]], "s": ["a", "b", "c"]})
ROWS = [
    {"x": np.int64(1), "t": np.array([1]), "s": "a"},
    {"x": np.int64(2), "t": np.array([], np.int64), "s": "b"},
    {"x": np.int64(3), "t": np.array([2, 3]), "s": "c"},
]


@pytest.mark.parametrize(
    "make",
    [
        lambda: TABLE,
        lambda: pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)]),
        lambda: TABLE.to_batches()[0],
        lambda: TABLE.to_reader(),
        lambda: Exporting(TABLE),
        lambda: pa.chunked_array([TABLE.to_struct_array().combine_chunks()]),
    ],
    ids=["table", "chunked table", "batch", "reader", "other", "structs"],
)
def test_rows_are_dicts_of_the_columns(make, examples):
    """Whatever exports itself as a stream of Arrow's."""
    source = as_source(make())

    assert isinstance(source, ArrowSource)
    assert same(examples(source), ROWS)


@pytest.mark.parametrize("make", [lambda: TABLE["t"], lambda: Series(TABLE["t"])], ids=["chunked array", "series"])
def test_the_values_of_a_single_column_are_the_examples(make, examples):
    """It has no name that an example could have as its key."""
    source = as_source(make())

    assert same(examples(source), [row["t"] for row in ROWS])
    assert source.length() == 3


def test_columns_can_be_components(examples):
    """Of several tables, read in step."""
    source = as_source({"text": TABLE["s"], "rows": Exporting(TABLE.select(["x"]))})

    assert same(examples(source), [{"text": row["s"], "rows": {"x": row["x"]}} for row in ROWS])


def test_a_table_can_be_read_again_and_knows_its_length():
    """It stays as it is, and is in memory already."""
    source = as_source(TABLE)

    assert check_source(lambda: TABLE) == 3
    assert (source.length(), source.waits, source.once, source.label) == (3, False, None, "Table")
    assert check_source(lambda: Exporting(TABLE)) == 3
    assert (as_source(Exporting(TABLE)).length(), as_source(Exporting(TABLE)).waits) == (None, None)


def test_a_stream_is_read_once(examples):
    """The second time it is an error that says what to do."""
    reader = TABLE.to_reader()
    source = as_source(reader)

    assert source.once is reader
    assert source.length() is None
    assert len(examples(source)) == 3
    with pytest.raises(PipelineError) as caught:
        source.open(1)
    assert str(caught.value) == (
        "expected a source that can be opened again, got the stream `RecordBatchReader`, which was opened before"
        " - pass a callable that makes it: `lambda: ...`"
    )


def test_numbers_are_not_copied():
    """A table in memory is handed on as it lies there."""
    column = pa.array(np.arange(100_000))

    blocks = list(as_source(pa.table({"x": column})).open(0))

    memory = np.frombuffer(column.buffers()[1], np.int64)
    assert len(blocks) == 25
    assert all(np.shares_memory(block.arrays[0], memory) for block in blocks)


def test_a_null_is_an_error_that_names_the_row(ended):
    """The row is that of the whole table."""
    source = as_source(pa.table({"x": pa.chunked_array([[1, 2], [3, None]])}))

    assert ended(source) == (
        [{"x": 1}, {"x": 2}, {"x": 3}],
        "SourceError: expected a value, got a null - at column `x`, row 3 of the `Table`"
        " - fill it in, or drop such rows, before it is passed",
    )


def test_a_type_without_a_place_is_known_at_once():
    """A table tells its columns without being read."""
    with pytest.raises(SourceError) as caught:
        as_source(pa.table({"x": [[[1]]]}))

    assert str(caught.value) == (
        "expected numbers, text, times, or lists or structs of them, got `list<item: list<item: int64>>`"
        " - at column `x` of the `Table`"
        " - write lists of lists as fixed-size lists, or flat with a second list of their lengths"
    )


def test_two_columns_of_one_name_or_none_at_all_are_an_error():
    """An example is a dict."""
    with pytest.raises(SourceError) as twice:
        as_source(pa.table([[1], [2]], names=["x", "x"]))
    with pytest.raises(SourceError) as none:
        as_source(pa.table({}))

    assert str(twice.value) == "expected columns of different names, got `x` twice - at the `Table`"
    assert str(none.value) == "expected columns of different names, got no column - at the `Table`"


def test_nan_in_a_pandas_frame_stays_nan_and_its_unnamed_index_is_left_out(examples, ended):
    """pandas exports NaN as null, and the index of a frame that was cut as a column; a named index is meant."""
    index = pa.array([5, 7])
    frame = Frame(pa.table({"x": [1.5, None], "id": [1, 2], "__index_level_0__": index}))
    source = as_source(frame)

    found = examples(source)

    assert found[0] == {"x": 1.5, "id": 1}
    assert np.isnan(found[1]["x"])
    assert source.length() == 2
    assert ended(as_source(Frame(pa.table({"s": ["a", None]}))))[1].startswith(
        "SourceError: expected a value, got a null"
    )


def test_a_pandas_frame_is_read():
    """The real thing, where it is installed."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": [1.5, float("nan"), 3.5], "s": ["a", "b", "c"]})

    assert check_source(lambda: frame[frame.s != "a"]) == 2


def test_a_polars_frame_is_read(examples):
    """The real thing, where it is installed; it has views of text, and categories of them."""
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(
        {"x": [[1], []], "s": ["a", "b" * 20], "c": polars.Series(["u", "v"], dtype=polars.Categorical)}
    )

    assert same(examples(as_source(frame))[1], {"x": np.array([], np.int64), "s": "b" * 20, "c": "v"})
