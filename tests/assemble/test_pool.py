"""Memory comes back, and never while anybody can still see it."""

import gc
import subprocess
import sys
import threading
import tracemalloc
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import penstock.assemble.pool as twin
from penstock.assemble import Assembler, Pool
from penstock.plan import PadRule
from penstock.spec import Spec

try:
    import penstock.assemble._pool as native
except ImportError:
    POOLS = [twin.Pool]
else:
    POOLS = [twin.Pool, native.Pool]

both = pytest.mark.parametrize("make", POOLS, ids=lambda kind: kind.__module__)
F4 = np.dtype("f4")
BYTES = np.dtype("u1")


def address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def hammer(pool: Any, shape: tuple[int, ...], dtype: np.dtype, value: int = 7) -> None:
    """Takes and overwrites more memory of this kind than the pool has."""
    taken = [pool.array(shape, dtype) for _ in range(8)]
    for array in taken:
        array[...] = value


@both
def test_memory_is_used_again_once_the_batch_is_gone(make: Callable[..., Any]):
    """The next batch of the size lies where it lay."""
    pool = make()
    array = pool.array((64, 32), F4)
    first = address(array)
    del array

    assert address(pool.array((64, 32), F4)) == first


@both
def test_a_slightly_wider_batch_uses_the_same_memory(make: Callable[..., Any]):
    """Padded batches differ by a little from one to the next."""
    pool = make()
    array = pool.array((128, 201), F4)
    first = address(array)
    del array

    assert address(pool.array((128, 204), F4)) == first


VIEWS: dict[str, Callable[[np.ndarray], Any]] = {
    "slice": lambda array: array[3:5],
    "element's row": lambda array: array[7],
    "reshape": lambda array: array.reshape(-1),
    "other dtype": lambda array: array.view(np.uint8),
    "transposed": lambda array: array.T,
    "view of a view": lambda array: array[2:][::2].reshape(-1)[1:],
    "memoryview": lambda array: memoryview(array),
    "subclass": lambda array: array.view(np.recarray),
    "iterator": lambda array: array.flat,
    "asarray of a view": lambda array: np.asarray(memoryview(array)[1:]),
}


@both
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_what_a_view_shows_is_never_overwritten(make: Callable[..., Any], view: Callable[[np.ndarray], Any]):
    """NumPy collapses the chain of bases; the memory is lent to whatever stands at its end."""
    pool = make()
    array = pool.array((32, 16), F4)
    array[...] = np.arange(512).reshape(32, 16)
    first = address(array)
    kept = view(array)
    before = np.array(kept).tolist()
    del array
    hammer(pool, (32, 16), F4)

    assert np.array(kept).tolist() == before
    del kept
    gc.collect()
    assert first in {address(one) for one in [pool.array((32, 16), F4) for _ in range(12)]}


@both
def test_a_torch_tensor_keeps_its_memory(make: Callable[..., Any]):
    """Also where only a view of the tensor is left."""
    torch = pytest.importorskip("torch")
    pool = make()
    array = pool.array((32, 16), F4)
    array[...] = 3
    first = address(array)
    kept = torch.from_numpy(array)[4:, ::2]
    assert kept.untyped_storage().data_ptr() == first
    del array
    hammer(pool, (32, 16), F4)

    assert bool((kept == 3).all())
    del kept
    assert first in {address(one) for one in [pool.array((32, 16), F4) for _ in range(12)]}


@both
@pytest.mark.parametrize("way", ["asarray", "device_put", "dlpack"])
def test_a_jax_array_keeps_its_memory(make: Callable[..., Any], way: str):
    """Batches start at a multiple of 64 bytes, so JAX may lie over them without a copy."""
    jax = pytest.importorskip("jax")
    pool = make()
    array = pool.array((32, 16), F4)
    array[...] = 3
    ways = {"asarray": jax.numpy.asarray, "device_put": jax.device_put, "dlpack": jax.numpy.from_dlpack}
    kept = ways[way](array)
    del array
    hammer(pool, (32, 16), F4)

    assert bool((kept == 3).all())


@both
def test_memory_that_jax_has_let_go_of_comes_back(make: Callable[..., Any]):
    """JAX lets go at its next call."""
    jax = pytest.importorskip("jax")
    pool = make()
    array = pool.array((32, 16), F4)
    kept = jax.device_put(array)
    first = address(array)
    shared = kept.unsafe_buffer_pointer() == first
    del array, kept
    jax.device_put(np.zeros(4)).block_until_ready()
    gc.collect()

    assert shared
    assert address(pool.array((32, 16), F4)) == first


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


@both
def test_idle_memory_is_bounded_by_number_and_bytes(make: Callable[..., Any]):
    """The oldest is freed first; one piece may be larger than the bound."""
    pool = make(limit_bytes=1 << 20)
    burst = [pool.array((1 << 12,), BYTES) for _ in range(200)]
    del burst
    assert pool.idle <= twin.MOST_IDLE

    pool = make(limit_bytes=1 << 20)
    burst = [pool.array((300_000,), BYTES) for _ in range(20)]
    del burst
    pool.array((2_000_000,), BYTES)  # which finds nothing, and so looks at what there is
    assert pool.idle <= 4

    pool = make(limit_bytes=1)
    held = pool.array((300_000,), BYTES)
    first = address(held)
    del held
    assert address(pool.array((300_000,), BYTES)) == first


@both
@pytest.mark.parametrize("shape", [(), (0,), (5, 0, 3), (1,), (255,), (3, 1, 1000)])
@pytest.mark.parametrize("dtype", ["f4", "c16", "M8[ns]", "S7", "U3", "i4,f8", ">i2"])
def test_arrays_are_as_numpy_makes_them(make: Callable[..., Any], shape: tuple[int, ...], dtype: str):
    """Of any shape and dtype, writable and in one piece."""
    array = make().array(shape, np.dtype(dtype))
    array[...] = np.zeros(shape, dtype)

    assert array.shape == shape
    assert array.dtype == np.dtype(dtype)
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert type(array) is np.ndarray


@both
def test_large_arrays_are_aligned(make: Callable[..., Any]):
    """To a multiple of 64 bytes, which JAX asks for."""
    pool = make()

    assert {address(pool.array((width, 7), np.dtype("u1"))) % twin.ALIGNED for width in range(200, 240)} == {0}


@both
@pytest.mark.parametrize("dtype", [np.dtype(object), np.dtypes.StringDType()], ids=str)
def test_arrays_that_hold_objects_are_numpys_own(make: Callable[..., Any], dtype: np.dtype):
    """Whose objects must be let go of with the array."""

    class Held:
        pass

    pool = make()
    array = pool.array((1000,), dtype)

    assert array.base is None
    if dtype.hasobject and dtype.kind == "O":
        held = Held()
        gone = weakref.ref(held)
        array[:] = [held] * 1000
        del array, held
        assert gone() is None


@both
def test_arrays_outlive_their_pool(make: Callable[..., Any]):
    """And their memory is freed with them, not kept by a pool that nobody can ask."""
    tracemalloc.start()
    try:
        pool = make()
        idle = [pool.array((1000, 1000), F4) for _ in range(3)]
        kept = pool.array((1000, 1000), F4)
        kept[...] = 5
        del idle, pool
        only_kept = tracemalloc.get_traced_memory()[0]
        view = kept[1:]
        del kept
        still = bool((view == 5).all())
        del view
        nothing = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert still
    assert 4e6 < only_kept < 5e6
    assert nothing < 1e6


@both
def test_a_cycle_around_the_base_is_collected(make: Callable[..., Any]):
    """The collector may clear the members of a cycle in any order; the loan's must last to its end."""
    pool = make()
    array = pool.array((64, 64), F4)
    first = address(array)
    cycle: list[Any] = [array, array.base]
    cycle.append(cycle)
    del array, cycle
    gc.collect()

    assert first in {address(one) for one in [pool.array((64, 64), F4) for _ in range(2)]}


@both
def test_batches_may_end_in_any_thread(make: Callable[..., Any]):
    """While another takes the next; nothing is lent twice."""
    pool = make()
    arrays: deque[np.ndarray] = deque()
    wrong: list[int] = []
    ended = threading.Event()

    def consume() -> None:
        while not (ended.is_set() and not arrays):
            if arrays:
                array = arrays.popleft()
                value = int(array[0])
                if not (array == value).all():
                    wrong.append(value)

    threads = [threading.Thread(target=consume) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(3000):
        array = pool.array((500 + number % 50,), np.dtype("i8"))
        array[...] = number
        arrays.append(array)
    ended.set()
    for thread in threads:
        thread.join()

    assert wrong == []


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
