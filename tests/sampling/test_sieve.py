"""The sieve: who is kept depends on number, class and chance alone; native and twin agree to the bit."""

from itertools import cycle, islice
from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock.sampling.kernels as kernels
import penstock.sampling.sieve as sieve
from penstock.sampling.splitmix import coin

native = pytest.importorskip("penstock.sampling._sieve") if kernels.NATIVE else None
BOTH = [sieve.Sieve] if native is None else [sieve.Sieve, native.Sieve]
either = pytest.mark.parametrize("kind", BOTH, ids=["twin", "native"][: len(BOTH)])

LABELS = st.sampled_from([0, 1, 2, "new", None, "bad"])
PROGRAMS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(LABELS, max_size=12)),
        st.tuples(st.just("pull"), st.lists(LABELS, min_size=1, max_size=12)),
        st.tuples(st.just("classes"), st.lists(st.integers(-1, 2), max_size=12)),
        st.tuples(st.just("want"), st.integers(0, 9)),
        st.tuples(st.just("until"), st.integers(0, 40)),
        st.tuples(st.just("admit"), st.lists(st.floats(0, 1), min_size=8, max_size=8)),
        st.tuples(st.just("kept"), st.none()),
    ),
    max_size=25,
)


def made(kind: Any, *, classes: int = 3, wanted: int = 1 << 40, seed: int = 7) -> Any:
    """A sieve of examples `(number, label)` whose labels are the classes."""
    one = kind(seed)
    one.grow(classes)
    one.labels("index", 1, {}, lambda label: -1, identity=True)
    one.wanted = wanted
    return one


def ran(kind: Any, program: Any) -> list[Any]:
    """All that can be seen of a sieve, after each step of a program."""
    one = kind(3)
    one.grow(3)
    known = {0: 0, 1: 1, 2: 2}

    def unknown(label: Any) -> int:
        if label == "bad":
            raise KeyError(label)
        if label == "new" and len(known) < 8:
            known[label] = len(known)
            one.grow(len(known))
        return known.get(label, -1)

    one.labels("index", 1, known, unknown)
    trace: list[Any] = []
    for step, argument in program:
        answer: Any = None
        rows = list(enumerate(argument)) if step in ("add", "pull") else []
        if step == "add":
            answer = one.add(rows, len(rows) // 3)
        elif step == "pull":
            one.pull([iter(rows), iter(rows[1:])], len(rows) % 2, len(rows))
        elif step == "classes":
            answer = one.add_classes(np.array(argument, np.int64), len(argument) // 2)
        elif step == "want":
            one.wanted = argument
        elif step == "until":
            one.until = argument
        elif step == "admit":
            one.admit(np.array(argument[: len(known)]))
        else:
            kept = one.kept()
            answer = (kept[0], *[(array.tolist(), array.dtype) for array in kept[1:]])
        state = (one.arrived, one.ignored, len(one), one.halted, one.misfit, repr(one.error))
        trace.append((answer, state, one.seen.tolist(), one.given.tolist()))
    return trace


@pytest.mark.skipif(native is None, reason="the native part is not in use")
@given(PROGRAMS)
def test_native_and_twin_are_alike_after_every_step_of_any_program(program: Any):
    """The twin is the definition."""
    assert ran(sieve.Sieve, program) == ran(native.Sieve, program)


@either
@pytest.mark.parametrize("via", ["add", "pull", "classes"])
@given(cuts=st.lists(st.integers(1, 60), min_size=1, max_size=20), chance=st.floats(0, 1))
def test_how_arrivals_are_cut_changes_nothing(kind: Any, via: str, cuts: list[int], chance: float):
    """A coin goes by the number of the arrival."""
    labels = [number % 3 for number in range(100)]
    rows = list(enumerate(labels))
    want = [n for n in range(100) if coin(7, n) >> 11 < np.ceil([chance, 1.0, 0.0][n % 3] * 2.0**53)]
    one, got, at, sizes = made(kind), [], 0, cycle(cuts)
    one.admit(np.array([chance, 1.0, 0.0]))

    while at < 100:
        part = slice(at, at + next(sizes))
        if via == "add":
            one.add(rows[part], 0)
        elif via == "classes":
            one.add_classes(np.array(labels[part]), 0)
        else:
            one.pull([iter(rows[part])], 0, 1000)
        kept, places, classes = one.kept()
        assert kept == ([] if via == "classes" else [rows[at + place] for place in places.tolist()])
        assert classes.tolist() == [labels[at + place] for place in places.tolist()]
        got += (places + at).tolist()
        at += len(labels[part])

    assert got == want
    assert one.given.tolist() == [sum(labels[n] == of for n in want) for of in range(3)]


@either
def test_a_chance_of_one_keeps_all_and_of_zero_none(kind: Any):
    """Not almost all: coins lie in [0, 1), and below is below."""
    one = made(kind, classes=2)
    one.admit(np.array([1.0, 0.0]))

    one.add_classes(np.arange(20_000) % 2, 0)

    assert one.given.tolist() == [10_000, 0]


@either
def test_as_many_are_kept_as_the_chance_says(kind: Any):
    """Binomial(20 000, 0.3): 6 000, and five sigma are 5·√4200 = 324."""
    one = made(kind, classes=1)
    one.admit(np.array([0.3]))

    one.add_classes(np.zeros(20_000, np.int64), 0)

    assert abs(int(one.given[0]) - 6000) <= 5 * sqrt(20_000 * 0.3 * 0.7)


@either
def test_nothing_is_pulled_beyond_what_is_wanted(kind: Any):
    """What follows may keep its source busy for an hour."""
    one, pulled = made(kind, classes=2, wanted=3), []

    def source() -> Any:
        for number in range(100):
            pulled.append(number)
            yield number, number % 2

    one.admit(np.array([1.0, 0.0]))
    one.pull([source()], 0, 100)

    assert pulled == [0, 1, 2, 3, 4]
    assert one.halted
    assert one.kept()[0] == [(0, 0), (2, 0), (4, 0)]


@either
def test_what_a_source_raises_comes_after_what_it_gave(kind: Any):
    """It is the user's exception, and it is not swallowed."""
    one = made(kind)

    def source() -> Any:
        yield from islice(zip(range(9), cycle((0, 1, 2)), strict=False), 4)
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        one.pull([source()], 0, 10)

    assert one.arrived == 4
    assert len(one.kept()[0]) == 4


@either
def test_what_cannot_be_is_refused(kind: Any):
    """A mistake of the caller's, which would read beyond a table."""
    one = made(kind)

    with pytest.raises(ValueError, match=r"expected a class below 3, or -1, got 3 - at sieve\.add_classes"):
        one.add_classes(np.array([0, 3]), 0)
    with pytest.raises(ValueError, match=r"expected a chance for each of 3 classes, got 2 - at sieve\.admit"):
        one.admit(np.ones(2))
    for chance in (1.5, -0.5, np.nan):
        with pytest.raises(ValueError, match="expected chances of 0 to 1"):
            one.admit(np.array([0.5, chance, 0.5]))
    with pytest.raises(ValueError, match="call `labels`"):
        kind(0).add([1], 0)
