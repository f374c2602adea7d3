"""G12: weights that are delivered with the examples make up for what the target changed."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt

import numpy as np
import pytest

import penstock as ps
from labelled import (
    SIGMAS,
    stream,
    without,
)
from penstock.testing import same

# G12


def valued(labels: np.ndarray, values: np.ndarray) -> ps.Pipeline:
    return ps.from_arrays({"label": labels, "value": values})


@pytest.mark.slow
@pytest.mark.parametrize("repeats", [1, 3])
def test_g12_natural_weights_give_the_average_of_the_stream_as_it_came(repeats: int):
    """The weighted mean of f over what is delivered is that over the stream, within 5 sigma.

    f is the class's mean plus noise of variance 1. Its error has two independent parts. An example has the weight p / q,
    so n of them give the noise a variance of sum p**2 / q times r / n, where all are used r times. And p is an average
    over the inputs of the counted span, in which none weighs more than all others: variance of the class means / span.
    Batches of the first window of 4,096 inputs are not counted.
    """
    p, means, n = np.array([0.6, 0.25, 0.1, 0.05]), np.array([0.0, 3.0, -2.0, 8.0]), 40_000
    random = np.random.default_rng(3)
    labels = stream("iid", p, n, 12)
    pipeline = valued(labels, means[labels] + random.standard_normal(n)).stratify(
        "label", "uniform", classes=range(4), repeats=repeats, weights="natural", weights_as="w"
    )
    batches, spent = [], []
    with pipeline.batch(20).open(inline=True) as flow:
        for batch in flow:
            spent.append(flow.stats().strata[0].inputs)
            batches.append(batch)
    late = [batch for batch, inputs in zip(batches, spent, strict=True) if inputs >= 4096 + 2000]
    weights = np.concatenate([batch["w"] for batch in late])
    values = np.concatenate([batch["value"] for batch in late])

    true = float((p * means).sum())
    within = (p**2 / 0.25).sum() * repeats / len(values)
    between = (p * (means - true) ** 2).sum() / (n - 6096)
    assert len(values) > 5000
    assert all(batch["w"].sum() == pytest.approx(20, rel=1e-5) for batch in late)
    assert abs((weights * values).mean() - true) < SIGMAS * sqrt(within + between)
    assert abs(values.mean() - true) > SIGMAS * sqrt(within + between)  # which the weights make up for


def test_g12_target_weights_are_one_but_where_a_share_was_redistributed():
    """There each class that came has the weight that its target asks for in all: sum of w = b q, to the last bit or so."""
    shares = [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)]
    labels = without(2, 600)
    pipeline = valued(labels, labels).stratify(
        "label", shares, patience=60, missing="redistribute", weights="target", weights_as="w"
    )
    with pipeline.batch(12).open(inline=True) as flow:
        batches = list(flow)
    changed = 0
    for batch in batches:
        counts = np.bincount(batch["label"], minlength=3)
        sums = np.bincount(batch["label"], weights=batch["w"], minlength=3)
        changed += counts.tolist() != [6, 3, 3]

        assert sums[counts > 0] == pytest.approx(np.array([6, 3, 3])[counts > 0], rel=1e-6)

    assert changed > 3
    assert changed < len(batches)


def test_g12_the_prior_is_the_logarithm_of_what_arrives():
    """A vector for each example, the same for all of a batch: within 5 sigma of p, sqrt(p (1 - p) / (2 * 4096))."""
    p = np.array([0.6, 0.25, 0.1, 0.05])
    labels = stream("iid", p, 40_000, 13)
    pipeline = valued(labels, labels).stratify(
        "label", "uniform", classes=range(4), weights="prior", weights_as="log_p"
    )
    with pipeline.batch(20).open(inline=True) as flow:
        *_, last = flow

    assert last["log_p"].shape == (20, 4)
    assert same(last["log_p"], np.broadcast_to(last["log_p"][0], (20, 4)))
    shares = np.exp(last["log_p"][0].astype(float))
    assert shares.sum() == pytest.approx(1, rel=1e-5)
    assert (abs(shares - p) < SIGMAS * np.sqrt(p * (1 - p) / (2 * 4096))).all()
