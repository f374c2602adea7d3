"""The classes of a stream: their labels, and the numbers that they are counted under."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from functools import cached_property
from typing import Any, Literal, final

import numpy as np

from penstock.errors import SpecError, mismatch

__all__ = ["Classes", "plain_label"]

ARGMAX = "pass its argmax"


@final
class Classes:
    """Labels and their numbers, 0 for the first.

    Args:
      labels: those that are known; all different.
      grows: whether a label that is new becomes a class.
      unknown: what happens otherwise: `"error"`, or `"ignore"`, which leaves the example out.

    >>> classes = Classes(["cat", "dog"], unknown="ignore")
    >>> [classes.number(label) for label in ("dog", "cat", "bird")]
    [1, 0, -1]
    """

    def __init__(
        self, labels: Iterable[Hashable] = (), *, grows: bool = False, unknown: Literal["error", "ignore"] = "error"
    ) -> None:
        self.labels: list[Hashable] = list(labels)
        """The label of each class, by its number."""
        self.grows = grows
        """Whether a label that is new becomes a class."""
        self._unknown = unknown
        self._counted: bool | None = None  # None before somebody asked; it takes time for every class.

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def numbers(self) -> dict[Hashable, int]:
        """The number of each label; made when it is first looked at, since many classes are mostly numbers themselves."""
        return {label: number for number, label in enumerate(self.labels)}

    @property
    def looked_up(self) -> dict[Hashable, int]:
        """The numbers as they are looked up; empty where labels are numbers themselves."""
        return {} if self.counted else self.numbers

    @property
    def counted(self) -> bool:
        """Whether the labels are 0, 1, 2 and so on, and stay as they are."""
        if self._counted is None:
            # Of what is equal to these numbers only the first two may be bools.
            plain = self.labels == list(range(len(self.labels))) and True not in map(_is_bool, self.labels[:2])
            self._counted = not self.grows and plain
        return self._counted

    def first(self, count: int) -> Classes:
        """The first so many of them."""
        return self if count == len(self) else Classes(self.labels[:count], grows=self.grows, unknown=self._unknown)

    def restore(self, labels: Iterable[Hashable]) -> None:
        """Has just these classes, in place of those that there are; whoever holds `numbers` goes on holding it."""
        self.labels[:] = labels
        self.numbers.clear()
        self.numbers.update({label: number for number, label in enumerate(self.labels)})

    def knows(self, label: object) -> bool:
        """Whether a label is one of the classes as they are now."""
        try:
            return plain_label(label) in self.numbers
        except (SpecError, TypeError):
            return False

    def number(self, label: object) -> int:
        """The number of a label, or -1 if its example is to be left out; a new one where classes grow.

        Raises:
          SpecError: it is none of the classes, or cannot be a label.
        """
        plain = plain_label(label)
        try:
            number = self.numbers.get(plain)
        except TypeError:
            if isinstance(plain, list) and _is_one_hot(plain):
                raise SpecError(mismatch("a label that is one number", f"one-hot `{plain!r}`", do=ARGMAX)) from None
            raise SpecError(mismatch("a hashable label", f"`{type(label).__name__}`")) from None
        if number is not None:
            if isinstance(plain, float) and not isinstance(self.labels[number], float):
                raise SpecError(self._of_floats(plain))
            return number
        if isinstance(plain, float):
            raise SpecError(self._of_floats(plain))
        if self.grows:
            return self._added(plain)
        if self._unknown == "ignore":
            return -1
        do = 'unknown="ignore" leaves such out'
        if isinstance(plain, tuple) and _is_one_hot(plain):
            raise SpecError(mismatch(f"a label {self._known()}", f"one-hot `{plain!r}`", do=ARGMAX))
        raise SpecError(mismatch(f"a label {self._known()}", f"`{plain!r}`", do=do))

    def _added(self, label: Hashable) -> int:
        known = self.labels[0] if self.labels else label
        if label is not None and known is not None and _kind(label) is not _kind(known):
            got = f"`{label!r}` ({type(label).__name__})"
            raise SpecError(mismatch(f"labels of one type, `{type(known).__name__}` like `{known!r}`", got))
        self.labels.append(label)
        return self.numbers.setdefault(label, len(self.labels) - 1)

    def _of_floats(self, label: float) -> str:
        do = "round it, or pass a function as `by`" if math.isfinite(label) else "leave out examples without a label"
        return mismatch(
            f"a label {self._known() if self.labels else 'that is an integer or a text'}", f"`{label!r}`", do=do
        )

    def _known(self) -> str:
        if self.counted:
            return f"that is an integer in [0, {len(self)})"
        shown = ", ".join(f"`{label!r}`" for label in self.labels[:6])
        return f"among {shown}" + (f" and {len(self) - 6} more" if len(self) > 6 else "")


def plain_label(label: Any) -> Any:
    """A label as Python's own value, where it is a scalar of NumPy or a framework.

    Raises:
      SpecError: it is an array of more than one element, such as a one-hot vector.
    """
    if isinstance(label, np.generic):
        return label.item()
    shape = getattr(label, "shape", None)
    if shape is None or not isinstance(shape, tuple) or not hasattr(label, "item"):
        return label
    if shape == ():
        return label.item()
    values = np.asarray(label).ravel()
    hot = len(shape) == 1 and values.dtype.kind in "biuf" and len(values) > 1
    if hot and bool(np.isin(values, (0, 1)).all()) and int(values.sum()) == 1:
        raise SpecError(mismatch("a label that is one number", f"one-hot `{values.dtype}{list(shape)}`", do=ARGMAX))
    raise SpecError(mismatch("a label that is one number or text", f"`{values.dtype}{list(shape)}`"))


def _is_one_hot(label: list[Any] | tuple[Any, ...]) -> bool:
    """Whether it is a list of zeros and a one."""
    numbers = len(label) > 1 and all(isinstance(value, (int, float)) for value in label)
    return numbers and sorted(label) == [0] * (len(label) - 1) + [1]


def _is_bool(label: object) -> bool:
    return isinstance(label, bool)


def _kind(label: object) -> type:
    """The type of a label, with bool among the integers, which it is equal to."""
    return int if isinstance(label, bool) else type(label)
