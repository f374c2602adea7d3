"""Runs one function in a process of its own, so that nothing of one measurement leaks into the next.

    python -m benchmarks.child benchmarks.drain:times '{"examples": 1000}'

is what `Run` starts; the last line of its output is the result, as JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Run"]

ROOT = Path(__file__).resolve().parents[1]
MARK = "@@"
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True, slots=True)
class Run:
    """Calls functions in child processes, with penstock's native part or with its twin."""

    native: bool = True
    """Whether the native part is used, where there is one."""

    def __call__(self, function: Callable[..., Any], **arguments: Any) -> Any:
        """What a function of a module gives in a fresh process.

        Args:
          function: at the top of its module, which is all that the child imports.
          arguments: as JSON can tell them.

        Raises:
          RuntimeError: the child failed; its last words are in the message.
        """
        name = f"{function.__module__}:{function.__qualname__}"
        return self.named(name, **arguments)

    def named(self, name: str, **arguments: Any) -> Any:
        """As a call, for a function that this process has not imported: `"module:function"`."""
        out = self.python("-m", "benchmarks.child", name, json.dumps(arguments))
        lines = [line for line in out.splitlines() if line.startswith(MARK)]
        return json.loads(lines[-1].removeprefix(MARK))

    def pooled(self, processes: int, function: Callable[..., Any], **arguments: Any) -> dict[str, list[float]]:
        """The lists of several processes, one after the other, put together."""
        pool: dict[str, list[float]] = {}
        for _ in range(processes):
            for key, values in self(function, **arguments).items():
                pool.setdefault(key, []).extend(values)
        return pool

    def python(self, *arguments: str) -> str:
        """What a Python process prints."""
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=self._environment(),
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=300)
        finally:
            with suppress(ProcessLookupError):  # nobody is left in its group
                os.killpg(process.pid, signal.SIGKILL)
        if process.returncode != 0:
            raise RuntimeError(f"`{' '.join(arguments)}` ended with {process.returncode}:\n{err[-3000:]}")
        return out

    def _environment(self) -> dict[str, str]:
        # Imports are measured with their byte code written, as they are everywhere but the first time.
        left_out = ("PENSTOCK_NATIVE", "PYTHONDONTWRITEBYTECODE")
        environment = {key: value for key, value in os.environ.items() if key not in left_out}
        environment |= dict.fromkeys(ONE_THREAD, "1")
        paths = [str(ROOT), *filter(None, [environment.get("PYTHONPATH")])]
        environment["PYTHONPATH"] = os.pathsep.join(paths)
        return environment if self.native else environment | {"PENSTOCK_NATIVE": "0"}


def main() -> None:
    """Runs the function that the command line names."""
    module, _, function = sys.argv[1].partition(":")
    result = getattr(importlib.import_module(module), function)(**json.loads(sys.argv[2]))
    print(MARK + json.dumps(result), flush=True)
    # A loader's workers and threads must not keep the others waiting.
    os._exit(0)


if __name__ == "__main__":
    main()
