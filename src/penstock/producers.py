"""TF1's producers as sources: rows, numbers, texts and file names, epoch after epoch, each in an order of its own.

Their arguments are TF1's, and then nothing of ours. Threads, queues and their capacity are those of the flow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from penstock.errors import PipelineError, mismatch
from penstock.pipeline import Pipeline, node_of
from penstock.plan import Join, Node, Options, Read, Repeat, Source, Take, integer, positive
from penstock.sources import ArraySource, IndexedSource, as_source
from penstock.sources.files import find_files

__all__ = [
    "input_producer",
    "limit_epochs",
    "match_filenames_once",
    "range_input_producer",
    "slice_input_producer",
    "string_input_producer",
]


def input_producer(
    input_tensor: Any,
    element_shape: Any = None,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    summary_name: str | None = None,
    name: str | None = None,
    cancel_op: Any = None,
) -> Pipeline:
    """The rows of an array, epoch after epoch, each epoch in an order of its own.

    Epochs never mix. The order of an epoch is a function of seed and epoch.

    Args:
      input_tensor: array of shape `(n, …)`.
      element_shape: the shape of a row, if it is to be checked.
      num_epochs: how many epochs; `None` never ends.
      shuffle: whether each epoch is in an order of its own.
      seed: of the orders; `None` is 0.
      capacity: how many rows may wait. [examples]
      shared_name: as in `batch`.
      summary_name: as TF1 had it, and without effect.
      name: of the flow, in threads and reports.
      cancel_op: as TF1 had it; only `None` will do, since closing the flow ends it.

    Raises:
      PipelineError: something that has no rows, a shape that is not the rows', `num_epochs` below 1.

    Source: TF1 `tf.train.input_producer`.

    >>> list(input_producer([10, 20, 30], num_epochs=2, shuffle=False))
    [np.int64(10), np.int64(20), np.int64(30), np.int64(10), np.int64(20), np.int64(30)]
    """
    at = "input_producer(input_tensor)"
    rows = _rows(input_tensor, at)
    if element_shape is not None and tuple(element_shape) != rows.shape[1:]:
        want, got = f"rows of shape `{list(element_shape)}`", f"`{list(rows.shape[1:])}`"
        raise PipelineError(mismatch(want, got, at=at))
    return _produced(ArraySource(rows), num_epochs, shuffle, seed, capacity, shared_name, name, cancel_op, at)


def string_input_producer(
    string_tensor: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
    cancel_op: Any = None,
) -> Pipeline:
    """Texts, such as the names of files, epoch after epoch, each epoch in an order of its own.

    Args:
      string_tensor: a list or array of `str` or `bytes`.
      num_epochs: as in `input_producer`.
      shuffle: as in `input_producer`.
      seed: as in `input_producer`.
      capacity: as in `input_producer`.
      shared_name: as in `batch`.
      name: as in `input_producer`.
      cancel_op: as in `input_producer`.

    Raises:
      PipelineError: there is none, or something that is no text; `num_epochs` below 1.

    Source: TF1 `tf.train.string_input_producer`.

    >>> list(string_input_producer(["a", "b"], num_epochs=1, shuffle=False))
    ['a', 'b']
    """
    at = "string_input_producer(string_tensor)"
    if isinstance(string_tensor, (str, bytes)) or not isinstance(string_tensor, Iterable):
        do = "one name stands in a list: `[name]`" if isinstance(string_tensor, (str, bytes)) else None
        raise PipelineError(mismatch("a list of texts", f"`{type(string_tensor).__name__}`", at=at, do=do))
    texts = string_tensor.tolist() if isinstance(string_tensor, np.ndarray) else list(string_tensor)
    if not texts:
        raise PipelineError(mismatch("at least one text", "none", at=at))
    for text in texts:
        if not isinstance(text, (str, bytes)):
            raise PipelineError(mismatch("texts", f"`{type(text).__name__}`", at=at))
    return _produced(IndexedSource(texts), num_epochs, shuffle, seed, capacity, shared_name, name, cancel_op, at)


def range_input_producer(
    limit: int,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> Pipeline:
    """The numbers from 0 to `limit - 1`, int32[], epoch after epoch, each epoch in an order of its own.

    Args:
      limit: how many there are.
      num_epochs: as in `input_producer`.
      shuffle: as in `input_producer`.
      seed: as in `input_producer`.
      capacity: as in `input_producer`.
      shared_name: as in `batch`.
      name: as in `input_producer`.

    Raises:
      PipelineError: `limit` is no integer, or below 0, or 0 without `num_epochs`, which would turn for ever.

    Source: TF1 `tf.train.range_input_producer`.

    >>> sorted(range_input_producer(3, num_epochs=1))
    [np.int32(0), np.int32(1), np.int32(2)]
    """
    at = "range_input_producer(limit)"
    count = positive(limit, "limit", at=at, least=0)
    if count > 2**31:
        raise PipelineError(mismatch("`limit` to fit int32", f"{count}", at=at))
    source = ArraySource(np.arange(count, dtype=np.int32))
    return _produced(source, num_epochs, shuffle, seed, capacity, shared_name, name, None, at)


def slice_input_producer(
    tensor_list: Sequence[Any],
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> Pipeline:
    """One row of each of several arrays, in step, epoch after epoch, each epoch in an order of its own.

    Args:
      tensor_list: a list of arrays, each of shape `(n, …)` with the same n; an example is a list of a row of each, also
        of one. A tuple, dict, … of arrays is fine too, and keeps its form.
      num_epochs: as in `input_producer`.
      shuffle: as in `input_producer`.
      seed: as in `input_producer`.
      capacity: as in `input_producer`.
      shared_name: as in `batch`.
      name: as in `input_producer`.

    Raises:
      PipelineError: there is none; something that has no rows; their numbers differ; `num_epochs` below 1.

    Source: TF1 `tf.train.slice_input_producer`, which did not compare the numbers of rows.

    >>> list(slice_input_producer([[1, 2], ["a", "b"]], num_epochs=1, shuffle=False))
    [[np.int64(1), 'a'], [np.int64(2), 'b']]
    """
    at = "slice_input_producer(tensor_list)"
    if isinstance(tensor_list, list):
        arrays: Any = [_rows(array, f"{at}[{place}]") for place, array in enumerate(tensor_list)]
    else:
        arrays = tensor_list
    if not isinstance(arrays, (list, tuple, dict)) or not arrays:
        got = "none" if isinstance(arrays, (list, tuple, dict)) else f"`{type(tensor_list).__name__}`"
        raise PipelineError(mismatch("a list of at least one array", got, at=at))
    return _produced(ArraySource(arrays), num_epochs, shuffle, seed, capacity, shared_name, name, None, at)


def limit_epochs(tensor: Any, num_epochs: int | None = None, name: str | None = None) -> Pipeline:
    """The same value, `num_epochs` times; or so many examples of a stream.

    Args:
      tensor: an array, number or text, which is the example; or a pipeline, a callable that opens a source, or an iterator.
      num_epochs: how many times; `None` never ends, or ends with the stream.
      name: of the flow, in threads and reports.

    Raises:
      PipelineError: `num_epochs` is no integer, or below 1.

    Source: TF1 `tf.train.limit_epochs`, whose count was a variable, to be initialised, and which checkpoints kept.

    >>> list(limit_epochs(7, 3))
    [7, 7, 7]
    """
    epochs = None if num_epochs is None else positive(num_epochs, "num_epochs", at="limit_epochs(num_epochs)")
    options = Options(name=name)
    if isinstance(tensor, Pipeline):
        node = node_of(tensor)
        return Pipeline(node if epochs is None else Take(node, epochs), options)
    streams = callable(tensor) or hasattr(tensor, "__next__")
    if not streams:
        value = np.asarray(tensor) if isinstance(tensor, list) else tensor

        def same() -> Iterable[Any]:
            return repeat(value)

    read: Node = Join((Read(as_source(tensor if streams else same, at="limit_epochs(tensor)")),))
    return Pipeline(read if epochs is None else Take(read, epochs), options)


def match_filenames_once(pattern: Any, name: str | None = None) -> list[str]:
    """The names of the files that a glob matches, or several, each in the order of names; looked up now, once.

    Args:
      pattern: a path, a glob, or several of them.
      name: as TF1 had it, and without effect.

    Raises:
      SourceError: a file does not exist, or a glob matches none.
      PipelineError: it is no path.

    Source: TF1 `tf.train.match_filenames_once`, which gave nothing where nothing matched.
    """
    return list(find_files(pattern, word="match_filenames_once"))


def _rows(array: Any, at: str) -> np.ndarray[Any, Any]:
    """An array of rows; text as Python's own objects."""
    rows = np.asarray(array)
    if rows.dtype.kind in "US":
        rows = np.array(rows.tolist(), object)
    if rows.ndim == 0:
        raise PipelineError(mismatch("an array of rows", f"a scalar `{rows.dtype}[]`", at=at))
    return rows


def _produced(
    source: Source,
    num_epochs: Any,
    shuffle: bool,
    seed: Any,
    capacity: Any,
    shared_name: str | None,
    name: str | None,
    cancel_op: Any,
    at: str,
) -> Pipeline:
    if cancel_op is not None:
        raise PipelineError(mismatch("`cancel_op=None`", f"`{cancel_op!r}`", at="cancel_op", do="close the flow"))
    epochs = None if num_epochs is None else positive(num_epochs, "num_epochs", at="num_epochs")
    if epochs is None and source.length() == 0:
        do = "give `num_epochs`, or it would turn for ever"
        raise PipelineError(mismatch("at least one row to produce", "none", at=at, do=do))
    own = None if seed is None else integer(seed, "seed", at="seed")
    read = Read(source, order=("index", own) if shuffle else None)
    options = Options(capacity=positive(capacity, "capacity", at="capacity"), name=name, shared_name=shared_name)
    return Pipeline(Repeat(Join((read,)), epochs), options)
