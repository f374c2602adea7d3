"""The demo's second half: the digits made long-tailed, batched in four ways, and what was learnt of each."""

from pathlib import Path

import numpy as np
import pytest

for _package in ("pyarrow", "matplotlib", "rich"):
    pytest.importorskip(_package)

from penstock.demo import chart, contest
from penstock.demo.screen import Screen
from penstock.demo.tail import WAYS, LongTail
from penstock.demo.trial import Trial, attempt, rarest

PNG = b"\x89PNG\r\n\x1a\n"
COUNTS = [154, 77, 51, 38, 31, 26, 22, 19, 17, 15]  # round(154 / (d + 1)), of 154 zeros in the training set
AS_IT_COMES, REJECTION, RING, REPEATED = range(4)


@pytest.fixture(scope="module")
def tail() -> LongTail:
    return LongTail(passes=4)


@pytest.fixture(scope="module")
def trials(tail: LongTail) -> list[Trial]:
    return [attempt(way, tail, batch_size=20, seeds=range(2)) for way in WAYS]


def test_the_tail_follows_zipf_and_repeats_its_few_rare_examples(tail: LongTail):
    """Rare means few of them, not only seldom: each pass has the very same examples, in another order."""
    stream = list(tail())
    passes = [stream[start : start + sum(COUNTS)] for start in range(0, len(stream), sum(COUNTS))]
    seen = [sorted((example["digit"], example["ink"].tobytes()) for example in part) for part in passes]

    assert tail.counts.tolist() == COUNTS
    assert [example["arrival"] for example in stream] == list(range(tail.inputs))
    assert len(passes) == 4
    assert seen[1:] == seen[:-1]
    assert [e["digit"] for e in passes[0]] != [e["digit"] for e in passes[1]]


@pytest.mark.slow
@pytest.mark.parametrize("way", [RING, REPEATED])
def test_the_ring_gives_equal_shares_in_every_batch(trials: list[Trial], way: int):
    """Ten digits in batches of 20."""
    assert (trials[way].counts == 2).all()
    assert trials[way].off == 0


@pytest.mark.slow
def test_each_way_costs_the_inputs_that_its_rule_says(trials: list[Trial]):
    """1,800 inputs, of which 60 are nines, the rarest.

    Each batch takes 2 nines, so 60 give 30 batches, and four times as many at four uses; a count that the last inputs do
    not complete may be missing. Rejection keeps 60 of each digit on average, 600 of 1,800 in all, with a variance of at
    most 1,800 * 1/3 * 2/3 = 400: for both seeds together 5 sigma is 142, besides an incomplete batch each.
    """
    delivered = [trial.delivered for trial in trials]

    assert delivered[AS_IT_COMES] == 1800
    assert 28 * 20 <= delivered[RING] <= 30 * 20
    assert 118 * 20 <= delivered[REPEATED] <= 120 * 20
    assert abs(2 * delivered[REJECTION] - 1200) <= 142 + 2 * 20
    assert [trial.cost for trial in trials] == [1800 / given for given in delivered]


@pytest.mark.slow
def test_what_is_counted_belongs_together(trials: list[Trial]):
    """Arrivals never go back, and never past the stream; each test has a recall of every digit and seed."""
    for trial in trials:
        assert (trial.counts.sum(axis=1) == 20).all()
        assert len(trial.arrivals) == len(trial.counts)
        assert (np.diff(trial.arrivals) >= 0).all()
        assert 0 < trial.arrivals[0] <= trial.arrivals[-1] <= trial.inputs == 1800
        assert trial.along.shape == (2, len(trial.tests), 10)
        assert trial.end.shape == (2, 10)
        assert 0 <= trial.along.min() <= trial.along.max() <= 1
        assert trial.read.tolist() == sorted(trial.read.tolist())


@pytest.mark.slow
def test_a_trial_is_the_same_each_time(tail: LongTail, trials: list[Trial]):
    """Deterministic by seed: what the demo prints can be printed again."""
    again = attempt(WAYS[REJECTION], tail, batch_size=20, seeds=range(2))

    assert again.counts.tolist() == trials[REJECTION].counts.tolist()
    assert again.along.tolist() == trials[REJECTION].along.tolist()
    assert again.end.tolist() == trials[REJECTION].end.tolist()


@pytest.mark.slow
def test_the_picture_is_drawn_of_trials_of_any_length(trials: list[Trial], tmp_path: Path):
    """What the ways give differs in length."""
    chart.draw(tmp_path / "classes.png", trials)

    assert (tmp_path / "classes.png").read_bytes().startswith(PNG)


@pytest.mark.slow
def test_what_is_shown_is_what_was_measured(capsys: pytest.CaptureFixture[str]):
    """The table's figures are the trials' own, and the sentences follow from them, whichever way they turn out."""
    trials = contest.hold(Screen(), seed=1)

    shown = capsys.readouterr().out
    for trial in trials:
        row, recalls = (line.split() for line in shown.splitlines() if line.startswith(f"  {trial.name}"))
        assert row[-4:-1] == [str(len(trial.counts)), f"{trial.cost:.2f}", f"{trial.off:.1f}"]
        assert recalls[-4] == f"{100 * rarest(trial.end).mean():.1f}"
        assert recalls[-2] == f"{100 * trial.end.mean():.1f}"
    lines = shown.splitlines()
    for trial in trials[1:]:
        (place,) = (place for place, line in enumerate(lines) if line.startswith(f"- {trial.name}"))
        better = rarest(trial.end).min() > rarest(trials[0].end).max()
        assert ("5 to 9 better" in lines[place + 1]) == better
    assert [trial.off < 1 for trial in trials] == [False, False, True, True]


def test_the_time_to_learn_is_the_first_test_that_is_good_enough():
    """Two seeds whose mean recall of the rare digits passes 80 % at the second of three tests, or never."""
    along = np.zeros((2, 3, 10))
    along[0, 1:, 5:] = 0.9
    along[1, 1:, 5:] = 0.8
    trial = Trial(
        name="way",
        counts=np.eye(10, dtype=int),
        arrivals=np.arange(10),
        inputs=10,
        delivered=10.0,
        tests=np.array([1, 2, 3]),
        read=np.array([3.0, 6, 9]),
        along=along,
        end=along[:, -1],
    )

    assert trial.learnt == 6
    assert rarest(trial.after(2)).tolist() == [pytest.approx(0.9), pytest.approx(0.8)]
    assert trial.off == 0.9

    along[0] = 0.5
    assert trial.learnt is None
