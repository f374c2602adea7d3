import gc
from collections.abc import Iterator

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given

from penstock.deliver import converter
from penstock.errors import SpecError

jax = pytest.importorskip("jax")

SAME = "?bhiBHIefF"
# Two 64-bit integers of each sign, as NumPy has them, where `long` is one of them.
WIDE = {"l": "int32", "q": "int32", "L": "uint32", "Q": "uint32", "d": "float32", "D": "complex64"}
TEXT = ["O", "S3", "U3", "T"]
LACKING = ["g", "G", "M8[ns]", "m8[s]", "V4", "i4,f8"]


@pytest.fixture
def x64() -> Iterator[None]:
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


def test_every_dtype_of_numpy_is_in_one_of_the_lists():
    """What NumPy adds has to be given a rule."""
    listed = {np.dtype(dtype).char for dtype in [*SAME, *WIDE, *TEXT, *LACKING]}

    assert {np.dtype(code).char for code in np.typecodes["All"]} <= listed


def over_the_same_memory(array: np.ndarray) -> bool:
    delivered = converter("jax")(array, "x")
    return delivered.dtype == array.dtype and delivered.unsafe_buffer_pointer() == array.ctypes.data


@pytest.mark.parametrize("dtype", SAME)
def test_an_array_lies_over_the_batchs_own_memory(dtype: str, lend):
    """The bytes were moved once, into the batch."""
    array, _ = lend((64, 2), dtype)

    assert over_the_same_memory(array)


@pytest.mark.parametrize("dtype", WIDE)
def test_so_does_one_of_64_bits_where_they_are_enabled(dtype: str, lend, x64: None):
    """It is asked for each batch: a converter from before the switch goes by it."""
    array, _ = lend((64, 2), dtype)

    assert over_the_same_memory(array)


def test_a_read_only_array_is_shared_too(lend):
    """JAX's arrays are read-only themselves."""
    array, _ = lend((64, 2), np.float32)
    array.flags.writeable = False

    assert over_the_same_memory(array)


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "int4"])
def test_short_dtypes_are_jaxs_own(name: str):
    """They come from `ml_dtypes`, which JAX installs."""
    array = np.arange(3).astype(getattr(pytest.importorskip("ml_dtypes"), name))

    delivered = converter("jax")(array, "x")

    assert delivered.dtype == array.dtype
    assert np.asarray(delivered).astype(float).tolist() == [0, 1, 2]


@pytest.mark.parametrize("dtype", WIDE)
def test_64_bits_become_32_where_jax_has_no_more(dtype: str):
    """JAX's rule, unless every value is an integer that fits, in which case nothing is lost."""
    array = np.arange(6).reshape(2, 3).astype(dtype)

    delivered = converter("jax")(array, "x")

    assert delivered.dtype.name == WIDE[dtype]
    assert delivered.tolist() == array.tolist()


@pytest.mark.parametrize(
    ("dtype", "values", "narrow", "worst"),
    [
        ("int64", [0, 2**31], "int32", 2**31),
        ("int64", [-(2**31) - 1, 5], "int32", -(2**31) - 1),
        ("int64", [-(2**63), 2**63 - 1], "int32", 2**63 - 1),
        ("uint64", [0, 2**32], "uint32", 2**32),
        ("uint64", [2**64 - 1], "uint32", 2**64 - 1),
    ],
)
def test_an_integer_that_does_not_fit_is_an_error_that_names_it(dtype: str, values: list[int], narrow: str, worst: int):
    """JAX itself would deliver its lower 32 bits: 2**32 as 0."""
    with pytest.raises(SpecError) as caught:
        converter("jax")(np.array(values, dtype), "user")

    assert str(caught.value) == (
        f"expected values that fit `{narrow}`, as JAX holds `{dtype}`, got {worst} - at component `user` - "
        'let JAX have 64 bits: `jax.config.update("jax_enable_x64", True)`'
    )


@given(arrays.arrays(np.int64, 2) | arrays.arrays(np.uint64, 2) | arrays.arrays(np.int64, 2, elements={"max_value": 9}))
def test_an_integer_is_delivered_as_it_is_or_not_at_all(array: np.ndarray):
    """An id that turns into another one is found by nobody."""
    room = np.iinfo("int32" if array.dtype == np.int64 else "uint32")
    fits = all(room.min <= value <= room.max for value in array.tolist())

    try:
        delivered = converter("jax")(array, "x").tolist()
    except SpecError:
        delivered = None

    assert delivered == (array.tolist() if fits else None)


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_wide_floats_are_rounded_as_jax_rounds_them(dtype: str):
    """Nothing of ours in between: the same bits as JAX gives, whose own warning alone is ignored here."""
    array = np.array([1 / 3, -1e300, 1e-300, 3.4028235677973366e38, np.inf, -0.0, np.nan]).astype(dtype)

    delivered = converter("jax")(array, "x")

    assert np.asarray(delivered).tobytes() == np.asarray(jax.device_put(array)).tobytes()


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_rounding_warns_of_nothing(dtype: str):
    """A warning for each batch would tell no more than the page does, and end a program where warnings are errors."""
    assert converter("jax")(np.array([1e300, 1e-300, np.nan], dtype), "x").shape == (3,)


@pytest.mark.parametrize("dtype", TEXT)
def test_text_and_objects_stay_numpy(dtype: str):
    """JAX has no strings; a loop that wants the text still gets it."""
    array = np.array(["a", "b"]).astype(dtype)

    assert converter("jax")(array, "x") is array


@pytest.mark.parametrize("dtype", LACKING)
def test_a_dtype_that_jax_lacks_is_an_error_that_names_it(dtype: str):
    """Better none than one that means something else."""
    with pytest.raises(SpecError) as caught:
        converter("jax")(np.zeros(2, dtype), "when")

    assert str(caught.value).startswith(
        f"expected a dtype that JAX has, got `{np.dtype(dtype)}` - at component `when` - "
    )


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype="i4")[::-1],
        np.arange(6, dtype=">i4"),
        np.zeros(3, "i1,i4")["f1"],
        np.zeros(17, np.uint8)[1:].view(np.float64),
        np.broadcast_to(np.float32(2), (2, 3)),
        np.zeros((0, 3), np.int64),
        np.array(5),
    ],
    ids=["backwards", "foreign bytes", "a field", "unaligned", "broadcast", "empty", "single"],
)
def test_an_array_of_any_layout_is_delivered(array: np.ndarray):
    """A `.map` behind the batcher may give any of these."""
    delivered = converter("jax")(array, "x")

    assert delivered.shape == array.shape
    assert delivered.tolist() == array.tolist()


@pytest.mark.parametrize("keep", [lambda a: a, np.asarray], ids=["it", "numpy"])
def test_the_memory_is_held_as_long_as_anybody_sees_it(keep, lend):
    """A buffer that is written to again while an array lies over it would change what the user kept."""
    array, held = lend((64, 2), np.float32)

    kept = keep(converter("jax")(array, "x"))
    del array
    gc.collect()
    jax.device_put(0)
    held_while_kept = held() is not None
    del kept
    jax.device_put(0)

    assert held_while_kept
    assert held() is None, "the buffer never comes back"


def test_a_computation_that_is_under_way_reads_what_it_was_given(pool):
    """JAX computes in the background: a batch may be dropped, and the next one written, before it is read."""
    deliver = converter("jax")
    fourth_power = jax.jit(lambda a: a @ a @ a @ a)
    n = 300
    sums = []

    for number in range(12):
        array = pool.lend(n * n * 4).view(np.float32).reshape(n, n)
        array[:] = number / n
        delivered = deliver(array, "x")
        sums.append(fourth_power(delivered)[0].sum())
        del array, delivered

    assert np.allclose(sums, [number**4 for number in range(12)])


@pytest.mark.parametrize("writeable", [True, False])
def test_a_donated_array_leaves_the_memory_as_it_was(writeable: bool, lend):
    """A computation may write over what it is given; the user's own chunk is not its to give."""
    array, _ = lend((64, 64), np.float32)
    array[:] = 1
    array.flags.writeable = writeable
    delivered = converter("jax")(array, "x")
    shared = delivered.unsafe_buffer_pointer() == array.ctypes.data

    plus_one = jax.jit(lambda a: a + 1, donate_argnums=0)(delivered).block_until_ready()

    assert shared
    assert (np.asarray(plus_one) == 2).all()
    assert (array == 1).all()
