"""Rooms of penstock that many programs never enter, loaded by whoever first does, and in this one way."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["later"]


def later(module: str) -> Any:
    """Gives a module of penstock, loaded now if it was not.

    It counts as an import like any other: of what stands above, and never in a circle.

    Args:
      module: its name below the package, `"strata"`.
    """
    return importlib.import_module(f"penstock.{module}")
