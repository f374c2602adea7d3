"""A run of examples handed from stage to stage at once, for speed; users never see one.

Guarantees
  A chunk holds its examples as *rows* (a list of the user's objects) or as *columns* (arrays with a leading dimension).
  It may be cut anywhere. An empty chunk without an error is the end of the stream, and nothing else is.
  An error is data: it stands after the chunk's last example, in the order of the stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from penstock.errors import SpecError, mismatch
from penstock.spec import as_leaf
from penstock.structure import Form, Structure, path_text
from penstock.ticket import NO_TICKETS, Tickets

__all__ = ["END", "WHOLE", "Chunk", "Columns", "examples_in"]

WHOLE = 1 << 30
"""More than any item or run has: asked for where it is to come whole. [examples]"""


@cache
def _flat(size: int) -> Structure:
    """The structure of a plain tuple of so many components."""
    return Structure.of((0,) * size)


class Columns:
    """Examples as arrays: one array for each component, all with the same leading dimension."""

    __slots__ = ("arrays", "count", "run", "structure")

    def __init__(self, structure: Structure, arrays: tuple[Any, ...]) -> None:
        self.structure = structure
        self.arrays = arrays
        self.count = len(arrays[0])
        self.run: tuple[Any, ...] | None = None
        """What an assembler keeps of the arrays: as they are to be delivered, or nothing; `None` before it has looked."""

    @classmethod
    def of(cls, item: object) -> Columns:
        """Takes a user's chunk, or a batch, as columns.

        Raises:
          SpecError: a component has no leading dimension, or not the same as the others.
        """
        if type(item) is tuple and item:  # as nearly every chunk is
            rows = None
            for part in item:
                shape = part.shape if type(part) is np.ndarray else ()
                if not shape or (rows is not None and shape[0] != rows):
                    break
                rows = shape[0]
            else:
                return cls(_flat(len(item)), item)
        structure = Structure.of(item)
        leaves = structure.leaves(item)
        arrays = tuple([leaf if type(leaf) is np.ndarray else np.asarray(as_leaf(leaf)) for leaf in leaves])
        if not arrays:
            raise SpecError(mismatch("a chunk of at least one component", f"an empty `{type(item).__name__}`"))
        for place, array in enumerate(arrays):
            if array.ndim == 0 or len(array) != len(arrays[0]):
                names = [path_text(path) for path in structure.paths()]
                got = f"a scalar `{array.dtype}[]`" if array.ndim == 0 else f"{len(array)} rows"
                want = "an array of rows" if array.ndim == 0 else f"as many rows as in `{names[0]}`, {len(arrays[0])},"
                raise SpecError(mismatch(f"{want} in each component of a chunk", got, at=f"component `{names[place]}`"))
        return cls(structure, arrays)

    @classmethod
    def stacked(cls, rows: Sequence[Any]) -> Columns:
        """Examples, all of one structure, dtypes and shapes, as columns."""
        structure = Structure.of(rows[0])
        leaves = zip(*[structure.leaves(row) for row in rows], strict=True)
        return cls(structure, tuple([np.stack([np.asarray(leaf) for leaf in its]) for its in leaves]))

    def __len__(self) -> int:
        return self.count

    @property
    def holds_objects(self) -> bool:
        """Whether a component of a row is a Python object: text, or whatever an object array holds."""
        return any([array.ndim == 1 and array.dtype.kind in "OUST" for array in self.arrays])

    def cut(self, start: int, stop: int) -> Columns:
        """Views of rows `start` to `stop`."""
        return Columns(self.structure, tuple([array[start:stop] for array in self.arrays]))

    def select(self, index: Any) -> Columns:
        """Copies of the rows at integer or boolean positions."""
        return Columns(self.structure, tuple(array[index] for array in self.arrays))

    def rows(self) -> list[Any]:
        """The examples one by one, as views, in the structure of an example."""
        form = self.structure.form
        if form is Form.LEAF:
            return list(self.arrays[0])
        columns = [list(array) for array in self.arrays]
        flat = all(child.is_leaf for child in self.structure.children)
        if flat and form is Form.TUPLE:
            return list(zip(*columns, strict=True))
        if flat and form is Form.DICT:
            keys = self.structure.keys
            return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
        build = self.structure.build
        return [build(row) for row in zip(*columns, strict=True)]


def examples_in(batches: Sequence[Any]) -> int:
    """How many examples there are in batches; a batch that was mapped to something without rows counts as one."""
    return sum(_rows_of(batch) for batch in batches)


def _rows_of(batch: Any) -> int:
    leaf = next(iter(Structure.of(batch).leaves(batch)), None)
    shape = np.shape(leaf) if leaf is not None else ()
    return shape[0] if shape else 1


class Chunk:
    """A run of examples with their tickets, and perhaps an error after the last."""

    __slots__ = ("columns", "count", "error", "item_end", "rows", "tickets")

    def __init__(
        self,
        rows: list[Any] | None,
        tickets: Tickets,
        *,
        columns: Columns | None = None,
        error: BaseException | None = None,
        item_end: bool = True,
    ) -> None:
        self.rows = rows
        self.columns = columns
        self.tickets = tickets
        self.error = error
        self.item_end = item_end
        self.count = len(rows) if rows is not None else columns.count if columns is not None else 0

    def __len__(self) -> int:
        return self.count

    @property
    def is_end(self) -> bool:
        """Whether this is the end of the stream: no example and no error."""
        return self.count == 0 and self.error is None

    def cut(self, n: int) -> tuple[Chunk, Chunk]:
        """The first n examples, and the rest, which keeps the error and the end of the item."""
        head, tail = self.tickets.cut(0, n), self.tickets.cut(n, self.count)
        if self.columns is not None:
            columns = self.columns
            return (
                Chunk(None, head, columns=columns.cut(0, n), item_end=False),
                Chunk(None, tail, columns=columns.cut(n, self.count), error=self.error, item_end=self.item_end),
            )
        assert self.rows is not None, "a chunk that is cut has rows or columns"
        return (
            Chunk(self.rows[:n], head, item_end=False),
            Chunk(self.rows[n:], tail, error=self.error, item_end=self.item_end),
        )

    def select(self, keep: Sequence[int]) -> Chunk:
        """The examples at these positions, in their order; error and end of item stay."""
        tickets = self.tickets.select(np.asarray(keep, np.int64))
        if self.columns is not None:
            columns = self.columns.select(np.asarray(keep, np.int64))
            return Chunk(None, tickets, columns=columns, error=self.error, item_end=self.item_end)
        assert self.rows is not None, "a chunk that is selected from has rows or columns"
        rows = [self.rows[i] for i in keep]
        return Chunk(rows, tickets, error=self.error, item_end=self.item_end)

    def as_rows(self) -> list[Any]:
        """The examples as the user's objects; rows of columns are views."""
        if self.rows is not None:
            return self.rows
        return self.columns.rows() if self.columns is not None else []


END = Chunk([], NO_TICKETS)
"""The end of a stream."""
