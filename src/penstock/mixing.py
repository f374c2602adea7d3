"""Weights of a join: as the user gives them, and as the stage goes by them. Loaded by whoever gives some."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from penstock.plan import Join
from penstock.sampling import Changing, Steady, Weights, read_weights
from penstock.stages.mixed import Mixture

__all__ = ["mixture_of", "weights_of"]


def weights_of(
    weights: Any, keys: Sequence[Hashable] | None, count: int
) -> tuple[int, ...] | Callable[[int], tuple[int, ...]]:
    """Reads weights.

    Args:
      weights: in order or by name, or a function that gives them.
      keys: what the user calls the sources, if they have names.
      count: how many sources there are.

    Raises:
      PipelineError: they are none.
    """
    names = None if keys is None else tuple(keys)
    if callable(weights):
        return Weights(weights, names, count)
    return read_weights(weights, names, count, at="join(weights)")


def mixture_of(join: Join, numbers: Sequence[int]) -> Mixture:
    """What tells whose turn it is.

    Args:
      join: a join by weights.
      numbers: which of its inputs have one.
    """
    if isinstance(join.weights, tuple):
        return Steady([join.weights[number] for number in numbers])
    assert join.weights is not None, "it is a join by weights"
    return Changing(join.weights, len(numbers))
