"""The errors: whose fault they are, and how they read."""

import inspect

import pytest

import penstock as ps
from penstock import errors
from penstock.errors import mismatch, placed

KINDS = [
    (ps.PipelineError, ValueError),
    (ps.SpecError, ValueError),
    (ps.SourceError, OSError),
    (ps.FlowClosed, RuntimeError),
    (ps.MissingExtra, ImportError),
]


@pytest.mark.parametrize(("kind", "base"), KINDS)
def test_an_error_is_pythons_own_kind_too(kind: type, base: type):
    """Who catches `ValueError` need not know penstock's names."""
    assert issubclass(kind, ps.PenstockError)
    assert issubclass(kind, base)


def test_the_tree_in_the_docstring_is_the_tree():
    """It is drawn once, where one looks for it."""
    drawn = errors.__doc__ or ""

    for kind, base in KINDS:
        assert f"{kind.__name__}({base.__name__})" in drawn
    own = [name for name, thing in vars(errors).items() if inspect.isclass(thing) and issubclass(thing, BaseException)]
    assert [name for name in own if name not in drawn] == []


@pytest.mark.parametrize(
    ("at", "do", "message"),
    [
        (None, None, "expected a, got b"),
        ("c", None, "expected a, got b - at c"),
        (None, "d", "expected a, got b - d"),
        ("c", "d", "expected a, got b - at c - d"),
    ],
)
def test_a_message_says_expected_got_where_and_what_to_do(at: str | None, do: str | None, message: str):
    """One function writes them all."""
    assert mismatch("a", "b", at=at, do=do) == message


def test_a_users_error_stays_the_same_object_with_a_note():
    """It is never wrapped, and never turned into text."""
    error = KeyError("x")

    assert placed(error, "mapping example 3 of source 0 ('read')") is error
    assert error.__notes__ == ["penstock: while mapping example 3 of source 0 ('read')"]
    assert error.args == ("x",)


def test_a_stop_iteration_of_the_users_code_does_not_pass_for_the_end():
    """Raised in `next` it would end the training loop in silence; Python itself turns it into a `RuntimeError`."""
    error = StopIteration(5)

    told = placed(error, "mapping example 3 of source 0 ('read')")

    assert type(told) is RuntimeError
    assert told.__cause__ is error
    assert str(told) == (
        "expected an exception that is not the end of an iteration, got `StopIteration` "
        "while mapping example 3 of source 0 ('read')"
    )
