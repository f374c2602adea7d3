"""P classes with m examples each, in every batch, as metric learning asks for."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock as ps


@given(st.integers(1, 5), st.integers(1, 4), st.integers(5, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_each_batch_holds_p_classes_with_m_examples_each(p: int, m: int, classes: int, seed: int, inline: bool):
    """Whatever comes in whatever order; no example twice, since repeats were not asked for."""
    labels = np.random.default_rng(seed).integers(0, classes, 40 * classes)
    pipeline = ps.join([list(enumerate(labels.tolist()))]).stratify(1, classes_per_batch=p, per_class=m).batch(p * m)

    seen: list[int] = []
    with pipeline.open(inline=inline) as flow:
        for ids, batch in flow:
            assert sorted(Counter(batch.tolist()).values()) == [m] * p
            assert labels[ids].tolist() == batch.tolist()
            seen += ids.tolist()
    assert seen
    assert len(seen) == len(set(seen))


def test_all_classes_take_their_turn_before_one_comes_again():
    """20 classes, 4 a batch: each comes once in five batches, once all of them have shown that they have enough."""
    stream = [(i, i % 20) for i in range(4000)]
    with ps.join([stream]).stratify(1, classes_per_batch=4, per_class=2).batch(8).open(inline=True) as flow:
        batches = [set(labels.tolist()) for _, labels in flow]

    later = batches[20:420]
    for start in range(0, len(later) - 5, 5):
        turns = Counter(label for batch in later[start : start + 5] for label in batch)
        assert max(turns.values()) <= 2
    assert max(Counter(label for batch in later for label in batch).values()) <= len(later) * 4 // 20 + 1


def test_p_times_m_is_the_size_of_the_batch():
    """It is said where the batch is written."""
    words = ps.join([[(1, 2)]]).stratify(1, classes_per_batch=3, per_class=2)

    with pytest.raises(ps.PipelineError, match="3 classes with 2 examples each, 6, got 8"):
        words.batch(8)


@pytest.mark.parametrize(
    ("wishes", "what"),
    [
        ({"classes_per_batch": 3}, "one of them"),
        ({"per_class": 3}, "one of them"),
        ({"target": [1.0], "classes_per_batch": 3, "per_class": 3}, "both"),
        ({"classes_per_batch": 0, "per_class": 3}, "classes_per_batch"),
        ({}, "neither"),
    ],
)
def test_p_and_m_stand_together_and_instead_of_a_target(wishes: dict[str, object], what: str):
    """Each has a clear error."""
    with pytest.raises(ps.PipelineError, match=what):
        ps.join([[(1, 2)]]).stratify(1, **wishes)
