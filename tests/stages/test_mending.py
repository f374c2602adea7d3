"""Errors that are skipped or tried again, at the stages alone: no thread, no clock."""

from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock as ps
from penstock.chunk import Columns
from penstock.faults import Ledger, Policy, SkipLog, policy_of
from penstock.sources import as_source
from penstock.stages import Applied, Mending, Merge, RowReader, RunReader, Stage, Straight
from penstock.stages.filter import Filter
from penstock.stages.map import Map
from penstock.stages.mending import AtOnce
from penstock.testing import Recut, check_stage
from penstock.ticket import Ticket

COUNT = 30


def mending(on_error: Any, labels: Collection[str] = ("a", "b", "c")) -> Mending:
    return Mending(Ledger("here", policy_of(on_error, at=""), list(labels)), AtOnce())


class Fragile:
    """An iterator class that raises at some places, and goes on."""

    def __init__(self, count: int, bad: Collection[int]) -> None:
        self.count, self.bad, self.at = count, bad, -1

    lasts = True

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        self.at += 1
        if self.at >= self.count:
            raise StopIteration
        if self.at in self.bad:
            raise ValueError(self.at)
        return self.at


class Breaking:
    """Opens a generator that breaks at some places, at each as often as is said."""

    def __init__(self, count: int, breaks: dict[int, int]) -> None:
        self.count, self.breaks = count, dict(breaks)
        self.opened = 0

    def __call__(self) -> Iterator[int]:
        self.opened += 1
        for at in range(self.count):
            if self.breaks.get(at, 0):
                self.breaks[at] -= 1
                raise OSError(at)
            yield at


def reader(source: Any, on_error: Any, stream: int = 0) -> tuple[RowReader, Ledger]:
    its = mending(on_error)
    return RowReader(as_source(source), stream, epoch=0, mending=its), its.ledger


def drained(stage: Stage, sizes: Iterator[int]) -> tuple[list[Any], list[Ticket], BaseException | None]:
    rows: list[Any] = []
    tickets: list[Ticket] = []
    while True:
        chunk = stage.take(next(sizes))
        rows += chunk.as_rows()
        tickets += list(chunk.tickets)
        if chunk.error is not None or chunk.count == 0:
            assert stage.take(1).is_end
            return rows, tickets, chunk.error


def sizes_of(seed: int) -> Iterator[int]:
    rng = np.random.default_rng(seed)
    while True:
        yield int(rng.integers(1, 8))


PLACES = st.sets(st.integers(0, COUNT - 1))


@given(bad=PLACES, seed=st.integers(0, 99))
def test_a_reader_goes_on_behind_bad_examples_and_their_tickets_are_left_out(bad: set[int], seed: int):
    """An offset counts what the source has at its places, so that skipping moves no ticket."""
    stage, ledger = reader(lambda: Fragile(COUNT, bad), ps.Skip())

    rows, tickets, error = drained(stage, sizes_of(seed))

    good = [at for at in range(COUNT) if at not in bad]
    assert error is None
    assert rows == [ticket.offset for ticket in tickets] == good
    assert [skipped.ticket.offset for skipped in ledger.kept] == sorted(bad)
    assert stage.given == len(good)


@given(bads=st.tuples(PLACES, PLACES, PLACES), seed=st.integers(0, 99))
def test_a_merge_comes_back_to_pulling_directly_behind_a_bad_example(bads: tuple[set[int], ...], seed: int):
    """The same examples in the same order as of sources that never had the bad ones."""
    readers = [reader(lambda bad=bad: Fragile(COUNT, bad), ps.Skip(), stream)[0] for stream, bad in enumerate(bads)]
    good = [[at for at in range(COUNT) if at not in bad] for bad in bads]
    plain = [RowReader(as_source(each), stream, epoch=0) for stream, each in enumerate(good)]

    rows, tickets, error = drained(Merge([Straight(each, items=False) for each in readers]), sizes_of(seed))

    want, _, _ = drained(Merge([Straight(each, items=False) for each in plain]), sizes_of(seed + 1))
    assert error is None
    assert rows == want == [ticket.offset for ticket in tickets]


@given(
    breaks=st.dictionaries(st.integers(0, COUNT - 1), st.integers(1, 3)),
    seed=st.integers(0, 99),
    runs=st.sampled_from(["examples", "chunks"]),
)
def test_a_source_that_breaks_anywhere_is_read_on_where_it_broke(breaks: dict[int, int], seed: int, runs: str):
    """Nothing is lost and nothing comes twice, however often it breaks at a place, up to `times`."""
    source = Breaking(COUNT, breaks)
    its = mending(ps.Retry(times=3, backoff_s=0))
    stage: Stage
    if runs == "examples":
        stage = RowReader(as_source(source), 0, epoch=0, mending=its)
    else:
        chunks = as_source(lambda: (np.full(3, number) for number in source()))
        stage = RunReader(chunks, 0, epoch=0, items=True, mending=its)

    rows, _, error = drained(stage, sizes_of(seed))

    assert error is None
    assert rows == [at for at in range(COUNT) for _ in range(1 if runs == "examples" else 3)]
    assert source.opened == 1 + sum(breaks.values())


class Blocks:
    """A source of blocks of random lengths, cut anew at each opening, that breaks at some rows."""

    blocks, waits, once, label = True, True, None, "blocks"

    def __init__(self, breaks: dict[int, int], rng: np.random.Generator) -> None:
        self.breaks, self.rng = breaks, rng

    def open(self, epoch: int) -> Iterator[Columns]:
        at = 0
        while at < COUNT:
            stop = min(COUNT, at + int(self.rng.integers(1, 8)))
            broken = next((row for row in range(at, stop) if self.breaks.get(row, 0)), None)
            if broken is not None:
                if broken > at:
                    yield Columns.of((np.arange(at, broken),))
                self.breaks[broken] -= 1
                raise OSError(broken)
            yield Columns.of((np.arange(at, stop),))
            at = stop

    def length(self) -> int | None:
        return None


@given(breaks=st.dictionaries(st.integers(0, COUNT - 1), st.integers(1, 3)), seed=st.integers(0, 99))
def test_a_file_is_read_on_by_rows_however_its_blocks_are_cut_the_next_time(breaks: dict[int, int], seed: int):
    """Blocks are invisible."""
    source = Blocks(dict(breaks), np.random.default_rng(seed))
    stage = RunReader(source, 0, epoch=0, items=False, mending=mending(ps.Retry(times=3, backoff_s=0)))

    rows, tickets, error = drained(stage, sizes_of(seed))

    assert error is None
    assert [row[0] for row in rows] == [ticket.offset for ticket in tickets] == list(range(COUNT))
    assert stage.given == COUNT


def test_retrying_ends_with_the_users_last_error_and_a_note_on_how_often():
    """It stays the user's: the same type, from the same line."""
    stage, _ = reader(Breaking(COUNT, {4: 9}), ps.Retry(times=2, backoff_s=0))

    rows, _, error = drained(stage, sizes_of(0))

    assert rows == [0, 1, 2, 3]
    assert isinstance(error, OSError)
    assert error.__notes__ == [
        "penstock: while reading example 4 of source 0 ('Breaking')",
        "penstock: it was tried 2 times more, as `on_error` says",
    ]


def test_the_attempts_begin_anew_behind_an_example_that_came_through():
    """Two failures at each of many places are not many failures at one."""
    stage, _ = reader(Breaking(COUNT, dict.fromkeys(range(COUNT), 2)), ps.Retry(times=2, backoff_s=0))

    rows, _, error = drained(stage, sizes_of(0))

    assert (rows, error) == (list(range(COUNT)), None)


def test_no_attempt_begins_beyond_the_deadline():
    """The wait before it would end too late, so it is not waited for either."""
    source = Breaking(COUNT, {4: 9})
    stage, _ = reader(source, ps.Retry(times=9, backoff_s=10.0, deadline_s=1.0))

    _, _, error = drained(stage, sizes_of(0))

    assert isinstance(error, OSError)
    assert source.opened == 1


def test_what_is_tried_in_vain_is_skipped():
    """`Retry | Skip`: a record that is bad for good costs its attempts, and then itself."""
    opened = 0

    def make() -> Fragile:
        nonlocal opened
        opened += 1
        return Fragile(COUNT, {0, 4, 29})

    stage, ledger = reader(make, ps.Retry(times=2, backoff_s=0) | ps.Skip(at_most=3))

    rows, _, error = drained(stage, sizes_of(0))

    assert (rows, error) == ([at for at in range(COUNT) if at not in (0, 4, 29)], None)
    assert [skipped.ticket.offset for skipped in ledger.kept] == [0, 4, 29]
    assert opened == 1 + 3 * 2


def test_a_source_that_has_become_shorter_is_named_not_believed():
    """Read again it ends before the place where it broke."""
    lengths = iter([10, 5, 5])

    def make() -> Iterator[int]:
        length = next(lengths)
        yield from range(length)
        if length == 10:
            raise OSError("gone")

    stage, _ = reader(make, ps.Retry(times=1, backoff_s=0))

    rows, _, error = drained(stage, sizes_of(0))

    assert rows == list(range(10))
    assert str(error) == "expected the 10 examples that it had given, got 5, and its end - at source 'make'"
    assert isinstance(error, ps.SourceError)


@pytest.mark.parametrize("at", [0, 3])
def test_a_generator_that_raised_is_an_error_that_says_so(at: int):
    """What ends where it raises cannot be told from what ends behind it; it is never taken for the end."""

    def make() -> Iterator[int]:
        yield from range(at)
        raise ValueError("bad")

    stage, ledger = reader(make, ps.Skip())

    rows, _, error = drained(stage, sizes_of(0))

    assert rows == list(range(at))
    assert isinstance(error, ValueError)
    assert "A generator ends where it raises" in error.__notes__[-1]
    assert len(ledger) == 0


def test_an_iterator_of_which_nothing_is_known_is_believed_behind_its_last_only_by_its_length():
    """It may have ended because it raised; one that has a length, or says `lasts`, is known not to have."""

    class Quiet:
        def __init__(self) -> None:
            self.inner = Fragile(5, {2, 4})

        def __iter__(self) -> Iterator[int]:
            return self

        def __next__(self) -> int:
            return next(self.inner)

    class Long(Quiet):
        def __len__(self) -> int:
            return 5

    assert drained(reader(Long(), ps.Skip())[0], sizes_of(0))[::2] == ([0, 1, 3], None)
    rows, _, error = drained(reader(Quiet(), ps.Skip())[0], sizes_of(0))
    assert rows == [0, 1, 3]
    assert isinstance(error, ValueError)


def test_what_stops_the_program_is_neither_skipped_nor_tried_again():
    """A Ctrl-C inside a source is no bad record."""

    class Struck(Fragile):
        def __next__(self) -> int:
            if self.at == 2:
                raise KeyboardInterrupt
            return super().__next__()

    stage, ledger = reader(lambda: Struck(5, ()), ps.Retry(backoff_s=0) | ps.Skip())

    rows, _, error = drained(stage, sizes_of(0))

    assert rows == [0, 1, 2]
    assert isinstance(error, KeyboardInterrupt)
    assert len(ledger) == 0


def counted(count: int) -> dict[str, Any]:
    """What a state tells of so many that were skipped."""
    return {"count": count, "places": [], "passes": [], "first": None, "last": None}


@given(bad=PLACES, known=PLACES, seed=st.integers(0, 99))
def test_what_a_state_lists_is_skipped_even_if_it_can_be_read_by_now(bad: set[int], known: set[int], seed: int):
    """Else the run that goes on would not be the run that was stopped."""
    readers = [reader(lambda: Fragile(COUNT, bad), ps.Skip(), stream) for stream in range(2)]
    for stream, (_, ledger) in enumerate(readers):
        skipped = enumerate(sorted(known), 1)
        ledger.load(counted(len(known)), [SkipLog(0, [(number, stream, 0, at, 0, 0) for number, at in skipped])])

    rows, tickets, error = drained(Merge([Straight(stage, items=False) for stage, _ in readers]), sizes_of(seed))

    good = [at for at in range(COUNT) if at not in bad | known]
    assert error is None
    assert rows == [at for at in good for _ in range(2)] == [ticket.offset for ticket in tickets]
    assert {skipped.ticket.offset for skipped in readers[0][1].kept} == bad - known
    assert (readers[0][1].count, readers[0][1].knows_any) == (len(bad | known), False)
    assert [stage.given for stage, _ in readers] == [len(good)] * 2


# Functions.


def applied(fn: Callable[..., Any], on_error: Any, *, judges: bool = False) -> tuple[Applied, Ledger]:
    its = mending(on_error)
    return Applied(fn, "mapping", seed=0, stage=0, labels=["a"], judges=judges, mending=its), its.ledger


def label_of(example: Any) -> int:
    return int(example if isinstance(example, int | np.integer) else example[1])


ROWS = [(np.full(3, i), i) for i in range(COUNT)]


@pytest.mark.parametrize("kind", ["rows", "columns", "items of rows", "items of columns"])
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("word", ["map", "filter"])
@pytest.mark.parametrize("bad", [(), (0, 7, 8, 9, 10, 11, 12, 13, 29), range(COUNT)])
def test_a_function_skips_the_same_however_its_input_is_cut(word: str, bad: Collection[int], fails: bool, kind: str):
    """Also where all rows of a user's chunk are bad, or its last: the ends of chunks are kept by the others."""

    def fn(example: Any, rng: np.random.Generator) -> Any:
        if label_of(example) in bad:
            raise ValueError(label_of(example))
        return True if word == "filter" else (example, int(rng.integers(1000)))

    def make(up: Stage) -> Stage:
        its, _ = applied(fn, ps.Skip(), judges=word == "filter")
        items = "items" in kind
        return Map(up, its, items=items) if word == "map" else Filter(up, its, items=items)

    error = KeyError("last") if fails else None

    got = check_stage(make, ROWS, error=error, columns="columns" in kind, item=7 if "items" in kind else None)

    assert [label_of(row if word == "filter" else row[0]) for row in got] == [i for i in range(COUNT) if i not in bad]


def test_a_function_is_called_again_with_the_same_random_numbers():
    """So that a retry is seen in nothing but the time."""
    drawn: list[int] = []

    def fn(example: int, rng: np.random.Generator) -> int:
        drawn.append(int(rng.integers(1 << 62)))
        if example == 3 and len(drawn) < 6:
            raise OSError
        return drawn[-1]

    its, _ = applied(fn, ps.Retry(times=2, backoff_s=0))

    rows, _, error = drained(Map(Recut(list(range(6))), its), sizes_of(0))

    assert error is None
    assert len(drawn) == 8
    assert drawn[3] == drawn[4] == drawn[5]
    assert rows == [*drawn[:3], *drawn[5:]]


def test_what_is_known_to_be_bad_is_not_worked_on_again():
    """A state lists it, and a function that failed on it might not fail again."""
    called: list[int] = []
    its, ledger = applied(called.append, ps.Skip(at_most=1))
    ledger.load(counted(1), [SkipLog(0, [(1, 0, 0, 2, 0, 0)])])

    rows, tickets, _ = drained(Map(Recut(list(range(5))), its), sizes_of(0))

    assert called == [ticket.offset for ticket in tickets] == [0, 1, 3, 4]
    assert len(rows) == 4


def test_too_many_are_an_error_behind_those_before_it():
    """As any error: what stands before it is delivered."""
    its, _ = applied(lambda example: 1 // (example % 3), ps.Skip(at_most=2))

    rows, _, error = drained(Map(Recut(list(range(12))), its), sizes_of(0))

    assert rows == [1, 0, 1, 0]
    assert isinstance(error, ps.OverBudget)
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert policy_of("raise", at="") == Policy()
