import gc

import numpy as np
import pytest

from penstock.deliver import converter
from penstock.errors import SpecError

torch = pytest.importorskip("torch")

# NumPy has two 64-bit integers of each sign, so the list goes by character.
NUMBERS = np.typecodes["AllInteger"] + "?efdFD"
TEXT = ["O", "S3", "U3", "T"]
LACKING = ["g", "G", "M8[ns]", "m8[s]", "V4", "i4,f8"]


def test_every_dtype_of_numpy_is_in_one_of_the_lists():
    """What NumPy adds has to be given a rule."""
    listed = {np.dtype(dtype).char for dtype in [*NUMBERS, *TEXT, *LACKING]}

    assert {np.dtype(code).char for code in np.typecodes["All"]} <= listed


@pytest.mark.parametrize("dtype", NUMBERS)
def test_a_tensor_lies_over_the_batchs_own_memory(dtype: str, lend):
    """The bytes were moved once, into the batch."""
    array, _ = lend((3, 2), dtype)
    array[1] = 1

    tensor = converter("torch")(array, "x")

    assert tensor.dtype == getattr(torch, array.dtype.name)
    assert tensor.data_ptr() == array.ctypes.data
    assert tensor.tolist() == array.tolist()


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_short_floats_keep_their_memory_too(name: str, lend):
    """They are no dtypes of NumPy's own, and `torch.from_numpy` does not know them."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    array, _ = lend(3, getattr(ml_dtypes, name))
    array[1] = 1.5

    tensor = converter("torch")(array, "x")

    assert tensor.dtype == getattr(torch, name)
    assert tensor.data_ptr() == array.ctypes.data
    assert tensor.float().tolist() == [0, 1.5, 0]


@pytest.mark.parametrize("dtype", TEXT)
def test_text_and_objects_stay_numpy(dtype: str):
    """PyTorch has no strings; a loop that wants the text still gets it."""
    array = np.array(["a", "b"]).astype(dtype)

    assert converter("torch")(array, "x") is array


@pytest.mark.parametrize("dtype", LACKING)
def test_a_dtype_that_torch_lacks_is_an_error_that_names_it(dtype: str):
    """Better none than one that means something else."""
    with pytest.raises(SpecError) as caught:
        converter("torch")(np.zeros(2, dtype), "when")

    assert str(caught.value).startswith(
        f"expected a dtype that PyTorch has, got `{np.dtype(dtype)}` - at component `when` - "
    )


@pytest.mark.parametrize("name", ["int4", "uint2", "float8_e3m4", "float4_e2m1fn"])
def test_a_short_dtype_that_torch_stores_in_another_way_is_an_error(name: str):
    """PyTorch has `int4` by name, and packs it; NumPy's takes a byte each."""
    ml_dtypes = pytest.importorskip("ml_dtypes")

    with pytest.raises(SpecError, match=f"expected a dtype that PyTorch has, got `{name}` - at component `x` - "):
        converter("torch")(np.zeros(2, getattr(ml_dtypes, name)), "x")


def test_a_read_only_array_is_copied():
    """It is a view of the user's own chunk, and any tensor can be written to."""
    chunk = np.arange(6.0)
    rows = chunk[2:4]
    rows.flags.writeable = False

    tensor = converter("torch")(rows, "x")
    tensor.add_(100)

    assert tensor.tolist() == [102, 103]
    assert chunk.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6)[::-1],
        np.arange(6, dtype=">i4"),
        np.zeros(3, "c16,f8")["f0"],
        np.zeros(17, np.uint8)[1:].view(np.float64),
        np.broadcast_to(np.float32(2), (2, 3)),
    ],
    ids=["backwards", "foreign bytes", "a field", "unaligned", "broadcast"],
)
def test_an_array_that_no_tensor_can_express_is_copied(array: np.ndarray):
    """A `.map` behind the batcher may give any of these."""
    tensor = converter("torch")(array, "x")

    assert tensor.tolist() == array.tolist()
    assert tensor.data_ptr() != array.ctypes.data


@pytest.mark.parametrize("array", [np.zeros((0, 3), np.float32), np.zeros((2, 0), np.int8), np.array(5)], ids=str)
def test_empty_and_single_arrays_keep_their_shape(array: np.ndarray):
    """A batch of ragged examples may be all empty."""
    assert tuple(converter("torch")(array, "x").shape) == array.shape


@pytest.mark.parametrize(
    "keep",
    [lambda t: t, lambda t: t[1:2], lambda t: t.view(-1), lambda t: t.numpy()],
    ids=["it", "row", "flat", "numpy"],
)
def test_the_memory_is_held_as_long_as_anybody_sees_it(keep, lend):
    """A buffer that is written to again while a slice of it lives would change what the user kept."""
    array, held = lend((3, 2), np.float32)

    kept = keep(converter("torch")(array, "x"))
    del array
    gc.collect()
    held_while_kept = held() is not None
    del kept

    assert held_while_kept
    assert held() is None, "the buffer never comes back"
