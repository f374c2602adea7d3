"""A pipeline as PyTorch's own kind of data set, for trainers that ask for one.

Guarantees
  Each `iter` of it is one flow, which ends when its batches or its iterator do.
  Inside a worker of a `DataLoader` it takes the worker's share, where it can be parted; else it refuses: each worker would
  read everything, and each batch come several times.
Assumes
  A flow that nobody holds any more closes itself.
Why the class is made by a call
  One of its bases is PyTorch's, which is loaded when it is asked for. A data set is pickled as the call that makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import new_class
from typing import TYPE_CHECKING, Any, final

from penstock.errors import PipelineError, mismatch
from penstock.optional import load

if TYPE_CHECKING:
    from torch.utils.data import IterableDataset

__all__ = ["torch_dataset"]


def torch_dataset(
    open_flow: Callable[[], Iterator[Any]],
    length: Callable[[], int | None],
    share: Callable[[int, int], Iterator[Any]] | None = None,
) -> IterableDataset[Any]:
    """Gives a `torch.utils.data.IterableDataset` of batches, for `DataLoader(dataset, batch_size=None)`.

    It can be pickled if its functions can.

    Args:
      open_flow: starts a flow; its `close`, if it has one, is called at the end of the batches and after an error.
      length: how many batches a flow gives, `None` where that is not known; then `len` is a `TypeError`. [batches]
      share: starts the flow of one worker of several, by its number and theirs; `None` where each would read everything.

    Raises:
      MissingExtra: PyTorch is not installed.
    """
    data = load("torch.utils.data", extra="torch")
    made: Any = new_class("PipelineDataset", (_Dataset, data.IterableDataset))
    return made(open_flow, length, share, data.get_worker_info)


class _Dataset:
    """What a pipeline's data set does."""

    def __init__(
        self,
        open_flow: Callable[[], Iterator[Any]],
        length: Callable[[], int | None],
        share: Callable[[int, int], Iterator[Any]] | None,
        worker_info: Callable[[], Any],
    ) -> None:
        self._open_flow = open_flow
        self._length = length
        self._share = share
        self._worker_info = worker_info

    def __iter__(self) -> Iterator[Any]:
        worker = self._worker_info()
        if worker is not None and self._share is not None:
            return _Batches(self._share(worker.id, worker.num_workers))
        if worker is not None:
            raise PipelineError(
                mismatch(
                    "a `DataLoader` with `num_workers=0`",
                    f"worker {worker.id} of {worker.num_workers}",
                    at="torch()",
                    do="leave the workers out: the pipeline reads ahead itself, and each worker would give all batches; "
                    'with `.shard("auto")` in it each takes its share',
                )
            )
        return _Batches(self._open_flow())

    def __len__(self) -> int:
        count = self._length()
        if count is None:
            raise TypeError(mismatch("a known number of batches", "one that only reading tells", at="len()"))
        return count

    def __reduce__(self) -> tuple[Any, ...]:
        return torch_dataset, (self._open_flow, self._length, self._share)


@final
class _Batches:
    """The batches of one flow, which is closed with the last.

    It is no generator: one that is dropped in the middle closes its flow, and waits for that, wherever it is collected.
    """

    def __init__(self, flow: Iterator[Any]) -> None:
        self._flow = flow

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._flow)
        except Exception:  # The end, or an error; after an interrupt the flow goes on.
            flow, self._flow = self._flow, iter(())
            close = getattr(flow, "close", None)
            if close is not None:
                close()
            raise
