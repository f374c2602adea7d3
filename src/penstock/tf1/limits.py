"""`limit_epochs`: a handle that can be read so many times."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, final

from penstock.tf1.errors import OutOfRangeError
from penstock.tf1.handles import Handle, Node, Step, as_handle

__all__ = ["limit_epochs", "restart"]


@final
class Count:
    """How often a limited handle was read in a session."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.read = 0

    def restart(self) -> None:
        """Begins to count anew."""
        with self.lock:
            self.read = 0

    def close(self) -> None:
        """Has nothing to stop."""


@final
class Limited(Node):
    """A value that is given so many times."""

    def __init__(self, name: str, limited: Handle, most: int) -> None:
        super().__init__(name, [limited])
        self._most = most

    @property
    def origin(self) -> object:
        """The count."""
        return self

    def outputs(self, step: Step) -> Sequence[Any]:
        """Counts, and gives the value."""
        count: Count = step.session.state(self, Count)
        with count.lock:
            if count.read >= self._most:
                raise OutOfRangeError(f"Reached limit of {self._most}")
            count.read += 1
        return (step.value(self.inputs[0]),)


def limit_epochs(tensor: Any, num_epochs: int | None = None, name: str | None = None) -> Handle:
    """The value of a handle, `num_epochs` times; then the data have ended.

    Args:
      tensor: a handle, or a constant.
      num_epochs: how often it can be read; `None` gives the handle back as it is.
      name: for messages.

    Raises:
      ValueError: `num_epochs` is not above 0.

    Source: TF1 `tf.train.limit_epochs`, whose count had to be initialised; running an initialiser restarts it, as there.
    """
    handle = as_handle(tensor)
    if num_epochs is None:
        return handle
    if num_epochs <= 0:
        raise ValueError(f"num_epochs must be > 0 not {num_epochs}.")
    node = Limited(name or "limit_epochs", handle, int(num_epochs))
    return Handle(node, dtype=handle.dtype, shape=handle.static)


def restart(session: Any) -> None:
    """Lets everything that is limited be read anew."""
    for state in session.states():
        if isinstance(state, Count):
            state.restart()
