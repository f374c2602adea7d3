"""A line between threads: who is served when, and what becomes of who gives up."""

import signal
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier, Event, Thread, main_thread
from time import sleep
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock as ps
from penstock.draws import Draws
from penstock.engine.line import Line
from penstock.engine.orders import ByChance, ByPriority, InTurn

PATIENCE_S = 20.0
KEY = np.array([1, 2], np.uint64)


@pytest.fixture
def pool():
    """Threads, each of which has come back by the end of the test."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


def in_line(
    line: Line, pool: ThreadPoolExecutor, call: Callable[..., Any], *arguments: Any, **more: Any
) -> Future[Any]:
    """A call in a thread of its own, which waits for its turn when this comes back."""
    waiting = line.waiting
    future = pool.submit(call, *arguments, timeout_s=PATIENCE_S, **more)
    while not future.done() and line.waiting == waiting:
        sleep(0)
    return future


def fifo(capacity: int | None = 4) -> Line:
    return Line(InTurn(), capacity, "a line")


def test_who_came_first_is_served_first(pool: ThreadPoolExecutor):
    """A wait for many is not overtaken by waits for few."""
    line = fifo()
    many = in_line(line, pool, line.take, 3)
    one = in_line(line, pool, line.take, 1)

    line.put([1, 2])
    assert len(line) == 0
    assert not many.done()
    line.put([3, 4])

    assert (many.result(PATIENCE_S), one.result(PATIENCE_S)) == ([1, 2, 3], [4])


def test_a_run_that_is_larger_than_the_line_goes_in_as_a_whole(pool: ThreadPoolExecutor):
    """Nobody's element comes between those that were put in together."""
    line = fifo(2)
    many = in_line(line, pool, line.put, [1, 2, 3, 4, 5])
    other = in_line(line, pool, line.put, [6])

    assert [line.take(1) for _ in range(6)] == [[1], [2], [3], [4], [5], [6]]
    many.result(PATIENCE_S)
    other.result(PATIENCE_S)


def test_who_gives_up_loses_nothing():
    """TF1 lost what a dequeue that was cancelled had taken."""
    line = fifo()
    line.put([1, 2])

    with pytest.raises(TimeoutError, match=r"expected 3 elements within 0 s, got 2 - at a line"):
        line.take(3, timeout_s=0)

    assert line.take(2) == [1, 2]


def test_who_gives_up_lets_the_next_have_its_turn(pool: ThreadPoolExecutor):
    """A wait for many that ends frees what was set aside for it."""
    line = fifo()
    line.put([1])
    waiting = line.waiting
    many = pool.submit(line.take, 3, timeout_s=0.05)
    while line.waiting == waiting and not many.done():
        sleep(0)
    one = in_line(line, pool, line.take, 1)

    assert one.result(PATIENCE_S) == [1]
    with pytest.raises(TimeoutError):
        many.result(PATIENCE_S)


def test_no_room_in_time_is_said_and_what_went_in_stays():
    """Who puts in many learns how many there was room for."""
    line = fifo(2)

    with pytest.raises(TimeoutError, match=r"expected room for 3 within 0 s, got room for 2 - at a line"):
        line.put([1, 2, 3], timeout_s=0)

    assert line.take(2) == [1, 2]
    line.put([4])
    assert line.take(1) == [4]


def test_a_close_waits_for_those_before_it(pool: ThreadPoolExecutor):
    """What was offered before the close goes in; what comes after does not."""
    line = fifo(1)
    line.put([1])
    before = in_line(line, pool, line.put, [2])
    close = in_line(line, pool, line.close)
    after = in_line(line, pool, line.put, [3])

    assert line.take(1) == [1]
    before.result(PATIENCE_S)
    close.result(PATIENCE_S)
    with pytest.raises(ps.QueueClosed):
        after.result(PATIENCE_S)
    assert line.take(5, up_to=True) == [2]
    with pytest.raises(ps.QueueExhausted, match="expected another element, got a closed queue with none - at a line"):
        line.take(1)


def test_a_close_that_gives_up_leaves_the_line_open():
    """As if it had not been called."""
    line = fifo(1)
    line.put([1])
    with pytest.raises(TimeoutError):
        line.put([2], timeout_s=0)
    blocked = Thread(target=line.put, args=([3],))
    blocked.start()
    while not line.waiting:
        sleep(0)

    with pytest.raises(TimeoutError, match="expected to be closed within 0 s"):
        line.close(timeout_s=0)
    assert line.take(2) == [1, 3]
    blocked.join()
    assert not line.closed


def test_cancel_wakes_everyone(pool: ThreadPoolExecutor):
    """Both sides at once; what is in can still be taken."""
    line, other = fifo(2), fifo(2)
    line.put([1])
    takes = [in_line(line, pool, line.take, 3), in_line(line, pool, line.take, 1)]
    puts = [in_line(other, pool, other.put, [1, 2, 3])]

    line.cancel()
    other.cancel()

    for each in [*takes, *puts]:
        with pytest.raises(ps.QueueClosed, match="a wait that was cancelled"):
            each.result(PATIENCE_S)
    assert line.take(1) == [1]
    assert other.take(2) == [1, 2]


@pytest.mark.parametrize(
    "order", [InTurn, lambda: ByChance(Draws(KEY), 3), ByPriority], ids=["turn", "chance", "priority"]
)
def test_many_producers_and_consumers_lose_and_double_nothing(order: Any):
    """Eight threads, some of which put in and take out many at once, and a line that is short."""
    line = Line(order(), 7, "a line")
    start = Barrier(8)
    taken: list[list[Any]] = [[] for _ in range(4)]

    def produce(number: int) -> None:
        start.wait()
        for first in range(0, 240, 6):
            if number % 2:
                line.put([(number * 1000 + first + i, number) for i in range(6)])
            else:
                for i in range(6):
                    line.put_one((number * 1000 + first + i, number))

    def consume(number: int) -> None:
        start.wait()
        try:
            while True:
                taken[number] += line.take(5, up_to=True) if number % 2 else [line.take_one()]
        except ps.QueueExhausted:
            return

    producers = [Thread(target=produce, args=(number,)) for number in range(4)]
    consumers = [Thread(target=consume, args=(number,)) for number in range(4)]
    for thread in producers + consumers:
        thread.start()
    for thread in producers:
        thread.join()
    line.close()
    for thread in consumers:
        thread.join()

    want = Counter((number * 1000 + i, number) for number in range(4) for i in range(240))
    assert Counter(one for each in taken for one in each) == want
    if order is InTurn:
        for number in range(4):  # one who takes sees the elements of one who puts in in their order
            for each in taken:
                mine = [one for one, of in each if of == number]
                assert mine == sorted(mine)


def test_a_signal_in_a_wait_loses_nothing():
    """Ctrl-C while the main thread waits for more: what was set aside for it is there again."""

    class Struck(Exception):
        pass

    heard = Event()

    def handler(number: int, frame: Any) -> None:
        if not heard.is_set():
            heard.set()
            raise Struck

    line = fifo()
    line.put([1, 2])

    def strike() -> None:
        while not line.waiting:
            sleep(0)
        while not heard.is_set():  # one that comes just before the wait begins is not heard before it is over
            signal.pthread_kill(main_thread().ident or 0, signal.SIGUSR1)
            heard.wait(0.01)

    before = signal.signal(signal.SIGUSR1, handler)
    thread = Thread(target=strike)
    try:
        thread.start()
        with pytest.raises(Struck):
            line.take(3)
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, before)

    assert line.waiting == 0
    assert line.take(2) == [1, 2]


def test_signals_at_any_moment_lose_and_double_nothing():
    """Some thousand strikes between and within calls of the main thread, which a second thread feeds and empties."""

    class Struck(Exception):
        pass

    def handler(number: int, frame: Any) -> None:
        raise Struck

    line = fifo(8)
    go, stop = Event(), Event()
    others: list[int] = []
    n = 6000

    def feed() -> None:
        for number in range(0, n, 3):
            line.put([number, number + 1, number + 2])
        line.close()

    def empty() -> None:
        try:
            while True:
                others.extend(line.take(2, up_to=True))
        except ps.QueueExhausted:
            return

    def strike() -> None:
        go.wait()
        while not stop.is_set():
            signal.pthread_kill(main_thread().ident or 0, signal.SIGUSR1)
            stop.wait(0.0005)

    threads = [Thread(target=feed), Thread(target=empty), Thread(target=strike)]
    before = signal.signal(signal.SIGUSR1, handler)
    kept: list[int] = []
    struck = 0
    for thread in threads:
        thread.start()
    ended = False
    while not ended:
        try:
            go.set()
            while True:
                kept += line.take(2, up_to=True)
        except Struck:
            struck += 1
        except ps.QueueExhausted:
            ended = True
    while threads[-1].is_alive():
        try:
            stop.set()
            threads[-1].join()
        except Struck:
            struck += 1
    signal.signal(signal.SIGUSR1, before)
    for thread in threads:
        thread.join()

    assert struck
    # What a call has given back when the signal comes, and the assignment has not happened yet, is the caller's.
    assert len(others) + len(kept) >= n - 2 * struck
    assert len(set(others) | set(kept)) == len(others) + len(kept)


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), max_size=40))
def test_by_priority_is_a_stable_sort(told: list[tuple[int, bool]]):
    """Equal priorities leave as they came, also after some were put back."""
    order = ByPriority()
    for number, (rank, _) in enumerate(told):
        order.add([(rank, number)])
    hands: list[Any] = []
    order.pop(hands, len(told) // 2)
    order.put_back(hands)
    order.pop(hands, len(told))

    assert hands == sorted((rank, number) for number, (rank, _) in enumerate(told))


@given(st.lists(st.integers(0, 5), max_size=60))
def test_in_turn_is_a_deque_whatever_is_put_back(moves: list[int]):
    """Against a list."""
    order, model, came = InTurn(), [], 0
    for move in moves:
        if move < 3:
            new = list(range(came, came + move * 100))
            came += len(new)
            order.add(new)
            model += new
            continue
        hands: list[Any] = []
        n = min(len(model), 90 * (move - 2))
        if n == 1:
            assert order.pop_one(hands)
        else:
            order.pop(hands, n)
        assert hands == model[:n]
        model = model[n:]
        if move == 5:
            model = hands + model
            order.put_back(hands)
            assert hands == []
        assert len(order) == len(model)
