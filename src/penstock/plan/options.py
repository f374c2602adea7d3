"""What holds for a whole pipeline."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from penstock.errors import PipelineError, mismatch
from penstock.plan.node import positive

__all__ = ["Options"]


@dataclass(frozen=True, slots=True)
class Options:
    """What holds for the whole pipeline."""

    seed: int = 0
    """Of everything that is drawn."""
    capacity: int | None = None
    """Examples that may wait in the sources' lanes together; `None` chooses. [examples]"""
    capacity_bytes: int | None = None
    """Bytes that may wait there together; `None` sets no limit. [bytes]"""
    on_error: str = "raise"
    """What an error of the user's code does: `"raise"`."""
    name: str | None = None
    """The flow's name, in threads and reports."""
    max_scan: int | None = None
    """A state that could be resumed only by reading more items of a source than this, from its start, is refused. [items]"""
    shared_name: str | None = None
    """Pipelines that are opened under one name in one process feed from one flow."""
    grace_s: float = 1.0
    """How long closing waits for threads that are inside the user's code. [s]"""

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "seed", operator.index(self.seed))
        except TypeError:
            raise PipelineError(mismatch("`seed` to be an integer", f"`{self.seed!r}`", at="options(seed)")) from None
        for name in ("name", "shared_name"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise PipelineError(mismatch(f"`{name}` to be a text", f"`{value!r}`", at=f"options({name})"))
        for name in ("capacity", "capacity_bytes", "max_scan"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, positive(getattr(self, name), name, at=f"options({name})"))
        if self.on_error != "raise":
            raise PipelineError(
                mismatch(
                    '`on_error="raise"`, the one policy there is yet', f"`{self.on_error!r}`", at="options(on_error)"
                )
            )
        if not isinstance(self.grace_s, (int, float)) or isinstance(self.grace_s, bool) or not self.grace_s >= 0:
            raise PipelineError(mismatch("`grace_s` to be seconds >= 0", f"`{self.grace_s!r}`", at="options(grace_s)"))

    def with_(self, changes: Mapping[str, Any]) -> Options:
        """These options with some changed; an unknown name is an error."""
        names = [field.name for field in fields(self)]
        for key in changes:
            if key not in names:
                raise PipelineError(mismatch(f"one of {', '.join(names)}", f"`{key}`", at="options()"))
        return Options(**{**{name: getattr(self, name) for name in names}, **changes})
