"""Memory comes back when nobody sees it any more, and not a moment before; both pools keep the same promises."""

import gc
import itertools
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from threading import Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock.assemble.pool as twin
from penstock.assemble import Pool

POOLS = [twin.Pool] if Pool is twin.Pool else [twin.Pool, Pool]
F8 = np.dtype(np.float64)


@pytest.fixture(params=POOLS, ids=lambda kind: kind.__module__.rsplit(".", 1)[-1])
def make(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Makes a pool of either kind."""
    return request.param


def torch_view(array: np.ndarray) -> Any:
    return pytest.importorskip("torch").from_numpy(array)[3:5].T


def torch_of_a_slice(array: np.ndarray) -> Any:
    return pytest.importorskip("torch").from_numpy(array[2:4])


def jax_array(array: np.ndarray) -> Any:
    return pytest.importorskip("jax").numpy.asarray(array)


KEEPS: list[Callable[[np.ndarray], Any]] = [
    lambda array: array,
    lambda array: array[5:],
    lambda array: array[::-3, 1],
    lambda array: array.reshape(-1),
    lambda array: array.T,
    lambda array: array.view(np.uint8),
    lambda array: memoryview(array),
    lambda array: array.flat,
    lambda array: np.asarray(memoryview(array)[1:]),
    lambda array: np.broadcast_to(array[0], (4, 5)),
    lambda array: [row for row in array][:1],
    lambda array: np.lib.stride_tricks.sliding_window_view(array, 2, axis=0)[1:],
    lambda array: np.from_dlpack(array[1:]),
    torch_view,
    torch_of_a_slice,
]


@pytest.mark.parametrize("keep", KEEPS)
def test_memory_is_used_again_when_its_last_view_is_gone(make: Callable[..., Any], keep: Callable[[np.ndarray], Any]):
    """Whatever kind of view that is, and whoever holds it."""
    pool = make()
    array = pool.array((40, 5), F8)
    address = array.ctypes.data
    array[:] = 7

    kept = keep(array)
    del array
    others = [pool.array((40, 5), F8) for _ in range(3)]
    for other in others:
        other[:] = 0

    assert address not in [other.ctypes.data for other in others]
    assert pool.idle == 0
    del others, other
    assert pool.idle == 3
    del kept
    gc.collect()
    assert pool.idle == 4
    assert pool.array((40, 5), F8).ctypes.data == address


def test_memory_that_jax_took_over_stays_jaxs(make: Callable[..., Any]):
    """JAX may copy, or look on; when its own array is gone, it is for the pool again."""
    pool = make()
    kept = []
    for number in range(20):
        array = pool.array((64, 16), np.dtype(np.float32))
        array[:] = number
        if number % 4 == 0:
            kept.append(jax_array(array))
        del array

    assert [sorted(set(np.asarray(array).ravel().tolist())) for array in kept] == [[n] for n in range(0, 20, 4)]


def test_an_array_is_as_asked(make: Callable[..., Any]):
    """Uninitialised; its own memory, which begins where frameworks want it to."""
    pool = make()
    for shape in [(1000,), (7, 11, 13), (3, 0, 5), (), (129,)]:
        for dtype in (F8, np.dtype("i2"), np.dtype("U7"), np.dtype("M8[us]"), np.dtype([("a", "i1"), ("b", "f8")])):
            array = pool.array(shape, dtype)
            assert (array.shape, array.dtype) == (shape, dtype)
            assert array.flags.writeable
            assert array.flags.c_contiguous
            if array.nbytes >= twin.LEAST:
                assert array.ctypes.data % twin.ALIGNED == 0


@pytest.mark.parametrize("dtype", [np.dtype(object), np.dtypes.StringDType(), np.dtype([("a", object), ("b", "i8")])])
def test_arrays_of_objects_are_not_recycled(make: Callable[..., Any], dtype: np.dtype):
    """What they refer to has owners of its own, which old memory would take no account of."""
    pool = make()
    array = pool.array((500,), dtype)
    array[:] = array[::-1]
    del array

    assert pool.idle == 0


def test_less_than_a_page_is_not_worth_keeping(make: Callable[..., Any]):
    """A small array is NumPy's own affair."""
    pool = make()
    pool.array((twin.LEAST // 8 - 1,), F8)

    assert pool.idle == 0


def test_widths_that_differ_a_little_share_memory(make: Callable[..., Any]):
    """Padded batches are all of different sizes, and none of them twice would mean new memory for each."""
    pool = make()
    pool.array((100, 64), F8)
    for width in range(60, 65):
        pool.array((100, width), F8)

    assert pool.idle == 1


def test_what_nobody_wants_for_long_is_freed(make: Callable[..., Any]):
    """One slow moment, in which more were lent than ever before, does not cost its memory for ever."""
    pool = make()
    burst = [pool.array((1000,), F8) for _ in range(5)]
    del burst
    assert pool.idle == 5

    for _ in range(twin.MOST_TAKES + 10):
        two = [pool.array((1000,), F8) for _ in range(2)]
        del two

    assert pool.idle == 2


def test_a_small_array_does_not_take_a_large_piece(make: Callable[..., Any]):
    """A user who keeps the small batches would keep the memory of the large ones."""
    pool = make()
    pool.array((100_000,), F8)
    small = pool.array((1000,), F8)

    assert pool.idle == 1
    del small
    assert pool.idle == 2


@given(st.integers(1, 1 << 40))
def test_a_piece_is_at_most_an_eighth_larger_than_asked(nbytes: int):
    """Or less than the least that is kept."""
    size = twin.size_class(nbytes)
    assert size == sys.modules[Pool.__module__].size_class(nbytes)

    assert nbytes <= size
    assert size - nbytes <= max(twin.LEAST - 1, nbytes // 8)


def test_idle_memory_is_bounded_by_pieces(make: Callable[..., Any]):
    """What would exceed the bound is freed, the oldest first."""
    pool = make()
    arrays = [pool.array((1000,), F8) for _ in range(twin.MOST_IDLE + 9)]
    newest = {array.ctypes.data for array in arrays[-twin.MOST_IDLE :]}
    while arrays:
        del arrays[0]

    assert pool.idle == twin.MOST_IDLE
    assert {pool.array((1000,), F8).ctypes.data} <= newest


def test_idle_memory_is_bounded_by_bytes(make: Callable[..., Any]):
    """It is looked at when new memory is needed."""
    tracemalloc.start()
    try:
        pool = make(limit_bytes=3 << 20)
        arrays = [pool.array((1 << 20,), np.dtype(np.uint8)) for _ in range(12)]
        arrays.clear()
        pool.array((1 << 22,), np.dtype(np.uint8))
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert pool.idle <= 4
    assert held < (3 << 20) + (1 << 22) + (1 << 20)


def test_arrays_live_on_when_their_pool_is_gone(make: Callable[..., Any]):
    """A batch outlives its flow; then it frees its memory itself."""
    tracemalloc.start()
    try:
        pool = make()
        arrays = [pool.array((1 << 20,), np.dtype(np.uint8)) for _ in range(5)]
        pool.array((1 << 20,), np.dtype(np.uint8))
        del pool
        gc.collect()
        for number, array in enumerate(arrays):
            array[:] = number
        values = [set(array.tolist()) for array in arrays]
        del array
        arrays.clear()
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert values == [{number} for number in range(5)]
    assert held < 1 << 20


def test_an_array_may_end_anywhere_even_while_another_is_taken(make: Callable[..., Any]):
    """A finalizer runs in the middle of anything, under any lock; so it takes none."""
    pool = make()
    kept = [pool.array((1000,), F8) for _ in range(30)]
    dropped = 0

    def drop(*_: Any) -> None:
        nonlocal dropped
        if kept:
            kept.pop()
            dropped += 1

    taken = []
    sys.setprofile(drop)
    try:
        while kept:
            taken.append(pool.array((1000,), F8))
    finally:
        sys.setprofile(None)
    for number, array in enumerate(taken):
        array[:] = number

    assert dropped == 30
    assert len({array.ctypes.data for array in taken}) == len(taken)
    assert [array[0] for array in taken] == list(range(len(taken)))


def test_threads_never_get_the_same_memory(make: Callable[..., Any]):
    """One takes what another drops; each sees its own numbers in what it holds."""
    pool = make()
    wrong: list[Any] = []

    def work(own: int) -> None:
        held: list[np.ndarray] = []
        for turn in range(300):
            array = pool.array((128 + turn % 3, 4), F8)
            array[:] = own * 1000 + turn
            held.append(array)
            if len(held) > 1 + turn % 4:
                old = held.pop(0)
                if len(set(old.ravel().tolist())) != 1 or old[0, 0] // 1000 != own:
                    wrong.append((own, turn))

    threads = [Thread(target=work, args=(own,)) for own in range(6)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)

    assert wrong == []


def test_a_base_in_a_reference_cycle_ends_as_any_other():
    """The collector may not take away what its end needs; in a process of its own, since it would crash."""
    code = """if True:
        import gc, numpy as np
        from penstock.assemble import Pool
        pool = Pool()
        cycle = [pool.array((1000,), np.dtype("f8")).base]
        cycle.append(cycle)
        del cycle
        gc.collect()
        print(pool.idle)
    """
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (answer.returncode, answer.stdout.strip()) == (0, "1")


def addresses(arrays: list[np.ndarray]) -> list[tuple[int, int]]:
    """Where each begins and ends, in that order."""
    return sorted((array.ctypes.data, array.ctypes.data + array.nbytes) for array in arrays)


def test_the_pieces_of_a_flow_that_has_many_ahead_lie_together():
    """The first few alone, as most flows need no more; then in a few slabs, and alone again: what is kept holds little else."""
    slabs, nbytes = twin.Slabs(), 250_000 // twin.ALIGNED * twin.ALIGNED
    pieces = [slabs.piece(nbytes) for _ in range(200)]
    owners = [piece if piece.base is None else piece.base for piece in pieces]
    shared = [owner for piece, owner in zip(pieces, owners, strict=True) if owner is not piece]
    spans = addresses(pieces)

    assert {piece.nbytes for piece in pieces} == {nbytes}
    assert all(stop <= start for (_, stop), (start, _) in itertools.pairwise(spans))
    assert [piece is owner for piece, owner in zip(pieces, owners, strict=True)][:8] == [True] * 8
    assert len({id(owner) for owner in shared}) == 4
    assert {owner.nbytes for owner in shared} == {twin.SLAB}
    assert len(shared) == 4 * (twin.SLAB // nbytes)


@pytest.mark.parametrize("nbytes", [1 << 10, 1 << 20, 1 << 23])
def test_small_and_large_pieces_have_memory_of_their_own(nbytes: int):
    """They gain nothing by lying together."""
    slabs = twin.Slabs()

    assert all(slabs.piece(nbytes).base is None for _ in range(20))


def test_arrays_whose_memory_lies_together_share_none(make: Callable[..., Any]):
    """While they live, whatever comes and goes meanwhile."""
    pool = make()
    arrays = [pool.array((200_000,), np.dtype(np.uint8)) for _ in range(100)]
    before = addresses(arrays)
    assert all(stop <= start for (_, stop), (start, _) in itertools.pairwise(before))
    for number, array in enumerate(arrays):
        array[:] = number
    del arrays[::2]
    more = [pool.array((200_000,), np.dtype(np.uint8)) for _ in range(50)]
    for array in more:
        array[:] = 255

    assert [set(array.tolist()) for array in arrays] == [{number} for number in range(1, 100, 2)]
    assert addresses(arrays + more) == before


def test_threads_that_ask_for_pieces_at_once_share_none():
    """Each is given memory of its own, whoever is interrupted where: here by a new slab for another in the middle of it."""
    slabs, found = twin.Slabs(), []

    class Rests(type(slabs._rests)):  # type: ignore[misc]
        def pop(self) -> Any:
            rest = super().pop()
            if len(found) == 20:
                found.append(None)
                found.append(slabs.piece(70_016))
            return rest

    slabs._rests = Rests()
    for _ in range(60):
        found.append(slabs.piece(70_016))
    spans = addresses([piece for piece in found if piece is not None])

    assert len(spans) == 61
    assert all(stop <= start for (_, stop), (start, _) in itertools.pairwise(spans))


def test_a_slab_goes_when_the_last_array_over_it_has_gone(make: Callable[..., Any]):
    """Whatever the pool has let go of meanwhile."""
    pool = make()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        arrays = [pool.array((200_000,), np.dtype(np.uint8)) for _ in range(60)]
        del pool
        kept = arrays[30]
        del arrays
        assert tracemalloc.get_traced_memory()[0] - before < twin.SLAB + 1_000_000
        del kept
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 100_000
    finally:
        tracemalloc.stop()
