import numpy as np
import pytest

from penstock.deliver.leaf import lacking, native


@pytest.mark.parametrize("dtype", np.typecodes["AllInteger"] + "?efdFD")
def test_the_usual_name_of_a_dtype_costs_no_copy(dtype: str):
    """`ulonglong` and `ulong` are one integer under two numbers; frameworks know one of them."""
    array = np.zeros((2, 3), dtype)

    usual = native(array)

    assert usual.dtype == array.dtype
    assert usual.dtype.num == np.dtype(array.dtype.str).num
    assert np.shares_memory(usual, array)


@pytest.mark.parametrize("dtype", ["i2", "u4", "i8", "f4", "f8", "c16"])
def test_foreign_bytes_are_swapped_and_the_values_stay(dtype: str):
    """A `.map` behind the batcher may give any order of bytes; no framework takes another machine's."""
    array = np.arange(6).reshape(2, 3).astype(np.dtype(dtype).newbyteorder("S"))

    usual = native(array)

    assert usual.dtype.isnative
    assert usual.tolist() == array.tolist()


@pytest.mark.parametrize("dtype", ["O", "S3", "U3", "T", "M8[s]", "V4", "i4,f8"])
def test_what_is_no_number_is_left_alone(dtype: str):
    """There is one name for each of these."""
    array = np.zeros(2, dtype)

    assert native(array) is array


@pytest.mark.parametrize(
    ("dtype", "got", "do"),
    [
        ("M8[ns]", "datetime64[ns]", 'make it numbers in a `.map` before: `.astype("int64")`'),
        ("m8[s]", "timedelta64[s]", 'make it numbers in a `.map` before: `.astype("int64")`'),
        ("g", str(np.dtype("g")), 'narrow it in a `.map` before: `.astype("float64")`'),
        ("G", str(np.dtype("G")), 'narrow it in a `.map` before: `.astype("complex128")`'),
        (
            "i4,f8",
            "[('f0', '<i4'), ('f1', '<f8')]",
            "take it apart in a `.map` before: a component for each field",
        ),
        ("V4", "|V4", "make it a dtype that JAX has in a `.map` before"),
    ],
)
def test_the_error_for_a_missing_dtype_says_what_to_do_about_it(dtype: str, got: str, do: str):
    """Component, dtype, framework and the way around it, in one sentence."""
    assert str(lacking("JAX", np.dtype(dtype), "pair[0]")) == (
        f"expected a dtype that JAX has, got `{got}` - at component `pair[0]` - {do}"
    )


def test_a_float_that_is_not_numpys_own_is_no_longdouble():
    """`ml_dtypes` gives some of its dtypes NumPy's kinds; the advice for the widest float is not theirs."""
    short = np.dtype(pytest.importorskip("ml_dtypes").float8_e5m2)

    assert native(np.zeros(2, short)).dtype == short
    assert str(lacking("JAX", short, "x")).endswith(" - make it a dtype that JAX has in a `.map` before")
