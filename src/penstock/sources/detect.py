"""Which kind of source a user's object is, told by its type; the first match counts.

1. a pipeline: its examples.
2. `str`, `bytes`, `Path`: an error that names `read_…`.
3. a dict, tuple or namedtuple: components, each a source, read in step.
4. a NumPy array: its rows; a table, frame or framework data set: converted.
5. a list, or any object with `__len__` and `__getitem__`: examples by index.
6. an iterable, even a callable one: its examples, once.
7. a callable without arguments: opens one, anew for each pass.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np

from penstock.errors import PipelineError, mismatch
from penstock.later import later
from penstock.plan import Source
from penstock.sources.arrays import ArraySource
from penstock.sources.indexed import IndexedSource
from penstock.sources.iterables import CallableSource, IterableSource
from penstock.structure import LEAF, Path, Structure, path_text

__all__ = ["as_source"]


def as_source(thing: Any, *, at: str = "source") -> Source:
    """Gives the source that an object stands for.

    Args:
      thing: what the user passed.
      at: where, for messages.

    Raises:
      PipelineError: nothing can be read from it; says what to pass instead.
    """
    return _as_source(thing, at, {})


def _as_source(thing: Any, at: str, known: dict[int, Source]) -> Source:
    if id(thing) in known:
        return known[id(thing)]
    source = _told(thing, at, known)
    known[id(thing)] = source
    return source


def _told(thing: Any, at: str, known: dict[int, Source]) -> Source:
    if hasattr(thing, "__penstock_examples__"):
        return CallableSource(thing.__penstock_examples__)
    if isinstance(thing, (str, bytes, os.PathLike)):
        raise PipelineError(
            mismatch(
                "a source of examples",
                f"the {'path' if isinstance(thing, os.PathLike) else 'text'} `{thing!r}`",
                at=at,
                do="for files use `ps.read_parquet`, `read_arrow`, `read_csv`, `read_jsonl` or `read_text`",
            )
        )
    if isinstance(thing, (dict, tuple)):
        return _components(thing, at, known)
    if isinstance(thing, np.ndarray):
        if thing.ndim == 0:
            raise PipelineError(mismatch("an array of rows", f"a scalar `{thing.dtype}[]`", at=at))
        return ArraySource(thing)
    if hasattr(thing, "__arrow_c_stream__"):
        arrow: Source = later("sources.arrow").ArrowSource(thing)
        return arrow
    if hasattr(thing, "as_numpy_iterator"):  # tf.data
        return CallableSource(thing.as_numpy_iterator)
    if hasattr(thing, "__array__") and getattr(thing, "ndim", 0) > 0:
        return ArraySource(np.asarray(thing))
    kind = type(thing)
    if hasattr(kind, "__len__") and hasattr(kind, "__getitem__") and not _is_torch_iterable(thing):
        return IndexedSource(thing)
    if hasattr(kind, "__iter__") or hasattr(kind, "__next__"):
        return IterableSource(thing)
    if callable(thing):
        _without_arguments(thing, at)
        return CallableSource(thing)
    raise PipelineError(
        mismatch(
            "a source: an iterable, a callable that opens one, an array or a pipeline", f"`{kind.__name__}`", at=at
        )
    )


def _components(thing: Any, at: str, known: dict[int, Source]) -> Source:
    if not thing:
        raise PipelineError(mismatch("at least one component", f"an empty `{type(thing).__name__}`", at=at))
    if all(isinstance(part, np.ndarray) for part in (thing.values() if isinstance(thing, dict) else thing)):
        return ArraySource(thing)
    sources: list[Source] = []
    structure = _taken_apart(thing, (), at, known, sources)
    in_step: Source = later("sources.components").ComponentsSource(structure, tuple(sources), at=at)
    return in_step


def _taken_apart(thing: Any, path: Path, at: str, known: dict[int, Source], sources: list[Source]) -> Structure:
    """The structure of a dict, tuple or namedtuple whose parts are sources, and these sources in its order."""
    if not isinstance(thing, (dict, tuple)) or not thing or hasattr(thing, "__penstock_examples__"):
        place = f"component `{path_text(path)}` of {at}"
        if thing is None or isinstance(thing, (int, float, complex, np.generic)):
            raise PipelineError(
                mismatch(
                    "a source for each component",
                    f"`{type(thing).__name__}`",
                    at=place,
                    do="a tuple or dict is components read in step; a list is examples",
                )
            )
        sources.append(_as_source(thing, place, known))
        return LEAF
    shell = Structure.of(thing)  # Its own form and keys; what is in it is told here, not there.
    parts = thing.values() if isinstance(thing, dict) else thing
    pairs = zip(shell.keys, parts, strict=True)
    return replace(shell, children=tuple(_taken_apart(part, (*path, key), at, known, sources) for key, part in pairs))


def _plainly_without(make: Any) -> bool:
    """Whether this is a plain function, or a `partial` of one, that lacks no argument: what nearly every opener is."""
    given = 0
    while type(make) is partial and not make.keywords:
        given += len(make.args)
        make = make.func
    if type(make) is not FunctionType or vars(make) or make.__code__.co_kwonlyargcount:
        return False
    most = make.__code__.co_argcount
    return most - len(make.__defaults__ or ()) <= given <= most


def _without_arguments(make: Callable[..., Any], at: str) -> None:
    if _plainly_without(make):  # To make a signature takes longer than all the rest of a source.
        return
    try:
        signature = inspect.signature(make)
    except (TypeError, ValueError):  # Some of C do not tell theirs.
        return
    try:
        signature.bind()
    except TypeError:
        raise PipelineError(
            mismatch(
                "a callable without arguments, which opens the source",
                f"one that takes `{signature}`",
                at=at,
                do="give them: `lambda: read(path)`, or `functools.partial(read, path)`",
            )
        ) from None


def _is_torch_iterable(thing: object) -> bool:
    """Whether this is torch's `IterableDataset`, which inherits a `__getitem__` that only raises."""
    torch = sys.modules.get("torch.utils.data")
    return torch is not None and isinstance(thing, torch.IterableDataset)
