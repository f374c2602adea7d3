"""A look into a data file: its spec, how many examples it has, the first few, and the classes of a component."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import penstock as ps
from penstock.errors import PipelineError, mismatch
from penstock.spec import Component, Shape, Spec
from penstock.structure import path_text

__all__ = ["ENDINGS", "Look", "look"]

READERS: dict[str, Callable[[Path], ps.Pipeline]] = {
    ".parquet": ps.read_parquet,
    ".arrow": ps.read_arrow,
    ".feather": ps.read_arrow,
    ".csv": ps.read_csv,
    ".jsonl": ps.read_jsonl,
    ".ndjson": ps.read_jsonl,
    ".txt": ps.read_text,
}
ENDINGS = tuple(READERS)
"""The endings of the files that can be looked into."""
MOST_CLASSES = 20
WIDTH = 100


@dataclass(frozen=True, slots=True)
class Look:
    """What one file has in it."""

    file: Path
    """The file."""
    spec: Spec | None
    """What its examples look like; a dimension in which they differ is free. `None` if there is no example."""
    examples: int
    """How many it has. [examples]"""
    first: tuple[Any, ...]
    """The first few."""
    column: str | None = None
    """The component whose values were counted, if one was asked for."""
    classes: tuple[tuple[Any, int], ...] = ()
    """Its values, each with the number of examples that have it, the most frequent first. [examples]"""

    def lines(self) -> list[str]:
        """Writes it as lines of text."""
        lines = [f"{self.file}", f"  examples  {self.examples:,}", f"  spec      {self.spec or 'unknown: no example'}"]
        for number, example in enumerate(self.first):
            lines += ["", f"  example {number}", *self._components(example)]
        if self.column is not None and self.spec is not None:
            lines += ["", f"  {self.column}: {len(self.classes):,} value{'' if len(self.classes) == 1 else 's'}"]
            shown = self.classes[:MOST_CLASSES]
            width = max(len(_text(value)) for value, _ in shown)
            lines += [
                f"    {_text(value):<{width}}  {count:>9,}  {count / self.examples:>6.1%}" for value, count in shown
            ]
            if len(self.classes) > len(shown):
                rest = sum(count for _, count in self.classes[MOST_CLASSES:])
                lines.append(f"    and {len(self.classes) - len(shown):,} more, in {rest:,} examples")
        return lines

    def _components(self, example: Any) -> Iterator[str]:
        assert self.spec is not None, "a file with an example has a spec"
        names = [path_text(path) for path in self.spec.paths]
        leaves = self.spec.structure.leaves(example)
        width = max(map(len, names))
        for name, leaf in zip(names, leaves, strict=True):
            yield f"    {name:<{width}}  {_text(leaf)}"


def look(file: Path, *, column: str | None = None, n: int = 3) -> Look:
    """Reads a file from end to end, and tells what is in it.

    Args:
      file: a file with one of `ENDINGS`.
      column: the component whose values are counted, by its name in the spec; none if `None`.
      n: how many of the first examples are kept. [examples]

    Raises:
      PipelineError: the ending is unknown, or there is no such component.
      SourceError: the file does not exist, or cannot be parsed.
      SpecError: its examples differ in more than the sizes of dimensions.
    """
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        endings = ", ".join(f"`{ending}`" for ending in ENDINGS)
        raise PipelineError(mismatch(f"a file that ends in one of {endings}", f"`{file.name}`", at="peek"))
    spec: Spec | None = None
    first: list[Any] = []
    counts: Counter[Any] = Counter()
    examples = 0
    with reader(file).open(inline=True) as flow:
        for example in flow:
            spec = Spec.of(example) if spec is None else _widened(spec, example)
            if column is not None:
                counts[_value(spec, example, column)] += 1
            if examples < n:
                first.append(example)
            examples += 1
    return Look(file, spec, examples, tuple(first), column, tuple(counts.most_common()))


def _widened(spec: Spec, example: Any) -> Spec:
    """The spec with those dimensions free in which this example differs."""
    leaves = spec.structure.leaves(example)
    components = [Component.of(leaf) for leaf in leaves]
    if all(mine.fits(its) for mine, its in zip(spec.components, components, strict=True)):
        return spec
    theirs = dict(zip(spec.paths, components, strict=True))

    def free(path: Any, component: Component) -> Shape:
        other = theirs[path].shape
        if len(other) != len(component.shape):
            return component.shape
        return tuple(a if a == b else None for a, b in zip(component.shape, other, strict=True))

    wider = spec.reshaped(free)
    wider.check(example)
    return wider


def _value(spec: Spec, example: Any, column: str) -> Any:
    """The value of a component, as something that can be counted."""
    names = [path_text(path) for path in spec.paths]
    if column not in names:
        raise PipelineError(
            mismatch(f"one of {', '.join(f'`{name}`' for name in names)}", f"`{column}`", at="--column")
        )
    place = names.index(column)
    component = spec.components[place]
    if component.shape:
        raise PipelineError(
            mismatch("a component with one value per example", f"`{column}: {component}`", at="--column")
        )
    value = spec.structure.leaves(example)[place]
    return value.item() if isinstance(value, (np.generic, np.ndarray)) else value


def _text(value: Any) -> str:
    """A component on one line, with the middle of a long one left out."""
    if isinstance(value, np.ndarray) and value.ndim:
        inside = np.array2string(value.ravel(), threshold=12, edgeitems=5, max_line_width=10 * WIDTH)
        return f"{Component.of(value)} {' '.join(inside.split()).replace('[ ', '[')}"
    text = repr(value) if isinstance(value, (str, bytes)) else str(value)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"
