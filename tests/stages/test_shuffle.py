"""The shuffle stage: every example once, in an order that is a function of seed, epoch and input."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.assemble import Pool
from penstock.draws import Draws
from penstock.stages import Stage
from penstock.stages.functions import key_of
from penstock.stages.shuffle import Shuffle
from penstock.testing import Recut, check_stage

KEY = key_of(7, 0)


def shuffle(upstream: Stage, size: int, epoch: int = 0) -> Shuffle:
    return Shuffle(upstream, size, Draws(KEY, epoch=epoch), Pool())


def out(stage: Stage, n: int = 5) -> list[Any]:
    """All that a stage gives, so many at a time."""
    rows: list[Any] = []
    while (chunk := stage.take(n)).count:
        rows += chunk.as_rows()
    return rows


def by_hand(n: int, size: int, draws: Draws) -> list[int]:
    """Which of n leave when, in plain Python."""
    coming, held, left = iter(range(n)), [], []
    hole: int | None = None
    while True:
        more = next(coming, None) if hole is not None or len(held) < size else None
        if more is not None:
            if hole is None:
                held.append(more)
            else:
                held[hole], hole = more, None
            if len(held) < size:
                continue
        elif hole is not None:
            held[hole] = held[-1]
            held.pop()
            hole = None
        if not held:
            return left
        hole = draws.below(len(held))
        left.append(held[hole])


@pytest.mark.parametrize("columns", [False, True], ids=["rows", "columns"])
@pytest.mark.parametrize("error", [None, ValueError("broken")], ids=["whole", "broken"])
@settings(max_examples=25)
@given(n=st.integers(0, 60), size=st.integers(1, 70))
def test_the_order_does_not_depend_on_chunks_and_is_that_of_the_rule(
    n: int, size: int, columns: bool, error: Exception | None
):
    """Conservation and determinism, against the rule in plain Python; an error comes after all that came before it."""
    rows = check_stage(lambda up: shuffle(up, size), np.arange(n), columns=columns, error=error, rounds=6)

    assert [int(row) for row in rows] == by_hand(n, size, Draws(KEY))


@given(n=st.integers(1, 80), size=st.integers(1, 90))
def test_no_example_leaves_before_its_window(n: int, size: int):
    """TF1: what leaves at place p came at place p + capacity - 1 at the latest."""
    rows = out(shuffle(Recut(list(range(n))), size))

    assert all(row <= place + size - 1 for place, row in enumerate(rows))
    assert sorted(rows) == list(range(n))


def test_a_buffer_of_one_leaves_the_order_as_it_is():
    """There is no choice."""
    assert out(shuffle(Recut(list(range(20))), 1)) == list(range(20))


def test_rows_of_several_components_stay_together():
    """A row is drawn as a whole."""
    examples = [(np.full(3, i), i) for i in range(50)]

    rows = check_stage(lambda up: shuffle(up, 16), examples, columns=True, rounds=6)

    assert all(a.tolist() == [b] * 3 for a, b in rows)
    assert sorted(int(b) for _, b in rows) == list(range(50))


def test_another_epoch_has_another_order():
    """And the same epoch the same."""
    orders = [out(shuffle(Recut(list(range(30))), 8, epoch)) for epoch in (0, 0, 1)]

    assert orders[0] == orders[1] != orders[2]


def test_an_example_for_which_none_has_come_is_given_at_once():
    """Once as many are held as are wanted, nobody waits for another."""

    class Stalling(Recut):
        def take(self, n: int) -> Any:
            assert self._at < 4, "it waits for a fifth"
            return super().take(n)

    chunk = shuffle(Stalling(list(range(9)), largest=1), 4).take(1)

    assert chunk.count == 1


def test_a_full_buffer_orders_by_chance():
    """Where all n are held, each of n! orders is as likely: of 2400 shuffles of 4 each comes 100 times; five sigma is 49."""
    counts = Counter(tuple(out(shuffle(Recut([0, 1, 2, 3]), 4, epoch), 9)) for epoch in range(2400))

    assert len(counts) == 24
    assert all(51 <= count <= 149 for count in counts.values())


@pytest.mark.parametrize("columns", [False, True], ids=["rows", "columns"])
@settings(max_examples=60)
@given(n=st.integers(0, 40), size=st.integers(1, 45), given_=st.integers(0, 45), step=st.integers(1, 7))
def test_it_goes_on_from_a_snapshot(n: int, size: int, given_: int, step: int, columns: bool):
    """A second stage, set to where the first stood, gives what the first would have; again after that."""
    stage = shuffle(Recut(np.arange(n), columns=columns), size)
    whole = [int(row) for row in out(shuffle(Recut(np.arange(n)), size))]
    got: list[int] = []
    while len(got) < given_ and (chunk := stage.take(min(step, given_ - len(got)))).count:
        got += [int(row) for row in chunk.as_rows()]
    for _ in range(2):
        saved = stage.snapshot()
        stage = shuffle(Recut(np.arange(n), columns=columns, seed=step), size)
        stage.restore(saved)
        chunk = stage.take(2)
        got += [int(row) for row in chunk.as_rows()]

    assert got + [int(row) for row in out(stage)] == whole
