"""What TensorFlow 1's queues answered, step by step, asked of penstock's."""

import json
from concurrent.futures import Future, ThreadPoolExecutor
from time import sleep
from typing import Any

import numpy as np
import pytest

import penstock as ps
from oracle.cases import HERE, value

CASES = {case["id"]: case for case in json.loads((HERE / "queues.json").read_text())}
ANSWERS = json.loads((HERE / "answers_queues.json").read_text())
OTHERWISE = {name: entry for entry in ANSWERS["cases"] for name in entry["ids"]}
ERRORS: dict[str, type[Exception]] = {
    "OutOfRangeError": ps.QueueExhausted,
    "CancelledError": ps.QueueClosed,
    "ValueError": ps.SpecError,
}
PATIENCE_S = 20.0


def made(case: dict[str, Any]) -> Any:
    """The queue of a case."""
    told = case["queue"]
    more = {key: told[key] for key in ("names", "seed", "min_after_dequeue") if told.get(key) is not None}
    kind = getattr(ps, told["kind"])
    declared = "types" if told["kind"] == "PriorityQueue" else "dtypes"
    return kind(capacity=told["capacity"], **{declared: told["dtypes"]}, shapes=told["shapes"], **more)


def done(queue: Any, step: list[Any], timeout_s: float) -> Any:
    """What a step gives."""
    name, *arguments = step
    if name in ("size", "is_closed"):
        return getattr(queue, name)()
    return getattr(queue, name)(*arguments, timeout_s=timeout_s)


def played(queue: Any, program: list[list[Any]], answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the steps of a program gave; calls in the background have their place in line before the next step."""
    outcomes: list[dict[str, Any]] = []
    others: dict[str, Future[Any]] = {}
    with ThreadPoolExecutor() as pool:
        for (name, *rest), answer in zip(program, answers, strict=True):
            if name == "bg":
                waiting = queue._line.waiting
                others[rest[0]] = pool.submit(done, queue, rest[1], PATIENCE_S)
                while not others[rest[0]].done() and queue._line.waiting == waiting:
                    sleep(0)
                outcomes.append({})
                continue
            try:
                if name == "wait":
                    outcomes.append({"value": others[rest[0]].result(PATIENCE_S)})
                elif name == "pending":
                    outcomes.append({"value": not others[rest[0]].done()})
                else:
                    outcomes.append({"value": done(queue, [name, *rest], 0 if "blocked" in answer else PATIENCE_S)})
            except TimeoutError:
                outcomes.append({"blocked": True})
            except ps.PenstockError as error:
                outcomes.append({"error": type(error)})
        queue.cancel()
    return outcomes


def same_values(got: Any, recorded: Any) -> bool:
    """Whether a value is what was recorded, dtypes included; text may be str where TF1 had bytes."""
    if isinstance(recorded, list) and recorded and isinstance(recorded[0], list):
        return len(got) == len(recorded) and all(map(same_values, got, recorded))
    if isinstance(recorded, dict):
        return set(got) == set(recorded) and all(same_values(got[key], recorded[key]) for key in got)
    if not isinstance(recorded, list):
        return bool(got == recorded)
    want = np.asarray(value(recorded))
    if recorded[0] == "string":
        texts = [text.decode() if isinstance(text, bytes) else text for text in want.ravel().tolist()]
        return np.shape(got) == want.shape and np.asarray(got, object).ravel().tolist() == texts
    return np.asarray(got).dtype == want.dtype and np.array_equal(got, want)


@pytest.mark.parametrize("name", CASES)
def test_a_queue_answers_as_tf1s_did_or_as_the_table_says(name: str):
    """Little programs, with calls that wait in the background."""
    case = CASES[name]
    entry = OTHERWISE.get(name, {})
    if "refused" in case["answer"] or entry.get("does") == "PipelineError":
        with pytest.raises(ps.PipelineError):
            made(case)
        return
    answers = entry.get("steps", case["answer"].get("steps"))

    outcomes = played(made(case), case["program"], answers)

    for step, (got, recorded) in enumerate(zip(outcomes, answers, strict=True)):
        place = f"step {step}: {case['program'][step]}"
        assert ("blocked" in got) == ("blocked" in recorded), place
        if "error" in recorded:
            assert got.get("error") is ERRORS[recorded["error"]], place
        elif "value" in recorded:
            assert "value" in got, (place, got)
            if case["compare"] == "exact":
                assert same_values(got["value"], recorded["value"]), (place, got, recorded)
            else:
                shape = recorded["value"][1] if isinstance(recorded["value"], list) else []
                assert list(np.shape(got["value"])) == shape, (place, got)
        else:
            assert "error" not in got, (place, got)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["compare"] == "facts"])
def test_what_leaves_by_chance_is_what_was_put_in(name: str):
    """The order is chance; the multiset is not."""
    case = CASES[name]
    outcomes = played(made(case), case["program"], case["answer"]["steps"])
    put = [row for step in case["program"] if step[0].startswith("enqueue") for row in np.ravel(step[1]).tolist()]
    taken = [
        row
        for (name_, *rest), got in zip(case["program"], outcomes, strict=True)
        if got.get("value") is not None and name_ not in ("size", "pending", "is_closed")
        for row in np.ravel(got["value"]).tolist()
    ]

    assert len(set(taken)) == len(taken)
    assert set(taken) <= set(put)


def test_the_table_speaks_of_recorded_cases_only():
    """A case that was renamed must not be skipped by its old name."""
    assert [name for name in OTHERWISE if name not in CASES] == []


def test_the_recordings_are_all_here():
    """Lost cases would pass unnoticed."""
    assert len(CASES) == 37
