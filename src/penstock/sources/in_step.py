"""Streams read in step that go on behind an error of one of them; the others move on with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from inspect import isgenerator
from typing import Any, cast, final

from penstock.chunk import Columns
from penstock.plan import Source
from penstock.sources.position import dropped

__all__ = ["ENDED", "InStep", "lasting_rows"]

ENDED = object()
"""Stands for the end of a stream."""


@final
class InStep(Iterator[Any]):
    """One item of each stream at every step; where some raise, the first error, once all have moved on.

    Args:
      sources: what the streams were opened from.
      streams: k streams.
      whole: makes an example of k leaves, or raises where only some have ended; `None` where all have.
    """

    def __init__(
        self, sources: Sequence[Source], streams: Sequence[Iterator[Any]], whole: Callable[[list[Any]], Any]
    ) -> None:
        self._sources = sources
        self._streams = streams
        self._whole = whole
        self._over = False

    def __next__(self) -> Any:
        if self._over:
            raise StopIteration
        error: Exception | None = None
        leaves = []
        for stream in self._streams:
            try:
                leaves.append(next(stream, ENDED))
            except Exception as raised:
                self._over = self._over or isgenerator(stream)
                error = error or raised
        if error is not None:
            raise error
        if any(leaf is ENDED for leaf in leaves):
            self._over = True
        example = self._whole(leaves)
        if self._over:
            raise StopIteration
        return example

    @property
    def lasts(self) -> bool:
        """Whether all streams go on after they have raised."""
        pairs = zip(self._sources, self._streams, strict=True)
        return not self._over and all(
            getattr(stream, "lasts", getattr(source, "lasts", False)) for source, stream in pairs
        )

    def close(self) -> None:
        """Closes the streams."""
        self._over = True
        for stream in self._streams:
            close = getattr(stream, "close", None)
            if close is not None:
                close()


@final
class _Rows(Iterator[Any]):
    """The rows of runs, one by one."""

    def __init__(self, runs: Iterator[Any]) -> None:
        self._runs = runs
        self._rows: Iterator[Any] = iter(())

    def __next__(self) -> Any:
        while True:
            for row in self._rows:
                return row
            run = next(self._runs)
            self._rows = iter(run.rows() if isinstance(run, Columns) else run)

    @property
    def lasts(self) -> bool:
        """Whether the runs go on after they have raised."""
        return bool(getattr(self._runs, "lasts", False))

    def close(self) -> None:
        """Closes the runs."""
        close = getattr(self._runs, "close", None)
        if close is not None:
            close()


def lasting_rows(source: Source, epoch: int, n: int = 0) -> Iterator[Any]:
    """The examples of a source one by one, from a stream that goes on after an error where it can.

    Args:
      source: what is opened.
      epoch: which pass.
      n: how many come before; of sources that are read by index.
    """
    lasting = getattr(source, "lasting", None)
    if n and not source.blocks:
        begun: Iterator[Any] = (cast(Any, source).open_at if lasting is None else lasting)(epoch, n)
        return begun
    stream = (source.open if lasting is None else lasting)(epoch)
    if not source.blocks:
        return stream
    rows = _Rows(stream)
    dropped(rows, n)
    return rows
