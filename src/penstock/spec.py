"""What an example looks like: the dtype and shape of each component, in the example's structure.

Guarantees
  A spec is read off one example, and a second example either fits it or is named in an error.
  Free dimensions (`None`, printed `?`) fit any size; the others must be equal.
Assumes
  Python's `int` means int64, `float` float64, `bool` bool, `complex` complex128; `str` and `bytes` travel as objects.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.errors import SpecError, mismatch
from penstock.structure import Path, Structure, path_text

__all__ = ["Component", "Shape", "Spec", "as_leaf", "native_dtype", "same_dtype"]

Shape = tuple[int | None, ...]
"""Sizes of an array's dimensions; `None` is free."""

_PYTHON: dict[type, np.dtype[Any]] = {
    bool: np.dtype(np.bool_),
    int: np.dtype(np.int64),
    float: np.dtype(np.float64),
    complex: np.dtype(np.complex128),
}
_OBJECT = np.dtype(object)
_HOLDS = {"str": "OUT", "bytes": "OS"}
"""The kinds of dtype whose arrays, taken apart into rows, give `str` or `bytes`; text fits a scalar component of them."""


def as_leaf(value: object, *, at: str | None = None) -> Any:
    """Gives a component as the array or scalar that it will be assembled from.

    NumPy arrays and scalars, Python numbers, `str` and `bytes` are given back as they are; array-likes are converted.

    Args:
      value: a leaf of an example.
      at: where it stands, for messages.

    Raises:
      SpecError: the value is no array-like.
    """
    if isinstance(value, (np.ndarray, np.generic, bool, int, float, complex, str, bytes)):
        return value
    if hasattr(value, "__array__") or hasattr(value, "__array_interface__"):
        return np.asarray(value)
    if hasattr(value, "__dlpack__"):
        return np.from_dlpack(value)
    standard = sys.modules.get("array")  # Who has one of its arrays has loaded it.
    if isinstance(value, (bytearray, memoryview) if standard is None else (bytearray, memoryview, standard.array)):
        return np.asarray(value)
    what = f"`{type(value).__name__}`"
    if isinstance(value, Iterator) or callable(value) or hasattr(value, "open"):
        do = "a list is examples; for components pass a tuple"
        raise SpecError(mismatch("an array-like or scalar", what, at=at, do=do))
    raise SpecError(mismatch("an array-like or scalar", what, at=at))


@dataclass(frozen=True, slots=True)
class Component:
    """The dtype and shape of one component of an example."""

    dtype: np.dtype[Any]
    """NumPy's dtype; `object` for `str`, `bytes` and object arrays. Of text arrays (`<U5`) only the kind counts."""
    shape: Shape
    """Sizes of the dimensions, without the batch's; `None` is free."""
    text: str | None = None
    """`"str"` or `"bytes"` where the component is such a Python object, else `None`."""

    @classmethod
    def of(cls, value: object, *, at: str | None = None) -> Component:
        """Reads dtype and shape off a component; `at` is where it stands, for messages.

        >>> str(Component.of(np.zeros((2, 3), np.float32)))
        'float32[2, 3]'
        """
        leaf = as_leaf(value, at=at)
        if isinstance(leaf, (str, bytes)):
            return cls(_OBJECT, (), "str" if isinstance(leaf, str) else "bytes")
        if isinstance(leaf, (np.ndarray, np.generic)):
            return cls(native_dtype(leaf.dtype), leaf.shape)
        if isinstance(leaf, int) and not -(2**63) <= leaf < 2**63:
            raise SpecError(mismatch("an `int` that fits int64", f"{leaf.bit_length()} bits", at=at))
        return cls(_PYTHON[type(leaf)] if type(leaf) in _PYTHON else np.asarray(leaf).dtype, ())

    def fits(self, other: Component) -> bool:
        """Whether `other`, read off an example, is as this one asks."""
        if other.text is not None and self.text is None:
            return self.shape == () and self.dtype.kind in _HOLDS[other.text]
        if self.text != other.text or not same_dtype(self.dtype, other.dtype) or len(self.shape) != len(other.shape):
            return False
        return all(mine is None or mine == its for mine, its in zip(self.shape, other.shape, strict=True))

    def with_shape(self, shape: Shape) -> Component:
        """The same component with another shape."""
        return Component(self.dtype, shape, self.text)

    def __str__(self) -> str:
        name = self.text or ("str" if self.dtype.kind == "T" else str(self.dtype))
        return f"{name}[{', '.join('?' if size is None else str(size) for size in self.shape)}]"


def native_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The same dtype in this machine's order of bytes."""
    return dtype if dtype.isnative else dtype.newbyteorder("=")


def same_dtype(one: np.dtype[Any], other: np.dtype[Any]) -> bool:
    """Whether two dtypes are one but for the width of text and the order of bytes."""
    return one == other or (one.kind == other.kind and one.kind in "US") or native_dtype(one) == native_dtype(other)


@dataclass(frozen=True, slots=True)
class Spec:
    """The structure of an example and its components, leaf by leaf."""

    structure: Structure
    """How the components are nested."""
    components: tuple[Component, ...]
    """One for each leaf of the structure, in its order."""

    @classmethod
    def of(cls, example: object, *, at: str | None = None) -> Spec:
        """Reads the spec off an example; `at` is where that came from, for messages.

        >>> print(Spec.of({"image": np.zeros((28, 28), np.uint8), "label": 3}))
        {image: uint8[28, 28], label: int64[]}

        Raises:
          SpecError: a leaf is no array-like, or there is none.
        """
        structure = Structure.of(example)
        paths = structure.paths()
        if not paths:
            raise SpecError(
                mismatch("an example of at least one component", f"an empty `{type(example).__name__}`", at=at)
            )
        within = f" of {at}" if at else ""
        places = [f"component `{path_text(path)}`{within}" for path in paths]
        pairs = zip(structure.leaves(example), places, strict=True)
        return cls(structure, tuple(Component.of(leaf, at=place) for leaf, place in pairs))

    @property
    def paths(self) -> tuple[Path, ...]:
        """The path of each component."""
        return self.structure.paths()

    def check(self, example: object, *, at: str | None = None) -> None:
        """Raises unless an example fits.

        Raises:
          SpecError: names what was expected, what came and `at`.
        """
        leaves = self.structure.leaves(example, at=at)
        for path, mine, leaf in zip(self.paths, self.components, leaves, strict=True):
            name = path_text(path)
            its = Component.of(leaf, at=f"component `{name}`" + (f" of {at}" if at else ""))
            if not mine.fits(its):
                hint = None
                if its.text == mine.text and same_dtype(mine.dtype, its.dtype) and len(mine.shape) == len(its.shape):
                    hint = "pad it: `.pad(...)`, or `dynamic_pad=True`"
                raise SpecError(mismatch(f"`{name}: {mine}`", f"`{its}`", at=at, do=hint))

    def reshaped(self, change: Callable[[Path, Component], Shape]) -> Spec:
        """The same spec with each component's shape as `change(path, component)` says."""
        pairs = zip(self.paths, self.components, strict=True)
        return Spec(self.structure, tuple(c.with_shape(change(path, c)) for path, c in pairs))

    def __str__(self) -> str:
        return self.structure.draw([str(component) for component in self.components])
