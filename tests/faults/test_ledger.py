"""Ledgers: what was skipped, in order, within its budget, and plain enough for a state."""

import json

import pytest

import penstock as ps
from penstock.faults import Ledger, Policy, Quarantine, SkipLog, together
from penstock.faults.ledger import MOST_FIRST, MOST_LATE, MOST_PASSES, MOST_TEXT
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


def test_of_very_many_errors_the_first_and_the_latest_are_kept():
    """All are counted."""
    quarantine, many = Quarantine(["train"]), 2 * (MOST_FIRST + MOST_LATE)
    its = quarantine.ledger(4, "map(decode)", Policy(skip=ps.Skip(at_most=many)))
    for offset in range(many):
        its.skip(Ticket(0, 0, offset), ValueError("x" * 10_000))

    skipped = quarantine.skipped()

    assert [each.ticket.offset for each in skipped] == [*range(MOST_FIRST), *range(many - MOST_LATE, many)]
    assert len(skipped[0].text) == MOST_TEXT + 1
    assert quarantine.stats()[0].skipped == quarantine.state()["4"]["count"] == many


def test_a_state_does_not_grow_with_the_run():
    """Of what is bad in each of many epochs, or of a stream without end, it has the counts that the budget asks for."""
    often, endless = ledger(at_most=10, rate=0.1), ledger(at_most=None, rate=0.1)
    sizes = []
    for epoch in range(100):
        for offset in range(10):
            often.skip(Ticket(0, epoch, offset * 100), ValueError("bad"))
            endless.skip(Ticket(0, 0, epoch * 1000 + offset * 100), ValueError("bad"))
        often.mark(), endless.mark()
        sizes.append(len(json.dumps([often.state(), endless.state()])))

    assert often.count == endless.count == 1000
    assert often.state()["places"] == [[0, 0, [0] + [100] * 9]]
    assert len(often.state()["passes"]) == MOST_PASSES
    assert endless.state()["places"] == []
    assert max(sizes) - sizes[MOST_PASSES] < 100


def test_a_log_is_of_what_is_skipped_behind_its_mark_and_nothing_before_is_kept():
    """It goes on growing, until the last of those who hold one has gone on to another."""
    its = ledger(at_most=10)
    its.skip(Ticket(0, 0, 1), ValueError())
    first = its.mark()
    its.skip(Ticket(0, 0, 2), ValueError())
    second = its.mark()
    its.skip(Ticket(0, 0, 3), ValueError())

    assert first.parts() == [0, [[2, 0, 0, 2, 0, 0], [3, 0, 0, 3, 0, 0]]]
    assert second.parts() == [0, [[3, 0, 0, 3, 0, 0]]]
    assert len(first) == 2
    assert second.entries == [] or second.then is None


def test_a_state_is_plain_and_makes_the_same_ledger_again():
    """What was skipped counts, and is to be skipped unread; once."""
    before = Quarantine(["a", "b"])
    policy = Policy(skip=ps.Skip(at_most=2, rate=0.5))
    was = before.ledger(7, "map(f)", policy)
    log = was.mark()
    was.skip(Ticket(1, 2, 3, 4), ValueError("bad"))

    after = Quarantine(["a", "b"])
    after.load({"skipped": json.loads(json.dumps(before.state()))}, [SkipLog.of(json.loads(json.dumps(log.parts())))])
    its = after.ledger(7, "map(f)", policy)

    told = [[1, 2, 3, 4, 0], "map(f)", "b", "ValueError", "bad"]
    counted = {"count": 1, "places": [[1, 4, [3]]], "passes": [[1, 0, 2, 1]], "first": told, "last": told}
    assert after.state() == before.state() == {"7": counted}
    assert its.mark().parts() == log.parts()
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
    assert its.mark().parts() == [0, []]
    assert (its.last is None) == (before == 0)


def test_what_was_skipped_between_two_looks_at_a_ledger_is_counted_once():
    """A state has the counts of one moment, and a log that is read a moment later: what is in that alone is read again."""
    was = ledger(at_most=2)
    log = was.mark()
    was.skip(Ticket(0, 0, 1), ValueError())
    counts = was.state()
    was.skip(Ticket(0, 0, 2), ValueError())

    its = ledger(at_most=2)
    its.load(counts, [log])
    assert (its.count, its.meets(Ticket(0, 0, 1)), its.count) == (1, True, 1)
    assert (its.meets(Ticket(0, 0, 2)), its.count, its.knows_any) == (False, 1, False)
    its.skip(Ticket(0, 0, 2), ValueError())
    assert (its.count, [entry[0] for entry in log.entries]) == (2, [1])
    assert isinstance(its.skip(Ticket(0, 0, 3), ValueError()), ps.OverBudget)


def test_of_several_ledgers_one_is_made():
    """Of ranks that have seen the same, or each something else."""
    ledgers = [ledger(at_most=9, rate=0.1), ledger(at_most=9, rate=0.1)]
    for number, its in enumerate(ledgers):
        for offset in range(3 + number):
            its.skip(Ticket(0, 0, offset), ValueError(f"{offset}"))
    states = [its.state() for its in ledgers]

    assert together(states, same=True) == states[1]
    assert together(states, same=False)["count"] == 7
    assert together(states, same=False)["passes"] == [[0, 0, 0, 7]]
    assert together(states, same=False)["places"] == states[1]["places"]
