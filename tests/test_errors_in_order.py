"""The user's exception stays the user's, and arrives in its turn: after all that came before it, and before all that follows."""

import gc
import traceback
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock as ps
from penstock.testing import no_threads_left


class BadRecordError(Exception):
    """The user's own."""


BAD = 1_000_000
"""An example at which the sources and functions of these tests raise."""


def broken(examples: list[int], at: int, error: BaseException) -> Callable[[], Iterator[int]]:
    """A source that raises in place of example `at`."""

    def read() -> Iterator[int]:
        yield from examples[:at]
        raise error

    return read


def run(pipeline: ps.Pipeline, *, inline: bool = False) -> tuple[list[Any], BaseException | None]:
    """Everything that a flow gives, as lists, and what it raises."""
    batches: list[Any] = []
    flow = pipeline.open(inline=inline)
    try:
        while True:
            batch = next(flow)
            batches.append(batch.tolist() if hasattr(batch, "tolist") else batch)
    except StopIteration:
        return batches, None
    except BaseException as error:
        return batches, error


def notes_of(error: BaseException) -> str:
    return " ".join(getattr(error, "__notes__", []))


def turns(sources: list[list[int]]) -> list[tuple[int, int, int]]:
    """One of each in turn, as (source, offset, example): what `join` is, written out."""
    out, live = [], [(number, iter(enumerate(source))) for number, source in enumerate(sources)]
    while live:
        for each in list(live):
            number, stream = each
            step = next(stream, None)
            if step is None:
                live.remove(each)
            else:
                out.append((number, *step))
    return out


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    keep_last=st.booleans(),
    inline=st.booleans(),
    where=st.sampled_from(["source", "map", "filter", "late map"]),
)
def test_an_error_stands_exactly_where_its_example_would(
    data: st.DataObject, keep_last: bool, inline: bool, where: str
):
    """The batches before it are those of the run without it; then the remainder, where smaller batches are allowed."""
    lengths = data.draw(st.lists(st.integers(0, 12), min_size=1, max_size=4).filter(any))
    size = data.draw(st.integers(1, 5))
    sources = [[100 * number + i for i in range(length)] for number, length in enumerate(lengths)]
    victim = data.draw(st.sampled_from([number for number, length in enumerate(lengths) if length]))
    at = data.draw(st.integers(0, lengths[victim] - 1))
    bad, error = sources[victim][at], BadRecordError()

    def check(example: int) -> int:
        if example == bad:
            raise error
        return example

    parts: list[Any] = [lambda source=source: iter(source) for source in sources]
    if where == "source":
        parts[victim] = broken(sources[victim], at, error)
    elif where == "map":
        parts[victim] = ps.join([parts[victim]]).map(check)
    elif where == "filter":
        parts[victim] = ps.join([parts[victim]]).filter(lambda example: check(example) >= 0)
    joined = ps.join(parts)
    batches, raised = run(
        (joined.map(check) if where == "late map" else joined).batch(size, keep_last=keep_last), inline=inline
    )

    before = [example for _, _, example in turns(sources)]
    before = before[: before.index(bad)]
    whole = len(before) // size * size
    expected = [before[i : i + size] for i in range(0, len(before) if keep_last else whole, size)]
    assert raised is error
    assert batches == expected
    assert f"example {at} of source {victim} " in notes_of(raised)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(data=st.data(), keep_last=st.booleans())
def test_of_several_errors_the_first_in_merge_order_wins(data: st.DataObject, keep_last: bool):
    """Which thread hit its error first does not matter."""
    lengths = data.draw(st.lists(st.integers(1, 8), min_size=2, max_size=5))
    errors = [BadRecordError(number) for number in range(len(lengths))]
    sources = [[100 * number + i for i in range(length)] for number, length in enumerate(lengths)]
    joined = ps.join([broken(source, len(source), error) for source, error in zip(sources, errors, strict=True)])

    batches, raised = run(joined.batch(3, keep_last=keep_last))

    first = min(range(len(lengths)), key=lambda number: (lengths[number], number))
    before = [example for _, offset, example in turns(sources) if (offset, example // 100) < (lengths[first], first)]
    assert raised is errors[first]
    assert [x for batch in batches for x in batch] == before[: len(before) if keep_last else len(before) // 3 * 3]


@pytest.mark.parametrize("at", [0, 1, 5, 63, 64, 999])
@pytest.mark.parametrize("n_sources", [1, 4, 20])
def test_an_error_of_a_source_that_the_driver_pulls_itself_is_in_its_turn_too(at: int, n_sources: int):
    """A quick source loses its thread after a few examples; where its error stands must not depend on when."""
    error = BadRecordError()
    sources: list[Any] = [
        lambda first=first: iter(range(first, 1000 * n_sources, n_sources)) for first in range(n_sources)
    ]
    sources[-1] = broken(list(range(n_sources - 1, 1000 * n_sources, n_sources)), at, error)

    batches, raised = run(ps.join(sources).batch(7, keep_last=True))

    assert [x for batch in batches for x in batch] == list(range(at * n_sources + n_sources - 1))
    assert raised is error
    assert notes_of(error) == f"penstock: while reading example {at} of source {n_sources - 1} ('read')"


@pytest.mark.parametrize("inline", [False, True])
def test_the_traceback_leads_to_the_users_line(inline: bool):
    """It is the exception that was raised, with where it was raised; nothing is wrapped or turned into text."""

    def decode(example: int) -> int:
        return 1 // (3 - example)

    _, raised = run(ps.join([ps.join([lambda: iter(range(9))]).map(decode)]).batch(2), inline=inline)

    assert type(raised) is ZeroDivisionError
    frames = traceback.extract_tb(raised.__traceback__)
    assert frames[-1].name == "decode"
    assert raised.__cause__ is None
    assert raised.__context__ is None
    assert notes_of(raised) == "penstock: while mapping example 3 of source 0 ('<lambda>')"


def test_an_error_of_opening_a_source_is_in_its_turn():
    """It is the first example that cannot be had; those of the sources before it can."""
    error = BadRecordError()

    def cannot_be_opened() -> Iterator[int]:
        raise error

    batches, raised = run(ps.join([lambda: iter([1, 2]), cannot_be_opened]).batch(1))

    assert batches == [[1]]
    assert raised is error
    assert notes_of(error) == "penstock: while reading example 0 of source 1 ('cannot_be_opened')"


@pytest.mark.parametrize("where", ["map", "filter", "late map", "batch map", "next"])
@pytest.mark.parametrize("inline", [False, True])
def test_a_stop_iteration_of_the_users_code_is_not_the_end_of_the_data(where: str, inline: bool):
    """`next(iterator)` in a function is a common slip, and would end the training quietly; in `__next__` it is the end."""

    def slip(example: Any) -> Any:
        if example == 3:
            next(iter([]))
        return True

    # The trap: taken as it comes, the rest is missing and nobody is told.
    assert list(map(slip, range(9))) == [True] * 3

    if where == "next":
        assert run(ps.join([lambda: map(slip, range(9))]).batch(1), inline=inline) == ([[True]] * 3, None)
        return
    source = ps.join([lambda: iter(range(9))])
    before = {"map": source.map(slip), "filter": source.filter(slip)}.get(where, source)
    joined = ps.join([before])
    pipeline = (joined.map(slip) if where == "late map" else joined).batch(1)
    pipeline = pipeline.map(lambda batch: slip(batch[0])) if where == "batch map" else pipeline
    batches, raised = run(pipeline, inline=inline)

    assert len(batches) == 3
    assert type(raised) is RuntimeError
    assert "StopIteration" in str(raised)
    assert "of source 0 ('<lambda>')" in str(raised)
    assert raised.__cause__ is not None
    assert traceback.extract_tb(raised.__cause__.__traceback__)[-1].name == "slip"


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, MemoryError])
@pytest.mark.parametrize("at", [0, 3, 2000])
def test_whatever_a_source_raises_in_a_thread_reaches_the_loop(kind: type[BaseException], at: int):
    """A `sys.exit()` in a source's thread would end that thread and leave the loop waiting for ever."""
    error = kind("enough")

    batches, raised = run(ps.join([broken(list(range(2000)), at, error), count(10_000)]).batch(4, keep_last=True))

    expected = [x for pair in zip(range(at), count(10_000)) for x in pair]
    assert [x for batch in batches for x in batch] == expected
    assert raised is error
    assert notes_of(error).startswith(f"penstock: while reading example {at} of source 0")


@pytest.mark.parametrize("where", ["map", "late map", "filter"])
def test_whatever_a_function_raises_reaches_the_loop(where: str):
    """As in a source."""
    error = SystemExit(3)

    def leave(example: int) -> bool:
        if example == 4:
            raise error
        return True

    source = ps.join([lambda: iter(range(9))])
    changed = source.filter(leave) if where == "filter" else source.map(leave)
    batches, raised = run((changed if where == "late map" else ps.join([changed])).batch(3, keep_last=True))

    assert [len(batch) for batch in batches] == [3, 1]
    assert raised is error


def test_after_an_error_the_flow_gives_nothing_more_and_raises_it_again():
    """No batch after it, however often one asks; its threads are gone."""
    error = BadRecordError()
    with no_threads_left():
        flow = ps.join([broken(list(range(5)), 5, error), count(100)]).batch(2).open()
        batches = list(islice(flow, 5))
        caught = []
        for _ in range(3):
            with pytest.raises(BadRecordError) as caught_here:
                next(flow)
            caught.append(caught_here.value)

    assert [batch.tolist() for batch in batches] == [[0, 100], [1, 101], [2, 102], [3, 103], [4, 104]]
    assert caught == [error] * 3


def test_after_the_end_there_is_nothing_more():
    """An iterator that has ended stays ended."""
    flow = ps.join([[1, 2]]).batch(1).open()

    assert len(list(flow)) == 2
    assert list(flow) == []
    assert next(flow, None) is None


def test_an_error_in_arrival_order_comes_after_the_batches_of_what_arrived_before():
    """Its own stream's examples come before it; no batch comes after it."""
    error = BadRecordError()

    batches, raised = run(ps.join([broken(list(range(50)), 50, error)], order="arrival").batch(8, keep_last=True))

    assert [x for batch in batches for x in batch] == list(range(50))
    assert raised is error


def unclosable(examples: int) -> Iterator[int]:
    """A generator whose clean-up fails."""
    try:
        yield from range(examples)
    finally:
        raise BadRecordError("the file would not close")


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("quick", [2, 2000])
def test_an_error_of_closing_a_source_is_told_as_a_warning(inline: bool, quick: int):
    """Nobody waits for it any more, but it must not be lost; its neighbour is closed all the same."""
    closed = []

    def neighbour() -> Iterator[int]:
        try:
            yield from count()
        finally:
            closed.append(True)

    flow = ps.join([lambda: unclosable(10**6), neighbour]).batch(2).open(inline=inline)
    for _ in range(quick):
        next(flow)
    with pytest.warns(ps.PenstockWarning, match="the file would not close"):
        flow.close()

    assert closed == [True]


def test_an_error_of_a_generators_end_is_an_error_of_its_stream():
    """It comes in place of the end: what the generator gave is there."""
    batches, raised = run(ps.join([lambda: unclosable(5)]).batch(2, keep_last=True))

    assert batches == [[0, 1], [2, 3], [4]]
    assert type(raised) is BadRecordError


def test_an_error_does_not_hide_behind_that_of_closing_a_neighbour():
    """The first is what the loop gets; the second is a warning."""
    error = BadRecordError("first")

    with pytest.warns(ps.PenstockWarning, match="the file would not close"):
        _, raised = run(ps.join([broken([1, 2], 2, error), lambda: unclosable(10**6)]).batch(1))

    assert raised is error


@pytest.mark.parametrize("epochs", [None, 3])
def test_an_error_in_a_later_epoch_names_its_place_in_that_epoch(epochs: int | None):
    """The offset counts from the start of the pass."""
    opened = []

    def read() -> Iterator[int]:
        opened.append(True)
        for i in range(4):
            if len(opened) == 3 and i == 2:
                raise BadRecordError
            yield i

    batches, raised = run(ps.join([read]).repeat(epochs).batch(2))

    assert batches == [[0, 1], [2, 3]] * 2 + [[0, 1]]
    assert notes_of(raised) == "penstock: while reading example 2 of source 0 ('read')"


def test_an_error_of_a_chunk_names_the_chunk():
    """With `enqueue_many` an item is a chunk; the rows before it are delivered."""

    def read() -> Iterator[Any]:
        yield np.arange(3)
        yield np.arange(3, 7)
        raise BadRecordError

    batches, raised = run(ps.batch(read, 2, enqueue_many=True))

    assert batches == [[0, 1], [2, 3], [4, 5]]
    assert type(raised) is BadRecordError
    assert notes_of(raised) == "penstock: while reading item 2 of source 0 ('read')"


def test_the_frames_of_an_error_are_freed_with_it():
    """A traceback holds what its frames hold: batches, sources. It goes when the error does."""
    flow = ps.join([broken([1], 1, BadRecordError())]).batch(1).open()
    list(islice(flow, 1))
    with pytest.raises(BadRecordError):
        next(flow)
    del flow
    gc.collect()

    assert [thing for thing in gc.get_objects() if type(thing).__name__ == "Flow"] == []
