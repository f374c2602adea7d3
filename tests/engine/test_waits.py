"""Every wait of the engine is ended by close: each is found in the code, forced, and closed from another thread."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

import numpy as np
import pytest

import penstock as ps
import penstock.build as build
import penstock.engine.head as head
import penstock.engine.lane as lane
from penstock.errors import FlowClosed, QueueClosed

ROOT = Path(build.__file__).parent
PATIENCE_S = 10.0
"""A thread that does not get to its wait by then does not get there. [s]"""
CLOSED_S = 2.0
"""How long closing may take. [s]"""

NO_WAITS = {
    "coordinator._stack: sys._current_frames().get(thread.ident or 0)": "a dict",
    "shared.Commons.get: self._held.get(name)": "a dict",
    "shared.Commons.forget: self._held.get(name)": "a dict",
    "shared.Commons.get: known.get(key)": "a dict",
    "shared.Commons.get: described.get(key)": "a dict",
    "coordinator.Coordinator._leave: self.join()": "is `Coordinator.join`",
    "lane.Lane.take: self.wait()": "is `Lane.wait`",
    "bell.Bell.__init__: self._lock.acquire()": "of a lock that nobody else knows yet",
    "bell.Bell.hush: self._lock.acquire(False)": "or not at all",
    "coordinator.Coordinator.join: self._thread.join()": "of a thread that has said, in its last statement, that it is over",
}
"""What looks like a wait and is none, and why."""


CALLS = {"wait", "acquire", "join", "get"}
LOCKS = {"Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore"}


def waits() -> Iterator[tuple[str, str, int, int]]:
    """What may wait: what it is called here, its file, its first line and its last."""
    for path in sorted((ROOT / "engine").glob("*.py")):
        yield from _within(path, CALLS)
    yield from _within(ROOT / "build.py", {"wait"})  # It waits for a bell of the engine's.


def _within(path: Path, calls: set[str]) -> Iterator[tuple[str, str, int, int]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    locks = {
        ast.unparse(node.targets[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in LOCKS
    }

    def found(node: ast.AST, name: str) -> Iterator[tuple[str, str, int, int]]:
        for below in ast.iter_child_nodes(node):
            if isinstance(below, ast.ClassDef | ast.FunctionDef):
                yield from found(below, f"{name}.{below.name}")
                continue
            for held in [ast.unparse(item) for item in below.items] if isinstance(below, ast.With) else []:
                if held in locks:
                    yield f"{name}: with {held}", str(path), below.lineno, below.lineno
            called = below.func if isinstance(below, ast.Call) else None
            if (
                isinstance(called, ast.Attribute)
                and called.attr in calls
                and not isinstance(called.value, ast.Constant)  # "".join
            ):
                yield f"{name}: {ast.unparse(below)}", str(path), below.lineno, below.end_lineno or below.lineno
            yield from found(below, name)

    return found(tree, path.stem)


class Stalling:
    """Gives a few numbers, then nothing more until it is let go on, or cancelled."""

    def __init__(self, few: int = 0) -> None:
        self.few, self.go = few, Event()

    def __call__(self) -> Iterator[int]:
        yield from range(self.few)
        self.go.wait()

    def cancel(self) -> None:
        self.go.set()


class Stubborn(Stalling):
    """One that cannot be cancelled."""

    cancel = None  # type: ignore[assignment]


def failing() -> Iterator[int]:
    raise OSError
    yield 0


def arrays() -> Iterator[Any]:
    return (np.zeros(100) for _ in count())


class Scene:
    """What a scenario starts, and how that is closed.

    Args:
      set_to: sets an attribute of a module for as long as the scenario lasts.
    """

    def __init__(self, set_to: Callable[[Any, str, Any], None]) -> None:
        self.set_to = set_to
        self.threads: list[Thread] = []
        self.endings: list[Callable[[], object]] = []

    def open(self, pipeline: ps.Pipeline) -> Any:
        flow = pipeline.open()
        self.endings.append(flow.close)
        return flow

    def run(self, work: Callable[[], object]) -> None:
        """Runs what is going to wait in a thread of its own; that it was closed under its hands is as it should be."""

        def closed_or_done() -> None:
            try:
                work()
            except (FlowClosed, QueueClosed):
                return

        self.threads.append(Thread(target=closed_or_done, daemon=True))
        self.threads[-1].start()

    def take(self, pipeline: ps.Pipeline) -> None:
        """Has a thread wait for the next batch."""
        flow = self.open(pipeline)
        self.run(lambda: next(flow))

    def close(self) -> None:
        for ending in self.endings:
            ending()


def no_source_parks(scene: Scene, pipeline: ps.Pipeline) -> None:
    scene.set_to(lane, "QUICK_S", -1.0)
    scene.open(pipeline)


def every_source_parks(scene: Scene) -> None:
    scene.set_to(lane, "QUICK_S", 1e9)
    scene.open(ps.join([lambda: iter(range(10**9))]).batch(2))


def the_loop_looks_by_itself(scene: Scene, *, padded: bool = False) -> None:
    scene.set_to(head, "NAP_S", 1e6)
    scene.take(feed(padded=padded))


def closing_while_a_source_is_busy(scene: Scene) -> None:
    source = Stubborn()
    flow = ps.join([source]).batch(2).options(grace_s=60).open()
    while not flow._coordinator._running:  # the source's thread is there before anybody closes
        Event().wait(0.001)
    awaited(lambda: [frame for frame in stacks() if frame.f_code is Stubborn.__call__.__code__])
    scene.run(flow.close)
    scene.endings += [source.go.set, flow.close]


def two_of_one_name(scene: Scene) -> None:
    for _ in range(2):
        scene.take(ps.join([Stalling()]).batch(2).options(shared_name="waits"))


def from_an_empty_queue(scene: Scene, **arguments: Any) -> None:
    queue = ps.FIFOQueue(4)
    scene.run(lambda: queue.dequeue(**arguments))
    scene.endings.append(queue.cancel)


def feed(*, padded: bool) -> ps.Pipeline:
    """Of a source that gives nothing."""
    joined = ps.join([Stalling()])
    return (joined.pad() if padded else joined).batch(2)


def stalled(*, padded: bool = False, **options: Any) -> Callable[[Scene], None]:
    return lambda scene: scene.take(feed(padded=padded).options(**options))


SCENARIOS: dict[str, Callable[[Scene], None]] = {
    "bell.Bell.wait: self._lock.acquire(True, most_s)": stalled(),
    "build._Waiting.__call__: self._bell.wait()": lambda scene: scene.take(
        ps.join([Stalling(), Stalling()], order="arrival").batch(2)
    ),
    "commune.Commune.next_into: with self._turn": two_of_one_name,
    "coordinator.Coordinator.join: self._over.wait(left)": closing_while_a_source_is_busy,
    "coordinator.Coordinator._await_all: thread.join(max(0.0, deadline - monotonic()))": closing_while_a_source_is_busy,
    "coordinator.Coordinator.run: self._asked.wait()": lambda scene: scene.open(ps.join([range(9)]).batch(2)),
    "head.Head._await_room: self._freed.wait()": lambda scene: scene.open(ps.join([range(10**6)]).batch(2)),
    "head.Head.first: self._filled.wait(NAP_S)": the_loop_looks_by_itself,
    "head.Head.first: self._filled.wait()": stalled(),
    "lane.Lane._await_room: self._freed.wait()": lambda scene: no_source_parks(scene, ps.join([arrays]).batch(2)),
    "lane.Lane._admitted: self._freed.wait()": lambda scene: no_source_parks(
        scene, ps.join([arrays]).batch(2).options(capacity=64, capacity_bytes=1000)
    ),
    "lane.Lane._park: self._freed.wait()": every_source_parks,
    "lane.Lane.wait: self._filled.wait()": stalled(),
    "line.Line._await: one.bell.wait()": from_an_empty_queue,
    "line.Line._await: one.bell.wait(left)": lambda scene: from_an_empty_queue(scene, timeout_s=1e6),
    "pauses.Pauses.wait: bell.wait(delay_s)": lambda scene: scene.open(
        ps.join([failing]).batch(2).options(on_error=ps.Retry(times=3, backoff_s=1e6))
    ),
    "watchdog.Watchdog.__call__: filled.wait(self._after_s)": stalled(watchdog_s=1e6),
}
"""For each wait, what leads to it."""

WRITERS: dict[str, Callable[[Scene], None]] = {
    "head.Head.first: self._filled.wait(NAP_S)": lambda scene: the_loop_looks_by_itself(scene, padded=True),
    "head.Head.first: self._filled.wait()": stalled(padded=True),
    "watchdog.Watchdog.__call__: filled.wait(self._after_s)": stalled(padded=True, watchdog_s=1e6),
}
"""The same for those who write padded batches while they wait: they wait in native code, where there is any."""


def stacks() -> Iterator[Any]:
    """Every frame of every thread."""
    for frame in sys._current_frames().values():
        within: Any = frame
        while within is not None:
            yield within
            within = within.f_back


def awaited(look: Callable[[], Any]) -> Any:
    """What a look gives as soon as it gives something, and the same in three looks."""
    deadline, before, times = monotonic() + PATIENCE_S, None, 0
    while times < 3:
        assert monotonic() < deadline, "it did not come to its wait"
        now = look()
        before, times = now, times + 1 if now and now == before else 0
        Event().wait(0.003)
    return before


def test_every_wait_has_its_scenario():
    """A new one is not forgotten."""
    found = [name for name, *_ in waits()]
    moments = {name for name in found if name.endswith("with self._lock")}

    assert sorted(set(found) - set(NO_WAITS) - moments) == sorted(SCENARIOS)
    assert sorted(set(NO_WAITS) - set(found)) == []
    assert {name.split(".")[0] for name in moments} == {"commune", "line", "shared"}, "their locks are held for moments"


@pytest.mark.parametrize(
    ("name", "scenario"),
    [*SCENARIOS.items(), *WRITERS.items()],
    ids=[*SCENARIOS, *[f"{name} padded" for name in WRITERS]],
)
def test_a_wait_is_ended_by_close(name: str, scenario: Callable[[Scene], None], monkeypatch: pytest.MonkeyPatch):
    """From another thread, and at once."""
    (place,) = [(file, first, last) for wait, file, first, last in waits() if wait == name]
    file, first, last = place
    scene = Scene(monkeypatch.setattr)
    scenario(scene)

    def there() -> list[Any]:
        return [frame for frame in stacks() if frame.f_code.co_filename == file and first <= frame.f_lineno <= last]

    try:
        blocked = awaited(there)
    finally:
        closing = Thread(target=scene.close, daemon=True)
        started = monotonic()
        closing.start()
        closing.join(CLOSED_S)
    took_s = monotonic() - started

    assert not closing.is_alive()
    assert took_s < CLOSED_S
    for thread in scene.threads:
        thread.join(CLOSED_S)
        assert not thread.is_alive()
    assert [frame for frame in there() if frame in blocked] == []
