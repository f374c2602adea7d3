"""The batcher: `size` examples in the order of the stream, the remainder, and errors behind whole batches."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.assemble import Pool
from penstock.chunk import Chunk, Columns
from penstock.errors import PipelineError, SpecError
from penstock.plan import Pad, PadRule, Read
from penstock.sources import as_source
from penstock.stages import Batcher, Merge, RowReader, RunReader, Stage, Straight
from penstock.testing import Recut, check_stage, same
from penstock.ticket import Ticket, Tickets, item_tickets, turn_tickets

ROWS = [(np.full(3, i, np.float32), i) for i in range(23)]


def batcher(
    up: Stage, size: int = 5, *, keep_last: bool = True, rule: PadRule | None = None, firsts: int = 1
) -> Batcher:
    pad = None if rule is None else Pad(Read(as_source([1])), ((None, rule),))
    return Batcher(up, size, keep_last=keep_last, pad=pad, pool=Pool(), firsts=firsts, labels=["a", "b"])


def drained(stage: Stage, n: int = 1) -> tuple[list[Any], list[Ticket], BaseException | None]:
    batches: list[Any] = []
    tickets: list[Ticket] = []
    while True:
        chunk = stage.take(n)
        assert chunk.count <= n
        batches += chunk.as_rows()
        tickets += list(chunk.tickets)
        if chunk.error is not None or chunk.count == 0:
            assert stage.take(n).is_end
            return batches, tickets, chunk.error


def labels(batches: Sequence[Any]) -> list[list[int]]:
    return [np.asarray(batch[1] if isinstance(batch, tuple) else batch).tolist() for batch in batches]


def runs(n: int, size: int) -> list[list[int]]:
    return [list(range(start, min(start + size, n))) for start in range(0, n, size)]


@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("item", [None, 7])
@pytest.mark.parametrize("keep_last", [False, True])
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("rule", [None, PadRule()])
def test_batches_do_not_depend_on_how_examples_come(
    columns: bool, item: int | None, keep_last: bool, fails: bool, rule: PadRule | None
):
    """Rows, columns or chunks; with an error behind them; padded or not."""
    error = KeyError("last") if fails else None

    got = check_stage(
        lambda up: batcher(up, keep_last=keep_last, rule=rule), ROWS, error=error, columns=columns, item=item
    )

    want = runs(23, 5)
    assert labels(got) == (want if keep_last else want[:-1])
    assert all(batch[0].dtype == np.float32 and batch[0].shape[1:] == (3,) for batch in got)


@pytest.mark.parametrize("size", [1, 4, 23, 24])
@pytest.mark.parametrize("keep_last", [False, True])
def test_what_does_not_fill_a_batch_is_given_or_counted(size: int, keep_last: bool):
    """Nothing is lost without a word."""
    stage = batcher(Recut(ROWS), size, keep_last=keep_last)
    batches, _, error = drained(stage)
    delivered = sum(len(label) for _, label in batches)

    assert error is None
    assert delivered + stage.discarded == 23
    assert stage.discarded == (0 if keep_last else 23 % size)
    assert (stage.examples, stage.nbytes) == (delivered, delivered * (12 + 8))


def test_a_batch_goes_by_the_ticket_of_its_first_example():
    """That is what its random numbers and errors are told by."""
    _, tickets, _ = drained(batcher(Recut(ROWS, largest=4)))

    assert tickets == [Ticket(0, 0, i) for i in range(0, 23, 5)]


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("keep_last", [False, True])
def test_an_error_stands_after_the_remainder(keep_last: bool, fails: bool):
    """And after whole batches alone, where no smaller one is wanted; the rest is counted."""
    error = KeyError("last")
    stage = batcher(Recut(ROWS, error=error, largest=3), keep_last=keep_last)
    batches, _, raised = drained(stage)

    assert raised is error
    assert labels(batches) == (runs(23, 5) if keep_last else runs(20, 5))
    assert stage.discarded == (0 if keep_last else 3)


BAD: list[tuple[Any, str]] = [
    ((np.zeros(3, np.float32), 1.5), "expected `[1]: int64[]`, got `float64[]` - at example {} of source 0 ('a')"),
    ((np.zeros(4, np.float32), 1), "expected `[0]: float32[3]`, got `float32[4]` - at example {} of source 0 ('a')"),
    ((np.zeros(3, np.float32),), "expected `(*, *)`, got `tuple` of 1 - at example {} of source 0 ('a')"),
    ({"x": 1}, "expected `(*, *)`, got `dict` - at example {} of source 0 ('a')"),
]


@pytest.mark.parametrize(("bad", "message"), BAD)
@pytest.mark.parametrize("place", [1, 4, 5, 12, 22])
@pytest.mark.parametrize("keep_last", [False, True])
def test_an_example_that_does_not_fit_is_an_error_at_its_place(bad: Any, message: str, place: int, keep_last: bool):
    """The examples before it are delivered first, exactly as without it; what is behind it is not."""
    rows: list[Any] = [*ROWS[:place], bad, *ROWS[place + 1 :]]
    for largest in (1, 3, 100):
        stage = batcher(Recut(rows, largest=largest, seed=largest), keep_last=keep_last)
        batches, _, error = drained(stage)
        want = runs(place, 5)

        assert isinstance(error, SpecError)
        assert str(error).split(" - pad it")[0] == message.format(place)
        assert labels(batches) == (want if keep_last else [run for run in want if len(run) == 5])
        assert stage.discarded == (0 if keep_last else place % 5)


@pytest.mark.parametrize(("bad", "message"), BAD)
@pytest.mark.parametrize("place", [2, 5, 12, 22])
@pytest.mark.parametrize("readers", [1, 2])
def test_so_is_one_that_is_poured_straight_from_its_source(bad: Any, message: str, place: int, readers: int):
    """The other way in, which examples of fixed size take."""
    rows: list[Any] = [*ROWS[:place], bad, *ROWS[place + 1 :]]
    inputs = [rows, ROWS][:readers]
    merge = Merge([Straight(RowReader(as_source(some), i, epoch=0), items=False) for i, some in enumerate(inputs)])
    batches, _, error = drained(batcher(merge))

    assert isinstance(error, SpecError)
    assert str(error).split(" - pad it")[0] == message.format(place)
    assert [label for run in labels(batches) for label in run] == [i for i in range(place) for _ in range(readers)]


def test_a_first_example_without_a_spec_is_named():
    """Nothing can be assembled after it."""
    for bad in (object(), (), {"a": iter([1])}):
        batches, _, error = drained(batcher(Recut([bad, 1, 2])))
        assert batches == []
        assert isinstance(error, SpecError)
        assert str(error).endswith("at example 0 of source 0 ('a')")


def test_a_first_example_that_refuses_to_be_read_keeps_its_error():
    """It is the user's own."""

    class Refuses:
        def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
            raise RuntimeError("not here")

    _, _, error = drained(batcher(Recut([Refuses(), 1])))

    assert isinstance(error, RuntimeError)
    assert error.__notes__ == ["penstock: while reading example 0 of source 0 ('a')"]


def test_padding_that_does_not_suit_is_an_error_before_any_batch():
    """A value that the dtype does not hold."""
    batches, _, error = drained(batcher(Recut(ROWS), rule=PadRule(value="x")))

    assert batches == []
    assert isinstance(error, PipelineError)


def test_the_first_batch_waits_for_one_of_each_source():
    """So that the spec is the merge of all; later ones do not."""
    asked: list[int] = []

    class Watched:
        def take(self, n: int) -> Chunk:
            asked.append(n)
            return up.take(n)

        def close(self) -> None:
            up.close()

    up = Recut(ROWS, largest=100)
    batches, _, _ = drained(batcher(Watched(), 2, firsts=8))

    assert asked[0] == 8
    assert labels(batches) == runs(23, 2)
    assert max(asked[1:]) <= 8


class InRuns:
    """A stage that gives columns in runs of given sizes, whole where they are asked for whole."""

    def __init__(self, arrays: tuple[np.ndarray, ...], sizes: Sequence[int]) -> None:
        bounds = np.cumsum([0, *sizes])
        self._runs = [(a, b) for a, b in pairwise(bounds.tolist())]
        self._arrays = arrays

    def take(self, n: int) -> Chunk:
        if not self._runs:
            return Chunk([], turn_tickets((0,), 0, (0,), 0, 0))
        start, stop = self._runs.pop(0)
        if stop - start > n:
            self._runs.insert(0, (start + n, stop))
            stop = start + n
        columns = Columns.of(tuple(array[start:stop] for array in self._arrays))
        return Chunk(None, turn_tickets((0,), 0, (start,), 0, stop - start), columns=columns)

    def close(self) -> None:
        """Holds nothing."""


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8), st.integers(1, 7), st.integers(2, 9), st.booleans())
def test_several_batches_at_once_are_the_same_as_one_at_a_time(sizes: list[int], size: int, n: int, keep_last: bool):
    """Views of one run, copies of several, and their tickets."""
    total = sum(sizes)
    arrays = (np.arange(total * 2.0).reshape(total, 2), np.arange(total))
    one = batcher(InRuns(arrays, sizes), size, keep_last=keep_last)
    many = batcher(InRuns(arrays, sizes), size, keep_last=keep_last)
    first, tickets, _ = drained(one)
    other, others, _ = drained(many, n)

    assert same(tuple(first), tuple(other))
    assert tickets == others == [Ticket(0, 0, i) for i in range(0, len(tickets) * size, size)]
    assert labels(other) == [run for run in runs(total, size) if keep_last or len(run) == size]
    assert (one.examples, one.nbytes, one.discarded) == (many.examples, many.nbytes, many.discarded)


def test_a_batch_within_a_run_is_a_view_and_one_across_runs_is_not():
    """What lies ready is handed over as it is, and read-only."""
    x = np.arange(20.0)
    batches, _, _ = drained(batcher(InRuns((x,), [8, 12]), 4), 3)
    views = [np.shares_memory(batch[0], x) for batch in batches]
    assert views == [True] * 5
    assert not any(batch[0].flags.writeable for batch in batches)

    batches, _, _ = drained(batcher(InRuns((x,), [6, 14]), 4), 3)
    assert [np.shares_memory(batch[0], x) for batch in batches] == [True, False, True, True, True]


TEXTS: list[tuple[Any, Callable[[Any], list[Any]]]] = [
    (np.array(["a", "bb", "c", "d"]), str),
    (np.array([b"a", b"bb", b"c", b"d"]), bytes),
    (np.array(["a", "bb", "c", "d"], np.dtypes.StringDType()), str),
    (np.array(["a", "bb", "c", "d"], object), str),
]


@pytest.mark.parametrize(("array", "kind"), TEXTS, ids=["U", "S", "T", "O"])
def test_text_is_the_same_in_rows_and_in_columns(array: np.ndarray, kind: Any):
    """Whether a column was taken apart on its way is an accident; what the batch is may not depend on it."""
    in_columns, _, _ = drained(batcher(InRuns((array,), [1, 3]), 4))
    in_rows, _, _ = drained(batcher(Recut([(value,) for value in array]), 4))
    mixed, _, _ = drained(batcher(Recut([(array[0],), (kind(array[1]),), *((value,) for value in array[2:])]), 4))

    for batches in (in_columns, in_rows, mixed):
        assert [batch[0].dtype for batch in batches] == [np.dtype(object)]
        assert batches[0][0].tolist() == array.tolist()


@pytest.mark.parametrize("late", [False, True])
def test_a_column_of_text_beside_texts_gives_the_same_batch_whoever_is_late(late: bool):
    """A source that is late has the other's column come alone, in the first chunk."""

    class Late:
        items = False
        direct = None
        rows = None
        ready = not late

        def at_hand(self) -> int:
            return (1 << 20) * self.ready

        def wait(self) -> None:
            self.ready = True

        def take(self, n: int) -> Chunk:
            return texts.take(n)

        def slow(self) -> None:
            """Never pulled directly."""

        def close(self) -> None:
            texts.close()

    texts = RowReader(as_source(["much longer", "x"]), 1, epoch=0)
    column = RunReader(as_source(np.array(["ab", "cd"])), 0, epoch=0, items=False)
    (batch,), _, error = drained(batcher(Merge([Straight(column, items=False), Late()]), 4))

    assert error is None
    assert batch.dtype == object
    assert batch.tolist() == ["ab", "much longer", "cd", "x"]


def test_a_row_of_a_chunk_that_does_not_fit_is_named_by_item_and_row():
    """All rows of the chunk are at fault, and the first of them is named."""

    class Chunks:
        def __init__(self) -> None:
            self.items = [np.zeros((3, 2)), np.zeros((3, 4))]

        def take(self, n: int) -> Chunk:
            if not self.items:
                return Chunk([], Tickets.joined([]))
            at = 2 - len(self.items)
            columns = Columns.of(self.items.pop(0))
            return Chunk(None, item_tickets(1, 0, at, 0, 3), columns=columns)

        def close(self) -> None:
            """Holds nothing."""

    batches, _, error = drained(batcher(Chunks(), 4))

    assert [len(batch) for batch in batches] == [3]
    assert str(error).startswith("expected `example: float64[2]`, got `float64[4]` - at example 1 of source 1 ('b')")


def test_lengths_and_masks_stand_beside_the_batch_or_in_it():
    """And in its spec, with the sizes that vary left open."""
    ragged = [{"t": np.arange(i % 3)} for i in range(6)]
    stage = batcher(Recut(ragged), 3, keep_last=False, rule=PadRule(lengths="n", mask="m"))
    batches, _, _ = drained(stage)

    assert batches[0]["n"].tolist() == [0, 1, 2]
    assert batches[0]["m"].tolist() == [[False, False], [True, False], [True, True]]
    assert str(stage.spec()) == "{t: int64[3, ?], n: int64[3], m: bool[3, ?]}"

    stage = batcher(Recut([row["t"] for row in ragged]), 3, rule=PadRule(lengths="n"))
    batches, _, _ = drained(stage)
    assert batches[1][1]["n"].tolist() == [0, 1, 2]
    assert str(stage.spec()) == "(int64[?, ?], {n: int64[?]})"


def test_there_is_no_spec_before_an_example():
    """Nothing is guessed."""
    assert batcher(Recut([])).spec() is None
