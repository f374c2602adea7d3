"""TF1's monitored sessions: they start and stop what a loop needs, and take the end of the data for its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import Thread
from types import TracebackType
from typing import Any, Self, final

from penstock.tf1.coordinator import Coordinator
from penstock.tf1.defaults import Graph, default_graph
from penstock.tf1.errors import OutOfRangeError
from penstock.tf1.looper import LooperThread
from penstock.tf1.runner import start_queue_runners
from penstock.tf1.session import Session

__all__ = ["MonitoredSession", "Supervisor"]


@final
class MonitoredSession:
    """A session for `while not sess.should_stop(): sess.run(...)`.

    The end of the data ends its `with` block quietly; any other error comes out of it.
    Hooks, checkpoints and summaries are TensorFlow's.

    Source: TF1 `tf.train.MonitoredTrainingSession`, `MonitoredSession`, `SingularMonitoredSession`.

    >>> from penstock import tf1 as tf
    >>> x = tf.train.limit_epochs(tf.constant(7), num_epochs=2)
    >>> with tf.train.MonitoredTrainingSession() as sess:
    ...     while not sess.should_stop():
    ...         print(sess.run(x))
    7
    7
    """

    def __init__(self, **_: Any) -> None:
        self._coordinator = Coordinator()
        self._session = Session()
        start_queue_runners(self._session, self._coordinator)

    @property
    def graph(self) -> Any:
        """The graph of the session."""
        return self._session.graph

    def run(self, fetches: Any, feed_dict: Any = None, options: object = None, run_metadata: object = None) -> Any:
        """As of a session; at the end of the data `should_stop` turns true."""
        try:
            return self._session.run(fetches, feed_dict, options, run_metadata)
        except OutOfRangeError as end:
            self._coordinator.request_stop(end)
            raise

    def should_stop(self) -> bool:
        """Whether the data have ended, or a stop was requested."""
        return self._coordinator.should_stop()

    def request_stop(self) -> None:
        """Ends the loop."""
        self._coordinator.request_stop()

    def close(self) -> None:
        """Stops all that runs in it."""
        self._coordinator.request_stop()
        self._session.close()

    def __enter__(self) -> Self:
        self._default = self._session.as_default()
        self._default.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> bool:
        self._default.__exit__(kind, error, trace)
        ended = isinstance(error, OutOfRangeError)
        self.close()
        if error is None or ended:
            self._coordinator.join()
        return ended


@final
class Supervisor:
    """What `MonitoredTrainingSession` came after: `with sv.managed_session() as sess: while not sv.should_stop(): …`.

    Checkpoints and summaries are TensorFlow's; what `logdir` and the other arguments said of them changes nothing.

    Args:
      graph: whose queue runners it starts; the default graph if `None`.
      logdir: taken as in TF1, and changes nothing.
      **_: taken as in TF1, and changes nothing.

    Source: TF1 `tf.train.Supervisor`.

    >>> from penstock import tf1 as tf
    >>> x = tf.train.limit_epochs(tf.constant(7), num_epochs=2)
    >>> sv = tf.train.Supervisor(logdir="/tmp/model")
    >>> with sv.managed_session() as sess:
    ...     while not sv.should_stop():
    ...         print(sess.run(x))
    7
    7
    """

    def __init__(self, graph: Graph | None = None, logdir: str | None = None, **_: Any) -> None:
        self.graph = graph if graph is not None else default_graph()
        self.coord = Coordinator()

    @contextmanager
    def managed_session(self, master: str = "", config: object = None, **_: Any) -> Iterator[Session]:
        """A session for a `with` block, whose threads stop with it; the end of the data ends it quietly.

        Args:
          master: as the `target` of a session.
          config: as of a session.
          **_: taken as in TF1, and changes nothing.

        Raises:
          Exception: what came out of the block, or what a thread told the coordinator.
        """
        session = self.prepare_or_wait_for_session(master, config)
        try:
            with session.as_default():
                yield session
        except Exception as error:
            self.request_stop(error)
        finally:
            try:
                self.stop()
            finally:
                session.close()

    def prepare_or_wait_for_session(self, master: str = "", config: object = None, **_: Any) -> Session:
        """A session whose queue runners run."""
        session = Session(master, self.graph, config)
        self.start_queue_runners(session)
        return session

    PrepareSession = prepare_or_wait_for_session

    def start_queue_runners(self, sess: Session, queue_runners: Sequence[Any] | None = None) -> list[Thread]:
        """Starts the threads of queue runners, those of the graph if none are given."""
        if queue_runners is None:
            return start_queue_runners(sess, self.coord)
        made = [runner.create_threads(sess, coord=self.coord, daemon=True, start=True) for runner in queue_runners]
        return [thread for threads in made for thread in threads]

    StartQueueRunners = start_queue_runners

    def loop(
        self,
        timer_interval_secs: float | None,
        target: Callable[..., object],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> LooperThread:
        """Starts a thread that calls a function every so many seconds, until it stops."""
        looper = LooperThread(self.coord, timer_interval_secs, target=target, args=args, kwargs=kwargs)
        looper.start()
        return looper

    Loop = loop

    def should_stop(self) -> bool:
        """Whether the loop is to end."""
        return self.coord.should_stop()

    ShouldStop = should_stop

    def request_stop(self, ex: Any = None) -> None:
        """Ends the loop, for an error if there is one."""
        self.coord.request_stop(ex)

    RequestStop = request_stop

    def stop_on_exception(self) -> AbstractContextManager[None]:
        """Reports what is raised in a `with` block; `stop` raises it."""
        return self.coord.stop_on_exception()

    StopOnException = stop_on_exception

    def wait_for_stop(self) -> None:
        """Waits until the loop is to end."""
        self.coord.wait_for_stop()

    WaitForStop = wait_for_stop

    def stop(self, threads: Iterable[Thread] | None = None, **_: Any) -> None:
        """Ends the loop, and waits for its threads.

        Raises:
          Exception: what one of them told.
        """
        self.coord.request_stop()
        self.coord.join(threads)

    Stop = stop
