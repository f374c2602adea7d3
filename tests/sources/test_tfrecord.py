"""TFRecord files: records and features in order, and what is said of files that are broken."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import penstock as ps
from examples import run
from penstock.sources.records import framed
from penstock.sources.wire import serialized

pytestmark = pytest.mark.usefixtures("often")

FEATURES = {"label": "int64", "name": "bytes", "tokens": ("int64", (None,)), "box": ("float32", (2, 2))}


def example(i: int) -> bytes:
    box = np.arange(4, dtype=np.float32) + i
    return serialized({"label": [i], "name": [f"n{i}"], "tokens": list(range(i)), "box": box, "more": [1]})


def written(path: Path, *records: bytes) -> Path:
    path.write_bytes(b"".join(framed(record) for record in records))
    return path


def test_the_records_come_as_they_are_and_in_order(tmp_path: Path):
    """Without `features` a record is its bytes, an empty one too."""
    path = written(tmp_path / "a.tfrecord", b"one", b"", b"three" * 1000)

    assert list(ps.read_tfrecord(path)) == [b"one", b"", b"three" * 1000]


def test_features_become_arrays(tmp_path: Path):
    """A single value is a scalar, a list an array; what was not asked for is left out."""
    path = written(tmp_path / "a.tfrecord", example(0), example(2))

    first, second = ps.read_tfrecord(path, features=FEATURES)

    assert list(second) == ["label", "name", "tokens", "box"]
    assert (second["label"], second["name"]) == (2, b"n2")
    assert second["tokens"].tolist() == [0, 1]
    assert first["tokens"].shape == (0,)
    assert second["box"].tolist() == [[2, 3], [4, 5]]


def test_many_records_are_joined_and_padded(tmp_path: Path):
    """More than are handed over at once, from two files, one of them compressed."""
    written(tmp_path / "a.tfrecord", *[example(i) for i in range(150)])
    packed = b"".join(framed(example(i)) for i in range(150, 200))
    (tmp_path / "b.tfrecord.gz").write_bytes(gzip.compress(packed))
    pipeline = ps.read_tfrecord(tmp_path / "*.tfrecord*", features=FEATURES)

    labels = np.concatenate([batch["label"] for batch in pipeline.pad(tokens=(None,)).batch(50)])

    assert labels.tolist() == list(range(200))


def failing(path: Path, features: Any = None) -> tuple[int, str]:
    """How many examples came, and what was said then."""
    given, error = run(ps.read_tfrecord(path, features=features))
    assert isinstance(error, (ps.SourceError, ps.SpecError))
    return len(given), str(error)


def test_a_record_that_is_damaged_is_named_by_file_and_byte(tmp_path: Path):
    """What came before it is given; the checksum of the bytes does not hold."""
    path = written(tmp_path / "a.tfrecord", b"one", b"two", b"three")
    data = bytearray(path.read_bytes())
    data[19 + 12] ^= 1
    path.write_bytes(data)

    given, said = failing(path)

    assert given == 1
    assert f"- at byte 19 of '{path}' - it is damaged" in said
    assert said.startswith("expected a record with checksum 0x")


def test_a_damaged_length_is_named_too(tmp_path: Path):
    """A length is not believed before its checksum holds."""
    path = written(tmp_path / "a.tfrecord", b"one", b"two")
    data = bytearray(path.read_bytes())
    data[19] ^= 1
    path.write_bytes(data)

    given, said = failing(path)

    assert given == 1
    assert "expected a length whose checksum holds" in said
    assert f"at byte 19 of '{path}'" in said


@pytest.mark.parametrize("cut", [1, 5, 10, 18])
def test_a_record_that_is_cut_off_at_the_end_is_an_error(tmp_path: Path, cut: int):
    """In its length, its bytes or its checksum: a file that is still being written, say."""
    path = written(tmp_path / "a.tfrecord", b"one", b"two")
    path.write_bytes(path.read_bytes()[:-cut])

    given, said = failing(path)

    assert given == 1
    assert "cut off" in said
    assert f"at byte 19 of '{path}'" in said


def test_another_file_is_told_at_once(tmp_path: Path):
    """Of a text file, or one that is compressed under another name, the first length makes no sense."""
    path = tmp_path / "a.tfrecord"
    path.write_text("a text and no record file")

    assert "it is no TFRecord file, or it is compressed" in failing(path)[1]


def test_a_file_without_a_record_is_an_error(tmp_path: Path):
    """An empty file is one that was never written."""
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"")

    assert failing(path)[1].startswith("expected a TFRecord file, got an empty one (0 bytes)")


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ({"age": "int64"}, "expected `int64[]`, got none - at feature `age`"),
        ({"label": "bytes"}, "expected `bytes[]`, got a list of int64 - at feature `label`"),
        ({"box": ("float32", (3,))}, "expected `float32[3]`, got 4 values - at feature `box`"),
    ],
)
def test_a_feature_that_does_not_fit_names_the_record(tmp_path: Path, features: Any, says: str):
    """It says what was asked for and what came, and in which record."""
    path = written(tmp_path / "a.tfrecord", example(1), example(2))

    given, said = failing(path, features)

    assert given == 0
    assert said.startswith(says)
    assert f"in the record at byte 0 of '{path}'" in said


def test_a_record_that_is_no_example_comes_behind_those_that_are(tmp_path: Path):
    """The error is at its place among the examples."""
    path = written(tmp_path / "a.tfrecord", example(1), b"\x0a\xff", example(2))

    given, said = failing(path, FEATURES)

    assert given == 1
    assert "expected a serialized `tf.train.Example`" in said


@pytest.mark.parametrize("features", [{}, 3, {"a": ("int64", (1, None))}, {"a": "nonsense"}, {"a": (1, 2, 3)}])
def test_features_that_cannot_be_are_refused(tmp_path: Path, features: Any):
    """Before a file is opened."""
    path = written(tmp_path / "a.tfrecord", b"x")

    with pytest.raises(ps.PipelineError, match="read_tfrecord"):
        ps.read_tfrecord(path, features=features)


def test_a_state_goes_on_at_the_byte(tmp_path: Path):
    """A resumed flow gives what the unbroken one would have given."""
    path = written(tmp_path / "a.tfrecord", *[example(i) for i in range(200)])
    pipeline = ps.read_tfrecord(path, features={"label": "int64"}).batch(3)
    whole = [batch["label"].tolist() for batch in pipeline]
    with pipeline.open() as flow:
        for _ in range(40):
            next(flow)
        state = flow.state_dict()

    rest = [batch["label"].tolist() for batch in pipeline.open(state=state)]

    assert rest == whole[40:]


def test_bad_records_are_skipped_one_by_one(tmp_path: Path):
    """One that is damaged, and one that is no example; those between and behind are given, and so after a resume."""
    path = written(tmp_path / "a.tfrecord", *[example(i) if i != 5 else b"\x0a\xff" for i in range(9)])
    data = bytearray(path.read_bytes())
    data[data.index(b"n2")] ^= 1
    path.write_bytes(data)
    pipeline = ps.read_tfrecord(path, features={"label": "int64"}, on_error=ps.Skip(at_most=2)).batch(1)

    labels = [int(batch["label"][0]) for batch in pipeline]
    with pipeline.open() as flow:
        for _ in range(3):
            next(flow)
        state = flow.state_dict()

    assert labels == [0, 1, 3, 4, 6, 7, 8]
    assert [int(batch["label"][0]) for batch in pipeline.open(state=state)] == labels[3:]
