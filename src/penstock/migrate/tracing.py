"""Follows handles through a script: what makes them, which names hold them, and where TensorFlow is asked to work on them.

It reads names, not values: a name that ever holds a handle holds one everywhere in its function. What is passed to a function
of the script is followed into it, and out of it by what it returns.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from penstock.migrate.names import Path, advice, is_input, is_known, makes_handles

__all__ = ["Left", "Trace", "trace"]

ROUNDS = 12
"""A script whose functions call each other deeper than this is not followed to the end."""


@dataclass(frozen=True, order=True)
class Left:
    """Something that is left to do."""

    line: int
    """Where it is in the script."""
    what: str
    """What stands there."""
    do: str
    """What to do about it."""


class Trace:
    """What is known of a script.

    Args:
      module: its syntax.
      aliases: names that are TensorFlow's module, each with the path that it stands for.
    """

    def __init__(self, module: ast.Module, aliases: dict[str, Path]) -> None:
        self.uses: dict[ast.expr, Path] = {}
        """Each use of TensorFlow, and its name."""
        self.moved: set[ast.expr] = set()
        """The uses that go to `penstock.tf1`."""
        self.left: set[Left] = set()
        """Where TensorFlow is asked to work on handles, or has what penstock has not."""
        self.advised: set[Left] = set()
        """What can be told of names that TensorFlow keeps where there is a model too."""
        self.crossing: set[str] = set()
        """The names of handles that TensorFlow is asked to work on."""
        self._aliases = aliases
        self._handles: set[tuple[str, str]] = set()
        self._returning: set[str] = set()
        self._functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {
            node.name: node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        before = (-1, -1, -1)
        for _ in range(ROUNDS):
            self._statements(module.body, "")
            now = (len(self._handles), len(self._returning), len(self.moved))
            if now == before:
                break
            before = now

    # Statements.

    def _statements(self, body: Iterable[ast.stmt], scope: str) -> None:
        for statement in body:
            self._statement(statement, scope)

    def _statement(self, node: ast.stmt, scope: str) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for default in [*node.args.defaults, *[d for d in node.args.kw_defaults if d], *node.decorator_list]:
                self._holds(default, scope)
            self._statements(node.body, node.name)
            return
        if isinstance(node, ast.Assign):
            held = self._holds(node.value, scope)
            for target in node.targets:
                self._bind(target, held, scope, node.value)
            return
        if isinstance(node, ast.AnnAssign | ast.AugAssign):
            held = node.value is not None and self._holds(node.value, scope)
            self._bind(node.target, held, scope)
            return
        if isinstance(node, ast.Return):
            if node.value is not None and self._holds(node.value, scope) and scope:
                self._returning.add(scope)
            return
        if isinstance(node, ast.For | ast.AsyncFor):
            self._bind(node.target, self._holds(node.iter, scope), scope)
        if isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                held = self._holds(item.context_expr, scope)
                if item.optional_vars is not None:
                    self._bind(item.optional_vars, held, scope)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self._statement(child, scope)
            elif isinstance(child, ast.excepthandler):
                if isinstance(child, ast.ExceptHandler) and child.type is not None:
                    self._holds(child.type, scope)
                self._statements([each for each in ast.iter_child_nodes(child) if isinstance(each, ast.stmt)], scope)
            elif isinstance(child, ast.expr) and not isinstance(node, ast.For | ast.AsyncFor):
                self._holds(child, scope)

    def _bind(self, target: ast.expr, held: bool, scope: str, value: ast.expr | None = None) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            parts: list[ast.expr | None] = [None] * len(target.elts)
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                parts = list(value.elts)
            for each, part in zip(target.elts, parts, strict=True):
                self._bind(each, held if part is None else self._holds(part, scope), scope, part)
        elif isinstance(target, ast.Starred):
            self._bind(target.value, held, scope)
        elif held:
            name = self._name(target)
            if name is not None:
                self._handles.add(("" if "." in name else scope, name))

    @staticmethod
    def _name(node: ast.expr) -> str | None:
        """A name, or an attribute of one: `images`, `self.images`."""
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return f"{node.value.id}.{node.attr}"
        return None

    # Expressions: whether what they give is a handle, or holds one.

    def _holds(self, node: ast.expr, scope: str) -> bool:
        path = self._path(node)
        if path is not None:
            return False
        name = self._name(node)
        if name is not None and {(scope, name), ("", name)} & self._handles:
            return True
        if isinstance(node, ast.Call):
            return self._call(node, scope)
        if isinstance(node, ast.Lambda):
            self._holds(node.body, scope)
            return False
        if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp):
            for generator in node.generators:
                self._bind(generator.target, self._holds(generator.iter, scope), scope)
                for condition in generator.ifs:
                    self._holds(condition, scope)
            parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            return any([self._holds(part, scope) for part in parts])
        if isinstance(node, ast.Attribute) and node.attr in ("shape", "name", "dtype", "op"):
            self._holds(node.value, scope)
            return False
        return any([self._holds(child, scope) for child in _expressions(node)])

    def _call(self, node: ast.Call, scope: str) -> bool:
        arguments = [*node.args, *[keyword.value for keyword in node.keywords]]
        path = self._path(node.func)
        if path is not None and is_input(path):
            for argument in arguments:
                if isinstance(argument, ast.Lambda):
                    for parameter in argument.args.args:
                        self._handles.add((scope, parameter.arg))
                elif isinstance(argument, ast.Name) and argument.id in self._functions:
                    self._pass_into(argument.id, [True], {})
        given = [self._holds(argument, scope) for argument in arguments]
        if path is not None:
            return self._tensorflows(node, path, arguments, given)
        if isinstance(node.func, ast.Attribute):
            called = node.func.attr
            if self._holds(node.func.value, scope):
                return called not in ("get_shape", "name", "set_shape")
            if called in ("run", "eval"):
                held = [ast.unparse(each) for each, is_one in zip(arguments, given, strict=True) if is_one]
                if held:
                    what = f"`{ast.unparse(node.func)}` fetches {_listed(held)}, of penstock's"
                    self.advised.add(Left(node.lineno, what, "take it from `next(feed)` of `feed = tf1.feed(...)`"))
                return False
            if called in ("append", "extend", "insert") and any(given):
                self._bind(node.func.value, True, scope)
                return False
        else:
            self._holds(node.func, scope)
            called = node.func.id if isinstance(node.func, ast.Name) else ""
        if called in self._functions:
            names = {k.arg: held for k, held in zip(node.keywords, given[len(node.args) :], strict=True) if k.arg}
            self._pass_into(called, given[: len(node.args)], names)
            return called in self._returning
        return called in ("zip", "list", "tuple", "dict", "enumerate", "sorted", "reversed") and any(given)

    def _tensorflows(self, node: ast.Call, path: Path, arguments: list[ast.expr], given: list[bool]) -> bool:
        """A call of TensorFlow's: to be moved, or left."""
        if is_input(path) or (any(given) and is_known(path)):
            self.moved.add(node.func)
            for argument in arguments:
                self.moved.update(use for use in _walk(argument) if use in self.uses and is_known(self.uses[use]))
            return makes_handles(path)
        if any(given):
            names = [ast.unparse(argument) for argument, held in zip(arguments, given, strict=True) if held]
            self.crossing.update(name for name in names if name.isidentifier())
            do = advice(path) or (
                "a handle has no value before a step: put a placeholder in its place, and feed it what "
                "`next(feed)` gives of `feed = tf1.feed(...)`"
            )
            self.left.add(Left(node.lineno, f"`tf.{'.'.join(path)}` works on {_listed(names)}, of penstock's", do))
        elif (told := advice(path)) is not None:
            kept = self.advised if is_known(path) else self.left
            kept.add(Left(node.lineno, f"`tf.{'.'.join(path)}`", told))
        return False

    def _pass_into(self, called: str, given: list[bool], named: dict[str, bool]) -> None:
        parameters = [each.arg for each in self._functions[called].args.args]
        if parameters[:1] == ["self"]:
            parameters = parameters[1:]
        for parameter, held in [*zip(parameters, given, strict=False), *named.items()]:
            if held:
                self._handles.add((called, parameter))

    def _path(self, node: ast.expr) -> Path | None:
        """The name of TensorFlow's that an expression is, if it is one."""
        if node in self.uses:
            return self.uses[node]
        parts: list[str] = []
        inner = node
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name) or inner.id not in self._aliases:
            return None
        path = (*self._aliases[inner.id], *reversed(parts))
        path = path[2:] if path[:2] == ("compat", "v1") else path
        if not path:
            return None
        self.uses[node] = path
        if path[0] == "errors":
            self.moved.add(node)
        return path


def trace(module: ast.Module, aliases: dict[str, Path]) -> Trace:
    """Follows handles through a script."""
    return Trace(module, aliases)


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield child
        elif isinstance(child, ast.keyword):
            yield child.value


def _walk(node: ast.expr) -> Iterator[ast.expr]:
    return (child for child in ast.walk(node) if isinstance(child, ast.expr))


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))
