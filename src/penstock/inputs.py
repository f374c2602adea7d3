"""Where a pipeline begins: several sources joined, or arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from penstock.errors import PipelineError, mismatch
from penstock.faults import OnError
from penstock.joining import End, guarded, joined
from penstock.pipeline import Pipeline, node_of
from penstock.plan import Join, Node, Options, Order, Read
from penstock.sources import ArraySource, as_source

__all__ = ["from_arrays", "input_of", "join"]


def join(
    sources: Iterable[Any] | Mapping[Any, Any],
    weights: Any = None,
    *,
    order: Order = "fixed",
    end: End | Mapping[Any, End] | Sequence[End] = "drop",
    tag: str | None = None,
    copy: bool | None = None,
    on_error: OnError | Mapping[Any, OnError] | Sequence[OnError] | None = None,
) -> Pipeline:
    """Several sources, merged by a rule: one example of each in turn, by weights, or of whoever is ready.

    A batched pipeline among the sources gives its batches as chunks: a chunk is one turn.
    With weights a chunk counts as many examples as it has, and its source pauses until the others have caught up.

    Args:
      sources: an iterable of sources, or a dict, whose keys name them in messages and stats. A source is told by its
        type: a pipeline, a tuple or dict of components read in step, an array, a list or map-style data set, an
        iterable (once), or a callable that opens one. Where it has a method `cancel()`, closing the flow calls it, so
        that a call that is blocked in it comes back.
      weights: how much of each source, on any positive scale: a sequence, or a mapping by name. Of the first k examples
        each source gives its part to within one example, for every k, while none has ended. A source with weight 0 is
        never opened. Or a function `weights(given)` of the number of examples that the join has given: it is asked at
        the beginning and about every 256 examples (a whole chunk is not interrupted), in each pass of a `repeat` anew;
        sources are then within a few examples of what the weights so far sum to.
      order: `"fixed"`, the same on every run: each in turn, or by weights; or `"arrival"`, whoever is ready.
      end: what the end of a source means, for all or for each (a sequence, or a mapping by name): `"drop"`, the others
        go on, in the proportions that they have among each other; `"stop"`, the join ends when the turn comes to a
        source that has; `"repeat"`, the source is opened again for its next epoch, for ever.
      tag: a name under which each example tells its source: by its name, or its number where there are none. It is a new
        key of a dict; anything else becomes the pair `(example, {tag: source})`.
      copy: whether each example is copied as it comes. `None` finds out: a stream's first example is copied, and where
        the second shares memory with it, because the source refills one array, so is every other.
      on_error: what is done where a source raises, in place of what `.options` say, for all or for each (a sequence, or a
        mapping by name): `"raise"`, `ps.Skip(...)`, `ps.Retry(...)` or `ps.Retry(...) | ps.Skip(...)`.

    Raises:
      PipelineError: no sources, or something that is none; weights that are none, of another number, negative or all
        zero, or together with `order="arrival"`; a source that is to be repeated and can be opened only once.

    Source: TF1 `tf.train.batch_join`, without the batches; weights by Pfair scheduling (Baruah et al. 1996).

    >>> import penstock as ps
    >>> list(ps.join({"short": [1], "long": [2, 3, 4]}))
    [1, 2, 3, 4]
    >>> mixed = ps.join({"web": [1, 2, 3, 4, 5, 6], "books": [10, 20]}, {"web": 3, "books": 1}, tag="source")
    >>> for values, extras in mixed.batch(4):
    ...     print(values, extras["source"])
    [ 1  2  3 10] ['web' 'web' 'web' 'books']
    [ 4  5  6 20] ['web' 'web' 'web' 'books']
    """
    if isinstance(sources, (Pipeline, str, bytes)) or not isinstance(sources, Iterable):
        raise PipelineError(
            mismatch(
                "an iterable of sources",
                f"`{type(sources).__name__}`",
                at="join(sources)",
                do="a lone source: `join([source])`",
            )
        )
    keys = list(sources) if isinstance(sources, Mapping) else None
    things = list(sources.values()) if isinstance(sources, Mapping) else list(sources)
    nodes = [input_of(thing, f"source {i}", copy=copy) for i, thing in enumerate(things)]
    if on_error is not None:
        nodes = guarded(nodes, keys, on_error)
    return Pipeline(joined(nodes, keys, weights=weights, order=order, end=end, tag=tag), Options())


def input_of(thing: Any, at: str, *, copy: bool | None = None) -> Node:
    """The node that a source is read by: a pipeline's own, or a read."""
    return node_of(thing) if isinstance(thing, Pipeline) else Read(as_source(thing, at=at), copy=copy)


def from_arrays(arrays: Any) -> Pipeline:
    """The rows of an array, or of several in a tuple, dict, …, read in step.

    Args:
      arrays: an array of shape `(n, …)`, or a structure of such arrays with the same n.

    Raises:
      PipelineError: an array has no rows, or their numbers differ.

    >>> import numpy as np
    >>> list(from_arrays((np.arange(2), np.array(["a", "b"]))))
    [(np.int64(0), np.str_('a')), (np.int64(1), np.str_('b'))]
    """
    return Pipeline(Join((Read(ArraySource(arrays)),)), Options())
