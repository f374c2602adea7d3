import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PipelineError, SourceError
from penstock.sources.csv import csv_sources
from penstock.testing import same

pa = pytest.importorskip("pyarrow")


def write(text: str | bytes, name: str = "a.csv") -> None:
    Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())


def test_types_are_those_that_a_user_expects(examples):
    """Integers int64, numbers float64, truths bool, days and times as such, all else text."""
    write(
        "i,f,b,d,t,s,n\n"
        "1,2.5,true,2020-01-01,2020-01-01 12:00:00,x,nan\n"
        "-2,1e3,False,2020-01-02,2020-01-01 13:00:00,,2\n"
    )

    (first, second) = examples(csv_sources("a.csv")[0])

    assert same(
        first,
        {
            "i": np.int64(1),
            "f": np.float64(2.5),
            "b": np.True_,
            "d": np.datetime64("2020-01-01"),
            "t": np.datetime64("2020-01-01T12:00:00"),
            "s": "x",
            "n": np.float64("nan"),
        },
    )
    assert second["s"] == ""
    assert second["n"] == 2.0


def test_types_can_be_said(examples):
    """For some columns; the others are guessed."""
    write("a,b,c\n1,2,3\n")

    assert same(
        examples(csv_sources("a.csv", types={"a": "float32", "b": str})[0]),
        [{"a": np.float32(1), "b": "2", "c": np.int64(3)}],
    )


def test_a_text_may_be_quoted_and_have_commas_lines_and_quotes(examples):
    """As spreadsheets write it."""
    write('a,b\n1,"x, ""y""\nz"\n')

    assert examples(csv_sources("a.csv")[0]) == [{"a": 1, "b": 'x, "y"\nz'}]


def test_another_delimiter_can_be_said(examples):
    """Tabs, or semicolons where the comma is in the numbers."""
    write("a\tb,c\n1\t2\n")

    assert examples(csv_sources("a.csv", delimiter="\t")[0]) == [{"a": 1, "b,c": 2}]


@pytest.mark.parametrize("delimiter", ["", ",,", "\n", '"', 7])
def test_a_delimiter_that_is_none_is_refused_at_once(delimiter: Any):
    """One character, which ends neither line nor text."""
    write("a\n1\n")

    with pytest.raises(PipelineError) as caught:
        csv_sources("a.csv", delimiter=delimiter)

    assert (
        str(caught.value) == f"expected `delimiter` to be one character, got `{delimiter!r}` - at read_csv(delimiter)"
    )


@pytest.mark.parametrize("start", ["\ufeff", "\n\n", "\r\n"])
def test_what_stands_before_the_first_line_is_passed_over(start: str, examples):
    """A byte order mark, or empty lines."""
    write(f"{start}a,b\r\n1,2\r\n\r\n3,4\r\n")

    assert examples(csv_sources("a.csv")[0]) == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


@pytest.mark.parametrize("start", ["\ufeff", "\n\n", "\r\n"])
def test_rows_are_numbered_from_behind_the_first_line(start: str, ended):
    """Empty lines are no rows."""
    write(f'{start}a,b\n\n1,"x\n\ny"\n\n2,z\n3\n')

    assert ended(csv_sources("a.csv")[0]) == (
        [{"a": 1, "b": "x\n\ny"}, {"a": 2, "b": "z"}],
        "SourceError: expected 2 values, as in the first line, got 1 - at row 2 of 'a.csv'",
    )


def test_files_are_unpacked_by_their_ending(examples):
    """`.gz`, as most are."""
    write(gzip.compress(b"a\n1\n2\n"), "a.csv.gz")

    assert examples(csv_sources("a.csv.gz")[0]) == [{"a": 1}, {"a": 2}]


def test_a_packed_file_that_is_cut_off_is_an_error(ended):
    """Arrow reads a block before it gives one."""
    write(gzip.compress(b"a\n" + b"1\n" * 1000)[:-9], "a.csv.gz")

    assert ended(csv_sources("a.csv.gz")[0])[1] == (
        "SourceError: expected a CSV file that is whole, got `Truncated compressed stream` - at 'a.csv.gz'"
    )


@pytest.mark.parametrize("text", ["a,b", "a,b\n", "a,b\n\n\n"])
def test_a_file_of_names_only_has_no_examples(text: str, examples):
    """It is no empty file: what has no rows was written on purpose."""
    write(text)
    write("a,b\n1,2.5\n", "b.csv")

    assert examples(csv_sources("a.csv")[0]) == []
    assert examples(csv_sources(["a.csv", "b.csv"])[0]) == [{"a": 1, "b": 2.5}]


def test_a_file_of_empty_lines_has_no_columns(ended):
    """Not even names."""
    write("\n\n")

    assert ended(csv_sources("a.csv")[0])[1] == "SourceError: expected at least one column, got none - at 'a.csv'"


# Past the first MiB, from which types are guessed, and in the first.
EARLY, LATE = 5, 80_000
PLACES = pytest.mark.parametrize("place", [EARLY, LATE])


def lines(bad: str, place: int) -> str:
    """A file with one bad line among good ones, and a line without anything, which is no row."""
    return "a,b\n\n" + "100000,2000.5\n" * place + f"{bad}\n" + "1,2\n" * 3


@PLACES
def test_a_row_with_too_few_or_too_many_values_is_an_error_behind_the_rows_before_it(place: int, ended):
    """It names the row; Arrow alone would have dropped the whole block."""
    for bad, got in (("1", "1"), ("1,2,3", "3")):
        write(lines(bad, place))

        found, message = ended(csv_sources("a.csv")[0])

        assert len(found) == place
        assert same(found[-1], {"a": np.int64(100000), "b": np.float64(2000.5)})
        assert message == (
            f"SourceError: expected 2 values, as in the first line, got {got} - at row {place} of 'a.csv'"
        )


def test_a_file_that_is_cut_off_within_a_row_is_an_error(ended):
    """Its last row has too few values."""
    write("a,b,c\n1,2,3\n4,5")

    assert ended(csv_sources("a.csv")[0]) == (
        [{"a": 1, "b": 2, "c": 3}],
        "SourceError: expected 3 values, as in the first line, got 2 - at row 1 of 'a.csv'",
    )


def test_a_value_of_another_type_is_an_error_behind_the_rows_before_it(ended):
    """Types were guessed from the first MiB; a text in a column of numbers comes after."""
    write(lines("1,?", LATE))

    found, message = ended(csv_sources("a.csv")[0])

    assert len(found) == LATE
    assert message == (
        f"SourceError: expected `b: double`, got '?' - at row {LATE} of 'a.csv'"
        " - `types={'b': ...}` says what a column is"
    )


def test_a_value_that_is_not_of_the_type_that_was_said_is_an_error(ended):
    """Wherever it is."""
    write(lines("1.5,2", EARLY))

    assert ended(csv_sources("a.csv", types={"a": "int32"})[0]) == (
        [{"a": 100000, "b": 2000.5}] * EARLY,
        "SourceError: expected `a: int32`, got '1.5' - at row 5 of 'a.csv' - `types={'a': ...}` says what a column is",
    )


def test_a_bad_value_in_a_column_that_is_not_read_is_nobodys(examples):
    """Only the columns that are needed are converted."""
    write(lines("1,?", LATE))

    assert len(examples(csv_sources("a.csv", columns=["a"])[0])) == LATE + 4


@PLACES
def test_text_that_is_not_utf_8_is_an_error_behind_the_rows_before_it(place: int, ended):
    """Arrow would have called the column one of bytes."""
    raw = b"a,b\n" + b"100000,some text\n" * place + b"1,caf\xe9\n2,x\n"
    write(raw)

    found, message = ended(csv_sources("a.csv")[0])

    assert len(found) == place
    assert found[-1] == {"a": 100000, "b": "some text"}
    assert message == (f"SourceError: expected text in UTF-8, got other bytes - at column `b`, row {place} of 'a.csv'")


def test_a_column_of_bytes_can_be_said(examples):
    """What is not UTF-8 is read as it is."""
    write(b"a\ncaf\xe9\n")

    assert examples(csv_sources("a.csv", types={"a": bytes})[0]) == [{"a": b"caf\xe9"}]


def test_a_first_line_that_is_not_utf_8_is_an_error(ended):
    """Its names would be keys."""
    write(b"a,caf\xe9\n1,2\n")

    assert ended(csv_sources("a.csv")[0]) == (
        [],
        "SourceError: expected text in UTF-8, got other bytes - at the first line of 'a.csv'",
    )


def test_a_first_line_that_has_no_end_is_an_error(ended):
    """Such as a quote that is never closed in a large file."""
    write('a,"' + "x" * 200_000)

    found, message = ended(csv_sources("a.csv")[0])

    assert found == []
    assert message == "SourceError: expected a CSV file, got `field larger than field limit (131072)` - at 'a.csv'"


def test_a_quote_that_is_not_closed_is_an_error(ended):
    """All that follows would be one text; it is told when that has become larger than a block."""
    write('a,b\n1,x\n2,"' + "y" * (3 << 20))

    assert ended(csv_sources("a.csv")[0]) == (
        [{"a": 1, "b": "x"}],
        "SourceError: expected rows of less than 1 MiB, got a longer one (a quote that is not closed?)"
        " - at row 1 or after of 'a.csv'",
    )


def test_two_columns_of_one_name_are_an_error(ended, examples):
    """Unless neither is read."""
    write("a,a,b\n1,2,3\n")

    assert ended(csv_sources("a.csv")[0])[1] == (
        "SourceError: expected columns of different names, got `a` twice - at 'a.csv'"
    )
    assert examples(csv_sources("a.csv", columns=["b"])[0]) == [{"b": 3}]


def test_an_empty_value_is_a_null_but_in_a_column_of_text(ended, examples):
    """`NA` and the like as well; in a text they are a text."""
    write("a,b\n1,NA\nNA,\n2,x\n")

    assert ended(csv_sources("a.csv")[0]) == (
        [{"a": 1, "b": "NA"}],
        "SourceError: expected a value, got a null - at column `a`, row 1 of 'a.csv'"
        " - say what takes its place, or leave such rows out: `nulls={'a': ...}` or `nulls=\"skip\"`",
    )
    assert examples(csv_sources("a.csv", nulls={"a": 0})[0])[:2] == [{"a": 1, "b": "NA"}, {"a": 0, "b": ""}]


def test_a_column_without_a_value_has_no_type(ended):
    """It can be said."""
    write("a,b\n1,\n2,\n")

    assert ended(csv_sources("a.csv")[0])[1] == (
        "SourceError: expected numbers, text, times, or lists or structs of them, got `null` - at column `b` of 'a.csv'"
        " - it has no value to tell its type: give it one, or leave it out"
    )
    assert ended(csv_sources("a.csv", types={"b": float})[0])[1].startswith(
        "SourceError: expected a value, got a null - at column `b`, row 0 of 'a.csv'"
    )


def test_files_are_read_with_the_types_of_the_first(examples, ended):
    """A file that happens to have whole numbers only is no other kind of file."""
    write("a,b\n1.5,x\n")
    write("a,b\n2,7\n", "b.csv")
    write("a,b\n2,7\n?,8\n", "c.csv")

    assert same(
        examples(csv_sources(["a.csv", "b.csv"])[0]),
        [{"a": np.float64(1.5), "b": "x"}, {"a": np.float64(2), "b": "7"}],
    )
    assert ended(csv_sources(["a.csv", "c.csv"])[0]) == (
        [{"a": 1.5, "b": "x"}, {"a": 2.0, "b": "7"}],
        "SourceError: expected `a: double`, got '?' - at row 1 of 'c.csv' - `types={'a': ...}` says what a column is",
    )


def test_a_type_for_an_unknown_column_is_an_error(ended):
    """It names those there are."""
    write("a,b\n1,2\n")

    assert ended(csv_sources("a.csv", types={"c": int})[0])[1] == (
        "SourceError: expected `types` for some of the columns `a`, `b`, got `c` - at 'a.csv'"
    )


def test_the_length_is_not_known():
    """The file would have to be read."""
    write("a,b\n1,2\n")

    assert csv_sources("a.csv")[0].length() is None


@pytest.mark.slow
@given(st.data())
def test_the_rows_before_a_bad_one_are_those_of_the_file_without_it(data: st.DataObject):
    """Whatever they have in them: quotes, line ends, empty values; and wherever the bad one is."""
    texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
    rows = data.draw(st.lists(st.tuples(st.integers(-9, 9), texts), min_size=1, max_size=8))
    bad = data.draw(st.sampled_from(["?,x", "1", "1,2,3"]))
    place = data.draw(st.integers(0, len(rows)))

    def line(row: tuple[int, str]) -> str:
        text = row[1].replace('"', '""')
        return f'{row[0]},"{text}"\n'

    def read(name: str) -> list[Any]:
        found: list[Any] = []
        try:
            for block in csv_sources(name, types={"a": int, "b": str})[0].open(0):
                found += block
        except SourceError as error:
            found.append(str(error))
        return found

    write("a,b\n" + "".join(map(line, rows[:place])), "good.csv")
    write("a,b\n" + "".join(map(line, rows[:place])) + f"{bad}\n" + "".join(map(line, rows[place:])), "bad.csv")

    *before, message = read("bad.csv")

    assert same(tuple(before), tuple(read("good.csv")))
    assert f"at row {place} of 'bad.csv'" in message
