"""TF1's four functions: their names, order and defaults, and what each argument does."""

import inspect
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import penstock as ps
from examples import FORMS, run
from penstock.structure import Structure
from penstock.testing import same

OURS = {"order": "fixed", "seed": 0, "capacity_bytes": None, "on_error": "raise"}
COMMON = {
    "capacity": 32,
    "enqueue_many": False,
    "shapes": None,
    "dynamic_pad": False,
    "allow_smaller_final_batch": False,
    "shared_name": None,
    "name": None,
}
NO = inspect.Parameter.empty
TF1 = {
    "batch": {"tensors": NO, "batch_size": NO, "num_threads": 1, **COMMON},
    "maybe_batch": {"tensors": NO, "keep_input": NO, "batch_size": NO, "num_threads": 1, **COMMON},
    "batch_join": {"tensors_list": NO, "batch_size": NO, **COMMON},
    "maybe_batch_join": {"tensors_list": NO, "keep_input": NO, "batch_size": NO, **COMMON},
}
A = np.array


def opens(*items: Any) -> Callable[[], Iterator[Any]]:
    """A callable that opens a source of these items."""
    return lambda: iter(items)


def lists(pipeline: ps.Pipeline) -> list[Any]:
    """The batches, as lists."""
    return [batch.tolist() for batch in pipeline]


def refused(make: Callable[[], Any]) -> str:
    """The message with which a pipeline is refused when it is written."""
    with pytest.raises(ps.PipelineError) as caught:
        make()
    return str(caught.value)


@pytest.mark.parametrize("name", TF1)
def test_names_order_and_defaults_are_tf1s_then_ours_by_keyword(name: str):
    """A call that was written for TF1 means the same, by position and by name."""
    parameters = inspect.signature(getattr(ps, name)).parameters.values()

    positional = {p.name: p.default for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}
    by_keyword = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert list(positional.items()) == list(TF1[name].items())
    assert by_keyword == OURS
    assert len(positional) + len(by_keyword) == len(list(parameters))


@pytest.mark.parametrize("name", TF1)
def test_a_pipeline_is_returned(name: str):
    """Nothing runs; every word of the fluent form may follow."""
    source: Any = [[1, 2, 3]] if name.endswith("join") else [1, 2, 3]
    flags = [True] if name.startswith("maybe") else []

    pipeline = getattr(ps, name)(source, *flags, 2)

    assert isinstance(pipeline, ps.Pipeline)
    assert [batch.tolist() for batch in pipeline.map(lambda batch: batch * 2)] == [[2, 4]]


@pytest.mark.parametrize("form", FORMS)
def test_the_structure_that_goes_in_comes_back(form: str):
    """A tuple of one stays a tuple of one; TF1 gave it back bare."""
    examples = [FORMS[form](np.full(3, i, np.float32), i) for i in range(5)]

    first, second = ps.batch(examples, 2)

    arrays = np.array([[0, 0, 0], [1, 1, 1], [2, 2, 2], [3, 3, 3]], np.float32)
    by_hand = Structure.of(examples[0])
    for batch, at in ((first, 0), (second, 2)):
        want = [
            arrays[at : at + 2] if isinstance(leaf, np.ndarray) else np.array([at, at + 1])
            for leaf in by_hand.leaves(examples[0])
        ]
        assert same(batch, by_hand.build(want))


# batch


def test_the_remainder_is_dropped_or_given_as_tf1_does():
    """Seven examples, batches of three."""
    assert lists(ps.batch(range(7), 3)) == [[0, 1, 2], [3, 4, 5]]
    assert lists(ps.batch(range(7), 3, allow_smaller_final_batch=True)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert lists(ps.batch(range(6), 3, allow_smaller_final_batch=True)) == [[0, 1, 2], [3, 4, 5]]


def test_the_number_of_threads_is_checked_and_changes_nothing():
    """One source has one order."""
    assert lists(ps.batch(range(7), 3, 4)) == lists(ps.batch(range(7), 3))
    assert refused(lambda: ps.batch([1], 1, 0)) == (
        "expected `num_threads` to be an integer >= 1, got `0` - at batch(num_threads)"
    )
    assert refused(lambda: ps.maybe_batch([1], True, 1, "2")) == (
        "expected `num_threads` to be an integer >= 1, got `'2'` - at maybe_batch(num_threads)"
    )


@pytest.mark.parametrize("capacity", [1, 2, 32, -1, np.int64(5)])
def test_capacity_changes_no_batch(capacity: int):
    """It may be smaller than a batch, as in TF1, and negative for no limit."""
    assert lists(ps.batch(range(7), 3, capacity=capacity)) == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("capacity", [0, 1.5, None, "many", True])
def test_a_capacity_that_is_none_is_refused(capacity: Any):
    """TF1 divided by zero."""
    assert refused(lambda: ps.batch([1], 1, capacity=capacity)) == (
        f"expected `capacity` to be an integer >= 1, got `{capacity!r}` - at capacity"
    )


@pytest.mark.parametrize("size", [0, -1, 2.0, "2", None, True])
@pytest.mark.parametrize("name", TF1)
def test_a_batch_size_that_is_none_is_refused(name: str, size: Any):
    """TF1 gave endless empty batches."""
    source: Any = [[1]] if name.endswith("join") else [1]
    flags = [True] if name.startswith("maybe") else []

    message = refused(lambda: getattr(ps, name)(source, *flags, size))

    assert message == f"expected `batch_size` to be an integer >= 1, got `{size!r}` - at batch(batch_size)"


def test_the_name_is_the_flows():
    """In threads and reports."""
    with ps.batch([1, 2], 1, name="train").open() as flow:
        next(flow)

    assert flow.stats().name == "train"


@pytest.mark.parametrize(
    ("keyword", "message"),
    [
        ({"order": "any"}, 'expected `order` to be "fixed" or "arrival", got `\'any\'` - at join(order)'),
        ({"seed": 1.5}, "expected `seed` to be an integer, got `1.5` - at options(seed)"),
        (
            {"capacity_bytes": 0},
            "expected `capacity_bytes` to be an integer >= 1, got `0` - at options(capacity_bytes)",
        ),
        (
            {"on_error": "skip"},
            'expected `on_error` to be "raise", `ps.Skip(...)`, `ps.Retry(...)` or `ps.Retry(...) | ps.Skip(...)`, '
            "got `'skip'` - at options(on_error)",
        ),
        ({"name": 3}, "expected `name` to be a text, got `3` - at options(name)"),
    ],
)
def test_our_own_keywords_are_checked_as_they_are_written(keyword: dict[str, Any], message: str):
    """Before anything runs."""
    assert refused(lambda: ps.batch([1], 1, **keyword)) == message


# batch_join


def test_sources_are_taken_in_turn_and_an_ended_one_drops_out():
    """The same at every run."""
    sources = [[1, 2, 3], opens(10, 20), [100], []]

    assert lists(ps.batch_join(sources, 2)) == [[1, 10], [100, 2], [20, 3]]


@pytest.mark.parametrize("outer", [list, tuple, iter, lambda sources: (source for source in sources)])
def test_any_iterable_of_sources_will_do(outer: Callable[[list[Any]], Any]):
    """TF1 refused a generator."""
    assert lists(ps.batch_join(outer([[1, 2], [10, 20]]), 4)) == [[1, 10, 2, 20]]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([], "expected at least one source, got none - at tensors_list"),
        (
            {"a": [1]},
            "expected a list of sources, got a dict - at tensors_list - for named sources use "
            "`ps.join({name: source})`",
        ),
        ("ab", "expected a list of sources, got `str` - at tensors_list - for one source use `ps.batch`"),
        (A([1, 2]), "expected a list of sources, got `ndarray` - at tensors_list - for one source use `ps.batch`"),
        (
            ps.join([[1]]),
            "expected a list of sources, got `Pipeline` - at tensors_list - for one source use `ps.batch`",
        ),
        (5, "expected a list of sources, got `int` - at tensors_list - for one source use `ps.batch`"),
        (
            [[1], 5],
            "expected a source: an iterable, a callable that opens one, an array or a pipeline, got "
            "`int` - at source 1",
        ),
    ],
)
def test_what_is_no_list_of_sources_is_refused(sources: Any, message: str):
    """The message says what to use instead."""
    assert refused(lambda: ps.batch_join(sources, 1)) == message
    assert refused(lambda: ps.maybe_batch_join(sources, True, 1)) == message


def test_whoever_is_ready_comes_first_in_arrival_order():
    """All examples come, in an order of their own."""
    pipeline = ps.batch_join([opens(1, 2, 3), opens(10, 20, 30)], 6, order="arrival")

    (batch,) = lists(pipeline)

    assert sorted(batch) == [1, 2, 3, 10, 20, 30]
    assert [x for x in batch if x < 10] == [1, 2, 3]


# enqueue_many


def test_with_enqueue_many_an_item_is_a_chunk_and_a_turn_is_a_whole_one():
    """Chunks are never interleaved; batches are cut across their borders; empty ones take no turn."""
    first = opens(A([1, 2, 3]), A([], int), A([4]))
    second = opens(A([10, 20]), A([30, 40, 50]))

    assert lists(ps.batch_join([first, second], 2, enqueue_many=True)) == [[1, 2], [3, 10], [20, 4], [30, 40]]


def test_the_rows_of_an_array_are_chunks_with_enqueue_many():
    """An array is a source of its rows, and with `enqueue_many` an item is a chunk."""
    assert lists(ps.batch(np.arange(6).reshape(2, 3), 2, enqueue_many=True)) == [[0, 1], [2, 3], [4, 5]]
    pairs = ps.batch((np.arange(6).reshape(2, 3), np.arange(6).reshape(2, 3) * 10), 4, enqueue_many=True)
    assert [[part.tolist() for part in batch] for batch in pairs] == [[[0, 1, 2, 3], [0, 10, 20, 30]]]


@pytest.mark.parametrize("enqueue_many", [False, True])
def test_a_batched_pipeline_gives_its_batches_as_chunks(enqueue_many: bool):
    """Whether that is said or not: its batches are what it is made of."""
    inner = ps.join([range(7)]).batch(3, keep_last=True)

    assert lists(ps.batch(inner, 2, enqueue_many=enqueue_many)) == [[0, 1], [2, 3], [4, 5]]
    assert lists(
        ps.batch_join([inner, opens(*([A([50])] if enqueue_many else [50]))], 4, enqueue_many=enqueue_many)
    ) == [
        [0, 1, 2, 50],
        [3, 4, 5, 6],
    ]


def test_a_pipeline_of_chunks_is_a_source_of_chunks():
    """What a map makes may be chunks too."""
    chunks = ps.join([[3, 2, 4]]).map(np.arange)

    assert lists(ps.batch(chunks, 3, enqueue_many=True)) == [[0, 1, 2], [0, 1, 0], [1, 2, 3]]


# shapes and dynamic_pad


RAGGED = [A([1, 2, 3]), A([4]), A([5, 6])]
PAIRS = [(A([1, 2]), 7), (A([3]), 8)]


def test_dynamic_pad_frees_every_dimension():
    """Each grows to the longest in its own batch."""
    assert lists(ps.batch(RAGGED, 2, dynamic_pad=True)) == [[[1, 2, 3], [4, 0, 0]]]
    assert lists(ps.batch([A([[1], [2]]), A([[3, 4]])], 2, dynamic_pad=True)) == [[[[1, 0], [2, 0]], [[3, 4], [0, 0]]]]


@pytest.mark.parametrize(
    ("examples", "shapes", "dynamic_pad"),
    [
        (RAGGED, [None], True),
        (RAGGED, (None,), True),
        (RAGGED, [[None]], True),
        (PAIRS, [[None], []], True),
        (PAIRS, ((None,), ()), True),
        ([{"a": a, "b": b} for a, b in PAIRS], {"a": [None], "b": []}, True),
        ([{"a": a, "b": b} for a, b in PAIRS], {"a": (None,)}, True),
        ([{"a": a, "b": b} for a, b in PAIRS], [[None], []], True),
        ([A([1, 2])] * 3, [2], False),
        ([A([1, 2])] * 3, [np.int64(2)], True),
        ([1, 2, 3], [], False),
        ([1, 2, 3], [[]], False),
    ],
)
def test_shapes_are_one_for_each_component_a_dict_or_one_flat_list(examples: list, shapes: Any, dynamic_pad: bool):
    """A flat list of ints is one shape, as in TF1; `None` is what may be padded."""
    batches = list(ps.batch(examples, 2, shapes=shapes, dynamic_pad=dynamic_pad))

    free = list(ps.batch(examples, 2, dynamic_pad=True))
    assert len(batches) == len(free) == 1
    assert same(batches[0], free[0])


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (
            [None],
            "expected fully given `shapes` without `dynamic_pad`, got `[None]` - at shapes[0] - "
            "with `dynamic_pad=True` dimensions that are `None` are padded",
        ),
        ([-1], "expected `size` to be an integer >= 0, got `-1` - at pad(shape)"),
        ([[1.5]], "expected `size` to be an integer >= 0, got `1.5` - at pad(shape)"),
        ("ab", "expected a shape for each component, got `'ab'` - at shapes"),
        (3, "expected a shape for each component, got `3` - at shapes"),
        (["ab"], "expected a shape: a sequence of sizes and `None`, got `'ab'` - at shapes[0]"),
        ({"a": 3}, "expected a shape: a sequence of sizes and `None`, got `3` - at shapes['a']"),
    ],
)
def test_shapes_that_are_none_are_refused_as_they_are_written(shapes: Any, message: str):
    """Before anything runs."""
    assert refused(lambda: ps.batch([1], 1, shapes=shapes)) == message


@pytest.mark.parametrize(
    ("shapes", "kind", "message"),
    [
        ([[2]], ps.PipelineError, "expected a shape for each of `[0]`, `[1]`, got 1 - at shapes"),
        ({"a": [2]}, ps.PipelineError, "expected a component, one of `[0]`, `[1]`, got `a` - at shapes"),
        ([[3], []], ps.SpecError, "expected `[0]: int64[3]`, got `int64[2]`"),
        ([[2, 1], []], ps.SpecError, "expected `[0]` of 2 dimensions, as its shape `[2, 1]` says, got `int64[2]`"),
    ],
)
def test_shapes_that_contradict_the_first_example_are_an_error_of_it(shapes: Any, kind: type, message: str):
    """What the components are is known only then."""
    with pytest.raises(kind) as caught:
        list(ps.batch([(A([1, 2]), 7)], 1, shapes=shapes))

    assert str(caught.value).startswith(message)


def test_an_example_that_contradicts_shapes_is_named_after_the_batches_before_it():
    """Sizes in `shapes` are demanded of every example, padded or not."""
    examples = [A([[1, 2]]), A([[1, 2], [3, 4]]), A([[1, 2, 3]])]

    batches, error = run(ps.batch(examples, 2, shapes=[None, 2], dynamic_pad=True))

    assert [batch.tolist() for batch in batches] == [[[[1, 2], [0, 0]], [[1, 2], [3, 4]]]]
    assert isinstance(error, ps.SpecError)
    assert str(error).startswith(
        "expected `example: int64[?, 2]`, got `int64[1, 3]` - at example 2 of source 0 ('list')"
    )


# keep_input


@pytest.mark.parametrize("flag", [True, 1, np.True_, np.int32(1)])
def test_a_true_flag_keeps_all(flag: Any):
    """A bool, or 0 or 1."""
    assert lists(ps.maybe_batch([1, 2], flag, 1)) == [[1], [2]]
    assert lists(ps.maybe_batch_join([[1], [2]], flag, 2)) == [[1, 2]]


@pytest.mark.parametrize("flag", [False, 0, np.False_, np.int32(0)])
def test_a_false_flag_reads_all_and_delivers_nothing(flag: Any):
    """TF1 waited for ever."""
    read: list[int] = []

    def source() -> Iterator[int]:
        for number in range(3):
            read.append(number)
            yield number

    assert lists(ps.maybe_batch(source, flag, 1)) == []
    assert lists(ps.maybe_batch_join([source, source], flag, 1)) == []
    assert sorted(read) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize(
    "flags",
    [
        opens(True, False, True),
        opens(1, 0, 1),
        opens(np.True_, np.False_, np.True_),
        opens(A(True), A(False), A(True)),
        lambda: [True, False, True],
        lambda: ps.join([[True, False, True]]),
    ],
)
def test_flags_are_a_source_that_is_read_in_step(flags: Any):
    """A callable opens them."""
    assert lists(ps.maybe_batch([1, 2, 3], flags, 1)) == [[1], [3]]


@pytest.mark.parametrize(
    "flags", [iter([1, 0, 1]), [1, 0, 1], A([1, 0, 1]), ps.join([[1, 0, 1]]), itertools.cycle([True, False])]
)
def test_flags_may_be_any_source(flags: Any):
    """An iterator, a list of 0 and 1, an array, a pipeline; what is known to be endless ends with the examples."""
    assert lists(ps.maybe_batch(opens(1, 2, 3), flags, 1)) == [[1], [3]]


def test_what_stands_in_both_tensors_and_flags_is_read_once():
    """TF1's idiom: the flag is computed from the example, by the same graph step."""
    labels = iter([0, 1, 1, 0, 1])

    batches = list(ps.maybe_batch(([10, 20, 30, 40, 50], labels), labels, 3))

    assert [part.tolist() for part in batches[0]] == [[20, 30, 50], [1, 1, 1]]


def test_flags_of_chunks_are_for_the_whole_chunk_or_for_each_row():
    """And may change from one to the other."""
    chunks = [A([1, 2]), A([3, 4]), A([5, 6])]

    def kept(flags: Any) -> list[Any]:
        return lists(ps.maybe_batch(chunks, flags, 1, enqueue_many=True))

    assert kept(opens(True, False, True)) == [[1], [2], [5], [6]]
    assert kept(opens(A([True, False]), A([False, False]), [0, 1])) == [[1], [6]]
    assert kept(opens(A([True, False]), False, True)) == [[1], [5], [6]]
    assert kept([[True, False], [False, True], [True, True]]) == [[1], [4], [5], [6]]


@pytest.mark.parametrize("mask", [[True, False], (True, False), A([True, False])])
def test_a_flat_list_of_bools_is_one_mask_for_every_chunk(mask: Any):
    """Of all sources."""
    chunks = [A([1, 2]), A([3, 4])]

    assert lists(ps.maybe_batch(chunks, mask, 1, enqueue_many=True)) == [[1], [3]]
    assert lists(ps.maybe_batch_join([chunks, chunks], mask, 4, enqueue_many=True)) == [[1, 1, 3, 3]]


def test_several_sources_have_a_flag_each():
    """A list of as many as there are sources; each may be a constant, a mask or a source of flags."""
    first, second = opens(1, 2), opens(10, 20)

    assert lists(ps.maybe_batch_join([first, second], [opens(True, False), opens(False, True)], 2)) == [[1, 20]]
    assert lists(ps.maybe_batch_join([first, second], (True, opens(False, True)), 3)) == [[1, 20, 2]]
    assert lists(ps.maybe_batch_join([first, second], [1, 0], 2)) == [[1, 2]]
    chunks = opens(A([1, 2]), A([3, 4]))
    masks = [[True, False], [False, True]]
    assert lists(ps.maybe_batch_join([chunks, chunks], masks, 4, enqueue_many=True)) == [[1, 2, 3, 4]]


def test_one_source_in_a_join_takes_its_flags_alone_or_in_a_list():
    """Whoever has one source need not wrap its flags."""
    assert lists(ps.maybe_batch_join([opens(1, 2)], opens(False, True), 1)) == [[2]]
    assert lists(ps.maybe_batch_join([opens(1, 2)], [opens(False, True)], 1)) == [[2]]


FLAT = (
    "expected a bool, or a source of flags, got a flat list of bools - at keep_input - "
    "a list of bools is a mask for chunks (`enqueue_many=True`); for a flag of each example pass a "
    "callable that opens them"
)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([True, False], FLAT),
        ((True, False), FLAT),
        (A([True, False]), FLAT),
        (2, "expected a bool, or a source of flags, got `2` - at keep_input"),
        (None, "expected a bool, or a source of flags, got `None` - at keep_input"),
        (1.0, "expected a bool, or a source of flags, got `1.0` - at keep_input"),
        ("yes", "expected a bool, or a source of flags, got `'yes'` - at keep_input"),
        (
            lambda example: True,
            "expected a bool, or a source of flags, got a function of an example - at keep_input - "
            "for a predicate use `.filter`",
        ),
        (
            [1, 0, 1],
            "expected as many examples as `tensors` has, 2, got 3 - at component `keep_input` of "
            "tensors - for a constant use "
            "`itertools.repeat(value)`, for numbers `itertools.count()`, beside one that ends",
        ),
    ],
)
def test_flags_that_are_none_are_refused(flags: Any, message: str):
    """As early as it can be known."""
    assert refused(lambda: ps.maybe_batch([1, 2], flags, 1)) == message


@pytest.mark.parametrize(
    ("flags", "got"),
    [
        ([opens(True)], "1"),
        ([True, True, opens(True)], "3"),
        (opens(True), "`function`"),
        (iter([True, True]), "`list_iterator`"),
        ({}, "`dict`"),
    ],
)
def test_flags_that_are_not_as_many_as_the_sources_are_refused(flags: Any, got: str):
    """One flag for all, where it is no constant, would have to be read by each: TF1's defect."""
    assert refused(lambda: ps.maybe_batch_join([[1], [2]], flags, 1)) == (
        f"expected a bool, or a list of flags for each of 2 sources, got {got} - at keep_input"
    )


def test_a_flat_list_of_bools_is_refused_for_several_sources_too():
    """Even if there are as many as sources: it is a mask, and there are no chunks."""
    assert refused(lambda: ps.maybe_batch_join([[1], [2]], [True, False], 1)) == FLAT
    assert refused(lambda: ps.maybe_batch_join([[1], [2]], [[True], True], 1)) == FLAT


@pytest.mark.parametrize(
    ("flags", "many", "message"),
    [
        (opens(True, A([True])), False, "expected `keep_input` to give a bool, got `bool[1]`"),
        (opens(True, 0.5), False, "expected `keep_input` to give a bool, got `float64[]`"),
        (opens(True, "no"), False, "expected `keep_input` to give a bool, got `<U2[]`"),
        (opens(1, 2), False, "expected `keep_input` to give a bool, or 0 or 1, got 2"),
        (opens(True, A([True])), True, "expected `keep_input` of 2 flags, one for each row, got 1"),
        (
            opens(True, A([[True]])),
            True,
            "expected `keep_input` to give a bool, or an array of one for each row, got `bool[1, 1]`",
        ),
    ],
)
def test_a_flag_that_is_none_ends_the_flow_after_what_came_before(flags: Any, many: bool, message: str):
    """It is said at which example of which source."""
    batches, error = run(ps.maybe_batch(opens(A([1, 2]), A([3, 4])), flags, 1, enqueue_many=many))

    assert [batch.tolist() for batch in batches] == ([[1], [2]] if many else [[[1, 2]]])
    assert isinstance(error, ps.SpecError)
    assert str(error).startswith(message)
    place = "item 1 of source 0" if many else "example 1 of source 0"
    assert place in "".join([str(error), *getattr(error, "__notes__", ())])


@pytest.mark.parametrize(
    ("examples", "flags", "short"),
    [(opens(1, 2), opens(True), "keep_input"), (opens(1), opens(True, True), "tensors")],
)
def test_flags_and_examples_end_together(examples: Any, flags: Any, short: str):
    """A flag that is missing, or one too many, is a mistake that would shift all that follow."""
    batches, error = run(ps.maybe_batch(examples, flags, 1))

    assert [batch.tolist() for batch in batches] == [[1]]
    assert isinstance(error, ps.SourceError)
    assert f"got the end of `{short}` while others go on - at step 1 of" in str(error)
