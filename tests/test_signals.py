"""Signals that strike inside `next()`, thousands of them, lose no batch and repeat none."""

import pytest

from scenario import run_script

pytestmark = [pytest.mark.slow, pytest.mark.alone]

STORM = """
import collections, queue

class Struck(Exception):
    '''What the handler raises.'''

class Storm:
    '''A signal every fifty microseconds; it raises where the interrupted frame is inside a given function.'''

    def __init__(self, function):
        self.code, self.strikes = function.__code__, 0

    def __enter__(self):
        signal.signal(signal.SIGALRM, self.strike)
        signal.setitimer(signal.ITIMER_REAL, 5e-5, 5e-5)
        return self

    def __exit__(self, *about):
        signal.setitimer(signal.ITIMER_REAL, 0)

    def strike(self, signum, frame):
        while frame is not None:
            if frame.f_code is self.code:
                self.strikes += 1
                raise Struck
            frame = frame.f_back

def taken(take, storm, strikes):
    '''What comes, until so many signals have struck.'''
    out = []
    while storm.strikes < strikes:
        try:
            out.append(take())
        except Struck:
            pass
    return out

"""


@pytest.mark.parametrize(
    ("pace", "batches"),
    [
        ("numbers", 1000),
        ("slow_numbers", 100),
        ("lambda: map(lambda i: (i, time.sleep(0.0002))[0], itertools.count())", 200),
    ],
    ids=["quick", "slow", "in between"],
)
def test_five_thousand_signals_lose_and_repeat_no_batch(pace: str, batches: int):
    """Taking a batch and counting it is one step that no signal splits, whether one has to wait for it or not."""
    script = run_script(
        STORM
        + f"""
with ps.join([{pace}]).batch(4).open() as flow:
    with Storm(ps.Flow._first) as storm:
        out = taken(lambda: next(flow), storm, 5000)
    while len(out) < {batches}:
        out.append(next(flow))
    ending()
print(storm.strikes >= 5000)
print([int(x) for batch in out for x in batch] == list(range(4 * len(out))))
print(flow.stats().delivered == len(out))
nothing_left()
"""
    )

    assert script.errors == ""
    assert script.lines == ["True", "True", "True", "left [] []"]


def test_signals_lose_no_batch_that_is_written_while_the_loop_waits_for_it():
    """Nor hand one over that is not written yet: each row is one of the source's numbers and those that follow it."""
    script = run_script(
        STORM
        + """
import numpy as np
many = np.arange(1, 2_000_001, dtype=np.int32)
def rows():
    for i in itertools.count():
        yield many[i : i + 1 + i * 7919 % 400]
def is_whole(batch, first):
    want = np.zeros_like(batch)
    for row, i in zip(want, range(first, first + 32)):
        row[: 1 + i * 7919 % 400] = many[i : i + 1 + i * 7919 % 400]
    return batch.tobytes() == want.tobytes()
with ps.join([rows]).pad().batch(32).open() as flow:
    with Storm(ps.Flow._first) as storm:
        out = taken(lambda: next(flow), storm, 2000)
    while len(out) < 500:
        out.append(next(flow))
    ending()
print(storm.strikes >= 2000)
print([number for number, batch in enumerate(out) if not is_whole(batch, 32 * number)])
nothing_left()
"""
    )

    assert script.errors == ""
    assert script.lines == ["True", "[]", "left [] []"]


def test_a_plain_queue_loses_batches_or_its_lock_under_the_same_storm():
    """The trap: `queue.Queue.get` takes under a lock. A signal between taking and returning costs what was taken.

    One between taking the lock and the `with` that gives it back costs the lock, and nobody takes anything any more.
    """
    script = run_script(
        STORM
        + """
batches = queue.Queue()
batches.queue.extend(range(5_000_000))
with Storm(queue.Queue.get) as storm:
    out = taken(batches.get, storm, 5000)
if not batches.mutex.acquire(timeout=0.5):
    print("the lock")
elif out != list(range(len(out))):
    print("a batch")
ending()
"""
    )

    assert script.lines in (["the lock"], ["a batch"])


def test_a_signal_while_a_batch_is_converted_repeats_the_conversion():
    """The batch is counted only when it is whole in the caller's arrays."""
    pytest.importorskip("torch")
    script = run_script(
        STORM
        + """
with ps.join([numbers]).batch(4).to("torch").open() as flow:
    next(flow)
    with Storm(flow._convert) as storm:
        out = taken(lambda: next(flow), storm, 2000)
    ending()
print([int(x) for batch in out for x in batch] == list(range(4, 4 * len(out) + 4)))
"""
    )

    assert script.lines == ["True"]


def test_a_signal_inside_a_flow_without_threads_breaks_it_rather_than_lose_a_batch():
    """There the sources run inside `next()`, and what they were doing is lost: the flow says so again and again."""
    script = run_script(
        STORM
        + """
lost = 0
for _ in range(20):
    flow = ps.join([numbers]).batch(4).open(inline=True)
    out = []
    with Storm(ps.Flow._first) as storm:
        try:
            while True:
                out.append(next(flow))
        except Struck:
            pass
    for _ in range(3):
        try:
            out.append(next(flow))
        except (Struck, ps.FlowClosed):
            pass
    lost += [int(x) for batch in out for x in batch] != list(range(4 * len(out)))
print(lost)
ending()
"""
    )

    assert script.lines == ["0"]
