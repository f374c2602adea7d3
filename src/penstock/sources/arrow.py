"""Placeholder until the file sources land."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class ArrowSource:
    label = "arrow"
    waits: bool | None = True
    blocks = True
    once: object | None = None

    def __init__(self, thing: Any) -> None:
        self._thing = thing

    def open(self, epoch: int) -> Iterator[Any]:
        raise NotImplementedError

    def length(self) -> int | None:
        return None
