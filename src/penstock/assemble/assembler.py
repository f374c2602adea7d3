"""Makes batches of examples: every component checked against the spec, padded where it may be, and written once.

Guarantees
  A batch is a new piece of memory from the pool, or, where it lies within one run of columns, a read-only view of that.
  An example that does not fit is found before the caller sees a batch: `Misfit` names the first row.
Assumes
  The rules suit the spec, which is checked when the assembler is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, final

import numpy as np

from penstock.assemble.kernels import Pool, Sink, extent, fill, gather, prepared, stack
from penstock.assemble.misfit import Misfit
from penstock.assemble.sink import MOST_BYTES, MOST_COMPONENTS
from penstock.chunk import Columns
from penstock.errors import PipelineError, SpecError, mismatch
from penstock.plan import PadRule
from penstock.spec import Component, Shape, Spec, as_leaf
from penstock.structure import Form, Path, path_text

__all__ = ["Assembler"]

Array = np.ndarray[Any, np.dtype[Any]]

_FLAT = (Form.LEAF, Form.TUPLE, Form.NAMED, Form.DICT)


@final
class Assembler:
    """Assembles batches of one spec.

    Args:
      spec: of an example, as read off the first.
      rule: what may be padded, by a component's path; `None` where nothing may.
      pool: where the batches' memory comes from.

    Raises:
      SpecError: the first example contradicts a rule's shape.
      PipelineError: a rule's value does not suit the component.
    """

    def __init__(self, spec: Spec, rule: Callable[[Path], PadRule | None], pool: Pool) -> None:
        self._pool = pool
        self._parts = [_Part(path, part, rule(path)) for path, part in zip(spec.paths, spec.components, strict=True)]
        self.spec = Spec(spec.structure, tuple(part.component for part in self._parts))
        """The spec of an example; dimensions that may vary are `None`."""
        self.batch_spec = Spec(
            spec.structure, tuple(part.component.with_shape(part.batch_shape) for part in self._parts)
        )
        """The same as it stands in a batch, without the leading dimension: given sizes are what they are padded to."""
        self._rigid = all(part.rigid for part in self._parts)
        self._kinds = [part.prepared for part in self._parts]
        plain = all(part.component.dtype.kind in "biufcmM" and part.component.text is None for part in self._parts)
        flat = spec.structure.form in _FLAT and all(child.is_leaf for child in spec.structure.children)
        self.pours = (
            self._rigid and plain and flat and len(self._parts) <= MOST_COMPONENTS and self._nbytes() <= MOST_BYTES
        )
        """Whether batches can be filled straight from their sources, by `sink`."""
        self._signature = [(part.component.dtype, part.component.shape) for part in self._parts]

    def _nbytes(self) -> int:
        """The bytes of an example, where all shapes are fixed."""
        return sum(prod(part.sizes) * part.component.dtype.itemsize for part in self._parts if part.rigid)

    def sink(self, size: int) -> Sink:
        """A batch that is to be filled straight from its sources; only where `pours` is true.

        Args:
          size: of the batch. [examples]
        """
        arrays = [self._pool.array((size, *part.sizes), part.component.dtype) for part in self._parts]
        return Sink(self.spec.structure, self._kinds, arrays)

    def rows(self, rows: list[Any]) -> tuple[list[Array], dict[str, Array]]:
        """Assembles examples.

        Args:
          rows: n examples.

        Returns:
          An array for each component, of shape `(n, …)`, in the order of the spec's leaves; and lengths and masks by name.

        Raises:
          Misfit: names the first row that does not fit.
        """
        arrays: list[Array] = []
        extras: dict[str, Array] = {}
        first: Misfit | None = None
        try:
            columns = gather(rows, self.spec.structure)
        except Misfit as misfit:
            # A row before it may misfit by its dtype or shape, and then it is the first.
            first, columns = misfit, gather(rows[: misfit.row], self.spec.structure)
        for part, leaves in zip(self._parts, columns, strict=True):
            try:
                arrays.append(part.assembled(leaves if first is None else leaves[: first.row], self._pool, extras))
            except Misfit as misfit:
                first = misfit
        if first is not None:
            raise first
        return arrays, extras

    def columns(self, pieces: Sequence[Columns]) -> tuple[list[Array], dict[str, Array]]:
        """Assembles runs of columns: a view of one, or a copy of several.

        Args:
          pieces: runs of n examples in all.

        Returns:
          As `rows`.

        Raises:
          Misfit: names the first row of the first piece that does not fit.
        """
        structure = self.spec.structure
        if len(pieces) == 1:
            views = self.views(pieces[0])
            if views is not None:
                return list(views), {}
        extras: dict[str, Array] = {}
        first: int | None = None
        ordered: list[tuple[Array, ...]] = []
        start = 0
        for piece in pieces:
            if piece.structure != structure:
                try:
                    leaves = structure.leaves(piece.structure.build(piece.arrays))
                except SpecError:
                    first = start
                    break
                ordered.append(tuple(leaves))
            else:
                ordered.append(piece.arrays)
            start += len(piece)
        count = start
        result: list[Array] = []
        for place, part in enumerate(self._parts):
            try:
                result.append(part.joined([leaves[place] for leaves in ordered], count, self._pool, extras))
            except Misfit as misfit:
                first = misfit.row if first is None else min(first, misfit.row)
        if first is not None:
            raise Misfit(first)
        return result, extras

    def views(self, run: Columns) -> list[Array] | None:
        """Read-only views of a run's arrays, if they are as they are to be delivered; `None` if there is work to do.

        Args:
          run: columns of any number of examples.
        """
        if run.views is None:
            run.views = self._views(run) or []
        return run.views or None

    def cut(self, views: list[Array], start: int, stop: int, size: int, count: int) -> list[list[Array]]:
        """The batches between two places of a run, as views of it.

        Args:
          views: of the run, as `views` gives them.
          start: where the first begins.
          stop: where the last ends.
          size: of a batch. [examples]
          count: how many. [batches]

        Returns:
          The arrays of each batch.
        """
        if count == 1:
            return [[view[start:stop] for view in views]]
        # Splitting the leading dimension never copies, and a list of an array is a list of views.
        split = [list(view[start:stop].reshape(count, size, *view.shape[1:])) for view in views]
        return list(map(list, zip(*split, strict=True)))

    def copied(self, pieces: Sequence[list[Array]], size: int) -> list[Array]:
        """One batch of pieces of several runs, as `views` gives them.

        Args:
          pieces: the arrays of each piece.
          size: examples in all. [examples]
        """
        arrays = []
        for place, (dtype, _) in enumerate(self._signature):
            out = self._pool.array((size, *self._parts[place].sizes), dtype)
            np.concatenate([piece[place] for piece in pieces], out=out)
            arrays.append(out)
        return arrays

    def _views(self, run: Columns) -> list[Array] | None:
        if not self._rigid or not (run.structure is self.spec.structure or run.structure == self.spec.structure):
            return None
        views = []
        for (dtype, shape), array in zip(self._signature, run.arrays, strict=True):
            if array.dtype != dtype or array.shape[1:] != shape or not array.dtype.isnative:
                return None
            view = array[:]
            view.flags.writeable = False
            views.append(view)
        return views

    def explain(self, example: object, at: str) -> Exception:
        """The error for an example that did not fit, or the one that its component raises when it is read.

        Args:
          example: the example.
          at: where it came from.
        """
        try:
            self.spec.check(example, at=at)
        except SpecError as error:
            return error
        except Exception as error:  # the user's own, such as a tensor's that NumPy may not read
            error.add_note(f"penstock: while reading {at}")
            return error
        for part, leaf in zip(self._parts, self.spec.structure.leaves(example), strict=True):
            error_ = part.too_long(leaf, at)
            if error_ is not None:
                return error_
        return SpecError(mismatch(f"`{self.spec}`", "an example that does not fit it", at=at))


@final
class _Part:
    """One component: its spec, its rule, and how it is assembled."""

    def __init__(self, path: Path, component: Component, rule: PadRule | None) -> None:
        self.name = path_text(path)
        self.rule = rule
        self.component = component.with_shape(self._shape(component, rule))
        self.prepared = prepared(self.component)
        self.rigid = rule is None or None not in self.component.shape
        self.sizes = tuple(size for size in self.component.shape if size is not None)
        """The shape, where it is fixed."""
        self._value = self._pad_value(component, rule)
        if self._value is None and component.dtype.kind not in "OUST":
            self._value = np.zeros((), component.dtype)
        self.batch_shape: Shape = self.component.shape if rule is None or rule.shape is None or rule.fixed else rule.shape
        # Dimensions that vary from example to example, and so have lengths: those that are free in the spec.
        self._varying = [axis for axis, size in enumerate(self.component.shape) if size is None]
        self._text = component.dtype.kind in "US"

    def _shape(self, component: Component, rule: PadRule | None) -> Shape:
        """The shape that is asked of an example."""
        if rule is None:
            return component.shape
        if rule.shape is None:
            return (None,) * len(component.shape)
        if len(rule.shape) != len(component.shape):
            raise SpecError(
                mismatch(
                    f"`{self.name}` of {len(rule.shape)} dimensions, as its shape `{list(rule.shape)}` says",
                    f"`{component}`",
                )
            )
        if not rule.fixed:
            return (None,) * len(component.shape)
        for want, got in zip(rule.shape, component.shape, strict=True):
            if want is not None and want != got:
                raise SpecError(mismatch(f"`{self.name}: {component.with_shape(rule.shape)}`", f"`{component}`"))
        return rule.shape

    def _pad_value(self, component: Component, rule: PadRule | None) -> Any:
        if rule is None or rule.value is None or component.dtype.kind in "OUST":
            return None if rule is None else rule.value
        value = np.asarray(rule.value)
        try:
            cast = value.astype(component.dtype)
            exact = value.ndim == 0 and (
                bool(cast == value) or (value.dtype.kind in "fc" and bool(np.isnan(value)) and cast != cast)
            )
        except (TypeError, ValueError, OverflowError):
            exact = False
        if not exact:
            raise PipelineError(
                mismatch(f"a pad value that fits `{self.name}: {component}`", f"`{rule.value!r}`", at="pad(value)")
            )
        return cast

    def assembled(self, leaves: list[Any], pool: Pool, extras: dict[str, Array]) -> Array:
        """The component of a batch."""
        component = self.component
        if self.rigid:
            dtype = component.dtype if not self._text else self._dtype(leaves)
            out = pool.array((len(leaves), *self.sizes), dtype)
            stack(leaves, self.prepared, out)
            return out
        assert self.rule is not None, "only a rule frees a dimension"
        target = self._target(extent(leaves, self.prepared), leaves)
        out = pool.array((len(leaves), *target), self._dtype(leaves))
        value = self._filler(leaves)
        fill(leaves, self.prepared, out, value, self.rule.side == "left", self.rule.truncate)
        if self.rule.lengths is not None or self.rule.mask is not None:
            self._add_extras(
                np.array([np.shape(as_leaf(leaf)) for leaf in leaves], np.int64).reshape(len(leaves), -1), target, extras
            )
        return out

    def _target(self, largest: tuple[int, ...], leaves: list[Any]) -> tuple[int, ...]:
        """The trailing sizes of the batch."""
        rule = self.rule
        assert rule is not None, "only a rule frees a dimension"
        target = []
        for axis, most in enumerate(largest):
            given = rule.shape[axis] if rule.shape is not None else None
            if given is None:
                target.append(-(-most // rule.multiple) * rule.multiple)
                continue
            if most > given and not rule.truncate:
                raise Misfit(next(place for place, leaf in enumerate(leaves) if np.shape(as_leaf(leaf))[axis] > given))
            target.append(given)
        return tuple(target)

    def too_long(self, leaf: Any, at: str) -> SpecError | None:
        """The error of a leaf that is longer than a given size."""
        rule = self.rule
        if rule is None or rule.shape is None or rule.truncate:
            return None
        if all(given is None or size <= given for given, size in zip(rule.shape, np.shape(as_leaf(leaf)), strict=True)):
            return None
        sizes = ", ".join("?" if size is None else f"<= {size}" for size in rule.shape)
        return SpecError(
            mismatch(
                f"`{self.name}: {self.component.dtype}[{sizes}]`",
                f"`{Component.of(leaf)}`",
                at=at,
                do="`truncate=True` would cut it",
            )
        )

    def _dtype(self, leaves: list[Any]) -> np.dtype[Any]:
        """The dtype of the batch: of texts the widest."""
        if not self._text:
            return self.component.dtype
        widths = [leaf.dtype.itemsize for leaf in leaves if isinstance(leaf, (np.ndarray, np.generic))]
        unit = 4 if self.component.dtype.kind == "U" else 1
        return np.dtype(f"{self.component.dtype.kind}{max(widths, default=unit) // unit}")

    def _filler(self, leaves: Sequence[Any]) -> Any:
        """What is written beside an example."""
        if self._value is not None:
            return self._value
        if self.component.dtype.kind == "O":
            first = next((element for leaf in leaves for element in np.ravel(np.asarray(leaf, object))), None)
            return b"" if isinstance(first, bytes) else "" if isinstance(first, str) else None
        return ""

    def _add_extras(self, shapes: Array, target: tuple[int, ...], extras: dict[str, Array]) -> None:
        rule = self.rule
        assert rule is not None, "only a rule asks for extras"
        lengths = np.minimum(shapes, np.array(target, np.int64))[:, self._varying]
        if rule.lengths is not None:
            extras[rule.lengths] = lengths[:, 0] if len(self._varying) == 1 else lengths
        if rule.mask is not None:
            mask = np.ones((len(shapes), *[1] * len(self._varying)), bool)
            for place, axis in enumerate(self._varying):
                size = target[axis]
                at = np.arange(size)
                own = lengths[:, place, None]
                inside = at >= size - own if rule.side == "left" else at < own
                mask = mask & inside.reshape(
                    len(shapes), *[size if i == place else 1 for i in range(len(self._varying))]
                )
            extras[rule.mask] = mask

    def joined(self, pieces: list[Array], count: int, pool: Pool, extras: dict[str, Array]) -> Array:
        """The component of a batch that is put together from runs of it."""
        component = self.component
        if self.rigid and not self._text:
            shape, dtype = component.shape, component.dtype
            if all(piece.dtype == dtype and piece.shape[1:] == shape for piece in pieces):
                out = pool.array((count, *self.sizes), dtype)
                np.concatenate(pieces, out=out)
                return out
        start = 0
        for piece in pieces:
            if not component.fits(Component(piece.dtype, piece.shape[1:], component.text)):
                raise Misfit(start)
            start += len(piece)
        if self.rigid:
            target = self.sizes
        else:
            largest = tuple(max(piece.shape[axis + 1] for piece in pieces) for axis in range(len(component.shape)))
            target = self._target(largest, [row for piece in pieces for row in piece])
        dtype = component.dtype
        if self._text:
            dtype = np.result_type(*[piece.dtype for piece in pieces])
        out = pool.array((count, *target), dtype)
        value = None if self.rigid else self._filler(pieces)
        start = 0
        for piece in pieces:
            rows = out[start : start + len(piece)]
            if piece.shape[1:] == target:
                rows[...] = piece
            else:
                assert self.rule is not None, "only a rule frees a dimension"
                left = self.rule.side == "left"
                cut = tuple(_inside(size, most, left) for size, most in zip(piece.shape[1:], target, strict=True))
                rows[...] = value
                rows[(slice(None), *(slot for slot, _ in cut))] = piece[(slice(None), *(kept for _, kept in cut))]
            start += len(piece)
        if self.rule is not None and not self.rigid and (self.rule.lengths is not None or self.rule.mask is not None):
            shapes = np.concatenate([np.tile(np.array(piece.shape[1:], np.int64), (len(piece), 1)) for piece in pieces])
            self._add_extras(shapes, target, extras)
        return out


def _inside(size: int, most: int, left: bool) -> tuple[slice, slice]:
    """Where a run lies in its rows of the batch, and which of it that is."""
    kept = min(size, most)
    if left:
        return slice(most - kept, most), slice(size - kept, size)
    return slice(0, kept), slice(0, kept)
