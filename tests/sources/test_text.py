import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PipelineError
from penstock.sources import text
from penstock.sources.text import text_sources
from penstock.testing import check_source


def test_a_line_is_an_example_without_its_end(examples):
    """All three ends that systems have; an empty line is a line, and the end of the last makes no other."""
    Path("a.txt").write_bytes("one\n\ntwo\r\nthree\rfour é\n".encode())

    (source,) = text_sources("a.txt")

    assert examples(source) == ["one", "", "two", "three", "four é"]


def test_the_last_line_needs_no_end(examples):
    """Many files are written without."""
    Path("a.txt").write_text("one\ntwo")

    assert examples(text_sources("a.txt")[0]) == ["one", "two"]


def test_only_line_ends_end_lines(examples):
    """`str.splitlines` would also split at form feeds and other signs of Unicode."""
    Path("a.txt").write_text("one\x0c\x1d\u2028two\n", encoding="utf-8")

    assert examples(text_sources("a.txt")[0]) == ["one\x0c\x1d\u2028two"]


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",)), max_size=9)), st.data())
def test_lines_are_those_that_were_written_however_the_bytes_are_cut(lines, data):
    """A sign of several bytes, and a line's end of two, may lie across the border of two parts."""
    encoding = data.draw(st.sampled_from(["utf-8", "utf-16", "utf-32-be"]))
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    raw = "".join(line + end for line in lines).encode(encoding)
    size = data.draw(st.integers(1, 7))
    cut = [raw[start : start + size] for start in range(0, len(raw), size)]

    found = [line for run, error in text._decoded(iter(cut), encoding) for line in [*run, *([error] if error else [])]]

    assert found == lines


def test_files_are_read_one_after_the_other_and_a_gz_file_is_unpacked(examples):
    """One stream is one order."""
    Path("b.txt").write_text("3\n")
    Path("a.txt.gz").write_bytes(gzip.compress(b"1\n2\n"))

    (source,) = text_sources("*.txt*")

    assert examples(source) == ["1", "2", "3"]
    assert source.label == "a.txt.gz and 1 more"
    assert source.length() is None
    assert source.waits is True


def test_bytes_that_are_not_of_the_encoding_are_an_error_that_names_the_row(ended):
    """The lines before the bad one come first."""
    Path("a.txt").write_bytes("one\ntwo\ncafé\nfour\n".encode("latin-1"))

    assert ended(text_sources("a.txt")[0]) == (
        ["one", "two"],
        "SourceError: expected text in utf-8, got other bytes - at row 2 of 'a.txt'",
    )
    assert ended(text_sources("a.txt", encoding="ascii")[0])[1] == (
        "SourceError: expected text in ascii, got other bytes - at row 2 of 'a.txt'"
    )


def test_bad_bytes_in_a_first_line_of_several_parts_are_found(ended):
    """Lines may be longer than what is read at once."""
    Path("a.txt").write_bytes(b"x" * 200_000 + b"\xff")

    assert ended(text_sources("a.txt")[0]) == (
        [],
        "SourceError: expected text in utf-8, got other bytes - at row 0 of 'a.txt'",
    )


def test_a_sign_that_is_cut_off_at_the_end_is_an_error(ended):
    """The file is truncated."""
    Path("a.txt").write_bytes("one\ncafé".encode()[:-1])

    assert ended(text_sources("a.txt")[0]) == (
        ["one"],
        "SourceError: expected text in utf-8, got other bytes - at row 1 of 'a.txt'",
    )


def test_a_long_line_comes_in_one_piece(examples):
    """It is put together from all its parts, once."""
    Path("a.txt").write_text("a" * 500_000 + "\nb\n")

    assert examples(text_sources("a.txt")[0]) == ["a" * 500_000, "b"]


def test_a_gz_file_that_is_cut_off_gives_its_lines_then_an_error(ended):
    """Up to the last line that is whole."""
    raw = gzip.compress("".join(f"{i * i * 7919 % 10007}\n" for i in range(50_000)).encode())
    Path("a.gz").write_bytes(raw[: len(raw) // 2])

    lines, error = ended(text_sources("a.gz")[0])

    assert lines == [str(i * i * 7919 % 10007) for i in range(len(lines))]
    assert len(lines) > 1000
    assert error == (
        "SourceError: expected a text file that is whole, got `Compressed file ended before the end-of-stream marker "
        f"was reached` - at row {len(lines)} or after of 'a.gz'"
    )


def test_an_empty_file_is_an_error(ended):
    """Rather an error too many than a shard too few."""
    Path("a.txt").touch()

    assert ended(text_sources("a.txt")[0])[1] == (
        "SourceError: expected a text file, got an empty one (0 bytes) - at 'a.txt'"
    )


@pytest.mark.parametrize("encoding", ["utf-9", "hex", 8])
def test_an_encoding_that_is_none_is_refused_at_once(encoding: object):
    """Also `hex`, which Python lists among encodings, but which is not one of text."""
    Path("a.txt").write_text("x")

    with pytest.raises(PipelineError) as caught:
        text_sources("a.txt", encoding=encoding)  # type: ignore[arg-type]

    assert str(caught.value) == (
        f"expected `encoding` to be the name of a text encoding, got `{encoding!r}` - at read_text(encoding)"
    )


def test_closing_early_closes_the_file():
    """A flow that is left after its first batch leaves no file open; the check after each test would find it."""
    Path("a.txt").write_text("line\n" * 100_000)
    stream = text_sources("a.txt")[0].open(0)

    first = next(stream)
    stream.close()  # type: ignore[attr-defined]

    assert first[0] == "line"
    assert next(stream, None) is None


def test_lines_pass_the_check_of_sources():
    """The same at each opening."""
    Path("a.txt").write_text("line\n" * 1000)
    (source,) = text_sources("a.txt")

    assert check_source(lambda: lambda: (line for run in source.open(0) for line in run)) == 1000
