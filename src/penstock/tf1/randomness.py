"""Random numbers as handles, drawn anew at each step, and the same on every run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np

from penstock.tf1.defaults import default_graph
from penstock.tf1.handles import Handle, Node, Step, as_handle, dtype_of
from penstock.tf1.shape import Shape

__all__ = [
    "Drawn",
    "drawn",
    "random_crop",
    "random_normal",
    "random_shuffle",
    "random_uniform",
    "set_random_seed",
    "truncated_normal",
]


@final
class Draws:
    """The random numbers of one node in a session."""

    def __init__(self, seed: Sequence[int]) -> None:
        self.lock = threading.Lock()
        self.generator = np.random.default_rng(seed)

    def close(self) -> None:
        """Has nothing to stop."""


@final
class Drawn(Node):
    """What a function makes of a generator and the values of handles.

    Args:
      name: for messages.
      fn: called with the generator, then the values.
      inputs: the handles.
      seed: of the generator; the graph's, and the number of the node, if `None`.
    """

    def __init__(self, name: str, fn: Callable[..., Any], inputs: Sequence[Handle], seed: int | None) -> None:
        super().__init__(name, inputs)
        self._fn = fn
        graph = default_graph()
        graph.draws += 1
        self._seed = [graph.seed or 0, graph.draws if seed is None else seed]

    @property
    def origin(self) -> object:
        """The generator."""
        return self

    def outputs(self, step: Step) -> Sequence[Any]:
        """Draws."""
        values = [step.value(handle) for handle in self.inputs]
        draws: Draws = step.session.state(self, lambda: Draws(self._seed))
        with draws.lock:
            return (self._fn(draws.generator, *values),)


def drawn(
    name: str, fn: Callable[..., Any], *inputs: Any, seed: int | None = None, dtype: Any = None, shape: Any = None
) -> Handle:
    """A handle of what a function makes of a random generator and the values of `inputs`."""
    return Handle(Drawn(name, fn, [as_handle(part) for part in inputs], seed), dtype=dtype, shape=shape)


def set_random_seed(seed: int) -> None:
    """Sets the seed of the default graph, for what draws and is made from then on."""
    graph = default_graph()
    graph.seed, graph.draws = seed, 0


def random_uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = np.float32, seed: int | None = None, name: str = ""
) -> Handle:
    """Even random numbers from `minval` to below `maxval`, 1 if that is `None`."""
    to = dtype_of(dtype)

    def draw(generator: np.random.Generator, low: Any, high: Any) -> Any:
        if to.kind in "iu":
            return (
                generator.integers(low, high, shape, to)[()] if shape != [] else to.type(generator.integers(low, high))
            )
        return np.asarray(generator.uniform(low, high, tuple(shape))).astype(to)[()]

    return drawn("random_uniform", draw, minval, 1 if maxval is None else maxval, seed=seed, dtype=to)


def random_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = np.float32, seed: int | None = None, name: str = ""
) -> Handle:
    """Random numbers of the normal distribution."""
    to = dtype_of(dtype)

    def draw(generator: np.random.Generator, mean: Any, stddev: Any) -> Any:
        return np.asarray(generator.normal(mean, stddev, tuple(shape))).astype(to)[()]

    return drawn("random_normal", draw, mean, stddev, seed=seed, dtype=to)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = np.float32, seed: int | None = None, name: str = ""
) -> Handle:
    """Random numbers of the normal distribution, within two deviations of its mean."""
    to = dtype_of(dtype)

    def draw(generator: np.random.Generator, mean: Any, stddev: Any) -> Any:
        numbers = generator.standard_normal(tuple(shape))
        while (far := np.abs(numbers) > 2).any():
            numbers = np.where(far, generator.standard_normal(tuple(shape)), numbers)
        return np.asarray(numbers * stddev + mean).astype(to)[()]

    return drawn("truncated_normal", draw, mean, stddev, seed=seed, dtype=to)


def random_crop(value: Any, size: Sequence[int], seed: int | None = None, name: str | None = None) -> Handle:
    """A piece of a value, of so much in each dimension, from a random place."""

    def crop(generator: np.random.Generator, array: Any) -> Any:
        first = [generator.integers(0, have - want + 1) for have, want in zip(array.shape, size, strict=True)]
        return array[tuple(slice(at, at + want) for at, want in zip(first, size, strict=True))]

    dtype = getattr(value, "dtype", None)
    return drawn("random_crop", crop, value, seed=seed, dtype=dtype, shape=Shape(size).sizes)


def random_shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Handle:
    """The rows of a value in random order."""

    def shuffle(generator: np.random.Generator, array: Any) -> Any:
        return generator.permutation(array)

    return drawn("random_shuffle", shuffle, value, seed=seed, dtype=getattr(value, "dtype", None))
