"""One component of every batch: what is asked of its leaves, how they are padded, and where they are put."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np

from penstock.assemble.extras import Extras
from penstock.assemble.filler import filler, text_filler
from penstock.assemble.kernels import Pile, Pool, extent, fill, prepared, stack
from penstock.assemble.misfit import Misfit
from penstock.errors import SpecError, mismatch
from penstock.plan import PadRule
from penstock.spec import Component, native_dtype
from penstock.structure import Path, path_text

if TYPE_CHECKING:
    from penstock.assemble.kernels import Backlog

__all__ = ["Part"]

Array = np.ndarray[Any, np.dtype[Any]]

_UNIT = {"U": 4, "S": 1}
"""Bytes of a character. [bytes]"""
_MOST = np.iinfo(np.int64).max


@final
class Part:
    """Assembles one component.

    Args:
      path: where it stands in an example.
      component: as read off the first example.
      rule: what may be padded, if anything.
      pool: where the batches' memory comes from.
      backlog: writes what is padded, before anybody sees it; `None` has it written at once.

    Raises:
      SpecError: the first example contradicts the rule's shape.
      PipelineError: the rule's value does not suit the dtype.
    """

    def __init__(
        self, path: Path, component: Component, rule: PadRule | None, pool: Pool, backlog: Backlog | None = None
    ) -> None:
        self.name = path_text(path)
        self.component = component.with_shape(_asked(self.name, component, rule))
        """What is asked of a leaf; `None` may vary."""
        axes = [axis for axis, size in enumerate(self.component.shape) if size is None]
        self.rule = rule if axes else None
        """How it is padded; `None` where no dimension may vary."""
        self.as_is = self.rule is None and component.text is None
        """Whether runs of the same dtype and shape need no more than to be copied."""
        self.extras = Extras(rule, axes) if rule is not None and axes else None
        self._pool = pool
        self._backlog = backlog
        self.prepared = prepared(self.component)
        """What the kernels are told of it."""
        self.shape = tuple(size for size in self.component.shape if size is not None)
        """The fixed sizes; all of them where there is no rule."""
        self._unit = _UNIT.get(component.dtype.kind, 0)
        self._value = None
        self._given = self.component.shape
        self._longest = False  # whether rows are as long as the longest, and no longer
        self._most: Array | None = None
        if self.rule is not None:
            self._value = filler(component, self.rule.value, self.name)
            if self.rule.shape is not None:
                self._given = self.rule.shape
            self._longest = self.rule.multiple == 1 and all(size is None for size in self._given)
            if not self.rule.truncate and self._given != self.component.shape:
                self._most = np.array([_MOST if size is None else size for size in self._given], np.int64)

    @property
    def batch_component(self) -> Component:
        """What the rows of every batch are; `None` varies from batch to batch."""
        return self.component.with_shape(self._given)

    @property
    def pours(self) -> bool:
        """Whether leaves can be put where they belong one by one, and none is found to be too long at the end."""
        return self.component.dtype.kind in "biufcmM" and self._most is None

    def place(self, size: int) -> Array | Pile:
        """Where the leaves of a batch go that come one by one; only where `pours` is true."""
        if self.rule is not None:
            return Pile(self.prepared, size)
        return self._pool.array((size, *self.shape), self.component.dtype)

    def poured(self, place: Array | Pile, n: int, extras: dict[str, Array]) -> Array:
        """The first n rows of what went there.

        Args:
          place: as `place` gave it.
          n: how many. [examples]
          extras: lengths and mask are added here.
        """
        if not isinstance(place, Pile):
            return place if n == len(place) else place[:n]
        assert self.rule is not None, "only what is padded goes to a pile"
        target = self._target(place.largest(n), None)
        out = self._pool.array((n, *target), self.component.dtype)
        how = self._value, self.rule.side == "left", self.rule.truncate
        if self._backlog is None:
            place.fill(out, *how)
        else:
            place.fill_with(self._backlog, out, *how)
        if self.extras is not None and self.extras.names:
            extras.update(self.extras.arrays(place.sizes(n), target))
        return out

    def rows(self, leaves: list[Any], extras: dict[str, Array]) -> Array:
        """Assembles leaves.

        Args:
          leaves: n arrays or scalars.
          extras: lengths and mask are added here.

        Returns:
          Array of shape `(n, …)`.

        Raises:
          Misfit: names the first that does not fit.
        """
        if self.rule is None and not self._unit:
            out = self._pool.array((len(leaves), *self.shape), self.component.dtype)
            stack(leaves, self.prepared, out)
            return out
        sizes = None
        if self._most is not None or (self.extras is not None and self.extras.names):
            sizes = np.empty((len(leaves), len(self.component.shape)), np.int64)
        largest = extent(leaves, self.prepared, sizes)
        target = self._target(largest, sizes)
        dtype = self.component.dtype
        if self._unit:
            dtype = self._text_dtype([leaf.dtype.itemsize // self._unit for leaf in leaves])
        out = self._pool.array((len(leaves), *target), dtype)
        if self.rule is None:
            stack(leaves, self.prepared, out)
            return out
        value = text_filler(leaves) if self._value is None else self._value
        fill(leaves, self.prepared, out, value, self.rule.side == "left", self.rule.truncate)
        if sizes is not None and self.extras is not None and self.extras.names:
            extras.update(self.extras.arrays(sizes, target))
        return out

    def columns(self, pieces: Sequence[Array], extras: dict[str, Array]) -> Array:
        """Assembles runs of leaves.

        Args:
          pieces: arrays with a leading dimension, n rows in all.
          extras: lengths and mask are added here.

        Returns:
          Array of shape `(n, …)`.

        Raises:
          Misfit: names the first row of the first piece that does not fit.
        """
        counts = [len(piece) for piece in pieces]
        dtype, shape = self.component.dtype, self.shape
        if self.as_is and all([piece.dtype == dtype and piece.shape[1:] == shape for piece in pieces]):
            out = self._pool.array((sum(counts), *shape), dtype)
            stop = 0
            for piece, count in zip(pieces, counts, strict=True):
                start, stop = stop, stop + count
                out[start:stop] = piece
            return out
        self._check(pieces, counts)
        if self.rule is not None:
            # A row for each piece, since all rows of a piece are of one size.
            sizes = np.array([piece.shape[1:] for piece in pieces], np.int64)
            try:
                target = self._target(tuple(sizes.max(axis=0).tolist()), sizes)
            except Misfit as misfit:
                raise Misfit(sum(counts[: misfit.row])) from None
            if self.extras is not None and self.extras.names:
                extras.update(self.extras.arrays(np.repeat(sizes, counts, axis=0), target))
        else:
            target = shape
        if self._unit:
            dtype = self._text_dtype([piece.dtype.itemsize // self._unit for piece in pieces])
        out = self._pool.array((sum(counts), *target), dtype)
        value = text_filler(pieces) if self._value is None else self._value
        stop = 0
        for piece, count in zip(pieces, counts, strict=True):
            start, stop = stop, stop + count
            self._place(piece, out[start:stop], value)
        return out

    def _place(self, piece: Array, rows: Array, value: Any) -> None:
        """Writes a run into its rows of the batch, with the padding beside it."""
        left = self.rule is not None and self.rule.side == "left"
        where, kept = [slice(None)], [slice(None)]
        for its, most in zip(piece.shape[1:], rows.shape[1:], strict=True):
            size = min(its, most)
            if size < most:
                rows[(*where, slice(most - size) if left else slice(size, most))] = value
            where.append(slice(most - size, most) if left else slice(size))
            kept.append(slice(its - size, its) if left else slice(size))
        rows[tuple(where)] = piece[tuple(kept)]

    def _check(self, pieces: Sequence[Array], counts: Sequence[int]) -> None:
        """Whether each piece is as asked."""
        for place, piece in enumerate(pieces):
            if not self._suits(piece):
                raise Misfit(sum(counts[:place]))

    def _suits(self, piece: Array) -> bool:
        text = self.component.text
        if text is not None and piece.ndim == 1:
            kind = str if text == "str" else bytes
            if piece.dtype.kind == "O":
                return all(isinstance(value, kind) for value in piece)
            return piece.dtype.kind in ("UT" if kind is str else "S")
        return self.component.fits(Component(native_dtype(piece.dtype), piece.shape[1:]))

    def _target(self, largest: tuple[int, ...], sizes: Array | None) -> tuple[int, ...]:
        """The sizes of the batch's rows, given the largest and each example's."""
        rule = self.rule
        if rule is None:
            return self.shape
        if self._most is not None:
            assert sizes is not None, "where examples may be too long, their sizes are known"
            over = (sizes > self._most).any(axis=1)
            if over.any():
                raise Misfit(int(over.argmax()))
        if self._longest:
            return largest
        multiple = rule.multiple
        return tuple(
            -(-most // multiple) * multiple if given is None else given
            for most, given in zip(largest, self._given, strict=True)
        )

    def _text_dtype(self, widths: Sequence[int]) -> np.dtype[Any]:
        """The dtype of text that is as wide as the widest, and as the padding."""
        own = 0 if self._value is None else self._value.dtype.itemsize // self._unit
        return np.dtype(f"{self.component.dtype.kind}{max(own, 1, *widths) if widths else max(own, 1)}")

    def too_long(self, leaf: Any, at: str) -> SpecError | None:
        """The error of a leaf that is longer than a given size, if that is what is wrong with it."""
        if self._most is None:
            return None
        its = Component.of(leaf)
        if not any(size is not None and size > most for size, most in zip(its.shape, self._most.tolist(), strict=True)):
            return None
        sizes = ["?" if size is None else f"<= {size}" for size in self._given]
        want = str(self.component).partition("[")[0] + f"[{', '.join(sizes)}]"
        return SpecError(mismatch(f"`{self.name}: {want}`", f"`{its}`", at=at, do="`truncate=True` would cut it"))


def _asked(name: str, component: Component, rule: PadRule | None) -> tuple[int | None, ...]:
    """The shape that is asked of an example."""
    if rule is None:
        return component.shape
    if rule.shape is None:
        return (None,) * len(component.shape)
    if len(rule.shape) != len(component.shape):
        want = f"`{name}` of {len(rule.shape)} dimensions, as its shape `{list(rule.shape)}` says"
        raise SpecError(mismatch(want, f"`{component}`"))
    asked = component.with_shape(rule.shape if rule.fixed else (None,) * len(rule.shape))
    if not asked.fits(component):
        raise SpecError(mismatch(f"`{name}: {asked}`", f"`{component}`"))
    return asked.shape
