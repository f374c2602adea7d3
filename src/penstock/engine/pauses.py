"""Waits between two attempts, which end at once when the flow is stopped."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import final

from penstock.engine.bell import Bell
from penstock.errors import Aborted

__all__ = ["Pauses"]


@final
class Pauses:
    """The waits of one flow, of any number of threads.

    Args:
      check: raises `Aborted` when the flow is being stopped.
    """

    def __init__(self, check: Callable[[], None] | None = None) -> None:
        self._check = check
        self._bells: dict[Bell, None] = {}
        self._stopped = False

    def now(self) -> float:
        """The moment of a first error, for `wait`. [s]"""
        return monotonic()

    def wait(self, delay_s: float, *, since: float, deadline_s: float | None) -> bool:
        """Waits; or says no at once where the wait would end too late.

        Args:
          delay_s: how long. [s]
          since: the moment of the first error.
          deadline_s: how long after that the wait may end; `None` sets no limit. [s]

        Raises:
          Aborted: the flow is being stopped.
        """
        if deadline_s is not None and monotonic() + delay_s > since + deadline_s:
            return False
        bell = Bell()
        self._bells[bell] = None
        try:
            self.check()  # after the bell is there to be rung
            if delay_s > 0:
                bell.wait(delay_s)
        finally:
            del self._bells[bell]
        self.check()
        return True

    def check(self) -> None:
        """Lets a thread that works for long hear that the flow is being stopped.

        Raises:
          Aborted: it is.
        """
        if self._stopped:
            raise Aborted
        if self._check is not None:
            self._check()

    def moved(self) -> float:
        """Another number at each call while somebody waits, which is meant to be and no standstill."""
        return monotonic() if self._bells else 0.0

    def abort(self) -> None:
        """Wakes everyone who waits, for good. Takes no lock."""
        self._stopped = True
        for bell in self._bells.copy():
            bell.ring()
