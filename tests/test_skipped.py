"""What is skipped, over the whole of a run and over breaks in it: bounded, counted exactly, and skipped again unread."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock as ps
from penstock.engine import shots
from penstock.engine.shots import MOST_SKIPPED
from penstock.faults import SkipLog
from penstock.testing import same

SIZE = 60


class Healing:
    """Bad at some places, each time for as often as is said; it is read by index."""

    def __init__(self, bad: dict[int, int]) -> None:
        self.left = dict(bad)
        self.reads = 0

    def check(self, index: int) -> int:
        self.reads += 1
        if self.left.get(index, 0) > 0:
            self.left[index] -= 1
            raise ValueError(f"bad {index}")
        return index

    def __len__(self) -> int:
        return SIZE

    def __getitem__(self, index: int) -> int:
        return self.check(index)


class Passing:
    """The same, one after the other: read over from its start to get to a place."""

    def __init__(self, of: Healing) -> None:
        self.of, self.at = of, 0

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        if self.at == SIZE:
            raise StopIteration
        self.at += 1
        return self.of.check(self.at - 1)


Words = Callable[[ps.Pipeline], ps.Pipeline]
SHARD: Words = lambda pipeline: pipeline.shard(1, 3, end="repeat")  # noqa: E731
WORDS: list[Words] = [
    lambda pipeline: pipeline,
    lambda pipeline: pipeline.repeat(3),
    lambda pipeline: pipeline.shuffle(7).repeat(2),
    lambda pipeline: pipeline.repeat(2).shuffle(7),
    lambda pipeline: pipeline.stratify(lambda x: x % 2, [0.5, 0.5], repeats=2),
    SHARD,
    lambda pipeline: pipeline.filter(lambda x: x % 5 != 1),
]


def pipeline_of(
    bads: list[dict[int, int]], spoils: dict[int, int], scans: bool, words: Words, misfits: int, on_error: Any
) -> Callable[[], ps.Pipeline]:
    """Gives the pipeline, over sources and a function that do not begin anew with it.

    Sources that are read over to get to a place are bad there once, or always: each time counts. What they end with is good,
    else it would look as if they had ended by raising.
    """
    if scans:
        bads = [{at: n if n > 4 else 1 for at, n in bad.items() if at < SIZE - 1} for bad in bads]
    healing = [Healing(bad) for bad in bads]
    spoilt = Healing(spoils)

    def decode(example: int) -> int:
        return spoilt.check(example)

    def odd_one_out(example: int) -> Any:
        return str(example) if misfits and example % misfits == 3 else example

    def source(its: Healing) -> Any:
        return (lambda: Passing(its)) if scans else its

    def make() -> ps.Pipeline:
        joined = ps.join([source(its) for its in healing])
        if words is SHARD:
            return words(joined.map(decode)).batch(4).options(on_error=on_error)
        return words(joined).map(decode).map(odd_one_out).batch(4).options(on_error=on_error)

    return make


def run(make: Callable[[], ps.Pipeline], breaks: list[int], *, inline: bool) -> tuple[list[Any], str, list[int]]:
    """The batches, broken off after so many of them; what ended them; and the sizes of the states."""
    batches: list[Any] = []
    sizes: list[int] = []
    state = None
    for count in [*breaks, 10**6]:
        with make().open(state=state, inline=inline) as flow:
            try:
                batches += islice(flow, count)
            except ps.OverBudget as error:
                return batches, str(error), sizes
            state = json.loads(json.dumps(flow.state_dict()))
            sizes.append(flow.stats().state_nbytes)
            skips = [(skip.stage, skip.skipped) for skip in flow.stats().skips]
    return batches, repr(skips), sizes


@settings(max_examples=100)
@given(
    bads=st.lists(st.dictionaries(st.integers(0, SIZE - 1), st.integers(1, 4), max_size=6), min_size=1, max_size=3),
    spoils=st.dictionaries(st.integers(0, SIZE - 1), st.integers(1, 3), max_size=4),
    scans=st.booleans(),
    words=st.sampled_from(WORDS),
    misfits=st.sampled_from([0, 11]),
    at_most=st.sampled_from([2, 5, 1000]),
    rate=st.sampled_from([None, 0.005]),
    breaks=st.lists(st.integers(0, 9), min_size=1, max_size=4),
    part=st.sampled_from([0.0, 1e9]),
    heals=st.booleans(),
)
def test_what_is_skipped_once_is_skipped_at_each_resume_and_budgets_break_where_they_would(
    bads: list[dict[int, int]],
    spoils: dict[int, int],
    scans: bool,
    words: Words,
    misfits: int,
    at_most: int,
    rate: float | None,
    breaks: list[int],
    part: float,
    heals: bool,
):
    """Sources and functions that could not be read, and can by then: the batches, counts and errors of the unbroken run.

    Where what is bad stays so, at least: a budget that broke ahead of a state does not break where it heals meanwhile.
    """
    if not heals:
        bads, spoils = [dict.fromkeys(bad, 10**6) for bad in bads], dict.fromkeys(spoils, 10**6)
    elif at_most < 1000 or rate is not None:
        at_most, rate = 1000, None
    on_error = ps.Skip(at_most=at_most, rate=rate)
    whole, end, _ = run(pipeline_of(bads, spoils, scans, words, misfits, on_error), [], inline=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shots, "PART", part)  # as often as there can be a snapshot, and none
        batches, its_end, _ = run(pipeline_of(bads, spoils, scans, words, misfits, on_error), breaks, inline=True)

    assert its_end == end
    assert len(batches) == len(whole)
    assert all(map(same, batches, whole))


class Fickle:
    """Bad at some places in the passes that are said, the first of which is 0; a pass begins where it goes back."""

    def __init__(self, bad: dict[int, set[int]]) -> None:
        self.bad = bad
        self.number = self.last = 0

    def __len__(self) -> int:
        return SIZE

    def __getitem__(self, index: int) -> int:
        self.number += index < self.last
        self.last = index
        if self.number in self.bad.get(index, ()):
            raise ValueError(f"bad {index}")
        return index


@pytest.mark.parametrize("bad", [{0: {0, 1}}, {0: {1}}, {1: {0}, 2: {1}}, {0: {0, 1, 2}, 30: {2}}, {1: {3}}])
@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("inline", [False, True])
def test_what_is_skipped_where_a_part_is_filled_up_is_told_from_the_first_pass(
    bad: dict[int, set[int]], within: bool, inline: bool, monkeypatch: pytest.MonkeyPatch
):
    """The same places are read twice in one epoch, and may be bad at one of these times: no state has a snapshot here."""
    monkeypatch.setattr(shots, "PART", 1e9)

    def make() -> ps.Pipeline:
        joined = ps.join([Fickle(bad)])
        words = joined.repeat(2).shard(6, 7, end="repeat") if within else joined.shard(6, 7, end="repeat").repeat(2)
        return words.batch(3).options(on_error=ps.Skip(at_most=4))

    whole, end, _ = run(make, [], inline=True)
    for first in range(len(whole) + 1):
        batches, its_end, _ = run(make, [first, 1], inline=inline)

        assert its_end == end, first
        assert len(batches) == len(whole)
        assert all(map(same, batches, whole))


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("weights", [None, [2, 1], [1, 3]])
@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.usefixtures("often")
def test_the_other_sources_are_known_again_where_one_was_skipped(inline: bool, weights: Any, shuffled: bool):
    """Where they stood was noted with the example before last, which was not what they gave last."""

    def make() -> ps.Pipeline:
        joined = ps.join([Healing({}), Healing({11: 10**6, 30: 10**6})], weights).map(abs)
        words = joined.shuffle(7) if shuffled else joined.shard(1, 3)
        return words.batch(4).options(on_error=ps.Skip())

    whole, end, _ = run(make, [], inline=True)
    for first in range(len(whole) + 1):
        batches, its_end, _ = run(make, [first], inline=inline)

        assert its_end == end, first
        assert all(map(same, batches, whole))


def test_a_rate_is_of_one_pass_also_where_a_part_is_filled_up():
    """The first that is bad in the second pass is not one of a hundred."""
    pipeline = ps.join([range(6000)]).map(lambda x: 1 // (x % 100)).shard(6, 7, end="repeat").batch(3)
    with pipeline.options(on_error=ps.Skip(at_most=None, rate=0.011)).open(inline=True) as flow:
        for _ in flow:
            pass
        (told,) = flow.stats().skips

    assert told.skipped == 61


@settings(max_examples=30)
@given(
    bads=st.lists(st.sets(st.integers(0, SIZE - 1), max_size=6), min_size=1, max_size=3),
    scans=st.booleans(),
    words=st.sampled_from(WORDS),
    at_most=st.sampled_from([5, 1000]),
    breaks=st.lists(st.integers(0, 9), min_size=1, max_size=4),
    part=st.sampled_from([0.0, 1e9]),
)
def test_with_threads_too(
    bads: list[set[int]], scans: bool, words: Words, at_most: int, breaks: list[int], part: float
):
    """What is always bad, however far ahead it was read."""
    always = [dict.fromkeys(bad, 10**6) for bad in bads]
    on_error = ps.Skip(at_most=at_most)
    whole, end, _ = run(pipeline_of(always, {}, scans, words, 11, on_error), [], inline=False)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shots, "PART", part)
        batches, its_end, _ = run(pipeline_of(always, {}, scans, words, 11, on_error), breaks, inline=False)

    # How far ahead the second pass of a part that is filled up is read, and skipped, is a matter of time.
    assert words is SHARD or its_end == end
    assert len(batches) == len(whole)
    assert all(map(same, batches, whole))


class Endless:
    """A stream without end, of which 1 % is bad."""

    def __init__(self) -> None:
        self.at = 0

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        self.at += 1
        if self.at % 100 == 7:
            raise ValueError(self.at)
        return self.at

    def state_dict(self) -> dict[str, int]:
        return {"at": self.at}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.at = state["at"]


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize(
    ("make", "on_error", "batches"),
    [
        # 50 epochs, of which the same 12 of 120 are bad in each.
        (lambda: ps.join([Healing(dict.fromkeys(range(0, SIZE, 10), 10**6))] * 2).repeat(), ps.Skip(), 50 * 108 // 8),
        (lambda: ps.join([range(SIZE)]).repeat().map(lambda x: 1 // (x % 10)), ps.Skip(), 50 * 54 // 8),
        # 100,000 examples.
        (lambda: ps.join([Endless]), ps.Skip(at_most=None, rate=0.02), 12_000),
        (lambda: ps.join([Endless]).shuffle(20), ps.Skip(at_most=None, rate=0.02), 12_000),
    ],
)
def test_a_state_does_not_grow_with_what_was_skipped(
    make: Callable[[], ps.Pipeline], on_error: Any, batches: int, inline: bool
):
    """It holds the counts, the places that a budget is of, and what was skipped behind its snapshot."""
    with make().batch(8).options(on_error=on_error).open(inline=inline) as flow:
        sizes = []
        for _ in range(8):
            flow.skip(batches // 8 - 1)
            next(flow)
            flow.state_dict()
            sizes.append(flow.stats().state_nbytes)
        ledgers = list(flow._built.quarantine.ledgers.values())
        gc.collect()
        remembered = sum(len(log.entries) for log in gc.get_objects() if isinstance(log, SkipLog))

    assert sum(ledger.count for ledger in ledgers) >= 299
    assert remembered < 2 * MOST_SKIPPED + 150
    # Behind a snapshot MOST_SKIPPED at most, and what was read ahead, of some 30 bytes each.
    assert max(sizes) < sizes[0] + 30 * (MOST_SKIPPED + 150)


def test_nothing_is_kept_for_a_state_where_there_is_none_to_be_had():
    """Of an iterator that cannot be opened again."""
    pipeline = (
        ps.join([iter(range(1000))])
        .map(lambda x: 1 // (x % 2))
        .batch(8)
        .options(on_error=ps.Skip(at_most=None, rate=0.6))
    )
    with pipeline.open(inline=True) as flow:
        assert len(list(flow)) == 62
        (ledger, *_) = [each for each in flow._built.quarantine.ledgers.values() if each.count]

    assert (ledger.count, len(ledger.mark())) == (500, 0)


def test_what_was_skipped_is_known_after_a_resume():
    """How many, the first and the last: for the report, and for the error of a budget."""
    make = pipeline_of([dict.fromkeys([3, 9, 40], 10**6)], {}, False, WORDS[0], 0, ps.Skip())
    with make().open(inline=True) as flow:
        flow.skip(12)
        state = flow.state_dict() if next(flow) is not None else None
    with make().open(state=state, inline=True) as flow:
        next(flow)
        told = flow.stats().skips[0]

    assert told.skipped == 3
    assert [str(told.first), str(told.last)] == [str(flow.quarantine[0]), str(flow.quarantine[-1])]
    assert str(told.first) == "0:0:3 in read 'Healing': ValueError: bad 3"


def test_a_misfit_that_waits_for_its_batch_is_not_lost_at_a_second_resume():
    """Columns come in runs: of what waits, the misfit that was known had been left out, and with it what a state counts."""

    def make() -> ps.Pipeline:
        rows = [{"x": np.arange(3) if number % 9 == 4 else np.arange(2), "y": number} for number in range(40)]
        return ps.join([rows]).map(lambda row: row).batch(6).options(on_error=ps.Skip())

    whole, end, _ = run(make, [], inline=True)
    for first in range(6):
        for second in range(3):
            batches, its_end, _ = run(make, [first, second, 0], inline=True)

            assert its_end == end
            assert all(map(same, batches, whole))
