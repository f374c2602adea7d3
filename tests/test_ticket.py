"""Where examples came from: a rule for a run of them, or a list."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.ticket import NO_TICKETS, Ticket, Tickets, item_tickets, mixed_tickets, turn_tickets


def test_tickets_of_turns_count_each_stream_on_its_own():
    """Streams 4 and 7 gave 10 and 20 items before; the run begins at the second one's turn."""
    tickets = turn_tickets((4, 7), 2, (10, 20), 1, 4)

    assert list(tickets) == [Ticket(7, 2, 20), Ticket(4, 2, 11), Ticket(7, 2, 21), Ticket(4, 2, 12)]
    assert len(tickets) == 4


def test_tickets_of_an_item_count_its_rows():
    """A user's chunk is one item; its examples are told apart by their rows."""
    assert list(item_tickets(1, 0, 5, 3, 2)) == [Ticket(1, 0, 5, 3), Ticket(1, 0, 5, 4)]


def test_tickets_by_a_schedule_count_each_stream_on_its_own():
    """Streams 4 and 7, in passes 0 and 3, from the third turn on."""
    whose = np.array([0, 1, 0, 1, 1, 0])
    tickets = mixed_tickets(np.array([4, 7]), np.array([0, 3]), np.array([10, 20]), whose, 2, 4)

    assert list(tickets) == [Ticket(4, 0, 11), Ticket(7, 3, 21), Ticket(7, 3, 22), Ticket(4, 0, 12)]


def test_streams_in_turn_may_be_in_different_passes():
    """One of them has begun again."""
    assert list(turn_tickets((4, 7), np.array([0, 2]), (10, 0), 1, 2)) == [Ticket(7, 2, 0), Ticket(4, 0, 11)]


def test_woven_tickets_stand_in_the_order_of_turns():
    """Each run keeps its own order."""
    parts = {1: item_tickets(1, 0, 5, 0, 2), 0: item_tickets(0, 0, 3, 7, 1)}

    assert list(Tickets.woven(parts, np.array([1, 0, 1]))) == [
        Ticket(1, 0, 5, 0),
        Ticket(0, 0, 3, 7),
        Ticket(1, 0, 5, 1),
    ]


def test_no_tickets_are_none():
    """The end of a stream has no example, and so no ticket."""
    assert list(NO_TICKETS) == []
    assert NO_TICKETS.table().shape == (0, 5)
    with pytest.raises(IndexError):
        NO_TICKETS[0]


def test_a_ticket_is_a_plain_tuple_of_ints():
    """It stands in messages and in saved states."""
    ticket = turn_tickets((1,), 0, (5,), 0, 1)[0]

    assert ticket == (1, 0, 5, 0, 0)
    assert [type(part) for part in ticket] == [int] * 5


turns = st.lists(st.integers(0, 2), max_size=12).map(lambda numbers: np.array(numbers, np.int64))


@st.composite
def scheduled(draw: st.DrawFn) -> Tickets:
    """Tickets of streams by a schedule, from somewhere on."""
    whose = draw(turns)
    first = draw(st.integers(0, len(whose)))
    epochs, offsets = (np.array(draw(st.lists(st.integers(0, 9), min_size=3, max_size=3))) for _ in range(2))
    return mixed_tickets(np.array([4, 5, 7]), epochs, offsets, whose, first, len(whose) - first)


@st.composite
def wovens(draw: st.DrawFn) -> Tickets:
    """Tickets of three runs, put in the order of turns."""
    whose = draw(turns)
    parts = {number: item_tickets(number, 1, 2, 3, int((whose == number).sum())) for number in range(3)}
    return Tickets.woven(parts, whose)


runs = st.builds(
    lambda streams, epoch, offset, first, count: turn_tickets(
        tuple(range(streams)), epoch, tuple(offset + stream for stream in range(streams)), first, count
    ),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(0, 9),
    st.integers(0, 5),
    st.integers(0, 9),
) | st.builds(
    item_tickets, st.integers(0, 3), st.integers(0, 3), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)
)
runs = runs | scheduled() | wovens()


@given(st.lists(runs, min_size=1, max_size=4), st.data())
def test_tickets_are_cut_selected_and_joined_as_a_list_is(parts: list[Tickets], data: st.DataObject):
    """The rules save room; what they stand for is a list."""
    joined = Tickets.joined(parts)
    listed = [ticket for part in parts for ticket in part]
    start = data.draw(st.integers(0, len(listed)))
    stop = data.draw(st.integers(start, len(listed)))
    keep = data.draw(st.lists(st.integers(0, len(listed) - 1), max_size=5)) if listed else []

    assert list(joined) == listed
    assert list(joined.cut(start, stop)) == listed[start:stop]
    assert list(joined.select(np.array(keep, np.int64))) == [listed[i] for i in keep]
    assert [joined[i] for i in range(len(listed))] == listed
    assert len(joined) == len(listed)
    assert joined.streams().tolist() == [ticket.stream for ticket in listed]
    middle = joined.cut(start, stop)
    assert list(middle.cut(1, len(middle))) == listed[start:stop][1:] if len(middle) else True


@given(st.integers(1, 4), st.integers(1, 5), st.booleans(), st.data())
def test_interleaved_tickets_are_one_of_each_in_turn(k: int, m: int, alike: bool, data: st.DataObject):
    """Whether the runs follow one rule, which is kept as one, or not."""
    epochs = [0] * k if alike else [data.draw(st.integers(0, 2)) for _ in range(k)]
    parts = [turn_tickets((stream,), epochs[stream], (data.draw(st.integers(0, 9)),), 0, m) for stream in range(k)]

    together = Tickets.interleaved(parts)

    assert list(together) == [parts[turn % k][turn // k] for turn in range(k * m)]


@given(st.lists(runs, min_size=1, max_size=3).map(Tickets.joined).filter(len), st.data())
def test_tickets_at_some_places_are_those_of_the_table(tickets: Tickets, data: st.DataObject):
    """Looked up without writing out all others."""
    places = sorted(data.draw(st.sets(st.integers(0, len(tickets) - 1), min_size=1)))

    assert tickets.picked(np.array(places)).tolist() == tickets.table()[places].tolist()
