"""How the label of an example is read: by key, index, attribute, path or function."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Literal, final

import numpy as np

from penstock.chunk import Columns
from penstock.errors import SpecError, mismatch
from penstock.sampling import Classes
from penstock.sampling.shares import Int64s

__all__ = ["By", "How", "numbered"]

How = Literal["index", "key", "call", "whole"]


@final
class By:
    """Reads labels.

    Args:
      by: a key, an index, an attribute's name, a path (a tuple of these), or a function of the example.
    """

    def __init__(self, by: Any) -> None:
        self._by = by
        self.own = callable(by)
        """Whether it is the user's function."""

    def reading(self, example: object) -> tuple[How, Any]:
        """How `Rings` reads the label of examples like this one."""
        if self.own:
            return "call", self._by
        if isinstance(self._by, tuple):
            return "call", self._along
        if isinstance(example, dict):
            return "key", self._by
        if isinstance(self._by, int) and type(example) in (tuple, list):
            return "index", self._by
        return "call", _getter(self._by)

    def _along(self, example: Any) -> Any:
        for step in self._by:
            example = example[step] if isinstance(example, dict) else _getter(step)(example)
        return example

    def column(self, columns: Columns) -> np.ndarray[Any, Any] | None:
        """The array of the labels; `None` where they are to be read off one by one.

        Raises:
          SpecError: there is no such component.
        """
        if self.own:
            return None
        path = self._by if isinstance(self._by, tuple) else (self._by,)
        paths = columns.structure.paths()
        if path not in paths:
            raise SpecError(self.missing(columns.rows()[0] if columns.count else None))
        array: np.ndarray[Any, Any] = columns.arrays[paths.index(path)]
        return array

    def missing(self, example: object) -> str:
        """What to say of an example that has no such component."""
        has = list(example) if isinstance(example, dict) else getattr(example, "_fields", None)
        what = f"components {', '.join(f'`{key}`' for key in has)}" if has else f"`{type(example).__name__}`"
        size = f" of {len(example)}" if isinstance(example, (tuple, list)) and not has else ""
        return mismatch(f"a component `{self._by!r}`, which is the label", f"{what}{size}", at="stratify(by)")


def numbered(labels: np.ndarray[Any, Any], classes: Classes) -> tuple[Int64s, Exception | None]:
    """The class numbers of labels, up to the first that is none, and what is wrong with that.

    Args:
      labels: of shape `(n,)`; a label that has dimensions is none.
      classes: the classes; they may grow.
    """
    if labels.ndim == 1 and labels.dtype.kind in "iu" and classes.counted and len(labels):
        if 0 <= int(labels.min()) and int(labels.max()) < len(classes):
            return labels.astype(np.int64, copy=False), None
    numbers = np.empty(len(labels), np.int64)
    found: dict[Any, int] = {}
    plain = labels.tolist() if labels.ndim == 1 and labels.dtype.kind in "iubUSO" else list(labels)
    for place, label in enumerate(plain):
        try:
            number = found.get(label) if labels.ndim == 1 else None
            if number is None:
                number = classes.number(label)
                found[label] = number
        except Exception as error:
            return numbers[:place], error
        numbers[place] = number
    return numbers, None


def _getter(step: Any) -> Callable[[Any], Any]:
    return operator.attrgetter(step) if isinstance(step, str) else operator.itemgetter(step)
