"""The README is the first thing that anybody runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_code_of_the_readme_runs():
    """What is printed there must work as it stands, one block after the other."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", README, re.DOTALL))

    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )

    assert run.stderr == ""
    assert run.stdout.startswith("(64, 59) (64,)\n{tokens: int64[?, ?], label: int64[?], n_tokens: int64[?]}\nflow: ")


def test_what_the_readme_quotes_is_what_was_measured():
    """Its table is copied from the page that the benchmarks wrote, by tools/readme.py."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from readme import written
    finally:
        sys.path.pop(0)
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")

    assert written(README, results) == README


def test_the_files_that_the_readme_names_are_there():
    """A link that leads nowhere is a broken promise."""
    names = re.findall(r"\]\(([^)#:]+)\)", README)

    assert [name for name in names if not (ROOT / name).exists()] == []
