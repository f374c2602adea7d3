"""Handles: what TF1's functions return, to be unpacked once and read step after step.

Guarantees
  In one step each node is evaluated at most once, so handles of one origin belong together.
  A handle holds no data and runs nothing; all that runs belongs to a session.
Assumes
  Nodes form no circle: a node is made from handles that exist.
Why not TensorFlow's graph
  It was the reason why a forgotten call hung; here a step walks from what is asked for to what it needs, in plain Python.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, final

import numpy as np

from penstock.errors import mismatch
from penstock.tf1.defaults import controls, default_session
from penstock.tf1.errors import FormError, InvalidArgumentError
from penstock.tf1.shape import Dimension, Shape

__all__ = [
    "Apply",
    "Constant",
    "Handle",
    "Node",
    "Operation",
    "SparseTensor",
    "Step",
    "apply",
    "as_handle",
    "as_value",
    "dtype_of",
    "joint_shape",
    "operand",
]

Value = Any


class Node(ABC):
    """What a handle is read from; evaluated once a step.

    Args:
      name: for messages.
      inputs: the handles that it needs.
    """

    def __init__(self, name: str, inputs: Sequence[Handle] = ()) -> None:
        self.name = name
        self.inputs = tuple(inputs)
        self.controls: tuple[Node, ...] = controls()
        """What runs before it in a step: that of `tf.control_dependencies`."""

    @property
    def origin(self) -> object:
        """What has a state in a session, which whoever evaluates the node moves on; `None` if nothing has."""
        return None

    def told(self, outputs: Sequence[Value]) -> str | None:
        """What a message says of what it gave: a record's place in its file; `None` if nothing."""
        return None

    @abstractmethod
    def outputs(self, step: Step) -> Sequence[Value]:
        """Evaluates it: the values of its handles, in order."""


@final
class Step:
    """One run of a session: what has been evaluated in it so far.

    Args:
      session: whose states the nodes move on.
      fed: values that stand in for handles.
      timeout_s: how long a queue may be waited for; `None` for ever. [s]
    """

    __slots__ = ("_known", "fed", "session", "timeout_s")

    def __init__(self, session: Any, fed: Mapping[Handle, Value] | None = None, timeout_s: float | None = None) -> None:
        self.session = session
        self.fed = fed or {}
        self.timeout_s = timeout_s
        self._known: dict[Node, Sequence[Value]] = {}

    def value(self, handle: Handle) -> Value:
        """The value of a handle in this step."""
        if self.fed and handle in self.fed:
            return self.fed[handle]
        value = self.outputs(handle.node)[handle.index]
        if handle.declared is not None:
            _check_shape(value, handle.declared, handle.name)
        return value

    def outputs(self, node: Node) -> Sequence[Value]:
        """What a node gives in this step, after what was to run before it."""
        outputs = self._known.get(node)
        if outputs is None:
            for first in node.controls:
                self.outputs(first)
            outputs = self._known[node] = node.outputs(self)
        return outputs

    def noted(self, error: BaseException) -> None:
        """Adds to an error which records the step had read."""
        for node, outputs in self._known.items():
            told = node.told(outputs)
            if told is not None:
                error.add_note(f"penstock: in a step with {told}")


class Handle:
    """One component of one step: `sess.run` gives its value, and so does `next` of a feed.

    Args:
      node: what it is read from.
      index: which of the node's outputs it is.
      dtype: what is known of its dtype.
      shape: what is known of its shape, `None` for a free dimension.
    """

    # NumPy leaves operators to us, and so says what it cannot do.
    __array_ufunc__ = None
    __slots__ = ("declared", "dtype", "index", "node", "static")

    def __init__(
        self, node: Node, index: int = 0, *, dtype: Any = None, shape: Sequence[int | None] | None = None
    ) -> None:
        self.node = node
        self.index = index
        self.dtype = dtype
        self.static = None if shape is None else tuple(shape)
        self.declared: tuple[int | None, ...] | None = None

    @property
    def name(self) -> str:
        """The name of its node and its place there, as TF1 wrote it."""
        return f"{self.node.name}:{self.index}"

    @property
    def op(self) -> Node:
        """The node it is read from."""
        return self.node

    @property
    def shape(self) -> Shape:
        """What is known of its shape before anything ran."""
        return Shape(self.declared if self.declared is not None else self.static)

    def get_shape(self) -> Shape:
        """What is known of its shape before anything ran."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Declares its shape, which every value is then held to.

        Args:
          shape: sizes, `None` for a free dimension.
        """
        self.declared = Shape(shape).sizes

    def eval(self, feed_dict: Mapping[Handle, Value] | None = None, session: Any = None) -> Value:
        """Its value in a step of its own, in the default session if none is given."""
        session = session if session is not None else default_session()
        if session is None:
            raise ValueError("Cannot evaluate a handle: no default session is registered; use `with sess.as_default()`")
        return session.run(self, feed_dict=feed_dict)

    # Operators make handles; what asks for a value says that there is none yet.

    def __getitem__(self, key: Any) -> Handle:
        parts = list(key) if isinstance(key, tuple) else [key]
        numbers = [bound for part in parts for bound in _bounds(part)]

        def taken(value: Any, *numbers: Any) -> Any:
            left = iter(numbers)
            places = tuple(_bounded(part, left) for part in parts)
            return value[places if isinstance(key, tuple) else places[0]]

        return apply("strided_slice", taken, self, *numbers, dtype=self.dtype)

    def __neg__(self) -> Handle:
        return apply("neg", operator.neg, self, dtype=self.dtype)

    def __abs__(self) -> Handle:
        return apply("abs", np.abs, self, dtype=self.dtype)

    def __invert__(self) -> Handle:
        return apply("logical_not", np.logical_not, self, dtype=np.dtype(np.bool_))

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def _refuse(self, what: str) -> NoReturn:
        raise FormError(
            mismatch(
                "a value",
                f"the handle `{self.name}`, which has one only in a step",
                at=what,
                do="take it from `sess.run(handle)` or `next(tf1.feed(handle))`; a function that is to work on each "
                "value goes into `tf1.py_func`",
            )
        )

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        self._refuse("a function of arrays, such as NumPy's")

    def __tf_tensor__(self, *_: Any, **__: Any) -> NoReturn:
        self._refuse("a function of TensorFlow's own")

    def __jax_array__(self) -> NoReturn:
        self._refuse("a function of JAX")

    def __iter__(self) -> Iterator[Any]:
        self._refuse("iteration")

    def __bool__(self) -> bool:
        self._refuse("a condition")

    def __len__(self) -> int:
        self._refuse("len()")

    def __float__(self) -> float:
        self._refuse("float()")

    def __int__(self) -> int:
        self._refuse("int()")

    def __index__(self) -> int:
        self._refuse("an index")

    def __repr__(self) -> str:
        known = "" if self.dtype is None else f" {dtype_of(self.dtype)}"
        return f"<Handle {self.name}{known}>"


def _bounds(part: Any) -> list[Any]:
    """What in a piece of an index may be a handle."""
    return [part.start, part.stop, part.step] if isinstance(part, slice) else [part]


def _bounded(part: Any, numbers: Iterator[Any]) -> Any:
    """A piece of an index with numbers in the places of handles."""
    if isinstance(part, slice):
        return slice(*[None if bound is None else int(bound) for bound in (next(numbers) for _ in range(3))])
    return next(numbers)


def _binary(
    name: str, fn: Callable[[Any, Any], Any], *, kept: bool, dtype: Any = None
) -> tuple[Callable[..., Handle], Callable[..., Handle]]:
    def forward(self: Handle, other: Any) -> Handle:
        shape = joint_shape(self, other)
        return apply(name, fn, self, operand(self, other, name), dtype=self.dtype if kept else dtype, shape=shape)

    def backward(self: Handle, other: Any) -> Handle:
        shape = joint_shape(self, other)
        return apply(name, fn, operand(self, other, name), self, dtype=self.dtype if kept else dtype, shape=shape)

    return forward, backward


def joint_shape(handle: Handle, other: Any) -> tuple[int | None, ...] | None:
    """What is known of the shape of a handle and something beside it, place by place."""
    own = handle.shape.sizes
    theirs = other.shape.sizes if isinstance(other, Handle) else np.shape(other)
    return own if theirs == () or theirs == own else None


def operand(handle: Handle, other: Any, at: str) -> Any:
    """The other side of an operator, a number in the dtype of the handle.

    Raises:
      FormError: integers meet a Python number that is none.
    """
    whole = handle.dtype is None or np.dtype(handle.dtype).kind not in "iu"
    if not whole and not hasattr(other, "dtype") and np.asarray(other).dtype.kind == "f":
        do = "`tf.cast(x, tf.float32)` first"
        raise FormError(mismatch(f"`{np.dtype(handle.dtype)}`", f"`{other!r}`", at=at, do=do))
    return as_value(other, like=handle.dtype)


_BOTH_WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    "and": np.logical_and,
    "or": np.logical_or,
}
_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
for _name, _fn in _BOTH_WAYS.items():
    _logical = _name in ("and", "or")
    _forward, _backward = _binary(
        _name, _fn, kept=not _logical and _name != "truediv", dtype=np.dtype(np.bool_) if _logical else None
    )
    setattr(Handle, f"__{_name}__", _forward)
    setattr(Handle, f"__r{_name}__", _backward)
for _name, _fn in _COMPARED.items():
    setattr(Handle, f"__{_name}__", _binary(_name, _fn, kept=False, dtype=np.dtype(np.bool_))[0])


class SparseTensor(NamedTuple):
    """An array that is mostly empty, as three handles; what `sess.run` gives of it holds three arrays.

    Source: TF1 `tf.SparseTensor` and `tf.SparseTensorValue`.
    """

    indices: Any
    """Where its values are: int64[n, rank], in order."""
    values: Any
    """The n values."""
    dense_shape: Any
    """Its shape: int64[rank]."""

    @property
    def dtype(self) -> Any:
        """The dtype of its values, where it is known."""
        return getattr(self.values, "dtype", None)


@final
class Constant(Node):
    """The same value at every step."""

    def __init__(self, value: Value, name: str = "Const") -> None:
        super().__init__(name)
        self._outputs = (value,)

    def outputs(self, step: Step) -> Sequence[Value]:
        """The value."""
        return self._outputs


@final
class Apply(Node):
    """What a function without a state makes of the values of handles.

    Args:
      name: for messages.
      fn: called with the values; gives a value, or a sequence of `count` of them.
      inputs: the handles.
      count: how many handles are read from it; `None` for one.
    """

    def __init__(self, name: str, fn: Callable[..., Any], inputs: Sequence[Handle], count: int | None = None) -> None:
        super().__init__(name, inputs)
        self._fn = fn
        self._count = count

    def outputs(self, step: Step) -> Sequence[Value]:
        """Calls the function."""
        result = self._fn(*[step.value(handle) for handle in self.inputs])
        if self._count is None:
            return (result,)
        if len(result) != self._count:
            raise InvalidArgumentError(mismatch(f"{self._count} values", len(result), at=f"`{self.name}`"))
        return result if isinstance(result, Sequence) else tuple(result)


@final
class Operation(Node):
    """Something that is done for its effect: `sess.run` gives `None` for it."""

    def __init__(self, name: str, fn: Callable[..., object], inputs: Sequence[Handle] = ()) -> None:
        super().__init__(name, inputs)
        self._fn = fn

    def outputs(self, step: Step) -> Sequence[Value]:
        """Does it; the function gets the step, then the values."""
        self._fn(step, *[step.value(handle) for handle in self.inputs])
        return (None,)


def apply(name: str, fn: Callable[..., Any], *arguments: Any, dtype: Any = None, shape: Any = None) -> Handle:
    """A handle of what a function makes of its arguments, those that are handles by their values.

    With no handle among them the function is called at once.

    Raises:
      FormError: one of them is a `SparseTensor`.
    """
    for argument in arguments:
        _dense(argument, name)
    places = [place for place, argument in enumerate(arguments) if isinstance(argument, Handle)]
    if len(places) == len(arguments):
        node: Node = Apply(name, fn, arguments)
    elif not places:
        node = Constant(fn(*arguments), name)
    else:
        given = list(arguments)

        def filled(*values: Any) -> Any:
            called = given.copy()
            for place, value in zip(places, values, strict=True):
                called[place] = value
            return fn(*called)

        node = Apply(name, filled, [arguments[place] for place in places])
    return Handle(node, dtype=dtype, shape=shape)


def as_handle(thing: Any, *, dtype: Any = None) -> Handle:
    """A handle as it is; anything else as a constant, text as bytes, numbers in TF1's dtypes.

    Raises:
      FormError: it is a `SparseTensor`.
    """
    if isinstance(thing, Handle):
        return thing
    _dense(thing, "a handle")
    if isinstance(thing, (list, tuple)) and any(isinstance(part, Handle) for part in thing):
        return apply("packed", lambda *parts: np.stack(parts), *[as_handle(part, dtype=dtype) for part in thing])
    value = as_value(thing, like=dtype)
    return Handle(Constant(value), dtype=getattr(value, "dtype", np.dtype(object)), shape=np.shape(value))


def _dense(thing: Any, at: str) -> None:
    if isinstance(thing, SparseTensor):
        do = "`tf.sparse_tensor_to_dense(x)`, or its `x.values`"
        raise FormError(mismatch("a handle of an array", "a `SparseTensor`", at=at, do=do))


def as_value(thing: Any, *, like: Any = None) -> Any:
    """What TF1 made of a Python value: text becomes bytes, an `int` int32, a `float` float32.

    >>> as_value("a"), as_value(1), as_value(["a", "b"])
    (b'a', np.int32(1), array([b'a', b'b'], dtype=object))
    """
    if isinstance(thing, (Handle, bytes)) or thing is None:
        return thing
    if isinstance(thing, Dimension):
        return np.int32(thing)
    if isinstance(thing, str):
        return thing.encode()
    if isinstance(thing, np.generic):
        return thing if like is None or thing.dtype.kind in "SU" else thing.astype(dtype_of(like))
    array = np.asarray(thing, None if like is None else dtype_of(like))
    if array.dtype.kind in "USO":
        out = np.empty(array.shape, object)
        if array.size:
            out[...] = np.frompyfunc(_text, 1, 1)(array)
        return out if out.ndim else out[()]
    if like is None and not hasattr(thing, "dtype"):
        array = array.astype({"i": np.int32, "f": np.float32}.get(array.dtype.kind, array.dtype))
    return array if array.ndim else array[()]


def _text(part: Any) -> Any:
    return part.encode() if isinstance(part, str) else part


def dtype_of(dtype: Any) -> np.dtype[Any]:
    """The NumPy dtype of what was passed as one: TensorFlow's own, NumPy's, or a name; text is `object`.

    >>> dtype_of("float"), dtype_of(float), dtype_of("double")  # As in TF1, not as in NumPy.
    (dtype('float32'), dtype('float32'), dtype('float64'))
    """
    known = getattr(dtype, "as_numpy_dtype", dtype)
    if known in (str, bytes, "string"):
        return np.dtype(object)
    # A dtype of NumPy's is equal to its own names, "float" among them.
    return np.dtype(np.float32 if known is float or (isinstance(known, str) and known == "float") else known)


def _check_shape(value: Any, declared: tuple[int | None, ...], name: str) -> None:
    shape = np.shape(value)
    if len(shape) != len(declared) or any(
        want is not None and want != got for want, got in zip(declared, shape, strict=True)
    ):
        text = f"[{', '.join('?' if size is None else str(size) for size in declared)}]"
        raise InvalidArgumentError(mismatch(f"the shape `{text}` that was set", f"`{list(shape)}`", at=f"`{name}`"))
