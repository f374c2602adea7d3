"""Moves a script's input side: finds TensorFlow's imports, changes the names that move, and tells what is left."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from penstock.errors import SourceError, mismatch
from penstock.migrate.names import Path, advice, is_known
from penstock.migrate.tracing import Left, Trace, trace

__all__ = ["Migrated", "migrated"]


@dataclass(frozen=True)
class Migrated:
    """A script that has been moved."""

    text: str
    """The new script."""
    left: tuple[Left, ...]
    """What is left to do, by line of the old script."""
    whole: bool
    """Whether the script needs no TensorFlow any more: it was input alone."""


@dataclass(frozen=True, order=True)
class Edit:
    """Some bytes of the text that become others."""

    begin: int
    end: int
    text: str


def migrated(source: str, name: str = "script") -> Migrated:
    """Moves the input side of a script to `penstock.tf1`.

    If all that a script uses of TensorFlow is input, its import is changed, and nothing else. Where there is a model too, the
    names of the input side are changed to `tf1.…`, and the places where the model takes its data are listed.

    Args:
      source: the text of the script.
      name: its name, for messages.

    Raises:
      SourceError: it is no Python 3.

    >>> print(migrated("import tensorflow as tf\\nx = tf.train.batch([1], 2)\\n").text, end="")
    from penstock import tf1 as tf
    x = tf.train.batch([1], 2)
    """
    try:
        module = ast.parse(source)
    except SyntaxError as error:
        do = "a script of Python 2 is converted first: `2to3 -w -n script.py`"
        raise SourceError(
            mismatch("Python 3", f"`{error.msg}`", at=f"line {error.lineno} of '{name}'", do=do)
        ) from None
    imports = Imports(module)
    found = trace(module, imports.aliases)
    whole = not found.left and not imports.others and all(map(is_known, found.uses.values())) and bool(imports.aliases)
    edits = [*imports.changes(source, whole=whole, adds=bool(found.moved))]
    left = {*imports.left}
    if not whole:
        edits += [_moved(source, node, found.uses[node]) for node in _outermost(found)]
        left |= found.left | found.advised | _kept(found)
    return Migrated(_edited(source, edits), tuple(sorted(left)), whole)


def _outermost(found: Trace) -> list[ast.expr]:
    """The uses to move; where one is part of another, the longer one."""
    inner = {id(child) for node in found.moved for child in ast.walk(node) if child is not node}
    return [node for node in found.moved if id(node) not in inner]


def _moved(source: str, node: ast.expr, path: Path) -> Edit:
    end = node.end_lineno, node.end_col_offset
    assert end[0] is not None and end[1] is not None, "what was parsed has an end"
    known = path if path[0] != "io" else path[1:]
    return Edit(_at(source, node.lineno, node.col_offset), _at(source, end[0], end[1]), f"tf1.{'.'.join(known)}")


def _kept(found: Trace) -> set[Left]:
    """One word on where the model takes its data, at the first use of TensorFlow's session."""
    if not found.crossing:
        return set()
    lines = [node.lineno for node, path in found.uses.items() if path[-1].endswith("Session")]
    names = ", ".join(sorted(found.crossing))
    do = (
        f"before the loop `feed = tf1.feed([{names}])`; in it `values = next(feed)`, and "
        "`sess.run(..., feed_dict=dict(zip(placeholders, values)))`; its end is `tf1.errors.OutOfRangeError`"
    )
    return {Left(min(lines, default=1), "the session runs the model alone", do)}


class Imports:
    """What a script imports of TensorFlow.

    Args:
      module: its syntax.
    """

    def __init__(self, module: ast.Module) -> None:
        self.aliases: dict[str, Path] = {}
        self.others: list[ast.stmt] = []
        """Imports of parts of TensorFlow that are not input."""
        self.left: list[Left] = []
        self._modules: list[ast.Import | ast.ImportFrom] = []
        self._parts: list[ast.ImportFrom] = []
        for node in ast.walk(module):
            if isinstance(node, ast.Import):
                self._module(node)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tensorflow":
                self._from(node)

    def _module(self, node: ast.Import) -> None:
        for alias in node.names:
            parts = alias.name.split(".")
            if parts[0] != "tensorflow":
                continue
            if alias.asname is None or parts in (["tensorflow"], ["tensorflow", "compat", "v1"]):
                self.aliases[alias.asname or "tensorflow"] = ()
                if len(node.names) == 1:
                    self._modules.append(node)
                else:
                    self.others.append(node)
            else:
                self._stays(node, tuple(parts[1:]), alias.asname)

    def _from(self, node: ast.ImportFrom) -> None:
        inside = tuple((node.module or "").split(".")[1:])
        inside = inside[2:] if inside[:2] == ("compat", "v1") else inside
        paths = {alias.asname or alias.name: (*inside, alias.name) for alias in node.names}
        if paths.keys() == {"v1"} or list(paths.values()) == [("compat", "v1")]:
            self.aliases[next(iter(paths))] = ()
            self._modules.append(node)
        elif inside and all(is_known(path) for path in paths.values()):
            self._parts.append(node)
        else:
            for bound, path in paths.items():
                self._stays(node, path, bound)

    def _stays(self, node: ast.stmt, path: Path, bound: str) -> None:
        self.others.append(node)
        self.aliases[bound] = path
        told = advice(path)
        if told is not None or path[0] in ("contrib", "python"):
            do = (
                told
                or "`tf.contrib` and `tensorflow.python` are not for scripts of TensorFlow 2: see from where it comes"
            )
            self.left.append(Left(node.lineno, f"`{ast.unparse(node)}`", do))

    def changes(self, source: str, *, whole: bool, adds: bool) -> list[Edit]:
        """What becomes of the imports.

        Args:
          source: the text of the script.
          whole: whether TensorFlow is needed no more.
          adds: whether something of `penstock.tf1` is.
        """
        edits = []
        for part in self._parts:
            names = ", ".join(f"{a.name} as {a.asname}" if a.asname else a.name for a in part.names)
            inside = ".".join((part.module or "").removeprefix("tensorflow.").removeprefix("compat.v1.").split("."))
            edits.append(_over(source, part, f"from penstock.tf1.{inside} import {names}"))
        for number, node in enumerate(self._modules):
            bound = next(alias.asname or alias.name for alias in node.names)
            if whole:
                edits.append(_over(source, node, f"from penstock import tf1 as {bound}"))
            elif adds and number == 0:
                indent = " " * node.col_offset
                edits.append(_over(source, node, f"{ast.unparse(node)}\n{indent}from penstock import tf1"))
        if adds and not self._modules and not whole:
            edits.append(Edit(0, 0, "from penstock import tf1\n"))
        return edits


def _over(source: str, node: ast.stmt, text: str) -> Edit:
    assert node.end_lineno is not None and node.end_col_offset is not None, "what was parsed has an end"
    begin = _at(source, node.lineno, node.col_offset)
    return Edit(begin, _at(source, node.end_lineno, node.end_col_offset), text)


def _at(source: str, line: int, column: int) -> int:
    """The place of a line and column, both as `ast` counts them, in the text's bytes."""
    lines = source.encode().splitlines(keepends=True)
    return sum(map(len, lines[: line - 1])) + column


def _edited(source: str, edits: list[Edit]) -> str:
    data = source.encode()
    for edit in sorted(edits, reverse=True):
        data = data[: edit.begin] + edit.text.encode() + data[edit.end :]
    return data.decode()
