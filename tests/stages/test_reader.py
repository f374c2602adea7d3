"""The reader: tickets as the source yielded, and copies where the source refills what it gave."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from penstock.chunk import Columns
from penstock.errors import SpecError
from penstock.sources import as_source
from penstock.stages import RowReader, RunReader, Stage
from penstock.ticket import Ticket


def rows_of(thing: Any, **settings: Any) -> RowReader:
    return RowReader(as_source(thing), 3, epoch=1, **settings)


def items_of(thing: Any, **settings: Any) -> RunReader:
    return RunReader(as_source(thing), 3, epoch=1, items=True, **settings)


def drained(stage: Stage, n: int) -> tuple[list[Any], list[Ticket], BaseException | None]:
    rows: list[Any] = []
    tickets: list[Ticket] = []
    while True:
        chunk = stage.take(n)
        assert chunk.count <= n
        rows += chunk.as_rows()
        tickets += list(chunk.tickets)
        if chunk.error is not None or chunk.count == 0:
            assert stage.take(n).is_end
            return rows, tickets, chunk.error


@pytest.mark.parametrize("n", [1, 2, 3, 100])
def test_rows_come_in_order_with_their_tickets(n: int):
    """Stream and epoch are the reader's, the offset counts what was yielded."""
    reader = rows_of(lambda: iter("abcdefg"))
    rows, tickets, error = drained(reader, n)

    assert (rows, error) == (list("abcdefg"), None)
    assert tickets == [Ticket(3, 1, i) for i in range(7)]
    assert (reader.given, reader.offset) == (7, 7)


@pytest.mark.parametrize("n", [1, 2, 3, 100])
def test_rows_of_a_chunk_have_its_offset_and_their_place(n: int):
    """An item that has no rows still counts, since the source yielded it."""
    reader = items_of(lambda: iter([np.arange(3), np.arange(0), np.arange(4)]))
    rows, tickets, _ = drained(reader, n)

    assert [int(row) for row in rows] == [0, 1, 2, 0, 1, 2, 3]
    assert tickets == [Ticket(3, 1, 0, i) for i in range(3)] + [Ticket(3, 1, 2, i) for i in range(4)]
    assert reader.given == 7


@pytest.mark.parametrize("n", [1, 2, 3, 100])
def test_the_end_of_a_chunk_is_marked(n: int):
    """A merge does not leave a lane before it."""
    reader = items_of(lambda: iter([np.arange(3), np.arange(4)]))
    ends = []
    while (chunk := reader.take(n)).count:
        ends += [False] * (chunk.count - 1) + [chunk.item_end]

    assert [i for i, end in enumerate(ends) if end] == [2, 6]


def test_a_block_of_an_array_has_a_ticket_for_each_row():
    """A turn is a row, however the array lies."""
    reader = RunReader(as_source(np.arange(5)), 0, epoch=0, items=False)
    first, rest = reader.take(2), reader.take(9)

    assert first.item_end
    assert list(first.tickets) + list(rest.tickets) == [Ticket(0, 0, i) for i in range(5)]
    assert first.columns is not None
    assert reader.take(1).is_end


def failing(after: int, error: BaseException) -> Callable[[], Iterator[int]]:
    def source() -> Iterator[int]:
        yield from range(after)
        raise error

    return source


@pytest.mark.parametrize("after", [0, 1, 2, 5])
@pytest.mark.parametrize("n", [1, 2, 100])
def test_what_a_source_raises_stands_behind_its_last_example(after: int, n: int):
    """The same object, with a note of the example that it stands in for; nothing is read after it."""
    error = KeyError("bad")
    reader = rows_of(failing(after, error), label="mine")
    rows, tickets, raised = drained(reader, n)

    assert rows == list(range(after))
    assert len(tickets) == after
    assert raised is error
    assert error.__notes__ == [f"penstock: while reading example {after} of source 3 ('mine')"]


def test_a_chunk_that_is_none_is_named_by_its_item():
    """Its components differ in length."""
    rows, _, error = drained(items_of(lambda: iter([np.arange(2), (np.arange(2), np.arange(3))]), label="mine"), 9)

    assert len(rows) == 2
    assert isinstance(error, SpecError)
    assert "item 1 of source 3 ('mine')" in str(error)


def test_a_source_is_opened_by_the_first_pull():
    """Whoever makes the reader may be another thread than whoever reads."""
    opened = []
    reader = rows_of(lambda: opened.append(1) or iter([1]))

    assert opened == []
    reader.take(1)
    assert opened == [1]


def test_an_error_of_opening_comes_as_an_error_of_reading():
    """At the stream's first example."""
    error = OSError("no such thing")

    def source() -> Iterator[int]:
        raise error

    rows, _, raised = drained(rows_of(source), 5)

    assert rows == []
    assert raised is error


def test_closing_closes_the_generator_and_reads_no_more():
    """Its `finally` runs; twice does no harm."""
    ended = []

    def source() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            ended.append(1)

    reader = rows_of(source)
    reader.take(5)
    reader.close()
    reader.close()

    assert ended == [1]
    assert reader.take(1).is_end


def refill(count: int, make: Callable[[np.ndarray], Any]) -> Callable[[], Iterator[Any]]:
    """A source that yields one array again and again, with other numbers in it."""

    def source() -> Iterator[Any]:
        array = np.zeros(2)
        for number in range(count):
            array[:] = number
            yield make(array)

    return source


SHAPES: dict[str, tuple[Callable[[np.ndarray], Any], Callable[[Any], np.ndarray]]] = {
    "bare": (lambda a: a, lambda e: e),
    "a view": (lambda a: a[:1], lambda e: e),
    "a tuple": (lambda a: (1, a), lambda e: e[1]),
    "a dict": (lambda a: {"a": a}, lambda e: e["a"]),
    "nested": (lambda a: {"a": [(a, 1)], "b": a[1:]}, lambda e: e["b"]),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [1, 2, 3, 100])
def test_a_refilled_array_is_copied_before_it_is_refilled(shape: str, n: int):
    """The first always; and where the second shares its memory, every one."""
    make, back = SHAPES[shape]
    rows, _, _ = drained(rows_of(refill(6, make)), n)

    assert [back(row).tolist()[0] for row in rows] == list(range(6))


def test_a_refilled_tensor_is_copied_too():
    """Torch's memory is looked at as torch shows it."""
    torch = pytest.importorskip("torch")
    rows, _, _ = drained(rows_of(refill(4, torch.from_numpy)), 100)

    assert [row.tolist() for row in rows] == [[i, i] for i in range(4)]


@pytest.mark.parametrize("n", [1, 3, 100])
def test_a_refilled_chunk_is_copied(n: int):
    """Its rows wait longer than any example."""
    rows, _, _ = drained(items_of(refill(5, lambda a: a)), n)

    assert [float(row) for row in rows] == [i // 2 for i in range(10)]


def test_new_arrays_are_not_copied_but_for_the_first():
    """Whoever makes a new array each time pays for one copy in all."""
    given = [np.arange(3) + i for i in range(5)]
    rows, _, _ = drained(rows_of(lambda: iter(given)), 100)

    assert [row is of for row, of in zip(rows, given, strict=True)] == [False, True, True, True, True]


@pytest.mark.parametrize("copy", [False, True])
def test_copying_can_be_decided_by_hand(copy: bool):
    """Without it, one gets what the source gives, refilled or not."""
    given = [np.arange(3) + i for i in range(5)]
    rows, _, _ = drained(rows_of(lambda: iter(given), copy=copy), 100)

    assert [row is of for row, of in zip(rows, given, strict=True)] == [not copy] * 5
    assert [row.tolist() for row in rows] == [of.tolist() for of in given]


def test_a_settled_reader_can_be_pulled_directly():
    """Once nothing remains to be found out about it, and until its end."""
    reader = rows_of(lambda: iter(range(5)))
    assert reader.direct is None
    reader.take(2)

    assert reader.direct is not None
    assert next(reader.direct) == 2
    reader.take(9)
    reader.take(1)
    assert reader.direct is None


def test_a_run_is_not_copied_where_it_is_given_whole():
    """Nor where it is cut: rows are views."""
    columns = Columns.of((np.arange(6), np.arange(6.0)))
    reader = items_of(lambda: iter([columns.arrays, (np.arange(6), np.arange(6.0))]), copy=False)
    chunk = reader.take(4)

    assert chunk.columns is not None
    assert np.shares_memory(chunk.columns.arrays[0], columns.arrays[0])
