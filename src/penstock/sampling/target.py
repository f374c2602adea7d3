"""What proportions were asked for, and what they are at a batch."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, final

import numpy as np

from penstock.errors import PipelineError, mismatch, placed
from penstock.sampling.classes import Classes
from penstock.sampling.shares import Float64s, Shares, probabilities
from penstock.sampling.temperature import Temperature

__all__ = ["Target"]

UNIFORM, NATURAL = "uniform", "natural"


@final
class Target:
    """A target as the user wrote it.

    Args:
      wanted: a mapping of shares by label; a sequence of them, for the labels 0, 1, 2 and so on or for `labels`;
        `"uniform"`; `"natural"`; a `Temperature`; or a function of the number of the batch that gives one of these (it is
        asked about batch 0 at once, for the labels).
      labels: the classes, where they are named apart from their shares.
      at: the argument's name, for messages.

    Raises:
      PipelineError: it is none of these, or shares are negative, no numbers, or do not sum to one.

    >>> target = Target({"fraud": 0.25, "fine": 0.75})
    >>> target.labels, target.shares(0, Classes(target.labels), None)
    (['fraud', 'fine'], Shares(weights=(1, 3), total=4))
    """

    __slots__ = ("_at", "_fixed", "_wanted", "labels")

    def __init__(self, wanted: Any, *, labels: Iterable[Hashable] | None = None, at: str = "stratify(target)") -> None:
        self._at = at
        self._wanted = wanted
        self._fixed: Shares | None = None
        self.labels = _labels(labels, at.replace("(target)", "(classes)"))
        """The classes, if they are known beforehand; else they are found as they come."""
        if isinstance(wanted, Mapping):
            given = dict(zip(_labels(wanted, at) or (), wanted.values(), strict=True))
            if self.labels is None:
                self.labels = list(given)
            strange = given.keys() - set(self.labels)
            if strange:
                raise PipelineError(mismatch("a target for known classes", f"one for `{strange.pop()!r}`", at=at))
            self._fixed = probabilities([given.get(label, 0) for label in self.labels], what=at)
        elif isinstance(wanted, str):
            if wanted not in (UNIFORM, NATURAL):
                raise PipelineError(mismatch(f'a target, `"{UNIFORM}"` or `"{NATURAL}"`', f"`{wanted!r}`", at=at))
        elif callable(wanted):
            if self.labels is None:  # A sequence is for the labels 0, 1, 2, whatever comes first.
                self.labels = Target(_asked(wanted, 0, at), at=f"{at} of batch 0").labels
        elif not isinstance(wanted, Temperature):
            self._fixed = probabilities(wanted, what=at)
            if self.labels is None:
                self.labels = list(range(len(self._fixed)))
            if len(self._fixed) != len(self.labels):
                raise PipelineError(
                    mismatch(f"a share for each of {len(self.labels)} classes", len(self._fixed), at=at)
                )

    @property
    def fixed(self) -> bool:
        """Whether it is the same for every batch, as long as no class is added."""
        return self._fixed is not None or self._wanted == UNIFORM

    def shares(self, number: int, classes: Classes, arriving: Float64s | None) -> Shares | Float64s:
        """The shares of the classes in a batch.

        Args:
          number: of the batch.
          classes: as they are known now.
          arriving: their arriving shares, float64[K]; asked of `"natural"` and a `Temperature`.

        Raises:
          PipelineError: what the user's function gave is no target over these classes.
        """
        if self._fixed is not None:
            return self._fixed
        if callable(self._wanted):
            own = Target(
                _asked(self._wanted, number, self._at), labels=classes.labels, at=f"{self._at} of batch {number}"
            )
            return own.shares(number, classes, arriving)
        if self._wanted == UNIFORM:
            return Shares.uniform(len(classes))
        assert arriving is not None, "what follows the stream is told of it"
        return arriving if self._wanted == NATURAL else self._wanted.shares(arriving)

    @property
    def parts(self) -> tuple[Any, list[Hashable] | None]:
        """What it was made of: what is wanted, and the labels."""
        return self._wanted, self.labels

    def fingerprint(self) -> list[Any]:
        """What tells it from other targets."""
        return [self._wanted if self._fixed is None else self._fixed.weights, self.labels]

    def over(self, classes: Classes) -> Target:
        """The same target for classes that are known; of a changed target, which may name no others.

        Raises:
          PipelineError: it names others.
        """
        return Target(self._wanted, labels=list(classes.labels), at=self._at)

    def __repr__(self) -> str:
        return f"Target({self._wanted!r})"


Function = Callable[[int], Any]
"""Of the number of a batch."""


def _asked(function: Function, number: int, at: str) -> Any:
    """What the user's function gives for a batch."""
    try:
        given = function(number)
    except Exception as error:
        raise placed(error, f"asking the target of batch {number}") from None
    if callable(given):
        raise PipelineError(mismatch("a target", "another function", at=f"{at} of batch {number}"))
    return given


def _labels(labels: Iterable[Hashable] | None, at: str) -> list[Hashable] | None:
    if labels is None:
        return None
    if isinstance(labels, (str, bytes)) or not isinstance(labels, Iterable):
        raise PipelineError(mismatch("an iterable of labels", f"`{labels!r}`", at=at))
    plain = [label.item() if isinstance(label, np.generic) else label for label in labels]
    try:
        known = set(plain)
    except TypeError as error:
        raise PipelineError(mismatch("labels that are hashable", f"`{error}`", at=at)) from None
    if not plain:
        raise PipelineError(mismatch("at least one class", "none", at=at))
    if len(known) < len(plain):
        twice = next(label for place, label in enumerate(plain) if label in plain[:place])
        raise PipelineError(mismatch("each class once", f"`{twice!r}` twice", at=at))
    return plain
