"""P classes a batch: each class as often as any other, in an order that changes."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penstock.sampling import PerClass
from penstock.sampling.splitmix import coin


@given(st.integers(1, 12), st.integers(0, 30), st.integers(0, 2**64 - 1))
def test_g2_and_g3_hold_over_equal_shares(per_batch: int, more: int, seed: int):
    """P different classes in each batch; floor or ceil of k P / K batches with each class among the first k."""
    known = per_batch + more
    turns = PerClass(per_batch, 4, seed=seed)
    turns.grow(known)
    had = np.zeros(known, np.int64)
    for batch in range(1, 40):
        classes, counts = turns.take()
        had[classes] += 1

        assert (np.diff(classes) > 0).all()
        assert counts.tolist() == [4] * per_batch == [4] * len(classes)
        assert had.min() >= batch * per_batch // known
        assert had.max() <= -(-batch * per_batch // known)


def test_company_changes_from_pass_to_pass():
    """The same P classes together each time would be the only ones ever told apart."""
    turns = PerClass(10, 1, seed=5)
    turns.grow(100)
    first, second = ([frozenset(turns.take()[0].tolist()) for _ in range(10)] for _ in range(2))

    assert len(set().union(*first)) == len(set().union(*second)) == 100
    assert not set(first) & set(second)


@given(st.lists(st.integers(0, 5), min_size=30, max_size=30), st.integers(1, 4))
def test_classes_may_be_added(more: list[int], per_batch: int):
    """Nobody comes twice before all have come that were there when the pass began."""
    turns = PerClass(per_batch, 1, seed=0)
    assert not turns.ready
    turns.grow(per_batch)
    assert turns.ready
    had: list[int] = []
    for new in more:
        turns.grow(turns.known + new)
        classes, _ = turns.take()
        had += classes.tolist()

        assert len(set(classes.tolist())) == per_batch
    seen = np.bincount(had, minlength=turns.known)
    assert seen[:per_batch].max() - seen[:per_batch].min() <= 1
    assert seen.max() <= seen[:per_batch].max() + 1


@given(st.integers(1, 6), st.lists(st.integers(0, 4), min_size=1, max_size=20), st.integers(0, 2**70))
def test_turns_go_on_as_if_never_interrupted(per_batch: int, more: list[int], seed: int):
    """The state is JSON and does not hold the order: P numbers and a few."""
    turns = PerClass(per_batch, 2, seed=seed)
    turns.grow(per_batch)
    for new in more:
        turns.take()
        turns.grow(turns.known + new)
    again = PerClass.restore(per_batch, 2, json.loads(json.dumps(turns.state())), seed=seed)

    assert again.position == turns.position
    for _ in range(20):
        assert again.take()[0].tolist() == turns.take()[0].tolist()


def test_the_order_is_that_of_splitmix():
    """The numbers are those of `coin`, worked out for all places at once."""
    expected = sorted(range(50), key=lambda place: coin(coin(7, 3), place))

    assert PerClass(1, 1, seed=7)._drawn(3, 50).tolist() == expected
