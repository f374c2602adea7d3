"""The inert description that a pipeline is made of: frozen nodes, each checked as it is written.

Guarantees
  A node is immutable; what can be wrong in a description is said when the node is made, before anything runs.
Assumes
  `build` is the only module that knows how a node becomes a stage.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, Protocol, runtime_checkable

from penstock.errors import PipelineError, mismatch
from penstock.spec import Shape
from penstock.structure import Path, path_text

__all__ = [
    "Batch",
    "Convert",
    "Filter",
    "Join",
    "Map",
    "Node",
    "Options",
    "Order",
    "Pad",
    "PadRule",
    "Read",
    "Repeat",
    "Skip",
    "Source",
    "Take",
    "Unbatch",
    "positive",
    "takes_rng",
]

Order = Literal["fixed", "arrival"]
"""The rule by which sources are merged: each in turn, or whoever is ready."""


@runtime_checkable
class Source(Protocol):
    """What yields examples."""

    @property
    def label(self) -> str:
        """What it is called in messages: a file's name, a function's, or its type."""

    @property
    def waits(self) -> bool | None:
        """Whether it waits for something (a file, a network): `None` if that is to be found out."""

    @property
    def blocks(self) -> bool:
        """Whether it yields runs of examples (`Columns`, or a list of rows) instead of single ones."""

    @property
    def once(self) -> object | None:
        """The one-shot object behind it, if it can be opened only once."""

    def open(self, epoch: int) -> Iterator[Any]:
        """Starts a pass."""

    def length(self) -> int | None:
        """How many examples a pass gives, where known without reading. [examples]"""


def positive(value: object, name: str, *, at: str, least: int = 1) -> int:
    """Gives `value` as an int, or says that it is none or below `least`."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < least:
        raise PipelineError(mismatch(f"`{name}` to be an integer >= {least}", f"`{value!r}`", at=at))
    return number


def function(value: object, *, at: str) -> Callable[..., Any]:
    """Gives `value` if it can be called."""
    if not callable(value):
        raise PipelineError(mismatch("a function of an example", f"`{type(value).__name__}`", at=at))
    return value


def takes_rng(fn: Callable[..., Any]) -> Literal["second", "named"] | None:
    """How a user's function asks for a random generator, if it does: `fn(example, rng)`.

    A parameter called `rng` asks for it, and so does a second positional one without a default.
    """
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        return None
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(plain) > 1 and (plain[1].default is inspect.Parameter.empty or plain[1].name == "rng"):
        return "second"
    return "named" if any(p.name == "rng" for p in parameters[1:]) else None


class Node:
    """One word of a pipeline; a chain of nodes is the whole description."""

    __slots__ = ()

    @property
    def upstream(self) -> tuple[Node, ...]:
        """The nodes that this one takes from."""
        node = getattr(self, "of", None)
        return () if node is None else node if isinstance(node, tuple) else (node,)

    @property
    def batched(self) -> bool:
        """Whether batches come out of this node, rather than examples."""
        return bool(self.upstream) and self.upstream[0].batched


def padding(node: Node) -> Pad | None:
    """The `pad` that waits for a `batch`, if there is one."""
    while not isinstance(node, Join | Read | Batch):
        if isinstance(node, Pad):
            return node
        (node,) = node.upstream
    return None


def before_delivery(of: Node, word: str) -> None:
    """Says that a word comes too late: what it works on is already in a framework's arrays."""
    if find(of, Convert):
        do = f"`.to(...)` after `{word}`; a pipeline in another is delivered by that one"
        raise PipelineError(mismatch(f"`{word}` before `to`", f"`{word}` after it", at=f"{word}()", do=do))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Read(Node):
    """Reads one source."""

    source: Source
    """What is read."""
    chunks: bool = False
    """Whether each item is a user's chunk (`enqueue_many`)."""
    copy: bool | None = None
    """Whether items are copied as they come; `None` copies where the source refills one array."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Join(Node):
    """Merges several inputs by a rule."""

    of: tuple[Node, ...]
    """The inputs: a read, or the end of another pipeline."""
    order: Order = "fixed"
    """The rule."""
    names: tuple[str, ...] = ()
    """What the inputs are called, if they have names."""
    weights: tuple[int, ...] | Callable[[int], tuple[int, ...]] | None = None
    """The weight of each input, or a function of the number of examples given before; `None` takes each in turn."""
    stops: frozenset[int] = frozenset()
    """The inputs, by place, whose end is the end of all; the others drop out of the turn."""
    tag: str | None = None
    """The name under which each example's input is delivered."""

    def __post_init__(self) -> None:
        if not self.of:
            raise PipelineError(mismatch("at least one source", "none", at="join(sources)"))
        for node in self.of:
            before_delivery(node, "join")
            if padding(node):
                raise PipelineError(
                    mismatch(
                        "`pad` after `join`, where `batch` is",
                        "`pad` before `join`",
                        at="join(sources)",
                        do="a pipeline that is joined pads nothing unless it batches",
                    )
                )
        if self.order not in ("fixed", "arrival"):
            raise PipelineError(mismatch('`order` to be "fixed" or "arrival"', f"`{self.order!r}`", at="join(order)"))
        if self.order == "arrival" and self.weights is not None:
            got = '`order="arrival"`, where whoever is ready goes next, whatever the weights'
            raise PipelineError(mismatch('`order="fixed"` with weights', got, at="join(order)"))
        if not isinstance(self.tag, str | None):
            raise PipelineError(mismatch("`tag` to be a name", f"`{self.tag!r}`", at="join(tag)"))
        seen: dict[int, int] = {}
        for number, node in enumerate(_reads(self)):
            for once in _onces(node.source):
                if seen.setdefault(id(once), number) != number:
                    raise PipelineError(
                        mismatch(
                            "each one-shot iterator in one source only",
                            f"the same `{type(once).__name__}` in sources {seen[id(once)]} and {number}",
                            at="join(sources)",
                            do="pass a callable that opens it; the same callable twice is two streams",
                        )
                    )

    @property
    def batched(self) -> bool:
        """A join gives examples: the batches of a batched input are its chunks."""
        return False


def _onces(source: Source) -> Iterator[object]:
    """The one-shot objects behind a source, and behind those that it is made of."""
    parts: tuple[Source, ...] = getattr(source, "parts", ())
    for part in parts:
        yield from _onces(part)
    if not parts and source.once is not None:
        yield source.once


def _reads(node: Node) -> Iterator[Read]:
    if isinstance(node, Read):
        yield node
    for upstream in node.upstream:
        yield from _reads(upstream)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Map(Node):
    """Applies a function to each example or batch."""

    of: Node
    fn: Callable[..., Any]
    """`fn(example)` or `fn(example, rng)`."""
    seed: int | None = None
    """Of this stage's random numbers, in place of the pipeline's."""

    def __post_init__(self) -> None:
        function(self.fn, at="map(fn)")
        before_delivery(self.of, "map")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Filter(Node):
    """Keeps the examples or batches for which a function is true."""

    of: Node
    fn: Callable[..., Any]
    """`fn(example)` or `fn(example, rng)`."""
    seed: int | None = None
    """Of this stage's random numbers, in place of the pipeline's."""

    def __post_init__(self) -> None:
        function(self.fn, at="filter(fn)")
        before_delivery(self.of, "filter")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Take(Node):
    """Gives the first `count`, then ends."""

    of: Node
    count: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", positive(self.count, "n", at="take(n)", least=0))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Skip(Node):
    """Leaves out the first `count`."""

    of: Node
    count: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", positive(self.count, "n", at="skip(n)", least=0))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Repeat(Node):
    """Starts again at the end, `epochs` times in all, or for ever."""

    of: Node
    epochs: int | None

    def __post_init__(self) -> None:
        if self.epochs is not None:
            object.__setattr__(self, "epochs", positive(self.epochs, "epochs", at="repeat(epochs)"))


@dataclass(frozen=True, slots=True)
class PadRule:
    """How one component is brought to the batch's shape."""

    shape: Shape | None = None
    """Per dimension: `None` grows to the longest in the batch, a size is padded to. As a whole `None`: all grow."""
    fixed: bool = False
    """Whether sizes in `shape` are demanded of the example (TF1's `shapes`), rather than padded to."""
    value: Any = None
    """What is written past an example's end; `None` is 0, False, or the empty text."""
    side: str = "right"
    """Where the padding goes: `"right"` (behind) or `"left"` (before)."""
    multiple: int = 1
    """Free dimensions grow to a multiple of this."""
    truncate: bool = False
    """Whether an example longer than a given size is cut, on the padded side, instead of refused."""
    lengths: str | None = None
    """The name under which the lengths are delivered."""
    mask: str | None = None
    """The name under which the mask is delivered: True where there is data."""

    def __post_init__(self) -> None:
        if self.side not in ("left", "right"):
            raise PipelineError(mismatch('`side` to be "left" or "right"', f"`{self.side!r}`", at="pad(side)"))
        positive(self.multiple, "multiple", at="pad(multiple)")
        if not isinstance(self.truncate, bool):
            raise PipelineError(mismatch("`truncate` to be a bool", f"`{self.truncate!r}`", at="pad(truncate)"))
        for name in ("lengths", "mask"):
            if not isinstance(getattr(self, name), str | None):
                raise PipelineError(mismatch(f"`{name}` to be a name", f"`{getattr(self, name)!r}`", at=f"pad({name})"))
        if self.shape is not None:
            for size in self.shape:
                if size is not None:
                    positive(size, "size", at="pad(shape)", least=0)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Pad(Node):
    """Says what the batcher may pad."""

    of: Node
    rules: tuple[tuple[Path | None, PadRule], ...]
    """A rule for each path; the path `None` stands for every component that has no rule of its own."""
    in_order: bool = False
    """Whether the rules stand in the order of the components instead, one for each (TF1's `shapes`)."""

    def __post_init__(self) -> None:
        if self.of.batched:
            raise PipelineError(mismatch("`pad` before `batch`", "`pad` after it", at="pad()"))
        if padding(self.of):
            raise PipelineError(
                mismatch("`pad` once before a `batch`", "`pad` after `pad`", at="pad()", do="name all in one")
            )
        before_delivery(self.of, "pad")

    def resolved(self, paths: Sequence[Path]) -> dict[Path, PadRule]:
        """The rule of each component that has one, once it is known which components there are.

        Raises:
          PipelineError: a rule is for a component that there is not, or their number differs.
        """
        names = ", ".join(f"`{path_text(path)}`" for path in paths)
        if self.in_order:
            if len(self.rules) != len(paths):
                raise PipelineError(mismatch(f"a shape for each of {names}", f"{len(self.rules)}", at="shapes"))
            return {path: rule for path, (_, rule) in zip(paths, self.rules, strict=True)}
        table = dict(self.rules)
        for path in table:
            if path is not None and path not in paths:
                where = "shapes" if table[path].fixed else "pad()"
                raise PipelineError(mismatch(f"a component, one of {names}", f"`{path_text(path)}`", at=where))
        found = {path: table.get(path, table.get(None)) for path in paths}
        return {path: rule for path, rule in found.items() if rule is not None}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Batch(Node):
    """Assembles examples into batches."""

    of: Node
    size: int
    """Examples in a batch. [examples]"""
    keep_last: bool = False
    """Whether the last, smaller batch is given."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", positive(self.size, "batch_size", at="batch(batch_size)"))
        if self.of.batched:
            raise PipelineError(mismatch("`batch` once", "`batch` after `batch`", at="batch()", do="`unbatch()` first"))
        before_delivery(self.of, "batch")

    @property
    def batched(self) -> bool:
        """Batches come out."""
        return True


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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


@dataclass(frozen=True, slots=True)
class Options:
    """What holds for the whole pipeline."""

    seed: int = 0
    """Of everything that is drawn."""
    capacity: int | None = None
    """Examples that may wait in the sources' lanes together; `None` chooses. [examples]"""
    capacity_bytes: int | None = None
    """Bytes that may wait there together; `None` sets no limit. [bytes]"""
    on_error: str = "raise"
    """What an error of the user's code does: `"raise"`."""
    name: str | None = None
    """The flow's name, in threads and reports."""
    grace_s: float = 1.0
    """How long closing waits for threads that are inside the user's code. [s]"""

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "seed", operator.index(self.seed))
        except TypeError:
            raise PipelineError(mismatch("`seed` to be an integer", f"`{self.seed!r}`", at="options(seed)")) from None
        if self.name is not None and not isinstance(self.name, str):
            raise PipelineError(mismatch("`name` to be a text", f"`{self.name!r}`", at="options(name)"))
        for name in ("capacity", "capacity_bytes"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, positive(getattr(self, name), name, at=f"options({name})"))
        if self.on_error != "raise":
            raise PipelineError(
                mismatch(
                    '`on_error="raise"`, the one policy there is yet', f"`{self.on_error!r}`", at="options(on_error)"
                )
            )
        if not isinstance(self.grace_s, (int, float)) or isinstance(self.grace_s, bool) or not self.grace_s >= 0:
            raise PipelineError(mismatch("`grace_s` to be seconds >= 0", f"`{self.grace_s!r}`", at="options(grace_s)"))

    def with_(self, changes: Mapping[str, Any]) -> Options:
        """These options with some changed; an unknown name is an error."""
        names = [field.name for field in fields(self)]
        for key in changes:
            if key not in names:
                raise PipelineError(mismatch(f"one of {', '.join(names)}", f"`{key}`", at="options()"))
        return Options(**{**{name: getattr(self, name) for name in names}, **changes})


def find(node: Node, kind: type[Node]) -> Sequence[Any]:
    """All nodes of one kind, upstream of and including `node`."""
    found: list[Any] = [node] if isinstance(node, kind) else []
    if isinstance(node, Read):  # as nearly every input of a join is
        return found
    for upstream in node.upstream:
        found += find(upstream, kind)
    return found
