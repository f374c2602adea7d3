"""Where a flow is to go on, and whether it can."""

from __future__ import annotations

from typing import NamedTuple

from penstock.errors import mismatch
from penstock.plan import Node, Read, find
from penstock.stages.snapshot import Saved

__all__ = ["State", "why_not"]


class State(NamedTuple):
    """Where a flow is to go on."""

    epoch: int
    """The first epoch of the run."""
    delivered: int
    """How many batches were handed over, in all runs. [batches]"""
    since: int
    """How many of these came after the snapshot. [batches]"""
    snapshot: Saved | None
    """Where the stages stood; `None` at the beginning."""
    more: Saved
    """What was skipped by then; empty at the beginning."""


def why_not(node: Node) -> str | None:
    """Why a flow of this pipeline cannot be resumed, if it cannot."""
    for read in find(node, Read):
        once = read.source.once
        if once is not None and not (hasattr(once, "state_dict") and hasattr(once, "load_state_dict")):
            return mismatch(
                "sources that can be opened again",
                f"the one-shot `{read.source.label}`",
                at="state_dict()",
                do="pass a callable that opens it, or give the iterator `state_dict` and `load_state_dict`",
            )
    return None
