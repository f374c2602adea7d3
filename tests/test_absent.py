"""G10: `stratify` never waits in silence for a class that does not come."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from fractions import Fraction
from itertools import count
from math import sqrt

import numpy as np
import pytest

import penstock as ps
from labelled import (
    KINDS,
    NEVER,
    SIGMAS,
    counting,
    long_tailed,
    run,
    source,
    stream,
    without,
)
from penstock.errors import PenstockWarning
from penstock.testing import no_threads_left

# G10


@pytest.mark.parametrize("kind", KINDS)
def test_g10_a_batch_is_there_at_the_very_arrival_that_completes_it(kind: str):
    """Nothing more is read: after each batch the stream stands behind the newest example in it, or where it stood."""
    labels = stream(kind, long_tailed(3), 3000, 1)
    opened, read = counting(labels)
    before = 0
    with ps.join([opened]).stratify(1, "uniform", classes=range(3), patience=NEVER).batch(9).open(inline=True) as flow:
        for numbers, _ in flow:
            if read[0] < len(labels):
                assert read[0] == max(before, int(numbers.max()) + 1)
            before = read[0]


def test_g10_an_absent_class_is_waited_for_with_a_word():
    """The default: after the patience a warning and an event; then the stream ends, and so does the flow."""
    pipeline = source(without(2, 500)).stratify(1, "uniform", classes=range(3), patience=60).batch(6)
    with pytest.warns(PenstockWarning) as caught:
        out = run(pipeline)

    assert [batch.tolist() for batch in out.counts(3)] == [[2, 2, 2]] * 5
    assert str(caught[0].message) == (
        "penstock: class `2` has not come within 61 inputs; batch 5 waits for it. "
        '`missing="redistribute"` or "repeat" would go on without'
    )
    assert len(caught) == 1
    (event,) = out.stats.events
    assert (event.batch, event.labels, event.policy, event.waited) == (5, (2,), "wait", 61)


def test_g10_a_class_that_is_late_but_within_the_patience_is_no_event():
    """30 batches without a word, though the class came last each time."""
    labels = [0] * 20 + [1] * 20 + [2] * 2
    out = run(source(labels * 30).stratify(1, "uniform", classes=range(3), patience=45, rings=2).batch(6))

    assert len(out.numbers) == 30
    assert out.stats.events == ()


def test_g10_patience_is_100_times_what_a_batch_needs_unless_told():
    """One in 100 asked to be half of 4: 200 inputs by expectation, so nothing is said before 20,000.

    What is expected is estimated from 4,096 arrivals or more, within 5 sigma, 5 / sqrt(2 * 4096 / 100) of it; and once
    something was said, not again before twice as many.
    """
    labels = np.zeros(60_000, np.int64)
    labels[:8_200:100] = 1
    with pytest.warns(PenstockWarning, match="class `1` has not come within"):
        out = run(source(labels, "columns").stratify(1, [0.5, 0.5]).batch(4))
    first, *later = out.stats.events

    assert first.waited >= 20_000 / (1 + SIGMAS / sqrt(2 * 4096 / 100))
    assert len(later) <= 1


def test_g10_absent_class_repeated():
    """The newest examples of it once more; the batches stay exact, and the repeats are counted."""
    out = run(source(without(2, 500)).stratify(1, "uniform", classes=range(3), patience=60, missing="repeat").batch(6))
    late = [number for batch, its in zip(out.numbers[5:], out.labels[5:], strict=True) for number in batch[its == 2]]

    assert len(out.numbers) > 8
    assert (out.counts(3) == 2).all()
    assert {int(number) for number in late} <= set(np.flatnonzero(without(2, 500) == 2).tolist())
    assert out.stats.of(2).repeated == len(late)
    assert {event.policy for event in out.stats.events} == {"repeat"}


def test_g10_absent_class_redistributed():
    """Its places go to the others, by their shares: each batch is full, and those before are as they were."""
    shares = [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)]
    out = run(source(without(2, 600)).stratify(1, shares, patience=60, missing="redistribute").batch(12))
    counts = out.counts(3)
    full = int((counts[:, 2] == 3).sum())

    assert full == 3
    assert (counts[:full] == [6, 3, 3]).all()
    assert (counts[full:, :2].sum(axis=1) + counts[full:, 2] == 12).all()
    assert len(counts) > full + 2
    assert set(map(tuple, counts[full + 1 :].tolist())) == {(8, 4, 0)}
    assert {event.policy for event in out.stats.events} == {"redistribute"}


def test_g10_absent_class_an_error():
    """Named, with what to do, after the batches that were complete."""
    pipeline = source(without(2, 500)).stratify(1, "uniform", classes=range(3), patience=60, missing="error").batch(6)
    with pipeline.open(inline=True) as flow, pytest.raises(ps.SpecError) as caught:
        list(flow)

    assert flow.stats().delivered == 5
    assert str(caught.value) == (
        'expected class `2` within 61 inputs, got none - at batch 5 - raise `patience`, or say missing="redistribute"'
    )


@pytest.mark.parametrize("missing", ["wait", "repeat", "redistribute"])
def test_g10_a_class_that_comes_back_is_as_if_it_had_never_been_away(missing: str):
    """Once it comes again, batches are exact again."""
    labels = np.concatenate((without(2, 600), np.arange(600) % 3))
    pipeline = source(labels).stratify(1, "uniform", classes=range(3), patience=60, missing=missing).batch(6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenstockWarning)
        counts = run(pipeline).counts(3)

    assert (counts[-50:] == 2).all()


@pytest.mark.parametrize("missing", ["wait", "repeat"])
def test_g10_a_flow_that_waits_for_a_class_is_closed_at_once(missing: str):
    """Of an endless stream in which it never comes; the thread that waits ends, too."""
    waits = threading.Event()

    def endless() -> Iterator[tuple[int, int]]:
        for number in count():
            if number == 1000:
                waits.set()
            yield number, 0

    with no_threads_left(), warnings.catch_warnings():
        warnings.simplefilter("ignore", PenstockWarning)
        flow = ps.join([endless]).stratify(1, [0.5, 0.5], patience=100, missing=missing).batch(4).open()
        waits.wait()
        flow.close()

    assert flow.stats().delivered == 0
    assert [event.labels for event in flow.stats().strata[0].events] in ([], [(1,)])
