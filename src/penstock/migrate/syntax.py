"""A script as libcst reads it, and what is asked of its syntax here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from penstock.errors import SourceError, mismatch
from penstock.optional import load

if TYPE_CHECKING:
    import libcst as cst
    from libcst import codemod, helpers, matchers, metadata
    from libcst.codemod import visitors
else:
    cst = load("libcst", extra="migrate")
    matchers, metadata, helpers = (
        load(f"libcst.{name}", extra="migrate") for name in ("matchers", "metadata", "helpers")
    )
    codemod, visitors = (load(f"libcst.{name}", extra="migrate") for name in ("codemod", "codemod.visitors"))

__all__ = [
    "code",
    "cst",
    "expressions",
    "imports_at_the_top",
    "is_dotted",
    "matchers",
    "metadata",
    "name_of",
    "read",
    "walk",
]


def read(source: str, name: str) -> metadata.MetadataWrapper:
    """A script's syntax, and what libcst finds out about it.

    Args:
      source: the text of the script.
      name: its name, for messages.

    Raises:
      SourceError: it is no Python 3.
    """
    try:
        return metadata.MetadataWrapper(cst.parse_module(source))
    except cst.ParserSyntaxError as error:
        line = source.splitlines()[error.raw_line - 1].strip() if source else ""
        do = "a script of Python 2 is converted first: `2to3 -w -n script.py`"
        at = f"line {error.raw_line} of '{name}'"
        raise SourceError(mismatch("Python 3", f"`{line}`", at=at, do=do)) from None


def imports_at_the_top(module: cst.Module, package: str, name: str) -> cst.Module:
    """The script with one more import, behind those at its top."""
    item = visitors.ImportItem(package, name)
    return visitors.AddImportsVisitor(codemod.CodemodContext(), [item]).transform_module(module)


def name_of(node: cst.CSTNode) -> str:
    """A dotted name as text."""
    name = helpers.get_full_name_for_node(node)
    assert name is not None, "it was seen to be dotted"
    return name


def is_dotted(node: cst.CSTNode) -> bool:
    """Whether an expression is a name, or an attribute of an attribute … of one, without a call between."""
    while isinstance(node, cst.Attribute):
        node = node.value
    return isinstance(node, cst.Name)


def code(node: cst.CSTNode) -> str:
    """The text of a node, in one line."""
    return " ".join(cst.Module([]).code_for_node(node).split())


def expressions(node: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """The expressions right below a node; names that are no values (a keyword, an attribute, an annotation) are left out."""
    children = [node.value] if isinstance(node, cst.Attribute | cst.Arg) else node.children
    for child in children:
        if isinstance(child, cst.BaseExpression):
            yield child
        elif not isinstance(child, cst.AsName | cst.Annotation | cst.Parameters):
            yield from expressions(child)


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)
