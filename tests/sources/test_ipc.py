from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penstock.chunk import Columns
from penstock.sources.decoder import BLOCK_ROWS
from penstock.sources.ipc import arrow_sources

pa = pytest.importorskip("pyarrow")
pc = pytest.importorskip("pyarrow.compute")
feather = pytest.importorskip("pyarrow.feather")


def table(n: int = 100) -> Any:
    return pa.table({"x": np.arange(n), "y": np.arange(n) / 2})


def write(path: str, new: Any, n: int = 100, size: int = 10, **options: Any) -> None:
    with pa.OSFile(path, "wb") as file, new(file, table(n).schema, **options) as writer:
        writer.write_table(table(n), max_chunksize=size)


BOTH = pytest.mark.parametrize("new", [pa.ipc.new_file, pa.ipc.new_stream], ids=["file", "stream"])


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_feather_files_are_read(compression: str, examples):
    """They are Arrow files by another name."""
    feather.write_feather(table(), "a.feather", compression=compression)

    assert [example["y"] for example in examples(arrow_sources("a.feather", columns=["y"])[0])] == [
        i / 2 for i in range(100)
    ]


def test_the_first_version_of_feather_is_an_error_with_a_way_out(ended):
    """pyarrow reads it only as a whole."""
    Path("a.feather").write_bytes(b"FEA1" + bytes(100) + b"FEA1")

    assert ended(arrow_sources("a.feather")[0]) == (
        [],
        "SourceError: expected an Arrow IPC file or stream, got a file of Feather version 1 - at 'a.feather'"
        " - rewrite it: `pyarrow.feather.write_feather(table, path)`",
    )


@BOTH
def test_a_record_batch_of_any_size_comes_in_runs(new: Any):
    """Without a copy: arrays lie in the file, which is mapped into memory."""
    write("a.arrow", new, 10 * BLOCK_ROWS + 1, 1 << 30)
    before = pa.total_allocated_bytes()

    blocks = list(arrow_sources("a.arrow")[0].open(0))

    assert [len(block) for block in blocks] == [BLOCK_ROWS] * 10 + [1]
    assert pa.total_allocated_bytes() - before < 1 << 16
    assert isinstance(blocks[3], Columns)
    assert blocks[3].arrays[0].tolist() == list(range(3 * BLOCK_ROWS, 4 * BLOCK_ROWS))
    assert not blocks[3].arrays[0].flags.writeable


def test_only_columns_that_are_needed_are_unpacked(examples):
    """Here the other one is damaged, which unpacking would find."""
    write("a.arrow", pa.ipc.new_file, 10_000, 10_000, options=pa.ipc.IpcWriteOptions(compression="zstd"))
    raw = bytearray(Path("a.arrow").read_bytes())
    with pa.ipc.open_file("a.arrow") as reader:
        assert reader.get_batch(0).num_rows == 10_000
    last = raw.rindex(bytes.fromhex("28b52ffd"))  # a frame of zstd: the column `y`
    raw[last + 4 : last + 200] = b"\xee" * 196
    Path("a.arrow").write_bytes(raw)

    assert len(examples(arrow_sources("a.arrow", columns=["x"])[0])) == 10_000


def test_a_file_that_is_cut_off_is_an_error(ended):
    """Its end is missing, which tells where everything is."""
    write("a.arrow", pa.ipc.new_file)
    raw = Path("a.arrow").read_bytes()
    for cut in (8, 11, 1000, len(raw) - 1):
        Path("b.arrow").write_bytes(raw[:cut])

        assert ended(arrow_sources("b.arrow")[0]) == (
            [],
            "SourceError: expected an Arrow file that is whole, got one without its end: cut off, or still being"
            " written - at 'b.arrow'",
        )


def test_a_stream_that_is_cut_off_gives_what_came_before(ended):
    """It is read as it was written, from the front."""
    write("a.arrow", pa.ipc.new_stream)
    raw = Path("a.arrow").read_bytes()
    Path("b.arrow").write_bytes(raw[: len(raw) // 2])

    found, message = ended(arrow_sources("b.arrow")[0])

    assert 0 < len(found) < 100
    assert [example["x"] for example in found] == list(range(len(found)))
    assert len(found) % 10 == 0
    assert message.startswith("SourceError: expected an Arrow file that is whole, got `Expected to ")
    assert message.endswith(f"` - at row {len(found)} or after of 'b.arrow'")


@pytest.mark.parametrize("raw", [b"x", b"ARROW", b"x,y\n1,2\n" * 100, b"PAR1" * 10])
def test_a_file_of_another_format_is_an_error(raw: bytes, ended):
    """Told by its first bytes: read as a stream, they would ask for a message of gigabytes."""
    Path("a.arrow").write_bytes(raw)

    assert ended(arrow_sources("a.arrow")[0]) == (
        [],
        "SourceError: expected an Arrow IPC file or stream, got one of another format - at 'a.arrow'",
    )


def test_a_damaged_record_batch_is_an_error_not_a_crash(ended):
    """Offsets of text that lead out of its memory would be followed blindly."""
    with pa.OSFile("a.arrow", "wb") as file, pa.ipc.new_stream(file, pa.schema([("s", pa.string())])) as writer:
        for text in ("abcd", "efgh"):
            writer.write_batch(pa.record_batch({"s": [text] * 16}))
    raw = bytearray(Path("a.arrow").read_bytes())
    offsets = np.arange(0, 17 * 4, 4, dtype=np.int32).tobytes()
    second = raw.rindex(offsets)
    raw[second + 64 : second + 68] = (1 << 30).to_bytes(4, "little")
    Path("a.arrow").write_bytes(raw)

    found, message = ended(arrow_sources("a.arrow")[0])

    assert found == [{"s": "abcd"}] * 16
    assert message.startswith("SourceError: expected an Arrow file that is whole, got `")
    assert message.endswith("` - at row 16 or after of 'a.arrow'")


def test_the_length_of_a_file_is_known_that_of_a_stream_is_not():
    """A stream would have to be read."""
    write("a.arrow", pa.ipc.new_file)
    write("b.arrow", pa.ipc.new_file, 30)
    write("c.arrow", pa.ipc.new_stream)

    assert arrow_sources(["a.arrow", "b.arrow"])[0].length() == 130
    assert arrow_sources("c.arrow")[0].length() is None
    assert arrow_sources("a.arrow", filter=pc.field("x") > 3)[0].length() is None


@BOTH
def test_a_file_without_rows_has_no_examples(new: Any, examples):
    """It is whole, and says what its columns are."""
    with pa.OSFile("a.arrow", "wb") as file, new(file, table().schema):
        pass

    assert examples(arrow_sources("a.arrow")[0]) == []
