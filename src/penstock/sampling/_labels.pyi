from collections.abc import Callable
from typing import Any, Literal

from penstock.sampling.shares import Int64s

class Labels:
    def __init__(
        self,
        how: Literal["index", "key", "call", "whole"],
        key: Any,
        classes: dict[Any, int],
        unknown: Callable[[Any], int],
        *,
        identity: bool,
    ) -> None: ...
    def class_of(self, example: Any, classes: int) -> int: ...

def all_below(numbers: Int64s, end: int) -> bool: ...
