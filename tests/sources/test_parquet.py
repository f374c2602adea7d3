from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penstock.errors import SourceError
from penstock.sources.decoder import BLOCK_ROWS
from penstock.sources.parquet import parquet_sources

pa = pytest.importorskip("pyarrow")
pc = pytest.importorskip("pyarrow.compute")
pq = pytest.importorskip("pyarrow.parquet")


def write(path: str, n: int = 100, **how: Any) -> Any:
    table = pa.table({"x": np.arange(n), "y": np.arange(n) / 2})
    pq.write_table(table, path, **{"row_group_size": 10, "compression": "none", "use_dictionary": False, **how})
    return pq.ParquetFile(path).metadata


def damage(path: str, about: Any) -> None:
    """Overwrites the bytes of one column of one row group."""
    raw = bytearray(Path(path).read_bytes())
    start = about.data_page_offset
    raw[start : start + about.total_compressed_size] = b"\xee" * about.total_compressed_size
    Path(path).write_bytes(raw)


def test_row_groups_that_cannot_pass_the_filter_are_not_read(examples):
    """Their statistics rule them out: here all others are damaged, and nobody minds."""
    metadata = write("a.parquet")
    for group in (0, 1, 2, 4, 5, 6, 7, 8, 9):
        damage("a.parquet", metadata.row_group(group).column(0))

    found = examples(parquet_sources("a.parquet", filter=(pc.field("x") >= 35) & (pc.field("x") < 38))[0])

    assert [example["x"] for example in found] == [35, 36, 37]


def test_columns_that_are_not_needed_are_not_read(examples):
    """Here the other one is damaged."""
    metadata = write("a.parquet")
    for group in range(10):
        damage("a.parquet", metadata.row_group(group).column(1))

    assert [example["x"] for example in examples(parquet_sources("a.parquet", columns=["x"])[0])] == list(range(100))


def test_a_damaged_row_group_is_an_error_behind_those_before_it(ended):
    """It says from which row on."""
    metadata = write("a.parquet")
    damage("a.parquet", metadata.row_group(3).column(0))

    found, message = ended(parquet_sources("a.parquet")[0])

    assert [example["x"] for example in found] == list(range(30))
    assert message.startswith("SourceError: expected a Parquet file that is whole, got `")
    assert message.endswith("` - at row 30 or after of 'a.parquet'")


def test_rows_are_numbered_over_the_file_also_behind_row_groups_that_are_left_out(ended):
    """A number that counted only what was read would send the user to another row."""
    table = pa.table({"x": np.arange(100), "y": pa.array([None if i == 57 else i for i in range(100)])})
    pq.write_table(table, "a.parquet", row_group_size=10)

    found, message = ended(parquet_sources("a.parquet", filter=pc.field("x") > 50)[0])

    assert [example["x"] for example in found] == list(range(51, 57))
    assert message.startswith("SourceError: expected a value, got a null - at column `y`, row 57 of 'a.parquet' - ")


@pytest.mark.parametrize("cut", [4, 8, 11, 500, -1])
def test_a_file_that_is_cut_off_is_an_error(cut: int, ended):
    """Its end is missing, which tells where everything is."""
    write("a.parquet")
    raw = Path("a.parquet").read_bytes()
    Path("a.parquet").write_bytes(raw[:cut])

    assert ended(parquet_sources("a.parquet")[0]) == (
        [],
        "SourceError: expected a Parquet file that is whole, got one without its end: cut off, or still being written"
        " - at 'a.parquet'",
    )


@pytest.mark.parametrize("raw", [b"x", b"PAR", b"x,y\n1,2\n" * 100])
def test_a_file_of_another_format_is_an_error(raw: bytes, ended):
    """Told by its first bytes, not by its name."""
    Path("a.parquet").write_bytes(raw)

    assert ended(parquet_sources("a.parquet")[0]) == (
        [],
        "SourceError: expected a Parquet file, got one of another format - at 'a.parquet'",
    )


def test_a_footer_that_is_damaged_is_an_error(ended):
    """Between the two ends that look right."""
    write("a.parquet")
    raw = bytearray(Path("a.parquet").read_bytes())
    raw[-200:-8] = b"\xee" * 192
    Path("a.parquet").write_bytes(raw)

    found, message = ended(parquet_sources("a.parquet")[0])

    assert found == []
    assert message.startswith("SourceError: expected a Parquet file that is whole, got `")
    assert message.endswith("` - at 'a.parquet'")


def test_the_length_is_known_without_reading():
    """From the metadata of all files, unless rows may be left out; a file that cannot be opened is named."""
    write("a.parquet", 100)
    write("b.parquet", 30)

    (both,) = parquet_sources(["a.parquet", "b.parquet"])

    assert both.length() == 130
    assert parquet_sources("a.parquet", nulls=0)[0].length() == 100
    assert parquet_sources("a.parquet", nulls="skip")[0].length() is None
    assert parquet_sources("a.parquet", filter=pc.field("x") > 3)[0].length() is None
    Path("b.parquet").write_text("x")
    with pytest.raises(SourceError) as caught:
        both.length()
    assert str(caught.value) == "expected a Parquet file, got one of another format - at 'b.parquet'"


def test_a_large_row_group_is_not_held_as_a_whole():
    """It comes in runs of a few MiB; here one of a million rows."""
    write("a.parquet", 1_000_000, row_group_size=1_000_000)
    before = most = pa.total_allocated_bytes()

    sizes = []
    for block in parquet_sources("a.parquet", columns=["x"])[0].open(0):
        sizes.append(len(block))
        most = max(most, pa.total_allocated_bytes())

    assert sum(sizes) == 1_000_000
    assert max(sizes) == BLOCK_ROWS
    assert most - before < 12 << 20  # the row group's column as it is in the file, 8 MB, and a run of rows


def test_large_rows_come_a_few_at_a_time():
    """A run of rows is a few MiB, however many rows that is."""
    wide = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(64 * 50_000, np.float32)), 50_000)
    pq.write_table(pa.table({"image": wide}), "a.parquet", compression="none", use_dictionary=False)

    sizes = [len(block) for block in parquet_sources("a.parquet")[0].open(0)]

    assert sum(sizes) == 64
    assert max(sizes) == 16


def test_tensors_keep_their_shape(examples):
    """Parquet keeps Arrow's extension types."""
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    pq.write_table(pa.table({"image": pa.FixedShapeTensorArray.from_numpy_ndarray(images)}), "a.parquet")

    found = examples(parquet_sources("a.parquet")[0])

    assert [example["image"].tolist() for example in found] == images.tolist()
