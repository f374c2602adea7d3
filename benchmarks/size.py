"""How much is measured, and how often."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FULL", "QUICK", "TINY", "TWIN", "Size"]


@dataclass(frozen=True, slots=True)
class Size:
    """The amount of data and of repetitions."""

    share: float
    """Of the full number of examples."""
    reps: int
    """Repetitions in each process."""
    processes: int
    """Processes, one after the other, that each repeat it."""
    limit_s: float
    """How long a loader of the comparison runs at most, each time. [s]"""

    def of(self, count: int, unit: int = 1) -> int:
        """The share of `count`, as a multiple of `unit`, at least one."""
        return max(1, round(count * self.share / unit)) * unit


FULL = Size(share=1.0, reps=9, processes=3, limit_s=1.0)
QUICK = Size(share=1 / 6, reps=3, processes=1, limit_s=0.3)
TWIN = Size(share=1 / 4, reps=2, processes=1, limit_s=0.5)
TINY = Size(share=1 / 50, reps=1, processes=1, limit_s=0.1)
