"""TF1's `LooperThread`: a thread that calls a function again and again, until a coordinator stops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any

from penstock.tf1.coordinator import Coordinator

__all__ = ["LooperThread"]


class LooperThread(threading.Thread):
    """Calls a function every so many seconds, or without a pause, in a thread that the coordinator knows.

    Override `run_loop` (and `start_loop`, `stop_loop`), or pass `target`.

    Args:
      coord: ends the loop, and is told of an error, which stops the others too.
      timer_interval_secs: from one call to the next; `None` for no pause. [s]
      target: what is called.
      args: for it.
      kwargs: for it.

    Source: TF1 `tf.train.LooperThread`.
    """

    def __init__(
        self,
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., object] | None = None,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(coord, Coordinator):
            raise ValueError(f"'coord' argument must be a Coordinator: {coord}")
        super().__init__(daemon=True)
        self._coord = coord
        self._interval_s = timer_interval_secs
        self._called = target
        self._call = (tuple(args or ()), dict(kwargs or {}))
        coord.register_thread(self)

    @staticmethod
    def loop(
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., object],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> LooperThread:
        """Starts a thread that calls `target(args)` until the coordinator stops."""
        looper = LooperThread(coord, timer_interval_secs, target=target, args=args, kwargs=kwargs)
        looper.start()
        return looper

    def run(self) -> None:
        """Loops until the coordinator stops."""
        with self._coord.stop_on_exception():
            self.start_loop()
            if self._interval_s is None:
                while not self._coord.should_stop():
                    self.run_loop()
            else:
                due = monotonic()
                while not self._coord.wait_for_stop(due - monotonic()):
                    due += self._interval_s
                    self.run_loop()
            self.stop_loop()

    def start_loop(self) -> None:
        """Is called when the thread starts."""

    def stop_loop(self) -> None:
        """Is called when the thread stops."""

    def run_loop(self) -> None:
        """Is called again and again: calls `target`."""
        if self._called is not None:
            args, kwargs = self._call
            self._called(*args, **kwargs)
