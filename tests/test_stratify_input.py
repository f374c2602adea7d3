"""What `stratify` makes of targets, labels and streams that are not as they should be: a named error or a named policy."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from itertools import count, cycle
from typing import Any

import numpy as np
import pytest

import penstock as ps
from labelled import run, source
from penstock.errors import PenstockWarning
from penstock.report import report
from penstock.testing import no_threads_left

BASE = source([0, 1] * 10)
NAN, INF = math.nan, math.inf


# Targets: said as the word is written, before anything runs.


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ([], "expected stratify(target) of at least one class, got none"),
        (np.array([]), "expected stratify(target) of at least one class, got none"),
        ({}, "expected at least one class, got none - at stratify(target)"),
        ([0.5, NAN], "expected finite numbers in stratify(target), got nan - at position 1"),
        ({"a": NAN, "b": 1}, "expected finite numbers in stratify(target), got nan - at position 0"),
        ([0.5, INF], "expected finite numbers in stratify(target), got inf - at position 1"),
        ([1.5, -0.5], "expected stratify(target) of at least 0, got -0.5 - at position 1"),
        ({"a": 1.5, "b": -0.5}, "expected stratify(target) of at least 0, got -0.5 - at position 1"),
        ([0.5, 0.4], "expected stratify(target) to sum to 1 within 1e-6, got 0.9"),
        ({"a": 50, "b": 50}, "expected stratify(target) to sum to 1 within 1e-6, got 100"),
        ([0.0, 0.0], "expected stratify(target) with at least one above 0, got 2 zeros"),
        ({"a": 0, "b": 0}, "expected stratify(target) with at least one above 0, got 2 zeros"),
        ("even", 'expected a target, `"uniform"` or `"natural"`, got `\'even\'` - at stratify(target)'),
        (None, "expected a target, or classes_per_batch and per_class, got neither - at stratify()"),
        (0.5, "expected stratify(target) of one dimension, got shape ()"),
        ([[0.5, 0.5]], "expected stratify(target) of one dimension, got `list` - at position 0"),
        (["a", "b"], "expected finite numbers in stratify(target), got `str` - at position 0"),
    ],
)
def test_a_target_that_is_none_is_refused_as_it_is_written(target: Any, message: str):
    """Empty, not finite, negative, not summing to one, all zero, or no shares at all."""
    with pytest.raises(ps.PipelineError) as caught:
        BASE.stratify(1, target)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("target", "classes", "message"),
    [
        ({"x": 0.5, "y": 0.5}, ["x"], "expected a target for known classes, got one for `'y'` - at stratify(target)"),
        ([0.5, 0.5], ["x", "y", "z"], "expected a share for each of 3 classes, got 2 - at stratify(target)"),
        ("uniform", ["x", "x"], "expected each class once, got `'x'` twice"),
        ("uniform", [], "expected at least one class, got none"),
        ("uniform", [["x"], ["y"]], "expected labels that are hashable, got `unhashable type: 'list'`"),
        ("uniform", 3, "got `3`"),
    ],
)
def test_classes_that_are_none_or_do_not_suit_the_target_are_refused(target: Any, classes: Any, message: str):
    """Unknown ones named in the target, another number of them than of shares, the same twice, none."""
    with pytest.raises(ps.PipelineError) as caught:
        BASE.stratify(1, target, classes=classes)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *[("repeats", 0), ("repeats", 1.5), ("rings", 0), ("rings", -3), ("patience", -1), ("patience", 0.5)],
        *[("missing", "ignore"), ("exact", "yes"), ("unknown", None), ("weights", "uniform"), ("weights_as", 3)],
        *[("seed", "a"), ("seed", 0.5), ("classes_per_batch", 2), ("per_class", 2)],
    ],
)
def test_an_option_that_cannot_be_is_refused_by_name(option: str, value: Any):
    """Also half of `classes_per_batch` and `per_class`, or both beside a target."""
    with pytest.raises(ps.PipelineError, match=r"at stratify\(") as caught:
        BASE.stratify(1, "uniform", **{option: value})

    assert option in str(caught.value)


@pytest.mark.parametrize("by", [None, 1.5, (), (1, None), [1], True])
def test_what_cannot_be_a_way_to_the_label_is_refused(by: Any):
    """A key, an index, a path or a function is."""
    with pytest.raises(ps.PipelineError, match=r"expected a key, an index, a path .* - at stratify\(by\)"):
        BASE.stratify(by, "uniform")


def test_more_classes_than_a_batch_holds_come_by_turns_and_the_report_says_so():
    """50 classes in batches of 4: each batch holds 4 different ones, and after 25 batches each came twice."""
    pipeline = source(list(range(50)) * 10).stratify(1, "uniform", classes=range(50)).batch(4)
    with pipeline.open(inline=True) as flow:
        counts = np.stack([np.bincount(labels, minlength=50) for _, labels in flow])

    assert counts.max() == 1
    assert (counts[:25].sum(axis=0) == 2).all()
    assert "50 classes are more than a batch of 4 holds: each comes once in 12.5 batches" in flow.report()


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda k: [NAN, 1.0] if k == 2 else [0.5, 0.5], ps.PipelineError, "got nan"),
        (lambda k: [0.5, 0.4] if k == 2 else [0.5, 0.5], ps.PipelineError, "of batch 2 to sum to 1"),
        (lambda k: {5: 1.0} if k == 2 else [0.5, 0.5], ps.PipelineError, "got one for `5`"),
        (lambda k: [1 // (2 - k), 0] if k == 2 else [0.5, 0.5], ZeroDivisionError, "division"),
    ],
)
@pytest.mark.parametrize("inline", [True, False])
def test_a_function_that_gives_no_target_ends_the_flow_at_its_batch(
    function: Callable[[int], Any], error: type[Exception], message: str, inline: bool
):
    """What came before it is delivered; the user's own error stays the user's."""
    with (
        no_threads_left(),
        BASE.stratify(1, function, classes=[0, 1]).batch(2).open(inline=inline) as flow,
        pytest.raises(error, match=message),
    ):
        list(flow)

    assert flow.stats().delivered == 2


# Labels: the error names the label, its example and its source, after the batches before it.


@pytest.mark.parametrize("cut", ["rows", "columns"])
@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0.5, 1.5], "expected a label that is an integer or a text, got `0.5` - round it, or pass a function as `by`"),
        ([1.0, 0.0], "expected a label that is an integer or a text, got `1.0` - round it, or pass a function as `by`"),
        ([NAN, 0.0], "expected a label that is an integer or a text, got `nan` - leave out examples without a label"),
        (np.eye(3, dtype=np.int64), "expected a label that is one number, got one-hot `int64[3]` - pass its argmax"),
        (
            np.eye(3, dtype=np.float32),
            "expected a label that is one number, got one-hot `float32[3]` - pass its argmax",
        ),
        (np.ones((2, 3)), "expected a label that is one number or text, got `float64[3]`"),
        (np.ones((2, 1, 1)), "expected a label that is one number or text, got `float64[1, 1]`"),
    ],
)
def test_a_label_that_is_none_is_named_with_its_place(labels: Any, message: str, cut: str, inline: bool):
    """Floats, one-hot vectors, arrays."""
    whole = list(labels) if cut == "rows" else np.asarray(labels)
    with (
        no_threads_left(),
        source(whole, cut).stratify(1, "uniform").batch(2).open(inline=inline) as flow,
        pytest.raises(ps.SpecError) as caught,
    ):
        list(flow)

    name = "<lambda>" if cut == "rows" else "arrays"
    assert str(caught.value) == f"{message} - at the label of example 0 of source 0 ('{name}')"


@pytest.mark.parametrize("cut", ["rows", "columns", "chunks"])
@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize("label", [2, -1, 2**40])
def test_a_label_out_of_range_comes_after_the_batches_before_it(label: int, cut: str, inline: bool):
    """With the label, its position and what to do."""
    with (
        no_threads_left(),
        source([0, 1, 0, 1, label, 0, 1], cut).stratify(1, [0.5, 0.5]).batch(2).open(inline=inline) as flow,
        pytest.raises(ps.SpecError) as caught,
    ):
        list(flow)

    assert flow.stats().delivered == 2
    assert str(caught.value).startswith(
        f'expected a label that is an integer in [0, 2), got `{label}` - unknown="ignore" leaves such out - at the label of '
        f"{'row 4 of item 0' if cut == 'chunks' else 'example 4'} of source 0"
    )
    assert flow.stats().strata[0].inputs == 4


@pytest.mark.parametrize("cut", ["rows", "columns", "chunks"])
def test_unknown_labels_may_be_left_out_and_are_counted(cut: str):
    """A named policy in place of the error."""
    out = run(source([0, 1, 7, 0, -3, 1], cut).stratify(1, [0.5, 0.5], unknown="ignore").batch(2))

    assert (out.counts(2) == 1).all()
    assert (len(out.labels), out.stats.inputs, out.stats.ignored) == (2, 6, 2)


def test_an_unknown_text_is_told_which_there_are():
    """With six of the known ones at most."""
    names = [f"c{number}" for number in range(8)]
    with pytest.raises(ps.SpecError) as caught:
        run(source(["c0", "other"]).stratify(1, "uniform", classes=names).batch(8))

    assert str(caught.value) == (
        "expected a label among `'c0'`, `'c1'`, `'c2'`, `'c3'`, `'c4'`, `'c5'` and 2 more, got `'other'` - "
        "unknown=\"ignore\" leaves such out - at the label of example 1 of source 0 ('<lambda>')"
    )


@pytest.mark.parametrize("classes", [None, [0, 1]])
@pytest.mark.parametrize("label", [[0, 1], [1.0, 0.0], [False, True, False]])
def test_a_list_that_is_one_hot_is_told_to_pass_its_argmax(label: list[Any], classes: list[int] | None):
    """As an array of it is."""
    pipeline = source([label, label]).stratify(1, "uniform", classes=classes).batch(2)

    with pytest.raises(ps.SpecError, match=r"one-hot .*pass its argmax .*example 0 of source 0"):
        run(pipeline)


@pytest.mark.parametrize("label", [{"a": 1}, {1}, [3, 4], bytearray(b"a")])
def test_a_label_that_cannot_be_hashed_is_named_by_its_type(label: Any):
    """There is no class to count it under."""
    with pytest.raises(ps.SpecError) as caught:
        run(source([label, label]).stratify(1, "uniform").batch(2))

    assert str(caught.value) == (
        f"expected a hashable label, got `{type(label).__name__}` - at the label of example 0 of source 0 ('<lambda>')"
    )


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, "a"], "expected labels of one type, `int` like `0`, got `'a'` (str)"),
        (["a", "b", 3], "expected labels of one type, `str` like `'a'`, got `3` (int)"),
        (["a", "b", b"a"], "expected labels of one type, `str` like `'a'`, got `b'a'` (bytes)"),
        ([0, 1, 0.0], "expected a label among `0`, `1`, got `0.0` - round it"),
        ([0, 1, np.float32(1)], "expected a label among `0`, `1`, got `1.0` - round it"),
        ([0, 1, (0,)], "expected labels of one type, `int` like `0`, got `(0,)` (tuple)"),
    ],
)
def test_labels_that_change_their_type_are_refused(labels: list[Any], message: str):
    """Where classes are found as they come, 1 and "1" would else be two classes."""
    pipeline = source(labels).stratify(lambda example: example[1], "uniform").batch(3)

    with pytest.raises(ps.SpecError, match=r"at the label of example 2 of source 0 \('<lambda>'\)$") as caught:
        run(pipeline)

    assert str(caught.value).startswith(message)


def test_labels_of_any_hashable_kind_are_classes():
    """Texts, tuples, None, and bool, which is 0 or 1; NumPy's scalars are what they hold."""
    for kinds in (
        ["fraud", "fine"],
        [(1, 2), (3, 4)],
        [None, 1],
        [True, False],
        [np.int8(3), np.int64(5)],
        [b"a", b"b"],
    ):
        examples = [(number, number % 2) for number in range(8)]
        pipeline = ps.join([examples]).stratify(lambda example, kinds=kinds: kinds[example[1]], "uniform").batch(2)

        assert [sorted(odd.tolist()) for _, odd in pipeline] == [[0, 1]] * 4


@pytest.mark.parametrize("inline", [True, False])
def test_a_missing_key_names_those_that_there_are(inline: bool):
    """And where: the batch before it is delivered."""
    rows = [{"label": 0, "x": 1}, {"label": 1, "x": 1}, {"x": 2}, {"label": 1, "x": 1}]
    with (
        no_threads_left(),
        ps.join([lambda: iter(rows)]).stratify("label", "uniform").batch(2).open(inline=inline) as flow,
        pytest.raises(ps.SpecError) as caught,
    ):
        list(flow)

    assert flow.stats().delivered == 1
    assert str(caught.value) == (
        "expected a component `'label'`, which is the label, got components `x` - at stratify(by) - "
        "example 2 of source 0 ('<lambda>')"
    )


@pytest.mark.parametrize("by", [5, "label", (1, "x"), (0, 0)])
def test_a_component_that_is_not_there_is_the_same_error_for_rows_and_columns(by: Any):
    """Of an example that is no dict: what it is, and how long."""
    told = []
    for cut in ("rows", "columns"):
        with pytest.raises(ps.SpecError) as caught:
            run(source([0, 1, 0, 1], cut).stratify(by, "uniform").batch(2))
        told.append(str(caught.value).replace("arrays", "<lambda>"))

    assert (
        told
        == [
            f"expected a component `{by!r}`, which is the label, got `tuple` of 2 - at stratify(by) - "
            "example 0 of source 0 ('<lambda>')"
        ]
        * 2
    )


@pytest.mark.parametrize("inline", [True, False])
def test_what_the_function_of_the_label_raises_stays_the_users_own(inline: bool):
    """The same object, with a note that says where."""
    own = KeyError("mine")

    def label(example: tuple[int, int]) -> int:
        if example[0] == 5:
            raise own
        return example[1]

    with (
        no_threads_left(),
        BASE.stratify(label, [0.5, 0.5]).batch(2).open(inline=inline) as flow,
        pytest.raises(KeyError) as caught,
    ):
        list(flow)

    assert caught.value is own
    assert own.__notes__ == ["penstock: while reading the label of example 5 of source 0 ('<lambda>')"]
    assert flow.stats().delivered == 2


def test_a_stop_iteration_of_the_users_function_does_not_pass_for_the_end():
    """Raised again as it is, it would end the loop in silence."""
    pipeline = BASE.stratify(lambda example: next(iter(())), [0.5, 0.5]).batch(2)

    with pytest.raises(RuntimeError, match="got `StopIteration` while reading the label of example 0 of source 0"):
        run(pipeline)


@pytest.mark.parametrize("inline", [True, False])
def test_a_source_that_fails_is_heard_after_the_batches_before_it(inline: bool):
    """Also where a class is still waited for."""

    class Broken(Exception):
        pass

    def failing() -> Iterator[tuple[int, int]]:
        yield from enumerate([0, 1, 0, 1, 0, 0])
        raise Broken

    with (
        no_threads_left(),
        ps.join([failing]).stratify(1, [0.5, 0.5]).batch(2).open(inline=inline) as flow,
        pytest.raises(Broken),
    ):
        list(flow)

    assert flow.stats().delivered == 2
    assert flow.stats().strata[0].inputs == 6


def test_a_name_for_weights_that_is_taken_is_an_error():
    """A component of that name would be lost."""
    pipeline = ps.from_arrays({"label": np.arange(8) % 2, "w": np.zeros(8)}).stratify(
        "label", [0.5, 0.5], weights="target", weights_as="w"
    )

    with pytest.raises(ValueError, match=r"expected a new name for the weights, got `w`, a component's"):
        list(pipeline.batch(2))


# Streams: each ends, with what it held counted.


def quiet(pipeline: ps.Pipeline, *, inline: bool = True) -> Any:
    """Runs it, whatever it warns of."""
    with no_threads_left(), warnings.catch_warnings():
        warnings.simplefilter("ignore", PenstockWarning)
        return run(pipeline, inline=inline)


def conserved(out: Any) -> bool:
    """Whether each input is accounted for, class by class."""
    each = out.stats.each()
    whole = all(its.arrived == its.used + its.thinned + its.evicted + its.held for its in each)
    return whole and sum(its.arrived for its in each) + out.stats.ignored == out.stats.inputs


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize("missing", ["wait", "repeat"])
def test_a_stream_of_one_class_only_gives_nothing_where_two_are_asked_for(missing: str, inline: bool):
    """There is nothing of the other to repeat, either; the end is the end, and the report says why."""
    pipeline = source([0] * 500).stratify(1, [0.5, 0.5], patience=50, missing=missing).batch(4)
    out = quiet(pipeline, inline=inline)

    assert out.labels == []
    assert conserved(out)
    assert out.stats.inputs == 500
    assert [event.labels for event in out.stats.events] == [(1,)]
    assert "class 1 did not come at all" in report(out.flow, order="fixed")


@pytest.mark.parametrize("inline", [True, False])
def test_a_stream_of_one_class_only_is_named_or_goes_on_where_that_is_asked_for(inline: bool):
    """As an error after the patience; or all of it, where its share goes to those that come."""
    base = source([0] * 500)
    with pytest.raises(ps.SpecError, match=r"expected class `1` within 51 inputs, got none - at batch 0"):
        quiet(base.stratify(1, [0.5, 0.5], patience=50, missing="error").batch(4), inline=inline)

    out = quiet(base.stratify(1, [0.5, 0.5], patience=50, missing="redistribute").batch(4), inline=inline)

    assert len(out.labels) > 1
    assert all((labels == 0).all() for labels in out.labels)
    assert conserved(out)


@pytest.mark.parametrize("target", ["uniform", "natural", [1.0]])
def test_one_class_is_a_target_too_where_no_other_is_asked_for(target: Any):
    """All that come, in their order within batches."""
    out = run(source([0] * 50).stratify(1, target).batch(4))

    assert len(out.labels) == 12
    assert conserved(out)


@pytest.mark.parametrize("cut", ["rows", "columns", "chunks"])
def test_a_class_that_stops_ends_the_flow_with_the_stream(cut: str):
    """All batches that could be are there; what is left is counted."""
    labels = [0, 1] * 20 + [0] * 30
    out = quiet(source(labels, cut).stratify(1, [0.5, 0.5]).batch(4))

    assert (out.counts(2) == 2).all()
    assert len(out.labels) == 10
    assert conserved(out)


@pytest.mark.parametrize("cut", ["rows", "columns", "chunks"])
def test_a_class_that_first_appears_late_is_asked_for_from_the_beginning_where_it_is_known(cut: str):
    """No batch comes before it: proportions are exact in each."""
    out = quiet(source([0] * 300 + [0, 1] * 20, cut).stratify(1, [0.5, 0.5]).batch(4))

    assert (out.counts(2) == 2).all()
    assert len(out.labels) == 10
    assert conserved(out)


@pytest.mark.parametrize("cut", ["rows", "columns", "chunks"])
def test_a_class_that_first_appears_late_joins_where_classes_are_found_as_they_come(cut: str):
    """Uniform over those seen so far: from its arrival on, or soon after, it has its share."""
    out = quiet(source([0, 1] * 100 + [0, 1, 2] * 100, cut).stratify(1, "uniform").batch(6))
    counts = out.counts(3)
    late = next(place for place, given in enumerate(counts) if given[2])

    assert late >= 30
    assert (counts[:late] == [3, 3, 0]).all()
    assert (counts[late + 1 :] == 2).all()
    assert len(counts) > late + 20
    assert conserved(out)


@pytest.mark.parametrize("target", ["uniform", "natural", [0.5, 0.5], lambda k: [0.5, 0.5]])
@pytest.mark.parametrize("labels", [[], [0, 1, 0]])
@pytest.mark.parametrize("inline", [True, False])
def test_a_stream_that_is_empty_or_shorter_than_a_batch_just_ends(target: Any, labels: list[int], inline: bool):
    """Nothing came out, and nothing was lost count of."""
    out = quiet(source(labels).stratify(1, target).batch(8), inline=inline)

    assert out.labels == []
    assert out.stats.inputs == len(labels)
    assert conserved(out)


def test_of_a_short_stream_the_largest_smaller_batch_comes_where_it_is_asked_for():
    """Within the quota: 3 of each were wanted, and there are 3 and 1."""
    out = run(source([0, 1, 0, 0, 0]).stratify(1, [0.5, 0.5]).batch(6, keep_last=True))

    assert out.counts(2).tolist() == [[3, 1]]
    assert conserved(out)


def test_a_stream_of_nothing_but_unknown_classes_ends_counted():
    """As many as came were ignored."""
    out = quiet(source([5] * 50).stratify(1, [0.5, 0.5], unknown="ignore").batch(4))

    assert (out.labels, out.stats.inputs, out.stats.ignored) == ([], 50, 50)


@pytest.mark.parametrize("inline", [True, False])
def test_an_endless_stream_is_read_as_far_as_batches_are_asked_for(inline: bool):
    """And is closed in the middle, with no thread left behind."""

    def endless() -> Iterator[tuple[int, int]]:
        return zip(count(), cycle([0, 0, 1]), strict=False)

    opened = ps.join([endless]).stratify(1, [0.5, 0.5], repeats=2).batch(4)
    with no_threads_left(), opened.open(inline=inline) as flow:
        for _, (_, labels) in zip(range(50), flow, strict=False):
            assert labels.sum() == 2

    assert conserved_now(flow)


def conserved_now(flow: ps.Flow) -> bool:
    """Of a flow that was closed on the way."""
    stats = flow.stats().strata[0]
    return all(its.arrived == its.used + its.thinned + its.evicted + its.held for its in stats.each())


def test_a_flow_is_closed_while_its_first_batch_is_not_complete():
    """Nothing came yet but the first few; they are waiting, and counted."""
    with BASE.stratify(1, [0.5, 0.5]).batch(4).open(inline=True) as flow:
        next(flow)

    assert conserved_now(flow)
