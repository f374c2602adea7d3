import gc

import numpy as np
import pytest

from penstock.deliver import converter
from penstock.errors import SpecError

tf = pytest.importorskip("tensorflow")

NUMBERS = np.typecodes["AllInteger"] + "?efdFD"
TEXT = ["O", "S3", "U3", "T"]
LACKING = ["g", "G", "M8[ns]", "m8[s]", "V4", "i4,f8"]


def test_every_dtype_of_numpy_is_in_one_of_the_lists():
    """What NumPy adds has to be given a rule."""
    listed = {np.dtype(dtype).char for dtype in [*NUMBERS, *TEXT, *LACKING]}

    assert {np.dtype(code).char for code in np.typecodes["All"]} <= listed


def address(tensor) -> int:
    """Where a tensor's values lie; `.numpy()` would copy them first."""
    return np.asarray(memoryview(tensor)).ctypes.data


@pytest.mark.parametrize("dtype", NUMBERS)
def test_a_tensor_lies_over_the_batchs_own_memory(dtype: str, lend):
    """The bytes were moved once, into the batch."""
    array, _ = lend((3, 2), dtype)
    array[1] = 1

    tensor = converter("tensorflow")(array, "x")

    assert tensor.dtype == array.dtype
    assert address(tensor) == array.ctypes.data
    assert tensor.numpy().tolist() == array.tolist()


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_short_floats_are_delivered(name: str, lend):
    """They come from `ml_dtypes`, which TensorFlow installs; NumPy cannot lend out their memory."""
    array, _ = lend(3, getattr(pytest.importorskip("ml_dtypes"), name))
    array[:] = 0, 1, 2

    tensor = converter("tensorflow")(array, "x")

    assert tensor.dtype == array.dtype
    assert tensor.numpy().astype(float).tolist() == [0, 1, 2]


@pytest.mark.parametrize("dtype", TEXT)
def test_text_becomes_strings(dtype: str):
    """TensorFlow's strings are bytes; `str` is written as UTF-8."""
    array = np.array([["a", "bc"], ["", "d"]]).astype(dtype)

    tensor = converter("tensorflow")(array, "x")

    assert tensor.dtype == tf.string
    assert tensor.numpy().tolist() == [[b"a", b"bc"], [b"", b"d"]]


def test_bytes_and_letters_beyond_ascii_arrive_whole():
    """Zero bytes at the end are part of `bytes`, and of `str`."""
    text = np.array(["é\0", b"\xff\0"], object)

    assert converter("tensorflow")(text, "x").numpy().tolist() == [b"\xc3\xa9\0", b"\xff\0"]


@pytest.mark.parametrize(
    ("value", "got"),
    [(None, "`NoneType`"), (5, "`int`"), ([1], "`list`"), ("\ud800", "a `str` that UTF-8 cannot write")],
)
def test_an_object_that_is_no_text_is_an_error(value: object, got: str):
    """TensorFlow's message names no component."""
    array = np.empty(2, object)
    array[:] = "a", value

    with pytest.raises(SpecError) as caught:
        converter("tensorflow")(array, "word")

    assert str(caught.value) == (
        f"expected `str` or `bytes`, which TensorFlow has as `tf.string`, got {got} - at component `word` - "
        "make it an array, or text, in a `.map` before"
    )


@pytest.mark.parametrize("dtype", LACKING)
def test_a_dtype_that_tensorflow_lacks_is_an_error_that_names_it(dtype: str):
    """Better none than one that means something else."""
    with pytest.raises(SpecError) as caught:
        converter("tensorflow")(np.zeros(2, dtype), "when")

    assert str(caught.value).startswith(
        f"expected a dtype that TensorFlow has, got `{np.dtype(dtype)}` - at component `when` - "
    )


@pytest.mark.parametrize("start", [16, 32, 48])
def test_memory_that_tensorflow_would_die_of_is_copied(start: int, lend):
    """It checks the address at the first operation that looks, and ends the process."""
    room, _ = lend(256, np.uint8)
    array = room[start : start + 64].view(np.float32)

    tensor = converter("tensorflow")(array, "x")

    assert address(tensor) != array.ctypes.data
    assert tensor[0].numpy() == 0


def test_a_read_only_array_is_copied(lend):
    """It is a view of the user's own chunk."""
    chunk, _ = lend(64, np.float32)
    rows = chunk[:16]
    rows.flags.writeable = False

    tensor = converter("tensorflow")(rows, "x")
    chunk[:] = 1

    assert tensor.numpy().tolist() == [0] * 16


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6)[::-1],
        np.zeros((4, 4)).T[:, :2],
        np.arange(6, dtype=">i4"),
        np.zeros(3, "i1,i4")["f1"],
        np.broadcast_to(np.float32(2), (2, 3)),
        np.zeros((0, 3), np.float32),
        np.zeros((3, 0), np.int64)[1:],
        np.array([], object),
        np.array(5),
    ],
    ids=["backwards", "columns", "foreign bytes", "a field", "broadcast", "no rows", "empty rows", "no text", "single"],
)
def test_an_array_of_any_layout_is_delivered(array: np.ndarray):
    """A `.map` behind the batcher may give any of these."""
    tensor = converter("tensorflow")(array, "x")

    assert tuple(tensor.shape) == array.shape
    assert tensor.numpy().tolist() == array.tolist()


def test_foreign_bytes_are_swapped(lend):
    """NumPy does not lend them out either."""
    array, _ = lend(3, ">i4")
    array[:] = 0, 1, 2

    assert converter("tensorflow")(array, "x").numpy().tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "keep", [lambda t: t, lambda t: tf.reshape(t, (2, 3)), memoryview], ids=["it", "reshaped", "memoryview"]
)
def test_the_memory_is_held_as_long_as_anybody_sees_it(keep, lend):
    """A buffer that is written to again while a tensor lies over it would change what the user kept."""
    array, held = lend((3, 2), np.float32)

    kept = keep(converter("tensorflow")(array, "x"))
    del array
    gc.collect()
    held_while_kept = held() is not None
    del kept

    assert held_while_kept
    assert held() is None, "the buffer never comes back"


def test_no_operation_writes_into_the_batch(lend):
    """TensorFlow may compute in place where it owns the memory; this one is only lent."""
    array, _ = lend((64, 64), np.float32)

    in_place = tf.function(lambda t: t + 1)(converter("tensorflow")(array, "x"))
    variable = tf.Variable(converter("tensorflow")(array, "x"))
    variable.assign_add(tf.ones_like(variable))

    assert in_place.numpy().min() == variable.numpy().min() == 1
    assert array.max() == 0
