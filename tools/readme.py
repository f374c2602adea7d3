"""Copies what the README quotes from benchmarks/RESULTS.md, each between its two marks: python tools/readme.py"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
SECTIONS = (
    "drain",
    "step",
    "images",
    "ragged",
    "chunks",
    "assemble",
    "proportions",
    "classes",
    "latency",
    "memory",
    "peers",
)


def sections(results: str) -> dict[str, list[list[str]]]:
    """The tables of each section by its name, each as its lines.

    Args:
      results: the text of RESULTS.md.
    """
    found = {}
    for section in re.split(r"^## ", results, flags=re.M)[1:]:
        tables = re.findall(r"(?:^\|.*\n)+", section, flags=re.M)
        found[section.split("\n", 1)[0]] = [table.splitlines() for table in tables]
    return found


def measured(results: str) -> str:
    """The first tables of the sections that the README quotes, without their last column, as one table."""
    found = sections(results)
    rows = [_cells(line) for name in SECTIONS if name in found for line in found[name][0][2:]]
    head = ["what", "beside", "wanted", "measured", "lowest–highest"]
    lines = [_row(head), _row(["---"] * len(head)), *(_row(cells[: len(head)]) for cells in rows)]
    return "\n".join(lines) + "\n"


def ways(results: str) -> str:
    """The table of all ways to change class proportions; empty where they were not compared."""
    tables = sections(results).get("proportions", [])
    return "\n".join(tables[1]) + "\n" if len(tables) > 1 else ""


QUOTED = {"measured": measured, "ways": ways}
"""What stands between `<!-- name -->` and `<!-- end of name -->`."""


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def written(readme: str, results: str) -> str:
    """The README with the tables of these results."""
    for name, quoted in QUOTED.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        before, rest = readme.split(begin)
        _, after = rest.split(end)
        readme = f"{before}{begin}{quoted(results)}{end}{after}"
    return readme


if __name__ == "__main__":
    page = ROOT / "README.md"
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    page.write_text(written(page.read_text(encoding="utf-8"), results), encoding="utf-8")
