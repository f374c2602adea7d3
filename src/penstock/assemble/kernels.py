"""The native kernels, or their twins: the one place where that is decided."""

from __future__ import annotations

import os
from types import ModuleType
from typing import TYPE_CHECKING, Any

import penstock.assemble.cutter as cutter
import penstock.assemble.mover as mover
import penstock.assemble.pile as pile
import penstock.assemble.pool as pool
import penstock.assemble.reference as reference
import penstock.assemble.runs as runs
import penstock.assemble.sink as sink
from penstock.later import later

__all__ = [
    "NATIVE",
    "Cutter",
    "Pile",
    "Pool",
    "Runs",
    "Sink",
    "backlog",
    "collect",
    "extent",
    "fill",
    "gather",
    "keep",
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
_moving: ModuleType = mover
_holding: ModuleType = runs
if os.environ.get("PENSTOCK_NATIVE") != "0":
    try:
        import penstock.assemble._cutter as _cutter
        import penstock.assemble._mover as _mover
        import penstock.assemble._native as _native
        import penstock.assemble._pile as _pile
        import penstock.assemble._pool as _pool
        import penstock.assemble._runs as _runs
        import penstock.assemble._sink as _sink
    except ImportError as error:
        if not (error.name or "").startswith("penstock.assemble"):
            raise
    else:
        _kernels, _memory, _filling, _cutting = _native, _pool, _sink, _cutter
        _moving, _holding, _padding, _piling = _mover, _runs, _pile, _pile

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
    from penstock.assemble.mover import collect, keep
    from penstock.assemble.pile import Pile
    from penstock.assemble.pool import Pool
    from penstock.assemble.reference import extent, fill, gather, prepared, stack
    from penstock.assemble.runs import Runs
    from penstock.assemble.sink import Sink, pull_turns
else:
    extent = _kernels.extent
    fill = _padding.fill
    gather = _kernels.gather
    prepared = _kernels.prepared
    stack = _kernels.stack
    collect = _moving.collect
    keep = _moving.keep
    Cutter = _cutting.Cutter
    Pile = _piling.Pile
    Pool = _memory.Pool
    Runs = _holding.Runs
    Sink = _filling.Sink
    pull_turns = _filling.pull_turns
