from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penstock.sources.values import Values, sealed

LISTS = st.lists(st.none() | st.lists(st.none() | st.integers(0, 9), max_size=3), min_size=1, max_size=6)


def ragged(rows: list[list[int | None] | None]) -> Values:
    """A column of lists, as Arrow keeps one; `None` is a null."""
    flat = [value for row in rows for value in row or ()]
    null = np.array([value is None for value in flat], bool)
    missing = np.array([row is None for row in rows])
    return Values(
        sealed(np.array([value or 0 for value in flat], np.int64)),
        null if null.any() else None,
        np.cumsum([0, *(len(row or ()) for row in rows)]),
        missing if missing.any() else None,
    )


@given(LISTS)
def test_the_rows_with_a_null_are_found(rows: list[Any]):
    """Those that are null, and those with a null in them; rows without elements lie between the others."""
    found = ragged(rows).null_rows()

    bad = [row is None or None in row for row in rows]
    assert (found is None and not any(bad)) or (found is not None and found.tolist() == bad)


@given(LISTS, st.lists(st.integers(10, 19), max_size=3))
def test_both_kinds_of_null_in_lists_are_filled_in(rows: list[Any], instead: list[int]):
    """One after the other, in either order; nothing else changes."""
    values = ragged(rows)
    whole, single = np.array(instead, np.int64), np.int64(7)
    filled = [instead if row is None else [7 if value is None else value for value in row] for row in rows]

    for once in (values.filled(whole).filled(single), values.filled(single).filled(whole)):
        assert [row.tolist() for row in once.rows()] == filled
        assert once.null_rows() is None
        assert not once.array.flags.writeable


def test_what_has_no_nulls_is_not_copied():
    """A value for nulls costs nothing where there are none."""
    dense, lists = Values(sealed(np.arange(3))), ragged([[1], [2]])

    assert dense.filled(np.int64(7)) is dense
    assert lists.filled(np.int64(7)) is lists
    assert lists.filled(np.array([1])) is lists


def test_rows_of_text_are_pythons_own_and_rows_of_numbers_are_numpys():
    """So that a number keeps its dtype."""
    text = Values(np.array(["a", b"b"], object)).rows()
    numbers = Values(np.array([1, 2], np.int8)).rows()

    assert [type(row) for row in text] == [str, bytes]
    assert [type(row) for row in numbers] == [np.int8, np.int8]
