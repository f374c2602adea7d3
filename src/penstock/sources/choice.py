"""Which columns and rows of a table are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penstock.errors import PipelineError, SourceError, mismatch
from penstock.optional import load
from penstock.sources.files import named

__all__ = ["Choice"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which columns and rows of a table are wanted."""

    columns: tuple[str, ...] | None
    """The columns, in the order of the example's keys; `None` takes all, in the order of the file."""
    filter: Any
    """A `pyarrow.compute` expression that is true for the rows that are wanted; `None` takes all."""

    @classmethod
    def of(cls, columns: Any, filter: Any, *, word: str) -> Choice:
        """Checks what the user asks for.

        Raises:
          PipelineError: `columns` are no names, or `filter` is no expression.
        """
        if columns is not None:
            names = None if isinstance(columns, (str, bytes)) or not hasattr(columns, "__iter__") else tuple(columns)
            if not names or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
                expected = "`columns` to be a list of names, each once"
                raise PipelineError(mismatch(expected, f"`{columns!r}`", at=f"{word}(columns)"))
            columns = names
        if filter is not None and not isinstance(filter, load("pyarrow.compute", extra="arrow").Expression):
            raise PipelineError(
                mismatch(
                    "`filter` to be a `pyarrow.compute` expression",
                    f"`{type(filter).__name__}`",
                    at=f"{word}(filter)",
                    do="such as `pc.field('age') > 3`; a function of an example goes into `.filter(fn)`",
                )
            )
        return cls(columns, filter)

    def needed(self, names: Sequence[str], *, where: str) -> list[str]:
        """The columns of a file that are read: those asked for, and those the filter looks at.

        Raises:
          SourceError: the file has no such column, or two of one name.
        """
        if not names:
            raise SourceError(mismatch("at least one column", "none", at=where))
        twice = [name for number, name in enumerate(names) if name in names[:number]]
        if twice and (self.columns is None or set(twice) & set(self.columns)):
            raise SourceError(mismatch("columns of different names", f"`{twice[0]}` twice", at=where))
        for name in self.columns or ():
            if name not in names:
                raise SourceError(mismatch(f"one of the columns {named(names)}", f"`{name}`", at=where))
        if self.columns is None:
            return list(names)
        # An expression does not tell its columns, but their names are in its text: a few too many do no harm.
        text = "" if self.filter is None else str(self.filter)
        if "FieldPath(" in text:  # by number
            return list(names)
        return [*self.columns, *(name for name in names if name in text and name not in self.columns)]
