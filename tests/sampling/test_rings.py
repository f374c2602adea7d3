"""Rings by law: nothing is lost, nothing is used too often or too soon, and native and twin agree to the bit."""

import gc
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock.sampling.kernels as kernels
import penstock.sampling.number_rings as number_rings
import penstock.sampling.rings as rings
from penstock.sampling.counts import COUNTERS
from penstock.sampling.splitmix import LARGEST, coin

native = pytest.importorskip("penstock.sampling._rings") if kernels.NATIVE else None
native_numbers = pytest.importorskip("penstock.sampling._number_rings") if kernels.NATIVE else None
BOTH = [rings.Rings] if native is None else [rings.Rings, native.Rings]
NUMBERS: dict[Any, Any] = {rings.Rings: number_rings.NumberRings}
"""The rings that keep numbers alone, beside those that keep examples."""
if native is not None:
    NUMBERS[native.Rings] = native_numbers.NumberRings
needs_native = pytest.mark.skipif(native is None, reason="the native part is not in use")
either = pytest.mark.parametrize("kind", BOTH, ids=["twin", "native"][: len(BOTH)])

MOST = 4  # classes of a random program
LABELS = [0, 1, 2, 3, 4, -1, "a", b"a", np.int64(1), np.int32(2), np.int16(2), True, None, 2**70, 1.0, (), "bad", []]
CLASSES = {0: 0, 1: 1, 2: 2, 3: 3, "a": 0, b"a": 1, 2**70: 2, "none": -1}


def unknown(label: Any) -> int:
    """Some have a class that is not there, some are ignored, some are refused."""
    if isinstance(label, list):
        raise TypeError("no labels are lists")
    if label == "bad":
        raise KeyError(label)
    answers: dict[Any, Any] = {None: -1, 1.0: 1, (): 99, 4: np.int64(3), -1: 2**80}
    return answers.get(label, 0)


def made(
    kind: Callable[..., Any], *, classes: int = 3, limit: int = 4, repeats: int = 2, seed: int = 5, rows: bool = True
) -> Any:
    """Rings whose examples are `(number, label)`; the labels are the classes."""
    one = (kind if rows else NUMBERS[kind])(repeats, seed)
    one.grow([limit] * classes)
    one.labels("index", 1, {}, lambda label: -1, identity=True)
    return one


def seen(one: Any) -> dict[str, Any]:
    """All that can be seen of rings."""
    keeps_rows = type(one) not in NUMBERS.values()
    arrays = {name: getattr(one, name).tolist() for name in (*COUNTERS, "fresh_held", "uses", "numbers")}
    return {
        **arrays,
        "dtypes": {getattr(one, name).dtype for name in arrays},
        **(
            {"rows": list(one.rows), "drawn": list(one.drawn), "capacity": one.capacity, "loaded": one.loaded}
            if keeps_rows
            else {}
        ),
        "misfit": one.misfit,
        "error": (type(one.error), str(one.error)),
        "length": len(one),
        "live": [one.live(of) for of in range(len(one.seen))],
        "state": one.state(),
        "waiting": (one.waiting.tolist(), one.waiting.dtype),
        **{name: getattr(one, name) for name in ("arrived", "ignored", "held", "until", "full", "halted")},
    }


def conserved(one: Any) -> bool:
    """G1: each arrival is delivered, thinned, evicted, ignored, or still waits; it stands in one place alone."""
    by_class = one.distinct + one.thinned + one.evicted_fresh + one.fresh_held
    return one.arrived == by_class.sum() + one.ignored and np.array_equal(one.seen, by_class)


def is_full(one: Any, repeats: int) -> bool:
    """Whether all that is asked for is at hand, counted anew."""
    state = one.state()
    at_hand: Counter[int] = Counter()
    for of, uses in zip(state["waiting"][0], state["waiting"][2], strict=True):
        at_hand[of] += repeats - uses
    return any(state["asked"][1]) and all(at_hand[of] >= count for of, count in zip(*state["asked"], strict=True))


# --- random programs -------------------------------------------------------------------------------------------------

counts = st.lists(st.integers(0, 4), min_size=MOST, max_size=MOST)
thresholds = st.lists(st.sampled_from([0, 2**62, 2**63, LARGEST - 1, LARGEST]), min_size=MOST, max_size=MOST)
limits = st.lists(st.integers(1, 5), min_size=1, max_size=MOST)
how = st.sampled_from(["index", "negative index", "list", "key", "call", "whole", "odd"])
plain = st.lists(st.integers(0, MOST - 1), min_size=10, max_size=40)
STEPS = st.one_of(
    st.tuples(st.just("grow"), limits),
    st.tuples(st.just("admit"), thresholds),
    st.tuples(st.just("until"), st.integers(0, 200)),
    st.tuples(st.just("add"), plain),
    st.tuples(st.just("add"), st.lists(st.sampled_from(LABELS), max_size=12)),
    st.tuples(st.just("pull"), plain, st.integers(1, 3), st.integers(0, 60)),
    st.tuples(st.just("classes"), st.lists(st.integers(-1, MOST - 1), min_size=10, max_size=40), st.integers(0, 3)),
    st.tuples(st.just("classes"), st.lists(st.integers(-1, MOST), max_size=9), st.integers(0, 3)),
    st.tuples(st.just("labels"), how, st.booleans()),
    st.tuples(st.just("compose"), st.lists(st.integers(-1, MOST), max_size=40), st.lists(counts, max_size=4)),
    st.tuples(st.just("composed")),
    st.tuples(st.just("unload")),
    st.tuples(st.just("restore")),
)
# What a stage does again and again: ask, add until it is full, draw; anything may come between.
ROUNDS = st.tuples(
    st.tuples(st.just("ask"), counts),
    STEPS,
    st.one_of(st.tuples(st.just("add"), plain), st.tuples(st.just("classes"), plain, st.just(0))),
    STEPS,
    st.tuples(st.just("draw"), st.integers(0, 2**64)),
)
PROGRAMS = st.tuples(
    st.integers(1, 4),
    st.integers(-5, 2**65),
    st.booleans(),
    st.lists(ROUNDS, min_size=1, max_size=10).map(lambda rounds: [step for each in rounds for step in each]),
)


def example_of(way: str, number: int, label: Any) -> Any:
    """An example from which its label is read in that way."""
    shapes = {"list": [number, label], "key": {"x": number, "y": label}, "whole": label}
    return shapes.get(way, (number, label))


def told(one: Any, way: str, identity: bool) -> None:
    """Tells rings how labels are read."""
    read = {
        "index": ("index", 1),
        "negative index": ("index", -1),
        "list": ("index", 1),
        "key": ("key", "y"),
        "call": ("call", lambda example: example[1]),
        "whole": ("whole", None),
        "odd": ("index", 2),  # beyond the end
    }
    one.labels(*read[way], dict(CLASSES), unknown, identity=identity)


class Machine:
    """Rings that go through a program; two of them must do the same."""

    def __init__(self, kind: Callable[..., Any], repeats: int, seed: int, keeps_rows: bool) -> None:
        self.make = lambda: (kind if keeps_rows else NUMBERS[kind])(repeats, seed)
        self.rings = self.make()
        self.repeats, self.keeps_rows = repeats, keeps_rows
        self.way: tuple[str, bool] = ("index", True)
        told(self.rings, *self.way)
        self.rings.grow([3] * (MOST - 1))
        self.number = 0

    def examples(self, drawn: list[Any]) -> list[Any]:
        self.number += len(drawn)
        return [example_of(self.way[0], self.number - len(drawn) + i, label) for i, label in enumerate(drawn)]

    def quota(self, counts: list[int]) -> tuple[list[int], list[int]]:
        """Counts of the classes that there are, as far as their rings can give them."""
        most = [limit * self.repeats for limit in self.rings.state()["limits"]]
        asked = [(number, min(pair)) for number, pair in enumerate(zip(counts, most, strict=False))]
        return [number for number, _ in asked], [count for _, count in asked]

    def step(self, name: str, *values: Any) -> Any:
        """Runs one step; gives what it gives or raises, and what is left unread."""
        one = self.rings
        classes = len(one.seen)
        try:
            if name == "grow":
                return one.grow([*values[0], *[2] * (classes - len(values[0]))])
            if name == "admit":
                return one.admit(values[0][:classes])
            if name == "ask":
                return one.ask(*self.quota(values[0]))
            if name == "compose" and not self.keeps_rows:
                quotas = [self.quota(each) for each in values[1]]
                quotas[:2] = [tuple(np.array(part, np.int64) for part in pair) for pair in quotas[:2]]
                return one.compose(values[0], 0, 2**64 - 2, quotas)
            if name == "until":
                one.until = values[0]
            if name == "add" or (name == "classes" and self.keeps_rows):
                return one.add(self.examples(values[0]), 0)
            if name == "pull":
                drawn, k, n = values
                iterators = [iter(self.examples(drawn[place::k])) for place in range(k)]
                one.pull(iterators, n % k, n)
                return [list(iterator) for iterator in iterators]
            if name == "classes":
                return one.add_classes(np.array(values[0], np.int64), min(values[1], len(values[0])))
            if name == "draw":
                slots = one.draw(values[0])
                return slots.tolist(), slots.dtype
            if name == "labels":
                self.way = values
                return told(one, *values)
            if name == "composed" and not self.keeps_rows:
                return [(array.tolist(), array.dtype) for array in one.composed()]
            if name == "unload" and self.keeps_rows:
                slots, rows = one.unload()
                return slots.tolist(), slots.dtype, rows
            if name == "restore":
                state = one.state()
                held = one.state(arrays=True)
                assert json.loads(json.dumps(held, default=lambda array: array.tolist())) == json.loads(
                    json.dumps(state)
                )
                if not self.keeps_rows:
                    one.composed()  # A state does not hold what was composed, so it is read before.
                rows = [one.rows[slot] for slot in one.slots] if self.keeps_rows else None
                self.rings = self.make()
                self.rings.restore(state, rows)
                told(self.rings, *self.way)
                assert self.rings.state() == state
        except (ValueError, KeyError) as error:
            return type(error), str(error)
        return None


@needs_native
@pytest.mark.slow
@settings(max_examples=300)
@given(PROGRAMS)
def test_native_and_twin_are_alike_after_every_step_of_any_program(program: tuple[Any, ...]):
    """The twin is the definition; all that can be seen is compared, with what has not been pulled."""
    *arguments, steps = program
    one, two = Machine(rings.Rings, *arguments), Machine(native.Rings, *arguments)

    for step in steps:
        assert two.step(*step) == one.step(*step)
        assert seen(two.rings) == seen(one.rings)


@either
@pytest.mark.slow
@settings(max_examples=100)
@given(PROGRAMS)
def test_g1_every_arrival_is_counted_once_after_every_step(kind: Any, program: tuple[Any, ...]):
    """Conservation is no matter of the end: it holds between any two calls."""
    *arguments, steps = program
    machine = Machine(kind, *arguments)

    for step in steps:
        machine.step(*step)
        one = machine.rings
        held = sum(one.live(of) for of in range(len(one.seen)))
        assert conserved(one)
        assert (one.given >= one.distinct).all()
        assert one.held == held
        assert one.full == is_full(one, arguments[0])
        if arguments[2]:
            assert held <= one.capacity
        if arguments[2] and ("unload",) not in steps:
            assert held == sum(row is not None for row in one.rows)  # `None` is no example of these programs


def programs_of_adds() -> st.SearchStrategy[Any]:
    """Labels, what each draw takes, and the sizes of the pieces in which the labels come."""
    return st.tuples(
        st.lists(st.integers(0, 3), min_size=1, max_size=150),
        st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=8),
        st.lists(st.integers(1, 9), min_size=1, max_size=6),
    )


@either
@pytest.mark.parametrize("via", ["add", "pull", "classes"])
@given(programs_of_adds())
def test_how_arrivals_are_cut_changes_nothing(kind: Any, via: str, program: Any):
    """Adding stops at the very arrival that completes a draw, so pieces of any size draw the same."""
    drawn, asked, pieces = program

    def outcome(sizes: Iterator[int], by: str) -> Any:
        one = made(kind, repeats=2, rows=by != "classes")
        one.admit([2**63, LARGEST, 2**62])
        one.labels("index", 1, {}, lambda label: -1, identity=True)
        examples = [(number, label) for number, label in enumerate(drawn)]
        draws, at = [], 0
        for number, counts in enumerate(asked):
            one.ask([0, 1, 2], counts)
            while not one.full and at < len(drawn):
                piece = examples[at : at + next(sizes)]
                before = len(one)
                if by == "add":
                    one.add(piece, 0)
                elif by == "pull":
                    one.pull([iter(piece)], 0, len(piece))
                else:
                    one.add_classes(np.array([label if label < 3 else -1 for _, label in piece]), 0)
                at += len(one) - before
            if not one.full:
                break
            one.draw(number)
            draws.append((one.uses.tolist(), one.numbers.tolist()))
        return draws, one.state()

    assert outcome(cycle(pieces), via) == outcome(cycle([len(drawn)]), "add")


@either
@given(st.lists(st.integers(0, 2), max_size=200), st.integers(1, 4), st.integers(1, 5), st.integers(1, 6))
def test_g4_no_example_is_used_too_often_or_twice_in_a_draw_that_could_do_without(
    kind: Any, drawn: list[int], repeats: int, limit: int, count: int
):
    """At most `repeats` uses, each with its number; and only a draw of more than are held gives one twice."""
    one = made(kind, repeats=repeats, limit=limit)
    count = min(count, limit * repeats)
    uses: Counter[int] = Counter()
    examples = iter(enumerate(drawn))
    for number in range(50):
        one.ask([0, 2], [count, count])
        one.pull([examples], 0, 1000)
        if not one.full:
            break
        live = {of: one.live(of) for of in (0, 2)}
        one.draw(number)
        for of in (0, 2):
            given = [example for example in one.drawn if example[1] == of]
            assert len(given) == count
            assert count > live[of] or len(set(given)) == count
        for example, use, place in sorted(zip(one.drawn, one.uses, one.numbers, strict=True), key=lambda each: each[1]):
            uses[place] += 1
            assert (example[0], use) == (place, uses[place])

    assert max(uses.values(), default=0) <= repeats


@either
@given(st.lists(st.one_of(st.integers(0, 1), st.just("draw")), max_size=200), st.integers(2, 5), st.integers(1, 6))
def test_g4_every_other_example_of_the_class_comes_between_two_uses(
    kind: Any, program: list[Any], repeats: int, limit: int
):
    """A use puts an example behind all others of its class that are held, live - 1 of them.

    Until its next use each of these is drawn, or evicted: so there are at least live - 1 draws between, less evictions.
    """
    one = made(kind, classes=2, repeats=repeats, limit=limit)
    draws, evicted = 0, 0  # of class 0, while draws take one each
    last: dict[int, tuple[int, int, int]] = {}
    for number, step in enumerate(program):
        if step == "draw":
            one.ask([0], [1])
            if not one.full:
                continue
            live = one.live(0)
            one.draw(number)
            place = int(one.numbers[0])
            if place in last:
                then, others, gone = last[place]
                assert draws - then - 1 >= others - (evicted - gone)
            last[place] = draws, live - 1, evicted
            draws += 1
        else:
            one.ask([0], [limit * repeats])  # Takes what comes, unless all that could be is at hand.
            one.add([(number, step)], 0)
            evicted = int(one.evicted_fresh[0] + one.evicted_used[0])


# --- what is admitted and evicted ------------------------------------------------------------------------------------


@either
def test_an_arrival_is_thinned_by_its_own_coin(kind: Any):
    """By its number among all arrivals, so other classes and other thresholds change nothing for it."""
    one = made(kind, classes=2, limit=1, seed=11, rows=False)
    one.ask([0, 1], [0, 1])  # Class 1 never comes, so nothing halts.
    one.admit([2**63, 0])
    kept = []
    for number in range(300):
        one.add_classes(np.array([0 if number % 3 else -1]), 0)
        kept += [number] * (number in one.waiting)

    assert kept == [1] + [number for number in range(2, 300) if number % 3 and coin(11, number) <= 2**63]
    assert one.ignored == 100


@either
def test_what_the_next_draw_needs_is_not_thinned(kind: Any):
    """Thinning saves work; it never makes a batch wait."""
    one = made(kind, classes=2, repeats=2, limit=8)
    one.admit([0, LARGEST])
    one.ask([0, 1], [16, 1])
    one.add([(number, 0) for number in range(50)], 0)

    assert (one.live(0), one.thinned.tolist()) == (8, [42, 0])


@either
def test_only_a_ring_that_is_nearly_full_thins(kind: Any):
    """So that rings are full when a drought begins, or when shares change; a sixteenth may be wanting."""
    one = made(kind, classes=2, repeats=1, limit=16)
    one.admit([0, LARGEST])
    one.ask([0, 1], [1, 1])
    one.add([(number, 0) for number in range(50)], 0)

    assert (one.live(0), one.thinned.tolist(), one.evicted_fresh.tolist()) == (15, [35, 0], [0, 0])


@either
def test_a_full_ring_gives_up_what_is_of_least_use(kind: Any):
    """The least recently used first; where all are fresh, the oldest."""
    one = made(kind, classes=2, limit=3, repeats=2)
    one.ask([0], [3])
    one.add([(0, 0), (1, 0)], 0)
    one.draw(0)  # The first of them twice.
    one.ask([0, 1], [1, 1])
    one.add([(number, 0) for number in range(2, 10)], 0)

    assert (one.evicted_used.tolist(), one.evicted_fresh.tolist()) == ([1, 0], [5, 0])
    assert sorted(row for row in one.rows if row) == [(7, 0), (8, 0), (9, 0)]


@either
def test_where_all_were_used_alike_the_one_that_was_used_once_more_makes_room(kind: Any):
    """After a drought the last used has fewer uses left than the first; to drop the first would cost one use more."""
    one = made(kind, classes=1, limit=4, repeats=3)
    one.add([(number, 0) for number in range(4)], 0)
    one.ask([0], [6])
    one.draw(0)  # All of them once, and the first two of them twice.
    one.ask([0], [12])
    one.add([(4, 0), (5, 0), (6, 0)], 0)

    assert one.evicted_used.tolist() == [3]
    assert sorted(row for row in one.rows if row) == [(3, 0), (4, 0), (5, 0), (6, 0)]
    assert one.at_hand([0]).tolist() == [2 + 3 * 3]


@either
def test_what_is_unloaded_is_no_longer_kept_here(kind: Any):
    """All that waits at first, then what was admitted since and still waits; draws tell of slots alone."""
    one = made(kind, classes=2, limit=2, repeats=2)
    one.ask([0, 1], [2, 1])
    one.add([(0, 0), (1, 0), (2, 0)], 0)
    slots, rows = one.unload()
    one.add([(3, 0), (4, 1)], 0)
    later, more = one.unload()
    drawn = one.draw(0).tolist()

    assert (rows, more) == ([(2, 0), (1, 0)], [(3, 0), (4, 1)])  # By slot, then by arrival.
    assert one.drawn == []
    assert not any(one.rows)
    assert sorted(one.numbers.tolist()) == [2, 3, 4]
    assert set(drawn) <= {*slots.tolist(), *later.tolist()}
    assert one.unload()[1] == []


@either
def test_a_ring_that_is_made_smaller_gives_up_the_rest_at_the_next_arrival(kind: Any):
    """And what is then no longer at hand has to come again, before a draw is full."""
    one = made(kind, classes=1, limit=6, repeats=1)
    one.ask([0], [6])
    one.add([(number, 0) for number in range(6)], 0)
    one.ask([0], [5])
    one.grow([2, 9])
    before = one.live(0), one.full
    one.ask([0, 1], [5, 1])
    one.add([(6, 0), (7, 1)], 0)

    assert before == (6, True)
    assert (one.live(0), one.evicted_fresh.tolist(), one.full) == (2, [5, 0], False)


@either
def test_what_arrives_by_its_class_is_known_by_its_number(kind: Any):
    """Whoever keeps the examples finds them by it; those of no class are counted too."""
    one = made(kind, classes=2, limit=1, rows=False)
    one.ask([1], [1])
    oldest = [one.oldest]
    taken = one.add_classes(np.array([9, 0, -1, 0, 0]), 1)
    oldest.append(one.oldest)
    waiting = one.waiting.tolist()
    one.add_classes(np.array([-1, 0]), 0)

    assert (taken, waiting, oldest) == (4, [3], [0, 3])
    assert one.waiting.tolist() == [5]


@either
@given(st.lists(st.integers(0, 2), max_size=60), st.integers(1, 3), st.integers(1, 5))
def test_the_oldest_is_the_least_number_of_those_that_wait(kind: Any, drawn: list[int], repeats: int, count: int):
    """Also among those that were used, which stand in the order of their use."""
    one = made(kind, repeats=repeats, rows=False)
    one.ask([0], [min(count, 4 * repeats)])
    at = number = 0
    while at < len(drawn):
        at += one.add_classes(np.array(drawn), at)
        if one.full:
            one.draw(number)
            number += 1

        assert one.oldest == min(one.waiting.tolist(), default=one.arrived)


@either
def test_a_slot_that_is_free_is_given_again_the_last_first(kind: Any):
    """What was touched last is still in the cache."""
    one = made(kind, classes=1, repeats=1)
    one.ask([0], [3])
    one.add([(number, 0) for number in range(3)], 0)
    one.draw(0)  # Frees 0, 1 and 2, as they were taken.
    one.ask([0], [4])
    one.add([(number, 0) for number in range(3, 7)], 0)

    assert [row[0] for row in one.rows[:4]] == [5, 4, 3, 6]


@either
@pytest.mark.parametrize("rows", [True, False], ids=["rows", "numbers"])
def test_a_ring_that_was_made_smaller_may_lack_what_the_larger_one_had(kind: Any, rows: bool):
    """The first that is admitted puts 7 of 9 out; more are needed then than are left, so none that follows is thinned."""
    one = made(kind, classes=2, limit=10, repeats=1, rows=rows)
    one.admit([2**63, LARGEST])
    one.ask([0, 1], [6, 1])
    for size in (10, 3):
        one.grow([size, 10])
        if rows:
            one.add([(number, 0) for number in range(9)], 0)
        else:
            one.add_classes(np.zeros(9, np.int64), 0)
    first = next(number for number in range(9) if coin(5, 9 + number) <= 2**63)

    assert 0 < first < 8, "some are thinned before it, and some come after it"
    assert (one.thinned[0], one.evicted_fresh[0], one.live(0)) == (first, 7 + 8 - first, 3)


@either
def test_nothing_is_pulled_beyond_what_is_needed(kind: Any):
    """A source may be slow, and an example that was pulled early would be lost to a stop."""
    one = made(kind, classes=2)
    one.ask([1], [4])
    first, second = iter([(number, 0) for number in range(9)]), iter([(number, 1) for number in range(9)])
    one.pull([first, second], 1, 100)
    after_full = next(first), next(second), one.halted, len(one)
    one.pull([first, second], 1, 100)
    one.ask([1], [8])
    one.until = 5
    one.pull([first, second], 0, 100)

    assert after_full == ((1, 0), (2, 1), True, 3)
    assert (next(first), next(second), one.halted, one.full, len(one)) == ((3, 0), (4, 1), True, False, 5)


@either
def test_the_error_of_an_iterator_comes_after_what_it_gave(kind: Any):
    """As for a sink: what was pulled is added, then the error is raised; a mere end says nothing."""

    def failing() -> Iterator[Any]:
        yield 0, 1
        raise OSError("gone")

    one = made(kind, classes=2)
    one.ask([0], [4])
    with pytest.raises(OSError, match="gone"):
        one.pull([failing(), iter([(1, 1), (2, 1)])], 0, 9)
    raised = len(one), one.misfit
    one.pull([iter([(0, 1)])], 0, 9)

    assert (raised, len(one), one.misfit, one.halted) == ((2, None), 3, None, False)


@either
@pytest.mark.parametrize(
    ("bad", "error"),
    [((3,), IndexError), (5, TypeError), ((3, "x"), LookupError), ((3, 17), ValueError), ((3, []), LookupError)],
)
def test_a_label_that_is_refused_is_a_misfit_with_its_error(kind: Any, bad: Any, error: type[Exception]):
    """It is no arrival, and nothing after it is looked at; the next call goes on after it."""

    def refuse(label: Any) -> int:
        if label == 17:
            return 17
        raise LookupError(label)

    one = made(kind, classes=2)
    one.labels("index", 1, {0: 0, 1: 1}, refuse)
    one.ask([1], [1])
    examples = [(1, 0), bad, (2, 0)]
    taken = one.add(examples, 0)
    found = one.misfit, one.halted
    again = one.add(examples, taken + 1)
    rest = iter(examples)
    one.pull([rest], 0, 9)

    assert (taken, found, again) == (1, ((bad,), True), 1)
    assert isinstance(one.error, error)
    assert (one.misfit, list(rest), len(one)) == ((bad,), [(2, 0)], 3)


@either
def test_an_unknown_label_may_make_room_for_its_class(kind: Any):
    """An open set of classes: the function grows the rings from within."""
    one = kind(1, 0)
    classes: dict[Any, int] = {}

    def new(label: Any) -> int:
        classes[label] = len(classes)
        one.grow([2] * len(classes))
        return classes[label]

    one.labels("whole", None, classes, new)
    one.grow([2])
    classes["z"] = 0
    one.ask([0], [1])
    one.add([f"c{number % 40}" for number in range(80)], 0)

    assert one.seen.tolist() == [0] + [2] * 40
    assert conserved(one)


@either
def test_the_order_within_a_draw_depends_on_seed_and_number_alone(kind: Any):
    """The same examples in another order, for another number or another seed."""

    def order(seed: int, number: int) -> list[int]:
        one = made(kind, classes=2, limit=100, seed=seed)
        one.ask([0, 1], [20, 20])
        one.add([(place, place % 2) for place in range(40)], 0)
        assert one.full
        return [example[0] for example in (one.draw(number), one.drawn)[1]]

    assert len({tuple(order(seed, number)) for seed in (0, 1) for number in (0, 1)}) == 4
    assert order(3, 4) == order(3, 4)


@either
def test_coins_are_fair(kind: Any):
    """A threshold of a quarter: of 4,000 arrivals 1,000 are admitted, and five sigma are 5 * sqrt(750) = 137."""
    one = made(kind, classes=2, limit=1)
    one.ask([1], [1])
    one.admit([2**62, LARGEST])
    one.add([(number, 0) for number in range(4000)], 0)

    assert abs(4000 - one.thinned[0] - 1000) < 137


def references(values: list[Any]) -> list[int]:
    """How many references there are to each value."""
    return list(map(sys.getrefcount, values))


@either
def test_no_reference_is_kept_to_what_does_not_wait(kind: Any):
    """A ring holds its own size in memory, whatever went through it; native code counts references by hand."""
    one = made(kind, classes=2, limit=3, repeats=1)
    one.admit([2**63, LARGEST])
    payloads = [[number] for number in range(200)]
    before = references(payloads)
    one.ask([0, 1], [2, 1])
    one.pull([((payload, 0) for payload in payloads)], 0, 150)
    one.add([(payload, 0) for payload in payloads], 100)
    waiting = [row[0][0] for row in one.rows if row is not None]
    while_waiting = [number for number, count in enumerate(references(payloads)) if count > before[number]]
    one.ask([0], [2])
    one.draw(0)
    while_drawn = sum(references(payloads)) - sum(before)
    one.ask([], [])
    one.draw(1)
    afterwards = sum(references(payloads)) - sum(before)
    del one
    gc.collect()

    assert (len(waiting), while_waiting) == (3, sorted(waiting))
    assert (while_drawn, afterwards) == (3, 1)
    assert references(payloads) == before


@either
def test_a_state_of_other_rings_is_refused(kind: Any):
    """What does not fit would later be read where nothing is."""
    one = made(kind, repeats=2, limit=3)
    one.ask([1], [1])
    one.add([(0, 0), (1, 0)], 0)
    state, rows = one.state(), [(0, 0), (1, 0)]

    def refused(rows: Any = rows, repeats: int = 2, keeps_rows: bool = True, **changed: Any) -> str:
        with pytest.raises(ValueError, match=r"rings\.restore") as error:
            (kind if keeps_rows else NUMBERS[kind])(repeats, 0).restore({**state, **changed}, rows)
        return str(error.value)

    assert refused(rows=None) == "expected 2 rows, got none - at rings.restore"
    assert refused(keeps_rows=False) == "expected no rows, got 2 - at rings.restore"
    assert refused(None, keeps_rows=False, waiting=[[0, 7], [0, 1], [0, 0]]).startswith("expected classes below 3")
    assert refused(None, keeps_rows=False, waiting=[[0, 0], [0, 1], [0, 2]]).startswith("expected fewer than 2 uses")
    assert refused(waiting=[[0, 7], [0, 1], [0, 0]]) == "expected classes below 3, got others - at rings.restore"
    assert refused(waiting=[[0, 0], [0, 1], [0, 2]]).startswith("expected fewer than 2 uses")


@either
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda one: one.grow([1]), "the sizes of 3 rings or more"),
        (lambda one: one.grow([1, 0, 1]), "sizes of 1 to 2147483647, got 0 to 1"),
        (lambda one: one.admit([0]), "thresholds of 3 classes, got 1"),
        (lambda one: one.ask([0, 0], [1, 1]), "got 1 of class 0"),
        (lambda one: one.ask([3], [1]), "got 1 of class 3"),
        (lambda one: one.ask([-1], [1]), "got 1 of class -1"),
        (lambda one: one.ask([0], [-1]), "got -1 of class 0"),
        (lambda one: one.ask([0], [9]), "no more of each than its ring can give, got 9 of class 0"),
        (lambda one: one.ask([0], [1, 2]), "counts of 1 classes, got 2"),
        (lambda one: one.ask([[0]], [[1]]), "an array of shape"),
        (lambda one: one.labels("name", 1, {}, len), "`index`, `key`, `call` or `whole`, got `name`"),
        (lambda one: one.add_classes(np.zeros(1, np.int64), 0), "expected the examples, got their classes"),
        (lambda one: type(one)(0, 0), "`repeats` of 1 to 2147483647, got 0"),
        (lambda one: type(one)(1, 0).add([], 0), "to know how labels are read"),
    ],
)
def test_what_cannot_be_is_refused(kind: Any, wrong: Callable[[Any], Any], said: str):
    """Before anything changes; after a quota that is refused, nothing is asked for."""
    one = made(kind, limit=4, repeats=2)
    one.ask([1], [8])
    with pytest.raises(ValueError, match=re.escape(said)):
        wrong(one)

    assert one.state()["asked"] in ([[1], [8]], [[], []])
    assert not one.full


@either
def test_a_draw_of_what_is_not_at_hand_is_refused(kind: Any):
    """And takes nothing."""
    one = made(kind)
    one.ask([0, 1, 2], [1, 1, 1])
    one.add([(0, 0)], 0)
    with pytest.raises(ValueError, match="at hand, got 2 classes short"):
        one.draw(0)
    with pytest.raises(IndexError):
        one.live(3)

    assert (one.held, one.given.tolist()) == (1, [0, 0, 0])
    one.ask([0], [1])
    assert one.draw(0).tolist() == [0]


@either
@given(programs_of_adds(), st.integers(0, 150))
def test_composing_is_adding_drawing_and_asking(kind: Any, program: Any, until: int):
    """What lies ready as class numbers is gone through at once, however many draws there are in it."""
    drawn, asked, pieces = program
    classes = np.array([label if label < 3 else -1 for label in drawn])

    def outcome(sizes: Iterator[int]) -> Any:
        one = made(kind, repeats=2, rows=False)
        one.admit([2**63, LARGEST, 2**62])
        one.until = until
        one.ask([0, 1, 2], asked[0])
        left, at, number, taken = asked[1:], 0, 0, []
        while at < len(classes) and number < len(asked) and not one.arrived >= until:
            size = next(sizes)
            added, draws = one.compose(classes[at : at + size], 0, number, [([0, 1, 2], each) for each in left])
            at, number, left = at + added, number + draws, left[draws:]
            taken.append([array.tolist() for array in one.composed()])
        return number, [[x for part in each for x in part] for each in zip(*taken, strict=True)], one.state()

    def one_by_one() -> Any:
        one = made(kind, repeats=2, rows=False)
        one.admit([2**63, LARGEST, 2**62])
        one.until = until
        at, number, taken = 0, 0, []
        one.ask([0, 1, 2], asked[0])
        while number < len(asked):
            at += one.add_classes(classes, at)
            if not one.full:
                break
            taken.append([array.tolist() for array in (one.draw(number), one.uses)])
            number += 1
            one.ask([0, 1, 2], asked[number] if number < len(asked) else [0, 0, 0])
        state = one.state()
        return number, [[x for part in each for x in part] for each in zip(*taken, strict=True)], state

    whole, cut, apart = outcome(cycle([len(drawn)])), outcome(cycle(pieces)), one_by_one()
    for each in (whole, cut, apart):  # Nothing is asked, or nothing of any class.
        each[2]["asked"] = [[of, count] for of, count in zip(*each[2]["asked"], strict=True) if count]
        del each[2]["asked_at"]  # Nothing was asked for at another time.

    assert cut[2] == whole[2] == apart[2]
    assert (cut[0], whole[0]) == (apart[0], apart[0])
    assert [each or [[], []] for each in (cut[1], whole[1])] == [apart[1] or [[], []]] * 2


@either
def test_many_classes_are_cheap(kind: Any):
    """A class is a few numbers, whatever else there is: nothing here goes over all classes but `grow` and `admit`."""
    one = made(kind, classes=100_000, limit=2, repeats=1, rows=False)
    one.ask(np.arange(0, 100_000, 500), np.full(200, 1))
    one.add_classes(np.arange(99_999, -1, -1), 0)

    numbers = one.draw(0)

    assert sorted(99_999 - numbers) == list(range(0, 100_000, 500))
    assert (len(numbers), one.held) == (200, 99_800)
    assert conserved(one)
