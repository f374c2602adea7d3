"""What TensorFlow 1's shuffling functions answered, asked of penstock's: sizes, multisets, windows."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

import penstock as ps
from oracle.cases import HERE, Told, asked, told, value
from penstock.testing import same

CASES = {case["id"]: case for case in json.loads((HERE / "shuffle.json").read_text())}
ANSWERS = json.loads((HERE / "answers_shuffle.json").read_text())
OTHERWISE = {name: entry for entry in ANSWERS["cases"] for name in entry["ids"]}
NONE = {name for name, entry in OTHERWISE.items() if entry["does"] is None}


def run(case: dict[str, Any], *, inline: bool = False) -> tuple[list[Any], list[Told]]:
    sources = told(case)
    with asked(case, sources).open(inline=inline) as flow:
        return list(flow), sources


def examples(case: dict[str, Any], sources: list[Told]) -> list[list[Any]]:
    """The single examples of each source."""
    if not case["args"].get("enqueue_many"):
        return [source.items for source in sources]
    return [[list(row) for item in source.items for row in zip(*item, strict=True)] for source in sources]


def components(batch: Any) -> list[Any]:
    return [batch[name] for name in sorted(batch)] if isinstance(batch, dict) else list(batch)


@pytest.mark.parametrize("name", [name for name in CASES if name not in NONE])
def test_a_case_is_answered_as_tf1_did_or_as_the_table_says(name: str):
    """Whole batches of the same sizes, the same multiset, rows that belong together, nothing before its window."""
    case = CASES[name]
    if OTHERWISE.get(name, {}).get("does") == "PipelineError":
        with pytest.raises(ps.PipelineError):
            asked(case, told(case))
        return

    batches, sources = run(case)

    again, inline = run(case)[0], run(case, inline=True)[0]
    for other in (again, inline):
        assert len(batches) == len(other)
        assert all(same(one, two) for one, two in zip(batches, other, strict=True))
    answer = case["answer"]
    names = sources[0].names
    order = sorted(range(len(names)), key=names.__getitem__) if case["form"] == "dict" else list(range(len(names)))
    if case["compare"] == "exact":
        for batch, recorded in zip(batches, answer["batches"], strict=True):
            assert all(same(one, value(other)) for one, other in zip(components(batch), recorded, strict=True))
        return
    assert {type(batch) for batch in batches} <= {dict if case["form"] == "dict" else tuple}
    assert [len(components(batch)[0]) for batch in batches] == answer["facts"]["batch_sizes"]
    static = answer["static"]
    declared = [static[name] for name in sorted(static)] if isinstance(static, dict) else static
    for batch in batches:
        assert [[str(part.dtype), list(part.shape)] for part in components(batch)] == declared
    at = order.index(case["id_index"])
    rows = [row for batch in batches for row in zip(*components(batch), strict=True)]
    by_id = {int(example[case["id_index"]]): example for source in examples(case, sources) for example in source}
    assert Counter(int(row[at]) for row in rows) == Counter(list(by_id))
    assert answer["facts"]["delivered_multiset_equals_input"]
    for row in rows:
        example = by_id[int(row[at])]
        assert all(same(np.asarray(part), np.asarray(example[which])) for part, which in zip(row, order, strict=True))
    if len(sources) == 1:
        came = {key: place for place, key in enumerate(by_id)}
        window = case["args"]["capacity"]
        assert all(came[int(row[at])] <= place + window - 1 for place, row in enumerate(rows))


def test_the_table_speaks_of_recorded_cases_only():
    """A case that was renamed must not be skipped by its old name."""
    assert [name for name in OTHERWISE if name not in CASES] == []


def test_the_recordings_are_all_here():
    """Lost cases would pass unnoticed."""
    assert len(CASES) == 15
