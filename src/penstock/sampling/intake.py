"""How examples come to rings and sieves: pulled from iterators, as rows, or as the classes of what the caller keeps.

Guarantees
  Adding stops at the arrival at which it is halted, and at an example whose label is refused, which did not arrive.
Assumes
  One thread.

This is the definition. `_intake.pyx` is its fast twin, and gives the same answers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Literal, Protocol

from penstock.errors import mismatch
from penstock.sampling.checks import checked_classes
from penstock.sampling.labels import Labels
from penstock.sampling.shares import Int64s

__all__ = ["Intake", "Shelf"]


class Shelf(Protocol):
    """What examples that wait are written to, each at its place."""

    @property
    def room(self) -> int:
        """Every place is smaller. [examples]"""

    def put(self, example: Any, place: int, /) -> bool:
        """Writes an example to a place, if it fits."""


class Intake(ABC):
    """What is common to all that examples are added to; its length is the number of arrivals."""

    name = "intake"
    """What messages call it."""
    _keeps_rows = False  # So that classes alone would not do.

    def _open(self) -> None:
        """Begins anew; how labels are read stays as it was said."""
        self.arrived = 0
        """Arrivals so far, ignored ones too. [examples]"""
        self.until = 2**63 - 1
        """The number of arrivals at which adding halts."""
        self.misfit: tuple[Any] | None = None
        """The example whose label was refused by the last `add` or `pull`; it did not arrive."""
        self.error: BaseException | None = None
        """What reading the label of the misfit raised."""
        self.lasts: list[Any] | None = None
        """Where the last example that was pulled of each iterator goes, if somebody wants to know."""

    _labels: Labels | None = None

    def __len__(self) -> int:
        return self.arrived

    @property
    @abstractmethod
    def halted(self) -> bool:
        """Whether adding stops here."""

    @property
    @abstractmethod
    def _known(self) -> int:
        """How many classes there are."""

    @abstractmethod
    def _arrive(self, of: int) -> int:
        """Counts an arrival, and tells what becomes of it: -1 if it is not kept."""

    @abstractmethod
    def _keep(self, example: Any, kept: int) -> None:
        """Keeps an example of which `_arrive` said that it is."""

    def labels(
        self,
        how: Literal["index", "key", "call", "whole"],
        key: Any,
        classes: dict[Any, int],
        unknown: Callable[[Any], int],
        *,
        identity: bool = False,
    ) -> None:
        """Says how the class of an example is found.

        A label that is just an `int` (no bool), `str`, `bytes`, `np.int64` or `np.int32` is looked up in `classes`.

        Args:
          how: the label is `example[key]` (`"index"` of a tuple or list, `"key"` of a dict), `key(example)` (`"call"`) or
            the example (`"whole"`).
          key: the index, key or function.
          classes: the classes of labels; looked at anew for each example; -1 ignores the example.
          unknown: the class of any other label, or -1; what it raises makes the example a misfit.
          identity: integers from 0 to the number of classes are their own classes, and `classes` is not looked at.
        """
        self._labels = Labels(how, key, classes, unknown, identity=identity)

    def pull(self, iterators: list[Iterator[Any]], first: int, n: int) -> None:
        """Pulls `n` examples from iterators, one of each in turn from place `first` on, and adds each.

        Stops before it pulls another once adding is halted, and at the first iterator that ends or raises.

        Args:
          iterators: k iterators.
          first: the place of the one that is pulled first.
          n: how many examples.
        """
        self._start()
        for turn in range(first, first + n):
            if self.halted:
                return
            try:
                example = next(iterators[turn % len(iterators)])
            except StopIteration:
                return
            if self.lasts is not None:
                self.lasts[turn % len(iterators)] = example
            if not self._take(example):
                return

    def add(self, rows: list[Any], start: int) -> int:
        """Adds examples from `rows[start]` on until adding is halted; gives how many were added."""
        self._start()
        before = self.arrived
        for place in range(start, len(rows)):
            if self.halted or not self._take(rows[place]):
                break
        return self.arrived - before

    def add_classes(self, classes: Int64s, start: int) -> int:
        """As `add`, for examples that the caller keeps.

        Args:
          classes: the number of each example's class, -1 to ignore it, of shape `(n,)` and int64.
          start: the place of the first that is added.

        Raises:
          ValueError: a class is not there. Those before it are added.
        """
        array = checked_classes(classes, self._keeps_rows)
        self.misfit = self.error = None
        before = self.arrived
        for of in array[start:].tolist():
            if self.halted:
                break
            if not -1 <= of < self._known:
                raise ValueError(mismatch(f"a class below {self._known}, or -1", of, at=f"{self.name}.add_classes"))
            self._arrive(of)
        return self.arrived - before

    def _start(self) -> None:
        if self._labels is None:
            expected = "to know how labels are read"
            raise ValueError(mismatch(expected, "no word of it", at=self.name, do="call `labels`"))
        self.misfit = self.error = None

    def _take(self, example: Any) -> bool:
        """Adds an example, unless its label is refused."""
        assert self._labels is not None, "`_start` saw to it"
        try:
            of = self._labels.class_of(example, self._known)
            if not -1 <= of < self._known:
                raise ValueError(mismatch(f"a class below {self._known}, or -1", of, at="a label"))
        except BaseException as error:
            self.misfit, self.error = (example,), error
            return False
        kept = self._arrive(of)
        if kept >= 0:
            self._keep(example, kept)
        return True
