"""What copies rows that are kept for later, the native parts or their twins; loaded by whoever keeps some."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from penstock.assemble.kernels import NATIVE

__all__ = ["Runs", "collect", "keep"]

_moving: ModuleType
_holding: ModuleType
if NATIVE:
    import penstock.assemble._mover as _moving
    import penstock.assemble._runs as _holding
else:
    import penstock.assemble.mover as _moving
    import penstock.assemble.runs as _holding

if TYPE_CHECKING:  # The twins are the definition.
    from penstock.assemble.mover import collect, keep
    from penstock.assemble.runs import Runs
else:
    collect = _moving.collect
    keep = _moving.keep
    Runs = _holding.Runs
