"""Sources read in step: each gives one component of the example."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count, zip_longest
from operator import is_
from typing import Any, cast, final

from penstock.chunk import Columns
from penstock.draws import Key
from penstock.errors import PipelineError, SourceError, mismatch
from penstock.plan import Source
from penstock.sources.in_step import ENDED, InStep, lasting_rows
from penstock.sources.position import dropped, identity_of, opened_at, too_short
from penstock.structure import Form, Structure, path_text

__all__ = ["ComponentsSource", "examples_of"]

_CONSTANT = "for a constant use `itertools.repeat(value)`, for numbers `itertools.count()`, beside one that ends"

_has_ended = partial(is_, ENDED)


class UnevenEnds(SourceError, ValueError):
    """Components that are read in step ended at different places."""


@final
class ComponentsSource:
    """One example of each component at every step, in the structure of the components.

    Args:
      structure: how the components are nested.
      sources: the source of each leaf; the same object twice is read once and used twice.
      at: where, for messages.

    Raises:
      PipelineError: the lengths of two components are known, and differ.
    """

    blocks = False

    def __init__(self, structure: Structure, sources: tuple[Source, ...], *, at: str = "source") -> None:
        self._structure = structure
        self.parts = tuple({id(source): source for source in sources}.values())
        """The sources that are read, each once."""
        places = {id(source): place for place, source in enumerate(self.parts)}
        self._places = [places[id(source)] for source in sources]
        self.label = structure.draw([source.label for source in sources])
        onces = [source.once for source in self.parts if source.once is not None]
        self.once: object | None = onces[0] if onces else None
        known = [source.waits for source in self.parts]
        self.waits: bool | None = True if True in known else None if None in known else False
        self._check_lengths(sources, at)

    def _check_lengths(self, sources: tuple[Source, ...], at: str) -> None:
        known = [(path, source.length()) for path, source in zip(self._structure.paths(), sources, strict=True)]
        lengths = [(path, length) for path, length in known if length is not None]
        for path, length in lengths:
            if length != lengths[0][1]:
                want = f"as many examples as `{path_text(lengths[0][0])}` has, {lengths[0][1]}"
                raise PipelineError(
                    mismatch(want, f"{length}", at=f"component `{path_text(path)}` of {at}", do=_CONSTANT)
                )

    def open(self, epoch: int) -> Iterator[Any]:
        """Opens all, and reads them in step."""
        streams = [examples_of(source, epoch) for source in self.parts]
        return self._steps(streams)

    def lasting(self, epoch: int, n: int = 0) -> Iterator[Any]:
        """Opens all behind their first n, and reads them in step, also behind an error of one of them."""
        ending = [place for place, source in enumerate(self.parts) if not getattr(source, "endless", False)]
        steps = count(n)

        def whole(leaves: list[Any]) -> Any:
            step = next(steps)
            if not any(map(_has_ended, leaves)):
                return self._structure.build([leaves[place] for place in self._places])
            if any(leaves[place] is not ENDED for place in ending):
                self._uneven(step, tuple(leaves))
            return None

        return InStep(self.parts, [lasting_rows(source, epoch, n) for source in self.parts], whole)

    def open_at(self, epoch: int, n: int) -> Iterator[Any]:
        """Opens all behind their first n."""
        return self._steps([examples_of(source, epoch, n) for source in self.parts], n)

    @property
    def by_index(self) -> bool:
        """Whether all are read by index."""
        return all(getattr(source, "by_index", False) for source in self.parts)

    @property
    def fetch(self) -> Callable[[int, Sequence[int]], list[Any]] | None:
        """Gives the examples at some places of an epoch; `None` where not all are read by index."""
        return self._fetched if self.by_index else None

    def _fetched(self, epoch: int, places: Sequence[int]) -> list[Any]:
        columns = [cast(Any, source).fetch(epoch, places) for source in self.parts]
        return [
            self._structure.build([leaves[place] for place in self._places]) for leaves in zip(*columns, strict=True)
        ]

    def shuffled(self, key: Key) -> ComponentsSource:
        """The same in an order of each epoch, which is one for all components."""
        parts = [cast(Any, source).shuffled(key) for source in self.parts]
        return ComponentsSource(self._structure, tuple([parts[place] for place in self._places]), at=self.label)

    def identity(self) -> list[Any]:
        """What tells it from others: its parts."""
        return [[source.label, identity_of(source)] for source in self.parts]

    def _steps(self, streams: list[Iterator[Any]], first: int = 0) -> Iterator[Any]:
        try:
            yield from self._zipped(streams, first)
        finally:
            for stream in streams:
                close = getattr(stream, "close", None)
                if close is not None:
                    close()

    def _zipped(self, streams: list[Iterator[Any]], first: int) -> Iterator[Any]:
        flat = all(child.is_leaf for child in self._structure.children)
        plain = self._structure.form is Form.TUPLE and flat and self._places == list(range(len(self._structure.keys)))
        ending = [place for place, source in enumerate(self.parts) if not getattr(source, "endless", False)]
        for step, leaves in enumerate(zip_longest(*streams, fillvalue=ENDED), first):
            if any(map(_has_ended, leaves)):
                if any(leaves[place] is not ENDED for place in ending):
                    self._uneven(step, leaves)
                return
            yield leaves if plain else self._structure.build([leaves[place] for place in self._places])

    def _uneven(self, step: int, leaves: tuple[Any, ...]) -> None:
        paths = [path_text(path) for path in self._structure.paths()]
        short = [name for name, place in zip(paths, self._places, strict=True) if leaves[place] is ENDED]
        raise UnevenEnds(
            mismatch(
                "components that end together",
                f"the end of {', '.join(f'`{name}`' for name in short)} while others go on",
                at=f"step {step} of `{self.label}`",
                do=_CONSTANT,
            )
        )

    def length(self) -> int | None:
        """The common length, where all are known."""
        endless = [source for source in self.parts if getattr(source, "endless", False)]
        lengths = {source.length() for source in self.parts if source not in endless}
        return lengths.pop() if len(lengths) == 1 else None


def examples_of(source: Source, epoch: int, first: int = 0) -> Iterator[Any]:
    """The examples of a source one by one, from one on."""
    if not source.blocks:
        return opened_at(source, epoch, first)
    stream = source.open(epoch)
    rows = (row for block in stream for row in (block.rows() if isinstance(block, Columns) else block))
    if first and dropped(rows, first) < first:
        raise too_short(source.label, first)
    return rows
