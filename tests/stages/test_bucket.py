"""The bucket stage: examples of like length together, a batch at a time, the same however the input is cut."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import SpecError
from penstock.stages import Stage
from penstock.stages.bucket import Bucket, Rooms
from penstock.stages.lengths import Lengths
from penstock.testing import Recut, check_stage


def bucket(upstream: Stage, rooms: Rooms, *, keep_last: bool = True, by: Any = 0) -> Bucket:
    return Bucket(upstream, Lengths(by, ["numbers"]), rooms, keep_last=keep_last, labels=["numbers"])


def told(lengths: list[int]) -> list[tuple[int, int]]:
    """Examples: the length, and who it is."""
    return [(length, number) for number, length in enumerate(lengths)]


def groups(stage: Bucket) -> list[list[int]]:
    """Who is together."""
    out = []
    while (chunk := stage.take(1 << 30)).count:
        assert chunk.item_end
        out.append([int(row[1]) for row in chunk.as_rows()])
    return out


def by_hand(lengths: list[int], rooms: Rooms, keep_last: bool) -> list[list[int]]:
    """The rule in plain Python."""
    held: list[list[int]] = [[] for _ in range(rooms.count)]
    out = []

    def fits(who: list[int], number: int) -> bool:
        longest = max([lengths[one] for one in who], default=0)
        return len(who) * rooms.width(number, longest) <= (rooms.max_tokens or 0)

    for who, length in enumerate(lengths):
        number = sum(length >= one for one in rooms.boundaries or ())
        if rooms.sizes is None and not fits([*held[number], who], number):
            out.append(held[number])
            held[number] = []
        held[number].append(who)
        size = None if rooms.sizes is None else rooms.sizes[number]
        again = [*held[number], max(held[number], key=lengths.__getitem__)]
        if len(held[number]) == size or (size is None and not fits(again, number)):
            out.append(held[number])
            held[number] = []
    return out + [one for one in held if one and keep_last]


lengths = st.lists(st.integers(0, 12), max_size=60)
limits = st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True).map(sorted).map(tuple)


@st.composite
def buckets(draw: st.DrawFn) -> Rooms:
    boundaries = draw(limits)
    count = len(boundaries) + 1
    widths = draw(st.booleans())
    if draw(st.booleans()):
        return Rooms(boundaries, count, tuple(draw(st.integers(1, 5)) for _ in range(count)), widths=widths)
    return Rooms(boundaries, count, None, draw(st.integers(24, 60)), widths)


@pytest.mark.parametrize("columns", [False, True], ids=["rows", "columns"])
@settings(max_examples=40)
@given(lengths=lengths, rooms=buckets(), keep_last=st.booleans(), fails=st.booleans())
def test_which_are_together_is_a_rule_of_their_order(
    lengths: list[int], rooms: Rooms, keep_last: bool, fails: bool, columns: bool
):
    """Conservation and determinism, whatever the chunks; an error changes nothing of what stands before it."""
    want = by_hand(lengths, rooms, keep_last)
    error = ValueError("broken") if fails else None

    def make(upstream: Stage) -> Stage:
        return bucket(upstream, rooms, keep_last=keep_last)

    rows = check_stage(make, told(lengths), columns=columns, error=error, rounds=4)

    assert [int(row[1]) for row in rows] == [who for group in want for who in group]
    stage = make(Recut(told(lengths), columns=columns, seed=1))
    assert groups(stage) == want
    assert stage.discarded == len(lengths) - sum(map(len, want))


@settings(max_examples=60)
@given(lengths=lengths, rooms=buckets(), given_=st.integers(0, 12), columns=st.booleans())
def test_it_goes_on_from_a_snapshot(lengths: list[int], rooms: Rooms, given_: int, columns: bool):
    """A second stage, set to where the first stood behind some groups, gives the others; a third too."""
    stage = bucket(Recut(told(lengths), columns=columns), rooms)
    got = []
    for _ in range(given_):
        chunk = stage.take(1 << 30)
        if chunk.count:
            got.append([int(row[1]) for row in chunk.as_rows()])
    for seed in range(2):
        stage._again._wanted.on = True
        saved = stage.snapshot()
        stage = bucket(Recut(told(lengths), columns=columns, largest=1, seed=seed), rooms)
        stage.restore(saved)
        chunk = stage.take(1 << 30)
        if chunk.count:
            got.append([int(row[1]) for row in chunk.as_rows()])

    assert got + groups(stage) == by_hand(lengths, rooms, True)


def test_a_group_is_given_with_the_example_that_completes_it():
    """Nothing is asked for beyond it: the source may stall there."""

    class Stalling(Recut):
        def take(self, n: int) -> Any:
            assert self._at + n <= 3, "it waits for a fourth"
            return super().take(n)

    stage = bucket(Stalling(told([1, 9, 1, 1, 1]), largest=9), Rooms((5,), 2, (2, 2)))

    assert [row[1] for row in stage.take(9).as_rows()] == [0, 2]


def test_whoever_has_no_room_is_ready():
    """Three buckets of four are never full and waiting: with nine held, the tenth completes one."""
    rooms = Rooms((1, 2), 3, (4, 4, 4))
    stage = bucket(Recut(told([0, 0, 0, 1, 1, 1, 2, 2, 2, 1])), rooms, keep_last=False)

    assert groups(stage) == [[3, 4, 5, 9]]
    assert stage.discarded == 6


def test_an_example_that_no_budget_has_room_for_is_an_error_behind_what_came_before():
    """It would wait for ever."""
    stage = bucket(Recut(told([2, 2, 9, 1])), Rooms((5,), 2, None, 8))

    first, last = stage.take(9), stage.take(9)

    assert [row[1] for row in first.as_rows()] == [0, 1]
    assert isinstance(last.error, SpecError)
    assert str(last.error) == (
        "expected an example of at most 8 tokens with its padding, got 9 - at example 2 of source 0 ('numbers') - raise "
        "`max_tokens`, or leave it out by `filter`"
    )
    assert stage.take(9).is_end


@pytest.mark.parametrize(
    ("by", "example", "length"),
    [
        ("n", {"n": 3}, 3),
        ("x", {"x": np.zeros((4, 2))}, 4),
        (1, ("a", [1, 2]), 2),
        (("a", 0), {"a": ("text",)}, 4),
        (len, "abc", 3),
        ((), np.int32(7), 7),
        (lambda example: example[0] + 0.5, (1,), 1.5),
    ],
)
def test_a_length_is_a_number_or_how_many_there_are(by: Any, example: Any, length: float):
    """Of an array, list or text its length counts."""
    chunk = Recut([example]).take(1)

    assert Lengths(by, ["x"]).of(chunk) == ([length], None)


@pytest.mark.parametrize(
    ("by", "example", "message"),
    [
        (
            "m",
            {"n": 3},
            "expected a component `m`, got `dict` without it - at bucket(by) of example 0 of source 0 ('x')",
        ),
        (0, (None,), "expected a number, or an array whose length counts, got `None` - at bucket(by) of example 0 of "),
        (0, (float("nan"),), "expected a number, or an array whose length counts, got `nan` - at"),
    ],
)
def test_what_has_no_length_is_named(by: Any, example: Any, message: str):
    """With its place."""
    error = Lengths(by, ["x"]).of(Recut([example]).take(1))[1]

    assert isinstance(error, SpecError)
    assert message in str(error)


def test_an_error_of_the_users_function_is_the_users():
    """The same object, with its place."""
    found, error = Lengths(lambda row: 1 // row, ["x"]).of(Recut([1, 0], largest=2).take(2))

    assert isinstance(error, ZeroDivisionError)
    assert error.__notes__ == [f"penstock: while reading the length of example {len(found)} of source 0 ('x')"]
