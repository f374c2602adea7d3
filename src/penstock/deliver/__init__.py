"""From a batch of NumPy arrays to the arrays of a framework, one framework a file.

A framework is loaded when its converter is asked for, never before.
What each does with which dtype stands at the top of its file.
"""

from __future__ import annotations

from collections.abc import Callable

from penstock.deliver.jax import JaxConverter
from penstock.deliver.leaf import Converter
from penstock.deliver.numpy import NumpyConverter
from penstock.deliver.tensorflow import TensorflowConverter
from penstock.deliver.torch import TorchConverter
from penstock.deliver.torch_dataset import torch_dataset
from penstock.errors import PipelineError, mismatch

__all__ = ["Converter", "converter", "torch_dataset"]

_CONVERTERS: dict[str, Callable[[], Converter]] = {
    "numpy": NumpyConverter,
    "torch": TorchConverter,
    "jax": JaxConverter,
    "tensorflow": TensorflowConverter,
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
