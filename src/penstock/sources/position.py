"""How a source is read again from a place in the middle.

A source says how that goes, the first of these that it has:
  its iterator has `state_dict()` and `load_state_dict(state)`: by these, as files do;
  it has `open_at(epoch, n)`, which starts behind the first n: by index;
  its iterator has `skip(n)`: by that;
  else it is opened and n of its items are read and dropped: by scanning.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any, final

from penstock.errors import StateError, mismatch
from penstock.plan import Source

__all__ = ["Marks", "dropped", "identity_of", "opened_at", "scans", "state_of", "too_short"]

MOST = 32
"""So many marks are kept of a stream; where there are more, every other is dropped. [marks]"""
EVERY = 1 << 14
"""At first a mark is kept after so many examples. [examples]"""


def state_of(iterator: Any) -> Any:
    """Where an iterator of a source stands, by its own word; `None` if it does not say, or is not open."""
    tell = getattr(iterator, "state_dict", None)
    return tell() if callable(tell) and callable(getattr(iterator, "load_state_dict", None)) else None


def identity_of(source: Source) -> list[Any]:
    """What tells a source from others of its label, as plain data: the sizes of its files or arrays, say."""
    tell = getattr(source, "identity", None)
    told: list[Any] = tell() if callable(tell) else []
    return told


def scans(source: Source, state: Any) -> bool:
    """Whether a source with this state is read from its start to get to a place."""
    if state is not None:
        return False
    parts = getattr(source, "parts", None)
    return not hasattr(source, "open_at") if parts is None else any(scans(part, None) for part in parts)


def opened_at(source: Source, epoch: int, n: int, state: Any = None) -> Iterator[Any]:
    """Opens a source behind its first n items.

    Args:
      source: what is opened.
      epoch: which pass.
      n: how many items come before. [items]
      state: what the iterator said of itself there; `None` if it did not.

    Raises:
      StateError: it ends before that place.
    """
    if state is None and n and hasattr(source, "open_at"):
        opened: Iterator[Any] = source.open_at(epoch, n)
        return opened
    iterator = source.open(epoch)
    if state is not None:
        load = getattr(iterator, "load_state_dict", None)
        if load is None:
            want = "a source that can be set to a state (`load_state_dict`)"
            raise StateError(mismatch(want, f"`{source.label}`, which cannot any more", at="open(state)"))
        load(state)
    elif n:
        skip = getattr(iterator, "skip", None)
        if callable(skip):
            skip(n)
        elif dropped(iterator, n) < n:
            raise too_short(source.label, n)
    return iterator


def dropped(iterator: Iterator[Any], n: int) -> int:
    """Reads n items and drops them; gives how many there were."""
    last = deque(enumerate(islice(iterator, n), 1), maxlen=1)
    return last[0][0] if last else 0


def too_short(label: str, n: int) -> StateError:
    """The error of a source that gave more when the state was taken."""
    return StateError(
        mismatch(f"a source of at least {n} items, as when the state was taken", "fewer", at=f"source {label!r}")
    )


@final
class Marks:
    """States of an iterator, each with the number of examples before it: where one can begin to look for an older example.

    There are never many: where they become too many, the distance between them doubles.

    >>> marks = Marks()
    >>> marks.add(0, "start"), marks.add(EVERY, "later"), marks.add(EVERY + 1, "too near")
    (None, None, None)
    >>> marks.before(EVERY + 5)
    (16384, 'later')
    """

    def __init__(self) -> None:
        self._every = EVERY
        self._places: list[int] = []
        self._states: list[Any] = []

    def wants(self, place: int) -> bool:
        """Whether the last mark lies far enough back."""
        return not self._places or place >= self._places[-1] + self._every

    def add(self, place: int, state: Any) -> None:
        """Notes a state, if it is wanted."""
        if not self.wants(place):
            return
        self._places.append(place)
        self._states.append(state)
        if len(self._places) > MOST:
            self._every *= 2
            self._places, self._states = self._places[::2], self._states[::2]

    def before(self, place: int) -> tuple[int, Any]:
        """The last mark that is not behind a place; the start, without a state, if there is none."""
        at = bisect_right(self._places, place) - 1
        return (self._places[at], self._states[at]) if at >= 0 else (0, None)

    def state(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {"every": self._every, "places": list(self._places), "states": list(self._states)}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from a state."""
        self._every, self._places, self._states = int(state["every"]), list(state["places"]), list(state["states"])
