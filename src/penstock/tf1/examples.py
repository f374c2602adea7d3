"""`tf.train.Example` and its parts, to write records with and to read them by hand; `penstock.sources.wire` knows the format.

As of protobuf's messages, what is asked for is there: `example.features.feature["label"].int64_list.value.append(3)`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, final

import numpy as np

from penstock.errors import PipelineError, mismatch
from penstock.sources.wire import parse_example, parse_sequence_example, serialized, serialized_sequence

__all__ = [
    "BytesList",
    "Example",
    "Feature",
    "FeatureList",
    "FeatureLists",
    "Features",
    "FloatList",
    "Int64List",
    "SequenceExample",
]


class Values:
    """A list of values.

    Args:
      value: the values, in order.
    """

    def __init__(self, value: Iterable[Any] = ()) -> None:
        self.value = list(value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.value == getattr(other, "value", None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(value={self.value!r})"


@final
class BytesList(Values):
    """Some bytes."""


@final
class FloatList(Values):
    """Some numbers, as float32."""


@final
class Int64List(Values):
    """Some integers."""


@final
class Feature:
    """One of the three lists.

    Args:
      bytes_list: bytes.
      float_list: numbers.
      int64_list: integers.
    """

    def __init__(
        self,
        bytes_list: BytesList | None = None,
        float_list: FloatList | None = None,
        int64_list: Int64List | None = None,
    ) -> None:
        self._lists: list[Values | None] = [bytes_list, float_list, int64_list]
        self.bytes_list = bytes_list if bytes_list is not None else BytesList()
        self.float_list = float_list if float_list is not None else FloatList()
        self.int64_list = int64_list if int64_list is not None else Int64List()

    def _filled(self) -> list[Values]:
        """The list that it is; more than one are a mistake."""
        lists: list[Values] = [self.bytes_list, self.float_list, self.int64_list]
        given = [own for own, passed in zip(lists, self._lists, strict=True) if own.value or own is passed]
        return [own for own in given if own.value] or given

    def WhichOneof(self, oneof: str) -> str | None:  # noqa: N802
        """The name of the list that it is."""
        names = {BytesList: "bytes_list", FloatList: "float_list", Int64List: "int64_list"}
        return next((names[type(own)] for own in self._filled()), None)

    def values(self) -> Any:
        """What is written: a list of bytes, or an array."""
        given = self._filled()
        if len(given) > 1:
            raise PipelineError(mismatch("one list in a feature", len(given), at="Feature()"))
        if not given:
            return []
        if isinstance(given[0], BytesList):
            return given[0].value
        return np.array(given[0].value, np.float32 if isinstance(given[0], FloatList) else np.int64)

    @classmethod
    def of(cls, kind: str, values: Any) -> Feature:
        """The one that was read."""
        lists: dict[str, Any] = {"bytes": BytesList, "float": FloatList, "int64": Int64List}
        return cls(**({f"{kind}_list": lists[kind](np.asarray(values, object).tolist())} if kind else {}))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Feature) and self._filled() == other._filled()

    def __repr__(self) -> str:
        return f"Feature({', '.join(map(repr, self._filled()))})"


@final
class Features:
    """Features by name.

    Args:
      feature: each of them.
    """

    def __init__(self, feature: Mapping[str, Feature] | None = None) -> None:
        self.feature = defaultdict(Feature, feature or {})


@final
class FeatureList:
    """A feature for each step of a sequence.

    Args:
      feature: each of them, in order.
    """

    def __init__(self, feature: Iterable[Feature] = ()) -> None:
        self.feature = Repeated(feature)


@final
class Repeated(list[Feature]):
    """A list of features that makes them too."""

    def add(self) -> Feature:
        """One more, at the end."""
        self.append(Feature())
        return self[-1]


@final
class FeatureLists:
    """Lists of features by name.

    Args:
      feature_list: each of them.
    """

    def __init__(self, feature_list: Mapping[str, FeatureList] | None = None) -> None:
        self.feature_list = defaultdict(FeatureList, feature_list or {})


@final
class Example:
    """One example of a TFRecord file.

    Args:
      features: its features.
    """

    def __init__(self, features: Features | None = None) -> None:
        self.features = features if features is not None else Features()

    def SerializeToString(self) -> bytes:  # noqa: N802
        """The bytes that `tf.parse_single_example` reads."""
        return serialized({name: feature.values() for name, feature in self.features.feature.items()})

    def ParseFromString(self, serialized: bytes) -> int:  # noqa: N802
        """Takes the features that are read from bytes for its own; how many bytes there were.

        Raises:
          SpecError: they are none.
        """
        self.features = Features({name: Feature.of(*found) for name, found in parse_example(serialized).items()})
        return len(serialized)

    @classmethod
    def FromString(cls, data: bytes) -> Example:  # noqa: N802
        """Reads one."""
        made = cls()
        made.ParseFromString(data)
        return made


@final
class SequenceExample:
    """One example with sequences.

    Args:
      context: features of the whole.
      feature_lists: features of each step.
    """

    def __init__(self, context: Features | None = None, feature_lists: FeatureLists | None = None) -> None:
        self.context = context if context is not None else Features()
        self.feature_lists = feature_lists if feature_lists is not None else FeatureLists()

    def SerializeToString(self) -> bytes:  # noqa: N802
        """The bytes that `tf.parse_single_sequence_example` reads."""
        context = {name: feature.values() for name, feature in self.context.feature.items()}
        lists = self.feature_lists.feature_list.items()
        return serialized_sequence(context, {name: [step.values() for step in each.feature] for name, each in lists})

    def ParseFromString(self, serialized: bytes) -> int:  # noqa: N802
        """Takes what is read from bytes for its own; how many bytes there were.

        Raises:
          SpecError: they are none.
        """
        context, lists = parse_sequence_example(serialized)
        self.context = Features({name: Feature.of(*found) for name, found in context.items()})
        self.feature_lists = FeatureLists(
            {name: FeatureList(Feature.of(*step) for step in steps) for name, steps in lists.items()}
        )
        return len(serialized)

    @classmethod
    def FromString(cls, data: bytes) -> SequenceExample:  # noqa: N802
        """Reads one."""
        made = cls()
        made.ParseFromString(data)
        return made
