"""What holds for a whole pipeline."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from penstock.errors import PipelineError, mismatch
from penstock.faults import OnError, policy_of
from penstock.plan.node import positive

__all__ = ["Options"]


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """What holds for the whole pipeline."""

    seed: int = 0
    """Of everything that is drawn."""
    capacity: int | None = None
    """Examples that may wait in the sources' lanes together; `None` chooses. [examples]"""
    capacity_bytes: int | None = None
    """Bytes that may wait there together; `None` sets no limit. [bytes]"""
    on_error: OnError = "raise"
    """What is done about an error of the user's code, where a source or stage has no policy of its own."""
    name: str | None = None
    """The flow's name, in threads and reports."""
    max_scan: int | None = None
    """A state that could be resumed only by reading more items of a source than this, from its start, is refused. [items]"""
    shared_name: str | None = None
    """Pipelines that are opened under one name in one process feed from one flow."""
    grace_s: float = 1.0
    """How long closing waits for threads that are inside the user's code. [s]"""
    watchdog_s: float | None = None
    """How long the loop waits while nothing moves before that is an error; `None` waits for ever. [s]"""

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
        policy_of(self.on_error, at="options(on_error)")
        if not isinstance(self.grace_s, (int, float)) or isinstance(self.grace_s, bool) or not self.grace_s >= 0:
            raise PipelineError(mismatch("`grace_s` to be seconds >= 0", f"`{self.grace_s!r}`", at="options(grace_s)"))

        watchdog_s = self.watchdog_s
        if watchdog_s is not None and (
            not isinstance(watchdog_s, (int, float)) or isinstance(watchdog_s, bool) or not watchdog_s > 0
        ):
            raise PipelineError(
                mismatch("`watchdog_s` to be seconds > 0, or `None`", f"`{watchdog_s!r}`", at="options(watchdog_s)")
            )

    def with_(self, changes: Mapping[str, Any]) -> Options:
        """These options with some changed; an unknown name is an error."""
        names = [field.name for field in fields(self)]
        for key in changes:
            if key not in names:
                raise PipelineError(mismatch(f"one of {', '.join(names)}", f"`{key}`", at="options()"))
        return Options(**{**{name: getattr(self, name) for name in names}, **changes})
