"""What TF1's code means where it names no graph and no session: the default ones.

The one place of penstock where something is global, since the old scripts are written so: `QueueRunner`s are added to the
default graph, and `handle.eval()` runs in the default session. Data and threads belong to sessions, never to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, final

__all__ = ["Graph", "default_graph", "default_session", "install", "reset", "session_as_default"]


@final
class Graph:
    """A collection of queue runners; all else that TF1 kept in a graph hangs together by itself."""

    def __init__(self) -> None:
        self.queue_runners: list[Any] = []
        """What `add_queue_runner` added."""
        self.seed: int | None = None
        """What `set_random_seed` set."""
        self.draws = 0
        """How many random nodes were made since; each has a seed of its own by that."""

    @contextmanager
    def as_default(self) -> Iterator[Graph]:
        """Makes it the default graph of a `with` block."""
        token = _graph.set(self)
        try:
            yield self
        finally:
            _graph.reset(token)

    def get_collection(self, name: str) -> list[Any]:
        """The queue runners under their name; nothing under any other."""
        return list(self.queue_runners) if name == "queue_runners" else []

    def finalize(self) -> None:
        """Does nothing: what is described stays described."""


_first = Graph()
_graph: ContextVar[Graph | None] = ContextVar("penstock.tf1.graph", default=None)
_session: ContextVar[Any] = ContextVar("penstock.tf1.session", default=None)


def default_graph() -> Graph:
    """The graph of the innermost `as_default()`, or the one that is always there."""
    return _graph.get() or _first


def reset() -> None:
    """Forgets what was added to the default graph."""
    graph = default_graph()
    graph.queue_runners.clear()
    graph.seed, graph.draws = None, 0


def default_session() -> Any:
    """The session of the innermost `with`, or `None`."""
    return _session.get()


def install(session: Any) -> None:
    """Makes a session the default of this thread from now on."""
    _session.set(session)


@contextmanager
def session_as_default(session: Any) -> Iterator[Any]:
    """Makes a session the default of a `with` block, in this thread."""
    token = _session.set(session)
    try:
        yield session
    finally:
        _session.reset(token)
