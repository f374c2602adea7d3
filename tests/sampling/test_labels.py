"""How the class of an example is found: natively, and by the definition."""

import ast
import importlib
from collections import defaultdict, namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import penstock.sampling.kernels as kernels
import penstock.sampling.labels as labels

native = pytest.importorskip("penstock.sampling._labels") if kernels.NATIVE else None
BOTH = [labels] if native is None else [labels, native]
either = pytest.mark.parametrize("module", BOTH, ids=["twin", "native"][: len(BOTH)])

Pair = namedtuple("Pair", "x y")
CLASSES = {0: 10, 1: 11, -1: 12, 2**70: 13, "a": 14, b"a": 15, "ignored": -1, "number": np.int64(16)}
KNOWN = [0, 1, -1, 2**70, "a", b"a", "ignored", "number", np.int64(1), np.int32(0)]
UNKNOWN = [2, True, "b", np.int64(7), np.int16(1), np.array(1), np.str_("a"), 1.0, None, (), [1]]


class Odd(tuple):
    """A tuple that reads otherwise."""

    def __getitem__(self, key: Any) -> Any:
        return "a"


def looked_up(module: Any, label: Any, *, identity: bool = False) -> tuple[int, list[Any]]:
    """The class of a label, and what the function for unknown labels was asked."""
    asked: list[Any] = []

    def unknown(label: Any) -> int:
        asked.append(label)
        return 99

    return module.Labels("whole", None, CLASSES, unknown, identity=identity).class_of(label, 100), asked


@either
@pytest.mark.parametrize("label", KNOWN, ids=repr)
def test_a_known_label_is_looked_up(module: Any, label: Any):
    """Without a call of Python code; NumPy's integers as the integers that they are."""
    assert looked_up(module, label) == (CLASSES[label], [])


@either
@pytest.mark.parametrize("label", UNKNOWN, ids=repr)
def test_any_other_label_is_asked_for_as_it_is(module: Any, label: Any):
    """`True` is not 1 here, nor is `1.0`: what is equal to a key may yet be something else."""
    found, asked = looked_up(module, label)

    assert found == 99
    assert asked[0] is label


@either
def test_labels_that_are_their_own_classes_are_not_looked_up(module: Any):
    """Those in range; others are unknown, whatever the dict says."""
    found = [looked_up(module, label, identity=True)[0] for label in (0, 99, np.int64(5), np.int32(6))]
    others = [looked_up(module, label, identity=True)[0] for label in (-1, 100, 2**70, "a", True, np.int64(100))]

    assert found == [0, 99, 5, 6]
    assert others == [99] * 6


@either
@pytest.mark.parametrize(
    ("how", "key", "example", "expected"),
    [
        ("index", 1, (5, "a"), 14),
        ("index", -1, (5, "a"), 14),
        ("index", -2, ["a", 5], 14),
        ("index", 1, Pair(5, "a"), 14),
        ("index", 0, Odd((1, 1)), 14),
        ("index", 0, np.array([1, 2]), 11),
        ("index", True, (5, "a"), 14),
        ("key", "y", {"y": "a"}, 14),
        ("key", "y", defaultdict(lambda: "a"), 14),
        ("key", 1, {1: "a"}, 14),
        ("call", str.lower, "A", 14),
        ("whole", None, "a", 14),
    ],
)
def test_a_label_is_read_as_python_reads_it(module: Any, how: Any, key: Any, example: Any, expected: int):
    """A shortcut for tuples, lists and dicts must not read a class of the user's in another way."""
    assert module.Labels(how, key, CLASSES, lambda label: 99, identity=False).class_of(example, 20) == expected


@either
@pytest.mark.parametrize(
    ("how", "key", "example", "error"),
    [
        ("index", 2, (5, "a"), IndexError),
        ("index", -3, (5, "a"), IndexError),
        ("index", 2**80, (5, "a"), IndexError),
        ("index", "y", (5, "a"), TypeError),
        ("index", 0, 5, TypeError),
        ("key", "z", {"y": "a"}, KeyError),
        ("key", [], {"y": "a"}, TypeError),
        ("call", len, 5, TypeError),
        ("whole", None, "none", LookupError),
        ("whole", None, "text", TypeError),
    ],
)
def test_what_reading_raises_is_raised(module: Any, how: Any, key: Any, example: Any, error: type[Exception]):
    """The same error from both, word for word, and that of the user's functions as it is."""

    def unknown(label: Any) -> Any:
        if label == "none":
            raise LookupError(label)
        return "no number"

    said = []
    for each in (labels, module):
        with pytest.raises(error) as found:
            each.Labels(how, key, CLASSES, unknown, identity=False).class_of(example, 20)
        said.append((type(found.value), str(found.value)))

    assert said[0] == said[1]


@pytest.mark.skipif(native is None, reason="the native part is not in use")
@pytest.mark.parametrize("name", ["_labels", "_rings", "_sieve"])
def test_a_stub_lists_just_the_public_names_of_its_class(name: str):
    """Whoever checks types sees nothing else."""
    source = Path(labels.__file__).with_name(f"{name}.pyi")
    (stub,) = [node for node in ast.parse(source.read_text()).body if isinstance(node, ast.ClassDef)]
    listed = {node.name for node in stub.body if isinstance(node, ast.FunctionDef)}
    listed |= {ast.unparse(node.target) for node in stub.body if isinstance(node, ast.AnnAssign)}
    native_class = getattr(importlib.import_module(f"penstock.sampling.{name}"), stub.name)

    assert {one for one in listed if one[0] != "_"} == {one for one in dir(native_class) if one[0] != "_"}
    assert len(source.with_suffix(".pyx").read_text().splitlines()) <= 500


@either
@pytest.mark.parametrize(
    ("numbers", "all_are"),
    [
        ([], True),
        ([0], True),
        ([9, 0, 5], True),
        ([10], False),
        ([0] * 40 + [-1], False),
        ([2**63 - 1, -(2**63)], False),
    ],
)
def test_whole_numbers_are_known_to_be_classes(module: Any, numbers: list[int], all_are: bool):
    """In a row or apart in memory: labels may be a column of the user's table."""
    array = np.array(numbers, np.int64)
    apart = np.repeat(array, 3)[::3]
    table = np.zeros(len(numbers), [("a", "u1"), ("label", "i8")])
    table["label"] = array

    assert [module.all_below(each, 10) for each in (array, apart, table["label"])] == [all_are] * 3
