"""The words that take one stream and give one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from penstock.errors import PipelineError, mismatch
from penstock.faults import OnError, policy_of
from penstock.plan.node import Node, find, function, positive

__all__ = ["Batch", "Convert", "Filter", "Map", "Repeat", "Skip", "Take", "Unbatch", "before_delivery"]


def before_delivery(of: Node, word: str) -> None:
    """Says that a word comes too late: what it works on is already in a framework's arrays."""
    if find(of, Convert):
        do = f"`.to(...)` after `{word}`; a pipeline in another is delivered by that one"
        raise PipelineError(mismatch(f"`{word}` before `to`", f"`{word}` after it", at=f"{word}()", do=do))


class Map(Node):
    """Applies a function to each example or batch."""

    of: Node
    fn: Callable[..., Any]
    """`fn(example)` or `fn(example, rng)`."""
    seed: int | None = None
    """Of this stage's random numbers, in place of the pipeline's."""
    on_error: OnError | None = None
    """What is done about an error of the function; `None` does what the pipeline's options say."""

    def __post_init__(self) -> None:
        function(self.fn, at="map(fn)")
        if self.on_error is not None:
            policy_of(self.on_error, at="map(on_error)")
        before_delivery(self.of, "map")


class Filter(Node):
    """Keeps the examples or batches for which a function is true."""

    of: Node
    fn: Callable[..., Any]
    """`fn(example)` or `fn(example, rng)`."""
    seed: int | None = None
    """Of this stage's random numbers, in place of the pipeline's."""
    on_error: OnError | None = None
    """What is done about an error of the function; `None` does what the pipeline's options say."""

    def __post_init__(self) -> None:
        function(self.fn, at="filter(fn)")
        if self.on_error is not None:
            policy_of(self.on_error, at="filter(on_error)")
        before_delivery(self.of, "filter")


class Take(Node):
    """Gives the first `count`, then ends."""

    of: Node
    count: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", positive(self.count, "n", at="take(n)", least=0))


class Skip(Node):
    """Leaves out the first `count`."""

    of: Node
    count: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", positive(self.count, "n", at="skip(n)", least=0))


class Repeat(Node):
    """Starts again at the end, `epochs` times in all, or for ever."""

    of: Node
    epochs: int | None

    def __post_init__(self) -> None:
        if self.epochs is not None:
            object.__setattr__(self, "epochs", positive(self.epochs, "epochs", at="repeat(epochs)"))


class Batch(Node):
    """Assembles examples into batches."""

    begins = True

    of: Node
    size: int
    """Examples in a batch. [examples]"""
    keep_last: bool = False
    """Whether the last, smaller batch is given."""
    grouped: bool = False
    """Whether each item that comes is a batch, of `size` examples at most."""
    form: Callable[[Any], Any] | None = None
    """What a batch is handed over as; it is quick, and does not look at the data. `None` as it is."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", positive(self.size, "batch_size", at="batch(batch_size)"))
        if self.of.batched:
            raise PipelineError(mismatch("`batch` once", "`batch` after `batch`", at="batch()", do="`unbatch()` first"))
        before_delivery(self.of, "batch")

    @property
    def batched(self) -> bool:
        """Batches come out."""
        return True


class Unbatch(Node):
    """Takes batches apart into examples."""

    of: Node

    def __post_init__(self) -> None:
        if not self.of.batched:
            raise PipelineError(mismatch("batches", "examples", at="unbatch()", do="`.batch(size)` comes before it"))
        before_delivery(self.of, "unbatch")

    @property
    def batched(self) -> bool:
        """Examples come out."""
        return False


class Convert(Node):
    """Hands batches over in a framework's arrays."""

    of: Node
    to: str
    """`"numpy"`, `"torch"`, `"jax"` or `"tensorflow"`."""

    def __post_init__(self) -> None:
        if self.to not in ("numpy", "torch", "jax", "tensorflow"):
            raise PipelineError(
                mismatch('`to` to be "numpy", "torch", "jax" or "tensorflow"', f"`{self.to!r}`", at="to(framework)")
            )
        if find(self.of, Convert):
            raise PipelineError(mismatch("`to` once", "`to` after `to`", at="to(framework)"))
