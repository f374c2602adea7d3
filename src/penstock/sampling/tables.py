"""The tables of the native rings, read and written as a state: queues of slots, linked by their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["linked", "read", "write"]

Table = np.ndarray[Any, Any]


def linked(slots: Table, slot: int, n: int) -> list[int]:
    """The n slots that follow each other from one on.

    Args:
      slots: of dtype `SLOT`.
      slot: the first; it does not count where n is 0.
      n: how many.
    """
    after: list[int] = slots["after"].tolist() if n else []
    found = []
    for _ in range(n):
        found.append(slot)
        slot = after[slot]
    return found


def read(rings: Table, slots: Table) -> list[list[int]]:
    """What waits, as `Rings.state` tells it: class, number, uses and slot of each example, class by class.

    Args:
      rings: of dtype `RING`, one for each class.
      slots: of dtype `SLOT`.
    """
    after = slots["after"].tolist()
    waiting = []
    for kind in ("fresh", "used"):
        queues = []
        for slot, n in zip(rings[f"{kind}_first"].tolist(), rings[kind].tolist(), strict=True):
            queue = []
            for _ in range(n):
                queue.append(slot)
                slot = after[slot]
            queues.append(queue)
        waiting.append(queues)
    each = [fresh + used for fresh, used in zip(*waiting, strict=True)]
    every = [slot for queue in each for slot in queue]
    of = [number for number, queue in enumerate(each) for _ in queue]
    return [of, slots["number"][every].tolist(), slots["uses"][every].tolist(), every]


def write(rings: Table, slots: Table, waiting: list[tuple[int, int, int, int, Any]], free: list[int]) -> int:
    """Puts what waits into empty tables; the opposite of `read`.

    Args:
      rings: of dtype `RING`, one for each class.
      slots: of dtype `SLOT`, as many as are needed.
      waiting: class, number, uses, slot and example of each.
      free: slots that are free again, in the order in which they were freed.

    Returns:
      The slot that was freed last, or -1.
    """
    first_free = -1
    for slot in free:
        slots["after"][slot], slots["uses"][slot] = first_free, -1
        first_free = slot
    for of, number, uses, slot, _ in waiting:
        slots["number"][slot], slots["uses"][slot] = number, uses
        kind = "used" if uses else "fresh"
        if rings[kind][of]:
            slots["after"][rings[f"{kind}_last"][of]], slots["before"][slot] = slot, rings[f"{kind}_last"][of]
        else:
            rings[f"{kind}_first"][of] = slot
        rings[f"{kind}_last"][of] = slot
        rings[kind][of] += 1
    return first_free
