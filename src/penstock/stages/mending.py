"""What is done about an error of the user's code, at one place: tried again after a pause, skipped, or raised.

The clock and the waiting belong to the engine, which lends its `Pauses`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, final

from penstock.faults import Ledger, SkipLog
from penstock.ticket import Ticket

__all__ = ["AtOnce", "Mending", "Pauses"]


class Pauses(Protocol):
    """Waits between two attempts."""

    def now(self) -> float:
        """The moment of a first error, for `wait`. [s]"""

    def wait(self, delay_s: float, *, since: float, deadline_s: float | None) -> bool:
        """Waits; or says no at once where the wait would end too late."""

    def check(self) -> None:
        """Raises `Aborted` when the flow is being stopped."""


@final
class AtOnce:
    """Pauses that are none: for stages without an engine."""

    def now(self) -> float:
        """Always the same moment."""
        return 0.0

    def wait(self, delay_s: float, *, since: float, deadline_s: float | None) -> bool:
        """As if it were over."""
        return deadline_s is None or delay_s <= deadline_s

    def check(self) -> None:
        """Nobody stops anything."""


@final
class Mending:
    """What is done about errors at one place.

    Args:
      ledger: of the place, with its policy.
      pauses: wait between two attempts.
      again: how often its stream has been begun again in this epoch: what is skipped then is a use of its own. [times]
    """

    def __init__(self, ledger: Ledger, pauses: Pauses, *, again: int = 0) -> None:
        self.ledger = ledger
        self._again = again
        self.pauses = pauses
        self._at: Ticket | None = None
        self._attempt = 0
        self._since = 0.0

    @property
    def retries(self) -> bool:
        """Whether anything is tried again."""
        return self.ledger.policy.retry is not None

    @property
    def skips(self) -> bool:
        """Whether anything is skipped."""
        return self.ledger.policy.skip is not None

    def begin_attempt(self, ticket: Ticket) -> bool:
        """Waits for the next attempt at an example; says no if there is to be none.

        Raises:
          Aborted: the flow is being stopped.
        """
        retry = self.ledger.policy.retry
        if retry is None:
            return False
        if ticket != self._at:
            self._at, self._attempt, self._since = ticket, 0, self.pauses.now()
        if self._attempt >= retry.times:
            return False
        delay_s = retry.delay_s(ticket, self._attempt + 1)
        if not self.pauses.wait(delay_s, since=self._since, deadline_s=retry.deadline_s):
            return False
        self._attempt += 1
        return True

    def over(self) -> None:
        """Hears that the example came through, so that the next error at it would be a first."""
        self._at = None

    def told(self, error: BaseException) -> BaseException:
        """The error that is raised in the end, with a note on how often it was tried."""
        if self._at is not None and self._attempt:
            more = "once more" if self._attempt == 1 else f"{self._attempt} times more"
            error.add_note(f"penstock: it was tried {more}, as `on_error` says")
        return error

    def called(self, call: Callable[[], Any], ticket: Ticket, error: BaseException) -> tuple[Any, BaseException | None]:
        """Calls again what has raised, as often as is asked for.

        Args:
          call: what has raised.
          ticket: of the example it was called with.
          error: what it has raised.

        Returns:
          Its result; or `None` and the last error.
        """
        while self.begin_attempt(ticket):
            try:
                result = call()
            except Exception as again:
                error = again
            else:
                self.over()
                return result, None
        return None, error

    def mark(self) -> SkipLog | None:
        """The log of what is skipped from now on, for a snapshot; `None` where nothing is."""
        return self.ledger.mark() if self.skips else None

    def is_known(self, ticket: Ticket) -> bool:
        """As the ledger's own."""
        return self.ledger.is_known(ticket, self._again)

    def meets(self, ticket: Ticket) -> bool:
        """As the ledger's own."""
        return self.ledger.meets(ticket, self._again)

    def skipped(self, ticket: Ticket, error: BaseException) -> BaseException | None:
        """Skips an example, if it may be: gives `None`, or what is to be raised.

        Args:
          ticket: where it came from.
          error: why.
        """
        if not self.skips or not isinstance(error, Exception):
            return self.told(error)
        return self.ledger.skip(ticket, error, self._again)
