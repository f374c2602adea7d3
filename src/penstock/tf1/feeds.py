"""Batches as handles: a pipeline that opens in a session with its first step, and gives a batch at each."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self, final

from penstock.errors import PipelineError, mismatch
from penstock.flow import Flow
from penstock.pipeline import Pipeline
from penstock.structure import Structure
from penstock.tf1.errors import FeedEnd, InvalidArgumentError, OutOfRangeError, translated
from penstock.tf1.handles import Handle, Node, Step
from penstock.tf1.session import Session

__all__ = ["Feed", "FeedNode", "Pulled", "Source", "feed", "origins"]


@final
class Pulled:
    """Something that is iterated over in a session, an item at each step, by whoever comes.

    Args:
      make: opens what is iterated over.
      name: for messages.
    """

    def __init__(self, make: Callable[[], Iterator[Any]], name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._items = make()

    def next(self) -> Any:
        """The next item.

        Raises:
          OutOfRangeError: there is none.
          Exception: what came up instead of it, under its TF1 name where it is penstock's own.
        """
        try:
            with self._lock:
                return next(self._items)
        except StopIteration:
            raise OutOfRangeError(f"{self._name} is closed, and all that it had was read") from None
        except Exception as error:
            told = translated(error)
            if told is error:
                raise
            raise told from error

    @property
    def flow(self) -> Flow | None:
        """The running flow, if that is what is iterated over."""
        return self._items if isinstance(self._items, Flow) else None

    def close(self) -> None:
        """Closes it, which wakes whoever waits in it."""
        if isinstance(self._items, Flow):
            self._items.close()
            return
        close = getattr(self._items, "close", None)
        if close is not None and self._lock.acquire(blocking=False):  # A generator closes when nobody is in it.
            try:
                close()
            finally:
                self._lock.release()


@final
class Source(Node):
    """A source of penstock's own kind, or a Python iterable, an example of which is read at each step.

    Args:
      name: for messages.
      make: opens it.
    """

    def __init__(self, name: str, make: Callable[[], Iterator[Any]]) -> None:
        super().__init__(name)
        self._make = make

    @property
    def origin(self) -> object:
        """The source."""
        return self

    def outputs(self, step: Step) -> Sequence[Any]:
        """The next example."""
        state: Pulled = step.session.state(self, lambda: Pulled(self._make, self.name))
        return (state.next(),)


@final
class FeedNode(Node):
    """The batches of a pipeline.

    Args:
      name: for messages.
      describe: gives the pipeline that runs in a session; it is asked at once as well, without one, so that what cannot
        be is said when it is written.
      taken: takes a batch apart into the values of the handles.
    """

    def __init__(
        self, name: str, describe: Callable[[Session | None], Pipeline], taken: Callable[[Any], Sequence[Any]]
    ) -> None:
        super().__init__(name)
        self.pipeline = describe(None)
        """The description, without a session."""
        self._describe = describe
        self._taken = taken

    @property
    def origin(self) -> object:
        """The flow."""
        return self

    def outputs(self, step: Step) -> Sequence[Any]:
        """The next batch."""
        session = step.session

        def opened() -> Flow:
            try:
                return self._describe(session).open()
            except PipelineError as error:  # Such as a shared name that was opened with another description.
                raise InvalidArgumentError(str(error)) from error

        state: Pulled = session.state(self, lambda: Pulled(opened, self.name))
        try:
            batch = state.next()
        except OutOfRangeError:
            raise
        except Exception as error:
            session.failed(error)
            raise
        return self._taken(batch)


class StepSource:
    """The examples that handles give, step after step, as sources that penstock's functions read in step.

    Args:
      session: where they run; without one it is a description that cannot be opened.
      handles: the components.
      build: makes an example of their values.
      sides: handles of what is read in the same step, and is no part of the example: a flag, a length.
    """

    def __init__(
        self,
        session: Session | None,
        handles: Sequence[Handle],
        build: Callable[[list[Any]], Any],
        sides: Sequence[Handle] = (),
    ) -> None:
        # Weakly: whoever drops a session without closing it stops its flows, whose threads hold this.
        self._session = None if session is None else weakref.ref(session)
        self._handles = handles
        self._build = build
        self._sides = sides
        self._split = Split(self.rows, 1 + len(sides))

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Opens the source: each example, with what is beside it."""
        while (row := self._row()) is not None:
            yield row

    def _row(self) -> tuple[Any, ...] | None:
        """The example of the next step, with what is beside it; `None` at the end."""
        assert self._session is not None, "what runs has a session"
        session = self._session()
        if session is None or session.stopping:
            return None
        step = Step(session)
        try:
            values = [step.value(handle) for handle in self._handles]
            return (self._build(values), *[step.value(side) for side in self._sides])
        except OutOfRangeError:
            return None
        except Exception as error:
            step.noted(error)
            raise

    @property
    def examples(self) -> Opener:
        """What opens the examples."""
        return Opener(lambda: self._split.part(0), _named(self._handles))

    def side(self, at: int) -> Opener:
        """What opens one of what is beside them."""
        return Opener(lambda: self._split.part(1 + at), _named([self._sides[at]]))


@final
class Opener:
    """A callable that opens a source, and has a name for messages.

    Args:
      opened: opens it.
      name: what it is called.
    """

    def __init__(self, opened: Callable[[], Iterator[Any]], name: str) -> None:
        self._opened = opened
        self.__qualname__ = name

    def __call__(self) -> Iterator[Any]:
        """Opens the source."""
        return self._opened()


def _named(handles: Sequence[Handle]) -> str:
    """What is read behind some handles, by the names of the nodes, the outermost of each."""
    names: dict[str, None] = {}
    waiting = [handle.node for handle in handles]
    while waiting:
        node = waiting.pop(0)
        if node.origin is not None:
            names[node.name] = None
        else:
            waiting += [handle.node for handle in node.inputs]
    return ", ".join(names) or "constants"


@final
class Split:
    """One stream of tuples as several streams of their parts, which are read in step.

    Args:
      opened: opens the stream of tuples.
      count: how many parts they have.
    """

    def __init__(self, opened: Callable[[], Iterator[tuple[Any, ...]]], count: int) -> None:
        self._opened = opened
        self._rows: Iterator[tuple[Any, ...]] | None = None
        self._waiting: list[deque[Any]] = [deque() for _ in range(count)]

    def part(self, at: int) -> Iterator[Any]:
        """Opens the stream of one part; whoever of them is ahead reads the tuple."""
        own = self._waiting[at]
        if self._rows is None:
            self._rows = self._opened()
        while True:
            if not own:
                row = next(self._rows, None)
                if row is None:
                    return
                for waiting, part in zip(self._waiting, row, strict=True):
                    waiting.append(part)
            yield own.popleft()


def origins(handles: Sequence[Handle]) -> set[Any]:
    """All that is moved on by a step that reads these handles."""
    seen: set[Node] = set()
    waiting = [handle.node for handle in handles]
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting += [*[handle.node for handle in node.inputs], *node.controls]
    return {node.origin for node in seen} - {None}


@final
class Feed(Iterator[Any]):
    """Steps without a session of one's own: `next(feed)` gives the values of handles, a step at each call.

    Its end raises `OutOfRangeError`, which also ends a `for` loop. What runs behind it stops when it is closed, by `with` or
    `close()`, or dropped.

    Args:
      handles: any structure of handles.
    """

    def __init__(self, handles: Any) -> None:
        leaves = Structure.of(handles).leaves(handles)
        if not leaves or not all(isinstance(handle, Handle) for handle in leaves):
            wrong = next((type(leaf).__name__ for leaf in leaves if not isinstance(leaf, Handle)), "nothing")
            raise PipelineError(mismatch("a structure of handles", f"`{wrong}` in it", at="feed(handles)"))
        self._handles = handles
        self._session = Session()

    def __next__(self) -> Any:
        """The values of the next step, in the structure of the handles.

        Raises:
          OutOfRangeError: the end of the data.
          Exception: what a source raised.
        """
        try:
            return self._session.run(self._handles)
        except OutOfRangeError as end:
            raise FeedEnd(str(end)) from None

    def __iter__(self) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops what runs behind it."""
        self._session.close()


def feed(handles: Any) -> Feed:
    """The steps of any structure of handles, for `next` or a `for` loop, without a session or threads to start.

    Args:
      handles: a handle, or a list, tuple, dict, … of them.

    Raises:
      PipelineError: something in it is no handle.

    >>> from penstock import tf1 as tf
    >>> x = tf.train.batch([tf.train.limit_epochs(tf.constant(7), num_epochs=4)], batch_size=2)
    >>> for batch in tf.feed(x):
    ...     print(batch)
    [7 7]
    [7 7]
    """
    return Feed(handles)
