"""Sources mixed by weights, as a user writes it: weights, what an end means, the tag, threads, and the figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from time import sleep
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock as ps
from examples import run
from penstock.sampling import Quota, Shares
from penstock.testing import same
from penstock.ticket import Ticket


class Broken(Exception):
    """What a source raises."""


def stream(number: int, count: int, *, fails: bool = False, yields: bool = False) -> Any:
    """A source whose examples carry its number."""

    def read() -> Iterator[Any]:
        for i in range(count):
            if yields and i % 3 == 0:
                sleep(0)
            yield 1000 * number + i, np.arange(i % 4)
        if fails:
            raise Broken(number)

    return read


def scheduled(
    weights: Sequence[int], counts: Sequence[int], ends: Sequence[str], fails: int | None
) -> list[int] | None:
    """The ids in their order, place by place; of an endless join the first 400."""
    quota = Quota(Shares.of(weights), 1)
    live = {number for number, weight in enumerate(weights) if weight}
    at = [0] * len(counts)
    ids: list[int] = []
    while live and len(ids) < 400:
        number = int(quota.pattern(1)[0])
        if number not in live:
            continue
        if at[number] == counts[number]:
            if number == fails:
                break
            if ends[number] == "repeat":
                at[number] = 0
            elif ends[number] == "stop":
                break
            else:
                live.remove(number)
                continue
        ids.append(1000 * number + at[number])
        at[number] += 1
    return ids


@st.composite
def mixes(draw: st.DrawFn) -> tuple[list[int], list[int], list[str], int | None]:
    """Weights, counts, policies, and perhaps one source that fails; none that begins again is empty."""
    count = draw(st.integers(1, 4))
    weights = draw(st.lists(st.integers(0, 6), min_size=count, max_size=count).filter(any))
    ends = draw(st.lists(st.sampled_from(["drop", "stop", "repeat"]), min_size=count, max_size=count))
    counts = [draw(st.integers(1 if end == "repeat" else 0, 30)) for end in ends]
    return weights, counts, ends, draw(st.none() | st.integers(0, count - 1))


@pytest.mark.slow
@settings(max_examples=200)
@given(mixes(), st.booleans(), st.sampled_from([1, 3, 1000]), st.booleans(), st.booleans())
def test_the_order_is_the_schedules_by_threads_and_inline(
    mix: tuple[list[int], list[int], list[str], int | None], yields: bool, capacity: int, worked: bool, batched: bool
):
    """Whatever ends, fails or begins again, however it is read, and however it is asked for."""
    weights, counts, ends, fails = mix

    def pipeline() -> ps.Pipeline:
        sources: list[Any] = [
            stream(number, count, fails=number == fails, yields=yields) for number, count in enumerate(counts)
        ]
        if worked:
            sources = [ps.join([source]).map(lambda example: example) for source in sources]
        joined = ps.join(sources, weights, end=ends).take(400).options(capacity=capacity)
        return joined.pad().batch(7, keep_last=True) if batched else joined

    want = scheduled(weights, counts, ends, fails)
    inline, error = run(pipeline(), inline=True)
    threaded, again = run(pipeline())

    ids = [int(one) for thing in inline for one in (thing[0] if batched else [thing[0]])]
    assert ids == want
    assert type(error) is type(again)
    assert isinstance(error, Broken | None)
    assert len(inline) == len(threaded)
    assert all(same(one, other) for one, other in zip(inline, threaded, strict=True))


def test_equal_weights_are_the_fixed_order():
    """One of each in turn, also when some have ended."""
    sources = [stream(number, count) for number, count in enumerate((5, 3, 9, 0, 7))]

    plain = [ticket for ticket, _ in ps.join(sources)]
    assert [ticket for ticket, _ in ps.join(sources, [2] * 5)] == plain


def test_a_source_without_weight_is_never_opened():
    """Nor does its length count."""
    opened: list[str] = []

    def unwanted() -> Iterator[int]:
        opened.append("unwanted")
        return iter([1])

    pipeline = ps.join({"a": [1, 2], "unwanted": unwanted}, {"a": 1, "unwanted": 0})

    assert list(pipeline) == list(pipeline.open(inline=True)) == [1, 2]
    assert opened == []
    assert len(ps.join([[1, 2], [3]], [1, 0])) == 2


def test_stop_ends_at_the_first_end_and_only_of_those_that_say_so():
    """At its turn, not before."""
    sources = {"a": [1, 2, 3], "b": [10], "c": [100, 200]}

    assert list(ps.join(sources, end="stop")) == [1, 10, 100, 2]
    assert list(ps.join(sources, end={"c": "stop"})) == [1, 10, 100, 2, 200, 3]
    assert list(ps.join(sources, [1, 1, 1], end=["drop", "drop", "stop"])) == [1, 10, 100, 2, 200, 3]


@pytest.mark.parametrize("weights", [None, [1, 1]])
@pytest.mark.parametrize("inline", [False, True])
def test_nothing_comes_after_the_end_that_stops(weights: Any, inline: bool):
    """Also where batches are filled straight from the sources."""
    pipeline = ps.join([stream(0, 300), stream(1, 100)], weights, end=["drop", "stop"]).map(lambda e: e[0])
    plain = ps.join([lambda: iter(range(300)), lambda: iter(range(1000, 1100))], weights, end=["drop", "stop"])

    for each in (pipeline, plain):
        batches, _ = run(each.batch(32, keep_last=True), inline=inline)
        assert [len(batch) for batch in batches] == [32] * 6 + [9]
        assert np.concatenate(batches).tolist() == [row for i in range(101) for row in (i, 1000 + i)][:-1]


@pytest.mark.parametrize("inline", [False, True])
def test_an_example_that_does_not_fit_is_named_in_its_turn(inline: bool):
    """It is the 41st of its source, in a batch that is filled straight from the sources."""

    def odd() -> Iterator[Any]:
        yield from range(40)
        yield "forty"

    batches, error = run(ps.join({"a": lambda: iter(range(90)), "odd": odd}, [2, 1]).batch(16), inline=inline)

    assert len(batches) == 7  # 81 and 40 examples came before it
    assert "example 40 of source 1 ('odd')" in str(error)


def test_ends_have_their_meaning_in_arrival_order_too():
    """Only which examples come before the end is a matter of who is ready."""
    stopped = list(ps.join({"a": [1, 2], "b": lambda: count(100)}, order="arrival", end={"a": "stop"}))
    assert [one for one in stopped if one < 100] == [1, 2]

    assert list(ps.join([[1, 2]], order="arrival", end="repeat").take(5)) == [1, 2, 1, 2, 1]


def test_repeat_opens_a_source_again_for_its_next_epoch():
    """Its tickets say which; random numbers differ from pass to pass."""
    pipeline = ps.join({"small": [1, 2], "large": list(range(100, 106))}, end={"small": "repeat", "large": "stop"})

    assert list(pipeline) == [1, 100, 2, 101, 1, 102, 2, 103, 1, 104, 2, 105, 1]
    drawn = pipeline.map(lambda example, rng: (example, int(rng.integers(1 << 60))))
    values = [value for example, value in drawn if example == 1]
    assert len(set(values)) == len(values) == 4


def test_tickets_tell_the_pass():
    """In every way of reading: directly, through a function, and in arrival order's lanes."""
    mixed = ps.join([stream(0, 3), stream(1, 7)], [3, 1], end=["repeat", "stop"])
    with mixed.open(inline=True) as flow:
        tickets = []
        while (chunk := flow._built.stage.take(5)).count:
            tickets += list(chunk.tickets)

    own = [ticket for ticket in tickets if ticket.stream == 0]
    assert own == [Ticket(0, i // 3, i % 3) for i in range(len(own))]
    assert len(own) > 20


def test_an_epoch_without_an_example_ends_a_repeat():
    """Instead of turning for ever."""
    counts = [3, 0]
    with pytest.raises(ps.SpecError, match="expected at least one example in each epoch"):
        list(ps.join([lambda: iter(range(counts.pop(0))), [1] * 50], [1, 1], end=["repeat", "drop"]))


@pytest.mark.parametrize("framed", [True, False])
def test_the_tag_is_a_key_of_a_dict_or_stands_beside_the_example(framed: bool):
    """Names where there are names, numbers where there are none; the batch has it as extras have it."""
    rows = [{"x": i} for i in range(3)] if framed else [0, 1, 2]
    other = [{"x": 10 + i} for i in range(3)] if framed else [10, 11, 12]

    named = list(ps.join({"a": rows, "b": other}, [2, 1], tag="source"))
    assert named[:3] == (
        [{"x": 0, "source": "a"}, {"x": 1, "source": "a"}, {"x": 10, "source": "b"}]
        if framed
        else [(0, {"source": "a"}), (1, {"source": "a"}), (10, {"source": "b"})]
    )

    (batch,) = ps.join([rows, other], [2, 1], tag="source").batch(6)
    extras = batch if framed else batch[1]
    assert extras["source"].dtype == np.int64
    assert extras["source"].tolist() == [0, 0, 1, 0, 1, 1]
    x = batch["x"] if framed else batch[0]
    assert x.tolist() == [0, 1, 10, 2, 11, 12]


def test_tags_and_lengths_stand_in_one_dict():
    """Beside a batch that is none; and the spec says so."""
    sources = {"a": [np.arange(3), np.arange(2)], "b": [np.arange(1)]}
    with ps.join(sources, [1, 1], tag="source").pad(lengths="n").batch(3).open() as flow:
        ((values, extras),) = list(flow)
        spec = flow.spec()

    assert values.tolist() == [[0, 1, 2], [0, 0, 0], [0, 1, 0]]
    assert extras["source"].tolist() == ["a", "b", "a"]
    assert extras["n"].tolist() == [3, 1, 2]
    assert str(spec) == "(int64[3, ?], {source: str[3], n: int64[3]})"

    with pytest.raises(ps.PipelineError, match=r"expected a new name for the lengths or mask, got `source`"):
        list(ps.join(sources, tag="source").pad(lengths="source").batch(3))


@pytest.mark.parametrize("own", [{}, {"weight": 1}])
def test_a_dict_beside_an_example_is_not_taken_for_its_tags(own: dict[str, int]):
    """It is a component like any other; the lengths stand beside the whole."""
    (batch,) = ps.join([[(np.arange(3), own), (np.arange(2), own)]], tag=None).pad(lengths={0: "n"}).batch(2)

    assert len(batch) == 2
    assert list(batch[0][1]) == list(own)
    assert batch[1]["n"].tolist() == [3, 2]


def test_the_tag_names_inputs_not_streams():
    """A pipeline of several sources is one input; tags of joins within joins stand side by side."""
    inner = ps.join({"x": [{"v": 1}], "y": [{"v": 2}]}, tag="inner")
    outer = ps.join({"first": [{"v": 0, "inner": "none"}], "second": inner}, tag="outer")

    assert [(row["v"], row["inner"], row["outer"]) for row in outer] == [
        (0, "none", "first"),
        (1, "x", "second"),
        (2, "y", "second"),
    ]


def test_the_tag_is_kept_by_arrays_and_chunks():
    """Columns get one more; a batched pipeline's batches are chunks of tagged examples."""
    arrays = ps.from_arrays({"x": np.arange(4)})
    chunks = ps.from_arrays({"x": np.arange(10, 14)}).batch(2)

    batches = list(ps.join({"arrays": arrays, "chunks": chunks}, [1, 1], tag="from").batch(4))

    assert [batch["x"].tolist() for batch in batches] == [[0, 10, 11, 1], [2, 12, 13, 3]]
    assert [batch["from"].tolist() for batch in batches] == [
        ["arrays", "chunks", "chunks", "arrays"],
        ["arrays", "chunks", "chunks", "arrays"],
    ]


@pytest.mark.parametrize("columns", [False, True])
def test_a_tag_that_is_a_component_already_is_an_error(columns: bool):
    """At the first example that has it; those before it come."""
    rows = [{"x": 1}, {"source": 2}]
    source: Any = ps.from_arrays({"source": np.arange(3)}) if columns else rows
    things, error = run(ps.join([source], tag="source"))

    assert things == ([] if columns else [{"x": 1, "source": 0}])
    assert isinstance(error, ps.PipelineError)
    assert str(error) == "expected a new name for the tag, got `source`, a component's - at join(tag)"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ps.join([[1], [2]], [1, 1], order="arrival"),
            'expected `order="fixed"` with weights, got `order="arrival"`, where whoever is ready goes next, '
            "whatever the weights - at join(order)",
        ),
        (
            lambda: ps.join([[1], [2]], [1]),
            "expected a weight for each of the 2 sources, got 1 weights - at join(weights)",
        ),
        (
            lambda: ps.join({"a": [1], "b": [2]}, {"a": 1, "c": 2}),
            "expected a weight for each of the 2 sources, got one for `c`, which is none - at join(weights)",
        ),
        (
            lambda: ps.join([[1], [2]], [0, 0]),
            "expected weights with at least one above 0, got 2 zeros - at join(weights)",
        ),
        (lambda: ps.join([], []), "expected at least one source, got none - at join(sources)"),
        (lambda: ps.join([[1]], end="loop"), 'expected "drop", "stop" or "repeat", got `\'loop\'` - at join(end)'),
        (lambda: ps.join([[1]], end=["drop"] * 2), "expected a policy for each of the 1 sources, got 2 - at join(end)"),
        (lambda: ps.join({"a": [1]}, end={"b": "stop"}), "expected the name of a source, got `'b'` - at join(end)"),
        (lambda: ps.join([[1]], end={"a": "stop"}), "expected the name of a source, got `'a'` - at join(end)"),
        (lambda: ps.join([[1]], end=None), 'expected "drop", "stop" or "repeat", got `None` - at join(end)'),
        (
            lambda: ps.join({"a": iter([1])}, end="repeat"),
            'expected a source that can be opened again, for `end="repeat"`, got the one-shot `list_iterator` - '
            "at source 0 ('a') - pass a callable that opens it",
        ),
        (lambda: ps.join([[1]], tag=3), "expected `tag` to be a name, got `3` - at join(tag)"),
    ],
)
def test_what_cannot_be_is_said_as_it_is_written(make: Any, message: str):
    """Before anything is opened."""
    with pytest.raises(ps.PipelineError) as raised:
        make()
    assert str(raised.value) == message


def test_weights_may_change_with_what_was_given():
    """A curriculum: the easy ones first, the hard ones from 512 on; the same inline and by threads."""

    def weights(given: int) -> dict[str, float]:
        return {"easy": 1, "hard": 0} if given < 512 else {"easy": 0.25, "hard": 0.75}

    pipeline = ps.join({"easy": stream(0, 10_000), "hard": stream(1, 10_000)}, weights, tag="from").take(1024)
    tags = np.array([extras["from"] for _, extras in pipeline])

    assert set(tags[:512]) == {"easy"}
    assert np.count_nonzero(tags[512:] == "hard") == 384
    assert [extras["from"] for _, extras in pipeline.open(inline=True)] == tags.tolist()


def test_an_error_of_the_weights_comes_in_its_turn():
    """What was given before it is delivered, and it tells where it was."""

    def weights(given: int) -> list[int]:
        return [1, 1] if given < 256 else [1]

    things, error = run(ps.join([stream(0, 999), stream(1, 999)], weights))

    assert len(things) == 256
    assert str(error) == "expected a weight for each of the 2 sources, got 1 weights - at join(weights) at example 256"


def test_a_join_by_weights_within_a_repeat_begins_anew():
    """Each pass is as the first; the figures go on."""
    pipeline = ps.join({"a": [1, 2, 3, 4], "b": [10]}, {"a": 2, "b": 1}).repeat(2)
    with pipeline.open() as flow:
        things = list(flow)
        mixes = flow.stats().mixes

    assert things == [1, 2, 10, 3, 4] * 2
    assert [(mix.name, mix.examples) for mix in mixes] == [("a", 8), ("b", 2)]


@pytest.mark.parametrize("inline", [False, True])
def test_stats_hold_each_source_against_its_weight(inline: bool):
    """And the report tells of who ended too soon, and of nobody else."""
    pipeline = ps.join({"web": stream(0, 60), "books": stream(1, 10), "none": [0]}, {"web": 1, "books": 1, "none": 0})
    with pipeline.open(inline=inline) as flow:
        assert len(list(flow)) == 70
        mixes, report = flow.stats().mixes, flow.report()

    join = "join(3 sources, by weights)"
    assert mixes == (
        ps.MixStats(join, "web", 0.5, 60 / 70, 60, True),
        ps.MixStats(join, "books", 0.5, 10 / 70, 10, True),
        ps.MixStats(join, "none", 0.0, 0.0, 0, False),
    )
    assert report.endswith(
        f"\n{join}: source 'books' gave 14.3% of the examples, where 50.0% were asked for, since it ended after 10"
    )


def test_lanes_share_the_room_by_weight():
    """What may wait is shared by how much is taken of each; each has one place at least, and all keep to the total."""

    pipeline = ps.join([stream(0, 500), stream(1, 500)], [15, 1]).options(capacity=34)
    with pipeline.open() as flow:
        next(flow)
        rooms = [source.room for source in flow.stats().sources]

    assert rooms == [31, 3]


def test_lengths_are_known_where_they_can_be():
    """Of an end that stops, or weights that change, they are not."""
    assert len(ps.join([[1, 2], [3]], [2, 1])) == 3
    for pipeline in (ps.join([[1, 2], [3]], end="stop"), ps.join([[1], [2]], lambda given: [1, 1])):
        with pytest.raises(TypeError):
            len(pipeline)
    with pytest.raises(TypeError):
        len(ps.join([[1], [2]], end="repeat"))
