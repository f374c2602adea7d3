"""Of many classes several examples are pulled before the first of them is added; nobody can tell."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock.sampling.kernels as kernels
import penstock.sampling.number_rings as twin_numbers
import penstock.sampling.rings as twin
from penstock.sampling.counts import COUNTERS

native = pytest.importorskip("penstock.sampling._rings") if kernels.NATIVE else None
KINDS = [twin.Rings] if native is None else [twin.Rings, native.Rings]
NUMBERS = [twin_numbers.NumberRings, kernels.NumberRings]

CLASSES = 150
"""More than are read one by one."""
ODD = {"bad": TypeError, "stop": None}
"""A label that is refused, and one before which the source raises."""


def source(labels: list[Any]) -> Iterator[tuple[int, Any]]:
    for number, label in enumerate(labels):
        if label == "stop":
            raise OSError("the source is gone")
        yield number, label


def unknown(label: Any) -> int:
    if label == "bad":
        raise TypeError("no label is bad")
    return -1


def told(
    kind: Any, labels: list[Any], k: int, quotas: list[list[int]], until: int, limit: int, rows: bool
) -> list[Any]:
    """All that can be seen of rings that are fed from k sources until they are at their ends."""
    rings = kind(1, 3)
    rings.labels("index", 1, {}, unknown, identity=True)
    rings.grow([limit] * CLASSES)
    iterators = [source(labels[place::k]) for place in range(k)]
    seen: list[Any] = []
    for number, quota in enumerate(quotas):
        classes = sorted(set(quota))
        rings.ask(np.array(classes, np.int64), np.ones(len(classes), np.int64))
        rings.until = rings.arrived + until
        try:
            rings.pull(iterators, rings.arrived % k, len(labels))
        except OSError as error:
            seen.append(str(error))
        seen += [rings.arrived, rings.misfit, repr(rings.error), rings.full, rings.halted]
        seen += [list(rings.rows)] if rows else []
        seen += [getattr(rings, name).tolist() for name in COUNTERS]
        if rings.full:
            seen += [rings.draw(number).tolist(), rings.numbers.tolist()]
            seen += [list(rings.drawn)] if rows else []
    return [*seen, [list(iterator) for iterator in map(rest, iterators)]]


def rest(iterator: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from iterator
    except OSError:
        yield "gone"


labels = st.lists(
    st.integers(-1, CLASSES - 1) | st.integers(-1, CLASSES - 1).map(np.int64) | st.sampled_from(list(ODD)),
    max_size=120,
)


@pytest.mark.skipif(native is None, reason="the native part is not in use")
@given(
    labels,
    st.integers(1, 3),
    st.lists(st.lists(st.integers(0, CLASSES - 1), max_size=30), min_size=1, max_size=4),
    st.integers(0, 90),
    st.integers(1, 3),
    st.booleans(),
)
def test_native_and_twin_are_alike(
    labels: list[Any], k: int, quotas: list[list[int]], until: int, limit: int, rows: bool
):
    """Also in what they have not pulled: at a full ring, at `until`, at a refused label and at a source that raises."""
    one, two = (told(kind, labels, k, quotas, until, limit, rows) for kind in (KINDS if rows else NUMBERS))

    assert one == two


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__module__)
def test_no_more_is_pulled_than_completes_what_is_asked_for(kind: Any):
    """Forty classes lack an example each; the last of them comes as the fiftieth."""
    labels = [*range(39), *[3] * 10, 39, *range(100)]
    rings = kind(1, 3)
    rings.labels("index", 1, {}, unknown, identity=True)
    rings.grow([4] * CLASSES)
    rings.ask(np.arange(40), np.ones(40, np.int64))
    iterator = source(labels)

    rings.pull([iterator], 0, 1000)

    assert rings.full
    assert rings.arrived == 50
    assert next(iterator) == (50, 0)
