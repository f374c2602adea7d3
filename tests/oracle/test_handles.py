"""What TensorFlow 1 answered, asked of its own spelling: the recorded batches as handles, in the forms that TF1 gave."""

import builtins
from typing import Any

import numpy as np
import pytest

from oracle.cases import OTHERWISE, Told, cases, flag_place, in_turn, stacked, told
from oracle.test_tf1 import differs, recorded_parts
from penstock import tf1 as tf
from penstock.testing import same

CASES = cases()

# With handles a bare one is refused, as TF1 did; `ps.batch` takes a bare array as an example.
BARE = {"batch/bare_tensor", "batch_join/bare_elements"}
ELSEWISE = {name: entry for name, entry in OTHERWISE.items() if name not in BARE}
ASKED = [name for name in CASES if ELSEWISE.get(name, {"does": ""})["does"] is not None]


def handles(source: Told, place: int | None) -> tuple[Any, Any]:
    """One source as TF1 had it: a Python function behind handles, and the handle of its flag."""
    items = iter(source.items)
    source.read.append(0)

    def item() -> Any:
        values = next(items, None)
        if values is not None:
            source.read[0] += 1
            return list(values)
        if isinstance(source.end, list):
            raise getattr(builtins, source.end[0])(source.end[1])
        raise StopIteration

    sample = source.items[0] if source.items else []
    dtypes = [np.asarray(part).dtype if not isinstance(part, bytes) else tf.string for part in sample]
    dtypes = dtypes or [tf.int64] * len(source.names)
    parts = tf.py_func(item, [], dtypes)
    kept = {name: part for at, (name, part) in enumerate(zip(source.names, parts, strict=True)) if at != place}
    form = list(kept.values()) if source.form == "list" else tuple(kept.values())
    given = kept if source.form == "dict" else next(iter(kept.values())) if source.form == "bare" else form
    return given, None if place is None else parts[place]


def asked(case: dict[str, Any], sources: list[Told]) -> Any:
    """The call that the case recorded."""
    place = flag_place(case)
    pairs = [handles(source, place) for source in sources] * case.get("repeat_source", 1)
    joined = case["function"].endswith("join")
    first: Any = [given for given, _ in pairs] if joined else pairs[0][0]
    if case.get("outer"):
        first = {"tuple": tuple(first), "empty": [], "generator": iter(first)}[case["outer"]]
    args = dict(case["args"])
    if place is not None:
        args["keep_input"] = pairs[0][1] if not joined else [flag for _, flag in pairs]
    elif "keep_input" in case:
        args["keep_input"] = case["keep_input"]["value"]
    made = getattr(tf.train, case["function"])(first, **args)
    if "nested_into" in case:
        nested = case["nested_into"]
        made = getattr(tf.train, nested["function"])(made if isinstance(made, list) else [made], **nested["args"])
    return made


def run(case: dict[str, Any], sources: list[Told]) -> tuple[list[Any], Exception | None]:
    """The batches, and the error that ended them, `OutOfRangeError` included."""
    batches: list[Any] = []
    try:
        made = asked(case, sources)
        with tf.Session() as sess:
            while True:
                batches.append(sess.run(made))
    except Exception as error:
        return batches, error


def parts(batch: Any) -> list[Any]:
    """The components of a batch, those of a dict by name."""
    if isinstance(batch, dict):
        return [batch[name] for name in sorted(batch)]
    return batch if isinstance(batch, list) else [batch]


@pytest.mark.parametrize("name", ASKED)
def test_a_case_is_answered_with_handles_as_tf1_did(name: str):
    """The same answers as by `penstock.batch` and so on, in TF1's forms, and under TF1's names of errors."""
    case = CASES[name]
    answer = case["answer"]
    sources = told(case)

    batches, error = run(case, sources)

    entry = ELSEWISE.get(name)
    if "refused" in answer and (entry is None or entry["does"] != "delivers"):
        assert isinstance(error, ValueError)
        assert batches == []
        return
    if entry is not None and entry["does"] != "delivers":
        assert isinstance(error, ValueError)  # `InvalidArgumentError` is one.
        assert batches == []
        return
    raises = next((source.end for source in sources if isinstance(source.end, list)), None)
    if raises:
        assert type(error) is getattr(builtins, raises[0])
    elif answer.get("error") and entry is None:
        assert isinstance(error, tf.errors.InvalidArgumentError)
    else:
        assert isinstance(error, tf.errors.OutOfRangeError)
    want = in_turn(case, sources * case.get("repeat_source", 1)) if not case.get("repeat_source") else None
    if want is not None:
        assert len(batches) == len(want) or answer.get("error")
        check_in_turn(case, sources, batches, want)
    if entry is None and case["compare"] == "exact" and answer.get("end") != "HANG":
        assert [type(batch) for batch in batches] == [type(batch) for batch in map(of_form(case), batches)]
        assert len(batches) == len(answer["batches"])
        for batch, recorded in zip(batches, answer["batches"], strict=True):
            pairs = zip(parts(batch), recorded_parts(recorded, case), strict=True)
            assert [differs(*pair) for pair in pairs] == [None] * len(parts(batch))


def of_form(case: dict[str, Any]) -> Any:
    """What a batch is in the form that TF1 recorded."""
    kind = case["answer"]["returns"]
    return {"dict": dict, "list": list}.get(kind, lambda batch: batch)


def check_in_turn(case: dict[str, Any], sources: list[Told], batches: list[Any], want: list[Any]) -> None:
    """The batches are those of the fixed order, computed without penstock."""
    names = [name for place, name in enumerate(sources[0].names) if place != flag_place(case)] if sources else []
    order = sorted(range(len(names)), key=names.__getitem__) if case["form"] == "dict" else range(len(names))
    for batch, examples in zip(batches, want, strict=False):
        columns = list(zip(*examples, strict=True))
        for got, at in zip(parts(batch), order, strict=True):
            assert same(got, stacked(list(columns[at]))), f"component {names[at]}"
