"""One line of the table: what is measured beside which rival, what is wanted, and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

__all__ = ["Figure", "Line", "inverse", "ratios"]


@dataclass(frozen=True, slots=True)
class Line:
    """What is measured, declared before it is."""

    key: str
    """A short name that no other line has."""
    what: str
    """What is measured, in words."""
    rival: str
    """What it is measured beside."""
    better: Literal["lower", "higher"]
    """Which way is good."""
    target: float | None = None
    """The bound that is to hold; `None` only looks."""
    unit: str = "×"
    """Of the figure: `×` for a ratio, or `ms`, `MB`, `items`."""
    aim: float | None = None
    """What is hoped for beyond the target."""
    twin: bool = True
    """Whether native against twin says anything about it."""

    @property
    def wanted(self) -> str:
        """The target and the aim in words."""
        sign = "≤" if self.better == "lower" else "≥"
        texts = [] if self.target is None else [f"{sign} {self.target:g} {self.unit}"]
        if self.aim is not None:
            texts.append(f"aim {self.aim:g}")
        return ", ".join(texts) or "–"


@dataclass(frozen=True, slots=True)
class Figure:
    """What came out."""

    line: Line
    values: tuple[float, ...]
    """One for each repetition."""
    note: str = ""
    """What else is worth knowing, such as the rival's own time."""

    @property
    def median(self) -> float:
        """The figure."""
        return median(self.values)

    @property
    def holds(self) -> bool | None:
        """Whether the median meets the target; `None` without one."""
        if self.line.target is None:
            return None
        return self.median <= self.line.target if self.line.better == "lower" else self.median >= self.line.target

    @property
    def measured(self) -> str:
        """The median and its unit."""
        return f"{short(self.median)} {self.line.unit}"

    @property
    def spread(self) -> str:
        """The least and the most."""
        return f"{short(min(self.values))}–{short(max(self.values))}"

    @property
    def verdict(self) -> str:
        """Whether it holds, in a word."""
        return {None: "–", True: "yes", False: "no"}[self.holds]


def short(value: float) -> str:
    """Three figures, or whole numbers from 100 on."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def ratios(ours: Sequence[float], rival: Sequence[float]) -> tuple[float, ...]:
    """Our time over the rival's, repetition by repetition."""
    return tuple(own / other for own, other in zip(ours, rival, strict=True))


def inverse(values: Sequence[float]) -> tuple[float, ...]:
    """A ratio of times as one of speeds."""
    return tuple(1 / value for value in values)
