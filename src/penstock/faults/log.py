"""What was skipped at one place, for those who hold a snapshot of it: from then on, in order, and growing.

Logs are a chain, each knows the next; so what came before the oldest snapshot that somebody holds is nobody's, and gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

from penstock.errors import StateError, mismatch
from penstock.ticket import Ticket

__all__ = ["SkipLog"]


@final
class SkipLog:
    """What was skipped at a place from one snapshot on: a link of a chain, which goes on growing at its end.

    Args:
      word: the number of the place.
      entries: of each the number that it was at its place, and its ticket.
      then: what was skipped after these.
      behind: those up to this number are left out, from here on.
    """

    __slots__ = ("behind", "entries", "then", "word")

    def __init__(
        self, word: int, entries: list[tuple[int, ...]] | None = None, then: SkipLog | None = None, *, behind: int = 0
    ) -> None:
        self.word = word
        self.entries: list[tuple[int, ...]] = [] if entries is None else entries
        self.then = then
        self.behind = behind

    def __len__(self) -> int:
        """How many entries there are from here on."""
        return sum([len(log.entries) for log in self._links()])

    def parts(self) -> list[Any]:
        """The word and all entries from here on, as plain data holds them."""
        found: list[list[int]] = []
        behind = 0
        for log in self._links():
            behind = max(behind, log.behind)
            found += [list(entry) for entry in log.entries if entry[0] > behind]
        return [self.word, found]

    @classmethod
    def of(cls, parts: Any) -> SkipLog:
        """A log that `parts` told of.

        Raises:
          StateError: it did not.
        """
        word, entries = parts
        for entry in entries:
            whole = type(entry) is list and len(entry) == 1 + len(Ticket._fields)
            if not whole or any(type(part) is not int or not 0 <= part < 1 << 62 for part in entry):
                raise StateError(mismatch("the ticket of what was skipped", f"`{entry!r}`"[:80], at="open(state)"))
        if type(word) is not int:
            raise StateError(mismatch("the number of a word", f"`{word!r}`"[:80], at="open(state)"))
        return cls(word, [tuple(entry) for entry in entries])

    def _links(self) -> Iterator[SkipLog]:
        log: SkipLog | None = self
        while log is not None:
            yield log
            log = log.then
