"""What `stratify` guarantees of counts and uses, G1 to G4 and G6, each under its name; bounds are derived where they stand.

b is the size of a batch, q the target, p the arriving shares, K the number of classes, and r how often an example may be
used. The streams are those of `labelled`.
"""

from __future__ import annotations

import warnings
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock as ps
from labelled import (
    CUTS,
    KINDS,
    NEVER,
    check_counts,
    counting,
    exactly,
    long_tailed,
    make_stage,
    run,
    seeds,
    source,
    stream,
    weights_of,
    zipf,
)
from penstock.errors import PenstockWarning
from penstock.testing import check_stage

weights_of_three = st.lists(st.integers(0, 4), min_size=3, max_size=3).filter(any)


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
