"""What waits in the rings, as a snapshot holds it: the numbers of the rings, and a ticket for each example."""

from __future__ import annotations

from typing import Any

import numpy as np

from penstock.errors import StateError, mismatch
from penstock.sampling import Rings
from penstock.sampling.shares import Int64s
from penstock.stages.origins import Origins
from penstock.stages.snapshot import Saved, packed, packed_tickets, unpacked, unpacked_tickets
from penstock.ticket import Tickets

__all__ = ["fresh_of", "numbers_of", "rings_of", "saved_rings", "tickets_of"]


def saved_rings(rings: Rings, origins: Origins) -> Saved:
    """A snapshot of rings.

    Args:
      rings: the rings.
      origins: where the examples came from.
    """
    state = rings.state(arrays=True)
    waiting = state.pop("waiting")
    numbers = waiting[1]
    lists = {name: value for name, value in state.items() if isinstance(value, np.ndarray) and name != "thresholds"}
    return {
        "state": {name: value for name, value in state.items() if name not in lists and name != "thresholds"},
        "lists": {name: [len(value), packed(value)] for name, value in lists.items()},
        "thresholds": state["thresholds"],
        "waiting": [packed(column) for column in waiting],
        "tickets": packed_tickets(origins.of(numbers, np.ones(len(numbers), np.int64))),
    }


def tickets_of(saved: Saved) -> Tickets:
    """The tickets of the examples that wait, in the order of the rings' state."""
    return unpacked_tickets(saved["tickets"])


def fresh_of(saved: Saved) -> Tickets:
    """The tickets of those of them that were never given."""
    tickets = tickets_of(saved)
    return tickets.select(np.flatnonzero(unpacked(saved["waiting"][2], len(tickets)) == 0))


def numbers_of(saved: Saved) -> Int64s:
    """How many arrived before each of them, int64[n]."""
    return unpacked(saved["waiting"][1], int(saved["tickets"]["n"]))


def rings_of(rings: Rings, origins: Origins, saved: Saved, rows: list[Any] | None) -> None:
    """Sets rings to a snapshot.

    Args:
      rings: the rings.
      origins: is told where the examples came from.
      saved: the snapshot.
      rows: the examples that wait, where rings keep them.
    """
    tickets = tickets_of(saved)
    waiting = [unpacked(column, len(tickets)) for column in saved["waiting"]]
    classes = len(saved["thresholds"])
    if any([count != classes for count, _ in saved["lists"].values()]):
        raise StateError(mismatch(f"counts of {classes} classes", "others", at="open(state)"))
    lists = {name: unpacked(its, classes).tolist() for name, (_, its) in saved["lists"].items()}
    state = {
        **saved["state"],
        **lists,
        "thresholds": saved["thresholds"].tolist(),
        "waiting": [column.tolist() for column in waiting],
    }
    rings.restore(state, rows)
    counted = (rings.distinct, rings.thinned, rings.evicted_fresh, rings.fresh_held)
    arrived = sum(int(np.sum(figures)) for figures in counted) + rings.ignored
    numbers = waiting[1]
    if rings.arrived != arrived or (len(numbers) and not 0 <= numbers.min() <= numbers.max() < arrived):
        want = f"{arrived:,} arrivals, as there are of all classes, and what waits among them"
        raise StateError(mismatch(want, f"{rings.arrived:,}", at="open(state)"))
    order = np.argsort(waiting[1], kind="stable")
    origins.restore(waiting[1][order], tickets.select(order))
