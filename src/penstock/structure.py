"""How the components of an example are nested: tuples, lists, dicts, namedtuples, dataclasses, as deep as one likes.

A `Structure` is a tree whose leaves are components.
It takes an example apart into its leaves, in a fixed order, and puts leaves together again in the same form.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from operator import itemgetter
from typing import Any

import numpy as np

from penstock.errors import SpecError, mismatch

__all__ = ["LEAF", "Form", "Path", "Structure", "leaves_of", "path_text"]

Path = tuple[Any, ...]
"""The keys, indices or field names that lead from an example to one of its components."""


class Form(Enum):
    """What kind of container a node is."""

    LEAF = "leaf"
    TUPLE = "tuple"
    LIST = "list"
    DICT = "dict"
    NAMED = "namedtuple"
    DATA = "dataclass"


@dataclass(frozen=True, slots=True)
class Structure:
    """One node of the tree; a leaf has neither keys nor children."""

    form: Form
    """What kind of container this is."""
    type: type | None = None
    """The class of the container; `None` for a leaf."""
    keys: tuple[Any, ...] = ()
    """Indices of a tuple or list, keys of a dict, field names of a namedtuple or dataclass."""
    children: tuple[Structure, ...] = ()
    """The node under each key."""

    @classmethod
    def of(cls, example: object) -> Structure:
        """Reads the structure off an example.

        >>> Structure.of({"a": 1, "b": (2, 3)}).paths()
        (('a',), ('b', 0), ('b', 1))
        """
        keys: tuple[Any, ...]
        if isinstance(example, dict):
            keys = tuple(example)
            return cls(Form.DICT, type(example), keys, tuple(cls.of(example[k]) for k in keys))
        if isinstance(example, tuple):
            fields = getattr(example, "_fields", None)
            form = Form.TUPLE if fields is None else Form.NAMED
            keys = tuple(range(len(example))) if fields is None else tuple(fields)
            return cls(form, type(example), keys, tuple(cls.of(child) for child in example))
        if isinstance(example, list):
            return cls(Form.LIST, type(example), tuple(range(len(example))), tuple(cls.of(child) for child in example))
        if dataclasses.is_dataclass(example) and not isinstance(example, type):
            keys = tuple(field.name for field in dataclasses.fields(example))
            return cls(Form.DATA, type(example), keys, tuple(cls.of(getattr(example, k)) for k in keys))
        return LEAF

    @property
    def is_leaf(self) -> bool:
        """Whether the example is one bare component."""
        return self.form is Form.LEAF

    def paths(self) -> tuple[Path, ...]:
        """The path of each leaf, in order."""
        return tuple(self._paths(()))

    def _paths(self, prefix: Path) -> Iterator[Path]:
        if self.is_leaf:
            yield prefix
        for key, child in zip(self.keys, self.children, strict=True):
            yield from child._paths((*prefix, key))

    def leaves(self, example: Any, *, at: str | None = None) -> list[Any]:
        """Takes an example apart into its leaves, in order; `at` is where it came from, for messages.

        Raises:
          SpecError: the example is of another structure.
        """
        out: list[Any] = []
        self._collect(example, (), out, at)
        return out

    def _collect(self, node: Any, prefix: Path, out: list[Any], at: str | None) -> None:
        if self.is_leaf:
            out.append(node)
            return
        why = self._unlike(node)
        if why is not None:
            within = f"component `{path_text(prefix)}`" if prefix else None
            raise SpecError(mismatch(f"`{self}`", why, at=" of ".join(filter(None, (within, at))) or None))
        for key, child in zip(self.keys, self.children, strict=True):
            value = getattr(node, key) if self.form is Form.DATA or self.form is Form.NAMED else node[key]
            child._collect(value, (*prefix, key), out, at)

    def _unlike(self, node: Any) -> str | None:
        """Why this node's own container differs from `node`, if it does."""
        kind: type = type(node)
        if kind is not self.type:
            return f"`{kind.__name__}`"
        if self.form is Form.DICT:
            if len(node) != len(self.keys) or any(key not in node for key in self.keys):
                return f"`{{{', '.join(map(str, node))}}}`"
        elif self.form is not Form.DATA and len(node) != len(self.keys):
            return f"`{kind.__name__}` of {len(node)}"
        return None

    def build(self, leaves: Sequence[Any]) -> Any:
        """Puts leaves together in this structure."""
        return self._build(iter(leaves))

    def _build(self, leaves: Iterator[Any]) -> Any:
        if self.form is Form.LEAF:
            return next(leaves)
        parts = [child._build(leaves) for child in self.children]
        if self.form is Form.TUPLE:
            return tuple(parts)
        if self.form is Form.LIST:
            return parts
        if self.form is Form.DICT:
            return dict(zip(self.keys, parts, strict=True))
        assert self.type is not None, "only a leaf has no type"
        if self.form is Form.NAMED:
            return self.type(*parts)
        # As `copy.replace` would, without calling `__init__`: it may check types that batches do not have.
        made: Any = object.__new__(self.type)
        for key, part in zip(self.keys, parts, strict=True):
            object.__setattr__(made, key, part)
        return made

    def builder(self) -> Callable[[list[Any]], Any]:
        """The quickest way to do what `build` does, for those who do it again and again."""
        flat = all(child.is_leaf for child in self.children)
        if self.is_leaf:
            return itemgetter(0)
        if flat and self.form is Form.TUPLE:
            return tuple
        if flat and self.form is Form.DICT:
            keys = self.keys
            return lambda leaves: dict(zip(keys, leaves, strict=True))
        return self.build

    def draw(self, leaves: Sequence[str]) -> str:
        """Writes the structure with a text in place of each leaf: `{image: uint8[28, 28], label: int64[]}`."""
        return self._draw(iter(leaves))

    def _draw(self, leaves: Iterator[str]) -> str:
        if self.form is Form.LEAF:
            return next(leaves)
        parts = [child._draw(leaves) for child in self.children]
        if self.form is Form.TUPLE:
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        if self.form is Form.LIST:
            return f"[{', '.join(parts)}]"
        inner = ", ".join(f"{key}: {part}" for key, part in zip(self.keys, parts, strict=True))
        if self.form is Form.DICT:
            return f"{{{inner}}}"
        assert self.type is not None, "only a leaf has no type"
        return f"{self.type.__name__}({inner})"

    def __str__(self) -> str:
        return self.draw(["*"] * len(self.paths()))


LEAF = Structure(Form.LEAF)

_PLAIN = (np.ndarray, np.generic, int, float, str, bytes)


def leaves_of(example: Any) -> Sequence[Any]:
    """The leaves of an example, in order, whatever its structure is.

    >>> list(leaves_of({"a": 1, "b": (2, 3)}))
    [1, 2, 3]
    """
    if type(example) is tuple and all([isinstance(part, _PLAIN) for part in example]):  # as nearly every example is
        return example
    return Structure.of(example).leaves(example)


def path_text(path: Path) -> str:
    """Writes a path as a user would: `image`, `pair[0]`, `a.b`; the bare component is `example`.

    >>> path_text(("pair", 0))
    'pair[0]'
    """
    text = ""
    for key in path:
        text += f"[{key}]" if not isinstance(key, str) else f".{key}" if text else key
    return text or "example"
