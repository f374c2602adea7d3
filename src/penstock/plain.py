"""Values as plain data that JSON can hold, and back: what a state of a flow is written in.

Numbers, texts, None, lists, and dicts with texts as keys stand for themselves. Anything else is a dict with one key that
begins with `~`: `{"~array": "dtype shape base64"}`, which is the fewest objects to copy, `{"~tuple": [...]}`.
Nothing is read by running what it says: a class is looked up among those that are loaded, and must be a namedtuple or
dataclass.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import numpy as np

from penstock.errors import StateError, mismatch
from penstock.faults import SkipLog
from penstock.spec import Component, Spec
from penstock.structure import LEAF, Form, Structure

__all__ = ["from_plain", "to_plain"]

DEEPEST = 100
"""What is nested deeper than this is no state."""


def to_plain(value: Any, logs: list[tuple[Any, int]] | None = None) -> Any:
    """Writes a value as plain data.

    Args:
      value: what is written.
      logs: gets each log in it that goes on being written, with how much it held before it was written here.

    Raises:
      StateError: it is of a kind that cannot be written.

    >>> to_plain({"a": (1, b"x"), 2: float("inf")})
    {'~dict': [['a', {'~tuple': [1, {'~bytes': 'eA=='}]}], [2, {'~float': 'inf'}]]}
    """
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"~float": repr(value)}
    if kind is list:
        return [to_plain(part, logs) for part in value]
    if kind is dict:
        if all([type(key) is str and not key.startswith("~") for key in value]):
            return {key: to_plain(part, logs) for key, part in value.items()}
        return {"~dict": [[to_plain(key, logs), to_plain(part, logs)] for key, part in value.items()]}
    if kind is tuple:
        return {"~tuple": [to_plain(part, logs) for part in value]}
    if isinstance(value, (bytes, bytearray)):
        return {"~bytes": b64encode(value).decode()}
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        return {"~scalar": _array(np.asarray(value))["~array"]}
    if isinstance(value, complex):
        return {"~complex": [value.real, value.imag]}
    if isinstance(value, Spec):
        leaves = [[_dtype_text(part.dtype), list(part.shape), part.text] for part in value.components]
        return {"~spec": [_structure(value.structure), leaves]}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {"~made": [kind.__module__, kind.__qualname__, [to_plain(part, logs) for part in value]]}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = [to_plain(getattr(value, field.name), logs) for field in dataclasses.fields(value)]
        return {"~made": [kind.__module__, kind.__qualname__, parts]}
    if isinstance(value, SkipLog) or hasattr(value, "plainly"):
        if logs is not None:
            logs.append((value, len(value)))
        return {"~skips": value.parts()} if isinstance(value, SkipLog) else to_plain(value.plainly())
    for base in (bool, int, str, float, dict, list):  # of a class of its own
        if isinstance(value, base):
            plain: Any = base
            return to_plain(plain(value), logs)
    raise StateError(
        mismatch("numbers, texts, arrays, and tuples, lists and dicts of them", f"`{kind.__name__}`", at="state_dict()")
    )


def _structure(node: Structure) -> Any:
    if node.type is None:
        return None
    keys, children = [to_plain(key) for key in node.keys], [_structure(child) for child in node.children]
    return [node.form.value, node.type.__module__, node.type.__qualname__, keys, children]


def _array(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    if array.dtype.hasobject:
        return {"~objects": [list(array.shape), [to_plain(part) for part in array.reshape(-1).tolist()]]}
    if array.dtype.kind == "T":
        return {"~texts": [list(array.shape), array.reshape(-1).tolist()]}
    data = b64encode(array.tobytes()).decode()
    return {"~array": f"{_dtype_text(array.dtype)} {','.join(map(str, array.shape))} {data}"}


def _dtype_text(dtype: np.dtype[Any]) -> str:
    return "text" if dtype.kind == "T" else dtype.name if dtype.kind == "V" and dtype.names is None else dtype.str


def from_plain(data: Any) -> Any:
    """Reads a value that was written by `to_plain`, also after JSON.

    Raises:
      StateError: it was not, or was damaged.

    >>> from_plain(to_plain({"a": (1, b"x"), 2: float("inf")}))
    {'a': (1, b'x'), 2: inf}
    """
    try:
        return _read(data, 0)
    except StateError:
        raise
    except Exception as error:
        raise StateError(
            mismatch("a state as `state_dict` gives it", f"damaged data ({error})", at="open(state)")
        ) from None


def _read(data: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise StateError(mismatch(f"data nested {DEEPEST} deep at most", "deeper", at="open(state)"))
    if data is None or isinstance(data, (bool, int, float, str)):
        return data
    if isinstance(data, list):
        return [_read(part, depth + 1) for part in data]
    if not isinstance(data, dict):
        raise StateError(mismatch("plain data", f"`{type(data).__name__}`", at="open(state)"))
    key = next(iter(data), "")
    if len(data) == 1 and isinstance(key, str) and key.startswith("~"):
        if key not in _READERS:
            raise StateError(mismatch("a known kind of value", f"`{key}`", at="open(state)"))
        return _READERS[key](data[key], depth + 1)
    return {key: _read(part, depth + 1) for key, part in data.items()}


def _read_array(text: Any, depth: int) -> np.ndarray[Any, Any]:
    dtype, shape, data = text.split(" ")
    raw = b64decode(data, validate=True)
    return np.frombuffer(bytearray(raw), _dtype(dtype)).reshape([int(size) for size in shape.split(",") if size])


def _dtype(text: str) -> np.dtype[Any]:
    if text == "text":
        kind: np.dtype[Any] = np.dtypes.StringDType()
        return kind
    return np.dtype(text)


def _read_objects(parts: Any, depth: int) -> np.ndarray[Any, Any]:
    shape, values = parts
    array = np.empty(len(values), object)
    array[:] = [_read(value, depth) for value in values]
    return array.reshape([int(size) for size in shape])


def _read_spec(parts: Any, depth: int) -> Spec:
    structure, leaves = parts
    components = [
        Component(_dtype(dtype), tuple([None if size is None else int(size) for size in shape]), text)
        for dtype, shape, text in leaves
    ]
    tree = _read_structure(structure, depth)
    known = Structure.of(tree.build(list(range(len(components))))) == tree
    if not known or any(part.text not in (None, "str", "bytes") for part in components):
        raise StateError(mismatch("the spec of an example", "none", at="open(state)"))
    return Spec(tree, tuple(components))


def _read_structure(node: Any, depth: int) -> Structure:
    if node is None or depth > DEEPEST:
        return LEAF
    form, module, name, keys, children = node
    kind = _class(module, name)
    if not issubclass(kind, (tuple, list, dict)) and not dataclasses.is_dataclass(kind):
        raise StateError(mismatch("a class of examples", f"`{module}.{name}`", at="open(state)"))
    own = tuple([_read(key, depth) for key in keys])
    return Structure(Form(form), kind, own, tuple([_read_structure(child, depth + 1) for child in children]))


def _class(module: str, name: str) -> type:
    """A class that is loaded."""
    kind: Any = sys.modules.get(module)
    for step in name.split("."):
        kind = getattr(kind, step, None)
    if not isinstance(kind, type):
        want = f"the class `{module}.{name}`"
        raise StateError(mismatch(want, "none that is loaded", at="open(state)", do="import its module first"))
    return kind


def _read_made(parts: Any, depth: int) -> Any:
    module, name, values = parts
    kind: Any = _class(module, name)
    named = issubclass(kind, tuple) and hasattr(kind, "_fields")
    if not named and not dataclasses.is_dataclass(kind):
        raise StateError(mismatch("a namedtuple or dataclass", f"`{module}.{name}`", at="open(state)"))
    read = [_read(value, depth) for value in values]
    if named:
        return kind(*read)
    made = object.__new__(kind)
    for field, value in zip(dataclasses.fields(kind), read, strict=True):
        object.__setattr__(made, field.name, value)
    return made


_READERS: dict[str, Callable[[Any, int], Any]] = {
    "~float": lambda text, depth: float(text),
    "~dict": lambda pairs, depth: {_read(key, depth): _read(value, depth) for key, value in pairs},
    "~tuple": lambda parts, depth: tuple([_read(part, depth) for part in parts]),
    "~bytes": lambda text, depth: b64decode(text, validate=True),
    "~array": _read_array,
    "~scalar": lambda text, depth: _read_array(text, depth)[()],
    "~objects": _read_objects,
    "~texts": lambda parts, depth: np.array(parts[1], np.dtypes.StringDType()).reshape(parts[0]),
    "~complex": lambda parts, depth: complex(*parts),
    "~spec": _read_spec,
    "~made": _read_made,
    "~skips": lambda parts, depth: SkipLog.of(parts),
}
