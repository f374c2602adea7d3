"""How long an example is: a number in it, or the length of an array, list or text, or what a function of it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np

from penstock.chunk import Chunk
from penstock.errors import SpecError, mismatch, placed
from penstock.stages.reader import place_of_ticket
from penstock.structure import path_text

__all__ = ["Lengths"]


@final
class Lengths:
    """Reads lengths.

    Args:
      by: a key, an index, an attribute's name, a path (a tuple of these), or a function of the example.
      labels: the sources' names by stream number, for messages.
    """

    def __init__(self, by: Any, labels: Sequence[str]) -> None:
        self._fn: Callable[[Any], Any] | None = by if callable(by) else None
        self._path = by if isinstance(by, tuple) else (by,)
        self._labels = labels

    def of(self, chunk: Chunk) -> tuple[list[float], BaseException | None]:
        """The lengths of a chunk's examples, up to the first that has none, and the error of that.

        An example's length depends on the example alone, in whatever chunk it comes.
        """
        columns = chunk.columns
        if columns is not None and self._fn is None:
            paths = columns.structure.paths()
            if self._path in paths:
                array = columns.arrays[paths.index(self._path)]
                if array.ndim > 1:
                    return [array.shape[1]] * len(array), None
                if array.dtype.kind in "iu":
                    return array.tolist(), None
        found: list[float] = []
        rows = chunk.as_rows()
        try:
            for row in rows:
                found.append(self.length(row))
        except SpecError as error:
            place = place_of_ticket(chunk.tickets[len(found)], self._labels)
            return found, SpecError(f"{error} - at bucket(by) of {place}")
        except BaseException as error:  # of the user's function, or of the user's own containers
            place = place_of_ticket(chunk.tickets[len(found)], self._labels)
            return found, placed(error, f"reading the length of {place}")
        return found, None

    def length(self, example: Any) -> float:
        """The length of one.

        Raises:
          SpecError: it has none.
          Exception: what the user's function or containers raise.
        """
        value = self._fn(example) if self._fn is not None else self._component(example)
        if isinstance(value, (str, bytes, list, tuple)):
            return len(value)
        if isinstance(value, (int, float, np.integer, np.floating)) and value == value:
            return value if isinstance(value, (int, float)) else value.item()
        shape = getattr(value, "shape", None)
        if shape is not None and len(shape):
            return int(shape[0])
        if shape is not None and np.asarray(value).dtype.kind in "iuf":
            return self.length(np.asarray(value).item())
        raise SpecError(mismatch("a number, or an array whose length counts", f"`{value!r}`"[:60]))

    def _component(self, example: Any) -> Any:
        value = example
        for step in self._path:
            try:
                named = isinstance(step, str) and not isinstance(value, dict)
                value = getattr(value, step) if named else value[step]
            except (KeyError, IndexError, AttributeError, TypeError):
                what = f"`{type(example).__name__}`"
                raise SpecError(mismatch(f"a component `{path_text(self._path)}`", f"{what} without it")) from None
        return value
