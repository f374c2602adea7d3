"""What the report says, for figures that are known."""

import pytest

import penstock as ps
from penstock.report import report
from penstock.stats import NO_LANE, FlowStats, StageStats

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
