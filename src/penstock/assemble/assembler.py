"""Makes batches of examples: every component checked against the spec, padded where it may be, and written once.

Guarantees
  A batch is a new piece of memory from the pool, or, where it lies within one run of columns, a read-only view of that.
  An example that does not fit is found before the caller sees a batch: `Misfit` names the first row.
Assumes
  Nobody changes the examples meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, cast, final

import numpy as np

from penstock.assemble.kernels import Cutter, Pool, Sink, gather, shelf
from penstock.assemble.misfit import Misfit
from penstock.assemble.part import Part
from penstock.assemble.reference import plain_access
from penstock.assemble.sink import MOST_BYTES, MOST_COMPONENTS
from penstock.chunk import Columns
from penstock.errors import PipelineError, SpecError, mismatch, placed
from penstock.plan import PadRule
from penstock.spec import Spec
from penstock.structure import Form, Path

if TYPE_CHECKING:
    from penstock.assemble.kernels import Backlog

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
      backlog: writes what is padded, and runs that are put off, before anybody sees it; `None` has it written at once.

    Raises:
      SpecError: the first example contradicts a rule's shape.
      PipelineError: a rule's value does not suit the component, or lengths or a mask are asked for that there are not.

    >>> padded = Assembler(Spec.of(np.array([1])), lambda path: PadRule(lengths="n"), Pool())
    >>> padded.rows([np.array([1]), np.array([2, 3])])
    ([array([[1, 0],
             [2, 3]])], {'n': array([1, 2])})
    """

    def __init__(
        self, spec: Spec, rule: Callable[[Path], PadRule | None], pool: Pool, backlog: Backlog | None = None
    ) -> None:
        rules = [rule(path) for path in spec.paths]
        self._parts = [
            Part(path, component, its, pool, backlog)
            for path, component, its in zip(spec.paths, spec.components, rules, strict=True)
        ]
        _check_names(self._parts, rules)
        self.spec = Spec(spec.structure, tuple(part.component for part in self._parts))
        """The spec of an example; dimensions that may vary are `None`."""
        self.batch_spec = Spec(spec.structure, tuple(part.batch_component for part in self._parts))
        """The same as it stands in a batch, without the leading dimension: given sizes are what they are padded to."""
        self._structure = spec.structure
        self._pool = pool
        self._backlog = backlog
        self._late: Backlog | None = None  # what writes the runs that are given here, where that is put off
        self._kinds = [part.prepared for part in self._parts]
        self._pads = any(part.rule is not None for part in self._parts)
        as_they_are = all(part.as_is and part.component.dtype.kind != "O" for part in self._parts)
        self._cutter = Cutter(self._kinds, pool) if as_they_are else None
        self.row_nbytes = sum(prod(part.shape) * part.component.dtype.itemsize for part in self._parts)
        """Bytes of an example, where none of its dimensions may vary. [bytes]"""
        flat = spec.structure.form in _FLAT and all(child.is_leaf for child in spec.structure.children)
        small = self.row_nbytes <= MOST_BYTES
        few = len(self._parts) <= MOST_COMPONENTS
        self.pours = few and small and flat and all(part.pours for part in self._parts) and plain_access(spec.structure)
        """Whether batches can be filled straight from their sources, by `sink`."""

    def sink(self, size: int) -> Sink:
        """A batch that is to be filled straight from its sources; only where `pours` is true.

        Args:
          size: of the batch. [examples]
        """
        return Sink(self._structure, self._kinds, [part.place(size) for part in self._parts])

    def shelf(self, arrays: Sequence[Array]) -> Any:
        """What writes examples to rows of such arrays, one by one; `None` where that is slower, or rows differ in size.

        Args:
          arrays: of each component, of shape `(n, …)`.
        """
        if not self.pours or not all(part.as_is for part in self._parts):
            return None
        return shelf(Sink(self._structure, self._kinds, list(arrays)))

    def poured(self, sink: Sink) -> tuple[list[Array], dict[str, Array]]:
        """What a sink was filled with, as `rows` gives it."""
        count, places = len(sink), sink.places
        extras: dict[str, Array] = {}
        if not self._pads:
            arrays: list[Any] = places
            return (arrays if len(arrays[0]) == count else [array[:count] for array in arrays]), extras
        return [part.poured(place, count, extras) for part, place in zip(self._parts, places, strict=True)], extras

    def rows(self, rows: list[Any]) -> tuple[list[Array], dict[str, Array]]:
        """Assembles examples.

        Args:
          rows: n examples.

        Returns:
          An array of shape `(n, …)` for each component, in the order of the spec's leaves; lengths and masks by name.

        Raises:
          Misfit: names the first row that does not fit.
        """
        arrays: list[Array] = []
        extras: dict[str, Array] = {}
        first: Misfit | None = None
        try:
            columns = gather(rows, self._structure)
        except Misfit as misfit:
            # A row before it may misfit by its dtype or shape, and then it is the first.
            first, columns = misfit, gather(rows[: misfit.row], self._structure)
        for part, leaves in zip(self._parts, columns, strict=True):
            try:
                arrays.append(part.rows(leaves if first is None else leaves[: first.row], extras))
            except Misfit as misfit:
                first = misfit
        if first is not None:
            raise first
        return arrays, extras

    def columns(self, pieces: Sequence[Columns]) -> tuple[list[Array], dict[str, Array]]:
        """Assembles runs of columns: a read-only view of one, where nothing is to be padded, or a copy of several.

        Args:
          pieces: runs of n examples in all.

        Returns:
          As `rows`.

        Raises:
          Misfit: names the first row of the first piece that does not fit.
        """
        if len(pieces) == 1:
            run = self.run(pieces[0])
            if run is not None:
                return self.cut([run], 0, len(pieces[0]), 1)[0], {}
        first: Misfit | None = None
        runs: list[Sequence[Array]] = []
        for piece in pieces:
            leaves = self._leaves(piece)
            if leaves is None:
                first = Misfit(sum(map(len, pieces[: len(runs)])))
                break
            runs.append(leaves)
        arrays: list[Array] = []
        extras: dict[str, Array] = {}
        for part, parts in zip(self._parts, zip(*runs, strict=True), strict=bool(runs)):
            try:
                arrays.append(part.columns(parts, extras))
            except Misfit as misfit:
                first = misfit if first is None or misfit.row < first.row else first
        if first is not None:
            raise first
        return arrays, extras

    def _leaves(self, piece: Columns) -> tuple[Array, ...] | None:
        """The arrays of a piece, in the order of the spec's leaves, if its structure is the spec's."""
        if piece.structure is self._structure or piece.structure == self._structure:
            return piece.arrays
        try:  # The same keys in another order will do.
            leaves = self._structure.leaves(piece.structure.build(piece.arrays))
        except SpecError:
            return None
        return tuple(leaves) if all(isinstance(array, np.ndarray) for array in leaves) else None

    def run(self, piece: Columns) -> tuple[Array, ...] | None:
        """A run's arrays, in the order of the spec's leaves, if they are as they are to be delivered; `None` if not."""
        if piece.run is None:
            cutter, leaves = self._cutter, self._leaves(piece)
            piece.run = leaves if cutter is not None and leaves is not None and cutter.fits(leaves) else ()
        return piece.run or None

    def cut(self, runs: list[tuple[Array, ...]], at: int, size: int, most: int) -> list[list[Array]]:
        """Cuts batches from runs that `run` has given; see `Cutter.cut`."""
        assert self._cutter is not None, "only what is delivered as it is can be cut"
        if self._late is not None and len(runs) > 1 and (at % size or any([len(run[0]) % size for run in runs])):
            self.settle()  # one that lies across two runs is copied
        return self._cutter.cut(runs, at, size, most)

    def put_off(self) -> Backlog | None:
        """What writes the runs that are given here later: they are not to be looked at before `settle`, but can be cut.

        Gives `None` where they are to be there at once, since somebody would have to look.
        """
        self._late = self._backlog if self._cutter is not None else None
        return self._late

    def settle(self) -> None:
        """Has what was put off written."""
        if self._late is not None:
            self._late.finish(self._late.put)

    def explain(self, example: object, at: str) -> Exception:
        """The error for an example that did not fit: a `SpecError`, or what the user's own array raised as it was read.

        Args:
          example: the example.
          at: where it came from.
        """
        try:
            self.spec.check(example, at=at)
        except SpecError as error:
            return error
        except Exception as error:
            return cast(Exception, placed(error, f"reading {at}"))
        for part, leaf in zip(self._parts, self._structure.leaves(example), strict=True):
            error_ = part.too_long(leaf, at)
            if error_ is not None:
                return error_
        return SpecError(mismatch(f"`{self.spec}`", "an example that does not fit it", at=at))


def _check_names(parts: Sequence[Part], rules: Sequence[PadRule | None]) -> None:
    """Each name of lengths or a mask is given by one component; a rule for all is meant for the one that is padded."""
    given = Counter(name for part in parts if part.extras is not None for name in part.extras.names)
    asked = [name for rule in rules if rule is not None for name in (rule.lengths, rule.mask) if name is not None]
    for name in asked:
        if given[name] > 1:
            do = "name them by component: `{component: name}`"
            got = f"`{name}` for several components"
            raise PipelineError(mismatch("a name for each lengths and mask", got, at="pad()", do=do))
        if not given[name]:
            raise PipelineError(mismatch(f"a component that is padded, for `{name}`", "none", at="pad()"))
