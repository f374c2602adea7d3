"""Sources that are iterated: an iterable, once; a callable, as often as one likes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count, cycle, repeat
from typing import Any, final

from penstock.errors import PipelineError, mismatch

__all__ = ["CallableSource", "IterableSource", "cancel_of", "name_of"]


def name_of(thing: object) -> str:
    """What a user's object is called in messages."""
    name = getattr(thing, "__qualname__", None)
    # Of a function within a function its own name tells enough.
    return name.rpartition("<locals>.")[2] if isinstance(name, str) else type(thing).__name__


def cancel_of(thing: object) -> Callable[[], object] | None:
    """The `cancel` of a user's object, if it has one: it makes a blocked `next` come back when a flow is closed."""
    cancel = getattr(thing, "cancel", None)
    return cancel if callable(cancel) else None


@final
class IterableSource:
    """The examples of an iterable, once."""

    blocks = False

    def __init__(self, iterable: Iterable[Any]) -> None:
        self._iterable = iterable
        self._opened = False
        self.label = name_of(iterable)
        self.once: object | None = iterable
        self.waits: bool | None = None
        self.cancel = cancel_of(iterable)
        self.endless = isinstance(iterable, (count, cycle)) or (isinstance(iterable, repeat) and _is_endless(iterable))
        """Whether it is known never to end, so that it may stand beside a component that does."""

    def open(self, epoch: int) -> Iterator[Any]:
        """Starts the one pass.

        Raises:
          PipelineError: it was opened before.
        """
        if self._opened:
            raise PipelineError(
                mismatch(
                    "a source that can be opened again",
                    f"the iterable `{self.label}`, which was opened before",
                    do="pass a callable that makes it: `lambda: ...`",
                )
            )
        self._opened = True
        return iter(self._iterable)

    def length(self) -> int | None:
        """Known where the iterable has a length."""
        return len(self._iterable) if hasattr(type(self._iterable), "__len__") else None  # type: ignore[arg-type]


@final
class CallableSource:
    """The examples of the iterable that a callable makes, anew for each pass."""

    blocks = False
    once: object | None = None

    def __init__(self, make: Callable[[], Iterable[Any]]) -> None:
        self._make = make
        self.label = name_of(make)
        self.waits: bool | None = None
        self.cancel = cancel_of(make)

    def open(self, epoch: int) -> Iterator[Any]:
        """Calls the callable and starts a pass over what it gives.

        Raises:
          PipelineError: what it gives cannot be iterated.
        """
        made = self._make()
        if isinstance(made, (str, bytes)) or (
            not hasattr(type(made), "__iter__") and not hasattr(type(made), "__getitem__")
        ):
            raise PipelineError(
                mismatch("a callable that gives an iterable", f"`{type(made).__name__}`", at=self.label)
            )
        return iter(made)

    def length(self) -> int | None:
        """Unknown."""
        return None


def _is_endless(constant: repeat[Any]) -> bool:
    try:
        constant.__length_hint__()
    except TypeError:
        return True
    return False
