"""Components read in step."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import penstock as ps
from examples import Point, run


def opens(*items: Any) -> Callable[[], Iterator[Any]]:
    return lambda: iter(items)


HINT = "for a constant use `itertools.repeat(value)`, for numbers `itertools.count()`, beside one that ends"


@pytest.mark.parametrize(
    ("components", "examples"),
    [
        ((opens(1, 2), [3, 4]), [(1, 3), (2, 4)]),
        ((opens(1, 2),), [(1,), (2,)]),
        ({"b": opens(1, 2), "a": [3, 4]}, [{"b": 1, "a": 3}, {"b": 2, "a": 4}]),
        (Point(opens(1, 2), np.arange(2)), [Point(1, 0), Point(2, 1)]),
        ({"p": (opens(1, 2), {"q": [3, 4]})}, [{"p": (1, {"q": 3})}, {"p": (2, {"q": 4})}]),
        ((Point([1, 2], [3, 4]), [5, 6]), [(Point(1, 3), 5), (Point(2, 4), 6)]),
        ((ps.join([[1, 2]]).map(lambda x: x * 10), [3, 4]), [(10, 3), (20, 4)]),
        (((1, 2) for _ in range(2)), [(1, 2), (1, 2)]),
    ],
)
def test_an_example_has_the_structure_of_its_components(components: Any, examples: list[Any]):
    """A tuple, dict or namedtuple, nested as deep as one likes; each part is a source of its own."""
    assert list(ps.join([components])) == examples


def test_the_same_object_is_read_once_and_used_twice():
    """Wherever it stands in the example: TF1's graph evaluated it once in a step, too."""
    numbers = iter([1, 2, 3])

    examples = list(ps.join([{"x": numbers, "y": (numbers, [10, 20, 30]), "z": {"deep": numbers}}]))

    assert examples == [{"x": i, "y": (i, 10 * i), "z": {"deep": i}} for i in (1, 2, 3)]


def test_the_same_callable_in_one_example_is_opened_once():
    """Within one source it is one object, read once; in two sources of a join it is two streams."""
    opened = []

    def source() -> Iterator[int]:
        opened.append(1)
        return iter([1, 2])

    assert list(ps.join([(source, source)])) == [(1, 1), (2, 2)]
    assert len(opened) == 1


@pytest.mark.parametrize("endless", [itertools.repeat(7), itertools.cycle([7]), itertools.count(7, 0)])
def test_what_never_ends_ends_with_the_others(endless: Iterator[int]):
    """A constant beside a stream."""
    pipeline = ps.join([(opens(1, 2), endless)])

    assert list(pipeline) == [(1, 7), (2, 7)]


def test_all_endless_components_go_on():
    """Until somebody takes no more."""
    pipeline = ps.join([(itertools.count(), itertools.repeat("x"))])

    assert list(pipeline.take(2)) == [(0, "x"), (1, "x")]


@pytest.mark.parametrize(
    ("components", "short", "step", "delivered"),
    [
        ((opens(1, 2), opens(1)), "`[1]`", 1, [(1, 1)]),
        ((opens(1), opens(1, 2)), "`[0]`", 1, [(1, 1)]),
        ((opens(), opens(1), opens()), "`[0]`, `[2]`", 0, []),
        ({"a": opens(1, 2), "b": {"c": opens(1)}}, "`b.c`", 1, [{"a": 1, "b": {"c": 1}}]),
        ((opens(1, 2, 3), itertools.repeat(7, 2)), "`[1]`", 2, [(1, 7), (2, 7)]),
        ((opens(1, 2), [1]), "`[1]`", 1, [(1, 1)]),
    ],
)
def test_uneven_ends_are_an_error_after_the_examples_before(
    components: Any, short: str, step: int, delivered: list[Any]
):
    """What follows would not belong together; the message says which ended and what a constant is written as."""
    examples, error = run(ps.join([components]))

    assert examples == delivered
    assert isinstance(error, ps.SourceError)
    assert str(error).startswith(
        f"expected components that end together, got the end of {short} while others go on - at step {step} of `"
    )
    assert str(error).endswith(HINT)


@pytest.mark.parametrize(
    ("components", "message"),
    [
        (
            ([1, 2, 3], [1, 2]),
            f"expected as many examples as `[0]` has, 3, got 2 - at component `[1]` of source 0 - {HINT}",
        ),
        (
            ([1], {"a": opens(1), "b": range(2)}),
            f"expected as many examples as `[0]` has, 1, got 2 - at component `[1].b` of source 0 - {HINT}",
        ),
        ((np.arange(3), np.arange(2)), "expected as many rows as `[0]` has, 3, got 2 - at component `[1]`"),
    ],
)
def test_lengths_that_are_known_are_compared_as_the_pipeline_is_written(components: Any, message: str):
    """As early as it can be known."""
    with pytest.raises(ps.PipelineError) as caught:
        ps.join([components])

    assert str(caught.value) == message


def test_the_length_is_that_of_the_components_that_end():
    """Where all of them tell it."""
    assert len(ps.join([([1, 2, 3], range(3), itertools.repeat(0))])) == 3
    with pytest.raises(TypeError):
        len(ps.join([([1, 2, 3], opens(1, 2, 3))]))


def test_all_components_are_closed_when_the_pass_ends_early():
    """A generator's `finally` runs, wherever its example stands."""
    closed = []

    def source(name: str) -> Iterator[int]:
        try:
            yield from itertools.count()
        finally:
            closed.append(name)

    assert list(ps.join([(lambda: source("a"), lambda: source("b"))]).take(2)) == [(0, 0), (1, 1)]
    assert sorted(closed) == ["a", "b"]


def test_a_component_that_holds_one_keeps_its_own_structure():
    """As many leaves as the tuple has places do not make the tuple flat."""
    assert list(ps.join([(range(2), {"x": range(2)})])) == [(0, {"x": 0}), (1, {"x": 1})]
