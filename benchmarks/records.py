"""What does it cost to read TFRecord files with their checksums?

Records of 4 KiB, as images of a few kilobytes are kept, in one file that the system has in memory; and the same, each a
`tf.train.Example` of which bytes and a label are read. The rival reads the file's bytes, a MiB at a time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import penstock as ps
from benchmarks.child import Run
from benchmarks.clock import in_turns
from benchmarks.line import Figure, Line, ratios
from benchmarks.size import Size
from penstock.sources.records import framed
from penstock.sources.wire import serialized

__all__ = ["LINES", "measure"]

RIVAL = "the bytes of the file alone"
CHECKED = Line("records-checked", "4 KiB records, checksums checked: time", RIVAL, "lower")
PARSED = Line("records-parsed", "4 KiB records, taken apart into features: time", RIVAL, "lower")
LINES = (CHECKED, PARSED)

RECORD = 4096
"""Of a record. [bytes]"""
RECORDS = 1024
"""In the file, which is read again and again so that the size of a run changes nothing in it."""
MIB = 1 << 20


def times(passes: int, reps: int) -> dict[str, list[float]]:
    """The times of reading, in turns. [s]"""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.tfrecord"
        images = [rng.bytes(RECORD) for _ in range(RECORDS)]
        path.write_bytes(b"".join(framed(serialized({"image": [i], "label": [k % 10]})) for k, i in enumerate(images)))
        plain = ps.read_tfrecord(path)
        parsed = ps.read_tfrecord(path, features={"image": "bytes", "label": "int64"})
        assert [example["image"] for example in parsed] == images

        def read(pipeline: ps.Pipeline) -> None:
            for _ in range(passes):
                for _ in pipeline.open(inline=True):
                    pass

        def alone() -> None:
            for _ in range(passes):
                with path.open("rb") as file:
                    while file.read(MIB):
                        pass

        return in_turns({"checked": lambda: read(plain), "parsed": lambda: read(parsed), "alone": alone}, reps)


def measure(size: Size, run: Run) -> Iterator[Figure]:
    """The lines of this question."""
    took = run.pooled(size.processes, times, passes=size.of(8, 1), reps=size.reps)
    yield Figure(CHECKED, ratios(took["checked"], took["alone"]))
    yield Figure(PARSED, ratios(took["parsed"], took["alone"]))
