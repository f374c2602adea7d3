"""A look into a data file."""

import json
from pathlib import Path

import pytest

from penstock.errors import PipelineError, SourceError

pytest.importorskip("pyarrow")

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet

from penstock.peek import ENDINGS, look

TABLE = pa.table(
    {
        "ink": pa.array([[1, 2, 3], [4], [5, 6]], pa.list_(pa.int16())),
        "digit": pa.array([7, 7, 1], pa.int64()),
        "name": ["a", "b", "a"],
    }
)
FLAT = TABLE.drop_columns(["ink"])


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    pyarrow.parquet.write_table(TABLE, tmp_path / "digits.parquet")
    return tmp_path / "digits.parquet"


def write(path: Path) -> Path:
    """Writes digits and names in the format of the ending."""
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(FLAT, path)
    elif path.suffix in (".arrow", ".feather"):
        pyarrow.feather.write_feather(FLAT, path)
    elif path.suffix == ".csv":
        pyarrow.csv.write_csv(FLAT, path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in FLAT.to_pylist()))
    return path


@pytest.mark.parametrize("ending", [ending for ending in ENDINGS if ending != ".txt"])
def test_a_file_is_read_by_its_ending(ending: str, tmp_path: Path):
    """The same examples, whatever the format."""
    seen = look(write(tmp_path / f"digits{ending}"), column="name")

    assert str(seen.spec) == "{digit: int64[], name: str[]}"
    assert seen.examples == 3
    assert seen.classes == (("a", 2), ("b", 1))


def test_an_ending_in_capitals_is_the_same_ending(tmp_path: Path):
    """Some systems write them so."""
    assert look(write(tmp_path / "digits.jsonl").rename(tmp_path / "DIGITS.JSONL")).examples == 3


def test_lines_of_text_are_examples(tmp_path: Path):
    """A text has one component, which is called `example`."""
    (tmp_path / "lines.txt").write_text("one\ntwo\none\n")

    seen = look(tmp_path / "lines.txt", column="example")

    assert seen.first == ("one", "two", "one")
    assert seen.classes == (("one", 2), ("two", 1))


def test_a_dimension_in_which_examples_differ_is_free(parquet: Path):
    """The spec is that of all examples, not of the first."""
    assert str(look(parquet, n=1).spec) == "{ink: int16[?], digit: int64[], name: str[]}"


def test_it_writes_spec_examples_and_classes(parquet: Path):
    """What the command prints, line for line."""
    assert look(parquet, column="digit", n=1).lines() == [
        str(parquet),
        "  examples  3",
        "  spec      {ink: int16[?], digit: int64[], name: str[]}",
        "",
        "  example 0",
        "    ink    int16[3] [1 2 3]",
        "    digit  7",
        "    name   'a'",
        "",
        "  digit: 2 values",
        "    7          2   66.7%",
        "    1          1   33.3%",
    ]


def test_only_the_twenty_most_frequent_values_are_written(tmp_path: Path):
    """A column of identifiers does not flood the terminal; what is left out is counted."""
    lines = [str(number) for number in range(25)] + ["7"] * 5
    (tmp_path / "lines.txt").write_text("\n".join(lines) + "\n")

    written = look(tmp_path / "lines.txt", column="example", n=0).lines()

    assert written[4] == "  example: 25 values"
    assert written[5].split() == ["'7'", "6", "20.0%"]
    assert len(written[5:]) == 20 + 1
    assert written[-1] == "    and 5 more, in 5 examples"


def test_long_values_are_cut(tmp_path: Path):
    """One line a component."""
    pyarrow.parquet.write_table(pa.table({"x": [list(range(1000))], "text": ["x" * 1000]}), tmp_path / "long.parquet")

    written = look(tmp_path / "long.parquet").lines()

    assert written[5:] == ["    x     int64[1000] [0 1 2 3 4 ... 995 996 997 998 999]", f"    text  '{'x' * 98}…"]


def test_an_unknown_ending_is_an_error(tmp_path: Path):
    """It is not read as something else."""
    with pytest.raises(
        PipelineError, match=r"expected a file that ends in one of `\.parquet`, .*, got `x\.tar\.gz` - at peek"
    ):
        look(tmp_path / "x.tar.gz")


def test_an_unknown_component_is_an_error(parquet: Path):
    """It says which there are."""
    with pytest.raises(PipelineError, match=r"expected one of `ink`, `digit`, `name`, got `label` - at --column"):
        look(parquet, column="label")


def test_a_component_of_many_values_has_no_classes(parquet: Path):
    """Two lists are hardly ever equal, so that counting them would tell nothing."""
    with pytest.raises(PipelineError, match=r"expected a component with one value per example, got `ink: int16\[.*\]`"):
        look(parquet, column="ink")


def test_a_missing_file_is_the_storages_fault(tmp_path: Path):
    """The error is that of every reader."""
    with pytest.raises(SourceError, match=r"nowhere\.parquet"):
        look(tmp_path / "nowhere.parquet")
