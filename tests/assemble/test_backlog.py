"""Padded batches whose rows are written by whoever waits for them."""

from __future__ import annotations

import gc
import itertools
import sys
import threading
import weakref
from collections.abc import Iterator
from threading import Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock as ps
from penstock.spec import Component

native = pytest.importorskip("penstock.assemble._native", reason="the native part is not built")
Pile = pytest.importorskip("penstock.assemble._pile").Pile
Backlog = pytest.importorskip("penstock.assemble._backlog").Backlog
Runs = pytest.importorskip("penstock.assemble._runs").Runs
Pool = pytest.importorskip("penstock.assemble._pool").Pool

FREE = Component(np.dtype(int), (None,))
LONG = 2100
"""So many numbers are more than it takes to be put off."""
WIDE = 1 << 17
"""An array of so many numbers is held, for leaves that are slices of it."""
GROUP, PLACES = 16, 256
"""How many are worth to be woken for, and how many may be put off."""
UNWRITTEN, PAD = -7, -1


class Owner:
    """Memory that leaves are views of, and of which one can tell whether it is still held."""

    def __init__(self, n: int) -> None:
        self.array = np.arange(n)
        self.__array_interface__ = self.array.__array_interface__


def put(backlog: Any, number: int = 3, long: int = LONG) -> np.ndarray:
    """Puts off a batch of two rows, of a number and of nothing; gives where it is to be written."""
    pile = Pile(native.prepared(FREE), 2)
    pile.add([np.full(long - 1, number), np.empty(0, int)])
    out = np.full((2, long), UNWRITTEN)
    pile.fill_with(backlog, out, np.array(PAD), False, False)
    return out


def is_written(out: np.ndarray, number: int = 3) -> bool:
    return bool((out[0, :-1] == number).all() and (out[0, -1:] == PAD).all() and (out[1] == PAD).all())


def is_untouched(out: np.ndarray) -> bool:
    return bool((out == UNWRITTEN).all())


def waiting(backlog: Any, heard: list[bool], most_s: float = -1) -> Thread:
    thread = Thread(target=lambda: heard.append(backlog.wait(most_s)), daemon=True)
    thread.start()
    return thread


def test_what_is_put_off_is_written_when_it_is_awaited_and_what_came_before_it():
    """Not what came after: the loop waits for no more than it takes."""
    backlog = Backlog()
    outs = [put(backlog, number) for number in range(3)]
    assert backlog.put == 3
    assert all(map(is_untouched, outs))

    backlog.finish(2)

    assert is_written(outs[0], 0)
    assert is_written(outs[1], 1)
    assert is_untouched(outs[2])


def test_what_is_small_or_large_is_written_at_once():
    """A small one costs less than the bookkeeping; for a large one the driver lets go of the interpreter itself."""
    backlog = Backlog()

    assert is_written(put(backlog, long=20))
    assert is_written(put(backlog, long=1 << 17))
    assert backlog.put == 0


def test_no_more_is_put_off_than_there_are_places():
    """The next is written at once; what was put off stays so."""
    backlog = Backlog()
    outs = [put(backlog, number) for number in range(PLACES + 1)]

    assert backlog.put == PLACES
    assert is_written(outs[-1], PLACES)
    assert is_untouched(outs[0])
    backlog.finish(backlog.put)
    assert all(is_written(out, number) for number, out in enumerate(outs))
    assert is_untouched(put(backlog)), "there is room again"


def test_who_has_nothing_else_to_do_writes_all():
    """The driver, before it waits for room."""
    backlog = Backlog()
    outs = [put(backlog) for _ in range(3)]

    backlog.help()

    assert all(map(is_written, outs))


@pytest.mark.slow
def test_several_who_help_at_once_write_nothing_twice_and_nothing_that_is_not_there():
    """The trap: what one has seen to be left is written by another before it gets to it."""
    backlog, stop = Backlog(), threading.Event()

    def help_on() -> None:
        while not stop.is_set():
            backlog.help()

    helpers = [Thread(target=help_on, daemon=True) for _ in range(3)]
    for thread in helpers:
        thread.start()
    for number in range(2000):
        out = put(backlog, number)
        backlog.finish(backlog.put)
        assert is_written(out, number)
        out[:] = UNWRITTEN
    stop.set()
    for thread in helpers:
        thread.join(20)

    assert backlog.written == backlog.put == 2000
    assert is_untouched(out)


def test_whoever_waits_writes_what_is_enough_to_be_woken_for():
    """And waits on: that is nothing that the loop is to hear of."""
    backlog, heard = Backlog(), []
    thread = waiting(backlog, heard)
    outs = [put(backlog) for _ in range(GROUP)]
    while not is_written(outs[-1]):
        thread.join(0.001)

    assert thread.is_alive()
    assert heard == []
    backlog.ring()
    thread.join(20)
    assert heard == [True]


def test_whoever_is_rung_has_written_what_was_put_off_before():
    """However little: it is about to be taken."""
    backlog, heard = Backlog(), []
    thread = waiting(backlog, heard)
    out = put(backlog)
    backlog.ring()
    thread.join(20)

    assert heard == [True]
    assert is_written(out)


def test_a_ring_before_the_wait_is_heard_once_however_often_it_was_rung():
    """As of any bell of the engine."""
    backlog = Backlog()
    for _ in range(5):
        backlog.ring()

    assert backlog.wait(20)
    assert not backlog.wait(0)
    assert not backlog.wait(1e-3)


def test_more_time_than_there_is_may_be_given():
    """A wait of ages is ended by a ring like any other."""
    backlog, heard = Backlog(), []
    thread = waiting(backlog, heard, threading.TIMEOUT_MAX * 10)
    backlog.ring()
    thread.join(20)

    assert heard == [True]


def test_what_leaves_are_views_of_is_held_until_they_are_written_and_no_longer():
    """Of the batch nothing is held either: its memory is to go back as soon as the user drops it."""
    backlog, pile, owner = Backlog(), Pile(native.prepared(FREE), 2), Owner(WIDE)
    held = weakref.ref(owner)
    view = np.asarray(owner)
    pile.add([view[:LONG], view[5:6]])
    out = np.full((2, LONG), UNWRITTEN)
    pile.fill_with(backlog, out, np.array(PAD), False, False)
    batch = weakref.ref(out)
    del view, owner, pile

    assert held() is not None
    backlog.finish(1)
    assert held() is None
    assert out[0].tolist() == list(range(LONG))
    assert out[1, :2].tolist() == [5, PAD]
    del out
    assert batch() is None


def test_a_backlog_that_is_dropped_lets_go_of_what_was_never_written():
    """As when a flow is closed early."""
    backlog = Backlog()
    batch = weakref.ref(put(backlog))
    assert batch() is not None
    del backlog

    assert batch() is None


@given(st.lists(st.integers(0, 40), min_size=1, max_size=20), st.integers(1, 12), st.booleans())
def test_leaves_that_are_slices_of_few_or_of_many_long_arrays(lengths: list[int], pieces: int, left: bool):
    """Those of a few are read where they lie; of more the others are packed."""
    memory = [np.arange(WIDE) + 100 * piece for piece in range(pieces)]
    leaves = [memory[place % pieces][place : place + length] for place, length in enumerate(lengths)]
    pile = Pile(native.prepared(FREE), len(leaves))
    pile.add(list(leaves))
    out = np.empty((len(leaves), max(lengths)), int)
    want = np.zeros_like(out)
    for row, leaf in zip(want, leaves, strict=True):
        row[len(row) - len(leaf) if left else 0 :][: len(leaf)] = leaf
    del memory, leaves

    pile.fill(out, np.array(0), left, False)

    assert out.tolist() == want.tolist()


def ragged(count: int, most: int, *, owned: bool) -> Iterator[Any]:
    """Slices of one long array, or arrays of their own, of lengths that follow no order."""
    numbers = np.arange(2 * WIDE, dtype=np.int32)
    for place in range(count):
        row = numbers[place : place + 1 + place * 7919 % most]
        yield {"t": row.copy() if owned else row, "n": place}


SETTINGS: list[dict[str, Any]] = [{}, {"side": "left", "value": -1}, {"lengths": "k", "mask": "m", "multiple": 8}]


@pytest.mark.parametrize("owned", [False, True], ids=["views", "owned"])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_batches_are_the_same_with_and_without_threads(owned: bool, settings: dict[str, Any]):
    """Of all sizes: some are put off, others are not; taken as they come, and after a while."""
    pipeline = ps.join([lambda: ragged(900, 400, owned=owned), lambda: ragged(700, 9, owned=owned)])
    pipeline = pipeline.pad(**settings).batch(32, keep_last=True)
    with pipeline.open(inline=True) as flow:
        want = list(flow)
    with pipeline.open() as flow:
        got = [next(flow) for _ in range(3)]
        while flow.stats().driver.held < 2:
            threading.Event().wait(1e-3)
        got += list(flow)

    assert len(got) == len(want) == 50
    for one, other in zip(got, want, strict=True):
        assert one.keys() == other.keys()
        assert all(one[name].tolist() == other[name].tolist() for name in one)


def test_a_flow_that_is_closed_in_the_middle_leaves_nothing_behind():
    """Neither a thread nor what was to be written."""
    owner = Owner(WIDE)
    held = weakref.ref(owner)
    flow = ps.join([itertools.repeat(np.asarray(owner)[:400])]).pad().batch(32).open()
    del owner
    next(flow)
    flow.close()
    del flow
    gc.collect()

    assert held() is None


def test_rows_of_runs_are_copied_later_from_where_they_were():
    """Of runs that were let go of meanwhile, too, and of some that lie elsewhere by now."""
    backlog, runs = Backlog(), Runs(Pool())
    arrays = [(np.arange(512.0) + 512 * number).repeat(32).reshape(512, 32) for number in range(3)]
    for number, array in enumerate(arrays):
        assert runs.add(512 * number, (array, np.arange(512) + 512 * number))
    numbers = np.random.default_rng(0).permutation(1024)
    x, y = runs.collect(numbers, backlog)
    x[:], y[:] = np.nan, -1
    runs.forget(1024)
    for number in range(3, 99):
        assert runs.add(512 * number, (arrays[0], np.arange(512)))

    assert (backlog.put, y[0]) == (1, -1)
    backlog.finish(1)
    np.testing.assert_array_equal(y, numbers)
    np.testing.assert_array_equal(x, np.repeat(numbers.astype(float), 32).reshape(1024, 32))


def test_few_rows_are_copied_at_once():
    """To leave them to somebody else costs more."""
    backlog, runs = Backlog(), Runs(Pool())
    assert runs.add(0, (np.arange(9),))

    (found,) = runs.collect(np.array([7, 2]), backlog)

    assert (backlog.put, found.tolist()) == (0, [7, 2])


@pytest.mark.parametrize("chunk", [64, 1000, 4096])
@pytest.mark.parametrize("size", [50, 256, 300])
@pytest.mark.parametrize("behind", ["", "shuffled", "shared", "again", "skipped", "to the end"])
def test_what_is_stratified_from_runs_is_the_same_where_it_is_copied_later(chunk: int, size: int, behind: str):
    """Cut at any place, and put together again; with what waits at the end, and where it goes on."""
    labels = np.random.default_rng(1).choice(3, 12_000, p=[0.6, 0.3, 0.1])
    rows = np.arange(12_000.0).repeat(24).reshape(-1, 24)

    def chunks() -> Iterator[Any]:
        for start in range(0, len(rows), chunk):
            yield rows[start : start + chunk], labels[start : start + chunk]

    read = ps.join([ps.batch(chunks, chunk, enqueue_many=True, allow_smaller_final_batch=True)])
    words = read.stratify(1, [1 / 3] * 3, repeats=2 if behind == "again" else 1)
    if behind == "shuffled":
        words = read.shuffle(500).stratify(1, [1 / 3] * 3)
    if behind == "shared":
        words = words.shard(1, 2)
    pipeline = words.batch(size, keep_last=behind == "to the end")
    whole = list(pipeline.open(inline=True))

    with pipeline.open() as flow:
        if behind == "skipped":
            flow.skip(2)
        batches = list(flow)

    assert len(whole) > 3
    assert len(batches) == len(whole) - 2 * (behind == "skipped")
    for (x, y), (its_x, its_y) in zip(batches, whole[len(whole) - len(batches) :], strict=True):
        np.testing.assert_array_equal(x, its_x)
        np.testing.assert_array_equal(y, its_y)


@pytest.mark.skipif(sys.platform == "win32", reason="there nobody looks whether the interpreter is lent")
def test_whoever_has_waited_takes_the_interpreter_when_it_is_lent():
    """And whoever lends it has it again when the other waits anew."""
    backlog, order = Backlog(), []
    backlog.asks_s = 20

    def loop() -> None:
        backlog.wait()
        order.append("had")
        backlog.wait()

    thread = Thread(target=loop, daemon=True)
    thread.start()
    backlog.ring()
    while not backlog.wanted:
        pass
    assert order == []

    backlog.lend(20)
    order.append("lent")

    assert order == ["had", "lent"]
    backlog.asks_s = 0
    backlog.ring()
    thread.join(20)
    assert not thread.is_alive()
    assert not backlog.wanted


def test_nobody_is_waited_for_longer_than_for_a_moment():
    """To lend and to ask change nothing but the time."""
    backlog = Backlog()
    backlog.lend(1e-3)
    for asks_s in (1e-3, 0):
        backlog.asks_s = asks_s
        backlog.ring()

        assert backlog.wait()
        assert not backlog.wait(1e-3)
        assert not backlog.wanted
