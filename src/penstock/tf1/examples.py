"""`tf.train.Example` and its parts, to write records with; `penstock.sources.wire` knows the format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from penstock.errors import PipelineError, mismatch
from penstock.sources.wire import parse_example, serialized

__all__ = ["BytesList", "Example", "Feature", "Features", "FloatList", "Int64List"]


@dataclass
class BytesList:
    """Some bytes."""

    value: Sequence[bytes] = ()
    """In order."""


@dataclass
class FloatList:
    """Some numbers, as float32."""

    value: Sequence[float] = ()
    """In order."""


@dataclass
class Int64List:
    """Some integers."""

    value: Sequence[int] = ()
    """In order."""


@dataclass
class Feature:
    """One of the three lists."""

    bytes_list: BytesList | None = None
    """Bytes."""
    float_list: FloatList | None = None
    """Numbers."""
    int64_list: Int64List | None = None
    """Integers."""

    def values(self) -> Any:
        """What is written: a list of bytes, or an array."""
        given = [part for part in (self.bytes_list, self.float_list, self.int64_list) if part is not None]
        if len(given) > 1:
            raise PipelineError(mismatch("one list in a feature", len(given), at="Feature()"))
        if not given:
            return []
        if isinstance(given[0], BytesList):
            return list(given[0].value)
        return np.array(list(given[0].value), np.float32 if isinstance(given[0], FloatList) else np.int64)


@dataclass
class Features:
    """Features by name."""

    feature: Mapping[str, Feature] = field(default_factory=dict)
    """Each of them."""


@dataclass
class Example:
    """One example, to be written to a TFRecord file."""

    features: Features = field(default_factory=Features)
    """Its features."""

    def SerializeToString(self) -> bytes:  # noqa: N802
        """The bytes that `tf.parse_single_example` reads."""
        return serialized({name: feature.values() for name, feature in self.features.feature.items()})

    @classmethod
    def FromString(cls, data: bytes) -> Example:  # noqa: N802
        """Reads one."""
        made = {}
        for name, (kind, values) in parse_example(data).items():
            lists: dict[str, Any] = {"bytes": BytesList, "float": FloatList, "int64": Int64List}
            made[name] = Feature(**({f"{kind}_list": lists[kind](list(values))} if kind else {}))
        return cls(Features(made))
