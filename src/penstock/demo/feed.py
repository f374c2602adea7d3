"""The demo's feed: files in two formats, joined, padded and batched by penstock."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import penstock as ps
from penstock.data import shards

__all__ = ["equal_shares", "held_out", "names", "training"]

Example = dict[str, Any]


def names() -> list[str]:
    """What the sources of the training feed are called, in the order of their numbers."""
    return [path.name for path in shards("train")]


def training(*, batch_size: int, epochs: int = 1) -> ps.Pipeline:
    """Describes the feed that the demo trains on: a source for each file, one example of each in turn.

    Args:
      batch_size: examples in a batch; the last may have fewer. [examples]
      epochs: passes over the files; batches cross from one to the next.

    Returns:
      Batches of `image` uint8[n, 64], `ink` int16[n, longest], `digit` and `source` int64[n], `mask` bool[n, longest].
    """
    return _batches(_joined().repeat(epochs), batch_size)


def equal_shares(*, batch_size: int) -> ps.Pipeline:
    """Describes a feed of the same files, with as many of each digit in each batch, shuffled; in the same form."""
    equal = _joined().stratify("digit", "uniform", classes=range(10), repeats=4)
    return _batches(equal.shuffle(4 * batch_size), batch_size)


def held_out(*, batch_size: int) -> ps.Pipeline:
    """Describes the feed of what the model has not seen, in the same form."""
    return _batches(ps.join([_numbered(path, number) for number, path in enumerate(shards("heldout"))]), batch_size)


def _joined() -> ps.Pipeline:
    return ps.join({path.name: _numbered(path, number) for number, path in enumerate(shards("train"))})


def _batches(examples: ps.Pipeline, batch_size: int) -> ps.Pipeline:
    return examples.pad(ink=(None,), mask="mask").batch(batch_size, keep_last=True)


def _numbered(path: Path, number: int) -> ps.Pipeline:
    """One file's examples, each with the number of its source."""
    if path.suffix == ".parquet":
        return ps.read_parquet(path).map(partial(_with_source, number))
    return ps.read_jsonl(path).map(_typed).map(partial(_with_source, number))


def _typed(example: Example) -> Example:
    """JSON has one type of integer; this gives an example the types that Parquet has kept."""
    return {**example, "image": example["image"].astype(np.uint8), "ink": example["ink"].astype(np.int16)}


def _with_source(number: int, example: Example) -> Example:
    return {**example, "source": number}
