"""The labels of files, in the order in which a pipeline that reads one file after the other would meet them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import penstock as ps
from penstock.errors import PipelineError, SourceError, SpecError, mismatch
from penstock.forecast.progress import Show, quiet
from penstock.peek import ENDINGS, READERS
from penstock.sampling.shares import Int64s
from penstock.sources.files import find_files
from penstock.spec import Component, Spec
from penstock.structure import path_text

__all__ = ["Label", "Labels", "label_text", "read_labels"]

Label = int | bool | str | bytes

AT_ONCE = 8192  # [examples]
LOOKED_AT = 16
"""As many examples tell what the labels of a file are."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The label of each example."""

    files: tuple[str, ...]
    """The files, in the order in which they were read."""
    by: str
    """The component that holds the labels."""
    classes: tuple[Label, ...]
    """The labels that there are, in the order in which they first come."""
    order: Int64s
    """The number of each example's class, int64[n]."""

    def counts(self) -> Int64s:
        """How many examples each class has, int64[K]. [examples]"""
        return np.bincount(self.order, minlength=len(self.classes))

    def gaps(self) -> Int64s:
        """The longest run of examples without one of the class, int64[K]; those before its first and after its last count.

        >>> Labels((), "label", ("a", "b"), np.array([0, 1, 0, 0, 0, 1])).gaps().tolist()
        [1, 3]
        """
        n = len(self.order)
        places = np.argsort(self.order, kind="stable")
        counts = self.counts()
        ends = np.cumsum(counts)
        starts = ends - counts
        away = np.diff(places, prepend=0) - 1
        away[starts] = places[starts]
        return np.maximum(np.maximum.reduceat(away, starts), n - 1 - places[ends - 1])


def label_text(label: Label, width: int = 32) -> str:
    """A label on part of a line, its end left out where it is long.

    >>> label_text("cat"), label_text(" "), label_text(7)
    ('cat', "' '", '7')
    """
    plain = isinstance(label, str) and label.isprintable() and label.strip() == label != ""
    text = str(label) if plain or not isinstance(label, (str, bytes)) else repr(label)
    return text if len(text) <= width else f"{text[: width - 1]}…"


def read_labels(files: Sequence[str], by: str, *, nulls: str = "error", show: Show = quiet) -> Labels:
    """Reads one component of some files, from end to end.

    Args:
      files: paths or globs of files with one of the endings that `penstock peek` knows; formats may be mixed.
      by: the component that holds the labels: a column, or a part of one (`"meta.label"`).
      nulls: what a missing label means: `"error"`, or `"skip"` to leave the example out.
      show: shows how far it has got.

    Raises:
      PipelineError: an ending is unknown, or the component does not hold labels.
      SourceError: a file does not exist, cannot be parsed, or has no such column.
      SpecError: the labels of two files differ in type, or there is no example.
    """
    paths = find_files(files, word="plan")
    readers = [_reader(path) for path in paths]
    numbers = _Numbers()
    parts: list[Int64s] = []
    first: tuple[str, str] | None = None
    with show("reading labels", _total(reader(path) for path, reader in zip(paths, readers, strict=True))) as advance:
        for path, reader in zip(paths, readers, strict=True):
            column = _Column.of(path, reader, by, nulls)
            if column is None:
                continue
            kind = _kind(column.component)
            if first is None:
                first = path, kind
            elif kind != first[1]:
                at, do = f"'{path}'", "let all files have labels of one type"
                raise SpecError(mismatch(f"labels that are {first[1]}, as in '{first[0]}'", kind, at=at, do=do))
            for labels in column.blocks():
                parts.append(np.array([numbers[label] for label in labels], np.int64))
                advance(len(labels))
    if not numbers:
        raise SpecError(mismatch("at least one example", "none", at=", ".join(f"'{path}'" for path in paths)))
    return Labels(paths, by, tuple(numbers), np.concatenate(parts))


def _total(pipelines: Iterable[ps.Pipeline]) -> int | None:
    """How many examples there are, where all files tell."""
    try:
        return sum(len(pipeline) for pipeline in pipelines)
    except TypeError:
        return None


class _Numbers(dict[Label, int]):
    """The number of each label; one that is new gets the next."""

    def __missing__(self, label: Label) -> int:
        number = self[label] = len(self)
        return number


def _reader(path: str) -> Callable[..., ps.Pipeline]:
    reader = READERS.get(Path(path).suffix.lower())
    if reader is None:
        endings = ", ".join(f"`{ending}`" for ending in ENDINGS)
        raise PipelineError(mismatch(f"a file that ends in one of {endings}", f"`{Path(path).name}`", at="plan"))
    return reader


@dataclass(frozen=True, slots=True)
class _Column:
    """The labels of one file."""

    pipeline: ps.Pipeline
    """Its examples, which have the column that holds the labels and no other."""
    keys: tuple[str, ...]
    """The keys that lead from an example to its label."""
    component: Component
    """What a label looks like."""

    @classmethod
    def of(cls, path: str, reader: Callable[..., ps.Pipeline], by: str, nulls: str) -> _Column | None:
        """Finds them; `None` if the file has no example.

        Raises:
          PipelineError: the component does not hold labels.
          SourceError: there is no such column, or the file cannot be read.
        """
        if Path(path).suffix.lower() == ".txt":
            if by != "example":
                raise PipelineError(mismatch("`example`, which is what a line of text is called", f"`{by}`", at="--by"))
            pipeline = reader(path)
            keys: tuple[str, ...] = ()
            head = _head(pipeline)
        else:
            pipeline, keys, head = _table(reader, path, by, nulls)
        if not head:
            return None
        values = [_inside(example, keys) for example in head]
        return cls(pipeline, keys, _checked(by, values))

    def blocks(self) -> Iterator[list[Label]]:
        """The labels, some at a time."""
        keys = self.keys
        # A column beside others, within a struct, is taken out of each example; else batches are cut from the file's own.
        nested = len(keys) > 1
        examples = self.pipeline.map(lambda example: _inside(example, keys)) if nested else self.pipeline
        with examples.batch(AT_ONCE, keep_last=True).open(inline=True) as flow:
            for batch in flow:
                yield (batch if nested else _inside(batch, keys)).tolist()


def _table(
    reader: Callable[..., ps.Pipeline], path: str, by: str, nulls: str
) -> tuple[ps.Pipeline, tuple[str, ...], list[Any]]:
    """The column of that name; if there is none and the name has a dot, the part of a column."""
    try:
        pipeline = reader(path, columns=[by], nulls=nulls)
        return pipeline, (by,), _head(pipeline)
    except SourceError:
        column, *parts = by.split(".")
        if not parts:
            raise
        try:
            pipeline = reader(path, columns=[column], nulls=nulls)
            head = _head(pipeline)
            for example in head[:1]:
                _inside(example, (column, *parts))
        except (SourceError, KeyError, TypeError):
            head = []  # No such part either: what is told is that there is no column of the whole name.
        if not head:
            raise
        return pipeline, (column, *parts), head


def _head(pipeline: ps.Pipeline) -> list[Any]:
    with pipeline.take(LOOKED_AT).open(inline=True) as flow:
        return list(flow)


def _inside(example: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        example = example[key]
    return example


def _kind(component: Component) -> str:
    """What labels are called in messages; those of one kind can be compared, whatever their width."""
    kinds = {"str": "text", "bytes": "bytes", "T": "text", "i": "integers", "u": "integers", "b": "bools"}
    return kinds.get(component.text or component.dtype.kind, "")


def _checked(by: str, values: list[Any]) -> Component:
    """What the labels look like.

    Raises:
      PipelineError: they are no labels.
    """
    spec = Spec.of(values[0])
    if not spec.structure.is_leaf:
        parts = ", ".join(f"`{by}.{path_text(path)}`" for path in spec.paths)
        raise PipelineError(mismatch("one label for each example", f"`{by}: {spec}`", at="--by", do=f"name {parts}"))
    component = spec.components[0]
    if component.shape:
        hot = all(_one_hot(value) for value in values)
        got = f"{'one-hot, ' if hot else ''}`{by}: {component}`"
        do = "pass its argmax" if hot else "name a component with one value per example"
        raise PipelineError(mismatch("one label for each example", got, at="--by", do=do))
    if not _kind(component):
        advice = "cast whole numbers to integers, or cut the range into bins" if component.dtype.kind == "f" else None
        got = f"`{by}: {component}`"
        raise PipelineError(mismatch("labels that are integers, bools or text", got, at="--by", do=advice))
    return component


def _one_hot(value: Any) -> bool:
    array = np.asarray(value)
    if array.ndim != 1 or len(array) < 2 or array.dtype.kind not in "biuf":
        return False
    return bool(np.count_nonzero(array) == 1 and array.max() == 1)
