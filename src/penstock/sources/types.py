"""Arrow types by the names that users know them by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from penstock.errors import PipelineError, mismatch
from penstock.optional import load

__all__ = ["arrow_types"]


def arrow_types(types: Any, *, word: str) -> dict[str, Any]:
    """Gives the `pyarrow.DataType` of each column that a type is given for.

    Args:
      types: a dict of types by column, each as NumPy, Python or Arrow spells it: `"int16"`, `float`, `pa.date32()`.
      word: the user's word, for messages.

    Raises:
      PipelineError: it is no dict, or a type is unknown.
    """
    at = f"{word}(types)"
    if types is None:
        return {}
    if not isinstance(types, Mapping):
        raise PipelineError(mismatch("`types` to be a dict of types by column", f"`{type(types).__name__}`", at=at))
    return {name: _arrow_type(kind, f"`{name}` in {at}") for name, kind in types.items()}


def _arrow_type(kind: Any, at: str) -> Any:
    pa = load("pyarrow", extra="arrow")
    if isinstance(kind, pa.DataType):
        return kind
    if kind in (str, "str"):
        return pa.string()
    if kind in (bytes, "bytes"):
        return pa.binary()
    if isinstance(kind, str):
        try:
            return pa.type_for_alias(kind)
        except ValueError:
            pass  # NumPy's, perhaps
    try:
        if kind is None:  # which NumPy takes for float64
            raise TypeError
        return pa.from_numpy_dtype(np.dtype(kind))
    except (TypeError, pa.ArrowException):
        raise PipelineError(mismatch("the name of a NumPy or Arrow type", f"`{kind!r}`", at=at)) from None
