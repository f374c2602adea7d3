"""Every example runs as it stands, and is short."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(path: Path):
    """What is shown to a newcomer must not fail in front of them."""
    if "import torch" in path.read_text(encoding="utf-8"):
        pytest.importorskip("torch")

    run = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=120, check=False)

    assert run.returncode == 0, run.stderr
    assert run.stdout


def test_an_example_fits_on_a_screen():
    """Forty lines at most."""
    assert EXAMPLES
    assert [path.name for path in EXAMPLES if len(path.read_text(encoding="utf-8").splitlines()) > 40] == []
