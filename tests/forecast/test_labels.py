"""The labels of files."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PipelineError, SourceError, SpecError
from penstock.forecast.labels import Labels, label_text, read_labels

pa = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.parquet")
pytest.importorskip("pyarrow.feather")
pytest.importorskip("pyarrow.csv")

ROWS = ["a", "b", "a", "c", "a"]


def write(path: Path, **columns: object) -> str:
    """Writes a table in the format of the ending."""
    table = pa.table(columns)
    if path.suffix == ".parquet":
        pa.parquet.write_table(table, path)
    elif path.suffix in (".arrow", ".feather"):
        pa.feather.write_feather(table, path)
    elif path.suffix == ".csv":
        pa.csv.write_csv(table, path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    return str(path)


@pytest.mark.parametrize("ending", [".parquet", ".arrow", ".feather", ".csv", ".jsonl", ".ndjson", ".PARQUET"])
def test_labels_are_read_from_each_format(ending: str, tmp_path: Path):
    """The same labels, in the same order; other columns are not looked at, even where they have nulls."""
    path = write(tmp_path / f"x{ending.lower()}", label=ROWS, other=[None, 1, 2, None, 3])
    named = tmp_path / f"y{ending}"
    Path(path).rename(named)

    seen = read_labels([str(named)], "label")

    assert seen.classes == ("a", "b", "c")
    assert seen.order.tolist() == [0, 1, 0, 2, 0]
    assert seen.counts().tolist() == [3, 1, 1]


def test_lines_of_text_are_labels(tmp_path: Path):
    """A file of one label a line is what many tools write; it needs no package."""
    (tmp_path / "x.txt").write_text("a\nb\na\n")

    assert read_labels([str(tmp_path / "x.txt")], "example").order.tolist() == [0, 1, 0]


def test_files_of_several_formats_are_read_one_after_the_other(tmp_path: Path):
    """In the order in which they are given, and those of a glob by name."""
    last = write(tmp_path / "a.jsonl", label=["z"])
    write(tmp_path / "b-1.parquet", label=["x", "y"])
    write(tmp_path / "b-0.parquet", label=["w"])

    seen = read_labels([str(tmp_path / "b-*.parquet"), last], "label")

    assert [Path(path).name for path in seen.files] == ["b-0.parquet", "b-1.parquet", "a.jsonl"]
    assert [seen.classes[number] for number in seen.order] == ["w", "x", "y", "z"]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (pa.array([3, 1, 3], pa.uint8()), (3, 1)),
        (pa.array([2**64 - 1, 0, 0], pa.uint64()), (2**64 - 1, 0)),
        ([True, False, True], (True, False)),
        ([b"x", b"\xff", b"x"], (b"x", b"\xff")),
        (pa.array(["u", "v", "u"]).dictionary_encode(), ("u", "v")),
    ],
)
def test_labels_are_of_every_kind_that_can_be_counted(labels: object, classes: tuple, tmp_path: Path):
    """They come out as Python's own, so that they compare with what a user writes."""
    assert read_labels([write(tmp_path / "x.parquet", label=labels)], "label").classes == classes


def test_integers_of_different_width_are_the_same_labels(tmp_path: Path):
    """Writers choose the width by what a file happens to hold."""
    narrow = write(tmp_path / "a.parquet", label=pa.array([1, 2], pa.int8()))
    wide = write(tmp_path / "b.parquet", label=pa.array([2, 1], pa.int64()))

    assert read_labels([narrow, wide], "label").order.tolist() == [0, 1, 1, 0]


def test_a_part_of_a_column_holds_labels_too(tmp_path: Path):
    """JSON is often nested; a column whose own name has a dot goes first."""
    rows = [{"label": "x", "of": [1, 2]}, {"label": "y", "of": [3]}, {"label": "x", "of": []}]
    path = write(tmp_path / "x.jsonl", meta=rows, **{"a.b": [1, 1, 2]})

    assert read_labels([path], "meta.label").classes == ("x", "y")
    assert read_labels([path], "a.b").classes == (1, 2)


def test_missing_labels_are_an_error_or_left_out(tmp_path: Path):
    """Nobody's guess: a pipeline would stop there too, unless it is told."""
    path = write(tmp_path / "x.parquet", label=["a", None, "b"])

    with pytest.raises(SourceError, match=r"expected a value, got a null - at column `label`, row 1 of '.*x.parquet'"):
        read_labels([path], "label")
    assert read_labels([path], "label", nulls="skip").order.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0.5, 1.0], "expected labels that are integers, bools or text, got `label: float64[]` - at --by - cast whole numbers"),
        ([[0, 1, 0], [0, 0, 1]], "one label for each example, got one-hot, `label: int64[3]` - at --by - pass its argmax"),
        ([[0.0, 1.0], [1.0, 0.0]], "got one-hot, `label: float64[2]` - at --by - pass its argmax"),
        ([[0, 1, 0], [0, 1, 1]], "got `label: int64[3]` - at --by - name a component with one value per example"),
        ([[1], [1]], "got `label: int64[1]` - at --by - name a component with one value per example"),
        ([{"a": 1, "b": "x"}] * 2, "got `label: {a: int64[], b: str[]}` - at --by - name `label.a`, `label.b`"),
        (pa.array([1, 2], pa.date32()), "labels that are integers, bools or text, got `label: datetime64[D][]` - at --by"),
    ],
)  # fmt: skip
def test_what_is_no_label_is_said_with_what_to_do(labels: object, message: str, tmp_path: Path):
    """Counting it would tell nothing."""
    with pytest.raises(PipelineError) as raised:
        read_labels([write(tmp_path / "x.parquet", label=labels)], "label")

    assert message in str(raised.value)


@pytest.mark.parametrize("by", ["Label", "meta.label", "label.x", ""])
def test_a_missing_column_is_an_error_that_names_those_there_are(by: str, tmp_path: Path):
    """Also where the name has a dot, and its first part may or may not be a column."""
    path = write(tmp_path / "x.parquet", label=ROWS, other=ROWS)

    with pytest.raises(SourceError) as raised:
        read_labels([path], by)

    assert str(raised.value) == f"expected one of the columns `label`, `other`, got `{by}` - at '{path}'"


def test_a_line_of_text_is_called_example(tmp_path: Path):
    """It has no other component."""
    (tmp_path / "x.txt").write_text("a\n")

    with pytest.raises(PipelineError, match=r"expected `example`, .*, got `label` - at --by"):
        read_labels([str(tmp_path / "x.txt")], "label")


def test_labels_of_another_type_in_another_file_are_an_error(tmp_path: Path):
    """1 and "1" would be two classes, and 1 and True one."""
    numbers = write(tmp_path / "a.parquet", label=[1, 2])
    text = write(tmp_path / "b.parquet", label=["1", "2"])
    bools = write(tmp_path / "c.parquet", label=[True, False])

    with pytest.raises(SpecError, match=r"expected labels that are integers, as in '.*a.parquet', got text - at '.*b"):
        read_labels([numbers, text], "label")
    with pytest.raises(SpecError, match=r"got bools - at '.*c.parquet' - let all files have labels of one type"):
        read_labels([numbers, bools], "label")


def test_no_example_is_an_error_but_one_empty_file_is_none(tmp_path: Path):
    """A job that found nothing leaves such a file behind."""
    empty = write(tmp_path / "a.parquet", label=pa.array([], pa.int64()))
    full = write(tmp_path / "b.parquet", label=["x"])

    assert read_labels([empty, full], "label").classes == ("x",)
    with pytest.raises(SpecError, match=r"expected at least one example, got none - at '.*a\.parquet'"):
        read_labels([empty], "label")


def test_an_unknown_ending_is_an_error(tmp_path: Path):
    """It is not read as something else."""
    (tmp_path / "x.zip").write_bytes(b"PK")

    with pytest.raises(
        PipelineError, match=r"expected a file that ends in one of `\.parquet`, .*, got `x\.zip` - at plan"
    ):
        read_labels([str(tmp_path / "x.zip")], "label")


def test_progress_is_told_of_every_example(tmp_path: Path):
    """With the total, where the format tells it without reading."""
    shown: list[tuple[str, int | None, list[int]]] = []

    @contextmanager
    def show(what: str, total: int | None) -> Iterator:
        steps: list[int] = []
        shown.append((what, total, steps))
        yield steps.append

    read_labels([write(tmp_path / "x.parquet", label=[0, 1] * 6000)], "label", show=show)
    read_labels([write(tmp_path / "x.csv", label=[0, 1])], "label", show=show)

    assert [(what, total, sum(steps)) for what, total, steps in shown] == [
        ("reading labels", 12_000, 12_000),
        ("reading labels", None, 2),
    ]
    assert len(shown[0][2]) > 1


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_gaps_are_the_longest_runs_without_a_class(order: list[int]):
    """Against counting by hand."""
    present = sorted(set(order))
    numbers = [present.index(label) for label in order]

    def longest(number: int) -> int:
        runs, run = [0], 0
        for one in numbers:
            run = 0 if one == number else run + 1
            runs.append(run)
        return max(runs)

    seen = Labels((), "label", tuple(present), np.array(numbers))

    assert seen.gaps().tolist() == [longest(number) for number in range(len(present))]


@pytest.mark.parametrize(
    ("label", "text"),
    [("x" * 40, "x" * 31 + "…"), ("", "''"), ("a\nb", r"'a\nb'"), (b"\xff", r"b'\xff'"), (True, "True"), (-1, "-1")],
)
def test_a_label_fits_part_of_a_line(label: object, text: str):
    """What cannot be seen is written so that it can."""
    assert label_text(label) == text
