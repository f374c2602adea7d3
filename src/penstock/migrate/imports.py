"""What a script imports of TensorFlow: the module itself, parts that are input, and others."""

from __future__ import annotations

from penstock.migrate.names import Path, advice, is_known
from penstock.migrate.syntax import code, cst, metadata, name_of, walk
from penstock.migrate.tracing import Left

__all__ = ["Imports"]


class Imports(cst.MetadataDependent):
    """What a script imports of TensorFlow.

    Args:
      script: its syntax.
    """

    METADATA_DEPENDENCIES = (metadata.PositionProvider,)

    def __init__(self, script: metadata.MetadataWrapper) -> None:
        super().__init__()
        self.any = False
        """Whether TensorFlow is imported at all."""
        self.modules: list[cst.Import | cst.ImportFrom] = []
        """Imports of TensorFlow's module alone."""
        self.modules_names: dict[cst.CSTNode, str] = {}
        """The names that they bind."""
        self.parts: dict[cst.CSTNode, Path] = {}
        """Imports of parts that are input, each with the path of their module."""
        self.bound_by_parts: set[str] = set()
        """The names that they bind."""
        self.others: list[cst.CSTNode] = []
        """Imports of parts that are not input, and those with others in the same line."""
        self.left: list[Left] = []
        with self.resolve(script):
            for node in walk(script.module):
                if isinstance(node, cst.Import):
                    self._module(node)
                elif isinstance(node, cst.ImportFrom) and node.module is not None and not node.relative:
                    package, *inside = name_of(node.module).split(".")
                    if package == "tensorflow":
                        self._from(node, tuple(inside[2:] if inside[:2] == ["compat", "v1"] else inside))

    def _module(self, node: cst.Import) -> None:
        for alias in node.names:
            package, *parts = alias.evaluated_name.split(".")
            if package != "tensorflow":
                continue
            self.any = True
            if alias.asname is not None and parts not in ([], ["compat", "v1"]):
                self._stays(node, tuple(parts))
            elif len(node.names) == 1:
                self.modules.append(node)
                self.modules_names[node] = alias.evaluated_alias or "tensorflow"
            else:
                self.others.append(node)

    def _from(self, node: cst.ImportFrom, inside: Path) -> None:
        self.any = True
        if isinstance(node.names, cst.ImportStar):
            self._stays(node, (*inside, "*"))
            return
        paths = {each.evaluated_alias or each.evaluated_name: (*inside, each.evaluated_name) for each in node.names}
        if list(paths.values()) == [("compat", "v1")]:
            self.modules.append(node)
            self.modules_names[node] = next(iter(paths))
        elif inside and all(is_known(path) for path in paths.values()):
            self.parts[node] = inside
            self.bound_by_parts |= paths.keys()
        else:
            for path in paths.values():
                self._stays(node, path)

    def _stays(self, node: cst.CSTNode, path: Path) -> None:
        self.others.append(node)
        told = advice(path)
        if told is not None or path[0] in ("contrib", "python"):
            do = (
                told
                or "`tf.contrib` and `tensorflow.python` are not for scripts of TensorFlow 2: see from where it comes"
            )
            line = int(self.get_metadata(metadata.PositionProvider, node).start.line)
            self.left.append(Left(line, f"`{code(node)}`", do))
