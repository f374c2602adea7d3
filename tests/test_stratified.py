"""`stratified_sample`: TF1's arguments, exact proportions, and every error that TF1's page promises."""

import inspect
import pickle
from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import penstock as ps
from penstock.fingerprint import fingerprint
from penstock.testing import same

LABELS = [0, 0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1] * 10
NUMBERS = list(range(len(LABELS)))
HALVES = [0.5, 0.5]
Pair = namedtuple("Pair", "x y")


@dataclass
class Thing:
    x: int
    y: int


def sampled(tensors: Any = None, labels: Any = None, target: Any = None, size: int = 4, **how: Any) -> ps.Pipeline:
    """A list of one source of numbers beside its labels, where nothing else is said."""
    tensors = [lambda: iter(NUMBERS)] if tensors is None else tensors
    labels = (lambda: iter(LABELS)) if labels is None else labels
    return ps.stratified_sample(tensors, labels, HALVES if target is None else target, size, **how)


def numbers(pipeline: ps.Pipeline, **how: Any) -> list[int]:
    """Which examples were delivered, of a list of one source."""
    with pipeline.open(**how) as flow:
        return [int(number) for [batch], _ in flow for number in batch]


def pairs() -> Iterator[tuple[int, int]]:
    return zip(NUMBERS, LABELS, strict=True)


def chunked(values: list[int], size: int = 7) -> Callable[[], Iterator[np.ndarray]]:
    return lambda: (np.array(values[at : at + size]) for at in range(0, len(values), size))


def second(example: Any) -> int:
    return int(example[1])


# Forms.


def test_the_arguments_are_tf1s_in_name_order_and_default():
    """A program that calls TF1's by position goes on to run."""
    parameters = inspect.signature(ps.stratified_sample).parameters.values()
    empty = inspect.Parameter.empty

    plain = [(p.name, p.default) for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]

    assert plain == [
        ("tensors", empty),
        ("labels", empty),
        ("target_probs", empty),
        ("batch_size", empty),
        ("init_probs", None),
        ("enqueue_many", False),
        ("queue_capacity", 16),
        ("threads_per_queue", 1),
        ("name", None),
    ]
    assert all(p.kind is p.KEYWORD_ONLY for p in list(parameters)[len(plain) :])


SQUARES = [number**2 for number in NUMBERS]
LISTS: dict[str, tuple[list[Any], Any]] = {
    "callables": ([lambda: iter(NUMBERS), lambda: iter(SQUARES)], lambda: iter(LABELS)),
    "lists": ([NUMBERS, SQUARES], LABELS),
    "arrays": ([np.array(NUMBERS), np.array(SQUARES)], np.array(LABELS)),
    "mixed": ([np.array(NUMBERS), iter(SQUARES)], ps.join([lambda: iter(LABELS)])),
    "one": ([NUMBERS], np.array(LABELS, np.int32)),
    "nested": ([NUMBERS, {"square": SQUARES}], LABELS),
}


@pytest.mark.parametrize("form", LISTS)
def test_a_list_of_tensors_gives_a_list_as_long_and_labels_that_belong(form: str):
    """The labels are a source that is read in step with it."""
    tensors, labels = LISTS[form]

    batches = list(ps.stratified_sample(tensors, labels, HALVES, 4))

    assert len(batches) > 10
    for data, label_batch in batches:
        assert type(data) is list
        assert len(data) == len(tensors)
        assert [LABELS[number] for number in data[0]] == label_batch.tolist()
        assert sorted(label_batch.tolist()) == [0, 0, 1, 1]
        if len(data) > 1:
            square = data[1]["square"] if form == "nested" else data[1]
            np.testing.assert_array_equal(square, data[0] ** 2)
    assert batches[0][1].dtype == (np.int32 if form == "one" else np.int64)


ONES: dict[str, tuple[Any, Any]] = {
    "index": (pairs, 1),
    "index of NumPy": (pairs, np.int64(-1)),
    "arrays": ((np.array(NUMBERS), np.array(LABELS)), 1),
    "components": ((NUMBERS, lambda: iter(LABELS)), 1),
    "key": ({"x": NUMBERS, "y": LABELS}, "y"),
    "rows that are dicts": (lambda: ({"x": x, "y": y} for x, y in pairs()), "y"),
    "attribute": (Pair(NUMBERS, LABELS), "y"),
    "dataclass": (lambda: (Thing(x, y) for x, y in pairs()), "y"),
    "path": ({"x": NUMBERS, "meta": {"y": LABELS}}, ("meta", "y")),
    "function": (pairs, second),
    "pipeline": (ps.join([pairs]), 1),
    "batched pipeline": (ps.join([pairs]).batch(5), 1),
    "in step": (lambda: iter(NUMBERS), LABELS),
    "in step, array": (np.array(NUMBERS), np.array(LABELS)),
    "in step, opened": ({"x": NUMBERS}, lambda: iter(LABELS)),
    "in step, batched": (ps.join([NUMBERS]).batch(5), np.array(LABELS).reshape(-1, 5)),
}


@pytest.mark.parametrize("form", ONES)
@pytest.mark.parametrize("method", ["quota", "rejection"])
def test_one_source_keeps_its_structure_and_the_label_in_it(form: str, method: Any):
    """A str, int, path or function of the example says where the label is; anything else is read in step."""
    tensors, labels = ONES[form]

    batches = list(ps.stratified_sample(tensors, labels, HALVES, 4, method=method))

    assert len(batches) > 10
    for data, label_batch in batches:
        x = data["x"] if isinstance(data, dict) else data.x if hasattr(data, "x") else data
        x = x[0] if isinstance(x, tuple) else x
        assert [LABELS[number] for number in x] == label_batch.tolist()
    data, label_batch = batches[0]
    kept = {"key": dict, "rows that are dicts": dict, "path": dict, "in step, opened": dict, "attribute": Pair}
    kept |= {"dataclass": Thing, **dict.fromkeys([name for name in ONES if name.startswith("in step")], np.ndarray)}
    kept["in step, opened"] = dict
    assert isinstance(data, kept.get(form, tuple))
    if isinstance(data, tuple):
        np.testing.assert_array_equal(data[1], label_batch)


@pytest.mark.parametrize("method", ["quota", "rejection"])
def test_chunks_give_what_their_rows_give(method: Any):
    """With `enqueue_many` each item is a chunk, of the labels too."""
    rows = numbers(sampled(method=method, allow_smaller_final_batch=True))
    many = sampled(
        [chunked(NUMBERS)], chunked(LABELS), enqueue_many=True, method=method, allow_smaller_final_batch=True
    )

    assert numbers(many) == rows


def test_it_is_a_pipeline_that_runs_nothing_until_it_is_opened():
    """And goes on like any other."""
    opened: list[int] = []

    def source() -> Iterator[int]:
        opened.append(1)
        return iter(NUMBERS)

    pipeline = sampled([source])

    assert isinstance(pipeline, ps.Pipeline)
    assert opened == []
    assert len(list(pipeline.take(2))) == 2
    assert len(list(pipeline)) == len(list(pipeline.map(lambda batch: batch[1]))) > 10


def test_a_pipeline_of_plain_functions_can_be_pickled():
    """For another process; it gives the same batches there."""
    for pipeline in (sampled([NUMBERS], LABELS), ps.stratified_sample(pairs, second, HALVES, 4, weights="natural")):
        assert same(list(pickle.loads(pickle.dumps(pipeline))), list(pipeline))


def test_ragged_examples_are_padded_where_that_is_asked_for():
    """TF1 refused them."""
    ragged = [np.arange(1 + number % 3) for number in NUMBERS]

    batches = list(sampled([ragged, NUMBERS], LABELS, dynamic_pad=True))

    assert all(data.shape == (4, max(1 + n % 3 for n in own)) for [data, own], _ in batches)


def test_the_framework_is_asked_for_behind_it():
    """Data, labels and weights alike."""
    torch = pytest.importorskip("torch")

    ([data], labels), extras = next(iter(sampled(weights="target").to("torch").open(inline=True)))

    assert all(isinstance(part, torch.Tensor) for part in (data, labels, extras["weights"]))


# Proportions.


def test_every_batch_holds_the_target_and_all_together_too():
    """Floor or ceil of b q in each, within one of k b q in all: with b = 4 and q = 0.3, 1 or 2 of a batch."""
    counts = np.array([np.bincount(labels, minlength=2) for _, labels in sampled(target=[0.7, 0.3])])

    wanted = 4 * np.array([0.7, 0.3])
    assert ((counts >= np.floor(wanted)) & (counts <= np.ceil(wanted))).all()
    assert (np.abs(counts.cumsum(axis=0) - np.arange(1, len(counts) + 1)[:, None] * wanted) < 1).all()


def test_a_share_that_no_float_holds_is_what_it_reads():
    """0.29 of a batch of 100 is 29, in each, and not 28 now and then."""
    many = [int(n % 2) for n in range(3000)]

    batches = list(ps.stratified_sample([list(range(3000))], many, [0.71, 0.29], 100))

    assert {int(labels.sum()) for _, labels in batches} == {29}


def given_as(values: list[float]) -> list[tuple[str, Any]]:
    """The same probabilities, in whatever they may come."""
    out: list[tuple[str, Any]] = [
        ("tuple", tuple(values)),
        ("float64", np.array(values)),
        ("float32", np.array(values, np.float32)),
        ("fractions", [Fraction(str(value)) for value in values]),
    ]
    return out


@pytest.mark.parametrize("name", ["tuple", "float64", "float32", "fractions", "torch", "jax"])
def test_probabilities_are_any_array(name: str):
    """Torch tensors and JAX arrays among them."""
    target, start = [0.3, 0.7], [0.6, 0.4]
    if name == "torch":
        torch = pytest.importorskip("torch")
        target_probs, init_probs = torch.tensor(target, requires_grad=True), torch.tensor(start)
    elif name == "jax":
        numpy = pytest.importorskip("jax.numpy")
        target_probs, init_probs = numpy.array(target), numpy.array(start)
    else:
        target_probs, init_probs = dict(given_as(target))[name], dict(given_as(start))[name]

    want = list(sampled(target=target, init_probs=start, size=10))

    assert same(list(sampled(target=target_probs, init_probs=init_probs, size=10)), want)


def test_a_sum_that_is_off_by_less_than_a_millionth_is_made_one():
    """1 + 5e-7 passes, and is normalised; 1 + 2e-6 is refused."""
    assert len(list(sampled(target=[0.5, 0.5000005]))) > 10
    with pytest.raises(ps.PipelineError):
        sampled(target=[0.5, 0.500002])


@pytest.mark.parametrize("start", [None, [0.5, 0.5], [0.01, 0.99]])
def test_what_is_delivered_does_not_depend_on_the_initial_probabilities(start: Any):
    """They seed the estimate, which says how much to admit, and not what a batch holds."""
    for _, labels in sampled(init_probs=start):
        assert sorted(labels.tolist()) == [0, 0, 1, 1]


def test_the_initial_probabilities_are_where_the_estimate_begins():
    """Before anything is learnt it is what they say."""
    with sampled(init_probs=[0.1, 0.9]).take(1).open(inline=True) as flow:
        next(flow)
        begin = [one.arriving for one in flow.stats().strata[0].each()]

    assert begin == pytest.approx([0.1, 0.9])


def test_rejection_takes_the_initial_probabilities_for_what_arrives():
    """TF1's formula: the chance is q/p over the largest; of two classes 9 to 1, 1 in 9 of the first is kept, and all others.

    Of 9 000 arrivals of class 0, 1 000 are kept, and 5·√(9 000 · 1/9 · 8/9) = 149.
    """
    labels = ([0] * 9 + [1]) * 1000

    batches = list(ps.stratified_sample([range(10_000)], labels, HALVES, 1, [0.9, 0.1], method="rejection"))

    first = sum(int(batch[0]) == 0 for _, batch in batches)
    assert abs(first - 1000) <= 149
    assert len(batches) - first == 1000


@pytest.mark.parametrize("method", ["quota", "rejection"])
def test_at_the_end_a_smaller_batch_comes_if_it_is_asked_for(method: Any):
    """The largest within the quota, 2 and 2; of rejection, the remainder."""
    tensors, labels = [list(range(7))], [0, 1, 0, 1, 0, 1, 1]

    without = list(sampled(tensors, labels, method=method))
    with_it = list(sampled(tensors, labels, method=method, allow_smaller_final_batch=True))

    assert [len(batch) for _, batch in without] == [4]
    assert [len(batch) for _, batch in with_it] == [4, 3]
    assert sorted(with_it[-1][1].tolist()) == [0, 1, 1]


def test_an_example_may_be_used_several_times():
    """`repeats` times, and no oftener."""
    many = numbers(sampled(target=[0.1, 0.9], size=10, repeats=3))

    uses = np.bincount(many)
    assert len(many) > len(numbers(sampled(target=[0.1, 0.9], size=10)))
    assert uses.max() == 3


def test_without_a_buffer_the_shares_hold_on_average():
    """`exact="average"`: no class is ahead by more than 64 + 4·4·0.5 + 2 = 74, whatever arrives."""
    labels = [*([0] * 9 + [1]) * 300, *([0] + [1] * 9) * 300]

    batches = list(ps.stratified_sample([range(6000)], labels, HALVES, 4, exact="average"))

    ahead = np.cumsum([int((batch == 0).sum()) - 2 for _, batch in batches])
    assert np.abs(ahead).max() <= 74
    assert len(batches) > 100


# Threads, seeds, capacity.


@pytest.mark.parametrize("method", ["quota", "rejection"])
def test_threads_and_capacity_change_no_result(method: Any):
    """The same inline, read ahead, far ahead, without a limit, and again."""
    own = numbers(sampled(method=method), inline=True)

    assert len(own) > 40
    for options in (
        {},
        {},
        {"threads_per_queue": 4},
        {"queue_capacity": 1},
        {"queue_capacity": 5000},
        {"queue_capacity": -1},
    ):
        assert numbers(sampled(method=method, **options)) == own


@pytest.mark.parametrize("method", ["quota", "rejection"])
def test_another_seed_draws_otherwise(method: Any):
    """TF1 had none."""
    own = [numbers(sampled(method=method, seed=seed, init_probs=[0.9, 0.1])) for seed in (0, 0, 1)]

    assert own[0] == own[1] != own[2]


@pytest.mark.parametrize("capacity", [1, 3, 16])
def test_the_capacity_bounds_what_is_read_ahead(capacity: int):
    """In the lane before the labels are looked at."""
    with sampled(queue_capacity=capacity, name="train").open() as flow:
        list(flow)
        stats = flow.stats()

    assert stats.name == "train"
    assert stats.sources[0].room == capacity
    assert stats.sources[0].most_held <= capacity


# Weights.


@pytest.mark.parametrize("method", ["quota", "rejection"])
def test_weights_are_a_new_key_of_a_dict_and_else_beside_the_pair(method: Any):
    """As other extras that the user named."""
    how: dict[str, Any] = {"weights": "natural", "weights_as": "w", "method": method}

    data, labels = next(
        iter(ps.stratified_sample({"x": NUMBERS, "y": LABELS}, "y", HALVES, 4, **how).open(inline=True))
    )
    ([own], _), extras = next(iter(sampled(**how).open(inline=True)))
    (pair, beside), more = next(iter(ps.stratified_sample(pairs, second, HALVES, 4, **how).open(inline=True)))

    assert set(data) == {"x", "y", "w"}
    assert len(labels) == len(own) == len(pair[0]) == len(beside) == 4
    assert extras["w"].shape == more["w"].shape == data["w"].shape == (4,)


# What cannot be.

EARLY: dict[str, tuple[dict[str, Any], str]] = {
    "tensors are none": (
        {"tensors": 5},
        "expected a list of components, or a source of examples, got `int` - at tensors",
    ),
    "tensors are a text": (
        {"tensors": "abc"},
        "expected a source of examples, got the text `'abc'` - at component `[0]` of tensors and labels - for files use "
        "`ps.read_parquet`, `read_arrow`, `read_csv`, `read_jsonl` or `read_text`",
    ),
    "no tensors": ({"tensors": []}, "expected at least one component, got an empty list - at tensors"),
    "a key with a list": (
        {"labels": "y"},
        "expected a source of labels, read in step with `tensors`, got `'y'` - at labels - a key, index, path or function "
        "of the label goes with one source, not with a list",
    ),
    "a scalar label with a list": (
        {"labels": 1},
        "expected a source of labels, read in step with `tensors`, got `1` - at labels - a key, index, path or function "
        "of the label goes with one source, not with a list",
    ),
    "no labels": (
        {"tensors": pairs, "labels": (0.5,)},
        "expected a source of labels, read in step with `tensors`, got `tuple` - at labels - a key, index, path or "
        "function of the label goes with one source, not with a list",
    ),
    "a bool as an index": (
        {"tensors": pairs, "labels": True},
        "expected a key, an index, a path (a tuple of them) or a function of the example, got `True` - at "
        "stratified_sample(by)",
    ),
    "other numbers": (
        {"tensors": [np.arange(5)], "labels": np.zeros(4, int)},
        "expected as many rows as `[0]` has, 5, got 4 - at component `[1]`",
    ),
    "one-hot": (
        {"labels": np.eye(2)},
        "expected one label for each example, of shape `[n]`, got `float64[2, 2]` - at labels - pass its argmax",
    ),
    "no batch dimension": (
        {"labels": np.zeros(4, int), "enqueue_many": True},
        "expected a chunk of labels for each item, of shape `[n, m]`, got `int64[4]` - at labels",
    ),
    "floats": ({"labels": np.zeros(4)}, "expected labels that are integers, got `float64[4]` - at labels"),
    "sum": ({"target": [0.5, 0.6]}, "expected target_probs to sum to 1 within 1e-6, got 1.1"),
    "negative": ({"target": [1.5, -0.5]}, "expected target_probs of at least 0, got -0.5 - at position 1"),
    "not a number": (
        {"target": [0.5, float("nan")]},
        "expected finite numbers in target_probs, got nan - at position 1",
    ),
    "of two dimensions": ({"target": np.eye(2)}, "expected target_probs of one dimension, got shape (2, 2)"),
    "no classes": ({"target": []}, "expected target_probs of at least one class, got none"),
    "all zero": ({"target": [0.0, 0.0]}, "expected target_probs with at least one above 0, got 2 zeros"),
    "sum of the initial": ({"init_probs": [0.5, 0.6]}, "expected init_probs to sum to 1 within 1e-6, got 1.1"),
    "negative initial": ({"init_probs": [1.5, -0.5]}, "expected init_probs of at least 0, got -0.5 - at position 1"),
    "of other lengths": (
        {"init_probs": [0.2, 0.3, 0.5]},
        "expected `init_probs` of as many classes as `target_probs`, 2, got 3 - at stratified_sample(init_probs)",
    ),
    "a target without a chance": (
        {"init_probs": [1.0, 0.0]},
        "expected an initial probability above 0 for class 1, whose target is 0.5, got 0 - at "
        "stratified_sample(init_probs) - it could never be drawn",
    ),
    "batch_size": ({"size": 0}, "expected `batch_size` to be an integer >= 1, got `0` - at batch(batch_size)"),
    "threads": (
        {"threads_per_queue": 0},
        "expected `threads_per_queue` to be an integer >= 1, got `0` - at stratified_sample(threads_per_queue)",
    ),
    "capacity": (
        {"queue_capacity": 0},
        "expected `queue_capacity` to be an integer >= 1, got `0` - at stratified_sample(queue_capacity)",
    ),
    "method": (
        {"method": "coins"},
        'expected `method` to be one of "quota", "rejection", got `\'coins\'` - at stratified_sample(method)',
    ),
    "seed": ({"seed": "x"}, "expected `seed` to be an integer, got `'x'` - at options(seed)"),
    "repeats of what is not kept": (
        {"method": "rejection", "repeats": 2},
        'expected `method="rejection"`, which keeps no examples, alone, got `repeats` too - at stratified_sample()',
    ),
    "rings of what is not kept": (
        {"exact": "average", "rings": 2},
        'expected `exact="average"`, which keeps no examples, alone, got `rings` too - at stratified_sample()',
    ),
    "repeating what is not kept": (
        {"exact": "average", "missing": "repeat"},
        'expected `exact="average"`, which keeps no examples, alone, got `missing="repeat"` too - at stratified_sample()',
    ),
    "steering of rejection": (
        {"method": "rejection", "exact": "average"},
        'expected `method="rejection"`, which keeps no examples, alone, got `exact="average"` too - at stratified_sample()',
    ),
}


@pytest.mark.parametrize("name", EARLY)
def test_what_cannot_be_is_said_when_the_pipeline_is_written(name: str):
    """As the ValueError that TF1's page promised."""
    how, message = EARLY[name]

    with pytest.raises(ps.PipelineError) as caught:
        sampled(**how)

    assert str(caught.value) == message
    assert isinstance(caught.value, ValueError)


def changed(place: int, label: Any) -> Callable[[], Iterator[Any]]:
    """The labels, but for one."""
    return lambda: iter([*LABELS[:place], label, *LABELS[place + 1 :]])


LATE: dict[str, tuple[dict[str, Any], str]] = {
    "above": (
        {"labels": changed(30, 2)},
        'expected a label that is an integer in [0, 2), got `2` - unknown="ignore" leaves such out - at the label of '
        "example 30 of source 0 ('(<lambda>, <lambda>)')",
    ),
    "below": (
        {"labels": changed(30, -1)},
        'expected a label that is an integer in [0, 2), got `-1` - unknown="ignore" leaves such out - at the label of '
        "example 30 of source 0 ('(<lambda>, <lambda>)')",
    ),
    "in a chunk": (
        {"tensors": [chunked(NUMBERS)], "labels": chunked([*LABELS[:30], 5, *LABELS[31:]]), "enqueue_many": True},
        'expected a label that is an integer in [0, 2), got `5` - unknown="ignore" leaves such out - at the label of '
        "row 2 of item 4 of source 0 ('(<lambda>, <lambda>)')",
    ),
    "a float": (
        {"labels": changed(30, 0.5)},
        "expected a label that is an integer in [0, 2), got `0.5` - round it, or pass a function as `by` - at the label "
        "of example 30 of source 0 ('(<lambda>, <lambda>)')",
    ),
    "one-hot": (
        {"labels": changed(30, np.array([0, 1]))},
        "expected a label that is one number, got one-hot `int64[2]` - pass its argmax - at the label of example 30 of "
        "source 0 ('(<lambda>, <lambda>)')",
    ),
    "a text": (
        {"labels": changed(30, "cat")},
        "expected a label that is an integer in [0, 2), got `'cat'` - unknown=\"ignore\" leaves such out - at the label of "
        "example 30 of source 0 ('(<lambda>, <lambda>)')",
    ),
    "chunks of other lengths": (
        {"tensors": [chunked(NUMBERS, 7)], "labels": chunked(LABELS, 6), "enqueue_many": True},
        "expected as many rows as in `[0]`, 7, in each component of a chunk, got 6 rows - at component `[1]` of item 0 of "
        "source 0 ('(<lambda>, <lambda>)')",
    ),
    "labels without a batch dimension": (
        {"tensors": [chunked(NUMBERS)], "enqueue_many": True},
        "expected an array of rows in each component of a chunk, got a scalar `int64[]` - at component `[1]` of item 0 of "
        "source 0 ('(<lambda>, <lambda>)')",
    ),
}


@pytest.mark.parametrize("name", LATE)
@pytest.mark.parametrize("method", ["quota", "rejection"])
def test_a_bad_label_is_told_with_its_position_and_source(name: str, method: Any):
    """After the whole batches before it; as the ValueError that TF1's page promised."""
    how, message = LATE[name]
    good = numbers(sampled([NUMBERS[:30]], LABELS[:30], method=method))

    delivered: list[int] = []
    with sampled(**how, method=method).open() as flow, pytest.raises(ps.SpecError) as caught:
        delivered.extend(number for [batch], _ in flow for number in batch.tolist())

    assert str(caught.value) == message
    assert isinstance(caught.value, ValueError)
    assert delivered == ([] if "item 0" in message else good)


@pytest.mark.parametrize("method", ["quota", "rejection"])
def test_labels_of_no_class_can_be_left_out(method: Any):
    """And are counted."""
    with sampled(labels=changed(30, 7), unknown="ignore", method=method).open(inline=True) as flow:
        delivered = [number for [batch], _ in flow for number in batch.tolist()]
        stats = flow.stats().strata[0]

    assert stats.ignored == 1
    assert 30 not in delivered
    assert stats.inputs == len(LABELS)


@pytest.mark.parametrize("how", [{}, {"method": "rejection"}, {"exact": "average"}])
def test_a_class_that_never_comes_can_be_an_error(how: dict[str, Any]):
    """TF1 waited for ever."""
    pipeline = sampled(labels=[0] * len(NUMBERS), patience=50, missing="error", **how)

    with pytest.raises(ps.SpecError, match=r"expected class `1` within \d+ inputs, got none - at batch"):
        list(pipeline)


def test_the_target_can_be_changed_while_it_runs():
    """From the first batch on that was not composed."""
    for how in ({}, {"method": "rejection"}, {"exact": "average"}):
        with sampled(**how).open(inline=True) as flow:
            next(flow)
            first = flow.set_target([0.0, 1.0])
            rest = list(flow)

        assert first == 1
        assert {label for _, labels in rest for label in labels.tolist()} == {1}


@pytest.mark.parametrize("how", [{}, {"method": "rejection"}, {"exact": "average"}])
def test_what_became_of_each_class_is_in_the_stats(how: dict[str, Any]):
    """All that came was given, left out for a reason, or waits; and the flow's own stages say the same."""
    with sampled(**how).open(inline=True) as flow:
        batches = list(flow)
        stats = flow.stats().strata[0]

    for one in stats.each():
        assert one.arrived == LABELS.count(one.label) == one.used + one.thinned + one.evicted + one.held
    assert stats.inputs == len(LABELS)
    assert 0 <= stats.delivered - 4 * len(batches) < 4
    assert stats.size == 4
    assert stats.exact is (not how)


@pytest.mark.parametrize("exact", ["batch", "average"])
def test_a_pass_after_the_other_is_one_stratify(exact: Any):
    """Each pass has a stage of its own: what the earlier ones did is counted, what they held is let go of."""
    labels = [0, 1, 1, 0] * 20
    kept = ps.join([labels]).stratify(lambda x: x, [0.5, 0.5], exact=exact)
    with kept.batch(4).repeat(3).open(inline=True) as flow:
        given = sum(len(batch) for batch in flow)
        (stats,) = flow.stats().strata
        stages = len(flow._built.strata)

    assert stages == 1
    assert stats.inputs == 3 * len(labels)
    assert stats.delivered - given < 3 * 4
    assert [stats.of(label).arrived for label in (0, 1)] == [120, 120]
    for its in stats.each():
        assert its.arrived == its.used + its.thinned + its.evicted + its.held
    with kept.batch(4).repeat(3).open(inline=True) as flow:
        flow.skip(30)
        next(flow)
        assert flow.set_target([0.25, 0.75]) > 0 or exact == "average"


def test_a_state_says_of_the_pipeline_what_it_was_given_and_nothing_else():
    """What is worked out from that may change from one version to the next; a state would be refused for it."""
    pipeline = ps.stratified_sample(lambda: iter([]), 0, [0.5, 0.5], 2)

    word, given, _ = fingerprint(pipeline._node)

    assert (word, given["form"]) == ("batch", {"by": 0, "weights_as": None})
    assert fingerprint(ps.join([[1]]).map(abs, on_error=ps.Retry() | ps.Skip(at_most=3))._node)[1]["on_error"] == {
        "retry": {"times": 5, "backoff_s": 1.0, "deadline_s": None},
        "skip": {"at_most": 3, "rate": None},
    }
