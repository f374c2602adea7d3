"""Sessions: where what handles describe runs, step after step.

Guarantees
  A step reads each origin once, so the components of one step belong together; two sessions share nothing.
  A session starts what a step needs, so nothing hangs when `start_queue_runners` was forgotten.
  `close()` wakes whoever waits in the session, and joins its threads.
Assumes
  Handles of one origin are read from one thread at a time, or it does not matter which thread gets what.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from itertools import count
from types import SimpleNamespace, TracebackType
from typing import Any, Protocol, Self, final

from penstock.errors import mismatch
from penstock.structure import Structure
from penstock.tf1.defaults import Graph, default_graph, install, session_as_default
from penstock.tf1.errors import CancelledError, FormError, OutOfRangeError, translated
from penstock.tf1.handles import Handle, Node, Step, as_value

__all__ = ["ConfigProto", "GPUOptions", "RunOptions", "Session", "State", "interactive_session"]


NUMBERS = count()


@final
class ConfigProto:
    """Takes whatever TF1's took: `config.gpu_options.allow_growth = True`; one setting means something.

    Args:
      operation_timeout_in_ms: how long the steps of a session wait for a queue; 0 for ever. [ms]
      **_: settings that change nothing.
    """

    def __init__(self, *, operation_timeout_in_ms: int = 0, **_: Any) -> None:
        self.gpu_options = SimpleNamespace()
        self.operation_timeout_in_ms = operation_timeout_in_ms


@final
class GPUOptions:
    """Takes whatever TF1's took, and changes nothing."""

    def __init__(self, **_: Any) -> None:
        """Nothing is kept."""


@final
class RunOptions:
    """How one step is run.

    Args:
      timeout_in_ms: how long it waits for a queue; 0 for ever. [ms]
      **_: settings that change nothing.
    """

    def __init__(self, *, timeout_in_ms: int = 0, **_: Any) -> None:
        self.timeout_in_ms = timeout_in_ms


GRACE_S = 1.0
"""How long closing waits for a thread that is inside the user's code. [s]"""


class State(Protocol):
    """What of an origin runs in one session."""

    def close(self) -> None:
        """Stops it, and wakes whoever waits in it."""
        ...


@final
class Session:
    """Runs handles: `sess.run([images, labels])` gives their values in one step.

    Args:
      target: sessions of one target share queues and flows of one `shared_name`; those without share nothing.
      graph: whose queue runners it starts; the default graph if `None`.
      config: of it, `operation_timeout_in_ms` says how long a step waits for a queue.
    """

    def __init__(self, target: str = "", graph: Graph | None = None, config: object = None) -> None:
        self.graph = graph if graph is not None else default_graph()
        self.coordinator: Any = None
        """The coordinator given to `start_queue_runners`, which is told of errors, and stops reading."""
        self._states: dict[Any, Any] = {}
        self._lock = threading.RLock()
        self._closed = False
        self._entered: list[AbstractContextManager[Any]] = []
        self.target = target
        self._timeout_ms = getattr(config, "operation_timeout_in_ms", 0)
        self._number = next(NUMBERS)
        self._threads: list[threading.Thread] = []

    def run(
        self,
        fetches: Any,
        feed_dict: Mapping[Handle, Any] | None = None,
        options: object = None,
        run_metadata: object = None,
    ) -> Any:
        """The values of any structure of handles, all in one step.

        Args:
          fetches: a handle, or a list, tuple, dict, namedtuple or dataclass of them, as deep as one likes.
          feed_dict: values that stand in for handles in this step.
          options: `tf.RunOptions`, of which `timeout_in_ms` says how long the step waits for a queue.
          run_metadata: taken as in TF1, and changes nothing.

        Returns:
          The structure of `fetches` with a value in place of each handle, `None` in place of an operation.

        Raises:
          OutOfRangeError: the data have ended.
          CancelledError: the session was closed.
          DeadlineExceededError: a queue was waited for longer than `options` say.
          FormError: something among `fetches` is no handle.
          Exception: what a source raised, after the whole batches before it.
        """
        structure = Structure.of(fetches)
        handles = structure.leaves(fetches)
        for handle in handles:
            if not isinstance(handle, (Handle, Node)):
                got = f"`{type(handle).__name__}`"
                do = "its next element: `x.dequeue()`" if hasattr(handle, "dequeue") else None
                raise FormError(mismatch("handles of `penstock.tf1`", got, at="sess.run(fetches)", do=do))
        if self._closed:
            raise CancelledError("the session was closed")
        fed = {handle: as_value(value, like=handle.dtype) for handle, value in (feed_dict or {}).items()}
        timeout_ms = getattr(options, "timeout_in_ms", 0) or self._timeout_ms
        step = Step(self, fed, timeout_ms / 1000 if timeout_ms else None)
        try:
            values = [step.value(h) if isinstance(h, Handle) else step.outputs(h)[0] for h in handles]
        except OutOfRangeError:
            raise
        except Exception as error:
            step.noted(error)
            told = translated(error)
            if told is error:
                raise
            raise told from error
        return structure.build(values)

    def failed(self, error: BaseException) -> None:
        """Tells the coordinator of an error of what is read; one that comes of closing the session is none."""
        if self.coordinator is not None and not self.closed:
            self.coordinator.request_stop(error)

    def state(self, origin: Any, make: Callable[[], Any]) -> Any:
        """What runs of an origin in this session, made when it is first needed.

        Raises:
          CancelledError: the session was closed.
        """
        found = self._states.get(origin)
        if found is None:
            with self._lock:
                if self._closed:
                    raise CancelledError("the session was closed")
                found = self._states.get(origin)
                if found is None:
                    found = self._states[origin] = make()
        return found

    def states(self) -> list[Any]:
        """What runs in the session, in the order in which it was made."""
        with self._lock:
            return list(self._states.values())

    def start_runners(self, queue: Any) -> None:
        """Starts the queue runners that were added for a queue, those that nobody started yet."""
        for runner in self.graph.queue_runners:
            if runner.queue is queue and not runner.started_in(self):
                started = runner.create_threads(self, coord=self.coordinator, daemon=True, start=True)
                self._threads.extend(started)

    def shared(self, name: str) -> str:
        """A shared name as it is known in the process: sessions share what they do if they have the same target."""
        return f"{self.target or f'session {self._number}'}/{name}"

    @property
    def stopping(self) -> bool:
        """Whether reading ends: the session was closed, or its coordinator told to stop."""
        return self._closed or (self.coordinator is not None and self.coordinator.should_stop())

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def close(self) -> None:
        """Stops all that runs in it; may be called any number of times."""
        with self._lock:
            self._closed = True
            states, self._states = list(self._states.values()), {}
            threads, self._threads = self._threads, []
        # What was made last is what others wait in: the inner one first.
        for state in reversed(states):
            state.close()
        for thread in threads:
            thread.join(GRACE_S)

    def as_default(self) -> AbstractContextManager[Any]:
        """Makes it the default session of a `with` block, without closing it."""
        return session_as_default(self)

    def __enter__(self) -> Self:
        self._entered.append(self.as_default())
        self._entered[-1].__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._entered.pop().__exit__(kind, error, trace)
        self.close()


def interactive_session(target: str = "", graph: Graph | None = None, config: object = None) -> Session:
    """A session that is the default one from now on, as TF1's `InteractiveSession`: `handle.eval()` runs in it.

    Args:
      target: as of a `Session`.
      graph: as of a `Session`.
      config: as of a `Session`.
    """
    session = Session(target, graph, config)
    install(session)
    return session
