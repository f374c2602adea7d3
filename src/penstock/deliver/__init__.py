"""From a batch of NumPy arrays to the arrays of a framework, one framework a file.

A framework is loaded when its converter is asked for, never before.
What each does with which dtype stands at the top of its file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from penstock.errors import PipelineError, mismatch
from penstock.later import later

if TYPE_CHECKING:
    from penstock.deliver.leaf import Converter

__all__ = ["converter"]

_CONVERTERS: dict[str, Callable[[], Converter]] = {
    "numpy": lambda: later("deliver.numpy").NumpyConverter(),
    "torch": lambda: later("deliver.torch").TorchConverter(),
    "jax": lambda: later("deliver.jax").JaxConverter(),
    "tensorflow": lambda: later("deliver.tensorflow").TensorflowConverter(),
}


def converter(framework: str) -> Converter:
    """Gives what turns each component of a batch into a framework's array; loads the framework.

    Args:
      framework: `"numpy"`, `"torch"`, `"jax"` or `"tensorflow"`.

    Raises:
      MissingExtra: the framework is not installed.
      PipelineError: there is no such framework.

    >>> import numpy as np
    >>> converter("torch")(np.arange(3), "label")
    tensor([0, 1, 2])
    """
    if framework not in _CONVERTERS:
        names = ", ".join(f'"{name}"' for name in _CONVERTERS)
        raise PipelineError(mismatch(f"one of {names}", f"`{framework!r}`", at="to(framework)"))
    return _CONVERTERS[framework]()
