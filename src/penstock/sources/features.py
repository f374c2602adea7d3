"""Which features of a `tf.train.Example` are wanted, and the arrays they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.errors import PipelineError, SpecError, mismatch
from penstock.sources.wire import Lists, parse_example

__all__ = ["Feature", "Decoding", "as_features"]

DTYPES = {"bytes": np.dtype(object), "float": np.dtype(np.float32), "int64": np.dtype(np.int64)}
KINDS = {"O": "bytes", "S": "bytes", "U": "bytes", "f": "float", "i": "int64", "u": "int64", "b": "int64"}


@dataclass(frozen=True)
class Feature:
    """One feature: the dtype and shape that it is to have."""

    kind: str
    """`"bytes"`, `"float"` or `"int64"`, of which a file holds lists."""
    dtype: np.dtype[Any]
    """What its values become."""
    shape: tuple[int | None, ...] = ()
    """Sizes of its dimensions; the first may be `None`, and then takes as many as there are."""
    default: Any = None
    """The value where an example lacks it: an array of the shape; `None` makes that an error."""

    @classmethod
    def of(cls, dtype: Any, shape: Sequence[int | None] = (), default: Any = None, *, at: str) -> Feature:
        """Checks what was asked for.

        Raises:
          PipelineError: it cannot be.
        """
        known = np.dtype(object) if dtype in (str, bytes, "string", "bytes") else np.dtype(dtype)
        kind = KINDS.get(known.kind)
        if kind is None:
            raise PipelineError(mismatch("a dtype of bytes, floats or integers", f"`{known}`", at=at))
        sizes = tuple(shape)
        if any(size is None for size in sizes[1:]):
            do = "as a file holds it, it is a flat list"
            raise PipelineError(mismatch("sizes, the first of which may be `None`", f"`{list(sizes)}`", at=at, do=do))
        made = known if kind != "bytes" else DTYPES["bytes"]
        if default is None:
            return cls(kind, made, sizes)
        filled = [part.encode() if isinstance(part, str) else part for part in np.asarray(default, object).ravel()]
        flat = np.array(filled, made)
        count = int(np.prod([size for size in sizes if size is not None], dtype=int))
        if None not in sizes and flat.size != count:
            if flat.size != 1:
                want = f"a default of shape `{list(sizes)}`, or one value"
                raise PipelineError(mismatch(want, f"{flat.size} values", at=at))
            flat = np.repeat(flat, count)
        return cls(kind, made, sizes, flat.reshape([-1 if size is None else size for size in sizes]))

    def value(self, name: str, found: tuple[str, Any] | None) -> Any:
        """The array, or bytes, of one example.

        Raises:
          SpecError: the example lacks it, or it is of another kind or number.
        """
        at = f"feature `{name}`"
        if found is None or not found[0]:
            if self.default is not None:
                return self.default if self.shape else self.default[()]
            if self.shape[:1] == (None,):
                return np.empty((0, *self.shape[1:]), self.dtype)
            raise SpecError(mismatch(f"`{self}`", "none", at=at, do="give a default, if it may be missing"))
        kind, values = found
        if kind != self.kind:
            raise SpecError(mismatch(f"`{self}`", f"a list of {kind}", at=at))
        if not self.shape and len(values) == 1:
            return values[0] if kind == "bytes" else self.dtype.type(values[0])
        inner = int(np.prod([size for size in self.shape if size is not None], dtype=int))
        free = self.shape[:1] == (None,)
        if (len(values) % inner if inner else len(values)) if free else len(values) != inner:
            raise SpecError(mismatch(f"`{self}`", f"{len(values)} values", at=at))
        if kind == "bytes":
            array = np.empty(len(values), object)
            array[:] = values
        else:
            array = values.astype(self.dtype, copy=False)
        rows = [len(values) // inner if inner else 0, *self.shape[1:]] if free else self.shape
        return array.reshape([int(size or 0) for size in rows])

    def __str__(self) -> str:
        name = "bytes" if self.kind == "bytes" else str(self.dtype)
        return f"{name}[{', '.join('?' if size is None else str(size) for size in self.shape)}]"


def as_features(features: Mapping[str, Any], *, at: str) -> dict[str, Feature]:
    """What a user asked for: of each feature a dtype, a pair of dtype and shape, or a `Feature`.

    Raises:
      PipelineError: it is none of these.
    """
    if not isinstance(features, Mapping) or not features:
        got = "none" if isinstance(features, Mapping) else f"`{type(features).__name__}`"
        raise PipelineError(mismatch("a dict of features", got, at=at))
    out = {}
    for name, asked in features.items():
        place = f"{at}[{name!r}]"
        if isinstance(asked, Feature):
            out[name] = asked
            continue
        pair = asked if isinstance(asked, tuple) else (asked,)
        if not 1 <= len(pair) <= 2:
            raise PipelineError(mismatch("a dtype, or a pair of dtype and shape", f"`{asked!r}`", at=place))
        try:
            out[name] = Feature.of(*pair, at=place)
        except TypeError:
            raise PipelineError(mismatch("a dtype, or a pair of dtype and shape", f"`{asked!r}`", at=place)) from None
    return out


@dataclass(frozen=True)
class Decoding:
    """Takes a serialized `tf.train.Example` apart."""

    features: Mapping[str, Feature]
    """Which features, and what they become."""

    def __call__(self, record: bytes) -> dict[str, Any]:
        """The wanted features of one example, by name."""
        lists: Lists = parse_example(record)
        return {name: feature.value(name, lists.get(name)) for name, feature in self.features.items()}
