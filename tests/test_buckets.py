"""`.bucket`, and TF1's bucketing functions."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import penstock as ps
from penstock.testing import same

pytestmark = pytest.mark.usefixtures("often")

LENGTHS = [3, 9, 1, 4, 12, 2, 8, 5, 7, 3, 11, 6]


def texts() -> Iterator[dict[str, Any]]:
    for number, length in enumerate(LENGTHS):
        yield {"tokens": np.arange(1, length + 1), "labels": np.ones(length, np.float32), "who": number}


def shapes(batches: Any) -> list[tuple[int, ...]]:
    return [batch["tokens"].shape for batch in batches]


def who(batches: Any) -> list[list[int]]:
    return [batch["who"].tolist() for batch in batches]


TEXTS = ps.join([texts]).pad(tokens=(None,), labels=(None,))


def test_examples_of_like_length_are_together():
    """A batch comes with the example that completes it; each is padded to its own longest."""
    batches = list(TEXTS.bucket("tokens", [5, 9], 2))

    assert who(batches) == [[0, 2], [1, 4], [3, 5], [6, 7], [8, 11]]
    assert shapes(batches) == [(2, 3), (2, 12), (2, 4), (2, 8), (2, 7)]
    assert batches[0]["tokens"].tolist() == [[1, 2, 3], [1, 0, 0]]


def test_what_is_left_is_given_from_the_first_bucket_on_if_that_is_asked_for():
    """Otherwise it is counted."""
    kept = TEXTS.bucket("tokens", [5, 9], [3, 3, 2], keep_last=True)
    with TEXTS.bucket("tokens", [5, 9], [3, 3, 2]).open() as flow:
        dropped = list(flow)
        discarded = [stage.discarded for stage in flow.stats().stages if stage.name.startswith("bucket")]

    assert who(kept) == [[0, 2, 3], [1, 4], [6, 7, 8], [5, 9], [11], [10]]
    assert who(dropped) == [[0, 2, 3], [1, 4], [6, 7, 8]]
    assert discarded == [4]


def test_boundaries_as_widths_give_few_shapes():
    """A shape for each bucket, and multiples of the last boundary beyond it."""
    batches = list(TEXTS.bucket("tokens", [5, 9], 2, pad_to_boundaries=True))

    assert {shape for shape in shapes(batches)} == {(2, 5), (2, 9), (2, 18)}
    assert {batch["labels"].shape for batch in batches} == {(2, 5), (2, 9), (2, 18)}


def test_an_empty_example_is_padded_to_the_boundary_too():
    """A width of nothing would be one more shape."""
    empties = ps.join([[np.zeros(0), np.zeros(0)]]).pad()

    assert [batch.shape for batch in empties.bucket(len, [4], 2, pad_to_boundaries=True)] == [(2, 4)]


def test_a_budget_counts_padding():
    """Batches grow while number times longest fits."""
    batches = list(TEXTS.bucket("tokens", [5, 9], max_tokens=16, keep_last=True))

    assert all(np.prod(shape) <= 16 for shape in shapes(batches))
    assert sorted(number for batch in who(batches) for number in batch) == list(range(12))
    assert who(batches)[0] == [1]  # of length 9: two would not fit


def test_a_budget_with_boundaries_as_widths_gives_one_number_for_each_bucket():
    """As many as fit at that width: one shape for each bucket, for those who compile."""
    batches = list(TEXTS.bucket("tokens", [4, 8, 13], max_tokens=26, pad_to_boundaries=True))

    assert {shape for shape in shapes(batches)} <= {(6, 4), (3, 8), (2, 13)}
    assert len(batches) == 3


def test_columns_are_bucketed_as_rows_are():
    """Arrays and chunks give the same batches as their rows one by one."""
    rng = np.random.default_rng(0)
    lengths, values = rng.integers(0, 20, 200), rng.random((200, 3)).astype(np.float32)
    columns = ps.from_arrays({"n": lengths, "x": values})
    rows = ps.join([[{"n": n, "x": x} for n, x in zip(lengths, values, strict=True)]])

    one, other = (list(each.bucket("n", [5, 10], [4, 8, 16], keep_last=True)) for each in (columns, rows))

    assert len(one) == len(other)
    assert all(same(a, b) for a, b in zip(one, other, strict=True))


def test_bucket_is_what_batches():
    """It stands where `batch` would; what follows works on batches."""
    pipeline = TEXTS.bucket("tokens", [5, 9], 2).map(lambda batch: len(batch["who"])).take(3)

    assert list(pipeline) == [2, 2, 2]
    assert list(TEXTS.bucket("tokens", [5, 9], 2).unbatch().map(lambda row: int(row["who"])).take(4)) == [0, 2, 1, 4]


def test_the_spec_leaves_the_number_of_examples_open():
    """Buckets may differ in size."""
    assert (
        str(TEXTS.bucket("tokens", [5, 9], 2).spec()) == "{tokens: int64[?, ?], labels: float32[?, ?], who: int64[?]}"
    )


def test_lengths_and_masks_come_with_buckets():
    """What `pad` names is delivered."""
    pipeline = ps.join([texts]).pad(tokens=(None,), labels=(None,), lengths={"tokens": "n"})

    first = next(iter(pipeline.bucket("tokens", [5, 9], 2, pad_to_boundaries=True)))

    assert first["n"].tolist() == [3, 1]


def test_a_repeat_in_front_lets_epochs_share_batches():
    """And one behind does not."""
    before = list(ps.join([texts]).repeat(2).pad(tokens=(None,), labels=(None,)).bucket("tokens", [5, 9], 4))
    behind = list(TEXTS.bucket("tokens", [5, 9], 4).repeat(2))

    assert len(before) == 5
    assert who(behind) == who(behind[: len(behind) // 2]) * 2


@pytest.mark.parametrize("inline", [False, True], ids=["threads", "inline"])
@pytest.mark.parametrize("word", [{"batch_size": [2, 3, 2]}, {"max_tokens": 18}], ids=["sizes", "budget"])
def test_a_state_goes_on_with_the_very_next_batch(word: dict[str, Any], inline: bool):
    """What waits in the buckets is read again."""
    pipeline = TEXTS.bucket("tokens", [5, 9], keep_last=True, pad_to_boundaries=True, **word)
    whole = list(pipeline)
    got: list[Any] = []
    state = None
    for count in (1, 2, 1):
        with pipeline.open(state=state, inline=inline) as flow:
            got += [next(flow) for _ in range(count)]
            state = json.loads(json.dumps(flow.state_dict()))
    got += list(pipeline.open(state=state))

    assert len(got) == len(whole)
    assert all(same(one, other) for one, other in zip(got, whole, strict=True))


def test_an_error_comes_after_the_batches_before_it():
    """And the remainders, where these are given."""

    def broken() -> Iterator[dict[str, Any]]:
        yield from list(texts())[:4]
        raise OSError("broken")

    for keep_last, want in ((False, [[0, 2]]), (True, [[0, 2], [3], [1]])):
        got: list[Any] = []
        pipeline = ps.join([broken]).pad(tokens=(None,), labels=(None,))
        with pytest.raises(OSError, match="broken"):
            got.extend(pipeline.bucket("tokens", [5, 9], 2, keep_last=keep_last))

        assert who(got) == want


def test_an_example_that_does_not_fit_is_named():
    """Its bucket's batch is not given, others before it are."""
    examples = [{"x": np.zeros(2), "n": 1}, {"x": np.zeros(2), "n": 1}, {"x": np.zeros(2, int), "n": 9}]

    got: list[Any] = []
    with pytest.raises(ps.SpecError, match=r"example 2 of source 0"):
        got.extend(ps.join([examples]).bucket("n", [5], [2, 1]))
    assert len(got) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TEXTS.bucket("tokens", [], 2), "expected at least one boundary, got none - at bucket(boundaries)"),
        (lambda: TEXTS.bucket("tokens", 5, 2), "expected a list of boundaries, got `5` - at bucket(boundaries)"),
        (lambda: TEXTS.bucket("tokens", [3, 3], 2), "expected boundaries that increase, got 3 before 3"),
        (lambda: TEXTS.bucket("tokens", ["a"], 2), "expected boundaries that are numbers, got `'a'`"),
        (lambda: TEXTS.bucket("tokens", [5]), "expected `batch_size` or `max_tokens`, got neither - at bucket()"),
        (lambda: TEXTS.bucket("tokens", [5], 2, max_tokens=3), "expected `batch_size` or `max_tokens`, got both"),
        (lambda: TEXTS.bucket("tokens", [5], [2]), "expected a batch size for each of 2 buckets, got 1"),
        (lambda: TEXTS.bucket("tokens", [5], 0), "expected `batch_size` to be an integer >= 1, got `0`"),
        (lambda: TEXTS.bucket("tokens", [5], max_tokens=0), "expected `max_tokens` to be an integer >= 1, got `0`"),
        (
            lambda: TEXTS.bucket("tokens", [5], max_tokens=4, pad_to_boundaries=True),
            "expected `max_tokens` of at least the last boundary, 5, to which examples are padded, got 4",
        ),
        (
            lambda: ps.join([texts]).bucket("tokens", [5], 2, pad_to_boundaries=True),
            "expected `pad` where widths are the boundaries, got none - at bucket(...) - `.pad()` before `.bucket(...)`",
        ),
        (
            lambda: TEXTS.batch(2).bucket("tokens", [5], 2),
            "expected `bucket` in place of `batch`, got `bucket` after it",
        ),
        (lambda: TEXTS.bucket("tokens", [5], 2).batch(2), "expected `batch` once, got `batch` after `batch`"),
        (lambda: TEXTS.bucket(None, [5], 2), "expected a key, an index, a path (a tuple of them) or a function"),
        (lambda: ps.bucket([1], [0], 2, 0), "expected `num_buckets` to be an integer >= 1, got `0`"),
        (lambda: ps.bucket([1], [0], 2, 2, bucket_capacities=[1]), "expected a capacity for each of 2 buckets, got 1"),
        (lambda: ps.bucket([1, 2], [0], 2, 2), "expected as many examples as"),
        (
            lambda: ps.bucket_by_sequence_length([1], [1], 2, [3, 2]),
            "expected boundaries that increase, got 3 before 2",
        ),
    ],
)
def test_what_cannot_be_is_said_as_it_is_written(make: Any, message: str):
    """Before anything runs."""
    with pytest.raises(ps.PipelineError) as caught:
        make()

    assert message in str(caught.value)


def test_a_list_of_batch_sizes_is_left_as_it_was():
    """TF1 changed the list that was passed."""
    sizes = [1, 2]
    list(ps.bucket(range(6), [0, 1, 0, 1, 0, 1], sizes, 2))

    assert sizes == [1, 2]


def test_examples_of_no_bucket_are_counted():
    """TF1 dropped them in silence."""
    with ps.bucket(range(4), [0, -1, 7, 0], 2, 2).open() as flow:
        assert [(int(number), batch.tolist()) for number, batch in flow] == [(0, [0, 3])]

        assert [stage.discarded for stage in flow.stats().stages if stage.name.startswith("bucket")] == [2]
