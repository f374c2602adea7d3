"""The merge: one item of each input in turn, or whoever is ready; nothing cut by another's, errors in their turn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inlets import Scripted, drained, inlet, numbers
from penstock.chunk import END
from penstock.sources import as_source
from penstock.stages import Applied, ArrivalMerge, Merge, Repeat, RowReader, RunReader, Stage, Straight
from penstock.stages.filter import Filter
from penstock.stages.map import Map
from penstock.testing import Recut, check_stage
from penstock.ticket import Ticket


def in_turn(inputs: Sequence[Sequence[Any]]) -> list[tuple[int, int]]:
    """Which example of which input comes when: the definition of the fixed order."""
    order = [(turn, place) for place, given in enumerate(inputs) for turn in range(len(given))]
    return [(place, turn) for turn, place in sorted(order)]


@given(
    st.lists(st.tuples(st.sampled_from(["direct", "array", "waits"]), st.integers(0, 7)), min_size=1, max_size=5),
    st.lists(st.integers(1, 9), min_size=1, max_size=6),
    st.data(),
)
def test_the_fixed_order_is_one_of_each_in_turn(kinds: list[tuple[str, int]], sizes: list[int], data: st.DataObject):
    """Whatever the inputs are, uneven or empty, however much of them is there, and whatever is asked for."""
    given_ = [[100 * place + i for i in range(count)] for place, (_, count) in enumerate(kinds)]
    failing = data.draw(st.none() | st.integers(0, len(kinds) - 1))
    failing = None if failing is not None and kinds[failing][0] == "array" else failing
    error = KeyError("bad")
    inlets = [
        inlet(
            kind,
            place,
            given_[place],
            error if place == failing else None,
            data.draw(st.lists(st.integers(0, 4), max_size=4)),
        )
        for place, (kind, _) in enumerate(kinds)
    ]
    want = in_turn(given_)
    if failing is not None:
        want = [(place, turn) for place, turn in want if (turn, place) < (len(given_[failing]), failing)]

    rows, tickets, raised = drained(Merge(inlets), iter(sizes * 100))

    assert numbers(rows) == [given_[place][turn] for place, turn in want]
    assert tickets == [Ticket(place, 0, turn) for place, turn in want]
    assert raised is (error if failing is not None else None)
    if raised is not None:
        assert (
            raised.__notes__
            == [f"penstock: while reading example {len(given_[failing or 0])} of source {failing} ('<lambda>')"]
            or len(raised.__notes__) == 1
        )


@given(
    st.lists(st.lists(st.integers(0, 4), max_size=4), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.lists(st.integers(1, 9), min_size=1, max_size=6),
)
def test_an_item_is_never_cut_by_anothers(chunks: list[list[int]], items: list[bool], sizes: list[int]):
    """A turn is a whole chunk, beside inputs whose turn is a row; an empty chunk is no turn."""
    inlets = []
    turns: list[list[list[int]]] = []
    for place, (counts, chunked) in enumerate(zip(chunks, items, strict=False)):
        arrays, at = [], 100 * place
        for count in counts:
            arrays.append(np.arange(at, at + count))
            at += count
        if chunked:
            reader: Any = RunReader(as_source(lambda a=arrays: iter(a)), place, epoch=0, items=True)
            turns.append([array.tolist() for array in arrays if len(array)])
        else:
            rows = [int(i) for array in arrays for i in array]
            reader = RowReader(as_source(rows), place, epoch=0)
            turns.append([[row] for row in rows])
        inlets.append(Straight(reader, items=chunked))

    rows, _, error = drained(Merge(inlets), iter(sizes * 100))

    assert error is None
    assert numbers(rows) == [row for place, turn in in_turn(turns) for row in turns[place][turn]]


@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("item", [None, 4])
@pytest.mark.parametrize("fails", [False, True])
def test_merge_keeps_the_laws_of_a_stage(columns: bool, item: int | None, fails: bool):
    """Its input re-cut at random, beside another one of another length."""
    given_ = [(np.full(2, i), i) for i in range(23)]

    def make(up: Stage) -> Stage:
        other = RowReader(as_source([(np.full(2, 100 + i), 100 + i) for i in range(9)]), 1, epoch=0)
        return Merge([Straight(up, items=item is not None), Straight(other, items=False)])

    rows = check_stage(make, given_, error=KeyError() if fails else None, columns=columns, item=item)
    labels = [label for _, label in rows]

    assert [label for label in labels if label < 100] == list(range(23))
    assert labels[:2] == ([0, 100] if item is None else [0, 1])


def test_columns_that_are_alike_stay_columns():
    """Several rounds are interleaved at once; where dtypes differ, rows come."""
    alike = [Straight(Recut(list(range(10 * i, 10 * i + 6)), columns=True, largest=99), items=False) for i in range(3)]
    chunk = Merge(alike).take(1 << 20)

    assert chunk.columns is not None
    assert chunk.columns.arrays[0][:6].tolist() == [0, 10, 20, 1, 11, 21][: chunk.count]

    mixed = [Straight(Recut(given_, columns=True, largest=99), items=False) for given_ in ([1, 2], [1.0, 2.0])]
    chunk = Merge(mixed).take(2)
    assert chunk.columns is None
    assert [type(row) for row in chunk.as_rows()] == [np.int64, np.float64]


def test_nobody_waits_for_the_next_but_one():
    """What comes before whoever has nothing yet is given at once."""
    first, second, third = (Scripted(Recut([i, i + 10], largest=1)) for i in range(3))
    late = Scripted(Recut([7], largest=1), ready=[0])
    merge = Merge([first, second, late, third])

    assert numbers(merge.take(99).as_rows()) == [0, 1]
    assert late.waited == 0
    assert numbers(merge.take(99).as_rows())[0] == 7
    assert late.waited == 1


def test_an_input_that_ends_is_closed_there_and_then():
    """It holds a file, perhaps; the others go on for hours."""
    short, long = Scripted(Recut([1])), Scripted(Recut(list(range(9))))
    merge = Merge([short, long])
    while merge.take(1).as_rows() != [2]:
        pass

    assert (short.closed, long.closed) == (1, 0)


@pytest.mark.parametrize("make", [Merge, lambda inlets: ArrivalMerge(inlets, wait=lambda: None)])
def test_closing_closes_all_whatever_one_of_them_raises(make: Any):
    """The first error is told, after the last was closed."""

    class Stuck(Scripted):
        def close(self) -> None:
            super().close()
            raise OSError("stuck")

    inlets = [Scripted(Recut([1])), Stuck(Recut([1])), Scripted(Recut([1]))]
    merge = make(inlets)

    with pytest.raises(OSError, match="stuck"):
        merge.close()
    assert [inlet.closed for inlet in inlets] == [1, 1, 1]
    assert merge.take(1).is_end


def test_sources_that_begin_again_are_in_passes_of_their_own():
    """Each at its own end; between two passes one example is taken the other way."""

    def again(stream: int, count: int) -> Straight:
        def make(epoch: int) -> RowReader:
            return RowReader(as_source(list(range(count))), stream, epoch=epoch)

        return Straight(Repeat(make, None, epoch=0, by_row=True), items=False)

    rest = RowReader(as_source(list(range(30))), 2, epoch=0)
    merge = Merge([again(0, 2), again(1, 5), Straight(rest, items=False)], stops=[2])
    rows, tickets, _ = drained(merge, iter([4] * 100))

    want = [t for i in range(31) for t in (Ticket(0, i // 2, i % 2), Ticket(1, i // 5, i % 5), Ticket(2, 0, i))][:-1]
    assert tickets == want
    assert rows == [ticket.offset for ticket in want]


def test_a_direct_input_counts_what_it_gave():
    """The merge pulls the iterators itself, and the readers' figures are right all the same."""
    readers = [RowReader(as_source(list(range(count))), place, epoch=0) for place, count in enumerate((3, 9, 0))]
    merge = Merge([Straight(reader, items=False) for reader in readers])
    drained(merge, iter([4] * 100))

    assert [reader.given for reader in readers] == [3, 9, 0]


@given(
    st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=4),
    st.lists(st.integers(1, 9), min_size=1, max_size=6),
    st.data(),
)
def test_in_arrival_order_all_come_and_each_input_in_its_own_order(
    kinds: list[tuple[int, bool]], sizes: list[int], data: st.DataObject
):
    """Whoever is ready when; a chunk is not left before its end."""
    inlets: list[Scripted] = []
    for place, (count, items) in enumerate(kinds):
        values = [100 * place + i for i in range(count)]
        stage = Recut(values, item=3 if items else None, largest=2, seed=place)
        ready = data.draw(st.lists(st.integers(0, 2), max_size=5))
        inlets.append(Scripted(stage, items=items, ready=ready))

    def wait() -> None:
        for inlet_ in inlets:
            inlet_.wait()

    rows, _, error = drained(ArrivalMerge(inlets, wait=wait), iter(sizes * 100))

    assert error is None
    for place, (count, items) in enumerate(kinds):
        own = [row for row in rows if row // 100 == place]
        assert own == [100 * place + i for i in range(count)]
        if items:
            for start in range(0, count, 3):
                item = [100 * place + i for i in range(start, min(start + 3, count))]
                at = rows.index(item[0])
                assert rows[at : at + len(item)] == item
    assert len(rows) == sum(count for count, _ in kinds)


def test_in_arrival_order_nobody_is_passed_over():
    """Two that are always ready take turns."""
    inlets = [Scripted(Recut([place] * 4, largest=1)) for place in range(2)]
    rows, _, _ = drained(ArrivalMerge(inlets, wait=lambda: None), iter([1] * 100))

    assert rows == [0, 1] * 4


def test_in_arrival_order_an_error_ends_the_merge_when_it_arrives():
    """What others have ready stays where it is."""
    error = KeyError("bad")
    inlets = [Scripted(Recut([0], error=error, largest=1)), Scripted(Recut([1] * 50, largest=1))]
    rows, _, raised = drained(ArrivalMerge(inlets, wait=lambda: None), iter([1] * 100))

    assert raised is error
    assert rows.count(0) == 1
    assert len(rows) < 5


def test_in_arrival_order_the_slow_one_is_not_waited_for():
    """Until nobody else has anything."""
    waits = []
    late = Scripted(Recut([7], largest=1), ready=[0])

    def wait() -> None:
        waits.append(len(rows))
        late.arrive()

    rows: list[Any] = []
    merge = ArrivalMerge([late, Scripted(Recut([1, 2, 3], largest=1))], wait=wait)
    while (chunk := merge.take(1)).count:
        rows += chunk.as_rows()

    assert rows == [1, 2, 3, 7]
    assert waits == [3]


def test_a_merge_of_nothing_has_ended():
    """As one of inputs that all are empty."""
    assert Merge([]).take(1) is END
    assert ArrivalMerge([], wait=lambda: None).take(1) is END
    assert Merge([Straight(Recut([]), items=False) for _ in range(3)]).take(1).is_end


@pytest.mark.parametrize("fails", [False, True])
def test_rows_beside_chunks_keep_the_laws_too(fails: bool):
    """An error that came along with an example stands at the next turn, as one that came by itself."""
    chunks = [np.arange(100 + 3 * i, 103 + 3 * i) for i in range(12)]

    def make(up: Stage) -> Stage:
        other = RunReader(as_source(lambda: iter(chunks)), 1, epoch=0, items=True)
        return Merge([Straight(up, items=False), Straight(other, items=True)])

    rows = numbers(check_stage(make, list(range(9)), error=KeyError() if fails else None))

    want = [row for i in range(12) for row in [*([i] if i < 9 else []), *chunks[i].tolist()]]
    assert rows == (want[: 9 * 4] if fails else want)


@pytest.mark.parametrize("kind", [Map, Filter])
@pytest.mark.parametrize("at", [0, 2, 3, 4, 9, 11])
def test_what_is_made_of_a_chunk_fails_within_its_turn(kind: Any, at: int):
    """The rows before the bad one come, and then the error; nobody else's turn is between them."""

    def fn(example: int) -> Any:
        if example == at:
            raise ZeroDivisionError
        return example if kind is Map else True

    def make(up: Stage) -> Stage:
        applied = Applied(fn, "mapping", seed=0, stage=0, labels=["a"])
        failing: Stage = Map(up, applied) if kind is Map else Filter(up, applied, items=True)
        other = RowReader(as_source([100, 101, 102, 103, 104]), 1, epoch=0)
        return Merge([Straight(failing, items=True), Straight(other, items=False)])

    rows = numbers(check_stage(make, list(range(12)), item=4))

    want = [row for i in range(3) for row in [*range(4 * i, 4 * i + 4), 100 + i]]
    assert rows == want[: want.index(at)]
