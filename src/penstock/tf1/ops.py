"""Functions of handles, under TF1's names: what input scripts do with one example before it is batched.

Each gives a handle of what NumPy makes of the values; a name that is not here is TensorFlow's, and `tf1.py_func` takes any
function.
"""

from __future__ import annotations

import builtins
import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from penstock.errors import mismatch
from penstock.tf1.errors import InvalidArgumentError, OutOfRangeError
from penstock.tf1.handles import Apply, Constant, Handle, Node, Operation, apply, as_handle, as_value, dtype_of

__all__ = [
    "argmax",
    "assert_equal",
    "cast",
    "concat",
    "constant",
    "convert_to_tensor",
    "equal",
    "expand_dims",
    "fill",
    "gather",
    "group",
    "identity",
    "no_op",
    "not_equal",
    "one_hot",
    "ones",
    "pad",
    "placeholder",
    "placeholder_with_default",
    "py_func",
    "range",
    "rank",
    "reduce_all",
    "reduce_any",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
    "reshape",
    "reverse",
    "shape",
    "size",
    "slice",
    "split",
    "squeeze",
    "stack",
    "strided_slice",
    "subtract",
    "tile",
    "to_float",
    "to_int32",
    "to_int64",
    "transpose",
    "tuple",
    "unstack",
    "where",
    "zeros",
]


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Handle:
    """The same value at every step: text as bytes, an `int` as int32, a `float` as float32."""
    given = as_value(value, like=dtype)
    if shape is not None:
        given = np.broadcast_to(given, shape) if np.size(given) == 1 else np.reshape(given, shape)
    return Handle(Constant(given, name or "Const"), dtype=getattr(given, "dtype", object), shape=np.shape(given))


def convert_to_tensor(value: Any, dtype: Any = None, name: str | None = None) -> Handle:
    """A handle as it is, or a constant."""
    return as_handle(value, dtype=dtype)


class Placeholder(Node):
    """A value that has to be fed."""

    def outputs(self, step: Any) -> Sequence[Any]:
        """Says that it was not fed."""
        want = f"a value for the placeholder `{self.name}` in `feed_dict`"
        raise InvalidArgumentError(mismatch(want, "none", at="sess.run()"))


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Handle:
    """A handle whose value comes from the `feed_dict` of each step."""
    return Handle(Placeholder(name or "Placeholder"), dtype=dtype_of(dtype), shape=shape)


def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> Handle:
    """A handle whose value comes from the `feed_dict` of a step, or is another's where that is silent."""
    handle = as_handle(input)
    node = Apply(name or "PlaceholderWithDefault", lambda value: value, [handle])
    return Handle(node, dtype=handle.dtype, shape=shape)


def py_func(
    func: Callable[..., Any],
    inp: Sequence[Any],
    Tout: Any,  # noqa: N803
    stateful: bool = True,
    name: str | None = None,
) -> Any:
    """What a Python function makes of the values, step after step.

    A `StopIteration` of the function is the end of the data; any other exception comes out of `sess.run` as it is.

    Args:
      func: called with the values.
      inp: handles, or constants.
      Tout: the dtype of its result, or a list of dtypes if it gives several.
      stateful: taken as in TF1: the function may have a state, and so is called once a step, in one thread at a time.
      name: for messages.

    Returns:
      A handle, or a list of them for a list of dtypes.

    Source: TF1 `tf.py_func`.

    >>> from penstock import tf1 as tf
    >>> numbers = iter([1, 2, 3])
    >>> with tf.feed(tf.py_func(lambda: next(numbers), [], tf.int64)) as feed:
    ...     print(list(feed))
    [np.int64(1), np.int64(2), np.int64(3)]
    """
    listed = isinstance(Tout, (list, builtins.tuple))
    dtypes = [dtype_of(dtype) for dtype in (Tout if listed else [Tout])]
    label = name or f"py_func({getattr(func, '__name__', type(func).__name__)})"
    node = Called(label, func, [as_handle(part) for part in inp], dtypes, listed)
    handles = [Handle(node, i, dtype=dtype) for i, dtype in enumerate(dtypes)]
    return handles if listed else handles[0]


class Turn:
    """Whose turn it is to call a function: in a session one thread's at a time."""

    def __init__(self) -> None:
        self.lock = threading.RLock()

    def close(self) -> None:
        """Has nothing to stop."""


class Called(Node):
    """A Python function of the user's, called once a step."""

    def __init__(
        self, name: str, fn: Callable[..., Any], inputs: Sequence[Handle], dtypes: list[np.dtype[Any]], listed: bool
    ) -> None:
        super().__init__(name, inputs)
        self._fn = fn
        self._dtypes = dtypes
        self._listed = listed

    @property
    def origin(self) -> object:
        """The function."""
        return self._fn if isinstance(self._fn, Hashable) else self

    def outputs(self, step: Any) -> Sequence[Any]:
        """Calls it, and holds what it gives to the dtypes."""
        values = [step.value(handle) for handle in self.inputs]
        turn: Turn = step.session.state(self.origin, Turn)
        try:
            with turn.lock:
                result = self._fn(*values)
        except StopIteration:
            raise OutOfRangeError(f"`{self.name}` has ended: it raised StopIteration") from None
        several = self._listed and isinstance(result, (list, builtins.tuple))
        results = list(result) if several else [result]
        if len(results) != len(self._dtypes):
            raise InvalidArgumentError(mismatch(f"{len(self._dtypes)} results", len(results), at=f"`{self.name}`"))
        return [self._held(part, dtype) for part, dtype in zip(results, self._dtypes, strict=True)]

    def _held(self, value: Any, dtype: np.dtype[Any]) -> Any:
        if isinstance(value, (np.ndarray, np.generic)) and dtype.kind != "O" and value.dtype != dtype:
            raise InvalidArgumentError(mismatch(f"`{dtype}`, as `Tout` says", f"`{value.dtype}`", at=f"`{self.name}`"))
        return as_value(value, like=dtype)


def no_op(name: str | None = None) -> Handle:
    """Something to run that does nothing, as the initialisers of penstock.tf1."""
    return Handle(Operation(name or "no_op", lambda step: None))


def group(*inputs: Handle, name: str | None = None) -> Handle:
    """Something to run that runs all of these."""
    return Handle(Operation(name or "group", lambda step, *values: None, inputs))


def tuple(tensors: Sequence[Handle], name: str | None = None, control_inputs: object = None) -> list[Handle]:
    """The handles as they are: those of one step belong together anyway."""
    return list(tensors)


def cast(x: Any, dtype: Any, name: str | None = None) -> Handle:
    """The value in another dtype."""
    to = dtype_of(dtype)
    return apply("cast", lambda value: np.asarray(value).astype(to)[()], x, dtype=to, shape=_known(x))


def _known(x: Any) -> Any:
    """What is known of the shape of a handle."""
    return x.shape.sizes if isinstance(x, Handle) else None


def to_float(x: Any, name: str | None = None) -> Handle:
    """The value as float32."""
    return cast(x, np.float32)


def to_int32(x: Any, name: str | None = None) -> Handle:
    """The value as int32."""
    return cast(x, np.int32)


def to_int64(x: Any, name: str | None = None) -> Handle:
    """The value as int64."""
    return cast(x, np.int64)


def identity(input: Any, name: str | None = None) -> Handle:
    """The value as it is, after what `tf.control_dependencies` says."""
    handle = as_handle(input)
    node = Apply(name or "Identity", lambda value: value, [handle])
    return Handle(node, dtype=handle.dtype, shape=handle.shape.sizes)


def _kept(name: str, fn: Callable[..., Any], x: Any, *arguments: Any) -> Handle:
    """A handle of the dtype that `x` has."""
    return apply(name, fn, x, *arguments, dtype=getattr(x, "dtype", None))


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Handle:
    """The value in another shape; -1 is what is left."""
    if isinstance(shape, (list, builtins.tuple)) and any(isinstance(size, Handle) for size in shape):
        shape = as_handle(shape)
    made = _kept("reshape", np.reshape, tensor, shape)
    if isinstance(shape, (list, builtins.tuple)):
        made.static = builtins.tuple(None if size < 0 else int(size) for size in shape)
    return made


def transpose(a: Any, perm: Sequence[int] | None = None, name: str | None = None) -> Handle:
    """The value with its dimensions in another order."""
    return _kept("transpose", lambda value: np.transpose(value, perm), a)


def expand_dims(input: Any, axis: int | None = None, name: str | None = None, dim: int | None = None) -> Handle:
    """The value with a dimension more."""
    place = axis if axis is not None else dim
    return _kept("expand_dims", lambda value: np.expand_dims(value, place or 0), input)


def squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Handle:
    """The value without dimensions of size 1."""
    given = axis if axis is not None else squeeze_dims
    places = builtins.tuple(given) if isinstance(given, list) else given
    return _kept("squeeze", lambda value: np.squeeze(value, places), input)


def concat(values: Sequence[Any], axis: int, name: str | None = None) -> Handle:
    """Values one after the other along a dimension."""
    return _kept("concat", lambda *parts: np.concatenate(parts, axis), *[as_handle(value) for value in values])


def stack(values: Sequence[Any], axis: int = 0, name: str | None = None) -> Handle:
    """Values along a new dimension."""
    return _kept("stack", lambda *parts: np.stack(parts, axis), *[as_handle(value) for value in values])


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str | None = None) -> list[Handle]:
    """The rows of a value, `num` of them."""
    count = num if num is not None else as_handle(value).shape.as_list()[axis]
    if count is None:
        raise ValueError(
            "expected `num`, got none - at unstack - the size of the dimension is not known before it runs"
        )
    node = Apply("unstack", lambda array: list(np.moveaxis(array, axis, 0)), [as_handle(value)], count)
    return [Handle(node, i) for i in builtins.range(count)]


def split(value: Any, num_or_size_splits: Any, axis: int = 0, name: str | None = None) -> list[Handle]:
    """A value cut into pieces along a dimension."""
    several = isinstance(num_or_size_splits, (list, builtins.tuple))
    cuts = np.cumsum(num_or_size_splits)[:-1] if several else num_or_size_splits
    count = len(num_or_size_splits) if several else num_or_size_splits
    node = Apply("split", lambda array: np.split(array, cuts, axis), [as_handle(value)], count)
    return [Handle(node, i) for i in builtins.range(count)]


def slice(input_: Any, begin: Sequence[Any], size: Sequence[Any], name: str | None = None) -> Handle:
    """A piece of a value; size -1 is up to the end."""

    def cut(value: Any, begin: Any, size: Any) -> Any:
        pairs = zip(begin, size, strict=True)
        return value[builtins.tuple(builtins.slice(b, None if s == -1 else b + s) for b, s in pairs)]

    return _kept("slice", cut, input_, as_handle(begin), as_handle(size))


def strided_slice(
    input_: Any, begin: Sequence[int], end: Sequence[int], strides: Sequence[int] | None = None, name: str | None = None
) -> Handle:
    """A piece of a value, from `begin` to `end` of each dimension."""
    key = builtins.tuple(map(builtins.slice, begin, end, strides or [1] * len(begin)))
    return _kept("strided_slice", lambda value: value[key], input_)


def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", name: str | None = None, constant_values: Any = 0
) -> Handle:
    """The value with more around it."""
    if mode.upper() == "CONSTANT":
        return _kept("pad", lambda value: np.pad(value, paddings, constant_values=constant_values), tensor)
    modes: dict[str, Any] = {"REFLECT": "reflect", "SYMMETRIC": "symmetric"}
    return _kept("pad", lambda value: np.pad(value, paddings, modes[mode.upper()]), tensor)


def tile(input: Any, multiples: Any, name: str | None = None) -> Handle:
    """The value several times over."""
    return _kept("tile", np.tile, input, multiples)


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Handle:
    """The value the other way round along some dimensions."""
    return _kept("reverse", lambda value: np.flip(value, axis), tensor)


def one_hot(
    indices: Any,
    depth: int,
    on_value: Any = 1,
    off_value: Any = 0,
    axis: int = -1,
    dtype: Any = np.float32,
    name: str | None = None,
) -> Handle:
    """For each index a vector that is `on_value` at its place; `off_value` everywhere for one outside."""

    def made(index: Any) -> Any:
        hot = np.expand_dims(index, axis) == np.arange(depth).reshape(
            [-1] + [1] * (np.ndim(index) - (axis % (np.ndim(index) + 1)))
        )
        return np.where(hot, on_value, off_value).astype(dtype_of(dtype))

    known = indices.shape.sizes if isinstance(indices, Handle) and axis == -1 else None
    return apply("one_hot", made, indices, dtype=dtype_of(dtype), shape=None if known is None else (*known, depth))


def shape(input: Any, name: str | None = None, out_type: Any = np.int32) -> Handle:
    """The shape of a value."""
    known, to = _known(input), dtype_of(out_type)
    rank = None if known is None else [len(known)]
    return apply("shape", lambda value: np.array(np.shape(value), to), input, dtype=to, shape=rank)


def size(input: Any, name: str | None = None, out_type: Any = np.int32) -> Handle:
    """How many elements a value has."""
    return apply("size", lambda value: dtype_of(out_type).type(np.size(value)), input, dtype=dtype_of(out_type))


def rank(input: Any, name: str | None = None) -> Handle:
    """How many dimensions a value has."""
    return apply("rank", lambda value: np.int32(np.ndim(value)), input, dtype=np.int32)


def zeros(shape: Any, dtype: Any = np.float32, name: str | None = None) -> Handle:
    """Zeros, at every step."""
    return constant(np.zeros(shape, dtype_of(dtype)))


def ones(shape: Any, dtype: Any = np.float32, name: str | None = None) -> Handle:
    """Ones, at every step."""
    return constant(np.ones(shape, dtype_of(dtype)))


def fill(dims: Any, value: Any, name: str | None = None) -> Handle:
    """One value everywhere, at every step."""
    return constant(np.full(dims, as_value(value)))


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = None) -> Handle:
    """Numbers from `start` to below `limit`."""
    first, last = (0, start) if limit is None else (start, limit)

    def numbers(first: Any, last: Any, delta: Any) -> Any:
        to = dtype_of(dtype) if dtype is not None else np.asarray(as_value(last)).dtype
        return np.arange(first, last, delta).astype(to)

    return apply("range", numbers, first, last, delta)


def equal(x: Any, y: Any, name: str | None = None) -> Handle:
    """Whether two values are equal, place by place."""
    return apply("equal", lambda a, b: np.asarray(a == b)[()], x, as_value(y), dtype=np.bool_)


def not_equal(x: Any, y: Any, name: str | None = None) -> Handle:
    """Whether two values differ, place by place."""
    return apply("not_equal", lambda a, b: np.asarray(a != b)[()], x, as_value(y), dtype=np.bool_)


def subtract(x: Any, y: Any, name: str | None = None) -> Handle:
    """One value less another."""
    return apply("subtract", lambda a, b: a - b, x, as_value(y, like=getattr(x, "dtype", None)))


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Handle:
    """One value or the other, place by place; or the places where a condition holds."""
    if x is None:
        return apply("where", lambda value: np.argwhere(value).astype(np.int64), condition, dtype=np.int64)
    return apply("where", np.where, condition, as_value(x), as_value(y))


def argmax(input: Any, axis: Any = None, name: str | None = None, dimension: Any = None) -> Handle:
    """The place of the largest."""
    place = axis if axis is not None else dimension if dimension is not None else 0
    return apply("argmax", lambda value: np.argmax(value, place), input, dtype=np.int64)


def _reduced(name: str, fn: Callable[..., Any]) -> Callable[..., Handle]:
    def reduce(
        input_tensor: Any,
        axis: Any = None,
        keepdims: bool = False,
        name: str | None = None,
        reduction_indices: Any = None,
        keep_dims: bool = False,
    ) -> Handle:
        given = axis if axis is not None else reduction_indices
        along = builtins.tuple(given) if isinstance(given, list) else given

        def made(value: Any) -> Any:
            array = np.asarray(value)
            return fn(array, axis=along, keepdims=keepdims or keep_dims).astype(array.dtype)[()]

        return _kept(reduce.__name__, made, input_tensor)

    reduce.__name__ = reduce.__qualname__ = name
    reduce.__doc__ = f"What `numpy.{fn.__name__}` makes of a value, in its dtype as in TF1."
    return reduce


reduce_max = _reduced("reduce_max", np.max)
reduce_min = _reduced("reduce_min", np.min)
reduce_mean = _reduced("reduce_mean", np.mean)
reduce_sum = _reduced("reduce_sum", np.sum)
reduce_prod = _reduced("reduce_prod", np.prod)
reduce_any = _reduced("reduce_any", np.any)
reduce_all = _reduced("reduce_all", np.all)


def assert_equal(
    x: Any, y: Any, data: object = None, summarize: object = None, message: str | None = None, name: str | None = None
) -> Handle:
    """Something to run that raises `InvalidArgumentError` where two values differ."""

    def check(step: Any, a: Any, b: Any) -> None:
        if not np.array_equal(a, b):
            raise InvalidArgumentError(message or mismatch(f"`{a}`", f"`{b}`", at="assert_equal"))

    return Handle(Operation(name or "assert_equal", check, [as_handle(x), as_handle(y)]))


def gather(params: Any, indices: Any, name: str | None = None, axis: int = 0) -> Handle:
    """The rows of a value at some places."""
    return apply("gather", lambda values, at: np.take(values, at, axis), as_handle(params), indices)
