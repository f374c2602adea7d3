"""The tag: what each example's input is called, by the stream of its ticket."""

from collections.abc import Callable
from typing import Any

import pytest

from penstock.errors import PipelineError
from penstock.stages import Tag
from penstock.testing import Recut, check_stage

FORMS: dict[str, Callable[[int], Any]] = {
    "bare": lambda i: i,
    "tuple": lambda i: (i, -i),
    "dict": lambda i: {"x": i, "y": {"z": -i}},
}


@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("item", [None, 3])
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", [5, "web"])
def test_tag_keeps_the_laws_of_a_stage(columns: bool, item: int | None, fails: bool, form: str, value: str | int):
    """A dict has one more key, at its end; beside anything else stands a dict with that one."""
    examples = [FORMS[form](i) for i in range(11)]

    rows = check_stage(
        lambda up: Tag(up, "from", [value]), examples, error=KeyError() if fails else None, columns=columns, item=item
    )

    if form == "dict":
        assert rows == [{**example, "from": value} for example in examples]
        assert all(list(row) == ["x", "y", "from"] for row in rows)
    else:
        assert rows == [(example, {"from": value}) for example in examples]


@pytest.mark.parametrize("columns", [False, True])
def test_a_name_that_is_taken_ends_it(columns: bool):
    """The examples before it come; once, and then the end."""
    examples = [{"x": 1}, {"x": 2}, {"x": 3, "from": 4}, {"x": 5}]
    examples = [{"x": 3, "from": 4}] if columns else examples
    tag = Tag(Recut(examples, columns=columns, largest=99), "from", [0])
    rows = []
    while (chunk := tag.take(99)).error is None:
        rows += chunk.as_rows()
    rows += chunk.as_rows()

    assert isinstance(chunk.error, PipelineError)
    assert rows == ([] if columns else [{"x": 1, "from": 0}, {"x": 2, "from": 0}])
    assert len(chunk.tickets) == chunk.count
    assert tag.take(1).is_end
