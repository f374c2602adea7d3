"""The demo's third part: a feed that stops in the middle, and goes on in a new process from what was saved."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from zlib import crc32

from penstock.checksum import checksum
from penstock.demo import feed
from penstock.demo.screen import Screen
from penstock.errors import StateError, mismatch

__all__ = ["FEEDS", "Broken", "Leg", "break_off", "check", "go_on"]

FEEDS = {
    "in turn, 2 epochs": lambda size: feed.training(batch_size=size, epochs=2),
    "equal shares, shuffled": lambda size: feed.equal_shares(batch_size=size),
}
"""What is broken off: a pipeline of each batch size, by its name in the table."""


@dataclass(frozen=True, slots=True)
class Leg:
    """What one process took of a feed."""

    sums: list[int]
    """The checksum of each batch: of its dtypes, shapes and values."""
    first_s: float
    """From opening the feed to its first batch, with what is imported on the way. [s]"""


@dataclass(frozen=True, slots=True)
class Broken:
    """A feed that was broken off, and the same unbroken."""

    name: str
    """What it is called in the table."""
    whole: Leg
    """Unbroken."""
    before: Leg
    """Until it was stopped."""
    after: Leg
    """From there on, in a new process."""
    nbytes: int
    """Of the state, which is all that the new process was given. [bytes]"""


def break_off(screen: Screen, *, batch_size: int) -> tuple[Broken, ...]:
    """Stops each feed in the middle, goes on in a new process, and shows how the batches compare with those unbroken.

    Args:
      screen: where to.
      batch_size: examples in a batch. [examples]

    Raises:
      StateError: they are not the same; says from which batch on.
    """
    screen.say(
        f"The same files, in batches of {batch_size}: stopped in the middle, the state saved as JSON, gone on in a new process"
    )
    with TemporaryDirectory() as folder:
        runs = [_broken(name, batch_size, Path(folder, "state.json")) for name in FEEDS]
    for run in runs:
        _show(screen, run)
    for run in runs:
        check(run)
    screen.say("Both halves have the batches of the unbroken run, byte for byte.")
    return tuple(runs)


def check(run: Broken) -> None:
    """Compares batch by batch.

    Raises:
      StateError: the halves are not the unbroken run.
    """
    halves, whole = [*run.before.sums, *run.after.sums], run.whole.sums
    if halves != whole:
        pairs = enumerate(zip(halves, whole, strict=False))
        place = next((place for place, (one, other) in pairs if one != other), min(len(halves), len(whole)))
        got = f"others from batch {place} on, {len(halves)} in all"
        raise StateError(mismatch(f"the {len(whole)} batches of the unbroken run", got, at=f"`{run.name}`"))


def go_on(name: str, batch_size: int, state: Path) -> None:
    """Takes the rest of a feed, and prints what it took as JSON; the work of the new process.

    Args:
      name: of the feed.
      batch_size: examples in a batch. [examples]
      state: the file with the state.
    """
    leg, _ = _leg(name, batch_size, json.loads(state.read_text()), None)
    print(json.dumps([leg.sums, leg.first_s]))


def _broken(name: str, batch_size: int, file: Path) -> Broken:
    whole, _ = _leg(name, batch_size, None, None)
    before, state = _leg(name, batch_size, None, len(whole.sums) // 2)
    file.write_text(json.dumps(state))
    script = "import sys, pathlib; from penstock.demo.resume import go_on; "
    script += "go_on(sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3]))"
    # In a session of its own it does not hear a Ctrl-C, and is ended by who waits for it.
    new = subprocess.run(
        [sys.executable, "-c", script, name, str(batch_size), str(file)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        start_new_session=True,
    )
    return Broken(name, whole, before, Leg(*json.loads(new.stdout)), file.stat().st_size)


def _leg(name: str, batch_size: int, state: Any, most: int | None) -> tuple[Leg, Any]:
    """Takes a feed's batches from a state on, all or so many; gives the state behind them too."""
    started = perf_counter()
    sums: list[int] = []
    first_s = 0.0
    with FEEDS[name](batch_size).open(state=state) as flow:
        for batch in islice(flow, most):
            first_s = first_s or perf_counter() - started
            sums.append(checksum(batch))
        return Leg(sums, first_s), flow.state_dict()


def _show(screen: Screen, run: Broken) -> None:
    """A table of a feed, with a row for each process and for both together."""
    halves = [*run.before.sums, *run.after.sums]
    screen.table(
        [run.name, "batches", "checksum\nof them all", "ms to\nthe first", "bytes of the\nstate behind"],
        [
            ["unbroken", *_cells(run.whole), ""],
            ["until it is stopped", *_cells(run.before), f"{run.nbytes:,}"],
            ["from there, in a new process", *_cells(run.after), ""],
            ["both halves", f"{len(halves)}", _of_all(halves), "", ""],
        ],
    )


def _cells(leg: Leg) -> list[str]:
    return [f"{len(leg.sums)}", _of_all(leg.sums), f"{1000 * leg.first_s:.1f}"]


def _of_all(sums: list[int]) -> str:
    """One checksum of many, as it is shown."""
    return f"{crc32(repr(sums).encode()):08x}"
