"""The small real data set that the demo runs on; the README.md beside it names its origin and licence."""

from __future__ import annotations

from pathlib import Path

__all__ = ["EXAMPLES", "shards"]

EXAMPLES = {"train": 1500, "heldout": 297}
"""How many examples each part has. [examples]"""


def shards(part: str) -> list[Path]:
    """Gives the files of one part of the data set, in the order of their numbers.

    Args:
      part: `"train"`, in nine files, or `"heldout"`, in two.

    >>> [path.name for path in shards("heldout")]
    ['heldout-0.parquet', 'heldout-1.jsonl']
    """
    return sorted(Path(__file__).parent.glob(f"{part}-*"))
