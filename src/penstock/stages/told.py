"""What a stage of class proportions tells of itself."""

from __future__ import annotations

import numpy as np

from penstock.sampling import Classes, Rings, efficiency
from penstock.sampling.shares import Float64s
from penstock.stages.absent import Absence
from penstock.stages.learning import Learning
from penstock.stats import StrataStats

__all__ = ["left_out", "told"]

COUNTED = ("seen", "thinned", "evicted_fresh", "given", "distinct", "waited", "fresh_held")
"""What of the rings' counters is told."""


def told(
    classes: Classes,
    rings: Rings | None,
    learning: Learning,
    absence: Absence,
    target: Float64s | None,
    *,
    size: int,
    repeats: int,
    exact: bool,
) -> StrataStats:
    """The figures of a `stratify`, class by class.

    Args:
      classes: the classes.
      rings: what waits of them; `None` before the first example.
      learning: what is known of the arriving shares.
      absence: what became of classes that stayed away.
      target: float64[K]; `None`, or of fewer classes, before it is asked for.
      size: examples in a batch.
      repeats: how often one example may be used.
      exact: whether the batches that are delivered are just those composed.
    """
    known = len(classes)
    counts = {name: np.zeros(known, np.int64) for name in COUNTED}
    if rings is not None:
        counts = {name: np.array(getattr(rings, name)[:known]) for name in COUNTED}
    for number, more in absence.repeated.items():
        counts["given"][number] += more
    arriving = learning.arriving(known)
    if target is None or len(target) != known:
        target = np.full(known, 1 / max(1, known))
    return StrataStats(
        labels=tuple(classes.labels[:known]),
        counts={**counts, "arriving": arriving, "target": target},
        inputs=rings.arrived if rings is not None else 0,
        delivered=int(counts["given"].sum()),
        bound=efficiency(arriving, target, repeats) if known else 0.0,
        window=learning.window,
        repeats=repeats,
        size=size,
        exact=exact,
        ignored=rings.ignored if rings is not None else 0,
        events=tuple(absence.events),
    )


def left_out(rings: Rings, *, over: bool) -> int:
    """How many examples were never given, and will not be.

    Args:
      rings: what waits.
      over: whether nothing of that will be given any more.
    """
    lost = int(rings.thinned.sum() + rings.evicted_fresh.sum()) + rings.ignored
    return lost + (int(rings.fresh_held.sum()) if over else 0)
