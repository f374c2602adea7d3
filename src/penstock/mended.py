"""Which words of a pipeline do something about errors, and the ledgers of what is skipped there."""

from __future__ import annotations

from penstock.faults import Ledger, OnError, Policy, Quarantine, SkipLog, policy_of
from penstock.place import Place, word_of
from penstock.plan import Batch, Filter, Map, Node, Read
from penstock.staged import Staged

__all__ = ["begin_ledgers", "ledger_of", "marks", "views"]


def ledger_of(node: Node, place: Place, quarantine: Quarantine, on_error: OnError) -> Ledger | None:
    """The ledger of a word, the same in each epoch; `None` where its errors are raised.

    Args:
      node: the word.
      place: what comes before it and all that is upstream of it.
      quarantine: has the ledgers.
      on_error: what is done where a word says nothing of it.
    """
    policy = _policy(node, on_error)
    if policy is None or policy.raises:
        return None
    name = f"read {quarantine.labels[place.streams]!r}" if isinstance(node, Read) else word_of(node)
    return quarantine.ledger(place.after(node).words, name, policy)


def _policy(node: Node, on_error: OnError) -> Policy | None:
    own = node.on_error if isinstance(node, Read | Map | Filter) else None
    if own is None and not isinstance(node, Read | Map | Filter | Staged | Batch):
        return None
    return policy_of(on_error if own is None else own, at="on_error")


def begin_ledgers(node: Node, place: Place, quarantine: Quarantine, on_error: OnError) -> None:
    """Makes the ledgers of all words up to one, also of those whose stages are not built yet; as in `ledger_of`."""
    at = place
    for below in node.upstream:
        begin_ledgers(below, at, quarantine, on_error)
        at = at.after(below)
    ledger_of(node, place, quarantine, on_error)


def views(quarantine: Quarantine, first: Place, last: Place) -> list[SkipLog]:
    """As `marks`, for whoever begins these words anew: what the next pass skips is of none that stand anywhere now."""
    ledgers = [quarantine.ledgers.get(word) for word in range(first.words + 1, last.words + 1)]
    return [ledger.view() for ledger in ledgers if ledger is not None and ledger.policy.skip is not None]


def marks(quarantine: Quarantine, first: Place, last: Place) -> list[SkipLog]:
    """The logs of what is skipped from now on by the words from one place to another."""
    ledgers = [quarantine.ledgers.get(word) for word in range(first.words + 1, last.words + 1)]
    return [ledger.mark() for ledger in ledgers if ledger is not None and ledger.policy.skip is not None]
