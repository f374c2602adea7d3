"""Copies the lines that the README quotes from benchmarks/RESULTS.md, between its two marks: python tools/readme.py"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- measured -->\n", "<!-- end of measured -->\n"
SECTIONS = ("drain", "step", "images", "ragged", "chunks", "latency", "memory", "peers")


def quoted(results: str) -> str:
    """The tables of the sections that the README quotes, without their last column, as one table.

    Args:
      results: the text of RESULTS.md.
    """
    rows = []
    for section in re.split(r"^## ", results, flags=re.M)[1:]:
        if section.split("\n", 1)[0] not in SECTIONS:
            continue
        table = [line for line in section.splitlines() if line.startswith("|")]
        rows += [cells for cells in map(_cells, table[2:]) if cells]
    head = ["what", "beside", "wanted", "measured", "lowest–highest"]
    lines = [_row(head), _row(["---"] * len(head)), *(_row(cells[: len(head)]) for cells in rows)]
    return "\n".join(lines) + "\n"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def written(readme: str, results: str) -> str:
    """The README with the tables of these results."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{quoted(results)}{END}{after}"


if __name__ == "__main__":
    page = ROOT / "README.md"
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    page.write_text(written(page.read_text(encoding="utf-8"), results), encoding="utf-8")
