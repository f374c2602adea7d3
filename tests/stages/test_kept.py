"""Single examples that `stratify` keeps as they will stand in batches: nothing else comes of it than batches sooner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock as ps

ODD = [2.5, "text", np.float32(1), np.zeros(2), np.ones(3, np.int16), None, True, 2**70]
"""What some examples have where others have a number."""


class Unreadable:
    """An array that raises when it is read."""

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("not today")


def outcome(examples: list[Any], repeats: int, keep_last: bool, *, apart: bool) -> list[str]:
    """All batches, and the error at their end, as text; `apart` has a map stand between `stratify` and `batch`."""

    def opened() -> Iterator[Any]:
        yield from examples

    words = ps.join([opened]).stratify(1, "uniform", classes=range(3), repeats=repeats, rings=6, seed=3)
    words = words.map(lambda example: example) if apart else words
    told = []
    with words.batch(4, keep_last=keep_last).open(inline=True) as flow:
        try:
            told += [repr(batch) for batch in flow]
        except Exception as error:
            told.append(f"{type(error).__name__}: {error}")
    return told


@given(
    st.lists(st.tuples(st.integers(-5, 5) | st.sampled_from(ODD[:4]), st.integers(0, 2)), min_size=20, max_size=60),
    st.integers(1, 3),
    st.booleans(),
)
def test_batches_and_errors_are_those_of_examples_that_were_kept_as_they_came(
    examples: list[Any], repeats: int, keep_last: bool
):
    """Most streams hold an example that does not fit the first: it is told of when, and as, it would have been."""
    assert outcome(examples, repeats, keep_last, apart=False) == outcome(examples, repeats, keep_last, apart=True)


@pytest.mark.parametrize("odd", [*ODD, Unreadable()], ids=lambda odd: type(odd).__name__)
@pytest.mark.parametrize("place", [0, 3, 40])
def test_one_example_that_does_not_fit_is_told_of_when_it_is_drawn(odd: Any, place: int):
    """Among others that do; what was kept before as numbers is given all the same."""
    examples: list[Any] = [(number, number % 3) for number in range(60)]
    examples[place] = odd, place % 3

    assert outcome(examples, 2, False, apart=False) == outcome(examples, 2, False, apart=True)


def test_what_is_kept_is_let_go_of():
    """The point of it: no example of the user's lies in a ring for longer than until its batch is complete."""
    alive: list[int] = [0, 0]

    class Counted(np.ndarray):
        """Counts those that are there."""

        def __new__(cls) -> Counted:
            alive[0] += 1
            alive[1] = max(alive)
            return np.zeros(3).view(cls)

        def __del__(self) -> None:
            alive[0] -= 1

    def opened() -> Iterator[Any]:
        for number in range(600):
            yield Counted(), 0 if number % 50 else 1

    with ps.join([opened]).stratify(1, "uniform", classes=range(2), rings=300).batch(4).open(inline=True) as flow:
        taken = sum(1 for _ in flow)
    held = flow.stats().strata[0].each()[0].held

    assert taken == 6
    assert alive[1] < 200 < held
