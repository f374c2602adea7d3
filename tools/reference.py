"""Writes the reference pages that are made from the code and from the recorded TF1 answers.

    python tools/reference.py

`docs/reference/api.md` is made from the docstrings, `docs/reference/tf1-answers.md` from the tables in `tests/oracle/`.

`tests/test_docs.py` holds the pages to what this gives.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import penstock as ps
from penstock.queues import QueueBase

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
ORACLE = ROOT / "tests" / "oracle"
MADE = "<!-- Made by tools/reference.py. -->\n"

# What stands under which heading, in the order in which one meets it.
FUNCTIONS = {
    "TF1's functions": [
        "batch",
        "batch_join",
        "maybe_batch",
        "maybe_batch_join",
        "shuffle_batch",
        "shuffle_batch_join",
        "maybe_shuffle_batch",
        "maybe_shuffle_batch_join",
        "bucket",
        "bucket_by_sequence_length",
        "stratified_sample",
        "rejection_sample",
        "resample_at_rate",
        "weighted_resample",
        "WeightedResample",
    ],
    "TF1's producers": [
        "input_producer",
        "string_input_producer",
        "range_input_producer",
        "slice_input_producer",
        "limit_epochs",
        "match_filenames_once",
    ],
    "Queues": ["FIFOQueue", "PaddingFIFOQueue", "RandomShuffleQueue", "PriorityQueue"],
    "Sources": [
        "join",
        "from_arrays",
        "read_parquet",
        "read_arrow",
        "read_csv",
        "read_jsonl",
        "read_text",
        "read_tfrecord",
    ],
    "Errors of your code": ["Skip", "Retry", "replay"],
    "Several ranks": ["reshard"],
}
# The families of functions whose recorded answers are kept in `tests/oracle/`.
ANSWERED: dict[str, dict[str, Any]] = {
    "Batches": {
        "functions": ["batch", "batch_join", "maybe_batch", "maybe_batch_join"],
        "recordings": ["batch.json", "batch_join.json", "fuzz.json"],
        "answers": "answers.json",
    },
    "Sampling": {
        "functions": ["stratified_sample", "rejection_sample", "resample_at_rate", "weighted_resample"],
        "recordings": ["stratified_rejection.json", "stratified_trace.json", "resample.json"],
        "answers": "answers_sampling.json",
    },
    "Shuffling": {
        "functions": ["shuffle_batch", "shuffle_batch_join", "maybe_shuffle_batch", "maybe_shuffle_batch_join"],
        "recordings": ["shuffle.json"],
        "answers": "answers_shuffle.json",
    },
    "Buckets": {
        "functions": ["bucket", "bucket_by_sequence_length"],
        "recordings": ["bucket.json"],
        "answers": "answers_bucket.json",
    },
    "Producers": {
        "functions": [
            "input_producer",
            "string_input_producer",
            "range_input_producer",
            "slice_input_producer",
            "limit_epochs",
        ],
        "recordings": ["producers.json"],
        "answers": "answers_producers.json",
    },
    "TF1's own spelling": {
        "functions": ["Coordinator", "QueueRunner", "shared_name"],
        "recordings": ["runtime.json"],
        "answers": "answers_runtime.json",
    },
    "Queues": {
        "functions": ["FIFOQueue", "PaddingFIFOQueue", "RandomShuffleQueue", "PriorityQueue"],
        "recordings": ["queues.json"],
        "answers": "answers_queues.json",
    },
}
WORDS = {
    "The words of a pipeline": (
        ps.Pipeline,
        [
            "map",
            "filter",
            "stratify",
            "shuffle",
            "take",
            "skip",
            "repeat",
            "shard",
            "pad",
            "batch",
            "bucket",
            "unbatch",
            "to",
            "options",
            "open",
            "spec",
            "torch",
        ],
    ),
    "A queue": (
        QueueBase,
        ["enqueue", "enqueue_many", "dequeue", "dequeue_many", "dequeue_up_to", "size", "is_closed", "close", "cancel"],
    ),
    "A flow": (ps.Flow, ["spec", "stats", "report", "close"]),
}
VALUES = [
    "Spec",
    "Component",
    "Ticket",
    "Temperature",
    "FlowStats",
    "LaneStats",
    "StageStats",
    "MixStats",
    "SkipStats",
    "Skipped",
]
ERRORS = [
    "PenstockError",
    "PipelineError",
    "SpecError",
    "StateError",
    "SourceError",
    "OverBudget",
    "Stalled",
    "FlowClosed",
    "QueueClosed",
    "QueueExhausted",
    "MissingExtra",
    "PenstockWarning",
]


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
    parts = [part for heading, family in ANSWERED.items() for part in answered(heading, **family)]
    return "\n".join([f"{MADE}\n# TF1's answers, and penstock's\n", *parts]) + "\n"


def answered(heading: str, functions: list[str], recordings: list[str], answers: str) -> Iterator[str]:
    """The part of one family of functions: how many cases were recorded, and the two tables."""
    table = json.loads((ORACLE / answers).read_text())
    recorded = [
        case["id"]
        for name in recordings
        for case in json.loads((ORACLE / name).read_text())
        if case["function"] in functions
    ]
    otherwise = [name for entry in table["cases"] for name in entry["ids"]]
    names = [f"`{name}`" for name in functions]
    yield f"## {heading}\n"
    yield f"{', '.join(names[:-1])} and {names[-1]} are TensorFlow 1's functions, taken up again."
    yield f"What TensorFlow 1.15.5 answered was recorded in {len(recorded)} cases, which stand in `tests/oracle/`."
    yield f"{len(recorded) - len(otherwise)} of them are answered as TF1 did, under the rules of the first table;"
    yield f"the other {len(otherwise)} stand in the second, each with its reason. Both tables are tested.\n"
    yield "### By rule\n\n| TF1 | penstock |\n|---|---|"
    yield from (f"| {rule['tf1']} | {rule['penstock']} |" for rule in table["rules"])
    yield "\n### Case by case\n\n| case | TF1 | penstock | so it |\n|---|---|---|---|"
    for entry in table["cases"]:
        ids = ", ".join(f"`{name}`" for name in entry["ids"])
        yield f"| {ids} | {entry['tf1']} | {entry['penstock']} | {does(entry)} |"
    yield ""


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
