"""What a thread waits on: a bell that stays rung until the one who waits has heard it.

Guarantees
  A ring is never missed: whoever changes something rings after it, whoever waits looks again after each ring.
  Ringing takes no lock that anybody holds, so it is safe in a finalizer, in a signal handler, and in any thread.
  A signal may split a wait: a ring lost that way is made good by looking again before the next wait.
Assumes
  One waiter; any number of ringers.
Why not a Condition
  `with condition:` in the main thread can be split by a signal between taking the lock and releasing it, and then nobody
  gets it again.
"""

from __future__ import annotations

from threading import Lock
from typing import Protocol, final

__all__ = ["Bell", "Waited"]


class Waited(Protocol):
    """What one thread waits for, and others ring."""

    def ring(self) -> None: ...

    def wait(self, most_s: float = -1, /) -> bool: ...

    def hush(self) -> None: ...


@final
class Bell:
    """A binary semaphore."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = Lock()
        self._lock.acquire()

    def ring(self) -> None:
        """Wakes the waiter, or the next one who waits."""
        if self._lock.locked():
            try:
                self._lock.release()
            except RuntimeError:  # another thread rang between the two lines: it is rung, which is all that is wanted
                return

    def wait(self, most_s: float = -1) -> bool:
        """Waits for a ring, and uses it up; no longer than `most_s` seconds, where given. Says whether it rang. [s]"""
        return self._lock.acquire(True, most_s)

    def hush(self) -> None:
        """Uses up a ring, if there was one; for the waiter, who looks after it and before it waits."""
        self._lock.acquire(False)
