"""The native rings and schedule, or their twins: the one place where that is decided."""

from __future__ import annotations

import os
from types import ModuleType
from typing import TYPE_CHECKING

import penstock.sampling.extras as extras
import penstock.sampling.rings as rings

__all__ = ["NATIVE", "Extras", "Rings"]

_rings_module: ModuleType = rings
_extras_module: ModuleType = extras
if os.environ.get("PENSTOCK_NATIVE") != "0":
    try:
        import penstock.sampling._extras as _extras
        import penstock.sampling._rings as _rings
    except ImportError as error:
        if not (error.name or "").startswith("penstock.sampling"):
            raise
    else:
        _rings_module, _extras_module = _rings, _extras

NATIVE = _rings_module is not rings
"""Whether the native parts are used."""

if TYPE_CHECKING:  # The twins are the definition.
    from penstock.sampling.extras import Extras
    from penstock.sampling.rings import Rings
else:
    Extras = _extras_module.Extras
    Rings = _rings_module.Rings
