"""Ways to change the class proportions of a stream: penstock's, and those it is compared with, one kind a file.

A way's module has `batches(stream, **setting)`, an iterator of pairs of arrays, which reads a `Stream`. It is imported
only in the process that measures it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

__all__ = ["OURS", "REJECTION", "SAMPLERS", "Sampler", "missing"]


@dataclass(frozen=True, slots=True)
class Sampler:
    """One way with one setting."""

    key: str
    """A short name."""
    name: str
    """What it is, and what it needs that a stream does not have."""
    short: str
    """What it is, in a picture."""
    module: str
    """Which file here."""
    packages: tuple[str, ...] = ()
    """The distributions that bring it, any one of which will do; none for what is written out here."""
    setting: dict[str, Any] = field(default_factory=dict, compare=False)
    timed: bool = True
    """Whether its time says anything: not that of a formula which stands in for a library."""

    @property
    def installed(self) -> bool:
        """Whether it can be measured here."""
        return not self.packages or any(_installed(package) for package in self.packages)


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


OURS = Sampler("ring", "penstock, quota ring", "quota ring", "ours", setting={"repeats": 1})
REJECTION = Sampler(
    "rejection",
    "TF1's rejection by its formula, shares estimated as it runs",
    "TF1's rejection",
    "tf1_rejection",
    timed=False,
)
SAMPLERS = (
    OURS,
    Sampler("ring-4", "penstock, quota ring, `repeats=4`", "quota ring, repeats=4", "ours", setting={"repeats": 4}),
    Sampler("ours-rejection", 'penstock, `method="rejection"`', "rejection by penstock", "ours_rejection"),
    REJECTION,
    Sampler("by-hand", "rejection by hand, shares counted beforehand", "rejection by hand", "rejection"),
    Sampler("queues", "a queue a class of 256 examples, counts drawn at random", "a queue a class", "queues"),
    Sampler(
        "filtered",
        "the stream read once for each class, mixed at random, as with torchdata",
        "filtered by class, mixed",
        "filtered",
    ),
    Sampler(
        "weighted",
        "torch `WeightedRandomSampler`: all labels in memory, examples by index",
        "torch weighted sampler*",
        "torch_weighted",
        ("torch",),
    ),
    Sampler(
        "tf-data",
        "tf.data `rejection_resample`, shares counted beforehand",
        "tf.data rejection_resample",
        "tf_data_rejection",
        ("tensorflow-cpu", "tensorflow"),
    ),
)


def missing() -> list[str]:
    """The ways that are not installed, by name."""
    return [sampler.name for sampler in SAMPLERS if not sampler.installed]
