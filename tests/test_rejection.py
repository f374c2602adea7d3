"""`rejection_sample`: who is kept is a matter of the example's own number, and of nothing else."""

import pickle
from collections import namedtuple
from collections.abc import Iterator
from fractions import Fraction
from math import inf, nan, sqrt
from typing import Any

import numpy as np
import pytest

import penstock as ps
from penstock.testing import same

MANY = 400
Pair = namedtuple("Pair", "a b")


def numbers() -> Iterator[int]:
    return iter(range(MANY))


def chunks() -> Iterator[np.ndarray]:
    """The same numbers in chunks of 7."""
    return (np.arange(at, min(at + 7, MANY)) for at in range(0, MANY, 7))


def odd(example: Any) -> float:
    return float(np.ravel(example[0] if isinstance(example, (list, tuple)) else example)[0] % 2)


def half(example: Any) -> float:
    return 0.5


def kept(pipeline: ps.Pipeline, **how: Any) -> list[int]:
    with pipeline.open(**how) as flow:
        return [int(x) for batch in flow for x in (batch[0] if isinstance(batch, list) else batch)]


def sampled(fn: Any = half, *, many: bool = False, **options: Any) -> ps.Pipeline:
    source = chunks if many else numbers
    return ps.rejection_sample([source], fn, 8, enqueue_many=many, allow_smaller_final_batch=True, **options)


FORMS: dict[str, tuple[Any, Any]] = {
    "list": ([range(4), "abcd".__iter__], [np.array([1, 3]), np.array(["b", "d"], object)]),
    "tuple": ((range(4), range(4, 8)), [np.array([1, 3]), np.array([5, 7])]),
    "list of one": ([range(4)], [np.array([1, 3])]),
    "arrays": ([np.arange(4), np.arange(8.0).reshape(4, 2)], [np.array([1, 3]), np.array([[2.0, 3], [6, 7]])]),
    "nested": (
        [np.arange(4), {"x": range(4), "y": range(4)}],
        [np.array([1, 3]), {"x": np.array([1, 3]), "y": np.array([1, 3])}],
    ),
    "one source": (lambda: iter(range(4)), np.array([1, 3])),
    "array": (np.arange(4), np.array([1, 3])),
    "namedtuple": (Pair(range(4), range(4)), Pair(np.array([1, 3]), np.array([1, 3]))),
    "pipeline": (ps.join([[0, 1]]).repeat(2).map(lambda x: x), np.array([1, 1])),
    "batched pipeline": (ps.join([range(4)]).batch(4), np.array([1, 3])),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_list_or_tuple_gives_lists_and_any_other_source_its_own_structure(form: str):
    """TF1 took lists and gave lists, one component or several."""
    tensors, want = FORMS[form]

    (batch,) = ps.rejection_sample(tensors, odd, 2)

    assert type(batch) is type(want)
    assert same(batch, want)


def test_the_components_of_a_dict_are_seen_by_name():
    """The function gets an example as the source gives it."""
    source = {"x": range(4), "p": [0.0, 1.0, 1.0, 0.0]}

    assert same(
        list(ps.rejection_sample(source, lambda example: example["p"], 2)),
        [{"x": np.array([1, 2]), "p": np.array([1.0, 1.0])}],
    )


def test_the_function_gets_a_list_where_a_list_was_given():
    """As in TF1, where it was the list of the example's tensors."""
    seen: list[Any] = []

    def looked(example: Any) -> float:
        seen.append(example)
        return 1.0

    list(ps.rejection_sample([[1, 2], ["a", "b"]], looked, 2))

    assert seen == [[1, "a"], [2, "b"]]


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize(("probability", "comes"), [(1, True), (1.5, True), (inf, True), (0, False), (-0.5, False)])
def test_from_one_on_all_are_kept_and_from_zero_down_none(many: bool, probability: float, comes: bool):
    """Not almost all: the numbers lie in [0, 1), and below is below."""
    assert kept(sampled(lambda example: probability, many=many)) == (list(range(MANY)) if comes else [])


@pytest.mark.parametrize("many", [False, True])
def test_as_many_are_kept_as_the_probabilities_say(many: bool):
    """Of 400 examples with p=0.3, Binomial(400, 0.3) are kept: 120, and five sigma, 5·√84, are 46."""
    count = len(kept(sampled(lambda example: 0.3, many=many)))

    assert abs(count - 0.3 * MANY) <= 5 * sqrt(MANY * 0.3 * 0.7)


@pytest.mark.parametrize("many", [False, True])
def test_threads_and_capacity_do_not_change_who_is_kept(many: bool):
    """The same inline, read ahead, far ahead, and again."""
    own = kept(sampled(many=many), inline=True)

    assert 0 < len(own) < MANY
    assert own == sorted(own)
    for options in ({}, {}, {"queue_threads": 3, "prebatch_threads": 2}):
        assert kept(sampled(many=many, **options)) == own
    for capacity in (1, 3, 1000, -1):
        assert kept(sampled(many=many, prebatch_capacity=capacity)) == own


def test_an_example_is_judged_by_its_own_number_alone():
    """Who is kept at 0.3 is kept at 0.6, whatever becomes of the others."""
    few, more = kept(sampled(lambda example: 0.3)), kept(sampled(lambda example: 0.6))
    mixed = kept(sampled(lambda example: 0.3 if example[0] % 2 else 0.6))

    assert {*few} < {*more}
    assert mixed == [x for x in range(MANY) if x in {*few} or (x in {*more} and x % 2 == 0)]


def test_another_seed_and_another_epoch_keep_others():
    """And the same ones the same again."""
    one = kept(sampled(seed=1))

    assert one == kept(sampled(seed=1)) != kept(sampled(seed=2))
    assert kept(sampled(seed=1), epoch=1) == kept(sampled(seed=1), epoch=1) != one
    assert kept(sampled()) == kept(sampled(seed=0))


def test_one_component_in_chunks_works():
    """It failed in TF1; batches are cut across the borders of chunks, and what is over is left out."""
    batches = list(ps.rejection_sample([chunks], odd, 9, enqueue_many=True))

    assert len(batches) == MANY // 2 // 9
    assert same(np.concatenate([x for [x] in batches]), np.arange(1, 2 * 9 * len(batches), 2))


def test_rows_at_hand_are_chunks_too():
    """With `enqueue_many` a row of an array is an item, and so a chunk, as in `batch`."""
    table = np.arange(12).reshape(4, 3)

    assert same(list(ps.rejection_sample(table, odd, 6, enqueue_many=True)), [np.arange(1, 12, 2)])
    (batch,) = ps.rejection_sample([table, table * 2], odd, 6, enqueue_many=True)
    assert same(batch, [np.arange(1, 12, 2), np.arange(2, 24, 4)])


def test_what_is_over_is_kept_if_that_is_asked_for():
    """TF1 lost it; and a source of which nothing is kept ends."""
    assert [len(x) for x in ps.rejection_sample(np.arange(10), odd, 3)] == [3]
    assert [len(x) for x in ps.rejection_sample(np.arange(10), odd, 3, allow_smaller_final_batch=True)] == [3, 2]
    assert list(ps.rejection_sample(np.arange(10), lambda example: 0.0, 3, allow_smaller_final_batch=True)) == []


def test_ragged_examples_are_padded_if_that_is_asked_for():
    """TF1 refused them; the spec says which dimensions vary."""
    ragged = [np.arange(n) for n in range(1, 7)]
    with ps.rejection_sample([ragged], lambda example: float(len(example[0]) > 4), 2, dynamic_pad=True).open() as flow:
        batches = list(flow)
        spec = flow.spec()

    assert same(batches, [[np.array([[0, 1, 2, 3, 4, 0], [0, 1, 2, 3, 4, 5]])]])
    assert str(spec) == "[int64[2, ?]]"
    with pytest.raises(ps.SpecError, match="expected"):
        list(ps.rejection_sample([ragged], lambda example: 1.0, 2))


class Scalar:
    """A framework's scalar, as far as can be seen."""

    shape = ()

    def __float__(self) -> float:
        return 1.0


@pytest.mark.parametrize(
    "given", [1, True, np.float32(1), np.float64(1), np.array(1.0), np.bool_(True), Fraction(1), Scalar()]
)
def test_any_number_is_a_probability(given: Any):
    """TF1 wanted a scalar float32."""
    assert same(list(ps.rejection_sample(np.arange(2), lambda example: given, 2)), [np.arange(2)])


@pytest.mark.parametrize(
    ("given", "got"),
    [
        (np.array([0.5, 0.5]), "an array of shape `[2]`"),
        (np.array([0.5]), "an array of shape `[1]`"),
        ([0.5], "`list`"),
        (None, "`NoneType`"),
        ("0.5", "`str`"),
        (0.5j, "`complex`"),
    ],
)
def test_what_is_no_number_is_an_error_that_names_the_example(given: Any, got: str):
    """After the batches before it."""
    batches: list[Any] = []

    with pytest.raises(ps.SpecError) as caught:
        batches.extend(ps.rejection_sample([numbers], lambda example: given if example[0] == 5 else 1.0, 2))

    assert str(caught.value) == f"expected one number, the probability of the example, got {got} - at accept_prob_fn"
    assert caught.value.__notes__ == ["penstock: while filtering example 5 of source 0 ('(numbers,)')"]
    assert same(batches, [[np.array([0, 1])], [np.array([2, 3])]])


@pytest.mark.parametrize(
    ("given", "checked", "want"),
    [
        (1.1, True, "a probability in [0, 1]"),
        (-0.1, True, "a probability in [0, 1]"),
        (np.float32(2), True, "a probability in [0, 1]"),
        (nan, True, "a probability in [0, 1]"),
        (nan, False, "a probability"),
    ],
)
def test_a_probability_that_cannot_be_is_an_error_that_names_the_example(given: float, checked: bool, want: str):
    """NaN always, what lies outside [0, 1] with `runtime_checks`."""
    pipeline = ps.rejection_sample(
        [chunks], lambda example: given if example[0] == 9 else 1.0, 4, enqueue_many=True, runtime_checks=checked
    )

    with pytest.raises(ps.SpecError) as caught:
        list(pipeline)

    assert str(caught.value) == f"expected {want}, got `{float(given)}` - at accept_prob_fn"
    assert caught.value.__notes__ == ["penstock: while filtering row 2 of item 1 of source 0 ('(chunks,)')"]


def test_with_checks_the_ends_of_the_range_are_in_it():
    """0 and 1 are probabilities."""
    assert kept(sampled(odd, runtime_checks=True)) == list(range(1, MANY, 2))


def test_an_error_of_the_function_stays_its_own():
    """The same object, after the batches before it."""
    error = KeyError("no such class")

    def fails(example: Any) -> float:
        if example[0] == 4:
            raise error
        return 1.0

    with ps.rejection_sample([numbers], fails, 3).open() as flow:
        assert same(next(flow), [np.arange(3)])
        with pytest.raises(KeyError) as caught:
            next(flow)

    assert caught.value is error


def test_an_error_of_the_source_comes_after_the_batches_before_it():
    """TF1 hid it."""

    def breaks() -> Iterator[int]:
        yield from range(5)
        raise OSError("disk gone")

    with ps.rejection_sample([breaks], lambda example: 1.0, 2).open() as flow:
        assert same([next(flow), next(flow)], [[np.array([0, 1])], [np.array([2, 3])]])
        with pytest.raises(OSError, match="disk gone"):
            next(flow)


def test_what_is_rejected_is_counted():
    """Nothing is lost without a count."""
    with ps.rejection_sample([numbers], odd, 8).open() as flow:
        list(flow)
        discarded = sum(stage.discarded for stage in flow.stats().stages)

    assert discarded == MANY // 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "expected `batch_size` to be an integer >= 1, got `0` - at batch(batch_size)"),
        (
            {"queue_threads": 0},
            "expected `queue_threads` to be an integer >= 1, got `0` - at rejection_sample(queue_threads)",
        ),
        (
            {"prebatch_threads": 1.5},
            "expected `prebatch_threads` to be an integer >= 1, got `1.5` - at rejection_sample(prebatch_threads)",
        ),
        (
            {"prebatch_capacity": 0},
            "expected `prebatch_capacity` to be an integer >= 1, got `0` - at rejection_sample(prebatch_capacity)",
        ),
        (
            {"accept_prob_fn": 0.5},
            "expected a function of an example, got `float` - at rejection_sample(accept_prob_fn)",
        ),
        ({"tensors": []}, "expected at least one component, got an empty `tuple` - at tensors"),
        (
            {"tensors": None},
            "expected a source: an iterable, a callable that opens one, an array or a pipeline, got `NoneType` - at tensors",
        ),
        ({"seed": "x"}, "expected `seed` to be an integer, got `'x'` - at options(seed)"),
        ({"name": 3}, "expected `name` to be a text, got `3` - at options(name)"),
    ],
)
def test_an_argument_that_cannot_be_is_said_at_once(arguments: dict[str, Any], message: str):
    """When the pipeline is written, as a ValueError."""
    with pytest.raises(ps.PipelineError) as caught:
        ps.rejection_sample(**{"tensors": [numbers], "accept_prob_fn": half, "batch_size": 2, **arguments})

    assert str(caught.value) == message


def test_a_pipeline_of_plain_functions_can_be_pickled():
    """For another process; it keeps the same examples there."""
    pipeline = ps.rejection_sample([list(range(50))], half, 2)

    assert same(list(pickle.loads(pickle.dumps(pipeline))), list(pipeline))
