"""Optional packages, loaded when first needed and in this one way."""

from __future__ import annotations

import importlib
from typing import Any

from penstock.errors import MissingExtra

__all__ = ["load"]


def load(module: str, *, extra: str) -> Any:
    """Gives an optional package's module, or says which extra installs it.

    Args:
      module: the module's full name, `"pyarrow.parquet"`.
      extra: the extra of penstock that installs it, `"arrow"`.

    Returns:
      The imported module.

    Raises:
      MissingExtra: the package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        if error.name is not None and error.name.partition(".")[0] != package:
            raise
        raise MissingExtra(
            f"expected the package `{package}`, got none - install it with: pip install 'penstock[{extra}]'",
            name=package,
        ) from error
