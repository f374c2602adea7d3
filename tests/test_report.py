"""What the report says, for figures that are known."""

from typing import Any

import numpy as np
import pytest

import penstock as ps
from penstock.report import report
from penstock.stats import NO_LANE, ClassEvent, FlowStats, StageStats, StrataStats

STAGES = (
    StageStats("join(2 sources, fixed)", 1000, 1.0, 0, 0),
    StageStats("filter(<lambda>)", 900, 0.5, 100, 0),
    StageStats("batch(90)", 10, 2.0, 0, 4_000_000),
)
BASE = FlowStats(
    name="train",
    delivered=10,
    examples=900,
    nbytes=4_000_000,
    elapsed_s=10.0,
    wait_s=8.0,
    driver=NO_LANE._replace(name="train", busy_s=9.0),
    sources=(NO_LANE._replace(name="fast", examples=500), NO_LANE._replace(name="slow", examples=500)),
    stages=STAGES,
)


def slow(**waits: float) -> tuple:
    return tuple(NO_LANE._replace(name=name, examples=500, take_wait_s=wait) for name, wait in waits.items())


@pytest.mark.parametrize(
    ("stats", "order", "limit"),
    [
        (
            BASE._replace(wait_s=0.5),
            "fixed",
            "the training loop, which was busy 95% of the time; the flow keeps up with it",
        ),
        (
            BASE._replace(sources=slow(fast=0.1, slow=7.0)),
            "fixed",
            "source 1 ('slow') holds up the others: 7.00 s of 10.00 s were spent waiting for it; "
            '`order="arrival"` would not wait for it',
        ),
        (
            BASE._replace(sources=slow(fast=0.1, slow=7.0)),
            "arrival",
            "source 1 ('slow') holds up the others: 7.00 s of 10.00 s were spent waiting for it",
        ),
        (
            BASE._replace(sources=slow(a=2.5, b=2.5, c=2.5)),
            "fixed",
            "the sources, all of them: 7.50 s of 10.00 s were spent waiting for them; more of them would help",
        ),
        (
            BASE._replace(sources=slow(only=7.0)),
            "fixed",
            "source 0 ('only'): 7.00 s of 10.00 s were spent waiting for it",
        ),
        (BASE, "fixed", "the driver's own work, most of it `batch(90)`: 2.00 s of 10.00 s"),
        (
            BASE._replace(stages=(STAGES[0]._replace(busy_s=6.0), *STAGES[1:])),
            "fixed",
            "the driver's own work, most of it reading the sources, which are computed in Python: 6.00 s of 10.00 s",
        ),
        (
            BASE._replace(stages=()),
            "fixed",
            "the flow runs in the caller's own thread, so the loop waits for all that it does",
        ),
        (BASE._replace(delivered=0, examples=0), "fixed", "nothing has been delivered yet"),
        (
            BASE._replace(delivered=0, examples=0, sources=(BASE.sources[0], NO_LANE._replace(name="silent"))),
            "fixed",
            "nothing has been delivered yet; no example yet from source 1 ('silent')",
        ),
    ],
)
def test_the_limit_is_said_in_words(stats: FlowStats, order: str, limit: str):
    """One line, with the figure that it rests on, and what to do where there is one thing."""
    assert report(stats, order=order).splitlines()[1] == f"limit: {limit}"


def test_the_report_opens_with_what_was_delivered_and_ends_with_what_was_left_out():
    """Nothing is left out in silence."""
    lines = report(BASE, order="fixed").splitlines()

    assert lines[0] == "train: 10 delivered (900 examples, 4.0 MB) in 10.00 s, 90 examples/s"
    assert lines[2:] == ["filter(<lambda>): 100 examples left out"]


def test_many_silent_sources_are_counted_not_listed():
    """256 names in a line help nobody."""
    silent = tuple(NO_LANE._replace(name=f"s{i}") for i in range(12))

    limit = report(BASE._replace(delivered=0, sources=silent), order="fixed").splitlines()[1]

    assert limit.endswith("6 ('s6'), 7 ('s7') and 4 more")


def test_a_flow_reports_itself():
    """While it runs, and after it."""
    with ps.join([[1, 2, 3]]).batch(2).options(name="here").open() as flow:
        before = flow.report()
        for _ in flow:
            pass

    assert before.startswith("here: 0 delivered")
    assert flow.report().startswith("here: 1 delivered (2 examples, 0.0 MB)")
    assert flow.report().endswith("batch(2): 1 examples left out")


# Class proportions.


def strata(labels: tuple[Any, ...], seen: list[int], target: list[float], **changes: Any) -> StrataStats:
    """Of classes that were all used once, as far as the scarcest goes."""
    came, wanted = np.array(seen), np.array(target)
    given = np.floor(wanted * (came[wanted > 0] / wanted[wanted > 0]).min()).astype(int)
    zeros = np.zeros(len(came), int)
    counts = {
        "seen": came,
        "thinned": came - given,
        "evicted_fresh": zeros,
        "given": given,
        "distinct": given,
        "waited": 3 * given,
        "fresh_held": zeros,
        "arriving": came / came.sum(),
        "target": wanted,
    }
    stats = StrataStats(
        labels=labels,
        counts=counts,
        inputs=int(came.sum()),
        delivered=int(given.sum()),
        bound=1.0,
        window=4096.0,
        repeats=1,
        size=4,
        exact=True,
        ignored=0,
        events=(),
    )
    return stats._replace(**changes)


def told(*of: StrataStats, stages: tuple[StageStats, ...] = ()) -> list[str]:
    """The lines about proportions."""
    lines = report(BASE._replace(strata=of, stages=stages), order="fixed").splitlines()
    return lines[next(place for place, line in enumerate(lines) if line.startswith("stratify")) :]


def test_proportions_are_told_class_by_class():
    """What came, what is asked for, what was given, and what became of the rest, in a table."""
    lines = told(strata(("fraud", None), [100, 900], [0.5, 0.5]))

    assert lines == [
        "stratify: 1,000 examples in, 200 given: 0.2 for each, 100% of the most that is possible at repeats=1",
        "  exact in every batch of 4",
        "  class      came  target   given  used  repeated  thinned  displaced  waiting  age",
        "  'fraud'  10.00%  50.00%  50.00%   100         0        0          0        0    3",
        "  None     90.00%  50.00%  50.00%   100         0      800          0        0    3",
    ]


def test_of_many_classes_the_scarcest_and_the_most_frequent_are_told():
    """A thousand lines help nobody; the scarcest limit, the most frequent are left out."""
    lines = told(strata(tuple(range(100)), [10 + number for number in range(100)], [0.01] * 100))

    assert [line.split()[0] for line in lines[3:11]] == ["0", "1", "2", "3", "99", "98", "97", "96"]
    assert lines[11] == "  and 92 more classes; these are the scarcest and the most frequent"


@pytest.mark.parametrize(
    ("changes", "stages", "line"),
    [
        ({"exact": True}, (), "exact in every batch of 4"),
        ({"exact": False}, (), "exact in the order that stratify gives, 4 by 4"),
        (
            {"exact": False, "skipped": 3},
            (),
            "exact in the order that stratify gives, 4 by 4; batches straddle these, since 3 were skipped behind it",
        ),
        (
            {"exact": False},
            ("join(1 sources, fixed)", "stratify", "map(decode)", "filter(odd)", "batch(4)"),
            "exact in the order that stratify gives, 4 by 4; `filter(odd)` stands between",
        ),
        (
            {"exact": False},
            ("stratify", "filter(odd)", "take(9)", "batch(4)"),
            "exact in the order that stratify gives, 4 by 4; `filter(odd)`, `take(9)` stand between",
        ),
        (
            {"events": (ClassEvent(3, (0,), "repeat", 50), ClassEvent(4, (0,), "repeat", 50))},
            (),
            "exact in every batch of 4, but for 2 in which a class was missing",
        ),
        ({"events": (ClassEvent(3, (0,), "wait", 50),)}, (), "exact in every batch of 4"),
    ],
)
def test_it_is_said_whether_batches_are_exact_or_only_the_order(
    changes: dict[str, Any], stages: tuple[str, ...], line: str
):
    """What stands between is named, where it is known."""
    of = strata((0, 1), [100, 900], [0.5, 0.5], **changes)

    assert told(of, stages=tuple(StageStats(name, 0, 0.0, 0, 0) for name in stages))[1] == f"  {line}"


@pytest.mark.parametrize(
    ("of", "line"),
    [
        (
            strata((7, 8), [10, 99_990], [0.15625, 0.84375], repeats=4, size=64),
            "class 7 gives 1 in 10,000: at repeats=4 a batch of 64 needs 25,000 inputs",
        ),
        (strata((0, 1, 2), [90, 10, 0], [0.5, 0.25, 0.25]), "class 2 did not come at all"),
        (strata((0, 1, 2), [100, 0, 0], [0.5, 0.25, 0.25]), "classes 1, 2 did not come at all"),
        (
            strata(tuple("abcdef"), [9, 0, 0, 0, 0, 0], [0.2] * 5 + [0], size=8),
            "classes 'b', 'c', 'd' and 1 more did not come at all",
        ),
        (
            strata(tuple(range(1560)), [2] * 1560, [1 / 1560] * 1560),
            "1,560 classes are more than a batch of 4 holds: each comes once in 390 batches",
        ),
        (
            strata((0, 1, 2), [90, 9, 9], [0.8, 0.1, 0.1]),
            "2 classes are not in every batch of 4: the rarest comes once in 2.5",
        ),
        (
            strata((0, 1), [90, 9], [0.9, 0.1]),
            "1 class is not in every batch of 4: that one comes once in 2.5",
        ),
        (strata((0, 1), [9, 9], [0.5, 0.5], ignored=1234), "1,234 examples of unknown classes were left out"),
        (
            strata((0, 1), [9, 9], [0.5, 0.5], events=(ClassEvent(5, (1,), "wait", 61),)),
            "batch 5 missed class 1, which was waited for",
        ),
        (
            strata(
                (0, 1), [9, 9], [0.5, 0.5], events=tuple(ClassEvent(5 + i, (1,), "redistribute", 9) for i in range(3))
            ),
            "batch 5 and 2 later missed class 1, and its share went to the others",
        ),
        (
            strata((0, 1), [9, 9], [0.5, 0.5], events=(ClassEvent(5, (0, 1), "repeat", 9),)),
            "batch 5 missed classes 0, 1, and their newest examples were given once more",
        ),
    ],
)
def test_what_will_surprise_is_a_plain_sentence(of: StrataStats, line: str):
    """A target that throttles, a class that does not come, more classes than a batch holds, what was left out."""
    assert told(of)[-1] == f"  {line}"


def test_nothing_is_said_where_there_is_nothing_to_say():
    """A target that follows the stream neither throttles nor misses anything."""
    assert len(told(strata((0, 1), [500, 500], [0.5, 0.5]))) == 5


def test_several_are_told_apart_and_an_empty_stream_is_no_trouble():
    """By their number; of no inputs there is no share."""
    one = strata((0, 1), [9, 9], [0.5, 0.5])
    empty = one._replace(labels=(), counts={name: of[:0] for name, of in one.counts.items()}, inputs=0, delivered=0)

    lines = told(one, empty)

    assert lines[5:] == ["stratify 1: 0 examples in, 0 given", "  exact in every batch of 4"]
    assert lines[0].startswith("stratify 0: 18 examples in")


def test_a_changed_target_has_no_bound_to_be_measured_by():
    """More was given than the present target allows of what came: a part above 100 % would say nothing."""
    of = strata((0, 1), [100, 900], [0.5, 0.5])

    assert told(of._replace(delivered=400))[0] == "stratify: 1,000 examples in, 400 given: 0.4 for each at repeats=1"


def test_a_flow_reports_its_classes():
    """As it runs: the figures are those of `flow.stats().strata`."""
    rare = ps.join([[(number, number % 40 == 0) for number in range(4000)]])
    with rare.stratify(1, {True: 0.5, False: 0.5}).batch(4).open() as flow:
        for _ in flow:
            pass

    lines = flow.report().splitlines()

    assert "  exact in every batch of 4" in lines
    assert lines[-1] == "  class True gives 1 in 40: at repeats=1 a batch of 4 needs 80 inputs"
