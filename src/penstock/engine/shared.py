"""What is shared under a name within one process: the one table that outlives an object.

Guarantees
  Under one name there is one thing at a time; who asks for it with another description is told both.
  The table holds nothing alive: a thing is forgotten with the last who uses it, or when it says that it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, TypeVar, final
from weakref import WeakValueDictionary

from penstock.errors import PipelineError, mismatch

__all__ = ["Commons", "shared", "unshared"]

T = TypeVar("T")


@final
class Commons:
    """Things by name.

    >>> class Pond: ...
    >>> commons = Commons()
    >>> pond = commons.get("north", {"kind": "pond", "depth": 3}, Pond)
    >>> commons.get("north", {"kind": "pond", "depth": 3}, Pond) is pond
    True
    >>> commons.get("north", {"kind": "pond", "depth": 4}, Pond)
    Traceback (most recent call last):
    penstock.errors.PipelineError: expected what `north` was opened with, depth=3, got depth=4 - at shared_name - ...
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: WeakValueDictionary[str, Any] = WeakValueDictionary()
        self._described: dict[str, dict[str, object]] = {}

    def get(self, name: str, described: Mapping[str, object], make: Callable[[], T]) -> T:
        """Gives the thing of a name, made now if there is none.

        Args:
          name: under which it is shared.
          described: what it is like, in words by name; all who share it agree on that.
          make: makes it.

        Raises:
          PipelineError: there is one that is described otherwise.
        """
        with self._lock:
            thing: T | None = self._held.get(name)
            if thing is None:
                thing = make()
                self._held[name] = thing
                self._described = {key: words for key, words in self._described.items() if key in self._held}
                self._described[name] = dict(described)
                return thing
            known = self._described[name]
            for key in {**known, **described}:
                if known.get(key) != described.get(key):
                    want = f"what `{name}` was opened with, {key}={known.get(key)}"
                    do = "everyone who shares a name describes the same; or take another name"
                    raise PipelineError(mismatch(want, f"{key}={described.get(key)}", at="shared_name", do=do))
            return thing

    def forget(self, name: str, thing: object) -> None:
        """Forgets a thing that is over, so that the name can be taken anew."""
        with self._lock:
            if self._held.get(name) is thing:
                del self._held[name]


_COMMONS = Commons()
shared = _COMMONS.get
unshared = _COMMONS.forget
