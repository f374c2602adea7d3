"""Policies: what may be said, how long is waited, how much may be skipped."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock as ps
from penstock.faults import RAISE, Policy, policy_of
from penstock.ticket import Ticket


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ps.Skip(at_most=None), "expected a budget: `at_most`, `rate` or both, got none - at Skip()"),
        (lambda: ps.Skip(at_most=-1), "expected `at_most` to be an integer >= 0, got `-1` - at Skip()"),
        (lambda: ps.Skip(at_most=1.5), "expected `at_most` to be an integer >= 0, got `1.5` - at Skip()"),
        (lambda: ps.Skip(at_most=True), "expected `at_most` to be an integer >= 0, got `True` - at Skip()"),
        (lambda: ps.Skip(rate=0), "expected `rate` to be above 0 and below 1, got `0` - at Skip()"),
        (lambda: ps.Skip(rate=1.0), "expected `rate` to be above 0 and below 1, got `1.0` - at Skip()"),
        (lambda: ps.Retry(times=0), "expected `times` to be an integer >= 1, got `0` - at Retry()"),
        (lambda: ps.Retry(backoff_s=-1), "expected `backoff_s` to be seconds >= 0, got `-1` - at Retry()"),
        (
            lambda: ps.Retry(deadline_s=float("nan")),
            "expected `deadline_s` to be seconds >= 0, got `nan` - at Retry()",
        ),
        (
            lambda: ps.join([[1]]).map(str, on_error="skip"),
            'expected `on_error` to be "raise", `ps.Skip(...)`, `ps.Retry(...)` or `ps.Retry(...) | ps.Skip(...)`, '
            "got `'skip'` - at map(on_error)",
        ),
        (
            lambda: ps.join({"a": [1]}, on_error={"b": ps.Skip()}),
            "expected the name of a source, got `'b'` - at join(on_error)",
        ),
        (
            lambda: ps.join([[1], [2]], on_error=[ps.Skip()]),
            "expected a policy for each of the 2 sources, got 1 - at join(on_error)",
        ),
        (
            lambda: ps.join([iter([1])], on_error=ps.Retry()),
            "expected a source that can be opened again, for `ps.Retry`, got the one-shot `list_iterator` - at on_error - "
            "pass a callable that opens it",
        ),
        (
            lambda: ps.join([[1]]).options(watchdog_s=0),
            "expected `watchdog_s` to be seconds > 0, or `None`, got `0` - at options(watchdog_s)",
        ),
    ],
)
def test_what_cannot_be_is_said_as_it_is_written(make: Any, message: str):
    """Before anything runs."""
    with pytest.raises(ps.PipelineError) as caught:
        make()

    assert str(caught.value) == message


def test_both_together_are_one_policy_whichever_comes_first():
    """It is tried again, then skipped: there is no other order that makes sense."""
    retry, skip = ps.Retry(times=2), ps.Skip(at_most=3)

    assert (retry | skip) == (skip | retry) == Policy(retry, skip)
    assert policy_of("raise", at="") is RAISE
    with pytest.raises(TypeError):
        retry | retry  # type: ignore[operator]


@given(offset=st.integers(0, 10**9), attempt=st.integers(1, 2000), backoff_s=st.floats(0, 1e6, allow_nan=False))
def test_a_wait_is_keyed_by_ticket_and_attempt_and_doubles_up_to_64_times(offset: int, attempt: int, backoff_s: float):
    """Half of it is fixed and half is spread; the same each time it is asked for."""
    retry, ticket = ps.Retry(backoff_s=backoff_s), Ticket(3, 1, offset)

    delay_s = retry.delay_s(ticket, attempt)

    whole_s = backoff_s * 2 ** min(attempt - 1, 6)
    assert whole_s / 2 <= delay_s <= whole_s
    assert delay_s == retry.delay_s(ticket, attempt)


def test_streams_that_broke_together_do_not_come_back_together():
    """A hundred of them are spread over the half of a second that is there for it."""
    delays = sorted(ps.Retry(backoff_s=1.0).delay_s(Ticket(stream, 0, 7), 1) for stream in range(100))

    assert delays[0] < 0.55
    assert delays[-1] > 0.95
    assert len(set(delays)) == 100


def test_a_rate_is_taken_of_a_thousand_examples_at_least():
    """Else one bad example among the first ten would be one in ten."""
    skip = ps.Skip(at_most=None, rate=0.01)

    assert skip.allows(10, 10, 20)
    assert not skip.allows(11, 11, 20)
    assert skip.allows(30, 30, 3000)
    assert not skip.allows(30, 30, 2900)
    assert ps.Skip(at_most=None, rate=1e-6).allows(1, 1, 1)
    assert not ps.Skip(at_most=5, rate=0.5).allows(6, 1, 10_000)
