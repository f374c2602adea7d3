"""What TensorFlow 1.15.5 itself gave, as the tests' oracle keeps it; it is not run here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Recorded", "recorded"]

ORACLE = Path(__file__).resolve().parents[1] / "tests" / "oracle" / "stratified_rejection.json"
CASES = {
    "stratified_sample/zipf10_uniform_known": "shares given",
    "stratified_sample/zipf10_uniform_estimated": "shares estimated as it runs",
}


class Recorded(NamedTuple):
    """One recorded run, on W5's shares, in chunks of 1,000."""

    how: str
    """Whether the shares were given."""
    batch: int
    """Examples in a batch. [examples]"""
    read: int
    """[examples]"""
    examples: int
    """Delivered. [examples]"""
    once: bool
    """Whether no example was given twice."""
    shares: Any
    """Of all that was delivered, float64[K]; zeros where nothing was."""

    @property
    def off(self) -> float:
        """How far the whole run is from equal shares, by total variation, from 0 to 1."""
        return float(np.abs(self.shares - 1 / len(self.shares)).sum() / 2)


def recorded() -> list[Recorded]:
    """The recorded runs of `stratified_sample` from W5's shares to equal ones."""
    cases = {case["id"]: case for case in json.loads(ORACLE.read_text(encoding="utf-8"))}
    found = []
    for key, how in CASES.items():
        stats = cases[key]["answer"]["stats"]
        found.append(
            Recorded(
                how,
                cases[key]["args"]["batch_size"],
                stats["source_items_drawn"],
                stats["n_output"],
                stats["ids_unique"],
                np.array(stats["class_freq_out"]),
            )
        )
    return found
