"""What class proportions would give of a file: its labels are run through the same rings, by the same schedule.

Everything is admitted, as without a prior; so this is what the file can give, but for the few examples that are thinned
out in good time and would have been of use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penstock.forecast.progress import Show, quiet
from penstock.sampling.kernels import NumberRings
from penstock.sampling.quota import Quota
from penstock.sampling.shares import Int64s, Shares

__all__ = ["Replay", "replay"]

AT_ONCE = 65_536  # [examples]


@dataclass(frozen=True, slots=True)
class Replay:
    """What one pass over the file gives."""

    repeats: int
    """How often one example may be used."""
    arrived: int
    """Examples in the file. [examples]"""
    batch_size: int
    """Examples in a batch. [examples]"""
    batches: int
    """Whole batches."""
    first_after: int | None
    """As many examples are read for the first batch; `None` if there is none. [examples]"""
    longest_wait: int
    """Most examples that are read between two batches, or before the first. [examples]"""
    waits_for: int | None
    """The number of the class that the longest wait ended with; `None` without a batch."""
    given: Int64s
    """How many of each class are in the batches, repeated ones as often as they are used, int64[K]. [examples]"""
    distinct: Int64s
    """How many examples of each class are used at least once, int64[K]. [examples]"""
    crowded_out: int
    """Examples that were never used since their ring was full. [examples]"""

    @property
    def inputs_per_output(self) -> float | None:
        """Examples read for each that is delivered; `None` if none is."""
        return self.arrived / (self.batches * self.batch_size) if self.batches else None

    @property
    def coverage(self) -> float:
        """The share of all examples that is used at least once, from 0 to 1."""
        return int(self.distinct.sum()) / self.arrived

    @property
    def mean_uses(self) -> float | None:
        """How often an example is used that is used at all; `None` if none is."""
        return int(self.given.sum()) / int(self.distinct.sum()) if self.batches else None


def replay(
    order: Int64s, shares: Shares, batch_size: int, repeats: int, limits: Int64s, *, show: Show = quiet
) -> Replay:
    """Runs labels through rings.

    Args:
      order: the class of each example, int64[n].
      shares: the target.
      batch_size: examples in a batch. [examples]
      repeats: how often one example may be used.
      limits: examples of each class that are held at most, int64[K].
      show: shows how far it has got.

    >>> replay(np.array([0, 1, 0, 0, 0, 1]), Shares.uniform(2), 2, 1, np.array([2, 2])).batches
    2
    """
    wanted = np.array([weight > 0 for weight in shares.weights])
    rings, quota = NumberRings(repeats, 0), Quota(shares, batch_size)
    rings.grow(limits)
    rings.ask(*quota.take())
    batches, before, longest = 0, 0, 0
    first_after = waits_for = None
    with show(f"trying repeats={repeats}", len(order)) as advance:
        for start in range(0, len(order), AT_ONCE):
            part = order[start : start + AT_ONCE]
            part = np.where(wanted[part], part, -1)
            place = 0
            while place < len(part):
                place += rings.add_classes(part, place)
                while rings.full:
                    now = start + place
                    if first_after is None:
                        first_after = now
                    if now - before > longest:
                        longest, waits_for = now - before, int(part[place - 1])
                    before = now
                    rings.draw(batches)
                    batches += 1
                    rings.ask(*quota.take())
            advance(len(part))
    return Replay(
        repeats,
        len(order),
        batch_size,
        batches,
        first_after,
        longest,
        waits_for,
        rings.given.copy(),
        rings.distinct.copy(),
        int(rings.evicted_fresh.sum()),
    )
