"""What a description is made of, and how its arguments are checked."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import FrozenInstanceError
from functools import cached_property
from inspect import Parameter, Signature, signature
from typing import Any, ClassVar, Literal, NoReturn, Self, dataclass_transform

from penstock.errors import PipelineError, mismatch
from penstock.faults import OnError, policy_of
from penstock.plan.source import Source

__all__ = ["Node", "Read", "find", "function", "integer", "positive", "takes_rng"]


def positive(value: object, name: str, *, at: str, least: int = 1) -> int:
    """Gives `value` as an int, or says that it is none or below `least`."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < least:
        raise PipelineError(mismatch(f"`{name}` to be an integer >= {least}", f"`{value!r}`", at=at))
    return number


def integer(value: Any, name: str, *, at: str) -> int:
    """Gives `value` as an int, or says that it is none."""
    try:
        return operator.index(value)
    except TypeError:
        raise PipelineError(mismatch(f"`{name}` to be an integer", f"`{value!r}`", at=at)) from None


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
        parameters = list(signature(fn).parameters.values())
    except (TypeError, ValueError):
        return None
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(plain) > 1 and (plain[1].default is Parameter.empty or plain[1].name == "rng"):
        return "second"
    return "named" if any(p.name == "rng" for p in parameters[1:]) else None


@dataclass_transform(frozen_default=True, eq_default=False)
class Node:
    """One word of a pipeline; a chain of nodes is the whole description.

    A class below this one is like a frozen dataclass: its annotations are its fields, in order. There are many of them, and
    `dataclasses` compiles code for each, which takes a tenth of the time to import the whole.
    """

    begins: ClassVar[bool] = False
    """Whether padding that is said before it is not meant for a batch behind it."""

    __signature__: ClassVar[Signature] = Signature()
    _needed: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        own = [name for name, kind in cls.__annotations__.items() if not kind.startswith("ClassVar")]
        cls.__signature__ = Signature(
            [
                Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=getattr(cls, name, Parameter.empty))
                for name in own
            ]
        )
        cls._needed = frozenset(name for name in own if not hasattr(cls, name))

    def __init__(self, *values: Any, **named: Any) -> None:
        given = {**dict(zip(self.__signature__.parameters, values, strict=False)), **named}
        if (
            len(given) < len(values) + len(named)
            or not self._needed <= given.keys() <= self.__signature__.parameters.keys()
        ):
            self.__signature__.bind(*values, **named)  # says what is wrong, in ten times as long
        self.__dict__.update(given)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Checks the fields."""

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(mismatch("a frozen description", f"`{name}` to be set", do="make another"))

    def changed(self, **fields: Any) -> Self:
        """The same word with some fields changed."""
        return type(self)(**{name: getattr(self, name) for name in self.__signature__.parameters} | fields)

    @property
    def upstream(self) -> tuple[Node, ...]:
        """The nodes that this one takes from."""
        node = getattr(self, "of", None)
        return () if node is None else node if isinstance(node, tuple) else (node,)

    @cached_property
    def below(self) -> tuple[Node, ...]:
        """All nodes upstream of this one; without itself, or it would hold itself."""
        return tuple([node for each in self.upstream for node in (each, *each.below)])

    @property
    def batched(self) -> bool:
        """Whether batches come out of this node, rather than examples."""
        return bool(self.upstream) and self.upstream[0].batched


class Read(Node):
    """Reads one source."""

    begins = True

    source: Source
    """What is read."""
    chunks: bool = False
    """Whether each item is a user's chunk (`enqueue_many`)."""
    copy: bool | None = None
    """Whether items are copied as they come; `None` copies where the source refills one array."""
    order: tuple[Literal["index", "files"], int | None] | None = None
    """What is in an order that is drawn for each epoch, and the seed, where it is not the pipeline's; `None`: nothing."""
    on_error: OnError | None = None
    """What is done about an error of the source; `None` does what the pipeline's options say."""

    def __post_init__(self) -> None:
        if self.on_error is None:
            return
        policy = policy_of(self.on_error, at=f"source {self.source.label!r}")
        if policy.retry is not None and self.source.once is not None:
            raise PipelineError(
                mismatch(
                    "a source that can be opened again, for `ps.Retry`",
                    f"the one-shot `{self.source.label}`",
                    at="on_error",
                    do="pass a callable that opens it",
                )
            )


def find(node: Node, kind: type[Node]) -> Sequence[Any]:
    """All nodes of one kind, upstream of and including `node`."""
    return [each for each in (node, *node.below) if isinstance(each, kind)]
