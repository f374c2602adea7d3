"""Shapes before anything ran, as TF1 told them: `TensorShape`, and `Dimension`, its sizes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from math import prod
from typing import Any, final

__all__ = ["Dimension", "Shape"]


@final
class Dimension:
    """A size that may not be known; it counts as the number that it is.

    Args:
      value: the size; `None` if it is not known.

    >>> size = Dimension(3)
    >>> size.value, size == 3, int(size), size * 2, Dimension(None) + 1
    (3, True, 3, 6, ?)
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value: int | None = value.value if isinstance(value, Dimension) else value

    def __int__(self) -> int:
        return self.__index__()

    def __index__(self) -> int:
        if self.value is None:
            raise TypeError("a size that is not known before it runs is no number; `tf.shape(x)` gives it when it runs")
        return self.value

    def __eq__(self, other: object) -> bool:
        return self.value == (other.value if isinstance(other, Dimension) else other)

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: Any) -> bool:
        return int(self) < int(other)

    def __gt__(self, other: Any) -> bool:
        return int(self) > int(other)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __repr__(self) -> str:
        return "?" if self.value is None else str(self.value)


def _counted(fn: Callable[[Any, Any], Any]) -> tuple[Callable[..., Dimension], Callable[..., Dimension]]:
    def forward(self: Dimension, other: Any) -> Dimension:
        one, two = self.value, Dimension(other).value
        return Dimension(None if one is None or two is None else fn(one, two))

    def backward(self: Dimension, other: Any) -> Dimension:
        return forward(Dimension(other), self)

    return forward, backward


for _name in ("add", "sub", "mul", "floordiv", "mod"):
    _forward, _backward = _counted(getattr(operator, _name))
    setattr(Dimension, f"__{_name}__", _forward)
    setattr(Dimension, f"__r{_name}__", _backward)


@final
class Shape:
    """What is known of a shape, as TF1's `TensorShape` told it.

    Args:
      sizes: `None` for a free dimension; `None` in all if not even the rank is known.
    """

    def __init__(self, sizes: Any) -> None:
        given = sizes.sizes if isinstance(sizes, Shape) else sizes
        self.sizes: tuple[int | None, ...] | None = (
            None if given is None else tuple(Dimension(size).value for size in given)
        )

    @property
    def ndims(self) -> int | None:
        """The rank, if it is known."""
        return None if self.sizes is None else len(self.sizes)

    rank = ndims

    @property
    def dims(self) -> list[Dimension] | None:
        """The sizes, if the rank is known."""
        return None if self.sizes is None else [Dimension(size) for size in self.sizes]

    def as_list(self) -> list[int | None]:
        """The sizes, `None` for a free dimension.

        Raises:
          ValueError: not even the rank is known.
        """
        if self.sizes is None:
            raise ValueError("as_list() is not defined on an unknown shape; penstock knows it once examples have come")
        return list(self.sizes)

    def is_fully_defined(self) -> bool:
        """Whether all sizes are known."""
        return self.sizes is not None and None not in self.sizes

    def num_elements(self) -> int | None:
        """How many elements there are, if all sizes are known."""
        known = [size for size in self.sizes or () if size is not None]
        return prod(known) if self.is_fully_defined() else None

    def __iter__(self) -> Iterator[Dimension]:
        return iter([Dimension(size) for size in self.as_list()])

    def __getitem__(self, at: Any) -> Any:
        found = self.as_list()[at]
        return Shape(tuple(found)) if isinstance(found, list) else Dimension(found)

    def __len__(self) -> int:
        return len(self.as_list())

    def __bool__(self) -> bool:
        return self.sizes is not None

    def __eq__(self, other: object) -> bool:
        theirs = other.sizes if isinstance(other, Shape) else other
        return self.sizes == (tuple(theirs) if isinstance(theirs, (list, tuple)) else theirs)

    def __hash__(self) -> int:
        return hash(self.sizes)

    def __repr__(self) -> str:
        return "<unknown>" if self.sizes is None else f"({', '.join('?' if s is None else str(s) for s in self.sizes)})"
