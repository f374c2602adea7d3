"""TF1's `QueueRunner`: threads that fill a queue by running its enqueue operations again and again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any, final
from weakref import WeakSet

from penstock.tf1.coordinator import Coordinator
from penstock.tf1.defaults import default_graph, default_session
from penstock.tf1.errors import CancelledError, OpError, OutOfRangeError
from penstock.tf1.session import Session

__all__ = ["QueueRunner", "add_queue_runner", "start_queue_runners"]

log = logging.getLogger("penstock.tf1")


@final
class QueueRunner:
    """Fills a queue, with a thread for each enqueue operation.

    A thread ends with its coordinator, or when its operation raises one of the clean types; the last to end so closes the
    queue. Any other error goes to the coordinator, if there is one; else it is kept in `exceptions_raised`, and the queue is
    closed when the last thread ends, so that nobody waits for ever.

    Args:
      queue: what is filled, a queue of `penstock.tf1`.
      enqueue_ops: operations that fill it, each for a thread of its own.
      close_op: closes it; `queue.close()` if `None`.
      cancel_op: closes it and wakes those that wait to fill it; `queue.close(cancel_pending_enqueues=True)` if `None`.
      queue_closed_exception_types: errors that mean the end of the data; `(OutOfRangeError,)` if `None`.
      queue_runner_def: only `None`: graphs are not read from protocol buffers.
      import_scope: taken as in TF1, and changes nothing.

    Raises:
      ValueError: there is no queue, or no operation.
      TypeError: the exception types are no tuple of errors of `tf1.errors`.

    Source: TF1 `tf.train.QueueRunner`.
    """

    def __init__(
        self,
        queue: Any = None,
        enqueue_ops: Sequence[Any] | None = None,
        close_op: Any = None,
        cancel_op: Any = None,
        queue_closed_exception_types: tuple[type[BaseException], ...] | None = None,
        queue_runner_def: None = None,
        import_scope: str | None = None,
    ) -> None:
        if queue is None or not enqueue_ops:
            raise ValueError("Must provide queue and enqueue_ops.")
        clean = (OutOfRangeError,) if queue_closed_exception_types is None else queue_closed_exception_types
        if (
            not isinstance(clean, tuple)
            or not clean
            or not all(isinstance(kind, type) and issubclass(kind, OpError) for kind in clean)
        ):
            raise TypeError(
                "queue_closed_exception_types, when provided, must be a tuple of tf.error types, "
                f"but saw: {queue_closed_exception_types!r}"
            )
        self.queue = queue
        self.enqueue_ops = list(enqueue_ops)
        self.close_op = close_op if close_op is not None else queue.close()
        self.cancel_op = cancel_op if cancel_op is not None else queue.close(cancel_pending_enqueues=True)
        self.queue_closed_exception_types = clean
        self._lock = threading.Lock()
        # Guarded by the lock: how many threads run in each session, and what they raised.
        self._running: dict[Session, int] = {}
        self._started: WeakSet[Session] = WeakSet()
        self._raised: list[BaseException] = []

    @property
    def name(self) -> str:
        """The name of its queue."""
        return str(self.queue.name)

    @property
    def exceptions_raised(self) -> list[BaseException]:
        """What threads without a coordinator raised."""
        return self._raised

    def started_in(self, sess: Session) -> bool:
        """Whether its threads were made for a session, ever."""
        return sess in self._started

    def create_threads(
        self, sess: Session, coord: Coordinator | None = None, daemon: bool = False, start: bool = False
    ) -> list[threading.Thread]:
        """Makes the threads, and one more that closes the queue when the coordinator stops.

        Args:
          sess: where the operations run.
          coord: stops the threads, and is told of errors.
          daemon: whether the interpreter may end without them.
          start: whether they are started.

        Returns:
          The threads; none if they run in this session already.
        """
        with self._lock:
            if self._running.get(sess):
                return []
            self._running[sess] = len(self.enqueue_ops)
            self._started.add(sess)
            self._raised = []
        names = [f"QueueRunnerThread-{self.name}-{getattr(op, 'name', op)}" for op in self.enqueue_ops]
        threads = [
            threading.Thread(target=self._run, args=(sess, op, coord), name=name, daemon=daemon)
            for op, name in zip(self.enqueue_ops, names, strict=True)
        ]
        if coord is not None:
            name = f"QueueRunnerThread-{self.name}-close_on_stop"
            threads.append(threading.Thread(target=self._close_on_stop, args=(sess, coord), name=name, daemon=daemon))
        for thread in threads:
            if coord is not None:
                coord.register_thread(thread)
            if start:
                thread.start()
        return threads

    def _run(self, sess: Session, operation: Any, coord: Coordinator | None) -> None:
        clean = False
        try:
            while coord is None or not coord.should_stop():
                sess.run(operation)
        except self.queue_closed_exception_types:
            clean = True
        except CancelledError as error:
            self._failed(error, sess, coord, closed=sess.closed)
        except Exception as error:
            self._failed(error, sess, coord)
        finally:
            self._ended(sess, coord, clean)

    def _failed(self, error: Exception, sess: Session, coord: Coordinator | None, *, closed: bool = False) -> None:
        if closed:  # With its session, and not by an error.
            return
        if coord is not None:
            coord.request_stop(error)
            return
        # What is closed while a thread reads it, by the end of the program say, is no error of anybody's.
        level = logging.INFO if isinstance(error, CancelledError) else logging.ERROR
        log.log(level, "a thread of the queue runner of %s ended with %r", self.name, error)
        with self._lock:
            self._raised.append(error)

    def _ended(self, sess: Session, coord: Coordinator | None, clean: bool) -> None:
        with self._lock:
            self._running[sess] -= 1
            last = not self._running[sess]
            if last:
                del self._running[sess]
        if last and (clean or coord is None) and not sess.closed:
            try:
                sess.run(self.close_op)
            except CancelledError:
                log.debug("the queue of %s was closed already", self.name)

    def _close_on_stop(self, sess: Session, coord: Coordinator) -> None:
        coord.wait_for_stop()
        try:
            sess.run(self.cancel_op)
        except CancelledError:
            log.debug("the queue of %s was closed already", self.name)

    def __repr__(self) -> str:
        return f"<QueueRunner of {self.name}: {len(self.enqueue_ops)} operations>"


def add_queue_runner(qr: QueueRunner, collection: str = "queue_runners") -> None:
    """Adds a queue runner to the default graph; `start_queue_runners`, or the first step that needs it, starts it.

    Source: TF1 `tf.train.add_queue_runner`.
    """
    default_graph().queue_runners.append(qr)


def start_queue_runners(
    sess: Session | None = None,
    coord: Coordinator | None = None,
    daemon: bool = True,
    start: bool = True,
    collection: str = "queue_runners",
) -> list[threading.Thread]:
    """Starts the threads of the queue runners that were added, and tells the session of its coordinator.

    What the functions of `tf.train` return needs no threads of these: it starts with the first step.

    Args:
      sess: the session; the default session if `None`.
      coord: is told of errors, and stops what reads.
      daemon: whether the interpreter may end without the threads.
      start: whether they are started.
      collection: taken as in TF1.

    Returns:
      The threads, for `coord.join(threads)`.

    Raises:
      ValueError: there is no session.
      TypeError: it is no session.

    Source: TF1 `tf.train.start_queue_runners`.
    """
    session = sess if sess is not None else default_session()
    if session is None:
        raise ValueError(
            "Cannot start queue runners: No default session is registered. Use `with sess.as_default()` or pass an "
            "explicit session to tf.start_queue_runners(sess=sess)"
        )
    if not isinstance(session, Session):
        raise TypeError(f"sess must be a `tf.Session` object. Given class: {type(session)}")
    session.coordinator = coord if coord is not None else session.coordinator
    threads: list[threading.Thread] = []
    for runner in session.graph.queue_runners:
        threads += runner.create_threads(session, coord=coord, daemon=daemon, start=start)
    return threads
