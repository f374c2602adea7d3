"""What `penstock doctor` finds."""

import importlib.metadata
import os
import platform
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from penstock.assemble import NATIVE
from penstock.doctor import PACKAGES, Package, examine

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ABSENT = Package(("surely-not-installed",), "arrow", "nothing")


def test_the_versions_are_those_in_use():
    """The first question about any report of a fault."""
    found = {line.split()[0]: line.split()[1] for line in examine() if line}

    assert found["penstock"] == importlib.metadata.version("penstock")
    assert found["Python"] == platform.python_version()
    assert found["NumPy"] == np.__version__


def test_it_says_whether_the_native_part_is_in_use():
    """The one thing about an install that cannot be seen from outside, and decides its speed."""
    (line,) = [line for line in examine() if line.startswith("assembler")]

    assert ("native: " in line) == NATIVE
    assert ("NumPy twin" in line) != NATIVE


@pytest.mark.skipif(os.environ.get("PENSTOCK_NATIVE") == "0", reason="the NumPy twin was asked for")
def test_without_the_native_part_it_says_how_to_get_it():
    """A fallback that nobody notices stays."""
    (line,) = [line for line in examine(native=False) if line.startswith("assembler")]

    assert "install penstock where there are a C compiler and Python's headers" in line


def test_a_missing_package_comes_with_the_extra_that_installs_it():
    """So that nobody has to look it up."""
    lines = examine(packages=[ABSENT])

    assert lines[-2].split()[:2] == ["surely-not-installed", "missing"]
    assert lines[-1].split(maxsplit=3)[-1].endswith("pip install 'penstock[arrow]'")


def test_an_installed_package_comes_with_its_version():
    """NumPy is not optional, but it is there."""
    (line,) = examine(packages=[Package(("surely-not-installed", "numpy"), "arrow", "arrays")])[-1:]

    assert np.__version__ in line


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.names[0])
def test_the_extras_install_what_it_says(package: Package):
    """The advice holds: the extra of pyproject.toml names the package."""
    named = {re.split(r"[^\w.-]", requirement)[0] for requirement in PROJECT["optional-dependencies"][package.extra]}

    assert named & set(package.names)


def test_it_says_how_many_cores_and_whether_there_is_a_gil():
    """What decides how far Python-bound sources scale."""
    text = "\n".join(examine())

    assert re.search(r"system .*, \d+ cores?", text)
    assert re.search(r"Python .*, GIL (on|off)\)", text)
