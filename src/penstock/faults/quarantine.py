"""All that was skipped in a flow, place by place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, final

from penstock.errors import StateError, mismatch
from penstock.faults.ledger import Ledger, Skipped, SkipStats, skipped_of
from penstock.faults.log import SkipLog
from penstock.faults.policy import Policy, Skip

__all__ = ["Quarantine"]


@final
class Quarantine:
    """The ledgers of a flow.

    Args:
      labels: the sources' names by stream number.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.ledgers: dict[int, Ledger] = {}
        """Of each place, by the number of its word."""
        self.labels = labels
        """The sources' names by stream number."""
        self._loaded: dict[int, dict[str, Any]] = {}
        self._logs: dict[int, list[SkipLog]] = {}

    def ledger(self, word: int, stage: str, policy: Policy) -> Ledger:
        """The ledger of a place, the same in each epoch.

        Args:
          word: the number of its word.
          stage: what stands there.
          policy: what is done about errors there.
        """
        if word not in self.ledgers:
            ledger = Ledger(stage, policy, self.labels, word)
            ledger.load(self._loaded.pop(word, None), self._logs.pop(word, ()))
            self.ledgers[word] = ledger
        return self.ledgers[word]

    def skipped(self) -> tuple[Skipped, ...]:
        """What was skipped, from the sources to the batches; of each place the first, and the latest."""
        return tuple(skipped for ledger in self._in_order() for skipped in (*ledger.kept.copy(), *ledger.late.copy()))

    def stats(self) -> tuple[SkipStats, ...]:
        """How much each place has skipped, for those that have."""
        return tuple(
            SkipStats(ledger.stage, ledger.count, ledger.kept[0] if ledger.kept else None, ledger.last)
            for ledger in self._in_order()
            if ledger.count
        )

    @property
    def skips(self) -> bool:
        """Whether anything may be skipped."""
        return any(ledger.policy.skip is not None for ledger in self.ledgers.values())

    @property
    def count(self) -> int:
        """How many were skipped at all places together."""
        return sum([ledger.count for ledger in self.ledgers.copy().values()])

    def state(self) -> dict[str, dict[str, Any]]:
        """What each place has counted, by its number, for those that have skipped anything: plain data."""
        if not self.ledgers:
            return {}
        ledgers = sorted(self.ledgers.copy().items())
        return {str(word): ledger.state() for word, ledger in ledgers if ledger.count}

    def load(self, more: dict[str, Any], logs: Iterable[SkipLog] = ()) -> None:
        """Takes in what `state` gave, before the stages are built, whose ledgers then begin with it.

        Args:
          more: has it as `"skipped"`.
          logs: of the snapshot that is gone on from.
        """
        self._loaded = {int(word): dict(saved) for word, saved in more["skipped"].items()}
        for saved in self._loaded.values():  # here, where what is wrong with it is told as such
            Ledger("", Policy(skip=Skip()), self.labels).load(saved)
            for told in (saved["first"], saved["last"]):
                if told is not None and not 0 <= skipped_of(told).ticket.stream < len(self.labels):
                    raise StateError(mismatch("the ticket of a source", f"`{told[0]!r}`", at="open(state)"))
        for log in logs:
            self._logs.setdefault(log.word, []).append(log)

    def _in_order(self) -> list[Ledger]:
        return [ledger for _, ledger in sorted(self.ledgers.copy().items())]
