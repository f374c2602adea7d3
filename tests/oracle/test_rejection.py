"""What TensorFlow 1 answered in `rejection_sample`, asked of penstock: every recorded case."""

import json
from collections.abc import Callable, Iterator
from itertools import repeat
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import penstock as ps
from oracle.cases import value

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "stratified_rejection.json").read_text())
CASES = {case["id"]: case for case in RECORDED if case["function"] == "rejection_sample"}
STATISTICS = [name for name, case in CASES.items() if case["compare"] == "statistics"]
ANSWERS = json.loads((HERE / "answers_sampling.json").read_text())["cases"]
OTHERWISE = {name: entry["does"] for entry in ANSWERS for name in entry["ids"]}
SIGMAS = 5


def streamed(case: dict[str, Any]) -> tuple[Callable[[], Iterator[tuple[Any, Any]]], np.ndarray]:
    """Opens the recorded stream of `(label int32, id int64)`, in its chunks; and its labels."""
    stream = case["stream"]
    shares = stream["true_probs"]
    labels = np.random.RandomState(stream["seed"]).choice(len(shares), size=stream["n"], p=shares).astype(np.int32)
    ids = np.arange(stream["n"])

    def opened() -> Iterator[tuple[Any, Any]]:
        if not case["args"].get("enqueue_many"):
            return zip(labels, ids, strict=True)
        step = stream["chunk"]
        return ((labels[at : at + step], ids[at : at + step]) for at in range(0, stream["n"], step))

    return opened, labels


def kept(case: dict[str, Any]) -> list[list[np.ndarray]]:
    """The batches that penstock gives, of two components read in step."""
    opened, _ = streamed(case)
    table = case["accept_prob_by_label"]
    components = [lambda: (label for label, _ in opened()), lambda: (number for _, number in opened())]
    return list(ps.rejection_sample(components, lambda example: table[int(example[0])], **case["args"]))


@pytest.mark.slow
@pytest.mark.parametrize("name", STATISTICS)
def test_what_is_kept_is_within_five_sigma_of_the_formula_and_of_tf1(name: str):
    """Of n_c examples of class c, k_c ~ Binomial(n_c, a_c) are kept, apart from each other: σ² = n_c·a_c·(1 - a_c).

    Fewer than batch_size of the kept are lost at the end, of whatever class, so those that are delivered lie within
    n_c·a_c ± 5σ, or up to batch_size - 1 below. TF1's own are a second such draw, so the two differ by 5·√2·σ and
    the two ends; TF1's rates were recorded to six digits. Where every a_c is 0 or 1 nothing is left to chance: the same
    examples come out. All bounds hold by chance with p > 0.99999 in one class of one case.
    """
    case = CASES[name]
    size, rates, stats = case["args"]["batch_size"], case["accept_prob_by_label"], case["answer"]["stats"]
    _, labels = streamed(case)

    batches = kept(case)

    out, ids = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    seen, delivered = np.bincount(labels, minlength=2), np.bincount(out, minlength=2)
    for count, got, rate, tf1 in zip(seen, delivered, rates, stats["accept_rate_by_class"], strict=True):
        sigma = sqrt(count * rate * (1 - rate))
        assert count * rate - SIGMAS * sigma - (size - 1) <= got <= count * rate + SIGMAS * sigma
        assert abs(got - tf1 * count) <= SIGMAS * sqrt(2) * sigma + (size - 1) + count * 1e-6
    assert [type(batch) for batch in batches] == [list] * len(batches)
    assert [[part.dtype.name, list(part.shape)] for part in batches[0]] == case["answer"]["static"]
    assert {len(batch[0]) for batch in batches} == set(stats["batch_sizes"])
    assert (out == labels[ids]).all()
    assert (np.diff(ids) > 0).all()  # In order, and each once; TF1's several threads lost the order.
    if {*rates} <= {0.0, 1.0}:
        assert len(out) == stats["n_output"]
        np.testing.assert_allclose(delivered / len(out), stats["class_freq_out"], atol=1e-6)


@pytest.mark.parametrize("name", STATISTICS)
def test_the_recorded_shares_are_those_of_the_formula(name: str):
    """TF1 kept to its formula in the same bounds, or these would be no bounds.

    The shares that come out are p_c·a_c / Σ p·a, with p the shares of the stream; efficiency is Σ p·a.
    """
    case = CASES[name]
    rates, stats = np.array(case["accept_prob_by_label"]), case["answer"]["stats"]
    _, labels = streamed(case)
    shares = np.array(case["stream"]["true_probs"])

    seen = np.bincount(labels, minlength=2)
    slack = SIGMAS * np.sqrt(seen * rates * (1 - rates)) + case["args"]["batch_size"] - 1 + seen * 1e-6
    assert (np.abs(np.array(stats["accept_rate_by_class"]) * seen - rates * seen) <= slack).all()
    np.testing.assert_allclose(stats["formula_class_freq_out"], shares * rates / (shares @ rates), atol=1e-6)
    assert stats["formula_efficiency"] == pytest.approx(shares @ rates)


def zeros() -> Iterator[np.ndarray]:
    """What the cases about probabilities read: float32[3] without end."""
    return repeat(np.zeros(3, np.float32))


def chunked(*rows: int | None) -> list[Callable[[], Iterator[Any]]]:
    """Endless components in chunks of so many rows; of `None` a scalar."""
    whats = [np.float32(0) if n is None else np.zeros(n, np.float32) for n in rows]
    return [lambda what=what: repeat(what) for what in whats]


def two_many() -> list[Callable[[], Iterator[Any]]]:
    """float32[?, 1] of zeros and float32[?] of ones, in chunks of 3."""
    return [lambda: repeat(np.zeros((3, 1), np.float32)), lambda: repeat(np.ones(3, np.float32))]


def always(example: Any) -> float:
    return 1.0


# What each case about arguments and errors passes.
ASKED: dict[str, Callable[[], ps.Pipeline]] = {
    "err_data_scalar_many": lambda: ps.rejection_sample(chunked(None), always, 4, enqueue_many=True),
    "err_batch_dims": lambda: ps.rejection_sample(chunked(4, 5), always, 4, enqueue_many=True),
    "err_two_many": lambda: ps.rejection_sample(two_many(), always, 4, enqueue_many=True),
    "err_prob_above_one_unchecked": lambda: ps.rejection_sample([zeros], lambda example: np.float32(1.5), 4),
    "err_prob_runtime_above_one_checked": lambda: ps.rejection_sample(
        [zeros], lambda example: np.float32(1.1), 4, runtime_checks=True
    ),
    "err_prob_vector": lambda: ps.rejection_sample([zeros], lambda example: np.array([0.5, 0.5], np.float32), 4),
    "err_prob_python": lambda: ps.rejection_sample([zeros], always, 4),
    "err_free_dim": lambda: ps.rejection_sample([zeros], always, 4),
    "err_tensors_dict": lambda: ps.rejection_sample({"x": zeros}, always, 4),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_case_is_answered_as_tf1_did_or_as_the_table_says(name: str):
    """What TF1 refused, or failed in, is a ValueError at the consumer; what it delivered comes out alike."""
    case = CASES[f"rejection_sample/{name}"]
    answer = case["answer"]

    if OTHERWISE.get(case["id"]) == "delivers":
        (batch,) = ASKED[name]().take(1)
        (part,) = batch.values() if isinstance(batch, dict) else batch
        assert type(batch) is (dict if "dict" in name else list)
        assert (part.dtype, part.shape) == (np.float32, (4, 3))
    elif "refused" in answer or answer["error"]:
        with pytest.raises(ps.SpecError):  # A ValueError, as TF1's.
            list(ASKED[name]().take(1))
    else:
        batches = list(ASKED[name]().take(len(answer["batches"])))
        assert [type(batch) for batch in batches] == [list] * len(answer["batches"])
        for batch, recorded in zip(batches, answer["batches"], strict=True):
            for got, want in zip(batch, map(value, recorded), strict=True):
                np.testing.assert_array_equal(got, want, strict=True)


def test_every_recorded_case_is_asked():
    """Lost cases would pass unnoticed."""
    asked = {*STATISTICS, *(f"rejection_sample/{name}" for name in ASKED)}

    assert asked == {*CASES}
    assert len(CASES) == 15
    assert {name for name in OTHERWISE if name.startswith("rejection_sample/")} <= {*CASES}
