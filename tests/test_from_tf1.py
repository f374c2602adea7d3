"""The scripts of the guide from TF1: each runs before and after, sees as many batches, and stands on the page as it is."""

import subprocess
import sys
from pathlib import Path

import pytest

from penstock.tf1 import parsing, python_io, queues, readers, train
from penstock.tf1.contrib import training

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "examples" / "tf1"
PAGE = ROOT / "docs" / "howto" / "from-tf1.md"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pictures", "texts", "clicks"])
def test_a_script_does_the_same_before_and_after(name: str, tmp_path: Path):
    """The same number of steps, and a model that has learnt."""
    if name == "clicks":
        pytest.importorskip("pyarrow")
    said = []
    for when in ("before", "after"):
        command = [sys.executable, "-W", "error", str(SCRIPTS / f"{name}_{when}.py")]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)
        assert run.returncode == 0, run.stderr
        said.append(run.stdout.strip())

    steps = [text.partition(",")[0] for text in said]
    right = [int(text.split()[-2].rstrip("%")) for text in said]
    assert steps[0] == steps[1]
    assert min(right) > 75


def test_the_page_shows_the_scripts_as_they_are():
    """What was changed in one place only would not be found otherwise."""
    page = PAGE.read_text()

    assert [path.name for path in SCRIPTS.glob("*_*.py") if f"```py\n{path.read_text()}```" not in page] == []


def test_the_table_has_every_name_of_the_input_side():
    """A name that is not in it would be looked for in vain."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    column = " ".join(row.split(" | ")[0] for row in rows)
    own = {"QueueBase", "Reader"}  # of which the others are made
    modules = (train, training, readers, queues, parsing, python_io)

    assert [name for each in modules for name in each.__all__ if name not in own and name not in column] == []
    assert [row for row in rows if "|  |" in row] == []
