"""What `stratify` guarantees, G1 to G12, each under its name; bounds are derived where they stand.

b is the size of a batch, q the target, p the arriving shares, K the number of classes, and r how often an example may be
used. The streams are those of `labelled`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import count
from math import log, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock as ps
from labelled import CUTS, KINDS, Run, check_counts, counting, exactly, long_tailed, run, source, stream
from penstock.assemble import NATIVE
from penstock.errors import PenstockWarning
from penstock.sampling import Classes, Schedule, Shares, Target, Temperature, offline_optimum
from penstock.stages import Stage
from penstock.stages.labelled import By
from penstock.stages.stratify import Stratify, Wishes
from penstock.testing import check_stage, no_threads_left, same

NEVER = 10**9
"""A patience that no stream here outlasts. [examples]"""
SIGMAS = 5
"""A test of chance may be this far off: one in 1.7 million of them would be, if the seed were not fixed."""

weights_of = st.integers(2, 8).flatmap(
    lambda count: st.lists(st.integers(0, 20), min_size=count, max_size=count).filter(any)
)
"""Targets as whole numbers; some are zero."""
weights_of_three = st.lists(st.integers(0, 4), min_size=3, max_size=3).filter(any)
seeds = st.integers(0, 2**32 - 1)


def zipf(weights: list[int]) -> np.ndarray:
    """Arriving shares of as many classes, the first the most frequent."""
    return long_tailed(len(weights))


def make_stage(upstream: Stage, weights: list[int], size: int, *, start: np.ndarray | None = None) -> Stratify:
    """The stage alone."""
    classes = Classes(range(len(weights)))
    schedule = Schedule(size, classes, Target(exactly(weights)))
    wishes = Wishes(patience=NEVER)
    by = By(1)
    return Stratify(
        upstream, by, classes, schedule, wishes, seed=7, start=start, labels=["s"], keep_last=False, exact=True
    )


# G1


@pytest.mark.slow
@settings(max_examples=80)
@given(
    weights=weights_of,
    kind=st.sampled_from(KINDS),
    cut=st.sampled_from(CUTS),
    n=st.integers(0, 1500),
    size=st.integers(1, 40),
    repeats=st.integers(1, 5),
    rings=st.none() | st.integers(1, 30),
    missing=st.sampled_from(["wait", "repeat", "redistribute"]),
    patience=st.sampled_from([0, 20, NEVER]),
    keep_last=st.booleans(),
    strange=st.booleans(),
    seed=seeds,
)
def test_g1_each_input_is_used_or_left_out_for_a_reason_that_is_counted(
    weights: list[int],
    kind: str,
    cut: str,
    n: int,
    size: int,
    repeats: int,
    rings: int | None,
    missing: str,
    patience: int,
    keep_last: bool,
    strange: bool,
    seed: int,
):
    """Class by class, to the example, whatever was asked for: arrived = used + thinned + evicted + held.

    What is used and delivered is counted from the batches themselves; so are the arrivals, from the stream.
    """
    labels = stream(kind, zipf(weights), n, seed)
    if strange:
        labels[seed % 7 :: 7] = len(weights)
    pipeline = source(labels, cut).stratify(
        1, exactly(weights), repeats=repeats, rings=rings, missing=missing, patience=patience, unknown="ignore"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenstockWarning)
        out = run(pipeline.batch(size, keep_last=keep_last))
    stats = out.stats
    delivered = [label for batch in out.labels for label in batch.tolist()]
    used = {number for batch in out.numbers for number in batch.tolist()}

    for numbers, its in zip(out.numbers, out.labels, strict=True):
        assert (labels[numbers] == its).all()
    assert stats.inputs == n
    assert stats.ignored == np.count_nonzero(labels == len(weights))
    assert stats.delivered == len(delivered)
    for each in stats.each():
        assert each.arrived == np.count_nonzero(labels == each.label)
        assert each.delivered == delivered.count(each.label)
        assert each.used == sum(labels[number] == each.label for number in used)
        assert each.repeated == each.delivered - each.used
        assert each.arrived == each.used + each.thinned + each.evicted + each.held


@pytest.mark.parametrize(("kind", "repeats"), [("iid", 1), ("bursts", 3), ("absent", 2)])
def test_g1_what_the_stage_left_out_is_what_did_not_come_out(kind: str, repeats: int):
    """At the end, what waits counts as left out; with what was used it is all that came."""
    labels = stream(kind, long_tailed(4), 3000, 1)
    pipeline = source(labels).stratify(1, "uniform", classes=range(4), repeats=repeats, patience=NEVER)
    out = run(pipeline.batch(16), inline=False)

    assert out.discarded == 3000 - len(set(np.concatenate(out.numbers).tolist()))


# G2 and G3


@pytest.mark.slow
@settings(max_examples=80)
@given(
    weights=weights_of,
    kind=st.sampled_from(KINDS),
    cut=st.sampled_from(CUTS),
    n=st.integers(100, 1500),
    size=st.integers(1, 40),
    repeats=st.integers(1, 5),
    rings=st.none() | st.integers(1, 30),
    seed=seeds,
)
def test_g2_g3_each_batch_and_all_before_it_are_within_one_of_the_target(
    weights: list[int], kind: str, cut: str, n: int, size: int, repeats: int, rings: int | None, seed: int
):
    """Each batch holds floor(b q) or ceil(b q) of each class, the first k batches floor(k b q) or ceil(k b q).

    That is what Pfair schedules guarantee (see `penstock.sampling.quota`), whatever arrives, in whatever order.
    """
    labels = stream(kind, zipf(weights), n, seed)
    stratified = source(labels, cut).stratify(1, exactly(weights), repeats=repeats, rings=rings, patience=NEVER)

    check_counts(run(stratified.batch(size)).counts(len(weights)), weights, size)


@settings(max_examples=40)
@given(weights_of, st.sampled_from(KINDS), st.sampled_from(CUTS), st.integers(1, 20), st.integers(0, 100), seeds)
def test_g2_a_batch_that_is_off_is_one_that_an_event_names(
    weights: list[int], kind: str, cut: str, size: int, patience: int, seed: int
):
    """Where the share of a class that stays away goes to others, only there; every batch is whole all the same."""
    labels = stream(kind, zipf(weights), 800, seed)
    pipeline = source(labels, cut).stratify(1, exactly(weights), patience=patience, missing="redistribute").batch(size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenstockWarning)  # Where there is nobody to give it to, it is waited for.
        out = run(pipeline)
    changed = {event.batch for event in out.stats.events if event.policy == "redistribute"}
    total = sum(weights)
    whole = np.array([size * weight // total for weight in weights])
    over = np.array([-(-size * weight // total) for weight in weights])

    for number, its in enumerate(out.counts(len(weights))):
        assert its.sum() == size
        assert number in changed or ((its >= whole) & (its <= over)).all()
        assert (its[np.array(weights) == 0] == 0).all()


@settings(max_examples=80)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=150), st.integers(1, 9))
def test_g2_g3_hold_for_any_order_of_arrival(labels: list[int], size: int):
    """Not of the usual kinds, but as drawn: shrunk to the least where it fails."""
    out = run(source(labels).stratify(1, exactly([3, 1, 2, 1]), patience=NEVER).batch(size))

    check_counts(out.counts(4), [3, 1, 2, 1], size)


@pytest.mark.parametrize(("classes", "batches"), [(2, 60), (10, 60), (100, 60), (1000, 20)])
def test_g2_g3_hold_for_few_classes_and_for_many(classes: int, batches: int):
    """Zipf's shares asked of a uniform stream; of 1,000 classes 64 a batch hold but some."""
    weights = [classes // (number + 1) + 1 for number in range(classes)]
    labels = stream(
        "iid", np.full(classes, 1 / classes), 64 * batches * (2 if classes < 100 else 5 if classes == 100 else 32), 0
    )

    counts = run(source(labels, "columns").stratify(1, exactly(weights), repeats=4).batch(64)).counts(classes)

    assert len(counts) >= batches
    check_counts(counts, weights, 64)


@pytest.mark.slow
def test_g2_g3_hold_for_100_000_classes():
    """In batches of 256 each class comes every 390th time or so: after k batches floor or ceil of 256 k / 100,000 times."""
    classes, size = 100_000, 256
    labels = np.concatenate([np.random.default_rng(seed).permutation(classes) for seed in range(3)])

    out = run(source(labels, "columns").stratify(1, "uniform", classes=range(classes)).batch(size))

    given = np.zeros(classes, np.int64)
    assert len(out.labels) >= classes // size
    for k, batch in enumerate(out.labels, 1):
        its, counts = np.unique(batch, return_counts=True)
        given[its] += counts
        assert counts.max() == 1
        assert given.min() >= k * size // classes
        assert given.max() <= -(-k * size // classes)


@pytest.mark.slow
@settings(max_examples=40)
@given(st.integers(2, 12), st.integers(1, 40), seeds)
def test_g3_what_a_class_is_owed_stays_below_harmonic_when_the_target_changes(classes: int, size: int, seed: int):
    """Owed, the target summed over the batches less what was given, stays above -1 and at most H(K) - 1.

    A unit goes to the class that is owed most, and of K that sum to zero the most is never negative: so nobody who is
    owed nothing gets one, hence -1. Let a_j be the most that j classes are owed together: either all units went to them,
    and a_j did not grow, or somebody else was owed as much, so a_j / j <= a_(j + 1) / (j + 1) + 1 / (j + 1); a_K is 0.
    Shares are held in multiples of 2**-40, so each batch may add size * 2**-40 to that.
    """
    random = np.random.default_rng(seed)
    targets = [random.integers(1, 100, classes).tolist() for _ in range(60)]
    labels = stream("iid", np.full(classes, 1 / classes), 3000, seed)
    changing = source(labels, "columns").stratify(1, lambda k: exactly(targets[k % 60]), patience=NEVER)
    counts = run(changing.batch(size).take(60)).counts(classes)
    rounding = len(counts) * size * 2.0**-40

    owed = np.zeros(classes)
    harmonic = sum(1 / number for number in range(1, classes + 1))
    for its, target in zip(counts, targets, strict=False):
        owed += size * np.array(target) / sum(target) - its
        assert owed.min() > -1 - rounding - 1e-9
        assert owed.max() <= harmonic - 1 + rounding + 1e-9


# G4


@pytest.mark.slow
@settings(max_examples=60)
@given(st.integers(1, 5), st.sampled_from(KINDS), st.sampled_from(CUTS), st.integers(1, 40), st.integers(1, 20), seeds)
def test_g4_no_example_is_used_more_often_than_asked_for(
    repeats: int, kind: str, cut: str, size: int, rings: int, seed: int
):
    """Whatever the rings hold; counted from the batches."""
    labels = stream(kind, long_tailed(4), 1000, seed)
    stratified = source(labels, cut).stratify(
        1, "uniform", classes=range(4), repeats=repeats, rings=rings, patience=NEVER
    )
    out = run(stratified.batch(size))

    uses = Counter(number for batch in out.numbers for number in batch.tolist())

    assert max(uses.values(), default=0) <= repeats


class Ring:
    """The rule in plain Python: fresh first, in the order of arrival; then the least recently used; `repeats` uses."""

    def __init__(self, repeats: int) -> None:
        self.repeats = repeats
        self.fresh: list[int] = []
        self.used: list[int] = []
        self.uses: Counter[int] = Counter()
        self.between: dict[int, set[int]] = {}
        """Of each example in use, those that waited when it was used and were not drawn since."""

    def arrive(self, number: int) -> None:
        """One more."""
        self.fresh.append(number)

    def draw(self, n: int) -> list[int]:
        """The next n uses; each only after all others that waited at its last."""
        drawn = []
        for _ in range(n):
            number = (self.fresh or self.used).pop(0)
            assert not self.between.pop(number, set()), "another should have come first"
            for others in self.between.values():
                others.discard(number)
            self.uses[number] += 1
            if self.uses[number] < self.repeats:
                self.between[number] = {*self.fresh, *self.used}
                self.used.append(number)
            drawn.append(number)
        return drawn

    @property
    def live(self) -> int:
        """Examples that may be used."""
        return len(self.fresh) + len(self.used)


@pytest.mark.slow
@settings(max_examples=150)
@given(st.lists(st.integers(0, 2), max_size=63), st.integers(2, 5), st.integers(1, 12), weights_of_three)
def test_g4_a_class_is_used_in_turn_and_no_example_twice_in_a_batch_that_could_do_without(
    labels: list[int], repeats: int, size: int, weights: list[int]
):
    """Each class is drawn as the rule says, example for example.

    So before an example comes again every other one that waits was drawn: at least as many draws lie between as others
    waited, and a batch that asks for no more than wait has none twice. The streams are so short that none is thinned yet,
    and none evicted, as the figures show; so what waits is known from outside.
    """
    opened, read = counting(labels)
    pipeline = ps.join([opened]).stratify(1, exactly(weights), repeats=repeats, rings=100, patience=NEVER)
    rings, before = [Ring(repeats) for _ in range(3)], 0
    with pipeline.batch(size).open(inline=True) as flow:
        for numbers, its in flow:
            for number in range(before, read[0]):
                rings[labels[number]].arrive(number)
            before = read[0]
            for label, ring in enumerate(rings):
                own = numbers[its == label].tolist()
                live = ring.live

                assert sorted(own) == sorted(ring.draw(len(own)))
                assert len(own) > live or len(set(own)) == len(own)

    assert all(each.thinned == each.evicted == 0 for each in flow.stats().strata[0].each())


# G5


@pytest.mark.parametrize(("classes", "held"), [(2, 4), (2, 32), (4, 16), (10, 16), (10, 64), (100, 16), (100, 64)])
def test_g5_rings_of_b_quotas_lose_at_most_their_share_of_an_iid_stream(classes: int, held: int):
    """All classes limit at once, which is the worst case: delivered >= (1 - 0.8 ln K / B) of what arrives.

    0.78 ln K / B was measured for any method with rings of B quotas; two classes are a walk between two walls, which loses
    1 / (2 B + 1). What is short at the end is added: one batch, and what chance withholds from the scarcest class: by the
    union bound over K classes, sqrt(2 ln(1e6 K) N / K) examples of it, K times that of the whole.
    """
    size, n = 2 * classes, 600 * classes
    labels = stream("iid", np.full(classes, 1 / classes), n, 1)
    stratified = source(labels, "columns").stratify(1, "uniform", classes=range(classes), rings=2 * held)
    scarce = classes * sqrt(2 * log(1e6 * classes) * n / classes)

    out = run(stratified.batch(size))

    assert out.stats.delivered >= (1 - 0.8 * log(classes) / held) * n - size - scarce
    # And tighter, since what did arrive of the scarcest class is known.
    most = classes * int(np.bincount(labels).min())
    assert most >= out.stats.delivered >= (1 - 0.8 * log(classes) / held) * most - size


@pytest.mark.slow
@pytest.mark.parametrize("repeats", [1, 4])
@pytest.mark.parametrize("classes", [2, 10, 50])
def test_g5_one_scarce_class_limits_and_hardly_anything_is_lost(classes: int, repeats: int):
    """Zipf to uniform with the rings of its own choice, which aim at a loss of 2 %: within that of r min A / q.

    A is what did arrive; the two batches are the one that the end cuts off and the one that its rare classes begin.
    """
    size = 2 * classes
    labels = stream("iid", long_tailed(classes), 12_000, 2)
    out = run(source(labels, "columns").stratify(1, "uniform", classes=range(classes), repeats=repeats).batch(size))
    most = repeats * classes * int(np.bincount(labels).min())

    assert most >= out.stats.delivered >= 0.98 * most - 2 * size
    bound = out.stats.bound
    assert out.stats.efficiency == pytest.approx(bound, rel=SIGMAS / sqrt(2 * 12_000 * long_tailed(classes)[-1]) + 0.25)


@pytest.mark.parametrize(
    ("seed", "kind", "repeats"),
    [(seed, kind, repeats) for seed in (1, 2) for kind in ("iid", "drift", "bursts", "absent") for repeats in (1, 4)],
)
def test_g5_recorded_streams_give_97_percent_of_the_offline_optimum(kind: str, repeats: int, seed: int):
    """Long-tailed to uniform, rings of 256: no method with such rings gives more than `offline_optimum`, which knows all."""
    shares, size, rings = np.array([0.90, 0.07, 0.02, 0.01]), 32, 256
    labels = stream(kind, shares, 60_000, seed)
    stratified = source(labels, "columns").stratify(
        1, "uniform", classes=range(4), repeats=repeats, rings=rings, patience=NEVER
    )
    best = offline_optimum(labels.tolist(), Shares.uniform(4), size, repeats, np.full(4, rings))

    assert best >= len(run(stratified.batch(size)).numbers) >= 0.97 * best - 1


# G6


@pytest.mark.parametrize("garbage", [[0.97, 0.01, 0.01, 0.01], [1e-9, 1e-9, 1e-9, 1 - 3e-9], [0.001, 0.9, 0.05, 0.049]])
def test_g6_proportions_do_not_rest_on_what_is_believed_to_arrive(garbage: list[float]):
    """With a prior that is nonsense, only the efficiency may differ: G2 and G3 hold as ever."""
    weights, size = [1, 2, 3, 4], 7
    labels = stream("iid", long_tailed(4), 3000, 5)

    rows = check_stage(
        lambda upstream: make_stage(upstream, weights, size, start=np.array(garbage)),
        list(enumerate(labels.tolist())),
        rounds=3,
    )

    assert len(rows) > 20 * size
    assert len(rows) % size == 0
    its = np.array([label for _, label in rows]).reshape(-1, size)
    check_counts(np.stack([np.bincount(batch, minlength=4) for batch in its]), weights, size)


# G7


def chi_square(seen: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """The distance, and what it exceeds once in a million times: Laurent and Massart's df + 2 sqrt(13.8 df) + 2 * 13.8."""
    freedom = len(seen) - 1
    return float(((seen - expected) ** 2 / expected).sum()), freedom + 2 * sqrt(13.8 * freedom) + 2 * 13.8


@pytest.mark.parametrize("label", [0, 1, 2])
@pytest.mark.parametrize("cells", ["parts of the stream", "every seventh", "after the last rare one"])
def test_g7_each_example_of_a_class_has_the_same_chance(label: int, cells: str):
    """Of classes that are left out in part: chi-square over the places at which their examples stood in the stream.

    The first eighth, where little is known of what arrives, and the last quarter, of which some still wait at the end, are
    not looked at. If each example of the class is used with the same chance, what is used of a cell is in proportion to
    what arrived in it; the counts of a quota scatter less than those of a coin do, so the limit for coins stands.
    """
    n = 40_000
    labels = stream("iid", np.array([0.6, 0.25, 0.1, 0.05]), n, 11)
    out = run(source(labels, "columns").stratify(1, "uniform", classes=range(4)).batch(20))
    its = np.flatnonzero(labels == label)
    its = its[(its >= n // 8) & (its < n * 3 // 4)]
    used = np.isin(its, np.concatenate(out.numbers))
    rare = np.flatnonzero(labels == 3)
    gap = its - rare[np.maximum(np.searchsorted(rare, its) - 1, 0)]
    cell = {
        "parts of the stream": (its - n // 8) * 10 // (n * 5 // 8),
        "every seventh": np.arange(len(its)) % 7,
        "after the last rare one": np.minimum(gap // 8, 5),
    }[cells]

    seen, of = np.bincount(cell, weights=used), np.bincount(cell)

    assert 200 < used.sum() < 0.7 * len(its)
    distance, limit = chi_square(seen, of * (used.sum() / len(its)))
    assert distance < limit


# G8


@pytest.mark.slow
@pytest.mark.parametrize("repeats", [1, 4])
def test_g8_after_the_shares_have_changed_batches_stay_exact_and_efficiency_comes_back(repeats: int):
    """Within three windows (of 4,096 inputs) of the change; from there on 0.97 of what then arrives of the scarcest class.

    2 % are the loss that the rings aim at, 1 % what is still adapting, and one batch the one that the end cuts off.
    """
    n, size, window = 60_000, 20, 4096
    labels = stream("drift", np.array([0.6, 0.25, 0.1, 0.05]), n, 4)
    stratified = source(labels, "columns").stratify(1, "uniform", classes=range(4), repeats=repeats)
    out = run(stratified.batch(size))
    back = n // 2 + 3 * window
    late = [batch for batch in out.numbers if batch.max() >= back]

    assert (out.counts(4) == size // 4).all()
    assert len(late) >= 0.97 * repeats * int(np.bincount(labels[back:]).min()) / (size // 4) - 1


# G9


def digest(out: Run) -> str:
    """All bytes that were delivered, in their order."""
    whole = hashlib.sha256()
    for number, label in zip(out.numbers, out.labels, strict=True):
        whole.update(number.tobytes())
        whole.update(label.tobytes())
    return whole.hexdigest()


def varied() -> Iterator[tuple[str, str]]:
    """A digest of what comes out for each kind of stream and cut, and a few ways of asking."""
    ways: list[dict[str, Any]] = [
        {"repeats": 1},
        {"repeats": 3, "rings": 9},
        {"missing": "redistribute", "patience": 50},
        {"missing": "repeat", "patience": 50},
    ]
    for kind in KINDS:
        for cut in CUTS:
            for place, options in enumerate(ways):
                labels = stream(kind, long_tailed(5), 2000, 6)
                stratified = source(labels, cut).stratify(1, [0.1, 0.2, 0.3, 0.25, 0.15], **options)
                yield f"{kind} {place}", digest(run(stratified.batch(13, keep_last=True)))


def test_g9_the_bytes_do_not_depend_on_how_examples_come_in():
    """As rows, as columns, in chunks: for each kind of stream and way of asking, the same."""
    found: dict[str, set[str]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenstockWarning)
        for name, whole in varied():
            found.setdefault(name, set()).add(whole)

    assert [name for name, all_of in found.items() if len(all_of) > 1] == []
    assert len(set.union(*found.values())) > 15  # they are not all empty, say


@pytest.mark.parametrize("target", ["uniform", "natural", Temperature(0.5)])
def test_g9_classes_that_are_found_on_the_way_are_found_at_their_arrival(target: Any):
    """However far a run of examples lies ready: new classes come in one after the other, the last at two thirds."""
    random = np.random.default_rng(2)
    labels = np.concatenate([random.integers(0, known, 400) for known in (2, 3, 5, 9, 9, 9)])

    assert len({digest(run(source(labels, cut).stratify(1, target).batch(9))) for cut in CUTS}) == 1


@pytest.mark.slow
def test_g9_the_native_part_and_its_twin_give_the_same_bytes():
    """The same in a process of the other kind."""
    if not NATIVE and "PENSTOCK_NATIVE" not in os.environ:
        pytest.skip("there is no native part here")
    script = (
        "import warnings; warnings.simplefilter('ignore'); import test_proportions as t; "
        "from penstock.assemble import NATIVE; print(NATIVE, *[d for _, d in t.varied()])"
    )
    other = {key: value for key, value in os.environ.items() if key != "PENSTOCK_NATIVE"}
    if NATIVE:
        other["PENSTOCK_NATIVE"] = "0"
    own = str(Path(__file__).parent)
    other["PYTHONPATH"] = os.pathsep.join([own, other.get("PYTHONPATH", "")])
    ended = subprocess.run([sys.executable, "-c", script], env=other, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenstockWarning)
        assert ended.stdout.split() == [str(not NATIVE), *[whole for _, whole in varied()]]


@pytest.mark.slow
@settings(max_examples=15)
@given(weights_of, st.integers(1, 30), st.booleans(), st.sampled_from(KINDS), seeds)
def test_g9_the_stage_gives_the_same_however_its_input_is_cut(
    weights: list[int], size: int, columns: bool, kind: str, seed: int
):
    """Random cuts of the input, random sizes asked for: the same examples, tickets and ending."""
    labels = stream(kind, zipf(weights), 700, seed)

    check_stage(
        lambda upstream: make_stage(upstream, weights, size),
        [(number, int(label)) for number, label in enumerate(labels)],
        columns=columns,
        rounds=8,
    )


@pytest.mark.parametrize("sources", [1, 3, 8])
def test_g9_threads_change_nothing(sources: int):
    """Several sources, read by the caller's own thread or by those of the flow."""
    labels = stream("bursts", long_tailed(4), 6000, 8)

    def part(first: int) -> Callable[[], Iterator[tuple[int, int]]]:
        return lambda: ((number, int(labels[number])) for number in range(first, len(labels), sources))

    pipeline = ps.join([part(first) for first in range(sources)]).stratify(1, "uniform", classes=range(4), repeats=2)
    alone = run(pipeline.batch(16))

    assert len(alone.numbers) > 50
    for _ in range(3):
        assert digest(run(pipeline.batch(16), inline=False)) == digest(alone)


@pytest.mark.parametrize("cut", CUTS)
def test_g9_another_seed_gives_other_batches_of_the_same_counts(cut: str):
    """What is drawn hangs on the seed; how many of each class does not."""
    labels = stream("iid", long_tailed(4), 5000, 9)
    pipeline = source(labels, cut).stratify(1, "uniform", classes=range(4)).batch(8)
    one, again, other = (run(pipeline.options(seed=seed)) for seed in (1, 1, 2))

    assert digest(one) == digest(again) != digest(other)
    assert (one.counts(4) == 2).all()
    assert (other.counts(4) == 2).all()


# G10


@pytest.mark.parametrize("kind", KINDS)
def test_g10_a_batch_is_there_at_the_very_arrival_that_completes_it(kind: str):
    """Nothing more is read: after each batch the stream stands behind the newest example in it, or where it stood."""
    labels = stream(kind, long_tailed(3), 3000, 1)
    opened, read = counting(labels)
    before = 0
    with ps.join([opened]).stratify(1, "uniform", classes=range(3), patience=NEVER).batch(9).open(inline=True) as flow:
        for numbers, _ in flow:
            if read[0] < len(labels):
                assert read[0] == max(before, int(numbers.max()) + 1)
            before = read[0]


def without(absent: int, n: int) -> np.ndarray:
    """Labels 0, 1, 2 in turn, n of them, but for one that stays away after 30."""
    labels = np.arange(n) % 3
    labels[30:][labels[30:] == absent] = (absent + 1) % 3
    return labels


def test_g10_an_absent_class_is_waited_for_with_a_word():
    """The default: after the patience a warning and an event; then the stream ends, and so does the flow."""
    pipeline = source(without(2, 500)).stratify(1, "uniform", classes=range(3), patience=60).batch(6)
    with pytest.warns(PenstockWarning) as caught:
        out = run(pipeline)

    assert [batch.tolist() for batch in out.counts(3)] == [[2, 2, 2]] * 5
    assert str(caught[0].message) == (
        "penstock: class `2` has not come within 61 inputs; batch 5 waits for it. "
        '`missing="redistribute"` or "repeat" would go on without'
    )
    assert len(caught) == 1
    (event,) = out.stats.events
    assert (event.batch, event.labels, event.policy, event.waited) == (5, (2,), "wait", 61)


def test_g10_a_class_that_is_late_but_within_the_patience_is_no_event():
    """30 batches without a word, though the class came last each time."""
    labels = [0] * 20 + [1] * 20 + [2] * 2
    out = run(source(labels * 30).stratify(1, "uniform", classes=range(3), patience=45, rings=2).batch(6))

    assert len(out.numbers) == 30
    assert out.stats.events == ()


def test_g10_patience_is_100_times_what_a_batch_needs_unless_told():
    """One in 100 asked to be half of 4: 200 inputs by expectation, so nothing is said before 20,000.

    What is expected is estimated from 4,096 arrivals or more, within 5 sigma, 5 / sqrt(2 * 4096 / 100) of it; and once
    something was said, not again before twice as many.
    """
    labels = np.zeros(60_000, np.int64)
    labels[:8_200:100] = 1
    with pytest.warns(PenstockWarning, match="class `1` has not come within"):
        out = run(source(labels, "columns").stratify(1, [0.5, 0.5]).batch(4))
    first, *later = out.stats.events

    assert first.waited >= 20_000 / (1 + SIGMAS / sqrt(2 * 4096 / 100))
    assert len(later) <= 1


def test_g10_absent_class_repeated():
    """The newest examples of it once more; the batches stay exact, and the repeats are counted."""
    out = run(source(without(2, 500)).stratify(1, "uniform", classes=range(3), patience=60, missing="repeat").batch(6))
    late = [number for batch, its in zip(out.numbers[5:], out.labels[5:], strict=True) for number in batch[its == 2]]

    assert len(out.numbers) > 8
    assert (out.counts(3) == 2).all()
    assert {int(number) for number in late} <= set(np.flatnonzero(without(2, 500) == 2).tolist())
    assert out.stats.of(2).repeated == len(late)
    assert {event.policy for event in out.stats.events} == {"repeat"}


def test_g10_absent_class_redistributed():
    """Its places go to the others, by their shares: each batch is full, and those before are as they were."""
    shares = [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)]
    out = run(source(without(2, 600)).stratify(1, shares, patience=60, missing="redistribute").batch(12))
    counts = out.counts(3)
    full = int((counts[:, 2] == 3).sum())

    assert full == 3
    assert (counts[:full] == [6, 3, 3]).all()
    assert (counts[full:, :2].sum(axis=1) + counts[full:, 2] == 12).all()
    assert len(counts) > full + 2
    assert set(map(tuple, counts[full + 1 :].tolist())) == {(8, 4, 0)}
    assert {event.policy for event in out.stats.events} == {"redistribute"}


def test_g10_absent_class_an_error():
    """Named, with what to do, after the batches that were complete."""
    pipeline = source(without(2, 500)).stratify(1, "uniform", classes=range(3), patience=60, missing="error").batch(6)
    with pipeline.open(inline=True) as flow, pytest.raises(ps.SpecError) as caught:
        list(flow)

    assert flow.stats().delivered == 5
    assert str(caught.value) == (
        'expected class `2` within 61 inputs, got none - at batch 5 - raise `patience`, or say missing="redistribute"'
    )


@pytest.mark.parametrize("missing", ["wait", "repeat", "redistribute"])
def test_g10_a_class_that_comes_back_is_as_if_it_had_never_been_away(missing: str):
    """Once it comes again, batches are exact again."""
    labels = np.concatenate((without(2, 600), np.arange(600) % 3))
    pipeline = source(labels).stratify(1, "uniform", classes=range(3), patience=60, missing=missing).batch(6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenstockWarning)
        counts = run(pipeline).counts(3)

    assert (counts[-50:] == 2).all()


@pytest.mark.parametrize("missing", ["wait", "repeat"])
def test_g10_a_flow_that_waits_for_a_class_is_closed_at_once(missing: str):
    """Of an endless stream in which it never comes; the thread that waits ends, too."""
    waits = threading.Event()

    def endless() -> Iterator[tuple[int, int]]:
        for number in count():
            if number == 1000:
                waits.set()
            yield number, 0

    with no_threads_left(), warnings.catch_warnings():
        warnings.simplefilter("ignore", PenstockWarning)
        flow = ps.join([endless]).stratify(1, [0.5, 0.5], patience=100, missing=missing).batch(4).open()
        waits.wait()
        flow.close()

    assert flow.stats().delivered == 0
    assert [event.labels for event in flow.stats().strata[0].events] in ([], [(1,)])


# G11


def test_g11_a_changed_target_acts_from_the_batch_that_is_named():
    """Those before it are as they were; from it on the new target is exact from its first batch, as if begun anew."""
    pipeline = source(np.arange(4000) % 3).stratify(1, exactly([1, 1, 1]), repeats=2).batch(8)
    counts, first = [], 0
    with pipeline.open(inline=True) as flow:
        for k, (_, its) in enumerate(flow):
            counts.append(np.bincount(its, minlength=3))
            if k == 9:
                first = flow.set_target(exactly([5, 2, 4]))

    assert first == 10
    check_counts(np.array(counts[:first]), [1, 1, 1], 8)
    check_counts(np.array(counts[first:]), [5, 2, 4], 8)
    assert len(counts) > 100


@pytest.mark.parametrize("cut", CUTS)
def test_g11_holds_while_threads_read_ahead(cut: str):
    """Batches that lie ready come as they are; the number says where the change is."""
    pipeline = source(np.arange(12_000) % 3, cut).stratify(1, exactly([1, 1, 1])).batch(8)
    counts, first = [], 0
    with pipeline.open() as flow:
        for k, (_, its) in enumerate(flow):
            counts.append(np.bincount(its, minlength=3))
            if k == 30:
                first = flow.set_target(exactly([5, 2, 4]))

    assert first > 30
    check_counts(np.array(counts[:first]), [1, 1, 1], 8)
    check_counts(np.array(counts[first:]), [5, 2, 4], 8)


def test_g11_a_target_that_cannot_be_met_is_given_up_for_one_that_can():
    """The batch that waits for a class is composed anew: nothing was taken for it yet."""
    reached, go = threading.Event(), threading.Event()

    def numbers() -> Iterator[tuple[int, int]]:
        for number in range(4000):
            if number == 1000:
                reached.set()
                go.wait()
            yield number, 0

    with ps.join([numbers]).stratify(1, [0.5, 0.5], patience=NEVER).batch(4).open() as flow:
        reached.wait()
        first = flow.set_target([1, 0])
        go.set()
        batches = list(flow)

    assert first == 0
    assert len(batches) >= 100
    assert all((its == 0).all() for _, its in batches)


def test_g11_a_curriculum_is_followed_batch_by_batch():
    """From one class to another: b q is whole in each batch, so each holds just that, at any time."""
    pipeline = source(np.arange(3000) % 2).stratify(
        1, lambda k: [Fraction(min(k, 10), 10), Fraction(10 - min(k, 10), 10)]
    )

    counts = run(pipeline.batch(20)).counts(2)

    assert counts[:12].tolist() == [[2 * min(k, 10), 20 - 2 * min(k, 10)] for k in range(12)]


# G12


def valued(labels: np.ndarray, values: np.ndarray) -> ps.Pipeline:
    return ps.from_arrays({"label": labels, "value": values})


@pytest.mark.slow
@pytest.mark.parametrize("repeats", [1, 3])
def test_g12_natural_weights_give_the_average_of_the_stream_as_it_came(repeats: int):
    """The weighted mean of f over what is delivered is that over the stream, within 5 sigma.

    f is the class's mean plus noise of variance 1. Its error has two independent parts. An example has the weight p / q,
    so n of them give the noise a variance of sum p**2 / q times r / n, where all are used r times. And p is an average
    over the inputs of the counted span, in which none weighs more than all others: variance of the class means / span.
    Batches of the first window of 4,096 inputs are not counted.
    """
    p, means, n = np.array([0.6, 0.25, 0.1, 0.05]), np.array([0.0, 3.0, -2.0, 8.0]), 40_000
    random = np.random.default_rng(3)
    labels = stream("iid", p, n, 12)
    pipeline = valued(labels, means[labels] + random.standard_normal(n)).stratify(
        "label", "uniform", classes=range(4), repeats=repeats, weights="natural", weights_as="w"
    )
    batches, spent = [], []
    with pipeline.batch(20).open(inline=True) as flow:
        for batch in flow:
            spent.append(flow.stats().strata[0].inputs)
            batches.append(batch)
    late = [batch for batch, inputs in zip(batches, spent, strict=True) if inputs >= 4096 + 2000]
    weights = np.concatenate([batch["w"] for batch in late])
    values = np.concatenate([batch["value"] for batch in late])

    true = float((p * means).sum())
    within = (p**2 / 0.25).sum() * repeats / len(values)
    between = (p * (means - true) ** 2).sum() / (n - 6096)
    assert len(values) > 5000
    assert all(batch["w"].sum() == pytest.approx(20, rel=1e-5) for batch in late)
    assert abs((weights * values).mean() - true) < SIGMAS * sqrt(within + between)
    assert abs(values.mean() - true) > SIGMAS * sqrt(within + between)  # which the weights make up for


def test_g12_target_weights_are_one_but_where_a_share_was_redistributed():
    """There each class that came has the weight that its target asks for in all: sum of w = b q, to the last bit or so."""
    shares = [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)]
    labels = without(2, 600)
    pipeline = valued(labels, labels).stratify(
        "label", shares, patience=60, missing="redistribute", weights="target", weights_as="w"
    )
    with pipeline.batch(12).open(inline=True) as flow:
        batches = list(flow)
    changed = 0
    for batch in batches:
        counts = np.bincount(batch["label"], minlength=3)
        sums = np.bincount(batch["label"], weights=batch["w"], minlength=3)
        changed += counts.tolist() != [6, 3, 3]

        assert sums[counts > 0] == pytest.approx(np.array([6, 3, 3])[counts > 0], rel=1e-6)

    assert changed > 3
    assert changed < len(batches)


def test_g12_the_prior_is_the_logarithm_of_what_arrives():
    """A vector for each example, the same for all of a batch: within 5 sigma of p, sqrt(p (1 - p) / (2 * 4096))."""
    p = np.array([0.6, 0.25, 0.1, 0.05])
    labels = stream("iid", p, 40_000, 13)
    pipeline = valued(labels, labels).stratify(
        "label", "uniform", classes=range(4), weights="prior", weights_as="log_p"
    )
    with pipeline.batch(20).open(inline=True) as flow:
        *_, last = flow

    assert last["log_p"].shape == (20, 4)
    assert same(last["log_p"], np.broadcast_to(last["log_p"][0], (20, 4)))
    shares = np.exp(last["log_p"][0].astype(float))
    assert shares.sum() == pytest.approx(1, rel=1e-5)
    assert (abs(shares - p) < SIGMAS * np.sqrt(p * (1 - p) / (2 * 4096))).all()
