"""The tables of the native rings, as they are set to a state: queues of slots, linked by their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["write"]

Table = np.ndarray[Any, Any]


def write(rings: Table, slots: Table, waiting: list[tuple[int, int, int, Any]]) -> None:
    """Puts what waits into empty tables.

    Args:
      rings: of dtype `RING`, one for each class.
      slots: of dtype `SLOT`, as many as are needed.
      waiting: class, number, uses and example of each, which has the next slot.
    """
    for slot, (of, number, uses, _) in enumerate(waiting):
        slots["number"][slot], slots["uses"][slot] = number, uses
        kind = "used" if uses else "fresh"
        if rings[kind][of]:
            slots["after"][rings[f"{kind}_last"][of]], slots["before"][slot] = slot, rings[f"{kind}_last"][of]
        else:
            rings[f"{kind}_first"][of] = slot
        rings[f"{kind}_last"][of] = slot
        rings[kind][of] += 1
