"""The native kernels, or their twins: the one place where that is decided."""

from __future__ import annotations

import os
from types import ModuleType

from penstock.assemble import pool, reference

__all__ = ["NATIVE", "Pool", "extent", "fill", "gather", "prepared", "pull_turns", "stack"]


def _chosen() -> tuple[ModuleType, ModuleType]:
    """The native kernels and pool if they were built and are wanted, else their twins."""
    if os.environ.get("PENSTOCK_NATIVE") == "0":
        return reference, pool
    try:
        from penstock.assemble import _native, _pool
    except ImportError as error:
        if error.name not in ("penstock.assemble", "penstock.assemble._native", "penstock.assemble._pool"):
            raise
        return reference, pool
    return _native, _pool


_kernels, _memory = _chosen()
extent = _kernels.extent
fill = _kernels.fill
gather = _kernels.gather
prepared = _kernels.prepared
pull_turns = _kernels.pull_turns
stack = _kernels.stack
Pool = _memory.Pool
NATIVE = _kernels is not reference
"""Whether the native kernels are used."""
