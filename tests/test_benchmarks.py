"""The benchmarks run, and measure what they say: a delivery that is wrong is never timed."""

from collections.abc import Iterator
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("psutil")

from benchmarks import child, compared, line, table, workloads
from benchmarks.__main__ import QUESTIONS, RESULTS, main
from benchmarks.line import Figure, Line
from benchmarks.loaders.turns import cut, in_turn, pad, stack
from benchmarks.samplers import SAMPLERS

LINES = [one for question in QUESTIONS.values() for one in question.LINES]
SMALL = {"w1": 1024, "w2": 512, "w3": 1024, "w4": 262144, "w5": 1024, "w6": 16384}


installed = [sampler.name for sampler in SAMPLERS if sampler.installed]


def by_hand(workload: workloads.Workload) -> Iterator[Any]:
    examples = in_turn(workload.sources)
    if workload.name in ("w4", "w6"):
        yield from cut(examples, workload.batch)
        return
    while group := list(islice(examples, workload.batch)):
        yield pad(group) if workload.name == "w3" else stack(group)


def rows(page: str, head: tuple[str, ...] = table.HEAD) -> list[list[str]]:
    """The rows of the tables with such a head."""
    tables = page.split(table.cells(head) + "\n")[1:]
    cells = [
        row.strip("|").split("|")
        for one in tables
        for row in takewhile(lambda row: row.startswith("|"), one.splitlines()[1:])
    ]
    return [[cell.strip() for cell in row] for row in cells]


@pytest.fixture(params=sorted(SMALL), scope="module")
def workload(request: pytest.FixtureRequest) -> workloads.Workload:
    return workloads.make(request.param, SMALL[request.param])


def test_a_right_delivery_passes_the_check(workload: workloads.Workload):
    """Batches put together by hand are what the sources yield."""
    workload.check(by_hand(workload))


def test_a_lost_batch_fails_the_check(workload: workloads.Workload):
    """A loader that drops examples is quicker, and is not timed."""
    batches = islice(by_hand(workload), 1, None)

    with pytest.raises(AssertionError, match="examples are missing"):
        workload.check(batches)


def test_a_doubled_batch_fails_the_check(workload: workloads.Workload):
    """The right number of examples is not enough."""
    batches = list(by_hand(workload))
    batches[1] = batches[0]

    with pytest.raises(AssertionError, match="examples came"):
        workload.check(batches)


def test_a_changed_value_fails_the_check(workload: workloads.Workload):
    """A buffer that was written to too early shows in the contents, not in the numbers."""

    def changed() -> Iterator[Any]:
        for batch in by_hand(workload):
            x = np.array(batch if workload.name == "w3" else batch[0])
            x[-1, 1] += 2
            yield x if workload.name == "w3" else (x, batch[1])

    with pytest.raises(AssertionError, match=r"values|rows|pixels"):
        workload.check(changed())


@pytest.mark.parametrize(
    ("better", "target", "values", "holds"),
    [
        ("lower", 2.0, (1.9, 2.1, 1.8), True),
        ("lower", 2.0, (2.1, 2.2, 1.0), False),
        ("higher", 0.9, (0.9, 0.5, 0.95), True),
        ("higher", 0.9, (0.8, 2.0, 0.85), False),
        ("higher", None, (1.0,), None),
    ],
)
def test_the_median_decides_whether_a_target_holds(better, target, values, holds):
    """One slow or lucky repetition decides nothing."""
    figure = Figure(Line("key", "what", "rival", better, target), values)

    assert figure.holds is holds


def test_ratios_are_taken_repetition_by_repetition():
    """What ran side by side is compared, whatever the machine did later."""
    found = line.ratios([2.0, 40.0], [1.0, 10.0])

    assert found == (2.0, 4.0)


def test_each_line_is_told_from_all_others():
    """A row of the page belongs to one line."""
    keys = [one.key for one in LINES]
    texts = [(one.what, one.rival) for one in LINES]

    assert len(set(keys)) == len(keys)
    assert len(set(texts)) == len(texts)


def test_the_results_name_only_lines_that_the_benchmarks_measure():
    """A line that was renamed, or whose target was moved, is measured again."""
    known = {(one.what, one.rival, one.wanted) for one in LINES}

    written = [tuple(row[:3]) for row in rows(RESULTS.read_text(encoding="utf-8"))]

    assert written
    assert set(written) <= known


def test_a_child_that_fails_says_why():
    """What a child wrote last is in the message."""
    with pytest.raises(RuntimeError, match="no_such_function"):
        child.Run().named("benchmarks.clock:no_such_function")


@pytest.mark.slow
def test_class_proportions_are_compared_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Its page has the lines, and a table of all ways that are installed."""
    pytest.importorskip("matplotlib")
    page, png = tmp_path / "page.md", tmp_path / "picture.png"

    code = main(["w5", "--tiny", "--output", str(page), "--png", str(png)])

    text = page.read_text(encoding="utf-8")
    assert code == 0
    assert [row[0] for row in rows(text)] == [one.what for one in QUESTIONS["proportions"].LINES]
    found = [row[0] for row in rows(text, compared.HEAD)]
    assert found[: len(installed)] == installed
    assert png.read_bytes().startswith(b"\x89PNG")
    assert all(name in capsys.readouterr().out for name in installed[:1])


def test_a_picture_of_another_question_is_refused(capsys: pytest.CaptureFixture[str]):
    """Only class proportions are drawn."""
    with pytest.raises(SystemExit):
        main(["drain", "--tiny", "--png", "picture.png"])

    assert "expected `proportions` among the questions with --png" in capsys.readouterr().err


@pytest.mark.slow
def test_a_question_prints_its_lines_and_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The smallest run of one question goes all the way: children, checks, table, page."""
    page = tmp_path / "page.md"

    code = main(["w4", "--tiny", "--output", str(page)])

    lines = QUESTIONS["chunks"].LINES
    assert code == 0
    assert [row[0] for row in rows(page.read_text(encoding="utf-8"))] == [one.what for one in lines]
    assert all(one.what in capsys.readouterr().out for one in lines[:1])
