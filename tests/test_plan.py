"""The description itself: frozen nodes, each checked as it is written."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import penstock as ps
from penstock.plan import (
    Batch,
    Convert,
    Filter,
    Join,
    Map,
    Options,
    Pad,
    PadRule,
    Read,
    Repeat,
    Skip,
    Source,
    Take,
    Unbatch,
    find,
    padding,
    positive,
    takes_rng,
)
from penstock.sources import as_source


def read(thing: Any = (1, 2)) -> Read:
    return Read(as_source(list(thing)))


def chain() -> Batch:
    """A description with every kind of node that may stand before a batch."""
    return Batch(Pad(Repeat(Skip(Take(Filter(Map(Join((read(), read())), abs), bool), 3), 1), 2), ()), 2)


def test_nodes_are_frozen():
    """A description can be shared, and used twice."""
    node = Take(read(), 3)

    with pytest.raises(dataclasses.FrozenInstanceError):
        node.count = 4  # type: ignore[misc]


def test_a_number_is_kept_as_an_int():
    """Whatever kind of integer was given, so that a description prints and compares as it reads."""
    numbers = (
        Take(read(), np.int8(3)).count,
        Batch(read(), np.uint64(2)).size,
        Options(seed=np.int64(7), capacity=np.int16(9)).seed,
        Options(capacity=np.int16(9)).capacity,
    )

    assert numbers == (3, 2, 7, 9)
    assert {type(number) for number in numbers} == {int}


@pytest.mark.parametrize("value", [1, 5, np.int32(1), np.uint8(200)])
def test_a_positive_integer_passes(value: Any):
    """Any kind of integer."""
    assert positive(value, "n", at="here") == int(value)


@pytest.mark.parametrize("value", [0, -1, 1.0, "1", None, True, np.True_, 2.5, [1]])
def test_what_is_no_positive_integer_is_named(value: Any):
    """A bool is an int to Python, and a mistake here."""
    with pytest.raises(ps.PipelineError) as caught:
        positive(value, "n", at="here")

    assert str(caught.value) == f"expected `n` to be an integer >= 1, got `{value!r}` - at here"


def test_whether_batches_come_out_is_known_of_every_node():
    """By the last `batch` or `unbatch` before it; a join takes batches apart."""
    batch = chain()

    assert not batch.of.batched
    for node in (batch, Map(batch, abs), Take(batch, 1), Repeat(batch, None), Convert(batch, "numpy")):
        assert node.batched
    assert not Unbatch(batch).batched
    assert not Join((batch,)).batched


def test_all_nodes_of_a_kind_are_found():
    """Through joins, the nearest first."""
    batch = chain()

    assert find(batch, Batch) == [batch]
    assert [len(find(batch, kind)) for kind in (Read, Join, Map, Repeat, Convert)] == [2, 1, 1, 1, 0]
    assert [node.count for node in find(Take(Take(read(), 5), 3), Take)] == [3, 5]


def test_the_padding_that_waits_for_a_batch_is_found():
    """It does not reach through a join or a batch."""
    pad = Pad(read(), ())

    assert padding(Map(pad, abs)) is pad
    assert padding(Batch(pad, 2)) is None
    assert padding(Unbatch(Batch(pad, 2))) is None
    assert padding(read()) is None


@pytest.mark.parametrize(
    ("fn", "how"),
    [
        (lambda x: x, None),
        (lambda x, y=1: x, None),
        (lambda *x: x, None),
        (lambda x, *y: x, None),
        (lambda x, **y: x, None),
        (lambda: 1, None),
        (abs, None),
        (int, None),
        (print, None),
        (np.negative, None),
        (lambda x, rng: x, "second"),
        (lambda x, y: x, "second"),
        (lambda x, rng=None: x, "second"),
        (lambda x, y, z=1: x, "second"),
        (lambda x, *, rng: x, "named"),
        (lambda x, y=1, *, rng=None: x, "named"),
        (lambda x, y=1, rng=None: x, "named"),
        (lambda *x, rng: x, "named"),
    ],
)
def test_a_function_tells_by_its_arguments_whether_it_draws(fn: Callable[..., Any], how: str | None):
    """`rng` by its name, or a second argument that has no default."""
    assert takes_rng(fn) == how


def test_options_are_changed_one_by_one():
    """What is not named stays."""
    options = Options(seed=3, name="a").with_({"name": "b", "capacity": 7})

    assert (options.seed, options.name, options.capacity) == (3, "b", 7)


@pytest.mark.parametrize(
    ("rules", "in_order", "paths", "resolved"),
    [
        (((None, PadRule()),), False, [("a",), ("b",)], {("a",): PadRule(), ("b",): PadRule()}),
        (((("a",), PadRule(multiple=2)),), False, [("a",), ("b",)], {("a",): PadRule(multiple=2)}),
        (
            ((None, PadRule()), (("b",), PadRule(value=1))),
            False,
            [("a",), ("b",)],
            {("a",): PadRule(), ("b",): PadRule(value=1)},
        ),
        (
            (((0,), PadRule(multiple=2)), ((1,), PadRule())),
            True,
            [("x",), ("y",)],
            {("x",): PadRule(multiple=2), ("y",): PadRule()},
        ),
    ],
)
def test_rules_of_padding_find_their_components(rules: Any, in_order: bool, paths: list, resolved: dict):
    """By path, by the rule for all others, or one by one in TF1's order."""
    assert Pad(read(), rules, in_order=in_order).resolved(paths) == resolved


def test_a_source_is_told_by_what_it_has():
    """The protocol that sources of a user's own would follow."""

    class Own:
        label = "own"
        waits = None
        blocks = False
        once = None

        def open(self, epoch: int) -> Iterator[Any]:
            return iter([epoch])

        def length(self) -> int | None:
            return 1

    assert isinstance(Own(), Source)
    assert not isinstance([1], Source)
    assert isinstance(as_source([1]), Source)
