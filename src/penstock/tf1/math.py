"""Arithmetic and comparison under TF1's names, place by place, and what chooses between handles."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from penstock.structure import Structure
from penstock.tf1.errors import InvalidArgumentError
from penstock.tf1.handles import Apply, Handle, Node, Operation, Step, apply, as_handle, dtype_of, joint_shape, operand
from penstock.tf1.ops import Placeholder, cast, identity

__all__ = [
    "Assert",
    "Print",
    "abs",
    "add",
    "as_string",
    "boolean_mask",
    "ceil",
    "clip_by_value",
    "cond",
    "cumsum",
    "div",
    "divide",
    "exp",
    "floor",
    "floordiv",
    "floormod",
    "greater",
    "greater_equal",
    "is_nan",
    "less",
    "less_equal",
    "log",
    "logical_and",
    "logical_not",
    "logical_or",
    "map_fn",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "negative",
    "ones_like",
    "pow",
    "round",
    "saturate_cast",
    "sequence_mask",
    "sign",
    "sqrt",
    "square",
    "stop_gradient",
    "string_join",
    "to_double",
    "truediv",
    "zeros_like",
]

BOOL = np.dtype(np.bool_)


def _two(name: str, fn: Callable[[Any, Any], Any], *, dtype: Any = None, kept: bool = True) -> Callable[..., Handle]:
    def made(x: Any, y: Any, name: str | None = None) -> Handle:
        first, second = _pair(x, y, made.__name__)
        known = first.dtype if kept else dtype
        shape = joint_shape(second, first) if first.shape.sizes == () else joint_shape(first, second)
        return apply(made.__name__, lambda a, b: np.asarray(fn(a, b))[()], first, second, dtype=known, shape=shape)

    made.__name__ = made.__qualname__ = name
    made.__doc__ = f"What `{name}` makes of two values, place by place."
    return made


def _pair(x: Any, y: Any, at: str) -> tuple[Handle, Handle]:
    """Two values as handles; what is none in the dtype of the other."""
    if isinstance(x, Handle):
        return x, as_handle(operand(x, y, at))
    if isinstance(y, Handle):
        return as_handle(operand(y, x, at)), y
    first = as_handle(x)
    return first, as_handle(operand(first, y, at))


def _one(name: str, fn: Callable[[Any], Any], *, dtype: Any = None) -> Callable[..., Handle]:
    def made(x: Any, name: str | None = None) -> Handle:
        handle = as_handle(x)
        shape = handle.shape.sizes
        known = handle.dtype if dtype is None else dtype
        return Handle(Apply(made.__name__, lambda a: np.asarray(fn(a))[()], [handle]), dtype=known, shape=shape)

    made.__name__ = made.__qualname__ = name
    made.__doc__ = f"What `{name}` makes of a value, place by place."
    return made


def _div(a: Any, b: Any) -> Any:
    """Python 2's: rounded down between integers."""
    return a // b if np.asarray(a).dtype.kind in "iu" else a / b


add = _two("add", operator.add)
multiply = _two("multiply", operator.mul)
div = _two("div", _div)
divide = _two("divide", operator.truediv, kept=False)
truediv = _two("truediv", operator.truediv, kept=False)
floordiv = _two("floordiv", operator.floordiv)
floormod = _two("floormod", operator.mod)
mod = _two("mod", operator.mod)
pow = _two("pow", operator.pow)
minimum = _two("minimum", np.minimum)
maximum = _two("maximum", np.maximum)
greater = _two("greater", operator.gt, dtype=BOOL, kept=False)
greater_equal = _two("greater_equal", operator.ge, dtype=BOOL, kept=False)
less = _two("less", operator.lt, dtype=BOOL, kept=False)
less_equal = _two("less_equal", operator.le, dtype=BOOL, kept=False)
logical_and = _two("logical_and", np.logical_and)
logical_or = _two("logical_or", np.logical_or)

abs = _one("abs", np.abs)
ceil = _one("ceil", np.ceil)
exp = _one("exp", np.exp)
floor = _one("floor", np.floor)
is_nan = _one("is_nan", np.isnan, dtype=BOOL)
log = _one("log", np.log)
logical_not = _one("logical_not", np.logical_not)
negative = _one("negative", np.negative)
round = _one("round", np.round)
sign = _one("sign", np.sign)
sqrt = _one("sqrt", np.sqrt)
square = _one("square", np.square)
stop_gradient = identity


def zeros_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Handle:
    """Zeros in the shape of a value."""
    return _filled("zeros_like", np.zeros_like, tensor, dtype)


def ones_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Handle:
    """Ones in the shape of a value."""
    return _filled("ones_like", np.ones_like, tensor, dtype)


def _filled(name: str, fn: Callable[..., Any], tensor: Any, dtype: Any) -> Handle:
    handle = as_handle(tensor)
    to = None if dtype is None else dtype_of(dtype)
    node = Apply(name, lambda value: fn(value, dtype=to)[()], [handle])
    return Handle(node, dtype=handle.dtype if to is None else to, shape=handle.shape.sizes)


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Handle:
    """A value held between two others."""
    return minimum(maximum(t, clip_value_min), clip_value_max)


def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Handle:
    """The value in another dtype, held to what that can be."""
    to = dtype_of(dtype)
    limits: Any = np.iinfo(to) if to.kind in "iu" else np.finfo(to)

    def held(x: Any) -> Any:
        return np.clip(x, limits.min, limits.max).astype(to)

    return apply("saturate_cast", held, as_handle(value), dtype=to)


def to_double(x: Any, name: str | None = None) -> Handle:
    """The value as float64."""
    return cast(x, np.float64)


def cumsum(x: Any, axis: int = 0, name: str | None = None) -> Handle:
    """Sums of all up to each place."""
    handle = as_handle(x)
    return apply("cumsum", lambda a: np.cumsum(a, axis, dtype=a.dtype), handle, dtype=handle.dtype)


def boolean_mask(tensor: Any, mask: Any, name: str | None = None, axis: int = 0) -> Handle:
    """The rows of a value where a mask is true."""
    handle = as_handle(tensor)
    rows = (slice(None),) * axis
    return apply("boolean_mask", lambda a, kept: a[(*rows, np.asarray(kept))], handle, mask, dtype=handle.dtype)


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = BOOL, name: str | None = None) -> Handle:
    """For each length as many ones, then zeros, up to the longest or `maxlen`."""

    def mask(lengths: Any, most: Any = None) -> Any:
        width = np.max(lengths, initial=0) if most is None else most
        return (np.arange(width) < np.asarray(lengths)[..., None]).astype(dtype_of(dtype))

    more = [] if maxlen is None else [as_handle(maxlen)]
    return apply("sequence_mask", mask, as_handle(lengths), *more, dtype=dtype_of(dtype))


def as_string(input: Any, name: str | None = None) -> Handle:
    """Numbers as text."""

    def text(value: Any) -> Any:
        out = np.empty(np.shape(value), object)
        out[...] = np.frompyfunc(lambda x: (f"{x:f}" if isinstance(x, float) else str(x)).encode(), 1, 1)(value)
        return out[()]

    return apply("as_string", text, as_handle(input), dtype=np.dtype(object))


def string_join(inputs: Sequence[Any], separator: str = "", name: str | None = None) -> Handle:
    """Texts one behind the other."""

    def join(*parts: Any) -> Any:
        if not any(np.ndim(part) for part in parts):
            return separator.encode().join(parts)
        rows = np.broadcast_arrays(*[np.asarray(part, object) for part in parts])
        out = np.empty(rows[0].shape, object)
        out.ravel()[:] = [separator.encode().join(row) for row in zip(*[part.ravel() for part in rows], strict=True)]
        return out

    return apply("string_join", join, *[as_handle(part) for part in inputs], dtype=np.dtype(object))


def Print(  # noqa: N802
    input_: Any,
    data: Sequence[Any],
    message: str | None = None,
    first_n: int | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> Handle:
    """The value as it is; nothing is printed: what a step gives can be printed where it is taken."""
    return identity(input_)


def Assert(  # noqa: N802
    condition: Any, data: Sequence[Any], summarize: int | None = None, name: str | None = None
) -> Handle:
    """Something to run that raises `InvalidArgumentError` where a condition does not hold."""

    def check(step: Step, holds: Any, *told: Any) -> None:
        if not np.all(holds):
            raise InvalidArgumentError(f"assertion failed: {' '.join(f'[{part}]' for part in told)}")

    return Handle(Operation(name or "Assert", check, [as_handle(condition), *[as_handle(part) for part in data]]))


class Chosen(Node):
    """One of two handles, as a condition says; the other is not read."""

    def __init__(self, condition: Handle, yes: Handle, no: Handle) -> None:
        super().__init__("cond", [condition, yes, no])

    def outputs(self, step: Step) -> Sequence[Any]:
        """The value of the one."""
        condition, yes, no = self.inputs
        return (step.value(yes if step.value(condition) else no),)


def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    strict: bool = False,
    name: str | None = None,
    fn1: Callable[[], Any] | None = None,
    fn2: Callable[[], Any] | None = None,
) -> Any:
    """What one or the other function gives; in a step only what is chosen is read.

    Args:
      pred: a handle of a bool.
      true_fn: gives a handle, or a structure of them.
      false_fn: gives the same structure.
      strict: taken as in TF1, and changes nothing.
      name: for messages.
      fn1: the old name of `true_fn`.
      fn2: the old name of `false_fn`.

    Source: TF1 `tf.cond`.
    """
    first, second = true_fn or fn1, false_fn or fn2
    if first is None or second is None:
        raise TypeError("expected two functions, got fewer - at cond")
    yes, no = first(), second()
    structure = Structure.of(yes)
    pairs = zip(structure.leaves(yes), structure.leaves(no), strict=True)
    chosen = []
    for one, other in pairs:
        handle = as_handle(one)
        chosen.append(Handle(Chosen(as_handle(pred), handle, as_handle(other)), dtype=handle.dtype))
    return structure.build(chosen)


class Mapped(Node):
    """What a few nodes make of each row of some arrays."""

    def __init__(self, rows: Sequence[Handle], places: Sequence[Handle], results: Sequence[Handle]) -> None:
        self._places = list(places)
        self._results = list(results)
        self._around = _around(results, places)
        self._count = len(rows)
        super().__init__("map_fn", [*rows, *self._around])

    def outputs(self, step: Step) -> Sequence[Any]:
        """A step for each row, in which what is around is what it is in this one."""
        values = [step.value(handle) for handle in self.inputs]
        arrays, around = values[: self._count], dict(zip(self._around, values[self._count :], strict=True))
        rows = []
        for row in zip(*arrays, strict=True):
            own = Step(step.session, {**around, **dict(zip(self._places, row, strict=True))}, step.timeout_s)
            rows.append([own.value(handle) for handle in self._results])
        return [_stack(column) for column in zip(*rows, strict=True)] if rows else [np.empty(0)] * len(self._results)


def _stack(rows: Sequence[Any]) -> Any:
    if isinstance(rows[0], bytes):
        out = np.empty(len(rows), object)
        out[:] = rows
        return out
    return np.stack(rows)


def _around(results: Sequence[Handle], places: Sequence[Handle]) -> list[Handle]:
    """The handles that some are made of and that do not hang on the places."""
    inner = {place.node for place in places}
    hangs: dict[Node, bool] = {}

    def hanging(node: Node) -> bool:
        if node not in hangs:
            hangs[node] = node in inner or any([hanging(handle.node) for handle in node.inputs])
        return hangs[node]

    found: dict[Handle, None] = {}
    waiting, seen = [*results], set()
    while waiting:
        handle = waiting.pop()
        if not hanging(handle.node):
            found[handle] = None
        elif handle.node not in seen:
            seen.add(handle.node)
            waiting += handle.node.inputs
    return list(found)


def map_fn(fn: Callable[[Any], Any], elems: Any, dtype: Any = None, name: str | None = None, **_: Any) -> Any:
    """What a function of handles makes of each row, below one another.

    Args:
      fn: called once, with handles of a row, in the structure of `elems`; gives a handle, or a structure of them.
      elems: a handle, or a structure of them, whose rows are gone through together.
      dtype: taken as in TF1, and changes nothing.
      name: for messages.
      **_: how it was run in TF1, which changes nothing.

    Source: TF1 `tf.map_fn`.

    >>> from penstock import tf1 as tf
    >>> next(tf.feed(tf.map_fn(lambda row: tf.reduce_sum(row), tf.constant([[1, 2], [3, 4]]))))
    array([3, 7], dtype=int32)
    """
    if isinstance(elems, list) and not any(isinstance(part, Handle) for part in elems):
        elems = as_handle(elems)
    whole = Structure.of(elems)
    rows = [as_handle(leaf) for leaf in whole.leaves(elems)]
    places = [Handle(Placeholder(f"row[{i}]"), dtype=handle.dtype) for i, handle in enumerate(rows)]
    made = fn(whole.build(places))
    structure = Structure.of(made)
    results = [as_handle(leaf) for leaf in structure.leaves(made)]
    node = Mapped(rows, places, results)
    return structure.build([Handle(node, i, dtype=handle.dtype) for i, handle in enumerate(results)])
