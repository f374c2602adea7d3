import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import SourceError
from penstock.sources.jsonl import BLOCK, jsonl_sources
from penstock.testing import same

pa = pytest.importorskip("pyarrow")


def write(text: str | bytes, name: str = "a.jsonl") -> None:
    Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())


def test_types_are_those_that_a_user_expects(examples):
    """Integers int64, numbers float64, lists ragged, objects dicts; a text is a text, also if it looks like a time."""
    write(
        '{"i":1,"f":2.5,"b":true,"s":"2020-01-01","l":[1,2],"g":[1,2.5],"o":{"x":[],"t":["2020-01-01"]}}\n'
        '{"i":2,"f":3,"b":false,"s":"2020-01-02","l":[],"g":[],"o":{"x":[true],"t":[]}}\n'
    )

    first, second = examples(jsonl_sources("a.jsonl")[0])

    assert same(
        first,
        {
            "i": np.int64(1),
            "f": np.float64(2.5),
            "b": np.True_,
            "s": "2020-01-01",
            "l": np.array([1, 2]),
            "g": np.array([1.0, 2.5]),
            "o": {"x": np.array([], bool), "t": np.array(["2020-01-01"], object)},
        },
    )
    assert same(second["f"], np.float64(3))
    assert same(second["l"], np.array([], np.int64))


def test_types_can_be_said(examples):
    """For some columns; the others are guessed."""
    write('{"a":[1,2],"b":3,"c":4,"t":"2020-01-01"}\n')
    types = {"a": pa.list_(pa.uint8()), "b": "float32", "t": "timestamp[s]"}

    assert same(
        examples(jsonl_sources("a.jsonl", types=types)[0]),
        [
            {
                "a": np.array([1, 2], np.uint8),
                "b": np.float32(3),
                "t": np.datetime64("2020-01-01", "s"),
                "c": np.int64(4),
            }
        ],
    )


@pytest.mark.parametrize(
    "text", ['\ufeff{"a":1}\r\n\r\n{"a":2}', '\n\n{"a":1}\n  \n{"a":2}\n\n', ' {"a": 1 }\n\t{"a":2} \n']
)
def test_empty_lines_and_spaces_are_passed_over(text: str, examples):
    """They are no rows; the last line needs no end."""
    write(text)

    assert examples(jsonl_sources("a.jsonl")[0]) == [{"a": 1}, {"a": 2}]


def test_a_file_is_read_in_blocks_cut_at_lines(examples):
    """Wherever a block ends, no line is cut, and a line that is longer than a block comes in one piece."""
    rows = [{"n": i, "t": list(range(i % 50))} for i in range(20_000)]
    rows[10_000] = {"n": 10_000, "t": list(range(400_000))}
    write("".join(json.dumps(row) + "\n" for row in rows))

    found = examples(jsonl_sources("a.jsonl")[0])

    assert Path("a.jsonl").stat().st_size > 4 * BLOCK
    assert [example["n"] for example in found] == list(range(20_000))
    assert [len(example["t"]) for example in found] == [len(row["t"]) for row in rows]


def test_files_are_unpacked_by_their_ending(examples):
    """`.gz`, as most are."""
    write(gzip.compress(b'{"a":1}\n{"a":2}\n'), "a.jsonl.gz")

    assert examples(jsonl_sources("a.jsonl.gz")[0]) == [{"a": 1}, {"a": 2}]


def test_a_packed_file_that_is_cut_off_gives_its_lines_then_an_error(ended):
    """Up to the last line that is whole."""
    raw = gzip.compress("".join(f'{{"a":{i * i * 7919 % 10007}}}\n' for i in range(50_000)).encode())
    write(raw[: len(raw) // 2], "a.jsonl.gz")

    found, message = ended(jsonl_sources("a.jsonl.gz")[0])

    assert [example["a"] for example in found] == [i * i * 7919 % 10007 for i in range(len(found))]
    assert len(found) > 1000
    assert message == (
        "SourceError: expected a JSON Lines file that is whole, got `Compressed file ended before the end-of-stream "
        f"marker was reached` - at row {len(found)} or after of 'a.jsonl.gz'"
    )


# Past the first MiB, from which types are guessed, and in the first.
EARLY, LATE = 5, 40_000


@pytest.mark.parametrize("place", [0, EARLY, LATE])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ('{"a":', "expected a JSON object on each line, got `Expecting value: line 1 column 6 (char 5)` - at {row}"),
        ("[1]", "expected a JSON object on each line, got `list` - at {row}"),
        ("3", "expected a JSON object on each line, got `int` - at {row}"),
        ("a,b", "expected a JSON object on each line, got `Expecting value: line 1 column 1 (char 0)` - at {row}"),
        (
            '{"a":1,"b":"x"}{"a":1,"b":"x"}',
            "expected a JSON object on each line, got `Extra data: line 1 column 16 (char 15)` - at {row}",
        ),
        (
            '{"a":1,"a":2,"b":"x"}',
            "expected a JSON object on each line, got `Column(/a) was specified twice` - at {row}",
        ),
    ],
)
def test_a_line_that_is_no_object_is_an_error_behind_the_rows_before_it(place: int, bad: str, message: str, ended):
    """It names the row; Arrow alone would have dropped the whole block."""
    write('{"a":100000,"b":"some text"}\n\n' * place + bad + "\n" + '{"a":1,"b":"x"}\n' * 3)

    found, told = ended(jsonl_sources("a.jsonl")[0])

    assert len(found) == place
    assert found[-1:] == [{"a": 100000, "b": "some text"}] * min(place, 1)
    assert told == "SourceError: " + message.replace("{row}", f"row {place} of 'a.jsonl'")


@pytest.mark.parametrize("place", [EARLY, LATE])
@pytest.mark.parametrize(
    ("bad", "column", "value"),
    [
        ('{"a":"x","b":[1]}', "a: int64", '"x"'),
        ('{"a":1,"b":[1,"x"]}', "b: list<item: int64>", '[1, "x"]'),
        ('{"b":3,"a":1}', "b: list<item: int64>", "3"),
        ('{"a":{"c":1},"b":[]}', "a: int64", '{"c": 1}'),
        ('{"a":true,"b":["' + "x" * 99 + '"]}', "a: int64", "true"),
        ('{"a":1,"b":["' + "x" * 99 + '"]}', "b: list<item: int64>", '["' + "x" * 58 + "…"),
    ],
)
def test_a_value_of_another_type_is_an_error_behind_the_rows_before_it(
    place: int, bad: str, column: str, value: str, ended
):
    """It names the column, and what to do."""
    write('{"a":100000,"b":[1,2,3,4,5,6]}\n' * place + bad + "\n" + '{"a":1,"b":[2]}\n' * 3)

    found, message = ended(jsonl_sources("a.jsonl")[0])

    assert len(found) == place
    name = column[0]
    assert message == (
        f"SourceError: expected `{column}`, got `{value}` - at row {place} of 'a.jsonl'"
        f" - `types={{'{name}': ...}}` says what a column is"
    )


def test_a_fraction_after_a_mebibyte_of_integers_is_an_error(ended):
    """In the first MiB it would have made the column one of floats."""
    write('{"a":100000,"b":"some text"}\n' * LATE + '{"a":1.5,"b":""}\n')

    found, message = ended(jsonl_sources("a.jsonl")[0])

    assert len(found) == LATE
    assert message == (
        f"SourceError: expected `a: int64`, got `1.5` - at row {LATE} of 'a.jsonl'"
        " - `types={'a': ...}` says what a column is"
    )
    assert len(list(jsonl_sources("a.jsonl", types={"a": float})[0].open(0))) > 0


def test_a_key_that_comes_late_is_an_error_unless_columns_are_named(ended, examples):
    """The examples before it lack it."""
    write('{"a":100000,"b":"some text"}\n' * LATE + '{"a":1,"b":"","c":null}\n')

    found, message = ended(jsonl_sources("a.jsonl")[0])

    assert len(found) == LATE
    assert message == (
        f"SourceError: expected the columns `a`, `b`, got another, `c` - at row {LATE} of 'a.jsonl'"
        " - name those to read: `columns=[...]`"
    )
    assert len(examples(jsonl_sources("a.jsonl", columns=["a", "b"])[0])) == LATE + 1


def test_a_key_that_comes_late_in_an_object_within_is_an_error_too(ended):
    """It has no name of its own among the columns."""
    write('{"o":{"x":100000,"b":"some text"}}\n' * LATE + '{"o":{"x":1,"b":"","c":2}}\n')

    assert ended(jsonl_sources("a.jsonl")[0])[1] == (
        f"SourceError: expected the columns `o`, got another in one of them - at row {LATE} of 'a.jsonl'"
        " - name those to read: `columns=[...]`"
    )


def test_a_key_that_a_line_lacks_is_a_null(ended, examples):
    """It can be filled in like any other."""
    write('{"a":1,"b":2}\n{"a":3}\n')

    assert ended(jsonl_sources("a.jsonl")[0]) == (
        [{"a": 1, "b": 2}],
        "SourceError: expected a value, got a null - at column `b`, row 1 of 'a.jsonl'"
        " - say what takes its place, or leave such rows out: `nulls={'b': ...}` or `nulls=\"skip\"`",
    )
    assert examples(jsonl_sources("a.jsonl", nulls={"b": 0})[0]) == [{"a": 1, "b": 2}, {"a": 3, "b": 0}]


def test_rows_are_numbered_over_the_file_without_empty_lines(ended):
    """As examples are."""
    write('{"a":1}\n\n{"a":2}\n\n{"a":null}\n')

    assert ended(jsonl_sources("a.jsonl")[0])[1].startswith(
        "SourceError: expected a value, got a null - at column `a`, row 2 of 'a.jsonl'"
    )


def test_text_that_is_not_utf_8_is_an_error(ended):
    """Arrow does not look at it."""
    write(b'{"a":"x"}\n{"a":"caf\xe9"}\n')

    assert ended(jsonl_sources("a.jsonl")[0]) == (
        [{"a": "x"}],
        "SourceError: expected text in UTF-8, got other bytes - at column `a`, row 1 of 'a.jsonl'",
    )


def test_an_integer_that_int64_cannot_hold_is_an_error(ended, examples):
    """Arrow would have made the column one of floats, and the number another one. A type that holds it may be said."""
    write('{"a":[1],"b":{"c":1}}\n{"a":[18446744073709551615],"b":{"c":2}}\n')
    write('{"a":1,"b":{"c":1.5}}\n{"a":2,"b":{"c":-18446744073709551615}}\n', "b.jsonl")
    write('{"b":{"c":1}}\n{"b":{"c":-18446744073709551615}}\n', "c.jsonl")

    assert ended(jsonl_sources("a.jsonl")[0]) == (
        [],
        "SourceError: expected integers that fit int64, got one of 64 bits - at column `a`, row 1 of 'a.jsonl'"
        " - `types={'a': 'uint64'}` or `'float64'`",
    )
    said = examples(jsonl_sources("a.jsonl", types={"a": pa.list_(pa.uint64())})[0])
    assert said[1]["a"].tolist() == [18446744073709551615]
    assert examples(jsonl_sources("b.jsonl")[0])[1]["b"]["c"] == -18446744073709551615.0  # among floats
    assert ended(jsonl_sources("c.jsonl")[0])[1] == (
        "SourceError: expected integers that fit int64, got one of 64 bits - at column `b`, row 1 of 'c.jsonl'"
        " - `types={'b': 'uint64'}` or `'float64'`"
    )


def test_numbers_of_that_size_which_are_floats_are_no_error(examples):
    """1e20 is one; and so is a missing number beside it."""
    write('{"a":1e20}\n{"a":1.5}\n{}\n')

    assert examples(jsonl_sources("a.jsonl", nulls={"a": 0})[0]) == [{"a": 1e20}, {"a": 1.5}, {"a": 0.0}]


def test_lists_that_are_all_empty_have_no_type(ended):
    """It can be said."""
    write('{"a":[]}\n{"a":[]}\n')

    assert ended(jsonl_sources("a.jsonl")[0])[1] == (
        "SourceError: expected numbers, text, times, or lists or structs of them, got `list<item: null>`"
        " - at column `a` of 'a.jsonl' - it has no value to tell its type: give it one, or leave it out"
    )


def test_files_are_read_with_the_types_of_the_first(examples, ended):
    """A file that happens to have whole numbers only, or empty lists, is no other kind of file."""
    write('{"a":1.5,"t":[1]}\n')
    write('{"t":[],"a":2}\n', "b.jsonl")
    write('{"a":"x","t":[]}\n', "c.jsonl")

    assert same(
        examples(jsonl_sources(["a.jsonl", "b.jsonl"])[0]),
        [{"a": np.float64(1.5), "t": np.array([1])}, {"a": np.float64(2), "t": np.array([], np.int64)}],
    )
    assert ended(jsonl_sources(["a.jsonl", "c.jsonl"])[0])[1].endswith(" - at row 0 of 'c.jsonl'")


@pytest.mark.parametrize("text", ["\n", "\n \n\n"])
def test_a_file_of_empty_lines_has_no_examples(text: str, examples):
    """Nor does it say what its columns are."""
    write(text)
    write('{"a":1}\n', "b.jsonl")

    assert examples(jsonl_sources("a.jsonl")[0]) == []
    assert examples(jsonl_sources(["a.jsonl", "b.jsonl"])[0]) == [{"a": 1}]


def test_objects_without_keys_are_no_examples(ended):
    """Of nothing there is nothing to learn."""
    write("{}\n{}\n")

    assert ended(jsonl_sources("a.jsonl")[0])[1] == "SourceError: expected at least one column, got none - at 'a.jsonl'"


def test_the_length_is_not_known():
    """The file would have to be read."""
    write('{"a":1}\n')

    assert jsonl_sources("a.jsonl")[0].length() is None


TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
OBJECTS = st.fixed_dictionaries(
    {
        "a": st.integers(-9, 9),
        "t": st.lists(st.integers(0, 9), max_size=3),
        "s": TEXTS,
        "o": st.fixed_dictionaries({"x": TEXTS}),
    }
)


@pytest.mark.slow
@given(st.lists(OBJECTS, min_size=1, max_size=8), st.sampled_from(["{", "7", '{"a":"?"}', '{"s":1}']), st.data())
def test_the_rows_before_a_bad_one_are_those_of_the_file(rows: list[dict[str, Any]], bad: str, data: st.DataObject):
    """Whatever they have in them, and wherever the bad one is, but for the very first, which tells the types."""
    rows[0] = {**rows[0], "t": [1]}
    place = data.draw(st.integers(1, len(rows)))
    lines = [json.dumps(row, ensure_ascii=data.draw(st.booleans())) for row in rows]
    write("\n".join([*lines[:place], bad, *lines[place:]]))
    found: list[Any] = []

    with pytest.raises(SourceError) as caught:
        found.extend(row for block in jsonl_sources("a.jsonl")[0].open(0) for row in block)

    assert [{**row, "t": row["t"].tolist()} for row in found] == rows[:place]
    assert f"at row {place} of 'a.jsonl'" in str(caught.value)
