"""What TensorFlow 1's bucketing functions answered, asked of penstock's."""

import builtins
import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

import penstock as ps
from oracle.cases import HERE, told, value
from penstock.testing import same

CASES = {case["id"]: case for case in json.loads((HERE / "bucket.json").read_text())}
ANSWERS = json.loads((HERE / "answers_bucket.json").read_text())
OTHERWISE = {name: entry for entry in ANSWERS["cases"] for name in entry["ids"]}
NONE = {name for name, entry in OTHERWISE.items() if entry["does"] is None}


def asked(case: dict[str, Any]) -> ps.Pipeline:
    """The call; the last component is the number, and no part of the example."""
    (source,) = told(case)
    key = case["key_component"]
    args = {name: tuple(arg["tuple"]) if isinstance(arg, dict) else arg for name, arg in case["args"].items()}

    def numbers() -> Any:
        return (item[key] for item in source.items)

    tensors: Any = () if len(source.names) == 1 else lambda: source.opened(key)
    if case["function"] == "bucket":
        return ps.bucket(tensors, numbers, **args)
    return ps.bucket_by_sequence_length(numbers, tensors, **args)


def run(case: dict[str, Any], *, inline: bool) -> tuple[list[Any], Exception | None]:
    batches: list[Any] = []
    try:
        with asked(case).open(inline=inline) as flow:
            batches.extend(flow)
    except Exception as error:
        return batches, error
    return batches, None


def bucket_of(case: dict[str, Any], first: Any) -> int:
    """The bucket of a batch: its number, or that of its lengths."""
    if case["function"] == "bucket":
        return int(first)
    return sum(int(np.ravel(first)[0]) >= one for one in case["args"]["bucket_boundaries"])


def components(batch: Any) -> list[Any]:
    parts = [batch[name] for name in sorted(batch)] if isinstance(batch, dict) else list(batch)
    return [part[0] if isinstance(part, list) and isinstance(part[0], list) else part for part in parts]


def by_bucket(case: dict[str, Any], batches: list[Any], read: Any) -> dict[int, list[list[Any]]]:
    """The batches of each bucket in order, each as its numbers or lengths and its components."""
    found: dict[int, list[list[Any]]] = {}
    for first, batch in batches:
        parts = [read(part) for part in components(batch)]
        found.setdefault(bucket_of(case, read(first)), []).append([read(first), *parts])
    return found


def recorded(case: dict[str, Any]) -> list[Any]:
    """What TF1 gave; a lone component is bare there."""
    out = []
    for first, batch in case["answer"]["batches"]:
        bare = isinstance(batch, list) and isinstance(batch[0], str)
        out.append([first, [batch] if bare else batch])
    return out


@pytest.mark.parametrize("name", [name for name in CASES if name not in NONE])
def test_a_case_is_answered_as_tf1_did_or_as_the_table_says(name: str):
    """Bucket by bucket the same batches in the same order; and the same from run to run."""
    case, entry = CASES[name], OTHERWISE.get(name, {})
    if "refused" in case["answer"] and not entry:
        with pytest.raises(ps.PipelineError):
            asked(case)
        return

    batches, error = run(case, inline=False)

    again, other = run(case, inline=True)
    assert type(error) is type(other)
    assert len(batches) == len(again)
    assert all(same(one, two) for one, two in zip(batches, again, strict=True))
    raises = case["sources"][0]["end"]
    if isinstance(raises, list):
        assert type(error) is getattr(builtins, raises[0])
        assert error.args == (raises[1],)
    else:
        assert error is None
    if "lengths" in entry:
        assert [lengths.tolist() for lengths, _ in batches] == entry["lengths"]
        return
    if case["answer"].get("end") == "HANG":
        assert batches == []
        return
    told_as = CASES[entry["as"]] if "as" in entry else case
    got = by_bucket(case, batches, np.asarray)
    want = by_bucket(told_as, recorded(told_as), value)
    if case["compare"] == "facts" and not isinstance(raises, list):  # several threads: which are together is chance
        counts = [
            {number: Counter(int(one) for batch in its for one in np.ravel(batch[-1])) for number, its in each.items()}
            for each in (got, want)
        ]
        assert counts[0] == counts[1]
        return
    assert set(got) == set(want)
    for number, its in want.items():
        assert len(got[number]) == len(its)
        for one, two in zip(got[number], its, strict=True):
            assert all(same(mine, np.asarray(theirs)) for mine, theirs in zip(one, two, strict=True)), (one, two)


def test_the_table_speaks_of_recorded_cases_only():
    """A case that was renamed must not be skipped by its old name."""
    assert [name for name in OTHERWISE if name not in CASES] == []


def test_the_recordings_are_all_here():
    """Lost cases would pass unnoticed."""
    assert len(CASES) == 28
