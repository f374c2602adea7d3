"""Examples taken apart and put together again."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field

import pytest

from examples import FORMS, Digit, Point
from penstock.errors import SpecError
from penstock.structure import LEAF, Form, Structure, path_text


@pytest.mark.parametrize("form", FORMS)
def test_what_is_taken_apart_is_put_together_as_it_was(form: str):
    """A batch comes back in the structure of an example, whatever that is."""
    example = FORMS[form](1, 2)
    structure = Structure.of(example)

    assert structure.build(structure.leaves(example)) == example


@pytest.mark.parametrize(
    ("example", "paths", "text"),
    [
        (5, [()], "*"),
        ((1,), [(0,)], "(*,)"),
        ((1, 2), [(0,), (1,)], "(*, *)"),
        ([1, 2], [(0,), (1,)], "[*, *]"),
        ({"b": 1, "a": 2}, [("b",), ("a",)], "{b: *, a: *}"),
        (Point(1, 2), [("x",), ("y",)], "Point(x: *, y: *)"),
        (Digit(1, 2), [("image",), ("label",)], "Digit(image: *, label: *)"),
        ({"a": (1, {"b": 2})}, [("a", 0), ("a", 1, "b")], "{a: (*, {b: *})}"),
        ((), [], "()"),
        ({}, [], "{}"),
    ],
)
def test_every_leaf_has_a_path_in_the_order_of_the_example(example: object, paths: list, text: str):
    """Rules of padding, messages and specs speak of components by their paths."""
    structure = Structure.of(example)

    assert list(structure.paths()) == paths
    assert str(structure) == text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), "example"),
        (("image",), "image"),
        ((0,), "[0]"),
        (("pair", 0), "pair[0]"),
        (("a", "b"), "a.b"),
        ((1, "b"), "[1].b"),
    ],
)
def test_a_path_is_written_as_a_user_would_write_it(path: tuple, text: str):
    """Messages name components by it."""
    assert path_text(path) == text


def test_text_and_arrays_are_leaves_not_containers():
    """A `str` is a sequence too, and must not be taken apart."""
    for leaf in ("text", b"bytes", bytearray(b"x"), range(3), {1, 2}, None):
        assert Structure.of(leaf) is LEAF


def test_a_dict_with_its_keys_in_another_order_is_the_same_structure_of_the_first():
    """Sources seldom agree on the order of keys, and it carries no meaning."""
    structure = Structure.of({"a": 1, "b": 2})

    assert structure.leaves({"b": 20, "a": 10}) == [10, 20]
    assert list(structure.build([10, 20])) == ["a", "b"]


@pytest.mark.parametrize(
    ("example", "other", "message"),
    [
        ((1, 2), (1, 2, 3), "expected `(*, *)`, got `tuple` of 3"),
        ((1, 2), [1, 2], "expected `(*, *)`, got `list`"),
        ((1, 2), Point(1, 2), "expected `(*, *)`, got `Point`"),
        ({"a": 1}, {"a": 1, "b": 2}, "expected `{a: *}`, got `{a, b}`"),
        ({"a": 1}, {"b": 1}, "expected `{a: *}`, got `{b}`"),
        ({"a": (1, 2)}, {"a": (1,)}, "expected `(*, *)`, got `tuple` of 1 - at component `a`"),
        ({"a": (1, [2])}, {"a": (1, 2)}, "expected `[*]`, got `int` - at component `a[1]`"),
        (Digit(1, 2), Point(1, 2), "expected `Digit(image: *, label: *)`, got `Point`"),
    ],
)
def test_an_example_of_another_structure_is_named(example: object, other: object, message: str):
    """The whole message: expected, got, at."""
    with pytest.raises(SpecError) as caught:
        Structure.of(example).leaves(other)

    assert str(caught.value) == message


def test_the_place_of_the_example_stands_behind_the_component():
    """Where it came from is known to the caller alone."""
    with pytest.raises(SpecError) as caught:
        Structure.of({"a": (1, 2)}).leaves({"a": (1,)}, at="example 3 of source 1 ('read')")

    assert (
        str(caught.value) == "expected `(*, *)`, got `tuple` of 1 - at component `a` of example 3 of source 1 ('read')"
    )


def test_a_dataclass_is_built_without_its_own_checks():
    """They are made for one example, and a batch would not pass them."""
    made = Structure.of(Digit(1, 2)).build(["images", [1, 2, 3]])

    assert type(made) is Digit
    assert (made.image, made.label) == ("images", [1, 2, 3])


def test_a_dataclass_keeps_what_is_no_argument_of_its_constructor():
    """A field that is computed is a component like any other."""

    @dataclass
    class Computed:
        a: int
        b: int = field(init=False, default=7)

    structure = Structure.of(Computed(1))

    assert structure.leaves(Computed(3)) == [3, 7]
    assert structure.build([3, 8]).b == 8


def test_the_class_of_a_dataclass_is_not_an_example_of_it():
    """`is_dataclass` is true of both."""
    assert Structure.of(Digit) is LEAF


def test_a_subclass_of_dict_is_a_dict():
    """Its batch is a plain one."""
    structure = Structure.of(OrderedDict(a=1))

    assert structure.form is Form.DICT
    assert structure.build([5]) == {"a": 5}


def test_two_namedtuples_of_different_classes_differ():
    """Even with the same fields: whoever reads a batch asks for its type."""
    other = namedtuple("Other", "x y")

    assert Structure.of(Point(1, 2)) != Structure.of(other(1, 2))
    assert hash(Structure.of(Point(1, 2))) == hash(Structure.of(Point(3, 4)))
