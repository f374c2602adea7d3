"""`python -m benchmarks`: asks the questions, prints the table, writes `RESULTS.md`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from benchmarks import (
    assemble,
    chunks,
    classes,
    compared,
    drain,
    images,
    latency,
    memory,
    peers,
    proportions,
    queues,
    ragged,
    records,
    resume,
    samplers,
    step,
    twin,
)
from benchmarks.child import Run
from benchmarks.line import Figure
from benchmarks.machine import describe
from benchmarks.size import FULL, QUICK, TINY, TWIN, Size
from benchmarks.table import Grid, Section, page, row

QUESTIONS: dict[str, ModuleType] = {
    "drain": drain,
    "step": step,
    "images": images,
    "ragged": ragged,
    "chunks": chunks,
    "assemble": assemble,
    "proportions": proportions,
    "classes": classes,
    "resume": resume,
    "latency": latency,
    "memory": memory,
    "queues": queues,
    "records": records,
    "twin": twin,
    "peers": peers,
}
WORKLOADS = {
    "w1": "drain",
    "w2": "images",
    "w3": "ragged",
    "w4": "chunks",
    "w5": "proportions",
    "w6": "proportions",
}
SIZES = {"full": FULL, "quick": QUICK, "tiny": TINY}
RESULTS = Path(__file__).with_name("RESULTS.md")


def main(arguments: Sequence[str] | None = None) -> int:
    """Asks the questions that are named, or all; gives the exit code."""
    options = parsed(arguments)
    names = list(dict.fromkeys(WORKLOADS.get(name, name) for name in options.questions)) or list(QUESTIONS)
    run = Run()
    facts = describe(run)
    print(*facts, sep="\n")
    asides = []
    absent = peers.missing() * ("peers" in names) + samplers.missing() * ("proportions" in names)
    if absent:
        asides.append(f"not installed, so left out: {'; '.join(absent)} (`pip install 'penstock[peers]'`)")
        print(*asides, sep="\n")
    started = time.perf_counter()
    sections = []
    for name in names:
        question = (QUESTIONS[name].__doc__ or "").partition("\n")[0]
        print(f"\n{name}: {question}", flush=True)
        figures = []
        for figure in asked(name, SIZES[options.size], run):
            figures.append(figure)
            print(row(figure), flush=True)
        others = ways(SIZES[options.size], run, options.png) if name == "proportions" else None
        sections.append(Section(name, question, figures, others))
    missed = [figure for section in sections for figure in section.figures if figure.holds is False]
    held = sum(figure.holds is True for section in sections for figure in section.figures)
    print(f"\n{held} targets hold, {len(missed)} do not; {time.perf_counter() - started:.0f} s")
    output = options.output or (RESULTS if options.size == "full" and len(names) == len(QUESTIONS) else None)
    if output is not None:
        output.write_text(page(sections, facts, asides), encoding="utf-8")
        print(f"written to {output}")
    return 1 if missed and options.check else 0


def asked(name: str, size: Size, run: Run) -> Iterator[Figure]:
    """The figures of one question."""
    if name != "twin":
        return QUESTIONS[name].measure(size, run)
    return twin.measure(TWIN, run, rounds=3) if size is FULL else twin.measure(TINY, run, rounds=1)


def ways(size: Size, run: Run, png: Path | None) -> Grid:
    """All ways to change class proportions: printed, drawn where a picture is wanted, and as a table."""
    found = compared.compare(size, run)
    grid = compared.grid(found, compared.examples_of(size))
    print("", *grid.lines, sep="\n", flush=True)
    if png is not None:
        from benchmarks import picture  # matplotlib is needed for nothing else

        picture.draw(png, found, compared.examples_of(size))
        print(f"drawn in {png}")
    return grid


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    choices = [*QUESTIONS, *WORKLOADS]
    parser.add_argument("questions", nargs="*", metavar="question", help=f"all, or some of: {', '.join(choices)}")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="size", action="store_const", const="quick", help="little data, few repetitions")
    size.add_argument("--tiny", dest="size", action="store_const", const="tiny", help="only to see that it runs")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    parser.add_argument("--output", type=Path, help="where the page goes; RESULTS.md for a full run of all questions")
    parser.add_argument("--png", type=Path, help="where a picture of `proportions` goes; needs matplotlib")
    parser.set_defaults(size="full")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.questions if name not in choices]
    if unknown:
        parser.error(f"expected one of {', '.join(choices)}, got {', '.join(unknown)}")
    if options.png and options.questions and not {"proportions", "w5", "w6"} & {*options.questions}:
        parser.error("expected `proportions` among the questions with --png")
    return options


if __name__ == "__main__":
    sys.exit(main())
