"""A type checker sees the public functions as they are meant."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_public_functions_have_the_types_that_they_say():
    """Also from outside: the package is marked as typed, and mistakes are found."""
    pytest.importorskip("mypy")

    command = [sys.executable, "-m", "mypy", "--strict", "tests/typing/surface.py"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)

    assert ran.returncode == 0, ran.stdout + ran.stderr
