"""Classes that stay away are noticed once, and anew after they came again."""

import numpy as np

from penstock.stages.vigil import Vigil, listed

HALF = np.array([0.5, 0.5])


def test_a_class_that_came_again_is_told_of_again():
    """One event an absence."""
    vigil = Vigil(4, patience=10)
    vigil.expect(HALF, HALF, anew=True)
    told = [vigil.look(at, np.array([at, came])).tolist() for at, came in [(11, 0), (30, 0), (40, 1), (45, 1), (51, 1)]]

    assert told == [[1], [], [], [], [1]]
    assert vigil.next == 62  # When the other's patience is at its end.


def test_without_a_word_a_class_has_a_hundred_times_what_a_batch_needs_of_it():
    """A batch of 4 needs 2 of a class that is half of the target; of 0.1 that arrive, in 20 inputs."""
    vigil = Vigil(4, patience=None)
    vigil.expect(HALF, np.array([0.9, 0.1]), anew=True)

    assert vigil.look(2000, np.array([2000, 0])).tolist() == []
    assert vigil.look(2001, np.array([2001, 0])).tolist() == [1]


def test_a_class_without_a_share_is_not_waited_for():
    """Nobody asked for it."""
    vigil = Vigil(4, patience=10)
    vigil.expect(np.array([1.0, 0.0]), HALF, anew=True)

    assert vigil.look(100, np.array([100, 0])).tolist() == []


def test_many_classes_are_not_all_listed():
    """A message stays one line."""
    assert listed(list("abcdefg")) == "`'a'`, `'b'`, `'c'`, `'d'`, `'e'` and 2 more"
