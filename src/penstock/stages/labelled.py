"""How the label of an example is read: by key, index, attribute, path or function."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Literal, final

import numpy as np

from penstock.chunk import Chunk, Columns
from penstock.errors import SpecError, mismatch, placed
from penstock.sampling import Classes, kernels
from penstock.sampling.shares import Int64s
from penstock.structure import Structure

__all__ = ["By", "How", "Numbering"]

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
        self._found: tuple[Structure, int] | None = None  # Where the labels stood last.

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

    def read_as(self, how: How) -> tuple[How, Any]:
        """What `reading` gave of an example, once it is known how."""
        if how in ("key", "index"):
            return how, self._by
        return "call", self._by if self.own else self._along if isinstance(self._by, tuple) else _getter(self._by)

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
        structure = columns.structure
        if self._found is None or self._found[0] is not structure:
            path = self._by if isinstance(self._by, tuple) else (self._by,)
            paths = structure.paths()
            if path not in paths:
                raise SpecError(self.missing(columns.rows()[0] if columns.count else None))
            self._found = structure, paths.index(path)
        array: np.ndarray[Any, Any] = columns.arrays[self._found[1]]
        return array

    def missing(self, example: object) -> str:
        """What to say of an example that has no such component."""
        has = list(example) if isinstance(example, dict) else getattr(example, "_fields", None)
        what = f"components {', '.join(f'`{key}`' for key in has)}" if has else f"`{type(example).__name__}`"
        size = f" of {len(example)}" if isinstance(example, (tuple, list)) and not has else ""
        return mismatch(f"a component `{self._by!r}`, which is the label", f"{what}{size}", at="stratify(by)")

    def explained(self, example: object, error: BaseException, where: str) -> BaseException:
        """What is told of an example whose label is none.

        Args:
          example: the example.
          error: what reading or looking up its label raised.
          where: its place: `"example 5 of source 0 ('read')"`.
        """
        if isinstance(error, SpecError):
            text = str(error)
            return SpecError(f"{text} - {where}" if "stratify(by)" in text else f"{text} - at the label of {where}")
        if not self.own and isinstance(error, (KeyError, IndexError, AttributeError, TypeError)):
            return SpecError(f"{self.missing(example)} - {where}")
        return placed(error, f"reading the label of {where}")


@final
class Numbering:
    """The class numbers of a chunk's labels, in order.

    A new class is one from its first example on: what comes before it is numbered, and can be gone through, without it.

    Args:
      chunk: the examples.
      by: how their labels are read.
      classes: the classes; they may grow.
    """

    def __init__(self, chunk: Chunk, by: By, classes: Classes) -> None:
        self._classes = classes
        self._found: dict[Any, int] = {}
        self._labels: list[Any] = []
        self.ready = 0
        """So many have been numbered."""
        self.error: Exception | None = None
        """What is wrong with the label after those, if any is."""
        try:
            labels = by.column(chunk.columns) if chunk.columns is not None else None
        except SpecError as error:
            self.error = error
            return
        if labels is None:
            self._read(chunk.as_rows(), by)
        elif _are_numbers(labels, classes):
            self.numbers = labels.astype(np.int64, copy=False)
            self.ready = len(labels)
            return
        else:
            self._labels = labels.tolist() if labels.ndim == 1 and labels.dtype.kind in "iubUSO" else list(labels)
            self._hashed = labels.ndim == 1
        self.numbers = np.empty(len(self._labels), np.int64)
        if not self._labels:
            self.error = self._unread

    def _read(self, rows: list[Any], by: By) -> None:
        """Reads labels off examples, up to the first that has none."""
        self._hashed = False
        how, key = by.reading(rows[0])
        read: Callable[[Any], Any] = key if how == "call" else operator.itemgetter(key)
        for row in rows:
            try:
                self._labels.append(read(row))
            except Exception as error:
                self._unread = error
                return

    _unread: Exception | None = None
    numbers: Int64s = np.empty(0, np.int64)
    """int64[n], of which `ready` count."""

    @property
    def over(self) -> bool:
        """Whether no more can be numbered."""
        return self.error is not None or self.ready == len(self.numbers)

    def more(self) -> None:
        """Numbers labels up to the next that is a new class; if the first is, it becomes one."""
        classes, found, known = self._classes, self._found, len(self._classes) + 1
        for place in range(self.ready, len(self._labels)):
            label = self._labels[place]
            try:
                number = found.get(label) if self._hashed else None
                if number is None:
                    if classes.grows and place > self.ready and not classes.knows(label):
                        self.ready = place
                        return
                    number = classes.number(label)
                    if self._hashed:
                        found[label] = number
            except Exception as error:
                self.ready, self.error = place, error
                return
            self.numbers[place] = number
        assert len(classes) <= known, "a class at a time"
        self.ready, self.error = len(self._labels), self._unread


def _are_numbers(labels: np.ndarray[Any, Any], classes: Classes) -> bool:
    """Whether labels are all numbers of classes themselves."""
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not classes.counted or not labels.size:
        return False
    if labels.dtype == np.int64:
        return kernels.all_below(labels, len(classes))
    return int(labels.min()) >= 0 and int(labels.max()) < len(classes)


def _getter(step: Any) -> Callable[[Any], Any]:
    return operator.attrgetter(step) if isinstance(step, str) else operator.itemgetter(step)
