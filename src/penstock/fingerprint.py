"""What tells a pipeline from another: its words, their plain arguments, and its sources' names and sizes.

Of a function only the name counts: what it does may be mended between two runs.
"""

from __future__ import annotations

import zlib
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np

from penstock.plan import Convert, Node, Read
from penstock.sources.position import identity_of

__all__ = ["difference", "fingerprint"]


MOST = 64
"""Of longer lists only the length and a checksum count. [values]"""


def fingerprint(node: Node) -> list[Any]:
    """The words of a pipeline, from its sources on, as plain data.

    Args:
      node: the last one.

    Returns:
      A list for each word: its name, what it was given, and the lists of the words before it.
    """
    if isinstance(node, Read):
        source = node.source
        told = {
            "label": source.label,
            "chunks": node.chunks,
            "is": identity_of(source),
            "order": _plain(node.order),
        }
        return ["read", told, []]
    if isinstance(node, Convert):  # In whose arrays batches are handed over changes nothing of what is in them.
        return fingerprint(node.of)
    names = [name for name in type(node).__signature__.parameters if name != "of"]
    given = {name: _plain(getattr(node, name)) for name in names}
    return [type(node).__name__.lower(), given, [fingerprint(below) for below in node.upstream]]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        parts = [_plain(part) for part in value]
        return parts if len(parts) <= MOST else f"{len(parts)} values, checksum {zlib.crc32(repr(parts).encode())}"
    if isinstance(value, (set, frozenset)):
        return sorted([_plain(part) for part in value], key=repr)
    if isinstance(value, dict):
        return [[_plain(key), _plain(part)] for key, part in value.items()]
    if isinstance(value, partial):
        return _plain(value.func)
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    own = getattr(value, "fingerprint", None)
    if callable(own):
        return _plain(own())
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    name = getattr(value, "__qualname__", None)
    if isinstance(name, str):
        return f"{getattr(value, '__module__', '')}.{name}"
    return f"{type(value).__module__}.{type(value).__qualname__}"


def difference(expected: Any, got: Any, at: str = "the pipeline") -> tuple[str, str, str] | None:
    """Where two fingerprints differ first: what this pipeline has, what the state's had, and the place; `None` if nowhere.

    >>> difference(["batch", {"size": 8}, []], ["batch", {"size": 4}, []])
    ('`size` 8', '4', 'batch')
    """
    if not (isinstance(got, list) and len(got) == 3 and isinstance(got[1], dict) and isinstance(got[2], list)):
        return f"`{expected[0]}`", f"`{got!r}`"[:80], at
    word, given, below = expected
    if word != got[0]:
        return f"`{word}`", f"`{got[0]}`", at
    place = f"{word} {given['label']!r}" if word == "read" else word
    for name, value in given.items():
        if got[1].get(name) != value:
            return f"`{name}` {value}", f"{got[1].get(name)}", place
    if len(below) != len(got[2]):
        return f"{len(below)} inputs", f"{len(got[2])}", place
    return next(filter(None, (difference(one, other, at) for one, other in zip(below, got[2], strict=True))), None)
