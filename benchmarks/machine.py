"""The machine and what runs on it, in plain words."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path

from benchmarks.child import Run
from benchmarks.loaders import LOADERS, OURS
from penstock.engine.cores import usable_cores

__all__ = ["describe"]

ASSEMBLER = "import json, penstock.assemble as a; print(json.dumps(bool(a.NATIVE)))"


def describe(run: Run) -> list[str]:
    """The machine, Python and NumPy, penstock, and the loaders it is compared with, a line each."""
    native = run.python("-c", ASSEMBLER).strip() == "true"
    versions = sorted({version for loader in LOADERS if loader is not OURS and (version := loader.version())})
    return [
        f"{cores()}, {memory_gb():.0f} GB of memory, {platform.system()}",
        f"{platform.python_implementation()} {platform.python_version()}, NumPy {importlib.metadata.version('numpy')}",
        f"penstock {importlib.metadata.version('penstock')}, {'native' if native else 'on its NumPy twin'}",
        f"beside it: {', '.join(versions) or 'no other loader'}",
    ]


def cores() -> str:
    """How many cores this process may use, and of what."""
    count = usable_cores()
    return f"{count} core{'s' if count > 1 else ''} of {processor()}"


def processor() -> str:
    """The processor's name, where the system tells it."""
    told = Path("/proc/cpuinfo")
    if told.is_file():
        names = [
            line.partition(":")[2].strip() for line in told.read_text().splitlines() if line.startswith("model name")
        ]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def memory_gb() -> float:
    """The machine's memory. [GB]"""
    import psutil

    return float(psutil.virtual_memory().total) / 1e9
