"""Ledgers: what was skipped, in order, within its budget, and plain enough for a state."""

import json

import pytest

import penstock as ps
from penstock.faults import Ledger, Policy, Quarantine
from penstock.faults.ledger import MOST_KEPT, MOST_TEXT
from penstock.ticket import Ticket


def ledger(**budget: float) -> Ledger:
    return Ledger("map(decode)", Policy(skip=ps.Skip(**budget)), ["train"])  # type: ignore[arg-type]


def test_over_budget_tells_the_policy_how_many_the_first_and_the_last():
    """And the last error of the user's is its cause."""
    its, last = ledger(at_most=2), KeyError("c")
    assert its.skip(Ticket(0, 0, 3), ValueError("a")) is None
    assert its.skip(Ticket(0, 0, 5), ValueError("b")) is None

    over = its.skip(Ticket(0, 0, 8), last)

    assert isinstance(over, ps.OverBudget)
    assert over.__cause__ is last
    assert str(over) == (
        "expected no more to be skipped than `Skip(at_most=2, rate=None)` allows, got 3 - at map(decode) - "
        "the first: 0:0:3 of 'train' in map(decode): ValueError: a - "
        "the last: 0:0:8 of 'train' in map(decode): KeyError: 'c'"
    )


def test_an_example_that_is_bad_in_each_epoch_counts_once():
    """A run of many epochs is not to end for the one record that is bad."""
    its = ledger(at_most=1)

    assert [its.skip(Ticket(0, epoch, 3), ValueError()) for epoch in range(50)] == [None] * 50
    assert len(its) == 50
    assert isinstance(its.skip(Ticket(0, 0, 4), ValueError()), ps.OverBudget)


def test_a_rate_is_of_each_pass_of_each_source():
    """So that it does not depend on how far others are."""
    its = ledger(at_most=None, rate=0.001)

    assert its.skip(Ticket(0, 0, 500), ValueError()) is None
    assert its.skip(Ticket(0, 1, 500), ValueError()) is None
    assert isinstance(its.skip(Ticket(0, 1, 600), ValueError()), ps.OverBudget)


def test_of_very_many_errors_the_first_and_the_last_are_kept():
    """All are counted, and all tickets are there for a state."""
    quarantine = Quarantine(["train"])
    its = quarantine.ledger(4, "map(decode)", Policy(skip=ps.Skip(at_most=1000)))
    for offset in range(1000):
        its.skip(Ticket(0, 0, offset), ValueError("x" * 10_000))

    skipped = quarantine.skipped()

    assert [each.ticket.offset for each in skipped] == [*range(MOST_KEPT), 999]
    assert len(skipped[0].text) == MOST_TEXT + 1
    assert quarantine.stats()[0].skipped == len(quarantine.state()["4"]) == 1000


def test_a_state_is_plain_and_makes_the_same_ledger_again():
    """What was skipped counts, and is to be skipped unread; once."""
    before = Quarantine(["a", "b"])
    policy = Policy(skip=ps.Skip(at_most=2))
    before.ledger(7, "map(f)", policy).skip(Ticket(1, 2, 3, 4), ValueError("bad"))

    after = Quarantine(["a", "b"])
    after.load(json.loads(json.dumps(before.state())))
    its = after.ledger(7, "map(f)", policy)

    assert after.state() == before.state() == {"7": [[1, 2, 3, 4, 0]]}
    assert its.is_known(Ticket(1, 2, 3, 4))
    assert not its.is_known(Ticket(1, 2, 3, 5))
    assert after.stats()[0].skipped == 1
    assert its.skip(Ticket(1, 2, 3, 4), ValueError()) is None
    assert len(its) == 1
    assert its.skip(Ticket(1, 2, 9), ValueError()) is None
    assert isinstance(its.skip(Ticket(1, 2, 10), ValueError()), ps.OverBudget)


def test_the_ledger_of_a_place_is_the_same_in_each_epoch():
    """A stage is built anew for each, and its budget is not."""
    quarantine = Quarantine(["a"])

    assert quarantine.ledger(1, "map(f)", Policy()) is quarantine.ledger(1, "map(f)", Policy())


@pytest.mark.parametrize("before", [0, 1])
def test_what_is_taken_back_was_never_skipped(before: int):
    """A source that ended where it raised had nothing behind it to go on with."""
    its = ledger(at_most=2)
    for offset in range(before):
        its.skip(Ticket(0, 0, offset), ValueError())
    its.skip(Ticket(0, 0, 9), ValueError())

    its.take_back()

    assert len(its) == len(its.kept) == before
    assert not its.has(Ticket(0, 0, 9))
    assert (its.last is None) == (before == 0)
