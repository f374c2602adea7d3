"""One running flow that feeds several consumers, each batch going to exactly one of them.

Guarantees
  A batch that a signal kept from reaching its consumer is that consumer's next; if it is closed instead, another's.
  The flow is closed with its last consumer, and then its name is free; nobody waits for a batch to leave.
Assumes
  The flow's `__next__` counts a batch as handed over in its last statements, so that what follows here is not split.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, final
from weakref import WeakSet

__all__ = ["Commune"]


@final
class Commune:
    """A flow and those who take from it.

    Args:
      flow: the flow.
      over: called once, when the last has left.
    """

    def __init__(self, flow: Any, over: Callable[[Commune], object]) -> None:
        self.flow = flow
        self._over = over
        self._turn = Lock()  # of the one who takes a batch from the flow, however long it is in coming
        self._lock = Lock()  # held for a moment
        # Guarded by it:
        self._users: WeakSet[Any] = WeakSet()  # one that is dropped has left
        self._returned: list[Any] = []
        self._ended = False

    def join(self, user: object) -> bool:
        """Takes in one more; whether it can still be joined."""
        with self._lock:
            if not self._ended:
                self._users.add(user)
            return not self._ended

    def next_into(self, hands: list[Any]) -> None:
        """Puts the next batch into somebody's hands, unless there is one in them.

        Raises:
          StopIteration: the end; and whatever the flow raises.
        """
        with self._turn:
            if hands:
                return
            with self._lock:
                if self._returned:
                    hands += (self._returned[0],)
                    del self._returned[0]
                    return
            step: Callable[[], Any] = self.flow.__next__
            hands += (step(),)

    def leave(self, user: object, hands: list[Any]) -> None:
        """Lets one go, and takes back what is in its hands; the last closes the flow."""
        with self._lock:
            count = len(hands)  # Another may come in between the two lines.
            self._returned += hands[:count]
            del hands[:count]
            self._users.discard(user)
            last = not self._users
            self._ended = self._ended or last
        if last:
            self._over(self)
            self.flow.close()
