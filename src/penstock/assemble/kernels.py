"""The native kernels, or their twins: the one place where that is decided."""

from __future__ import annotations


from penstock.assemble import reference

__all__ = ["NATIVE", "extent", "fill", "gather", "pull_turns", "stack"]

extent = reference.extent
fill = reference.fill
gather = reference.gather
pull_turns = reference.pull_turns
stack = reference.stack
NATIVE = False
"""Whether the native kernels are used."""
