"""What an example looks like: inferred, compared, printed."""

import array
from typing import Any

import numpy as np
import pytest

from examples import DTYPES, FORMS, filled
from penstock.errors import SpecError
from penstock.spec import Component, Spec, as_leaf, same_dtype


@pytest.mark.parametrize(
    ("leaf", "text"),
    [
        (True, "bool[]"),
        (3, "int64[]"),
        (1.5, "float64[]"),
        (1j, "complex128[]"),
        ("a", "str[]"),
        (b"a", "bytes[]"),
        (np.int8(3), "int8[]"),
        (np.float16(3), "float16[]"),
        (np.bool_(True), "bool[]"),
        (np.zeros((2, 0, 3), np.uint8), "uint8[2, 0, 3]"),
        (np.array(5, np.int32), "int32[]"),
        (np.array(["a", "bcd"]), "<U3[2]"),
        (np.array([b"a"], object), "object[1]"),
        (np.datetime64("2020-01-01"), "datetime64[D][]"),
        (np.zeros(3, ">i4"), "int32[3]"),
        (array.array("h", [1, 2]), "int16[2]"),
        (bytearray(b"abc"), "uint8[3]"),
        (memoryview(b"abc"), "uint8[3]"),
    ],
)
def test_the_dtype_and_shape_of_a_component_are_read_off_it(leaf: Any, text: str):
    """Python's numbers have one dtype each; text has none, and travels as objects."""
    assert str(Component.of(leaf)) == text


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 1, 3)])
def test_every_dtype_is_kept_but_for_the_order_of_bytes(dtype: np.dtype, shape: tuple[int, ...]):
    """A batch is in this machine's order, so the spec is too."""
    component = Component.of(np.array(filled(dtype, shape), dtype))

    assert component.dtype == dtype.newbyteorder("=")
    assert component.shape == shape


def test_an_object_that_exports_an_array_is_taken_as_that():
    """Frameworks' tensors come through one of NumPy's protocols."""

    class Exports:
        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return np.arange(3, dtype=np.int16)

    class Lends:
        def __init__(self) -> None:
            self.array = np.arange(2, dtype=np.float32)

        def __dlpack__(self, **kwargs: Any) -> Any:
            return self.array.__dlpack__(**kwargs)

        def __dlpack_device__(self) -> Any:
            return self.array.__dlpack_device__()

    assert str(Component.of(Exports())) == "int16[3]"
    assert str(Component.of(Lends())) == "float32[2]"
    assert as_leaf("text") == "text"


@pytest.mark.parametrize(
    ("leaf", "got", "hint"),
    [
        (iter([1]), "list_iterator", True),
        (lambda: [1], "function", True),
        (None, "NoneType", False),
        ({1, 2}, "set", False),
        (object(), "object", False),
    ],
)
def test_what_is_no_array_is_named(leaf: object, got: str, hint: bool):
    """What looks like a source gets the advice for sources: TF1's list of components is examples here."""
    with pytest.raises(SpecError) as caught:
        Spec.of({"a": leaf}, at="example 0 of source 2 ('read')")

    advice = " - a list is examples; for components pass a tuple" if hint else ""
    place = "component `a` of example 0 of source 2 ('read')"
    assert str(caught.value) == f"expected an array-like or scalar, got `{got}` - at {place}{advice}"


def test_an_int_that_no_int64_holds_is_refused():
    """It would silently become an object, or a float."""
    with pytest.raises(SpecError) as caught:
        Spec.of((2**63,))

    assert str(caught.value) == "expected an `int` that fits int64, got 64 bits - at component `[0]`"
    assert str(Component.of(-(2**63))) == "int64[]"


@pytest.mark.parametrize(("empty", "name"), [((), "tuple"), ({}, "dict"), ([], "list"), ({"a": ()}, "dict")])
def test_an_example_without_components_is_refused(empty: object, name: str):
    """There would be nothing to stack."""
    with pytest.raises(SpecError) as caught:
        Spec.of(empty)

    assert str(caught.value) == f"expected an example of at least one component, got an empty `{name}`"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("bare", "uint8[4, 3]"),
        ("tuple", "(uint8[4, 3], int64[])"),
        ("tuple of one", "(uint8[4, 3],)"),
        ("list", "[uint8[4, 3], int64[]]"),
        ("dict", "{a: uint8[4, 3], b: int64[]}"),
        ("namedtuple", "Point(x: uint8[4, 3], y: int64[])"),
        ("dataclass", "Digit(image: uint8[4, 3], label: int64[])"),
    ],
)
def test_a_spec_is_printed_in_the_structure_of_the_example(form: str, text: str):
    """The one line that errors, `peek` and the documentation show."""
    assert str(Spec.of(FORMS[form](np.zeros((4, 3), np.uint8), 1))) == text


def test_free_dimensions_are_printed_as_question_marks():
    """`None` in Python, `?` on paper."""
    spec = Spec.of({"image": np.zeros((28, 28, 3), np.uint8), "label": 3})

    free = spec.reshaped(lambda path, component: (None, None, 3) if path == ("image",) else component.shape)

    assert str(free) == "{image: uint8[?, ?, 3], label: int64[]}"


@pytest.mark.parametrize(
    ("shape", "other", "fits"),
    [
        ((2, 3), (2, 3), True),
        ((2, 3), (2, 4), False),
        ((None, 3), (9, 3), True),
        ((None, 3), (9, 4), False),
        ((None,), (), False),
    ],
)
def test_a_free_dimension_fits_any_size_and_a_fixed_one_its_own(shape: tuple, other: tuple, fits: bool):
    """The rank is always fixed."""
    wanted = Component(np.dtype(np.int64), shape)

    assert wanted.fits(Component(np.dtype(np.int64), other)) is fits


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("int32", ">i4", True),
        ("<U3", "<U9", True),
        ("S1", "S4", True),
        ("<U3", "S3", False),
        ("int32", "int64", False),
        ("float32", "int32", False),
        ("datetime64[D]", "datetime64[s]", False),
        ("V3", "V4", False),
        ("object", "object", True),
    ],
)
def test_only_the_width_of_text_and_the_order_of_bytes_do_not_count(one: str, other: str, same: bool):
    """A batch is as wide as its widest text; everything else would be a silent cast."""
    assert same_dtype(np.dtype(one), np.dtype(other)) is same
    assert same_dtype(np.dtype(other), np.dtype(one)) is same


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (
            {"x": np.zeros((2, 4), np.float32), "y": 1},
            "expected `x: float32[2, 3]`, got `float32[2, 4]` - at HERE - pad it: `.pad(...)`, or `dynamic_pad=True`",
        ),
        ({"x": np.zeros((2, 3)), "y": 1}, "expected `x: float32[2, 3]`, got `float64[2, 3]` - at HERE"),
        ({"x": np.zeros(6, np.float32), "y": 1}, "expected `x: float32[2, 3]`, got `float32[6]` - at HERE"),
        ({"x": np.zeros((2, 3), np.float32), "y": 1.0}, "expected `y: int64[]`, got `float64[]` - at HERE"),
        ({"x": np.zeros((2, 3), np.float32), "y": "1"}, "expected `y: int64[]`, got `str[]` - at HERE"),
        ({"x": np.zeros((2, 3), np.float32)}, "expected `{x: *, y: *}`, got `{x}` - at HERE"),
        ((1, 2), "expected `{x: *, y: *}`, got `tuple` - at HERE"),
        (
            {"x": np.zeros((2, 3), np.float32), "y": None},
            "expected an array-like or scalar, got `NoneType` - at component `y` of HERE",
        ),
    ],
)
def test_an_example_that_does_not_fit_is_named(example: object, message: str):
    """Expected, got, at, and what to do where padding would help."""
    spec = Spec.of({"x": np.zeros((2, 3), np.float32), "y": 1})

    with pytest.raises(SpecError) as caught:
        spec.check(example, at="HERE")

    assert str(caught.value) == message


def test_examples_that_fit_pass():
    """Keys in another order, another order of bytes, and NumPy's scalars for Python's fit too."""
    spec = Spec.of({"x": np.zeros((2, 3), np.float32), "y": 1, "z": "a"})

    spec.check({"z": "", "y": np.int64(7), "x": np.ones((2, 3), ">f4")})
    spec.check({"x": np.ones((2, 3), np.float32), "y": np.array(5), "z": "long"})


def test_text_fits_a_scalar_component_of_text():
    """An array of text, taken apart into rows, gives scalars; their batch is an array of that text again."""
    of_array = Spec.of((np.array(["abc"])[0],))

    of_array.check(("plain",))
    with pytest.raises(SpecError):
        of_array.check((b"bytes",))


def test_a_spec_is_a_value():
    """Two of the same can be compared and used as keys."""
    one, other = (Spec.of((np.zeros(2), 1)) for _ in range(2))

    assert one == other
    assert len({one, other}) == 1
    assert one != Spec.of((np.zeros(3), 1))
