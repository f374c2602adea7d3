"""Starts a stream again at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, final

from penstock.chunk import END, Chunk
from penstock.errors import SpecError, mismatch
from penstock.faults import SkipLog
from penstock.stages.reader import RowReader
from penstock.stages.snapshot import Saved
from penstock.stages.stage import Stage
from penstock.ticket import Tickets

__all__ = ["Repeat"]


@final
class Repeat:
    """Pass after pass over a stream that is opened anew for each.

    Args:
      make: gives the stage for a pass; its argument is the epoch.
      epochs: how many passes; `None` never ends.
      epoch: the first pass.
      by_row: whether each pass is a reader of single examples, and nothing else.
      skips: gives the logs of what is skipped in it from then on.
    """

    again = True
    """Whether another pass may follow its end."""

    def __init__(
        self,
        make: Callable[[int], Stage],
        epochs: int | None,
        *,
        epoch: int,
        by_row: bool = False,
        skips: Callable[[], list[SkipLog]] = list,
    ) -> None:
        self._make = make
        self._skips = skips
        self._epoch = epoch
        self._last = None if epochs is None else epoch + epochs
        self._stage: Stage | None = None
        self._before: Stage | None = None  # the pass that ended last: it recalls, also when there is no other
        self._given = 0
        self.by_row = by_row
        """Whether each pass is a reader of single examples, and nothing else."""

    @property
    def reader(self) -> RowReader | None:
        """What is read now, where each pass is a reader of single examples."""
        return self._stage if isinstance(self._stage, RowReader) else None

    @property
    def direct(self) -> Iterator[Any] | None:
        """The iterator that gives the next examples of this pass, if nothing remains to be found out about it."""
        reader = self.reader
        return reader.direct if reader is not None else None

    def take(self, n: int) -> Chunk:
        """Takes from the pass at hand, and opens the next at its end."""
        while self._last is None or self._epoch < self._last:
            if self._stage is None:
                try:
                    self._stage, self._given = self._make(self._epoch), 0
                except Exception as error:  # a source that cannot be opened again
                    return self._ending(error)
            chunk = self._stage.take(n)
            self._given += chunk.count
            if chunk.error is not None:
                self._last = self._epoch
            if not chunk.is_end:
                return chunk
            if self._last is None and self._given == 0:
                return self._ending(
                    SpecError(
                        mismatch(
                            "at least one example in each epoch of an endless `repeat`",
                            "none",
                            at=f"epoch {self._epoch}",
                            do="without one it would turn for ever",
                        )
                    )
                )
            self._stage.close()
            self._before, self._stage = self._stage, None
            self._epoch += 1
        return END

    def snapshot(self) -> Saved:
        """Which pass it is in, and where that stands."""
        goes_on = self._last is None or self._epoch < self._last
        stage = self._opened() if goes_on else self._stage  # of a pass that is not begun, too: it may keep a log
        return {
            "epoch": self._epoch,
            "last": self._last,
            "given": self._given,
            "of": stage.snapshot() if stage is not None else None,
            "skips": self._skips() if goes_on else [],
        }

    def restore(self, saved: Saved) -> None:
        """Opens that pass, and goes on in it."""
        self._epoch, self._given = int(saved["epoch"]), int(saved["given"])
        self._last = None if saved["last"] is None else int(saved["last"])
        if saved["of"] is not None:
            self._stage = self._make(self._epoch)
            self._stage.restore(saved["of"])

    @property
    def recalls(self) -> bool:
        """As each pass; the one before is asked where there is none, and none is opened once it is closed."""
        stage = self._stage if self._stage is not None else self._before
        if stage is not None:
            return stage.recalls
        return self._make is not _none and self._opened().recalls

    def recall(self, tickets: Tickets) -> list[Any]:
        """As a pass, which tells other passes by the tickets."""
        return self._opened().recall(tickets)

    def _opened(self) -> Stage:
        """The pass at hand; the one before, if there is none, or else the next."""
        if self._stage is None and self._before is not None:
            return self._before
        if self._stage is None:
            over = self._last is not None and self._epoch >= self._last
            self._stage, self._given = self._make(self._epoch - over), 0
        return self._stage

    def _ending(self, error: Exception) -> Chunk:
        self._last = self._epoch
        return Chunk([], END.tickets, error=error)

    def close(self) -> None:
        """Closes the pass at hand; there is no other."""
        stage, self._stage, self._last = self._stage, None, self._epoch
        self._before = stage if stage is not None else self._before
        self._make = _none  # what makes a pass holds the whole chain, and so this
        if stage is not None:
            stage.close()


def _none(epoch: int) -> Stage:
    raise AssertionError("a stage is not pulled after it was closed")
