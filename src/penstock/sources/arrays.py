"""Sources that are arrays in memory: their rows are the examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, final

import numpy as np

from penstock.chunk import Columns
from penstock.draws import Key
from penstock.errors import PipelineError, mismatch
from penstock.sources.ordered import Shuffled
from penstock.structure import Structure, path_text

__all__ = ["ArraySource"]


@final
class ArraySource:
    """The rows of an array, or of several in any structure, read in step.

    Args:
      arrays: an array, or a tuple, dict, … of arrays, each of shape `(n, …)` with the same n.

    Raises:
      PipelineError: an array has no rows to give, or their numbers differ.
    """

    blocks = True
    by_index = True
    waits: bool | None = False
    once: object | None = None
    label = "arrays"

    def __init__(self, arrays: Any) -> None:
        structure = Structure.of(arrays)
        leaves = [np.asarray(leaf) for leaf in structure.leaves(arrays)]
        if not leaves:
            raise PipelineError(mismatch("at least one array", "none", at="from_arrays()"))
        for path, leaf in zip(structure.paths(), leaves, strict=True):
            if leaf.ndim == 0:
                raise PipelineError(
                    mismatch("an array of rows", f"a scalar `{leaf.dtype}[]`", at=f"component `{path_text(path)}`")
                )
            if len(leaf) != len(leaves[0]):
                raise PipelineError(
                    mismatch(
                        f"as many rows as `{path_text(structure.paths()[0])}` has, {len(leaves[0])}",
                        f"{len(leaf)}",
                        at=f"component `{path_text(path)}`",
                    )
                )
        self._columns = Columns(structure, tuple(leaves))

    def open(self, epoch: int) -> Iterator[Any]:
        """Gives all rows as one run, a new one for each pass, since what reads it notes on it how it is delivered."""
        run = Columns(self._columns.structure, self._columns.arrays)
        return iter([run] if len(run) else [])

    def fetch(self, epoch: int, places: Sequence[int]) -> list[Any]:
        """The rows at some places."""
        return self._columns.select(np.asarray(places, np.int64)).rows()

    def shuffled(self, key: Key) -> Shuffled:
        """The same rows in an order of each epoch."""
        return Shuffled(
            self.label,
            self._columns.__len__,
            key,
            item=None,
            run=self._columns.select,
            fetch=self.fetch,
            identity=self.identity,
            waits=self.waits,
            cancel=None,
        )

    def identity(self) -> list[Any]:
        """What tells it from others: the dtypes and shapes of its arrays."""
        return [[str(array.dtype), list(array.shape)] for array in self._columns.arrays]

    def length(self) -> int | None:
        """The number of rows."""
        return len(self._columns)
