"""The fluent form: a description of what flows, which runs nothing until it is opened."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, final

from penstock.described import ENDLESS, last_change, length_of, words_of
from penstock.errors import PenstockWarning, PipelineError, SpecError, mismatch
from penstock.flow import Flow
from penstock.later import later
from penstock.plan import (
    Batch,
    Convert,
    Node,
    Options,
    Read,
    Shard,
    find,
    positive,
)
from penstock.ranks import Rank, auto_rank, found_rank
from penstock.spec import Spec
from penstock.words import Words

__all__ = ["Pipeline", "node_of", "options_of"]


@final
class Pipeline(Words, Iterable[Any]):
    """A description of examples, or batches, and how they come about; inert and immutable.

    Each word gives a new pipeline. Everything that can be wrong in a description is said as it is written.
    `for batch in pipeline` opens it, and closes it at the end of the loop, however that ends.

    >>> import penstock as ps
    >>> pipeline = ps.join([[1, 2, 3], [10, 20]]).map(lambda x: x + 1).batch(2, keep_last=True)
    >>> for batch in pipeline:
    ...     print(batch)
    [ 2 11]
    [ 3 21]
    [4]
    """

    __slots__ = ("_node", "_options")

    def __init__(self, node: Node, options: Options) -> None:
        self._node = node
        self._options = options

    def open(self, *, state: dict[str, Any] | None = None, epoch: int = 0, inline: bool = False) -> Flow:
        """Starts a flow; use it in a `with` block, or close it.

        Args:
          state: where to go on, as `flow.state_dict()` gave it; the next batch is the one that would have come then.
          epoch: the number of the first epoch.
          inline: whether everything runs in the caller's thread: the same batches, nothing read ahead, plain
            tracebacks.

        Raises:
          PipelineError: `epoch` is no integer, or below 0, or there is a state, which has its own.
          StateError: the state is damaged, or of another pipeline; says where they differ.
        """
        first = positive(epoch, "epoch", at="open(epoch)", least=0)
        if state is not None and first:
            raise PipelineError(mismatch("a state, which holds its epoch, or `epoch`", "both", at="open()"))
        node = self._settled(state=state)
        self._warn(node)
        if self._options.shared_name is not None:
            consumer: Flow = later("shared").shared_flow(node, self._options, epoch=first, inline=inline, state=state)
            return consumer
        return Flow(node, self._options, epoch=first, inline=inline, state=state)

    def __iter__(self) -> Iterator[Any]:
        node = self._settled()
        self._warn(node)
        return Flow(node, self._options, epoch=0, inline=False)

    def _settled(self, rank: Callable[[], Rank] = auto_rank, state: Any = None) -> Node:
        """The description with each `shard` settled; as it was in a state."""
        if not find(self._node, Shard):
            return self._node
        sharing = later("sharing")
        node: Node = sharing.settled(self._node, rank, sharing.heirs_of(state), on_error=self._options.on_error)
        return node

    def _warn(self, node: Node) -> None:
        """Tells the caller of whoever opens the pipeline what would surprise him of its ranks; raises what must not be."""
        here = found_rank()
        if node is not self._node or (here is not None and here.world_size > 1):
            sharing = later("sharing")
            sharing.check_ends(node, self._options.on_error)
            for said in sharing.surprises(node, here):
                warnings.warn(f"penstock: {said}", PenstockWarning, stacklevel=3)

    def __len__(self) -> int:
        """The number of batches, or examples, where it is known without reading.

        Raises:
          TypeError: it is not known.
        """
        length = self._known_length()
        if length is None:
            raise TypeError(
                "the length of this pipeline is not known: a source, filter or endless repeat does not tell it"
            )
        return length

    def __bool__(self) -> bool:
        """A pipeline is true, also one that gives nothing: whether it does is not known before it runs."""
        return True

    def spec(self) -> Spec:
        """What a batch, or an example, looks like: shapes and dtypes, `None` (printed `?`) for a free dimension.

        Opens the sources, reads the first example of each, and closes them.

        Raises:
          PipelineError: a source can be opened only once, so it would be used up; ask `flow.spec()`.
          SpecError: there is no example, or they do not fit together.

        >>> import numpy as np
        >>> import penstock as ps
        >>> print(ps.from_arrays({"x": np.zeros((5, 3), np.float32), "y": np.arange(5)}).batch(2).spec())
        {x: float32[2, 3], y: int64[2]}
        """
        for read in find(self._node, Read):
            if read.source.once is not None:
                raise PipelineError(
                    mismatch(
                        "sources that can be opened again",
                        f"the one-shot `{read.source.label}`",
                        at="spec()",
                        do="pass a callable that opens it, or ask `flow.spec()` while it runs",
                    )
                )
        with Flow(self._settled(), self._options, epoch=0, inline=True) as flow:
            first = next(flow, None)
            if first is None:
                what = "batch" if self._node.batched else "example"
                raise SpecError(mismatch(f"at least one {what}", "none", at="spec()"))
            own = flow.spec() if isinstance(last_change(self._node), Batch) else None
            return own if own is not None else Spec.of(first)

    def torch(self) -> Any:
        """A `torch.utils.data.IterableDataset` of the batches, for `DataLoader(dataset, batch_size=None)`.

        Inside a worker of a `DataLoader` it refuses: the pipeline reads ahead by itself, and a copy in each worker
        would deliver everything as often as there are workers. With `.shard("auto")` each worker of each rank takes its
        share instead.

        It and its iterators have `state_dict` and `load_state_dict`: it is saved and goes on under torchdata's
        `StatefulDataLoader`, and under a trainer that is given it as it is.

        Raises:
          MissingExtra: torch is not installed.
          PipelineError: it is delivered to another framework already.
        """
        delivered = [convert.to for convert in find(self._node, Convert)]
        pipeline = self if delivered == ["torch"] else self.to("torch")
        auto = any(shard.rank is None for shard in find(self._node, Shard))
        made = later("deliver.torch_dataset").torch_dataset
        return made(pipeline.open, pipeline._known_length, pipeline._open_part if auto else None)

    def _open_part(self, worker: int, workers: int, *, state: dict[str, Any] | None = None) -> Flow:
        """Starts the flow of one of several workers that each rank has."""
        own = auto_rank()
        rank = Rank(own.rank * workers + worker, own.world_size * workers)
        node = self._settled(lambda: rank)
        self._warn(node)
        return Flow(node, self._options, epoch=0, inline=False, state=state)

    def _known_length(self) -> int | None:
        length = length_of(self._settled())
        return None if length is None or length == ENDLESS else int(length)

    def __penstock_examples__(self) -> Iterator[Any]:
        """The examples as a component of another source reads them: in its thread."""
        return Flow(self._settled(), self._options, epoch=0, inline=True)

    def _made(self, node: Node, options: Options) -> Pipeline:
        return Pipeline(node, options)

    def __repr__(self) -> str:
        return f"<Pipeline {words_of(self._node)}>"


def node_of(pipeline: Pipeline) -> Node:
    """The last node of a pipeline's description."""
    return pipeline._node


def options_of(pipeline: Pipeline) -> Options:
    """What holds for the whole pipeline."""
    return pipeline._options
