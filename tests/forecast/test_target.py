"""A target as it is written on a command line."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from penstock.errors import PipelineError, SourceError
from penstock.forecast.target import as_text, parse, shares_over
from penstock.sampling import Shares, Temperature

COUNTS = np.array([81, 16, 1])


@pytest.mark.parametrize(
    ("text", "wanted", "shown"),
    [
        ("uniform", "uniform", "uniform"),
        ("natural", "natural", "natural"),
        ("temperature:0.3", Temperature(0.3), "temperature:0.3"),
        ("0:0.5,1:0.5", {"0": Fraction(1, 2), "1": Fraction(1, 2)}, "0:0.5,1:0.5"),
        ("a:1/3, b:2/3", {"a": Fraction(1, 3), "b": Fraction(2, 3)}, "a:0.333333,b:0.666667"),
        ("temperature:0.5,b:0.5", {"temperature": Fraction(1, 2), "b": Fraction(1, 2)}, "temperature:0.5,b:0.5"),
        ("http://a:1", {"http://a": Fraction(1)}, "http://a:1"),
    ],
)
def test_each_form_is_read(text: str, wanted: object, shown: str):
    """A number is taken as it is written, so that a third is a third; the last colon parts label and share."""
    assert parse(text) == wanted
    assert as_text(parse(text)) == shown


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ('{"a,b": 0.1, "c": 0.9}', {"a,b": Fraction(1, 10), "c": Fraction(9, 10)}),
        ("[0.25, 0.75]", {"0": Fraction(1, 4), "1": Fraction(3, 4)}),
        ('{"a": 1}', {"a": Fraction(1)}),
    ],
)
def test_a_target_may_be_a_file(content: str, wanted: object, tmp_path: Path):
    """For labels with commas, and for many; 0.1 is a tenth there too."""
    (tmp_path / "t.json").write_text(content)

    assert parse(str(tmp_path / "t.json")) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("even", "expected `uniform`, `natural`, `temperature:0.3`, `0:0.5,1:0.5` or the path of a `.json` file, got `even`"),
        ("temperature:warm", "expected a number behind `temperature:`, got `warm` - at --target"),
        ("temperature:-1", "expected a finite alpha of at least 0, got -1.0"),
        ("temperature:nan", "expected a finite alpha of at least 0, got nan"),
        ("a:half", "expected a share of at least 0 for class `a`, got `half` - at --target"),
        ("a:1/0", "expected a share of at least 0 for class `a`, got `1/0` - at --target"),
        ("a:nan", "expected a share of at least 0 for class `a`, got `nan` - at --target"),
        ("a:inf", "expected a share of at least 0 for class `a`, got `inf` - at --target"),
        ("a:-1,b:2", "expected a share of at least 0 for class `a`, got `-1` - at --target"),
        ("a:0.5,", "expected a share of at least 0 for a class, as in `0:0.5,1:0.5`, got `` - at --target"),
        ("a:0.5,a:0.5", "expected each class once, got `a` twice - at --target"),
    ],
)  # fmt: skip
def test_what_is_no_target_is_said(text: str, message: str):
    """Before any file is read."""
    with pytest.raises(PipelineError) as raised:
        parse(text)

    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (None, SourceError, "expected a file, got none"),
        ("{", SourceError, "expected a JSON file, got `Expecting property name"),
        ("3", PipelineError, "expected an object of shares by label, or a list of shares, got `int`"),
        ('{"a": NaN}', PipelineError, "expected a share of at least 0 for class `a`, got `NaN`"),
        ('{"a": true}', PipelineError, "expected a share of at least 0 for class `a`, got `True`"),
        ('{"a": [1]}', PipelineError, "expected a share of at least 0 for class `a`, got `list`"),
        ('{"a": 0.5, "a": 0.5}', PipelineError, "expected each class once, got `a` twice"),
    ],
)
def test_a_file_that_is_no_target_is_said(content: str | None, kind: type, message: str, tmp_path: Path):
    """A key that stands twice is not quietly the last."""
    if content is not None:
        (tmp_path / "t.json").write_text(content)

    with pytest.raises(kind) as raised:
        parse(str(tmp_path / "t.json"))

    assert str(raised.value).startswith(message)


def test_words_are_shares_over_the_classes_of_the_files():
    """`uniform` and `natural` exactly; a temperature to 60 bits: 81, 16 and 1 have the square roots 9, 4 and 1."""
    assert shares_over("uniform", "abc", COUNTS) == Shares((1, 1, 1), 3)
    assert shares_over("natural", "abc", COUNTS) == Shares((81, 16, 1), 98)
    assert shares_over(Temperature(0.5), "abc", COUNTS).floats() == pytest.approx([9 / 14, 4 / 14, 1 / 14], abs=1e-15)


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("1:0.25,0:0.75", (0, 1)),
        ("b:0.25,a:0.75", ("a", "b")),
        ("true:0.25,false:0.75", (False, True)),
        ("True:0.25,0:0.75", (False, True)),
        ("b:0.25,a:0.75", (b"a", b"b")),
    ],
)
def test_labels_are_told_by_their_text(text: str, classes: tuple):
    """Whatever type the files have them in."""
    assert shares_over(parse(text), classes, np.array([1, 1])) == Shares((3, 1), 4)


def test_a_class_that_is_not_named_gets_none():
    """And one that is not there may be named, as long as it gets none."""
    assert shares_over(parse("c:0.5,a:0.5,d:0"), "abc", COUNTS) == Shares((1, 0, 1), 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:0.5,d:0.5", "expected classes of the file, `a`, `b`, `c`, got `d` - at --target"),
        ("a:0.5,b:0.6", "expected --target to sum to 1 within 1e-6, got 1.1"),
        ("a:0,b:0", "expected --target with at least one above 0, got 3 zeros"),
    ],
)
def test_a_target_that_does_not_fit_the_files_is_said(text: str, message: str):
    """With what would fit."""
    with pytest.raises(PipelineError) as raised:
        shares_over(parse(text), "abc", COUNTS)

    assert str(raised.value) == message
