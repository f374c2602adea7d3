"""How the class of an example is found: by its label, which is looked up."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Literal, final

import numpy as np

from penstock.errors import mismatch
from penstock.sampling.shares import Int64s

__all__ = ["HOW", "Labels", "all_below"]

HOW = ("index", "key", "call", "whole")
"""Where a label is: `example[key]` of a tuple or list, or of a dict; `key(example)`; or the example itself."""

_INTEGERS = (np.int64, np.int32)
_LOOKED_UP = (int, str, bytes)


@final
class Labels:
    """How the class of an example is found; the arguments are those of `Rings.labels`.

    >>> Labels("index", 1, {"cat": 0, "dog": 1}, lambda label: -1, identity=False).class_of((2.5, "dog"), 2)
    1
    """

    def __init__(
        self,
        how: Literal["index", "key", "call", "whole"],
        key: Any,
        classes: dict[Any, int],
        unknown: Callable[[Any], int],
        *,
        identity: bool,
    ) -> None:
        if how not in HOW:
            raise ValueError(mismatch("`index`, `key`, `call` or `whole`", f"`{how}`", at="labels"))
        self._read: Callable[[Any], Any]
        if how == "whole":
            self._read = lambda example: example
        else:
            self._read = key if how == "call" else operator.itemgetter(key)
        self._classes, self._unknown, self._identity = classes, unknown, identity

    def class_of(self, example: Any, classes: int) -> int:
        """The class of an example as the functions give it, or -1 to ignore it; raises whatever reading the label raises.

        Args:
          example: the example.
          classes: how many classes there are now; `unknown` may add to them.
        """
        label = self._read(example)
        key = int(label) if type(label) in _INTEGERS else label
        of = None
        if type(key) in _LOOKED_UP:
            if not self._identity:
                of = self._classes.get(key)
            elif type(key) is int and 0 <= key < classes:
                of = key
        if of is None:
            of = self._unknown(label)
        return operator.index(of)


def all_below(numbers: Int64s, end: int) -> bool:
    """Whether whole numbers, int64[n], are all from 0 up, and below an end.

    >>> all_below(np.array([0, 2]), 3), all_below(np.array([0, -1]), 3)
    (True, False)
    """
    return (
        not len(numbers) or int(numbers.view(np.uint64).max()) < end
    )  # Seen as without a sign, what is below 0 is large.
