"""Numbered places for examples that wait, and queues of them: what rings are made of, where they are not native."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import numpy as np

__all__ = ["FIRST", "RING", "SLOT", "Queues", "Slots"]

SLOT = np.dtype([("number", "i8"), ("uses", "i4"), ("after", "i4"), ("before", "i4"), ("unused", "i4")])
"""What the native rings keep of a slot: `Slot` in `_slots.pxd`."""
RING = np.dtype(
    [("seen", "i8"), ("threshold", "u8"), ("bar", "u8"), ("need", "i8"), ("at_hand", "i8"), ("fresh", "i8")]
    + [(name, "i4") for name in ("used", "limit", "fresh_first", "fresh_last", "used_first", "used_last")]
    + [(name, "i8") for name in ("thinned", "evicted_fresh", "evicted_used", "given", "distinct", "waited", "unused")]
)
"""What they keep of a class: `Ring`."""

FIRST = 64
"""How many slots there are at first; they double. [slots]"""


@final
class Slots:
    """Numbered places for examples. A place that is free is given again, the last freed first."""

    def __init__(self) -> None:
        self.of: list[int] = []
        """The class of the example in each slot."""
        self.uses: list[int] = []
        """How often it was drawn; -1 in a slot that is free."""
        self.number: list[int] = []
        """How many arrived before it."""
        self.after: list[int] = []
        """The next slot in the same queue."""
        self.before: list[int] = []
        """The slot before it in the same queue, of all but the first."""
        self.rows: list[Any] = []
        """The example itself; `None` in a slot that is free."""
        self.free: list[int] = []
        """Slots that are free again, in the order in which they were freed."""
        self._top = 0  # From here on, no slot was ever taken.

    @property
    def capacity(self) -> int:
        """How many slots there are, taken or not."""
        return len(self.of)

    def take(self, of: int, number: int) -> int:
        """Gives a slot to an example of a class."""
        if self.free:
            slot = self.free.pop()
        else:
            slot = self._top
            self._make_room(slot + 1)
        self.of[slot], self.uses[slot], self.number[slot] = of, 0, number
        return slot

    def release(self, slot: int) -> None:
        """Frees a slot; what stands in it besides stays to be read."""
        self.uses[slot] = -1
        self.free.append(slot)

    def holds(self, slot: int, number: int) -> bool:
        """Whether the example that arrived after so many others waits in a slot."""
        return self.uses[slot] >= 0 and self.number[slot] == number

    def waiting(self) -> list[int]:
        """Of each example that waits, how many arrived before it, ascending."""
        return sorted([number for number, uses in zip(self.number, self.uses, strict=True) if uses >= 0])

    def restore(self, waiting: list[tuple[int, int, int, Any]]) -> None:
        """Takes a slot for each, from the first on: class, number, uses and example."""
        self._make_room(len(waiting))
        for slot, (of, number, uses, row) in enumerate(waiting):
            self.of[slot], self.uses[slot], self.number[slot] = of, uses, number
            self.rows[slot] = row

    def _make_room(self, top: int) -> None:
        self._top = top
        while self.capacity < top:
            more = self.capacity or FIRST
            for values in (self.of, self.number, self.after, self.before):
                values += [0] * more
            self.uses += [-1] * more
            self.rows += [None] * more


@final
class Queues:
    """A queue of slots for each class. The slots are linked, so a class needs no object of its own.

    Args:
      after: of each slot, the next in its queue; shared by all queues.
      before: and the one before it.
    """

    def __init__(self, after: list[int], before: list[int]) -> None:
        self.count = np.zeros(0, np.int64)
        """How many slots are in the queue of each class."""
        self._first: list[int] = []
        self._last: list[int] = []
        self._after = after
        self._before = before

    def grow(self, more: int) -> None:
        """Adds classes, whose queues are empty."""
        self.count = np.append(self.count, np.zeros(more, np.int64))
        self._first += [-1] * more
        self._last += [-1] * more

    def push(self, of: int, slot: int) -> None:
        """Puts a slot at the end of a class's queue."""
        if self.count[of]:
            self._after[self._last[of]], self._before[slot] = slot, self._last[of]
        else:
            self._first[of] = slot
        self._last[of] = slot
        self.count[of] += 1

    def pop(self, of: int) -> int:
        """Takes the first slot from a class's queue, which is not empty."""
        slot = self._first[of]
        self._first[of] = self._after[slot]
        self.count[of] -= 1
        return slot

    def ends(self, of: int) -> tuple[int, int]:
        """The first and the last slot of a class's queue, which is not empty."""
        return self._first[of], self._last[of]

    def pop_last(self, of: int) -> int:
        """Takes the last slot from a class's queue, which is not empty."""
        slot = self._last[of]
        self._last[of] = self._before[slot]
        self.count[of] -= 1
        return slot

    def slots(self, of: int) -> Iterator[int]:
        """The slots of a class's queue, in order."""
        slot = self._first[of]
        for _ in range(self.count[of]):
            yield slot
            slot = self._after[slot]
