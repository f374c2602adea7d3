"""Two threads of which one goes at a time, so that a test decides what happens when."""

from collections.abc import Callable
from threading import Semaphore, Thread, current_thread

PATIENCE_S = 30.0
"""A thread that has not come to its next stop by then never will. [s]"""

MOST_STOPS = 40
"""A thread that has not rung after so many stops is not going to."""


class NobodyLeftError(AssertionError):
    """The test waits for a thread that waits for the test, or has ended."""


class LockStep:
    """Runs a function in a thread that goes only when the test lets it, from one stop to the next.

    Its stops are where it calls `pause`: in a stage that is pulled, and where it rings a `StepBell` or would wait on one.
    """

    def __init__(self, target: Callable[[], object]) -> None:
        self.at = "the start"
        self._target = target
        self._go, self._came = Semaphore(0), Semaphore(0)
        self._thread = Thread(target=self._run, name="ps-lockstep", daemon=True)
        self._thread.start()

    def go(self) -> str:
        """Lets the thread go to its next stop, and tells which that is."""
        if self.at != "the end":
            self._go.release()
            assert self._came.acquire(timeout=PATIENCE_S), f"the thread came to no stop after {self.at}"
        return self.at

    def finish(self) -> None:
        """Lets it go until it has ended."""
        stops = 0
        while self.go() != "the end":
            stops += 1
            assert stops < MOST_STOPS, f"the thread does not end, it is at {self.at}"
        self._thread.join()

    def pause(self, at: str) -> None:
        """A stop of the thread; nothing in the test's own."""
        if current_thread() is self._thread:
            self.at = at
            self._came.release()
            self._go.acquire()

    @property
    def inside(self) -> bool:
        """Whether this is called by the thread."""
        return current_thread() is self._thread

    def _run(self) -> None:
        self._go.acquire()
        try:
            self._target()
        finally:
            self.at = "the end"
            self._came.release()


class StepBell:
    """What `Bell` does, where waiting is a stop of the thread, and in the test lets the thread go."""

    def __init__(self) -> None:
        self.step: LockStep | None = None
        self.rung = False

    def ring(self) -> None:
        self.rung = True
        if self.step is not None:
            self.step.pause("a ring")

    def wait(self, most_s: float = -1) -> None:
        assert self.step is not None
        if self.step.inside:
            while not self.rung:
                self.step.pause("a wait")
        stops = 0
        while not self.rung:
            at, stops = self.step.go(), stops + 1
            if not self.rung and (at == "the end" or stops == MOST_STOPS):
                raise NobodyLeftError(f"the thread is at {at}, and rings no more")
        self.rung = False
