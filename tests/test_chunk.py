"""Runs of examples: cut anywhere, as rows or as columns."""

from typing import Any

import numpy as np
import pytest

from examples import FORMS
from penstock.chunk import END, Chunk, Columns
from penstock.errors import SpecError
from penstock.structure import Structure
from penstock.testing import same
from penstock.ticket import item_tickets, turn_tickets

N = 5


def rows_and_columns(form: str) -> tuple[Chunk, Chunk]:
    """The same examples in both kinds of chunk."""
    tickets = item_tickets(0, 0, 0, 0, N)
    columns = Columns.of(FORMS[form](np.arange(2 * N, dtype=np.float32).reshape(N, 2), np.arange(N)))
    return Chunk(columns.rows(), tickets), Chunk(None, tickets, columns=columns)


@pytest.mark.parametrize("form", [form for form in FORMS if form not in ("dataclass", "nested")])
def test_rows_of_columns_are_the_examples(form: str):
    """In the structure of an example, as views of the arrays."""
    example = FORMS[form](np.array([4.0, 5.0], np.float32), np.int64(2))
    _, columns = rows_and_columns(form)

    rows = columns.as_rows()

    assert len(rows) == N
    assert same(rows[2], example)
    assert np.shares_memory(Structure.of(rows[0]).leaves(rows[0])[0], columns.columns.arrays[0])


def test_nested_columns_are_taken_apart_and_put_together():
    """As deep as one likes."""
    chunk = {"a": (np.arange(3), {"b": np.arange(3.0)})}

    assert Columns.of(chunk).rows() == [{"a": (i, {"b": float(i)})} for i in range(3)]


@pytest.mark.parametrize("kind", [0, 1], ids=["rows", "columns"])
def test_a_chunk_is_cut_anywhere_and_its_error_and_end_stay_with_the_rest(kind: int):
    """The error stands after the last example; the end of a user's chunk is where its last row is."""
    error = ValueError("boom")
    chunk = rows_and_columns("tuple")[kind]
    chunk.error = error

    for n in range(N + 1):
        head, rest = chunk.cut(n)

        pairs = zip([*head.as_rows(), *rest.as_rows()], chunk.as_rows(), strict=True)
        assert all(same(*pair) for pair in pairs)
        assert (head.count, rest.count) == (n, N - n)
        assert [*head.tickets, *rest.tickets] == [*chunk.tickets]
        assert (head.error, rest.error) == (None, error)
        assert (head.item_end, rest.item_end) == (False, True)


@pytest.mark.parametrize("kind", [0, 1], ids=["rows", "columns"])
def test_selected_examples_keep_their_tickets(kind: int):
    """What a filter leaves in still knows where it came from."""
    kept = rows_and_columns("tuple")[kind].select([1, 3])

    assert [int(row[1]) for row in kept.as_rows()] == [1, 3]
    assert [ticket.row for ticket in kept.tickets] == [1, 3]


def test_only_a_chunk_without_example_and_error_is_the_end():
    """An error alone is something to deliver."""
    assert END.is_end
    assert not Chunk([], END.tickets, error=ValueError()).is_end
    assert not Chunk([1], turn_tickets((0,), 0, (0,), 0, 1)).is_end


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            np.float32(3),
            "expected an array of rows in each component of a chunk, got a scalar `float32[]` - at component `example`",
        ),
        (
            (np.arange(2), 5),
            "expected an array of rows in each component of a chunk, got a scalar `int64[]` - at component `[1]`",
        ),
        (
            {"a": np.arange(2), "b": np.arange(3)},
            "expected as many rows as in `a`, 2, in each component of a chunk, got 3 rows - at component `b`",
        ),
        ((), "expected a chunk of at least one component, got an empty `tuple`"),
        (
            (np.arange(2), iter([1])),
            "expected an array-like or scalar, got `list_iterator` - a list is examples; for components pass a tuple",
        ),
    ],
)
def test_a_chunk_whose_components_do_not_go_together_is_named(item: Any, message: str):
    """TF1 says so in a background thread; here it is an error of the data, with the component."""
    with pytest.raises(SpecError) as caught:
        Columns.of(item)

    assert str(caught.value) == message


def test_a_chunk_may_be_empty():
    """As in TF1: an empty chunk is legal, and gives no example."""
    assert len(Columns.of((np.zeros((0, 3)), np.zeros(0)))) == 0
