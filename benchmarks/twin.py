"""What is the native part worth?

Each line of the other questions is measured with the native part and with its NumPy twin, in processes that take turns.
Most lines are ratios to a rival in their own process, so the quotient of two of them is free of the machine's pace.
What compares the feed with itself is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmarks import assemble, chunks, drain, images, latency, memory, proportions, ragged, records, step
from benchmarks.child import Run
from benchmarks.line import Figure, Line
from benchmarks.size import Size

__all__ = ["LINES", "MEASURED", "measure"]

MEASURED = (drain, step, images, ragged, chunks, assemble, proportions, latency, memory, records)


def against_twin(line: Line) -> Line:
    """The line of the quotient: above 1 the native part is better."""
    return Line(f"twin-{line.key}", f"{line.what} (over {line.rival})", "the NumPy twin", "higher")


LINES = tuple(against_twin(line) for question in MEASURED for line in question.LINES if line.twin)


def measure(size: Size, run: Run, rounds: int = 3) -> Iterator[Figure]:
    """The lines of this question, one question of the others after the other."""
    runs = {"native": replace(run, native=True), "twin": replace(run, native=False)}
    for question in MEASURED:
        found: dict[Line, dict[str, list[float]]] = {
            line: {"native": [], "twin": []} for line in question.LINES if line.twin
        }
        for turn in range(rounds):
            for way in runs if turn % 2 == 0 else reversed(runs):
                for figure in question.measure(size, runs[way]):
                    if figure.line.twin:
                        found[figure.line][way].append(figure.median)
        for line, ways in found.items():
            pairs = zip(ways["native"], ways["twin"], strict=True)
            values = tuple(twin / native if line.better == "lower" else native / twin for native, twin in pairs)
            yield Figure(against_twin(line), values)
