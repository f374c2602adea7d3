"""Starts the threads of a flow and ends them: the one path that every ending takes.

Guarantees
  `stop()` may be called by anyone, any number of times, from a finalizer, a signal handler, or while the interpreter exits:
  it takes no lock and joins nothing, it only asks. The coordinator's own thread does the rest.
  A thread that is inside the user's code is waited for `grace_s` seconds, then left as a daemon and named.
Assumes
  Every thread of the flow is started here, and waits only on what `abort()` of its lane wakes.
Why not just `Thread.join`
  Before Python 3.13 a join that Ctrl-C interrupts takes the thread for ended, and the next join does not wait.
"""

from __future__ import annotations

import atexit
import os
import sys
import traceback  # At the end of the interpreter, to load it would change the exit status of a Ctrl-C.
from collections import Counter
from collections.abc import Callable
from threading import TIMEOUT_MAX, Thread, current_thread
from threading import enumerate as all_threads
from time import monotonic
from typing import Protocol, final

from penstock.engine.bell import Bell
from penstock.errors import Aborted

__all__ = ["Coordinator", "Driven"]

PATIENCE_S = 1.0
"""Beyond twice the grace, so long the coordinator's own thread is waited for, which only a `cancel()` can hold up. [s]"""


class Driven(Protocol):
    """What a thread runs: a lane, or the head."""

    stuck: bool
    close_error: BaseException | None

    def pump(self) -> None: ...

    def abort(self) -> None: ...

    def doing(self) -> str:
        """Whose code it is in."""


@final
class Coordinator:
    """The threads of one flow.

    Args:
      name: of the flow; part of the threads' names.
      grace_s: how long a thread inside the user's code is waited for. [s]
    """

    def __init__(self, name: str, *, grace_s: float) -> None:
        self.name = name
        self.pid = os.getpid()
        self.stragglers: list[str] = []
        """What threads were doing that did not come back in time, each with its stack."""
        self._grace_s = min(grace_s, TIMEOUT_MAX / 4)
        self._asked = Bell()
        self._stopping = False
        self._running: dict[Thread, Driven] = {}
        self._prune_at = 64
        self._raised: Counter[str] = Counter()
        self._cancels: list[Callable[[], object]] = []
        self._ended = False
        self._over = Bell()
        self._thread = _Closer(self)
        self._thread.start()
        # The interpreter would not wait for daemons, and a plain thread would make it wait for ever.
        # Not `weakref.finalize`: what was opened last is to end first, before the libraries clean up that it uses.
        atexit.register(self._leave)

    def on_stop(self, cancel: Callable[[], object]) -> None:
        """Has a source's `cancel` called when the flow is stopped: it makes a blocked call come back."""
        if cancel not in self._cancels:  # asked again for each epoch
            self._cancels.append(cancel)

    def start(self, driven: Driven, role: str) -> None:
        """Starts a thread that pumps.

        Args:
          driven: what it pumps.
          role: the thread's role and number, `"read-3"`.
        """
        thread = Thread(target=driven.pump, name=f"ps-{role}/{self.name}", daemon=True)
        thread.start()
        if len(self._running) >= self._prune_at:
            self._prune()
        self._running[thread] = driven
        if self._stopping:  # asked between the first line and this one: whoever comes too late is stopped at once
            driven.abort()

    def _prune(self) -> None:
        """Forgets those that have ended; in an endless `repeat` they would pile up."""
        for thread in list(self._running):
            if not thread.is_alive():
                driven = self._running.pop(thread, None)
                if driven is not None:
                    self._note(driven)
        self._prune_at = 64 + 2 * len(self._running)

    def _note(self, driven: Driven) -> None:
        if driven.close_error is not None:
            self._raised[f"closing {driven.doing()} raised {driven.close_error!r}"] += 1

    def check(self) -> None:
        """Lets a thread of the flow hear that it is being stopped.

        Raises:
          Aborted: it is.
        """
        if self._stopping:
            raise Aborted

    def stacks(self) -> list[str]:
        """What each thread of the flow is doing now."""
        return [
            f"thread {thread.name!r}, of {driven.doing()}:\n{_stack(thread)}"
            for thread, driven in list(self._running.items())
            if thread.is_alive()
        ]

    def stop(self) -> None:
        """Asks for the end; comes back at once. Safe anywhere.

        In a forked child, which has none of the threads, it does nothing.
        """
        if self.pid == os.getpid():
            self._asked.ring()

    def join(self) -> None:
        """Waits until all is ended, or left behind: at most a little more than `grace_s` seconds."""
        if self._thread is current_thread() or self.pid != os.getpid():
            return
        deadline = monotonic() + 2 * self._grace_s + PATIENCE_S
        while not self._ended and (left := deadline - monotonic()) > 0:
            self._over.wait(left)
        self._over.ring()  # for the next who waits
        if self._ended:
            self._thread.join()
        elif not self.stragglers:
            self.stragglers.append(f"thread {self._thread.name!r} is still closing the flow:\n{_stack(self._thread)}")

    @property
    def errors(self) -> list[str]:
        """What closing the sources raised, and how often if more than once; complete once the flow is stopped."""
        return [text if times == 1 else f"{text}, {times} times" for text, times in self._raised.items()]

    def _leave(self) -> None:
        """Ends the flow with the interpreter, in the main thread."""
        for thread in all_threads():  # all flows at once, so that those that are stuck are waited for together
            if isinstance(thread, _Closer):
                thread.ask()
        self.join()

    def run(self) -> None:
        """Waits to be asked, and ends everything; the work of the coordinator's thread."""
        self._asked.wait()
        atexit.unregister(self._leave)
        self._stopping = True
        try:
            for driven in list(self._running.values()):
                driven.abort()
            self._cancel()
            self._await_all()
        finally:
            self._ended = True
            self._over.ring()

    def _cancel(self) -> None:
        for cancel in self._cancels:
            try:
                cancel()
            except BaseException as error:  # a user's `cancel`; told when the flow is closed
                self.stragglers.append("a source's `cancel()` raised:\n" + "".join(traceback.format_exception(error)))

    def _await_all(self) -> None:
        deadline = monotonic() + self._grace_s
        awaited: set[Thread] = set()
        # One that is awaited may have started another meanwhile.
        while waiting := [each for each in list(self._running.items()) if each[0] not in awaited]:
            for thread, driven in waiting:
                thread.join(max(0.0, deadline - monotonic()))
                awaited.add(thread)
                if thread.is_alive():
                    driven.stuck = True
                    self.stragglers.append(
                        f"thread {thread.name!r} is still inside the code of {driven.doing()}:\n{_stack(thread)}"
                    )
        for driven in list(self._running.values()):
            self._note(driven)
        self._running.clear()  # what they run holds this coordinator
        self._cancels.clear()


@final
class _Closer(Thread):
    """The coordinator's own thread."""

    def __init__(self, coordinator: Coordinator) -> None:
        super().__init__(name=f"ps-coord/{coordinator.name}", daemon=True)
        self._coordinator: Coordinator | None = coordinator

    def run(self) -> None:
        """Ends the flow when asked to."""
        if self._coordinator is not None:
            self._coordinator.run()
        self._coordinator = None  # they hold each other, and only a collection would free them

    def ask(self) -> None:
        """Asks for the flow's end."""
        coordinator = self._coordinator
        if coordinator is not None:
            coordinator.stop()


def _stack(thread: Thread) -> str:
    """What a thread is doing."""
    frame = sys._current_frames().get(thread.ident or 0)
    return "".join(traceback.format_stack(frame)) if frame is not None else ""
