"""What holds for every kind of file that is a table."""

import csv
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import PipelineError
from penstock.plan import Source
from penstock.sources.csv import csv_sources
from penstock.sources.decoder import BLOCK_ROWS
from penstock.sources.ipc import arrow_sources
from penstock.sources.jsonl import jsonl_sources
from penstock.sources.parquet import parquet_sources
from penstock.testing import same

pa = pytest.importorskip("pyarrow")
pc = pytest.importorskip("pyarrow.compute")
pq = pytest.importorskip("pyarrow.parquet")

Rows = list[dict[str, Any]]


def write_parquet(path: str, rows: Rows) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=3)


def write_file(path: str, rows: Rows) -> None:
    table = pa.Table.from_pylist(rows)
    with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)


def write_stream(path: str, rows: Rows) -> None:
    table = pa.Table.from_pylist(rows)
    with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)


def write_csv(path: str, rows: Rows) -> None:
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_jsonl(path: str, rows: Rows) -> None:
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows))


FORMATS = {
    "parquet": (write_parquet, parquet_sources, "a Parquet file"),
    "file": (write_file, arrow_sources, "an Arrow file"),
    "stream": (write_stream, arrow_sources, "an Arrow file"),
    "csv": (write_csv, csv_sources, "a CSV file"),
    "jsonl": (write_jsonl, jsonl_sources, "a JSON Lines file"),
}

Write = Callable[[str, Rows], None]
Sources = Callable[..., tuple[Source, ...]]


@pytest.fixture(params=FORMATS)
def format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def write(format: str) -> Write:
    return FORMATS[format][0]


@pytest.fixture
def sources(format: str) -> Sources:
    return FORMATS[format][1]


def numbered(start: int, stop: int) -> Rows:
    return [{"x": i, "y": i / 4, "z": f"row {i}"} for i in range(start, stop)]


def test_a_row_is_a_dict_of_its_columns(write: Write, sources: Sources, examples):
    """In the order of the file, with int64, float64 and `str`."""
    write("a", numbered(0, 10))

    (source,) = sources("a")

    found = examples(source)
    assert [list(example) for example in found] == [["x", "y", "z"]] * 10
    assert found == numbered(0, 10)
    assert [str(found[0][name].dtype) for name in "xy"] == ["int64", "float64"]
    assert type(found[0]["z"]) is str
    assert (source.label, source.waits, source.blocks, source.once) == ("a", True, True, None)


def test_a_source_can_be_opened_again_and_again(write: Write, sources: Sources, examples):
    """Each epoch reads the files anew, also while another pass is on its way."""
    write("a", numbered(0, 10))
    (source,) = sources("a")

    begun = source.open(0)
    next(begun)

    assert examples(source) == numbered(0, 10)
    assert examples(source) == numbered(0, 10)
    begun.close()  # type: ignore[attr-defined]


def test_files_are_dealt_out_to_streams(write: Write, sources: Sources, examples):
    """File i to stream i modulo their number; a stream reads its files one after the other."""
    for number in range(5):
        write(f"part-{number}", numbered(10 * number, 10 * number + number + 1))

    first, second = sources("part-*", streams=2)

    assert examples(first) == numbered(0, 1) + numbered(20, 23) + numbered(40, 45)
    assert examples(second) == numbered(10, 12) + numbered(30, 34)
    assert first.label == "part-0 and 2 more"
    assert len(sources("part-*", streams=99)) == 5


def test_columns_come_in_the_order_in_which_they_are_named(write: Write, sources: Sources, examples):
    """Others are left out."""
    write("a", numbered(0, 5))

    found = examples(sources("a", columns=["z", "x"])[0])

    assert [list(example.items()) for example in found] == [[("z", f"row {i}"), ("x", i)] for i in range(5)]


def test_a_filter_keeps_the_rows_for_which_it_is_true(write: Write, sources: Sources, examples):
    """It may look at columns that are not read."""
    write("a", numbered(0, 10))

    assert examples(sources("a", filter=pc.field("x") > 6)[0]) == numbered(7, 10)
    assert examples(sources("a", columns=["z"], filter=pc.field("x") == 4)[0]) == [{"z": "row 4"}]
    assert examples(sources("a", filter=pc.field("z") == "nothing")[0]) == []


def test_a_filter_that_does_not_fit_the_columns_is_an_error(write: Write, sources: Sources, ended):
    """At the file that lacks them."""
    write("a", numbered(0, 10))

    unknown = ended(sources("a", columns=["z"], filter=pc.field("w") > 6)[0])[1]
    other = ended(sources("a", filter=pc.field("x") > "a")[0])[1]

    assert unknown.startswith(
        "SourceError: expected a `filter` that fits the columns, got `(w > 6)`, of which Arrow says: No match for "
    )
    assert other.startswith(
        'SourceError: expected a `filter` that fits the columns, got `(x > "a")`, of which Arrow says: Function '
    )
    assert unknown.endswith(" - at 'a'")
    assert other.endswith(" - at 'a'")


def test_an_unknown_column_is_an_error(write: Write, sources: Sources, ended):
    """At its file, with those that there are."""
    write("a", numbered(0, 3))

    assert ended(sources("a", columns=["x", "q"])[0]) == (
        [],
        "SourceError: expected one of the columns `x`, `y`, `z`, got `q` - at 'a'",
    )


def test_a_null_is_an_error_that_names_file_row_and_column(write: Write, sources: Sources, ended):
    """The row is that of the file, also behind a filter; the examples before it come first."""
    rows: Rows = [*numbered(0, 4), {"x": 4, "y": None, "z": "row 4"}, *numbered(5, 8)]
    write("a", rows)
    message = (
        "SourceError: expected a value, got a null - at column `y`, row 4 of 'a'"
        " - say what takes its place, or leave such rows out: `nulls={'y': ...}` or `nulls=\"skip\"`"
    )

    assert ended(sources("a")[0]) == (numbered(0, 4), message)
    assert ended(sources("a", filter=pc.field("x") > 1)[0]) == (numbered(2, 4), message)


def test_nulls_are_left_out_or_filled_in_on_request(write: Write, sources: Sources, examples):
    """And a row that a filter leaves out has no nulls that matter, nor a column that is not read."""
    rows: Rows = [*numbered(0, 4), {"x": 4, "y": None, "z": "row 4"}, *numbered(5, 8)]
    write("a", rows)

    assert examples(sources("a", nulls="skip")[0]) == numbered(0, 4) + numbered(5, 8)
    assert examples(sources("a", nulls={"y": 9.5})[0])[4] == {"x": 4, "y": 9.5, "z": "row 4"}
    assert examples(sources("a", nulls=0)[0])[4] == {"x": 4, "y": 0.0, "z": "row 4"}
    assert len(examples(sources("a", filter=pc.field("x") != 4)[0])) == 7
    assert len(examples(sources("a", columns=["x", "z"])[0])) == 8


def test_a_value_for_nulls_of_an_unknown_column_is_an_error(write: Write, sources: Sources, ended):
    """Known as soon as the file is opened."""
    write("a", numbered(0, 3))

    assert ended(sources("a", nulls={"q": 0})[0]) == (
        [],
        "SourceError: expected `nulls` for one of `x`, `y`, `z`, got `q` - at 'a'",
    )


def test_a_file_that_lacks_a_column_of_the_first_is_an_error(write: Write, sources: Sources, ended, format: str):
    """It names both files; those before it were read. In JSON Lines what a line lacks is a null."""
    write("a", numbered(0, 3))
    write("b", [{"x": 1, "z": ""}])

    assert ended(sources(["a", "b"])[0]) == (
        numbered(0, 3),
        "SourceError: expected a value, got a null - at column `y`, row 0 of 'b'"
        " - say what takes its place, or leave such rows out: `nulls={'y': ...}` or `nulls=\"skip\"`"
        if format == "jsonl"
        else "SourceError: expected `y: float64[]` as in 'a', got no such column - at 'b'",
    )


def test_a_file_that_has_a_column_more_than_the_first_is_an_error(write: Write, sources: Sources, ended, examples):
    """Unless it is said which are meant."""
    write("a", numbered(0, 3))
    write("b", [{"x": 3, "y": 0.75, "z": "row 3", "w": 1}])

    assert ended(sources(["a", "b"])[0]) == (
        numbered(0, 3),
        "SourceError: expected the columns `x`, `y`, `z` of 'a', got another, `w` - at 'b'"
        " - name those to read: `columns=[...]`",
    )
    assert examples(sources(["a", "b"], columns=["x", "y", "z"])[0]) == numbered(0, 4)


def test_columns_in_another_order_are_the_same_columns(write: Write, sources: Sources, examples):
    """All examples of a stream have the order of its first file."""
    write("a", numbered(0, 3))
    write("b", [{"z": "row 3", "y": 0.75, "x": 3}])

    found = examples(sources(["a", "b"])[0])

    assert found == numbered(0, 4)
    assert list(found[3]) == ["x", "y", "z"]


def test_a_file_that_goes_or_is_empty_is_an_error_when_it_is_its_turn(
    write: Write, sources: Sources, ended, format: str
):
    """The files before it are read."""
    write("a", numbered(0, 3))
    Path("b").touch()
    source = sources(["a", "b"])[0]

    empty = ended(source)
    Path("b").unlink()
    gone = ended(source)

    assert empty == (
        numbered(0, 3),
        f"SourceError: expected {FORMATS[format][2]}, got an empty one (0 bytes) - at 'b'",
    )
    assert gone == (
        numbered(0, 3),
        "SourceError: expected a file, got none: it has gone since the pipeline was written - at 'b'",
    )


def test_a_file_that_is_not_open_to_us_is_an_error(write: Write, sources: Sources, ended, format: str):
    """Whatever the system says about it is passed on."""
    write("a", numbered(0, 3))
    (source,) = sources("a")
    Path("a").unlink()
    Path("a").mkdir()

    found, message = ended(source)

    assert found == []
    assert message.startswith(f"SourceError: expected {FORMATS[format][2]} that is whole, got `")
    assert message.endswith(" - at 'a'")


def test_closing_early_closes_the_file(write: Write, sources: Sources):
    """The check after each test finds what is left open; here it is looked at once more, at once."""
    write("a.csv", numbered(0, 3 * BLOCK_ROWS))
    before = Path("/proc/self/fd")
    stream = sources("a.csv")[0].open(0)

    next(stream)
    stream.close()  # type: ignore[attr-defined]

    if before.is_dir():
        assert [link for link in before.iterdir() if "a.csv" in str(link.resolve())] == []


def test_what_was_read_outlives_its_file(write: Write, sources: Sources):
    """Batches are used long after the source is done."""
    write("a", numbered(0, 20))
    blocks = list(sources("a", columns=["x"])[0].open(0))

    Path("a").unlink()

    assert [row["x"] for block in blocks for row in block.rows()] == list(range(20))


def test_sources_can_be_pickled(write: Write, sources: Sources, examples):
    """A pipeline may be sent to another process."""
    write("a", numbered(0, 3))
    (source,) = sources("a", columns=["x"], filter=pc.field("x") > 0, nulls={"x": 1})

    copy = pickle.loads(pickle.dumps(source))

    assert examples(copy) == [{"x": 1}, {"x": 2}]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"streams": 0}, "expected `streams` to be an integer >= 1, got `0` - at {word}(streams)"),
        ({"columns": "x"}, "expected `columns` to be a list of names, each once, got `'x'` - at {word}(columns)"),
        (
            {"nulls": "drop"},
            'expected `nulls` to be "error", "skip", a value to put in their place, or a dict of such values by column'
            ", got `'drop'` - at {word}(nulls)",
        ),
        (
            {"filter": [("x", ">", 1)]},
            "expected `filter` to be a `pyarrow.compute` expression, got `list` - at {word}(filter)"
            " - such as `pc.field('age') > 3`; a function of an example goes into `.filter(fn)`",
        ),
    ],
)
def test_arguments_are_checked_at_once(write: Write, sources: Sources, how: dict[str, Any], message: str, format: str):
    """Before a file is opened, and each under the name of its word."""
    write("a", numbered(0, 3))
    word = {"file": "read_arrow", "stream": "read_arrow"}.get(format, f"read_{format}")

    with pytest.raises(PipelineError) as caught:
        sources("a", **how)

    assert str(caught.value) == message.replace("{word}", word)


@pytest.mark.parametrize("nested", ["parquet", "file", "stream", "jsonl"])
def test_lists_come_out_ragged_and_structs_as_dicts(nested: str, examples):
    """The formats that have them agree."""
    rows: Rows = [{"t": list(range(i % 4)), "s": {"x": i, "u": [str(i)] * (i % 3)}} for i in range(9)]
    FORMATS[nested][0]("a", rows)

    found = examples(FORMATS[nested][1]("a")[0])

    assert [{"t": r["t"].tolist(), "s": {"x": r["s"]["x"], "u": r["s"]["u"].tolist()}} for r in found] == rows
    assert str(found[0]["t"].dtype) == "int64"


@pytest.mark.slow
@settings(max_examples=50)
@given(st.data())
def test_all_formats_give_the_same_for_any_choice_of_columns_and_rows(data: st.DataObject):
    """One rule, however a file is cut into row groups, record batches or blocks."""
    rows = [
        {"x": data.draw(st.one_of(st.none(), st.integers(-9, 9))), "y": data.draw(st.integers(0, 9)) / 4, "n": i}
        for i in range(data.draw(st.integers(1, 9)))
    ]
    rows = [{"x": 0, "y": 0.5, "n": -1}, *rows]
    columns = data.draw(st.sampled_from([None, ["x"], ["n", "y"], ["y", "x"]]))
    least = data.draw(st.integers(-9, 9))
    filter = data.draw(st.sampled_from([None, pc.field("n") >= least, pc.field("x") >= least, pc.field("y") > 1]))
    nulls = data.draw(st.sampled_from(["error", "skip", {"x": 5}, 5]))
    if isinstance(nulls, dict) and columns == ["n", "y"]:
        nulls = "error"
    outcomes = []

    for write, sources, _ in FORMATS.values():
        write("any", rows)
        found: list[Any] = []
        error = None
        try:
            for block in sources("any", columns=columns, filter=filter, nulls=nulls)[0].open(0):
                found += block.rows()
        except OSError as raised:
            error = str(raised)
        outcomes.append((found, error))

    for found, error in outcomes[1:]:
        assert error == outcomes[0][1]
        assert len(found) == len(outcomes[0][0])
        assert all(map(same, found, outcomes[0][0]))
