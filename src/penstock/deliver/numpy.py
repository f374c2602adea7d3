"""Batches as NumPy arrays: as they were assembled.

| dtype | delivered as |
|---|---|
| every one | the array itself |

An array that lies within one chunk of the user's own is a read-only view of it.
"""

from __future__ import annotations

from typing import Any, final

from numpy.typing import NDArray

__all__ = ["NumpyConverter"]


@final
class NumpyConverter:
    """Gives each component as it is."""

    def __call__(self, array: NDArray[Any], name: str, /) -> NDArray[Any]:
        """Gives the array itself."""
        return array
