"""Errors that are skipped, tried again, or told of, in whole pipelines: with threads and without, in any mix of words."""

from __future__ import annotations

import traceback
from collections.abc import Collection, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock as ps
from penstock.engine import Pauses
from penstock.errors import Aborted
from penstock.report import report
from penstock.testing import no_threads_left, same
from penstock.ticket import Ticket
from scenario import run_script

pytestmark = pytest.mark.usefixtures("often")

PATIENCE_S = 20.0
"""What has not come by then is not coming. [s]"""
COUNT = 24


class Fragile:
    """A data set that cannot be read at some indexes."""

    def __init__(self, number: int, bad: Collection[int]) -> None:
        self.number, self.bad = number, bad

    def __len__(self) -> int:
        return COUNT

    def __getitem__(self, index: int) -> tuple[int, np.ndarray]:
        if index in self.bad:
            raise ValueError(f"{self.number}/{index}")
        return self.number * 100 + index, np.zeros(index % 3 + 1)


def opened(number: int, breaks: dict[int, int]) -> Any:
    """A source that breaks at some places, at each as often as is said; opened again, it goes on to break less."""
    left = dict(breaks)

    def open_again() -> Iterator[tuple[int, np.ndarray]]:
        for index in range(COUNT):
            if left.get(index, 0):
                left[index] -= 1
                raise OSError(f"{number}/{index}")
            yield Fragile(number, ())[index]

    return open_again


def fussy(example: tuple[int, np.ndarray]) -> tuple[int, np.ndarray]:
    if example[0] % 7 == 3:
        raise ArithmeticError(example[0])
    return example


def picky(example: tuple[int, np.ndarray]) -> bool:
    if example[0] % 11 == 5:
        raise LookupError(example[0])
    return example[0] % 2 == 0


def odd_one_out(example: tuple[int, np.ndarray]) -> tuple[Any, np.ndarray]:
    """Some do not fit the others."""
    return (str(example[0]) if example[0] % 13 == 1 else example[0]), example[1]


SKIP = ps.Skip(at_most=10**6)


def pipeline_of(
    bads: list[set[int]], before: bool, order: str, size: int, repeats: int, keep_last: bool
) -> ps.Pipeline:
    sources: list[Any] = [Fragile(number, bad) for number, bad in enumerate(bads)]
    if before:
        sources = [ps.join([source]).map(fussy) for source in sources]
    weights = [3, 2, 1][: len(sources)] if order == "weights" else None
    joined = ps.join(sources, weights).map(fussy).map(odd_one_out).filter(picky).repeat(repeats)
    return joined.pad().options(on_error=SKIP).batch(size, keep_last=keep_last)


def skipped_by_place(flow: ps.Flow) -> list[tuple[str, str, tuple[int, ...], str]]:
    return [(each.stage, each.source, tuple(each.ticket), each.text) for each in flow.quarantine]


@settings(max_examples=15)
@given(
    bads=st.lists(st.sets(st.integers(0, COUNT - 1)), min_size=1, max_size=3),
    before=st.booleans(),
    order=st.sampled_from(["turns", "weights"]),
    size=st.integers(1, 9),
    repeats=st.integers(1, 2),
    keep_last=st.booleans(),
)
def test_threads_and_inline_skip_the_same_and_nothing_is_lost_without_a_reason(
    bads: list[set[int]], before: bool, order: str, size: int, repeats: int, keep_last: bool
):
    """Bad sources, functions and misfits in one pipeline: the same batches, the same quarantine, all accounted for."""
    flows = []
    for inline in (True, False):
        pipeline = pipeline_of(bads, before, order, size, repeats, keep_last)
        with pipeline.open(inline=inline) as flow:
            flows.append((list(flow), skipped_by_place(flow), flow.stats()))
    (batches, skipped, _), (others, others_skipped, stats) = flows

    assert len(batches) == len(others)
    assert all(same(one, other) for one, other in zip(batches, others, strict=True))
    assert skipped == others_skipped

    read = sum(source.examples for source in stats.sources)
    lost = [(skip.stage, skip.skipped) for skip in stats.skips]
    unread = sum(count for stage, count in lost if stage.startswith("read "))
    left_out = sum(stage.discarded for stage in stats.stages)
    delivered = sum(len(batch[0]) for batch in batches)
    assert read + unread == repeats * COUNT * len(bads)
    assert unread == repeats * sum(map(len, bads))
    assert read == delivered + left_out + sum(count for _, count in lost) - unread


@settings(max_examples=15)
@given(
    breaks=st.lists(st.dictionaries(st.integers(0, COUNT - 1), st.integers(1, 2)), min_size=1, max_size=3),
    order=st.sampled_from(["turns", "weights", "arrival"]),
    inline=st.booleans(),
)
def test_a_feed_whose_sources_break_anywhere_is_the_feed_whose_sources_do_not(
    breaks: list[dict[int, int]], order: str, inline: bool
):
    """With `Retry` nobody sees it in the batches."""

    def feed(breaks: list[dict[int, int]]) -> list[int]:
        sources = [opened(number, its) for number, its in enumerate(breaks)]
        weights = [3, 2, 1][: len(sources)] if order == "weights" else None
        joined = ps.join(
            sources,
            weights,
            order="arrival" if order == "arrival" else "fixed",
            on_error=ps.Retry(times=2, backoff_s=0),
        )
        with joined.map(lambda example: example[0]).batch(4, keep_last=True).open(inline=inline) as flow:
            ids = [int(number) for batch in flow for number in batch]
        return sorted(ids) if order == "arrival" else ids

    assert feed(breaks) == feed([{} for _ in breaks])


def test_a_source_a_stage_and_the_whole_have_policies_of_their_own():
    """The nearest counts."""
    bad = Fragile(0, {2})
    strict = ps.join([bad], on_error="raise").options(on_error=ps.Skip())
    by_name = ps.join({"a": Fragile(0, {2}), "b": Fragile(1, ())}, on_error={"a": ps.Skip()})
    nested = ps.join([ps.join([bad]).map(lambda example: example[0])], on_error=ps.Skip())

    with pytest.raises(ValueError, match="0/2"):
        list(strict)
    assert len(list(by_name)) == 2 * COUNT - 1
    assert len(list(nested)) == COUNT - 1
    with pytest.raises(ArithmeticError):
        list(ps.join([Fragile(0, ())]).map(fussy, on_error="raise").options(on_error=ps.Skip()))


def test_the_functions_of_tf1_skip_too():
    """Components are read in step, and stay so."""
    rows, labels = Fragile(0, {3}), np.arange(COUNT)
    feed = ps.batch((rows, labels), 4, dynamic_pad=True, on_error=ps.Skip(at_most=1))

    batches = list(feed)

    assert [label for _, batch in batches for label in batch.tolist()] == [0, 1, 2, *range(4, 21)]
    assert all((ids == labels).all() for (ids, _), labels in batches)


def test_a_bad_chunk_is_skipped_whole():
    """It is the source's item."""

    class Chunks:
        lasts = True

        def __init__(self) -> None:
            self.at = -1

        def __iter__(self) -> Chunks:
            return self

        def __next__(self) -> np.ndarray:
            self.at += 1
            if self.at == 5:
                raise StopIteration
            if self.at == 2:
                raise ValueError("no chunk")
            return np.full(3, self.at)

    feed = ps.batch(Chunks, 4, enqueue_many=True, on_error=ps.Skip())

    assert [batch.tolist() for batch in feed] == [[0, 0, 0, 1], [1, 1, 3, 3], [3, 4, 4, 4]]


def test_a_batch_that_a_function_cannot_take_is_skipped_as_one():
    """Behind `.batch`, a function sees batches, and its ticket is that of the first example."""
    pipeline = ps.join([range(12)]).batch(3).map(lambda batch: batch / (batch[0] != 3), on_error=ps.Skip())

    with np.errstate(divide="raise", invalid="raise"), pipeline.open(inline=True) as flow:
        batches = [batch.tolist() for batch in flow]

    assert batches == [[0, 1, 2], [6, 7, 8], [9, 10, 11]]
    assert [each.ticket for each in flow.quarantine] == [Ticket(0, 0, 3)]


def test_the_first_example_of_all_may_be_the_one_that_does_not_fit():
    """No spec can be read off it, so the next one says what an example is."""
    examples = [{"x": iter(())}, {"x": 1}, {"x": 2}]

    assert [batch["x"].tolist() for batch in ps.join([examples]).options(on_error=ps.Skip()).batch(2)] == [[1, 2]]


@pytest.mark.parametrize("inline", [True, False])
def test_over_budget_ends_the_flow_behind_the_batches_before_it(inline: bool):
    """And its cause is the user's own error, from the user's own line."""
    pipeline = ps.join([Fragile(0, {5, 6, 7, 20})]).map(lambda example: example[0]).options(on_error=ps.Skip(at_most=2))

    with pipeline.batch(4).open(inline=inline) as flow:
        assert next(flow).tolist() == [0, 1, 2, 3]
        with pytest.raises(ps.OverBudget) as caught:
            next(flow)

    cause = caught.value.__cause__
    assert isinstance(cause, ValueError)
    assert cause.__notes__ == ["penstock: while reading example 7 of source 0 ('Fragile')"]
    assert "__getitem__" in "".join(traceback.format_tb(cause.__traceback__))


def test_what_was_skipped_is_counted_and_shown():
    """By source and stage, with the first and the last."""
    pipeline = ps.join({"train": Fragile(0, {5, 9})}).map(fussy).options(on_error=ps.Skip())

    with pipeline.open(inline=True) as flow:
        list(flow)
        text = flow.report()

    lines = [line for line in text.splitlines() if "skipped" in line]
    assert lines == [
        "read 'train': 2 skipped; the first: 0:0:5 in read 'train': ValueError: 0/5; "
        "the last: 0:0:9 in read 'train': ValueError: 0/9",
        "map(fussy): 3 skipped; the first: 0:0:3 of 'train' in map(fussy): ArithmeticError: 3; "
        "the last: 0:0:17 of 'train' in map(fussy): ArithmeticError: 17",
    ]
    assert flow.stats().sources[0].examples == COUNT - 2


@pytest.mark.parametrize("word", ["read", "map", "filter"])
def test_an_error_keeps_its_type_its_traceback_and_is_told_where(word: str):
    """The place says what was done, to which example, of which source."""

    def breaks(example: Any) -> Any:
        raise ZeroDivisionError("mine") if example == 2 else KeyError

    def source() -> Iterator[int]:
        yield from (0, 1)
        if word == "read":
            raise ZeroDivisionError("mine")
        yield 2

    def only_two(example: int) -> Any:
        return breaks(example) if example == 2 else True

    pipeline = ps.join({"a": source})
    if word != "read":
        pipeline = pipeline.map(only_two) if word == "map" else pipeline.filter(only_two)

    with pytest.raises(ZeroDivisionError, match="mine") as caught:
        list(pipeline)

    doing = {"read": "reading", "map": "mapping", "filter": "filtering"}[word]
    assert caught.value.__notes__ == [f"penstock: while {doing} example 2 of source 0 ('a')"]
    assert {"breaks", "source"} & {frame.name for frame in traceback.extract_tb(caught.value.__traceback__)}


# Waiting.


def test_a_close_wakes_whoever_waits_before_another_attempt():
    """An hour's backoff does not hold it up."""
    broke = Event()

    def source() -> Iterator[int]:
        yield 1
        broke.set()
        raise OSError

    with no_threads_left():
        flow = ps.join([source], on_error=ps.Retry(backoff_s=3600)).open()
        assert next(flow) == 1
        assert broke.wait(PATIENCE_S)

        flow.close()


def test_what_is_finished_comes_out_while_a_source_waits_before_another_attempt():
    """Its turn comes later."""

    def source() -> Iterator[int]:
        yield 1
        raise OSError

    with ps.join([range(10, 20), source], on_error=ps.Retry(backoff_s=3600)).open() as flow:
        assert [next(flow) for _ in range(3)] == [10, 1, 11]


def test_a_pause_that_is_asked_for_too_late_does_not_begin():
    """Between asking for the end and the wait nothing gets lost."""
    pauses = Pauses()
    pauses.abort()

    with pytest.raises(Aborted):
        pauses.wait(3600, since=pauses.now(), deadline_s=None)
    assert pauses.moved() == 0.0


def test_all_who_pause_are_woken():
    """However many threads they are."""
    pauses = Pauses()
    woken: list[int] = []

    def waits(number: int) -> None:
        try:
            pauses.wait(3600, since=pauses.now(), deadline_s=None)
        except Aborted:
            woken.append(number)

    threads = [Thread(target=waits, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    pauses.abort()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert sorted(woken) == list(range(5))


@pytest.mark.slow
@pytest.mark.parametrize("inline", [False, True])
def test_ctrl_c_in_a_backoff_ends_the_program_at_once(inline: bool):
    """In the training loop's thread or in the source's own."""
    script = run_script(
        f"""
        def source():
            yield 1
            raise OSError

        with ps.join([source], on_error=ps.Retry(backoff_s=3600)).open(inline={inline}) as flow:
            print(next(flow))
            strike(ps.Flow._first)
            try:
                next(flow)
            except KeyboardInterrupt:
                ending()
        nothing_left()
        """
    )

    assert script.lines == ["1", "left [] []"]
    assert script.code == 0


# Who hangs.


class Hanging:
    """Gives a few numbers, then nothing until it is cancelled."""

    def __init__(self, count: int) -> None:
        self.count, self.go = count, Event()

    def __call__(self) -> Iterator[int]:
        yield from range(self.count)
        self.go.wait()

    def cancel(self) -> None:
        self.go.set()


def test_a_source_that_hangs_is_named_by_an_error_with_the_stacks_of_the_flow():
    """Where the user has said how long is too long."""
    sources = {"good": range(100), "bad": Hanging(2)}

    with no_threads_left(), ps.join(sources).options(watchdog_s=0.02).batch(2).open() as flow:
        assert [next(flow).tolist() for _ in range(2)] == [[0, 0], [1, 1]]
        with pytest.raises(ps.Stalled) as caught:
            next(flow)

    assert isinstance(caught.value, TimeoutError)
    first, *stacks = str(caught.value).splitlines()
    assert first == (
        "expected a batch, or an example on its way to one, got nothing for 0.02 s, which is `watchdog_s`, while waiting "
        "for source 'bad'"
    )
    assert "thread 'ps-read-1/flow', of source 'bad':" in stacks
    assert "    self.go.wait()" in stacks
    assert any(line.startswith("thread 'ps-drive/flow'") for line in stacks)
    with pytest.raises(ps.Stalled):
        next(flow)


def test_a_batch_that_is_long_in_coming_is_no_alarm_while_examples_come():
    """Each of them moves something, though the batch takes many times as long as the watchdog waits."""
    gone = Event()

    def slow() -> Iterator[int]:
        for number in range(40):
            gone.wait(0.01)
            yield number

    with ps.join([slow]).options(watchdog_s=0.1).batch(40).open() as flow:
        assert next(flow).tolist() == list(range(40))


def test_a_pause_before_another_attempt_is_no_alarm():
    """It is meant to be."""
    source = opened(0, {3: 1})
    pipeline = ps.join([source], on_error=ps.Retry(backoff_s=0.15)).map(lambda example: example[0])

    with pipeline.options(watchdog_s=0.02).batch(COUNT).open() as flow:
        assert next(flow).tolist() == list(range(COUNT))


def test_a_report_names_a_source_that_is_waited_for_for_long():
    """Also without a watchdog, for whoever looks."""
    with ps.join({"good": [1, 2], "bad": Hanging(1)}).open() as flow:
        next(flow)
        stats = flow.stats()
    good, bad = stats.sources
    stats = stats._replace(sources=(good._replace(awaited_s=1.0), bad._replace(awaited_s=61.4)))

    text = report(stats, order="fixed")

    assert "source 1 ('bad') has been waited for for 61 s, and still is" in text
    assert "source 0 ('good') has" not in text


# Files.


def test_bad_lines_of_a_file_are_skipped_and_the_others_keep_their_places(tmp_path: Path):
    """Lines that are no JSON, of other types, not even first in their file."""
    pytest.importorskip("pyarrow")
    file = tmp_path / "a.jsonl"
    lines = [f'{{"a": {number}}}' for number in range(30)]
    for bad, line in {0: "{", 7: '{"a": "x"}', 8: "[1]", 29: '{"a": 1} {'}.items():
        lines[bad] = line
    file.write_text("\n".join(lines))

    with ps.read_jsonl(file, on_error=ps.Skip(at_most=4)).open() as flow:
        found = [int(example["a"]) for example in flow]

    good = [number for number in range(30) if number not in (0, 7, 8, 29)]
    assert found == good
    assert [each.ticket.offset for each in flow.quarantine] == [0, 7, 8, 29]
    assert all(each.kind == "SourceError" for each in flow.quarantine)
    with pytest.raises(ps.SourceError, match="row 0 of"):
        list(ps.read_jsonl(file))


@pytest.mark.parametrize("streams", [1, 2])
def test_missing_values_of_any_table_are_skipped_under_the_policy(tmp_path: Path, streams: int):
    """As `nulls="skip"`, but counted, and within a budget."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    for number in range(2):
        values = [None if row in (0, 3, 4, 9) else 10 * number + row for row in range(10)]
        parquet.write_table(pa.table({"a": values}), tmp_path / f"{number}.parquet")

    pipeline = ps.read_parquet(str(tmp_path / "*.parquet"), streams=streams, on_error=ps.Skip(at_most=8))
    with pipeline.open() as flow:
        found = sorted(int(example["a"]) for example in flow)

    assert found == [10 * number + row for number in range(2) for row in (1, 2, 5, 6, 7, 8)]
    assert sum(skip.skipped for skip in flow.stats().skips) == 8


@settings(max_examples=40)
@given(lines=st.lists(st.sampled_from([b"one", b"", b"caf\xc3\xa9", b"\xff", b"a\xc3", b"\xc3\x28b"]), max_size=12))
def test_lines_that_are_no_text_are_skipped_and_no_other(lines: list[bytes]):
    """Whatever is in them, and wherever the parts of the file are cut."""
    from penstock.sources.text import _decoded

    raw = b"".join(line + b"\n" for line in lines)
    for size in (1, 2, 3, 100):
        parts = iter([raw[at : at + size] for at in range(0, len(raw), size)])
        found: list[str | None] = []
        for good, error in _decoded(parts, "utf-8"):
            found += good
            if error is not None:
                found.append(None)

        assert found == [_text(line) for line in lines]


def _text(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


def test_a_label_that_cannot_be_read_is_skipped():
    """Before anything is composed: the shares are as if its example had never come."""
    rows = [{"x": number, "y": number % 2} for number in range(40)]
    for at in (3, 12, 30):
        rows[at] = {"x": at}
    rows[20] = {"x": 20, "y": 7}
    pipeline = ps.join([rows]).stratify("y", [0.5, 0.5]).batch(4).options(on_error=ps.Skip())
    with pipeline.open(inline=True) as flow:
        batches = list(flow)
        skipped = flow.quarantine

    assert [(each.stage, each.ticket.offset) for each in skipped] == [("stratify", at) for at in (3, 12, 20, 30)]
    assert skipped[2].text.startswith("expected a label that is an integer in [0, 2), got `7`")
    good = ps.join([[row for row in rows if row.get("y", 7) != 7]]).stratify("y", [0.5, 0.5]).batch(4)
    assert [sorted(batch["x"].tolist()) for batch in batches] == [sorted(batch["x"].tolist()) for batch in good]


def test_too_many_bad_labels_are_an_error_that_counts_them():
    """With the first and the last of them, and the user's own error behind it."""
    rows = [{"y": number % 2} for number in range(9)] + [{}] * 3
    pipeline = ps.join([rows]).stratify(lambda row: row["y"], [0.5, 0.5]).batch(2).options(on_error=ps.Skip(at_most=2))

    with pytest.raises(ps.OverBudget, match=r"got 3 - at stratify - the first: 0:0:9 .* - the last: 0:0:11") as raised:
        list(pipeline)
    assert isinstance(raised.value.__cause__, KeyError)


def test_a_group_of_which_an_example_is_skipped_is_filled_up_again():
    """A bucket's batches are as large as they were asked for, whatever was skipped."""
    rows: list[Any] = [np.zeros(2, np.float32) for _ in range(12)]
    rows[2], rows[5] = np.zeros((2, 2), np.float32), np.zeros(2, np.complex64)
    pipeline = ps.join([[{"x": row} for row in rows]]).pad().bucket("x", [3], 4, keep_last=True)
    with pipeline.options(on_error=ps.Skip()).open(inline=True) as flow:
        sizes = [len(batch["x"]) for batch in flow]
        skipped = [(each.stage, each.ticket.offset) for each in flow.quarantine]

    assert sizes == [4, 4, 2]
    assert skipped == [("batch", 2), ("batch", 5)]
    with pipeline.options(on_error=ps.Skip()).open() as flow:
        list(flow)
        assert [stage.examples for stage in flow.stats().stages if stage.name == "bucket"] == [12]


@pytest.mark.parametrize("word", ["batch", "map"])
def test_what_is_skipped_behind_stratify_is_told_to_have_moved_its_batches(word: str):
    """Every batch was exact up to then; from then on each is of two of those composed, and no figure says otherwise."""

    def spoil(example: tuple[Any, int]) -> tuple[Any, int]:
        if example[0] != 20:
            return example
        if word == "map":
            raise ValueError("bad")
        return "twenty", example[1]

    labelled = ps.join([[(number, number % 2) for number in range(40)]])
    pipeline = labelled.stratify(1, [0.5, 0.5]).map(spoil).batch(4).options(on_error=ps.Skip())
    with pipeline.open() as flow:
        next(flow)
        state = flow.state_dict()
        list(flow)
        (strata,) = flow.stats().strata
        lines = [line.strip() for line in flow.report().splitlines()]
    with pipeline.open(inline=True) as flow:
        next(flow)
        (before,) = flow.stats().strata

    assert (before.exact, before.skipped) == (True, 0)
    assert (strata.exact, strata.skipped) == (False, 1)
    assert (
        "exact in the order that stratify gives, 4 by 4; batches straddle these, since 1 was skipped behind it" in lines
    )
    with pipeline.open(state=state, inline=True) as flow:
        list(flow)
        assert flow.stats().strata[0].skipped == 1
