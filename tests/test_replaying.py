"""One example again, under the caller's eyes."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import penstock as ps
from penstock.cli import main
from penstock.replaying import Step, steps, ticket_of
from penstock.ticket import Ticket


def numbers() -> Iterator[int]:
    yield from range(10)


def noisy(example: Any, rng: np.random.Generator) -> Any:
    return np.asarray(example) * 1000.0 + rng.integers(1000)


def test_the_steps_of_an_example_are_those_it_takes_in_the_flow():
    """The same random numbers too, and of a stream in the middle of a nested join."""
    inner = ps.join([numbers, [7, 8, 9]]).map(noisy)
    pipeline = ps.join([[1, 2], inner]).map(noisy, seed=5).filter(lambda example: True).options(seed=3).batch(2)
    with pipeline.open(inline=True) as flow:
        rows = [row for batch in flow for row in batch.tolist()]

    walked = list(steps(pipeline, Ticket(1, 0, 2)))

    assert [step.word for step in walked] == [
        "read 'numbers'",
        "map(noisy)",
        "map(noisy)",
        "filter(<lambda>)",
        "batch(2)",
    ]
    assert walked[0].value == 2
    assert walked[-1].value[0] in rows


def test_what_was_quarantined_raises_again_in_the_callers_hands():
    """The user's error from the user's line, with its place."""
    pipeline = ps.join([numbers]).map(lambda example: 1 // (example - 4), on_error=ps.Skip())
    with pipeline.open(inline=True) as flow:
        list(flow)
        (skipped,) = flow.quarantine

    with pytest.raises(ZeroDivisionError) as caught:
        ps.replay(pipeline, skipped.ticket)
    assert caught.value.__notes__ == ["penstock: while mapping example 4 of source 0 ('numbers')"]


class Bad:
    """Cannot be read at 1 and 4."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> int:
        if index in (1, 4):
            raise ValueError(index)
        return index


def test_bad_examples_before_it_do_not_matter_and_a_bad_one_itself_is_raised():
    """As in a flow that skips them."""
    pipeline = ps.join([Bad()])

    assert ps.replay(pipeline, "0:0:3") == 3
    with pytest.raises(ValueError, match="4"):
        ps.replay(pipeline, "example 4 of source 0")


def test_an_example_that_does_not_fit_the_first_says_so():
    """Padding is taken into account."""
    pipeline = ps.join([[np.zeros(2), np.zeros(3), np.zeros((2, 2))]])

    with pytest.raises(ps.SpecError, match="example 1 of source 0"):
        ps.replay(pipeline.batch(2), "0:0:1")
    assert ps.replay(pipeline.pad().batch(2), "0:0:1").shape == (1, 3)
    with pytest.raises(ps.SpecError, match="example 2 of source 0"):
        ps.replay(pipeline.pad().batch(2), "0:0:2")


def test_a_row_of_a_users_chunk_and_a_row_of_a_file_are_found(tmp_path: Path):
    """A ticket's row is its place in the chunk; a file's rows are numbered through."""
    chunks = ps.batch(lambda: iter([np.arange(3), np.arange(10, 14)]), 2, enqueue_many=True)
    (tmp_path / "a.txt").write_text("".join(f"line {number}\n" for number in range(9)))

    assert ps.replay(chunks, "0:0:1:2").tolist() == [12]
    assert ps.replay(ps.read_text(tmp_path / "a.txt"), "0:0:7") == "line 7"


def test_a_filter_that_leaves_it_out_is_the_last_step():
    """What follows never sees it."""
    pipeline = ps.join([numbers]).filter(lambda example: example % 2 == 0).map(str)

    assert list(steps(pipeline, Ticket(0, 0, 3)))[-1] == Step("filter(<lambda>)", 3, kept=False)
    assert str(Step("filter(even)", 3, kept=False)) == "filter(even): left out"


@pytest.mark.parametrize(
    ("text", "ticket"),
    [
        ("2:0:118", Ticket(2, 0, 118)),
        ("2:1:118:3", Ticket(2, 1, 118, 3)),
        ("2:1:118:0:4", Ticket(2, 1, 118, 0, 4)),
        (repr(Ticket(2, 1, 118, 3, 4)), Ticket(2, 1, 118, 3, 4)),
        ("example 118 of source 2 ('read')", Ticket(2, 0, 118)),
        ("row 3 of item 5 of source 1", Ticket(1, 0, 5, 3)),
    ],
)
def test_a_ticket_is_read_as_it_is_printed(text: str, ticket: Ticket):
    """In a report, by `repr`, or in the words of a message."""
    assert ticket_of(text) == ticket
    assert ticket_of(str(ticket)) == ticket


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ps.replay(ps.join([numbers]), "7"),
            "expected a ticket such as `2:0:118`: stream, epoch, offset, got `7` - at replay(ticket)",
        ),
        (
            lambda: ps.replay(ps.join([numbers]), "1:0:0"),
            "expected a source from 0 to 0, got source 1 - at replay(ticket)",
        ),
        (
            lambda: ps.replay(ps.join([numbers]), "0:0:10"),
            "expected an example 10, got its end after 10 - at source 'numbers'",
        ),
        (
            lambda: ps.replay(ps.join([iter([1])]), "0:0:0"),
            "expected a source that can be opened again, got the one-shot `list_iterator` - at replay() - "
            "pass a callable that opens it",
        ),
    ],
)
def test_what_cannot_be_replayed_says_why(make: Any, message: str):
    """And what to do."""
    with pytest.raises(ps.PenstockError) as caught:
        make()

    assert str(caught.value) == message


MODULE = """
import penstock as ps

def pipeline():
    return ps.join([[4, 0, 2]]).map(lambda x: 8 // x).batch(2)

nothing = 3
"""


@pytest.mark.parametrize(
    ("ticket", "name", "code", "out", "err"),
    [
        ("0:0:2", "feeds:pipeline", 0, "read 'list': 2\nmap(<lambda>): 4\nbatch(2): array([4])\n", ""),
        ("0:0:1", "feeds:pipeline", 1, "read 'list': 0\n", "ZeroDivisionError"),
        ("0:0:1", "feeds:nothing", 2, "", "expected a pipeline, `nothing` of `feeds`, got `int` - at --pipeline"),
        ("0:0:1", "feeds:missing", 2, "", "has no attribute 'missing'"),
        ("0:0:1", "no_such_feeds:pipeline", 2, "", "No module named 'no_such_feeds'"),
        ("0:0:1", "feeds", 2, "", "expected `module:name`, got `feeds` - at --pipeline"),
    ],
)
def test_the_command_prints_each_step_or_the_users_traceback(
    ticket: str,
    name: str,
    code: int,
    out: str,
    err: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """The pipeline is found from where one stands, as with `python -m`."""
    (tmp_path / "feeds.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "feeds", raising=False)

    assert main(["replay", ticket, "--pipeline", name]) == code

    shown = capsys.readouterr()
    assert shown.out == out
    assert err in shown.err


def test_an_example_of_a_shuffled_order_is_that_of_its_ticket():
    """Its offset counts in the order of its epoch."""
    pipeline = ps.join([range(100)]).shuffle().batch(1)
    order = [int(batch[0]) for batch in pipeline]

    assert [int(ps.replay(pipeline, f"0:0:{offset}")[0]) for offset in (0, 7, 99)] == [order[at] for at in (0, 7, 99)]


class Counted:
    """Counts what is read of it."""

    def __init__(self) -> None:
        self.read: list[int] = []

    def __len__(self) -> int:
        return 1000

    def __getitem__(self, index: int) -> int:
        self.read.append(index)
        return index


def test_an_example_read_by_index_is_all_that_is_read_of_its_source():
    """It may be far behind the first."""
    source = Counted()

    assert ps.replay(ps.join([source]), "0:0:900") == 900
    assert source.read == [900]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda rows: rows.stratify("y", [0.5, 0.5]).batch(2), "a component `'y'`, which is the label"),
        (lambda rows: rows.pad().bucket("y", [3], 2), "a component `y`"),
    ],
)
def test_a_label_or_length_that_cannot_be_read_is_seen_again(make: Any, message: str):
    """Such examples are in the quarantine too."""
    pipeline = make(ps.join([[{"x": 1, "y": 0}, {"x": 2}]])).options(on_error=ps.Skip())
    with pipeline.open(inline=True) as flow:
        list(flow)
        (skipped,) = flow.quarantine
    assert message in skipped.text

    with pytest.raises(ps.SpecError, match=re.escape(message)):
        ps.replay(pipeline, skipped.ticket)
