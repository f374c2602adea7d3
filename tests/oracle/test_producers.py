"""What TensorFlow 1's producers answered, asked of penstock's."""

import json
from collections import Counter
from itertools import islice
from typing import Any

import numpy as np
import pytest

import penstock as ps
from oracle.cases import HERE, value

CASES = {case["id"]: case for case in json.loads((HERE / "producers.json").read_text())}
ANSWERS = json.loads((HERE / "answers_producers.json").read_text())
OTHERWISE = {name: entry for entry in ANSWERS["cases"] for name in entry["ids"]}
NONE = {name for name, entry in OTHERWISE.items() if entry["does"] is None}


def given(case: dict[str, Any]) -> Any:
    """The first argument of the call."""
    told = case["input"]
    if isinstance(told, list):
        return plain(told)
    return told["python"] if "python" in told else [plain(one) for one in told["list"]]


def plain(recorded: list[Any]) -> Any:
    """An array as it was recorded, its text as str."""
    array = value(recorded)
    if recorded[0] != "string":
        return array
    texts = [text.decode() for text in np.ravel(array).tolist()]
    return np.array(texts, object).reshape(recorded[1])


def asked(case: dict[str, Any]) -> ps.Pipeline:
    return getattr(ps, case["function"])(given(case), **case["args"])


def key(example: Any) -> Any:
    """An example as a value that compares."""
    if isinstance(example, list):
        return tuple(map(key, example))
    array = np.asarray(example)
    return ("text" if array.dtype.kind in "OU" else str(array.dtype)), str(array.tolist())


def recorded_key(recorded: Any) -> Any:
    return key([plain(one) for one in recorded]) if isinstance(recorded[0], list) else key(plain(recorded))


@pytest.mark.parametrize("name", [name for name in CASES if name not in NONE])
def test_a_producer_answers_as_tf1s_did_or_as_the_table_says(name: str):
    """Values, their dtypes, epochs and ends; by threads and inline."""
    case, entry = CASES[name], OTHERWISE.get(name, {})
    if "refused" in case["answer"] or entry.get("does") == "PipelineError":
        with pytest.raises(ps.PipelineError):
            asked(case)
        return
    want = [recorded_key(one) for one in entry.get("values", case["answer"]["values"])]
    if case.get("reinit"):
        want = want[: len(want) // 2]  # initialised again it begins again: as a second opening does, below

    outcomes = []
    for inline in (False, True, False):
        with asked(case).open(inline=inline) as flow:
            got = list(islice(flow, case.get("max_steps")))
            if case["answer"]["end"] is not None:
                assert [next(flow, None) for _ in range(3)] == [None] * 3
        outcomes.append([key(one) for one in got])

    assert outcomes[0] == outcomes[1] == outcomes[2]
    if case["compare"] == "exact":
        assert outcomes[0] == want
        return
    facts = case["answer"]["facts"]
    rows = facts["rows_per_epoch"]
    epochs = [outcomes[0][at : at + rows] for at in range(0, len(want), rows)]
    assert len(outcomes[0]) == facts["epochs"] * rows
    assert all(Counter(epoch) == Counter(want[:rows]) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_the_table_speaks_of_recorded_cases_only():
    """A case that was renamed must not be skipped by its old name."""
    assert [name for name in OTHERWISE if name not in CASES] == []


def test_the_recordings_are_all_here():
    """Lost cases would pass unnoticed."""
    assert len(CASES) == 24
