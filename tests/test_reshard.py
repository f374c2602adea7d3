"""`ps.reshard`: what some ranks left over is delivered by others, as many as there are, each example once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock as ps
from tests.labelled import exactly, source, stream

pytestmark = pytest.mark.usefixtures("often")

Make = Callable[[], ps.Pipeline]
Behind = Callable[[ps.Pipeline], ps.Pipeline]

COUNTS = [7, 30, 11]
EVERYTHING = list(range(sum(COUNTS)))


def runs() -> list[list[int]]:
    starts = np.cumsum([0, *COUNTS])
    return [list(range(start, start + count)) for start, count in zip(starts, COUNTS, strict=False)]


def even(x: Any) -> bool:
    return int(x) % 4 != 1


SOURCES: dict[str, Make] = {
    "arrays": lambda: ps.join([np.array(run) for run in runs()]),
    "lists": lambda: ps.join(runs()),
    "callables": lambda: ps.join([lambda run=run: iter(run) for run in runs()]).map(int),
    "weights": lambda: ps.join(runs(), weights=[1, 2, 3]),
    "shuffled": lambda: ps.join(runs()).shuffle(6),
    "filtered": lambda: ps.join([[*run, *[-5] * 9] for run in runs()]).filter(lambda x: x >= 0),
}
BEHIND: dict[str, Behind] = {
    "batch": lambda part: part.batch(3, keep_last=True),
    "map": lambda part: part.map(int),
    "shuffle": lambda part: part.shuffle(5).batch(2, keep_last=True),
    "filter": lambda part: part.filter(even).batch(3, keep_last=True),
    "bucket": lambda part: part.bucket(lambda x: int(x) % 7, [3], batch_size=2, keep_last=True),
}


def taken(pipeline: ps.Pipeline, count: int | None, state: Any = None, inline: bool = True) -> tuple[list[Any], Any]:
    """So many batches, and the state then."""
    with pipeline.open(state=state, inline=inline) as flow:
        batches = list(islice(flow, count))
        return batches, json.loads(json.dumps(flow.state_dict()))


def values(batches: Sequence[Any]) -> list[int]:
    """The numbers in batches, without padding."""
    found: list[int] = []
    for batch in batches:
        if isinstance(batch, tuple) and isinstance(batch[1], dict):
            batch = np.atleast_1d(batch[0])[np.atleast_1d(batch[1]["valid"])]
        found += np.atleast_1d(batch).tolist()
    return found


def passed_on(
    source: ps.Pipeline, behind: Behind, sizes: Sequence[int], moments: Sequence[int], inline: bool = True, **how: Any
) -> list[list[int]]:
    """What each world of ranks delivers, one after the other: some batches each, the last the rest."""
    states: list[Any] | None = None
    worlds: list[list[int]] = []
    for number, size in enumerate(sizes):
        parts = [behind(source.shard(rank, size, **how)) for rank in range(size)]
        if states is not None:
            states = ps.reshard(parts[0], states, size)
        last = number + 1 == len(sizes)
        got: list[int] = []
        after = []
        for rank, part in enumerate(parts):
            count = None if last else moments[(rank + 3 * number) % len(moments)]
            batches, state = taken(part, count, states[rank] if states is not None else None, inline)
            got += values(batches)
            after.append(state)
        states = after
        worlds.append(got)
    return worlds


@given(
    st.sampled_from(sorted(SOURCES)),
    st.sampled_from(sorted(BEHIND)),
    st.lists(st.integers(1, 5), min_size=2, max_size=3),
    st.lists(st.integers(0, 9), min_size=1, max_size=5),
    st.sampled_from(["drop", "pad"]),
)
def test_by_turns_what_was_left_over_is_delivered_once(
    kind: str, words: str, sizes: list[int], moments: list[int], end: str | None
):
    """At every moment of each rank, and again for what those left over who went on."""
    if words in ("bucket", "filter"):
        end = None
    elif end == "pad" and words == "map":
        end = "drop"

    worlds = passed_on(SOURCES[kind](), BEHIND[words], sizes, moments, end=end)

    got = Counter(x for world in worlds for x in world)
    wanted = [x for x in EVERYTHING if words != "filter" or even(x)]
    assert max(got.values()) == 1
    assert set(got) <= set(wanted)
    assert len(wanted) - len(got) < (sum(sizes) if end == "drop" else 1)


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=7),
    st.integers(1, 4),
    st.sampled_from(sorted(BEHIND)),
    st.lists(st.integers(1, 5), min_size=2, max_size=3),
    st.lists(st.integers(0, 9), min_size=1, max_size=5),
    st.sampled_from(["drop", "pad"]),
    st.booleans(),
)
def test_by_files_what_was_left_over_is_delivered_once(
    tmp_path_factory: pytest.TempPathFactory,
    counts: list[int],
    streams: int,
    words: str,
    sizes: list[int],
    moments: list[int],
    end: str | None,
    twice: bool,
):
    """Where each rank read its own files too, which all of the others go on with."""
    folder = tmp_path_factory.mktemp("lines")
    for number, count in enumerate(counts):
        (folder / f"{number}.txt").write_text("".join(f"{10 * number + line}\n" for line in range(count)))
    source = ps.read_text(str(folder / "*.txt"), streams=streams).map(int)
    source = source.repeat(2) if twice else source
    if words in ("bucket", "filter"):
        end = None
    elif end == "pad" and words == "map":
        end = "drop"

    worlds = passed_on(source, BEHIND[words], sizes, moments, end=end)

    got = Counter(x for world in worlds for x in world)
    numbers = [10 * number + line for number, count in enumerate(counts) for line in range(count)]
    wanted = [x for x in numbers if words != "filter" or even(x)]
    assert max(got.values(), default=0) <= 1 + twice
    assert set(got) <= set(wanted)
    missing = sum((Counter(wanted * (1 + twice)) - got).values())
    assert missing < (sum(sizes) if end == "drop" else 1)


# With class proportions.

SHARES = [3, 2, 1]
TARGET = exactly(SHARES)
SIZE = 4
COUNT = 200


def labelled(cut: str, count: int = COUNT) -> ps.Pipeline:
    """Numbers with labels, of three classes in the proportions asked for, but for chance."""
    return source(stream("iid", np.array(SHARES) / 6, count, 5), cut)


def stepped(
    make: Callable[[int, int], ps.Pipeline], sizes: Sequence[int], steps: Sequence[int]
) -> list[list[list[Any]]]:
    """Of each world of ranks what each step delivered, rank by rank; the last goes on until a rank ends."""
    states: list[Any] | None = None
    worlds = []
    for number, size in enumerate(sizes):
        parts = [make(rank, size) for rank in range(size)]
        if states is not None:
            states = ps.reshard(parts[0], states, size)
        count = None if number + 1 == len(sizes) else steps[number]
        runs = [taken(part, count, states[rank] if states is not None else None) for rank, part in enumerate(parts)]
        states = [state for _, state in runs]
        worlds.append([list(step) for step in zip(*[batches for batches, _ in runs], strict=False)])
    return worlds


def check_shares(worlds: list[list[list[Any]]]) -> None:
    """Exact in each batch of each rank, and in all of a step together."""
    for steps in worlds:
        for step in steps:
            counts = [np.bincount(labels, minlength=3) for _, labels in step]
            for count, size in [*((count, SIZE) for count in counts), (sum(counts), SIZE * len(step))]:
                want = size * np.array(SHARES) / 6
                assert (np.abs(count - want) < 1).all()


@settings(max_examples=15)
@given(
    st.sampled_from(["rows", "columns"]),
    st.booleans(),
    st.lists(st.integers(1, 5), min_size=2, max_size=3),
    st.lists(st.integers(0, 5), min_size=2, max_size=2),
    st.integers(1, 2),
)
def test_shares_stay_exact_and_nothing_is_used_up_twice(
    cut: str, behind: bool, sizes: list[int], steps: list[int], repeats: int
):
    """Whether each rank composes its own batches, or `shard` parts what was composed for all."""
    arrived: list[set[int]] = []

    def make(rank: int, size: int) -> ps.Pipeline:
        if rank == 0:
            arrived.append(set())
        own = arrived[-1]

        def noted(example: Any) -> Any:
            own.add(int(example[0]))
            return example

        pipeline = labelled(cut)
        if behind:
            return pipeline.map(noted).stratify(1, TARGET, repeats=repeats).shard(rank, size).batch(SIZE)
        return pipeline.shard(rank, size, end=None).map(noted).stratify(1, TARGET, repeats=repeats).batch(SIZE)

    worlds = stepped(make, sizes, steps)

    check_shares(worlds)
    uses = Counter(x for steps in worlds for step in steps for numbers, _ in step for x in numbers.tolist())
    assert max(uses.values()) <= repeats
    unread = set(range(COUNT)) - set().union(*arrived[:-1])
    assert len(unread - arrived[-1]) < sizes[-1]
    assert len(uses) > COUNT / 4  # until the first rank ends


@pytest.mark.parametrize("cut", ["rows", "columns"])
@settings(max_examples=8)
@given(st.lists(st.sampled_from([1, 2, 3, 4, 6]), min_size=2, max_size=3), st.integers(0, 3), st.integers(1, 3))
def test_all_ranks_together_get_the_batches_of_the_unbroken_run(cut: str, sizes: list[int], steps: int, repeats: int):
    """Where every rank sees all labels, and all ranks' batches hold as many examples together: step by step."""

    def part(rank: int, size: int) -> ps.Pipeline:
        return labelled(cut).stratify(1, TARGET, repeats=repeats).shard(rank, size).batch(12 // size)

    got: list[Any] = []
    states: list[Any] | None = None
    for number, size in enumerate(sizes):
        if states is not None:
            before = len(states)
            states = ps.reshard(part(0, before), states, size, 12 // size)
        count = None if number + 1 == len(sizes) else steps
        runs = [taken(part(rank, size), count, states[rank] if states else None) for rank in range(size)]
        states = [state for _, state in runs]
        got += [
            sorted(x for batch, _ in step for x in batch.tolist()) for step in zip(*[b for b, _ in runs], strict=True)
        ]

    unbroken = labelled(cut).stratify(1, TARGET, repeats=repeats).batch(12).open(inline=True)
    assert got == [sorted(batch.tolist()) for batch, _ in unbroken]


# What is refused, and what else holds.


def states_of(*pipelines: ps.Pipeline, moments: Sequence[int] = (1, 1)) -> list[Any]:
    return [taken(pipeline, count)[1] for pipeline, count in zip(pipelines, moments, strict=True)]


def test_states_that_do_not_belong_together_are_refused():
    """A rank that is missing or doubled, another pipeline, a damaged state; shares of different moments."""
    numbers = ps.join([range(60)])
    first, second, other = (numbers.shard(rank, 2).batch(size) for rank, size in [(0, 2), (1, 2), (1, 3)])
    zero, one, three = states_of(first, second, other, moments=[1, 2, 1])

    for states, words in [
        ([zero], "ranks 0 to 2 less one, each once, got 1: ranks 0 of 2"),
        ([zero, zero], "each once, got 2: ranks 0, 0 of 2"),
        ([], "got none"),
        ([zero, three], "`size` 2, got one with 3"),
        ([zero, {**one, "delivered": 7}], "changed or damaged"),
        ([zero, {}], "states of a pipeline with `shard`"),
        ([zero, taken(numbers.batch(2), 1)[1]], "states of a pipeline with `shard`"),
    ]:
        with pytest.raises(ps.StateError, match=words):
            ps.reshard(first, states, 3)
    fair = [labelled("rows").stratify(1, TARGET).shard(rank, 2).batch(4) for rank in range(2)]
    with pytest.raises(ps.StateError, match=r"as many batches delivered by each rank.* got 1, 2"):
        ps.reshard(fair[0], states_of(*fair, moments=[1, 2]), 3)


def test_pipelines_that_cannot_be_dealt_anew_are_refused():
    """What counts behind `shard` would count anew; batches that a rank holds cannot be had again."""
    numbers = ps.join([range(60)])
    for part, word in [(lambda p: p.take(9), "take"), (lambda p: p.batch(2).unbatch(), "unbatch")]:
        parts = [part(numbers.shard(rank, 2)) for rank in range(2)]
        with pytest.raises(ps.PipelineError, match=rf"alone behind `shard`, got `{word}`.*put `shard` behind it"):
            ps.reshard(parts[0], states_of(*parts), 3)
    with pytest.raises(ps.PipelineError, match="one `shard`"):
        ps.reshard(numbers, [], 3)
    batches = [numbers.batch(2).shard(rank, 2) for rank in range(2)]
    with pytest.raises(ps.StateError, match=r"as many batches delivered by each rank, .* got 0, 4"):
        ps.reshard(batches[0], states_of(*batches, moments=[0, 4]), 3)
    after = ps.reshard(batches[0], states_of(*batches, moments=[2, 2]), 3)
    assert [x.tolist() for x in taken(numbers.batch(2).shard(1, 3), 1, after[1])[0]] == [[10, 11]]


def test_each_epoch_of_files_that_never_end_goes_on(tmp_path: Path):
    """Ranks whose files are shorter are in a later epoch: each set of files goes on where it was, with threads too."""
    for number, count in enumerate([3, 8]):
        (tmp_path / f"{number}.txt").write_text("".join(f"{10 * number + line}\n" for line in range(count)))
    source = ps.read_text(str(tmp_path / "*.txt"), streams=2).map(int).repeat()

    for inline in (True, False):
        states = [taken(source.shard(rank, 2).batch(2), 2, inline=inline)[1] for rank in range(2)]
        after = ps.reshard(source.shard(0, 2).batch(2), states, 3)
        got = [taken(source.shard(rank, 3).batch(2), 2, after[rank], inline)[0] for rank in range(3)]
        together = [[int(got[at % 3][at // 6][at // 3 % 2]) for at in range(place, 12, 2)] for place in range(2)]
        assert together == [[1, 2, 0, 1, 2, 0], [14, 15, 16, 17, 10, 11]]


def test_a_target_by_the_number_of_the_batch_goes_on():
    """The number is that of the run, not of the ranks that go on."""
    number = lambda batch: [1, 0, 0] if batch < 3 else [0, 1, 0]  # noqa: E731
    parts = [labelled("rows").shard(rank, 2, end=None).stratify(1, number).batch(2) for rank in range(2)]
    after = ps.reshard(parts[0], states_of(*parts, moments=[2, 2]), 1)
    got, _ = taken(labelled("rows").shard(0, 1, end=None).stratify(1, number).batch(2), 2, after[0])

    assert [labels.tolist() for _, labels in got] == [[0, 0], [1, 1]]
