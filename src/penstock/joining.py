"""The arguments of `join`, read and checked: weights, what the end of a source means, and the tag."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

from penstock.errors import PipelineError, mismatch
from penstock.later import later
from penstock.plan import Join, Node, Order, Read, Repeat, find

__all__ = ["End", "joined"]

End = Literal["drop", "stop", "repeat"]
"""What the end of a source means."""

ENDS = ("drop", "stop", "repeat")


def joined(
    nodes: Sequence[Node], keys: Sequence[Hashable] | None, *, weights: Any, order: Order, end: Any, tag: str | None
) -> Join:
    """The node of a join.

    Args:
      nodes: the inputs.
      keys: what the user calls them, if they have names.
      weights: a weight for each, in order or by name; a function of the number of examples before; or `None`.
      order: the rule.
      end: a policy for all, one for each in order, or by name; `"drop"` for those that are not named.
      tag: the name under which each example's input is delivered.

    Raises:
      PipelineError: something that cannot be.
    """
    ends = _ends(end, keys, len(nodes))
    inputs = [
        _repeated(node, _called(number, keys)) if ends[number] == "repeat" else node
        for number, node in enumerate(nodes)
    ]
    return Join(
        tuple(inputs),
        order,
        tuple([str(key) for key in keys or ()]),
        later("mixing").weights_of(weights, keys, len(nodes)) if nodes and weights is not None else None,
        frozenset(number for number, policy in enumerate(ends) if policy == "stop"),
        tag,
    )


def _ends(end: Any, keys: Sequence[Hashable] | None, count: int) -> list[str]:
    """The policy of each input."""
    at = "join(end)"
    if isinstance(end, Mapping):
        unknown = [key for key in end if keys is None or key not in keys]
        if unknown:
            raise PipelineError(mismatch("the name of a source", f"`{unknown[0]!r}`", at=at))
        ends = [end.get(key, "drop") for key in keys or ()]
    elif isinstance(end, str) or not isinstance(end, Sequence):
        ends = [end] * count
    else:
        ends = list(end)
        if len(ends) != count:
            raise PipelineError(mismatch(f"a policy for each of the {count} sources", f"{len(ends)}", at=at))
    for policy in ends:
        if policy not in ENDS:
            raise PipelineError(mismatch('"drop", "stop" or "repeat"', f"`{policy!r}`", at=at))
    return ends


def _repeated(node: Node, name: str) -> Node:
    """The input, pass after pass."""
    for read in find(node, Read):
        if read.source.once is not None:
            raise PipelineError(
                mismatch(
                    'a source that can be opened again, for `end="repeat"`',
                    f"the one-shot `{read.source.label}`",
                    at=name,
                    do="pass a callable that opens it",
                )
            )
    return Repeat(node, None)


def _called(number: int, keys: Sequence[Hashable] | None) -> str:
    return f"source {number}" if keys is None else f"source {number} ({str(keys[number])!r})"
