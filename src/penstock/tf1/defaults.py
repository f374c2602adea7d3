"""What TF1's code means where it names no graph and no session: the default ones.

The one place of penstock where something is global, since the old scripts are written so: `QueueRunner`s are added to the
default graph, and `handle.eval()` runs in the default session. Data and threads belong to sessions, never to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, final

__all__ = [
    "Graph",
    "GraphKeys",
    "add_to_collection",
    "control_dependencies",
    "controls",
    "default_graph",
    "default_session",
    "device",
    "get_collection",
    "install",
    "name_scope",
    "op_scope",
    "reset",
    "session_as_default",
    "variable_scope",
]


class GraphKeys:
    """The names of TF1's collections, of which one means something here: that of the queue runners."""

    QUEUE_RUNNERS = "queue_runners"
    LOCAL_VARIABLES = "local_variables"
    GLOBAL_VARIABLES = "variables"
    SUMMARIES = "summaries"


@final
class Graph:
    """A collection of queue runners; all else that TF1 kept in a graph hangs together by itself."""

    def __init__(self) -> None:
        self.queue_runners: list[Any] = []
        """What `add_queue_runner` added."""
        self.seed: int | None = None
        """What `set_random_seed` set."""
        self.collections: dict[str, list[Any]] = {}
        """What `add_to_collection` added under other names."""
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
        """What was added under a name; the queue runners under theirs."""
        return list(self.queue_runners if name == GraphKeys.QUEUE_RUNNERS else self.collections.get(name, []))

    def add_to_collection(self, name: str, value: Any) -> None:
        """Adds something under a name."""
        own = self.queue_runners if name == GraphKeys.QUEUE_RUNNERS else self.collections.setdefault(name, [])
        own.append(value)

    def finalize(self) -> None:
        """Does nothing: what is described stays described."""


_first = Graph()
_graph: ContextVar[Graph | None] = ContextVar("penstock.tf1.graph", default=None)
_session: ContextVar[Any] = ContextVar("penstock.tf1.session", default=None)
_controls: ContextVar[tuple[Any, ...]] = ContextVar("penstock.tf1.controls", default=())


def default_graph() -> Graph:
    """The graph of the innermost `as_default()`, or the one that is always there."""
    return _graph.get() or _first


def reset() -> None:
    """Forgets what was added to the default graph."""
    graph = default_graph()
    graph.queue_runners.clear()
    graph.collections.clear()
    graph.seed, graph.draws = None, 0


def get_collection(key: str, scope: str | None = None) -> list[Any]:
    """What was added to the default graph under a name."""
    return default_graph().get_collection(key)


def add_to_collection(name: str, value: Any) -> None:
    """Adds something to the default graph under a name."""
    default_graph().add_to_collection(name, value)


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


def controls() -> tuple[Any, ...]:
    """What the `control_dependencies` around say: nodes that run before those that are made now."""
    return _controls.get()


@contextmanager
def control_dependencies(control_inputs: Iterable[Any] | None) -> Iterator[None]:
    """What is made in a `with` block runs, in a step, after these have run: `tf.assert_equal(…)`, say.

    Args:
      control_inputs: handles; `None` forgets those of the blocks around it.

    Source: TF1 `tf.control_dependencies`.
    """
    nodes = tuple(getattr(each, "node", each) for each in control_inputs or ())
    token = _controls.set((*_controls.get(), *nodes) if control_inputs is not None else ())
    try:
        yield
    finally:
        _controls.reset(token)


@contextmanager
def name_scope(name: str | None, default_name: str | None = None, values: object = None) -> Iterator[str]:
    """A `with` block that had names of its own in TF1; here it does nothing."""
    yield f"{name or default_name or ''}/"


@contextmanager
def op_scope(values: object, name: str | None, default_name: str | None = None) -> Iterator[str]:
    """A `with` block that had names of its own in TF1; here it does nothing."""
    yield f"{name or default_name or ''}/"


@contextmanager
def variable_scope(
    name_or_scope: Any, default_name: str | None = None, values: object = None, reuse: object = None, **_: Any
) -> Iterator[str]:
    """A `with` block that had names of its own in TF1; here it does nothing."""
    yield f"{name_or_scope or default_name or ''}/"


@contextmanager
def device(device_name_or_function: object) -> Iterator[None]:
    """A `with` block that ran on a device in TF1; here it does nothing."""
    yield
