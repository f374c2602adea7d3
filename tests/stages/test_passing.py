"""Map, filter, take, skip, repeat and unbatch: each keeps the laws of a stage however its input is cut."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from penstock.chunk import END, Chunk
from penstock.errors import SpecError
from penstock.stages import Applied, Repeat, Stage
from penstock.stages.filter import Filter
from penstock.stages.map import Map
from penstock.stages.skip import Skip
from penstock.stages.take import Take
from penstock.stages.unbatch import Unbatch
from penstock.testing import Recut, check_stage
from penstock.ticket import Ticket

NUMBERS = list(range(40))
ROWS = [(np.full(3, i), i) for i in range(40)]


def applied(fn: Callable[..., Any], *, seed: int = 0, stage: int = 0, judges: bool = False) -> Applied:
    return Applied(fn, "mapping", seed=seed, stage=stage, labels=["letters"], judges=judges)


def double(example: Any) -> Any:
    return example * 2 if isinstance(example, int) else (example[0] * 2, example[1] * 2)


def even(example: Any) -> bool:
    return (example if isinstance(example, int) else example[1]) % 2 == 0


def drained(stage: Stage, n: int = 7) -> tuple[list[Any], list[Ticket], BaseException | None]:
    """Everything that a stage gives, its tickets, and what it ends with."""
    rows: list[Any] = []
    tickets: list[Ticket] = []
    while True:
        chunk = stage.take(n)
        rows += chunk.as_rows()
        tickets += list(chunk.tickets)
        if chunk.error is not None or chunk.count == 0:
            return rows, tickets, chunk.error


STAGES: dict[str, tuple[Callable[[Stage], Stage], Callable[[list[int]], list[int]]]] = {
    "map": (lambda up: Map(up, applied(double)), lambda given: [2 * i for i in given]),
    "filter": (lambda up: Filter(up, applied(even)), lambda given: [i for i in given if i % 2 == 0]),
    "filter, items": (lambda up: Filter(up, applied(even), items=True), lambda given: [i for i in given if i % 2 == 0]),
    "filter, none": (lambda up: Filter(up, applied(lambda _: False)), lambda given: []),
    "take": (lambda up: Take(up, 11), lambda given: given[:11]),
    "take none": (lambda up: Take(up, 0), lambda given: []),
    "take all": (lambda up: Take(up, 1000), lambda given: given),
    "skip": (lambda up: Skip(up, 11), lambda given: given[11:]),
    "skip none": (lambda up: Skip(up, 0), lambda given: given),
    "skip all": (lambda up: Skip(up, 1000), lambda given: []),
    "repeat once": (lambda up: Repeat(lambda epoch: up, 1, epoch=0), lambda given: given),
}


@pytest.mark.parametrize("kind", ["rows", "columns", "items of rows", "items of columns"])
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("name", STAGES)
def test_a_stage_gives_the_same_however_its_input_is_cut(name: str, fails: bool, kind: str):
    """Rows, columns and a user's chunks, with an error behind them or without."""
    make, want = STAGES[name]
    error = KeyError("last") if fails else None

    got = check_stage(make, ROWS, error=error, columns="columns" in kind, item=7 if "items" in kind else None)

    assert [label for _, label in got] == want(NUMBERS)


@pytest.mark.parametrize("name", STAGES)
def test_tickets_go_along(name: str):
    """They name the example in errors, and are the keys of its random numbers."""
    make, want = STAGES[name]
    rows, tickets, error = drained(make(Recut(NUMBERS, largest=5, seed=3)))

    assert error is None
    assert rows == want(NUMBERS)
    assert [ticket.offset for ticket in tickets] == [row // 2 if name == "map" else row for row in rows]


@pytest.mark.parametrize("name", [name for name in STAGES if name not in ("take", "take none")])
def test_an_error_stands_behind_the_examples_before_it(name: str):
    """The same object, once; then the end."""
    make, want = STAGES[name]
    error = KeyError("last")
    stage = make(Recut(NUMBERS, error=error, largest=5))

    rows, _, raised = drained(stage)

    assert rows == want(NUMBERS)
    assert raised is error
    assert stage.take(1).is_end


def test_an_error_behind_the_last_that_was_taken_does_not_matter():
    """Who takes ten of a source that breaks at the eleventh gets ten."""
    assert drained(Take(Recut(NUMBERS[:10], error=KeyError(), largest=50), 10))[2] is None
    assert isinstance(drained(Take(Recut(NUMBERS[:10], error=KeyError(), largest=50), 11))[2], KeyError)


def test_take_pulls_nothing_beyond_its_last():
    """What a source would have to wait for is not waited for."""
    asked: list[int] = []

    class Watched:
        def take(self, n: int) -> Chunk:
            asked.append(n)
            return up.take(n)

        def close(self) -> None:
            up.close()

    up = Recut(NUMBERS, largest=3)
    rows, _, _ = drained(Take(Watched(), 10), n=100)

    assert rows == NUMBERS[:10]
    assert all(n <= 10 for n in asked)
    assert up.take(100).as_rows()[0] == 10


def boom(at: int) -> Callable[[Any], Any]:
    def fn(example: int) -> int:
        if example == at:
            raise ZeroDivisionError(example)
        return example

    return fn


@pytest.mark.parametrize("at", [0, 17, 39])
@pytest.mark.parametrize("kind", [Map, Filter])
def test_a_function_that_raises_ends_the_stream_after_what_came_before(kind: Any, at: int):
    """The note says which example it was; the error behind the input never comes."""

    def make(up: Stage) -> Stage:
        return kind(up, applied(boom(at) if kind is Map else lambda example: boom(at)(example) or True))

    assert check_stage(make, NUMBERS, error=KeyError("later")) == NUMBERS[:at]
    _, tickets, error = drained(make(Recut(NUMBERS, error=KeyError("later"))))

    assert isinstance(error, ZeroDivisionError)
    assert error.__notes__ == [f"penstock: while mapping example {at} of source 0 ('letters')"]
    assert [ticket.offset for ticket in tickets] == NUMBERS[:at]


def test_a_row_of_a_chunk_is_named_as_that():
    """An item has many rows, and only one of them is bad."""
    _, _, error = drained(Map(Recut(NUMBERS, item=7), applied(boom(16))))

    assert error is not None
    assert error.__notes__ == ["penstock: while mapping row 2 of item 2 of source 0 ('letters')"]


@pytest.mark.parametrize("stop", [StopIteration(3), StopIteration()])
def test_a_functions_stop_iteration_is_not_the_end(stop: StopIteration):
    """It would end the loop of whoever raises it again, and the rest of the data would be missing without a word."""

    def fn(example: int) -> int:
        if example == 5:
            raise stop
        return example

    rows, _, error = drained(Map(Recut(NUMBERS), applied(fn)))

    assert rows == NUMBERS[:5]
    assert isinstance(error, RuntimeError)
    assert error.__cause__ is stop


def test_an_answer_without_a_truth_is_an_error_at_its_example():
    """An array, say, where one meant `.all()`."""
    answers = [True, True, np.array([True, False]), True]
    stage = Filter(Recut([0, 1, 2, 3]), applied(lambda example: answers[example], judges=True))

    rows, _, error = drained(stage)

    assert rows == [0, 1]
    assert isinstance(error, ValueError)
    assert error.__notes__ == ["penstock: while mapping example 2 of source 0 ('letters')"]


@pytest.mark.parametrize("columns", [False, True])
def test_random_numbers_go_by_the_ticket(columns: bool):
    """Neither by the cutting nor by what was filtered before; seed and stage have their own."""

    def draw(example: Any, rng: np.random.Generator) -> int:
        return int(rng.integers(1 << 40))

    def drawn(seed: int, stage: int, *, only_even: bool = False, item: int | None = None) -> list[int]:
        def make(up: Stage) -> Stage:
            return Map(Filter(up, applied(even)) if only_even else up, applied(draw, seed=seed, stage=stage))

        return check_stage(make, ROWS, columns=columns, item=item)

    assert len(set(drawn(0, 0))) == 40
    assert drawn(0, 0, only_even=True) == drawn(0, 0)[::2]
    assert len(set(drawn(0, 0) + drawn(1, 0) + drawn(0, 1))) == 120
    assert len(set(drawn(0, 0, item=7))) == 40


def test_what_is_left_out_is_counted():
    """In examples, also where what is left out is a batch."""
    filtered = Filter(Recut(NUMBERS), applied(even))
    skipped = Skip(Recut(NUMBERS), 11)
    batches = Filter(Recut(NUMBERS), applied(even), weigh=lambda dropped: 10 * len(dropped))
    for stage in (filtered, skipped, batches):
        drained(stage)

    assert (filtered.discarded, skipped.discarded, batches.discarded) == (20, 11, 200)


def test_skip_counts_what_there_was():
    """Fewer than were to be skipped."""
    stage = Skip(Recut(NUMBERS), 100)
    drained(stage)

    assert stage.discarded == 40


def test_a_filter_keeps_the_end_of_an_item_that_loses_its_last_rows():
    """Merge does not leave a lane before that end, so it may not get lost with them."""
    stage = Filter(Recut(NUMBERS[:21], item=7), applied(lambda example: example % 7 < 3), items=True)
    items: list[list[int]] = [[]]
    while not (chunk := stage.take(2)).is_end:
        items[-1] += chunk.as_rows()
        if chunk.item_end:
            items.append([])

    assert items == [[0, 1, 2], [7, 8, 9], [14, 15, 16], []]


def epochs(given: list[list[int]], log: list[str]) -> Callable[[int], Stage]:
    """Makes the stage for each pass, and notes what happens."""

    class Noted:
        def __init__(self, epoch: int) -> None:
            log.append(f"open {epoch}")
            self.epoch = epoch
            self.stage = Recut(given[epoch], largest=3, seed=epoch)

        def take(self, n: int) -> Chunk:
            return self.stage.take(n)

        def close(self) -> None:
            log.append(f"close {self.epoch}")

    return Noted


def test_each_epoch_is_opened_anew_and_the_last_closed_before():
    """They need not be of one length, and one may be empty."""
    log: list[str] = []
    rows, _, error = drained(Repeat(epochs([[1, 2], [], [3], [4]], log), 3, epoch=0))

    assert (rows, error) == ([1, 2, 3], None)
    assert log == ["open 0", "close 0", "open 1", "close 1", "open 2", "close 2"]


def test_a_flow_may_begin_at_any_epoch():
    """And has as many passes from there."""
    assert drained(Repeat(epochs([[1], [2], [3], [4]], []), 2, epoch=1))[0] == [2, 3]


def test_an_endless_repeat_of_nothing_is_an_error():
    """Without one it would turn for ever, and nobody would know why no batch comes."""
    rows, _, error = drained(Repeat(epochs([[1], [2], [], [4]], []), None, epoch=0))

    assert rows == [1, 2]
    assert isinstance(error, SpecError)
    assert str(error) == (
        "expected at least one example in each epoch of an endless `repeat`, got none - at epoch 2"
        " - without one it would turn for ever"
    )


def test_no_epoch_follows_an_error():
    """It is the end of the stream."""
    log: list[str] = []

    def make(epoch: int) -> Stage:
        log.append("open")
        return Recut([epoch], error=KeyError(epoch), largest=1)

    stage = Repeat(make, None, epoch=0)
    rows, _, error = drained(stage)

    assert (rows, log) == ([0], ["open"])
    assert isinstance(error, KeyError)
    assert stage.take(1).is_end


def test_a_source_that_cannot_be_opened_again_says_so_at_its_turn():
    """After the examples of the first pass."""
    opened = iter([Recut([1, 2])])

    def make(epoch: int) -> Stage:
        try:
            return next(opened)
        except StopIteration:
            raise SpecError("once") from None

    rows, _, error = drained(Repeat(make, 2, epoch=0))

    assert rows == [1, 2]
    assert str(error) == "once"


def test_a_repeat_that_is_closed_closes_its_pass_once():
    """And opens no other."""
    log: list[str] = []
    stage = Repeat(epochs([[1, 2], [3]], log), None, epoch=0)
    stage.take(1)
    stage.close()
    stage.close()

    assert log == ["open 0", "close 0"]


BATCHES = [{"x": np.arange(6).reshape(3, 2) + 10 * i, "y": (np.arange(3) + 10 * i,)} for i in range(5)]


@pytest.mark.parametrize("fails", [False, True])
def test_a_batch_is_taken_apart_into_its_rows(fails: bool):
    """In the structure of an example; each row is an example again."""
    error = KeyError("last") if fails else None
    rows = check_stage(Unbatch, BATCHES, error=error)

    assert [row["y"][0] for row in rows] == [10 * i + j for i in range(5) for j in range(3)]
    assert rows[4]["x"].tolist() == [12, 13]


def test_rows_of_a_batch_have_tickets_of_their_own():
    """No two examples of a flow share one."""
    _, tickets, _ = drained(Unbatch(Recut(BATCHES)))

    assert tickets == [Ticket(0, 0, i, j) for i in range(5) for j in range(3)]


def test_what_has_no_rows_is_an_error_at_its_turn():
    """A batch that was mapped to a number, say."""
    rows, _, error = drained(Unbatch(Recut([np.arange(2), 7, np.arange(2)], largest=1)))

    assert [int(row) for row in rows] == [0, 1]
    assert isinstance(error, SpecError)
    assert error.__notes__ == ["penstock: while taking a batch apart in unbatch()"]


class Last:
    """A stage that has ended, and counts how often it is closed."""

    def __init__(self) -> None:
        self.closed = 0

    def take(self, n: int) -> Chunk:
        return END

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("name", [*STAGES, "unbatch"])
def test_of_nothing_comes_nothing(name: str):
    """The end of an empty stream is its first word."""
    make = STAGES[name][0] if name in STAGES else Unbatch

    assert make(Last()).take(1).is_end


@pytest.mark.parametrize("name", ["map", "filter", "take", "skip", "unbatch"])
def test_closing_closes_upstream(name: str):
    """Whether or not anything was taken."""
    last = Last()
    (STAGES[name][0] if name in STAGES else Unbatch)(last).close()

    assert last.closed == 1
