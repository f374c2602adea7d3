"""What TensorFlow 1 answered, asked of penstock: every recorded case, threads and inline."""

import builtins
from collections import Counter
from typing import Any

import numpy as np
import pytest

import penstock as ps
from oracle.cases import OTHERWISE, Told, asked, cases, flag_place, in_turn, stacked, told, value
from penstock.testing import same

CASES = cases()
NONE = {name for name, entry in OTHERWISE.items() if entry["does"] is None}
Outcome = tuple[list[Any], Exception | None]


def run(case: dict[str, Any], sources: list[Told], *, inline: bool) -> Outcome:
    """The batches, and the error that ended them; no error is the end of the iteration, which is for good."""
    batches: list[Any] = []
    try:
        with asked(case, sources).open(inline=inline) as flow:
            batches.extend(flow)
            assert next(flow, None) is None
    except Exception as error:
        return batches, error
    return batches, None


def parts(batch: Any) -> list[Any]:
    """The components of a batch, those of a dict by name, as TF1 does it."""
    if isinstance(batch, dict):
        return [batch[name] for name in sorted(batch)]
    return list(batch) if isinstance(batch, tuple) else [batch]


def differs(got: Any, recorded: list[Any]) -> str | None:
    """How a component differs from what TF1 gave, if it does."""
    dtype, shape, _ = recorded
    if list(got.shape) != shape:
        return f"shape {list(got.shape)}, not {shape}"
    if got.dtype != (object if dtype == "string" else np.dtype(dtype)):
        return f"dtype {got.dtype}, not {dtype}"
    want = np.asarray(value(recorded), got.dtype)
    alike = np.array_equal(got, want, equal_nan=got.dtype.kind in "fc")
    return None if alike else f"{got.tolist()}, not {want.tolist()}"


def recorded_parts(batch: Any, case: dict[str, Any]) -> list[Any]:
    """The components of a recorded batch in the same order; a lone one is bare there."""
    if isinstance(batch, dict):
        return [batch[name] for name in sorted(batch)]
    return [batch] if case["answer"]["returns"] == "tensor" else batch


def check_forms(case: dict[str, Any], batches: list[Any]) -> None:
    """A batch comes in the form of an example, a list of TF1's as a tuple."""
    form = {"dict": dict, "bare": np.ndarray}.get(case["form"], tuple)
    assert {type(batch) for batch in batches} <= {form}


def check_in_turn(case: dict[str, Any], sources: list[Told], batches: list[Any], *, all_of_them: bool = True) -> None:
    """The batches are those of the fixed order, computed without penstock."""
    want = in_turn(case, sources * case.get("repeat_source", 1))
    names = [name for place, name in enumerate(sources[0].names) if place != flag_place(case)] if sources else []
    order = sorted(range(len(names)), key=names.__getitem__) if case["form"] == "dict" else range(len(names))
    if all_of_them:
        assert len(batches) == len(want)
    for batch, examples in zip(batches, want, strict=False):
        columns = list(zip(*examples, strict=True))
        for got, at in zip(parts(batch), order, strict=True):
            assert same(got, stacked(list(columns[at]))), f"component {names[at]}"


def check_facts(case: dict[str, Any], sources: list[Told], batches: list[Any]) -> None:
    """Where TF1's order was left to chance, what all of its runs had in common."""
    facts = case["answer"]["facts"]
    if facts["batch_sizes"] is not None:
        assert [len(parts(batch)[0]) for batch in batches] == facts["batch_sizes"]
    if "id_index" not in case:
        return
    at = case["id_index"]
    names = sources[0].names
    place = sorted(names).index(names[at]) if case["form"] == "dict" else at
    ids = [int(one) for batch in batches for one in parts(batch)[place]]
    given = [[int(one) for item in source.items for one in np.atleast_1d(item[at])] for source in sources]
    everything = Counter(one for each in given for one in each)
    assert Counter(ids) <= everything
    assert (Counter(ids) == everything) or not facts["delivered_multiset_equals_input"]
    assert max(Counter(ids).values(), default=0) <= 1 or facts["any_duplicate"]
    for each in given:
        mine = [one for one in ids if one in set(each)]
        assert mine == each[: len(mine)]  # As it stood in the source, and none left out.
    if facts.get("chunks_contiguous_in_all_runs"):
        for source in sources:
            for item in source.items:
                chunk = [int(one) for one in np.atleast_1d(item[at])]
                found = [place for place, one in enumerate(ids) if one in set(chunk)]
                assert found == list(range(found[0], found[0] + len(found))) if found else True


def check_answer(case: dict[str, Any], sources: list[Told], outcome: Outcome) -> None:
    """As TF1 answered."""
    batches, error = outcome
    answer = case["answer"]
    raises = next((source.end for source in sources if isinstance(source.end, list)), None)
    if "refused" in answer:
        assert isinstance(error, (ps.PipelineError, ps.SpecError))
        assert batches == []
        return
    check_forms(case, batches)
    if raises:
        assert type(error) is getattr(builtins, raises[0])
        assert error.args == (raises[1],)
        assert any("while reading" in note for note in error.__notes__)
    elif answer["error"]:
        assert isinstance(error, ps.SpecError)
    else:
        assert error is None
        check_read(case, sources)
    check_in_turn(case, sources, batches, all_of_them=raises is not None or error is None)
    if "facts" in answer:
        if error is None:
            check_facts(case, sources, batches)
        return
    if answer["end"] == "HANG":
        return  # What TF1 would have given is not known.
    assert len(batches) == len(answer["batches"])
    for batch, recorded in zip(batches, answer["batches"], strict=True):
        wanted = recorded_parts(recorded, case)
        assert [differs(*pair) for pair in zip(parts(batch), wanted, strict=True)] == [None] * len(wanted)


def check_read(case: dict[str, Any], sources: list[Told]) -> None:
    """The sources were read to their ends, each once, as by TF1."""
    if case.get("repeat_source") is None:
        assert [source.read for source in sources] == [[len(source.items)] for source in sources]
        assert case["answer"].get("consumed") in (None, [sum(source.read) for source in sources])


@pytest.mark.parametrize("name", [name for name in CASES if name not in NONE])
def test_a_case_is_answered_as_tf1_did_or_as_the_table_says(name: str):
    """The contract, case by case; the same by threads and in the caller's own."""
    case = CASES[name]
    sources = told(case)

    outcome = run(case, sources, inline=False)

    entry = OTHERWISE.get(name)
    if entry is None:
        check_answer(case, sources, outcome)
    elif entry["does"] == "delivers":
        assert outcome[1] is None
        check_in_turn(case, sources, outcome[0])
        check_forms(case, outcome[0])
        assert all(sum(source.read) == len(source.items) * case.get("repeat_source", 1) for source in sources)
    else:
        assert type(outcome[1]).__name__ == entry["does"]
        assert outcome[0] == []
    alone = run(case, told(case), inline=True)
    assert len(alone[0]) == len(outcome[0])
    assert all(same(one, other) for one, other in zip(alone[0], outcome[0], strict=True))
    assert (type(alone[1]), str(alone[1])) == (type(outcome[1]), str(outcome[1]))


SHAPED = [
    name
    for name, case in CASES.items()
    if name not in OTHERWISE and "static" in case["answer"] and case["answer"].get("batches", True)
]


@pytest.mark.parametrize("name", SHAPED)
def test_the_spec_is_tf1s_static_shape_where_that_says_more_than_the_rank(name: str):
    """`flow.spec()` knows what TF1's graph knew; a dimension is free in it only where it is free or padded."""
    case = CASES[name]
    static = case["answer"]["static"]
    with asked(case, told(case)).open(inline=True) as flow:
        next(flow)
        spec = flow.spec()

    want = [static[name] for name in sorted(static)] if isinstance(static, dict) else static
    order = sorted(range(len(want)), key=lambda at: spec.paths[at]) if isinstance(static, dict) else range(len(want))
    for at, (dtype, shape) in zip(order, want, strict=True):
        mine = spec.components[at]
        assert mine.dtype == (object if dtype == "string" else np.dtype(dtype))
        assert len(mine.shape) == len(shape)
        padded = case["args"].get("dynamic_pad") and "shapes" not in case["args"]
        for its, tf1s in zip(mine.shape[1:], shape[1:], strict=True):
            assert its == tf1s or (padded and its is None)
        assert mine.shape[0] == shape[0]


def test_the_table_speaks_of_recorded_cases_only():
    """A case that was renamed must not be skipped by its old name."""
    assert [name for name in OTHERWISE if name not in CASES] == []


def test_the_recordings_are_all_here():
    """Lost cases would pass unnoticed."""
    assert Counter(name.partition("/")[0] for name in CASES) == {
        "batch": 62,
        "maybe_batch": 11,
        "batch_join": 57,
        "maybe_batch_join": 5,
        "fuzz": 73,
    }
