"""Who has the next batch: the stage that composes it, or another thread that wants another target from it on.

Guarantees
  A target that was promised for a batch is the target of that batch: it is seen before the batch is composed.
  Neither side waits for the other, but for the moment in which batches are composed of what is at hand.
How
  Each side puts its claim under the number of the batch with `dict.setdefault`, which is one step that no thread can
  split; whoever was first has the batch.
"""

from __future__ import annotations

from time import sleep
from typing import final

from penstock.sampling import Target
from penstock.stages.snapshot import Log, Saved

__all__ = ["Claims"]


class _Claim:
    """A target that is to hold from a batch on; that of nobody where the batch is being composed."""

    __slots__ = ("seen", "target")

    def __init__(self, target: Target | None) -> None:
        self.target = target
        self.seen = False


@final
class Claims:
    """The claims on batches.

    >>> claims = Claims()
    >>> claims.change(Target("uniform")), claims.begin()
    (0, Target('uniform'))
    >>> claims.begin()
    >>> claims.end(3)
    >>> claims.number
    3
    """

    def __init__(self) -> None:
        self.number = 0
        """The first batch that is not composed yet."""
        self._by_number: dict[int, _Claim] = {}
        self._own = _Claim(None)
        self._log = Log()

    def begin(self) -> Target | None:
        """Claims the next batches, to compose them; gives another target if one was promised, and claims nothing then."""
        claim = self._by_number.setdefault(self.number, self._own)
        if claim is self._own:
            return None
        claim.seen = True
        del self._by_number[self.number]
        return claim.target

    def end(self, composed: int) -> None:
        """Says how many batches were composed, none perhaps, and lets go of the claim."""
        before = self.number
        self.number += composed
        del self._by_number[before]

    def change(self, target: Target) -> int:
        """Another target, from the first batch on that is not composed yet; may be called by any thread.

        Returns:
          That batch's number.
        """
        own = _Claim(target)
        while True:
            number = self.number
            claim = self._by_number.setdefault(number, own)
            if claim.target is None:
                sleep(0)  # It is being composed, of what is at hand.
                continue
            claim.target = target  # Of two that want the same batch, the later has it.
            if (self.number == number and not claim.seen) or (claim is own and own.seen):
                self._log.entries.append((number, *target.parts))
                return number
            if claim is own:
                self._by_number.pop(number, None)  # The batch was composed before it was claimed.

    def snapshot(self) -> Saved:
        """The number of the next batch, and the targets that are promised; those too that will be before the next one."""
        self._log = self._log.follow()  # First, so that what is promised meanwhile stands in one of them at least.
        promised = [
            [number, *claim.target.parts]
            for number, claim in sorted(self._by_number.copy().items())
            if claim.target is not None
        ]
        return {"number": self.number, "promised": promised, "log": self._log}

    def restore(self, saved: Saved) -> None:
        """Goes on from there."""
        self.number = int(saved["number"])
        for number, wanted, labels in [*saved["promised"], *saved["log"]]:
            self._by_number[int(number)] = _Claim(Target(wanted, labels=labels, at="set_target(target)"))
