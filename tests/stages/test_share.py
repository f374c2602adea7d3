"""One rank's part, as a stage: the laws of stages, and how a part is filled up."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.chunk import Chunk, Columns
from penstock.errors import SpecError
from penstock.sampling import Classes
from penstock.stages import Stage
from penstock.stages.dealers import ByClass, Dealer, Turns
from penstock.stages.labelled import By
from penstock.stages.share import Fill, Share
from penstock.stages.snapshot import Wanted
from penstock.stats import ShareStats
from penstock.testing import Recut, check_stage
from penstock.ticket import turn_tickets

ENDS = ("drop", "pad", "repeat")


def part(
    upstream: Stage, dealer: Dealer, end: str, examples: list, whole: int = 1, wanted: Wanted | None = None
) -> Share:
    """The stage, over a stream of known examples."""
    fill = None
    if end != "drop":
        again = (lambda _: Recut(examples, largest=3, seed=1)) if end == "repeat" else None
        fill = Fill(whole, again=again, mask="valid" if end == "pad" else None)
    return Share(upstream, dealer, fill=fill, lengths=None, told=ShareStats(0, 1, "turns", (0, 0)), wanted=wanted)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("run", [1, 3])
@pytest.mark.parametrize("on", [False, True])
def test_turns_keep_the_laws_of_stages(end: str, columns: bool, run: int, on: bool):
    """However the stream is cut, each rank's part is the same; all parts are equally long."""
    examples = list(range(50))

    def make(upstream: Stage, rank: int) -> Stage:
        return part(upstream, Turns(rank, 4, run), end, examples, 5, Wanted(on=on))

    parts = [check_stage(partial(make, rank=rank), examples, columns=columns) for rank in range(4)]

    assert len({len(own) for own in parts}) == 1
    assert len(parts[0]) == {("drop", 1): 12, ("drop", 3): 12}.get((end, run), 15)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("on", [False, True])
def test_parts_by_class_keep_the_laws_of_stages(end: str, columns: bool, on: bool):
    """Global batches are whole wherever the stream is cut, and where it is stopped."""
    examples = [(i, i * i % 3) for i in range(50)]

    def make(upstream: Stage, rank: int) -> Stage:
        return part(upstream, ByClass(rank, 2, 8, By(1), Classes(range(3))), end, examples, 4, Wanted(on=on))

    parts = [check_stage(partial(make, rank=rank), examples, columns=columns) for rank in range(2)]

    assert [len(own) for own in parts] == ([25, 25] if end == "drop" else [28, 28])


@given(st.lists(st.integers(0, 4), min_size=20, max_size=60), st.integers(2, 4), st.integers(1, 5))
def test_many_batches_are_dealt_at_once_as_one_by_one(labels: list[int], world_size: int, size: int):
    """A run of columns holds several."""
    table, tickets = np.array(labels), turn_tickets((0,), 0, (0,), 0, len(labels))
    chunk = Chunk(None, tickets, columns=Columns.of((np.arange(len(labels)), table)))
    for rank in range(world_size):
        one, other = (ByClass(rank, world_size, size * world_size, By(1), Classes(range(5))) for _ in range(2))

        at_once = [part for cut in (chunk.cut(3)[0], chunk.cut(3)[1]) for part in one.deal(cut)]
        at_once += one.deal(chunk)
        single = [part for place in range(len(labels)) for part in other.deal(chunk.cut(place + 1)[0].cut(place)[1])]
        single += [part for place in range(len(labels)) for part in other.deal(chunk.cut(place + 1)[0].cut(place)[1])]

        assert [row for part in at_once for row in part.as_rows()] == [row for part in single for row in part.as_rows()]
        assert [t for part in at_once for t in part.tickets] == [t for part in single for t in part.tickets]


@pytest.mark.parametrize("end", ENDS)
def test_an_error_ends_every_part_after_what_came_before_it(end: str):
    """No rank fills up what an error has cut short; without filling, whole rounds only."""
    examples = list(range(8))
    parts = [
        check_stage(lambda up, r=rank: part(up, Turns(r, 3), end, examples), examples, error=ValueError("broken"))
        for rank in range(3)
    ]

    assert [len(own) for own in parts] == ([2, 2, 2] if end == "drop" else [3, 3, 2])


@given(
    st.lists(st.integers(0, 4), min_size=0, max_size=60),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from(ENDS),
)
def test_parts_by_class_are_disjoint_complete_and_even(labels: list[int], world_size: int, each: int, end: str):
    """Of each class of a global batch every rank gets floor or ceil of its part; the last batch may be smaller."""
    examples = list(enumerate(labels))
    size = each * world_size
    parts = []
    for rank in range(world_size):
        dealer = ByClass(rank, world_size, size, By(1), Classes(range(5)))
        stage = part(Recut(examples, largest=7, seed=rank), dealer, end, examples)
        parts.append(drained(stage))
    if end == "pad":
        parts = [[example for example, extra in own if extra["valid"]] for own in parts]
    plain = [[*own[: len(examples) // size * each]] for own in parts]

    if end != "repeat":
        given_ = sorted(example for own in parts for example in own)
        assert given_ == sorted(set(given_))
        assert len(given_) == (len(examples) if end == "pad" else len(examples) // world_size * world_size)
    if end != "pad":
        assert len({len(own) for own in parts}) == 1
    for number in range(len(examples) // size):
        batch = slice(number * each, (number + 1) * each)
        assert sorted(e for own in plain for e in own[batch]) == examples[number * size : (number + 1) * size]
        for label in range(5):
            many = [sum(e[1] == label for e in own[batch]) for own in plain]
            assert max(many) - min(many) <= 1


def drained(stage: Share) -> list:
    """All that a stage gives."""
    rows = []
    while (chunk := stage.take(4)).count:
        assert chunk.error is None
        rows += chunk.as_rows()
    return rows


def test_a_stream_shorter_than_a_round_is_repeated_as_often_as_it_takes():
    """Two examples fill a round of eight."""
    examples = ["a", "b"]

    parts = [drained(part(Recut(examples, largest=2, seed=0), Turns(r, 4), "repeat", examples, 2)) for r in range(4)]

    assert parts == [["a", "a"], ["b", "b"], ["a", "a"], ["b", "b"]]


def test_what_is_given_again_has_another_use_in_its_ticket():
    """So that no two examples of a flow share a ticket, and random numbers differ."""
    examples = list(range(3))
    stage = part(Recut(examples, largest=3, seed=0), Turns(0, 1), "repeat", examples, 5)
    tickets = []
    while (chunk := stage.take(9)).count:
        tickets += list(chunk.tickets)

    assert [(ticket.offset, ticket.use) for ticket in tickets] == [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1)]
    assert stage.stats().again == 2


def test_a_masks_name_that_is_taken_is_an_error():
    """It would overwrite a component."""
    examples = [{"valid": 1}]
    stage = part(Recut(examples, largest=1, seed=0), Turns(0, 1), "pad", examples)

    chunk = stage.take(1)

    assert isinstance(chunk.error, SpecError)
    assert "a new name for the mask" in str(chunk.error)
