"""Moves a script's input side: finds TensorFlow's imports, changes the names that move, and tells what is left."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.migrate.imports import Imports
from penstock.migrate.names import Path, is_known
from penstock.migrate.syntax import cst, imports_at_the_top, name_of, read
from penstock.migrate.tracing import Left, Trace

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
    script = read(source, name)
    imports = Imports(script)
    if not imports.any:
        return Migrated(source, (), False)
    found = Trace(script)
    whole = not found.left and not imports.others and all(map(is_known, found.uses.values()))
    left = {*imports.left}
    names: dict[cst.CSTNode, Path] = {}
    if not whole:
        own = [node for node in found.moved if name_of(node).partition(".")[0] not in imports.bound_by_parts]
        names = {node: found.uses[node] for node in own}
        left |= found.left | found.advised | _kept(found)
    module = script.module.visit(Rewriting(imports, names, whole=whole))
    if names and not imports.modules:
        module = imports_at_the_top(module, "penstock", "tf1")
    return Migrated(module.code, tuple(sorted(left)), whole)


def _kept(found: Trace) -> set[Left]:
    """One word on where the model takes its data, at the first use of TensorFlow's session, or where the model begins."""
    if not found.crossing:
        return set()
    names = ", ".join(sorted(found.crossing))
    do = (
        f"before the loop `feed = tf1.feed([{names}])`; in it `values = next(feed)`, and "
        "`sess.run(..., feed_dict=dict(zip(placeholders, values)))`; its end is `tf1.errors.OutOfRangeError`"
    )
    if found.session is None:
        return {Left(found.crossed, f"`{names}` of penstock's: a session runs the model alone", do)}
    return {Left(found.session, "the session runs the model alone", do)}


class Rewriting(cst.CSTTransformer):
    """Changes imports and names, and nothing else.

    Args:
      imports: what the script imports of TensorFlow.
      names: the names that move, each with its path; where one is part of another, the longer one counts.
      whole: whether TensorFlow is needed no more.
    """

    def __init__(self, imports: Imports, names: dict[cst.CSTNode, Path], *, whole: bool) -> None:
        super().__init__()
        self._imports = imports
        self._names = names
        self._whole = whole
        self._beside = imports.modules[0] if names and imports.modules else None

    def leave_Import(  # noqa: N802
        self, original_node: cst.Import, updated_node: cst.Import
    ) -> cst.BaseSmallStatement:
        """`import tensorflow as tf`, where it is needed no more."""
        return self._module(original_node, updated_node)

    def leave_ImportFrom(  # noqa: N802
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.BaseSmallStatement:
        """The same by `from`, and parts of TensorFlow that are input."""
        if original_node not in self._imports.parts:
            return self._module(original_node, updated_node)
        dotted = cst.parse_expression(f"penstock.tf1.{'.'.join(self._imports.parts[original_node])}")
        assert isinstance(dotted, cst.Attribute), "it has a dot"
        return updated_node.with_changes(module=dotted)

    def _module(self, node: cst.Import | cst.ImportFrom, updated: cst.BaseSmallStatement) -> cst.BaseSmallStatement:
        if not self._whole or node not in self._imports.modules:
            return updated
        bound = self._imports.modules_names[node]
        line = cst.parse_statement(f"from penstock import tf1{f' as {bound}' if bound != 'tf1' else ''}")
        assert isinstance(line, cst.SimpleStatementLine), "it is one"
        return line.body[0].with_changes(semicolon=updated.semicolon)

    def leave_SimpleStatementLine(  # noqa: N802
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        """Where TensorFlow stays, its first import gets penstock's for a neighbour."""
        if self._beside not in original_node.body:
            return updated_node
        return cst.FlattenSentinel([updated_node, cst.parse_statement("from penstock import tf1")])

    def leave_SimpleStatementSuite(  # noqa: N802
        self, original_node: cst.SimpleStatementSuite, updated_node: cst.SimpleStatementSuite
    ) -> cst.SimpleStatementSuite:
        """The same in one line: `if old: import tensorflow as tf`."""
        if self._beside not in original_node.body:
            return updated_node
        line = cst.parse_statement("from penstock import tf1")
        assert isinstance(line, cst.SimpleStatementLine), "it is one"
        last = updated_node.body[-1].with_changes(semicolon=cst.Semicolon(whitespace_after=cst.SimpleWhitespace(" ")))
        return updated_node.with_changes(body=[*updated_node.body[:-1], last, line.body[0]])

    def leave_Name(  # noqa: N802
        self, original_node: cst.Name, updated_node: cst.Name
    ) -> cst.BaseExpression:
        """A name that moves."""
        return self._moved(original_node, updated_node)

    def leave_Attribute(  # noqa: N802
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        """The same with dots in it."""
        return self._moved(original_node, updated_node)

    def _moved(self, node: cst.BaseExpression, updated: cst.Name | cst.Attribute) -> cst.BaseExpression:
        if node not in self._names:
            return updated
        path = self._names[node]
        known = path if path[0] != "io" else path[1:]
        new = cst.parse_expression(f"tf1.{'.'.join(known)}")
        return new.with_changes(lpar=updated.lpar, rpar=updated.rpar)
