"""The documentation: pages that are made from the code are current, and the code on every page runs."""

import ast
import doctest
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import penstock as ps
from tools import proportions
from tools.reference import PAGES, REFERENCE

DOCS = Path(__file__).parents[1] / "docs"
# `python with webdataset` is left out where that is not installed.
BLOCK = re.compile(r"^```python(?: with (\w+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
TORCH = "import torch"
OPTIONAL = ("torch", "torchdata", "lightning", "jax", "orbax")
"""Frameworks that a section of a page may show."""
SHOWN = [
    pytest.param(page, marks=pytest.mark.slow if TORCH in page.read_text() else (), id=str(page.relative_to(DOCS)))
    for page in sorted(DOCS.rglob("*.md"))
    if BLOCK.search(page.read_text())
]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_is_made_is_current(name: str):
    """`python tools/reference.py` makes it anew."""
    assert (REFERENCE / name).read_text() == PAGES[name](), "run: python tools/reference.py"


def test_every_public_name_is_on_the_reference_page():
    """What is not listed there is not found."""
    page = PAGES["api.md"]()
    words = [name for name, thing in vars(ps.Pipeline).items() if callable(thing) and not name.startswith("_")]

    assert [name for name in ps.__all__ if f"ps.{name}" not in page and name not in ("Pipeline", "Flow")] == []
    assert [word for word in words if f"- `.{word}(" not in page] == []


@pytest.mark.parametrize("page", SHOWN)
def test_the_code_on_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Block after block, as a reader would type it; a section that imports what is not installed is left out."""
    text = page.read_text()
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    left_out: dict[int, str] = {}
    lacking: dict[str, str] = {}  # names that were not bound, and what was not installed

    for match in BLOCK.finditer(text):
        if match[1] is not None and find_spec(match[1]) is None:
            continue
        code, line, section = match[2], text.count("\n", 0, match.start(2)), text.count("\n## ", 0, match.start(2))
        if section in left_out:
            continue
        try:
            if code.lstrip().startswith(">>>"):
                check(code, names, page, line)
            else:
                exec(compile("\n" * line + code, page, "exec"), names)
        except ps.MissingExtra as missing:
            pytest.skip(str(missing))
        except ModuleNotFoundError as missing:
            if str(missing.name).partition(".")[0] not in OPTIONAL:
                raise
            left_out[section] = str(missing.name)
            lacking |= dict.fromkeys(bound_by(code), str(missing.name))
        except NameError as error:
            if error.name not in lacking:
                raise
            left_out[section] = lacking[error.name]
            lacking |= dict.fromkeys(bound_by(code), lacking[error.name])
    names.clear()  # Its functions hold it: what else is in it goes now, and not with some collection.
    if left_out:
        pytest.skip(f"could not import {', '.join(sorted(set(left_out.values())))}; the other sections ran")


@pytest.mark.slow
def test_the_page_on_proportions_quotes_what_its_script_prints():
    """`python tools/proportions.py` measures it anew."""
    assert "\n".join(proportions.told()) in proportions.PAGE.read_text()


def bound_by(code: str) -> set[str]:
    """The names that a block binds."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.alias):
            found.add(node.asname or node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
    return found


def check(code: str, names: dict[str, Any], page: Path, line: int) -> None:
    """Runs a block that shows what it prints."""
    test = doctest.DocTestParser().get_doctest(code, names, page.name, str(page), line)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    told: list[str] = []
    runner.run(test, out=told.append, clear_globs=False)
    names.update(test.globs)

    assert runner.failures == 0, "".join(told)


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: str(page.relative_to(DOCS)))
def test_links_to_other_pages_lead_somewhere(page: Path):
    """A page that was moved leaves no hole."""
    assert [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()] == []
