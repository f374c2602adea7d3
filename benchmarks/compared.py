"""All ways to change class proportions, on the same two streams: as a table, and to be drawn.

The streams are W5, and W5 with its shares reversed half-way. What each way delivers is a matter of the data and of fixed
seeds, and the same on every run; only the time is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from benchmarks.child import Run
from benchmarks.delivered import Delivered, arguments, deliver, least_off, least_read, time_over_draining
from benchmarks.line import short
from benchmarks.recorded import Recorded, recorded
from benchmarks.samplers import SAMPLERS, Sampler
from benchmarks.size import Size
from benchmarks.table import Grid
from benchmarks.workloads import skewed

__all__ = ["HEAD", "Way", "compare", "examples_of", "grid"]

EXAMPLES = 1 << 17
"""Of each stream. [examples]"""
TIMED = 1 << 19
"""Of the stream that is timed. [examples]"""
LEAST = 1 << 13
"""A stream has at least so many, so that it gives ten batches. [examples]"""
HEAD = (
    "way",
    "inputs per output",
    "one example, at most",
    "off in a batch",
    "off in the worst tenth",
    "decodes per output",
    "time per output",
)
NOTHING = "–"
"""What is not known, or means nothing."""


@dataclass(frozen=True, slots=True)
class Way:
    """What one way made of both streams."""

    sampler: Sampler
    steady: Delivered
    drift: Delivered
    pace: float | None
    """Time for a delivered example over the time to drain one, median; `None` where it says nothing."""


def examples_of(size: Size) -> int:
    """Examples of each stream."""
    return max(LEAST, size.of(EXAMPLES, LEAST))


def compare(size: Size, run: Run) -> list[Way]:
    """Every way that is installed, each in processes of its own."""
    ways = []
    for sampler in SAMPLERS:
        if not sampler.installed:
            continue
        given = run(deliver, **arguments(sampler), examples=examples_of(size))
        timing = {"examples": size.of(TIMED, LEAST), "limit_s": size.limit_s, "reps": min(2, size.reps)}
        paces = [
            pace
            for _ in range(size.processes * sampler.timed)
            for pace in run(time_over_draining, **arguments(sampler), **timing)
        ]
        ways.append(
            Way(sampler, Delivered(**given["steady"]), Delivered(**given["drift"]), median(paces) if paces else None)
        )
    return ways


def grid(ways: list[Way], examples: int) -> Grid:
    """The table of all ways, of what none can beat, and of what TF1 itself gave."""
    batch = sum(ways[0].steady.counts[0])
    said = (
        f"Equal shares, from {examples:,} examples of W5 in batches of {batch} → from the same with its shares reversed "
        "half-way. Off: the part of a batch that has the wrong class (total variation), on average, and of the worst "
        "tenth of the run taken as a whole. A decode is counted as late as the way allows it. "
        "Time: over draining one example of the generator; from the first batch on, without drift, nothing decoded."
    )
    rows = [_measured(way) for way in ways]
    steady, drift = (skewed(examples, distinct=examples, drift=reversed_).arrays[1] for reversed_ in (False, True))
    for repeats, words in ((1, "once each"), (4, "4 times each")):
        least = _both(short(least_read(steady, repeats)), short(least_read(drift, repeats)))
        nearest = _both(*[percent(least_off(batch))] * 2)
        name = f"the least with exact shares, {words}, however much is kept"
        rows.append((name, least, f"{repeats} ×", nearest, NOTHING, NOTHING, NOTHING))
    rows += [_as_recorded(run) for run in recorded()]
    return Grid(said, HEAD, tuple(rows))


def _measured(way: Way) -> tuple[str, ...]:
    steady, drift = way.steady, way.drift
    return (
        way.sampler.name,
        _both(short(steady.inputs_per_output), short(drift.inputs_per_output)),
        f"{max(steady.most, drift.most)} ×",
        _both(percent(float(steady.off.mean())), percent(float(drift.off.mean()))),
        _both(percent(steady.off_in_worst_window), percent(drift.off_in_worst_window)),
        _both(short(steady.decodes_per_output), short(drift.decodes_per_output)),
        NOTHING if way.pace is None else f"{short(way.pace)} ×",
    )


def _as_recorded(run: Recorded) -> tuple[str, ...]:
    name = f"TF1 itself, {run.how}: as recorded, batches of {run.batch}, without drift"
    if not run.examples:
        return name, f"nothing delivered of {run.read:,}", *[NOTHING] * 5
    whole = f"{percent(run.off)} as a whole"
    return name, short(run.read / run.examples), "1 ×" if run.once else NOTHING, NOTHING, whole, NOTHING, NOTHING


def _both(steady: str, drift: str) -> str:
    """A figure without drift and with it."""
    return f"{steady} → {drift}"


def percent(share: float) -> str:
    """A share of 0 to 1 in words."""
    return f"{100 * share:.1f} %"
