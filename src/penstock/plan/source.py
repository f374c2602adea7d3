"""What yields examples, as a description sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

__all__ = ["FileSource", "Source"]


@runtime_checkable
class Source(Protocol):
    """What yields examples."""

    @property
    def label(self) -> str:
        """What it is called in messages: a file's name, a function's, or its type."""

    @property
    def waits(self) -> bool | None:
        """Whether it waits for something (a file, a network): `None` if that is to be found out."""

    @property
    def blocks(self) -> bool:
        """Whether it yields runs of examples (`Columns`, or a list of rows) instead of single ones."""

    @property
    def once(self) -> object | None:
        """The one-shot object behind it, if it can be opened only once."""

    def open(self, epoch: int) -> Iterator[Any]:
        """Starts a pass."""

    def length(self) -> int | None:
        """How many examples a pass gives, where known without reading. [examples]"""


@runtime_checkable
class FileSource(Source, Protocol):
    """What yields the examples of some files, one file after the other."""

    @property
    def files(self) -> tuple[str, ...]:
        """Their paths."""

    def of(self, files: tuple[str, ...]) -> FileSource:
        """The same of other files."""
