"""The native kernels, or their twins: the one place where that is decided."""

from __future__ import annotations

import os
from types import ModuleType
from typing import TYPE_CHECKING, Any

import penstock.assemble.cutter as cutter
import penstock.assemble.pile as pile
import penstock.assemble.pool as pool
import penstock.assemble.reference as reference
import penstock.assemble.sink as sink
from penstock.later import later

__all__ = [
    "NATIVE",
    "Cutter",
    "Pile",
    "Pool",
    "Sink",
    "backlog",
    "extent",
    "fill",
    "gather",
    "prepared",
    "pull_turns",
    "shelf",
    "stack",
]

_kernels: ModuleType = reference
_padding: ModuleType = reference
_piling: ModuleType = pile
_memory: ModuleType = pool
_filling: ModuleType = sink
_cutting: ModuleType = cutter
if os.environ.get("PENSTOCK_NATIVE") != "0":
    try:
        import penstock.assemble._cutter as _cutter
        import penstock.assemble._native as _native
        import penstock.assemble._pile as _pile
        import penstock.assemble._pool as _pool
        import penstock.assemble._sink as _sink
    except ImportError as error:
        if not (error.name or "").startswith("penstock.assemble"):
            raise
    else:
        _kernels, _memory, _filling, _cutting = _native, _pool, _sink, _cutter
        _padding, _piling = _pile, _pile

NATIVE = _kernels is not reference
"""Whether the native kernels are used."""


def shelf(sink: Sink) -> Any:
    """What rings write examples to, one by one; `None` with the twin, which is quicker with many at once."""
    return later("assemble._shelf").Shelf(sink) if NATIVE else None


def backlog() -> Backlog | None:
    """What puts off the writing of padded batches until somebody waits; `None` with the twin, which writes at once."""
    made: Backlog | None = later("assemble._backlog").Backlog() if NATIVE else None
    return made


if TYPE_CHECKING:  # The twins are the definition.
    from penstock.assemble._backlog import Backlog as Backlog
    from penstock.assemble.cutter import Cutter
    from penstock.assemble.pile import Pile
    from penstock.assemble.pool import Pool
    from penstock.assemble.reference import extent, fill, gather, prepared, stack
    from penstock.assemble.sink import Sink, pull_turns
else:
    extent = _kernels.extent
    fill = _padding.fill
    gather = _kernels.gather
    prepared = _kernels.prepared
    stack = _kernels.stack
    Cutter = _cutting.Cutter
    Pile = _piling.Pile
    Pool = _memory.Pool
    Sink = _filling.Sink
    pull_turns = _filling.pull_turns
