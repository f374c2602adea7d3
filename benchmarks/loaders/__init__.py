"""penstock and the loaders it is compared with: one a file, each with its best settings.

A loader's module has `batches(workload, **setting)`, an iterator of the workload's batches. It is imported only in the
process that measures it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

__all__ = ["LOADERS", "OURS", "Loader"]

ALL = ("w1", "w2", "w3", "w4")


@dataclass(frozen=True, slots=True)
class Loader:
    """One loader with one setting."""

    name: str
    module: str
    """Which file here."""
    packages: tuple[str, ...]
    """The distributions that bring it, any one of which will do."""
    ahead: bool
    """Whether it reads ahead of the training loop."""
    setting: dict[str, Any] = field(default_factory=dict, compare=False)
    workloads: tuple[str, ...] = ALL
    """Those it is measured on; a setting that loses to its neighbour everywhere is left out."""

    def version(self) -> str | None:
        """Which version is installed, if any."""
        for package in self.packages:
            try:
                return f"{package} {version(package)}"
            except PackageNotFoundError:
                continue
        return None


OURS = Loader("penstock", "ours", ("penstock",), ahead=True)

TF = ("tensorflow-cpu", "tensorflow")
LOADERS = (
    OURS,
    Loader("torch DataLoader, 0 workers", "torch_dataloader", ("torch",), False, {"workers": 0}),
    Loader("torch DataLoader, 2 workers", "torch_dataloader", ("torch",), True, {"workers": 2}),
    Loader("tf.data, interleave", "tf_data", TF, True, {"parallel": False}),
    Loader("tf.data, parallel interleave", "tf_data", TF, True, {"parallel": True}),
    Loader("TF1's batch_join", "tf1_batch_join", TF, True),
    Loader("grain, mix", "grain_mix", ("grain",), False, {"ahead": 0}),
    Loader("grain, mix and a thread", "grain_mix", ("grain",), True, {"ahead": 4}),
    Loader("SPDL", "spdl_pipeline", ("spdl", "spdl-core"), True, {"thread": True}),
)
