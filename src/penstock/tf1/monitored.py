"""TF1's monitored sessions: they start and stop what a loop needs, and take the end of the data for its end."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self, final

from penstock.tf1.coordinator import Coordinator
from penstock.tf1.errors import OutOfRangeError
from penstock.tf1.runner import start_queue_runners
from penstock.tf1.session import Session

__all__ = ["MonitoredSession"]


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
            return self._session.run(fetches, feed_dict)
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
