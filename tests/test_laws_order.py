"""The laws over random pipelines with words that change the order: `shuffle` and `bucket` behind any others.

L1 Every example is delivered, or counted. L2 The same by threads and inline. L3 The same after a break.
L7 An error comes after all that stands before it.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock as ps
import penstock.engine.lane as lane
import penstock.engine.shots as shots
from described import Described, pipelines
from penstock.testing import same
from test_laws import Broken, built, outcome


def width(example: Any) -> int:
    """How long the ragged component is."""
    return len(example[1])


@st.composite
def endings(draw: st.DrawFn) -> Any:
    """What is put behind a pipeline of examples, and whether it gives all."""
    size = draw(st.integers(1, 12))
    seed = draw(st.integers(0, 3))
    batch = draw(st.integers(1, 4))
    if draw(st.booleans()):
        return lambda pipeline: pipeline.shuffle(size, seed=seed).pad().batch(batch, keep_last=True)
    limits = sorted(draw(st.sets(st.integers(1, 4), min_size=1, max_size=2)))
    sizes = [draw(st.integers(1, 4)) for _ in range(len(limits) + 1)]
    word = {"max_tokens": draw(st.integers(6, 20))} if draw(st.booleans()) else {"batch_size": sizes}
    fixed = draw(st.booleans())

    def bucketed(pipeline: ps.Pipeline) -> ps.Pipeline:
        return pipeline.pad().bucket(width, limits, keep_last=True, pad_to_boundaries=fixed, **word)

    shuffles = draw(st.booleans())
    return lambda pipeline: bucketed(pipeline.shuffle(size, seed=seed) if shuffles else pipeline)


def ran(pipeline: ps.Pipeline, *, inline: bool = False) -> tuple[list[Any], Exception | None]:
    things: list[Any] = []
    try:
        things.extend(pipeline.open(inline=inline))
    except Broken as error:
        return things, error
    return things, None


def who(batches: list[Any]) -> Counter[int]:
    return Counter(int(one) for batch in batches for one in batch[0])


@pytest.mark.slow
@settings(max_examples=120)
@given(pipelines(batched=False), endings())
def test_an_order_is_the_same_by_threads_and_inline_and_loses_nothing(described: Described, ending: Any):
    """L1, L2 and L7: what stood before an error is delivered, all of it."""
    threads, inline = ran(ending(built(described))), ran(ending(built(described)), inline=True)
    want, error = outcome(described)

    assert len(threads[0]) == len(inline[0])
    assert all(same(one, other) for one, other in zip(threads[0], inline[0], strict=True))
    assert type(threads[1]) is type(inline[1]) is type(error)
    assert who(threads[0]) == Counter(int(example[0]) for example in want)


@pytest.mark.slow
@settings(max_examples=120)
@given(
    pipelines(batched=False, errors=False, once=False),
    endings(),
    st.lists(st.integers(0, 4), min_size=1, max_size=3),
    st.booleans(),
    st.booleans(),
)
def test_an_order_goes_on_where_it_was_stopped(
    described: Described, ending: Any, breaks: list[int], inline: bool, often: bool
):
    """L3: from a state after any batch, and again from the state of that; whether snapshots are frequent or none is."""
    pipeline = ending(built(described))
    whole = list(pipeline)
    got: list[Any] = []
    state = None
    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((shots, "PART"), (lane, "NOTING")):
            patch.setattr(module, name, 0.0 if often else 1e9)
        for count in breaks:
            with pipeline.open(state=state, inline=inline) as flow:
                got += islice(flow, count)
                state = json.loads(json.dumps(flow.state_dict()))
        got += pipeline.open(state=state)

    assert len(got) == len(whole)
    assert all(same(one, other) for one, other in zip(got, whole, strict=True))


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("word", ["shuffle", "bucket"])
def test_what_came_from_a_repeat_that_has_ended_is_kept(word: str, inline: bool):
    """The merge has closed it, so that nothing can be read from it again, while its examples wait behind."""
    joined = ps.join([ps.join([[(1, [1]), (2, [2])]]).repeat(2), [(n, [n]) for n in range(3, 9)]])
    if word == "shuffle":
        pipeline = joined.shuffle(8, seed=1).batch(1)
    else:
        pipeline = joined.bucket(width, [1], batch_size=[6, 6], keep_last=True)
    whole = list(pipeline)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shots, "PART", 0.0)
        patch.setattr(lane, "NOTING", 0.0)
        for count in range(len(whole) + 1):
            with pipeline.open(inline=inline) as flow:
                got = list(islice(flow, count))
                state = json.loads(json.dumps(flow.state_dict()))
            got += pipeline.open(state=state, inline=inline)

            assert len(got) == len(whole)
            assert all(same(one, other) for one, other in zip(got, whole, strict=True))
