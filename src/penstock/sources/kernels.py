"""The native checksum, or its twin: the one place where that is decided."""

from __future__ import annotations

import os
from types import ModuleType
from typing import TYPE_CHECKING

import penstock.sources.crc32c as crc32c

__all__ = ["NATIVE", "masked_crc32c"]

_crc32c_module: ModuleType = crc32c
if os.environ.get("PENSTOCK_NATIVE") != "0":
    try:
        import penstock.sources._crc32c as _crc32c
    except ImportError as error:
        if not (error.name or "").startswith("penstock.sources"):
            raise
    else:
        _crc32c_module = _crc32c

NATIVE = _crc32c_module is not crc32c
"""Whether the native part is used."""

if TYPE_CHECKING:  # The twin is the definition.
    from penstock.sources.crc32c import masked_crc32c
else:
    masked_crc32c = _crc32c_module.masked_crc32c
