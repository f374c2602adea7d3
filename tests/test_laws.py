"""The laws over random pipelines: sources of every kind and the words in any order, against a model in plain Python.

L1 Every example is delivered, or counted as left out, or was not read yet.
L2 What comes out is a function of the pipeline and the data: not of threads, of capacity, or of timing.
L7 An error comes in its turn, after all that stands before it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from time import sleep
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock as ps
import penstock.engine.lane as lane
import penstock.engine.shots as shots
from described import Described, Source, Word, pipelines, source_lists
from examples import run
from penstock.testing import same

Example = tuple[int, np.ndarray, int]
"""Who it is, something ragged, and what was drawn for it."""


class Broken(Exception):
    """What a source raises."""


class Indexed:
    """A source read by index."""

    def __init__(self, examples: list[Example]) -> None:
        self.examples = examples

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> Example:
        return self.examples[index]


# What the words do to examples and batches; the model and penstock call the same functions.


def moved(example: Example) -> Example:
    return example[0] + 10_000, example[1], example[2]


def grown(example: Example) -> Example:
    return example[0], np.append(example[1], example[0] % 7), example[2]


def drawn(example: Example, rng: np.random.Generator) -> Example:
    return example[0], example[1], int(rng.integers(1, 2**62))


def third(example: Example) -> bool:
    return bool(example[0] % 3)


def moved_batch(batch: Any) -> Any:
    return batch[0] + 10_000, batch[1], batch[2]


def odd_batch(batch: Any) -> bool:
    return bool(np.asarray(batch[0]).sum() % 2)


def examples_of(source: Source) -> list[Example]:
    """Each can be told from all others."""
    return [
        (source.number * 1000 + place, np.arange(place, place + width), 0) for place, width in enumerate(source.widths)
    ]


# Penstock's side.


def opened(source: Source) -> Iterator[Example]:
    for example in examples_of(source):
        if source.yields and example[0] % 3 == 0:
            sleep(0)
        yield example
    if source.fails:
        raise Broken(source.number)


def made(source: Source) -> Any:
    """What is handed to `join`."""
    examples = examples_of(source)
    if source.kind == "list":
        return examples
    if source.kind == "indexed":
        return Indexed(examples)
    if source.kind == "iterator":
        return iter(examples)
    if source.kind == "arrays":
        ids, ragged, draws = zip(*examples, strict=True) if examples else ((), np.zeros((0, 2), int), ())
        return ps.from_arrays((np.array(ids, int), np.array(ragged, int), np.array(draws, int)))
    return lambda: opened(source)


def built(described: Described) -> ps.Pipeline:
    """The pipeline, with fresh iterators."""
    pipeline = ps.join([made(each) if isinstance(each, Source) else built(each) for each in described.inputs])
    for word in described.words:
        pipeline = add(pipeline, word)
    return pipeline


def add(pipeline: ps.Pipeline, word: Word) -> ps.Pipeline:
    words: dict[str, Callable[[Any], ps.Pipeline]] = {
        "map": lambda _: pipeline.map(moved),
        "grow": lambda _: pipeline.map(grown),
        "draw": lambda _: pipeline.map(drawn),
        "filter": lambda _: pipeline.filter(third),
        "map batch": lambda _: pipeline.map(moved_batch),
        "filter batch": lambda _: pipeline.filter(odd_batch),
        "take": pipeline.take,
        "skip": pipeline.skip,
        "repeat": pipeline.repeat,
        "batch": lambda argument: pipeline.pad().batch(argument[0], keep_last=argument[1]),
        "unbatch": lambda _: pipeline.unbatch(),
    }
    return words[word.name](word.argument)


# The model: generators over lists. What is drawn is left alone, since no model can draw it.


def model(described: Described) -> Iterator[Any]:
    """What comes out, in order; raises where a source does."""
    words = list(described.words)
    return modelled(described, words)


def modelled(described: Described, words: list[Word]) -> Iterator[Any]:
    if not words:
        yield from joined([items(each) for each in described.inputs])
        return
    word, before = words[-1], words[:-1]
    if word.name == "repeat":
        for _ in range(word.argument):
            yield from modelled(described, before)
        return
    upstream = modelled(described, before)
    if word.name in ("map", "map batch"):
        yield from map(moved if word.name == "map" else moved_batch, upstream)
    elif word.name == "grow":
        yield from map(grown, upstream)
    elif word.name == "draw":
        yield from upstream
    elif word.name in ("filter", "filter batch"):
        yield from filter(third if word.name == "filter" else odd_batch, upstream)
    elif word.name == "take":
        yield from islice(upstream, word.argument)
    elif word.name == "skip":
        yield from islice(upstream, word.argument, None)
    elif word.name == "batch":
        yield from grouped(upstream, *word.argument)
    else:
        for batch in upstream:
            yield from zip(*batch, strict=True)


def items(each: Source | Described) -> Iterator[list[Example]]:
    """What one input gives at each turn: an example, or a batch of another pipeline."""
    if isinstance(each, Source):
        yield from ([example] for example in opened(each))
    elif each.batched:
        yield from (list(zip(*batch, strict=True)) for batch in model(each))
    else:
        yield from ([example] for example in model(each))


def joined(inputs: list[Iterator[list[Example]]]) -> Iterator[Example]:
    """One item of each in turn; who ends drops out."""
    turn = 0
    while inputs:
        item = next(inputs[turn], None)
        if item is None:
            del inputs[turn]
            turn = turn % len(inputs) if inputs else 0
            continue
        yield from item
        turn = (turn + 1) % len(inputs)


def grouped(examples: Iterator[Example], size: int, keep_last: bool) -> Iterator[Any]:
    """Batches, padded to their longest; an error comes after the remainder where that is given."""
    held: list[Example] = []
    error = None
    while True:
        try:
            held.append(next(examples))
        except StopIteration:
            break
        except Broken as raised:
            error = raised
            break
        if len(held) == size:
            yield stacked(held)
            held = []
    if held and keep_last:
        yield stacked(held)
    if error is not None:
        raise error


def stacked(examples: list[Example]) -> Any:
    ids, ragged, draws = zip(*examples, strict=True)
    longest = max(len(one) for one in ragged)
    rows = [np.pad(one, (0, longest - len(one))) for one in ragged]
    return np.array(ids, np.int64), np.array(rows, np.int64).reshape(len(rows), longest), np.array(draws, np.int64)


def outcome(described: Described) -> tuple[list[Any], Exception | None]:
    """What the model says."""
    things: list[Any] = []
    try:
        things.extend(model(described))
    except Broken as error:
        return things, error
    return things, None


def undrawn(thing: Any) -> Any:
    """Without what was drawn."""
    return np.asarray(thing[0], np.int64), np.asarray(thing[1], np.int64)


def assert_same(
    got: tuple[list[Any], Exception | None], want: tuple[list[Any], Exception | None], *, drawn: bool
) -> None:
    """The same things in the same order, byte for byte, and the same ending."""
    assert (type(got[1]), getattr(got[1], "args", None)) == (type(want[1]), getattr(want[1], "args", None))
    assert len(got[0]) == len(want[0])
    for one, other in zip(got[0], want[0], strict=True):
        assert same(one, other) if drawn else same(undrawn(one), undrawn(other))


@pytest.mark.slow
@settings(max_examples=400)
@given(pipelines())
def test_what_comes_out_is_what_the_model_says_by_threads_and_inline(described: Described):
    """L2 and L7: whatever the words, and wherever an error stands."""
    inline = run(built(described), inline=True)

    assert_same(inline, outcome(described), drawn=False)
    assert_same(run(built(described)), inline, drawn=True)


@pytest.mark.slow
@settings(max_examples=150)
@given(pipelines(), st.sampled_from([1, 2, 1000]), st.sampled_from([None, 1, 200]))
def test_neither_capacity_nor_timing_changes_a_byte(described: Described, capacity: int, nbytes: int | None):
    """L2: the lanes hold more or less, the same comes out."""
    pipeline = built(described).options(capacity=capacity, capacity_bytes=nbytes)

    assert_same(run(pipeline), run(built(described), inline=True), drawn=True)


def broken(described: Described, breaks: list[int], *, inline: bool) -> tuple[list[Any], Exception | None]:
    """What comes out if it is stopped after so many, goes on from its state, is stopped again, and so on."""
    things: list[Any] = []
    state: Any = None
    for legs_left, most in zip(range(len(breaks), -1, -1), [*breaks, None], strict=True):
        with built(described).open(state=state, inline=inline != bool(legs_left % 2)) as flow:
            try:
                things += islice(flow, most)
            except Broken as error:
                return things, error
            state = json.loads(json.dumps(flow.state_dict()))
    return things, None


@pytest.mark.slow
@settings(max_examples=250)
@given(pipelines(once=False), st.lists(st.integers(0, 6), min_size=1, max_size=3), st.booleans(), st.booleans())
def test_what_is_stopped_and_goes_on_gives_the_same(described: Described, breaks: list[int], inline: bool, often: bool):
    """L3: again after a second and a third break, with threads and without, whether snapshots are frequent or none is."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((shots, "PART"), (lane, "NOTING")):
            patch.setattr(module, name, 0.0 if often else 1e9)

        assert_same(broken(described, breaks, inline=inline), run(built(described), inline=True), drawn=True)


def counting(described: Described) -> Described:
    """Without the words that stop reading, or that leave out whole batches and so count batches."""
    inputs = tuple(each if isinstance(each, Source) else counting(each) for each in described.inputs)
    left = tuple(word for word in described.words if word.name not in ("take", "skip", "filter batch"))
    return Described(inputs, left)


@pytest.mark.slow
@settings(max_examples=100)
@given(pipelines(errors=False, repeated=False, batched=True))
def test_every_example_is_delivered_or_counted(described: Described):
    """L1: read = delivered + left out, in the figures that the flow itself tells."""
    with built(counting(described)).open() as flow:
        delivered = sum(len(batch[0]) for batch in flow)
    stats = flow.stats()

    left_out = sum(stage.discarded for stage in stats.stages)
    assert sum(source.examples for source in stats.sources) == delivered + left_out


@pytest.mark.slow
@settings(max_examples=100)
@given(source_lists())
def test_in_arrival_order_the_same_examples_come_in_an_order_of_their_own(several: list[Source]):
    """L1 without the fixed order: nothing lost, nothing twice, and each source in its own order."""
    ids = [int(example[0]) for example in ps.join(list(map(made, several)), order="arrival")]

    for each in several:
        assert [one for one in ids if one // 1000 == each.number] == [example[0] for example in examples_of(each)]
    assert len(ids) == sum(len(each.widths) for each in several)


chunks = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), max_size=6)


@pytest.mark.slow
@settings(max_examples=150)
@given(
    st.lists(chunks, min_size=1, max_size=4),
    st.integers(1, 7),
    st.booleans(),
    st.sampled_from([1, 3, 32, -1]),
    st.none() | st.tuples(st.integers(0, 3), st.integers(0, 5)),
    st.none() | st.integers(0, 2**12),
)
def test_chunks_are_joined_whole_and_cut_into_batches(
    sizes: list[list[tuple[int, int]]],
    batch_size: int,
    smaller: bool,
    capacity: int,
    fails: tuple[int, int] | None,
    flags: int | None,
):
    """TF1's functions with `enqueue_many`, flags for rows, and a source that fails: exactly what the model says."""

    def chunk(source: int, place: int) -> Example:
        rows, width = sizes[source][place]
        ids = np.arange(rows) + 1000 * source + 100 * place
        return ids, np.full((rows, width), source), np.zeros(rows, int)

    def kept(source: int, place: int) -> np.ndarray:
        rows = sizes[source][place][0]
        return np.array(
            [flags is None or bool(flags >> ((source + place + row) % 12) & 1) for row in range(rows)], bool
        )

    def read(source: int) -> Iterator[Any]:
        for place in range(len(sizes[source])):
            if (source, place) == fails:
                raise Broken(source)
            yield chunk(source, place)

    def wanted(source: int) -> Iterator[list[Example]]:
        for place, whole in enumerate(read(source)):
            rows = [row for row, keep in zip(zip(*whole, strict=True), kept(source, place), strict=True) if keep]
            if rows:
                yield rows

    def marks(source: int) -> Iterator[Any]:
        return (kept(source, place) for place in range(len(sizes[source])))

    every = range(len(sizes))
    opens = [lambda source=source: read(source) for source in every]
    how: dict[str, Any] = {
        "capacity": capacity,
        "enqueue_many": True,
        "dynamic_pad": True,
        "allow_smaller_final_batch": smaller,
    }
    if flags is None:
        pipeline = ps.batch_join(opens, batch_size, **how)
    else:
        marked = [lambda source=source: marks(source) for source in every]
        pipeline = ps.maybe_batch_join(opens, marked, batch_size, **how)
    want: list[Any] = []
    error = None
    try:
        want.extend(grouped(joined([wanted(source) for source in every]), batch_size, smaller))
    except Broken as raised:
        error = raised

    assert_same(run(pipeline), (want, error), drawn=True)
    assert_same(run(pipeline, inline=True), (want, error), drawn=True)


def test_the_model_knows_an_error_when_it_sees_one():
    """The model itself, on a case worked out by hand: the remainder before the error, and nothing after it."""
    described = Described(
        (Source("generator", 0, (1, 1, 1), fails=True), Source("list", 1, (0,) * 9)), (Word("batch", (4, True)),)
    )

    batches, error = outcome(described)

    assert [batch[0].tolist() for batch in batches] == [[0, 1000, 1, 1001], [2, 1002]]
    assert isinstance(error, Broken)
    with pytest.raises(Broken):
        list(built(described))
