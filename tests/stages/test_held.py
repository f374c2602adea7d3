"""What came in runs is found until it is given, whenever the runs are let go of, and whatever else comes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock as ps
import penstock.stages.held as held

pytestmark = pytest.mark.usefixtures("often")


def read(runs: list[Any]) -> ps.Pipeline:
    """Runs of columns, each as it is."""
    return ps.join([range(len(runs))]).batch(1).map(lambda number: runs[int(number[0])]).unbatch()


LIMITS = ("MOST_BYTES", "MOST_ROWS", "MOST_RUNS")


def outcome(runs: list[list[int]], repeats: int, odd: int, most: int | None) -> list[Any]:
    """All batches from runs of labels; run `odd` has rows of another dtype; `most` is what is held beyond need, if given."""

    columns, first = [], 0
    for place, labels in enumerate(runs):
        numbers = np.arange(first, first + len(labels), dtype=np.int32 if place == odd else np.int64)
        columns.append((np.stack([numbers, -numbers], 1), np.array(labels)))
        first += len(labels)
    words = read(columns).stratify(1, "uniform", classes=range(3), repeats=repeats, rings=40)
    before = {name: getattr(held, name) for name in LIMITS}
    told: list[Any] = []
    try:
        for name in LIMITS:
            setattr(held, name, before[name] if most is None else most)
        with words.batch(6).open(inline=True) as flow:
            told += [[part.tolist() for part in batch] for batch in flow]
    except ps.SpecError as error:
        told.append(str(error))
    finally:
        for name in LIMITS:
            setattr(held, name, before[name])
    return told


@given(
    st.lists(st.lists(st.sampled_from([0, 0, 0, 0, 1, 1, 2]), min_size=1, max_size=25), min_size=1, max_size=12),
    st.integers(1, 3),
    st.integers(-1, 12),
    st.integers(0, 40),
)
def test_when_runs_are_let_go_of_changes_nothing(runs: list[list[int]], repeats: int, odd: int, most: int):
    """The rarest class sets the pace, so of the others some wait for long; rows may turn from columns to objects meanwhile."""
    told = outcome(runs, repeats, odd, most)

    assert told == outcome(runs, repeats, odd, None)
    for rows, labels in (batch for batch in told if not isinstance(batch, str)):
        flat = [label for run in runs for label in run]
        assert [flat[number] for number, _ in rows] == labels
        assert [-number for number, _ in rows] == [other for _, other in rows]


def test_runs_are_let_go_of():
    """The point of limits: of a long stream no more runs live than hold what waits, and the bytes that may be beyond that."""
    alive, most = [0], [0]

    class Counted(np.ndarray):
        """Counts those that are there."""

        def __array_finalize__(self, of: Any) -> None:
            alive[0] += 1
            most[0] = max(most[0], alive[0])

        def __del__(self) -> None:
            alive[0] -= 1

    def run(number: Any) -> tuple[Any, Any]:
        return np.zeros((100, 2000)).view(Counted), np.arange(100) % 10  # 1.6 MB

    words = ps.join([range(400)]).batch(1).map(run).unbatch().stratify(1, "uniform", classes=range(10))
    with words.batch(10).open(inline=True) as flow:
        taken = sum(1 for _ in flow)

    assert taken > 3900
    assert most[0] < 60


@pytest.mark.parametrize("repeats", [1, 3])
def test_what_waits_is_in_a_state_whether_runs_are_held_or_not(repeats: int):
    """A source that cannot seek: the examples themselves are in the state, as they are found by their numbers."""
    numbers = np.arange(600).reshape(12, 50)
    runs = list(zip(numbers * 1.5, np.where(numbers % 7, numbers % 2, 2), strict=True))
    pipeline = read(runs).stratify(1, "uniform", classes=range(3), repeats=repeats).batch(6)
    with pipeline.open(inline=True) as flow:
        whole = [[part.tolist() for part in batch] for batch in flow]
    for count in range(0, len(whole), 3):
        with pipeline.open(inline=True) as flow:
            for _ in range(count):
                next(flow)
            state = flow.state_dict()
        with pipeline.open(inline=True, state=state) as flow:
            assert [[part.tolist() for part in batch] for batch in flow] == whole[count:]
