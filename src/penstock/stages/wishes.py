"""What is asked of `stratify` beyond its target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Missing", "Weights", "Wishes"]

Missing = Literal["wait", "repeat", "redistribute", "error"]
"""What happens when a class that a batch needs stays away."""
Weights = Literal["target", "natural", "prior"]
"""Which weights are delivered with each example."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked of the stage, beyond the target."""

    repeats: int = 1
    """How often one example may be used."""
    rings: int | None = None
    """How many examples of each class are kept; `None` chooses. [examples]"""
    patience: int | None = None
    """How many inputs an absent class is waited for; `None` is 100 times what a batch needs. [examples]"""
    missing: Missing = "wait"
    """What happens then."""
    weights: Weights | None = None
    """Which weights are delivered, if any."""
    weights_as: str | None = None
    """The name that weights are delivered under."""
