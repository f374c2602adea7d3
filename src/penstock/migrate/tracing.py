"""Follows handles through a script: what makes them, which names hold them, and where TensorFlow is asked to work on them.

It reads names, not values: a name that ever holds a handle holds one everywhere in its function. What is passed to a function
of the script is followed into it, and out of it by what it returns.
"""

from __future__ import annotations

from dataclasses import dataclass

from penstock.migrate.names import Path, advice, is_input, is_known, is_module, makes_handles
from penstock.migrate.syntax import code, cst, expressions, is_dotted, metadata, walk

__all__ = ["Left", "Trace"]

SETTINGS = {"FLAGS", "args", "config", "hparams", "opt", "params"}
"""What holds numbers and texts by name in nearly every script, and no handles, though the names be the same."""
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


class Trace(cst.MetadataDependent):
    """What is known of a script.

    Args:
      script: its syntax.
    """

    METADATA_DEPENDENCIES = (metadata.PositionProvider, metadata.QualifiedNameProvider)

    def __init__(self, script: metadata.MetadataWrapper) -> None:
        super().__init__()
        self.uses: dict[cst.CSTNode, Path] = {}
        """Each use of TensorFlow, and its name."""
        self.moved: set[cst.CSTNode] = set()
        """The uses that go to `penstock.tf1`."""
        self.left: set[Left] = set()
        """Where TensorFlow is asked to work on handles, or has what penstock has not."""
        self.advised: set[Left] = set()
        """What can be told of names that TensorFlow keeps where there is a model too."""
        self.crossing: set[str] = set()
        """The names of handles that TensorFlow is asked to work on."""
        self.session: int | None = None
        """The line of the first use of a session, if there is one."""
        self.crossed: int = 1
        """The line where TensorFlow is first asked to work on a handle."""
        self._handles: set[tuple[str, str]] = set()
        self._returning: set[str] = set()
        self._modules: dict[str, Path] = {}
        """Names that a script gave to modules: `train = tf.train`."""
        self._made: dict[tuple[str, str], cst.Call] = {}
        """Names of what TensorFlow made and `penstock.tf1` can make too; it is to, where the input side is given it."""
        self._functions: dict[str, cst.FunctionDef] = {
            node.name.value: node for node in walk(script.module) if isinstance(node, cst.FunctionDef)
        }
        with self.resolve(script):
            for node in walk(script.module):
                if isinstance(node, cst.Assign):
                    self._named_module(node)
            self._follow(script.module)

    def _named_module(self, node: cst.Assign) -> None:
        path = self._path(node.value)
        if path is not None and is_module(path):
            for target in node.targets:
                found = self.get_metadata(metadata.QualifiedNameProvider, target.target, ())
                self._modules |= {name.name: path for name in found}

    def _follow(self, module: cst.Module) -> None:
        before = (-1, -1, -1)
        for _ in range(ROUNDS):
            self._statement(module, "")
            now = (len(self._handles), len(self._returning), len(self.moved))
            if now == before:
                break
            before = now
        runs = [node for node, path in self.uses.items() if path[-1].endswith(("Session", "Supervisor"))]
        self.session = min(map(self._line, runs), default=None)
        self.crossed = min((left.line for left in self.left if " works on " in left.what), default=1)

    def _line(self, node: cst.CSTNode) -> int:
        return int(self.get_metadata(metadata.PositionProvider, node).start.line)

    # Statements, and what they are made of.

    def _statement(self, node: cst.CSTNode, scope: str) -> None:
        if isinstance(node, cst.Import | cst.ImportFrom | cst.Global | cst.Nonlocal | cst.AsName | cst.Annotation):
            return
        if isinstance(node, cst.FunctionDef):
            for parameter in [*node.params.posonly_params, *node.params.params, *node.params.kwonly_params]:
                if parameter.default is not None:
                    self._holds(parameter.default, scope)
            for decorator in node.decorators:
                self._holds(decorator.decorator, scope)
            self._statement(node.body, node.name.value)
            return
        if isinstance(node, cst.ClassDef):
            for part in [*node.decorators, *node.bases, *node.keywords, node.body]:
                self._statement(part, scope)
            return
        if isinstance(node, cst.Assign):
            held = self._holds(node.value, scope)
            for target in node.targets:
                self._bind(target.target, held, scope, node.value)
                name = self._name(target.target)
                if name is not None and not held and isinstance(node.value, cst.Call):
                    path = self._path(node.value.func)
                    if path is not None and is_known(path):
                        self._made["" if name.startswith(".") else scope, name] = node.value
            return
        if isinstance(node, cst.AnnAssign | cst.AugAssign):
            held = node.value is not None and self._holds(node.value, scope)
            self._bind(node.target, held, scope)
            return
        if isinstance(node, cst.Return):
            if node.value is not None and self._holds(node.value, scope) and scope:
                self._returning.add(scope)
            return
        if isinstance(node, cst.For):
            self._bind(node.target, self._holds(node.iter, scope), scope)
            for below in (node.body, node.orelse):
                if below is not None:
                    self._statement(below, scope)
            return
        if isinstance(node, cst.WithItem):
            held = self._holds(node.item, scope)
            if node.asname is not None:
                self._bind(node.asname.name, held, scope)
            return
        for child in [node.value] if isinstance(node, cst.Arg) else node.children:
            if isinstance(child, cst.BaseExpression):
                self._holds(child, scope)
            else:
                self._statement(child, scope)

    def _bind(
        self, target: cst.BaseExpression, held: bool, scope: str, value: cst.BaseExpression | None = None
    ) -> None:
        if isinstance(target, cst.Tuple | cst.List):
            parts: list[cst.BaseExpression | None] = [None] * len(target.elements)
            if isinstance(value, cst.Tuple | cst.List) and len(value.elements) == len(target.elements):
                parts = [each.value for each in value.elements]
            for each, part in zip(target.elements, parts, strict=True):
                self._bind(each.value, held if part is None else self._holds(part, scope), scope, part)
        elif held:
            name = self._name(target)
            if name is not None:
                self._handles.add(("" if name.startswith(".") else scope, name))

    def _name(self, node: cst.CSTNode) -> str | None:
        """A name, or an attribute of whatever: `images`, and `.images` of `self.images`, `result.images`.

        What a function puts into an object, others take out of it under another name, so that the object's does not count.
        """
        if isinstance(node, cst.Name):
            return node.value
        if isinstance(node, cst.Attribute) and not self._imported(node) and code(node.value) not in SETTINGS:
            return f".{node.attr.value}"
        return None

    def _imported(self, node: cst.CSTNode) -> bool:
        """Whether it is of a module."""
        found = self.get_metadata(metadata.QualifiedNameProvider, node, ())
        return any(name.source is metadata.QualifiedNameSource.IMPORT for name in found)

    # Expressions: whether what they give is a handle, or holds one.

    def _holds(self, node: cst.BaseExpression, scope: str) -> bool:
        if self._path(node) is not None:
            return False
        name = self._name(node)
        if name is not None and {(scope, name), ("", name)} & self._handles:
            return True
        if isinstance(node, cst.Call):
            return self._call(node, scope)
        if isinstance(node, cst.Lambda):
            self._holds(node.body, scope)
            return False
        if isinstance(node, cst.DictComp | cst.BaseSimpleComp):
            self._loops(node.for_in, scope)
            parts = [node.key, node.value] if isinstance(node, cst.DictComp) else [node.elt]
            return any([self._holds(part, scope) for part in parts])
        if isinstance(node, cst.Attribute) and node.attr.value in ("shape", "name", "dtype", "op"):
            self._holds(node.value, scope)
            return False
        return any([self._holds(child, scope) for child in expressions(node)])

    def _loops(self, loop: cst.CompFor, scope: str) -> None:
        """The loops of a comprehension."""
        self._bind(loop.target, self._holds(loop.iter, scope), scope)
        for condition in loop.ifs:
            self._holds(condition.test, scope)
        if loop.inner_for_in is not None:
            self._loops(loop.inner_for_in, scope)

    def _call(self, node: cst.Call, scope: str) -> bool:
        positional = [each for each in node.args if each.keyword is None and each.star != "**"]
        named = [each for each in node.args if each not in positional]
        arguments = [*positional, *named]
        path = self._path(node.func)
        if path is not None and is_input(path):
            for argument in arguments:
                if isinstance(argument.value, cst.Lambda):
                    for parameter in argument.value.params.params:
                        self._handles.add((scope, parameter.name.value))
                elif isinstance(argument.value, cst.Name) and argument.value.value in self._functions:
                    self._pass_into(argument.value.value, [True], {})
        given = [self._holds(argument.value, scope) for argument in arguments]
        method = isinstance(node.func, cst.Attribute) and self._holds(node.func.value, scope)
        if method or (path is not None and is_input(path)):
            for argument in arguments:
                self._claim(argument.value, scope)
        if path is not None:
            return self._tensorflows(node, path, arguments, given)
        if isinstance(node.func, cst.Attribute):
            called = node.func.attr.value
            if self._holds(node.func.value, scope):
                return called not in ("get_shape", "name", "set_shape")
            if called in ("run", "eval"):
                held = _held(arguments, given)
                if held:
                    what = f"`{code(node.func)}` fetches {_listed(held)}, of penstock's"
                    do = (
                        "take it from `next(feed)` of `feed = tf1.feed(...)`, or run it in a `tf1.Session()` of its own"
                    )
                    self.advised.add(Left(self._line(node), what, do))
                return False
            if called in ("append", "extend", "insert") and any(given):
                self._bind(node.func.value, True, scope)
                return False
        else:
            self._holds(node.func, scope)
            called = node.func.value if isinstance(node.func, cst.Name) else ""
        if called in self._functions:
            names = {
                each.keyword.value: held
                for each, held in zip(named, given[len(positional) :], strict=True)
                if each.keyword is not None
            }
            self._pass_into(called, given[: len(positional)], names)
            return called in self._returning
        return called in ("zip", "list", "tuple", "dict", "enumerate", "sorted", "reversed") and any(given)

    def _claim(self, given: cst.BaseExpression, scope: str) -> None:
        """Makes handles of what the input side is given: a placeholder, a constant list of names."""
        for node in walk(given):
            name = self._name(node)
            for key in ((scope, name or ""), ("", name or "")):
                call = self._made.get(key)
                if call is not None and key not in self._handles:
                    self._handles.add(key)
                    self.moved.update(use for use in walk(call) if use in self.uses and is_known(self.uses[use]))

    def _tensorflows(self, node: cst.Call, path: Path, arguments: list[cst.Arg], given: list[bool]) -> bool:
        """A call of TensorFlow's: to be moved, or left."""
        if is_input(path) or (any(given) and is_known(path)):
            self.moved.add(node.func)
            for argument in arguments:
                self.moved.update(use for use in walk(argument) if use in self.uses and is_known(self.uses[use]))
            return makes_handles(path)
        if any(given):
            names = _held(arguments, given)
            self.crossing.update(name for name in names if name.isidentifier())
            do = advice(path) or (
                "a handle has no value before a step: put a placeholder in its place, and feed it what "
                "`next(feed)` gives of `feed = tf1.feed(...)`"
            )
            what = f"`tf.{'.'.join(path)}` works on {_listed(names)}, of penstock's"
            self.left.add(Left(self._line(node), what, do))
        elif (told := advice(path)) is not None:
            kept = self.advised if is_known(path) else self.left
            kept.add(Left(self._line(node), f"`tf.{'.'.join(path)}`", told))
        return False

    def _pass_into(self, called: str, given: list[bool], named: dict[str, bool]) -> None:
        parameters = [each.name.value for each in self._functions[called].params.params]
        if parameters[:1] == ["self"]:
            parameters = parameters[1:]
        for parameter, held in [*zip(parameters, given, strict=False), *named.items()]:
            if held:
                self._handles.add((called, parameter))

    def _path(self, node: cst.BaseExpression) -> Path | None:
        """The name of TensorFlow's that an expression is, if it is one."""
        if node in self.uses:
            return self.uses[node]
        if not is_dotted(node):
            return None
        for found in self.get_metadata(metadata.QualifiedNameProvider, node, ()):
            package, *path = self._whole_name(found.name).split(".")
            path = path[2:] if path[:2] == ["compat", "v1"] else path
            ours = found.name != self._whole_name(found.name)
            if (ours or found.source is metadata.QualifiedNameSource.IMPORT) and package == "tensorflow" and path:
                self.uses[node] = tuple(path)
                if path[0] == "errors":
                    self.moved.add(node)
                return self.uses[node]
        return None

    def _whole_name(self, name: str) -> str:
        """A name with that of a module that the script named itself written out."""
        for own, path in self._modules.items():
            if name.startswith(f"{own}."):
                return ".".join(["tensorflow", *path, name.removeprefix(f"{own}.")])
        return name


def _held(arguments: list[cst.Arg], given: list[bool]) -> list[str]:
    """The arguments that hold handles, as they are written."""
    return [each.star + code(each.value) for each, held in zip(arguments, given, strict=True) if held]


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))
