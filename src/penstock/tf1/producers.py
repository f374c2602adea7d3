"""TF1's producers: queues of names, numbers or rows, each epoch in an order of its own, over penstock's producers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, final

import numpy as np

import penstock as ps
from penstock.errors import PipelineError, mismatch
from penstock.pipeline import Pipeline
from penstock.tf1.errors import FormError, OutOfRangeError
from penstock.tf1.feeds import Pulled
from penstock.tf1.handles import Apply, Constant, Handle, Node, Operation, Step, as_handle, as_value
from penstock.tf1.session import Session

__all__ = [
    "Producer",
    "input_producer",
    "match_filenames_once",
    "range_input_producer",
    "slice_input_producer",
    "string_input_producer",
]

RUN = 64
"""Read at once. [examples]"""


@final
class Producer:
    """A queue that fills itself: names, numbers or rows, one after the other.

    Args:
      describe: gives the pipeline of what it gives in a session, or of `None` where that is known before.
      name: for messages.
    """

    def __init__(self, describe: Callable[[Session | None], Pipeline | None], name: str) -> None:
        describe(None)  # So that what cannot be is said when it is written.
        self._describe = describe
        self.name = name

    def dequeue(self, name: str | None = None) -> Handle:
        """A handle of the next one."""
        return Handle(Produced(self, lambda pulled: pulled.next(), self.name))

    def dequeue_many(self, n: int, name: str | None = None) -> Handle:
        """A handle of the next n, stacked; fewer at the end are the end."""
        return Handle(Produced(self, lambda pulled: _stacked([pulled.next() for _ in range(n)]), self.name))

    def dequeue_up_to(self, n: int, name: str | None = None) -> Handle:
        """A handle of the next n, stacked, or at the end of those that are left."""
        return Handle(Produced(self, lambda pulled: _stacked(_up_to(pulled, n)), self.name))

    def size(self, name: str | None = None) -> Handle:
        """A handle of 0: none waits, each is made when it is asked for."""
        return as_handle(0)

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Handle:
        """Something to run that ends it: there is no next one."""
        return Handle(Operation(name or f"{self.name}_close", lambda step: self.running(step.session).close()))

    def running(self, session: Session) -> Pulled:
        """What it gives in a session."""

        def opened() -> Iterator[Any]:
            pipeline = self._describe(session)
            assert pipeline is not None, "what runs has a session"
            return _rows_of(pipeline)

        state: Pulled = session.state(self, lambda: Pulled(opened, self.name))
        return state

    def __repr__(self) -> str:
        return f"<Producer {self.name!r}>"


def _rows_of(pipeline: Pipeline) -> Iterator[Any]:
    """What a producer's pipeline gives, which are rows of arrays, many read at once."""
    with pipeline.batch(RUN, keep_last=True).open(inline=True) as flow:
        for batch in flow:
            if isinstance(batch, list):
                yield from map(list, zip(*map(_rows, batch), strict=True))
            else:
                yield from _rows(batch)


def _rows(array: Any) -> Iterator[Any]:
    """Rows as TF1 has values: text as bytes, and arrays that hold no memory but their own."""
    return map(np.copy, array) if array.ndim > 1 and array.dtype != object else map(as_value, array)


def _stacked(values: list[Any]) -> Any:
    return as_value(values) if values and isinstance(values[0], bytes) else np.stack(values)


def _up_to(pulled: Pulled, n: int) -> list[Any]:
    found: list[Any] = []
    while len(found) < n:
        try:
            found.append(pulled.next())
        except OutOfRangeError:
            if not found:
                raise
            break
    return found


@final
class Produced(Node):
    """What is taken of a producer at a step."""

    def __init__(self, producer: Producer, take: Callable[[Pulled], Any], name: str) -> None:
        super().__init__(name)
        self.producer = producer
        self._take = take

    @property
    def origin(self) -> object:
        """The producer."""
        return self.producer

    def outputs(self, step: Step) -> Sequence[Any]:
        """Takes it."""
        return (self._take(self.producer.running(step.session)),)


def _now(value: Any, session: Session | None) -> Any:
    """The value of what a producer is to give; `None` of a handle whose value is known only in a session."""
    if not isinstance(value, Handle):
        return value
    if isinstance(value.node, Constant):
        return value.node.outputs(Step(None))[0]
    return None if session is None else Step(session).value(value)


def _producer(function: Callable[..., Pipeline], given: Any, name: str, **arguments: Any) -> Producer:
    def describe(session: Session | None) -> Pipeline | None:
        value = _now(given, session)
        return None if value is None and isinstance(given, Handle) else function(value, **arguments)

    return Producer(describe, name)


def input_producer(
    input_tensor: Any,
    element_shape: Any = None,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    summary_name: str | None = None,
    name: str | None = None,
    cancel_op: object = None,
) -> Producer:
    """A queue of the rows of an array.

    Args:
      input_tensor: an array, or a handle of one.
      element_shape: what a row looks like; checked.
      num_epochs: how many passes; `None` for ever.
      shuffle: whether each pass is in a random order of its own; the same on every run.
      seed: of that.
      capacity: checked, and changes nothing: it gives what is asked for.
      shared_name: as in `batch`.
      summary_name: taken as in TF1, and changes nothing.
      name: for messages.
      cancel_op: taken as in TF1, and changes nothing.

    Raises:
      ValueError: an argument that cannot be; there is nothing to produce.

    Source: TF1 `tf.train.input_producer`.
    """
    arguments = {"num_epochs": num_epochs, "shuffle": shuffle, "seed": seed, "capacity": capacity}
    return _producer(
        ps.input_producer, as_handle(input_tensor), name or "input_producer", element_shape=element_shape, **arguments
    )


def string_input_producer(
    string_tensor: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
    cancel_op: object = None,
) -> Producer:
    """A queue of texts, such as the names of files, for a reader.

    Args:
      string_tensor: a list or array of texts, or a handle of one.
      num_epochs: how many passes; `None` for ever.
      shuffle: whether each pass is in a random order of its own; the same on every run.
      seed: of that.
      capacity: as in `input_producer`.
      shared_name: as in `batch`.
      name: for messages.
      cancel_op: taken as in TF1, and changes nothing.

    Raises:
      ValueError: there is no text, or something that is none.

    Source: TF1 `tf.train.string_input_producer`.

    >>> from penstock import tf1 as tf
    >>> names = tf.train.string_input_producer(["a", "b"], num_epochs=1, shuffle=False)
    >>> with tf.feed(names.dequeue()) as feed:
    ...     print(list(feed))
    [b'a', b'b']
    """
    given = as_value(string_tensor)
    if isinstance(given, np.ndarray) and given.size and given.dtype != object:
        got = f"`{given.dtype}`"
        raise FormError(mismatch("texts", got, at="string_input_producer(string_tensor)"))
    arguments = {"num_epochs": num_epochs, "shuffle": shuffle, "seed": seed, "capacity": capacity}
    return _producer(ps.string_input_producer, string_tensor, name or "string_input_producer", **arguments)


def range_input_producer(
    limit: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> Producer:
    """A queue of the numbers below a limit, as int32.

    Args:
      limit: how many, or a handle of that.
      num_epochs: how many passes; `None` for ever.
      shuffle: whether each pass is in a random order of its own; the same on every run.
      seed: of that.
      capacity: as in `input_producer`.
      shared_name: as in `batch`.
      name: for messages.

    Raises:
      ValueError: an argument that cannot be.

    Source: TF1 `tf.train.range_input_producer`.
    """
    arguments = {"num_epochs": num_epochs, "shuffle": shuffle, "seed": seed, "capacity": capacity}
    return _producer(ps.range_input_producer, limit, name or "range_input_producer", **arguments)


def slice_input_producer(
    tensor_list: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> list[Handle]:
    """Handles of a row of each of several arrays; those of one step are the same row of all.

    Args:
      tensor_list: arrays with as many rows, or handles of them.
      num_epochs: how many passes; `None` for ever.
      shuffle: whether each pass is in a random order of its own; the same on every run.
      seed: of that.
      capacity: as in `input_producer`.
      shared_name: as in `batch`.
      name: for messages.

    Returns:
      A list of handles, one for each array.

    Raises:
      ValueError: there is no array, or they differ in their number of rows.

    Source: TF1 `tf.train.slice_input_producer`.
    """
    if not isinstance(tensor_list, (list, tuple)) or not tensor_list:
        got = "none" if isinstance(tensor_list, (list, tuple)) else f"`{type(tensor_list).__name__}`"
        raise PipelineError(mismatch("a list of arrays", got, at="slice_input_producer(tensor_list)"))
    parts = [as_handle(part) for part in tensor_list]
    fixed = all(isinstance(part.node, Constant) for part in parts)

    def describe(session: Session | None) -> Pipeline | None:
        values = [_now(part, session) for part in parts]
        if session is None and not fixed:
            return None
        return ps.slice_input_producer(values, num_epochs, shuffle, seed, capacity)

    producer = Producer(describe, name or "slice_input_producer")
    row = Handle(Produced(producer, lambda pulled: pulled.next(), producer.name))
    node = Apply(producer.name, lambda parts: parts, [row], len(parts))
    return [Handle(node, i, dtype=part.dtype) for i, part in enumerate(parts)]


def match_filenames_once(pattern: Any, name: str | None = None) -> Handle:
    """A handle of the names of the files that match a glob, looked up once in a session, in the order of their names.

    Args:
      pattern: a glob, or a list of them.
      name: for messages.

    Source: TF1 `tf.train.match_filenames_once`.
    """
    return Handle(Matched(pattern), dtype=np.dtype(object))


@final
class Matched(Node):
    """The names of files, looked up once in a session."""

    def __init__(self, pattern: Any) -> None:
        super().__init__("match_filenames_once")
        self._pattern = pattern

    def outputs(self, step: Step) -> Sequence[Any]:
        """The names."""

        def found() -> Any:
            return Names(as_value(list(ps.match_filenames_once(self._pattern))))

        names: Names = step.session.state(self, found)
        return (names.value,)


@final
class Names:
    """Names that were looked up."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def close(self) -> None:
        """Has nothing to stop."""
