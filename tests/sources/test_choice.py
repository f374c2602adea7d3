from typing import Any

import pytest

from penstock.errors import PipelineError, SourceError
from penstock.sources.choice import Choice

pa = pytest.importorskip("pyarrow")
pc = pytest.importorskip("pyarrow.compute")


def needed(names: list[str], columns: Any = None, filter: Any = None) -> list[str]:
    return Choice.of(columns, filter, word="read_csv").needed(names, where="'f'")


def test_all_columns_are_needed_unless_some_are_named():
    """Named ones in the order in which they are named."""
    assert needed(["a", "b", "c"]) == ["a", "b", "c"]
    assert needed(["a", "b", "c"], ("c", "a")) == ["c", "a"]


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        (pc.field("b") > 1, ["c", "b"]),
        (pc.field("c") > 1, ["c"]),
        ((pc.field("a") > 1) & pc.field("b").is_valid(), ["c", "a", "b"]),
        (pc.field("a", "x") == 1, ["c", "a"]),
        (pc.field(1) == 1, ["a", "b", "c"]),
    ],
)
def test_the_columns_that_a_filter_looks_at_are_needed_too(filter: Any, found: list[str]):
    """Whatever else is in the file is not even read; a column that is told by its number needs all of them."""
    assert needed(["a", "b", "c"], ["c"], filter) == found


def test_an_unknown_column_is_an_error_that_lists_those_there_are():
    """Most often it is misspelt."""
    with pytest.raises(SourceError) as caught:
        needed(["age", "name"], ["nme"])

    assert str(caught.value) == "expected one of the columns `age`, `name`, got `nme` - at 'f'"


def test_two_columns_of_one_name_are_an_error_where_they_are_read():
    """An example is a dict; it would have one of them, who knows which."""
    with pytest.raises(SourceError) as caught:
        needed(["a", "b", "a"])

    assert str(caught.value) == "expected columns of different names, got `a` twice - at 'f'"
    assert needed(["a", "b", "a"], ["b"]) == ["b"]


def test_a_table_without_columns_is_an_error():
    """Its rows would be examples of nothing."""
    with pytest.raises(SourceError) as caught:
        needed([])

    assert str(caught.value) == "expected at least one column, got none - at 'f'"


@pytest.mark.parametrize("columns", ["a", b"a", [], ["a", "a"], ["a", 1], 7])
def test_columns_that_are_no_names_are_refused_at_once(columns: Any):
    """A lone text would be read letter by letter."""
    with pytest.raises(PipelineError) as caught:
        Choice.of(columns, None, word="read_csv")

    assert str(caught.value) == (
        f"expected `columns` to be a list of names, each once, got `{columns!r}` - at read_csv(columns)"
    )


def test_a_filter_that_is_no_expression_is_refused_at_once():
    """It says where a function goes."""
    with pytest.raises(PipelineError) as caught:
        Choice.of(None, lambda example: True, word="read_csv")

    assert str(caught.value) == (
        "expected `filter` to be a `pyarrow.compute` expression, got `function` - at read_csv(filter)"
        " - such as `pc.field('age') > 3`; a function of an example goes into `.filter(fn)`"
    )
