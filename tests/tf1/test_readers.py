"""Readers: keys, records, and what is said of files that are broken."""

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penstock import tf1 as tf


def read(reader: Any, *paths: Path, up_to: int | None = None) -> list[Any]:
    queue = tf.train.string_input_producer([str(path) for path in paths], num_epochs=1, shuffle=False)
    pair = reader.read(queue) if up_to is None else reader.read_up_to(queue, up_to)
    with tf.feed(list(pair)) as feed:
        return list(feed)


def file(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def test_lines_come_without_their_ends_and_with_numbers(tmp_path: Path):
    """From 1, as TF1 counted; headers left out and counted."""
    path, empty = file(tmp_path, "a", b"head\none\r\n\nlast"), file(tmp_path, "b", b"")

    pairs = read(tf.TextLineReader(skip_header_lines=1), path, empty, path)

    assert pairs == [[f"{path}:{n}".encode(), line] for n, line in [(2, b"one"), (3, b""), (4, b"last")] * 2]


def test_records_of_one_length(tmp_path: Path):
    """Between header and footer; `hop_bytes` overlaps them."""
    path = file(tmp_path, "a", b"H" + b"abcdef" + b"F")

    assert [value for _, value in read(tf.FixedLengthRecordReader(2, 1, 1), path)] == [b"ab", b"cd", b"ef"]
    hops = tf.FixedLengthRecordReader(4, 1, 1, hop_bytes=1)
    assert [value for _, value in read(hops, path)] == [b"abcd", b"bcde", b"cdef"]
    packed = file(tmp_path, "z", zlib.compress(b"abcd"))
    assert [value for _, value in read(tf.FixedLengthRecordReader(2, encoding="ZLIB"), packed)] == [b"ab", b"cd"]


def test_bytes_that_are_no_record_are_an_error(tmp_path: Path):
    """It names file and byte; the whole records before it are given."""
    path = file(tmp_path, "a", b"abcde")

    with pytest.raises(tf.errors.DataLossError, match=r"expected records of 2 bytes, got 1 bytes more - at byte 4 of"):
        read(tf.FixedLengthRecordReader(2), path)
    with pytest.raises(ValueError, match="`record_bytes` of at least 1"):
        tf.FixedLengthRecordReader(0)


def test_files_without_a_record_are_an_error_where_they_come_for_ever(tmp_path: Path):
    """A loop without end in TF1; a file that is empty among others is passed over, again and again."""
    empty, header = file(tmp_path, "a", b""), file(tmp_path, "b", b"head\n")
    names = [str(empty), str(header)]

    for reader in (tf.TFRecordReader(), tf.TextLineReader(skip_header_lines=1)):
        queue = tf.train.string_input_producer(names if reader.kind == "a text file" else names[:1])
        batch = tf.train.batch([reader.read(queue)[1]], 2)
        with pytest.raises(tf.errors.DataLossError, match="a record in at least one file, got none"):
            next(tf.feed(batch))

    full = file(tmp_path, "c", b"head\nline\n")
    queue = tf.train.string_input_producer([*names, str(full)], shuffle=False)
    with tf.feed(tf.TextLineReader(skip_header_lines=1).read(queue)[1]) as feed:
        assert [next(feed) for _ in range(30)] == [b"line"] * 30


def test_whole_files_and_names(tmp_path: Path):
    """A file as a record, or only its name."""
    path = file(tmp_path, "a", b"all of it")

    assert read(tf.WholeFileReader(), path) == [[str(path).encode(), b"all of it"]]
    assert read(tf.IdentityReader(), path) == [[str(path).encode()] * 2]


def test_a_file_that_is_not_there(tmp_path: Path):
    """TF1's name for it."""
    with pytest.raises(tf.errors.NotFoundError, match="expected a text file, got none - at"):
        read(tf.TextLineReader(), tmp_path / "none")


def test_records_with_checksums(tmp_path: Path):
    """Written and read, compressed or not; a key is the offset."""
    for kind in ("", "GZIP", "ZLIB"):
        options = tf.python_io.TFRecordOptions(kind)
        path = tmp_path / f"r{kind}"
        with tf.python_io.TFRecordWriter(str(path), options) as writer:
            writer.write(b"one")
            writer.write(b"three")
        assert read(tf.TFRecordReader(options=options), path) == [
            [f"{path}:0".encode(), b"one"],
            [f"{path}:19".encode(), b"three"],
        ]
        assert list(tf.python_io.tf_record_iterator(str(path), options)) == [b"one", b"three"]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda data: data[:-3], "cut off"),
        (lambda data: data[:-6] + b"X" + data[-5:], "it is damaged"),
        (lambda data: gzip.compress(data), "it is no TFRecord file, or it is compressed"),
    ],
)
def test_a_broken_record_file(tmp_path: Path, damage: Callable[[bytes], bytes], says: str):
    """A `DataLossError` that names file and byte."""
    path = tmp_path / "r"
    with tf.python_io.TFRecordWriter(str(path)) as writer:
        writer.write(b"one")
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(tf.errors.DataLossError, match=says) as caught:
        read(tf.TFRecordReader(), path)

    assert f"at byte 0 of '{path}'" in str(caught.value)


def test_several_records_at_once(tmp_path: Path):
    """Up to so many, and never across the end of a file."""
    one, other = file(tmp_path, "a", b"1\n2\n3\n"), file(tmp_path, "b", b"4\n")

    runs = read(tf.TextLineReader(), one, other, up_to=2)

    assert [values.tolist() for _, values in runs] == [[b"1", b"2"], [b"3"], [b"4"]]


def test_a_reader_counts(tmp_path: Path):
    """Records given, and files read to their end."""
    path = file(tmp_path, "a", b"1\n2\n")
    reader = tf.TextLineReader()
    queue = tf.train.string_input_producer([str(path)], num_epochs=2, shuffle=False)
    value = reader.read(queue)[1]
    with tf.Session() as sess:
        assert [sess.run(value) for _ in range(3)] == [b"1", b"2", b"1"]
        assert sess.run([reader.num_records_produced(), reader.num_work_units_completed()]) == [3, 1]


def test_examples_are_parsed(tmp_path: Path):
    """One by one, and a batch of them."""

    def record(i: int) -> bytes:
        feature = {
            "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[i])),
            "name": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"n"])),
            "tokens": tf.train.Feature(int64_list=tf.train.Int64List(value=range(i))),
        }
        example = tf.train.Example(features=tf.train.Features(feature=feature))
        assert (
            tf.train.Example.FromString(example.SerializeToString()).SerializeToString() == example.SerializeToString()
        )
        return example.SerializeToString()

    features = {
        "label": tf.FixedLenFeature([], tf.int64),
        "weight": tf.FixedLenFeature([2], tf.float32, default_value=[1, 2]),
        "tokens": tf.VarLenFeature(tf.int64),
    }
    path = tmp_path / "r"
    with tf.python_io.TFRecordWriter(str(path)) as writer:
        for i in range(3):
            writer.write(record(i))
    queue = tf.train.string_input_producer([str(path)], num_epochs=1, shuffle=False)
    serialized = tf.TFRecordReader().read(queue)[1]

    def dense(parsed: dict[str, Any]) -> dict[str, Any]:
        return parsed | {"tokens": tf.sparse_tensor_to_dense(parsed["tokens"])}

    batch = tf.train.batch(dense(tf.parse_single_example(serialized, features)), 3, dynamic_pad=True)
    with tf.feed(batch) as feed:
        one = next(feed)
    with tf.feed(dense(tf.parse_example(tf.train.batch([serialized], 3), features))) as feed:
        other = next(feed)

    assert one["tokens"].tolist() == [[0, 0], [0, 0], [0, 1]]
    assert one["weight"].tolist() == [[1, 2]] * 3
    assert one["label"].tolist() == [0, 1, 2]
    assert {key: value.tolist() for key, value in other.items()} == {key: value.tolist() for key, value in one.items()}


def test_features_that_do_not_fit():
    """When they are written, or at the step; each a ValueError."""
    record = tf.train.Example().SerializeToString()

    with pytest.raises(ValueError, match="float32, int64 or string"):
        tf.parse_single_example(tf.constant(record), {"a": tf.FixedLenFeature([], tf.uint8)})
    with pytest.raises(ValueError, match="a `FixedLenFeature`"):
        tf.parse_single_example(tf.constant(record), {"a": tf.int64})
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected `int64\\[\\]`, got none - at feature `a`"):
        next(tf.feed(tf.parse_single_example(tf.constant(record), {"a": tf.FixedLenFeature([], tf.int64)})))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"1", "expected 3 fields, got 1"),
        (b"x,b,1", "expected `int32`, got the text `x` - at field 0"),
        (b"1,b,", "expected a value, got none - at field 2"),
    ],
)
def test_lines_of_csv(line: bytes, says: str):
    """Each field in the dtype of its default, quoted or empty; a line that does not fit says why."""
    fields = tf.placeholder(tf.string)
    made = tf.decode_csv(fields, [[0], ["none"], tf.float32])
    with tf.Session() as sess:
        assert sess.run(made, {fields: b'7,"a,b",2.5'}) == [7, b"a,b", 2.5]
        assert sess.run(made, {fields: b",,1"}) == [0, b"none", 1.0]
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            sess.run(made, {fields: line})
    assert says in str(caught.value)


def test_numbers_out_of_bytes():
    """In the order of bytes that is said, and of a whole number of them."""
    raw = tf.placeholder(tf.string)
    with tf.Session() as sess:
        assert sess.run(tf.decode_raw(raw, tf.int16, little_endian=False), {raw: b"\0\1\0\2"}).tolist() == [1, 2]
        with pytest.raises(tf.errors.InvalidArgumentError, match="a multiple of 2 bytes"):
            sess.run(tf.decode_raw(raw, tf.int16), {raw: b"abc"})
        assert sess.run(tf.string_split([raw]).values, {raw: b" a  b "}).tolist() == [b"a", b"b"]


def test_an_error_in_a_record_names_it(tmp_path: Path):
    """By its key, which is its file and its place there: through a batch, and in a step of one's own."""
    path = file(tmp_path, "a", b"1\n2\nx\n")

    def numbers() -> tf.Handle:
        queue = tf.train.string_input_producer([str(path)], num_epochs=1)
        return tf.string_to_number(tf.TextLineReader().read(queue)[1], tf.int32)

    for made in (numbers(), tf.train.batch([numbers()], 1)):
        with tf.feed(made) as feed:
            assert [np.ravel(next(feed)).tolist() for _ in range(2)] == [[1], [2]]
            with pytest.raises(tf.errors.InvalidArgumentError, match="got the text `x`") as caught:
                next(feed)
        assert f"penstock: in a step with the record '{path}:3'" in caught.value.__notes__
