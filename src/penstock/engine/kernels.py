"""How things are handed over: the native part, or its twin; the one place where that is decided."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import penstock.engine.delivery as delivery
from penstock.assemble import NATIVE

__all__ = ["Delivery", "Entry"]

_handing: ModuleType = delivery
if NATIVE:
    try:
        import penstock.engine._delivery as _delivery
    except ImportError as error:
        if not (error.name or "").startswith("penstock.engine"):
            raise
    else:
        _handing = _delivery

if TYPE_CHECKING:  # The twin is the definition.
    from penstock.engine.delivery import Delivery, Entry
else:
    Delivery = _handing.Delivery
    Entry = _handing.Entry
