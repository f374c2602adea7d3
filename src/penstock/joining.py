"""The arguments of `join`, read and checked: weights, what the end of a source means, and the tag."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

from penstock.errors import PipelineError, mismatch
from penstock.faults import Policy, policy_of
from penstock.later import later
from penstock.plan import Join, Node, Order, Read, Repeat, find

__all__ = ["End", "guarded", "joined"]

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
    ends = _each(end, keys, len(nodes), "drop", at="join(end)")
    for policy in ends:
        if policy not in ENDS:
            raise PipelineError(mismatch('"drop", "stop" or "repeat"', f"`{policy!r}`", at="join(end)"))
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


def guarded(nodes: Sequence[Node], keys: Sequence[Hashable] | None, on_error: Any) -> list[Node]:
    """The inputs, each with what is done about the errors of its sources.

    Args:
      nodes: the inputs.
      keys: what the user calls them, if they have names.
      on_error: a policy for all, one for each in order, or by name.

    Raises:
      PipelineError: something that is no policy, or cannot be.
    """
    at = "join(on_error)"
    policies = _each(on_error, keys, len(nodes), None, at=at)
    return [
        node if policy is None else _guarded(node, policy_of(policy, at=at))
        for node, policy in zip(nodes, policies, strict=True)
    ]


def _guarded(node: Any, policy: Policy) -> Any:
    """The same description with a policy for each source in it that has none."""
    if isinstance(node, Read):
        return node if node.on_error is not None else node.changed(on_error=policy)
    of = node.of
    below = tuple([_guarded(each, policy) for each in of]) if isinstance(of, tuple) else _guarded(of, policy)
    return node.changed(of=below)


def _each(value: Any, keys: Sequence[Hashable] | None, count: int, other: Any, *, at: str) -> list[Any]:
    """What is said of each input: one thing of all, or one of each in order or by name, `other` where it is not named."""
    if isinstance(value, Mapping):
        unknown = [key for key in value if keys is None or key not in keys]
        if unknown:
            raise PipelineError(mismatch("the name of a source", f"`{unknown[0]!r}`", at=at))
        return [value.get(key, other) for key in keys or ()]
    if isinstance(value, str) or not isinstance(value, Sequence):
        return [value] * count
    each = list(value)
    if len(each) != count:
        raise PipelineError(mismatch(f"a policy for each of the {count} sources", f"{len(each)}", at=at))
    return each


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
