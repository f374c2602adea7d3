"""What each rank is dealt of a global batch: exact for each rank and for all together."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penstock.sampling import Classes, Dealt, Schedule, Target, dealt
from tests.labelled import check_counts, exactly


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.integers(1, 5), st.integers(0, 10**9))
def test_a_class_is_dealt_evenly_and_wholly(counts: list[int], world_size: int, number: int):
    """Of n of a class each rank gets floor(n / W) or ceil(n / W); of all together one more than another at most."""
    parts = np.array([dealt(np.array(counts), number, rank, world_size) for rank in range(world_size)])

    assert parts.sum(axis=0).tolist() == counts
    assert (parts.max(axis=0) - parts.min(axis=0) <= 1).all()
    assert np.ptp(parts.sum(axis=1)) <= 1


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6), st.integers(1, 4), st.integers(1, 9))
def test_each_ranks_batch_and_the_global_batch_are_exact(weights: list[int], world_size: int, size: int):
    """G2 of each rank's batch and of the global one, G3 of the global one; a rank's batch is always full."""
    classes = Classes(range(len(weights)))
    schedules = [
        Dealt(Schedule(size * world_size, classes, Target(exactly(weights))), classes, rank, world_size)
        for rank in range(world_size)
    ]
    counts = np.zeros((world_size, 12, len(weights)), np.int64)
    for rank, schedule in enumerate(schedules):
        for number in range(12):
            its, many = schedule.take(number, None)
            counts[rank, number, its] = many

    assert (counts.sum(axis=2) == size).all()
    check_counts(counts.sum(axis=0), weights, size * world_size)
    low = [size * weight // sum(weights) for weight in weights]
    assert (counts >= low).all()
    assert (counts <= [-(-size * weight // sum(weights)) for weight in weights]).all()


def test_who_gets_the_odd_one_moves_on():
    """One example of a class for three ranks: each gets it once in three batches."""
    got = [[int(dealt(np.array([1, 5]), number, rank, 3)[0]) for rank in range(3)] for number in range(3)]

    assert np.array(got).sum(axis=0).tolist() == [1, 1, 1]


def test_a_changed_target_is_dealt_anew():
    """Ranks that change it at the same batch go on together."""
    classes = Classes(["a", "b"])
    fresh, changed = (Dealt(Schedule(6, classes, Target([0.5, 0.5])), classes, 1, 2) for _ in range(2))
    changed.take(0, None)

    changed.change(Target([0.5, 0.5], labels=["a", "b"]))

    assert changed.take(1, None)[1].tolist() == fresh.take(0, None)[1].tolist()
