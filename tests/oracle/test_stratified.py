"""What TensorFlow 1 answered in `stratified_sample`, asked of penstock: every recorded case."""

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
from penstock.stats import StrataStats

HERE = Path(__file__).parent
RECORDED = [json.loads((HERE / f"stratified_{name}.json").read_text()) for name in ("rejection", "trace")]
CASES = {case["id"]: case for cases in RECORDED for case in cases if case["function"] == "stratified_sample"}
ANSWERS = json.loads((HERE / "answers_sampling.json").read_text())["cases"]
OTHERWISE = {name: entry["does"] for entry in ANSWERS for name in entry["ids"]}
STATISTICS = [name for name, case in CASES.items() if case["compare"] == "statistics"]
KNOWN = [name for name in STATISTICS if CASES[name]["args"].get("init_probs")]
ESTIMATED = [name for name in STATISTICS if name not in KNOWN and CASES[name]["stream"]["n"]]
ENDLESS = [name for name in STATISTICS if not CASES[name]["stream"]["n"]]
SIGMAS = 5
WINDOW = 4096
"""Arrivals after which one counts a third in the estimate; it is as good as one of twice as many that count alike."""


def drawn(case: dict[str, Any], n: int) -> np.ndarray:
    """The labels of the recorded stream: int32[n]."""
    stream = case["stream"]
    shares = stream["true_probs"]
    return np.random.RandomState(stream["seed"]).choice(len(shares), size=n, p=shares).astype(np.int32)


def delivered(case: dict[str, Any], labels: np.ndarray, **how: Any) -> tuple[list[Any], StrataStats]:
    """The batches `([data, ids], labels)` that penstock gives of a recorded stream, and the figures at the end."""
    ids = np.arange(len(labels))
    data = np.stack((ids, labels), axis=1).astype(np.float32)
    step = case["stream"]["chunk"] if case["args"].get("enqueue_many") else None

    def opened(array: np.ndarray) -> Callable[[], Iterator[Any]]:
        return lambda: iter(array) if step is None else (array[at : at + step] for at in range(0, len(array), step))

    pipeline = ps.stratified_sample([opened(data), opened(ids)], opened(labels), **case["args"], **how)
    with pipeline.open() as flow:
        batches = list(flow)
        return batches, flow.stats().strata[0]


def joined(batches: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """The ids and labels of all batches."""
    return np.concatenate([ids for (_, ids), _ in batches]), np.concatenate([labels for _, labels in batches])


def check_form(case: dict[str, Any], batches: list[Any], labels: np.ndarray) -> np.ndarray:
    """Checks what holds of every batch, whatever the method; gives all labels that were delivered."""
    ids, out = joined(batches)
    (first, label_batch), *_ = batches
    assert type(first) is list
    assert [[part.dtype.name, list(part.shape)] for part in (*first, label_batch)] == case["answer"]["static"]
    assert {len(labels) for _, labels in batches} == {case["args"]["batch_size"]}
    assert (out == labels[ids]).all()
    assert len(set(ids.tolist())) == len(ids)
    for (data, numbers), batch in batches:
        np.testing.assert_array_equal(data, np.stack((numbers, batch), axis=1).astype(np.float32))
    return out


def chances(case: dict[str, Any]) -> np.ndarray:
    """TF1's chance of each class: target over arriving share, the largest 1."""
    target = np.array(case["args"]["target_probs"])
    ratio = target / np.array(case["args"].get("init_probs") or case["stream"]["true_probs"])
    return ratio / ratio.max()


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN)
def test_rejection_with_known_shares_is_within_five_sigma_of_the_formula_and_of_tf1(name: str):
    """Of n_c examples of class c, k_c ~ Binomial(n_c, a_c) are kept, apart from each other: σ² = n_c·a_c·(1 - a_c).

    Fewer than batch_size of the kept are lost at the end, of whatever class. TF1's own are a second such draw, so the two
    differ by 5·√2·σ and the two ends, and what waited in its queues at the end; rates were recorded to six digits.
    """
    case = CASES[name]
    size, stats = case["args"]["batch_size"], case["answer"]["stats"]
    labels = drawn(case, case["stream"]["n"])

    batches, figures = delivered(case, labels, method="rejection")

    out = check_form(case, batches, labels)
    ids, _ = joined(batches)
    assert (np.diff(ids) > 0).all()  # In order; TF1's several threads lost it.
    rates = chances(case)
    np.testing.assert_allclose(rates, stats["formula_accept_probs_true_or_given_init"], atol=1e-6)
    seen, got = np.bincount(labels, minlength=len(rates)), np.bincount(out, minlength=len(rates))
    sigma = np.sqrt(seen * rates * (1 - rates))
    assert (got <= seen * rates + SIGMAS * sigma).all()
    assert (got >= seen * rates - SIGMAS * sigma - (size - 1)).all()
    tf1 = np.array(stats["accept_rate_by_class"]) * seen
    assert (np.abs(got - tf1) <= SIGMAS * sqrt(2) * sigma + size - 1 + seen * 1e-6).all()
    # Efficiency is Σ p·a; the stream's own shares are a draw of n too.
    p = np.array(case["stream"]["true_probs"])
    slack = SIGMAS * sqrt(p @ rates * (1 - p @ rates) / len(labels)) + size / len(labels)
    assert abs(len(out) / len(labels) - stats["formula_efficiency"]) <= slack
    assert figures.inputs == len(labels)


@pytest.mark.slow
@pytest.mark.parametrize("name", ESTIMATED)
def test_rejection_with_estimated_shares_judges_every_example_and_meets_the_target(name: str):
    """Where TF1 lost half of the stream or all of it.

    The share delivered of class c is off, in parts of it, by: the coins and the arrivals, 1 / N of N delivered; the
    estimate's error, which averages out over the run as that of n arrivals does, (1 - p) / (n p), for this class and for
    the total; and, not averaged out, its square in one window of w, (1 - p) / (2 w p). What comes before the first
    estimate, 64 arrivals, is kept in other shares. At each moment the class that is wanted most is that of the largest of
    K ratios, each off by √((1 - p) / (2 w p)); five of these are the most that efficiency loses.
    """
    case = CASES[name]
    target, p = np.array(case["args"]["target_probs"]), np.array(case["stream"]["true_probs"])
    labels = drawn(case, case["stream"]["n"])

    batches, figures = delivered(case, labels, method="rejection")

    out = check_form(case, batches, labels)
    n, total = len(labels), len(out)
    got = np.bincount(out, minlength=len(target)) / total
    each = (1 - p) / p
    slack = SIGMAS * np.sqrt(1 / (total * target) + 2 * each / n) + each / (2 * WINDOW) + 64 / (total * target)
    assert (np.abs(got / target - 1) <= slack + case["args"]["batch_size"] / total).all()
    formula = case["answer"]["stats"]["formula_efficiency"]
    worst = SIGMAS * float(np.sqrt(each / (2 * WINDOW)).max())
    assert formula * (1 - worst) <= total / n <= formula * (1 + worst)
    assert total > case["answer"]["stats"]["n_output"]
    assert figures.inputs == n  # Each is counted and judged once, and none is read for the count alone.


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN + ESTIMATED)
def test_quotas_are_exact_in_every_batch_of_every_recorded_stream(name: str):
    """Floor or ceil of b·q in each batch, within one of k·b·q in all of them.

    No method gives more than min n_c / q_c; at least 0.97 of that is given where there is enough of it: all but a few
    batches that wait at the end, and what full rings cost.
    """
    case = CASES[name]
    size, target = case["args"]["batch_size"], np.array(case["args"]["target_probs"])
    labels = drawn(case, case["stream"]["n"])

    batches, figures = delivered(case, labels)

    check_form(case, batches, labels)
    counts = np.array([np.bincount(batch, minlength=len(target)) for _, batch in batches])
    wanted = size * target
    assert (counts >= np.floor(wanted + 1e-9)).all()
    assert (counts <= np.ceil(wanted - 1e-9)).all()
    upto = np.arange(1, len(batches) + 1)[:, None] * wanted
    assert (np.abs(counts.cumsum(axis=0) - upto) < 1).all()
    seen, asked = np.bincount(labels, minlength=len(target)), target > 0
    most = int((seen[asked] / target[asked]).min())
    assert 0.97 * most - 2 * size <= len(batches) * size <= most
    assert figures.inputs == len(labels)
    assert figures.exact


@pytest.mark.slow
@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("method", ["quota", "rejection"])
def test_of_an_endless_stream_no_more_is_read_than_the_formula_says(name: str, method: str):
    """TF1 read 2 to 50 times as much. What is delivered needs max(q / p) inputs an example.

    The class that is wanted most comes n·p times in n inputs, ± 5·√(n·p); rejection's estimate adds what it may be off,
    and quotas the examples that wait, of which rings hold a few batches.
    """
    case = CASES[name]
    size, most = case["args"]["batch_size"], case["batches"] // 4
    target, p = np.array(case["args"]["target_probs"]), np.array(case["stream"]["true_probs"])
    formula = case["answer"]["stats"]["formula_examples_judged_per_delivered"]
    assert formula == pytest.approx((target / p).max(), abs=1e-3)
    labels = drawn(case, int(2 * formula * most * size))
    ids = np.arange(len(labels))
    step = case["stream"]["chunk"]

    def opened(array: np.ndarray) -> Callable[[], Iterator[Any]]:
        many = case["args"].get("enqueue_many")
        return lambda: (array[at : at + step] for at in range(0, len(array), step)) if many else iter(array)

    pipeline = ps.stratified_sample([opened(ids)], opened(labels), **case["args"], method=method)
    with pipeline.take(most).open(inline=True) as flow:
        batches = list(flow)
        inputs = flow.stats().strata[0].inputs

    assert [[part.dtype.name, list(part.shape)] for part in (*batches[0][0], batches[0][1])] == case["answer"]["static"]
    assert len(batches) == most
    needed = formula * most * size
    off = SIGMAS * sqrt(1 / (needed * p.min())) + 2 * size / (most * size)
    off += SIGMAS * sqrt((1 - p.min()) / (2 * WINDOW * p.min())) if method == "rejection" else 0
    assert needed * (1 - off) <= inputs <= needed * (1 + off)
    assert inputs / (most * size) < case["answer"]["stats"]["drawn_per_delivered"] / 1.5


def test_in_the_step_by_step_trace_tf1_threw_away_what_it_counted():
    """Of 12 items read, 6 were judged; penstock judges 12 of 12."""
    case = CASES["stratified_sample/trace_estimated"]
    *_, (_, read, waiting, counted, _) = case["answer"]["steps"]
    labels = drawn(case, read)
    judged = sum(step[0] == "B" for step in case["answer"]["steps"])

    batches, figures = delivered(case, labels, method="rejection", allow_smaller_final_batch=True)

    assert (read, judged, waiting, sum(counted) - 30) == (12, 6, 0, 6)
    assert [one.arrived for one in figures.each()] == np.bincount(labels).tolist()
    assert figures.inputs == 12
    assert batches


def test_queue_capacity_bounds_what_is_read_ahead_as_in_the_trace():
    """TF1's first queue held 3, and the fourth item waited for room; so much may wait in penstock's lane, and no more."""
    case = CASES["stratified_sample/trace_capacity"]
    room = max(step[2] for step in case["answer"]["steps"])
    labels = drawn(case, 100)
    ids = list(range(100))

    with ps.stratified_sample([lambda: iter(ids)], lambda: iter(labels), **case["args"]).open() as flow:
        list(flow)
        source = flow.stats().sources[0]

    assert case["args"]["queue_capacity"] == room == 3
    assert source.room == 3
    assert source.most_held <= 3


# What each case about arguments and errors passes.

UNIFORM, FIFTHS = [0.5, 0.5], [0.2] * 5


def always(what: Any) -> Callable[[], Iterator[Any]]:
    """The same for ever."""
    return lambda: repeat(what)


def asked(tensors: Any = None, labels: Any = None, target: Any = None, **how: Any) -> ps.Pipeline:
    """float32[3] of zeros and label 1 for ever, where nothing else is said; by TF1's method, since only one class comes."""
    tensors = [always(np.zeros(3, np.float32))] if tensors is None else tensors
    labels = always(np.int32(1)) if labels is None else labels
    how = {"init_probs": UNIFORM, "method": "rejection", **how}
    return ps.stratified_sample(tensors, labels, UNIFORM if target is None else target, 4, **how)


def chunk(*shape: int) -> Callable[[], Iterator[Any]]:
    return always(np.zeros(shape, np.float32))


ASKED: dict[str, Callable[[], ps.Pipeline]] = {
    "err_label_scalar_many": lambda: asked(
        [chunk(1, 3), chunk(1, 5)],
        always(np.float32(1)),
        FIFTHS,
        init_probs=[0.1, 0.3, 0.1, 0.3, 0.2],
        enqueue_many=True,
    ),
    "err_label_vector": lambda: asked(labels=always(np.eye(5, dtype=np.int32)[1]), target=FIFTHS, init_probs=FIFTHS),
    "err_tensors_none": lambda: ps.stratified_sample(None, always(1), UNIFORM, 4),
    "err_tensors_dict": lambda: asked({"x": always(np.zeros(3, np.float32))}),
    "err_tensors_empty": lambda: asked([]),
    "err_data_scalar_many": lambda: asked([chunk()], always(np.ones(1, np.int32)), enqueue_many=True),
    "err_probs_unknown_shape": lambda: asked(target=(share for share in UNIFORM)),
    "err_probs_unknown_shape_estimated": lambda: asked(target=(share for share in UNIFORM), init_probs=None),
    "err_probs_length": lambda: asked(target=[0.1] * 10, init_probs=FIFTHS),
    "err_target_sum": lambda: asked(target=[0.5, 0.6]),
    "err_target_sum_slightly": lambda: asked(target=[0.5, 0.5000005]),
    "err_target_sum_2e6": lambda: asked(target=[0.5, 0.500002]),
    "err_zero_init_nonzero_target": lambda: asked(target=[0.2, 0.4, 0.4], init_probs=[0, 0.5, 0.5]),
    "err_label_negative": lambda: asked(labels=always(np.int32(-1))),
    "err_label_float": lambda: asked(labels=always(np.float32(1))),
    "err_label_uint8": lambda: asked(labels=always(np.uint8(1))),
    "err_label_uint8_estimated": lambda: asked(labels=always(np.uint8(1)), init_probs=None),
    "err_batch_dims_differ_runtime": lambda: asked([chunk(3)], always(np.ones(2, np.int32)), enqueue_many=True),
    "err_free_dim": lambda: asked(),
    "err_rank_unknown": lambda: asked(),
    "err_hostile_target_never_seen": lambda: asked(target=[1, 0], method="quota", missing="error"),
    "err_returns": lambda: asked([always(np.zeros(3, np.float32)), always(b"s")]),
}
EARLY = ("tensors", "probs", "target_sum_2e6", "zero_init")
"""What cannot be is said when the pipeline is written, in cases so named; a wrong sum too."""


@pytest.mark.parametrize("name", ASKED)
def test_a_case_is_answered_as_tf1_did_or_as_the_table_says(name: str):
    """What TF1 refused, or failed in, is a ValueError; what it delivered comes out alike."""
    case = CASES[f"stratified_sample/{name}"]
    answer, does = case["answer"], OTHERWISE.get(case["id"])

    if does == "delivers":
        ((data, labels),) = ASKED[name]().take(1)
        (part,) = data.values() if isinstance(data, dict) else data
        assert type(data) is (dict if "dict" in name else list)
        assert (part.dtype, part.shape, labels.tolist()) == (np.float32, (4, 3), [1] * 4)
        assert labels.dtype == (np.uint8 if "uint8" in name else np.int32)
    elif does is not None or "refused" in answer or answer["error"]:
        early = name == "err_target_sum" or any(word in name for word in EARLY)
        with pytest.raises(ps.PipelineError if early else ps.SpecError):
            list(ASKED[name]().take(1)) if not early else ASKED[name]()
    else:
        batches = list(ASKED[name]().take(len(answer["batches"])))
        for (data, labels), recorded in zip(batches, answer["batches"], strict=True):
            want = recorded if answer["returns"] == "list" else [recorded]
            for got, one in zip([*data, labels] if len(want) > 1 else [labels], map(value, want), strict=True):
                np.testing.assert_array_equal(got, one, strict=True)


def test_a_class_that_never_comes_is_said_and_waiting_goes_on():
    """TF1 hung without a word; here it is as long as the stream goes on, and a test needs an end."""
    pipeline = ps.stratified_sample([range(3000)], lambda: repeat(1, 3000), [1, 0], 4, init_probs=UNIFORM)

    with pipeline.open(inline=True) as flow:
        with pytest.warns(ps.PenstockWarning, match="class `0` has not come within"):
            assert next(flow, None) is None
        (event,) = flow.stats().strata[0].events

    assert event.policy == "wait"


def test_every_recorded_case_is_asked():
    """Lost cases would pass unnoticed."""
    traces = [name for name, case in CASES.items() if case["compare"] == "trace"]
    asked = {*KNOWN, *ESTIMATED, *ENDLESS, *traces, *(f"stratified_sample/{name}" for name in ASKED)}

    assert asked == {*CASES}
    assert len(CASES) == 38
    assert sorted(traces) == ["stratified_sample/trace_capacity", "stratified_sample/trace_estimated"]
    assert {name for name in OTHERWISE if name.startswith("stratified_sample/")} <= {*CASES}
