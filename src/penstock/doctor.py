"""What this install of penstock has to work with: its native part, the optional packages, the machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from penstock.assemble import NATIVE
from penstock.engine.cores import usable_cores

__all__ = ["PACKAGES", "Package", "examine"]


@dataclass(frozen=True, slots=True)
class Package:
    """An optional package, and what one gets by it."""

    names: tuple[str, ...]
    """The distributions that bring it, any one of which will do."""
    extra: str
    """The extra of penstock that installs it."""
    brings: str
    """What it is for."""

    def version(self) -> str | None:
        """Which version is installed, if any; nothing is imported to find out."""
        for name in self.names:
            try:
                return importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
        return None


PACKAGES = (
    Package(("pyarrow",), "arrow", "files: read_parquet, read_arrow, read_csv, read_jsonl, read_text"),
    Package(("torch",), "torch", 'batches for PyTorch: .to("torch")'),
    Package(("jax",), "jax", 'batches for JAX: .to("jax")'),
    Package(("tensorflow", "tensorflow-cpu"), "tf", 'batches for TensorFlow: .to("tensorflow")'),
    Package(("matplotlib",), "plot", "the picture of `penstock demo`"),
    Package(("rich",), "demo", "the display of `penstock demo`"),
)


def examine(*, native: bool = NATIVE, packages: Sequence[Package] = PACKAGES) -> list[str]:
    """Gives the findings as lines of text.

    Args:
      native: whether the assembler's native part is in use.
      packages: which optional packages to look for.
    """
    lines = [
        _line("penstock", importlib.metadata.version("penstock")),
        _line("Python", f"{platform.python_version()} ({platform.python_implementation()}, {_gil()})"),
        _line("NumPy", np.__version__),
        _line("system", f"{platform.system()} {platform.machine()}, {_cores()}"),
        _line("assembler", _assembler(native)),
        "",
        "optional packages",
    ]
    for package in packages:
        version = package.version()
        found = version or "missing"
        lines.append(f"  {package.names[0]:<11} {found:<13} {package.brings}")
        if version is None:
            lines.append(f"  {'':<11} {'':<13} install it with: pip install 'penstock[{package.extra}]'")
    return lines


def _line(name: str, finding: str) -> str:
    return f"{name:<11} {finding}"


def _assembler(native: bool) -> str:
    if native:
        return "native: batches are put together in compiled code, at full speed"
    if os.environ.get("PENSTOCK_NATIVE") == "0":
        return "NumPy twin, since PENSTOCK_NATIVE=0 asks for it: the same batches, put together more slowly"
    return (
        "NumPy twin: the same batches, put together more slowly\n"
        f"{'':<11} for the native part, install penstock where there are a C compiler and Python's headers"
    )


def _gil() -> str:
    """Free-threaded builds of Python 3.13 and later may run without the lock."""
    enabled = getattr(sys, "_is_gil_enabled", lambda: True)()
    return "GIL on" if enabled else "GIL off"


def _cores() -> str:
    """How many cores this process may use, and how many there are."""
    there, usable = os.cpu_count() or 1, usable_cores()
    return f"{usable} core{'s' if usable > 1 else ''}" + (f" of {there}" if usable != there else "")
