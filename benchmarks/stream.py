"""A stream whose class proportions are to be changed, as the ways to do it read it: counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.workloads import CLASSES, SHARES, Workload

__all__ = ["Stream"]


@dataclass(slots=True)
class Stream:
    """One pass over W5, and what it cost."""

    workload: Workload
    counted: bool = True
    """Whether reads and decodes are counted, which takes time."""
    read: int = 0
    """Examples read so far. [examples]"""
    decoded: int = 0
    """Examples decoded so far; nothing is done but to count them. [examples]"""

    @property
    def batch(self) -> int:
        """Examples in a batch."""
        return self.workload.batch

    @property
    def target(self) -> Any:
        """The shares that are wanted, float64[K]: all alike."""
        return np.full(CLASSES, 1 / CLASSES)

    @property
    def accepted(self) -> Any:
        """With which probability each class is kept, float64[K], so that the shares it begins with become the target."""
        ratio = self.target / SHARES
        return ratio / ratio.max()

    def open(self) -> Iterator[Any]:
        """The examples, not decoded: `(float32[16], int64)`."""
        (source,) = self.workload.sources
        return self._counting(source()) if self.counted else source()

    def _counting(self, examples: Iterator[Any]) -> Iterator[Any]:
        for example in examples:
            self.read += 1
            yield example

    def decode(self, example: Any) -> Any:
        """What a user does to an example that is dear, such as to read its JPEG."""
        self.decoded += 1
        return example
