"""The layers of the design, read off the source: who may import whom, and what may be imported at all."""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "penstock"

# Rooms (a module, or a folder and all in it), lowest first. A module imports from groups above its own line only.
GROUPS: list[tuple[str, ...]] = [
    ("errors", "optional", "later"),
    ("structure", "spec", "chunk", "checksum", "draws", "ticket", "faults", "plan", "plain", "stats", "staged"),
    ("sources", "sampling"),
    ("stages", "assemble", "deliver"),
    ("engine",),
    (
        "report",
        "fingerprint",
        "resumed",
        "mended",
        "state",
        "flow",
        "build",
        "built",
        "place",
        "words",
        "pipeline",
        "inputs",
        "functions",
        "reading",
        "padding",
        "described",
        "mixing",
        "joining",
        "tally",
        "strata",
        "rejection",
        "replaying",
        "resharding",
        "resample",
        "stratified",
        "ranks",
        "sharing",
        "parting",
        "queues",
        "shuffling",
        "bucketing",
        "buckets",
        "shuffles",
        "shared",
        "producers",
    ),
    ("",),  # penstock itself: the public names
    ("tf1", "watch", "ray", "testing", "data", "demo", "doctor", "peek", "forecast", "migrate", "cli", "__main__"),
]
EDGES = GROUPS[-1]

# Within one group: rooms that may import each other, as long as that makes no circle ...
OPEN_GROUPS = (GROUPS[0], GROUPS[1], GROUPS[5])
# ... and single passages between rooms that otherwise may not.
PASSAGES = {
    ("stages", "assemble"),
    ("demo", "data"),
    ("cli", "demo"),
    ("cli", "doctor"),
    ("cli", "peek"),
    ("cli", "forecast"),
    ("cli", "migrate"),
    ("migrate", "tf1"),
    ("forecast", "peek"),
    ("__main__", "cli"),
}

THREADING = {"threading", "_thread", "multiprocessing", "concurrent"}
# What TF1 gave its users as threads (`Coordinator`, `QueueRunner`, `LooperThread`) are threads in `tf1` too.
THREADED_ROOMS = {"engine", "watch", "testing", "tf1"}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
MOST_LINES = 500


@dataclass(frozen=True)
class Import:
    """One import as it stands in a file."""

    importer: str
    imported: str
    line: int
    inside_function: bool = False
    for_types_only: bool = False

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def module_names(root: Path) -> dict[str, Path]:
    """Every module under a package's folder by its name below the package: `""`, `errors`, `stages.map`."""
    found = {}
    for path in sorted([*root.rglob("*.py"), *root.rglob("*.pyx")]):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def room(module: str) -> str:
    return module.partition(".")[0]


def group(module: str) -> int:
    return next((rank for rank, rooms in enumerate(GROUPS) if room(module) in rooms), len(GROUPS))


def statements(node: ast.AST, inside: bool = False, types: bool = False) -> Iterator[tuple[ast.AST, bool, bool]]:
    """Every node below one, with whether it stands inside a function, and below `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(node):
        function = inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        checking = types or (isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"))
        yield child, function, checking
        yield from statements(child, function, checking)


def python_imports(module: str, path: Path, modules: dict[str, Path]) -> Iterator[Import]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node, inside, types in statements(ast.parse(path.read_bytes(), filename=str(path))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "later":
            # Which counts as an import at the top of the file.
            yield from (Import(module, f"penstock.{ast.literal_eval(name)}", node.lineno) for name in node.args)
            continue
        elif isinstance(node, ast.ImportFrom):
            above = ["penstock", *filter(None, package.split("."))][: -(node.level - 1) or None] if node.level else []
            origin = ".".join([*above, *filter(None, [node.module])])
            names = [
                name if name.removeprefix("penstock.") in modules else origin
                for name in (f"{origin}.{alias.name}" for alias in node.names)
            ]
        else:
            continue
        for name in dict.fromkeys(names):
            yield Import(module, name, node.lineno, inside, types)


def cython_imports(module: str, path: Path) -> Iterator[Import]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if found := re.match(r"(\s*)(?:from\s+([\w.]+)\s+c?import|c?import\s+([\w.]+))", line):
            yield Import(module, found[2] or found[3], number, inside_function=bool(found[1]))


def all_imports(root: Path) -> list[Import]:
    modules = module_names(root)
    return [
        found
        for module, path in modules.items()
        for found in (python_imports(module, path, modules) if path.suffix == ".py" else cython_imports(module, path))
    ]


def first_party(imports: list[Import]) -> Iterator[tuple[Import, str]]:
    for found in imports:
        if found.imported.partition(".")[0] == "penstock":
            yield found, found.imported.removeprefix("penstock").removeprefix(".")


def may_import(importer: str, imported: str) -> bool:
    """Whether the layers let one module import another; circles are looked for apart."""
    here, there = room(importer), room(imported)
    if here == there or (here, there) in PASSAGES:
        return True
    if there in EDGES:
        return False
    return group(imported) < group(importer) or any(here in rooms and there in rooms for rooms in OPEN_GROUPS)


def against_the_layers(root: Path) -> list[str]:
    return [
        str(found) for found, imported in first_party(all_imports(root)) if not may_import(found.importer, imported)
    ]


def circle(root: Path) -> list[str]:
    """The modules of one import circle, or nothing."""
    graph: dict[str, set[str]] = {}
    for found, imported in first_party(all_imports(root)):
        graph.setdefault(found.importer, set()).add(imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def first_party_inside_functions(root: Path) -> list[str]:
    return [str(found) for found, _ in first_party(all_imports(root)) if found.inside_function]


def threads_outside_the_engine(root: Path) -> list[str]:
    return [
        str(found)
        for found in all_imports(root)
        if found.imported.partition(".")[0] in THREADING and room(found.importer) not in THREADED_ROOMS
    ]


def third_party(root: Path) -> list[str]:
    """Imports of what an install of penstock alone does not have; annotations may name it."""
    at_hand = sys.stdlib_module_names | {"numpy", "penstock", "cython", "cpython", "libc"}
    return [
        str(found)
        for found in all_imports(root)
        if found.imported.partition(".")[0] not in at_hand and not found.for_types_only
    ]


def dynamic_imports(root: Path) -> list[str]:
    """Ways around the import statement.

    `penstock.optional` is the door for others' packages, `penstock.later` that for our own, and `penstock` itself loads
    some of its public names late.
    """
    found = []
    for module, path in module_names(root).items():
        if path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(path.read_bytes(), filename=str(path))):
            if not isinstance(node, ast.Call) or module in ("optional", "later", ""):
                continue
            called = ast.unparse(node.func)
            ours = called.endswith("load") and any(
                isinstance(value, ast.Constant) and str(value.value).partition(".")[0] == "penstock"
                for value in node.args[:1]
            )
            if called.rpartition(".")[2] in {"import_module", "__import__"} or ours:
                found.append(f"{module}:{node.lineno} calls {called}")
    return found


def test_every_module_belongs_to_a_group():
    """A new room is given its place before it is furnished."""
    rooms = [name for names in GROUPS for name in names]

    assert [module for module in module_names(SRC) if room(module) not in rooms] == []
    assert len(rooms) == len(set(rooms))


def test_a_module_imports_only_from_groups_above_its_own():
    """One direction: what decides knows nothing of what runs it, and nobody knows the edges."""
    assert against_the_layers(SRC) == []


def test_no_module_is_part_of_an_import_circle():
    """A circle is a design error, also within one group."""
    assert circle(SRC) == []


def test_no_function_imports_from_penstock():
    """An import inside a function is a circle in hiding."""
    assert first_party_inside_functions(SRC) == []


def test_threads_and_processes_are_the_engines_alone():
    """What decides is single-threaded, so that it can be tested and reasoned about without threads."""
    assert threads_outside_the_engine(SRC) == []


def test_nothing_is_imported_but_numpy_and_the_standard_library():
    """Optional packages come through penstock.optional, when first needed, with one message."""
    assert third_party(SRC) == []


def test_no_module_imports_around_the_import_statement():
    """What the other tests here cannot see would not be held by them."""
    assert dynamic_imports(SRC) == []


def test_the_native_module_is_imported_in_one_place():
    """Everybody else takes native or twin, as they come, from penstock.assemble and penstock.engine."""
    native = {
        f"assemble.{name}"
        for name in ("_backlog", "_cutter", "_mover", "_native", "_pile", "_pool", "_runs", "_shelf", "_sink")
    } | {"engine._delivery"}
    importers = {found.importer for found, imported in first_party(all_imports(SRC)) if imported in native}

    assert importers - native == {"assemble.kernels", "assemble.keeping", "engine.kernels"}


def test_files_are_short_and_named_by_a_noun():
    """A file fits in the head, and its name says what is in it."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in module_names(SRC).values()}

    assert [path.name for path, lines in lengths.items() if lines > MOST_LINES] == []
    assert [path.name for path in lengths if path.stem in FORBIDDEN_NAMES or path.parent.name in FORBIDDEN_NAMES] == []


@pytest.mark.parametrize(
    ("check", "module", "line"),
    [
        (against_the_layers, "spec", "from penstock.stages.map import Map"),
        (against_the_layers, "stages.map", "from ..engine import lane"),
        (against_the_layers, "deliver.torch", "from penstock import stages"),
        (against_the_layers, "assemble._native", "from penstock.engine.lane cimport Lane"),
        (against_the_layers, "build", "import penstock.cli"),
        (against_the_layers, "engine.lane", "import penstock"),
        (against_the_layers, "sources.files", "if TYPE_CHECKING:\n    from penstock.pipeline import Pipeline"),
        (circle, "errors", "from penstock.spec import Spec"),
        (first_party_inside_functions, "flow", "def run():\n    from penstock.engine import lane"),
        (threads_outside_the_engine, "stages.map", "import threading"),
        (threads_outside_the_engine, "flow", "from concurrent.futures import Future"),
        (third_party, "cli", "def main():\n    import rich.table"),
        (third_party, "sources.files", "from pyarrow import parquet"),
        (dynamic_imports, "sources.files", "import importlib\nimportlib.import_module('penstock.flow')"),
        (dynamic_imports, "cli", "from penstock.optional import load\nload('penstock.demo', extra='demo')"),
    ],
)
def test_a_forbidden_import_is_found(check, module: str, line: str, tmp_path: Path):
    """Each check fails on a tree that breaks it, and passes on the same tree without that line."""
    for name in ("__init__", "errors", "stages.__init__", "stages.map", "engine.__init__", "engine.lane", "spec"):
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text("from penstock.errors import SpecError\n" if name == "spec" else "")
    guilty = tmp_path.joinpath(*module.split(".")).with_suffix(".pyx" if module.endswith("_native") else ".py")
    guilty.parent.mkdir(exist_ok=True)

    before = check(tmp_path)
    guilty.write_text(line)

    assert before == []
    assert check(tmp_path) != []
