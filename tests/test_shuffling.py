"""`.shuffle`, by buffer and by index, shuffled files, and TF1's shuffling functions."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import penstock as ps
from penstock.testing import same

pytestmark = pytest.mark.usefixtures("often")


def flat(batches: Any) -> list[int]:
    return [int(one) for batch in batches for one in np.ravel(batch)]


def numbers() -> Iterator[int]:
    yield from range(50)


BUFFERED = ps.join([numbers]).shuffle(16).batch(5)
INDEXED = ps.join([range(40), np.arange(100, 130)]).shuffle().batch(7, keep_last=True)


@pytest.mark.parametrize("pipeline", [BUFFERED, INDEXED], ids=["buffer", "index"])
def test_the_order_is_the_same_on_every_run_by_threads_and_inline(pipeline: ps.Pipeline):
    """A function of the seed and the epoch."""
    runs = [list(pipeline.open(inline=inline)) for inline in (False, True, False)]

    assert all(len(run) == len(runs[0]) for run in runs)
    assert all(same(one, other) for run in runs for one, other in zip(run, runs[0], strict=True))
    assert flat(runs[0]) != sorted(flat(runs[0]))


@pytest.mark.parametrize("pipeline", [BUFFERED, INDEXED], ids=["buffer", "index"])
def test_another_seed_or_epoch_is_another_order(pipeline: ps.Pipeline):
    """Of the same examples."""
    first = flat(pipeline)

    for other in (flat(pipeline.options(seed=1)), flat(pipeline.open(epoch=1))):
        assert other != first
        assert sorted(other) == sorted(first)


def test_the_words_own_seed_counts_in_place_of_the_pipelines():
    """So that one shuffle can stay as another changes."""
    own = [flat(ps.join([numbers]).shuffle(16, seed=3).batch(5).options(seed=seed)) for seed in (0, 1)]
    index = [flat(ps.join([range(9)]).shuffle(seed=3).batch(3).options(seed=seed)) for seed in (0, 1)]

    assert own[0] == own[1]
    assert index[0] == index[1]


def test_each_epoch_of_a_repeat_has_an_order_of_its_own():
    """Before `repeat` epochs do not mix; the second opening begins again."""
    for word in ({"buffer_size": 8}, {}):
        pipeline = ps.join([range(20)]).shuffle(**word).repeat(3)
        got = list(pipeline)
        epochs = [got[at : at + 20] for at in (0, 20, 40)]

        assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
        assert epochs[0] != epochs[1] != epochs[2] != epochs[0]
        assert list(pipeline) == got


def test_behind_a_repeat_epochs_mix():
    """A buffer holds the end of one and the beginning of the next."""
    got = list(ps.join([range(20)]).repeat(3).shuffle(15))

    assert sorted(got) == sorted([*range(20)] * 3)
    assert sorted(got[:20]) != list(range(20))


def test_components_that_are_read_by_index_are_shuffled_together():
    """One order for all of them."""
    pairs = list(ps.join([(list(range(30)), np.arange(30) * 2)]).shuffle())

    assert [int(two) for _, two in pairs] == [2 * one for one, _ in pairs]
    assert sorted(one for one, _ in pairs) == list(range(30)) != [one for one, _ in pairs]


def test_a_map_style_data_set_is_asked_item_by_item_and_holds_nothing():
    """Only what is delivered is read."""
    asked: list[int] = []

    class Items:
        def __len__(self) -> int:
            return 10_000

        def __getitem__(self, place: int) -> int:
            asked.append(place)
            return place

    with ps.join([Items()]).shuffle().batch(4).open(inline=True) as flow:
        batch = next(flow)

    assert batch.tolist() == asked[:4]
    assert len(asked) <= 8


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ps.join([numbers]).shuffle(),
            "expected sources that are read by index: arrays, lists, map-style data sets",
        ),
        (
            lambda: ps.join([range(3)]).map(str).shuffle(),
            "expected `shuffle()` right behind its sources, got `map` before it",
        ),
        (lambda: ps.join([range(3)]).shuffle(0), "expected `buffer_size` to be an integer >= 1, got `0` - at shuffle("),
        (lambda: ps.join([range(3)]).shuffle(2.5), "expected `buffer_size` to be an integer >= 1, got `2.5`"),
        (lambda: ps.join([range(3)]).batch(2).shuffle(2), "expected `shuffle` before `batch`, got it after"),
        (lambda: ps.join([range(3)]).pad().shuffle(2), "expected `shuffle` before `pad`, got it after"),
        (
            lambda: ps.join([range(3)]).shuffle(2, seed="a"),
            "expected `seed` to be an integer, got `'a'` - at shuffle(seed)",
        ),
        (lambda: ps.shuffle_batch([1], 1, 10, 10), "expected `capacity` above `min_after_dequeue`, 10, got 10"),
        (lambda: ps.shuffle_batch([1], 1, -1, 0), "expected `capacity` above `min_after_dequeue`, 0, got -1"),
        (lambda: ps.shuffle_batch([1], 1, 5, -1), "expected `min_after_dequeue` to be an integer >= 0, got `-1`"),
        (
            lambda: ps.shuffle_batch([1], 1, 5, 1, num_threads=0),
            "expected `num_threads` to be an integer >= 1, got `0`",
        ),
        (lambda: ps.shuffle_batch_join([], 1, 5, 1), "expected at least one source, got none"),
        (lambda: ps.shuffle_batch([1], 0, 5, 1), "expected `batch_size` to be an integer >= 1, got `0`"),
    ],
)
def test_what_cannot_be_is_said_as_it_is_written(make: Any, message: str):
    """Before anything runs."""
    with pytest.raises(ps.PipelineError) as caught:
        make()

    assert message in str(caught.value)


def test_an_error_comes_after_all_that_was_read_before_it():
    """As the end does: what is held leaves first."""

    def broken() -> Iterator[int]:
        yield from range(9)
        raise OSError("broken")

    got: list[Any] = []
    with pytest.raises(OSError, match="broken") as caught:
        got.extend(ps.shuffle_batch(broken, 3, 8, 4))

    assert sorted(flat(got)) == list(range(9))
    assert caught.value.__notes__ == ["penstock: while reading example 9 of source 0 ('broken')"]


def test_shuffle_batch_pads_where_tf1_could_not():
    """`dynamic_pad`, by keyword."""
    texts = [np.arange(n) for n in range(1, 9)]

    batches = list(ps.shuffle_batch(texts, 4, 8, 4, dynamic_pad=True))

    assert sorted((batch > 0).sum(axis=1).tolist() for batch in batches) != [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert sorted(flat((batch > 0).sum(axis=1) for batch in batches)) == list(range(8))


def test_chunks_are_taken_apart_before_they_are_shuffled():
    """With `enqueue_many` it is examples that leave at random."""
    chunks = [np.arange(first, first + 10) for first in range(0, 60, 10)]

    got = flat(ps.shuffle_batch(chunks, 10, 60, 40, enqueue_many=True))

    assert sorted(got) == list(range(60))
    assert max(abs(one - other) for one, other in pairwise(got)) > 10


def test_a_flag_is_read_with_its_example():
    """`maybe_…`: flags and examples stay in step; what is left out is in no buffer."""
    kept = ps.maybe_shuffle_batch_join(
        [range(10), range(100, 110)], 5, 20, 5, [lambda: (i % 2 == 0 for i in range(10)), True]
    )

    assert sorted(flat(kept)) == [*range(0, 10, 2), *range(100, 110)]


@pytest.mark.parametrize("pipeline", [BUFFERED, INDEXED], ids=["buffer", "index"])
@pytest.mark.parametrize("inline", [False, True], ids=["threads", "inline"])
def test_a_state_goes_on_with_the_very_next_batch(pipeline: ps.Pipeline, inline: bool):
    """After any batch; again from a state of that; small, and JSON."""
    whole = list(pipeline)
    got: list[Any] = []
    state: dict[str, Any] | None = None
    for count in (1, 2, 3):
        with pipeline.open(state=state, inline=inline) as flow:
            got += [next(flow) for _ in range(count)]
            state = json.loads(json.dumps(flow.state_dict()))
    got += list(pipeline.open(state=state))

    assert len(got) == len(whole)
    assert all(same(one, other) for one, other in zip(got, whole, strict=True))


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Eight files of two lines each."""
    paths = [tmp_path / f"part-{number}.txt" for number in range(8)]
    for number, path in enumerate(paths):
        path.write_text(f"{number}a\n{number}b\n")
    return [str(path) for path in paths]


def test_files_are_read_in_an_order_of_each_epoch(files: list[str]):
    """Each file once an epoch; the same order on every run; another one in another epoch and for another seed."""
    pipeline = ps.read_text(files, shuffle_files=True)
    first, other = list(pipeline), list(pipeline.open(epoch=1))

    assert list(pipeline) == first
    assert sorted(first) == sorted(other) == sorted(ps.read_text(files))
    assert first != other
    assert list(ps.read_text(files, shuffle_files=True, seed=5)) != first
    assert all(first[at][0] == first[at + 1][0] for at in range(0, 16, 2))  # a file stays together


def test_files_are_dealt_to_the_streams_anew_in_each_epoch(files: list[str]):
    """Otherwise as many streams as files would shuffle nothing."""
    pipeline = ps.read_text(files, streams=8, shuffle_files=True)

    first, other = list(pipeline), list(pipeline.open(epoch=1))

    assert sorted(first) == sorted(other)
    assert [line[0] for line in first[:8]] != [line[0] for line in other[:8]]


def test_shuffled_files_are_resumed_in_the_middle_of_one(files: list[str]):
    """The order is drawn again from the seed and the epoch."""
    pipeline = ps.read_text(files, streams=3, shuffle_files=True).repeat(2).batch(3, keep_last=True)
    whole = list(pipeline)
    with pipeline.open() as flow:
        got = [next(flow) for _ in range(4)]
        state = flow.state_dict()

    got += list(pipeline.open(state=state))

    assert [batch.tolist() for batch in got] == [batch.tolist() for batch in whole]
