"""A source beside a stream of flags that say which of its items are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, final

import numpy as np

from penstock.chunk import Columns
from penstock.errors import SpecError, mismatch
from penstock.plan import Source
from penstock.sources.components import examples_of
from penstock.sources.position import identity_of

__all__ = ["Flagged", "FlaggedSource"]


class Flagged(NamedTuple):
    """A source and the flags that are read in step with it, or an item and its flag."""

    tensors: Any
    """The source, or its item."""
    keep_input: Any
    """The flags, or the item's."""


@final
class FlaggedSource:
    """The items of a source whose flag is true; a dropped item was read all the same.

    Args:
      source: what is read; where `flag` is `None` it yields `Flagged`.
      flag: the flag of every item, or `None`.
      chunks: whether an item is a chunk; its flag may then be an array of one flag for each row.
      label: what it is called in messages; `None` takes the source's.

    Source: TF1 `tf.train.maybe_batch`, its `keep_input`.
    """

    blocks = False

    def __init__(
        self, source: Source, flag: np.ndarray[Any, Any] | None, *, chunks: bool, label: str | None = None
    ) -> None:
        self._source = source
        self.parts = (source,)
        """The source that is read, and through it the flags."""
        self._flag = flag
        self._chunks = chunks
        self.label = source.label if label is None else label
        self.once = source.once
        self.waits = source.waits

    def open(self, epoch: int) -> Iterator[Any]:
        """Starts a pass."""
        return self._kept(examples_of(self._source, epoch))

    def _kept(self, items: Iterator[Any]) -> Iterator[Any]:
        try:
            for item in items:
                kept = self._item(*item) if self._flag is None else self._item(item, self._flag)
                if kept is not None:
                    yield kept
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()

    def _item(self, item: Any, flag: Any) -> Any:
        flags = np.asarray(flag)
        kind = flags.dtype.kind
        if kind not in "biu" or flags.ndim > (1 if self._chunks else 0):
            want = "a bool, or an array of one for each row" if self._chunks else "a bool"
            raise SpecError(mismatch(f"`keep_input` to give {want}", f"`{flags.dtype}{list(flags.shape)}`"))
        if kind != "b" and not np.isin(flags, (0, 1)).all():
            raise SpecError(
                mismatch(
                    "`keep_input` to give a bool, or 0 or 1", f"{flags.max() if flags.min() >= 0 else flags.min()}"
                )
            )
        if flags.ndim == 0:
            return item if flags else None
        columns = Columns.of(item)
        if len(columns) != len(flags):
            raise SpecError(mismatch(f"`keep_input` of {len(columns)} flags, one for each row", f"{len(flags)}"))
        kept = columns.select(flags.astype(bool))
        return kept.structure.build(kept.arrays)

    def identity(self) -> list[Any]:
        """What tells it from others: the source that it reads, and flags that stay the same."""
        return [identity_of(self._source), None if self._flag is None else np.asarray(self._flag).tolist()]

    def length(self) -> int | None:
        """Unknown."""
        return None
