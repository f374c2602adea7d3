"""The stage without a buffer: who is kept, how the shares hold, and what is said of classes that stay away."""

from collections.abc import Sequence
from itertools import chain, repeat
from math import sqrt
from typing import Any

import numpy as np
import pytest

import penstock as ps
from labelled import long_tailed, stream
from penstock.chunk import Chunk
from penstock.errors import PenstockWarning, SpecError
from penstock.sampling import Classes, Target
from penstock.stages import Stage
from penstock.stages.labelled import By
from penstock.stages.thinned import Thinned
from penstock.stages.wishes import Wishes
from penstock.testing import Recut, check_stage

ZIPF = long_tailed(4)
UNIFORM = [0.25] * 4
both_ways = pytest.mark.parametrize("steered", [False, True], ids=["rejection", "average"])


def thinned(upstream: Stage, target: Any = UNIFORM, *, steered: bool, by: Any = 1, **how: Any) -> Thinned:
    """A stage over examples `(number, label)`."""
    wanted = Target(target, labels=how.pop("classes", None))
    names, start = wanted.labels, how.pop("start", None)
    unknown = how.pop("unknown", "error")
    options = {"size": 16, "seed": 5, "labels": ["letters"], **{k: how.pop(k) for k in ("size", "seed") if k in how}}
    return Thinned(
        upstream,
        By(by),
        Classes(names or (), grows=names is None, unknown=unknown),
        wanted,
        Wishes(**how),
        steered=steered,
        start=None if start is None else np.array(start),
        **options,
    )


def examples(labels: Sequence[Any]) -> list[Any]:
    return list(enumerate(labels))


def drained(stage: Stage, n: int = 64) -> tuple[list[Any], list[Any], BaseException | None]:
    """All examples, their tickets, and the error at the end."""
    rows, tickets = [], []
    while True:
        chunk = stage.take(n)
        rows += chunk.as_rows()
        tickets += list(chunk.tickets)
        if chunk.error is not None or chunk.count == 0:
            return rows, tickets, chunk.error


@both_ways
@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("kind", ["iid", "bursts", "sorted"])
@pytest.mark.slow
def test_however_the_input_is_cut_the_same_are_kept(steered: bool, columns: bool, kind: str):
    """Over several estimates, and as many batches."""
    labels = stream(kind, ZIPF, 700, 3)

    kept = check_stage(
        lambda upstream: thinned(upstream, steered=steered, patience=10**6),
        [(number, np.int64(label)) for number, label in enumerate(labels)],
        error=OSError("gone"),
        columns=columns,
        rounds=8,
    )

    numbers = [int(number) for number, _ in kept]
    assert numbers == sorted(set(numbers))
    assert all(labels[int(number)] == label for number, label in kept)
    assert 0 < len(kept) < 700


@both_ways
@pytest.mark.parametrize(
    "target", ["uniform", ps.Temperature(0.3), lambda number: [0.4, 0.2, 0.2, 0.2][:: 1 - number % 2 * 2]]
)
@pytest.mark.parametrize("columns", [False, True])
def test_the_same_holds_for_targets_that_move_and_classes_that_are_found(steered: bool, target: Any, columns: bool):
    """What decides is the arrival, and the batch that it is for."""
    classes = list(range(4)) if callable(target) else None

    kept = check_stage(
        lambda upstream: thinned(upstream, target, steered=steered, classes=classes, patience=10**6),
        examples(stream("sorted", ZIPF, 300, 4).tolist()),
        columns=columns,
        rounds=6,
    )

    assert 0 < len(kept) <= 300


@both_ways
def test_rows_and_columns_give_the_same(steered: bool):
    """As does a function of the example."""
    labels = stream("iid", ZIPF, 1000, 1)
    rows = [(number, np.int64(label)) for number, label in enumerate(labels)]

    by_rows = drained(thinned(Recut(rows), steered=steered))
    by_columns = drained(thinned(Recut(rows, columns=True), steered=steered))
    by_function = drained(thinned(Recut(rows, columns=True), steered=steered, by=lambda example: int(example[1])))

    assert [n for n, _ in by_rows[0]] == [n for n, _ in by_columns[0]] == [n for n, _ in by_function[0]]
    assert by_rows[1] == by_columns[1] == by_function[1]


@both_ways
def test_what_came_is_counted_by_class_and_reason(steered: bool):
    """Conservation: given and thinned are what was seen, and seen and ignored are what arrived."""
    labels = [*stream("iid", ZIPF, 500, 2).tolist(), 9, 9]
    stage = thinned(Recut(examples(labels)), steered=steered, unknown="ignore")

    rows, _, _ = drained(stage)

    stats = stage.stats()
    its = stats.each()
    assert [one.arrived for one in its] == np.bincount(labels)[:4].tolist()
    assert all(one.arrived == one.delivered + one.thinned and one.used == one.delivered for one in its)
    assert (stats.inputs, stats.ignored, stats.delivered) == (502, 2, len(rows))
    assert stage.discarded == 502 - len(rows)
    assert (stats.exact, stats.repeats) == (False, 1)


def test_with_known_shares_each_is_kept_with_tf1s_chance():
    """a = (q/p) / max(q/p): of n_c arrivals Binomial(n_c, a_c) are kept, within five sigma."""
    labels = stream("iid", ZIPF, 20_000, 6)
    stage = thinned(Recut(examples(labels.tolist()), largest=4096), steered=False, start=ZIPF)

    rows, _, _ = drained(stage)

    seen, given = np.bincount(labels), np.bincount([label for _, label in rows])
    chance = ZIPF.min() / ZIPF
    assert (np.abs(given - seen * chance) <= 5 * np.sqrt(seen * chance * (1 - chance)) + 1e-9).all()
    assert given[-1] == seen[-1]


def test_a_wrong_start_is_not_corrected_by_rejection_and_is_by_steering():
    """Equal shares are asked for, and arrive; the start says 0.9 of the first class.

    Rejection keeps 1 in 9 of that: of 5 000, 556 ± 5·√494, so more than 2 000 are missing of an equal share. Steered, no
    class is further ahead than 64 + 4·16·0.5 + 8 = 104, and so none of two further behind.
    """
    labels = stream("iid", np.array([0.5, 0.5]), 10_000, 7)
    lead = []
    for steered in (False, True):
        rows, _, _ = drained(thinned(Recut(examples(labels.tolist())), [0.5, 0.5], steered=steered, start=[0.9, 0.1]))
        one, other = np.bincount([label for _, label in rows])
        lead.append(abs(int(one) - int(other)) / 2)

    assert lead[0] > 2000
    assert lead[1] <= 104


@pytest.mark.parametrize("kind", ["iid", "drift", "bursts", "absent", "sorted"])
@pytest.mark.parametrize("size", [1, 16, 200])
def test_steered_no_class_is_ever_further_ahead_than_the_bound(kind: str, size: int):
    """After any number of examples: L = 64 + 4 b q, from which on nothing of a class is kept, and what one batch may add.

    A look comes at the end of a batch, or sooner; so a lead that was below L grows by b (1 - q) at most until the next.
    """
    target = np.array([0.4, 0.3, 0.2, 0.1])
    labels = stream(kind, ZIPF, 6000, 8).tolist()
    stage = thinned(Recut(examples(labels), largest=1024), target, steered=True, size=size, patience=10**6)

    rows, _, _ = drained(stage)

    given = np.eye(4)[[label for _, label in rows]].cumsum(axis=0)
    lags = given - np.arange(1, len(rows) + 1)[:, None] * target
    assert (lags <= 64 + 4 * size * target + size * (1 - target)).all()


@pytest.mark.slow
def test_steered_the_lag_does_not_grow_with_the_square_root_as_that_of_rejection():
    """Equal shares of 4 classes that arrive evenly, b = 16: L = 64 + 16 = 80.

    Drawn back, the lag has variance near L / 2 = 40; its root mean square over the second half of 40 000 is below 12, twice
    that. Rejection that knew the shares would have variance k q (1 - q): 7 500 after 40 000, a standard deviation of 87.
    """
    labels = np.random.default_rng(9).integers(0, 4, 40_000)
    stage = thinned(Recut(examples(labels.tolist()), largest=4096), steered=True)

    rows, _, _ = drained(stage)

    given = np.eye(4)[[label for _, label in rows]].cumsum(axis=0)
    lags = (given - np.arange(1, len(rows) + 1)[:, None] * 0.25)[len(rows) // 2 :]
    assert sqrt((lags**2).mean()) < 12
    assert len(rows) > 0.8 * 40_000  # All classes are wanted as they come; the price of steering is small.


@both_ways
def test_a_class_that_stays_away_is_said_once_and_waiting_goes_on(steered: bool):
    """With an event in the stats; it is no end, since the class may yet come."""
    labels = [*repeat(0, 300), *([0, 1] * 100)]
    stage = thinned(Recut(examples(labels)), [0.5, 0.5], steered=steered, patience=100)

    with pytest.warns(PenstockWarning, match="class `1` has not come within 101 inputs, at batch") as told:
        rows, _, error = drained(stage)

    assert len(told) == 1
    assert error is None
    (event,) = stage.stats().events
    assert (event.labels, event.policy, event.waited) == ((1,), "wait", 101)
    assert 1 in [label for _, label in rows]


@both_ways
def test_a_class_that_stays_away_can_be_an_error(steered: bool):
    """Which names it, after what came before."""
    stage = thinned(Recut(examples([0] * 500)), [0.5, 0.5], steered=steered, patience=100, missing="error")

    rows, _, error = drained(stage)

    assert isinstance(error, SpecError)
    assert str(error).startswith("expected class `1` within 101 inputs, got none - at batch ")
    assert all(number <= 100 for number, _ in rows)


@both_ways
@pytest.mark.parametrize("columns", [False, True])
def test_a_label_that_is_none_is_named_after_what_came_before_it(steered: bool, columns: bool):
    """The label, its position, its source."""
    rows = [(number, np.int64(label)) for number, label in enumerate([0, 1, 2, 3] * 10)]
    rows[30] = (30, np.int64(7))
    stage = thinned(Recut(rows, columns=columns), steered=steered)

    kept, _, error = drained(stage)

    assert isinstance(error, SpecError)
    assert str(error) == (
        'expected a label that is an integer in [0, 4), got `7` - unknown="ignore" leaves such out'
        " - at the label of example 30 of source 0 ('letters')"
    )
    assert [number for number, _ in kept] == list(range(30))  # Equal shares until more is known: all are kept.
    assert stage.take(1).is_end


def test_what_reading_a_label_raises_stays_the_users():
    """The same object, with a note."""
    raised = ZeroDivisionError("own")

    def by(example: Any) -> int:
        if example[0] == 3:
            raise raised
        return 0

    _, _, error = drained(thinned(Recut(examples([0] * 9)), [1.0], steered=False, by=by))

    assert error is raised
    assert raised.__notes__ == ["penstock: while reading the label of example 3 of source 0 ('letters')"]


def test_a_component_that_is_not_there_is_named():
    """As a key of the dict that an example is."""
    rows = [{"x": 1, "y": 0}] * 3

    for columns in (False, True):
        _, _, error = drained(thinned(Recut(rows, columns=columns), [1.0], steered=False, by="z"))
        assert isinstance(error, SpecError)
        assert "expected a component `'z'`, which is the label, got components `x`, `y`" in str(error)


@both_ways
def test_a_target_that_is_changed_holds_from_the_batch_that_is_named(steered: bool):
    """The last of several counts; and the batch that has begun is not touched."""
    stage = thinned(Recut(examples([0, 1] * 2000), largest=64), [0.5, 0.5], steered=steered)
    stage.take(5)

    assert stage.set_target([1.0, 0.0]) == 1
    assert stage.set_target([0.0, 1.0]) == 1
    rows: list[Any] = []
    while len(rows) < 11 + 32:
        rows += stage.take(1).as_rows()

    assert {label for _, label in rows[:11]} == {0, 1}
    assert {label for _, label in rows[11:]} == {1}


def test_a_changed_target_begins_without_a_lag():
    """What was owed under the old one is not made up for.

    Of 100 examples that are all of one class, that is 50 ahead of its half. Both classes come evenly from then on. Without
    a lag each gets half, up to the walk of variance L / 2 = 33, by which counts differ by twice as much: 57 in five sigma.
    With it, the other one would get 100 more.
    """
    how: dict[str, Any] = {"steered": True, "size": 1, "start": [0.5, 0.5], "patience": 10**6}
    alone = thinned(Recut(examples([0] * 2000)), [0.5, 0.5], **how)
    assert sum(alone.take(1).count for _ in range(100)) == 100
    ones = alone.stats().inputs  # So many arrivals it takes.
    stage = thinned(Recut(examples([*[0] * ones, *[0, 1] * 2000])), [0.5, 0.5], **how)
    assert sum(stage.take(1).count for _ in range(100)) == 100

    assert stage.set_target([0.5, 0.5]) == 100
    rest = [label for _, label in drained(stage)[0]]

    assert len(rest) > 1000
    assert abs(rest.count(0) - rest.count(1)) <= 57


@both_ways
def test_the_estimate_follows_what_arrives(steered: bool):
    """After a change of shares the newest arrivals count: 0.8 became 0.2, and 20 000 came since.

    An estimate from about 2·4096 arrivals is off by √(0.16 / 8192) = 0.0044, five times that is 0.022.
    """
    random = np.random.default_rng(3)
    labels = np.concatenate((random.random(20_000) < 0.2, random.random(20_000) < 0.8)).astype(int).tolist()
    stage = thinned(Recut(examples(labels), largest=4096), [0.5, 0.5], steered=steered)

    drained(stage)

    assert [one.arriving for one in stage.stats().each()] == pytest.approx([0.2, 0.8], abs=0.022)


def test_a_target_function_that_fails_is_an_error_in_order():
    """After the batches before it."""

    def target(number: int) -> Any:
        if number == 2:
            raise RuntimeError("own")
        return [0.5, 0.5]

    rows, _, error = drained(thinned(Recut(examples([0, 1] * 200)), target, steered=True, classes=[0, 1]))

    assert len(rows) == 32
    assert isinstance(error, RuntimeError)
    assert error.__notes__ == ["penstock: while asking the target of batch 2"]


def test_no_more_is_taken_than_may_all_be_kept():
    """The next example might keep a batch waiting that is complete."""
    asked: list[int] = []

    class Counted:
        def __init__(self) -> None:
            self._inner = Recut(examples([0, 1] * 500), largest=1 << 30)

        def take(self, n: int) -> Chunk:
            asked.append(n)
            return self._inner.take(n)

        def close(self) -> None: ...

    stage = thinned(Counted(), [0.5, 0.5], steered=False)
    taken = list(chain.from_iterable(stage.take(10).as_rows() for _ in range(4)))

    assert taken
    assert max(asked) == 10


@pytest.mark.parametrize(("weights", "want"), [("target", [1, 1]), ("natural", [1.6, 0.4]), ("prior", None)])
def test_weights_come_with_each_example(weights: Any, want: list[float] | None):
    """1, p / q, or log p of all classes: with p 0.8 and 0.2 as the start says, before more is known."""
    rows = examples([0, 0, 0, 0, 1] * 5)
    stage = thinned(Recut(rows), [0.5, 0.5], steered=False, start=[0.8, 0.2], weights=weights, weights_as="w", seed=1)

    kept, _, _ = drained(stage)

    for (_, label), extra in kept:
        got = extra["w"]
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, np.log([0.8, 0.2]) if want is None else want[label], rtol=1e-6)


def test_weights_do_not_take_the_name_of_a_component():
    """It would be lost."""
    stage = thinned(Recut([{"w": 1, "y": 0}] * 3), [1.0], steered=False, by="y", weights="target", weights_as="w")

    _, _, error = drained(stage)

    assert isinstance(error, SpecError)
    assert str(error) == "expected a new name for the weights, got `w`, a component's - at stratify(weights_as)"


def test_closing_closes_upstream():
    """Which may hold a file."""
    closed: list[bool] = []

    class Upstream:
        def take(self, n: int) -> Chunk:
            raise AssertionError

        def close(self) -> None:
            closed.append(True)

    thinned(Upstream(), [1.0], steered=True).close()

    assert closed == [True]
