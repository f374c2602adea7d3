"""States that somebody has changed: each ends in an error of ours, or in batches; never in another error, and none hangs."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest

import penstock as ps
from penstock.errors import PenstockError
from tests.test_resume import PIPELINES, Make, Stumbling, labelled, ragged, state_of

pytestmark = pytest.mark.usefixtures("often")


def places_in(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of all values in plain data, the way to each: of long lists the first six."""
    yield at
    for key in data if isinstance(data, dict) else range(min(len(data), 6)) if isinstance(data, list) else ():
        yield from places_in(data[key], (*at, key))


def changed_at(data: Any, at: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    """The same data, but for what is there."""
    if not at:
        return change(data)
    parts = dict(data) if isinstance(data, dict) else list(data)
    parts[at[0]] = changed_at(data[at[0]], at[1:], change)
    return parts


def without(parts: Any, key: Any) -> Any:
    if isinstance(parts, dict):
        return {name: value for name, value in parts.items() if name != key}
    return [value for place, value in enumerate(parts) if place != key]


OTHERS = [
    None,
    -1,
    0,
    1,
    3,
    2**31,
    2**62,
    10**30,
    3.5,
    "",
    "x",
    [],
    {},
    True,
    [[]],
    {"~tuple": [1]},
    {"~skips": [1, []]},
]
OTHERS += [{"~array": "<i8 2 AA=="}, {"~array": "<i8 1 AAAAAAAAAAA="}]


def changes_of(state: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The state with each of its values another one, of another type, larger, smaller, longer, shorter, turned round, or gone."""
    for top in ("snapshot", "more", "epoch", "delivered", "since"):
        for below in places_in(state[top]):
            at = (top, *below)
            changes: list[Callable[[Any], Any]] = [lambda old, other=other: other for other in OTHERS]
            old = state
            for key in at:
                old = old[key]
            if type(old) is int:
                changes += [lambda old, by=by: old + by for by in (1, -1)]
                changes += [lambda old, by=by: old * by for by in (-1, 1000)]
            elif isinstance(old, dict):
                changes += [lambda old: {**old, "extra": 1}]
            elif isinstance(old, list):
                changes += [lambda old: [*old, *old[:1], 7], lambda old: old[::-1]]
            elif isinstance(old, str) and len(old) > 8:
                changes += [lambda old: old[4:], lambda old: f"{old[:-6]}AAAA{old[-2:]}"]
            yield from ((at, changed_at(state, at, change)) for change in changes)
            if below:
                yield at, changed_at(state, at[:-1], lambda parts, key=at[-1]: without(parts, key))


def forged(state: Any) -> Any:
    """With the checksum that fits."""
    numbers = {"epoch": 0x9E3779B1, "delivered": 0x85EBCA6B, "since": 0xC2B2AE35}
    common = {name: value for name, value in state.items() if name not in ("pipeline", "checksum", *numbers)}
    total = 0
    for part in (state["pipeline"], common):
        total = zlib.crc32(json.dumps(part, sort_keys=True, separators=(",", ":")).encode(), total)
    for name, times in numbers.items():
        total += times * state[name] if type(state[name]) is int else 0
    return {**state, "checksum": total & 0xFFFFFFFF}


MORE_PIPELINES: dict[str, Make] = {
    "skipping": lambda: (
        ps.join([[1, "x", 3, "y", 5] * 9, list(range(40))])
        .map(float, on_error=ps.Skip(at_most=100, rate=0.5))
        .shuffle(5)
        .batch(4)
        .options(on_error=ps.Skip())
    ),
    "skipping in sources": lambda: ps.join([Stumbling] * 2).repeat(2).batch(4).options(on_error=ps.Skip()),
    "a part": lambda: ps.join([list(range(90))]).shard(1, 2).batch(3),
    "a part, padded": lambda: ps.join([list(range(31))]).shard(1, 2, end="pad").batch(3),
    "a part, filled": lambda: ps.join([list(range(31))]).shard(1, 2, end="repeat").batch(4, keep_last=True).repeat(2),
    "a part of each class": lambda: ps.join([labelled(400)]).stratify("y", [0.25] * 4).shard(1, 2).batch(8),
    "arrival": lambda: ps.join([labelled(40), labelled(40, 1)], order="arrival").batch(8),
    "limits": lambda: ps.join([list(range(90))]).skip(3).take(70).filter(lambda x: x % 3).batch(3),
    "tokens": lambda: ps.join([ragged(90, 1)]).pad().bucket(0, [3, 6], max_tokens=20),
}


@pytest.mark.filterwarnings("ignore:penstock. class:penstock.errors.PenstockWarning")
@pytest.mark.parametrize("name", [*PIPELINES, *MORE_PIPELINES])
def test_every_value_of_a_state_may_be_another_and_there_are_batches_or_an_error_of_ours(name: str):
    """A checksum that does not fit is all that it takes; and where it was made to fit, there is no other kind of error.

    One in forty of all changes, by their number: all of them take minutes, and were tried.
    """
    make = {**PIPELINES, **MORE_PIPELINES}[name]
    state = state_of(make(), 5)
    for number, (at, bad) in enumerate(changes_of(state)):
        if (number + len(name)) % 40:
            continue
        if bad != state:
            with pytest.raises(ps.StateError):
                make().open(state=bad, inline=True)
        try:
            with make().open(state=forged(bad), inline=True) as flow:
                list(islice(flow, 30))
        except PenstockError:
            continue
        except Exception as error:
            error.add_note(f"where {at} was changed")
            raise


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (("tickets",), {"n": 1 << 40, "columns": [0] * 5}, "expected tickets that differ"),
        (("lists", "seen", 0), 1 << 40, "expected counts of 64 classes"),
    ],
)
def test_a_count_of_what_is_not_there_takes_no_memory(at: tuple[Any, ...], value: Any, said: str):
    """What is alike is written once, with how often it is there."""
    make = PIPELINES["stratified, with repeats"]
    within = ("snapshot", "of", "of", "kept", "rings")
    bad = changed_at(state_of(make(), 5), (*within, *at), lambda old: value)

    with pytest.raises(ps.StateError, match=said):
        make().open(state=forged(bad), inline=True)


def mutated(data: Any, choose: random.Random) -> Any:
    """Plain data with one value somewhere changed."""
    if isinstance(data, dict) and data:
        key = choose.choice(sorted(data))
        if not choose.randrange(8):
            return {name: value for name, value in data.items() if name != key}
        return {**data, key: mutated(data[key], choose)}
    if isinstance(data, list) and data:
        place = choose.randrange(len(data))
        if not choose.randrange(8):
            return data[:place] + data[place + 1 :]
        return [*data[:place], mutated(data[place], choose), *data[place + 1 :]]
    return choose.choice([None, -1, 0, 10**30, 3.5, "", "x", [], {}, {"~array": "<i8 2 AA=="}, True])


@pytest.mark.parametrize(
    "name",
    [
        "stratified, with repeats",
        "exact on average",
        "shuffled",
        "bucketed",
        "by weights",
        "chunks cut in the middle",
    ],
)
def test_a_state_that_was_tampered_with_ends_in_an_error_of_ours(name: str):
    """Even one whose checksum was made to fit: never another exception, nor a flow that hangs."""
    make = PIPELINES[name]
    state = state_of(make(), 5)
    for seed in range(60):
        bad = {**state, "snapshot": mutated(state["snapshot"], random.Random(seed))}
        try:
            with make().open(state=forged(bad), inline=True) as flow:
                list(islice(flow, 40))
        except PenstockError:
            continue


@pytest.mark.parametrize("inline", [True, False])
def test_an_error_of_a_users_code_is_his_behind_a_state_too(inline: bool):
    """Whoever wrote it: a function, a source, or Python itself as a function."""

    def late() -> Iterator[str]:
        yield from "123456"
        raise LookupError("no more")

    for source, fn, kind in [(late, str, LookupError), (list("1234x6"), int, ValueError)]:
        pipeline = ps.join([source]).map(fn).batch(2)
        with pipeline.open(inline=inline) as flow:
            next(flow)
            state = flow.state_dict()

        with pipeline.open(state=state, inline=inline) as flow, pytest.raises(kind) as raised:
            list(flow)
        assert type(raised.value) is kind
