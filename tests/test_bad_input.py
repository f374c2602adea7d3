"""Bad input: a clear error as early as it can be known, after the examples before the bad one."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import penstock as ps
from examples import run

A = np.array


def opens(*items: Any) -> Callable[[], Iterator[Any]]:
    return lambda: iter(items)


def failing(*items: Any, error: BaseException | None = None) -> Callable[[], Iterator[Any]]:
    """Opens a source that raises after these items."""

    def broken() -> Iterator[Any]:
        yield from items
        raise error if error is not None else OSError("gone")

    return broken


def numbers(batches: list[Any]) -> list[Any]:
    return [batch.tolist() if isinstance(batch, np.ndarray) else batch for batch in batches]


MODES = pytest.mark.parametrize("inline", [False, True], ids=["threads", "inline"])


# Known as the pipeline is written.


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ps.join([]), "expected at least one source, got none - at join(sources)"),
        (lambda: ps.batch_join([], 2), "expected at least one source, got none - at tensors_list"),
        (
            lambda: ps.batch(5, 2),
            "expected a source: an iterable, a callable that opens one, an array or a pipeline, got `int` - at tensors",
        ),
        (
            lambda: ps.batch_join([[1], object()], 2),
            "expected a source: an iterable, a callable that opens one, an array or a pipeline, got "
            "`object` - at source 1",
        ),
        (
            lambda: ps.batch_join([it := iter([1]), it], 2),
            "expected each one-shot iterator in one source only, got the same `list_iterator` in sources 0 and 1 - "
            "at join(sources) - pass a callable that opens it; the same callable twice is two streams",
        ),
        (
            lambda: ps.batch([1], 0),
            "expected `batch_size` to be an integer >= 1, got `0` - at batch(batch_size)",
        ),
        (lambda: ps.batch([1], 1, capacity=0), "expected `capacity` to be an integer >= 1, got `0` - at capacity"),
        (
            lambda: ps.join([[1]]).batch(1).options(capacity=2.5),
            "expected `capacity` to be an integer >= 1, got `2.5` - at options(capacity)",
        ),
        (
            lambda: ps.batch([1], 1, shapes=[None]),
            "expected fully given `shapes` without `dynamic_pad`, got `[None]` - at shapes[0] - "
            "with `dynamic_pad=True` dimensions that are `None` are padded",
        ),
    ],
)
def test_what_can_be_known_is_said_as_the_pipeline_is_written(make: Callable[[], Any], message: str):
    """Before anything runs; it is a `ValueError`."""
    with pytest.raises(ps.PipelineError) as caught:
        make()

    assert str(caught.value) == message
    assert isinstance(caught.value, ValueError)


# Known with an example.


@MODES
@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"x": np.zeros(2, np.float32)}, "expected `{x: *, y: *}`, got `{x}` - at example 0 of source 1 ('second')"),
        ((np.zeros(2, np.float32), 1), "expected `{x: *, y: *}`, got `tuple` - at example 0 of source 1 ('second')"),
        (
            {"x": np.zeros(2), "y": 1},
            "expected `x: float32[2]`, got `float64[2]` - at example 0 of source 1 ('second')",
        ),
        (
            {"x": np.zeros(2, np.float32), "y": 1.0},
            "expected `y: int64[]`, got `float64[]` - at example 0 of source 1 ('second')",
        ),
        (
            {"x": np.zeros((2, 1), np.float32), "y": 1},
            "expected `x: float32[2]`, got `float32[2, 1]` - at example 0 of source 1 ('second')",
        ),
        (
            {"x": np.zeros(3, np.float32), "y": 1},
            "expected `x: float32[2]`, got `float32[3]` - at example 0 of source 1 ('second') - "
            "pad it: `.pad(...)`, or `dynamic_pad=True`",
        ),
    ],
)
def test_sources_that_differ_are_named_with_the_first_example_that_does_not_fit(other: Any, message: str, inline: bool):
    """Structure, dtype, rank, a fixed dimension; nothing is delivered, as the first batch would hold both."""
    first = [{"x": np.zeros(2, np.float32), "y": 1}] * 3

    batches, error = run(ps.join({"first": first, "second": [other]}).batch(2), inline=inline)

    assert batches == []
    assert type(error) is ps.SpecError
    assert str(error) == message


@MODES
def test_a_difference_that_comes_late_comes_after_the_batches_before_it(inline: bool):
    """Four examples of each source fit; the fifth of the second does not."""
    good = [np.zeros(2)] * 6
    bad = [*good[:4], np.zeros(3), *good]

    batches, error = run(ps.join([good, opens(*bad)]).batch(4), inline=inline)
    kept, again = run(ps.join([good, opens(*bad)]).batch(4, keep_last=True), inline=inline)

    assert [len(batch) for batch in batches] == [4, 4]
    assert [len(batch) for batch in kept] == [4, 4, 1]  # The ninth example is before the bad one, too.
    assert str(error).startswith("expected `example: float64[2]`, got `float64[3]` - at example 4 of source 1 ('")
    assert str(error) == str(again)


@MODES
def test_an_error_that_is_met_while_looking_at_the_first_examples_keeps_its_turn(inline: bool):
    """The first batch waits for the first example of every source; what stands before the bad one is given all the same."""
    opened = []

    def last() -> Iterator[Any]:
        opened.append(True)
        yield "text"

    with ps.join([[1, 2], opens(10, 20), last]).batch(1).open(inline=inline) as flow:
        first = next(flow)
        waited = list(opened)
        second = next(flow)
        with pytest.raises(ps.SpecError) as caught:
            next(flow)

    assert waited == [True]
    assert [first.tolist(), second.tolist()] == [[1], [10]]
    assert str(caught.value) == "expected `example: int64[]`, got `str[]` - at example 0 of source 2 ('last')"


@MODES
def test_a_shape_that_changes_without_padding_is_named(inline: bool):
    """The advice is to pad."""
    batches, error = run(ps.batch([A([1, 2]), A([3, 4]), A([5])], 1), inline=inline)

    assert numbers(batches) == [[[1, 2]], [[3, 4]]]
    assert str(error) == (
        "expected `example: int64[2]`, got `int64[1]` - at example 2 of source 0 ('list') - "
        "pad it: `.pad(...)`, or `dynamic_pad=True`"
    )


@MODES
@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([3], "expected `example: int64[3]`, got `int64[2]` - at example 0 of source 0 ('list')"),
        (
            [[None, 2]],
            "expected `example` of 2 dimensions, as its shape `[None, 2]` says, got `int64[2]` - at "
            "example 0 of source 0 ('list')",
        ),
    ],
)
def test_padding_that_contradicts_shapes_is_named_at_the_first_example(shapes: Any, message: str, inline: bool):
    """What an example looks like is known only then."""
    batches, error = run(ps.batch([A([1, 2])], 1, shapes=shapes, dynamic_pad=True), inline=inline)

    assert batches == []
    assert type(error) is ps.SpecError
    assert str(error) == message


@MODES
@pytest.mark.parametrize(
    ("chunk", "message"),
    [
        (
            (A([5, 6]), A([5])),
            "expected as many rows as in `[0]`, 2, in each component of a chunk, got 1 rows - at "
            "component `[1]` of item 1 of source 1 ('read')",
        ),
        (
            (A([5, 6]), 5),
            "expected an array of rows in each component of a chunk, got a scalar `int64[]` - at "
            "component `[1]` of item 1 of source 1 ('read')",
        ),
    ],
)
def test_chunks_whose_components_differ_in_length_are_named(chunk: Any, message: str, inline: bool):
    """Nothing of that chunk gets in; everything before it does."""

    def read() -> Iterator[Any]:
        yield A([3, 4]), A([3, 4])
        yield chunk

    pipeline = ps.batch_join([opens((A([1, 2]), A([1, 2]))), read], 2, enqueue_many=True)

    batches, error = run(pipeline, inline=inline)

    assert [[part.tolist() for part in batch] for batch in batches] == [[[1, 2]] * 2, [[3, 4]] * 2]
    assert type(error) is ps.SpecError
    assert str(error) == message


@MODES
@pytest.mark.parametrize(
    ("example", "message"),
    [
        (
            None,
            "expected an array-like or scalar, got `NoneType` - at component `example` of example 1 "
            "of source 0 ('list')",
        ),
        ({1}, "expected an array-like or scalar, got `set` - at component `example` of example 1 of source 0 ('list')"),
        (
            2**63,
            "expected an `int` that fits int64, got 64 bits - at component `example` of example 1 of source 0 ('list')",
        ),
        ((), "expected `*`, got an empty `tuple`"),
    ],
)
def test_an_example_that_is_no_array_is_named(example: Any, message: str, inline: bool):
    """After those before it."""
    batches, error = run(ps.join([[1, example]]).batch(1), inline=inline)

    assert numbers(batches) == [[1]]
    assert type(error) is ps.SpecError
    assert str(error).startswith(message) or example == ()


# Errors of the user's own code.


@MODES
@pytest.mark.parametrize("at", [0, 1, 5, 6])
@pytest.mark.parametrize("keep_last", [False, True])
def test_a_generator_that_raises_is_heard_in_its_turn(at: int, keep_last: bool, inline: bool):
    """At its first, a middle or its last example: the same object, after all that comes before it in the merged order."""
    gone = OSError("gone")
    pipeline = ps.join([opens(*range(0, 60, 10)), failing(*range(1, 1 + at), error=gone)]).batch(4, keep_last=keep_last)

    batches, error = run(pipeline, inline=inline)

    merged = [x for pair in itertools.zip_longest(range(0, 60, 10), range(1, 1 + at)) for x in pair if x is not None]
    before = merged[: 2 * at + 1]
    whole = len(before) if keep_last else len(before) // 4 * 4
    assert [x for batch in batches for x in batch] == before[:whole]
    assert error is gone
    assert error.__notes__ == [f"penstock: while reading example {at} of source 1 ('broken')"]


@MODES
def test_the_first_error_in_the_merged_order_wins(inline: bool):
    """Not the one that happens first: the second source fails at once, but its turn comes later."""
    pipeline = ps.join([failing(1, error=KeyError("a")), failing(10, 20, error=ValueError("b"))])

    examples, error = run(pipeline, inline=inline)

    assert examples == [1, 10]
    assert isinstance(error, KeyError)


@MODES
@pytest.mark.parametrize("kind", [ValueError, StopAsyncIteration, AssertionError, UnicodeError])
def test_an_error_keeps_its_kind_and_its_traceback(kind: type[Exception], inline: bool):
    """It is never wrapped; the line that raised is in it."""

    def decode(x: int) -> int:
        if x == 3:
            raise kind("here")
        return x

    examples, error = run(ps.join([[1, 2, 3, 4]]).map(decode), inline=inline)

    assert examples == [1, 2]
    assert type(error) is kind
    names = []
    trace = error.__traceback__
    while trace is not None:
        names.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    assert names[-1] == "decode"
    assert error.__notes__ == ["penstock: while mapping example 2 of source 0 ('list')"]


@MODES
def test_errors_of_functions_say_which_example(inline: bool):
    """Before the join, after it, after the batcher; a filter's too, and that of its answer."""

    def bad(x: Any) -> Any:
        if np.any(np.asarray(x) == 11):
            raise RuntimeError("bad")
        return x

    sources = [[1, 2, 3], [10, 11, 12]]
    for pipeline, before, doing in [
        (ps.join([ps.join([source]).map(bad) for source in sources]), [1, 10, 2], "mapping example 1 of source 1"),
        (ps.join(sources).map(bad), [1, 10, 2], "mapping example 1 of source 1"),
        (ps.join(sources).filter(bad), [1, 10, 2], "filtering example 1 of source 1"),
        (ps.join(sources).batch(2).map(bad), [1, 10], "mapping example 1 of source 0"),
    ]:
        delivered, error = run(pipeline, inline=inline)

        assert [int(x) for thing in delivered for x in np.atleast_1d(thing)] == before
        assert isinstance(error, RuntimeError)
        assert error.__notes__ == [f"penstock: while {doing} ('list')"]


@MODES
def test_a_stop_iteration_of_the_users_code_does_not_end_the_run_in_silence(inline: bool):
    """From `next()` in a map function: half the data would be missing, and nobody would know."""

    def careless(x: int) -> int:
        return next(iter([])) if x == 2 else x

    examples, error = run(ps.join([[1, 2, 3]]).map(careless), inline=inline)

    assert examples == [1]
    assert type(error) is RuntimeError
    assert isinstance(error.__cause__, StopIteration)


@MODES
def test_an_error_comes_again_and_again(inline: bool):
    """Whoever goes on after it must not take the end for an end."""
    with ps.join([failing(1)]).open(inline=inline) as flow:
        assert next(flow) == 1
        with pytest.raises(OSError, match="gone") as first:
            next(flow)
        with pytest.raises(OSError, match="gone") as second:
            next(flow)

    assert first.value is second.value


@MODES
def test_a_source_that_cannot_be_opened_is_heard_in_its_turn(inline: bool):
    """The callable itself raises."""

    def missing() -> Iterator[int]:
        raise FileNotFoundError(2, "no such file", "part-3.bin")

    examples, error = run(ps.join([[1, 2], missing, [3]]), inline=inline)

    assert examples == [1]
    assert isinstance(error, FileNotFoundError)
    assert error.filename == "part-3.bin"


# No error at all.


@MODES
def test_a_source_that_ends_at_once_only_leaves_the_turn(inline: bool):
    """It is no mistake to have nothing."""
    assert run(ps.join([[], [1, 2], opens(), [3]]), inline=inline) == ([1, 3, 2], None)


@MODES
@pytest.mark.parametrize("keep_last", [False, True])
def test_all_sources_empty_is_no_batch_and_no_error(keep_last: bool, inline: bool):
    """The end of data is not an error."""
    assert run(ps.join([[], opens(), np.zeros((0, 3))]).batch(2, keep_last=keep_last), inline=inline) == ([], None)


# Files: as early as it can be known, by the same rules. Their own tests stand in tests/sources/.


@pytest.mark.parametrize("read", ["read_parquet", "read_arrow", "read_csv", "read_jsonl", "read_text"])
def test_a_file_that_does_not_exist_is_said_as_the_pipeline_is_written(read: str, tmp_path: Any):
    """Not an hour into the run."""
    if not hasattr(ps, read):
        pytest.skip(f"there is no `{read}` yet")
    if read != "read_text":
        pytest.importorskip("pyarrow")

    with pytest.raises((ps.SourceError, ps.PipelineError)) as caught:
        getattr(ps, read)(tmp_path / "missing.bin")

    assert "missing.bin" in str(caught.value)
