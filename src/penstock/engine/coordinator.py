"""Starts the threads of a flow and ends them: the one path that every ending takes.

Guarantees
  `stop()` may be called by anyone, any number of times, from a finalizer, a signal handler, or while the interpreter exits:
  it takes no lock and joins nothing, it only asks. The coordinator's own thread does the rest.
  A thread that is inside the user's code is waited for `grace_s` seconds, then left as a daemon and named.
Assumes
  Every thread of the flow is started here, and waits only on what `abort()` of its lane wakes.
"""

from __future__ import annotations

import atexit
import os
import sys
import traceback
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread, current_thread
from time import monotonic
from typing import Protocol, final

__all__ = ["Coordinator", "Driven"]


class Driven(Protocol):
    """What a thread runs: a lane, or the head."""

    name: str
    stuck: bool
    close_error: BaseException | None

    def pump(self) -> None: ...

    def abort(self) -> None: ...


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
        self._grace_s = grace_s
        self._asked: SimpleQueue[None] = SimpleQueue()
        self._stopping = False
        self._running: list[tuple[Driven, Thread]] = []
        self._cancels: list[Callable[[], object]] = []
        self._thread = Thread(target=self._run, name=f"ps-coord/{name}", daemon=True)
        self._thread.start()
        # The interpreter would not wait for daemons, and a plain thread would make it wait for ever.
        atexit.register(self._leave)

    def start(self, driven: Driven, role: str, cancel: Callable[[], object] | None = None) -> None:
        """Starts a thread that pumps.

        Args:
          driven: what it pumps.
          role: the thread's role and number, `"read-3"`.
          cancel: called when the flow is stopped: it makes a source's blocked call come back.
        """
        thread = Thread(target=driven.pump, name=f"ps-{role}/{self.name}", daemon=True)
        if cancel is not None:
            self._cancels.append(cancel)
        thread.start()
        # Lanes of an epoch that is over have ended; in an endless `repeat` they would pile up here.
        self._running = [(old, its) for old, its in self._running if its.is_alive() or old.close_error is not None]
        self._running.append((driven, thread))
        if self._stopping:  # asked between the first line and this one: whoever comes too late is stopped at once
            driven.abort()

    def stop(self) -> None:
        """Asks for the end; comes back at once. Safe anywhere; in a forked child, which has none of the threads, it does nothing."""
        if self.pid == os.getpid():
            self._asked.put(None)

    def join(self) -> None:
        """Waits until all is ended, or left behind: at most a little more than `grace_s` seconds."""
        if self._thread is not current_thread() and self.pid == os.getpid():
            self._thread.join()

    @property
    def errors(self) -> list[BaseException]:
        """What closing the sources raised."""
        return [driven.close_error for driven, _ in self._running if driven.close_error is not None]

    def _leave(self) -> None:
        """Ends the flow with the interpreter, in the main thread."""
        self.stop()
        self.join()

    def _run(self) -> None:
        self._asked.get()
        atexit.unregister(self._leave)
        self._stopping = True
        for driven, _ in list(self._running):
            driven.abort()
        for cancel in self._cancels:
            try:
                cancel()
            except Exception as error:  # a user's `cancel`; told when the flow is closed
                self.stragglers.append("a source's `cancel()` raised:\n" + "".join(traceback.format_exception(error)))
        deadline = monotonic() + self._grace_s
        for driven, thread in list(self._running):
            thread.join(max(0.0, deadline - monotonic()))
            if thread.is_alive():
                driven.stuck = True
                frame = sys._current_frames().get(thread.ident or 0)
                stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
                self.stragglers.append(f"thread {thread.name!r} is still inside the code of {driven.name!r}:\n{stack}")
