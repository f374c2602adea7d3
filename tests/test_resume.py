"""L3: a flow that is stopped goes on exactly, whatever waits in its stages; and a state that does not suit is refused."""

from __future__ import annotations

import json
import random
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, islice
from pathlib import Path
from threading import Event, Timer
from typing import Any, ClassVar

import numpy as np
import pytest

import penstock as ps
import penstock.engine.head as head
import penstock.engine.shots as shots
import penstock.sources.position as position
from penstock.checksum import checksum
from penstock.errors import PenstockError
from penstock.testing import assert_resume_exact, same

pytestmark = pytest.mark.usefixtures("often")

Make = Callable[[], ps.Pipeline]


def labelled(n: int, seed: int = 0) -> Callable[[], Iterator[Any]]:
    """n examples of four classes, 8 : 4 : 2 : 1."""

    def examples() -> Iterator[Any]:
        rng = np.random.default_rng(seed)
        for number in range(n):
            yield {"x": np.float32([number, seed]), "y": int(rng.choice(4, p=np.array([8, 4, 2, 1]) / 15))}

    return examples


def chunked(n: int, size: int) -> Callable[[], Iterator[Any]]:
    """n chunks of such examples, as columns."""

    def chunks() -> Iterator[Any]:
        rng = np.random.default_rng(n)
        for number in range(n):
            yield np.arange(size) + number * size, rng.choice(4, size, p=np.array([8, 4, 2, 1]) / 15)

    return chunks


def ragged(n: int, seed: int) -> Callable[[], Iterator[Any]]:
    def examples() -> Iterator[Any]:
        rng = np.random.default_rng(seed)
        for number in range(n):
            yield np.arange(rng.integers(0, 9)) + number, seed

    return examples


def jittered(example: Any, rng: np.random.Generator) -> Any:
    return {**example, "x": example["x"] + rng.random()}


def bright(example: Any) -> bool:
    return bool(example["x"][0] % 5)


def curriculum(number: int) -> list[float]:
    return [0.7, 0.1, 0.1, 0.1] if number < 9 else [0.1, 0.1, 0.1, 0.7]


PIPELINES: dict[str, Make] = {
    "padded, of unequal sources": lambda: (
        ps.join([ragged(40 + 9 * k, k) for k in range(3)]).pad(lengths="n", mask="m").batch(7, keep_last=True)
    ),
    "chunks cut in the middle": lambda: ps.batch_join([chunked(n, 7) for n in (9, 4, 6)], 10, enqueue_many=True),
    "by weights": lambda: ps.join({"a": labelled(60), "b": labelled(40, 1)}, {"a": 3, "b": 1}, tag="source").batch(8),
    "by weights that change": lambda: ps.join(
        [labelled(700), labelled(500, 1)], lambda given: [1, 1 + given // 100]
    ).batch(32),
    "by weights, with chunks": lambda: (
        ps.join([ps.join([labelled(50)]).batch(6), labelled(60, 1)], [2, 1], end=["drop", "repeat"]).take(150).batch(8)
    ),
    "epochs": lambda: ps.join([labelled(13), labelled(17, 1)]).repeat(4).map(jittered).batch(8),
    "shuffled": lambda: ps.join([labelled(80), labelled(60, 1)]).map(jittered).shuffle(20).batch(8),
    "shuffled epochs": lambda: ps.join([labelled(23)]).shuffle(50).repeat(4).batch(8),
    "shuffled, behind epochs that end early": lambda: (
        ps.join([ps.join([labelled(9)]).repeat(2), labelled(70, 1)]).shuffle(12).batch(4)
    ),
    "bucketed": lambda: ps.join([ragged(90, 1), ragged(70, 2)]).pad().bucket(0, [3, 6], 8),
    "batches apart": lambda: ps.join([chunked_rows]).batch(6).map(doubled).unbatch().shuffle(9).batch(7),
    "stratified": lambda: ps.join([labelled(900)]).stratify("y", [0.25] * 4).map(jittered).batch(16),
    "stratified, with repeats": lambda: (
        ps.join([labelled(300), labelled(200, 1)]).stratify("y", "uniform", repeats=4).map(jittered).batch(10)
    ),
    "stratified behind a decoder, before a filter": lambda: (
        ps.join([labelled(400)]).map(jittered).stratify("y", ps.Temperature(0.5), repeats=2).filter(bright).batch(10)
    ),
    "stratified columns": lambda: ps.stratified_sample(
        [chunked_part(0)], chunked_part(1), [0.25] * 4, 16, enqueue_many=True, repeats=3
    ),
    "stratified, a curriculum, the last too": lambda: (
        ps.join([labelled(300)]).stratify("y", curriculum, repeats=3).batch(10, keep_last=True)
    ),
    "stratified, with weights": lambda: (
        ps.join([labelled(500)]).stratify("y", [0.25] * 4, weights="natural", weights_as="w").batch(10)
    ),
    "P classes and m of each": lambda: (
        ps.join([labelled(300)]).stratify("y", classes_per_batch=2, per_class=3).batch(6)
    ),
    "an absent class, repeated": lambda: (
        ps.join([lambda: ((i, 9 if i < 20 else i % 3) for i in range(500))])
        .stratify(1, {0: 0.3, 1: 0.3, 2: 0.2, 9: 0.2}, missing="repeat", patience=30)
        .batch(8)
    ),
    "exact on average": lambda: ps.join([labelled(600)]).stratify("y", [0.25] * 4, exact="average").batch(10),
    "a pipeline as a component": lambda: ps.join(
        [{"x": ps.join([labelled(53)]).map(jittered), "k": list(range(53))}]
    ).batch(7),
}


def chunked_rows() -> Iterator[Any]:
    for ids, labels in chunked(5, 11)():
        yield from zip(ids, labels, strict=True)


def chunked_part(place: int) -> Callable[[], Iterator[Any]]:
    return lambda: (chunk[place] for chunk in chunked(20, 41)())


def doubled(batch: Any) -> Any:
    return batch[0] * 2, batch[1]


def legs(make: Make, breaks: list[int]) -> list[Any]:
    """The batches of a run that is stopped after so many, and so on; by turns with threads and inline."""
    batches: list[Any] = []
    state: Any = None
    for number, most in enumerate([*breaks, None]):
        with make().open(state=state, inline=bool(number % 2)) as flow:
            batches += islice(flow, most)
            state = json.loads(json.dumps(flow.state_dict()))
    return batches


@pytest.mark.filterwarnings("ignore:penstock. class:penstock.errors.PenstockWarning")
@pytest.mark.parametrize("name", PIPELINES)
def test_what_waits_in_a_stage_is_there_again(name: str):
    """Wherever it is stopped, and again, and again: the same bytes as without."""
    make = PIPELINES[name]
    whole = list(make().open(inline=True))
    choose = random.Random(len(name))
    assert len(whole) > 5

    for first in {0, 1, *choose.sample(range(2, len(whole)), 3)}:
        batches = legs(make, [first, 1, 2])

        assert len(batches) == len(whole)
        assert all(map(same, batches, whole)), first


def test_each_leg_may_be_a_process_of_its_own():
    """A state is all that has to survive."""
    assert assert_resume_exact(ps.join([list(range(40)), list(range(100, 130))]).batch(6), breaks=2) == 11


def test_a_pipeline_that_does_not_resume_is_found():
    """One that draws from the outside."""
    drawn = random.Random(0)
    pipeline = ps.join([list(range(40))]).map(lambda x: x + drawn.random()).batch(4)

    with pytest.raises(AssertionError, match="expected the batch of the unbroken run, got another - at batch"):
        assert_resume_exact(pipeline, new_processes=False)


def test_in_arrival_order_the_choices_are_made_again(monkeypatch: pytest.MonkeyPatch):
    """What was read ahead comes in the order in which it had come: the log tells it."""
    monkeypatch.setattr(head, "LEAST", 16)  # batches are made ahead, however slow the machine is
    merged, chosen = count(1), Event()

    def tell(number: int) -> int:
        if next(merged) == 7 * 5:
            chosen.set()
        return number

    sources = [lambda: iter(range(60)), lambda: iter(range(100, 160))]
    pipeline = ps.join(sources, order="arrival").map(tell).batch(5)
    with pipeline.open() as flow:
        before = list(islice(flow, 3))
        assert chosen.wait(60)
        state = json.loads(json.dumps(flow.state_dict()))
        ahead = list(islice(flow, 4))
    with pipeline.open(state=state) as flow:
        again = list(flow)

    assert all(map(same, again, ahead))
    assert sorted(np.concatenate([*before, *again]).tolist()) == [*range(60), *range(100, 160)]


@pytest.mark.parametrize("part", [0.0, 1e9], ids=["with snapshots", "without"])
def test_in_arrival_order_nothing_is_lost_wherever_it_is_broken_off(part: float, monkeypatch: pytest.MonkeyPatch):
    """From the first choice on, over the passes of `repeat`, and where a state is taken while choices are made again."""
    monkeypatch.setattr(shots, "PART", part)
    monkeypatch.setattr(shots, "MOST_S", part)
    sources = [ps.join([lambda k=k: iter(range(100 * k, 100 * k + 21 + 9 * k))]).map(abs) for k in range(3)]
    pipeline = ps.join(sources, order="arrival").repeat(3).batch(5, keep_last=True)
    whole = sorted([n for k in range(3) for n in range(100 * k, 100 * k + 21 + 9 * k)] * 3)

    for first in (1, 2, 9, 23, 40):
        batches = legs(lambda: pipeline, [first, 1, 3, 0, 2])

        assert sorted(np.concatenate(batches).tolist()) == whole, first


def test_in_arrival_order_a_source_that_had_ended_stays_ended():
    """It is not waited for, nor is its end taken for that of the flow while the others are waited for."""
    goes_on = Event()

    def stalling() -> Iterator[int]:
        yield from range(100, 106)
        goes_on.wait()
        yield from range(106, 110)

    pipeline = ps.join([lambda: iter([1, 2]), stalling], order="arrival").batch(1)
    with pipeline.open() as flow:
        before = list(islice(flow, 8))
        state = json.loads(json.dumps(flow.state_dict()))
        goes_on.set()
    goes_on.clear()
    with pipeline.options(watchdog_s=5).open(state=state) as flow:
        Timer(0.1, goes_on.set).start()
        after = list(flow)

    assert sorted(np.concatenate([*before, *after]).tolist()) == [1, 2, *range(100, 110)]


def test_files_go_on_by_file_row_group_and_byte(tmp_path: Path):
    """And not from the start of the first."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    for number in range(3):
        pq.write_table(
            pa.table({"n": range(100 * number, 100 * number + 57)}), tmp_path / f"{number}.parquet", row_group_size=20
        )
        (tmp_path / f"{number}.txt").write_text("".join(f"line {number} {row}\n" for row in range(41)))
    for make in (
        lambda: ps.read_parquet(tmp_path / "*.parquet", streams=2).batch(8, keep_last=True),
        lambda: ps.read_parquet(tmp_path / "*.parquet").shuffle(30).batch(8),
        lambda: ps.read_text(tmp_path / "*.txt").batch(8, keep_last=True),
    ):
        whole = list(make())

        assert all(map(same, legs(make, [4, 1, 7]), whole))


def test_a_target_that_was_set_is_part_of_the_state():
    """Also where the state is of a moment before the batch that it is promised for."""

    def make() -> ps.Pipeline:
        return ps.join([labelled(900)]).stratify("y", [0.25] * 4).batch(8)

    with make().open() as flow:
        batches = list(islice(flow, 2))
        flow.set_target([0.5, 0.5, 0, 0])
        state = json.loads(json.dumps(flow.state_dict()))
        batches += flow
    again = list(make().open(state=state))

    assert len(again) == len(batches) - 2
    assert all(map(same, again, batches[2:]))
    assert set(again[-1]["y"].tolist()) == {0, 1}


class Counting:
    """An iterator that says itself where it stands."""

    def __init__(self) -> None:
        self.at = 0

    def __iter__(self) -> Counting:
        return self

    def __next__(self) -> int:
        self.at += 1
        return self.at

    def state_dict(self) -> dict[str, int]:
        return {"at": self.at}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.at = state["at"]


class Broken:
    """A source read by index, of which some cannot be read."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> int:
        if index % 7 == 3:
            raise ValueError(index)
        return index


class Stumbling(Counting):
    """An iterator that goes on after it has raised, and does not say where it stands."""

    state_dict = load_state_dict = None  # type: ignore[assignment]

    def __next__(self) -> int:
        self.at += 1
        if self.at > 60:
            raise StopIteration
        if self.at % 9 == 4:
            raise ValueError(self.at)
        return self.at


def not_tens(number: int) -> int:
    if number % 10 == 0:
        raise KeyError(number)
    return number


def mislabelled() -> Iterator[Any]:
    """Now and then a label is of another type, or there is none."""
    for number in range(80):
        yield {"x": number, "y": "bad" if number % 10 == 7 else number % 3 % 2} if number % 17 else {"x": number}


def mislabelled_chunks() -> Iterator[Any]:
    """The same in a user's chunks: labels of no class."""
    for number in range(12):
        yield np.arange(7) + 7 * number, np.where(np.arange(7) == number % 11, 5, np.arange(7) % 2)


def misfits() -> Iterator[Any]:
    """Arrays of several lengths; some are of another dtype, some of another rank, some have no length."""
    for number in range(80):
        shape: Any = (2, 2) if number % 13 == 4 else () if number % 13 == 9 else number % 7 + 1
        yield {"x": np.full(shape, number, np.complex64 if number % 11 == 5 else np.float32)}


@pytest.mark.parametrize(
    "make",
    [
        lambda: ps.join([Broken(50), Broken(70)]).map(not_tens).batch(4),
        lambda: ps.join([Stumbling]).shuffle(9).map(not_tens).batch(4),
        lambda: (
            ps.join([ps.join([Stumbling]).map(not_tens), Broken(30)])
            .stratify(lambda number: number % 3, [0.5, 0.25, 0.25], repeats=3)
            .batch(4)
        ),
        lambda: ps.join([mislabelled]).stratify("y", {0: 0.5, 1: 0.5}, repeats=2).batch(4),
        lambda: ps.join([mislabelled]).stratify("y", "uniform").batch(4, keep_last=True),
        lambda: ps.join([mislabelled]).stratify("y", {0: 0.5, 1: 0.5}, exact="average").batch(4),
        lambda: ps.stratified_sample(
            [lambda: (chunk[0] for chunk in mislabelled_chunks())],
            lambda: (chunk[1] for chunk in mislabelled_chunks()),
            [0.5, 0.5],
            4,
            enqueue_many=True,
        ),
        lambda: ps.join([misfits]).pad().bucket("x", [3, 5], 4, keep_last=True),
        lambda: ps.join([misfits]).pad().bucket("x", [3, 5], max_tokens=6, keep_last=True),
    ],
)
def test_what_was_skipped_is_skipped_again(make: Make):
    """It is part of the state: unread where that goes, and counted once."""

    def skipping() -> ps.Pipeline:
        return make().options(on_error=ps.Skip(at_most=100))

    whole = list(skipping())
    assert len(whole) > 5
    for first in range(0, len(whole), 4):
        batches = legs(skipping, [first, 1, 1])

        assert len(batches) == len(whole)
        assert all(map(same, batches, whole))


class Flaky:
    """A source read by index, which notes what is read of it; three of its first reads fail, until it is mended."""

    def __init__(self, size: int, item: Callable[[int], Any] = int) -> None:
        self.size = size
        self.item = item
        self.read: list[int] = []
        self.mended = False

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Any:
        self.read.append(index)
        if not self.mended and len(self.read) in (4, 8, 13):
            raise ValueError(index)
        return self.item(index)


@pytest.mark.parametrize(
    ("make", "item"),
    [
        (lambda source: ps.join([source]).batch(2), int),
        (lambda source: ps.join([{"x": source, "again": source, "y": range(60)}]).batch(2), int),
        (lambda source: ps.join([source]).shuffle().batch(2), int),
        (lambda source: ps.join([{"x": source, "y": range(60)}]).shuffle(5).batch(2), int),
        (lambda source: ps.batch(source, 6, enqueue_many=True), lambda index: np.full(3, index)),
    ],
)
def test_what_was_skipped_is_skipped_again_unread(make: Callable[[Any], ps.Pipeline], item: Callable[[int], Any]):
    """It may well be readable by then; and what was delivered is not read again either."""

    def flaky() -> Flaky:
        return Flaky(60, item)

    whole = list(make(flaky()).options(on_error=ps.Skip()))
    source = flaky()
    pipeline = make(source).options(on_error=ps.Skip())
    with pipeline.open(inline=True) as flow:
        before = list(islice(flow, 10))
        state = flow.state_dict()
        assert len(flow.quarantine) == 3
    source.mended, seen = True, len(source.read)
    with pipeline.open(state=state, inline=True) as flow:
        batches = [*before, *flow]
        assert flow.stats().skips[0].skipped == 3

    assert len(batches) == len(whole)
    assert all(map(same, batches, whole))
    assert len(source.read) - seen < 60 - 20


def test_what_was_skipped_is_not_tried_again(tmp_path: Path):
    """Where it has to be read over, as the lines of a file: whoever was patient once need not be so at each resume."""
    path = tmp_path / "lines.jsonl"
    path.write_text("".join('{"x": \n' if number == 3 else f'{{"x": {number}}}\n' for number in range(20)))
    pipeline = ps.read_jsonl(path).batch(4)
    with pipeline.options(on_error=ps.Skip()).open(inline=True) as flow:
        next(flow)
        state = flow.state_dict()
        expected = next(flow)
    assert state["more"]["skipped"]["1"]["places"] == [[0, 0, [3]]]

    # An attempt would begin after twenty minutes at the soonest.
    patient = ps.Retry(times=1, backoff_s=2400.0) | ps.Skip()
    with pipeline.options(on_error=patient).open(state=state, inline=True) as flow:
        assert same(next(flow), expected)


def test_components_that_are_read_over_are_counted_as_such():
    """Each is opened behind what it gave, which for a generator is to read over: `max_scan` bounds that too."""
    pipeline = ps.join([{"x": lambda: iter(range(100)), "y": range(100)}]).batch(10)
    with pipeline.options(max_scan=30).open(inline=True) as flow:
        flow.skip(4)
        next(flow)

        with pytest.raises(ps.StateError, match="at most 30 items to be read again"):
            flow.state_dict()


class Stepping(Stumbling):
    """Goes past items without reading them."""

    passed: ClassVar[list[int]] = []

    def skip(self, n: int) -> None:
        self.at += n
        self.passed.append(n)


def test_a_source_that_goes_past_items_is_not_read_over_where_others_are_skipped():
    """With its own `skip(n)`: to where it was, to what is held, and past what was skipped."""
    pipeline = ps.join([Stepping]).shuffle(5).batch(4).options(on_error=ps.Skip())
    whole = list(pipeline)
    with pipeline.open(inline=True) as flow:
        flow.skip(7)
        next(flow)
        state = flow.state_dict()
    Stepping.passed.clear()

    assert all(map(same, pipeline.open(state=state, inline=True), whole[8:]))
    assert sum(Stepping.passed) > 30


class Cursor(Counting):
    """Says where it stands, and counts what is read."""

    reads = 0

    def __next__(self) -> int:
        type(self).reads += 1
        return super().__next__()


def test_what_is_held_of_a_source_with_a_cursor_is_found_from_a_place_near_it(monkeypatch: pytest.MonkeyPatch):
    """Now and then its place is kept: what a shuffle holds is not looked for from the start."""
    monkeypatch.setattr(position, "EVERY", 16)
    pipeline = ps.join([Cursor]).shuffle(8).batch(4)
    with pipeline.open(inline=True) as flow:
        flow.skip(12)
        next(flow)
        state = flow.state_dict()
        expected = next(flow)
    Cursor.reads = 0

    with pipeline.open(state=state, inline=True) as flow:
        assert same(next(flow), expected)
    assert Cursor.reads < 52


# The state itself.


def test_a_state_is_small_however_long_it_has_run(monkeypatch: pytest.MonkeyPatch):
    """It holds what stages hold, as tickets; its size is told."""
    pipeline = ps.join([lambda: ((np.zeros(1000), i) for i in range(10**9))]).shuffle(100).batch(10)
    sizes = []
    with pipeline.open(inline=True) as flow:
        for _ in range(3):
            flow.skip(50)
            next(flow)
            state = flow.state_dict()
            sizes.append(flow.stats().state_nbytes)
            assert sizes[-1] == len(json.dumps(state, separators=(",", ":")))

    assert max(sizes) < 2000
    assert max(sizes) - min(sizes) < 100


def test_asking_for_figures_writes_no_state():
    """Whoever scrapes them each second pays for no state of a large shuffle: they tell of the last that was written."""
    with ps.join([range(100)]).shuffle(10).batch(2).open(inline=True) as flow:
        next(flow)
        assert flow.stats().state_nbytes == 0
        nbytes = len(json.dumps(flow.state_dict(), separators=(",", ":")))
        flow.skip(30)
        next(flow)

        assert flow.stats().state_nbytes == nbytes


def test_what_is_logged_after_a_snapshot_is_in_the_next_state():
    """A snapshot is written once for many states, but not what goes on being written in it."""
    pipeline = ps.join([lambda: ((i, i % 2) for i in range(10**6))]).stratify(1, {0: 0.5, 1: 0.5}).batch(4)
    with pipeline.open(inline=True) as flow:
        flow.skip(200)
        next(flow)
        before = flow.state_dict()
        flow.set_target({0: 0.25, 1: 0.75})
        after = flow.state_dict()
        expected = [next(flow) for _ in range(3)]

    assert before["since"] == after["since"]
    assert before["snapshot"] != after["snapshot"]
    with pipeline.open(state=after, inline=True) as flow:
        assert all(map(same, [next(flow) for _ in range(3)], expected))


def test_batches_are_left_out():
    """To jump over what a loss spike came from."""
    with ps.join([range(40)]).batch(4).open() as flow:
        next(flow)
        flow.skip(3)
        fifth = next(flow)
        state = flow.state_dict()

    assert fifth.tolist() == [16, 17, 18, 19]
    assert state["delivered"] == 5
    assert next(ps.join([range(40)]).batch(4).open(state=state, inline=True)).tolist() == [20, 21, 22, 23]


def test_a_flow_goes_back_to_a_state_of_its_own():
    """As torchdata, grain and Orbax ask for it."""
    with ps.join([range(40)]).batch(4).open() as flow:
        next(flow)
        state = flow.get_state()
        later = next(flow)
        flow.set_state(state)
        again = next(flow)

    assert same(later, again)


def test_one_that_can_be_opened_only_once_says_so_when_the_state_is_asked_for():
    """And what to do."""
    with ps.join([iter([1, 2, 3])]).batch(2).open() as flow:
        next(flow)
        with pytest.raises(
            ps.StateError, match=r"got the one-shot `list_iterator` - at state_dict\(\) - pass a callable"
        ):
            flow.state_dict()


class Skipping(Counting):
    """One that can skip."""

    state_dict = load_state_dict = None  # type: ignore[assignment]

    def skip(self, n: int) -> None:
        self.at += n


@pytest.mark.parametrize("source", [Counting, Skipping])
def test_a_source_may_say_itself_how_it_goes_on(source: Any):
    """By a state of its own, or by skipping."""

    def make() -> ps.Pipeline:
        return ps.join([source]).take(200).batch(8)

    assert all(map(same, legs(make, [3, 5, 2]), list(make())))


def test_what_would_have_to_be_read_again_is_bounded():
    """By who asks for it."""
    with ps.join([lambda: iter(range(100))]).batch(10).options(max_scan=30).open(inline=True) as flow:
        next(flow)
        flow.state_dict()
        flow.skip(5)
        next(flow)
        with pytest.raises(ps.StateError, match=r"expected at most 30 items to be read again, got .* of source"):
            flow.state_dict()
        assert flow.stats().delivered == 2  # it is not a question of who watches


def state_of(pipeline: ps.Pipeline, batches: int = 3) -> dict[str, Any]:
    with pipeline.open(inline=True) as flow:
        list(islice(flow, batches))
        return json.loads(json.dumps(flow.state_dict()))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: ps.join([range(40)]).batch(5), r"whose batch has `size` 5, got one with 4"),
        (lambda: ps.join([range(40), range(3)]).batch(4), r"whose join has 2 inputs, got one with 1"),
        (lambda: ps.join([range(41)]).batch(4), r"whose read 'range' has `is` \[41\], got one with \[40\]"),
        (lambda: ps.join([range(40)]).map(abs).batch(4), r"whose the pipeline has `map`, got one with `join`"),
        (lambda: ps.join([range(40)]).batch(4).options(seed=1), r"of a run with seed 1, got one with 0"),
    ],
)
def test_a_state_of_another_pipeline_is_refused(other: Make, message: str):
    """With the difference named."""
    state = state_of(ps.join([range(40)]).batch(4))

    with pytest.raises(ps.StateError, match=message):
        other().open(state=state)


def test_a_source_that_gives_something_else_is_named():
    """And not believed."""
    state = state_of(ps.join([lambda: iter([1, 2, 3, 4, 5, 6, 7, 8])]).map(abs).batch(2), 2)

    def other() -> ps.Pipeline:
        return ps.join([lambda: iter([1, 2, 3, -4, 5, 6, 7, 8])]).map(abs).batch(2)

    with pytest.raises(ps.StateError, match="expected the example that it gave when the state was taken, got another"):
        list(other().open(state=state))
    short = ps.join([lambda: iter([1, 2])]).map(abs).batch(2)
    with pytest.raises(ps.StateError, match="expected a source of at least 3 items"):
        list(short.open(state=state))


@pytest.mark.parametrize("stratified", [False, True], ids=["batched", "stratified"])
@pytest.mark.parametrize("place", range(3))
def test_each_of_many_sources_is_known_by_its_last_example(stratified: bool, place: int):
    """Also where they were poured into batches, or into the rings, without ever being looked at one by one."""

    def sources(changed: int | None) -> ps.Pipeline:
        def examples(number: int) -> Iterator[Any]:
            for i in range(60):
                yield np.full(2, float(-1 if number == changed else i)), i % 2

        joined = ps.join([partial(examples, number) for number in range(3)])
        return (joined.stratify(1, "uniform", classes=range(2)) if stratified else joined).batch(6)

    with sources(None).open(inline=True) as flow:
        for _ in range(9):
            next(flow)
        state = flow.state_dict()

    with pytest.raises(ps.StateError, match=f"expected the example that it gave .* of source {place} "):
        list(sources(place).open(state=state, inline=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: None, "expected a state as `state_dict` gives it, got `NoneType`"),
        (lambda state: {**state, "penstock": 2}, "expected a state of version 1, got one of version 2"),
        (lambda state: {k: v for k, v in state.items() if k != "since"}, "got none of .'since'."),
        (lambda state: {**state, "since": 7}, "expected a state that is whole, got one that was changed or damaged"),
        (lambda state: [state], "got `list`"),
    ],
)
def test_a_state_that_is_damaged_is_refused(change: Callable[[Any], Any], message: str):
    """Before anything is opened."""
    pipeline = ps.join([range(40)]).batch(4)
    bad = change(state_of(pipeline))

    with pytest.raises((ps.StateError, ValueError), match=message):
        pipeline.open(state=bad) if bad is not None else pipeline.open(inline=True).load_state_dict(bad)


def as_a_checkpoint_might(data: Any) -> Any:
    """The same values in other types."""
    if isinstance(data, dict):
        return OrderedDict((np.str_(key), as_a_checkpoint_might(part)) for key, part in data.items())
    if isinstance(data, list):
        return tuple([as_a_checkpoint_might(part) for part in data])
    return data if data is None else np.array(data) if type(data) is int else np.array(data)[()]


@pytest.mark.parametrize("name", ["stratified, with repeats", "shuffled", "by weights"])
def test_a_state_whose_types_have_changed_is_read(name: str):
    """Checkpoints give back tuples for lists and NumPy's numbers; values that have changed are refused all the same."""
    make = PIPELINES[name]
    state = state_of(make(), 5)
    other = as_a_checkpoint_might(state)

    with make().open(state=other, inline=True) as flow, make().open(state=state, inline=True) as same_flow:
        assert same(next(flow), next(same_flow))
    with pytest.raises(ps.StateError, match="got one that was changed or damaged"):
        make().open(state={**other, "delivered": np.float64(5)})


def test_a_state_is_its_owners_alone():
    """Whoever changes one, to make it smaller, say, changes no other: neither an earlier one nor one that is still to come."""

    def spoil(data: Any) -> None:
        for part in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
            spoil(part)
        if isinstance(data, (dict, list)):
            data.clear()

    pipeline = ps.join([range(60)]).map(lambda x: 1 // (x % 9 - 4), on_error=ps.Skip()).shuffle(9).batch(4)
    with pipeline.open(inline=True) as flow:
        next(flow), next(flow), next(flow)
        first, second = flow.state_dict(), flow.state_dict()
        spoil(first)
        third = flow.state_dict()
        rest = list(flow)

    assert second == third
    assert all(map(same, pipeline.open(state=second, inline=True), rest))


def test_a_state_that_holds_itself_is_refused():
    """And ends in an error of ours."""
    state: dict[str, Any] = state_of(ps.join([range(40)]).batch(4))
    state["more"] = state

    with pytest.raises(ps.StateError, match="got one nested without end"):
        ps.join([range(40)]).batch(4).open(state=state)


# Files that are not what they were.


def write_each(folder: Path) -> dict[str, tuple[Path, Callable[[Path], ps.Pipeline]]]:
    """A file of each kind with 400 rows, and how it is read."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.feather as feather
    import pyarrow.parquet as pq

    table = pa.table({"n": range(1000, 1400), "x": [number / 8 for number in range(400)]})
    rows = list(zip(*table.to_pydict().values(), strict=True))
    pq.write_table(table, folder / "a.parquet", row_group_size=50, compression="none", use_dictionary=False)
    feather.write_feather(table, folder / "a.arrow", compression="uncompressed", chunksize=50)
    (folder / "a.csv").write_text("n,x\n" + "".join(f"{n},{x}\n" for n, x in rows))
    (folder / "a.jsonl").write_text("".join(f'{{"n": {n}, "x": {x}}}\n' for n, x in rows))
    (folder / "a.txt").write_text("".join(f"{n} {x}\n" for n, x in rows))
    return {
        "parquet": (folder / "a.parquet", ps.read_parquet),
        "arrow": (folder / "a.arrow", ps.read_arrow),
        "csv": (folder / "a.csv", ps.read_csv),
        "jsonl": (folder / "a.jsonl", ps.read_jsonl),
        "text": (folder / "a.txt", ps.read_text),
    }


@pytest.mark.parametrize("kind", ["parquet", "arrow", "csv", "jsonl", "text"])
def test_a_file_that_is_damaged_meanwhile_ends_in_an_error_of_ours_or_changes_nothing_that_was_read(
    kind: str, tmp_path: Path
):
    """Cut off, grown, or with bytes changed anywhere: of what a resumed flow hands over, none is of another place."""
    path, read = write_each(tmp_path)[kind]
    whole = path.read_bytes()
    state = state_of(read(path).batch(8), 20)
    expected = [checksum(batch) for batch in read(path).batch(8).open(inline=True)][20:]
    choose = random.Random(0)

    for size in [0, 1, *(choose.randrange(len(whole)) for _ in range(6)), len(whole) + 9]:
        path.write_bytes(whole[:size].ljust(size, b"\n"))
        with pytest.raises(PenstockError):
            list(read(path).batch(8).open(state=state, inline=True))
    for _ in range(30):
        at = choose.randrange(len(whole))
        changed = whole[at] ^ 1 << choose.randrange(8)
        if kind == "text" and {whole[at], changed} & set(b"\r\n"):
            continue  # it has other lines then, and each is as good as any
        path.write_bytes(whole[:at] + bytes([changed]) + whole[at + 1 :])
        try:
            sums = [checksum(batch) for batch in read(path).batch(8).open(state=state, inline=True)]
        except PenstockError:
            continue
        # A digit that became another is a value like any other; but each batch is where it was.
        assert len(sums) == len(expected)
        assert sum(one != other for one, other in zip(sums, expected, strict=True)) <= 1
    path.write_bytes(whole.translate(bytes.maketrans(b"123", b"456")) if kind in ("csv", "jsonl", "text") else whole)
    if kind in ("csv", "jsonl", "text"):
        with pytest.raises(ps.StateError, match="expected the example that it gave when the state was taken"):
            list(read(path).batch(8).open(state=state, inline=True))


@pytest.mark.parametrize("behind", [False, True])
def test_within_one_long_run_of_columns_there_are_snapshots_too(behind: bool):
    """All the data may be one: nothing was noted before it, so that a state was of the beginning, and replayed everything."""
    table = {"x": np.arange(20_000), "y": np.arange(20_000) % 2}
    pipeline = ps.join([table]).stratify("y", [0.5, 0.5])
    pipeline = (pipeline.shard(1, 2) if behind else pipeline).batch(8)
    with pipeline.open(inline=True) as flow:
        flow.skip(999)
        next(flow)
        state = flow.state_dict()
        expected = list(islice(flow, 40))

    assert state["since"] < 100
    with pipeline.open(state=state, inline=True) as flow:
        assert all(map(same, islice(flow, 40), expected))
