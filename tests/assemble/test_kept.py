"""What the user keeps is never overwritten, whoever looks on; and what a source refills was read before it did."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import penstock as ps
from examples import run

SIZE = 32


def numbered(count: int, source: int) -> Iterator[tuple[np.ndarray, int]]:
    """Each example is filled with a number of its own; a batch of 32 is large enough to be recycled."""
    return ((np.full((8, 4), 1000 * source + i, np.float32), 1000 * source + i) for i in range(count))


def feed(count: int, *, pad: bool) -> ps.Pipeline:
    joined = ps.join([lambda source=source: numbered(count, source) for source in range(2)])
    return (joined.pad() if pad else joined).batch(SIZE, keep_last=True)


def torch_tensor(x: np.ndarray) -> Any:
    return pytest.importorskip("torch").from_numpy(x)


def torch_rows(x: np.ndarray) -> Any:
    return pytest.importorskip("torch").from_numpy(x)[1:3].permute(2, 1, 0)


def jax_array(x: np.ndarray) -> Any:
    return pytest.importorskip("jax").numpy.asarray(x)


KEEPS: dict[str, Callable[[np.ndarray], Any]] = {
    "the batch": lambda x: x,
    "a slice": lambda x: x[3:5],
    "another shape": lambda x: x.reshape(-1, 2)[::2],
    "its bytes": lambda x: memoryview(x),
    "a tensor": torch_tensor,
    "rows of a tensor": torch_rows,
    "JAX's array": jax_array,
}


@pytest.mark.parametrize("pad", [False, True], ids=["stacked", "padded"])
@pytest.mark.parametrize("inline", [False, True], ids=["threads", "inline"])
@pytest.mark.parametrize("keep", KEEPS)
def test_what_is_kept_of_a_batch_stays_as_it_was(keep: str, inline: bool, pad: bool):
    """Every third batch is kept, the last and smaller one too; the memory of the others goes round."""
    kept: list[tuple[Any, np.ndarray]] = []
    addresses = set()
    with feed(SIZE * 6 + 5, pad=pad).open(inline=inline) as flow:
        for number, (x, label) in enumerate(flow):
            addresses.add(x.ctypes.data)
            if number % 3 == 0:
                kept.append((KEEPS[keep](x), np.asarray(KEEPS[keep](x)).copy()))
                assert sorted(set(x[:, 0, 0].tolist())) == sorted(label.tolist())
            del x, label

    assert number == 12
    assert len(kept) == 5
    if inline:  # else what runs ahead may have taken all before the first is dropped
        assert len(addresses) < 13, "memory that nobody kept was used again"
    for view, as_it_was in kept:
        assert np.array_equal(np.asarray(view), as_it_was)


@pytest.mark.parametrize("framework", ["numpy", "torch", "jax"])
def test_a_delivered_batch_stays_as_it_was(framework: str):
    """Also where the framework's array looks on at the batch's own memory."""
    if framework != "numpy":
        pytest.importorskip(framework)
    kept = []
    for number, (x, label) in enumerate(feed(SIZE * 6 + 5, pad=False).to(framework)):
        if number % 3 == 0:
            kept.append((x[1:], np.asarray(x[1:]).copy(), np.asarray(label).copy()))
        del x, label

    assert len(kept) == 5
    for view, as_it_was, label in kept:
        assert np.array_equal(np.asarray(view), as_it_was)
        assert as_it_was[:, 0, 0].tolist() == label[1:].tolist()


def test_the_flow_may_be_gone_and_so_may_its_pool():
    """A batch outlives both."""
    with feed(SIZE * 2, pad=False).open() as flow:
        x, label = next(flow)
    del flow
    for _ in feed(SIZE * 2, pad=False):
        pass

    assert x[:, 5, 2].tolist() == label.tolist()


def refilled(count: int) -> Iterator[np.ndarray]:
    """Yields one and the same array, with other numbers in it."""
    array = np.zeros(4)
    for number in range(count):
        array[:] = number
        yield array


def refilled_in_a_dict(count: int) -> Iterator[dict[str, Any]]:
    for number, array in enumerate(refilled(count)):
        yield {"deep": (array[:2], [array]), "n": number}


@pytest.mark.parametrize("inline", [False, True], ids=["threads", "inline"])
def test_a_source_may_refill_its_array(inline: bool):
    """It is read ahead of the batch; without a copy, each row would hold what came last."""
    pipeline = ps.join([lambda: refilled(10), lambda: refilled(10)]).batch(5)
    with pipeline.open(inline=inline) as flow:
        rows = np.concatenate(list(flow))

    assert rows[:, 3].tolist() == [i // 2 for i in range(20)]


@pytest.mark.parametrize("inline", [False, True], ids=["threads", "inline"])
def test_a_source_may_refill_an_array_of_which_it_yields_as_much_as_there_is(inline: bool):
    """What is padded is read where it lies only once its batch is complete."""

    def rows() -> Iterator[np.ndarray]:
        for array in refilled(64):
            yield array[: 1 + int(array[0]) % 4]

    with ps.join([rows]).pad().batch(32).open(inline=inline) as flow:
        batches = np.concatenate(list(flow))

    assert batches[:, 0].tolist() == list(range(64))
    assert [len(row[row > 0]) for row in batches[1:]] == [1 + i % 4 for i in range(1, 64)]


def test_a_source_may_refill_arrays_deep_in_its_examples():
    """Views of the one array, too."""
    (batch,) = list(ps.join([lambda: refilled_in_a_dict(6)]).batch(6))

    assert batch["deep"][0][:, 0].tolist() == list(range(6))
    assert batch["deep"][1][0][:, 3].tolist() == list(range(6))


@pytest.mark.parametrize("inline", [False, True], ids=["threads", "inline"])
def test_a_source_of_chunks_may_refill_them(inline: bool):
    """A chunk waits until its rows are in a batch, and that may be after the next one came."""
    pipeline = ps.batch_join(
        [lambda: refilled(9), lambda: refilled(9)], batch_size=6, enqueue_many=True, allow_smaller_final_batch=True
    )
    with pipeline.open(inline=inline) as flow:
        rows = np.concatenate([np.ravel(batch) for batch in flow])

    assert rows.tolist() == [i // 8 for i in range(72)]


def test_a_batch_that_lies_in_one_chunk_is_a_read_only_view_of_it():
    """Nothing is copied, and nobody writes into the user's array by way of the batch."""
    x, y = np.arange(60.0).reshape(20, 3), np.arange(20)
    batches = list(ps.from_arrays((x, y)).batch(5))

    assert len(batches) == 4
    for number, (some, label) in enumerate(batches):
        assert np.shares_memory(some, x)
        assert np.shares_memory(label, y)
        assert not some.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            label[0] = 1
        assert label.tolist() == list(range(number * 5, number * 5 + 5))
    assert x.flags.writeable


def test_so_is_one_of_a_chunk_that_a_source_gives():
    """Each chunk is a new array, as most sources give them."""
    chunks = [np.arange(8 * i, 8 * i + 8) for i in range(3)]
    pipeline = ps.batch(lambda: iter(chunks), batch_size=4, enqueue_many=True)

    got = [np.ravel(batch) for batch in pipeline]

    assert np.concatenate(got).tolist() == list(range(24))
    assert any(np.shares_memory(one, chunk) for one in got for chunk in chunks)


def test_torch_gets_a_copy_of_what_is_read_only():
    """Torch has no read-only tensors: what is written into one would be written into the user's chunk."""
    pytest.importorskip("torch")
    x = np.arange(60.0).reshape(20, 3)

    for batch in ps.from_arrays(x).batch(5).to("torch"):
        assert not np.shares_memory(batch.numpy(), x)
        batch.zero_()

    assert x.tolist() == np.arange(60.0).reshape(20, 3).tolist()


def test_one_set_of_arrays_feeds_pipelines_that_differ():
    """What one delivers as a view is padded, or converted, by another."""
    arrays = ps.from_arrays(np.arange(12).reshape(4, 3))

    assert [batch.shape for batch in arrays.batch(4)] == [(4, 3)]
    assert [batch.shape for batch in arrays.pad((5,)).batch(4)] == [(4, 5)]
    assert [batch.shape for batch in arrays.batch(4)] == [(4, 3)]


def test_an_example_that_refuses_to_be_read_comes_after_those_before_it():
    """A tensor that needs its gradient, say: what it raises is the user's, and the examples before it are delivered."""
    torch = pytest.importorskip("torch")
    examples = [torch.zeros(3) for _ in range(3)] + [torch.zeros(3, requires_grad=True)]

    for pipeline in (ps.join([examples]), ps.join([examples]).pad()):
        got, error = run(pipeline.batch(2, keep_last=True))
        assert [len(batch) for batch in got] == [2, 1]
        assert isinstance(error, RuntimeError)
        assert error.__notes__ == ["penstock: while reading example 3 of source 0 ('list')"]
        error.__notes__.clear()


def test_copying_can_be_decided_by_hand():
    """What a source refills from its third example on, nobody can find out."""

    def late():
        buffer = np.zeros(3)
        for i in range(6):
            array = np.full(3, float(i)) if i < 2 else buffer
            array[:] = i
            yield array

    batches = list(ps.join([late], copy=True).map(lambda x: x).batch(6))

    assert batches[0][:, 0].tolist() == [0, 1, 2, 3, 4, 5]
