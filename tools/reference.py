"""Writes the reference pages that are made from the code and from the recorded TF1 answers.

    python tools/reference.py

`docs/reference/api.md` is made from the docstrings, `docs/reference/tf1-answers.md` from the table in `tests/oracle/`.

`tests/test_docs.py` holds the pages to what this gives.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import penstock as ps

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
ORACLE = ROOT / "tests" / "oracle"
MADE = "<!-- Made by tools/reference.py. -->\n"

# What stands under which heading, in the order in which one meets it.
FUNCTIONS = {
    "TF1's functions": ["batch", "batch_join", "maybe_batch", "maybe_batch_join"],
    "Sources": ["join", "from_arrays", "read_parquet", "read_arrow", "read_csv", "read_jsonl", "read_text"],
}
WORDS = {
    "The words of a pipeline": (
        ps.Pipeline,
        [
            "map",
            "filter",
            "take",
            "skip",
            "repeat",
            "pad",
            "batch",
            "unbatch",
            "to",
            "options",
            "open",
            "spec",
            "torch",
        ],
    ),
    "A flow": (ps.Flow, ["spec", "stats", "report", "close"]),
}
VALUES = ["Spec", "Component", "Ticket", "FlowStats", "LaneStats", "StageStats"]
ERRORS = ["PenstockError", "PipelineError", "SpecError", "SourceError", "FlowClosed", "MissingExtra", "PenstockWarning"]


def opening(thing: Any) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def shown(thing: Callable[..., Any]) -> str:
    """The arguments and defaults of a function, without types."""
    parameters = inspect.signature(thing).parameters.values()
    bare = [p.replace(annotation=p.empty) for p in parameters if p.name != "self"]
    return str(inspect.Signature(bare))


def entry(name: str, thing: Callable[..., Any]) -> str:
    """A function, its arguments, and what it gives."""
    return listed(f"{name}{shown(thing)}", thing)


def listed(name: str, thing: object) -> str:
    """A name and what it stands for."""
    return f"- `{name}`\n  {opening(thing)}\n"


def api() -> str:
    """The page of the public names."""
    return "\n".join(api_parts())


def api_parts() -> Iterator[str]:
    yield f"{MADE}\n# The public names\n"
    yield "`help(penstock.batch)` and so on tell the arguments, with their units, shapes and errors.\n"
    for heading, names in FUNCTIONS.items():
        yield f"## {heading}\n"
        yield from (entry(f"ps.{name}", getattr(ps, name)) for name in names)
    for heading, (owner, names) in WORDS.items():
        yield f"## {heading}\n\n{opening(owner)}\n"
        yield from (entry(f".{name}", getattr(owner, name)) for name in names)
    yield "## Values\n"
    yield from (listed(f"ps.{name}", getattr(ps, name)) for name in VALUES)
    yield "## Errors\n"
    for name in ERRORS:
        bases = ", ".join(base.__name__ for base in getattr(ps, name).__bases__)
        yield listed(f"ps.{name}({bases})", getattr(ps, name))


def tf1_answers() -> str:
    """The page of what TF1 answered, and where penstock answers otherwise."""
    answers = json.loads((ORACLE / "answers.json").read_text())
    recorded = [
        case["id"]
        for name in ("batch", "batch_join", "fuzz")
        for case in json.loads((ORACLE / f"{name}.json").read_text())
    ]
    otherwise = [name for entry in answers["cases"] for name in entry["ids"]]
    lines = [
        f"{MADE}\n# TF1's answers, and penstock's\n",
        "`batch`, `batch_join`, `maybe_batch` and `maybe_batch_join` are TensorFlow 1's functions, taken up again.",
        f"What TensorFlow 1.15.5 answered was recorded in {len(recorded)} cases, which stand in `tests/oracle/`.",
        f"{len(recorded) - len(otherwise)} of them are answered as TF1 did, under the rules of the first table;",
        f"the other {len(otherwise)} stand in the second, each with its reason. Both tables are tested.\n",
        "## By rule\n",
        "| TF1 | penstock |",
        "|---|---|",
        *[f"| {rule['tf1']} | {rule['penstock']} |" for rule in answers["rules"]],
        "\n## Case by case\n",
        "| case | TF1 | penstock | so it |",
        "|---|---|---|---|",
        *[
            f"| {', '.join(f'`{name}`' for name in entry['ids'])} | {entry['tf1']} | "
            f"{entry['penstock']} | {does(entry)} |"
            for entry in answers["cases"]
        ],
    ]
    return "\n".join(lines) + "\n"


def does(entry: dict[str, Any]) -> str:
    """What penstock does with a case, in words."""
    return {"delivers": "delivers", None: "has no counterpart"}.get(entry["does"], f"raises `{entry['does']}`")


PAGES: dict[str, Callable[[], str]] = {"api.md": api, "tf1-answers.md": tf1_answers}


def main() -> None:
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page())


if __name__ == "__main__":
    main()
