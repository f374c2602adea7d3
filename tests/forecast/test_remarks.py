"""Plain sentences with numbers."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.files import foretold, labels_of
from penstock.forecast.labels import Labels
from penstock.forecast.remarks import number_text, percent, remarks


def ordered(*classes: int) -> Labels:
    return Labels(("x.csv",), "label", tuple(range(max(classes) + 1)), np.array(classes))


def test_a_rare_class_is_told_by_what_a_batch_costs():
    """1 in 10,000, half of a batch of 64: 32 of them at 4 uses each are 8 examples, which come in 80,000."""
    seen = foretold(labels_of([19_998, 2]))

    assert "class 1 gives 1 in 10,000: at repeats=4 a batch of 64 needs 80,000 inputs" in remarks(seen)


def test_what_was_asked_for_and_is_not_there_is_told_by_class():
    """12 examples for 800 places are 67 uses each; the worst first, then the nearest that can be met."""
    seen = foretold(labels_of([10_000, 400, 12]), "0:0.5,1:0.25,2:0.25", batches=50)

    said = remarks(seen)

    assert said[0] == "class 2 gives 12 examples, you asked for 800: repeats would be 67"
    assert said[1].startswith(
        "the nearest shares that give 50 batches at repeats=4 move 23.50% of a batch to other classes"
    )
    assert said[1].endswith("most of all class 2 with 1.50% in place of 25.00%")


def test_only_the_worst_few_of_many_are_named():
    """The others are counted."""
    said = remarks(foretold(labels_of([10_000, 4, 5, 6, 7, 8]), batches=100))

    assert [line.split(",")[0] for line in said[:3]] == [f"class {n} gives {n + 3} examples" for n in (1, 2, 3)]
    assert said[3] == "2 more classes cannot give what you asked for, either"


def test_more_than_all_uses_of_all_examples_is_told_as_such():
    """No shares at all would do."""
    said = remarks(foretold(labels_of([600, 40]), batches=100))

    assert "no shares of these classes give 100 batches at repeats=4: 40 is the most" in said


def test_without_a_wish_it_is_compared_with_a_pass_without_a_target():
    """1,000 examples are 15 batches of 64, half of which would be 480 of a class that has 100."""
    said = remarks(foretold(labels_of([900, 100])))

    assert said[0] == (
        "class 1 gives 100 examples; the 15 batches of a pass without a target would take 480: repeats would be 5"
    )


def test_a_target_that_is_met_goes_without_a_word():
    """Nothing to say is nothing said."""
    assert remarks(foretold(labels_of([500, 500]), repeats=1, batch_size=10)) == []
    assert remarks(foretold(labels_of([900, 100]), "natural", repeats=1, batch_size=10)) == []


def test_not_one_batch_says_which_class_is_to_blame():
    """2 examples at 4 uses each are 8, of the 32 that a batch takes."""
    said = remarks(foretold(labels_of([100, 2])))

    assert said[0] == "not one batch of 64 comes together at repeats=4: class 1 gives 2 examples, a batch may take 32"


def test_classes_in_long_runs_are_told_by_what_the_order_costs():
    """Files that are sorted by class are common, and no ring is as long as a class."""
    said = remarks(foretold(ordered(*[0] * 5000, *[1] * 5000)))

    assert said[0].startswith(
        "in this order the files give 112 batches where their counts allow 625: classes come in longer"
    )
    assert said[1] == (
        "a batch waits 5,008 inputs for class 1, more than the 1,600 that 100 batches need:"
        " `stratify` will warn, and go on waiting"
    )


def test_the_one_example_that_the_first_batch_lacks_is_found():
    """64 over 3 classes are 21 each and one more, which goes to class 0 at first."""
    said = remarks(foretold(labels_of([21, 30, 30]), repeats=1))

    assert said[0] == "not one batch of 64 comes together at repeats=1: class 0 gives 21 examples, a batch may take 22"


@given(st.lists(st.integers(1, 12), min_size=1, max_size=4), st.integers(1, 12), st.integers(1, 2))
def test_where_no_batch_comes_together_the_class_to_blame_has_too_few(counts: list[int], size: int, repeats: int):
    """Whatever the counts: it is named, and its numbers say so."""
    seen = foretold(labels_of(counts), batch_size=size, repeats=repeats)
    blamed = [line for line in remarks(seen) if line.startswith("not one batch")]

    assert len(blamed) == (seen.chosen.batches == 0)
    for line in blamed:
        number, have, takes = map(
            int, re.findall(r"class (\d+) gives (\d+) examples?, a batch may take (\d+)", line)[0]
        )
        assert have == counts[number]
        assert repeats * have < takes


def test_classes_that_take_turns_are_told():
    """Ten classes in batches of 8: each has 0.8 of an example."""
    said = remarks(foretold(labels_of([100] * 10), batch_size=8))

    assert (
        "10 classes get less than one example of a batch of 8 and come by turns: each comes once in 1.25 batches"
        in said
    )


def test_the_class_with_the_longest_turn_is_named_where_they_differ():
    """A tenth of a batch of 8 is 0.8, a hundredth 0.08."""
    said = remarks(foretold(labels_of([900, 90, 10]), "0:0.89,1:0.1,2:0.01", batch_size=8))

    assert (
        "2 classes get less than one example of a batch of 8 and come by turns: class 2 comes once in 12.5 batches"
        in said
    )


@pytest.mark.parametrize(
    ("counts", "target", "sentence"),
    [
        ((50, 30, 20), "0:0.5,1:0.5", "1 class has no share in the target, and 20 examples are left out: 2"),
        (
            (50, 9, 8, 7, 6),
            "0:1",
            "4 classes have no share in the target, and 30 examples are left out: 1, 2, 3 and 1 more",
        ),
        ((70,), "uniform", "there is one class only, 0: there is nothing to balance"),
        ((1,) * 30, "uniform", "30 classes among 30 examples: does `label` name examples, not classes?"),
    ],
)
def test_what_looks_like_a_slip_is_asked(counts: tuple, target: str, sentence: str):
    """A class forgotten, a column mistaken."""
    assert sentence in remarks(foretold(labels_of(counts), target))


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100.00%"), (0.0005, "0.05%"), (0.0001, "0.0100%"), (1e-6, "0.0001%"), (2e-8, "2.0e-06%"), (0, "0.00%")],
)
def test_a_small_share_is_not_written_as_none(share: float, text: str):
    """0.00% is none at all."""
    assert percent(share) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (0.00064, "0.000640"), (1, "1.00"), (12.345, "12.3"), (99.96, "100"), (123.4, "123")]
)
def test_a_number_has_three_digits_that_count(number: float, text: str):
    """So that columns can be compared."""
    assert number_text(number) == text
