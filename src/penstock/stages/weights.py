"""The weights that are delivered with examples, so that a loss can make up for their proportions."""

from __future__ import annotations

from typing import Any

import numpy as np

from penstock.chunk import Columns
from penstock.errors import SpecError, mismatch
from penstock.sampling.shares import Float64s, Int64s
from penstock.stages.wishes import Weights

__all__ = ["attached", "check_name", "weights_of"]


def weights_of(kind: Weights, arriving: Float64s, target: Float64s | None, drawn: Int64s, *, shifted: bool) -> Any:
    """The weight of each example of a batch.

    Args:
      kind: `"target"`: what the target's share of its class is to the batch's; `"natural"`: what the arriving share is to
        it; or `"prior"`: the logarithm of all arriving shares, the same for each example.
      arriving: p, float64[K].
      target: q, float64[K]; `None` where none was asked for.
      drawn: the class of each example, int64[n].
      shifted: whether the batch is off the target, since the share of a class that stayed away was given to others.

    Returns:
      float32[n]; for `"prior"` float32[n, K].

    >>> weights_of("natural", np.array([0.9, 0.1]), np.array([0.5, 0.5]), np.array([0, 1]), shifted=False)
    array([1.8, 0.2], dtype=float32)
    """
    if kind == "prior":
        return np.tile(np.log(arriving).astype(np.float32), (len(drawn), 1))
    own = np.bincount(drawn, minlength=len(arriving)) / len(drawn)
    wanted = own if target is None else target
    given = own if shifted else wanted
    weights = np.divide(arriving if kind == "natural" else wanted, given, out=np.zeros(len(given)), where=given > 0)
    return weights[drawn].astype(np.float32)


def check_name(name: str, example: object) -> None:
    """Sees to it that weights can be added to examples like this one.

    Raises:
      SpecError: there is a component of that name.
    """
    if isinstance(example, dict) and name in example:
        want = "a new name for the weights"
        raise SpecError(mismatch(want, f"`{name}`, a component's", at="stratify(weights_as)"))


def attached(
    rows: list[Any] | None, columns: Columns | None, weights: Any, name: str
) -> tuple[list[Any] | None, Columns | None]:
    """Examples with their weights: a new key of a dict, else a pair of the example and a dict.

    Args:
      rows: n examples, or `None`.
      columns: n examples, or `None`.
      weights: an array with n rows.
      name: of the weights.
    """
    if columns is not None:
        item = columns.structure.build(columns.arrays)
        return None, Columns.of({**item, name: weights} if isinstance(item, dict) else (item, {name: weights}))
    assert rows is not None, "a batch has rows or columns"
    both = zip(rows, weights, strict=True)
    if rows and isinstance(rows[0], dict):
        return [{**row, name: weight} for row, weight in both], None
    return [(row, {name: weight}) for row, weight in both], None
