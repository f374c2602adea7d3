"""Waits for a batch on behalf of the loop, and says so when nothing moves any more.

There is no thread for it, and nothing is counted for it: whoever waits for a batch waits no longer than a while, and then
looks whether anything has moved since it last looked. So a batch that takes long, but comes on, is no cause for alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import TIMEOUT_MAX
from typing import final

from penstock.engine.bell import Waited
from penstock.engine.coordinator import Coordinator
from penstock.errors import Stalled, mismatch

__all__ = ["Watchdog"]


@final
class Watchdog:
    """Raises where nothing has moved for a while.

    Args:
      after_s: how long that is; the error comes within twice as long. [s]
      moved: tells how far everything has come; what it gives is only compared.
      doing: tells who is waited for.
      coordinator: of the threads whose stacks are shown.
    """

    def __init__(
        self, after_s: float, *, moved: Callable[[], Hashable], doing: Callable[[], str], coordinator: Coordinator
    ) -> None:
        self._after_s = min(after_s, TIMEOUT_MAX)
        self._moved = moved
        self._doing = doing
        self._coordinator = coordinator

    def __call__(self, filled: Waited) -> None:
        """Waits until a bell rings.

        Raises:
          Stalled: nothing has moved.
        """
        before = self._moved()
        while not filled.wait(self._after_s):
            now = self._moved()
            if now == before:
                waits = f"nothing for {self._after_s:g} s, which is `watchdog_s`, while waiting for {self._doing()}"
                stacks = "\n".join(self._coordinator.stacks())
                raise Stalled(f"{mismatch('a batch, or an example on its way to one', waits)}\n{stacks}")
            before = now
