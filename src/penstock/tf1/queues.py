"""TF1's queues as descriptions: `enqueue` and `dequeue` give handles, and the queue itself lives in a session.

Guarantees
  Each session has a queue of its own; queues with one `shared_name` are one queue in a session, and between sessions that
  were given the same target.
  A dequeue starts the queue runners that were added for the queue, if nobody did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, final

import numpy as np

import penstock as ps
from penstock.errors import PipelineError, QueueClosed, QueueExhausted, mismatch
from penstock.tf1.errors import CancelledError, DeadlineExceededError, FormError, InvalidArgumentError, OutOfRangeError
from penstock.tf1.handles import Handle, Node, Operation, Step, as_handle, dtype_of

__all__ = ["FIFOQueue", "PaddingFIFOQueue", "PriorityQueue", "QueueBase", "RandomShuffleQueue"]


class QueueBase:
    """What all queues do.

    Args:
      make: makes the queue of a session, given its shared name.
      dtypes: of each component.
      shapes: of each component.
      names: of the components, if elements are dicts.
      shared_name: queues with this name are one.
      name: for messages.
    """

    def __init__(
        self, make: Callable[[str | None], Any], dtypes: Any, shapes: Any, names: Any, shared_name: Any, name: str
    ) -> None:
        self._make = make
        listed = dtypes if isinstance(dtypes, (list, tuple)) else [dtypes]
        self.dtypes = [dtype_of(dtype) for dtype in listed]
        self.shapes = shapes
        self.names = None if names is None else list([names] if isinstance(names, str) else names)
        self.name = name
        self._shared_name = shared_name
        make(None)  # So that what cannot be is said when it is written.

    @property
    def queue_ref(self) -> QueueBase:
        """The queue itself."""
        return self

    def enqueue(self, vals: Any, name: str | None = None) -> Handle:
        """Something to run that puts an element in, and waits for room.

        Args:
          vals: a handle or value; of several components a list of them, or a dict by their names.
          name: for messages.

        Raises:
          ValueError: other components than those of the queue.
        """
        return self._putting(
            name or "enqueue", vals, lambda queue, element, timeout_s: queue.enqueue(element, timeout_s=timeout_s)
        )

    def enqueue_many(self, vals: Any, name: str | None = None) -> Handle:
        """Something to run that puts many elements in, each component with a leading dimension, and waits for room."""
        return self._putting(
            name or "enqueue_many",
            vals,
            lambda queue, elements, timeout_s: queue.enqueue_many(elements, timeout_s=timeout_s),
        )

    def dequeue(self, name: str | None = None) -> Any:
        """The components of an element that is taken out: a handle, a list of them, or a dict by names."""
        return self._taking(name or "dequeue", lambda queue, _, timeout_s: queue.dequeue(timeout_s=timeout_s))

    def dequeue_many(self, n: Any, name: str | None = None) -> Any:
        """The components of n elements, each with a leading dimension."""
        _count(n, "dequeue_many")
        return self._taking(
            name or "dequeue_many", lambda queue, n, timeout_s: queue.dequeue_many(n, timeout_s=timeout_s), n
        )

    def dequeue_up_to(self, n: Any, name: str | None = None) -> Any:
        """The components of n elements; of a closed queue of what is left, if that is fewer."""
        _count(n, "dequeue_up_to")
        return self._taking(
            name or "dequeue_up_to", lambda queue, n, timeout_s: queue.dequeue_up_to(n, timeout_s=timeout_s), n
        )

    def size(self, name: str | None = None) -> Handle:
        """A handle of how many elements are in it. [elements]"""
        return Handle(Asked(name or "size", self, lambda queue: np.int32(queue.size())), dtype=np.dtype(np.int32))

    def is_closed(self, name: str | None = None) -> Handle:
        """A handle of whether nothing more goes in."""
        return Handle(Asked(name or "is_closed", self, lambda queue: np.bool_(queue.is_closed())))

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Handle:
        """Something to run that lets nothing more in.

        Args:
          cancel_pending_enqueues: whether those who wait for room are refused; otherwise it waits for them.
          name: for messages.
        """

        def close(step: Step) -> None:
            queue = self.running(step.session)
            if not cancel_pending_enqueues and queue.is_closed():
                raise CancelledError(f"{self.name} is already closed")
            with in_time(step, self.name):
                queue.close(cancel_pending_enqueues, timeout_s=step.timeout_s)

        return Handle(Operation(name or f"{self.name}_close", close))

    def running(self, session: Any) -> Any:
        """The queue of a session."""
        # Each description asks for it once, and is held to what the first of a shared name said.
        return session.state(
            self, lambda: Running(self._made(session), common=bool(self._shared_name and session.target))
        ).queue

    def _made(self, session: Any) -> Any:
        try:
            return self._make(None if not self._shared_name else session.shared(self._shared_name))
        except PipelineError as error:
            raise InvalidArgumentError(str(error)) from error

    def _putting(self, name: str, vals: Any, put: Callable[[Any, Any, float | None], None]) -> Handle:
        parts, build = self._parts(vals)

        def enqueue(step: Step, *values: Any) -> None:
            try:
                with in_time(step, self.name):
                    put(self.running(step.session), build(values), step.timeout_s)
            except QueueClosed as error:
                why = "Enqueue operation was cancelled" if "cancelled" in str(error) else str(error)
                raise CancelledError(why) from error

        return Handle(Operation(f"{self.name}_{name}", enqueue, parts))

    def _parts(self, vals: Any) -> tuple[list[Handle], Callable[[Sequence[Any]], Any]]:
        """The components of what is enqueued, and what puts their values together."""
        if self.names is not None or isinstance(vals, Mapping):
            if self.names is None or not isinstance(vals, Mapping) or set(vals) != set(self.names):
                got = f"`{', '.join(map(str, vals))}`" if isinstance(vals, Mapping) else f"`{type(vals).__name__}`"
                want = "no dict" if self.names is None else f"a dict of `{', '.join(self.names)}`"
                raise PipelineError(mismatch(want, got, at=f"enqueue of {self.name}"))
            names = self.names
            return self._handles([vals[name] for name in names]), lambda v: dict(zip(names, v, strict=True))
        # Of one component both `x` and `[x]` were written.
        listed = isinstance(vals, (list, tuple)) and (len(vals) == 1 or len(self.dtypes) > 1)
        given = list(vals) if listed else [vals]
        if len(given) != len(self.dtypes):
            want = f"{len(self.dtypes)} components"
            raise PipelineError(mismatch(want, len(given), at=f"enqueue of {self.name}"))
        return self._handles(given), lambda values: values[0] if len(values) == 1 else list(values)

    def _handles(self, parts: Sequence[Any]) -> list[Handle]:
        made = []
        for part, dtype in zip(parts, self.dtypes, strict=True):
            try:
                made.append(
                    as_handle(part, dtype=None if isinstance(part, (Handle, np.ndarray, np.generic)) else dtype)
                )
            except (TypeError, ValueError, OverflowError) as error:
                raise FormError(mismatch(f"`{dtype}`", f"`{part!r}`", at=f"enqueue of {self.name}")) from error
        return made

    def _taking(self, name: str, take: Callable[[Any, Any, float | None], Any], n: Any = 1) -> Any:
        node = Taken(f"{self.name}_{name}", self, take, as_handle(n))
        handles = [Handle(node, i, dtype=dtype) for i, dtype in enumerate(self.dtypes)]
        if self.names is not None:
            return dict(zip(self.names, handles, strict=True))
        return handles[0] if len(handles) == 1 else handles

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


@contextmanager
def in_time(step: Step, name: str) -> Iterator[None]:
    """Gives waiting that was too long its name in TF1."""
    try:
        yield
    except TimeoutError as error:
        limit = f"{(step.timeout_s or 0) * 1000:g} ms, the `timeout_in_ms` of the step"
        raise DeadlineExceededError(mismatch(f"less than {limit}", "more", at=f"waiting for {name}")) from error


def _count(n: Any, what: str) -> None:
    if not isinstance(n, Handle) and n < 0:
        raise ValueError(mismatch("a number of at least 0", n, at=what))


@final
class Running:
    """A queue in a session; one that is common to several stays open when one of them is closed."""

    def __init__(self, queue: Any, *, common: bool) -> None:
        self.queue = queue
        self._common = common

    def close(self) -> None:
        """Wakes everyone who waits."""
        if not self._common:
            self.queue.cancel()


@final
class Asked(Node):
    """Something that a queue tells."""

    def __init__(self, name: str, queue: QueueBase, ask: Callable[[Any], Any]) -> None:
        super().__init__(f"{queue.name}_{name}")
        self._queue = queue
        self._ask = ask

    def outputs(self, step: Step) -> Sequence[Any]:
        """Asks."""
        return (self._ask(self._queue.running(step.session)),)


@final
class Taken(Node):
    """What is taken out of a queue at a step."""

    def __init__(
        self, name: str, queue: QueueBase, take: Callable[[Any, Any, float | None], Any], count: Handle
    ) -> None:
        super().__init__(name, [count])
        self._queue = queue
        self._take = take

    @property
    def origin(self) -> object:
        """The queue."""
        return self._queue

    def outputs(self, step: Step) -> Sequence[Any]:
        """Takes, and waits for it."""
        queue = self._queue
        running = queue.running(step.session)
        step.session.start_runners(queue)
        count = int(step.value(self.inputs[0]))
        try:
            with in_time(step, queue.name):
                taken = self._take(running, count, step.timeout_s)
        except QueueExhausted as error:
            raise OutOfRangeError(str(error)) from error
        except QueueClosed as error:
            raise CancelledError("Dequeue operation was cancelled") from error
        if queue.names is not None:
            return [taken[name] for name in queue.names]
        return [taken] if len(queue.dtypes) == 1 else taken


def _known(dtypes: Any) -> Any:
    """Dtypes as penstock's queues take them."""
    return [dtype_of(dtype) for dtype in dtypes] if isinstance(dtypes, (list, tuple)) else dtype_of(dtypes)


@final
class FIFOQueue(QueueBase):
    """A queue whose elements leave as they came: `penstock.FIFOQueue`, in a session.

    Args:
      capacity: how many elements may wait; a negative one sets no limit. [elements]
      dtypes: of each component, in a list, or of the only one.
      shapes: of each component; needed to take many out.
      names: of the components: elements are dicts then.
      shared_name: queues with this name are one.
      name: for messages.

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.FIFOQueue`.

    >>> from penstock import tf1 as tf
    >>> queue = tf.FIFOQueue(10, [tf.int32], shapes=[[]])
    >>> fill, x = queue.enqueue_many([[1, 2, 3]]), queue.dequeue()
    >>> with tf.Session() as sess:
    ...     sess.run(fill)
    ...     print(sess.run([x, queue.size()]), sess.run(x))
    [np.int32(1), np.int32(2)] 2
    """

    def __init__(
        self,
        capacity: int,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "fifo_queue",
    ) -> None:
        def make(shared: str | None) -> Any:
            return ps.FIFOQueue(capacity, _known(dtypes), shapes, names, shared, name)

        super().__init__(make, dtypes, shapes, names, shared_name, name)


@final
class PaddingFIFOQueue(QueueBase):
    """A queue whose elements leave as they came, padded to one shape where many are taken out at once.

    Args:
      capacity: as in `FIFOQueue`.
      dtypes: as in `FIFOQueue`.
      shapes: of each component; dimensions that are `None` are padded.
      names: as in `FIFOQueue`.
      shared_name: as in `FIFOQueue`.
      name: as in `FIFOQueue`.

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.PaddingFIFOQueue`.
    """

    def __init__(
        self,
        capacity: int,
        dtypes: Any,
        shapes: Any,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "padding_fifo_queue",
    ) -> None:
        def make(shared: str | None) -> Any:
            return ps.PaddingFIFOQueue(capacity, _known(dtypes), shapes, names, shared, name)

        super().__init__(make, dtypes, shapes, names, shared_name, name)


@final
class RandomShuffleQueue(QueueBase):
    """A queue whose elements leave in random order; while it is open some stay behind.

    Args:
      capacity: as in `FIFOQueue`.
      min_after_dequeue: how many stay while it is open. [elements]
      dtypes: as in `FIFOQueue`.
      shapes: as in `FIFOQueue`.
      names: as in `FIFOQueue`.
      seed: the same elements and calls in the same order give the same.
      shared_name: as in `FIFOQueue`.
      name: as in `FIFOQueue`.

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.RandomShuffleQueue`.
    """

    def __init__(
        self,
        capacity: int,
        min_after_dequeue: int,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        seed: int | None = None,
        shared_name: str | None = None,
        name: str = "random_shuffle_queue",
    ) -> None:
        def make(shared: str | None) -> Any:
            return ps.RandomShuffleQueue(capacity, min_after_dequeue, _known(dtypes), shapes, names, seed, shared, name)

        super().__init__(make, dtypes, shapes, names, shared_name, name)


@final
class PriorityQueue(QueueBase):
    """A queue whose smallest priority, the int64 that each element begins with, leaves first.

    Args:
      capacity: as in `FIFOQueue`.
      types: of the components that follow the priority.
      shapes: of those.
      names: of all components.
      shared_name: as in `FIFOQueue`.
      name: as in `FIFOQueue`.

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.PriorityQueue`.
    """

    def __init__(
        self,
        capacity: int,
        types: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "priority_queue",
    ) -> None:
        def make(shared: str | None) -> Any:
            return ps.PriorityQueue(capacity, _known(types), shapes, names, shared, name)

        listed = list(types) if isinstance(types, (list, tuple)) else [types]
        super().__init__(make, [np.int64, *listed], shapes, names, shared_name, name)
