"""What the batcher may pad, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penstock.errors import PipelineError, mismatch
from penstock.plan.node import Node, positive
from penstock.plan.words import before_delivery
from penstock.spec import Shape
from penstock.structure import Path, path_text

__all__ = ["Pad", "PadRule", "padding"]


@dataclass(frozen=True, slots=True)
class PadRule:
    """How one component is brought to the batch's shape."""

    shape: Shape | None = None
    """Per dimension: `None` grows to the longest in the batch, a size is padded to. As a whole `None`: all grow."""
    fixed: bool = False
    """Whether sizes in `shape` are demanded of the example (TF1's `shapes`), rather than padded to."""
    value: Any = None
    """What is written past an example's end; `None` is 0, False, or the empty text."""
    side: str = "right"
    """Where the padding goes: `"right"` (behind) or `"left"` (before)."""
    multiple: int = 1
    """Free dimensions grow to a multiple of this."""
    truncate: bool = False
    """Whether an example longer than a given size is cut, on the padded side, instead of refused."""
    lengths: str | None = None
    """The name under which the lengths are delivered."""
    mask: str | None = None
    """The name under which the mask is delivered: True where there is data."""

    def __post_init__(self) -> None:
        if self.side not in ("left", "right"):
            raise PipelineError(mismatch('`side` to be "left" or "right"', f"`{self.side!r}`", at="pad(side)"))
        positive(self.multiple, "multiple", at="pad(multiple)")
        if not isinstance(self.truncate, bool):
            raise PipelineError(mismatch("`truncate` to be a bool", f"`{self.truncate!r}`", at="pad(truncate)"))
        for name in ("lengths", "mask"):
            if not isinstance(getattr(self, name), str | None):
                raise PipelineError(mismatch(f"`{name}` to be a name", f"`{getattr(self, name)!r}`", at=f"pad({name})"))
        if self.shape is not None:
            for size in self.shape:
                if size is not None:
                    positive(size, "size", at="pad(shape)", least=0)


class Pad(Node):
    """Says what the batcher may pad."""

    of: Node
    rules: tuple[tuple[Path | None, PadRule], ...]
    """A rule for each path; the path `None` stands for every component that has no rule of its own."""
    in_order: bool = False
    """Whether the rules stand in the order of the components instead, one for each (TF1's `shapes`)."""

    def __post_init__(self) -> None:
        if self.of.batched:
            raise PipelineError(mismatch("`pad` before `batch`", "`pad` after it", at="pad()"))
        if padding(self.of):
            raise PipelineError(
                mismatch("`pad` once before a `batch`", "`pad` after `pad`", at="pad()", do="name all in one")
            )
        before_delivery(self.of, "pad")

    def resolved(self, paths: Sequence[Path]) -> dict[Path, PadRule]:
        """The rule of each component that has one, once it is known which components there are.

        Raises:
          PipelineError: a rule is for a component that there is not, or their number differs.
        """
        names = ", ".join(f"`{path_text(path)}`" for path in paths)
        if self.in_order:
            if len(self.rules) != len(paths):
                raise PipelineError(mismatch(f"a shape for each of {names}", f"{len(self.rules)}", at="shapes"))
            return {path: rule for path, (_, rule) in zip(paths, self.rules, strict=True)}
        table = dict(self.rules)
        for path in table:
            if path is not None and path not in paths:
                where = "shapes" if table[path].fixed else "pad()"
                raise PipelineError(mismatch(f"a component, one of {names}", f"`{path_text(path)}`", at=where))
        found = {path: table.get(path, table.get(None)) for path in paths}
        return {path: rule for path, rule in found.items() if rule is not None}


def padding(node: Node) -> Pad | None:
    """The `pad` that waits for a `batch`, if there is one."""
    while not node.begins:
        if isinstance(node, Pad):
            return node
        (node,) = node.upstream
    return None
