"""A pipeline as PyTorch's own kind of data set, for trainers that ask for one.

Guarantees
  Each `iter` of it is one flow, which ends when its batches or its iterator do. It opens with the first batch that is asked
  for: trainers make iterators that they drop at once, and give others a state before they begin.
  Inside a worker of a `DataLoader` it takes the worker's share, where it can be parted; else it refuses: each worker would
  read everything, and each batch come several times.
  The state of an iterator is that of its flow, after the last batch it gave. torchdata's `StatefulDataLoader` asks the
  iterators; a trainer that is given the data set without a loader asks that, and is told of its latest iterator.
Assumes
  A flow that nobody holds any more closes itself.
Why the class is made by a call
  One of its bases is PyTorch's, which is loaded when it is asked for. A data set is pickled as the call that makes it.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from types import new_class
from typing import TYPE_CHECKING, Any, final

from penstock.errors import PenstockWarning, PipelineError, mismatch
from penstock.optional import load

if TYPE_CHECKING:
    from torch.utils.data import IterableDataset

__all__ = ["torch_dataset"]


def torch_dataset(
    open_flow: Callable[..., Iterator[Any]],
    length: Callable[[], int | None],
    share: Callable[..., Iterator[Any]] | None = None,
) -> IterableDataset[Any]:
    """Gives a `torch.utils.data.IterableDataset` of batches, for `DataLoader(dataset, batch_size=None)`.

    It can be pickled if its functions can.

    Args:
      open_flow: starts a flow, from its beginning or from `state=`; its `close`, if it has one, is called at the end of the
        batches and after an error.
      length: how many batches a flow gives, `None` where that is not known; then `len` is a `TypeError`. [batches]
      share: starts the flow of one worker of several, by its number and theirs, as well; `None` where each would read
        everything.

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
        open_flow: Callable[..., Iterator[Any]],
        length: Callable[[], int | None],
        share: Callable[..., Iterator[Any]] | None,
        worker_info: Callable[[], Any],
    ) -> None:
        self._open_flow = open_flow
        self._length = length
        self._share = share
        self._worker_info = worker_info
        self._state: dict[str, Any] | None = None
        self._latest: Callable[[], _Batches | None] = _nobody
        self._halfway = [False]

    def __iter__(self) -> Iterator[Any]:
        worker = self._worker_info()
        if worker is None:
            self._halfway = [False]
            batches = _Batches(self._open_flow, self._state, self._halfway)
            self._latest = weakref.ref(batches)
        elif self._share is not None:
            batches = _Batches(partial(self._share, worker.id, worker.num_workers), self._state, [False])
        else:
            raise PipelineError(
                mismatch(
                    "a `DataLoader` with `num_workers=0`",
                    f"worker {worker.id} of {worker.num_workers}",
                    at="torch()",
                    do="leave the workers out: the pipeline reads ahead itself, and each worker would give all batches; "
                    'with `.shard("auto")` in it each takes its share',
                )
            )
        self._state = None
        return batches

    def state_dict(self) -> dict[str, Any]:
        """Where the latest iterator is to go on; in a worker nothing, as there the iterators are asked."""
        if self._worker_info() is not None:
            return {}
        if self._state is not None:
            return self._state
        batches = self._latest()
        if batches is None and self._halfway[0]:
            do = "ask while the loop runs; what is given is the state of the beginning"
            told = mismatch(
                "an iterator that is held", "one that was dropped halfway", at="torch().state_dict()", do=do
            )
            warnings.warn(f"penstock: {told}", PenstockWarning, stacklevel=2)
        if batches is None:
            batches = _Batches(self._open_flow, None, [False])
        return batches.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The next iterator goes on from there."""
        self._state = state or None

    def __len__(self) -> int:
        count = self._length()
        if count is None:
            raise TypeError(mismatch("a known number of batches", "one that only reading tells", at="len()"))
        return count

    def __reduce__(self) -> tuple[Any, ...]:
        return torch_dataset, (self._open_flow, self._length, self._share), {"_state": self._state}


def _nobody() -> None:
    return None


@final
class _Batches:
    """The batches of one flow, which is closed with the last.

    It is no generator: one that is dropped in the middle closes its flow, and waits for that, wherever it is collected.
    """

    def __init__(
        self, open_flow: Callable[..., Iterator[Any]], state: dict[str, Any] | None, halfway: list[bool]
    ) -> None:
        self._open_flow = open_flow
        self._state = state
        self._halfway = halfway  # whether it has begun and not ended; read by the data set when this is gone
        self._flow: Any = None
        self._ended = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._ended:
            raise StopIteration
        flow = self._opened()
        self._halfway[0] = True
        try:
            return next(flow)
        except Exception:  # The end, or an error; after an interrupt the flow goes on.
            self._halfway[0] = False
            self._close()
            raise

    def _opened(self) -> Any:
        if self._flow is None:
            self._flow = self._open_flow() if self._state is None else self._open_flow(state=self._state)
            self._state = None
        return self._flow

    def _close(self) -> None:
        self._ended = True
        close = getattr(self._flow, "close", None)
        if close is not None:
            close()

    def state_dict(self) -> dict[str, Any]:
        """Where the flow is to go on, as `flow.state_dict()` has it."""
        state: dict[str, Any] = self._state if self._state is not None else self._opened().state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from there with the next batch."""
        if self._flow is not None:
            self._close()
        self._flow, self._state, self._ended = None, state, False
