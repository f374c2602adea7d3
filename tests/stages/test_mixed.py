"""The merge by weights: a place for each example, whatever comes in chunks, ends, fails or is late."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inlets import Scripted, drained, inlet, numbers
from penstock.errors import PipelineError
from penstock.sampling import Changing, Quota, Shares, Steady, Weights
from penstock.sources import as_source
from penstock.stages import Repeat, RowReader, RunReader, Stage, Straight
from penstock.stages.mixed import Mixed
from penstock.testing import Recut, check_stage
from penstock.ticket import Ticket


def by_weight(
    weights: Sequence[int], turns: Sequence[Sequence[list[Any]]], stops: Sequence[int] = ()
) -> list[tuple[int, int]]:
    """Which item of which input comes when: the definition of the order by weights, place by place.

    Args:
      weights: of each input.
      turns: its items, lists of examples.
      stops: the inputs whose end is the end of all.
    """
    quota = Quota(Shares.of(weights), 1)
    live, ahead, given_ = set(range(len(turns))), [0] * len(turns), [0] * len(turns)
    order: list[tuple[int, int]] = []
    while live:
        number = int(quota.pattern(1)[0])
        if number not in live:
            continue
        if ahead[number]:
            ahead[number] -= 1
        elif given_[number] == len(turns[number]):
            live.remove(number)
            if number in stops:
                break
        else:
            order.append((number, given_[number]))
            ahead[number] += len(turns[number][given_[number]]) - 1
            given_[number] += 1
    return order


inputs = st.lists(
    st.tuples(st.sampled_from(["direct", "array", "waits"]), st.integers(0, 12), st.integers(1, 9)),
    min_size=1,
    max_size=5,
)
asked = st.lists(st.integers(1, 9), min_size=1, max_size=6)


@given(inputs, asked, st.data())
def test_the_order_is_the_schedules(kinds: list[tuple[str, int, int]], sizes: list[int], data: st.DataObject):
    """Whatever the inputs are, uneven or empty, however much of them is there, and whatever is asked for."""
    given_ = [[100 * place + i for i in range(count)] for place, (_, count, _) in enumerate(kinds)]
    weights = [weight for _, _, weight in kinds]
    failing = data.draw(st.none() | st.integers(0, len(kinds) - 1))
    failing = None if failing is not None and kinds[failing][0] == "array" else failing
    stops = data.draw(st.sets(st.integers(0, len(kinds) - 1)))
    error = KeyError("bad")
    inlets = [
        inlet(
            kind,
            place,
            given_[place],
            error if place == failing else None,
            data.draw(st.lists(st.integers(0, 4), max_size=4)),
        )
        for place, (kind, _, _) in enumerate(kinds)
    ]
    # The error stands where one more example would; an end before it may be the end of all.
    bad = [[*own, -1] if place == failing else own for place, own in enumerate(given_)]
    want = by_weight(weights, [[[row] for row in own] for own in bad], sorted(stops))
    fails = failing is not None and (failing, len(given_[failing])) in want
    if fails:
        want = want[: want.index((failing, len(given_[failing])))]

    mixed = Mixed(inlets, Steady(weights), stops=stops)
    rows, tickets, raised = drained(mixed, iter(sizes * 100))

    assert numbers(rows) == [given_[place][turn] for place, turn in want]
    assert tickets == [Ticket(place, 0, turn) for place, turn in want]
    assert raised is (error if fails else None)
    assert mixed.given().tolist() == [sum(number == place for number, _ in want) for place in range(len(kinds))]


@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 6), max_size=4), st.booleans(), st.integers(1, 9)), min_size=1, max_size=4
    ),
    asked,
)
def test_a_chunk_takes_up_as_many_places_as_it_has_examples(kinds: list[tuple[list[int], bool, int]], sizes: list[int]):
    """It is not cut by another's; beside it are inputs whose turn is a row; an empty chunk takes up none."""
    inlets = []
    turns: list[list[list[int]]] = []
    for place, (counts, chunked, _) in enumerate(kinds):
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
    weights = [weight for _, _, weight in kinds]

    mixed = Mixed(inlets, Steady(weights))
    rows, _, error = drained(mixed, iter(sizes * 100))

    assert error is None
    assert numbers(rows) == [row for place, turn in by_weight(weights, turns) for row in turns[place][turn]]
    assert mixed.given().tolist() == [sum(map(len, own)) for own in turns]


def test_chunks_are_counted_by_their_examples():
    """One gives 1000 at a time, the other single ones: a tenth of the examples is the other's all the same."""
    chunks = [np.zeros(1000, int)] * 20
    ones = RowReader(as_source([1] * 5000), 1, epoch=0)
    chunked = RunReader(as_source(chunks), 0, epoch=0, items=True)
    mixed = Mixed([Straight(chunked, items=True), Straight(ones, items=False)], Steady([9, 1]))
    rows: list[int] = []
    while len(rows) < 15_000:
        rows += numbers(mixed.take(700).as_rows())

    share = np.cumsum(rows) - 0.1 * np.arange(1, len(rows) + 1)
    assert -101 <= share.min() <= share.max() <= 1  # behind by a tenth of the chunk that came at once


@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("item", [None, 4])
@pytest.mark.parametrize("fails", [False, True])
def test_mixed_keeps_the_laws_of_a_stage(columns: bool, item: int | None, fails: bool):
    """Its input re-cut at random, beside another one of another length and weight."""
    given_ = [(np.full(2, i), i) for i in range(23)]

    def make(up: Stage) -> Stage:
        other = RowReader(as_source([(np.full(2, 100 + i), 100 + i) for i in range(9)]), 1, epoch=0)
        return Mixed([Straight(up, items=item is not None), Straight(other, items=False)], Steady([3, 2]))

    rows = check_stage(make, given_, error=KeyError() if fails else None, columns=columns, item=item)
    labels = [int(label) for _, label in rows]

    turns = (
        [[label] for label in range(23)] if item is None else [list(range(i, min(i + 4, 23))) for i in range(0, 23, 4)]
    )
    whole = [turns, [[100 + i] for i in range(9)]]
    want = [label for place, turn in by_weight([3, 2], whole) for label in whole[place][turn]]
    assert labels == (want[: len(labels)] if fails else want)
    assert [label for label in labels if label < 100] == list(range(23))


@pytest.mark.parametrize("fails", [False, True])
def test_rows_beside_chunks_keep_the_laws_too(fails: bool):
    """An error that came along with an example stands at the next turn, as one that came by itself."""
    chunks = [np.arange(100 + 3 * i, 103 + 3 * i) for i in range(12)]

    def make(up: Stage) -> Stage:
        other = RunReader(as_source(lambda: iter(chunks)), 1, epoch=0, items=True)
        return Mixed([Straight(up, items=False), Straight(other, items=True)], Steady([1, 3]))

    rows = numbers(check_stage(make, list(range(9)), error=KeyError() if fails else None))

    turns = [[[i] for i in range(9 + fails)], [chunk.tolist() for chunk in chunks]]
    want = [row for place, turn in by_weight([1, 3], turns) for row in turns[place][turn]]
    assert rows == (want[: want.index(9)] if fails else want)


@pytest.mark.parametrize("item", [None, 5])
def test_weights_that_change_keep_the_laws_too(item: int | None):
    """They are asked for by what was given, not by what was asked for at once."""
    numbers_asked: list[list[int]] = []

    def make(up: Stage) -> Stage:
        own: list[int] = []
        numbers_asked.append(own)

        def weights(given: int) -> list[int]:
            own.append(given)
            return [1, 1 + given]

        other = RowReader(as_source(list(range(1000, 2500))), 1, epoch=0)
        return Mixed([Straight(up, items=item is not None), Straight(other, items=False)], Changing(weights, 2))

    rows = check_stage(make, list(range(200)), item=item, rounds=6)

    assert sorted(rows) == [*range(200), *range(1000, 2500)]
    whole = numbers_asked[0]
    for own in filter(None, numbers_asked):  # one that goes on from a snapshot asks from there on
        start = whole.index(own[0])
        assert own == whole[start : start + len(own)]
    assert whole[0] == 0
    assert item is not None or whole[1] == 256


@pytest.mark.parametrize("kind", ["direct", "waits"])
def test_an_error_of_the_function_stands_where_its_weights_would(kind: str):
    """What comes before it is given; it is the user's own."""

    def weights(given: int) -> list[int]:
        if given:
            raise ZeroDivisionError
        return [1, 1]

    inlets = [inlet(kind, place, list(range(500)), None, []) for place in range(2)]
    rows, _, raised = drained(Mixed(inlets, Changing(weights, 2)), iter([100] * 100))

    assert len(rows) == 256
    assert isinstance(raised, ZeroDivisionError)


def test_columns_that_are_alike_stay_columns():
    """Whatever their lengths; where dtypes differ, rows come."""
    alike = [
        Straight(Recut(list(range(10 * i, 10 * i + 9)), columns=True, largest=99, seed=1), items=False)
        for i in range(2)
    ]
    mixed = Mixed(alike, Steady([2, 1]))
    chunks = []
    while (chunk := mixed.take(99)).count:
        chunks.append(chunk)

    assert all(chunk.columns is not None for chunk in chunks)
    order = by_weight([2, 1], [[[i] for i in range(9)]] * 2)
    assert [int(i) for chunk in chunks for i in chunk.as_rows()] == [10 * place + turn for place, turn in order]

    unlike = [Straight(Recut(given_, columns=True, largest=99), items=False) for given_ in ([1, 2], [1.0, 2.0])]
    chunk = Mixed(unlike, Steady([1, 1])).take(2)
    assert chunk.columns is None
    assert [type(row) for row in chunk.as_rows()] == [np.int64, np.float64]


def test_nobody_waits_for_the_next_but_one():
    """What comes before whoever has nothing yet is given at once."""
    first = Scripted(Recut([0, 10], largest=1))
    late = Scripted(Recut([7, 8], largest=1), ready=[0])
    mixed = Mixed([first, late], Steady([1, 1]))

    assert numbers(mixed.take(99).as_rows()) == [0]
    assert late.waited == 0
    assert numbers(mixed.take(99).as_rows())[0] == 7
    assert late.waited == 1


def test_a_source_that_begins_again_is_pulled_directly_in_each_pass():
    """Between two passes one example is taken the other way; tickets tell the pass."""
    opened: list[int] = []

    def make(epoch: int) -> RowReader:
        opened.append(epoch)
        return RowReader(as_source(lambda: iter(range(5))), 0, epoch=epoch)

    other = RowReader(as_source(list(range(100, 200))), 1, epoch=0)
    repeated = Repeat(make, None, epoch=3, by_row=True)
    mixed = Mixed([Straight(repeated, items=False), Straight(other, items=False)], Steady([1, 1]), stops=[1])
    rows, tickets, error = drained(mixed, iter([7] * 100))

    assert error is None
    assert rows == [row for i in range(100) for row in (i % 5, 100 + i)] + [0]
    assert tickets == [t for i in range(100) for t in (Ticket(0, 3 + i // 5, i % 5), Ticket(1, 0, i))] + [
        Ticket(0, 23, 0)
    ]
    assert opened == list(range(3, 24))


def test_an_input_that_ends_is_closed_there_and_then():
    """It holds a file, perhaps; the others go on for hours."""
    short, long = Scripted(Recut([1])), Scripted(Recut(list(range(9))))
    mixed = Mixed([short, long], Steady([1, 1]))
    while mixed.take(1).as_rows() != [2]:
        pass

    assert (short.closed, long.closed) == (1, 0)


def test_closing_closes_all_whatever_one_of_them_raises():
    """The first error is told, after the last was closed."""

    class Stuck(Scripted):
        def close(self) -> None:
            super().close()
            raise OSError("stuck")

    inlets = [Scripted(Recut([1])), Stuck(Recut([1])), Scripted(Recut([1]))]
    mixed = Mixed(inlets, Steady([1, 1, 1]))

    with pytest.raises(OSError, match="stuck"):
        mixed.close()
    assert [inlet.closed for inlet in inlets] == [1, 1, 1]
    assert mixed.take(1).is_end


def test_a_direct_input_counts_what_it_gave():
    """The merge pulls the iterators itself, and the readers' figures are right all the same, also in the middle."""
    readers = [RowReader(as_source(list(range(count))), place, epoch=0) for place, count in enumerate((30, 90, 0))]
    mixed = Mixed([Straight(reader, items=False) for reader in readers], Steady([1, 2, 5]))
    while sum(reader.given for reader in readers) < 45:
        mixed.take(4)

    assert [reader.given for reader in readers] == mixed.given().tolist() == [15, 30, 0]
    drained(mixed, iter([4] * 100))
    assert [reader.given for reader in readers] == [30, 90, 0]


def test_what_gives_no_weights_ends_it():
    """A function that gives one weight too many."""
    mixed = Mixed([inlet("direct", 0, [1], None, [])], Changing(Weights(lambda given: [1, 1], None, 1), 1))
    chunk = mixed.take(3)

    assert isinstance(chunk.error, PipelineError)
    assert mixed.take(3).is_end
