"""The pool over a long feed: what it holds, and what a fork makes of it."""

import subprocess
import sys
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import penstock.assemble.pool as twin
from penstock.assemble import Assembler, Pool
from penstock.plan import PadRule
from penstock.spec import Spec

both = pytest.mark.parametrize("make", dict.fromkeys((twin.Pool, Pool)), ids=lambda kind: kind.__module__)
F4 = np.dtype("f4")


def address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def test_the_short_last_batch_and_its_views_are_kept():
    """A batch of fewer examples is a smaller array, not a slice of a larger one that others see."""
    rows = [np.full(64, i, np.float32) for i in range(10)]
    assembler = Assembler(Spec.of(rows[0]), lambda path: None, Pool())
    (last,), _ = assembler.rows(rows[:3])
    kept = last[1:]
    del last
    for _ in range(8):
        assembler.rows(rows)

    assert kept.shape == (2, 64)
    assert kept[:, 0].tolist() == [1, 2]


@both
def test_three_batches_in_flight_need_no_fourth_piece(make: Callable[..., Any]):
    """A thousand batches later the memory is what it was after the first few."""
    pool = make()
    in_flight: deque[np.ndarray] = deque(maxlen=3)
    seen = set()
    for number in range(1000):
        batch = pool.array((16, 100 + number % 3), F4)
        seen.add(address(batch))
        in_flight.append(batch)

    assert len(seen) <= 4


FORK = """
import os
import numpy as np
from penstock.assemble import Pool
pool = Pool()
kept, idle = pool.array((64, 64), np.dtype("f4")), pool.array((64, 64), np.dtype("f4"))
kept[...] = 1
del idle
child = os.fork()
if child == 0:
    for value in range(100):
        pool.array((64, 64), np.dtype("f4"))[...] = value
    ok = bool((kept == 1).all())
    del kept
    os._exit(0 if ok else 3)
for value in range(100):
    pool.array((64, 64), np.dtype("f4"))[...] = value
assert os.waitpid(child, 0)[1] == 0
assert (kept == 1).all()
print("fine")
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="there is no fork here")
def test_a_fork_has_a_pool_of_its_own():
    """What the child takes and drops is its copy."""
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=60)

    assert (done.stdout, done.returncode) == ("fine\n", 0), done.stderr


def test_padded_batches_of_drawn_widths_settle():
    """Resident memory does not grow with the number of widths there are."""
    random = np.random.default_rng(0)
    rows = [np.zeros(width, np.int32) for width in random.integers(1, 300, 400)]
    pool = Pool()
    assembler = Assembler(Spec.of(rows[0]), lambda path: PadRule(), pool)
    in_flight: deque[Any] = deque(maxlen=3)
    for _ in range(300):
        chosen = random.choice(len(rows), 32)
        in_flight.append(assembler.rows([rows[i] for i in chosen]))
    settled = pool.idle
    for _ in range(300):
        chosen = random.choice(len(rows), 32)
        in_flight.append(assembler.rows([rows[i] for i in chosen]))

    assert pool.idle <= max(settled, 12)
