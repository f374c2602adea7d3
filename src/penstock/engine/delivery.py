"""What lies ready for the loop: given thing by thing, and counted.

Guarantees
  Giving a thing and counting it is one step that no signal splits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

from penstock.chunk import END, Chunk
from penstock.engine.forks import forks
from penstock.stages.snapshot import Saved

__all__ = ["Delivery", "Entry"]


@final
class Entry:
    """Things to be given, and how many of them have been.

    Args:
      chunk: the things, and the error behind them; neither is the end.
      place: where the stages stood behind these, if that was noted.
    """

    __slots__ = ("error", "given", "late", "place", "rows")

    def __init__(self, chunk: Chunk, place: Saved | None = None) -> None:
        self.error = chunk.error
        """What stands behind them; where there is neither, it is the end."""
        self.place = place
        """As given; or noted before the entry is seen."""
        self.late = 0
        """How much of what was put off is to be written before."""
        self.rows: list[Any] = chunk.as_rows()
        self.given = 0


class Delivery:
    """Gives things one by one: the base of a flow, which says where the next ones come from.

    Args:
      convert: what is done to each thing as it is given; `None` gives it as it is.
    """

    def __init__(self, convert: Callable[[Any], Any] | None) -> None:
        self._convert = convert
        self._forks = forks.count
        self._begin(None, 0)

    def _begin(self, place: Saved | None, again: int) -> None:
        """Gives from here on.

        Args:
          place: where the stages stand.
          again: how much is to be passed over before anything is given.
        """
        self._closed = False
        self._entry = Entry(END)
        self._delivered = 0
        """Given so far."""
        self._place, self._since = place, 0
        """What was noted last of where the stages stood, and how much was given, or passed over, since."""
        self._again = again

    def __next__(self) -> Any:
        """Gives the next batch.

        Raises:
          StopIteration: the end of the data.
          FlowClosed: the flow was closed, or belongs to another process.
          Stalled: nothing has moved for `watchdog_s` seconds.
          Exception: what a source or function raised, after everything that came before it.
        """
        if self._again:
            self._pass_over()
        entry = self._entry
        if entry.given == len(entry.rows) or self._closed or self._forks != forks.count:
            entry = self._entry = self._first()
        given, rows = entry.given, entry.rows
        place = entry.place if given + 1 == len(rows) else None
        thing = rows[given] if self._convert is None else self._convert(rows[given])
        # From here on no call, so that no signal comes between giving the batch and counting it.
        rows[given] = None
        entry.given = given + 1
        self._delivered += 1
        if place is None:
            self._since += 1
        else:
            self._place, self._since = place, 0
        return thing

    def _first(self) -> Entry:
        """The entry whose thing is next; raises what there is in place of it."""
        raise AssertionError("whoever delivers says what")

    def _pass_over(self) -> None:
        """Drops what is to be passed over."""
        raise AssertionError("whoever delivers says what")
