"""G11: a target that is changed while the flow runs holds from the batch that is named."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

import penstock as ps
from labelled import (
    CUTS,
    NEVER,
    check_counts,
    exactly,
    run,
    source,
)

# G11


def test_g11_a_changed_target_acts_from_the_batch_that_is_named():
    """Those before it are as they were; from it on the new target is exact from its first batch, as if begun anew."""
    pipeline = source(np.arange(4000) % 3).stratify(1, exactly([1, 1, 1]), repeats=2).batch(8)
    counts, first = [], 0
    with pipeline.open(inline=True) as flow:
        for k, (_, its) in enumerate(flow):
            counts.append(np.bincount(its, minlength=3))
            if k == 9:
                first = flow.set_target(exactly([5, 2, 4]))

    assert first == 10
    check_counts(np.array(counts[:first]), [1, 1, 1], 8)
    check_counts(np.array(counts[first:]), [5, 2, 4], 8)
    assert len(counts) > 100


@pytest.mark.parametrize("cut", CUTS)
def test_g11_holds_while_threads_read_ahead(cut: str):
    """Batches that lie ready come as they are; the number says where the change is."""
    pipeline = source(np.arange(12_000) % 3, cut).stratify(1, exactly([1, 1, 1])).batch(8)
    counts, first = [], 0
    with pipeline.open() as flow:
        for k, (_, its) in enumerate(flow):
            counts.append(np.bincount(its, minlength=3))
            if k == 30:
                first = flow.set_target(exactly([5, 2, 4]))

    assert first > 30
    check_counts(np.array(counts[:first]), [1, 1, 1], 8)
    check_counts(np.array(counts[first:]), [5, 2, 4], 8)


def test_g11_a_target_that_cannot_be_met_is_given_up_for_one_that_can():
    """The batch that waits for a class is composed anew: nothing was taken for it yet."""
    reached, go = threading.Event(), threading.Event()

    def numbers() -> Iterator[tuple[int, int]]:
        for number in range(4000):
            if number == 1000:
                reached.set()
                go.wait()
            yield number, 0

    with ps.join([numbers]).stratify(1, [0.5, 0.5], patience=NEVER).batch(4).open() as flow:
        reached.wait()
        first = flow.set_target([1, 0])
        go.set()
        batches = list(flow)

    assert first == 0
    assert len(batches) >= 100
    assert all((its == 0).all() for _, its in batches)


def test_g11_a_curriculum_is_followed_batch_by_batch():
    """From one class to another: b q is whole in each batch, so each holds just that, at any time."""
    pipeline = source(np.arange(3000) % 2).stratify(
        1, lambda k: [Fraction(min(k, 10), 10), Fraction(10 - min(k, 10), 10)]
    )

    counts = run(pipeline.batch(20)).counts(2)

    assert counts[:12].tolist() == [[2 * min(k, 10), 20 - 2 * min(k, 10)] for k in range(12)]
