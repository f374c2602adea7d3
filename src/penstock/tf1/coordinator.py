"""TF1's `Coordinator`: several threads that stop together, and the first error among them.

Guarantees
  The first error that is reported wins; those after a stop are dropped.
  Whoever waits for the stop is woken by it; nobody polls, but a `join` that is given no stop looks when a thread ends.
Assumes
  What TF1 did, as recorded: given clean types replace the default; `CancelledError` is not clean.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import final

from penstock.tf1.errors import OutOfRangeError

__all__ = ["Coordinator"]

log = logging.getLogger("penstock.tf1")

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


@final
class Coordinator:
    """Tells threads to stop, waits for them, and raises the first error that one of them reported.

    Args:
      clean_stop_exception_types: errors that end a thread without being one; `OutOfRangeError` if `None`. What is given
        takes the place of that.

    Source: TF1 `tf.train.Coordinator`.

    >>> coord = Coordinator()
    >>> with coord.stop_on_exception():
    ...     raise KeyError("label")
    >>> coord.should_stop()
    True
    >>> coord.join()
    Traceback (most recent call last):
    KeyError: 'label'
    """

    def __init__(self, clean_stop_exception_types: Iterable[type[BaseException]] | None = None) -> None:
        given = (OutOfRangeError,) if clean_stop_exception_types is None else tuple(clean_stop_exception_types)
        self._clean = given
        # Guarded by the lock: the error, what is registered, and whether `join` is over.
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._registered: set[threading.Thread] = set()
        self._joined = False
        self._stop = threading.Event()
        self._moved = threading.Condition()

    @property
    def joined(self) -> bool:
        """Whether `join` came back after a stop."""
        return self._joined

    def should_stop(self) -> bool:
        """Whether a stop was requested."""
        return self._stop.is_set()

    def request_stop(self, ex: BaseException | ExcInfo | None = None) -> None:
        """Asks all threads to stop.

        Args:
          ex: the error that is the reason, or `sys.exc_info()`. One of the clean types is none.

        Raises:
          BaseException: `ex` itself, if it is no clean one and `join` is over: nobody else would hear of it.
        """
        error = ex[1] if isinstance(ex, tuple) else ex
        with self._lock:
            clean = error is None or isinstance(error, self._clean)
            if self._joined:
                if error is not None and not clean:
                    raise error
                return
            if not self._stop.is_set():
                if error is not None and not clean:
                    log.info("error reported to the coordinator: %r", error)
                    self._error = error
                self._stop.set()
        with self._moved:
            self._moved.notify_all()

    def clear_stop(self) -> None:
        """Forgets the stop, the error, and that `join` was called."""
        with self._lock:
            self._joined = False
            self._error = None
            self._stop.clear()

    @contextmanager
    def stop_on_exception(self) -> Iterator[None]:
        """Reports what is raised in a `with` block, and swallows it: `join` raises it."""
        try:
            yield
        except BaseException as error:
            self.request_stop(error)

    def wait_for_stop(self, timeout: float | None = None) -> bool:
        """Waits until a stop is requested.

        Args:
          timeout: for how long at most. [s]

        Returns:
          Whether it was.
        """
        return self._stop.wait(timeout)

    def register_thread(self, thread: threading.Thread) -> None:
        """Adds a thread to those that `join` waits for."""
        with self._lock:
            self._registered.add(thread)

    def join(
        self,
        threads: Iterable[threading.Thread] | None = None,
        stop_grace_period_secs: float = 120,
        ignore_live_threads: bool = False,
    ) -> None:
        """Waits for the registered threads and those given, or for a stop and then for as long as it is given.

        Args:
          threads: more threads to wait for.
          stop_grace_period_secs: how long threads have to end, once a stop was requested. [s]
          ignore_live_threads: whether those that have not by then are only named in the log.

        Raises:
          BaseException: the error that was reported.
          RuntimeError: threads are still running after the grace period.
        """
        with self._lock:
            waited = set(self._registered) | set(threads or ())
        watchers = self._until_done(waited)
        if self._stop.is_set():
            limit = monotonic() + stop_grace_period_secs
            for thread in waited:
                thread.join(max(0.0, limit - monotonic()))
        for thread, watcher in watchers.items():
            if not thread.is_alive():
                watcher.join()
        with self._lock:
            self._joined = True
            self._registered = set()
            if self._error is not None:
                raise self._error
        left = [thread.name for thread in waited if thread.is_alive()]
        if left:
            text = f"Coordinator stopped with threads still running: {' '.join(sorted(left))}"
            if not ignore_live_threads:
                raise RuntimeError(text)
            log.warning(text)

    def raise_requested_exception(self) -> None:
        """Raises the error that was reported, if one was."""
        with self._lock:
            if self._error is not None:
                raise self._error

    def _until_done(self, waited: Iterable[threading.Thread]) -> dict[threading.Thread, threading.Thread]:
        """Comes back when all threads have ended, or a stop is requested; gives who watches those that ran."""
        running = [thread for thread in waited if thread.is_alive()]
        watchers = {
            thread: threading.Thread(target=self._watch, args=(thread,), name="ps-tf1-join", daemon=True)
            for thread in running
        }
        with self._moved:
            for watcher in watchers.values():
                watcher.start()
            self._moved.wait_for(lambda: self._stop.is_set() or not any(thread.is_alive() for thread in running))
        return watchers

    def _watch(self, thread: threading.Thread) -> None:
        thread.join()
        with self._moved:
            self._moved.notify_all()
