import os
from pathlib import Path

import pytest

from penstock.errors import PipelineError, SourceError
from penstock.sources.files import Reading, file_sources, find_files, label_of, named, said


def write(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x")


def test_the_files_of_a_glob_come_in_the_order_of_their_names():
    """The order in which a file system lists a folder is nobody's business."""
    write("b.txt", "a.txt", "c.txt", "other.csv")

    assert find_files("*.txt", word="read_text") == ("a.txt", "b.txt", "c.txt")


def test_the_files_of_a_list_come_in_its_order_and_globs_in_it_are_sorted():
    """A user who lists files means that order."""
    write("z.txt", "b1.txt", "b0.txt", "a.txt")

    assert find_files(["z.txt", Path("b?.txt"), "a.txt"], word="read_text") == ("z.txt", "b0.txt", "b1.txt", "a.txt")


def test_two_stars_reach_into_folders_and_folders_themselves_are_left_out():
    """Shards are often kept in folders by date."""
    write("d/1/a.txt", "d/2/b.txt", "d/c.txt")

    assert find_files("d/**", word="read_text") == ("d/1/a.txt", "d/2/b.txt", "d/c.txt")


def test_a_file_whose_name_has_brackets_is_meant_if_it_exists():
    """A name is a glob only where there is no such file."""
    write("a[1].txt", "a1.txt")

    assert find_files("a[1].txt", word="read_text") == ("a[1].txt",)


def test_the_home_directory_is_found(here: Path, monkeypatch: pytest.MonkeyPatch):
    """`~` is a shell's word, which users expect here too."""
    write("a.txt")
    monkeypatch.setenv("HOME", str(here))

    assert find_files("~/*.txt", word="read_text") == (str(here / "a.txt"),)


@pytest.mark.parametrize(
    ("paths", "error", "message"),
    [
        ("no.txt", SourceError, "expected a file, got none - at 'no.txt'"),
        (["a.txt", "no.txt"], SourceError, "expected a file, got none - at 'no.txt'"),
        ("no*.txt", SourceError, "expected a glob that matches a file, got one that matches none - at 'no*.txt'"),
        ("d", SourceError, "expected a file, got a directory - at 'd' - name the files in it: 'd/*'"),
        ([], PipelineError, "expected at least one path, got none - at read_text(paths)"),
        (3, PipelineError, "expected a path, a glob, or a list of them, got `int` - at read_text(paths)"),
        (b"a.txt", PipelineError, "expected a path, a glob, or a list of them, got `bytes` - at read_text(paths)"),
        ({"a.txt": 1}, PipelineError, "expected a path, a glob, or a list of them, got `dict` - at read_text(paths)"),
        (
            [b"a.txt"],
            PipelineError,
            "expected a path, a glob, or a list of them, got a `bytes` in it - at read_text(paths)",
        ),
        (["a.txt", "*.txt"], PipelineError, "expected each file once, got 'a.txt' twice - at read_text(paths)"),
    ],
)
def test_what_cannot_be_meant_is_said_at_once(paths: object, error: type[Exception], message: str):
    """Nothing has to be opened to know it."""
    write("a.txt", "d/b.txt")

    with pytest.raises(error) as caught:
        find_files(paths, word="read_text")  # type: ignore[arg-type]

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("streams", "dealt"),
    [
        (1, [("0", "1", "2", "3", "4")]),
        (2, [("0", "2", "4"), ("1", "3")]),
        (5, [("0",), ("1",), ("2",), ("3",), ("4",)]),
        (9, [("0",), ("1",), ("2",), ("3",), ("4",)]),
    ],
)
def test_file_i_goes_to_stream_i_modulo_their_number(streams: int, dealt: list[tuple[str, ...]]):
    """So neighbours are read side by side; and no stream is without a file."""
    write(*"01234")
    sources = file_sources("?", lambda files: files, streams=streams, word="read_text")  # type: ignore[arg-type,return-value]

    assert list(sources) == dealt


@pytest.mark.parametrize("streams", [0, -1, 1.5, True, "2"])
def test_a_number_of_streams_that_is_none_is_refused(streams: object):
    """As every number that a pipeline is described with."""
    write("a")

    with pytest.raises(PipelineError) as caught:
        file_sources("a", lambda files: files, streams=streams, word="read_text")  # type: ignore[arg-type,return-value]

    assert str(caught.value) == f"expected `streams` to be an integer >= 1, got `{streams!r}` - at read_text(streams)"


def test_a_source_is_called_by_its_first_file_and_the_number_of_others():
    """Reports have narrow columns."""
    assert label_of(("d/a.csv",)) == "a.csv"
    assert label_of(("d/a.csv", "d/b.csv", "d/c.csv")) == "a.csv and 2 more"


def test_very_many_names_are_listed_in_part():
    """A message is for reading."""
    assert named("ab") == "`a`, `b`"
    assert named(map(str, range(22))).endswith("`18`, `19`, and 2 more")


def test_a_file_that_has_gone_is_named_when_it_is_its_turn():
    """Hours may lie between a pipeline's description and a file's turn."""
    with pytest.raises(SourceError) as caught, Reading("a CSV file", "gone.csv"):
        pytest.fail("nothing is there to be read")

    assert str(caught.value) == (
        "expected a file, got none: it has gone since the pipeline was written - at 'gone.csv'"
    )


def test_an_empty_file_is_named_when_it_is_its_turn():
    """It is what a writer leaves behind that was stopped at once."""
    Path("a.csv").touch()

    with pytest.raises(SourceError) as caught, Reading("a CSV file", "a.csv"):
        pytest.fail("nothing is there to be read")

    assert str(caught.value) == "expected a CSV file, got an empty one (0 bytes) - at 'a.csv'"


def test_an_error_of_reading_is_told_with_file_and_row():
    """What the library says is kept; where it happened is added."""
    write("a.csv")

    def read() -> None:
        with Reading("a CSV file", "a.csv") as reading:
            reading.row = 7
            raise EOFError("no more.\nand so on")

    with pytest.raises(SourceError) as caught:
        read()

    assert str(caught.value) == "expected a CSV file that is whole, got `no more` - at row 7 or after of 'a.csv'"
    assert isinstance(caught.value.__cause__, EOFError)


def test_errors_that_are_not_of_reading_pass_unchanged():
    """Neither what was already told nor what has nothing to do with the file is told again."""
    write("a.csv")
    told, other, memory = SourceError("told"), KeyError("other"), MemoryError()

    for error in (told, other, memory):
        with pytest.raises(type(error)) as caught, Reading("a CSV file", "a.csv", errors=(MemoryError,)):
            raise error

        assert caught.value is error


def test_an_error_without_a_text_is_told_by_its_name():
    """An empty pair of backticks says nothing."""
    assert said(EOFError()) == "EOFError"
    assert said(OSError(2, os.strerror(2))) == "[Errno 2] No such file or directory"
