"""The native kernels, or their twins: the one place where that is decided."""

from __future__ import annotations

import os
from types import ModuleType

from penstock.assemble import pool, reference, sink

__all__ = ["NATIVE", "Pool", "Sink", "extent", "fill", "gather", "prepared", "pull_turns", "stack"]


def _chosen() -> tuple[ModuleType, ModuleType, ModuleType]:
    """The native kernels, pool and sink if they were built and are wanted, else their twins."""
    if os.environ.get("PENSTOCK_NATIVE") == "0":
        return reference, pool, sink
    try:
        from penstock.assemble import _native, _pool, _sink
    except ImportError as error:
        if not (error.name or "").startswith("penstock.assemble"):
            raise
        return reference, pool, sink
    return _native, _pool, _sink


_kernels, _memory, _filling = _chosen()
extent = _kernels.extent
fill = _kernels.fill
gather = _kernels.gather
prepared = _kernels.prepared
pull_turns = _kernels.pull_turns
stack = _kernels.stack
Pool = _memory.Pool
Sink = _filling.Sink
NATIVE = _kernels is not reference
"""Whether the native kernels are used."""
