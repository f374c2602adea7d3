"""`tf.app`: runs the `main` of a script, after its flags."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from penstock.tf1 import flags

__all__ = ["flags", "run"]


def run(main: Callable[..., Any] | None = None, argv: Sequence[str] | None = None) -> NoReturn:
    """Calls `main` with what of the command line is no flag, and ends the program with what it gives.

    Args:
      main: the function; the script's own `main` if `None`.
      argv: the command line, the name of the program first; `sys.argv` if `None`.

    Source: TF1 `tf.app.run`.
    """
    rest = flags.FLAGS(list(sys.argv if argv is None else argv))
    called = main if main is not None else sys.modules["__main__"].main
    sys.exit(called(rest))
