"""What becomes of an error of the user's code: raised, tried again, skipped, or tried again and then skipped."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from math import isfinite
from typing import Literal, final
from zlib import crc32

from penstock.errors import PipelineError, mismatch
from penstock.ticket import Ticket

__all__ = ["RAISE", "OnError", "Policy", "Retry", "Skip", "policy_of"]

LEAST_SEEN = 1000
"""A rate is taken of so many examples at least, so that one bad example among the first ten is not 10 %. [examples]"""
DOUBLINGS = 6
"""The wait between two attempts doubles so often, and stays there. [times]"""


@final
@dataclass(frozen=True, slots=True)
class Skip:
    """Leaves out examples that raise, within a budget; they are counted, kept in `flow.quarantine`, and reported.

    The budget is of each source and of each stage by itself, since only so does it not depend on threads.
    Over it, an `OverBudget` says what was skipped first and last.

    A source must go on after it has raised: one read by index, a JSON Lines or text file, an iterator class.
    A generator ends where it raises; then its error is raised, with a note that says so.

    >>> import penstock as ps
    >>> ratios = ps.join([[4, 0, 2]]).map(lambda x: 8 // x, on_error=ps.Skip(at_most=1))
    >>> list(ratios)
    [2, 4]
    """

    at_most: int | None = 100
    """So many different examples, `None` for any number. One that is skipped in each epoch counts once. [examples]"""
    rate: float | None = None
    """So large a part of the examples of a source in a pass, reckoned on 1000 at least; `None` for any. [0 to 1]"""

    def __post_init__(self) -> None:
        at = "Skip()"
        if self.at_most is None and self.rate is None:
            raise PipelineError(mismatch("a budget: `at_most`, `rate` or both", "none", at=at))
        if self.at_most is not None:
            object.__setattr__(self, "at_most", _count(self.at_most, "at_most", at))
        rate = self.rate
        if rate is not None and (isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < 1):
            raise PipelineError(mismatch("`rate` to be above 0 and below 1", f"`{rate!r}`", at=at))

    def allows(self, count: int, part: int, seen: int) -> bool:
        """Whether so many may be skipped.

        Args:
          count: different examples skipped by now. [examples]
          part: of the source and the pass at hand. [examples]
          seen: examples of that pass by now. [examples]
        """
        if self.at_most is not None and count > self.at_most:
            return False
        return self.rate is None or part <= max(1, int(self.rate * max(seen, LEAST_SEEN)))

    def __or__(self, other: object) -> Policy:
        return Policy(other, self) if isinstance(other, Retry) else NotImplemented


@final
@dataclass(frozen=True, slots=True)
class Retry:
    """Tries again what raised, after a wait that doubles: a source is opened anew, and read on behind what it had given.

    A function is called again with the same example, and the same random numbers.
    The count begins anew with each example that comes through. If no attempt helps, the last error is raised; or skipped,
    with `ps.Retry(times=3) | ps.Skip(at_most=10)`.

    >>> import penstock as ps
    >>> ps.Retry(times=3, backoff_s=0.5) | ps.Skip(at_most=10)
    Policy(retry=Retry(times=3, backoff_s=0.5, deadline_s=None), skip=Skip(at_most=10, rate=None))
    """

    times: int = 5
    """Attempts after the first error. [times]"""
    backoff_s: float = 1.0
    """Before the first of them, half to all of this; twice as long before each of the next, up to 64 times. [s]"""
    deadline_s: float | None = None
    """So long after the first error no attempt begins any more; `None` sets no limit. [s]"""

    def __post_init__(self) -> None:
        at = "Retry()"
        object.__setattr__(self, "times", _count(self.times, "times", at, least=1))
        for name in ("backoff_s", "deadline_s"):
            value = getattr(self, name)
            if value is None and name == "deadline_s":
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not (value >= 0 and isfinite(value)):
                raise PipelineError(mismatch(f"`{name}` to be seconds >= 0", f"`{value!r}`", at=at))

    def delay_s(self, ticket: Ticket, attempt: int) -> float:
        """How long to wait before an attempt: spread by the ticket, so that many that broke together do not come back together.

        Args:
          ticket: of the example at which it broke.
          attempt: 1 for the first.

        >>> [round(Retry(backoff_s=1.0).delay_s(Ticket(0, 0, 7), attempt), 2) for attempt in (1, 2, 3)]
        [0.79, 1.72, 3.25]
        """
        spread = crc32(repr((tuple(ticket), attempt)).encode()) / 2**32
        return float(self.backoff_s * 2 ** min(attempt - 1, DOUBLINGS) * (1 + spread) / 2)

    def __or__(self, other: object) -> Policy:
        return Policy(self, other) if isinstance(other, Skip) else NotImplemented


@final
@dataclass(frozen=True, slots=True)
class Policy:
    """What is done about an error: first tried again, then skipped, then raised."""

    retry: Retry | None = None
    """How it is tried again, if it is."""
    skip: Skip | None = None
    """How much may be skipped, if anything."""

    @property
    def raises(self) -> bool:
        """Whether every error is raised at once."""
        return self.retry is None and self.skip is None


RAISE = Policy()
"""Raise every error at once."""

OnError = Literal["raise"] | Skip | Retry | Policy
"""What a user says of it."""


def policy_of(value: object, *, at: str) -> Policy:
    """Reads what a user has said.

    Args:
      value: `"raise"`, a `Skip`, a `Retry`, or both: `Retry(...) | Skip(...)`.
      at: where, for messages.

    Raises:
      PipelineError: anything else.
    """
    if isinstance(value, Policy):
        return value
    if isinstance(value, Skip):
        return Policy(skip=value)
    if isinstance(value, Retry):
        return Policy(retry=value)
    if value == "raise":
        return RAISE
    expected = '`on_error` to be "raise", `ps.Skip(...)`, `ps.Retry(...)` or `ps.Retry(...) | ps.Skip(...)`'
    raise PipelineError(mismatch(expected, f"`{value!r}`", at=at))


def _count(value: object, name: str, at: str, *, least: int = 0) -> int:
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = -1
    if isinstance(value, bool) or number < least:
        raise PipelineError(mismatch(f"`{name}` to be an integer >= {least}", f"`{value!r}`", at=at))
    return number
