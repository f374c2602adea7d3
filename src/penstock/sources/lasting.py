"""Iterators that go on after they have raised, over generators, which cannot: there an error that can be passed is an item."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, final

__all__ = ["Bad", "Lasting"]


@final
class Bad:
    """Stands for an example that cannot be read, where the next ones can; as long as one example.

    Args:
      error: what is to be raised in its place.
    """

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __len__(self) -> int:
        return 1


@final
class Lasting(Iterator[Any]):
    """Gives the items of a generator, and raises where one of them is bad; what follows can be read all the same.

    >>> def lines():
    ...     yield 1
    ...     yield Bad(ValueError("no number"))
    ...     yield 3
    >>> numbers = Lasting(lines())
    >>> next(numbers)
    1
    >>> next(numbers)
    Traceback (most recent call last):
    ValueError: no number
    >>> next(numbers), numbers.lasts
    (3, True)
    """

    def __init__(self, items: Generator[Any, None, None]) -> None:
        self._items = items
        self.lasts = True
        """Whether it goes on after what it has raised."""

    def __next__(self) -> Any:
        try:
            item = next(self._items)
        except StopIteration:
            raise
        except BaseException:
            self.lasts = False
            raise
        if type(item) is Bad:
            raise item.error
        return item

    def close(self) -> None:
        """Closes the generator."""
        self._items.close()
