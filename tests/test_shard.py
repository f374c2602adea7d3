"""The word `shard`: parts that are disjoint, complete, and end together."""

import json
import os
import socket
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock as ps
from tests.labelled import check_counts, exactly, run, source, stream

pytestmark = pytest.mark.usefixtures("often")

ENDS = ("drop", "pad", "repeat")


def parts(pipeline: ps.Pipeline, world_size: int, behind: Any = None, **how: Any) -> list[list[Any]]:
    """What each rank gets."""
    after = behind or (lambda part: part)
    return [list(after(pipeline.shard(rank, world_size, **how)).open(inline=True)) for rank in range(world_size)]


def lines(folder: Path, counts: list[int]) -> list[str]:
    """Text files of so many lines each, all different."""
    paths = [folder / f"part-{number}.txt" for number in range(len(counts))]
    for number, (path, count) in enumerate(zip(paths, counts, strict=True)):
        path.write_text("".join(f"{number}:{line}\n" for line in range(count)))
    return [str(path) for path in paths]


def inputs(kind: str, counts: list[int]) -> tuple[ps.Pipeline, list[int]]:
    """A pipeline of one kind over the numbers from 0 on, and those."""
    starts = np.cumsum([0, *counts])
    runs = [range(start, start + count) for start, count in zip(starts, counts, strict=False)]
    everything = list(range(int(starts[-1])))
    if kind == "chunks":
        return ps.join([ps.join([list(run)]).batch(3, keep_last=True) for run in runs]), everything
    if kind == "weights":
        return ps.join([list(run) for run in runs], weights=range(1, len(runs) + 1)), everything
    if kind == "callables":
        return ps.join([lambda run=run: iter(run) for run in runs]).map(int), everything
    return ps.join([np.array(run, np.int64) for run in runs]), everything


@given(
    st.sampled_from(["arrays", "chunks", "weights", "callables"]),
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.integers(1, 5),
    st.sampled_from(ENDS),
)
def test_parts_are_disjoint_and_complete_and_even(kind: str, counts: list[int], world_size: int, end: str):
    """Every example is one rank's; only a last round that is not full is left out; all ranks get as many batches."""
    pipeline, everything = inputs(kind, counts)

    own = parts(pipeline, world_size, end=end)
    batches = [len(list(part)) for part in parts(pipeline, world_size, lambda part: part.batch(2), end=end)]

    assert len({len(part) for part in own}) == 1
    assert len(set(batches)) == 1
    values = [int(row[0] if end == "pad" else row) for part in own for row in part if end != "pad" or row[1]["valid"]]
    rounds = len(everything) // world_size * world_size
    if end == "drop":
        assert len(values) == len(set(values)) == rounds
    elif end == "pad":
        assert sorted(values) == everything
        assert batches[0] == -(-len(everything) // (2 * world_size))
    else:
        assert set(values) == set(everything)
        assert len(values) == -(-len(everything) // world_size) * world_size


@given(
    st.lists(st.integers(1, 7), min_size=1, max_size=6),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from(ENDS),
    st.booleans(),
)
def test_parts_of_files_are_disjoint_complete_and_even(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], world_size: int, streams: int, end: str, twice: bool
):
    """By files where there are enough of them, else by turns: either way all is read once, and all ranks end together."""
    paths = lines(tmp_path_factory.mktemp("lines"), counts)
    pipeline = ps.read_text(paths, streams=streams)
    pipeline = pipeline.repeat(2) if twice else pipeline

    own = parts(pipeline, world_size, end=end)

    assert len({len(part) for part in own}) == 1
    if end == "pad":
        own = [[row for row, extra in part if extra["valid"]] for part in own]
    got = Counter(row for part in own for row in part)
    everything = [f"{number}:{line}" for number, count in enumerate(counts) for line in range(count)]
    if end == "drop":
        assert max(got.values(), default=0) <= 1 + twice
    elif end == "pad":
        assert got == {line: 1 + twice for line in everything}
    else:
        assert set(got) == set(everything)


def test_each_rank_opens_its_own_files_only(tmp_path: Path):
    """The file of another rank may even be gone, where lengths need not be counted."""
    paths = lines(tmp_path, [4, 4, 4])
    pipeline = ps.read_text(paths).repeat().shard(1, 3)
    for number in (0, 2):
        Path(paths[number]).unlink()

    with pipeline.open() as flow:
        rows = [next(flow) for _ in range(4)]
        told = flow.report()

    assert rows == ["1:0", "1:1", "1:2", "1:3"]
    assert "shard: rank 1 of 3, by files: it reads 1 of 3 sources" in told
    assert flow.stats().sources[0].examples == 0


def test_files_that_do_not_tell_are_counted_and_the_ranks_end_together(tmp_path: Path):
    """Lines of text are known by reading only: the shortest part decides, what is beyond it is counted."""
    paths = lines(tmp_path, [5, 9])

    with ps.read_text(paths).shard(1, 2).batch(2).open(inline=True) as flow:
        batches = list(flow)

    assert [batch.tolist() for batch in batches] == [["1:0", "1:1"], ["1:2", "1:3"]]
    assert flow.stats().shares[0].dropped == 4


def test_how_a_stream_is_parted_can_be_asked_for_and_is_told(tmp_path: Path):
    """`by` decides; where it does not, `repr` says what was chosen."""
    pipeline = ps.read_text(lines(tmp_path, [2, 2]))

    assert repr(pipeline.shard(0, 2)).endswith('.shard(0, 2, end="drop", by="files")>')
    assert list(pipeline.shard(0, 2)) == ["0:0", "0:1"]
    assert list(pipeline.shard(0, 2, by="turns")) == ["0:0", "1:0"]
    assert 'by="turns"' in repr(pipeline.shard(0, 3))
    assert 'by="turns"' in repr(pipeline.filter(bool).shard(0, 2))
    assert list(ps.join([[1, 2], [3, 4]]).shard(1, 2, by="files")) == [3, 4]


def test_lengths_are_known_per_rank():
    """Where the stream's is known; of files where they tell."""
    pipeline = ps.from_arrays(np.arange(11))

    assert [len(pipeline.shard(rank, 3)) for rank in range(3)] == [3, 3, 3]
    assert len(pipeline.shard(0, 3, end="pad")) == 4
    assert len(pipeline.shard(0, 3, end="pad").batch(3)) == 2
    assert len(pipeline.shard(0, 3, end="pad").shuffle(5).batch(3)) == 2
    assert len(pipeline.shard(0, 3, end="repeat").batch(3, keep_last=True)) == 2
    assert len(ps.join([np.arange(4), np.arange(7)]).shard(0, 2, by="files", end="pad")) == 7


def test_a_length_is_how_many_come(tmp_path: Path):
    """Also of Parquet files, whose rows are known without reading."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    for number, count in enumerate([5, 8, 3]):
        parquet.write_table(pa.table({"x": np.arange(count) + 10 * number}), tmp_path / f"{number}.parquet")
    pipeline = ps.read_parquet(str(tmp_path / "*.parquet"))

    for end in ENDS:
        for rank in range(2):
            part = pipeline.shard(rank, 2, end=end).batch(3)
            assert len(list(part.open(inline=True))) == len(part) == {"drop": 2, "pad": 3, "repeat": 3}[end]


def test_padding_is_marked_for_batches_that_cross_the_end():
    """The mask stands in the same place as other extras: in a dict batch, or in the dict beside it."""
    tagged = ps.join({"a": [1, 2, 3]}, tag="source").shard(0, 2, end="pad", mask="real").batch(2)
    keyed = ps.from_arrays({"x": np.arange(3)}).shard(1, 2, end="pad").batch(2)

    (values, extras), *_ = tagged
    (batch,) = keyed

    assert values.tolist() == [1, 3]
    assert extras["source"].tolist() == ["a", "a"]
    assert extras["real"].tolist() == [True, True]
    assert batch["x"].tolist() == [1, 2]
    assert batch["valid"].tolist() == [True, False]


def test_random_numbers_are_those_of_the_whole_run(tmp_path: Path):
    """An example keeps its ticket on whatever rank it is, by turns and by files."""

    def drawn(x: Any, rng: np.random.Generator) -> tuple[Any, float]:
        return x, float(rng.random())

    for whole in (ps.join([[1, 2, 3], [4, 5, 6]]), ps.read_text(lines(tmp_path, [3, 3]), streams=2)):
        alone = dict(whole.take(6).map(drawn))
        for part in parts(whole, 2, lambda part: part.map(drawn)):
            assert dict(part).items() <= alone.items()


def test_batches_go_by_turns():
    """Behind `batch` it is whole batches that are dealt, as of `batch_join`."""
    feed = ps.batch_join([[1, 2, 3, 4, 5, 6, 7]], batch_size=2)

    got = parts(feed, 2)

    assert [[batch.tolist() for batch in part] for part in got] == [[[1, 2]], [[3, 4]]]
    with pytest.raises(ps.PipelineError, match="before `batch`"):
        feed.shard(0, 2, end="pad")


def test_a_shuffled_part_is_as_long_and_a_shuffled_stream_is_parted():
    """`shuffle` leaves nothing out, on either side: nobody is warned, and padding fills whole batches."""
    stream = ps.join([list(range(21))])

    behind = parts(stream, 2, lambda part: part.shuffle(4).batch(4), end="pad")
    before = parts(stream.shuffle(8), 2)
    by_index = parts(stream.shuffle(), 3)

    assert [len(part) for part in behind] == [3, 3]
    assert sorted(x for part in behind for x, extra in part for x in x[extra["valid"]].tolist()) == list(range(21))
    assert len({x for part in before for x in part}) == 20
    assert sorted(x for part in by_index for x in part) == list(range(21))


def test_batches_by_length_may_differ_in_number():
    """How many come of a part depends on how long its examples are, and no rank sees those of others."""
    words = ps.join([["a", "bb", "ccc", "dd"] * 4])

    with pytest.raises(ps.PipelineError, match="got `bucket` behind `shard`"):
        list(words.shard(0, 2).bucket(len, [2], batch_size=2))
    own = parts(words.bucket(len, [2], batch_size=2), 2)
    assert [len(batches) for batches in own] == [4, 4]


# With class proportions.


@pytest.mark.parametrize("cut", ["rows", "columns"])
@pytest.mark.parametrize("behind", [True, False])
def test_each_rank_and_all_ranks_together_hold_the_shares(cut: str, behind: bool):
    """G2 for each rank's batch, G2 and G3 for the global batch, whether `shard` stands before `stratify` or behind it."""
    weights, world_size, size = [5, 2, 1], 3, 4
    labels = stream("iid", np.array([0.2, 0.3, 0.5]), 1500, 1)
    target = exactly(weights)
    runs = []
    for rank in range(world_size):
        pipeline = source(labels, cut)
        if behind:
            pipeline = pipeline.stratify(1, target).shard(rank, world_size)
        else:
            pipeline = pipeline.shard(rank, world_size).repeat().stratify(1, target)
        runs.append(run(pipeline.batch(size).take(40)))

    counts = np.stack([own.counts(3) for own in runs])
    check_counts(counts.sum(axis=0), weights, size * world_size)
    low = np.array([size * weight // 8 for weight in weights])
    assert (counts >= low).all()
    assert (counts <= [-(-size * weight // 8) for weight in weights]).all()
    numbers = [number for own in runs for batch in own.numbers for number in batch.tolist()]
    if behind:
        assert len(set(numbers)) == len(numbers)


def test_behind_stratify_the_ranks_share_the_batches_of_one_run():
    """G9: the global batch of a step is the same for any number of ranks with the same examples in all."""
    labels = stream("bursts", np.array([0.1, 0.2, 0.7]), 1200, 3)
    steps = []
    for world_size in (1, 2, 4):
        per_rank = [
            run(source(labels).stratify(1, [0.5, 0.25, 0.25], repeats=2).shard(rank, world_size).batch(8 // world_size))
            for rank in range(world_size)
        ]
        assert len({len(own.numbers) for own in per_rank}) == 1
        steps.append(
            [sorted(np.concatenate(step).tolist()) for step in zip(*[o.numbers for o in per_rank], strict=True)]
        )

    assert steps[0] == steps[1] == steps[2]
    assert len(steps[0]) > 20


def test_what_other_ranks_train_on_is_not_decoded():
    """`map` behind `shard` sees this rank's part only, while its labels are read of all."""
    decoded: list[int] = []

    def decode(example: tuple[int, int]) -> tuple[int, int]:
        decoded.append(example[0])
        return example

    labels = [0, 1] * 40
    got = run(source(labels).stratify(1, [0.5, 0.5]).shard(1, 2).map(decode).batch(4))

    assert sorted(decoded) == sorted(np.concatenate(got.numbers).tolist())


def test_weights_stand_beside_what_is_dealt_by_class():
    """The label is read off the example itself, not off the pair that it has become."""
    pipeline = source([0, 1, 1, 1] * 30).stratify(1, [0.5, 0.5], weights="natural").shard(0, 2).batch(4)

    ((_, labels), extras) = next(iter(pipeline))

    assert sorted(labels.tolist()) == [0, 0, 1, 1]
    assert extras["weights"].shape == (4,)


def test_batches_of_p_classes_are_dealt_whole():
    """A batch of P classes with m examples each stays one."""
    pipeline = source(list(range(6)) * 30).stratify(1, classes_per_batch=2, per_class=2)

    got = [run(pipeline.shard(rank, 2).batch(4)) for rank in range(2)]

    assert len(got[0].labels) == len(got[1].labels) > 5
    for own in got:
        assert all(sorted(Counter(labels.tolist()).values()) == [2, 2] for labels in own.labels)


def test_the_last_smaller_batch_is_shared_out_too():
    """With `keep_last` its whole turns are dealt, and with `end="pad"` all of it."""
    pipeline = source([0, 1] * 7).stratify(1, [0.5, 0.5])

    own = parts(pipeline, 4, lambda part: part.batch(2, keep_last=True), end="pad")

    sizes = [[len(extras["valid"]) for _, extras in part] for part in own]
    assert sizes == [sizes[0]] * 4
    assert sum(int(extras["valid"].sum()) for part in own for _, extras in part) == 14


# Going on from a state.


def plainly(batch: Any) -> str:
    """A batch as text, so that batches can be compared."""
    return repr(batch)


def unsure(example: Any, rng: np.random.Generator) -> tuple[Any, float]:
    """With a number of its own."""
    return example, float(rng.random())


def resumable(tmp_path: Path) -> dict[str, ps.Pipeline]:
    """A part of each kind, rank 1 of 2."""
    text, long = ps.read_text(lines(tmp_path, [7, 12, 9])), source(stream("iid", np.array([0.3, 0.7]), 120, 5))
    odd = source(stream("iid", np.array([0.3, 0.7]), 41, 2))
    chunks = ps.join([np.arange(40), np.arange(100, 133)])
    return {
        "turns": ps.join([list(range(9)), list(range(20, 40))]).shard(1, 2).batch(3),
        "columns": chunks.batch(7).shard(1, 2).unbatch().batch(4),
        "pad": ps.join([list(range(31))]).shard(1, 2, end="pad").batch(4),
        "repeat": ps.join([list(range(9))]).shard(1, 2, end="repeat").batch(4, keep_last=True).repeat(2),
        "around": ps.join([list(range(3))]).shard(1, 2, end="repeat").batch(5).repeat(3),
        "files": text.shard(1, 2).batch(3),
        "files padded": text.shard(1, 2, end="pad").batch(3),
        "files repeated": text.shard(1, 2, end="repeat").batch(5),
        "before": long.shard(1, 2).repeat(2).stratify(1, [0.5, 0.5]).batch(4).take(6).repeat(),
        "padded before": odd.shard(1, 2, end="pad")
        .stratify((0, 1), [0.5, 0.5], repeats=3)
        .map(unsure)
        .batch(4)
        .repeat(),
        "behind": long.stratify(1, [0.5, 0.5], repeats=2).shard(1, 2).map(lambda x, rng: (*x, rng.random())).batch(4),
        "padded behind": long.stratify(1, [0.25, 0.75]).shard(1, 2, end="pad").batch(3, keep_last=True),
    }


@pytest.mark.parametrize("inline", [True, False])
def test_each_kind_of_part_goes_on_where_it_was(tmp_path: Path, inline: bool):
    """After any batch the state, as JSON, gives the rest as it would have come; and so does the state of that flow."""
    for name, pipeline in resumable(tmp_path).items():
        with pipeline.open(inline=True) as flow:
            whole = [plainly(batch) for _, batch in zip(range(14), flow, strict=False)]
        state: Any = None
        assert len(whole) > 1, name
        for at in range(len(whole)):
            with pipeline.open(state=state, inline=inline) as flow:
                got = plainly(next(flow))
                state = json.loads(json.dumps(flow.state_dict()))
            assert got == whole[at], f"{name} at batch {at}"


def test_the_state_of_another_rank_is_refused():
    """It would go on in the other's part."""
    pipeline = ps.join([list(range(20))])
    with pipeline.shard(0, 2).batch(2).open(inline=True) as flow:
        next(flow)
        state = flow.state_dict()

    with pytest.raises(ps.PenstockError, match="`rank` 1, got one with 0"):
        pipeline.shard(1, 2).batch(2).open(state=state)


# What is said.


def test_ranks_that_might_end_apart_are_not_opened():
    """What `filter` leaves out differs from rank to rank, and the others would wait for ever."""
    numbers = ps.join([[1, 2, 3, 4, 5]])
    part = numbers.shard(0, 2).filter(bool)

    with pytest.raises(ps.PipelineError) as raised:
        list(part)
    assert str(raised.value) == (
        "expected every rank to end at the same batch, got `filter` behind `shard`, which may leave more out on one rank than "
        "on another - at shard(end) - put `shard` behind it, or an endless `repeat()` before it; or say `end=None`"
    )
    with part.repeat().open(inline=True) as flow:
        assert next(flow) == 1
    assert list(numbers.shard(0, 1).filter(bool)) == [1, 2, 3, 4, 5]
    assert parts(numbers.filter(lambda x: x != 2), 2) == [[1, 4], [3, 5]]
    assert parts(numbers, 2, lambda part: part.filter(lambda x: x != 2), end=None) == [[1, 3, 5], [4]]


LEAVING_OUT: dict[str, Any] = {
    "filter": lambda stream: stream.filter(lambda x: x[0] % 3),
    "map": lambda stream: stream.map(lambda x: (x[0], 6 // (x[0] % 3)), on_error=ps.Skip(at_most=None, rate=0.9)),
    "stratify": lambda stream: stream.stratify(lambda x: x[0] % 2, [0.25, 0.75]),
    "bucket": lambda stream: stream.bucket(lambda x: x[0] % 5, [3], batch_size=2).map(lambda batch: batch[0]),
    "nothing": lambda stream: stream,
}


@given(
    st.sampled_from(sorted(LEAVING_OUT)),
    st.booleans(),
    st.lists(st.integers(1, 30), min_size=1, max_size=4),
    st.integers(2, 4),
    st.sampled_from([*ENDS, None]),
)
def test_whatever_opens_ends_at_the_same_batch_on_every_rank(
    words: str, behind: bool, counts: list[int], world_size: int, end: Any
):
    """But where `end=None` asks for no such thing, and then nothing is left out nor added by `shard`."""
    everything = list(range(sum(counts)))
    starts = np.cumsum([0, *counts])
    runs = [[(x,) for x in range(start, start + count)] for start, count in zip(starts, counts, strict=False)]
    leaving_out = LEAVING_OUT[words]
    stream = ps.join([*runs, [(12,), (1,), (7,), (4,)]])

    if behind and words != "nothing" and end is not None:
        with pytest.raises(ps.PipelineError, match="every rank to end at the same batch"):
            parts(stream, world_size, leaving_out, end=end)
        return
    if behind:
        own = parts(stream, world_size, leaving_out, end=end)
    elif end == "pad" and words == "bucket":  # there is no batch that is padding
        own = parts(leaving_out(stream), world_size, end="repeat")
    else:
        own = parts(leaving_out(stream), world_size, end=end)
    if end is not None:
        assert len({len(part) for part in own}) == 1
    elif words == "nothing":
        assert sorted({row[0] for part in own for row in part}) == sorted({*everything, 12, 1, 7, 4})


def test_a_misfit_is_not_skipped_where_ranks_end_together():
    """This rank would be a batch short; so it is raised, and says why, unless that was allowed."""
    stream = ps.join([[1, 2, "three", 4, 5, 6, 7, 8]]).options(on_error=ps.Skip())

    with pytest.raises(ps.SpecError) as raised:
        parts(stream, 2, lambda part: part.batch(2))
    assert raised.value.__notes__[-1].startswith(
        "penstock: it was not skipped, since this rank would end before the others"
    )
    uneven = parts(stream, 2, lambda part: part.batch(2), end=None)
    assert [[batch.tolist() for batch in own] for own in uneven] == [[[1, 5]], [[2, 4], [6, 8]]]
    endless = stream.repeat().shard(0, 2).batch(2).take(2)
    assert [batch.tolist() for batch in endless] == [[1, 5], [7, 1]]


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda p: p.shard(2, 2), "`rank` to be below 2"),
        (lambda p: p.shard(0, 0), "`world_size` to be an integer >= 1"),
        (lambda p: p.shard(0), "`world_size`"),
        (lambda p: p.shard("all"), '`"auto"` alone'),
        (lambda p: p.shard("auto", 2), '`"auto"` alone'),
        (lambda p: p.shard(0, 2, end="join"), '`end` to be "drop", "pad", "repeat" or None'),
        (lambda p: p.shard(0, 2, by="rows"), "`by` to be"),
        (lambda p: p.shard(0, 2, mask=3), "`mask` to be a name"),
        (lambda p: p.shard(0, 2).shard(0, 2), "`shard` once"),
        (lambda p: p.to("numpy").shard(0, 2), "`shard` before `to`"),
        (lambda p: p.shard(0, 2, by="files"), "at least 2 files or sources"),
        (lambda p: p.filter(bool).shard(0, 2, by="files"), "nothing but `map` behind"),
        (lambda p: ps.join([p, p], order="arrival").shard(0, 2), '`order="arrival"`'),
        (lambda p: ps.join([lambda: iter([1])] * 2).shard(0, 2, by="files"), "sources whose lengths are known"),
        (lambda p: ps.join([iter([1])]).shard(0, 2, end="repeat"), "a source that can be opened again"),
        (lambda p: list(ps.join([p.shard(0, 2), p.shard(0, 3)])), "one `world_size` in a pipeline"),
    ],
)
def test_what_cannot_be_is_said_as_it_is_written(write: Any, said: str):
    """Or, where the rank is to be found out, as it is opened."""
    with pytest.raises(ps.PipelineError) as raised:
        write(ps.join([[1, 2, 3]]))

    assert said in str(raised.value)


# Ranks of a job.


@pytest.fixture
def rank_one_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a launcher says it."""
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")


@pytest.mark.usefixtures("rank_one_of_two")
def test_auto_reads_the_rank_when_the_pipeline_is_opened():
    """The description itself is the same on every rank."""
    pipeline = ps.join([[1, 2, 3, 4]]).shard("auto")

    assert 'shard("auto"' in repr(pipeline)
    assert list(pipeline) == [2, 4]
    assert len(pipeline) == 2


def test_alone_auto_is_everything(monkeypatch: pytest.MonkeyPatch):
    """Nothing says that there are others."""
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)

    assert list(ps.join([[1, 2, 3]]).shard("auto")) == [1, 2, 3]


def test_half_of_what_tells_the_rank_is_an_error(monkeypatch: pytest.MonkeyPatch):
    """To go on as rank 0 would be to read the same data everywhere."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)

    with pytest.raises(ps.PipelineError, match="both RANK and WORLD_SIZE"):
        ps.join([[1]]).shard("auto").open()


def test_a_rank_that_there_is_not_is_an_error(monkeypatch: pytest.MonkeyPatch):
    """As where ranks are counted from 1, or the world has shrunk."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "3")

    with pytest.raises(ps.PipelineError) as raised:
        ps.join([[1]]).shard("auto").open()
    assert str(raised.value) == (
        "expected RANK to be below WORLD_SIZE: ranks begin at 0, got RANK='3' and WORLD_SIZE='2' - at shard(\"auto\") - "
        "mend what sets them, or pass `rank` and `world_size`"
    )


@pytest.mark.usefixtures("rank_one_of_two")
def test_ranks_that_would_read_the_same_data_are_told_so():
    """Silently training on everything as often as there are ranks is the usual accident."""
    pipeline = ps.join([[1, 2]])

    with pytest.warns(ps.PenstockWarning, match="every rank reads the same data"):
        list(pipeline)
    with pytest.warns(ps.PenstockWarning, match=r"this is rank 1 of 2") as caught:
        pipeline.open().close()
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(pipeline.shard(0, 1)) == [1, 2]
        assert str(pipeline.spec()) == "int64[]"


@pytest.mark.usefixtures("rank_one_of_two")
def test_a_rank_that_takes_anothers_part_is_told_so():
    """A number that was left in the program is the same on every rank."""
    pipeline = ps.join([[1, 2, 3, 4]])

    with pytest.warns(ps.PenstockWarning, match="takes the part of rank 0"):
        assert list(pipeline.shard(0, 2)) == [1, 3]
    assert list(pipeline.shard(1, 2)) == [2, 4]
    assert list(pipeline.shard(2, 4)) == [3]  # ranks of another kind, as where a model is parted too


PROGRAM = """
import json, sys
import penstock as ps

pipeline = ps.read_text(sys.argv[1:]).shard("auto", end="pad").batch(4)
print(json.dumps([[line, bool(valid)] for lines, extras in pipeline for line, valid in zip(lines, extras["valid"])]))
"""


def ran(program: str, ranks: int, *args: str) -> Iterator[str]:
    """What each of several processes prints."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, *args],
            env={**os.environ, "RANK": str(rank), "WORLD_SIZE": str(ranks)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(ranks)
    ]
    for process in started:
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        yield out


@pytest.mark.slow
def test_real_processes_part_the_files_among_them(tmp_path: Path):
    """Three processes, one environment variable apart; nobody tells the others anything."""
    paths = lines(tmp_path, [5, 9, 2, 7])

    own = [json.loads(out) for out in ran(PROGRAM, 3, *paths)]

    assert {len(part) for part in own} == {12}
    real = [line for part in own for line, valid in part if valid]
    assert sorted(real) == sorted(f"{n}:{i}" for n, count in enumerate([5, 9, 2, 7]) for i in range(count))


GLOO = """
import os, sys
import torch.distributed as dist
import penstock as ps

rank, size = int(os.environ.pop("RANK")), int(os.environ.pop("WORLD_SIZE"))
dist.init_process_group("gloo", init_method="file://" + sys.argv[1], rank=rank, world_size=size)
(batch,) = ps.join([list(range(8))]).shard("auto").batch(4).to("torch")
dist.all_reduce(batch)
print(batch.tolist())
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_torch_distributed_tells_the_rank(tmp_path: Path):
    """Where it is initialised and the environment says nothing; every rank comes to the same number of reductions."""
    pytest.importorskip("torch")

    assert list(ran(GLOO, 2, str(tmp_path / "store"))) == ["[1, 5, 9, 13]\n"] * 2


JAX = """
import os, sys
import jax
import penstock as ps

rank, size = int(os.environ.pop("RANK")), int(os.environ.pop("WORLD_SIZE"))
jax.distributed.initialize(sys.argv[1], size, rank)
(batch,) = ps.join([list(range(8))]).shard("auto").batch(4)
print(batch.tolist())
"""


@pytest.mark.slow
def test_jax_tells_the_rank():
    """Where it is initialised and the environment says nothing."""
    pytest.importorskip("jax")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"

    assert list(ran(JAX, 2, address)) == ["[0, 2, 4, 6]\n", "[1, 3, 5, 7]\n"]


def test_a_target_that_changes_is_for_steps_of_a_million_at_most():
    """What is owed to a class is counted in 64 bits."""
    pipeline = source([0, 1]).stratify(1, lambda batch: [0.5, 0.5]).shard(0, 2).batch(1 << 20)

    with pytest.raises(
        ps.PipelineError, match=r"at most 1,048,576 examples in a step, of all ranks together.* 2,097,152"
    ):
        pipeline.open()


def objects(folder: Path, bad: bool) -> ps.Pipeline:
    """Two files of 40 lines, of which some of the first cannot be read."""
    for name in "ab":
        rows = ['{"x":' if bad and name == "a" and at % 7 == 3 else f'{{"x": {at}}}' for at in range(40)]
        (folder / f"{name}.jsonl").write_text("\n".join(rows))
    return ps.read_jsonl(folder / "*.jsonl").options(on_error=ps.Skip())


@pytest.mark.parametrize("end", ["drop", "pad", "repeat"])
def test_lines_that_are_skipped_do_not_count(end: Any, tmp_path: Path):
    """What each rank's files give is counted as they are read: without what is skipped."""
    pipeline = objects(tmp_path, bad=True)
    shares = [pipeline.shard(rank, 2, end=end, by="files").batch(4) for rank in range(2)]

    assert [len(list(share)) for share in shares] == [8, 8] if end == "drop" else [10, 10]


def test_a_map_that_may_skip_parts_no_files(tmp_path: Path):
    """No length tells what it leaves out, so the ranks take turns behind it, and end together."""

    def odd(example: Any) -> Any:
        return {"x": example["x"] // (example["x"] % 10)}

    pipeline = objects(tmp_path, bad=False).map(odd)
    counts = [len(list(pipeline.shard(rank, 2).batch(4))) for rank in range(2)]

    assert counts == [9, 9]


def test_a_map_that_may_skip_behind_shard_is_refused():
    """One rank may leave out more than the others."""
    pipeline = ps.join([range(8)]).shard(0, 2).map(abs, on_error=ps.Skip()).batch(2)

    with pytest.raises(ps.PipelineError, match=r"got `map\(on_error\)` behind `shard`"):
        list(pipeline)
