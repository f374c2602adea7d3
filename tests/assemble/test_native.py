"""The native part stays small, and says what is in it."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import penstock.assemble.kernels as kernels

ROOM = Path(kernels.__file__).parent
SOURCES = sorted(ROOM.glob("*.pyx"))
MOST_LINES = 400


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_native_file_can_be_read_in_one_sitting(source: Path):
    """What does not fit is another noun, and gets a file of its own."""
    assert len(source.read_text().splitlines()) <= MOST_LINES


def named(body: list[ast.stmt]) -> set[str]:
    """The public names that statements of a stub define."""
    found = {node.name for node in body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    found |= {node.target.id for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}
    return {name for name in found if not name.startswith("_")}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_stub_lists_just_the_public_names_of_its_module(source: Path):
    """And of the classes in it; whoever checks types sees nothing else."""
    module = importlib.import_module(f"penstock.assemble.{source.stem}") if kernels.NATIVE else None
    if module is None:
        pytest.skip("the native part is not in use")
    tree = ast.parse(source.with_suffix(".pyi").read_text())
    own = {name: value for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}

    assert named(tree.body) == {name for name in own if not name.startswith("_")}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            assert named(node.body) == {name for name in vars(own[node.name]) if not name.startswith("_")}


def test_there_is_native_code_to_speak_of():
    """Else the tests above would pass over nothing."""
    assert [source.stem for source in SOURCES] == [
        "_backlog",
        "_cutter",
        "_mover",
        "_native",
        "_pile",
        "_pool",
        "_runs",
        "_shelf",
        "_sink",
    ]


@pytest.mark.parametrize("asked", ["0", "1"])
def test_the_twin_is_used_where_it_is_asked_for(asked: str):
    """By an environment variable, for tests and for whoever suspects the native part."""
    code = "import penstock.assemble as a; print(a.NATIVE, a.Pool.__module__, a.Sink.__module__)"
    environment = {**os.environ, "PENSTOCK_NATIVE": asked}
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)

    if asked == "0" or not (ROOM / "_native.pyx").exists() or "True" not in answer.stdout:
        assert answer.stdout.split() == ["False", "penstock.assemble.pool", "penstock.assemble.sink"]
    else:
        assert answer.stdout.split() == ["True", "penstock.assemble._pool", "penstock.assemble._sink"]
