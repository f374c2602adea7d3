"""Queues between threads, as TF1 had them: in turn, padded, shuffled, by priority; many producers, many consumers.

| | TF1 | here |
|---|---|---|
| an element | components that were declared | those, or without `dtypes` any example in its own structure |
| who gives up waiting | loses what was set aside | puts it back at the front |
| equal priorities | in any order | as they came |
| `seed` of the shuffle | an order by luck of timing | the same for the same elements and calls |
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from functools import partial
from typing import Any, final

from penstock.assemble.elements import Elements
from penstock.draws import Draws
from penstock.engine.line import Line
from penstock.engine.orders import ByChance, ByPriority, InTurn, Order
from penstock.engine.shared import shared
from penstock.errors import PipelineError, QueueExhausted, mismatch
from penstock.plan import integer, positive
from penstock.stages.functions import key_of

__all__ = ["FIFOQueue", "PaddingFIFOQueue", "PriorityQueue", "QueueBase", "RandomShuffleQueue"]


class _Parts:
    """What the queues of one shared name have in common."""

    __slots__ = ("__weakref__", "line")

    def __init__(self, line: Line) -> None:
        self.line = line


class QueueBase:
    """What all queues do.

    Calls that wait are served in the order in which they came, and wait without looking again and again.
    `for element in queue` takes until the queue is closed and empty, so that a queue is a source: `ps.join([queue])`,
    whose flow cancels the queue when it is closed.
    """

    def __init__(self, elements: Elements, order: Order, capacity: Any, shared_name: Any, name: Any, kind: str) -> None:
        self.name = _named(name, kind)
        room = _capacity(capacity, kind)
        self._elements = elements
        self._parts = _Parts(Line(order, room, f"{kind} {self.name!r}"))
        if shared_name is not None:
            described = {"kind": kind, "capacity": "no limit" if room is None else room, "spec": elements.declared}
            self._parts = shared(_named(shared_name, kind), described, partial(_same, self._parts))
        self._line = self._parts.line
        self._put_one, self._take_one = self._line.put_one, self._line.take_one
        self._one = None if elements.plain else elements.one
        self._given = None if elements.bare else elements.given

    def enqueue(self, vals: Any, name: str | None = None, *, timeout_s: float | None = None) -> None:
        """Puts one element in; waits for room.

        Args:
          vals: the element; where components were declared, a bare one, a list of them, or a dict by their names.
          name: as TF1 had it, and without effect.
          timeout_s: how long to wait; `None` for ever. [s]

        Raises:
          QueueClosed: the queue is closed.
          SpecError: the element is not what was declared.
          TimeoutError: there was no room in time.
        """
        self._put_one(vals if self._one is None else self._one(vals), timeout_s)

    def enqueue_many(self, vals: Any, name: str | None = None, *, timeout_s: float | None = None) -> None:
        """Puts many elements in, with none of another's between; waits for room, and may be larger than the capacity.

        Args:
          vals: as in `enqueue`, each component with a leading dimension; where none were declared also a list of elements.
          name: as TF1 had it, and without effect.
          timeout_s: how long to wait; `None` for ever. [s]

        Raises:
          QueueClosed: the queue is closed, or was meanwhile; what had gone in before stays.
          SpecError: the elements are not what was declared; none of them goes in.
          TimeoutError: there was no room for all in time; what had gone in before stays.
        """
        self._line.put(self._elements.many(vals), timeout_s)

    def dequeue(self, name: str | None = None, *, timeout_s: float | None = None) -> Any:
        """Takes one element out; waits for it.

        Raises:
          QueueExhausted: the queue is closed and empty.
          QueueClosed: the wait was cancelled.
          TimeoutError: none came in time.
        """
        element = self._take_one(timeout_s)
        return element if self._given is None else self._given(element)

    def dequeue_many(self, n: int, name: str | None = None, *, timeout_s: float | None = None) -> Any:
        """Takes n elements out as a batch, each component with a leading dimension; waits for all of them.

        Args:
          n: how many; with 0 an empty batch, at once. [elements]
          name: as TF1 had it, and without effect.
          timeout_s: how long to wait; `None` for ever. [s]

        Raises:
          QueueExhausted: the queue is closed and has too few; they stay.
          QueueClosed: the wait was cancelled.
          SpecError: the elements do not fit together; they stay.
          TimeoutError: they did not come in time; those that did stay.
        """
        return self._many(n, False, timeout_s)

    def dequeue_up_to(self, n: int, name: str | None = None, *, timeout_s: float | None = None) -> Any:
        """Takes n elements out as a batch; of a closed queue what is left, if that is fewer.

        Args:
          n: how many at most. [elements]
          name: as TF1 had it, and without effect.
          timeout_s: how long to wait; `None` for ever. [s]

        Raises:
          QueueExhausted: the queue is closed and empty.
          QueueClosed: the wait was cancelled.
          SpecError: the elements do not fit together; they stay.
          TimeoutError: n did not come in time; those that did stay.
        """
        return self._many(n, True, timeout_s)

    def _many(self, n: Any, up_to: bool, timeout_s: float | None) -> Any:
        count = positive(n, "n", at=self._line.name, least=0)
        hands = self._line.take(count, up_to=up_to, timeout_s=timeout_s)
        try:
            return self._elements.batch(hands)
        except BaseException:
            self._line.put_back(hands)
            raise

    def size(self, name: str | None = None) -> int:
        """How many elements are in it, without those that are set aside for who waits for more. [elements]"""
        return len(self._line)

    def is_closed(self, name: str | None = None) -> bool:
        """Whether nothing more goes in."""
        return self._line.closed

    def close(
        self, cancel_pending_enqueues: bool = False, name: str | None = None, *, timeout_s: float | None = None
    ) -> None:
        """Lets nothing more in; what is in can still be taken out. May be called again.

        Args:
          cancel_pending_enqueues: whether who waits for room is refused with `QueueClosed`; otherwise this waits until
            they have gone in.
          name: as TF1 had it, and without effect.
          timeout_s: how long to wait for them; `None` for ever. [s]

        Raises:
          TimeoutError: they did not go in in time; the queue stays open.
        """
        self._line.close(cancel_pending=bool(cancel_pending_enqueues), timeout_s=timeout_s)

    def cancel(self) -> None:
        """Closes it at once, and wakes everyone who waits, with `QueueClosed`; what is in can still be taken out."""
        self._line.cancel()

    def __iter__(self) -> Iterator[Any]:
        """The elements one by one, until the queue is closed and empty."""
        while True:
            try:
                element = self.dequeue()
            except QueueExhausted:
                return
            yield element

    def __repr__(self) -> str:
        return f"<{self._line.name}: {self.size()} elements, {'closed' if self.is_closed() else 'open'}>"


@final
class FIFOQueue(QueueBase):
    """A queue whose elements leave as they came.

    Args:
      capacity: how many may wait; a negative one sets no limit. [elements]
      dtypes: of each component, in a list, or of the only one; without them an element is any example, as it is.
      shapes: of each component, checked as elements come; without them many can be taken out only if theirs agree.
      names: of the components: elements are dicts then.
      shared_name: queues of one process with this name are one queue, while one of them lives.
      name: what it is called in messages.

    Raises:
      PipelineError: an argument that cannot be; or the name is shared by a queue of another kind, capacity or spec.

    Source: TF1 `tf.FIFOQueue`.

    >>> queue = FIFOQueue(10, ["int32", "string"])
    >>> queue.enqueue_many([[1, 2, 3], ["a", "b", "c"]])
    >>> queue.dequeue()
    [np.int32(1), 'a']
    >>> queue.dequeue_many(2)
    [array([2, 3], dtype=int32), array(['b', 'c'], dtype=object)]
    """

    def __init__(
        self,
        capacity: int,
        dtypes: Any = None,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "fifo_queue",
    ) -> None:
        elements = Elements(dtypes, shapes, names, pads=False, ranked=False, at=f"FIFOQueue {name!r}")
        super().__init__(elements, InTurn(), capacity, shared_name, name, "FIFOQueue")


@final
class PaddingFIFOQueue(QueueBase):
    """A queue whose elements leave as they came, padded to one shape where many are taken out at once.

    Args:
      capacity: as in `FIFOQueue`.
      dtypes: of each component.
      shapes: of each component; dimensions that are `None` are padded on the right, to the longest among those taken out.
      names: as in `FIFOQueue`.
      shared_name: as in `FIFOQueue`.
      name: as in `FIFOQueue`.

    Raises:
      PipelineError: as in `FIFOQueue`.

    Source: TF1 `tf.PaddingFIFOQueue`.

    >>> queue = PaddingFIFOQueue(10, "int64", [(None,)])
    >>> queue.enqueue([[1, 2]])
    >>> queue.enqueue([[3]])
    >>> queue.dequeue_many(2)
    array([[1, 2],
           [3, 0]])
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
        at = f"PaddingFIFOQueue {name!r}"
        if dtypes is None:
            raise PipelineError(mismatch("`dtypes`", "none", at=at))
        if isinstance(shapes, list) and shapes and all(shape is None for shape in shapes):
            do = "one free dimension is `[[None]]`"
            raise PipelineError(mismatch("a shape of a known rank for each component", f"`{shapes}`", at=at, do=do))
        elements = Elements(dtypes, shapes, names, pads=True, ranked=False, at=at)
        super().__init__(elements, InTurn(), capacity, shared_name, name, "PaddingFIFOQueue")


@final
class RandomShuffleQueue(QueueBase):
    """A queue whose elements leave in random order; while it is open some stay behind, so that there is a choice.

    Args:
      capacity: as in `FIFOQueue`.
      min_after_dequeue: how many stay while it is open; more mix better. [elements]
      dtypes: as in `FIFOQueue`.
      shapes: as in `FIFOQueue`.
      names: as in `FIFOQueue`.
      seed: the same elements and calls in the same order give the same; `None` is 0.
      shared_name: as in `FIFOQueue`.
      name: as in `FIFOQueue`.

    Raises:
      PipelineError: as in `FIFOQueue`; or as many are to stay as may wait.

    Source: TF1 `tf.RandomShuffleQueue`.

    >>> queue = RandomShuffleQueue(10, 2)
    >>> queue.enqueue_many([1, 2, 3, 4, 5])
    >>> queue.size(), len(queue.dequeue_many(3)), queue.size()
    (5, 3, 2)
    """

    def __init__(
        self,
        capacity: int,
        min_after_dequeue: int,
        dtypes: Any = None,
        shapes: Any = None,
        names: Any = None,
        seed: int | None = None,
        shared_name: str | None = None,
        name: str = "random_shuffle_queue",
    ) -> None:
        at = f"RandomShuffleQueue {name!r}"
        keep = positive(min_after_dequeue, "min_after_dequeue", at=at, least=0)
        room = _capacity(capacity, at)
        if room is not None and room <= keep:
            raise PipelineError(mismatch(f"`capacity` above `min_after_dequeue`, {keep}", f"{room}", at=at))
        elements = Elements(dtypes, shapes, names, pads=False, ranked=False, at=at)
        order = ByChance(Draws(key_of(0 if seed is None else integer(seed, "seed", at=at), 0)), keep)
        super().__init__(elements, order, capacity, shared_name, name, "RandomShuffleQueue")


@final
class PriorityQueue(QueueBase):
    """A queue whose smallest priority leaves first, and of equal ones that which came first.

    Who waits for n gets the n that are first when there are n, and makes room for them where the capacity is smaller.

    Args:
      capacity: as in `FIFOQueue`.
      types: of the components that follow the priority, an int64; without them an element is a tuple that begins with it.
      shapes: of those components.
      names: of all components, the priority among them.
      shared_name: as in `FIFOQueue`.
      name: as in `FIFOQueue`.

    Raises:
      PipelineError: as in `FIFOQueue`.

    Source: TF1 `tf.PriorityQueue`.

    >>> queue = PriorityQueue(10)
    >>> queue.enqueue_many([(2, "b"), (1, "a"), (1, "c")])
    >>> queue.dequeue(), queue.dequeue()
    ((1, 'a'), (1, 'c'))
    """

    def __init__(
        self,
        capacity: int,
        types: Any = None,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "priority_queue",
    ) -> None:
        elements = Elements(types, shapes, names, pads=False, ranked=True, at=f"PriorityQueue {name!r}")
        super().__init__(elements, ByPriority(), capacity, shared_name, name, "PriorityQueue")


def _same(parts: _Parts) -> _Parts:
    return parts


def _named(name: Any, kind: str) -> str:
    if not isinstance(name, str):
        raise PipelineError(mismatch("a name", f"`{name!r}`", at=kind))
    return name


def _capacity(capacity: Any, at: str) -> int | None:
    """A positive capacity; `None` for TF1's negative one: no limit."""
    try:
        number = operator.index(capacity)
    except TypeError:
        number = 0
    if isinstance(capacity, bool) or number == 0:
        do = "nothing would ever go in" if number == 0 and capacity == 0 else None
        raise PipelineError(mismatch("`capacity` to be an integer, and not 0", f"`{capacity!r}`", at=at, do=do))
    return None if number < 0 else number
